//! Functions, types and fields that a document names. Each stands as code behind the file that has
//! it, as in `negotiation/session.rs`, `close()`, `Session.is_closed`, `Session`. A path begins
//! with the package of the file.

use std::fs;
use std::path::{Path, PathBuf};

/// Reads the text of a file of the index, such as `negotiation/session.rs`.
pub(crate) type Read<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// The names in a text: pairs of a file and an item of it.
pub(crate) fn items(cell: &str) -> Result<Vec<(&str, &str)>, String> {
    let (mut items, mut file) = (Vec::new(), None);
    for code in cell.split('`').skip(1).step_by(2) {
        match (code.ends_with(".rs"), file) {
            (true, _) => file = Some(code),
            (false, Some(file)) => items.push((file, code)),
            (false, None) => return Err(format!("`{code}` is in no file")),
        }
    }
    Ok(items)
}

fn is_defined(source: &str, keyword: &str, name: &str) -> bool {
    source.lines().any(|line| begins_definition(line, keyword, name))
}

/// Whether the line begins a definition such as `pub(crate) fn name(`, with this keyword and name.
pub(crate) fn begins_definition(line: &str, keyword: &str, name: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| *word != keyword).skip(1);
    let is_comment = line.trim_start().starts_with("//");
    let defined = words.next().map(|word| word.split(|c: char| !is_word(c)).next());
    !is_comment && defined == Some(Some(name))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether the struct has a field of this name.
fn has_field(source: &str, type_: &str, field: &str) -> bool {
    let mut lines = source.lines();
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let Some(head) = lines.find(|line| begins_definition(line, "struct", type_)) else {
        return false;
    };
    let body = lines.take_while(|line| *line != format!("{}}}", " ".repeat(indentation(head))));
    let code = body.filter(|line| !line.trim_start().starts_with("//"));
    let mut names = code.filter_map(|line| line.split_once(':')?.0.split_whitespace().next_back());
    names.any(|name| name == field)
}

pub(crate) fn check_implementation(read: Read<'_>, file: &str, item: &str) -> Result<(), String> {
    let source = read(file)?;
    let exists = match (item.strip_suffix("()"), item.split_once('.')) {
        (Some(function), _) => is_defined(&source, "fn", function),
        (None, Some((type_, field))) => has_field(&source, type_, field),
        (None, None) => ["struct", "enum"].iter().any(|keyword| is_defined(&source, keyword, item)),
    };
    if exists { Ok(()) } else { Err(format!("{file} has no `{item}`")) }
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a file, a source of the package or one of its integration tests.
pub(crate) fn read_source(file: &str) -> Result<String, String> {
    let (package, rest) = file.split_once('/').ok_or_else(|| format!("{file} is in no package"))?;
    let crate_ = workspace().join("crates").join(package);
    let places = [
        crate_.join("src").join(rest),
        crate_.join(rest),
        workspace().join("tests/tests").join(rest),
    ];
    let places = places.iter().take(if package == "tests" { 3 } else { 2 });
    let texts: Vec<String> = places.filter_map(|place| fs::read_to_string(place).ok()).collect();
    match <[String; 1]>::try_from(texts) {
        Ok([text]) => Ok(text),
        Err(texts) => Err(format!("there are {} files {file}", texts.len())),
    }
}
