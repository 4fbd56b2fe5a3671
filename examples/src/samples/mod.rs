//! Samples, most of them after the public WebRTC samples of the same names, apart from where they
//! are shown: on a terminal and over real sockets in the examples, over a simulated network in the
//! tests.
//!
//! - `change_codecs`, `munge_sdp`, `perfect_negotiation`, `relay_only`, `rollback_glare`,
//!   `simulcast_negotiation`, `states`, `trickle_ice`: one sample each, a function `run` and its
//!   `Report`
//! - `peers`: the two connections of a sample
//! - `servers`: STUN and TURN servers on the command line
//! - `sdp_edit`: descriptions edited as text
//! - `transcript`: what both peers say as it happens
//! - `terminal`: what the `main` functions share

pub mod change_codecs;
pub mod munge_sdp;
pub mod perfect_negotiation;
pub mod relay_only;
pub mod rollback_glare;
pub mod simulcast_negotiation;
pub mod states;
pub mod trickle_ice;

mod peers;
mod sdp_edit;
mod servers;
mod terminal;
mod transcript;

pub use peers::{Pair, Pairs, exchange_candidates, loopback};
pub use servers::{GATHERING_OPTIONS, SERVER_OPTIONS, Servers};
pub use terminal::{Arguments, Exit, Report, conclude, failed, show, show_within};
pub use transcript::{Line, Peer, Transcript};
