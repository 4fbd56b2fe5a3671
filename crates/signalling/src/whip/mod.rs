//! Signaling by HTTP: WHIP (RFC 9725) for who sends, and WHEP, which is the same on the wire, for
//! who receives. One offer, one answer, candidates of the client and ICE restarts.

mod client;
mod fragment;
mod server;
mod session;

pub use client::{WhipClient, WhipClientOptions};
pub use server::{WhipRequest, WhipServer, WhipServerOptions};
pub use session::{WhipSession, WhipSessions};

/// RFC 8866 §8.2.1.
const SDP: &str = "application/sdp";
/// RFC 8840 §11.2.
const SDPFRAG: &str = "application/trickle-ice-sdpfrag";
/// The largest description or fragment, in octets. One with media has about ten thousand.
const LARGEST: usize = 256 << 10;
