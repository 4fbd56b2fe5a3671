//! A story on a terminal, over real sockets on this machine.

use std::fmt::Display;
use std::net::IpAddr;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use peerconnection::host::{SocketControl, TokioOptions};
use peerconnection::{
    Dump, DumpOptions, Error, PerfectNegotiation, RTCConfiguration, RTCPeerConnection,
};
use testkit::{Side, Signalling, Stage};

use super::{Entry, Failure, Log, Peers, Settings, Traffic, draw};
use crate::RealStage;
use crate::samples::{Report, failed};

const COLUMN: usize = 44;
/// How often a dump has statistics. A story is short.
const SAMPLING: Duration = Duration::from_millis(100);

const OPTIONS: &str = "  --signalling-delay MS   how long signalling takes each way (default 50)
  --rate N                messages a second, each way (default 1000)
  --json                  print the summary alone, as one JSON object
  --svg FILE              draw the story as a timeline
  --dump FILE             write what both peers did, for the tools of chrome://webrtc-internals
  --help                  this text";

/// What a story comes to.
pub type Told<R> = Result<(R, [Traffic; 2]), (Failure, R)>;

/// The command line of a story.
struct Arguments {
    signalling_delay: Duration,
    rate: u32,
    json: bool,
    svg: Option<String>,
    dump: Option<String>,
}

impl Arguments {
    /// Reads the options of this process. Nothing if it is asked for help.
    fn parse() -> Result<Option<Self>, String> {
        let mut arguments = Self {
            signalling_delay: Duration::from_millis(50),
            rate: 1000,
            json: false,
            svg: None,
            dump: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--signalling-delay" => {
                    let milliseconds = number(&word, &value()?)?;
                    arguments.signalling_delay = Duration::from_millis(milliseconds);
                }
                "--rate" => {
                    arguments.rate = number(&word, &value()?)?;
                }
                "--json" => arguments.json = true,
                "--svg" => arguments.svg = Some(value()?),
                "--dump" => arguments.dump = Some(value()?),
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown option {word}")),
            }
        }
        Ok(Some(arguments))
    }
}

fn number<T: FromStr<Err: Display>>(option: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{option} {text}: {error}"))
}

/// Tells the story of an example with the options of the command line, between two peers that both have these
/// addresses. Shows events as they happen, then the report. Fails if it is no success.
pub async fn tell<R: Report>(
    example: &str,
    addresses: &[IpAddr],
    story: impl AsyncFnOnce(Arc<dyn Stage>, Settings, Peers, Log) -> Told<R>,
) -> ExitCode {
    let usage = format!("cargo run --release --example {example} [-- OPTIONS]\n{OPTIONS}");
    let arguments = match Arguments::parse() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{usage}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&format!("{error}\n{usage}"), 2),
    };
    crate::show_logged();
    match tell_with(&arguments, addresses, story).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&error, 1),
    }
}

async fn tell_with<R: Report>(
    arguments: &Arguments,
    addresses: &[IpAddr],
    story: impl AsyncFnOnce(Arc<dyn Stage>, Settings, Peers, Log) -> Told<R>,
) -> Result<bool, Box<dyn std::error::Error>> {
    let sockets = [SocketControl::default(), SocketControl::default()];
    let connection = |sockets: &SocketControl| -> Result<RTCPeerConnection, Error> {
        let mut options = TokioOptions::loopback().with_sockets(sockets);
        options.addresses = Some(addresses.to_vec());
        if arguments.dump.is_some() {
            options = options.with_dump(DumpOptions::default().with_statistics_every(SAMPLING));
        }
        RTCPeerConnection::with_options(RTCConfiguration::default(), options)
    };
    let (caller, callee) = (connection(&sockets[0])?, connection(&sockets[1])?);
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
    let dumped = [caller.clone(), callee.clone()];
    let peers = Peers { caller, callee, caller_negotiator };
    let (report, traffic, failure) = match story(stage, settings, peers, log.clone()).await {
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
        write(file, &draw(start, &log.entries(), traffic))?;
    }
    if let Some(file) = &arguments.dump {
        write(file, &dumped.iter().filter_map(RTCPeerConnection::dump).collect::<Dump>())?;
    }
    Ok(failure.is_none() && report.is_success())
}

fn write(file: &str, content: &impl Display) -> Result<(), String> {
    let written = std::fs::write(file, content.to_string());
    written.map_err(|error| format!("cannot write {file}: {error}"))
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
