//! The other stacks that this one is tried with. They are installed under the target folder, each
//! in the version that `interop/` and `tests/tests/interop/expectations.rs` are written for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::checks::TEST;
use crate::report::{Failure, Outcome};
use crate::tools;

/// The Debian package of pion.
const PION: &str = "golang-github-pion-webrtc.v3-dev";

/// The name of the library and of the tests with its agent, which build what they need.
const LIBNICE: &str = "libnice";

/// Peers wait much and compute little: more of them at once than there are cores.
const AT_ONCE: &str = "6";

/// Installs what is not there yet.
pub(crate) fn install() -> Result<Outcome, Failure> {
    fs::create_dir_all(folder()).map_err(|error| unwritable(&folder(), &error))?;
    packages("npm", "package.json")?;
    python()?;
    pion()?;
    Ok(Outcome::Passed)
}

/// The tests with every stack, or only tests whose name contains `filter`.
pub(crate) fn stacks(filter: Option<&str>) -> Result<Outcome, Failure> {
    let mut command = tools::cargo();
    command.args(TEST).args(["interop", "--", "--ignored", "--test-threads", AT_ONCE]);
    command.args(filter);
    tools::run(&mut command)?;
    // An ICE agent without the rest of a stack is a peer of ours alone.
    if filter.is_none_or(|filter| LIBNICE.contains(filter)) {
        let mut command = tools::cargo();
        command.args(TEST).args([LIBNICE, "--", "--ignored", "--test-threads", AT_ONCE]);
        tools::run(&mut command)?;
    }
    Ok(Outcome::Passed)
}

/// Client libraries for browsers, on the Node module: their own tests, and a call.
pub(crate) fn clients() -> Result<Outcome, Failure> {
    packages("clients", "clients/package.json")?;
    let clients = tools::root().join("interop/clients");
    for program in ["simple_peer.mjs", "peerjs.mjs"] {
        let mut command = Command::new("node");
        command.arg(clients.join(program)).env("INTEROP_PACKAGES", folder().join("clients"));
        tools::run(&mut command)?;
    }
    Ok(Outcome::Passed)
}

/// Installs npm's packages of `interop/DESCRIPTION` into `name`. No package is to run anything
/// while it is installed: the registry has what they need, too.
fn packages(name: &str, description: &str) -> Result<(), Failure> {
    let source = tools::root().join("interop").join(description);
    let target = folder().join(name);
    unless_done(&target.join("installed"), &read(&source)?, || {
        fs::create_dir_all(&target).map_err(|error| unwritable(&target, &error))?;
        write(&target.join("package.json"), &read(&source)?)?;
        let mut command = Command::new("npm");
        command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
        command.arg("--no-package-lock").current_dir(&target);
        tools::run(&mut command)
    })
}

fn python() -> Result<(), Failure> {
    let requirements = tools::root().join("interop/requirements.txt");
    let target = folder().join("python");
    unless_done(&target.join("installed"), &read(&requirements)?, || {
        tools::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&target))?;
        let mut pip = Command::new(target.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        tools::run(pip.arg("--requirement").arg(&requirements))
    })
}

/// Debian has the sources of Go libraries, outside of Go's modules.
fn pion() -> Result<(), Failure> {
    let source = tools::root().join("interop/peers/pion");
    let version = tools::output(Command::new("dpkg-query").args([
        "--show",
        "--showformat=${Version}",
        PION,
    ]))?;
    let upstream = version.split('-').next().unwrap_or_default();
    let done = format!("{version}\n{}", read(&source.join("main.go"))?);
    unless_done(&folder().join("pion.installed"), &done, || {
        let mut command = Command::new("go");
        command.args(["build", "-ldflags", &format!("-X main.version={upstream}"), "-o"]);
        command.arg(folder().join("pion")).arg(".").current_dir(&source);
        command.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
        tools::run(command.env("GOCACHE", folder().join("go-cache")))
    })
}

/// Does `work` unless `stamp` says that it has been done with the same `input`.
fn unless_done(
    stamp: &Path,
    input: &str,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    if fs::read_to_string(stamp).is_ok_and(|done| done == input) {
        println!("{}: there", stamp.display());
        return Ok(());
    }
    work()?;
    write(stamp, input)
}

fn folder() -> PathBuf {
    tools::target_dir().join("interop")
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure(format!("{}: {error}", file.display())))
}

fn write(file: &Path, content: &str) -> Result<(), Failure> {
    fs::write(file, content).map_err(|error| unwritable(file, &error))
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure(format!("{} cannot be written: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_not_installed_again_until_its_input_changes() {
        let stamp = std::env::temp_dir().join(format!("xtask-interop-{}", std::process::id()));
        let mut runs = 0;
        for (input, expected) in [("1", 1), ("1", 1), ("2", 2)] {
            let outcome = unless_done(&stamp, input, || {
                runs += 1;
                Ok(())
            });
            assert_eq!(outcome, Ok(()));
            assert_eq!(runs, expected);
        }
        let failed = unless_done(&stamp, "3", || Err(Failure("no network".into())));
        assert_eq!(failed, Err(Failure("no network".into())));
        let tried_again = unless_done(&stamp, "3", || {
            runs += 1;
            Ok(())
        });
        assert_eq!((tried_again, runs), (Ok(()), 3), "a failure leaves no stamp");
        fs::remove_file(&stamp).expect("the stamp of this test");
    }
}
