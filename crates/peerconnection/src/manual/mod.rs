//! The manual: what the reference of single items has no room for.
//!
//! Each chapter is an empty module, so that `cargo doc` finds it and its programs are run like all
//! others. It says what happens, in which order, after how long, and what to do about it.
//!
//! - [`porting`]: lines of JavaScript, and the lines of Rust that they become.
//! - [`signalling`]: what two peers must tell one another, by whatever way, and in which order.
//! - [`tasks`]: who calls what when; threads, dropping, closing, and what leaks.
//! - [`media`]: what tracks give and take, forwarding, key frames, simulcast, files.
//! - [`backpressure`]: sending no faster than the network, receiving no faster than the program.
//! - [`reconnecting`]: a path that is lost, another network, a peer that comes back.
//! - [`networks`]: from the machine to the peer: candidates, STUN and TURN servers, firewalls,
//!   running coturn, hiding addresses, timers, errors of servers, changes of network.
//! - [`limits`]: how much of anything, and what happens beyond.
//! - [`logs`]: what `tracing` shows, and how to read it.
//! - [`dumps`]: what a connection did, for the tools of browsers, and as a drawing.
//! - [`recording`]: reporting a bug is one file; what is in it, and what is taken out.
//! - [`statistics`]: answers that `getStats()` has, and rates from its counters.
//! - [`testing`]: tests of an application without a network.

pub mod backpressure;
pub mod dumps;
pub mod limits;
pub mod logs;
pub mod media;
pub mod networks;
pub mod porting;
pub mod reconnecting;
pub mod recording;
pub mod signalling;
pub mod statistics;
pub mod tasks;
pub mod testing;
