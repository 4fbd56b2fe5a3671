//! The clock's types, and the deadlines that several protocols share.
//!
//! Everything below `peerconnection` takes [`Instant`] and [`Duration`] from here and never reads a
//! clock: callers pass the time in. A target whose standard library has no clock, such as
//! `wasm32-unknown-unknown`, needs another `Instant`; this is the one place to put it.
//!
//! | module | what |
//! |---|---|
//! | `deadline` | sums and minima of deadlines that cannot overflow |
//! | `schedule` | how often a request is sent that is not answered (RFC 8489 §6.2.1) |
//! | `floor` | a pause between the calls that one deadline asks for |

#![forbid(unsafe_code)]

mod deadline;
mod floor;
mod schedule;

pub use std::time::{Duration, Instant};

pub use deadline::{earlier, later};
pub use floor::Floor;
pub use schedule::{Due, Retransmission, Schedule};
