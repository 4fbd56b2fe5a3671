//! Six of the public WebRTC samples, apart from where they are shown: on a terminal over loopback
//! in the examples of the same names, over a simulated network in the tests.
//!
//! - `change_codecs`, `munge_sdp`, `perfect_negotiation`, `rollback_glare`,
//!   `simulcast_negotiation`, `states`: one sample each, a function `run` and its `Report`
//! - `peers`: the two connections of a sample
//! - `sdp_edit`: descriptions edited as text
//! - `transcript`: what both peers say as it happens
//! - `terminal`: what the `main` functions share

pub mod change_codecs;
pub mod munge_sdp;
pub mod perfect_negotiation;
pub mod rollback_glare;
pub mod simulcast_negotiation;
pub mod states;

mod peers;
mod sdp_edit;
mod terminal;
mod transcript;

pub use peers::{Pair, Pairs, exchange_candidates, loopback};
pub use terminal::{Arguments, Report, show};
pub use transcript::{Line, Peer, Transcript};
