//! The W3C objects, one file an interface. They are cheap handles: cloning one gives another
//! handle to the same object, and `==` compares identity, as `===` does in JavaScript, and so does
//! the `Hash` of a `HashMap` or `HashSet`.

/// Handles compare by the identity of their object, and show one attribute for debugging.
macro_rules! identity {
    ($name:ident) => {
        $crate::api::identity!($name, "state" => state);
    };
    ($name:ident, $attribute:literal => $getter:ident) => {
        $crate::api::identity!(without Debug: $name);

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field($attribute, &self.$getter())
                    .finish_non_exhaustive()
            }
        }
    };
    (without Debug: $name:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                std::sync::Arc::ptr_eq(&self.object, &other.object)
            }
        }

        impl Eq for $name {}

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.object_id().hash(state);
            }
        }

        impl $name {
            /// A number for the object, to use as a key in maps. Handles that are `==` share it;
            /// no other object has it as long as a handle exists.
            pub fn object_id(&self) -> usize {
                std::sync::Arc::as_ptr(&self.object).addr()
            }
        }
    };
}
pub(crate) use identity;

// A handle has an object, events are fired at the object, and an event has the handle of its
// target. So these files use one another, as the interfaces of the specification do. An object
// also leads to the connection that owns it; no other import here comes from a layer above.
use crate::connection::Connection;

/// The way from an object to its connection, which it does not keep alive.
pub(crate) type WeakConnection = std::sync::Weak<Connection>;

mod certificate;
mod configuration;
mod data_channel;
mod data_channel_event;
mod dtls_transport;
mod dtmf_sender;
mod dump;
mod error_event;
mod event_stream;
mod events;
mod handler;
mod ice_candidate;
mod ice_events;
mod ice_transport;
mod media;
mod messages;
mod packed;
mod peer_connection;
mod peer_connection_rtp;
mod promise;
mod rtp_receiver;
mod rtp_sender;
mod rtp_transceiver;
mod sctp_transport;
mod stream;
mod track_event;
mod waiting;

pub use certificate::RTCCertificate;
pub use configuration::RTCConfiguration;
pub use data_channel::RTCDataChannel;
pub use data_channel_event::{RTCDataChannelEvent, RTCDataChannelEventInit};
pub use dtls_transport::RTCDtlsTransport;
pub use dtmf_sender::{RTCDTMFSender, RTCDTMFToneChangeEvent, RTCDTMFToneChangeEventInit};
pub use dump::{Dump, DumpOptions};
pub use error_event::{RTCErrorEvent, RTCErrorEventInit};
pub use event_stream::{Events, Lagged};
pub use events::{AnyEvent, Event, MessageEvent};
pub use handler::{EventListener, EventListenerGuard};
pub use ice_candidate::{CandidateOrEnd, RTCIceCandidate, RTCIceCandidatePair};
pub use ice_events::{
    RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent, RTCPeerConnectionIceEventInit,
};
pub use ice_transport::RTCIceTransport;
#[doc(inline)]
pub use idl::{
    AlgorithmIdentifier, BinaryType, MaxMessageSize, MediaStreamTrackState, MessageData,
    RTCAudioSourceStats, RTCCertificateExpiration, RTCCertificateStats, RTCCodecStats,
    RTCDataChannelState, RTCDataChannelStats, RTCDtlsFingerprint, RTCDtlsRole,
    RTCDtlsTransportState, RTCIceCandidatePairStats, RTCIceCandidateStats, RTCIceCandidateType,
    RTCIceComponent, RTCIceConnectionState, RTCIceGathererState, RTCIceGatheringState,
    RTCIceParameters, RTCIceProtocol, RTCIceRole, RTCIceServerTransportProtocol,
    RTCIceTcpCandidateType, RTCIceTransportState, RTCInboundRtpStreamStats,
    RTCLocalIceCandidateInit, RTCMediaSourceStats, RTCOutboundRtpStreamStats,
    RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionState, RTCPeerConnectionStats,
    RTCReceivedRtpStreamStats, RTCRemoteInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats,
    RTCRtpContributingSource, RTCRtpStreamStats, RTCRtpSynchronizationSource,
    RTCSctpTransportState, RTCSentRtpStreamStats, RTCStats, RTCStatsIceCandidatePairState,
    RTCStatsReport, RTCStatsType, RTCTransportStats, RTCVideoSourceStats,
};
pub use media::{
    KeyFrameRequest, MalformedRtp, MediaStream, MediaStreamTrack, MediaStreamTrackEvent,
    MediaStreamTrackEventInit, RtpHeader, RtpPacket, RtpPackets, RtpStream, TrackSource,
};
pub use messages::Messages;
pub use peer_connection::{RTCPeerConnection, WeakPeerConnection};
pub use peer_connection_rtp::{RTCRtpTransceiverInit, TrackOrKind};
pub use promise::Promise;
pub use rtp_receiver::RTCRtpReceiver;
pub use rtp_sender::RTCRtpSender;
pub use rtp_transceiver::RTCRtpTransceiver;
pub use sctp_transport::RTCSctpTransport;
pub use stream::DataChannelStream;
pub use track_event::{RTCTrackEvent, RTCTrackEventInit};

pub(crate) use data_channel::{ChannelAttributes, ChannelObject};
pub(crate) use dtls_transport::DtlsTransportObject;
pub(crate) use dump::{Dumped, Method, Update, configuration, description, event};
pub(crate) use event_stream::Subscribers;
pub(crate) use handler::Call;
pub(crate) use ice_transport::{
    ClosedIceTransport, IceTransportObject, IceTransportSlots, TransportStates,
};
pub(crate) use media::{AUDIO_LEVEL, RtpFormats, StreamObject, TrackObject};
pub(crate) use peer_connection::{Handle, PeerConnectionHandlers};
pub(crate) use promise::{Polled, Settle, Value, closed, undefined};
pub(crate) use rtp_transceiver::{Side, TransceiverObject};
pub(crate) use sctp_transport::{ClosedSctpTransport, SctpTransportObject, SctpTransportSlots};
pub(crate) use stream::{Alarm, Broken};
