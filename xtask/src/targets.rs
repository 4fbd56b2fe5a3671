//! Asks cargo which targets the workspace has, so that a file that moves does not lose its check.

use crate::report::Failure;
use crate::tools;

/// The targets of the workspace, as `cargo metadata` lists them.
#[derive(Debug)]
pub(crate) struct Targets(String);

impl Targets {
    pub(crate) fn of_workspace() -> Result<Self, Failure> {
        let mut command = tools::cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let targets = Self(tools::output(&mut command)?);
        // This program is a target too. Not to find it means that the format has changed, and a
        // check must not be skipped for that.
        if !targets.contains("bin", env!("CARGO_BIN_NAME")) {
            return Err(Failure("`cargo metadata` lists its targets in an unknown form".into()));
        }
        Ok(targets)
    }

    /// `kind` is cargo's word: `bin`, `example`, `test`.
    pub(crate) fn contains(&self, kind: &str, name: &str) -> bool {
        let target = format!(r#"{{"kind":["{kind}"],"crate_types":["bin"],"name":"{name}","#);
        self.0.contains(&target)
    }

    /// The package of that name, or of that folder under `crates/`.
    pub(crate) fn package(&self, name: &str) -> Result<String, Failure> {
        let of_folder = format!("peerconnection-{name}");
        [name, &of_folder]
            .into_iter()
            .find(|package| self.0.contains(&format!(r#"{{"name":"{package}","version":""#)))
            .map(str::to_owned)
            .ok_or_else(|| Failure(format!("the workspace has no crate `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_found_by_its_kind_and_whole_name() {
        let targets = Targets(
            concat!(
                r#"{"packages":[{"name":"tests","targets":[{"kind":["test"],"#,
                r#""crate_types":["bin"],"name":"browsers","src_path":"/x/browsers.rs"}]}]}"#
            )
            .into(),
        );
        assert!(targets.contains("test", "browsers"));
        assert!(!targets.contains("example", "browsers"));
        assert!(!targets.contains("test", "browser"));
        assert!(!targets.contains("test", "tests"));
    }

    #[test]
    fn the_cargo_of_today_lists_this_program() {
        let targets = Targets::of_workspace().expect("cargo metadata runs and is understood");
        assert!(targets.contains("bin", "xtask"));
        assert!(!targets.contains("bin", "no_such_target"));
        assert_eq!(targets.package("ice").as_deref(), Ok("peerconnection-ice"));
        assert_eq!(targets.package("peerconnection").as_deref(), Ok("peerconnection"));
        let failure = targets.package("no-such-crate").expect_err("there is none");
        assert_eq!(failure.0, "the workspace has no crate `no-such-crate`");
    }
}
