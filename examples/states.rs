//! What `signalingState`, `iceConnectionState` and `connectionState` of two peers go through
//! during a call and its hangup: the WebRTC sample "states". The call is in `src/samples/states.rs`.
//!
//! ```text
//! cargo run --release --example states [-- --json]
//! ```

use std::process::ExitCode;

use examples::samples::{Arguments, loopback, show, states};

#[tokio::main]
async fn main() -> ExitCode {
    show(Arguments::parse(&[]), async |_, transcript| states::run(loopback()?, transcript).await)
        .await
}
