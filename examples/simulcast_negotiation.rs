//! Three layers of simulcast, of which a server takes two; its own offer to take three; and what
//! `getParameters()` and `setParameters()` make of it. The calls, and a server made by editing
//! descriptions, are in `src/samples/simulcast_negotiation.rs`.
//!
//! ```text
//! cargo run --release --example simulcast_negotiation [-- OPTIONS]
//! ```
//!
//! `-- --help` shows the options.

use std::process::ExitCode;

use examples::samples::simulcast_negotiation::run;
use examples::samples::{Arguments, loopback, show};

const USAGE: &str = "\
cargo run --release --example simulcast_negotiation [-- OPTIONS]
  --json              print what came of it alone, as one JSON object
  --help              this text";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse(USAGE, &[]);
    show(arguments, async |_, transcript| run(loopback, transcript).await).await
}
