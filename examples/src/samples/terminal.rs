//! What the `main` functions of the samples share.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use peerconnection::Error;
use serde::Serialize;

use super::{Line, Peer, Transcript};

const COLUMN: usize = 46;
/// How long a sample may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a sample: shown at its end, or alone as JSON.
pub trait Report: Display + Serialize {
    /// Whether everything happened that the sample is there to show.
    fn is_success(&self) -> bool;

    /// What to say if it is no success.
    fn failure(&self) -> &'static str {
        "this is not what should have happened"
    }
}

/// The command line of a sample: `--json` and what it knows beside.
#[derive(Debug, Default)]
pub struct Arguments {
    /// Print the report alone, as one JSON object.
    pub json: bool,
    /// The others, each with its values.
    pub options: Vec<(String, Vec<String>)>,
}

impl Arguments {
    /// Reads the options of this process; `known` has them with the number of their values. `usage`
    /// is what `--help` shows.
    ///
    /// # Errors
    /// How the program ends at once.
    pub fn parse(usage: &str, known: &[(&str, usize)]) -> Result<Self, Exit> {
        let words: Vec<_> = std::env::args().skip(1).collect();
        if words.iter().any(|word| word == "--help" || word == "-h") {
            return Err(Exit::Help(usage.to_owned()));
        }
        Self::read(words.into_iter(), known).map_err(|error| Exit::wrong(error, usage))
    }

    /// Whether an option was given.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|(name, _)| name == option)
    }

    /// The value of an option, the last if it was given several times.
    pub fn value(&self, option: &str) -> Option<&str> {
        let mut given = self.options.iter().rev().filter(|(name, _)| name == option);
        given.next()?.1.first().map(String::as_str)
    }

    pub(super) fn read(
        mut words: impl Iterator<Item = String>,
        known: &[(&str, usize)],
    ) -> Result<Self, String> {
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            if word == "--json" {
                arguments.json = true;
                continue;
            }
            let Some((_, count)) = known.iter().find(|(name, _)| *name == word) else {
                return Err(format!("unknown option {word}"));
            };
            let values: Vec<_> = words.by_ref().take(*count).collect();
            if values.len() < *count {
                return Err(format!("{word} needs {count} value(s)"));
            }
            arguments.options.push((word, values));
        }
        Ok(arguments)
    }
}

/// How a program ends that does not do what it is there for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Help was asked for: this.
    Help(String),
    /// The command line is wrong: this is what, and how it should be.
    Wrong(String),
}

impl Exit {
    /// What is wrong with the command line, and how it should be.
    pub fn wrong(error: impl Display, usage: &str) -> Self {
        Self::Wrong(format!("{error}\n{usage}"))
    }

    /// Says so. The exit code is 0 for help, and 2 if the command line is wrong.
    pub fn say(&self) -> ExitCode {
        match self {
            Self::Help(usage) => {
                println!("{usage}");
                ExitCode::SUCCESS
            }
            Self::Wrong(error) => failed(error, 2),
        }
    }
}

/// Shows a sample, one column for each peer, then its report. Fails if it is no success.
pub async fn show<R: Report>(
    arguments: Result<Arguments, Exit>,
    sample: impl AsyncFnOnce(&Arguments, Transcript) -> Result<R, Error>,
) -> ExitCode {
    show_within(PATIENCE, arguments, sample).await
}

/// The same for a sample that may take this long.
pub async fn show_within<R: Report>(
    patience: Duration,
    arguments: Result<Arguments, Exit>,
    sample: impl AsyncFnOnce(&Arguments, Transcript) -> Result<R, Error>,
) -> ExitCode {
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(exit) => return exit.say(),
    };
    crate::show_logged();
    let quiet = arguments.json;
    let transcript = Transcript::new(move |line| {
        if !quiet {
            print(line);
        }
    });
    if !quiet {
        println!("{:COLUMN$}{}", Peer::Pc1.name(), Peer::Pc2.name());
    }
    match tokio::time::timeout(patience, sample(&arguments, transcript)).await {
        Ok(report) => conclude(report, quiet),
        Err(_) => failed(&format!("in vain: waited {patience:?}"), 1),
    }
}

/// Shows a report, as JSON or for people. Fails if it is no success.
pub fn conclude<R: Report>(report: Result<R, Error>, json: bool) -> ExitCode {
    let report = match report {
        Ok(report) => report,
        Err(error) => return failed(&error, 1),
    };
    if json {
        match serde_json::to_string(&report) {
            Ok(json) => println!("{json}"),
            Err(error) => return failed(&error, 1),
        }
    } else {
        println!("\n{report}");
    }
    if report.is_success() {
        return ExitCode::SUCCESS;
    }
    failed(&report.failure(), 1)
}

/// Says what is wrong: with 2 as the exit code if it is the command line.
pub fn failed(error: &dyn Display, code: u8) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(code)
}

fn print(line: &Line) {
    match line {
        Line::Title(text) => println!("\n{text}"),
        Line::Of(Peer::Pc1, text) => println!("{text}"),
        Line::Of(Peer::Pc2, text) => println!("{:COLUMN$}{text}", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, String> {
        let words = line.split_whitespace().map(str::to_owned);
        Arguments::read(words, &[("--replace", 2), ("--swap", 0)])
    }

    #[test]
    fn options_come_with_their_values_and_unknown_ones_are_refused() {
        let arguments = read("--replace a b --json --swap").unwrap();
        assert!(arguments.json);
        let values = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(
            arguments.options,
            [("--replace".to_owned(), values), ("--swap".to_owned(), vec![])]
        );
        assert!(arguments.has("--swap") && !arguments.has("--json"));
        assert_eq!(arguments.value("--replace"), Some("a"));
        assert_eq!(arguments.value("--other"), None);
        assert!(read("--replace a").unwrap_err().contains("2 value"));
        assert!(read("--jason").unwrap_err().contains("--jason"));
    }
}
