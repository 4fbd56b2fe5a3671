//! webrtc-pc §5.2 `RTCRtpSender`.

use std::sync::Arc;

use negotiation::{Error, MediaKind, RTCRtpCapabilities, RTCRtpSendParameters, send_capabilities};

use super::promise::{closed, undefined};
use super::{
    MediaStream, MediaStreamTrack, Promise, RTCDTMFSender, RTCDtlsTransport, TransceiverObject,
};

/// webrtc-pc §5.2: what sends a track to the peer.
///
/// A cheap handle; it does not keep the connection open. What senders say is negotiated as with a
/// browser; media is not sent yet.
#[derive(Clone)]
pub struct RTCRtpSender {
    pub(crate) object: Arc<TransceiverObject>,
}

impl RTCRtpSender {
    /// The track that is sent, if there is one.
    #[doc(alias("RTCRtpSender.track"))]
    pub fn track(&self) -> Option<MediaStreamTrack> {
        self.object.read(|core| core.sender_track(self.object.id))
    }

    /// The transport over which media is sent; `None` before a description was applied.
    #[doc(alias("RTCRtpSender.transport"))]
    pub fn transport(&self) -> Option<RTCDtlsTransport> {
        let connection = self.object.connection.upgrade()?;
        let mut core = connection.core();
        let transport = core.session.transceiver(self.object.id)?.sender_transport()?;
        core.dtls_transport(transport)
    }

    /// The codecs and header extensions that can be sent.
    #[doc(alias("RTCRtpSender.getCapabilities"))]
    pub fn get_capabilities(kind: MediaKind) -> RTCRtpCapabilities {
        send_capabilities(kind)
    }

    /// Changes how the track is encoded and sent, within what was negotiated. To be called with
    /// what [`get_parameters`](Self::get_parameters) returned, changed, before anything is
    /// awaited.
    ///
    /// # Errors
    /// - `InvalidStateError` if the transceiver is stopping or stopped, or the last call of
    ///   [`get_parameters`](Self::get_parameters) was too long ago.
    /// - `InvalidModificationError` if the number or order of encodings was changed, something
    ///   read-only was, or a codec was not negotiated.
    /// - `RangeError` for a `scaleResolutionDownBy` below 1 or a negative `maxFramerate`.
    #[doc(alias = "setParameters")]
    pub fn set_parameters(&self, parameters: RTCRtpSendParameters) -> Promise<()> {
        let Some(connection) = self.object.connection.upgrade() else {
            return Promise::rejected(closed());
        };
        connection.api(|core, _| {
            let id = self.object.id;
            core.operation(undefined, |session| session.set_parameters(id, parameters))
        })
    }

    /// How the track is encoded and sent.
    #[doc(alias("RTCRtpSender.getParameters"))]
    pub fn get_parameters(&self) -> RTCRtpSendParameters {
        let connection = self.object.connection.upgrade();
        connection
            .map(|c| c.api(|core, _| core.session.get_parameters(self.object.id)))
            .unwrap_or_default()
    }

    /// Sends another track instead, or none, without negotiation.
    ///
    /// # Errors
    /// - `TypeError` if the track is of another kind.
    /// - `InvalidStateError` if the transceiver is stopping or stopped, or the connection closed.
    #[doc(alias = "replaceTrack")]
    pub fn replace_track(&self, with_track: impl Into<Option<MediaStreamTrack>>) -> Promise<()> {
        let with_track = with_track.into();
        let Some(connection) = self.object.connection.upgrade() else {
            return Promise::rejected(closed());
        };
        connection.api(|core, _| core.replace_track(&self.object, with_track.as_ref()))
    }

    /// Sets the streams to which the track belongs at the peer; an offer is due.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed.
    #[doc(alias = "setStreams")]
    pub fn set_streams(&self, streams: &[MediaStream]) -> Result<(), Error> {
        let streams: Vec<_> = streams.iter().map(|stream| stream.id().to_owned()).collect();
        self.object.call(|core| core.session.set_streams(self.object.id, &streams))
    }

    /// What sends telephone tones; `None` for video.
    #[doc(alias("RTCRtpSender.dtmf"))]
    pub fn dtmf(&self) -> Option<RTCDTMFSender> {
        match self.object.kind {
            MediaKind::Audio => Some(RTCDTMFSender { object: self.object.clone() }),
            MediaKind::Video => None,
        }
    }
}

super::identity!(RTCRtpSender, "track" => track);
