//! One SCTP association over DTLS (RFC 9260, RFC 8261), as far as data channels need it
//! (RFC 8831 §5): partial reliability (RFC 3758), stream reset (RFC 6525), interleaved messages
//! (RFC 8260), packets without a checksum (RFC 9653), one address, no IO.
//!
//! The rest of the crate sees [`Association`] alone.

mod association;
mod assumed;
mod blank;
mod congestion;
mod control;
mod data;
mod handshake;
mod outstanding;
mod pacing;
mod queue;
mod rack;
mod ranges;
mod rate;
mod reassembly;
mod receive_window;
mod received;
mod receiving;
mod reset;
mod rtt;
mod sending;
mod serial;
mod wire;

#[cfg(test)]
pub(crate) mod tests;

pub use blank::without_messages;

pub(crate) use association::{Association, Event, Settings};
pub use assumed::{Inits, SctpInit};
pub(crate) use queue::Outgoing;
pub(crate) use reassembly::{Message, cost};

/// `RTCSctpTransportState` (webrtc-pc §6.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SctpState {
    /// An association is wanted, and is not there yet.
    Connecting,
    /// The association is established.
    Connected,
    /// The association is gone.
    Closed,
}

/// Describes a peer that hangs up in libwebrtc's words: by these, applications tell it from a
/// failure (`err.message === "User-Initiated Abort, reason=Close called"`).
fn describe_abort(code: Option<u16>, reason: &str) -> String {
    match code {
        Some(wire::CAUSE_USER_INITIATED_ABORT) => format!("User-Initiated Abort, reason={reason}"),
        _ => format!("the peer aborted the association: {reason}"),
    }
}

/// Why an association is gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SctpError {
    /// The peer sent an ABORT chunk.
    #[error("{}", describe_abort(*code, reason))]
    Aborted {
        /// `sctpCauseCode`: the code of the first error cause, if there was one (RFC 9260
        /// §3.3.10). 12 is an intentional close.
        code: Option<u16>,
        /// The cause-specific information, as text.
        reason: String,
    },
    /// This side sent an ABORT: the peer broke the protocol, or would need memory without a bound.
    #[error("the association was aborted: {reason}")]
    AbortedHere {
        /// The code of the error cause in the ABORT (RFC 9260 §3.3.10).
        code: u16,
        /// What the peer has done.
        reason: &'static str,
    },
    /// The peer shut the association down in order.
    #[error("the peer shut the association down")]
    Shutdown,
    /// The peer began another association in its place.
    #[error("the peer restarted the association")]
    Restarted,
    /// DTLS under the association is closed or failed.
    #[error("the DTLS transport is closed")]
    TransportClosed,
    /// This side closed it.
    #[error("the association was closed here")]
    Local,
}
