//! Two peers that may use nothing but a TURN server: which pair they select, what gets through, and
//! whether any other address is shown. The call is in `src/samples/relay_only`.
//!
//! ```text
//! cargo run --release --example relay_only -- --server URL --username NAME --credential WORD
//! ```
//!
//! The URL decides how the server is reached: `turn:HOST` over UDP, `turn:HOST?transport=tcp` over
//! TCP, `turns:HOST` over TLS. It fails if a message is lost or a host address is shown.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use examples::RealStage;
use examples::samples::{Arguments, SERVER_OPTIONS, Servers, failed, relay_only, show_within};
use peerconnection::{RTCIceTransportPolicy, RTCPeerConnection};

const USAGE: &str = "\
cargo run --release --example relay_only -- --server URL [OPTIONS]
  --server URL        the TURN server; may be repeated
  --username NAME     for the server before it
  --credential WORD   for the server before it
  --authority FILE    the authorities (PEM) that vouch for servers over TLS,
                      instead of those of the system
  --seconds N         how long throughput is measured, 3 by default; 0: not at all
  --json              print what came of it alone, as one JSON object
  --help              this text";

/// What somebody without a server needs.
const NO_SERVER: &str = "\
a TURN server is needed: --server URL --username NAME --credential WORD
coturn on this machine: turnserver -n --no-cli --no-tls --no-dtls --lt-cred-mech \
--realm=example.org --user=alice:wonder --listening-ip=127.0.0.1 --relay-ip=127.0.0.1 \
--allow-loopback-peers
then: --server turn:127.0.0.1 --username alice --credential wonder";

#[tokio::main]
async fn main() -> ExitCode {
    let options = [&SERVER_OPTIONS[..], &[("--seconds", 1)]].concat();
    let arguments = match Arguments::parse(USAGE, &options) {
        Ok(arguments) => arguments,
        Err(exit) => return exit.say(),
    };
    if !arguments.has("--server") {
        return failed(&NO_SERVER, 2);
    }
    let seconds = arguments.value("--seconds").unwrap_or("3");
    let seconds = match seconds.parse() {
        Ok(seconds) => seconds,
        Err(error) => return failed(&format!("--seconds {seconds}: {error}"), 2),
    };
    let Servers { mut configuration, options } = match Servers::of(&arguments) {
        Ok(servers) => servers,
        Err(error) => return failed(&error, 2),
    };
    configuration.ice_transport_policy = RTCIceTransportPolicy::Relay;
    let connection = || RTCPeerConnection::with_options(configuration.clone(), options.clone());
    let pair = match (connection(), connection()) {
        (Ok(pc1), Ok(pc2)) => [pc1, pc2],
        (Err(error), _) | (_, Err(error)) => return failed(&error, 2),
    };
    let measured = Duration::from_secs(seconds);
    let patience = Duration::from_secs(60).saturating_add(measured);
    show_within(patience, Ok(arguments), async |_, transcript| {
        relay_only::run(pair, measured, Arc::new(RealStage::default()), transcript).await
    })
    .await
}
