//! Two agents on one virtual clock and a simulated network.

mod began_anew;
mod choice;
mod connect;
mod consent;
mod demux;
mod enclosures;
mod forgetful;
mod hidden;
mod hostile;
mod interfaces;
mod lite;
mod names;
mod nat;
mod network;
mod pacing;
mod peer;
mod provisional;
mod relays;
mod renomination;
mod restart;
mod seeds;
mod server_errors;
mod servers;
mod states;
mod stats;
mod strangers;
mod streams;
mod tcp;
mod tcp_wire;
mod transitions;
mod unanswered;
mod wire;

use network::{A, B, Network};
use peer::Peer;

/// Milliseconds.
fn ms(value: u64) -> time::Duration {
    time::Duration::from_millis(value)
}

/// Seconds.
fn s(value: u64) -> time::Duration {
    time::Duration::from_secs(value)
}
