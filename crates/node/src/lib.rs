//! The W3C objects as a Node addon. `lib/native.d.ts` says what it offers to the JavaScript layer, which
//! adds Web IDL, promises and event dispatch; everything else is the `peerconnection` crate.
//!
//! - `environment`: what the addon has of the JavaScript environment it is loaded in
//! - `error`: exceptions
//! - `convert`: dictionaries
//! - `event_loop`: the event loop of one connection, as the crate sees it
//! - `delivery`: events and outcomes, on their way to JavaScript
//! - one file for each interface

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
