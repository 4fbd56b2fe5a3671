//! What crates.io and npm get, built from what they get.

use std::fs;
use std::path::Path;

use crate::report::{Failure, Outcome};
use crate::tools;

/// The packages of the workspace that are not published. Cargo would package them, too.
const NOT_PUBLISHED: [&str; 6] =
    ["bench", "examples", "hostile", "peerconnection-node", "tests", "xtask"];

const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Packs all crates that are published, and builds each from its package.
pub(crate) fn crates() -> Result<Outcome, Failure> {
    licences(&tools::root())?;
    let mut command = tools::cargo();
    command.args(["package", "--workspace", "--allow-dirty"]);
    for package in NOT_PUBLISHED {
        command.args(["--exclude", package]);
    }
    tools::run(&mut command)?;
    Ok(Outcome::Passed)
}

/// Every package has the licences. They are copies: a symbolic link becomes a file with a path in
/// it where Git makes no links.
fn licences(root: &Path) -> Result<(), Failure> {
    let crates = root.join("crates");
    let unread = |path: &Path, error| Failure(format!("{}: {error}", path.display()));
    let folders = fs::read_dir(&crates).map_err(|error| unread(&crates, error))?;
    for folder in folders {
        let folder = folder.map_err(|error| unread(&crates, error))?.path();
        if !folder.join("Cargo.toml").is_file() {
            continue;
        }
        for name in LICENCES {
            let (ours, copy) = (root.join(name), folder.join(name));
            let text = fs::read(&ours).map_err(|error| unread(&ours, error))?;
            if fs::read(&copy).map_err(|error| unread(&copy, error))? != text {
                return Err(Failure(format!("{} is not a copy of {name}", copy.display())));
            }
        }
        let readme = folder.join("README.md");
        if !readme.is_file() {
            return Err(Failure(format!("{} is missing", readme.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_a_readme_and_the_licences() {
        licences(&tools::root()).expect("copies of the licences");
    }

    #[test]
    fn a_folder_without_crates_is_seen() {
        let failure = licences(Path::new("no-such-folder")).expect_err("there is none");
        assert!(failure.0.contains("no-such-folder"), "{failure}");
    }
}
