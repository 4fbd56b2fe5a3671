//! Imports go one way: a layer uses itself and the layers below it, and nothing above. This test
//! reads the sources as text. Tests belong to no layer, for they may use everything.

mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

/// The modules at the root of the crate, from the top.
const LAYERS: [&str; 9] = [
    "manual",
    "perfect_negotiation",
    "replay",
    "host",
    "connection",
    "engine",
    "api",
    "recording",
    "inert",
];

/// The one way up, from the objects to the connection that owns them: `api/mod.rs` says why.
const KNOT: (&str, &str) = ("api", "connection::Connection");

/// What the root of the crate re-exports, besides the exports of `api`.
const FACE: [(&str, &str); 8] = [
    ("Negotiator", "perfect_negotiation"),
    ("PerfectNegotiation", "perfect_negotiation"),
    ("SignalingChannel", "perfect_negotiation"),
    ("SignalingMessage", "perfect_negotiation"),
    ("SocketControl", "host"),
    ("TokioOptions", "host"),
    ("UdpMux", "host"),
    ("UdpMuxDropped", "host"),
];

/// How far from the top a layer is.
fn depth(layer: &str) -> Result<usize, String> {
    let depth = LAYERS.iter().position(|name| *name == layer);
    depth.ok_or_else(|| format!("`{layer}` has no place among the layers"))
}

/// The layer to which a path from the root of the crate leads.
fn layer_of(path: &[String]) -> Result<&str, String> {
    match path.first().map(String::as_str) {
        None | Some("*") => Err("everything of the crate".to_owned()),
        Some(name) if name.starts_with(char::is_uppercase) => {
            let face = FACE.iter().find(|(exported, _)| *exported == name);
            Ok(face.map_or("api", |(_, layer)| *layer))
        }
        Some(name) => Ok(name),
    }
}

/// The imports of a module that are wrong.
fn upward_imports(module: &[String], source: &Source) -> Vec<String> {
    let here = module.join("::");
    let check = |path: &[String]| -> Result<(), String> {
        let shown = path.join("::");
        if (here.as_str(), shown.as_str()) == KNOT {
            return Ok(());
        }
        let layer = layer_of(path)?;
        if depth(layer)? < depth(&module[0])? {
            return Err(format!("crate::{shown}"));
        }
        Ok(())
    };
    let found = source.paths.iter().filter_map(|path| check(path).err());
    found.map(|what| format!("`{here}` uses {what}")).collect()
}

/// All files below a folder, with their modules; files of the root have none.
fn files(folder: &Path, module: &[String], files: &mut Vec<(Vec<String>, PathBuf)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = match name.as_str() {
            "mod" | "lib" => module.to_vec(),
            _ => [module, &[name]].concat(),
        };
        if path.is_dir() {
            self::files(&path, &inner, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push((inner, path));
        }
    }
}

#[test]
fn no_import_runs_upwards() {
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut all);
    all.retain(|(module, _)| !module.is_empty());
    let read = |(module, path): &(Vec<String>, PathBuf)| {
        (module.clone(), Source::read(module, &fs::read_to_string(path).unwrap()))
    };
    let sources: Vec<_> = all.iter().map(read).collect();
    let tests: BTreeSet<_> = sources.iter().flat_map(|(_, source)| &source.tests).collect();
    let is_test = |module: &[String]| tests.iter().any(|test| module.starts_with(test));
    let production = sources.iter().filter(|(module, _)| !is_test(module));
    let problems: Vec<_> =
        production.clone().flat_map(|(module, source)| upward_imports(module, source)).collect();
    assert!(problems.is_empty(), "imports that run upwards:\n{}", problems.join("\n"));

    let used: BTreeSet<_> = production.map(|(module, _)| module[0].as_str()).collect();
    assert_eq!(used, BTreeSet::from(LAYERS), "every layer is a module");
}

/// What is wrong with a file of `module` that has this text.
fn problems(module: &str, text: &str) -> Vec<String> {
    let module: Vec<_> = module.split("::").map(str::to_owned).collect();
    upward_imports(&module, &Source::read(&module, text))
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    let found = |module, text| problems(module, text).join("; ");
    let driver = "`engine::network` uses crate::host::Driver";
    for text in [
        "use crate::host::Driver;",
        "fn f() { if true {} } mod inner { fn g() {} } use super::super::host::Driver;",
        "#[cfg(test)] mod tests { fn f() {} } use crate::host::Driver;",
        "pub(crate) use crate::host::Driver as Mover;",
        "use super::super::host::Driver;",
        "use crate::{api::{self, Event}, host::{Driver}};",
        "fn f() { let _ = crate::host::Driver::new(); }",
        "type Driver = crate::host::Driver<'static>;",
        "mod inner { use super::super::super::host::Driver; }",
        "macro_rules! m { () => { $crate::host::Driver }; }",
        "#[cfg(not(test))] use crate::host::Driver;",
    ] {
        assert!(found("engine::network", text).starts_with(driver), "{text}");
    }
    assert_eq!(
        found("api", "use crate::{PerfectNegotiation, engine};"),
        "`api` uses crate::PerfectNegotiation; `api` uses crate::engine"
    );
    assert_eq!(
        found("inert", "use crate::RTCConfiguration;"),
        "`inert` uses crate::RTCConfiguration"
    );
    assert_eq!(found("api", "use super::*;"), "`api` uses everything of the crate");
    assert_eq!(
        found("api", "use crate::news::Event;"),
        "`api` uses `news` has no place among the layers"
    );
    // The knot is allowed in its one place only.
    assert_eq!(found("api", "use crate::connection::Connection;"), "");
    assert_eq!(
        found("api::events", "use crate::connection::Connection;"),
        "`api::events` uses crate::connection::Connection"
    );
}

#[test]
fn what_is_no_upward_import_passes() {
    for text in [
        "use crate::api::{Event, events::*}; use super::Engine; use self::io::Action;",
        "use crate::RTCPeerConnection; use negotiation::{Error, host::Driver};",
        "// crate::host::Driver\n/// [`Driver`](crate::host::Driver)\n/* crate::host */",
        "const S: &str = \"crate::host\"; const R: &str = r#\"\"crate::host\"#; const C: char = '\"';",
        "fn f<'a>(a: &'a str) -> &'a str { a }",
        "#[cfg(test)] mod tests { use crate::host::Driver; fn f() { if true {} } }",
        "#[cfg(test)]\nuse crate::host::Driver;",
    ] {
        assert_eq!(problems("engine::network", text), [""; 0], "{text}");
    }
    let source = Source::read(&["engine".to_owned()], "#[cfg(test)]\npub(crate) mod testing;");
    assert_eq!(source.tests, [["engine", "testing"]]);
}
