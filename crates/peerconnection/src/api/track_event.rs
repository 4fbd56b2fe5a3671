//! webrtc-pc §5.7 `RTCTrackEvent`.

use std::sync::Arc;

use super::handler::Fired;
use super::{MediaStream, MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCRtpTransceiver};

/// webrtc-pc §5.7: the peer has media to send.
#[derive(Clone, Debug)]
pub struct RTCTrackEvent {
    pub(crate) target: RTCPeerConnection,
    pub(crate) transceiver: RTCRtpTransceiver,
    pub(crate) streams: Arc<[MediaStream]>,
}

impl RTCTrackEvent {
    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// What receives it.
    #[doc(alias("RTCTrackEvent.receiver"))]
    pub fn receiver(&self) -> RTCRtpReceiver {
        self.transceiver.receiver()
    }

    /// The track of the receiver.
    #[doc(alias("RTCTrackEvent.track"))]
    pub fn track(&self) -> &MediaStreamTrack {
        &self.transceiver.object.receiver_track
    }

    /// The streams to which the track belongs, as the peer says.
    #[doc(alias("RTCTrackEvent.streams"))]
    pub fn streams(&self) -> &[MediaStream] {
        &self.streams
    }

    /// The transceiver of the receiver.
    #[doc(alias("RTCTrackEvent.transceiver"))]
    pub fn transceiver(&self) -> &RTCRtpTransceiver {
        &self.transceiver
    }
}

impl Fired for RTCTrackEvent {
    type Target = RTCPeerConnection;
    type Payload = (RTCRtpTransceiver, Arc<[MediaStream]>);
    /// One waits for each transceiver.
    const REMEMBERED: usize = usize::MAX;

    fn new(
        target: RTCPeerConnection,
        (transceiver, streams): (RTCRtpTransceiver, Arc<[MediaStream]>),
    ) -> Self {
        Self { target, transceiver, streams }
    }
}
