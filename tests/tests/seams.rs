//! The crates below `peerconnection` do not know each other, and code that belongs to one place
//! stays there. This test reads manifests and sources as text.

use std::fs;
use std::path::{Path, PathBuf};

/// The crates without IO, each with the crates among them that it may use.
const CRATES: [(&str, &[&str]); 11] = [
    ("idl", &[]),
    ("time", &[]),
    ("sdp", &[]),
    ("negotiation", &["idl", "sdp"]),
    ("ice", &["time", "turn"]),
    ("turn", &["time"]),
    ("mdns", &["time"]),
    ("dtls", &["time"]),
    ("data", &["time"]),
    ("media", &["time"]),
    ("transport", &["time", "dtls", "data", "media"]),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

/// The names below a `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> Vec<&str> {
    let sections = manifest.split("\n[").filter(|section| section.starts_with("dependencies]"));
    let lines = sections.flat_map(|section| section.lines().skip(1));
    lines.filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|n| !n.is_empty()).collect()
}

/// Whether a line that is no comment has `text`.
fn has_line_with(source: &str, text: &str) -> bool {
    source.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(text))
}

/// Whether a line that is no comment takes the time from std.
fn takes_time_from_std(source: &str) -> bool {
    source.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
        line.contains("std::time") && (line.contains("Instant") || line.contains("Duration"))
    })
}

/// The Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn siblings_do_not_know_each_other() {
    let upper = ["peerconnection", "testkit"];
    for (name, allowed) in CRATES {
        let manifest = fs::read_to_string(crates().join(name).join("Cargo.toml")).unwrap();
        for dependency in dependencies(&manifest) {
            let ours = CRATES.iter().any(|(other, _)| *other == dependency);
            let is_seen = !(ours || upper.contains(&dependency)) || allowed.contains(&dependency);
            assert!(is_seen, "{name} uses {dependency}");
        }
        for used in allowed {
            assert!(dependencies(&manifest).contains(used), "{name} does not use {used}");
        }
    }
}

/// A variant that is added to an enum between our own crates must be handled where it arrives. The
/// errors and the statistics of `idl` are the exception: applications see them.
#[test]
fn enums_between_crates_are_exhaustive() {
    for file in CRATES.iter().flat_map(|(name, _)| sources(&crates().join(name).join("src"))) {
        let source = fs::read_to_string(&file).unwrap();
        let shown = ["idl/src/error.rs", "idl/src/stats/object.rs"];
        let is_shown = shown.iter().any(|shown| file.ends_with(shown));
        let may_grow = has_line_with(&source, "#[non_exhaustive]");
        assert_eq!(may_grow, is_shown, "{}", file.display());
    }
}

#[test]
fn a_module_with_children_is_a_mod_rs() {
    for file in sources(&crates()) {
        let folder = file.with_extension("");
        let has_children = folder.is_dir() && !sources(&folder).is_empty();
        assert!(!has_children, "{} belongs into its folder", file.display());
    }
}

#[test]
fn one_place_in_a_crate_names_the_library_of_cryptography() {
    let files = sources(&crates());
    let places = ["dtls/src/crypto", "media/src/crypto"].map(|place| crates().join(place));
    let naming = files.iter().filter(|file| {
        has_line_with(&fs::read_to_string(file).unwrap(), "aws_lc_rs")
            && !places.iter().any(|place| file.starts_with(place))
            // What SRTP costs is compared with what it is computed with.
            && !file.ends_with("media/benches/srtp.rs")
            // rustls wants to be told which of its providers to use.
            && !["host/tokio/tls.rs", "signalling/src/tls.rs", "tests/signalling/tls.rs"]
                .iter()
                .any(|told| file.ends_with(told))
    });
    assert_eq!(naming.collect::<Vec<_>>(), Vec::<&PathBuf>::new());
}

#[test]
fn one_crate_says_what_an_instant_is() {
    let users = CRATES.iter().filter(|(_, uses)| uses.contains(&"time")).map(|(name, _)| *name);
    for name in users.chain(["peerconnection"]) {
        for file in sources(&crates().join(name).join("src")) {
            let source = fs::read_to_string(&file).unwrap();
            assert!(!takes_time_from_std(&source), "{}", file.display());
        }
    }
}

#[test]
fn a_seam_that_is_broken_is_seen() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\ndtls.workspace = true\n\
                    time = { path = \"..\" }\n\n[dev-dependencies]\nice.workspace = true\n";
    assert_eq!(dependencies(manifest), ["dtls", "time"]);
    assert!(has_line_with("use aws_lc_rs::digest;", "aws_lc_rs"));
    assert!(!has_line_with("/// aws_lc_rs", "aws_lc_rs"));
    assert!(takes_time_from_std("use std::time::{Instant, SystemTime};"));
    assert!(takes_time_from_std("    at: std::time::Instant,"));
    assert!(!takes_time_from_std("use std::time::SystemTime;\n//! use std::time::Instant;"));
}
