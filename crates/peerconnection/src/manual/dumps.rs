//! Dumps: what a connection did, for the tools that people have for browsers, and as a drawing.
//!
//! Chromium's page `chrome://webrtc-internals` writes a file, and tools read it. A connection writes
//! the same file, if [an option](crate::TokioOptions::dump) lets it remember what it does:
//!
//! ```
//! use std::time::Duration;
//! use peerconnection::*;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dump = DumpOptions::default().with_statistics_every(Duration::from_secs(1));
//! let options = TokioOptions::default().with_dump(dump);
//! let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
//!
//! /// Call this when a user reports that something was wrong.
//! fn write_dump(pc: &RTCPeerConnection, file: &std::path::Path) -> std::io::Result<()> {
//!     match pc.dump() {
//!         Some(dump) => std::fs::write(file, dump.to_string()),
//!         None => Ok(()),
//!     }
//! }
//! # let file = std::env::temp_dir().join(format!("dump-{}.txt", std::process::id()));
//! # write_dump(&pc, &file)?;
//! # assert!(std::fs::read_to_string(&file)?.contains("PeerConnections"));
//! # std::fs::remove_file(&file)?;
//! # Ok(()) }
//! ```
//!
//! One file has several connections if their dumps are [collected](crate::Dump). Another host than
//! tokio calls [`Driver::set_dump`](crate::host::Driver::set_dump), and a test with the testkit
//! `World::set_dump`, to write the dump where a test fails.
//!
//! # What is in it
//!
//! | | |
//! |---|---|
//! | the log | calls with their arguments, outcomes and errors; the events of the connection, of its transports and channels |
//! | statistics | each member of each object as a series, and bits, packets and messages a second |
//! | not in it | what messages and packets contain; user names and credentials of servers; ICE passwords, which are replaced |
//!
//! **The addresses of both peers are in it**, and the labels of channels: treat it as a log.
//!
//! The log has at most [a megabyte](crate::DumpOptions::log_bytes), and the oldest lines go. There
//! are at most [1,000 samples](crate::DumpOptions::samples) of statistics. A sample costs what
//! `get_stats()` does, some microseconds. Without the option nothing is remembered.
//!
//! # Who reads it
//!
//! - The importer and the extractor of features of [rtcstats](https://github.com/rtcstats/rtcstats):
//!   log, candidate grid, graphs. The format is that of Chromium 156; importers that were made for a
//!   much older one do not read it.
//! - The example `timeline` of the repository, which draws states, pairs, candidates, calls,
//!   restarts, throughput and gaps as SVG: `cargo run --release --example timeline dump.txt > out.svg`.
//!   It reads what Chromium writes as well, so that both ends can be compared.
//!
//! What Chromium does not log has names of its own, which begin with the object:
//! `iceTransport.onselectedcandidatepairchange`, `dtlsTransport.onstatechange`,
//! `sctpTransport.onstatechange`, `dataChannel.onstatechange`. Tools show them as they are.
//!
//! # Without the option
//!
//! The example draws a [log](super::logs), too, if it has lines of JSON. That has no calls and no
//! throughput, but needs no option of the connection. All examples write such lines with
//! `LOG_FORMAT=json`, an application with the feature `json` of `tracing-subscriber`:
//!
//! ```text
//! tracing_subscriber::fmt().json().with_env_filter("peerconnection::event=debug").init();
//! ```
