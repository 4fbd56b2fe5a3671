//! webrtc-pc §5.7 `RTCTrackEvent`.

use std::sync::Arc;

use super::handler::Fired;
use super::{MediaStream, MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCRtpTransceiver};

/// webrtc-pc §5.7: the peer has media to send.
#[derive(Clone, Debug)]
pub struct RTCTrackEvent {
    target: RTCPeerConnection,
    receiver: RTCRtpReceiver,
    track: MediaStreamTrack,
    streams: Arc<[MediaStream]>,
    transceiver: RTCRtpTransceiver,
}

/// webrtc-pc §5.7: what an [`RTCTrackEvent`] is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RTCTrackEventInit {
    /// The receiver of the track.
    pub receiver: RTCRtpReceiver,
    /// The track.
    pub track: MediaStreamTrack,
    /// The streams to which the track belongs; may be empty.
    pub streams: Vec<MediaStream>,
    /// The transceiver of the receiver.
    pub transceiver: RTCRtpTransceiver,
}

impl RTCTrackEvent {
    /// An event at this connection; for [tests](super::Event) of an application. The constructor
    /// does not check whether the members belong together.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), peerconnection::Error> {
    /// use peerconnection::{
    ///     MediaKind, MediaStream, RTCConfiguration, RTCPeerConnection, RTCTrackEvent,
    ///     RTCTrackEventInit,
    /// };
    ///
    /// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
    /// let transceiver = pc.add_transceiver(MediaKind::Audio, None)?;
    /// let event = RTCTrackEvent::new(
    ///     pc,
    ///     RTCTrackEventInit {
    ///         receiver: transceiver.receiver(),
    ///         track: transceiver.receiver().track(),
    ///         streams: vec![MediaStream::new()],
    ///         transceiver: transceiver.clone(),
    ///     },
    /// );
    /// assert_eq!(event.transceiver(), &transceiver);
    /// assert_eq!(event.streams().len(), 1);
    /// # Ok(()) }
    /// ```
    #[doc(alias("RTCTrackEvent.constructor"))]
    pub fn new(target: RTCPeerConnection, init: RTCTrackEventInit) -> Self {
        let RTCTrackEventInit { receiver, track, streams, transceiver } = init;
        Self { target, receiver, track, streams: streams.into(), transceiver }
    }

    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The receiver of the track.
    #[doc(alias("RTCTrackEvent.receiver"))]
    pub fn receiver(&self) -> RTCRtpReceiver {
        self.receiver.clone()
    }

    /// The track of the receiver.
    #[doc(alias("RTCTrackEvent.track"))]
    pub fn track(&self) -> &MediaStreamTrack {
        &self.track
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
    /// At most one event waits for each transceiver.
    const REMEMBERED: usize = usize::MAX;

    fn create(
        target: RTCPeerConnection,
        (transceiver, streams): (RTCRtpTransceiver, Arc<[MediaStream]>),
    ) -> Self {
        let receiver = transceiver.receiver();
        let track = receiver.track();
        Self { target, receiver, track, streams, transceiver }
    }
}
