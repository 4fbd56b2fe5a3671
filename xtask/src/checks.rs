//! `cargo xtask test`: the checks in order, the quickest to fail first.

use std::process::{Command, ExitCode};

use crate::arguments::Extent;
use crate::report::{Failure, Outcome, Report};
use crate::targets::Targets;
use crate::{deny, interop, machine, packages, tools, web};

/// The oldest Node that the module runs on.
const NODE: u32 = 20;

pub(crate) fn test(extent: Extent) -> ExitCode {
    let mut report = Report::new("cargo xtask test");
    match extent {
        Extent::Quick => {
            report.step("machine", || machine::prepare(&[]));
            report.step("format", format);
            report.step("clippy", clippy);
            report.step("tests", tests_without_programs);
        }
        Extent::Crate(name) => {
            report.step("machine", || machine::prepare(&[]));
            report.step("format", format);
            let package = || Targets::of_workspace()?.package(&name);
            report.step("clippy", || {
                cargo(&["clippy", "-p", &package()?, "--all-targets", "--", "-D", "warnings"])
            });
            report.step("tests", || cargo(&["test", "-p", &package()?]));
        }
        Extent::Everything => {
            report.step("machine", || machine::prepare(machine::EVERYTHING));
            report.step("format", format);
            report.step("clippy", clippy);
            report.step("features", each_feature);
            report.step("docs", docs);
            report.step("tests", tests);
            report.step("hostile", hostile);
            report.step("browsers", browsers);
            report.step("coturn", coturn);
            report.step("networks", networks);
            report.step("signalling", signalling);
            report.step("stacks", interop::install);
            report.step("interop", || interop::stacks(None));
            report.step("web", web::check);
            report.step("node", node);
            report.step("clients", interop::clients);
            report.step("restart_ice", restart_ice);
            report.step("samples", samples);
            report.step("dependencies", deny::check);
            report.step("packages", packages::crates);
        }
    }
    finish(&report)
}

/// Everything about other stacks, or only the tests whose name contains `filter`.
pub(crate) fn interop(filter: Option<&str>) -> ExitCode {
    let mut report = Report::new("cargo xtask interop");
    report.step("machine", || machine::prepare(&[machine::NODE, machine::STACKS]));
    report.step("stacks", interop::install);
    report.step("interop", || interop::stacks(filter));
    if filter.is_none() {
        report.step("node", module);
        report.step("clients", interop::clients);
    }
    finish(&report)
}

/// The page of the example `chat_anywhere`.
pub(crate) fn web() -> ExitCode {
    let mut report = Report::new("cargo xtask web");
    report.step("page", web::page);
    finish(&report)
}

/// Each combination of the features of `peerconnection`.
pub(crate) fn features() -> ExitCode {
    let mut report = Report::new("cargo xtask features");
    report.step("features", each_feature);
    finish(&report)
}

/// What crates.io and npm get, as far as this machine can make it.
pub(crate) fn packages() -> ExitCode {
    let mut report = Report::new("cargo xtask packages");
    report.step("packages", packages::crates);
    report.step("node", || {
        module()?;
        npm_packages()
    });
    finish(&report)
}

