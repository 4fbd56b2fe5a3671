//! The W3C objects as a Node addon. `lib/native.d.ts` declares its interface to the JavaScript
//! layer. That layer adds Web IDL, promises and event dispatch; the `peerconnection` crate does
//! everything else.
//!
//! - `environment`: the addon's state in a JavaScript environment
//! - `error`: errors to exceptions
//! - `convert`: dictionaries
//! - `event_loop`: JavaScript's event loop, as the `EventLoop` of one connection
//! - `operations`: methods that return a promise
//! - `delivery`: passes events and outcomes to JavaScript
//! - one file for each group of interfaces

pub mod candidate;
pub mod certificate;
pub mod connection;
mod convert;
pub mod data_channel;
mod delivery;
pub mod environment;
mod error;
mod event_loop;
pub mod media;
mod operations;
mod stats;
pub mod transceiver;
pub mod transports;
