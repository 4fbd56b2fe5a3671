//! The events, as handlers and streams receive them.

use std::sync::Arc;

use negotiation::{RTCError, RTCSignalingState};

use super::handler::{Fired, REMEMBERED};
use super::{
    MediaStream, MediaStreamTrack, MessageData, RTCDTMFSender, RTCDataChannel, RTCDataChannelState,
    RTCDtlsTransport, RTCDtlsTransportState, RTCIceCandidate, RTCIceCandidatePair,
    RTCIceConnectionState, RTCIceGathererState, RTCIceGatheringState, RTCIceTransport,
    RTCIceTransportState, RTCPeerConnection, RTCPeerConnectionState, RTCRtpTransceiver,
    RTCSctpTransport, RTCSctpTransportState,
};

/// An event without members of its own, fired at `T`.
#[derive(Clone, Debug)]
pub struct Event<T> {
    pub(crate) target: T,
}

impl<T> Event<T> {
    /// The object at which the event was fired.
    pub fn target(&self) -> &T {
        &self.target
    }
}

/// webrtc-pc §4.8.2 `RTCPeerConnectionIceEvent`: a candidate to send to the peer.
#[derive(Clone, Debug)]
pub struct RTCPeerConnectionIceEvent {
    pub(crate) target: RTCPeerConnection,
    pub(crate) candidate: Option<RTCIceCandidate>,
}

impl RTCPeerConnectionIceEvent {
    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The candidate. One whose `candidate` is the empty string ends a generation and is to be
    /// sent to the peer like any other; `None` says that all gathering is done, and need not be.
    #[doc(alias("RTCPeerConnectionIceEvent.candidate"))]
    pub fn candidate(&self) -> Option<&RTCIceCandidate> {
        self.candidate.as_ref()
    }

    /// The URL of the server from which the candidate was gathered.
    #[doc(alias("RTCPeerConnectionIceEvent.url"))]
    pub fn url(&self) -> Option<&str> {
        self.candidate.as_ref().and_then(RTCIceCandidate::url)
    }
}

/// webrtc-pc §4.8.3 `RTCPeerConnectionIceErrorEvent`: gathering from a server failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RTCPeerConnectionIceErrorEvent {
    /// Local address used to reach the server, if it may be known.
    pub address: Option<String>,
    /// Local port used to reach the server.
    pub port: Option<u16>,
    /// The server's URL.
    pub url: String,
    /// STUN error code, or 701 if the server could not be reached.
    pub error_code: u16,
    /// STUN reason text, or more about the failure.
    pub error_text: String,
}

/// webrtc-pc §6.3 `RTCDataChannelEvent`: the peer has opened a channel.
#[derive(Clone, Debug)]
pub struct RTCDataChannelEvent {
    pub(crate) target: RTCPeerConnection,
    pub(crate) channel: RTCDataChannel,
}

impl RTCDataChannelEvent {
    /// The connection.
    pub fn target(&self) -> &RTCPeerConnection {
        &self.target
    }

    /// The channel; it is open already.
    #[doc(alias("RTCDataChannelEvent.channel"))]
    pub fn channel(&self) -> &RTCDataChannel {
        &self.channel
    }
}

/// The `MessageEvent` of HTML, as far as data channels use it.
#[derive(Clone, Debug)]
pub struct MessageEvent {
    pub(crate) target: RTCDataChannel,
    pub(crate) message: MessageData,
}

impl MessageEvent {
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

/// webrtc-pc §11.3 `RTCErrorEvent`.
#[derive(Clone, Debug)]
pub struct RTCErrorEvent<T> {
    pub(crate) target: T,
    pub(crate) error: RTCError,
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

impl<T> Fired for Event<T> {
    type Target = T;
    type Payload = ();
    const REMEMBERED: usize = 1;

    fn new(target: T, (): ()) -> Self {
        Self { target }
    }
}

impl<T> Fired for RTCErrorEvent<T> {
    type Target = T;
    type Payload = RTCError;
    const REMEMBERED: usize = REMEMBERED;

    fn new(target: T, error: RTCError) -> Self {
        Self { target, error }
    }
}

impl Fired for RTCPeerConnectionIceEvent {
    type Target = RTCPeerConnection;
    type Payload = Option<RTCIceCandidate>;
    const REMEMBERED: usize = REMEMBERED;

    fn new(target: RTCPeerConnection, candidate: Option<RTCIceCandidate>) -> Self {
        Self { target, candidate }
    }
}

impl Fired for RTCPeerConnectionIceErrorEvent {
    type Target = RTCPeerConnection;
    type Payload = Self;
    const REMEMBERED: usize = REMEMBERED;

    fn new(_: RTCPeerConnection, event: Self) -> Self {
        event
    }
}

impl Fired for RTCDataChannelEvent {
    type Target = RTCPeerConnection;
    type Payload = RTCDataChannel;
    const REMEMBERED: usize = REMEMBERED;

    fn new(target: RTCPeerConnection, channel: RTCDataChannel) -> Self {
        Self { target, channel }
    }
}

impl Fired for MessageEvent {
    type Target = RTCDataChannel;
    type Payload = MessageData;
    /// They wait in the channel's inbox.
    const REMEMBERED: usize = 0;

    fn new(target: RTCDataChannel, message: MessageData) -> Self {
        Self { target, message }
    }
}

/// Any event of a connection or one of its children, with the state as it was when the event was
/// fired, as [`RTCPeerConnection::events`] yields it.
///
/// The `message` events of data channels are not among them: a message has one consumer, the
/// channel's handler or its stream.
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
    IceCandidateError(RTCPeerConnectionIceErrorEvent),
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
    /// `tonechange` at a DTMF sender: this tone begins; empty at the end of the last one.
    DtmfToneChange(RTCDTMFSender, &'static str),
}
