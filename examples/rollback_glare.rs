//! Both peers offer at once and one gives way, by hand: with an implicit rollback, with an explicit
//! one, and with one between which and the offer other things happen, side by side. After the WebRTC sample "perfect-negotiation";
//! the calls are in `src/samples/rollback_glare.rs`.
//!
//! ```text
//! cargo run --release --example rollback_glare [-- OPTIONS]
//! ```
//!
//! `-- --help` shows the options.

use std::process::ExitCode;

use examples::samples::{Arguments, loopback, rollback_glare, show};

const USAGE: &str = "\
cargo run --release --example rollback_glare [-- OPTIONS]
  --json              print what came of it alone, as one JSON object
  --help              this text";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse(USAGE, &[]);
    show(arguments, async |_, transcript| rollback_glare::run(loopback, transcript).await).await
}
