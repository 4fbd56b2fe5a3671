//! What the checks need besides Rust: found out, named, and installed from the distribution.

use std::io::{self, IsTerminal};
use std::process::Command;

use crate::report::{Failure, Outcome};
use crate::tools;

/// A Debian package. If it has a `program` and that is found, Debian need not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) program: Option<&'static str>,
    pub(crate) package: &'static str,
}

impl Need {
    const fn program(program: &'static str, package: &'static str) -> Self {
        Self { program: Some(program), package }
    }

    /// A library, which only Debian finds.
    const fn library(package: &'static str) -> Self {
        Self { program: None, package }
    }

    const fn name(&self) -> &'static str {
        match self.program {
            Some(program) => program,
            None => self.package,
        }
    }

    /// Where it is, if it is on this machine.
    fn found(&self) -> Option<String> {
        match self.program {
            Some(program) => tools::find(program).map(|file| file.display().to_string()),
            None => {
                let mut command = Command::new("dpkg-query");
                command.args(["--show", "--showformat=${db:Status-Status} ${Version}"]);
                let answer = tools::output(command.arg(self.package)).ok()?;
                answer.strip_prefix("installed ").map(str::to_owned)
            }
        }
    }
}

/// For the tests in browsers, of the Node module and with other stacks.
pub(crate) const EVERYTHING: &[&[Need]] = &[BROWSERS, COTURN, NETWORKS, NATS, NODE, STACKS];

/// For the tests in browsers.
const BROWSERS: &[Need] = &[
    Need::program("chromium", "chromium"),
    Need::program("firefox-esr", "firefox-esr"),
    Need::program("ffprobe", "ffmpeg"),
];

/// For the tests with a TURN server.
const COTURN: &[Need] =
    &[Need::program("turnserver", "coturn"), Need::program("openssl", "openssl")];

/// For the tests in network namespaces, besides coturn and the browsers. Their programs are in the
/// `PATH` of root alone.
const NETWORKS: &[Need] = &[Need::library("iproute2"), Need::library("nftables")];

/// For the tests of several signaling servers. The program is in the `PATH` of root alone.
const NATS: &[Need] = &[Need::library("nats-server")];

/// For the tests of the Node module.
pub(crate) const NODE: &[Need] = &[Need::program("node", "nodejs"), Need::program("npm", "npm")];

/// For the tests with other stacks: what Node's and Python's stacks need for their installation,
/// and the stacks that Debian itself has. Debian's bindings of GStreamer are for Debian's Python.
pub(crate) const STACKS: &[Need] = &[
    Need::program("python3", "python3"),
    Need::library("python3-venv"),
    Need::program("go", "golang-go"),
    Need::library("golang-github-pion-webrtc.v3-dev"),
    Need::library("gstreamer1.0-plugins-bad"),
    Need::library("gstreamer1.0-plugins-good"),
    Need::library("gstreamer1.0-nice"),
    Need::library("gir1.2-gst-plugins-bad-1.0"),
    Need::library("python3-gi"),
    Need::library("libnice-dev"),
    Need::program("pkg-config", "pkg-config"),
    Need::program("cc", "gcc"),
];

/// Parts of the Rust toolchain: what cargo calls them, what rustup calls them.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// Makes sure that `needs`, rustfmt and clippy are there; installs what is missing.
pub(crate) fn prepare(needs: &[&[Need]]) -> Result<Outcome, Failure> {
    components()?;
    install(&needs.concat())?;
    Ok(Outcome::Passed)
}

fn components() -> Result<(), Failure> {
    let absent = absent_components();
    if absent.is_empty() {
        println!("rustfmt, clippy: there");
        return Ok(());
    }
    println!("missing in the Rust toolchain: {}", absent.join(", "));
    if tools::find("rustup").is_some() {
        tools::run(Command::new("rustup").args(["component", "add"]).args(&absent))?;
        if absent_components().is_empty() {
            return Ok(());
        }
    }
    Err(Failure(format!("add {} to this Rust toolchain, then run again", absent.join(" and "))))
}

fn absent_components() -> Vec<&'static str> {
    // rustup puts a proxy in PATH for a component that is not installed: only a run tells.
    let works = |subcommand: &str| tools::output(tools::cargo().args([subcommand, "--version"]));
    let absent = COMPONENTS.iter().filter(|(subcommand, _)| works(subcommand).is_err());
    absent.map(|&(_, component)| component).collect()
}

