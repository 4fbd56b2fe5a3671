//! Replays a recording of a connection, and takes secrets out of it. The README says how.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use peerconnection::replay::{Ending, Replay, ReplayError, redact};

const USAGE: &str = "\
Usage: peerconnection-replay [--quiet] FILE
       peerconnection-replay --redact COPY FILE

Makes happen again what a connection did, as FILE has it, and prints it: calls, timers, datagrams,
events. If something else happens than was recorded, says where that begins.

  --quiet        print only the outcome
  --redact COPY  write a copy of FILE without passwords, addresses and content, which replays to
                 the same events and states; COPY must not exist
  --help         print this

RUST_LOG=peerconnection=debug shows what the library logs while it happens, on standard error.

Exit code: 0 if everything happened as it was recorded, 1 if not, or if FILE cannot be replayed or
has no copy without secrets, 2 for a wrong option.";

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Help,
    Replay { file: PathBuf, is_quiet: bool },
    Redact { file: PathBuf, copy: PathBuf },
}

/// What the arguments ask for; or what is wrong with them.
fn command(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let (mut file, mut copy, mut is_quiet) = (None, None, false);
    let mut options_are_over = false;
    while let Some(argument) = arguments.next() {
        match argument.to_str().filter(|_| !options_are_over) {
            Some("--help" | "-h") => return Ok(Command::Help),
            Some("--quiet" | "-q") => is_quiet = true,
            Some("--redact") => {
                let path = arguments.next().ok_or("--redact needs the name of a copy")?;
                copy = Some(PathBuf::from(path));
            }
            Some("--") => options_are_over = true,
            Some(option) if option.starts_with('-') => {
                return Err(format!("unknown option {option}"));
            }
            _ if file.is_some() => return Err("more than one file".to_owned()),
            _ => file = Some(PathBuf::from(argument)),
        }
    }
    let file = file.ok_or("which file?")?;
    Ok(match copy {
        Some(_) if is_quiet => return Err("--redact prints nothing anyway".to_owned()),
        Some(copy) => Command::Redact { file, copy },
        None => Command::Replay { file, is_quiet },
    })
}

/// How a recording ends, for people.
fn ending(ending: Option<Ending>) -> &'static str {
    match ending {
        Some(Ending::Gone) => "the recording ends with the connection",
        Some(Ending::Full) => "the recording ends at its limit",
        Some(Ending::CutOff) | None => "the recording is cut off",
        Some(_) => "the recording ends",
    }
}

fn open(file: &Path) -> Result<BufReader<File>, String> {
    let opened = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(BufReader::with_capacity(1 << 16, opened))
}

fn replay(file: &Path, is_quiet: bool) -> Result<(), String> {
    let said = |error: ReplayError| format!("{}: {error}", file.display());
    let mut replay = Replay::new(open(file)?).map_err(said)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut steps = 0_u64;
    let mut printed = Ok(());
    for step in &mut replay {
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                // What has happened before the difference says how it came to it.
                let _ = out.flush();
                return Err(said(error));
            }
        };
        steps += 1;
        if !is_quiet && printed.is_ok() {
            printed = write!(out, "{step}");
        }
    }
    let (connection, signaling) = (replay.connection_state(), replay.signaling_state());
    let ending = ending(replay.ending());
    let printed = printed.and_then(|()| {
        writeln!(out, "{steps} steps as recorded; {ending}: {connection}, {signaling}")?;
        out.flush()
    });
    match printed {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| error.to_string()),
    }
}

/// Writes the copy, and replays it.
fn write_copy(file: &Path, copy: &Path) -> Result<(), String> {
    let source = open(file)?;
    let name = |error: &dyn std::fmt::Display| format!("{}: {error}", copy.display());
    let sink = File::create_new(copy).map_err(|error| name(&error))?;
    let written = redact(source, BufWriter::new(sink))
        .map_err(|error| format!("{}: {error}", file.display()))
        .and_then(|ending| {
            let mut replay = Replay::new(open(copy)?).map_err(|error| name(&error))?;
            replay.try_for_each(|step| step.map(drop)).map_err(|error| name(&error))?;
            Ok(ending)
        });
    match written {
        Ok(end) => {
            println!("{}: replays as it should; {}", copy.display(), ending(Some(end)));
            Ok(())
        }
        Err(error) => {
            // Half a copy is none, and may have what the other half would have replaced.
            let _ = std::fs::remove_file(copy);
            Err(error)
        }
    }
}

fn main() -> ExitCode {
    if std::env::var_os("RUST_LOG").is_some() {
        let format = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false);
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        // Times of this run say nothing.
        format.without_time().with_env_filter(filter).init();
    }
    let done = match command(std::env::args_os().skip(1)) {
        Ok(Command::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(Command::Replay { file, is_quiet }) => replay(&file, is_quiet),
        Ok(Command::Redact { file, copy }) => write_copy(&file, &copy),
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Command, String> {
        command(text.split_whitespace().map(OsString::from))
    }

    #[test]
    fn arguments_are_what_the_help_says() {
        let file = || PathBuf::from("a");
        assert_eq!(parsed("a"), Ok(Command::Replay { file: file(), is_quiet: false }));
        assert_eq!(parsed("--quiet a"), Ok(Command::Replay { file: file(), is_quiet: true }));
        let redact = Command::Redact { file: file(), copy: "b".into() };
        assert_eq!(parsed("--redact b a"), Ok(redact));
        assert_eq!(parsed("a --help"), Ok(Command::Help));
        let odd = Command::Replay { file: "--odd".into(), is_quiet: false };
        assert_eq!(parsed("-- --odd"), Ok(odd));
        for wrong in ["", "a b", "--redact", "--redact b", "--loud a", "--quiet --redact b a"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
