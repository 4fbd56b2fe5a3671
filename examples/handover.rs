//! Two peers with two interfaces each lose them one after another under a stream of messages. The
//! connection goes on over what is left, without signalling as long as there is anything, and no
//! message is lost. The interfaces are loopback addresses: 127.0.0.1 and 127.0.0.2, which Linux has.
//!
//! ```text
//! cargo run --release --example handover [-- OPTIONS]
//!   --signalling-delay MS   how long signalling takes each way (default 50)
//!   --rate N                messages a second, each way (default 1000)
//!   --json                  print the summary alone, as one JSON object
//!   --svg FILE              draw the story as a timeline
//!   --dump FILE             write what both peers did, for the tools of chrome://webrtc-internals
//!   --help                  this text
//! ```

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use examples::handover::run;
use examples::story::tell;

#[tokio::main]
async fn main() -> ExitCode {
    let interfaces = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2)].map(IpAddr::V4);
    tell("handover", &interfaces, run).await
}
