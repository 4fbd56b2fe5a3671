//! Reads the lines that `tracing-subscriber` writes as JSON. The events of a connection are those of
//! the target `peerconnection::event`, in its span.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::dump::{channel, select, with_lanes};
use super::model::{MarkKind, Peer, Timeline};
use super::{Unreadable, candidate, date};

/// One line. There is more in it.
#[derive(Deserialize)]
struct Line {
    timestamp: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    fields: Map<String, Value>,
    #[serde(default)]
    target: String,
    #[serde(default)]
    spans: Vec<Map<String, Value>>,
}

/// What was a line until a connection changed its candidates.
#[derive(Default)]
struct Connection {
    peer: Peer,
    ufrag: Option<String>,
}

pub(super) fn read(text: &str) -> Result<Timeline, Unreadable> {
    let mut connections: BTreeMap<u64, Connection> = BTreeMap::new();
    let mut wrong = None;
    let mut any = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        // Other programs may have written between.
        match serde_json::from_str(line) {
            Ok(line) => {
                any = true;
                read_line(&mut connections, &line);
            }
            Err(error) => {
                wrong.get_or_insert(error.to_string());
            }
        }
    }
    if !any {
        return Err(Unreadable::Format(wrong.unwrap_or_else(|| "it is empty".to_owned())));
    }
    let peers = connections.into_values().map(|connection| connection.peer);
    Ok(Timeline { peers: peers.collect() })
}

fn read_line(connections: &mut BTreeMap<u64, Connection>, line: &Line) {
    let is_named = |span: &Map<_, _>, name| span.get("name").and_then(Value::as_str) == Some(name);
    let at = line.spans.iter().position(|span| is_named(span, "connection"));
    let Some((at, id)) = at.and_then(|at| Some((at, line.spans[at].get("id")?.as_u64()?))) else {
        return;
    };
    let Some(time) = date::milliseconds(&line.timestamp) else { return };
    let connection = connections.entry(id).or_insert_with(|| Connection {
        peer: with_lanes(name(id, &line.spans[..at])),
        ufrag: None,
    });
    let of_library = line.target.starts_with("peerconnection");
    if line.target == "peerconnection::event" {
        connection.read_event(time, line);
    } else if of_library && matches!(line.level.as_str(), "WARN" | "ERROR") {
        let message = field(line, "message");
        connection.peer.mark(time, MarkKind::Failure, message);
    }
}

/// The application's own spans around say which connection it is.
fn name(id: u64, outer: &[Map<String, Value>]) -> String {
    let fields = outer.iter().flat_map(|span| span.iter().filter(|(name, _)| *name != "name"));
    let fields = fields.map(|(name, value)| match value {
        Value::String(text) => format!(", {name} {text}"),
        other => format!(", {name} {other}"),
    });
    format!("connection {id}{}", fields.collect::<String>())
}

/// A field as text.
fn field(line: &Line, name: &str) -> String {
    match line.fields.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

impl Connection {
    fn read_event(&mut self, at: f64, line: &Line) {
        let message = field(line, "message");
        let state = field(line, "state");
        let peer = &mut self.peer;
        let lane = match message.as_str() {
            "signalingstatechange" => Some("signalingState"),
            "connectionstatechange" => Some("connectionState"),
            "iceconnectionstatechange" => Some("iceConnectionState"),
            "icegatheringstatechange" => Some("iceGatheringState"),
            "statechange of DTLS" => Some("DTLS"),
            "statechange of SCTP" => Some("SCTP"),
            _ => None,
        };
        if let Some(lane) = lane {
            peer.lane(lane).becomes(at, state.as_str(), "");
            peer.mark(at, MarkKind::Event, format!("{message}: {state}"));
            return;
        }
        match message.as_str() {
            "icecandidate" => {
                let text = field(line, "candidate");
                self.generation(at, candidate::ufrag(&text));
                if !text.is_empty() {
                    self.peer.mark(at, MarkKind::LocalCandidate, candidate::describe(&text));
                }
            }
            "selectedcandidatepairchange" => {
                let [local, remote] = ["local", "remote"].map(|end| {
                    let candidate = line.fields.get(end)?.as_str()?;
                    // That of a candidate that was not signalled has no line.
                    Some(candidate::address(candidate).unwrap_or_else(|| "unknown".to_owned()))
                });
                select(peer, at, local.zip(remote));
            }
            "channel" => {
                channel(peer, &field(line, "label")).becomes(at, state, "");
            }
            "icecandidateerror" => {
                let [url, text] = ["url", "text"].map(|name| field(line, name));
                peer.mark(at, MarkKind::Failure, format!("{url} {text}").trim());
            }
            _ if matches!(line.level.as_str(), "WARN" | "ERROR") => {
                let error = field(line, "error");
                peer.mark(at, MarkKind::Failure, format!("{message} {error}").trim());
            }
            "statechange of ICE" | "gatheringstatechange of ICE" | "icecandidate: no more" => {}
            _ => {
                let label = field(line, "label");
                peer.mark(at, MarkKind::Event, format!("{message} {label}").trim());
            }
        }
    }

    /// Candidates name their generation. A log has no calls: a second one is the first that is seen
    /// of a restart.
    fn generation(&mut self, at: f64, ufrag: Option<&str>) {
        let Some(ufrag) = ufrag.filter(|ufrag| self.ufrag.as_deref() != Some(ufrag)) else {
            return;
        };
        if self.ufrag.is_some() {
            self.peer.mark(at, MarkKind::Restart, "ICE restart");
        }
        self.ufrag = Some(ufrag.to_owned());
        self.peer.lane("ICE generation").becomes(at, ufrag, "");
    }
}
