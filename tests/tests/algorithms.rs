//! `spec-notes/algorithms.md` is true: every named algorithm and internal slot of webrtc-pc has one
//! row, and every name in the rows exists. This test reads the sources as text.
//!
//! A cell names a file, then items in it: see [`index`].

mod index;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use index::{Read, begins_definition, check_implementation, items, read_source, workspace};

/// The names of the specification; see the head of the file.
const NAMES: &str = include_str!("algorithms/names.txt");

/// Algorithms and slots without implementation. `deviations.md` explains each.
const WITHOUT_IMPLEMENTATION: [&str; 3] =
    ["[[DocumentOrigin]]", "[[IsTransferable]]", "[[Origin]]"];

/// How many algorithms and slots the specification has.
const COUNTS: (usize, usize) = (39, 77);

/// One row of the table.
struct Row<'a> {
    name: &'a str,
    section: &'a str,
    implementation: &'a str,
    tests: &'a str,
}

/// The rows of each chapter, by its `## ` heading.
fn rows(index: &str) -> BTreeMap<&str, Vec<Row<'_>>> {
    let mut chapters: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    let mut chapter = "";
    for line in index.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            chapter = title.trim();
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", name, section, implementation, tests, ""] = cells[..]
            && section.starts_with('§')
            && section != "§"
        {
            let row = Row { name: name.trim_matches('`'), section, implementation, tests };
            chapters.entry(chapter).or_default().push(row);
        }
    }
    chapters
}

/// Whether the line is the head of a table, or the line below it.
fn is_head(line: &str) -> bool {
    line.starts_with("|-") || line.split('|').nth(2).is_some_and(|cell| cell.trim() == "§")
}

/// The names of one kind, without their interface.
fn names(kind: &str) -> Vec<&'static str> {
    let of_kind = |line: &'static str| {
        let (first, name) = line.split_once(' ')?;
        let name = if first == "slot" { name.split_once(' ')?.1 } else { name };
        (first == kind).then_some(name)
    };
    NAMES.lines().filter_map(of_kind).collect()
}

/// Whether there is a test of this name.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| begins_definition(line, "fn", name));
    let before = at.map(|at| &lines[..at]).unwrap_or_default();
    let attributes = before.iter().rev().take_while(|line| line.starts_with(['#', '/']));
    attributes.into_iter().any(|line| line.starts_with("#[") && line.contains("test"))
}

fn check_test(read: Read<'_>, file: &str, item: &str) -> Result<(), String> {
    if is_test(&read(file)?, item) { Ok(()) } else { Err(format!("{file} has no test `{item}`")) }
}

/// What is wrong with a row.
fn check_row(read: Read<'_>, row: &Row<'_>, without_implementation: &[&str]) -> Vec<String> {
    let parts = items(row.implementation).and_then(|i| Ok((i, items(row.tests)?)));
    let (implementation, tests) = match parts {
        Ok(parts) => parts,
        Err(error) => return vec![error],
    };
    let implementations = implementation
        .iter()
        .filter_map(|(file, item)| check_implementation(read, file, item).err());
    let mut problems: Vec<String> = implementations.collect();
    problems.extend(tests.iter().filter_map(|(file, test)| check_test(read, file, test).err()));
    if without_implementation.contains(&row.name) {
        if !implementation.is_empty() || !row.implementation.contains("deviations.md") {
            problems.push("is listed as without implementation".to_owned());
        }
    } else {
        if implementation.is_empty() {
            problems.push("names no implementation".to_owned());
        }
        if tests.is_empty() {
            problems.push("names no test".to_owned());
        }
    }
    if !row.section[2..].starts_with(|c: char| c.is_ascii_digit()) {
        problems.push(format!("has the section {}", row.section));
    }
    problems
}

/// What is wrong with the index; `expected` has the names of a chapter.
fn check(index: &str, expected: &[(&str, Vec<&str>)], read: Read<'_>) -> Vec<String> {
    let chapters = rows(index);
    let count: usize = chapters.values().map(Vec::len).sum();
    let written = index.lines().filter(|line| line.starts_with('|') && !is_head(line)).count();
    let mut problems = Vec::new();
    if count != written {
        problems.push(format!("{} rows have not four cells", written - count));
    }
    for (chapter, names) in expected {
        let rows = chapters.get(chapter).map(Vec::as_slice).unwrap_or_default();
        let mut found = BTreeSet::new();
        for row in rows {
            if !names.contains(&row.name) {
                problems.push(format!("{}: is not of the specification", row.name));
            }
            if !found.insert(row.name) {
                problems.push(format!("{}: has two rows", row.name));
            }
        }
        let missing = names.iter().filter(|name| !found.contains(*name));
        problems.extend(missing.map(|name| format!("{name}: has no row")));
    }
    for row in chapters.values().flatten() {
        let of_row = check_row(read, row, &WITHOUT_IMPLEMENTATION);
        problems.extend(of_row.into_iter().map(|problem| format!("{}: {problem}", row.name)));
    }
    problems
}

