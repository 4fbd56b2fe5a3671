//! The W3C objects, one file an interface. They are cheap handles: cloning one gives another
//! handle to the same object, and `==` compares identity, as `===` does in JavaScript.

/// Handles compare by the identity of their object, and show one attribute for debugging.
macro_rules! identity {
    ($name:ident) => {
        $crate::api::identity!($name, "state" => state);
    };
    ($name:ident, $attribute:literal => $getter:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                std::sync::Arc::ptr_eq(&self.object, &other.object)
            }
        }

        impl Eq for $name {}

        impl $name {
            /// A number for the object, to use as a key in maps. Handles that are `==` share it;
            /// no other object has it as long as a handle exists.
            pub fn object_id(&self) -> usize {
                std::sync::Arc::as_ptr(&self.object).addr()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field($attribute, &self.$getter())
                    .finish_non_exhaustive()
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
mod error_event;
mod event_stream;
mod events;
mod handler;
mod ice_candidate;
mod ice_events;
mod ice_transport;
mod media;
mod message_data;
mod peer_connection;
mod peer_connection_rtp;
mod promise;
mod rtp_receiver;
mod rtp_sender;
mod rtp_transceiver;
mod sctp_transport;
mod states;
mod stats;
mod stream;
mod track_event;

pub use certificate::{
    AlgorithmIdentifier, RTCCertificate, RTCCertificateExpiration, RTCDtlsFingerprint,
};
pub use configuration::RTCConfiguration;
pub use data_channel::{BinaryType, Messages, RTCDataChannel};
pub use data_channel_event::{RTCDataChannelEvent, RTCDataChannelEventInit};
pub use dtls_transport::RTCDtlsTransport;
pub use dtmf_sender::{RTCDTMFSender, RTCDTMFToneChangeEvent, RTCDTMFToneChangeEventInit};
pub use error_event::{RTCErrorEvent, RTCErrorEventInit};
pub use event_stream::{Events, Lagged};
pub use events::{AnyEvent, Event, MessageEvent};
pub use ice_candidate::{
    RTCIceCandidate, RTCIceCandidatePair, RTCIceCandidateType, RTCIceComponent, RTCIceParameters,
    RTCIceProtocol, RTCIceServerTransportProtocol, RTCIceTcpCandidateType,
    RTCLocalIceCandidateInit,
};
pub use ice_events::{
    RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionIceEvent,
    RTCPeerConnectionIceEventInit,
};
pub use ice_transport::RTCIceTransport;
pub use media::{
    MediaStream, MediaStreamTrack, MediaStreamTrackEvent, MediaStreamTrackEventInit,
    MediaStreamTrackState,
};
pub use message_data::MessageData;
pub use peer_connection::{RTCPeerConnection, WeakPeerConnection};
pub use peer_connection_rtp::{RTCRtpTransceiverInit, TrackOrKind};
pub use promise::Promise;
pub use rtp_receiver::{RTCRtpContributingSource, RTCRtpReceiver, RTCRtpSynchronizationSource};
pub use rtp_sender::RTCRtpSender;
pub use rtp_transceiver::RTCRtpTransceiver;
pub use sctp_transport::RTCSctpTransport;
pub use states::{
    RTCDataChannelState, RTCDtlsTransportState, RTCIceConnectionState, RTCIceGathererState,
    RTCIceGatheringState, RTCIceRole, RTCIceTransportState, RTCPeerConnectionState,
    RTCSctpTransportState,
};
pub use stats::{
    RTCCertificateStats, RTCDataChannelStats, RTCDtlsRole, RTCIceCandidatePairStats,
    RTCIceCandidateStats, RTCPeerConnectionStats, RTCStats, RTCStatsIceCandidatePairState,
    RTCStatsReport, RTCStatsType, RTCTransportStats,
};
pub use stream::DataChannelStream;
pub use track_event::{RTCTrackEvent, RTCTrackEventInit};

pub(crate) use data_channel::{ChannelAttributes, ChannelObject};
pub(crate) use dtls_transport::DtlsTransportObject;
pub(crate) use event_stream::Subscribers;
pub(crate) use handler::Call;
pub(crate) use ice_transport::{ClosedIceTransport, IceTransportObject, IceTransportSlots};
pub(crate) use media::{StreamObject, TrackObject};
pub(crate) use peer_connection::{Handle, PeerConnectionHandlers};
pub(crate) use promise::{Settle, Value, closed, undefined};
pub(crate) use rtp_transceiver::TransceiverObject;
pub(crate) use sctp_transport::{ClosedSctpTransport, SctpTransportObject, SctpTransportSlots};
pub(crate) use states::TransportStates;
pub(crate) use stream::{Alarm, Broken};
