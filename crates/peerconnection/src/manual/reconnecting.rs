//! Reconnecting: a path that is lost, another network, a peer that comes back.
//!
//! There are three things that can be lost, and each has a remedy of its own.
//!
//! | what is lost | what is seen | the remedy | what survives |
//! |---|---|---|---|
//! | the path: an interface, a NAT, a relay | `iceConnectionState` `disconnected`, then `failed` | [`restart_ice()`] | everything: channels, queues, tracks |
//! | signalling | the application's own error | connect it again, and [send what is unanswered](super::signalling#when-signalling-is-interrupted) | everything |
//! | the peer: it hung up, a page was closed | channels fire `error` and `close` | another connection, if any | what the application kept |
//! | the peer: a process that was killed | `disconnected`, then `failed` that no restart mends; channels stay open | another connection | what the application kept |
//!
//! # Another path
//!
//! A restart is an offer and an answer with new credentials and new candidates. Data flow on over
//! the old path, if that works, until a new pair is selected: no channel closes, and no message of
//! a reliable channel is lost, however long it takes.
//! [Networks](super::networks#when-the-network-changes) has the states, what they mean, and their
//! times. The simplest way to get it right:
//!
//! - [`PerfectNegotiation`] on both sides, so that both may restart at the same moment;
//! - [`restart_on_network_change`] on both, for machines that move: from one network to another
//!   without waiting for `disconnected`;
//! - [`restart_ice()`] at `failed`.
//!
//! ```
//! use peerconnection::{
//!     Error, PerfectNegotiation, RTCConfiguration, RTCPeerConnection, RTCPeerConnectionState,
//!     SignalingChannel, TokioOptions,
//! };
//!
//! /// A connection that stays up as long as there is any way to the peer.
//! fn connect(signalling: impl SignalingChannel + 'static, polite: bool) -> Result<RTCPeerConnection, Error> {
//!     let options = TokioOptions::default().with_restart_on_network_change(true);
//!     let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
//!     // A listener, so that the handler stays free for whoever gets the connection. It stays as
//!     // long as the connection.
//!     let _ = pc.add_connectionstatechange_listener(|event| {
//!         if event.target().connection_state() == RTCPeerConnectionState::Failed {
//!             event.target().restart_ice();
//!         }
//!     });
//!     tokio::spawn(PerfectNegotiation::new(&pc, polite).run(signalling));
//!     Ok(pc)
//! }
//! # struct Nobody;
//! # #[async_trait::async_trait]
//! # impl SignalingChannel for Nobody {
//! #     async fn send(&mut self, _: peerconnection::SignalingMessage) -> std::io::Result<()> { Ok(()) }
//! #     async fn receive(&mut self) -> std::io::Result<Option<peerconnection::SignalingMessage>> {
//! #         Ok(None)
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # connect(Nobody, true)?;
//! # Ok(()) }
//! ```
//!
//! Only one restart is under way at a time. A request during a negotiation is remembered until a
//! restart has completed. The side that cannot be reached by signalling need not do anything: its
//! `negotiationneeded` waits. While an offer has no answer the state stays `failed`, and no event comes
//! for it: how long to wait for the answer is the application's business.
//!
//! A restart that finds no path fails, too: after about 40 s, or 10 s if there was no candidate to
//! check, with relays alone. Meanwhile it repeats its checks ever more rarely, so that a path that is
//! back may go unnoticed for up to 16 s; and a TURN server that did not answer is not asked again.
//! Where seconds matter, restart again every few seconds until one of them finds something:
//!
//! ```
//! use std::time::Duration;
//! use peerconnection::{AnyEvent, Error, RTCPeerConnection, RTCPeerConnectionState};
//! use tokio::task::JoinHandle;
//!
//! /// Restarts ICE at `failed`, and again every `interval` until there is a path, or the connection
//! /// is closed. The task has a weak handle, so that it does not keep the connection.
//! fn keep_restarting(pc: &RTCPeerConnection, interval: Duration) -> JoinHandle<()> {
//!     use RTCPeerConnectionState::{Closed, Connected, Failed};
//!     let (mut events, pc) = (pc.events(), pc.downgrade());
//!     tokio::spawn(async move {
//!         while let Some(event) = events.next().await {
//!             let Ok(AnyEvent::ConnectionStateChange(Failed)) = event else { continue };
//!             while let Some(pc) = pc.upgrade() {
//!                 if matches!(pc.connection_state(), Connected | Closed) {
//!                     break;
//!                 }
//!                 pc.restart_ice();
//!                 drop(pc);
//!                 tokio::time::sleep(interval).await;
//!             }
//!         }
//!     })
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # let pc = RTCPeerConnection::new(Default::default())?;
//! # let task = keep_restarting(&pc, Duration::from_secs(4));
//! # pc.close();
//! # task.await.expect("the task ends with the connection");
//! # Ok(()) }
//! ```
//!
//! Where relays are the only way, restart at `disconnected` already: a server that was restarted has
//! no allocation, and waiting brings none back.
//!
//! The code here looks at `connectionState`, which is `failed` as well when DTLS has failed, and that
//! no restart mends; `iceConnectionState` is about the path alone.
//!
//! # Another connection
//!
//! A peer that has begun anew, a process that was restarted or a page that was loaded again, has
//! none of the keys. A restart of ICE does not bring it back: make another connection, and close
//! the old one. So signalling must tell connections apart: give each an id, which its messages
//! carry, and drop what belongs to an older one. The rooms of the crate `peerconnection-signalling`
//! do that: a process that begins anew is another `Peer`, and a connection to the server that was cut
//! is resumed by itself, with all messages.
//!
//! What was queued on the old channels is gone, and so is what had arrived at the peer's library
//! but not at its program. If that matters, number the messages and let the receiver say up to
//! where it has them:
//!
//! ```
//! use std::collections::VecDeque;
//!
//! /// Messages that the receiver has not confirmed yet. They outlive connections.
//! #[derive(Default)]
//! struct Unconfirmed {
//!     /// The number of the oldest.
//!     first: u64,
//!     messages: VecDeque<String>,
//! }
//!
//! impl Unconfirmed {
//!     /// Takes a message on its way. Send what this returns, if there is a channel.
//!     fn add(&mut self, message: &str) -> String {
//!         let number = self.first + self.messages.len() as u64;
//!         self.messages.push_back(format!("{number} {message}"));
//!         format!("{number} {message}")
//!     }
//!
//!     /// The receiver has everything before `next`.
//!     fn confirm(&mut self, next: u64) {
//!         while self.first < next && self.messages.pop_front().is_some() {
//!             self.first += 1;
//!         }
//!     }
//!
//!     /// What to send first on a new channel, once the receiver has said what it has.
//!     fn again(&self) -> impl Iterator<Item = &String> {
//!         self.messages.iter()
//!     }
//! }
//!
//! let mut unconfirmed = Unconfirmed::default();
//! unconfirmed.add("a");
//! unconfirmed.add("b");
//! unconfirmed.confirm(1);
//! assert_eq!(unconfirmed.again().collect::<Vec<_>>(), ["1 b"]);
//! ```
//!
//! # When to give up
//!
//! `failed` says that nothing works now, not that nothing will. How long to go on trying is the
//! application's business. A loop that waits for what comes first:
//!
//! ```
//! use std::time::Duration;
//! use peerconnection::{Error, RTCPeerConnection};
//!
//! /// Waits for a connection. Closes it if there is none in time.
//! async fn connected_within(pc: &RTCPeerConnection, limit: Duration) -> Result<(), Error> {
//!     match tokio::time::timeout(limit, pc.connected()).await {
//!         Ok(result) => result,
//!         Err(_) => {
//!             pc.close();
//!             Err(Error::NetworkError(format!("no connection within {limit:?}")))
//!         }
//!     }
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # let pc = RTCPeerConnection::new(Default::default())?;
//! # let failed = connected_within(&pc, Duration::from_millis(10)).await;
//! # assert_eq!(failed.unwrap_err().name(), "NetworkError");
//! # Ok(()) }
//! ```
//!
//! [`restart_ice()`]: crate::RTCPeerConnection::restart_ice
//! [`restart_on_network_change`]: crate::TokioOptions::restart_on_network_change
//! [`PerfectNegotiation`]: crate::PerfectNegotiation
