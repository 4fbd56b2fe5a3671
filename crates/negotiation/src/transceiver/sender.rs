//! webrtc-pc §5.2: the slots of an `RTCRtpSender`, `replaceTrack()` and `setStreams()`.

use std::sync::Arc;

use super::{LocalTrack, Sources, TrackId, Transceiver, TransceiverId};
use crate::effect::{OperationId, TransportId};
use crate::operations::Method;
use crate::rtp::codec_dictionary_match;
use crate::section::SentMsid;
use crate::session::Session;
use crate::task::TaskKind;
use idl::Error;
use idl::{
    MediaKind, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionParameters, RTCRtpSendParameters,
};

/// The slots of an `RTCRtpSender`. `[[Dtmf]]` is an object of the host.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// `[[SenderTrack]]`
    pub(crate) sender_track: Option<TrackId>,
    /// `[[SenderTransport]]`
    pub(crate) sender_transport: Option<TransportId>,
    /// `[[LastStableStateSenderTransport]]`
    pub(crate) last_stable_state_sender_transport: Option<TransportId>,
    /// `[[AssociatedMediaStreamIds]]`
    pub(crate) associated_media_stream_ids: Vec<String>,
    /// `[[SendEncodings]]`
    pub(crate) send_encodings: Vec<RTCRtpEncodingParameters>,
    /// `[[LastStableRidlessSendEncodings]]`
    pub(crate) last_stable_ridless_send_encodings: Option<Vec<RTCRtpEncodingParameters>>,
    /// `[[SendCodecs]]`
    pub(crate) send_codecs: Arc<[RTCRtpCodecParameters]>,
    /// `[[LastReturnedParameters]]`
    pub(crate) last_returned_parameters: Option<RTCRtpSendParameters>,

    /// The header extensions that have been negotiated for sending.
    pub(crate) header_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
    /// Whether reduced-size RTCP has been negotiated for sending.
    pub(crate) reduced_size_rtcp: bool,
    pub(crate) sources: Sources,
    /// The track's name in `a=msid`, made when it is first needed. `replaceTrack()` keeps it
    /// (RFC 9429 §5.2.2).
    msid_appdata: Option<String>,
}

impl Sender {
    /// webrtc-pc §5.2: create an RTCRtpSender.
    pub(super) fn new(
        track: Option<TrackId>,
        kind: MediaKind,
        streams: &[String],
        send_encodings: Vec<RTCRtpEncodingParameters>,
    ) -> Self {
        let mut sender = Self {
            // Steps 2 to 4; the host does steps 5 and 6.
            sender_track: track,
            sender_transport: None,
            last_stable_state_sender_transport: None,
            // Steps 7 and 8
            associated_media_stream_ids: Vec::new(),
            // Steps 10 and 11
            send_encodings,
            // Steps 12 to 14
            last_stable_ridless_send_encodings: None,
            send_codecs: Arc::default(),
            last_returned_parameters: None,
            header_extensions: Arc::default(),
            reduced_size_rtcp: false,
            sources: Sources::default(),
            msid_appdata: None,
        };
        if sender.send_encodings.is_empty() {
            let mut encoding = RTCRtpEncodingParameters::default();
            if kind == MediaKind::Video {
                encoding.scale_resolution_down_by = Some(1.0);
            }
            sender.send_encodings = vec![encoding];
        }
        // Step 9
        sender.set_streams(streams);
        sender
    }

    /// Sets `[[AssociatedMediaStreamIds]]` to these ids, without duplicates.
    pub(super) fn set_streams(&mut self, streams: &[String]) {
        self.sources.forget_lines();
        self.associated_media_stream_ids.clear();
        for stream in streams {
            if !self.associated_media_stream_ids.contains(stream) {
                self.associated_media_stream_ids.push(stream.clone());
            }
        }
    }

    /// `[[SendEncodings]]`, if it is one encoding without a rid.
    pub(crate) fn ridless_send_encodings(&self) -> Option<&Vec<RTCRtpEncodingParameters>> {
        match self.send_encodings.as_slice() {
            [lone] if lone.rid.is_none() => Some(&self.send_encodings),
            _ => None,
        }
    }
}

impl Session {
    /// Makes the name of the track in `a=msid`, for each sender that a description will announce.
    pub(crate) fn name_sent_tracks(&mut self) {
        for id in self.transceivers.ids().to_vec() {
            let transceiver = self.transceivers.get(id);
            if transceiver.is_some_and(|t| t.direction.sends() && t.sender.msid_appdata.is_none()) {
                let appdata = self.identifiers.make_unique();
                if let Some(transceiver) = self.transceivers.get_mut(id) {
                    transceiver.sender.msid_appdata = Some(appdata);
                }
            }
        }
    }
}

