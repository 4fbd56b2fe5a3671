//! Every example answers `--help`, and refuses what it does not know. `cargo test -p examples` builds
//! the examples; before `--test command_lines` alone, `cargo build -p examples --examples` does.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// The names of all examples.
fn examples() -> Vec<String> {
    let manifest = std::fs::read_to_string(format!("{PACKAGE}/Cargo.toml")).unwrap();
    let paths = manifest.lines().filter_map(|line| line.strip_prefix("path = \""));
    let names: Vec<_> =
        paths.filter_map(|path| path.strip_suffix(".rs\"")).map(String::from).collect();
    assert!(names.len() > 15, "{names:?}");
    names
}

/// Runs an example, which cargo puts beside the tests.
fn run(example: &str, words: &[&str]) -> Output {
    let tests = std::env::current_exe().unwrap();
    let folder: PathBuf = tests.ancestors().nth(2).unwrap().join("examples");
    let program = folder.join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(&program);
    let output = command.args(words).stdin(Stdio::null()).output();
    output.unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo build -p examples --examples` makes it", program.display())
    })
}

#[test]
fn every_example_answers_help() {
    for example in examples() {
        let output = run(&example, &["--help"]);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{example}");
        assert!(shown.contains(&example) && output.stderr.is_empty(), "{example}: {shown}");
    }
}

#[test]
fn every_example_refuses_what_it_does_not_know() {
    for example in examples() {
        let output = run(&example, &["--jason"]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{example}: {error}");
        assert!(error.contains("--jason"), "{example}: {error}");
        assert!(error.contains("--help") || error.contains("cargo run"), "{example}: {error}");
    }
}

#[test]
fn the_timeline_of_a_file_goes_to_standard_output() {
    let dump = format!("{PACKAGE}/tests/timeline/chromium-156.txt");
    let output = run("timeline", &[&dump]);
    let svg = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && svg.starts_with("<svg") && output.stderr.is_empty());

    for (words, code) in [(&[][..], 2), (&[&*dump, &dump], 2), (&["no such file"], 1)] {
        let output = run("timeline", words);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {error}");
        assert!(code == 2 || error.contains("no such file: "), "{error}");
        assert!(output.stdout.is_empty());
    }
}
