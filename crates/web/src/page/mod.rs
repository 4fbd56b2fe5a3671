//! The objects, one file an interface. They are cheap handles: cloning one gives another handle to
//! the same object, and `==` compares identity, as `===` does in JavaScript.

mod candidate;
mod certificate;
mod configuration;
mod convert;
mod data_channel;
mod event_stream;
mod events;
mod handler;
mod js;
mod media;
mod messages;
mod object;
mod peer_connection;
mod peer_connection_rtp;
mod promise;
mod tasks;
mod transceivers;
mod transports;
mod waiting;

pub use candidate::{CandidateOrEnd, RTCIceCandidate, RTCIceCandidatePair};
pub use certificate::RTCCertificate;
pub use configuration::RTCConfiguration;
pub use data_channel::RTCDataChannel;
pub use event_stream::{Events, Lagged};
pub use events::{
    AnyEvent, Event, MessageEvent, RTCDataChannelEvent, RTCErrorEvent,
    RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent, RTCTrackEvent,
};
pub use handler::{EventListener, EventListenerGuard};
pub use idl::{
    AlgorithmIdentifier, BinaryType, Error, MaxMessageSize, MediaKind, MediaStreamTrackState,
    MessageData, RTCAnswerOptions, RTCAudioSourceStats, RTCBundlePolicy, RTCCertificateExpiration,
    RTCCertificateStats, RTCCodecStats, RTCDataChannelInit, RTCDataChannelState,
    RTCDataChannelStats, RTCDtlsFingerprint, RTCDtlsRole, RTCDtlsTransportState, RTCError,
    RTCErrorDetailType, RTCErrorInit, RTCIceCandidateInit, RTCIceCandidatePairStats,
    RTCIceCandidateStats, RTCIceCandidateType, RTCIceComponent, RTCIceConnectionState,
    RTCIceGathererState, RTCIceGatheringState, RTCIceParameters, RTCIceProtocol, RTCIceRole,
    RTCIceServer, RTCIceServerTransportProtocol, RTCIceTcpCandidateType, RTCIceTransportPolicy,
    RTCIceTransportState, RTCInboundRtpStreamStats, RTCLocalIceCandidateInit,
    RTCLocalSessionDescriptionInit, RTCMediaSourceStats, RTCOfferOptions,
    RTCOutboundRtpStreamStats, RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionState,
    RTCPeerConnectionStats, RTCPriorityType, RTCReceivedRtpStreamStats,
    RTCRemoteInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats, RTCRtcpMuxPolicy,
    RTCRtcpParameters, RTCRtpCapabilities, RTCRtpCodec, RTCRtpCodecParameters,
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability,
    RTCRtpHeaderExtensionParameters, RTCRtpParameters, RTCRtpReceiveParameters,
    RTCRtpSendParameters, RTCRtpStreamStats, RTCRtpTransceiverDirection, RTCSctpTransportState,
    RTCSdpType, RTCSentRtpStreamStats, RTCSessionDescription, RTCSessionDescriptionInit,
    RTCSetParameterOptions, RTCSignalingState, RTCStats, RTCStatsIceCandidatePairState,
    RTCStatsReport, RTCStatsType, RTCTransportStats, RTCVideoSourceStats,
};
pub use media::{MediaStream, MediaStreamTrack};
pub use messages::{DataChannelStream, Messages};
pub use peer_connection::{RTCPeerConnection, WeakPeerConnection};
pub use peer_connection_rtp::{RTCRtpTransceiverInit, TrackOrKind};
pub use promise::Promise;
pub use transceivers::{RTCRtpReceiver, RTCRtpSender, RTCRtpTransceiver};
pub use transports::{RTCDtlsTransport, RTCIceTransport, RTCSctpTransport};
