//! Draws what connections went through, as an SVG document: states, pairs, candidates, restarts,
//! throughput and gaps.
//!
//! ```text
//! cargo run --release --example timeline TRACE > out.svg
//!   TRACE    a dump: of `RTCPeerConnection::dump()`, or of `chrome://webrtc-internals`; or lines
//!            that tracing-subscriber wrote as JSON, with `peerconnection::event=debug`;
//!            `-` is standard input
//!   --help   this text
//! ```
//!
//! A file to try: `cargo run --release --example restart_ice -- --dump dump.txt`.

use std::io::{Read, Write};
use std::process::ExitCode;

use examples::samples::failed;
use examples::timeline::{draw, read};

const USAGE: &str = "cargo run --release --example timeline TRACE > out.svg
  TRACE    a dump: of RTCPeerConnection::dump(), or of chrome://webrtc-internals; or lines
           that tracing-subscriber wrote as JSON, with peerconnection::event=debug;
           - is standard input
  --help   this text";

/// The largest file that is read.
const MAXIMUM_SIZE: u64 = 64 << 20;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let trace = match &words[..] {
        [trace] if trace == "-" || !trace.starts_with('-') => trace,
        [] => return failed(&format!("no TRACE was given\n{USAGE}"), 2),
        [option, ..] if option.starts_with("--") => {
            return failed(&format!("unknown option {option}\n{USAGE}"), 2);
        }
        _ => return failed(&format!("one TRACE is drawn at a time\n{USAGE}"), 2),
    };
    let drawn = open(trace)
        .and_then(|text| read(&text).map_err(|error| error.to_string()))
        .map(|timeline| draw(&timeline));
    match drawn {
        Ok(svg) => match std::io::stdout().write_all(svg.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error, 1),
        },
        Err(error) => failed(&format!("{trace}: {error}"), 1),
    }
}

/// The text of a file, or of standard input.
fn open(trace: &str) -> Result<String, String> {
    let input: Box<dyn Read> = match trace {
        "-" => Box::new(std::io::stdin()),
        path => Box::new(std::fs::File::open(path).map_err(|error| error.to_string())?),
    };
    let mut text = String::new();
    let read = input.take(MAXIMUM_SIZE + 1).read_to_string(&mut text);
    match read.map_err(|error| error.to_string())? as u64 > MAXIMUM_SIZE {
        true => Err(format!("it has more than {} MiB", MAXIMUM_SIZE >> 20)),
        false => Ok(text),
    }
}
