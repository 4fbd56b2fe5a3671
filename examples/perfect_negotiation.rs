//! Two peers that run the same code and change what they send at the same time, again and again:
//! the WebRTC sample "perfect-negotiation". The peers are in `src/samples/perfect_negotiation`,
//! the pattern itself in the crate, as `PerfectNegotiation`.
//!
//! ```text
//! cargo run --release --example perfect_negotiation [-- OPTIONS]
//! ```
//!
//! `-- --help` shows the options.

use std::process::ExitCode;

use examples::samples::perfect_negotiation::run;
use examples::samples::{Arguments, Exit, Peer, loopback, show};

fn parse() -> Result<(Arguments, Peer, usize), Exit> {
    let arguments = Arguments::parse(USAGE, &[("--polite", 1), ("--rounds", 1)])?;
    let (mut polite, mut rounds) = (Peer::Pc2, 10);
    for (name, values) in &arguments.options {
        let value = values.concat();
        if name == "--rounds" {
            rounds = value
                .parse()
                .map_err(|error| Exit::wrong(format!("{name} {value}: {error}"), USAGE))?;
        } else {
            polite = Peer::BOTH
                .into_iter()
                .find(|peer| peer.name() == value)
                .ok_or_else(|| Exit::wrong(format!("--polite {value}: pc1 or pc2"), USAGE))?;
        }
    }
    Ok((arguments, polite, rounds))
}

const USAGE: &str = "\
cargo run --release --example perfect_negotiation [-- OPTIONS]
  --polite pc1|pc2    who gives way (default pc2)
  --rounds N          how often both change something at once (default 10)
  --json              print the counts alone, as one JSON object
  --help              this text";

#[tokio::main]
async fn main() -> ExitCode {
    let (arguments, polite, rounds) = match parse() {
        Ok((arguments, polite, rounds)) => (Ok(arguments), polite, rounds),
        Err(error) => (Err(error), Peer::Pc2, 0),
    };
    show(arguments, async |_, transcript| run(loopback()?, polite, rounds, transcript).await).await
}
