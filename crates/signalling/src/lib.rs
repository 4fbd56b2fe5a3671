//! Signaling for [`peerconnection`]: ways from one peer to the other, before there is a connection.
//! Each is a [`SignalingChannel`](peerconnection::SignalingChannel), which
//! [`PerfectNegotiation`](peerconnection::PerfectNegotiation) uses.
//!
//! | | server | client |
//! |---|---|---|
//! | rooms over WebSocket, with resumption | [`Server`] | [`Room`], [`Peer`] |
//! | WHIP and WHEP over HTTP (RFC 9725) | [`WhipServer`], [`WhipSession`] | [`WhipClient`] |
//!
//! With the feature `nats`, servers that are connected to a NATS server are one: the members of a
//! room reach one another whichever server they have joined it on.
//!
//! The crate runs on tokio. Clients connect by TCP, or as the application's [`Connector`] does; the
//! feature `tls` has one for `wss:` and `https:`. To servers an application gives the streams of its
//! own listener with TLS: `accept`.
#![forbid(unsafe_code)]

mod client;
mod connect;
mod error;
mod hub;
mod link;
mod listen;
#[cfg(feature = "nats")]
mod nats;
mod protocol;
mod server;
#[cfg(feature = "tls")]
mod tls;
mod whip;

pub use client::{Peer, Room, RoomOptions};
pub use connect::{Connector, Stream, Tcp};
pub use error::Error;
#[cfg(feature = "nats")]
pub use nats::{Cluster, ClusterOptions};
pub use protocol::{InvalidMemberId, MemberId, Refusal};
pub use server::{JoinRequest, Server, ServerOptions, Statistics};
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use whip::{
    WhipClient, WhipClientOptions, WhipRequest, WhipServer, WhipServerOptions, WhipSession,
    WhipSessions,
};

/// The program that the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
