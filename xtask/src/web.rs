//! The crates in a browser: `crates/web`, and one program that runs in a page and outside.

use std::path::PathBuf;
use std::process::Command;

use crate::checks::TEST;
use crate::report::{Failure, Outcome};
use crate::tools;

const TARGET: &str = "wasm32-unknown-unknown";

/// What does not touch the machine builds for a page. `dtls` and `media` do not, nor `transport`
/// above them: their cryptography, aws-lc-rs, is C. `turn` and `ice` do not because the library of
/// STUN messages asks the system for random numbers, which this target has only with a flag.
const WITHOUT_IO: [&str; 6] = ["time", "idl", "sdp", "negotiation", "data", "mdns"];

/// The checks.
pub(crate) fn check() -> Result<Outcome, Failure> {
    if let Err(why) = install_target() {
        return Ok(Outcome::Skipped(why));
    }
    let packages = WITHOUT_IO.map(|name| format!("peerconnection-{name}"));
    let packages = packages.iter().flat_map(|package| ["-p", package]);
    tools::run(tools::cargo().args(["check", "--target", TARGET]).args(packages))?;
    let ours = ["-p", "peerconnection-web", "-p", "chat_page"];
    let mut clippy = tools::cargo();
    clippy.args(["clippy", "--target", TARGET]).args(ours).args(["--", "-D", "warnings"]);
    tools::run(&mut clippy)?;
    build_page()?;
    tools::run(tools::cargo().args(TEST).args(["web", "--", "--ignored"]))?;
    Ok(Outcome::Passed)
}

/// Makes the page of the example `chat_anywhere`, in `target/web`.
pub(crate) fn page() -> Result<Outcome, Failure> {
    install_target().map_err(Failure)?;
    build_page()?;
    Ok(Outcome::Passed)
}

/// The standard library for pages; or why there is none.
fn install_target() -> Result<(), String> {
    let asked =
        Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let folder = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    if folder.is_ok_and(|folder| !folder.is_empty() && PathBuf::from(folder).is_dir()) {
        return Ok(());
    }
    tools::run(Command::new("rustup").args(["target", "add", TARGET]))
        .map_err(|_| format!("the toolchain has no {TARGET}, and rustup cannot add it"))
}

fn build_page() -> Result<(), Failure> {
    let target = tools::target_dir();
    tools::run(tools::cargo().args(["build", "--target", TARGET, "-p", "chat_page"]))?;
    let mut tool = tools::cargo();
    tool.args(["build", "--locked", "--manifest-path", "crates/web/bindgen/Cargo.toml"]);
    tools::run(tool.arg("--target-dir").arg(target.join("tools")))?;
    let mut bindgen = Command::new(target.join("tools/debug/bindgen"));
    bindgen.arg(target.join(TARGET).join("debug/chat_page.wasm")).arg(target.join("web"));
    tools::run(&mut bindgen)
}
