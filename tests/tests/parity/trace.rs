//! Reading the traces.

use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub(crate) struct Trace {
    pub(crate) seed: u64,
    pub(crate) config: Value,
    pub(crate) steps: Vec<Step>,
}

#[derive(Deserialize)]
pub(crate) struct Step {
    pub(crate) ops: Vec<Map<String, Value>>,
    pub(crate) returned: Vec<String>,
    #[serde(default)]
    pub(crate) log: std::collections::BTreeMap<String, Log>,
    #[serde(default)]
    pub(crate) state: std::collections::BTreeMap<String, Value>,
}

#[derive(Deserialize)]
pub(crate) struct Log {
    pub(crate) ordered: bool,
    pub(crate) entries: Vec<Value>,
}

/// The traces of the repository, or of the file `PARITY_TRACES`.
pub(crate) fn read() -> Vec<Trace> {
    let path = std::env::var_os("PARITY_TRACES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("parity/traces.jsonl.gz"),
        PathBuf::from,
    );
    let file = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    if file.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(&*file).read_to_string(&mut text).expect("a gzip file of UTF-8");
    } else {
        text = String::from_utf8(file).expect("UTF-8");
    }
    text.lines().map(|line| serde_json::from_str(line).expect("a trace")).collect()
}
