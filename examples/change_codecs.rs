//! The callee chooses the codec of a call with `setCodecPreferences()`, one call for each codec:
//! the WebRTC sample "change-codecs". The call is in `src/samples/change_codecs.rs`.
//!
//! ```text
//! cargo run --release --example change_codecs [-- OPTIONS]
//! ```
//!
//! `-- --help` shows the options.

use std::process::ExitCode;

use examples::samples::change_codecs::{choices, name, run};
use examples::samples::{Arguments, loopback, show};

const USAGE: &str = "\
cargo run --release --example change_codecs [-- OPTIONS]
  --codec NAME        prefer this one only, for example \"video/VP9 profile-id=2\"
  --json              print the negotiated codecs alone, as one JSON object
  --help              this text";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse(USAGE, &[("--codec", 1)]);
    let mut chosen = choices();
    if let Ok(Arguments { options, .. }) = &arguments
        && let Some((_, values)) = options.last()
    {
        chosen.retain(|codec| values.contains(&name(codec)));
        if chosen.is_empty() {
            eprintln!("this codec cannot be received; there are");
            choices().iter().for_each(|codec| eprintln!("    {}", name(codec)));
            return ExitCode::from(2);
        }
    }
    show(arguments, async |_, transcript| run(loopback, chosen, transcript).await).await
}
