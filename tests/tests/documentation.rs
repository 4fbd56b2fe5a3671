//! Every program in the documents runs. rustdoc runs the programs of the crates and of README.md.
//! These tests check that no program asks not to be run, and that every name in the map of the code
//! exists.

mod index;

use std::fs;
use std::path::{Path, PathBuf};

use index::{check_implementation, items, read_source, workspace as root};

fn files(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !["target", "node_modules", ".git"].contains(&name) {
            files(&path, extensions, found);
        } else if path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e))
        {
            found.push(path);
        }
    }
}

/// The words behind the backticks of each code fence, with its line number.
fn fences(text: &str) -> Vec<(usize, &str)> {
    let mut open = false;
    let mut fences = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start().trim_start_matches("///").trim_start_matches("//!").trim();
        if let Some(words) = line.strip_prefix("```") {
            open = !open;
            if open {
                fences.push((number + 1, words));
            }
        }
    }
    fences
}

#[test]
fn no_program_in_the_documents_asks_not_to_be_run() {
    let root = root();
    let mut sources = Vec::new();
    for folder in ["crates", "examples", "tests"] {
        files(&root.join(folder), &["rs"], &mut sources);
    }
    let mut seen = 0;
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        for (line, words) in fences(&text) {
            seen += 1;
            let refused = ["no_run", "ignore", "compile_fail"];
            let place = format!("{}:{line}", path.display());
            assert!(!refused.iter().any(|word| words.contains(word)), "{place}: {words}");
        }
    }
    assert!(seen > 10, "{seen} programs were found");
}

#[test]
fn the_program_of_the_readmes_is_that_of_the_front_page() {
    let root = root();
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    let program = read("crates/peerconnection/doc/call.rs");
    for file in ["README.md", "crates/peerconnection/README.md"] {
        let readme = read(file);
        assert!(readme.contains(&format!("```rust\n{program}```\n")), "{file} has another one");
        let rust: Vec<_> =
            fences(&readme).into_iter().filter(|(_, words)| words.contains("rust")).collect();
        assert_eq!(rust.len(), 1, "and no more in {file}: {rust:?}");
    }
    // What a package includes is in the package: README.md is not.
    let included = [
        ("crates/peerconnection/src/lib.rs", "../doc/call.rs"),
        ("crates/peerconnection/src/lib.rs", "../README.md"),
        ("crates/testkit/src/lib.rs", "../README.md"),
        ("tests/src/lib.rs", "../../README.md"),
    ];
    for (source, included) in included {
        let is_run = read(source).contains(&format!("include_str!(\"{included}\")"));
        assert!(is_run, "{included} is not run by {source}");
    }
}

#[test]
fn the_smallest_example_is_the_program_of_the_front_page() {
    let root = root();
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    // It refuses options, which is no part of the program.
    let lines = |text: String| -> Vec<String> {
        let is_program =
            |line: &&str| !line.starts_with("//!") && !line.contains("examples::no_options(");
        text.trim().lines().filter(is_program).map(str::to_owned).collect()
    };
    let example = lines(read("examples/data_channel.rs"));
    let program = lines(read("crates/peerconnection/doc/call.rs"));
    assert_eq!(
        example.iter().skip_while(|line| line.is_empty()).collect::<Vec<_>>(),
        program.iter().collect::<Vec<_>>()
    );
    assert!(program.len() < 45, "{} lines", program.len());
}

/// The table in README.md, and the front page of the manual, name every chapter.
#[test]
fn every_chapter_of_the_manual_is_in_its_tables() {
    let root = root();
    let folder = root.join("crates/peerconnection/src/manual");
    let front = fs::read_to_string(folder.join("mod.rs")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut chapters = Vec::new();
    files(&folder, &["rs"], &mut chapters);
    assert!(chapters.len() > 8);
    for path in chapters {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name != "mod" {
            assert!(front.contains(&format!("- [`{name}`]: ")), "{name} is not in mod.rs");
            assert!(readme.contains(&format!("| [{name}](")), "{name} is not in README.md");
        }
    }
}

/// The table in README.md names every example.
#[test]
fn the_examples_of_the_readme_are_those_that_there_are() {
    let root = root();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let manifest = fs::read_to_string(root.join("examples/Cargo.toml")).unwrap();
    let mut examples: Vec<_> =
        manifest.lines().filter_map(|line| line.strip_prefix("path = ")).collect();
    examples.sort_unstable();
    assert!(examples.len() > 5);
    for path in examples {
        let name = path.trim_matches('"').trim_end_matches(".rs");
        assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in the table");
    }
}

/// The chapters of ARCHITECTURE.md with numbered steps: title and steps.
fn walks(architecture: &str) -> Vec<(&str, &str)> {
    let chapters = architecture.split("\n## ").skip(1);
    chapters.filter_map(|chapter| chapter.split_once("\n1. ")).collect()
}

#[test]
fn the_walks_through_the_code_name_what_there_is() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let walks = walks(&architecture);
    assert_eq!(walks.len(), 4);
    for (title, steps) in walks {
        let title = title.lines().next().unwrap_or_default();
        let items = items(steps).unwrap_or_else(|error| panic!("{title}: {error}"));
        assert!(items.len() > 10, "{title}: {} names", items.len());
        let wrong =
            |(file, item): &(&str, &str)| check_implementation(&read_source, file, item).err();
        let problems: Vec<_> = items.iter().filter_map(wrong).collect();
        assert!(problems.is_empty(), "{title}:\n{}", problems.join("\n"));
    }
}
