//! A client of one STUN or TURN server, without sockets, clock or randomness of its own.
//!
//! [`Binding`] asks a STUN server for our server-reflexive address (RFC 8489) and keeps the
//! mapping alive. [`Client`] has an allocation at a TURN server (RFC 8656) over UDP, TCP or TLS,
//! with long-term credentials, and relays packets to peers and from them.
#![forbid(unsafe_code)]

mod alternate;
mod auth;
mod binding;
mod client;
mod config;
mod error;
mod event;
mod stream;
mod stun;
mod timing;

#[cfg(test)]
mod tests;

pub use binding::{Binding, BindingEvent};
pub use client::{Client, HEADROOM, TAILROOM};
pub use config::{Config, Credentials, Families, FiveTuple, Protocol};
pub use error::{Error, SendError, ServerError};
pub use event::{Allocated, AlternateServer, Data, Event, State};
pub use stream::{FramingError, Reassembler};
