//! The command line of `cargo xtask`.

use std::fmt;

/// What `cargo xtask help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask <command>

  test          Install what is missing on this machine, then run every check:
                  format        cargo fmt --all --check
                  clippy        cargo clippy --workspace --all-targets -- -D warnings
                  no tokio      clippy and a build of peerconnection without its
                                host on tokio, and of peerconnection-testkit
                  docs          cargo doc --workspace --no-deps, warnings denied
                  tests         cargo test --workspace
                  browsers      the tests in a headless Chromium and Firefox
                  coturn        the TURN client, connections and examples with coturn
                  networks      peers and browsers in network namespaces, as root or with
                                sudo: links that go down, outages, NATs, firewalls, and
                                coturn beside Chromium
                  stacks        the other stacks, installed under the target folder
                  interop       the tests with six of them as peers
                  node          in crates/node, with npm: the format of all JavaScript,
                                then the module's build, tests and types
                  clients       simple-peer's tests and PeerJS on the module
                  restart_ice   cargo run --release --example restart_ice -- --json
                  samples       the same for the WebRTC samples among the examples
                  dependencies  cargo deny check licenses bans sources
                The first check that fails ends the run.
  test --quick [-p CRATE]
                format, clippy and tests only, the programs of the documentation
                left out: nothing is installed but the rustfmt and clippy of the
                Rust toolchain. With -p, of that crate alone, its programs too:
                `-p ice` is crates/ice.
  interop [NAME]
                Install what is missing, then run the tests with other stacks and
                with client libraries on the Node module; or only the tests with
                stacks whose name contains NAME: `pion`, `we_restart_ice`.
  help          This text.
";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Test(Extent),
    /// The tests with other stacks: all, or only tests whose name contains this.
    Interop(Option<String>),
}

/// How much `cargo xtask test` checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Everything,
    Quick,
    /// The checks of one crate, by the name of its folder or its package.
    Crate(String),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UsageError {
    NoCommand,
    NoCrate,
    CrateOfEverything,
    Unknown(String),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => f.write_str("a command is needed"),
            Self::NoCrate => f.write_str("`-p` is followed by the name of a crate"),
            Self::CrateOfEverything => f.write_str("`-p` goes with `--quick`"),
            Self::Unknown(argument) => write!(f, "`{argument}` is not understood"),
        }
    }
}

pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, UsageError> {
    let mut arguments = arguments.peekable();
    let command = arguments.next().ok_or(UsageError::NoCommand)?;
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "test" => {
            let (mut quick, mut of) = (false, None);
            while let Some(argument) = arguments.next() {
                match argument.as_str() {
                    "--quick" => quick = true,
                    "-p" if of.is_none() => match arguments.next() {
                        Some(name) if !name.starts_with('-') => of = Some(name),
                        _ => return Err(UsageError::NoCrate),
                    },
                    "--help" | "-h" => return Ok(Command::Help),
                    _ => return Err(UsageError::Unknown(argument)),
                }
            }
            match (quick, of) {
                (false, None) => Ok(Command::Test(Extent::Everything)),
                (true, None) => Ok(Command::Test(Extent::Quick)),
                (true, Some(name)) => Ok(Command::Test(Extent::Crate(name))),
                (false, Some(_)) => Err(UsageError::CrateOfEverything),
            }
        }
        "interop" => {
            let filter = arguments.next();
            match (filter.as_deref(), arguments.next()) {
                (Some("--help" | "-h"), _) => Ok(Command::Help),
                (Some(option), _) if option.starts_with('-') => {
                    Err(UsageError::Unknown(option.to_owned()))
                }
                (_, Some(more)) => Err(UsageError::Unknown(more)),
                (_, None) => Ok(Command::Interop(filter)),
            }
        }
        _ => Err(UsageError::Unknown(command)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn test_checks_everything_unless_told_to_be_quick() {
        assert_eq!(parsed("test"), Ok(Command::Test(Extent::Everything)));
        assert_eq!(parsed("test --quick"), Ok(Command::Test(Extent::Quick)));
        let ice = Ok(Command::Test(Extent::Crate("ice".into())));
        assert_eq!(parsed("test --quick -p ice"), ice);
        assert_eq!(parsed("test -p ice --quick"), ice);
        assert_eq!(parsed("test -p ice"), Err(UsageError::CrateOfEverything));
        assert_eq!(parsed("test --quick -p"), Err(UsageError::NoCrate));
        assert_eq!(parsed("test -p --quick"), Err(UsageError::NoCrate));
    }

    #[test]
    fn interop_takes_one_name_at_most() {
        assert_eq!(parsed("interop"), Ok(Command::Interop(None)));
        assert_eq!(parsed("interop pion"), Ok(Command::Interop(Some("pion".into()))));
        assert_eq!(parsed("interop pion wrtc"), Err(UsageError::Unknown("wrtc".into())));
        assert_eq!(parsed("interop --all"), Err(UsageError::Unknown("--all".into())));
        assert_eq!(parsed("interop -h"), Ok(Command::Help));
    }

    #[test]
    fn help_is_given_in_every_usual_spelling() {
        for line in ["help", "--help", "-h", "test --help", "test --quick -h"] {
            assert_eq!(parsed(line), Ok(Command::Help), "{line}");
        }
    }

    #[test]
    fn a_misspelt_option_is_an_error_and_not_a_full_run() {
        assert_eq!(parsed(""), Err(UsageError::NoCommand));
        assert_eq!(parsed("tests"), Err(UsageError::Unknown("tests".into())));
        assert_eq!(parsed("test --fast"), Err(UsageError::Unknown("--fast".into())));
    }
}