impl Transceiver {
    /// The ids of the streams to announce, if the transceiver sends (RFC 9429 §5.2.1).
    pub(crate) fn streams_to_announce(&self) -> Option<&[String]> {
        let ids = self.sender.associated_media_stream_ids.as_slice();
        self.direction.sends().then_some(ids)
    }

    /// The content of `a=msid`, if the transceiver sends.
    pub(crate) fn msid_to_send(&self) -> Option<SentMsid<'_>> {
        let appdata = self.sender.msid_appdata.as_deref().unwrap_or("-");
        self.streams_to_announce().map(|streams| SentMsid { streams, appdata })
    }

    /// The rids for `a=rid`, if the transceiver sends (RFC 9429 §5.2.1).
    pub(crate) fn rids_to_send(&self) -> Vec<&str> {
        let encodings = self.sender.send_encodings.iter().filter(|_| self.direction.sends());
        encodings.filter_map(|encoding| encoding.rid.as_deref()).collect()
    }

    /// webrtc-pc §4.4.1.4 step 4.7.14.2
    pub(crate) fn remove_codecs_not_negotiated(&mut self) {
        // Step 4.7.14.2.1
        let codecs = &self.sender.send_codecs;
        // Step 4.7.14.2.2
        if codecs.is_empty() {
            return;
        }
        // Step 4.7.14.2.2.1
        for encoding in &mut self.sender.send_encodings {
            let negotiated = |codec: &RTCRtpCodec| {
                codecs.iter().any(|known| codec_dictionary_match(codec, known, true))
            };
            if encoding.codec.as_ref().is_some_and(|codec| !negotiated(codec)) {
                encoding.codec = None;
                self.sender.last_returned_parameters = None;
            }
        }
    }
}

impl Session {
    /// webrtc-pc §5.2 setStreams
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed.
    pub fn set_streams(&mut self, id: TransceiverId, streams: &[String]) -> Result<(), Error> {
        // Step 3
        if self.is_closed() {
            return Err(Error::InvalidStateError("the connection is closed".into()));
        }
        // Steps 5 and 6
        if let Some(transceiver) = self.transceivers.get_mut(id) {
            transceiver.sender.set_streams(streams);
        }
        self.last_created.system_state_changed();
        // Step 7
        self.update_the_negotiation_needed_flag();
        Ok(())
    }

    /// webrtc-pc §5.2 replaceTrack. Resolves with
    /// [`Outcome::Undefined`](crate::Outcome::Undefined).
    ///
    /// # Errors
    /// `TypeError` for a track of another kind; `InvalidStateError` if the transceiver is stopping
    /// or the connection is closed.
    pub fn replace_track(
        &mut self,
        id: TransceiverId,
        with_track: Option<LocalTrack>,
    ) -> OperationId {
        // Step 5
        let kind = self.transceivers.get(id).map(|transceiver| transceiver.kind);
        if with_track.is_some_and(|track| Some(track.kind) != kind) {
            let operation = self.operations.make_id();
            let message = "the track is of another kind than the transceiver";
            self.outputs.settle(operation, Err(Error::TypeError(message.into())));
            return operation;
        }
        // Step 6
        let with_track = with_track.map(|track| track.id);
        self.chain_an_asynchronous_operation(Method::ReplaceTrack { transceiver: id, with_track })
    }

    /// webrtc-pc §5.2 replaceTrack step 6: what is chained.
    pub(crate) fn run_replace_track(
        &mut self,
        operation: OperationId,
        transceiver: TransceiverId,
        with_track: Option<TrackId>,
    ) {
        // Step 6.1
        if self.transceivers.get(transceiver).is_none_or(|transceiver| transceiver.stopping) {
            let error = Error::InvalidStateError("the transceiver is stopped".into());
            return self.settle_operation(operation, Err(error));
        }
        // Steps 6.3 and 6.4: no track of the same kind needs negotiation.
        self.outputs.queue_task(TaskKind::ApplyReplacedTrack {
            operation,
            transceiver,
            with_track,
        });
    }

    /// Step 6.4.4
    pub(crate) fn apply_replaced_track(
        &mut self,
        operation: OperationId,
        transceiver: TransceiverId,
        with_track: Option<TrackId>,
    ) {
        // Step 6.4.4.1
        if self.is_closed() {
            return;
        }
        // Step 6.4.4.2
        if let Some(transceiver) = self.transceivers.get_mut(transceiver) {
            transceiver.sender.sender_track = with_track;
        }
        // Step 6.4.4.3
        self.outputs.queue_task(TaskKind::Resolve { operation });
    }
}
