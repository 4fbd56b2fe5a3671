//! `RTCPeerConnection` for native Rust, exactly as the W3C specifies it.
//!
//! An application written against a browser's WebRTC API ports line by line: the same objects,
//! the same states, the same events in the same order, the same errors. [`manual::porting`] has the
//! lines that look different. [The manual](manual) says what no single item can: signalling, tasks
//! and ownership, media, backpressure, reconnecting, networks, limits, logs, statistics, tests.
//!
//! The objects are cheap handles: a clone is another handle of the same object, `==` compares
//! identity, as `===` does in JavaScript, and so does the `Hash` of a `HashMap`.
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
//! [`manual::tasks`] has the details: threads, blocking, dropping, and what leaks.
//!
//! # Events
//!
//! There are three ways to hear of an event:
//!
//! - `on_…`, the attribute of the specification: one handler, which the next one replaces.
//! - `add_…_listener`, which is `addEventListener()`: any number of listeners beside it. They are
//!   called in the order in which they were added, and
//!   [stay until they are removed](EventListener). Components such as [`PerfectNegotiation`] and
//!   loggers use these, and leave the attributes to the application.
//! - [`RTCPeerConnection::events`], a stream of all events of a connection and its children.
//!
//! The name of a method is that of JavaScript in Rust's case; searching these pages for the name of
//! JavaScript, such as `ontrack`, finds it.
//!
//! To wait for one state, `.await` it: [`RTCDataChannel::opened`],
//! [`RTCPeerConnection::gathering_complete`] and their siblings.
//!
//! A handler is a plain function, not an asynchronous one: the connection waits until it returns.
//! Asynchronous work goes into a task of its own, which may go on beside the next events; if it must
//! handle them one after another, let the handler send them to one task, or read a stream there.
//!
//! ```
//! # use peerconnection::*;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! # async fn store(_: MessageData) {}
//! let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
//! pc.on_datachannel(|event| {
//!     let channel = event.channel().clone();
//!     tokio::spawn(async move {
//!         // One message after another; the peer waits if this is slow.
//!         let mut messages = channel.messages();
//!         while let Some(message) = messages.next().await {
//!             store(message).await;
//!         }
//!     });
//! });
//!
//! let log = pc.add_connectionstatechange_listener(|event| {
//!     println!("{}", event.target().connection_state());
//! });
//! // Without this the listener stays as long as the connection.
//! log.remove();
//! # Ok(())
//! # }
//! ```
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
//! All of them are on by default.
//!
//! - `tokio`: connections that run on tokio, which [`RTCPeerConnection::new`] and its siblings make.
//!   Without it the application brings its own [`Host`](host::Host) and makes connections
//!   [with it](RTCPeerConnection::with_host).
//! - `tls`, with `tokio`: TURN servers over TLS, which have URLs that begin with `turns:`. Without
//!   it such a server gives no candidates, and an `icecandidateerror` that says why.
//! - `mdns`, with `tokio`: `.local` names behind which the peer hides addresses, or this end does.
//!   Without it a candidate of the peer that has such a name is of no use, and `tracing` warns.
//!
//! # Pages
//!
//! Built for `wasm32-unknown-unknown` the crate has the same names over the `RTCPeerConnection` of the
//! page, with the same [`PerfectNegotiation`]; `peerconnection-web` lists what is missing there. The
//! example `chat_anywhere` is one program for both.
//!
//! # Tests
//!
//! `peerconnection-testkit` runs connections on a virtual clock and a virtual network, for the
//! tests of an application: without sockets, without waiting, and the same each time. See
//! [`manual::testing`].
#![forbid(unsafe_code)]
// docs.rs shows which features an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(target_arch = "wasm32"))]
mod api;
#[cfg(not(target_arch = "wasm32"))]
mod connection;
#[cfg(not(target_arch = "wasm32"))]
mod engine;
#[cfg(not(target_arch = "wasm32"))]
pub mod host;
#[cfg(not(target_arch = "wasm32"))]
mod inert;
#[cfg(not(target_arch = "wasm32"))]
pub mod manual;
mod perfect_negotiation;
#[cfg(not(target_arch = "wasm32"))]
pub mod recording;
#[cfg(not(target_arch = "wasm32"))]
pub mod replay;

/// Payload formats of RTP, for applications that have frames and not packets: how frames of a codec
/// become payloads ([`Packetizer`](payload::Packetizer)) and payloads frames
/// ([`Depacketizer`](payload::Depacketizer)).
#[cfg(not(target_arch = "wasm32"))]
pub mod payload {
    #[doc(inline)]
    pub use transport::media::payload::{
        Depacketizer, Format, Fragment, Frame, Incomplete, MAXIMUM_FRAME, Malformed, Packetizer,
        Packets, Unfit, av1, h264, opus, vp8, vp9,
    };
}

#[cfg(not(target_arch = "wasm32"))]
pub use api::*;
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
#[doc(inline)]
pub use host::{SocketControl, TokioOptions, UdpMux, UdpMuxDropped};
#[doc(inline)]
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
pub use perfect_negotiation::{Negotiator, PerfectNegotiation, SignalingChannel, SignalingMessage};
#[cfg(target_arch = "wasm32")]
pub use web::*;

/// The program that the README of this crate shows runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
