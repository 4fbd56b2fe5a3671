//! What `signalingState`, `iceConnectionState` and `connectionState` of two peers go through
//! during a call and its hangup: the WebRTC sample "states". The call is in `src/samples/states.rs`.
//!
//! ```text
//! cargo run --release --example states [-- OPTIONS]
//! ```
//!
//! `-- --help` shows the options.

use std::process::ExitCode;

use examples::samples::{Arguments, loopback, show, states};

const USAGE: &str = "\
cargo run --release --example states [-- OPTIONS]
  --json              print the states alone, as one JSON object
  --help              this text";

#[tokio::main]
async fn main() -> ExitCode {
    show(Arguments::parse(USAGE, &[]), async |_, transcript| {
        states::run(loopback()?, transcript).await
    })
    .await
}
