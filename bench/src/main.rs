//! Prints figures of peerconnection over loopback UDP: `cargo run --release -p bench`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use bench::machine;
use bench::measures::{self, Measure};

const HELP: &str = "\
usage: bench [--json] [MEASURE ..]

  --json    one JSON object a line instead of a table

Both peers run in this process, on the loopback interface. PAIRS=N sets the number of pairs of
`idle` (200). `relay` starts a coturn, or uses the server of TURN=user:password@address:port, whose
process is TURN_PID; one peer goes through it, with RELAY=both both do. Without names, all measures
but `relay` and `scaling` are taken.
";

#[tokio::main]
async fn main() -> ExitCode {
    let mut json = false;
    let mut chosen: Vec<Measure> = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => json = true,
            "--help" | "-h" => {
                print!("{HELP}");
                print_names();
                return ExitCode::SUCCESS;
            }
            name => match measures::ALL.iter().find(|measure| measure.name == name) {
                Some(measure) => chosen.push(*measure),
                None => {
                    eprintln!("no measure is called {name}");
                    print_names();
                    return ExitCode::from(2);
                }
            },
        }
    }
    if chosen.is_empty() {
        chosen.extend(measures::ALL.iter().filter(|measure| measure.by_default));
    }
    machine::raise_descriptor_limit();
    for measure in chosen {
        // On a worker, as an application's tasks run.
        match tokio::spawn((measure.take)()).await {
            Ok(Ok(figures)) => {
                for figure in figures {
                    if json { println!("{}", figure.to_json()) } else { println!("{figure}") }
                }
            }
            Ok(Err(error)) => {
                eprintln!("{}: {error}", measure.name);
                return ExitCode::FAILURE;
            }
            Err(error) => {
                eprintln!("{}: {error}", measure.name);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn print_names() {
    println!("measures:");
    for measure in measures::ALL {
        println!("  {:<10}{}", measure.name, measure.what);
    }
}
