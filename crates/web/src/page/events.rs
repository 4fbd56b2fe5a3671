//! The events, and `AnyEvent`, which holds any event of a connection.

use idl::{
    MessageData, RTCDataChannelState, RTCDtlsTransportState, RTCError, RTCIceConnectionState,
    RTCIceGathererState, RTCIceGatheringState, RTCIceTransportState,
    RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionState, RTCSctpTransportState,
    RTCSignalingState,
};

use super::handler::{Fired, REMEMBERED};
use super::{
    MediaStream, MediaStreamTrack, RTCDataChannel, RTCDtlsTransport, RTCIceCandidate,
    RTCIceCandidatePair, RTCIceTransport, RTCPeerConnection, RTCRtpReceiver, RTCRtpTransceiver,
    RTCSctpTransport,
};

/// An event without members of its own, fired at `T`.
#[derive(Clone, Debug)]
pub struct Event<T> {
    target: T,
}

impl<T> Event<T> {
    /// An event at this object; for tests of an application.
    pub fn new(target: T) -> Self {
        Self { target }
    }

    /// The object at which the event was fired.
    pub fn target(&self) -> &T {
        &self.target
    }
}

impl<T: Clone + 'static> Fired for Event<T> {
    type Target = T;
    type Payload = ();
    const REMEMBERED: usize = 1;

    fn create(target: T, (): ()) -> Self {
        Self { target }
    }
}

/// webrtc-pc §6.2: a message of a data channel.
#[derive(Clone, Debug)]
pub struct MessageEvent {
    target: RTCDataChannel,
    message: MessageData,
}

impl MessageEvent {
    /// An event at this channel, with this message; for tests of an application.
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

impl Fired for MessageEvent {
    type Target = RTCDataChannel;
    type Payload = MessageData;
    /// Messages wait in the channel's inbox.
    const REMEMBERED: usize = 0;

    fn create(target: RTCDataChannel, message: MessageData) -> Self {
        Self { target, message }
    }
}

/// webrtc-pc §11.3: something went wrong at `T`, a channel or a DTLS transport.
#[derive(Clone, Debug)]
pub struct RTCErrorEvent<T> {
    target: T,
    error: RTCError,
}

impl<T> RTCErrorEvent<T> {
    /// The object at which the event was fired.
    pub fn target(&self) -> &T {
        &self.target
    }

    /// What went wrong.
    #[doc(alias("RTCErrorEvent.error"))]
    pub fn error(&self) -> &RTCError {
        &self.error
    }
}

impl<T: Clone + 'static> Fired for RTCErrorEvent<T> {
    type Target = T;
    type Payload = RTCError;
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: T, error: RTCError) -> Self {
        Self { target, error }
    }
}

/// webrtc-pc §4.8.2: a candidate to send to the peer.
#[derive(Clone, Debug)]
pub struct RTCPeerConnectionIceEvent {
    target: RTCPeerConnection,
    candidate: Option<RTCIceCandidate>,
}

impl RTCPeerConnectionIceEvent {
    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The candidate to send to the peer. One whose `candidate` is the empty string ends a
    /// generation; send it like any other. `None` says that all gathering is done, and need not be
    /// sent.
    #[doc(alias("RTCPeerConnectionIceEvent.candidate"))]
    pub fn candidate(&self) -> Option<&RTCIceCandidate> {
        self.candidate.as_ref()
    }

    /// The URL of the STUN or TURN server from which the candidate was gathered.
    #[doc(alias("RTCPeerConnectionIceEvent.url"))]
    pub fn url(&self) -> Option<&str> {
        self.candidate.as_ref().and_then(RTCIceCandidate::url)
    }
}

impl Fired for RTCPeerConnectionIceEvent {
    type Target = RTCPeerConnection;
    type Payload = Option<RTCIceCandidate>;
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: RTCPeerConnection, candidate: Option<RTCIceCandidate>) -> Self {
        Self { target, candidate }
    }
}

/// webrtc-pc §4.8.3: gathering from a server failed.
#[derive(Clone, Debug)]
pub struct RTCPeerConnectionIceErrorEvent {
    target: RTCPeerConnection,
    init: RTCPeerConnectionIceErrorEventInit,
}

impl RTCPeerConnectionIceErrorEvent {
    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The local address used to reach the server, if the page shows it.
    #[doc(alias("RTCPeerConnectionIceErrorEvent.address"))]
    pub fn address(&self) -> Option<&str> {
        self.init.address.as_deref()
    }

    /// The local port used to reach the server; `None` if [`address`](Self::address) is.
    #[doc(alias("RTCPeerConnectionIceErrorEvent.port"))]
    pub fn port(&self) -> Option<u16> {
        self.init.port
    }

    /// The URL of the STUN or TURN server.
    #[doc(alias("RTCPeerConnectionIceErrorEvent.url"))]
    pub fn url(&self) -> &str {
        &self.init.url
    }

    /// The STUN error code, 300 to 699; or 701 if no host candidate could reach the server.
    #[doc(alias = "errorCode")]
    pub fn error_code(&self) -> u16 {
        self.init.error_code
    }

    /// The STUN reason text, or more about the failure.
    #[doc(alias = "errorText")]
    pub fn error_text(&self) -> &str {
        &self.init.error_text
    }
}

impl Fired for RTCPeerConnectionIceErrorEvent {
    type Target = RTCPeerConnection;
    type Payload = RTCPeerConnectionIceErrorEventInit;
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: RTCPeerConnection, init: RTCPeerConnectionIceErrorEventInit) -> Self {
        Self { target, init }
    }
}

/// webrtc-pc §6.3: the peer has opened a channel.
#[derive(Clone, Debug)]
pub struct RTCDataChannelEvent {
    target: RTCPeerConnection,
    channel: RTCDataChannel,
}

impl RTCDataChannelEvent {
    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The channel; it is open already, or will be in a moment.
    #[doc(alias("RTCDataChannelEvent.channel"))]
    pub fn channel(&self) -> &RTCDataChannel {
        &self.channel
    }
}

impl Fired for RTCDataChannelEvent {
    type Target = RTCPeerConnection;
    type Payload = RTCDataChannel;
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: RTCPeerConnection, channel: RTCDataChannel) -> Self {
        Self { target, channel }
    }
}

/// webrtc-pc §5.7: the peer has media to send.
#[derive(Clone, Debug)]
pub struct RTCTrackEvent {
    target: RTCPeerConnection,
    transceiver: RTCRtpTransceiver,
    track: MediaStreamTrack,
    streams: Vec<MediaStream>,
}

impl RTCTrackEvent {
    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The receiver of the track.
    #[doc(alias("RTCTrackEvent.receiver"))]
    pub fn receiver(&self) -> RTCRtpReceiver {
        self.transceiver.receiver()
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
    type Payload = (RTCRtpTransceiver, Vec<MediaStream>);
    const REMEMBERED: usize = REMEMBERED;

    fn create(target: RTCPeerConnection, (transceiver, streams): Self::Payload) -> Self {
        let track = transceiver.receiver().track();
        Self { target, transceiver, track, streams }
    }
}

/// Any event of a connection or one of its channels and transports, with the state as it was when
/// the event was fired. [`RTCPeerConnection::events`] yields these.
///
/// There is none for `message` events of data channels: a message has one consumer, the channel's
/// handler or its stream. There are none for tracks and streams yet.
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
    Track(RTCRtpTransceiver, std::sync::Arc<[MediaStream]>),
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
}