fn read_note(name: &str) -> String {
    fs::read_to_string(workspace().join("spec-notes").join(name)).unwrap()
}

#[test]
fn every_algorithm_and_every_slot_has_a_row_that_is_true() {
    let (algorithms, slots) = (names("algorithm"), names("slot"));
    assert_eq!((algorithms.len(), slots.len()), COUNTS);
    let expected = [("Algorithms", algorithms), ("Slots", slots)];
    let problems = check(&read_note("algorithms.md"), &expected, &read_source);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn what_has_no_implementation_is_explained_among_the_deviations() {
    let deviations = read_note("deviations.md");
    let known: Vec<&str> = names("algorithm").into_iter().chain(names("slot")).collect();
    for name in WITHOUT_IMPLEMENTATION {
        assert!(deviations.contains(name), "{name} is not explained");
        assert!(known.contains(&name), "{name} is not of the specification");
    }
}

#[test]
fn an_index_that_is_wrong_is_refused_for_what_is_wrong() {
    let source = "\
pub struct Session {
    // other: comments do not count
    pub(crate) is_closed: bool,
}

enum Kind { One }

impl Session {
    /// close: the doc of it
    pub(crate) fn close(&mut self) {}
    // fn reopen() {}
}

#[test]
/// With a comment.
fn it_closes() {}

fn helper() {}
";
    let read = |file: &str| match file {
        "a/b.rs" => Ok(source.to_owned()),
        _ => Err(format!("no {file}")),
    };
    let problems = |row: &str| {
        let index = format!("## Algorithms\n\n| algorithm | § | implementation | tests |\n{row}\n");
        check(&index, &[("Algorithms", vec!["close"])], &read)
    };
    let of = |implementation: &str, tests: &str| {
        problems(&format!("| close | §4.4.2 | {implementation} | {tests} |"))
    };
    let right = "`a/b.rs`: `close()`, `Session.is_closed`, `Kind`";
    assert_eq!(of(right, "`a/b.rs`: `it_closes`"), Vec::<String>::new());
    let wrong = |implementation, tests, problem: &str| {
        assert_eq!(of(implementation, tests), [format!("close: {problem}")]);
    };
    let test = "`a/b.rs`: `it_closes`";
    wrong("`a/b.rs`: `clos()`", test, "a/b.rs has no `clos()`");
    wrong("`a/b.rs`: `reopen()`", test, "a/b.rs has no `reopen()`");
    wrong("`a/b.rs`: `Session.other`", test, "a/b.rs has no `Session.other`");
    wrong("`a/b.rs`: `Session.close`", test, "a/b.rs has no `Session.close`");
    wrong("`a/b.rs`: `Sessio`", test, "a/b.rs has no `Sessio`");
    wrong("`a/c.rs`: `close()`", test, "no a/c.rs");
    wrong("`close()`", test, "`close()` is in no file");
    wrong("to do", test, "names no implementation");
    wrong(right, "`a/b.rs`: `helper`", "a/b.rs has no test `helper`");
    wrong(right, "`a/b.rs`: `it_opens`", "a/b.rs has no test `it_opens`");
    wrong(right, "none", "names no test");
    let row = format!("| close | §4.4.2 | {right} | {test} |");
    assert_eq!(problems(""), ["close: has no row"]);
    assert_eq!(problems(&format!("{row}\n{row}")), ["close: has two rows"]);
    assert_eq!(problems(&format!("{row}\n{row} |")), ["1 rows have not four cells"]);
    let other = row.replace("close |", "reopen |");
    assert_eq!(problems(&format!("{row}\n{other}")), ["reopen: is not of the specification"]);
    assert_eq!(problems(&row.replace("§4.4.2", "§ 4")), ["close: has the section § 4"]);
    let without = "| `[[Origin]]` | §4.9.2 |";
    assert_eq!(
        problems(&format!("{row}\n## Other\n{without} {right} | {test} |")),
        ["[[Origin]]: is listed as without implementation"]
    );
    let explained = problems(&format!("{row}\n## Other\n{without} see deviations.md | – |"));
    assert_eq!(explained, Vec::<String>::new());
}
