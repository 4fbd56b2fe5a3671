//! Signalling: what two peers must tell one another before there is a connection.
//!
//! A connection does not find its peer by itself. The application carries two kinds of messages
//! between them, by whatever way it has: a WebSocket through a server, HTTP, a chat, a QR code.
//!
//! | message | where it comes from | where it goes |
//! |---|---|---|
//! | description: offer or answer | [`local_description()`] | [`set_remote_description()`] |
//! | candidate: an address to try | `icecandidate` | [`add_ice_candidate()`] |
//!
//! [`SignalingMessage`] is either of them. With `serde` it has the form that browsers give these
//! objects, so a page needs nothing but `JSON.parse()`:
//!
//! ```
//! use peerconnection::SignalingMessage;
//!
//! let text = r#"{"candidate":{"candidate":"","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"a"}}"#;
//! let message: SignalingMessage = serde_json::from_str(text)?;
//! assert!(matches!(&message, SignalingMessage::Candidate(Some(of)) if of.candidate.is_empty()));
//! assert_eq!(serde_json::to_string(&message)?, text);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! The way must keep the order of the messages of one connection, and tell connections apart.
//! **Whoever can change a message can take the place of the peer**: the fingerprint in a
//! description is all that says who the peer is. So signalling goes over TLS, and both sides know
//! whom they talk to there.
//!
//! There are three ways to do it.
//!
//! # Everything in two messages
//!
//! Wait for [`gathering_complete()`], then send the description, which has all candidates by then.
//! [The front page](crate) does this. Use it where messages are dear, as with HTTP or by copy and
//! paste: `cargo run --example two_processes`. Gathering takes milliseconds without servers, a few
//! round trips with them, and 10 s if one does not answer, so put a limit to the wait where there
//! are servers: the candidates that are there are in [`local_description()`] at any time.
//!
//! # Candidates one by one
//!
//! This is "trickle ICE", and the fastest. The offerer offers when `negotiationneeded` is fired,
//! and the other side answers.
//!
//! ```
#![doc = include_str!("../../doc/trickle.rs")]
//! ```
//!
//! - A description must be sent **before** its candidates, for the peer refuses candidates that it
//!   cannot place. Candidates may be fired before code behind
//!   `set_local_description(None).await` goes on. So the program sends the description in the
//!   promise's [`then`](crate::Promise::then), in a task: see [`tasks`](super::tasks).
//! - The event without a candidate is the end of candidates. Send it too, for without it a
//!   connection that cannot succeed takes 30 s longer to fail.
//! - A candidate that was refused is no reason to end the call. The program above ends it with `?`,
//!   for it has one peer that it knows. Elsewhere, report the error and go on.
//!
//! # Both sides at any time
//!
//! The program above cannot handle glare, in which both sides offer at once.
//! [`PerfectNegotiation`] can: it is the pattern of webrtc-pc §10.7 as a component. Implement
//! [`SignalingChannel`] for the way to the peer, and say on each side who is polite: exactly one
//! must be, for example the one that joined later. Then either side adds channels, tracks or calls
//! `restart_ice()` whenever it likes, and never makes an offer by hand. [Its
//! page](crate::PerfectNegotiation) has a program with both sides in it. Between two machines a line of
//! JSON for each message will do. The trait wants the crate `async-trait`, and a `receive()` whose
//! future may be dropped without losing a message: that of `Lines` may, and so may those of
//! channels.
//!
//! ```
//! use async_trait::async_trait;
//! use peerconnection::{
//!     PerfectNegotiation, RTCConfiguration, RTCPeerConnection, SignalingChannel, SignalingMessage,
//! };
//! use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
//! use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
//! use tokio::net::{TcpListener, TcpStream};
//!
//! struct Tcp(Lines<BufReader<OwnedReadHalf>>, OwnedWriteHalf);
//!
//! impl Tcp {
//!     fn new(stream: TcpStream) -> Self {
//!         let (reading, writing) = stream.into_split();
//!         Self(BufReader::new(reading).lines(), writing)
//!     }
//! }
//!
//! #[async_trait]
//! impl SignalingChannel for Tcp {
//!     async fn send(&mut self, message: SignalingMessage) -> std::io::Result<()> {
//!         let line = serde_json::to_string(&message)? + "\n";
//!         self.1.write_all(line.as_bytes()).await
//!     }
//!
//!     async fn receive(&mut self) -> std::io::Result<Option<SignalingMessage>> {
//!         match self.0.next_line().await? {
//!             Some(line) => Ok(Some(serde_json::from_str(&line)?)),
//!             None => Ok(None),
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // One side listens, and is the polite one; the other one connects.
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! # let stream = TcpStream::connect(listener.local_addr()?).await?;
//! # let a = RTCPeerConnection::new(RTCConfiguration::default())?;
//! # tokio::spawn(PerfectNegotiation::new(&a, false).run(Tcp::new(stream)));
//! # a.create_data_channel("chat", None)?;
//! let (stream, _) = listener.accept().await?;
//! let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
//! tokio::spawn(PerfectNegotiation::new(&pc, true).run(Tcp::new(stream)));
//! pc.connected().await?;
//! # Ok(()) }
//! ```
//!
//! `run()` ends when the way ends. The connection goes on, so connect the way again, and call
//! `PerfectNegotiation::new()` and `run()` again, on both sides with the same roles.
//!
//! # More than two
//!
//! A connection is between two. In a mesh each member has one for each other member, and each pair a
//! way of its own, in which one of the two is polite. The crate `peerconnection-signalling` has that:
//! a server with rooms, and for each other member a `Peer`, which is a [`SignalingChannel`] and says
//! who is polite.
//!
//! - A member that has left the room has not hung up: the connection works without signalling. Keep
//!   it while it is `connected`, and close it when it is not.
//! - The server knows members by an id that is new with each entrance. Say who you are in the first
//!   message of a channel.
//! - A member that was killed is in the room until the server has waited for it in vain, 30 s by
//!   default. Newcomers meet it, and a connection to it stays `connecting`.
//!
//! # When signalling is interrupted
//!
//! The connection itself does not need it: data flow on. A message that was lost must be sent
//! again, or the negotiation waits for ever. [`PerfectNegotiation`] does so when it begins. By
//! hand, a side in `have-local-offer` sends [`local_description()`] again, with the candidates that
//! it has by then, and the other one answers it, even if it has answered before. Candidates that
//! follow a lost one are of use without it: only paths are missing.
//!
//! ```
//! use peerconnection::{RTCPeerConnection, RTCSignalingState, SignalingMessage};
//!
//! /// What to send once there is signalling again.
//! fn unanswered(pc: &RTCPeerConnection) -> Option<SignalingMessage> {
//!     match pc.signaling_state() {
//!         RTCSignalingState::HaveLocalOffer => pc.local_description().map(Into::into),
//!         _ => None,
//!     }
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), peerconnection::Error> {
//! # let pc = RTCPeerConnection::new(Default::default())?;
//! # pc.create_data_channel("chat", None)?;
//! assert_eq!(unanswered(&pc), None);
//! pc.set_local_description(None).await?;
//! assert!(matches!(unanswered(&pc), Some(SignalingMessage::Description(_))));
//! # Ok(()) }
//! ```
//!
//! [`local_description()`]: crate::RTCPeerConnection::local_description
//! [`set_remote_description()`]: crate::RTCPeerConnection::set_remote_description
//! [`add_ice_candidate()`]: crate::RTCPeerConnection::add_ice_candidate
//! [`gathering_complete()`]: crate::RTCPeerConnection::gathering_complete
//! [`SignalingMessage`]: crate::SignalingMessage
//! [`SignalingChannel`]: crate::SignalingChannel
//! [`PerfectNegotiation`]: crate::PerfectNegotiation
