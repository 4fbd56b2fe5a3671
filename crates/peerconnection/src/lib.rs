//! `RTCPeerConnection` for native Rust, exactly as the W3C specifies it.
//!
//! An application written against a browser's WebRTC API ports line by line: the same objects,
//! the same states, the same events in the same order, the same errors. This crate is the public
//! face: the W3C objects in [`api`], the connection core they share, and the hosts that give it
//! sockets and time.
//!
//! ```no_run
//! # async fn example() -> Result<(), peerconnection::Error> {
//! use peerconnection::{RTCConfiguration, RTCPeerConnection};
//!
//! let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
//! pc.on_icecandidate(|event| println!("send to the peer: {:?}", event.candidate()));
//! pc.on_negotiationneeded(|event| {
//!     let pc = event.target().clone();
//!     tokio::spawn(async move {
//!         pc.set_local_description(None).await?;
//!         println!("send to the peer: {:?}", pc.local_description());
//!         Ok::<_, peerconnection::Error>(())
//!     });
//! });
//! let channel = pc.create_data_channel("chat", None)?;
//! channel.on_open(|event| event.target().send("hello").unwrap_or_default());
//! channel.on_message(|event| println!("{:?}", event.data()));
//! # Ok(())
//! # }
//! ```
//!
//! # Who calls what, when
//!
//! Every visible change happens in a task on the connection's event loop, as in a browser: the
//! host runs one task at a time, and all events of a task have been delivered before the next one
//! runs. Handlers run without any lock held and may call every method of every object, including
//! [`close()`](RTCPeerConnection::close). Methods that return a promise in the specification
//! return a [`Promise`]: they start when they are called, and what the specification fires before
//! the promise resolves has been delivered when the future completes.
#![forbid(unsafe_code)]

pub mod api;
mod connection;
mod core;
pub mod host;
mod inert;
mod outbox;
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

/// The code that the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
