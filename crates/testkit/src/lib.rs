//! Tests for applications of [`peerconnection`] that need no network, no sleeping and no luck.
//!
//! Real sockets make a test slow, and a failure that shows once a week cannot be repeated. Here
//! the connections are real, with all that browsers do, but the network between them and the clock
//! that they read are not. A minute passes in milliseconds, what is lost is what the test says, and
//! the same seed tells the same story again.
//!
//! ```
//! use testkit::Pair;
//!
//! // Two peers, connected, and both ends of a data channel between them.
//! let (mut pair, of_a, of_b) = Pair::connected(1);
//! let mut messages = of_b.messages();
//! of_a.send("hello").unwrap();
//! let message = pair.world.run(async move { messages.next().await });
//! assert_eq!(message.unwrap().as_str(), Some("hello"));
//! ```
//!
//! # What a world is
//!
//! A [`World`] has one clock, one network and some peers, each a real
//! [`RTCPeerConnection`](peerconnection::RTCPeerConnection) with an address of its own: 10.0.0.1,
//! 10.0.0.2 and so on. [`World::add_peer`] makes one, and the code under test gets it instead of
//! making its own. [`Pair`] is a world with two peers that negotiate with each other already; most
//! tests begin with it.
//!
//! The world runs in the thread of the test. There is no runtime and no other thread. So code under
//! test may use channels and locks, those of `tokio::sync` too. It must not call what needs a
//! runtime, such as `tokio::time::sleep`, `tokio::spawn` or `RTCPeerConnection::new`. Let it ask
//! for the time through a trait of its own, which the test implements for a [`WorldHandle`];
//! [`Stage`] is such a trait, ready made; where this crate is a dev-dependency, as below, declare one
//! like it. Code that makes a connection whenever somebody arrives takes them from a queue, which the
//! test fills beforehand.
//!
//! In `Cargo.toml`:
//!
//! ```toml
//! [dev-dependencies]
//! testkit = { package = "peerconnection-testkit", version = "0.1" }
//! futures = "0.3"
//! ```
//!
//! # How time passes
//!
//! By itself it does not. [`World::run`] runs a story, a future, until everything that can happen
//! at the present instant has happened; then the clock jumps to the next instant at which anything
//! is due: a datagram arrives, a timer of a connection runs out, somebody who sleeps wakes.
//! [`World::run_for`] lets a time pass. [`World::settle`] lets happen what can happen now.
//!
//! ```
//! use std::time::Duration;
//! use testkit::{Conditions, World};
//!
//! let mut world = World::new(1, Conditions::default());
//! world.run_for(Duration::from_secs(3000));
//! assert_eq!(world.handle().elapsed(), Duration::from_secs(3000));
//! ```
//!
//! A story that waits for what never happens fails its test: at once if nothing is due any more,
//! else after an hour of virtual time.
//!
//! # How to lose datagrams
//!
//! [`Conditions`] say what the network does to datagrams, at random but as the seed says. They hold
//! for all peers and both directions; there is no limit to the bandwidth.
//! [`Network::set_conditions`] changes them, so all that is sent between two changes can be lost.
//! [`Network::kill`] makes an address unreachable for good, as when a network is left. It is for an
//! address that is bound: a connection that has not gathered yet has none, and one that restarts binds
//! another.
//!
//! ```
//! use std::time::Duration;
//! use testkit::{Conditions, Pair};
//!
//! let (mut pair, of_a, of_b) = Pair::connected(1);
//! let network = &mut pair.world.network;
//! network.set_conditions(Conditions { loss: 1.0, ..Conditions::default() });
//! of_a.send("lost").unwrap();
//! pair.world.run_for(Duration::from_millis(100));
//!
//! // The channel is reliable: the message is sent again.
//! pair.world.network.set_conditions(Conditions::default());
//! let mut messages = of_b.messages();
//! let message = pair.world.run(async move { messages.next().await });
//! assert_eq!(message.unwrap().as_str(), Some("lost"));
//! ```
//!
//! # How to restart
//!
//! As an application does: [`Pair`] negotiates whatever either side asks for.
//!
//! ```
//! use std::time::Duration;
//! use testkit::{Conditions, Pair, Trace};
//!
//! let (mut pair, ..) = Pair::connected(1);
//! pair.world.network.set_conditions(Conditions { loss: 0.1, ..Conditions::default() });
//! let trace = Trace::of(&pair.handle(), &pair.a);
//! pair.a.restart_ice();
//! pair.world.run_for(Duration::from_secs(5));
//! assert!(trace.take().contains(&"pair".to_owned()), "{trace}");
//! ```
//!
//! # How to see what happened
//!
//! A [`Trace`] records the events of a connection. [`Trace::take`] gives them as words to compare;
//! printed, it is a list with the time of each.
//!
//! ```
//! use testkit::{Pair, Trace};
//!
//! let (mut pair, ..) = Pair::connected(1);
//! let trace = Trace::of(&pair.handle(), &pair.a);
//! pair.a.restart_ice();
//! pair.world.settle();
//! assert_eq!(trace.take()[..2], ["negotiationneeded", "signaling:have-local-offer"]);
//! println!("{trace}");
//! ```
//!
//! # Many seeds
//!
//! What holds on one order of events need not hold on another. [`for_each_seed`] runs a test over
//! many, on all cores, and names the seed that fails; [`seeds`] lets `SIM_SEEDS=FROM..TO` choose
//! them.
//!
//! ```
//! use testkit::{Pair, for_each_seed, seeds};
//!
//! for_each_seed(seeds(0..4), |seed| {
//!     let (pair, ..) = Pair::connected(seed);
//!     assert_eq!(pair.a.connection_state().as_str(), "connected");
//! });
//! ```
//!
//! `tests/an_applications_test.rs` in this crate's sources is how an application tests itself: a
//! program that sends files, with loss, a restart and a network that goes away.

#![forbid(unsafe_code)]

mod network;
mod pair;
mod seeds;
mod signalling;
mod stage;
mod trace;
mod warnings;
mod world;

pub use network::{Conditions, Network};
pub use pair::Pair;
pub use seeds::{for_each_seed, seeds};
pub use signalling::Signalling;
pub use stage::{Job, Side, Stage};
pub use trace::Trace;
pub use turn::testing::{Server, Switches};
pub use warnings::warnings_during;
pub use world::{World, WorldHandle};

/// The program that the README of this crate shows runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
