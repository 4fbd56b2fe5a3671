//! Prints figures of peerconnection over loopback UDP: `cargo run --release -p bench`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use bench::machine;
use bench::measures::{self, Measure, crowd};

const HELP: &str = "\
usage: bench [--json] [MEASURE ..]

  --json    one JSON object a line instead of a table

Both peers run in this process, on the loopback interface. PAIRS=N sets the number of pairs of
`idle` (200). The peers of `idle10k` are in a process of their own; CONNECTIONS=N sets their number
(10,000). `relay` starts a coturn, or uses the server of TURN=user:password@address:port, whose
process is TURN_PID; one peer goes through it, with RELAY=both both do. `link` has the link of
LINK=\"ROUND_TRIP LOSS RATE QUEUE\" (ms, percent, Mbit/s, ms) or six of them, and the controller
CONTROL=newreno, cubic or bbr. Without names, all measures but `link`, `relay`, `scaling`, `fanout`,
`idle10k`, `idlemedia` and `mux64` are taken.
";

#[tokio::main]
async fn main() -> ExitCode {
    let mut json = false;
    let mut chosen: Vec<Measure> = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => json = true,
            crowd::PEERS => {
                machine::raise_descriptor_limit();
                return match crowd::answer_offers().await {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => {
                        eprintln!("{error}");
                        ExitCode::FAILURE
                    }
                };
            }
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
