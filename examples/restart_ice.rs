//! Two peers connect, talk, and restart ICE in five ways, over real sockets, without losing a
//! message.
//!
//! ```text
//! cargo run --release --example restart_ice [-- OPTIONS]
//!   --signalling-delay MS   how long signalling takes each way (default 50)
//!   --rate N                messages a second, each way (default 1000)
//!   --json                  print the summary alone, as one JSON object
//!   --svg FILE              draw the story as a timeline
//! ```

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use examples::RealStage;
use examples::restart::{Entry, Log, Peers, Settings, draw, run};
use peerconnection::host::{SocketControl, TokioOptions};
use peerconnection::{PerfectNegotiation, RTCConfiguration, RTCPeerConnection};
use testkit::{Side, Signalling, Stage};

const COLUMN: usize = 44;

struct Arguments {
    signalling_delay: Duration,
    rate: u32,
    json: bool,
    svg: Option<String>,
}

impl Arguments {
    fn parse() -> Result<Self, String> {
        let mut arguments = Self {
            signalling_delay: Duration::from_millis(50),
            rate: 1000,
            json: false,
            svg: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--signalling-delay" => {
                    let milliseconds = value()?.parse().map_err(|e| format!("{word}: {e}"))?;
                    arguments.signalling_delay = Duration::from_millis(milliseconds);
                }
                "--rate" => {
                    arguments.rate = value()?.parse().map_err(|e| format!("{word}: {e}"))?;
                }
                "--json" => arguments.json = true,
                "--svg" => arguments.svg = Some(value()?),
                _ => return Err(format!("unknown option {word}")),
            }
        }
        Ok(arguments)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match tell(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn tell(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let sockets = [SocketControl::default(), SocketControl::default()];
    let caller = RTCPeerConnection::with_options(
        RTCConfiguration::default(),
        TokioOptions::loopback().with_sockets(&sockets[0]),
    )?;
    let callee = RTCPeerConnection::with_options(
        RTCConfiguration::default(),
        TokioOptions::loopback().with_sockets(&sockets[1]),
    )?;

    let stage: Arc<dyn Stage> = Arc::new(RealStage { sockets });

    // The same code on both sides.
    let (to_callee, to_caller) = Signalling::pair(&stage, arguments.signalling_delay);
    let impolite = PerfectNegotiation::new(&caller, false);
    let polite = PerfectNegotiation::new(&callee, true);
    let caller_negotiator = impolite.negotiator();
    tokio::spawn(impolite.run(to_callee));
    tokio::spawn(polite.run(to_caller));

    let start = Instant::now();
    let quiet = arguments.json;
    let log = Log::new(start, move |entry| {
        if !quiet {
            print(entry);
        }
    });
    if !quiet {
        println!("{:>8}  {:COLUMN$}{}", "ms", Side::Caller.name(), Side::Callee.name());
    }
    let settings = Settings {
        rate: arguments.rate,
        pause: Duration::from_millis(600),
        patience: Duration::from_secs(20),
    };
    let peers = Peers { caller, callee, caller_negotiator };
    let (report, traffic, failure) = match run(stage, settings, peers, log.clone()).await {
        Ok((report, traffic)) => (report, Some(traffic), None),
        Err((failure, report)) => (report, None, Some(failure)),
    };

    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("\n{report}");
    }
    if let Some(failure) = &failure {
        eprintln!("{failure}");
    }
    if let (Some(file), Some(traffic)) = (&arguments.svg, &traffic) {
        std::fs::write(file, draw(start, &log.entries(), traffic))?;
    }
    Ok(failure.is_none() && report.is_success())
}

/// One event, in the column of its peer.
fn print(entry: &Entry) {
    let milliseconds = entry.at.as_secs_f64() * 1e3;
    let indent = match entry.side {
        Side::Caller => 0,
        Side::Callee => COLUMN,
    };
    println!("{milliseconds:>8.1}  {:indent$}{}", "", entry.text);
}
