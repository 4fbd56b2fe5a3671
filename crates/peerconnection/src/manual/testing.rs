//! Testing an application without a network.
//!
//! # Handlers alone
//!
//! A handler is a function, and every event has a constructor, so a test calls the one with the
//! other. Nothing is fired, and nothing is connected.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use peerconnection::{MessageEvent, RTCPeerConnection};
//!
//! /// The application's handler.
//! fn note(event: MessageEvent, noted: &Mutex<Vec<String>>) {
//!     if let Ok(text) = event.into_data().into_string() {
//!         noted.lock().unwrap().push(text);
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), peerconnection::Error> {
//! let pc = RTCPeerConnection::new(Default::default())?;
//! let channel = pc.create_data_channel("test", None)?;
//! let noted = Arc::new(Mutex::new(Vec::new()));
//! note(MessageEvent::new(channel.clone(), "hello"), &noted);
//! note(MessageEvent::new(channel, vec![1, 2]), &noted);
//! assert_eq!(*noted.lock().unwrap(), ["hello"]);
//! # Ok(()) }
//! ```
//!
//! # Two peers on a virtual network
//!
//! [`peerconnection-testkit`](https://docs.rs/peerconnection-testkit) has the real connections, with
//! a network and a clock that are not real. A minute passes in milliseconds, what is lost is what
//! the test says, and a seed tells the same story again. There are no sockets, no waiting and no
//! luck.
//!
//! ```text
//! #[test]
//! fn a_message_is_sent_again_when_it_is_lost() {
//!     let (mut pair, of_a, of_b) = testkit::Pair::connected(1);
//!     let network = &mut pair.world.network;
//!     network.set_conditions(Conditions { loss: 1.0, ..Conditions::default() });
//!     of_a.send("lost").unwrap();
//!     pair.world.run_for(Duration::from_millis(100));
//!
//!     pair.world.network.set_conditions(Conditions::default());
//!     let mut messages = of_b.messages();
//!     assert_eq!(pair.world.run(async move { messages.next().await }).unwrap(), "lost");
//! }
//! ```
//!
//! For that the code under test must let itself be given two things: the connection, which the
//! world makes, and the clock, for which a small trait does. It must not call
//! `RTCPeerConnection::new()`, `tokio::spawn()` or `tokio::time::sleep()` itself. Its front page
//! has all of this, and its sources a whole application with such tests.
//!
//! # Two peers on this machine
//!
//! [`TokioOptions::loopback()`](crate::TokioOptions::loopback) keeps a test off the networks of the
//! machine: it needs no permission of a firewall, and no candidate leaves the machine.
//! [`SocketControl`](crate::SocketControl) takes a socket away, as when an interface goes down.
//!
//! ```
//! # use peerconnection::*;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! let sockets = SocketControl::default();
//! let options = TokioOptions::loopback().with_sockets(&sockets);
//! let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
//! pc.create_data_channel("test", None)?;
//! pc.set_local_description(None).await?;
//! pc.gathering_complete().await?;
//! let offer = pc.local_description().expect("it was set");
//! assert!(offer.sdp().contains(" 127.0.0.1 "));
//! # Ok(()) }
//! ```
