//! What becomes of offers and answers that are edited between the calls: the WebRTC sample
//! "munge-sdp". Their makers refuse them, the other peers apply them. One call for each edit; the
//! call is in `src/samples/munge_sdp`.
//!
//! ```text
//! cargo run --release --example munge_sdp [-- OPTIONS]
//! ```
//!
//! `-- --help` shows the options.

use std::process::ExitCode;

use examples::samples::munge_sdp::{Edit, edits, run};
use examples::samples::{Arguments, loopback, show};

const USAGE: &str = "\
cargo run --release --example munge_sdp [-- OPTIONS]
  --replace OLD NEW   edit the offer this way instead; \\n is the end of a line
  --json              print what came of it alone, as one JSON object
  --help              this text";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse(USAGE, &[("--replace", 2)]);
    show(arguments, async |arguments, transcript| {
        let own = arguments.options.iter().filter_map(|(_, values)| match &values[..] {
            [old, new] => Some(Edit::replace(old, new)),
            _ => None,
        });
        let mut chosen: Vec<_> = own.collect();
        if chosen.is_empty() {
            chosen = edits();
        }
        run(loopback, chosen, transcript).await
    })
    .await
}
