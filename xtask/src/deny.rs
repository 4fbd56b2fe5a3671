//! The dependency check: licences, banned crates and sources, by cargo-deny and `deny.toml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::report::{Failure, Outcome};
use crate::tools;

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

pub(crate) fn check() -> Result<Outcome, Failure> {
    let program = match installed() {
        Some(program) => program,
        None => install()?,
    };
    let mut command = Command::new(program);
    command.current_dir(tools::root()).args(["check", "licenses", "bans", "sources"]);
    tools::run(&mut command)?;
    Ok(Outcome::Passed)
}

fn installed() -> Option<PathBuf> {
    let own = own(&tools_dir());
    [Some(own), tools::find("cargo-deny")].into_iter().flatten().find(|program| {
        tools::output(Command::new(program).arg("--version"))
            .is_ok_and(|answer| understands_our_file(&answer))
    })
}

/// Releases of one series read the same `deny.toml`.
fn understands_our_file(answer: &str) -> bool {
    let series = |version: &str| {
        let (series, _patch) = version.rsplit_once('.')?;
        Some(series.to_owned())
    };
    let version = answer.split_whitespace().nth(1);
    version.and_then(series).is_some_and(|found| Some(found) == series(VERSION))
}

fn install() -> Result<PathBuf, Failure> {
    println!("missing on this machine: cargo-deny {VERSION}; building it, once");
    let tools = tools_dir();
    let build = tools.join("build");
    let mut command = tools::cargo();
    // Its release profile optimises the whole program at link time, which takes many times as
    // long as the check itself does without.
    command
        .args(["install", "cargo-deny", "--locked", "--version", VERSION, "--debug", "--root"])
        .arg(&tools)
        .arg("--target-dir")
        .arg(&build)
        .env("CARGO_PROFILE_DEV_DEBUG", "false");
    tools::run(&mut command)?;
    // Half a gigabyte that nothing reads again; left behind, it is only in the way.
    if let Err(error) = fs::remove_dir_all(&build) {
        println!("{} stays: {error}", build.display());
    }
    Ok(own(&tools))
}

fn tools_dir() -> PathBuf {
    tools::target_dir().join("tools")
}

fn own(tools: &Path) -> PathBuf {
    tools.join("bin/cargo-deny").with_extension(std::env::consts::EXE_EXTENSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_series_of_cargo_deny_is_not_trusted_with_our_file() {
        assert!(understands_our_file("cargo-deny 0.20.2\n"));
        assert!(understands_our_file("cargo-deny 0.20.9\n"));
        assert!(!understands_our_file("cargo-deny 0.19.2\n"));
        assert!(!understands_our_file("cargo-deny 0.2.2\n"));
        assert!(!understands_our_file("cargo-deny\n"));
        assert!(!understands_our_file(""));
    }
}
