//! The objects of `peerconnection` over the `RTCPeerConnection` of a page, so that one application
//! compiles for both. An application uses `peerconnection`, which is this crate when it is built for
//! `wasm32-unknown-unknown`. On other targets this crate is empty.
//!
//! The bindings are its own, on `wasm-bindgen` and `js-sys`: those of `web-sys` lack too much.
//!
//! # What is the same
//!
//! - The whole negotiation of `RTCPeerConnection`, its events as handlers, listeners and a stream,
//!   and what waits for states. The last handle closes the connection.
//! - Data channels: messages wait until they are read, as a stream of messages or of bytes.
//! - The ICE, DTLS and SCTP transports, certificates, candidates with their members, errors.
//! - The dictionaries, enumerations and statistics, which are those of `peerconnection-idl`, and
//!   `PerfectNegotiation`.
//! - Handles are `Send` and `Sync`, so that an application need not tell the targets apart. JavaScript
//!   has one thread: in a program with several, **a handle panics on any but its own**.
//! - An event that is fired before anybody listens is remembered, and so is a message.
//!
//! # What differs
//!
//! - What a browser does in its own way stays its way: which errors it throws, when it fires, what it
//!   gathers. A member that it lacks is `None` or empty: most of `RTCIceTransport` in Firefox.
//! - Handlers need not be `Send`.
//! - `generate_certificate()` returns a promise. A native application generates at once.
//! - `queue_task()` queues a task of the page. Code behind an `.await` runs in a microtask.
//! - A panic in a handler ends the program: `wasm32-unknown-unknown` cannot unwind.
//! - A page cannot hold back the peer: if more than 16 MiB of messages wait to be read, the channel is
//!   closed. `DataChannelStream` sets the channel's `bufferedAmountLowThreshold`.
//! - `events()` has nothing of tracks and streams, and of transports only what belongs to data
//!   channels or was looked at. Events of a transport before that are lost.
//! - `get_stats()` leaves out what this project has no member for, and objects without a member that
//!   it requires.
//! - After `close()` nothing is fired any more, not even `ended` at tracks.
//!
//! # What is missing
//!
//! Using it is an error of the compiler.
//!
//! - The constructors of events, but for `Event` and `MessageEvent`.
//! - `RTCDTMFSender`; `jitterBufferTarget`, `getContributingSources()` and
//!   `getSynchronizationSources()` of a receiver; the events of tracks and streams; `track()` and
//!   `streams()` give the page's objects.
//! - Packets: `TrackSource`, `RtpPacket`, `MediaStreamTrack::packets`, payload formats. The page
//!   captures, encodes and plays: `MediaStreamTrack::from_js` and `as_js` are the way there and back.
//! - Whatever is not of the specification: `host`, `recording` and `replay`, options of tokio,
//!   `set_accepts_edited_descriptions`, `RTCDataChannel::check_send`, time limits for writing, `dump`.
#![forbid(unsafe_code)]

#[cfg(target_arch = "wasm32")]
mod page;

#[cfg(target_arch = "wasm32")]
pub use page::*;
