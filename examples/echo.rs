//! What a page sends comes back.
//!
//! ```text
//! cargo run --release --example echo [-- --host ADDRESS --port PORT --udp-port PORT]
//! ```
//!
//! Open the printed URL and press the button. The peer in Rust adds the tracks that it receives to
//! the same connection, as a page would; packets go back as they came, so nothing is decoded.

use std::process::ExitCode;

use examples::pages::{Options, Pages, UnknownRole, exit_code, run};
use peerconnection::{RTCPeerConnection, RTCTrackEvent};

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(serve().await)
}

async fn serve() -> Result<(), String> {
    let Some(options) = Options::parse("echo: what a page sends comes back", 0)? else {
        return Ok(());
    };
    run(Pages::new(&[("/", include_str!("pages/echo.html"))], prepare), &options).await
}

fn prepare(role: &str, pc: &RTCPeerConnection) -> Result<(), UnknownRole> {
    if role != "echo" {
        return Err(UnknownRole);
    }
    pc.on_track(pc.weakly(|pc, event: RTCTrackEvent| {
        // The offer is applied, and not answered yet: the answer says that we send.
        if let Err(error) = pc.add_track(event.track(), event.streams()) {
            eprintln!("addTrack: {error}");
        }
    }));
    Ok(())
}
