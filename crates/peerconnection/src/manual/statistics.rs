//! Statistics: answers that `getStats()` has, and rates from its counters.
//!
//! [`get_stats()`] gives a [report](crate::RTCStatsReport): a snapshot of dictionaries by id, as
//! webrtc-stats has them, with the same members in Rust's case. Printed, it is one object a line.
//! With `serde` it is the JSON that a page would get, so that tools for browsers read it. A report
//! costs microseconds: once a second is fine, in every handler is not.
//!
//! | question | where |
//! |---|---|
//! | which path is in use? | `transports()`: `selected_candidate_pair_id`, then its candidates: [an example](crate::RTCStatsReport) |
//! | over a relay? | that local candidate's `candidate_type` is `relay` |
//! | the round trip | the pair's `current_round_trip_time`, in seconds: of the last check, every 4 to 6 s |
//! | is the path alive? | the pair's `last_packet_received_timestamp`: the round trip stays as it was |
//! | how fast? | differences of the `bytes_…` of `transports()` |
//! | how often did the path change? | `selected_candidate_pair_changes` |
//! | what is lost of media? | `inbound_rtp()`: `packets_lost`; `remote_inbound_rtp()`: what the peer lost |
//! | messages of a channel | `data_channels()` |
//! | which version of DTLS, and which cipher? | `transports()`: `tls_version`, `dtls_cipher`, `tls_group` |
//! | why did it not connect? | `candidate_pairs()`: `requests_sent` without `responses_received` is a firewall |
//!
//! Counters never go back, and count from the beginning. A rate is the difference of two reports,
//! over the difference of their timestamps, which are in milliseconds and do not jump if the
//! machine's date is changed:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/connected.rs"));
//! use peerconnection::RTCStatsReport;
//!
//! /// Bits that were sent in a second between two reports, over all transports.
//! fn rate(earlier: &RTCStatsReport, later: &RTCStatsReport) -> f64 {
//!     let rates = later.transports().filter_map(|now| {
//!         let before = earlier.get(&now.id)?.as_transport()?;
//!         let bytes = now.bytes_sent - before.bytes_sent;
//!         Some(bytes as f64 * 8.0 / ((now.timestamp - before.timestamp) / 1000.0))
//!     });
//!     rates.sum()
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut channel = None;
//! # let (pc, _peer) = connected(|pc| {
//! #     channel = Some(pc.create_data_channel("chat", None).unwrap());
//! # }).await?;
//! # let channel = channel.unwrap();
//! # channel.opened().await?;
//!
//! let earlier = pc.get_stats(None).await?;
//! channel.send(vec![0; 50_000])?;
//! tokio::time::sleep(std::time::Duration::from_millis(100)).await;
//! let later = pc.get_stats(None).await?;
//! assert!(rate(&earlier, &later) > 0.0);
//!
//! // For a file, or a dashboard.
//! let json = serde_json::to_string(&later)?;
//! assert!(json.contains("\"selectedCandidatePairId\""));
//! # Ok(()) }
//! ```
//!
//! Series through time, in a file that the tools of browsers draw, are in a [dump](super::dumps).
//!
//! An object that has gone takes its statistics with it: a channel that is closed, the pairs of a
//! generation before an ICE restart. After [`close()`] the report says how it was last.
//!
//! The dictionaries lack what only an encoder or a decoder could count.
//!
//! [`get_stats()`]: crate::RTCPeerConnection::get_stats
//! [`close()`]: crate::RTCPeerConnection::close
