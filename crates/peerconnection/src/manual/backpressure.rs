//! Backpressure: sending no faster than the network, receiving no faster than the program.
//!
//! # Sending messages
//!
//! [`send()`] queues a message and returns at once, as in browsers. It never waits, so a program
//! that sends without looking fills the queue: beyond 16 MiB `send()` gives `OperationError` and
//! changes nothing. [`buffered_amount()`] says how many bytes wait, and `bufferedamountlow` is
//! fired when they have fallen to the [threshold]. Nothing is thrown away while ICE restarts or the
//! path is down: the queue waits.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/connected.rs"));
//! use peerconnection::{Error, RTCDataChannel};
//! use tokio::sync::Notify;
//! use std::sync::Arc;
//!
//! /// Sends `content` in messages of 16 KiB, with no more than 1 MiB in the queue.
//! async fn send_all(channel: &RTCDataChannel, content: &[u8]) -> Result<(), Error> {
//!     let low = Arc::new(Notify::new());
//!     let wake = low.clone();
//!     channel.set_buffered_amount_low_threshold(256 * 1024);
//!     let _listener = channel.add_bufferedamountlow_listener(move |_| wake.notify_one()).guard();
//!     for part in content.chunks(16 * 1024) {
//!         while channel.buffered_amount() > 1024 * 1024 {
//!             tokio::select! {
//!                 () = low.notified() => {}
//!                 // Otherwise it would wait for ever if the peer hung up.
//!                 () = channel.closed() => {}
//!             }
//!             if channel.ready_state().as_str() != "open" {
//!                 break;
//!             }
//!         }
//!         channel.send(part)?;
//!     }
//!     Ok(())
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! # let init = peerconnection::RTCDataChannelInit {
//! #     negotiated: true, id: Some(1), ..Default::default()
//! # };
//! # let mut channel = None;
//! # let (_pc, peer) = connected(|pc| {
//! #     channel = Some(pc.create_data_channel("bytes", init.clone()).unwrap());
//! # }).await?;
//! # let (channel, other) = (channel.unwrap(), peer.create_data_channel("bytes", init)?);
//! # channel.opened().await?;
//! # let reader = tokio::spawn(async move {
//! #     let (mut messages, mut length) = (other.messages(), 0);
//! #     while length < 5_000_000 {
//! #         length += messages.next().await.map_or(5_000_000, |message| message.len());
//! #     }
//! #     length
//! # });
//! send_all(&channel, &vec![7; 5_000_000]).await?;
//! # assert_eq!(reader.await.unwrap(), 5_000_000);
//! # Ok(())
//! # }
//! ```
//!
//! A peer that is killed says nothing: its channels stay open, their queues wait, and `closed()` and
//! [`messages()`] wait with them, for it may be the path alone that is gone. Only `connectionState`
//! shows it. Where a program must not wait, let it race with [`failed()`]:
//!
//! ```
//! use peerconnection::{Error, RTCDataChannel, RTCPeerConnection};
//!
//! /// Waits until a channel is closed, or its connection has failed.
//! async fn over(pc: &RTCPeerConnection, channel: &RTCDataChannel) -> Result<(), Error> {
//!     tokio::select! {
//!         () = channel.closed() => Ok(()),
//!         failed = pc.failed() => failed.and(Err(Error::NetworkError("no path".into()))),
//!     }
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # let pc = RTCPeerConnection::new(Default::default())?;
//! # let channel = pc.create_data_channel("chat", None)?;
//! # pc.close();
//! # let _ = over(&pc, &channel).await;
//! # Ok(()) }
//! ```
//!
//! A [stream of bytes](#a-channel-as-a-stream-of-bytes) does so by itself, and fails with `TimedOut`.
//!
//! Messages of 16 KiB go to every peer there is; [`max_message_size()`] says what this one takes,
//! 256 KiB for this library and for Chromium. A message occupies its channel until all of it is
//! sent, so large ones delay what comes behind them.
//!
//! # Several channels
//!
//! The channels of a connection share what the network carries. When all of them together have more
//! to send, each gets a share by its [`priority`]: `high` twice that of `medium`, four times that of
//! `low`, eight times that of `very-low`. The peer learns the priority with the channel, and sends by
//! it, too, if it knows priorities. A channel that has sent nothing for a while is next: what is
//! urgent goes on a channel of its own, and waits for no queue but that of the network.
//!
//! ```
//! # use peerconnection::*;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
//! let files = pc.create_data_channel(
//!     "files",
//!     RTCDataChannelInit { priority: RTCPriorityType::VeryLow, ..Default::default() },
//! )?;
//! let commands = pc.create_data_channel("commands", None)?;
//! assert_eq!(files.priority().as_str(), "very-low");
//! assert_eq!(commands.priority(), RTCPriorityType::Low);
//! # Ok(()) }
//! ```
//!
//! Between two peers of this library, and with Firefox, the messages of different channels are
//! interleaved (RFC 8260): a short one passes a long one that is being sent. Chromium does not offer
//! that. To it a message that has begun is sent to its end first, so send large content in messages
//! of 16 KiB where another channel must not wait.
//!
//! # A channel as a stream of bytes
//!
//! Where message boundaries mean nothing, [`into_stream()`] gives `AsyncRead` and `AsyncWrite`, of
//! tokio as well as of the `futures` crate. Writing waits by itself when 1 MiB is queued, and
//! `shutdown()` waits until the peer's library has everything; what its program has done with that,
//! only the program can say. This is the simplest way to send a file: one channel each, whose label is
//! the name. What is large goes to its place by `tokio::io::copy`, without being in memory as here:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/connected.rs"));
//! use peerconnection::RTCPeerConnection;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! async fn send_file(pc: &RTCPeerConnection, name: &str, content: &[u8]) -> std::io::Result<()> {
//!     let mut stream = pc.create_data_channel(name, None)?.into_stream();
//!     stream.write_all(content).await?;
//!     stream.shutdown().await
//! }
//!
//! fn receive_files(pc: &RTCPeerConnection) {
//!     pc.on_datachannel(|event| {
//!         let channel = event.channel().clone();
//!         tokio::spawn(async move {
//!             let (name, mut content) = (channel.label().to_owned(), Vec::new());
//!             match channel.into_stream().read_to_end(&mut content).await {
//!                 Ok(length) => println!("{name}: {length} bytes"),
//!                 // Half a file is an error, not an end.
//!                 Err(error) => println!("{name}: {error}"),
//!             }
//!         });
//!     });
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (pc, peer) = connected(|pc| drop(pc.create_data_channel("first", None))).await?;
//! # receive_files(&peer);
//! # send_file(&pc, "film", &vec![7; 3_000_000]).await?;
//! # Ok(()) }
//! ```
//!
//! # Receiving
//!
//! A message goes to the handler and the listeners, on the event loop: while they run, nothing else
//! is received. Without any it waits for [`messages()`]. When more than 1 MiB of one channel waits, SCTP's flow
//! control holds the peer back **on all channels of the connection**, until a quarter is left, for
//! an association has one window for all. So:
//!
//! - Read every channel, or close those that nobody reads.
//! - Handlers that pass messages on to an unbounded queue have taken them: the peer is not held
//!   back, and the queue grows. Use [`messages()`], which a task reads when it has time, or a
//!   bounded queue with `try_send` that drops what is too much.
//! - For values that grow old, such as positions, make the channel unreliable, with a life for its
//!   messages: `RTCDataChannelInit { ordered: false, max_packet_life_time: Some(100), .. }`. That
//!   counts the time in the queue, too. `max_retransmits: Some(0)` does not: while the path is gone
//!   values wait to be sent for the first time, and come in one burst when it is back.
//!
//! # Media
//!
//! [Packets of RTP](super::media) are never held back: a picture that comes late is of no use. A
//! reader of [`packets()`] that leaves more than 512 unread loses the oldest; `TrackSource::send()`
//! never waits, and a network that is behind loses the oldest too.
//!
//! [`send()`]: crate::RTCDataChannel::send
//! [`buffered_amount()`]: crate::RTCDataChannel::buffered_amount
//! [threshold]: crate::RTCDataChannel::set_buffered_amount_low_threshold
//! [`priority`]: crate::RTCDataChannelInit::priority
//! [`max_message_size()`]: crate::RTCSctpTransport::max_message_size
//! [`into_stream()`]: crate::RTCDataChannel::into_stream
//! [`messages()`]: crate::RTCDataChannel::messages
//! [`failed()`]: crate::RTCPeerConnection::failed
//! [`packets()`]: crate::MediaStreamTrack::packets
