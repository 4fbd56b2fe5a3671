//! Recording: reporting a bug is one file.
//!
//! A connection that went wrong at a user's, once, on a network that is gone, is hard to describe and
//! harder to repeat. A connection that is *recorded* can be repeated as often as one likes, on
//! another machine and under a debugger: the same calls, datagrams and timers, in the same order, at
//! the same times. It takes no network, and no longer than computing takes.
//!
//! # To record
//!
//! A recording belongs to one connection. Without one nothing is written and nothing is slower.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use peerconnection::recording::Recording;
//! use peerconnection::{RTCConfiguration, RTCPeerConnection, TokioOptions};
//!
//! # let folder = std::env::temp_dir().join(format!("manual-recording-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let file = folder.join("call.jsonl");
//! // Up to 16 MiB; 64 MiB by default.
//! let recording = Recording::to_file(&file)?.with_limit(16 << 20);
//! let options = TokioOptions::default().with_recording(&recording);
//! let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
//! # pc.create_data_channel("chat", None)?;
//!
//! // When the user says that something is wrong: the file has everything up to now.
//! recording.flush()?;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Recording::new`](crate::recording::Recording::new) takes any sink, such as a pipe to a
//! compressor. While a connection is recorded, each call of
//! [`send`](crate::RTCDataChannel::send) waits until the connection has done what it is at, and all
//! that is received is written a third larger. That costs a part of the throughput; calls and control
//! do not feel it.
//!
//! Of **media** a recording has each packet, sent or received, without its payload: when it came or
//! went, its header, how long it was, and all that RTCP says. A packet takes less than
//! 750 bytes, however long it is, with all that the event loop does for it. So 64 MiB hold some 90,000
//! packets: five minutes with 300 a second. Set a limit that fits.
//!
//! # To replay
//!
//! The program `peerconnection-replay`, from the crate of that name, prints what happens: calls, the
//! network, events, outcomes of promises with their descriptions, each with the time in seconds.
//!
//! ```text
//! $ peerconnection-replay call.jsonl
//!       0.000000  call      createDataChannel "chat"
//!       0.000000  event     negotiationneeded
//!       …
//!       0.080214  receives  96 octets from 203.0.113.7:50011 on socket 1: a request of STUN
//!       0.080214  sends     64 octets to 203.0.113.7:50011 on socket 1: STUN
//!       …
//! 1203 steps as recorded; the recording ends with the connection: closed, closed
//! ```
//!
//! **The code of the library runs again**, from the negotiation down to SCTP, so whatever helps with a
//! running program helps here: a debugger, another log level (`RUST_LOG=peerconnection=trace` although
//! nothing was logged at the time), a line of code added to see more. Only the cryptography of DTLS
//! and SRTP does not run: what it gave is in the file.
//!
//! If the library does something else than the recording has, the program says at which line of
//! the file, and exits with 1. That is how a fix is seen to change what it should change, and
//! nothing before. In a program of one's own, [`Replay`](crate::replay::Replay) gives the steps,
//! and [`statistics`](crate::replay::Replay::statistics) at any of them. Counters of RTP streams
//! are in the recording whenever statistics were asked for and at the end, and must come out the
//! same.
//!
//! # To send it to somebody
//!
//! A recording has passwords, addresses and everything that data channels carried in it.
//!
//! ```text
//! $ peerconnection-replay --redact report.jsonl call.jsonl
//! report.jsonl: replays as it should; the recording ends with the connection
//! ```
//!
//! The copy replays to the same events, states and counters of packets, at the same times.
//! [`redact`](crate::replay::redact) lists what is gone and what is not: among what stays are
//! the labels of channels, and the lengths of messages and of packets, which say when somebody
//! spoke. No recording has the private key of a certificate, a key of SRTP, or a payload of media.
//!
//! # What cannot be recorded
//!
//! - **Payloads of media.** A decoder or an encoder cannot be tested with a recording. The
//!   counters of [media sources](crate::RTCMediaSourceStats) are not in a replay: tracks count
//!   what they give before a connection gets it.
//! - **What happens between calls**: threads, the application's own state, and how long handlers
//!   took. The recording has what the connection was told, in the order in which it was told.
//! - **Reports of [`get_stats`](crate::RTCPeerConnection::get_stats)** are made again, and are not
//!   compared.
//! - A recording is for the version of the library that wrote it. Another one may do the same in
//!   another order, and the replay ends there.
