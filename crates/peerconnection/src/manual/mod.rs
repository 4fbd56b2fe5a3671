//! The manual: what the reference of single items has no room for.
//!
//! Each chapter is an empty module, so that `cargo doc` finds it and its programs are run like all
//! others. It says what happens, in which order, after how long, and what to do about it.
//!
//! - [`networks`]: from the machine to the peer: candidates, STUN and TURN servers, firewalls,
//!   running coturn, hiding addresses, timers, errors of servers, changes of network.

pub mod networks;
