//! Limits: how much of anything, and what happens beyond.
//!
//! A peer may send anything, so everything that it can make grow has a bound. Most programs never
//! meet one. What a call refuses is an [`Error`](crate::Error); what comes from the peer is refused
//! or dropped as the table says, and `tracing` reports it at debug level.
//!
//! | what | how much | beyond |
//! |---|---|---|
//! | message that is sent | what the peer's description says, 64 KiB if it says nothing, 16 MiB at most | `TypeError` |
//! | message that is received | 256 KiB, as our descriptions say | its channel closes with an error |
//! | bytes queued on a channel | 16 MiB | `OperationError` |
//! | bytes sent and not confirmed by the peer | what the peer's window allows, 8 MiB if it is this library | they wait in the queues |
//! | bytes received and not read | 1 MiB on a channel | the peer is [held back](super::backpressure#receiving), on all of them |
//! | bytes received that wait for others before them | 1 MiB, up to 8 MiB on a long and fast path | dropped, and sent again by the peer |
//! | messages of the peer that have come in part, interleaved | 16 MiB | the association ends with an error |
//! | channels | ids 0 to 65,534; [`max_channels()`](crate::RTCSctpTransport::max_channels) | `OperationError` |
//! | label, protocol of a channel | 65,535 bytes each | `TypeError` |
//! | events left unread in [`events()`](crate::RTCPeerConnection::events) | 1,024 | the oldest are lost, and [`Lagged`](crate::Lagged) says how many |
//! | events kept for a handler that was never set | 256 of a kind with content, 1 of a kind without | the oldest are lost |
//! | packets left unread in [`packets()`](crate::MediaStreamTrack::packets) | 512 | the oldest are lost |
//! | description | 4 MiB, 100,000 lines of 64 KiB, 4,096 sections | refused |
//! | transports | 512 | the description is refused |
//! | candidates of the peer in a section | 1,000 | refused |
//! | sources of RTP in a section | 64 | not told apart from those before |
//! | requests of a peer for key frames of a layer | one in 300 ms | the next one waits, further ones are one with it |
//! | frame that a [`Depacketizer`](crate::payload::Depacketizer) puts together | 16 MiB | an error |
//! | servers | 32 | the first 32 are used |
//! | `iceCandidatePoolSize` | 16 | taken for 16 |
//! | memory of what waits for a connection on a [shared port](crate::UdpMux) | 2 MiB, 256 KiB of it from addresses that are new | dropped |
//! | addresses of peers that lead to one socket on a shared port | 64 | that without an authentic check for longest leads there no more |
//! | `.local` names of the peer | 32 for each gathering | not resolved |
//!
//! The machine has limits of its own. A transport takes one UDP socket and one TCP listener for
//! each address, twice as many during an ICE restart: a thousand connections on a machine with two
//! addresses take 4,000 descriptors. `ulimit -n` shows how many a process may have. On a [shared
//! port](super::networks#one-port-for-many-connections) all of them take one.
//!
//! ```
//! # use peerconnection::*;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
//! let too_long = "x".repeat(65_536);
//! assert_eq!(pc.create_data_channel(&too_long, None).unwrap_err().name(), "TypeError");
//! # Ok(()) }
//! ```
//!
//! What is not supported at all, and where the specification was left on purpose, is in
//! [deviations.md](https://github.com/peerconnection/peerconnection/blob/main/spec-notes/deviations.md).
