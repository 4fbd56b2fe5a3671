//! Reads the file that `RTCPeerConnection::dump()` and `chrome://webrtc-internals` make: the log of
//! calls and events, and the series of statistics.
//!
//! Chromium logs no pairs and no DTLS; its statistics have them, once a second.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{Curve, Lane, MarkKind, Peer, Scale, Timeline};
use super::{Unreadable, candidate, date};

/// States of the log, with the names of their lanes. Chromium used to write the names without `on`,
/// and the values as they are.
const STATES: [(&str, &str); 4] = [
    ("signalingstatechange", "signalingState"),
    ("connectionstatechange", "connectionState"),
    ("iceconnectionstatechange", "iceConnectionState"),
    ("icegatheringstatechange", "iceGatheringState"),
];

/// The lanes of a connection, in the order in which they are drawn.
const LANES: [&str; 8] = [
    "signalingState",
    "connectionState",
    "iceConnectionState",
    "iceGatheringState",
    "ICE generation",
    "selected pair",
    "DTLS",
    "SCTP",
];

/// No network is as fast, in bits a second: more is no measurement.
const FASTEST: f64 = 1e15;

pub(super) fn is_dump(file: &Value) -> bool {
    file.get("PeerConnections").is_some_and(Value::is_object)
}

pub(super) fn read(file: &Value) -> Result<Timeline, Unreadable> {
    let connections = file.get("PeerConnections").and_then(Value::as_object);
    let peers = connections.into_iter().flatten().map(|(key, connection)| peer(key, connection));
    Ok(Timeline { peers: peers.collect::<Result<_, _>>()? })
}

/// Makes the lanes of a connection, so that they have their order. Channels come behind.
pub(super) fn with_lanes(name: String) -> Peer {
    let mut peer = Peer { name, ..Peer::default() };
    for name in LANES {
        peer.lane(name);
    }
    peer
}

fn peer(key: &str, connection: &Value) -> Result<Peer, Unreadable> {
    let url = connection.get("url").and_then(Value::as_str).unwrap_or_default();
    let mut peer = with_lanes(format!("{key} {url}").trim().to_owned());
    let log = connection.get("updateLog").and_then(Value::as_array);
    for update in log.into_iter().flatten() {
        let text = |name| update.get(name).and_then(Value::as_str).unwrap_or_default();
        let at = update.get("timestamp").and_then(Value::as_f64);
        let at = at.or_else(|| date::milliseconds(text("time"))).ok_or(Unreadable::NoTimes)?;
        let (name, value) = (text("type"), text("value"));
        // What is no JSON is a text as it is.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        read_update(&mut peer, at, name, &value);
    }
    let series = connection.get("stats").and_then(Value::as_object);
    read_statistics(&mut peer, &series.map(objects).unwrap_or_default());
    Ok(peer)
}

