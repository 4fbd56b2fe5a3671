//! Which candidates this machine and these servers give, and when: the WebRTC sample "Trickle ICE".
//! The gathering is in `src/samples/trickle_ice.rs`.
//!
//! ```text
//! cargo run --release --example trickle_ice [-- OPTIONS]
//! ```
//!
//! It fails if there is no candidate at all, or if a server gave an error and nothing else; a TURN
//! server, if it gave an error and nothing relayed.

use std::process::ExitCode;
use std::time::Instant;

use examples::samples::{
    Arguments, GATHERING_OPTIONS, SERVER_OPTIONS, Servers, conclude, failed, trickle_ice,
};
use peerconnection::RTCPeerConnection;

const USAGE: &str = "\
cargo run --release --example trickle_ice [-- OPTIONS]
  --server URL        a STUN or TURN server; may be repeated
  --username NAME     for the TURN server before it
  --credential WORD   for the TURN server before it
  --policy NAME       all (the default) or relay
  --pool N            iceCandidatePoolSize, 0 to 255: for how many transports
                      to gather before there is a description
  --authority FILE    the authorities (PEM) that vouch for servers over TLS,
                      instead of those of the system
  --json              print the candidates, errors and servers alone, as one JSON object
  --help              this text";

#[tokio::main]
async fn main() -> ExitCode {
    let options = [&SERVER_OPTIONS[..], &GATHERING_OPTIONS[..]].concat();
    let arguments = match Arguments::parse(USAGE, &options) {
        Ok(arguments) => arguments,
        Err(exit) => return exit.say(),
    };
    examples::show_logged();
    let Servers { configuration, options } = match Servers::of(&arguments) {
        Ok(servers) => servers,
        Err(error) => return failed(&error, 2),
    };
    let pc = match RTCPeerConnection::with_options(configuration, options) {
        Ok(pc) => pc,
        Err(error) => return failed(&error, 2),
    };
    let show = |line: &str| {
        if !arguments.json {
            println!("{line}");
        }
    };
    conclude(trickle_ice::run(pc, Instant::now, show).await, arguments.json)
}