fn finish(report: &Report) -> ExitCode {
    if !report.succeeded() {
        println!("\nThis machine has free: {}", tools::state_of_machine());
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

/// Without its host on tokio, the public crate serves applications with hosts of their own, and
/// `testkit`. The host without TLS and multicast DNS says what it cannot do. The workspace has all
/// features on.
fn each_feature() -> Result<Outcome, Failure> {
    const CRATE: [&str; 3] = ["-p", "peerconnection", "--no-default-features"];
    for features in ["", "tokio", "tls", "mdns"] {
        let with = ["--features", features, "--", "-D", "warnings"];
        cargo(&[&["clippy"], &CRATE[..], &with].concat())?;
    }
    cargo(&[&["test"], &CRATE[..], &["--features", "tokio", "--lib", "host::tokio"]].concat())?;
    cargo(&["build", "-p", "peerconnection-testkit"])
}

fn docs() -> Result<Outcome, Failure> {
    let mut command = tools::cargo();
    command.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    tools::run(&mut command)?;
    Ok(Outcome::Passed)
}

/// Builds first, so that a command's time limit counts for the tests alone.
fn tests() -> Result<Outcome, Failure> {
    cargo(&["test", "--workspace", "--no-run"])?;
    cargo(&["test", "--workspace"])
}

/// The programs of the documentation take a quarter of the tests' time, and fail when tests fail.
fn tests_without_programs() -> Result<Outcome, Failure> {
    cargo(&["test", "--workspace", "--lib", "--bins", "--tests"])
}

/// Tests of one name, in whatever crate. All steps ask for the whole workspace: with other crates,
/// dependencies have other features, and everything is built again.
pub(crate) const TEST: [&str; 3] = ["test", "--workspace", "--test"];

/// Gives all that takes octets from outside what it does not expect, for 50 s in all.
fn hostile() -> Result<Outcome, Failure> {
    cargo(&[&TEST[..], &["runner", "--", "--ignored", "--nocapture"]].concat())
}

/// `cargo test --workspace`, which is to need nothing but Rust, ignores these tests.
fn browsers() -> Result<Outcome, Failure> {
    if !Targets::of_workspace()?.contains("test", "browsers") {
        return Ok(Outcome::Skipped("the workspace has no test target `browsers` yet".into()));
    }
    // What measures needs a machine without other work.
    cargo(&[&TEST[..], &["browsers", "--", "--ignored", "--skip", "over_a_link"]].concat())
}

/// Tests the TURN client alone, connections and examples with coturn.
fn coturn() -> Result<Outcome, Failure> {
    cargo(&["test", "-p", "peerconnection-turn", "--", "--ignored", "coturn"])?;
    cargo(&[&TEST[..], &["coturn", "--", "--ignored"]].concat())
}

/// Runs peers in network namespaces, which only root may make: `sudo` runs the built tests if this
/// is somebody else.
fn networks() -> Result<Outcome, Failure> {
    let test = [&TEST[..], &["namespaces"]].concat();
    cargo(&[&test[..], &["--no-run"]].concat())?;
    let run = ["--", "--ignored", "--nocapture"];
    if machine::is_root() {
        return cargo(&[&test[..], &run].concat());
    }
    if !machine::can_sudo() {
        return Err(Failure("network namespaces need root, or sudo".into()));
    }
    let as_root = ["--config", "target.'cfg(unix)'.runner = ['sudo', '--preserve-env']"];
    cargo(&[&as_root[..], &test, &run].concat())
}

/// Signaling with what it can do without: TLS, and servers that are one over NATS.
fn signalling() -> Result<Outcome, Failure> {
    const CRATE: [&str; 4] = ["-p", "peerconnection-signalling", "--features", "nats,tls"];
    cargo(&[&["clippy"], &CRATE[..], &["--all-targets", "--", "-D", "warnings"]].concat())?;
    cargo(&[&["test"], &CRATE[..]].concat())
}

/// Checks that all JavaScript of the repository is formatted. Builds the Node module, and checks it
/// with its own tests and its type declarations.
fn node() -> Result<Outcome, Failure> {
    install_module()?;
    for script in ["check", "build", "test", "types"] {
        npm(&["run", script])?;
    }
    npm_packages()
}

/// Packs the built module, and runs the packages in the runtimes that npm has.
fn npm_packages() -> Result<Outcome, Failure> {
    npm(&["run", "packages"])?;
    npm(&["run", "runtimes"])?;
    Ok(Outcome::Passed)
}

/// Builds the Node module.
fn module() -> Result<Outcome, Failure> {
    install_module()?;
    npm(&["run", "build"])?;
    Ok(Outcome::Passed)
}

fn install_module() -> Result<(), Failure> {
    let version = tools::output(Command::new("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next();
    if major.and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major < NODE) {
        return Err(Failure(format!("Node {NODE} or later is needed, not {}", version.trim())));
    }
    npm(&["install", "--no-audit", "--no-fund", "--no-package-lock"])
}

fn npm(arguments: &[&str]) -> Result<(), Failure> {
    let folder = tools::root().join("crates/node");
    let mut npm = Command::new("npm");
    tools::build_as_at_a_terminal(&mut npm);
    tools::run(npm.args(arguments).current_dir(folder))
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
        "handover",
        "munge_sdp",
        "perfect_negotiation",
        "rollback_glare",
        "simulcast_negotiation",
        "states",
        "trickle_ice",
    ] {
        cargo(&["run", "--release", "--example", example, "--", "--json"])?;
    }
    Ok(Outcome::Passed)
}

fn cargo(arguments: &[&str]) -> Result<Outcome, Failure> {
    tools::run(tools::cargo().args(arguments))?;
    Ok(Outcome::Passed)
}
