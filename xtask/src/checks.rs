//! `cargo xtask test`: the checks in order, the quickest to fail first.

use std::process::{Command, ExitCode};

use crate::arguments::Extent;
use crate::report::{Failure, Outcome, Report};
use crate::targets::Targets;
use crate::{deny, machine, tools};

/// The oldest Node that the module runs on.
const NODE: u32 = 20;

pub(crate) fn test(extent: Extent) -> ExitCode {
    let mut report = Report::new();
    match extent {
        Extent::Quick => {
            report.step("machine", || machine::prepare(&[]));
            report.step("format", format);
            report.step("clippy", clippy);
            report.step("tests", tests);
        }
        Extent::Everything => {
            report.step("machine", || machine::prepare(machine::PROGRAMS));
            report.step("format", format);
            report.step("clippy", clippy);
            report.step("docs", docs);
            report.step("tests", tests);
            report.step("browsers", browsers);
            report.step("node", node);
            report.step("restart_ice", restart_ice);
            report.step("samples", samples);
            report.step("dependencies", deny::check);
        }
    }
    println!("\n{}", report.summary());
    if report.succeeded() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn format() -> Result<Outcome, Failure> {
    cargo(&["fmt", "--all", "--check"])
}

fn clippy() -> Result<Outcome, Failure> {
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn docs() -> Result<Outcome, Failure> {
    let mut command = tools::cargo();
    command.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    tools::run(&mut command)?;
    Ok(Outcome::Passed)
}

fn tests() -> Result<Outcome, Failure> {
    cargo(&["test", "--workspace"])
}

/// Ignored by `cargo test --workspace`, which is to need nothing but Rust.
fn browsers() -> Result<Outcome, Failure> {
    if !Targets::of_workspace()?.contains("test", "browsers") {
        return Ok(Outcome::Skipped("the workspace has no test target `browsers` yet".into()));
    }
    cargo(&["test", "-p", "tests", "--test", "browsers", "--", "--ignored"])
}

/// All JavaScript of the repository is formatted; the Node module: built, its own tests, its type
/// declarations.
fn node() -> Result<Outcome, Failure> {
    let version = tools::output(Command::new("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next();
    if major.and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major < NODE) {
        return Err(Failure(format!("Node {NODE} or later is needed, not {}", version.trim())));
    }
    let folder = tools::root().join("crates/node");
    for arguments in [
        &["install", "--no-audit", "--no-fund", "--no-package-lock"] as &[_],
        &["run", "check"],
        &["run", "build"],
        &["test"],
        &["run", "types"],
    ] {
        tools::run(Command::new("npm").args(arguments).current_dir(&folder))?;
    }
    Ok(Outcome::Passed)
}

fn restart_ice() -> Result<Outcome, Failure> {
    if !Targets::of_workspace()?.contains("example", "restart_ice") {
        return Ok(Outcome::Skipped("the workspace has no example `restart_ice` yet".into()));
    }
    cargo(&["run", "--release", "--example", "restart_ice", "--", "--json"])
}

/// The examples that end by themselves and fail unless what they show has happened.
fn samples() -> Result<Outcome, Failure> {
    for example in [
        "change_codecs",
        "munge_sdp",
        "perfect_negotiation",
        "rollback_glare",
        "simulcast_negotiation",
        "states",
    ] {
        cargo(&["run", "--release", "--example", example, "--", "--json"])?;
    }
    Ok(Outcome::Passed)
}

fn cargo(arguments: &[&str]) -> Result<Outcome, Failure> {
    tools::run(tools::cargo().args(arguments))?;
    Ok(Outcome::Passed)
}
