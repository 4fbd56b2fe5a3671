//! Both peers offer at once and one gives way, by hand: with an explicit rollback, chained or
//! awaited, and with an implicit one, side by side. After the WebRTC sample "perfect-negotiation";
//! the calls are in `src/samples/rollback_glare.rs`.
//!
//! ```text
//! cargo run --release --example rollback_glare [-- --json]
//! ```

use std::process::ExitCode;

use examples::samples::{Arguments, loopback, rollback_glare, show};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse(&[]);
    show(arguments, async |_, transcript| rollback_glare::run(loopback, transcript).await).await
}
