//! Logs: what `tracing` shows, and how to read it.
//!
//! The library reports with the crate [`tracing`](https://docs.rs/tracing), and shows nothing by
//! itself: the application installs a subscriber. Usually that is `tracing-subscriber`, with two
//! lines in its `Cargo.toml` and in `main`:
//!
//! ```text
//! tracing-subscriber = { version = "0.3", features = ["env-filter"] }
//!
//! tracing_subscriber::fmt::init();
//! ```
//!
//! Then the environment variable `RUST_LOG` says what is shown. All examples of the repository
//! listen to it: `RUST_LOG=peerconnection=debug cargo run --example data_channel`.
//!
//! # Spans
//!
//! Each line is in the span of its connection. The first connection of a process has the `id` 1.
//! The span is a child of the span in which the connection was made, so name calls by a span of the
//! application's own. Lines about one transport, that is about candidates, checks, timers and ICE
//! restarts, are in its span within. A line about a channel has its `label` and `id`.
//!
//! ```
//! # use peerconnection::*;
//! # use std::io::{self, Write};
//! # use std::sync::{Arc, Mutex};
//! # #[derive(Clone, Default)]
//! # struct Shown(Arc<Mutex<Vec<u8>>>);
//! # impl Write for Shown {
//! #     fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
//! #         self.0.lock().unwrap().write(octets)
//! #     }
//! #     fn flush(&mut self) -> io::Result<()> { Ok(()) }
//! # }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
//! # let shown = Shown::default();
//! # let writer = shown.clone();
//! # let _installed = tracing::subscriber::set_default(
//! #     tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time()
//! #         .with_env_filter("info,peerconnection::event=debug").finish(),
//! # );
//! let pc = {
//!     let _call = tracing::info_span!("call", with = "alice").entered();
//!     RTCPeerConnection::new(RTCConfiguration::default())?
//! };
//! pc.create_data_channel("chat", None)?;
//! pc.set_local_description(None).await?;
//! pc.gathering_complete().await?;
//! pc.close();
//! # let shown = String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
//! # print!("{shown}");
//! # for line in [
//! #     "call{with=\"alice\"}:connection{id=1}: peerconnection::event: gatheringstatechange of ICE transport=1 state=gathering",
//! #     "call{with=\"alice\"}:connection{id=1}: peerconnection::event: signalingstatechange state=have-local-offer",
//! #     "call{with=\"alice\"}:connection{id=1}: peerconnection::event: icecandidate candidate=",
//! #     "call{with=\"alice\"}:connection{id=1}: peerconnection::event: icegatheringstatechange state=complete",
//! # ] {
//! #     assert!(shown.contains(line), "{line} is missing");
//! # }
//! # Ok(()) }
//! ```
//!
//! With `RUST_LOG=info,peerconnection::event=debug` this shows, without its times:
//!
//! ```text
//! DEBUG call{with="alice"}:connection{id=1}: peerconnection::event: signalingstatechange state=have-local-offer
//! DEBUG call{with="alice"}:connection{id=1}: peerconnection::event: gatheringstatechange of ICE transport=1 state=gathering
//! DEBUG call{with="alice"}:connection{id=1}: peerconnection::event: icegatheringstatechange state=gathering
//! DEBUG call{with="alice"}:connection{id=1}: peerconnection::event: icecandidate candidate="candidate:… typ host …"
//! DEBUG call{with="alice"}:connection{id=1}: peerconnection::event: icegatheringstatechange state=complete
//! ```
//!
//! # Levels
//!
//! | level | what |
//! |---|---|
//! | `error` | a panic in a handler or a reaction; what should never happen |
//! | `warn` | something that the developer or the user can mend: an option without effect, a server that gives nothing, connections that hold each other, DTLS that failed |
//! | `debug` | each event of the specification as it is fired; decisions; what came from outside and was refused, and why |
//! | `trace` | what happens many times a second: checks, stray datagrams |
//!
//! Nothing is shown for a packet that is as it should be, at no level. What comes from a peer may
//! make lines without end at `debug`: do not leave that on where strangers connect.
//!
//! # Targets
//!
//! | target | what |
//! |---|---|
//! | `peerconnection::event` | the spans, and the events in the words of the specification: begin here |
//! | `peerconnection::host` | sockets, interfaces, names |
//! | `peerconnection_negotiation`, `peerconnection_sdp` | offers and answers |
//! | `peerconnection_ice`, `…_turn`, `…_mdns` | candidates, checks, servers, names |
//! | `peerconnection_dtls`, `…_data`, `…_media`, `…_transport` | what goes over the path |
//!
//! `RUST_LOG` compares beginnings, so `peerconnection=debug` is all of them.
//!
//! A log with lines of JSON can be [drawn](super::dumps#without-the-option).
//!
//! If a connection does not come about, set `RUST_LOG=peerconnection=debug` on both sides.
//! Look for the first of these that is missing:
//!
//! 1. `signalingstatechange` to `stable` on both sides: without it signalling is at fault.
//! 2. `icecandidate` on both sides, of the type that should work.
//! 3. `statechange of ICE` to `connected`: without it no pair works. See the
//!    [firewalls](super::networks#ports-and-firewalls).
//! 4. `statechange of DTLS` to `connected`: without it the fingerprints differ, so a description
//!    was changed on its way, or belongs to another connection.
//! 5. `statechange of SCTP` to `connected`, and `channel` with `state=open`.
