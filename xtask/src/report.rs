//! What happened: a heading and a duration for each step, one line at the end.

use std::fmt;
use std::time::{Duration, Instant};

/// Why a step did not pass, in words for the person at the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// There was nothing to check, for this reason.
    Skipped(String),
}

/// The steps of one run, in order.
#[derive(Debug)]
pub(crate) struct Report {
    command: &'static str,
    started: Instant,
    passed: Vec<&'static str>,
    skipped: Vec<&'static str>,
    failed: Option<(&'static str, Failure)>,
}

impl Report {
    /// A report of a run of this command.
    pub(crate) fn new(command: &'static str) -> Self {
        let (passed, skipped) = (Vec::new(), Vec::new());
        Self { command, started: Instant::now(), passed, skipped, failed: None }
    }

    /// Runs a step, unless one before it failed.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<Outcome, Failure>,
    ) {
        if self.failed.is_some() {
            return;
        }
        println!("\n=== {name}");
        let began = Instant::now();
        let outcome = work();
        let took = Took(began.elapsed());
        match outcome {
            Ok(Outcome::Passed) => {
                println!("=== {name}: passed in {took}");
                self.passed.push(name);
            }
            Ok(Outcome::Skipped(why)) => {
                println!("=== {name}: skipped, {why}");
                self.skipped.push(name);
            }
            Err(failure) => {
                println!("=== {name}: FAILED after {took}");
                self.failed = Some((name, failure));
            }
        }
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.failed.is_none()
    }

    /// The last line of the run.
    pub(crate) fn summary(&self) -> String {
        self.summary_after(self.started.elapsed())
    }

    fn summary_after(&self, elapsed: Duration) -> String {
        let mut line = match &self.failed {
            Some((name, failure)) => format!("FAILED at {name}: {failure}\n"),
            None => String::new(),
        };
        line += &format!("{}: {}", self.command, count(&self.passed, "passed"));
        if !self.skipped.is_empty() {
            line += &format!("; {}", count(&self.skipped, "skipped"));
        }
        if let Some((name, _)) = &self.failed {
            line += &format!("; stopped at {name}");
        }
        line + &format!("; {}", Took(elapsed))
    }
}

fn count(names: &[&str], what: &str) -> String {
    if names.is_empty() {
        return format!("0 {what}");
    }
    format!("{} {what} ({})", names.len(), names.join(", "))
}

/// A duration as people say it.
struct Took(Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds < 60 {
            write!(f, "{:.1} s", self.0.as_secs_f64())
        } else {
            write!(f, "{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_keeps_later_steps_from_running() {
        let mut report = Report::new("cargo xtask test");
        let mut ran = Vec::new();
        report.step("one", || {
            ran.push("one");
            Ok(Outcome::Passed)
        });
        report.step("two", || {
            ran.push("two");
            Err(Failure("broke".into()))
        });
        report.step("three", || {
            ran.push("three");
            Ok(Outcome::Passed)
        });
        assert_eq!(ran, ["one", "two"]);
        assert!(!report.succeeded());
        assert_eq!(
            report.summary_after(Duration::from_millis(1500)),
            "FAILED at two: broke\n\
             cargo xtask test: 1 passed (one); stopped at two; 1.5 s"
        );
    }

    #[test]
    fn a_skipped_step_does_not_fail_the_run_and_is_named_at_the_end() {
        let mut report = Report::new("cargo xtask test");
        report.step("one", || Ok(Outcome::Skipped("nothing there".into())));
        report.step("two", || Ok(Outcome::Passed));
        assert!(report.succeeded());
        assert_eq!(
            report.summary_after(Duration::from_secs(252)),
            "cargo xtask test: 1 passed (two); 1 skipped (one); 4 min 12 s"
        );
    }
}
