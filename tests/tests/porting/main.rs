//! Lines of JavaScript and the lines of Rust that they become. A line that only changes its names
//! to Rust's case, and says where it waits and where it may fail, is the same line. Every other line
//! names the rows of the table in `peerconnection::manual::porting` that say what is different.

#[path = "../index/mod.rs"]
#[allow(dead_code)]
mod index;
mod samples;

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;

use peerconnection::{Error, RTCConfiguration, RTCPeerConnection};
use testkit::{Conditions, World};

/// Runs a sample with two connections on a good network.
fn run<F>(sample: impl FnOnce(RTCPeerConnection, RTCPeerConnection) -> F)
where
    F: Future<Output = Result<(), Error>> + 'static,
{
    let mut world = World::new(1, Conditions::default());
    let [pc1, pc2] = [(); 2].map(|()| world.add_peer(RTCConfiguration::default()));
    world.run(sample(pc1, pc2)).unwrap();
}

macro_rules! runs {
    ($($sample:ident),*) => {
        $(
            #[test]
            fn $sample() {
                run(samples::$sample);
            }
        )*
    };
}

runs!(
    basic,
    messaging,
    call,
    upgrade,
    change_codecs,
    restart_ice,
    gathering,
    states,
    replace_track
);

#[tokio::test]
async fn begin() {
    samples::begin().unwrap().close();
}

/// A line of JavaScript, the Rust for it, and the rows that say how they differ.
#[derive(Debug, Default)]
struct Line {
    javascript: String,
    rust: String,
    differences: Vec<String>,
}

fn lines(source: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut is_port = false;
    for text in source.lines().map(str::trim) {
        if let Some(javascript) = text.strip_prefix("//: ") {
            let (code, rows) =
                match javascript.rsplit_once('[').filter(|_| javascript.ends_with(']')) {
                    Some((code, rows)) => (code, rows.trim_end_matches(']')),
                    None => (javascript, ""),
                };
            // A line with nothing but rows belongs to the line before.
            if !code.is_empty() {
                lines.push(Line { javascript: code.to_owned(), ..Line::default() });
            }
            let rows = rows.split(", ").filter(|row| !row.is_empty()).map(str::to_owned);
            lines.last_mut().unwrap().differences.extend(rows);
            is_port = true;
        } else if text.is_empty() {
            is_port = false;
        } else if is_port {
            lines.last_mut().unwrap().rust.push_str(text);
        }
    }
    lines
}

/// The names of JavaScript in the case of Rust.
fn snake_case(code: &str) -> String {
    let (mut snake, mut before) = (String::new(), ' ');
    for character in code.chars() {
        if character.is_uppercase() && before.is_ascii_lowercase() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
        before = character;
    }
    snake
}

/// What two lines that are the same have in common.
fn outline(code: &str) -> String {
    let mut code = snake_case(code);
    for word in ["const ", "let ", "mut ", "await ", ".await", "?", ";", " "] {
        code = code.replace(word, "");
    }
    code
}

/// The rows of the table: the first cell of each.
fn rows() -> BTreeSet<String> {
    let path = index::workspace().join("crates/peerconnection/src/manual/porting.rs");
    let chapter = fs::read_to_string(path).unwrap();
    let rows = chapter.lines().filter_map(|line| line.strip_prefix("//! | *")?.split_once("* |"));
    rows.map(|(row, _)| row.to_owned()).collect()
}

#[test]
fn every_line_is_the_same_or_says_how_it_differs() {
    let rows = rows();
    let lines = lines(include_str!("samples.rs"));
    let mut used = BTreeSet::new();
    for line in &lines {
        let is_same = outline(&line.javascript) == outline(&line.rust);
        assert_eq!(is_same, line.differences.is_empty(), "{line:#?}");
        for row in &line.differences {
            assert!(rows.contains(row), "{row} is not in the table: {line:#?}");
            used.insert(row.clone());
        }
    }
    assert!(lines.len() > 50, "{} lines", lines.len());
    assert_eq!(rows, used, "rows that no line needs");
}

#[test]
fn lines_that_differ_are_told_from_lines_that_are_the_same() {
    let same = |javascript, rust| outline(javascript) == outline(rust);
    assert!(same(
        "const offer = await pc.createOffer(x);",
        "let offer = pc.create_offer(x).await?;"
    ));
    assert!(same("channel.insertDTMF(\"1\");", "channel.insert_dtmf(\"1\")?;"));
    assert!(!same("await pc.createOffer();", "pc.create_offer(None).await?;"));
    assert!(!same(
        "pc.setRemoteDescription(pc.localDescription)",
        "pc.set_remote_description(pc.local_description())"
    ));
}
