//! Negotiation of a WebRTC connection: webrtc-pc and JSEP (RFC 9429) as a state machine, without
//! network, clock or thread.
//!
//! A [`Session`] has the slots of an `RTCPeerConnection` that negotiation owns. The host calls its
//! methods. It takes out tasks for its event loop and hands each back when its turn comes. It takes
//! out [`Effect`]s in the order of the specification and does what they say. Everything random
//! comes from a seed, so that a run can be repeated.
//!
//! ```
//! use peerconnection_negotiation::{
//!     Certificate, Configuration, Effect, Event, RTCSignalingState, Session,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let certificate = Certificate { id: 1, fingerprints: vec!["sha-256 4A:AD:B9".parse()?] };
//! let configuration = Configuration { certificates: vec![certificate], ..Default::default() };
//! let mut session = Session::new(configuration, [7; 32])?;
//!
//! session.create_data_channel("chat", &Default::default())?;
//! session.set_local_description(None);
//! let mut events = Vec::new();
//! while let Some(task) = session.poll_task() {
//!     session.run_task(task);
//!     loop {
//!         while let Some(effect) = session.poll_effect() {
//!             if let Effect::Fire(event) = effect {
//!                 events.push(event);
//!             }
//!         }
//!         if !session.run_microtask() {
//!             break;
//!         }
//!     }
//! }
//! assert_eq!(events, [Event::SignalingStateChange(RTCSignalingState::HaveLocalOffer)]);
//! assert!(session.local_description().is_some_and(|offer| offer.sdp().contains("m=application")));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

// webrtc-pc, by chapter
mod candidate;
mod configuration;
mod data_channel;
mod description;
mod ice_restart;
mod negotiation_needed;
mod operations;
mod rollback;
mod session;
mod signaling;
mod transceiver;

// RFC 9429: what descriptions consist of, and what they demand of the transports
mod answer;
mod data_section;
mod dtls_in_stun;
mod identifiers;
mod lip_sync;
mod media_sections;
mod mids;
mod offer;
mod rtp;
mod section;
mod transports;

// What a session and its host exchange
mod effect;
mod outputs;
mod task;

#[cfg(test)]
mod tests;

pub use configuration::{Certificate, Configuration, IceServerUrl, MAX_ICE_SERVERS};
pub use data_channel::{SctpInitSource, SctpInits};
pub use dtls_in_stun::DtlsInStun;
pub use effect::{
    ChannelCommand, ChannelId, Effect, Event, MediaCommand, OperationId, Outcome, TransportCommand,
    TransportId,
};
pub use idl::{
    Error, MediaKind, RTCAnswerOptions, RTCBundlePolicy, RTCDataChannelInit, RTCError,
    RTCErrorDetailType, RTCErrorInit, RTCIceCandidateInit, RTCIceServer, RTCIceTransportPolicy,
    RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCPriorityType, RTCRtcpMuxPolicy,
    RTCRtcpParameters, RTCRtpCapabilities, RTCRtpCodec, RTCRtpCodecParameters,
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability,
    RTCRtpHeaderExtensionParameters, RTCRtpParameters, RTCRtpReceiveParameters,
    RTCRtpSendParameters, RTCRtpTransceiverDirection, RTCSdpType, RTCSessionDescription,
    RTCSessionDescriptionInit, RTCSetParameterOptions, RTCSignalingState,
};
pub use media_sections::{MediaEncoding, MediaReceive, MediaSection, MediaSend, MediaSource};
pub use rtp::{receive_capabilities, repaired_payload_type, same_format, send_capabilities};
pub use session::Session;
pub use task::Task;
pub use transceiver::{
    LocalTrack, TrackId, TrackOrKind, Transceiver, TransceiverId, TransceiverInit,
};
