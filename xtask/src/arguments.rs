//! The command line of `cargo xtask`.

use std::fmt;

/// What `cargo xtask help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask <command>

  test          Install what is missing on this machine, then run every check:
                  format        cargo fmt --all --check
                  clippy        cargo clippy --workspace --all-targets -- -D warnings
                  features      clippy on peerconnection with each combination of its
                                features, the tests of what stands for those that
                                are off, and a build of peerconnection-testkit
                  docs          cargo doc --workspace --no-deps, warnings denied
                  tests         cargo test --workspace
                  hostile       the fuzz targets, for 50 s, on stable Rust
                  browsers      the tests in a headless Chromium and Firefox
                  coturn        the TURN client, connections and examples with coturn
                  networks      peers and browsers in network namespaces, as root or with
                                sudo: links that go down, outages, NATs, firewalls, and
                                coturn beside Chromium
                  stacks        the other stacks, installed under the target folder
                  interop       the tests with six of them as peers
                  web           the crates without IO, crates/web and a page for
                                wasm32-unknown-unknown; the page in Chromium. Skipped
                                where the toolchain has no such target
                  node          in crates/node, with npm: the format of all JavaScript,
                                then the module's build, tests and types, and its
                                packages in Node 20, 22 and 24, Bun and Deno
                  clients       simple-peer's tests and PeerJS on the module
                  restart_ice   cargo run --release --example restart_ice -- --json
                  samples       the same for the WebRTC samples among the examples
                  dependencies  cargo deny check licenses bans sources
                  packages      cargo package: each crate, built from its package
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
  features      The step of that name.
  packages      The step of that name, and the packages of the Node module, which
                need npm.
  media         Make the synthetic media in crates/peerconnection/media anew, with
                FFmpeg. Other versions of its encoders make other octets.
  web           Make the page of the example chat_anywhere, in target/web.
  help          This text.
";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Test(Extent),
    /// The tests with other stacks: all, or only tests whose name contains this.
    Interop(Option<String>),
    /// Each combination of the features of `peerconnection`.
    Features,
    /// What crates.io and npm get.
    Packages,
    /// The synthetic media, made anew.
    Media,
    /// The page of the example `chat_anywhere`.
    Web,
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
        "features" => alone(Command::Features, arguments),
        "packages" => alone(Command::Packages, arguments),
        "media" => alone(Command::Media, arguments),
        "web" => alone(Command::Web, arguments),
        _ => Err(UsageError::Unknown(command)),
    }
}

/// A command that takes nothing.
fn alone(
    command: Command,
    mut arguments: impl Iterator<Item = String>,
) -> Result<Command, UsageError> {
    match arguments.next() {
        None => Ok(command),
        Some(option) if matches!(option.as_str(), "--help" | "-h") => Ok(Command::Help),
        Some(more) => Err(UsageError::Unknown(more)),
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
    fn single_steps_take_nothing() {
        assert_eq!(parsed("media"), Ok(Command::Media));
        assert_eq!(parsed("features"), Ok(Command::Features));
        assert_eq!(parsed("packages"), Ok(Command::Packages));
        assert_eq!(parsed("web"), Ok(Command::Web));
        assert_eq!(parsed("media --help"), Ok(Command::Help));
        assert_eq!(parsed("media x"), Err(UsageError::Unknown("x".into())));
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
