//! Tasks: who calls what when; threads, dropping, closing, and what leaks.
//!
//! # Who calls what when
//!
//! A connection has an event loop, as a page of a browser does. On tokio that is one task of the
//! runtime for each connection. It reads the sockets, runs what is due, and calls the application:
//!
//! | what runs | when |
//! |---|---|
//! | a method, such as `create_data_channel()` | at once, on the thread of the caller |
//! | what a promise stands for | from the call on, whether or not the promise is polled |
//! | handlers and listeners | one at a time, on the event loop |
//! | reactions given to [`Promise::then`] | when the promise is settled, before the next event |
//! | calls given to [`queue_task()`] | in their turn, on the event loop |
//! | code behind an `.await` | later, when the runtime comes to it |
//!
//! If nobody listens to what an operation fires, the code that waits for its promise does not even
//! wait for the event loop. Before that binds sockets it lets other tasks of the runtime go first,
//! so that candidates mostly come after that code has gone on.
//!
//! While a handler, a reaction or a queued call runs, no attribute of the connection changes and no
//! event is fired, unless it calls a method itself. That is what JavaScript has everywhere. Code
//! behind an `.await` has it not: look at a state and act on it in one [`queue_task()`].
//!
//! No lock is held while application code runs, so it may call every method of every object,
//! [`close()`] too, and add or remove handlers, its own too. A panic in it is caught, reported with
//! `tracing`, and harms nothing else.
//!
//! # Threads
//!
//! All objects are `Send` and `Sync`; use them from any thread. Calls from several threads are as
//! if they came one after another. Different connections have nothing in common, and run on several
//! threads at once if the runtime has them.
//!
//! A connection belongs to the runtime on which it was made. `RTCPeerConnection::new()` needs to be
//! called within one, with timers and sockets (`enable_all()`); anything else may be called
//! outside.
//!
//! # Blocking
//!
//! A handler must not block: its connection waits for it, and does not even answer the checks that
//! keep the path open. Nor may it wait for a promise of its connection, for that is settled only
//! after it returns. Long work goes elsewhere:
//!
//! ```
//! use peerconnection::{MessageData, RTCPeerConnection};
//! # fn compress(message: MessageData) -> MessageData { message }
//!
//! fn serve(pc: &RTCPeerConnection) {
//!     pc.on_datachannel(|event| {
//!         let channel = event.channel().clone();
//!         // Asynchronous work: a task, which reads one message after another.
//!         tokio::spawn(async move {
//!             let mut messages = channel.messages();
//!             while let Some(message) = messages.next().await {
//!                 // Work for a processor: a thread that may block.
//!                 let Ok(answer) = tokio::task::spawn_blocking(|| compress(message)).await else {
//!                     return;
//!                 };
//!                 if let Err(error) = channel.send(answer) {
//!                     return eprintln!("{error}");
//!                 }
//!             }
//!         });
//!     });
//! }
//! # #[tokio::main] async fn main() -> Result<(), peerconnection::Error> {
//! # serve(&RTCPeerConnection::new(Default::default())?);
//! # Ok(()) }
//! ```
//!
//! # Dropping
//!
//! | what is dropped | what happens |
//! |---|---|
//! | the last handle of a connection | the connection is closed, as by [`close()`] |
//! | a channel, transport, sender, receiver or transceiver | nothing: the connection keeps it, and its handlers are still called |
//! | a promise | nothing: the operation goes on |
//! | a future of `opened()`, `connected()` and their siblings | nothing: it only watches |
//! | a future of `messages().next()`, of reading or writing a stream | nothing is lost: the next one gets it |
//! | [`Messages`](crate::Messages), [`Events`](crate::Events) | messages go to the handler again; the subscription ends |
//! | an [`EventListener`](crate::EventListener) | nothing: the listener stays. Its [`guard`](crate::EventListener::guard) removes it |
//! | the runtime | its connections are closed, and the peers are told, as by [`close()`] |
//!
//! So keep the handle of a connection for as long as the call is to last, in a struct, a map, a
//! task that waits for [`closed()`], and never only in the function that made it.
//!
//! ```
//! # use peerconnection::*;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
//! let channel = pc.create_data_channel("chat", None)?;
//! // Runs although nobody awaits it.
//! drop(pc.set_local_description(None));
//! pc.gathering_complete().await?;
//!
//! drop(pc);
//! channel.closed().await;
//! assert_eq!(channel.ready_state(), RTCDataChannelState::Closed);
//! # Ok(()) }
//! ```
//!
//! # Closing
//!
//! [`close()`] works at once: when it returns, every state is `closed`. Promises that are pending
//! are rejected with `InvalidStateError`. As in browsers no event is fired at the connection
//! itself; wait for [`closed()`] to hear of it. The peer is told: its channels fire `error` and
//! `close`, while its `connectionState` stays `connected` for the 4 to 5 s after which silence is
//! noticed, as in browsers. Whoever wants to know that the other side hung up watches the channels.
//! Messages that were still queued are lost: to hang up after the last message, close the channel
//! first and wait for [`RTCDataChannel::closed`]. The peer is told by the
//! task of the connection, at the latest when the runtime drops it; `std::process::exit` and signals
//! leave it no turn, and the peer notices the silence.
//!
//! A peer that goes away without a word is noticed after seconds, by the checks that it does not
//! answer: see the [timers](super::networks#timers). Its channels stay open then, and
//! `connectionState` tells, first `disconnected` and then [`failed`](crate::RTCPeerConnection::failed).
//!
//! # What leaks
//!
//! A handler owns what it captures, for as long as it is set. If that is a handle of a connection,
//! this connection stays open: handler and handle hold each other. Three rules keep programs free
//! of it:
//!
//! - A handler gets its own object as `event.target()`. It captures none.
//! - A handler that needs *another* connection captures it with [`weakly()`], or
//!   [`downgrade()`]s the handle.
//! - Whoever wants a connection gone calls [`close()`], which drops all its handlers and what they
//!   captured. Do so on every way out, errors included.
//!
//! ```
//! # use peerconnection::*;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # let [pc1, pc2] = [(); 2].map(|()| RTCPeerConnection::new(Default::default()).unwrap());
//! // Wrong would be `let other = pc2.clone(); pc1.on_icecandidate(move |event| other.…)` in both
//! // directions: neither of the two would ever be freed.
//! pc1.on_icecandidate(pc2.weakly(|pc2, event: RTCPeerConnectionIceEvent| {
//!     drop(pc2.add_ice_candidate(event.candidate()));
//! }));
//! pc2.on_icecandidate(pc1.weakly(|pc1, event: RTCPeerConnectionIceEvent| {
//!     drop(pc1.add_ice_candidate(event.candidate()));
//! }));
//!
//! let gone = pc1.downgrade();
//! drop(pc1);
//! assert!(gone.upgrade().is_none());
//! # Ok(()) }
//! ```
//!
//! Channels, tracks and other children hold their connection weakly, so capturing *them* leaks
//! nothing that [`close()`] would not free. When a runtime ends, `tracing` warns about each
//! connection that only handlers still held.
//!
//! [`Promise::then`]: crate::Promise::then
//! [`queue_task()`]: crate::RTCPeerConnection::queue_task
//! [`close()`]: crate::RTCPeerConnection::close
//! [`closed()`]: crate::RTCPeerConnection::closed
//! [`weakly()`]: crate::RTCPeerConnection::weakly
//! [`downgrade()`]: crate::RTCPeerConnection::downgrade
//! [`RTCDataChannel::closed`]: crate::RTCDataChannel::closed
