//! webrtc-pc §5.1: what the RTP media API adds to `RTCPeerConnection`.

use negotiation::{Error, MediaKind, RTCRtpEncodingParameters, RTCRtpTransceiverDirection};

use super::handler::handlers;
use super::{
    MediaStream, MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender,
    RTCRtpTransceiver, RTCTrackEvent,
};
use crate::inert::{self, Inert};

/// webrtc-pc §5.1: what a new transceiver begins with.
#[derive(Clone, Debug)]
pub struct RTCRtpTransceiverInit {
    /// The direction; `sendrecv` by default.
    pub direction: RTCRtpTransceiverDirection,
    /// The streams to which the track belongs at the peer.
    pub streams: Vec<MediaStream>,
    /// How to encode, one entry for each layer of simulcast; may be empty. Members other than `rid`
    /// have **no effect yet**: no media is sent.
    #[doc(alias = "sendEncodings")]
    pub send_encodings: Vec<RTCRtpEncodingParameters>,
}

impl Default for RTCRtpTransceiverInit {
    fn default() -> Self {
        Self {
            direction: RTCRtpTransceiverDirection::Sendrecv,
            streams: Vec::new(),
            send_encodings: Vec::new(),
        }
    }
}

/// The first argument of [`addTransceiver`](RTCPeerConnection::add_transceiver).
#[derive(Clone, Debug)]
pub enum TrackOrKind {
    /// A track to send.
    Track(MediaStreamTrack),
    /// No track yet, but of this kind.
    Kind(MediaKind),
}

impl From<MediaStreamTrack> for TrackOrKind {
    fn from(track: MediaStreamTrack) -> Self {
        Self::Track(track)
    }
}

impl From<&MediaStreamTrack> for TrackOrKind {
    fn from(track: &MediaStreamTrack) -> Self {
        Self::Track(track.clone())
    }
}

impl From<MediaKind> for TrackOrKind {
    fn from(kind: MediaKind) -> Self {
        Self::Kind(kind)
    }
}

impl RTCPeerConnection {
    /// The senders of all transceivers that are not stopped.
    #[doc(alias = "getSenders")]
    pub fn get_senders(&self) -> Vec<RTCRtpSender> {
        let transceivers = self.connection().engine().collect_transceivers(true);
        transceivers.iter().map(RTCRtpTransceiver::sender).collect()
    }

    /// The receivers of all transceivers that are not stopped.
    #[doc(alias = "getReceivers")]
    pub fn get_receivers(&self) -> Vec<RTCRtpReceiver> {
        let transceivers = self.connection().engine().collect_transceivers(true);
        transceivers.iter().map(RTCRtpTransceiver::receiver).collect()
    }

    /// The transceivers, in the order in which they were made.
    #[doc(alias = "getTransceivers")]
    pub fn get_transceivers(&self) -> Vec<RTCRtpTransceiver> {
        self.connection().engine().collect_transceivers(false)
    }

    /// Sends a track, as part of these streams. This uses a transceiver that has never sent, or
    /// makes one; `negotiationneeded` fires.
    ///
    /// # Errors
    /// - `InvalidStateError` if the connection is closed.
    /// - `InvalidAccessError` if a sender has the track already.
    #[doc(alias("RTCPeerConnection.addTrack"))]
    pub fn add_track(
        &self,
        track: &MediaStreamTrack,
        streams: &[MediaStream],
    ) -> Result<RTCRtpSender, Error> {
        let sender = self.connection().api(|engine, _| engine.add_track(track, streams))?;
        Inert::Media.warn();
        Ok(sender)
    }

    /// Stops sending the track of a sender; `negotiationneeded` fires. The sender stays.
    ///
    /// # Errors
    /// - `InvalidStateError` if the connection is closed.
    /// - `InvalidAccessError` for a sender of another connection.
    #[doc(alias("RTCPeerConnection.removeTrack"))]
    pub fn remove_track(&self, sender: &RTCRtpSender) -> Result<(), Error> {
        self.connection().api(|engine, _| engine.remove_track(&sender.object))
    }

    /// Makes a transceiver, for a track or for a kind of media; `negotiationneeded` fires.
    ///
    /// # Errors
    /// - `InvalidStateError` if the connection is closed.
    /// - `TypeError` for a malformed or repeated `rid`, or if only some encodings have one.
    /// - `OperationError` for a codec that cannot be sent.
    /// - `RangeError` for a `scaleResolutionDownBy` below 1 or a `maxFramerate` that is not
    ///   positive.
    #[doc(alias = "addTransceiver")]
    pub fn add_transceiver(
        &self,
        track_or_kind: impl Into<TrackOrKind>,
        init: impl Into<Option<RTCRtpTransceiverInit>>,
    ) -> Result<RTCRtpTransceiver, Error> {
        let (track_or_kind, init) = (track_or_kind.into(), init.into().unwrap_or_default());
        let transceiver =
            self.connection().api(|engine, _| engine.add_transceiver(&track_or_kind, &init))?;
        Inert::Media.warn();
        inert::warn_of_encodings(&init.send_encodings);
        Ok(transceiver)
    }

    handlers! {
        /// `track`: the peer has media to send.
        #[doc(alias = "ontrack")]
        on_track / clear_on_track: RTCTrackEvent => object.connection.handlers.track;
    }
}