fn install(needs: &[Need]) -> Result<(), Failure> {
    for need in needs {
        if let Some(found) = need.found() {
            println!("{}: {found}", need.name());
        }
    }
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    println!("missing on this machine: {}", names_of(&missing));
    let how = Installer::of_machine(tools::find("apt-get").is_some(), is_root(), can_sudo());
    let Some(installer) = how else {
        return Err(Failure(by_hand(&missing)));
    };
    // Lists that cannot be renewed may still do, as when one repository of several is down.
    if let Err(failure) = tools::run(&mut installer.update()) {
        println!("{failure}; trying with the package lists as they are");
    }
    tools::run(&mut installer.install(&missing))
        .map_err(|failure| Failure(format!("{failure}\n{}", by_hand(&missing))))?;
    let still = self::missing(needs);
    if still.is_empty() { Ok(()) } else { Err(Failure(by_hand(&still))) }
}

fn missing(needs: &[Need]) -> Vec<Need> {
    needs.iter().copied().filter(|need| need.found().is_none()).collect()
}

fn names_of(needs: &[Need]) -> String {
    needs.iter().map(Need::name).collect::<Vec<_>>().join(", ")
}

fn by_hand(missing: &[Need]) -> String {
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    format!(
        "these must be on this machine: {}. On Debian, as root: apt-get install {}. \
         Without them, `cargo xtask test --quick` runs what needs nothing but Rust",
        names_of(missing),
        packages.join(" ")
    )
}

pub(crate) fn is_root() -> bool {
    tools::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Whether sudo is there and can ask for a password if it has to.
pub(crate) fn can_sudo() -> bool {
    tools::find("sudo").is_some()
        && (io::stdin().is_terminal()
            || tools::output(Command::new("sudo").args(["-n", "true"])).is_ok())
}

/// How packages get onto this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Installer {
    AsRoot,
    WithSudo,
}

impl Installer {
    fn of_machine(has_apt: bool, is_root: bool, can_sudo: bool) -> Option<Self> {
        match (has_apt, is_root, can_sudo) {
            (true, true, _) => Some(Self::AsRoot),
            (true, false, true) => Some(Self::WithSudo),
            _ => None,
        }
    }

    fn update(self) -> Command {
        let mut command = self.apt_get();
        command.arg("update");
        command
    }

    fn install(self, missing: &[Need]) -> Command {
        let mut command = self.apt_get();
        command.args(["install", "--no-install-recommends"]);
        command.args(missing.iter().map(|need| need.package));
        command
    }

    fn apt_get(self) -> Command {
        // sudo does not pass the environment on, so it is set behind it.
        let mut command = match self {
            Self::AsRoot => Command::new("env"),
            Self::WithSudo => {
                let mut command = Command::new("sudo");
                command.arg("env");
                command
            }
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "--quiet"]);
        // A machine that has just started often runs its own apt for a while and holds the lock.
        command.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Need = Need::program("no-such-program-anywhere", "no-such-package");
    const PRESENT: Need = Need::program("cargo", "cargo");

    #[test]
    fn a_program_that_is_not_in_the_path_and_a_library_that_nobody_has_are_missing() {
        assert_eq!(missing(&[PRESENT, ABSENT]), [ABSENT]);
        let library = Need::library("no-such-package");
        assert_eq!(missing(&[library, PRESENT]), [library]);
        assert_eq!(missing(&[PRESENT]), []);
    }

    #[test]
    fn packages_are_installed_by_root_or_sudo_and_by_nobody_else() {
        assert_eq!(Installer::of_machine(true, true, false), Some(Installer::AsRoot));
        assert_eq!(Installer::of_machine(true, false, true), Some(Installer::WithSudo));
        assert_eq!(Installer::of_machine(true, false, false), None);
        assert_eq!(Installer::of_machine(false, true, true), None);
    }

    #[test]
    fn apt_asks_nothing_and_gets_packages_and_not_programs() {
        let line = tools::line(&Installer::AsRoot.install(&[BROWSERS, NODE].concat()));
        assert!(line.starts_with("env DEBIAN_FRONTEND=noninteractive apt-get --yes "), "{line}");
        assert!(
            line.ends_with(
                " install --no-install-recommends chromium firefox-esr ffmpeg nodejs npm"
            ),
            "{line}"
        );
        let line = tools::line(&Installer::WithSudo.update());
        assert!(line.starts_with("sudo env DEBIAN_FRONTEND=noninteractive apt-get "), "{line}");
        assert!(line.ends_with(" update"), "{line}");
    }

    #[test]
    fn who_may_not_install_is_told_the_program_and_the_package() {
        let told = by_hand(&[ABSENT]);
        assert!(told.contains("machine: no-such-program-anywhere."), "{told}");
        assert!(told.contains("apt-get install no-such-package."), "{told}");
    }
}