fn read_update(peer: &mut Peer, at: f64, name: &str, value: &Value) {
    let member = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let event = name.strip_prefix("on").unwrap_or(name);
    if let Some((_, lane)) = STATES.iter().find(|(state, _)| *state == event) {
        let state = value.as_str().unwrap_or_default();
        peer.lane(lane).becomes(at, state, "");
        peer.mark(at, MarkKind::Event, format!("{event}: {state}"));
        return;
    }
    match name {
        "onicecandidate" | "icecandidate" | "addIceCandidate" => {
            let kind = match name {
                "addIceCandidate" => MarkKind::RemoteCandidate,
                _ => MarkKind::LocalCandidate,
            };
            // Null ends all candidates, as the empty one ends those of its section.
            if !member("candidate").is_empty() {
                peer.mark(at, kind, candidate::describe(member("candidate")));
            }
        }
        "iceTransport.onselectedcandidatepairchange" => {
            let [local, remote] = ["local", "remote"].map(|end| end_of(value.get(end)?));
            select(peer, at, local.zip(remote));
        }
        "dtlsTransport.onstatechange" => peer.lane("DTLS").becomes(at, member("state"), ""),
        "sctpTransport.onstatechange" => {
            peer.lane("SCTP").becomes(at, value.as_str().unwrap_or_default(), "");
        }
        "dataChannel.onstatechange" => {
            channel(peer, member("label")).becomes(at, member("state"), "");
        }
        "restartIce" => peer.mark(at, MarkKind::Restart, "restartIce()"),
        "onicecandidateerror" | "icecandidateerror" => {
            let [url, text] = ["url", "errorText"].map(member);
            peer.mark(at, MarkKind::Failure, format!("{url} {text}").trim());
        }
        "transceiverAdded" | "transceiverModified" => {}
        _ if name.ends_with("OnFailure") || name.ends_with("onerror") => {
            let error = value.as_str().or_else(|| value.get("error")?.as_str());
            let method = name.strip_suffix("OnFailure").unwrap_or(name);
            let text = format!("{method} failed: {}", error.unwrap_or_default());
            peer.mark(at, MarkKind::Failure, text);
        }
        _ if name.ends_with("OnSuccess") => {
            generation(peer, at, member("sdp"));
            peer.mark(at, MarkKind::Event, name);
        }
        _ if name.starts_with("on") || name == "negotiationneeded" => {
            let label = member("label");
            peer.mark(at, MarkKind::Event, format!("{event} {label}").trim());
        }
        _ => {
            if name == "setLocalDescription" {
                generation(peer, at, member("sdp"));
            }
            let kind = member("type");
            peer.mark(at, MarkKind::Call, format!("{name}({kind})"));
        }
    }
}

/// The address of one end of a pair; a hidden one, and that of a candidate that was not signalled,
/// are unknown.
fn end_of(end: &Value) -> Option<String> {
    let address = end.get("address")?.as_str();
    Some(candidate::host(address.unwrap_or("unknown"), &end.get("port")?.to_string()))
}

/// A local description with another ufrag than before begins a generation: RFC 8839 §4.4.1.1.1. The
/// first one of a description stands for all.
fn generation(peer: &mut Peer, at: f64, sdp: &str) {
    let ufrag = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"));
    if let Some(ufrag) = ufrag {
        peer.lane("ICE generation").becomes(at, ufrag.trim(), "");
    }
}

/// The lane of a channel. Beyond some number they share one, for the peer chooses how many there are.
pub(super) fn channel<'a>(peer: &'a mut Peer, label: &str) -> &'a mut Lane {
    const MOST_LANES: usize = LANES.len() + 24;
    let name = format!("channel “{label}”");
    if peer.lanes.len() < MOST_LANES || peer.lanes.iter().any(|lane| lane.name == name) {
        return peer.lane(&name);
    }
    peer.lane("further channels")
}

/// Selects a pair of addresses, or none. The bar has room for the ports only.
pub(super) fn select(peer: &mut Peer, at: f64, pair: Option<(String, String)>) {
    fn port(address: &str) -> &str {
        address.rsplit_once(':').map_or(address, |(_, port)| port)
    }
    let lane = peer.lane("selected pair");
    match pair {
        Some((local, remote)) => {
            let ports = format!("{}–{}", port(&local), port(&remote));
            lane.becomes(at, ports, format!("{local} – {remote}"));
        }
        None => lane.becomes(at, "", ""),
    }
}

/// An object of the statistics: each member with its times and values.
#[derive(Default)]
struct Object {
    type_: String,
    members: BTreeMap<String, Vec<(f64, Value)>>,
}

impl Object {
    fn values(&self, member: &str) -> &[(f64, Value)] {
        self.members.get(member).map(Vec::as_slice).unwrap_or_default()
    }

