//! A client of one STUN or TURN server, without sockets, clock or randomness of its own.
//!
//! [`Binding`] asks a STUN server for the server-reflexive address (RFC 8489) and keeps the mapping
//! of the NAT alive. [`Client`] has an allocation at a TURN server (RFC 8656) over UDP, TCP or TLS,
//! with long-term credentials, and relays packets to peers and from them.
//!
//! # How it is driven
//!
//! The host owns sockets, TLS, DNS and time; one client speaks over one 5-tuple. The host calls a
//! method with the present time, then drains [`poll_transmit`](Client::poll_transmit) and
//! [`poll_event`](Client::poll_event), and calls [`handle_timeout`](Client::handle_timeout) at
//! [`poll_timeout`](Client::poll_timeout).
//!
//! - **An ICE generation gathers**: a new socket and a new client, [`allocate`](Client::allocate).
//!   [`Event::Allocated`] makes a relayed candidate of each address, with the mapped address as
//!   `raddr`; [`Event::AllocateFailed`] is `icecandidateerror`; [`Event::AlternateServer`] asks
//!   for a new socket and client for that server.
//! - **A remote candidate comes**: [`create_permission`](Client::create_permission). Its checks
//!   begin at [`Event::PermissionGranted`], its pairs fail at [`Event::PermissionDenied`].
//! - **A pair is selected**: [`bind_channel`](Client::bind_channel), and
//!   [`release_channel`](Client::release_channel) of the pair before.
//! - **A packet goes to a peer**: [`encapsulate`](Client::encapsulate) around it, then it is sent
//!   as a datagram or on the stream.
//! - **A datagram comes**, or something on the stream: [`handle_message`](Client::handle_message)
//!   with the datagram, or with each message of a [`Reassembler`]. The stream ends, or is no TURN
//!   ([`FramingError`]): [`handle_disconnect`](Client::handle_disconnect).
//! - **The machine wakes, the network changes**: [`refresh`](Client::refresh).
//!   [`Event::AllocationLost`] and then [`Event::Allocated`] make another candidate.
//! - **A generation is released, the last handle dropped**: [`close`](Client::close). The host
//!   sends what is in `poll_transmit` in any case, and closes the socket at [`Event::Closed`].
//!   coturn gives the place back as soon as a TCP connection is closed, and over UDP a second
//!   later. A client that allocates before that needs [`set_released`](Client::set_released).
//!
//! # What is believed
//!
//! A response counts if it comes from the server that was asked and bears the id of a request in
//! flight, a right FINGERPRINT if any, and the MESSAGE-INTEGRITY that the request had. 401 and 438
//! never have it, and coturn sends 437 and 441 without. Other errors without it are believed when
//! nothing better has come after one RTO, since servers that sign no errors are common (RFC 8489
//! §9.2.5 would wait for the end of the schedule). Nothing that the server sends makes the client
//! send, except the one request that a challenge asks for.
//!
//! # Example
//!
//! A server that does not answer, on a clock that runs as fast as we like:
//!
//! ```
//! use std::time::{Duration, Instant};
//! use peerconnection_turn::{
//!     Client, Config, Credentials, Event, Families, FiveTuple, Protocol, ServerError,
//! };
//!
//! let start = Instant::now();
//! let five_tuple = FiveTuple {
//!     local: "10.0.0.2:50000".parse()?,
//!     server: "192.0.2.1:3478".parse()?,
//!     protocol: Protocol::Udp,
//! };
//! let credentials = Credentials { username: "alice".into(), password: "wonder".into() };
//! let mut client = Client::new(Config::default(), five_tuple, credentials, [7; 32])?;
//!
//! client.allocate(start, Families::V4)?;
//! let mut now = start;
//! let mut sent = 0;
//! loop {
//!     while let Some(_datagram) = client.poll_transmit() {
//!         sent += 1; // socket.send_to(&datagram, five_tuple.server)
//!     }
//!     if let Some(event) = client.poll_event() {
//!         let Event::AllocateFailed(error) = event else { panic!("nobody answered") };
//!         assert_eq!(error.code, ServerError::UNREACHABLE);
//!         break;
//!     }
//!     // A host waits for a datagram until then, and gives it to `handle_message`.
//!     now = client.poll_timeout().expect("something is awaited");
//!     client.handle_timeout(now);
//! }
//! assert_eq!((now - start, sent), (Duration::from_secs(10), 5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod address;
mod alternate;
mod auth;
mod binding;
mod client;
mod config;
mod error;
mod event;
mod stream;
mod stun;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod timing;

#[cfg(test)]
mod tests;

pub use address::{canonical, is_of_one, same_address};
pub use binding::{Binding, BindingEvent};
pub use client::{Client, HEADROOM, TAILROOM};
pub use config::{Config, Credentials, Families, FiveTuple, Protocol};
pub use error::{Error, SendError, ServerError};
pub use event::{Allocated, AlternateServer, Data, Event, State};
pub use stream::{FramingError, Reassembler};
