//! `RTCPeerConnection` for native Rust, exactly as the W3C specifies it.
//!
//! An application written against a browser's WebRTC API ports line by line: the same objects,
//! the same states, the same events in the same order, the same errors. This crate is the public
//! face: the W3C objects in [`api`], the engine they share, and the hosts that give it
//! sockets and time.
//!
//! A connection lives as long as somebody holds a handle of it; see [`RTCPeerConnection`]. A whole
//! call, with both ends in one process:
//!
//! ```
#![doc = include_str!("../doc/call.rs")]
//! ```
//!
//! # Who calls what, when
//!
//! Every visible change happens in a task on the connection's event loop, as in a browser: the
//! host runs one task at a time, and all events of a task have been delivered before the next one
//! runs. Handlers run without any lock held and may call every method of every object, including
//! [`close()`](RTCPeerConnection::close). Methods that return a promise in the specification
//! return a [`Promise`]. They start when they are called. When the future completes, all events
//! that the specification fires before it resolves the promise have been delivered.
//!
//! # Networks
//!
//! [`manual::networks`] says which candidates there are and when, what STUN and TURN servers and
//! firewalls have to do with it, how to hide addresses, what the timers are, what the errors of
//! servers mean, and what to do when the network changes. The servers themselves are in
//! [`RTCConfiguration::ice_servers`].
//!
//! # Features
//!
//! - `tokio`, on by default: connections that run on tokio, which [`RTCPeerConnection::new`] and
//!   its siblings make. Without it the application brings its own [`Host`](host::Host) and makes
//!   connections [with it](RTCPeerConnection::with_host).
//!
//! # Tests
//!
//! `peerconnection-testkit` runs connections on a virtual clock and a virtual network, for the
//! tests of an application: without sockets, without waiting, and the same each time.
#![forbid(unsafe_code)]

pub mod api;
mod connection;
mod engine;
pub mod host;
mod inert;
pub mod manual;
mod perfect_negotiation;

pub use api::*;
pub use negotiation::{
    Error, MediaKind, RTCAnswerOptions, RTCBundlePolicy, RTCDataChannelInit, RTCError,
    RTCErrorDetailType, RTCErrorInit, RTCIceCandidateInit, RTCIceServer, RTCIceTransportPolicy,
    RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCRtcpMuxPolicy, RTCRtcpParameters,
    RTCRtpCapabilities, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
    RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RTCRtpHeaderExtensionParameters,
    RTCRtpParameters, RTCRtpReceiveParameters, RTCRtpSendParameters, RTCRtpTransceiverDirection,
    RTCSdpType, RTCSessionDescription, RTCSessionDescriptionInit, RTCSetParameterOptions,
    RTCSignalingState,
};
pub use perfect_negotiation::{Negotiator, PerfectNegotiation, SignalingChannel, SignalingMessage};

/// The program that the README shows runs.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