    /// The last text, or the last number as one.
    fn last(&self, member: &str) -> Option<String> {
        let (_, value) = self.values(member).iter().rfind(|(_, value)| !value.is_null())?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}

/// The objects of the statistics, from series whose keys are an id, a hyphen and a member.
fn objects(series: &serde_json::Map<String, Value>) -> BTreeMap<&str, Object> {
    let values = |name: &str| -> Option<Vec<Value>> {
        serde_json::from_str(series.get(name)?.get("values")?.as_str()?).ok()
    };
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for id in series.keys().filter_map(|name| name.strip_suffix("-timestamp")) {
        let own = values(&format!("{id}-timestamp")).unwrap_or_default();
        times.insert(id, own.iter().filter_map(Value::as_f64).collect());
    }
    let mut objects: BTreeMap<&str, Object> = BTreeMap::new();
    for (name, column) in series {
        // Computed members have a hyphen in them.
        let Some((id, member)) = name.rsplit_once('-').filter(|_| !name.contains('[')) else {
            continue;
        };
        let (Some(times), Some(values)) = (times.get(id), values(name)) else { continue };
        // Series end together: a member may begin late.
        let late = times.len().saturating_sub(values.len());
        let points = times.iter().skip(late).copied().zip(values).collect();
        let object = objects.entry(id).or_default();
        let type_ = column.get("statsType").and_then(Value::as_str).unwrap_or_default();
        type_.clone_into(&mut object.type_);
        object.members.insert(member.to_owned(), points);
    }
    objects
}

fn read_statistics(peer: &mut Peer, objects: &BTreeMap<&str, Object>) {
    // With BUNDLE there is one transport. Without it the first stands for all.
    let transport = objects.values().find(|object| object.type_ == "transport");
    let Some(transport) = transport else { return };
    let is_unknown = |peer: &mut Peer, lane: &str| peer.lane(lane).bars.is_empty();
    if is_unknown(peer, "selected pair") {
        for (at, id) in transport.values("selectedCandidatePairId") {
            let pair = id.as_str().and_then(|id| addresses(objects, id));
            select(peer, *at, pair);
        }
    }
    if is_unknown(peer, "DTLS") {
        for (at, state) in transport.values("dtlsState") {
            peer.lane("DTLS").becomes(*at, state.as_str().unwrap_or_default(), "");
        }
    }
    for object in objects.values().filter(|object| object.type_ == "data-channel") {
        let lane = channel(peer, &object.last("label").unwrap_or_default());
        if lane.bars.is_empty() {
            for (at, state) in object.values("state") {
                lane.becomes(*at, state.as_str().unwrap_or_default(), "");
            }
        }
    }
    for (name, counter) in [("sent", "bytesSent"), ("received", "bytesReceived")] {
        let points = rate(transport.values(counter));
        if points.len() > 1 {
            peer.curves.push(Curve { name: name.to_owned(), scale: Scale::Rate, points });
        }
    }
}

/// The addresses of a pair.
fn addresses(objects: &BTreeMap<&str, Object>, pair: &str) -> Option<(String, String)> {
    let pair = objects.get(pair)?;
    let end = |id: &str| {
        let candidate = objects.get(pair.last(id)?.as_str())?;
        // A browser may hide it.
        let address = candidate.last("address").filter(|address| !address.is_empty());
        let port = candidate.last("port")?;
        Some(candidate::host(&address.unwrap_or_else(|| "unknown".to_owned()), &port))
    };
    Some((end("localCandidateId")?, end("remoteCandidateId")?))
}

/// Bits a second between two samples, at the later one.
fn rate(bytes: &[(f64, Value)]) -> Vec<(f64, f64)> {
    let numbers: Vec<_> =
        bytes.iter().filter_map(|(at, value)| Some((*at, value.as_f64()?))).collect();
    let rates = numbers.windows(2).filter_map(|pair| match pair {
        [(from, before), (to, after)] if to > from => {
            Some((*to, ((after - before) * 8000.0 / (to - from)).max(0.0)))
        }
        _ => None,
    });
    rates.filter(|(_, rate)| *rate < FASTEST).collect()
}
