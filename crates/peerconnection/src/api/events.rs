//! `Event` and `MessageEvent`, which other specifications define, and `AnyEvent`, which holds any
//! event of a connection.

use std::sync::Arc;

use negotiation::{RTCError, RTCSignalingState};

use super::handler::Fired;
use super::{
    MediaStream, MediaStreamTrack, MessageData, RTCDTMFSender, RTCDataChannel, RTCDataChannelState,
    RTCDtlsTransport, RTCDtlsTransportState, RTCIceCandidate, RTCIceCandidatePair,
    RTCIceConnectionState, RTCIceGathererState, RTCIceGatheringState, RTCIceTransport,
    RTCIceTransportState, RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionState,
    RTCRtpTransceiver, RTCSctpTransport, RTCSctpTransportState,
};

/// An event without members of its own, fired at `T`.
///
/// The connection fires events. The constructors of event types are for the tests of an
/// application, which calls its own handlers with the events it makes. Making an event fires
/// nothing and has no effect on its target.
///
/// ```
/// use peerconnection::{Event, MediaKind, MediaStreamTrack};
///
/// fn hide(event: Event<MediaStreamTrack>) {
///     event.target().set_enabled(false);
/// }
///
/// let track = MediaStreamTrack::new(MediaKind::Video);
/// hide(Event::new(track.clone()));
/// assert!(!track.enabled());
/// ```
#[derive(Clone, Debug)]
pub struct Event<T> {
    target: T,
}

impl<T> Event<T> {
    /// An event at this object.
    pub fn new(target: T) -> Self {
        Self { target }
    }

    /// The object at which the event was fired.
    pub fn target(&self) -> &T {
        &self.target
    }
}

/// The `MessageEvent` of HTML, as far as data channels use it: webrtc-pc §6.2.
#[derive(Clone, Debug)]
pub struct MessageEvent {
    target: RTCDataChannel,
    message: MessageData,
}

impl MessageEvent {
    /// An event at this channel, with this message; for [tests](Event) of an application.
    pub fn new(target: RTCDataChannel, data: impl Into<MessageData>) -> Self {
        Self { target, message: data.into() }
    }

    /// The channel.
    pub fn target(&self) -> &RTCDataChannel {
        &self.target
    }

    /// What the peer sent.
    pub fn data(&self) -> &MessageData {
        &self.message
    }

    /// What the peer sent, without a copy.
    pub fn into_data(self) -> MessageData {
        self.message
    }
}

impl<T: Clone> Fired for Event<T> {
    type Target = T;
    type Payload = ();
    const REMEMBERED: usize = 1;

    fn create(target: T, (): ()) -> Self {
        Self { target }
    }
}

impl Fired for MessageEvent {
    type Target = RTCDataChannel;
    type Payload = MessageData;
    /// Messages wait in the channel's inbox.
    const REMEMBERED: usize = 0;

    fn create(target: RTCDataChannel, message: MessageData) -> Self {
        Self { target, message }
    }
}

/// Any event of a connection or one of its children, with the state as it was when the event was
/// fired. [`RTCPeerConnection::events`](super::RTCPeerConnection::events) yields these.
///
/// There is none for `message` events of data channels: a message has one consumer, the channel's
/// handler or its stream. Who needs states and messages in their order sets handlers or listeners for
/// both, which write to one queue.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnyEvent {
    /// `negotiationneeded` at the connection.
    NegotiationNeeded,
    /// `signalingstatechange` at the connection.
    SignalingStateChange(RTCSignalingState),
    /// `icecandidate` at the connection.
    IceCandidate(Option<RTCIceCandidate>),
    /// `icecandidateerror` at the connection.
    IceCandidateError(RTCPeerConnectionIceErrorEventInit),
    /// `iceconnectionstatechange` at the connection.
    IceConnectionStateChange(RTCIceConnectionState),
    /// `icegatheringstatechange` at the connection.
    IceGatheringStateChange(RTCIceGatheringState),
    /// `connectionstatechange` at the connection.
    ConnectionStateChange(RTCPeerConnectionState),
    /// `datachannel` at the connection.
    DataChannel(RTCDataChannel),
    /// `track` at the connection: the transceiver has a track to receive, which belongs to these
    /// streams.
    Track(RTCRtpTransceiver, Arc<[MediaStream]>),
    /// `statechange` at an ICE transport.
    IceTransportStateChange(RTCIceTransport, RTCIceTransportState),
    /// `gatheringstatechange` at an ICE transport.
    IceTransportGatheringStateChange(RTCIceTransport, RTCIceGathererState),
    /// `selectedcandidatepairchange` at an ICE transport.
    SelectedCandidatePairChange(RTCIceTransport, Option<RTCIceCandidatePair>),
    /// `statechange` at a DTLS transport.
    DtlsTransportStateChange(RTCDtlsTransport, RTCDtlsTransportState),
    /// `error` at a DTLS transport.
    DtlsTransportError(RTCDtlsTransport, RTCError),
    /// `statechange` at the SCTP transport.
    SctpTransportStateChange(RTCSctpTransport, RTCSctpTransportState),
    /// `open`, `closing` or `close` at a data channel: its state has become this.
    DataChannelStateChange(RTCDataChannel, RTCDataChannelState),
    /// `bufferedamountlow` at a data channel.
    BufferedAmountLow(RTCDataChannel),
    /// `error` at a data channel.
    DataChannelError(RTCDataChannel, RTCError),
    /// `mute` at a track.
    MediaStreamTrackMute(MediaStreamTrack),
    /// `unmute` at a track.
    MediaStreamTrackUnmute(MediaStreamTrack),
    /// `ended` at a track.
    MediaStreamTrackEnded(MediaStreamTrack),
    /// `addtrack` at a stream.
    MediaStreamAddTrack(MediaStream, MediaStreamTrack),
    /// `removetrack` at a stream.
    MediaStreamRemoveTrack(MediaStream, MediaStreamTrack),
    /// `tonechange` at a DTMF sender: this tone begins, or the last one has ended if it is empty.
    DtmfToneChange(RTCDTMFSender, &'static str),
}
