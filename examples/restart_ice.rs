//! Two peers connect, talk, and restart ICE in five ways, over real sockets, without losing a
//! message.
//!
//! ```text
//! cargo run --release --example restart_ice [-- OPTIONS]
//!   --signalling-delay MS   how long signalling takes each way (default 50)
//!   --rate N                messages a second, each way (default 1000)
//!   --json                  print the summary alone, as one JSON object
//!   --svg FILE              draw the story as a timeline
//!   --dump FILE             write what both peers did, for the tools of chrome://webrtc-internals
//!   --help                  this text
//! ```

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use examples::restart::run;
use examples::story::tell;

#[tokio::main]
async fn main() -> ExitCode {
    tell("restart_ice", &[IpAddr::V4(Ipv4Addr::LOCALHOST)], run).await
}
