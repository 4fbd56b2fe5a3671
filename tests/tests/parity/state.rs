//! The states to compare, and the one renaming of mids and ufrags over a trace.

use std::collections::HashMap;

use peerconnection::{RTCDataChannel, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription};
use serde_json::{Value, json};

use crate::media::Local;

/// Maps local names to the trace's names, one to one, in the order of their appearance.
#[derive(Clone, Default)]
pub(crate) struct Names {
    theirs: HashMap<String, String>,
    ours: HashMap<String, String>,
}

impl Names {
    /// Whether `ours` may be called `theirs`.
    pub(crate) fn agree(&mut self, ours: &str, theirs: &str) -> bool {
        let known = self.theirs.entry(ours.to_owned()).or_insert_with(|| theirs.to_owned());
        let back = self.ours.entry(theirs.to_owned()).or_insert_with(|| ours.to_owned());
        known == theirs && back == ours
    }
}

/// The state of a peer in the form of the traces, but with our names, each marked with `@`.
pub(crate) fn of(pc: &RTCPeerConnection, channels: &[RTCDataChannel], local: &Local) -> Value {
    let transceivers = pc.get_transceivers();
    json!({
        "signalingState": pc.signaling_state().as_str(),
        "currentLocal": summary(pc.current_local_description(), local),
        "pendingLocal": summary(pc.pending_local_description(), local),
        "currentRemote": summary(pc.current_remote_description(), local),
        "pendingRemote": summary(pc.pending_remote_description(), local),
        "transceivers": transceivers.iter().map(|t| transceiver(t, local)).collect::<Vec<_>>(),
        "senders": pc.get_senders().len(),
        "receivers": pc.get_receivers().len(),
        "channels": channels
            .iter()
            .map(|c| json!({"label": c.label(), "readyState": c.ready_state().as_str()}))
            .collect::<Vec<_>>(),
    })
}

fn transceiver(transceiver: &RTCRtpTransceiver, local: &Local) -> Value {
    let track = transceiver.receiver().track();
    json!({
        "kind": track.kind().as_str(),
        "mid": transceiver.mid().as_deref().map(mid_name),
        "direction": transceiver.direction().as_str(),
        "currentDirection": transceiver.current_direction().map(|direction| direction.as_str()),
        "sending": transceiver.sender().track().map(|track| local.name_of_track(&track)),
        "receiving": {"readyState": track.ready_state().as_str(), "muted": track.muted()},
    })
}

fn summary(description: Option<RTCSessionDescription>, local: &Local) -> Value {
    let Some(description) = description else { return Value::Null };
    let sections: Vec<Section> = sections(description.sdp());
    let bundle = description
        .sdp()
        .lines()
        .find_map(|line| line.strip_prefix("a=group:BUNDLE"))
        .map(|mids| mids.split_whitespace().map(mid_name).collect::<Vec<_>>())
        .unwrap_or_default();
    let used = sections.iter().find(|section| !section.rejected);
    let ice = used.and_then(|section| section.ufrag.as_ref());
    json!({
        "type": description.type_().as_str(),
        "bundle": bundle,
        "ice": ice.map(|ufrag| format!("@u{ufrag}")),
        "media": sections.iter().map(|section| section.summary(local)).collect::<Vec<_>>(),
    })
}

pub(crate) fn mid_name(mid: &str) -> String {
    format!("@m{mid}")
}

#[derive(Default)]
struct Section {
    kind: String,
    mid: String,
    rejected: bool,
    bundle_only: bool,
    ufrag: Option<String>,
    direction: Option<String>,
    streams: Vec<String>,
}

impl Section {
    fn summary(&self, local: &Local) -> Value {
        let mut summary = json!({
            "kind": self.kind,
            "mid": mid_name(&self.mid),
            "rejected": self.rejected,
        });
        if let (false, "audio" | "video", Some(direction)) =
            (self.rejected, self.kind.as_str(), &self.direction)
        {
            summary["direction"] = json!(direction);
            let mut streams: Vec<_> =
                self.streams.iter().map(|id| local.name_of_stream(id)).collect();
            streams.sort();
            summary["streams"] = json!(streams);
        }
        summary
    }
}

/// The sections of a description. The test reads the text by itself, without the code that it
/// tests.
fn sections(sdp: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut session_ufrag = None;
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let mut words = media.split(' ');
            let kind = words.next().unwrap_or_default().to_owned();
            let rejected = words.next() == Some("0");
            let ufrag = session_ufrag.clone();
            sections.push(Section { kind, rejected, ufrag, ..Section::default() });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            if let Some(ufrag) = line.strip_prefix("a=ice-ufrag:") {
                session_ufrag = Some(ufrag.to_owned());
            }
            continue;
        };
        if let Some(mid) = line.strip_prefix("a=mid:") {
            mid.clone_into(&mut section.mid);
        } else if let Some(ufrag) = line.strip_prefix("a=ice-ufrag:") {
            section.ufrag = Some(ufrag.to_owned());
        } else if let Some(msid) = line.strip_prefix("a=msid:") {
            let id = msid.split(' ').next().unwrap_or_default();
            // RFC 8830 §2: no stream.
            if id != "-" {
                section.streams.push(id.to_owned());
            }
        } else if line == "a=bundle-only" {
            section.bundle_only = true;
        } else if let Some(direction @ ("sendrecv" | "sendonly" | "recvonly" | "inactive")) =
            line.strip_prefix("a=")
        {
            section.direction = Some(direction.to_owned());
        }
    }
    for section in &mut sections {
        section.rejected &= !section.bundle_only;
    }
    sections
}

/// Whether the entries of a log are the same up to the renaming, in order or as a multiset.
pub(crate) fn same_log(ours: &[Value], theirs: &[Value], ordered: bool, names: &mut Names) -> bool {
    let Some((first, rest)) = ours.split_first() else { return theirs.is_empty() };
    let candidates = if ordered { theirs.len().min(1) } else { theirs.len() };
    for index in 0..candidates {
        let mut others = theirs.to_vec();
        let entry = others.remove(index);
        let mut trial = names.clone();
        if same(first, &entry, &mut trial, "").is_ok()
            && same_log(rest, &others, ordered, &mut trial)
        {
            *names = trial;
            return true;
        }
    }
    false
}

/// Checks that `ours` is `theirs` up to the renaming. The error says where they differ.
pub(crate) fn same(
    ours: &Value,
    theirs: &Value,
    names: &mut Names,
    path: &str,
) -> Result<(), String> {
    match (ours, theirs) {
        (Value::String(ours), Value::String(theirs)) if ours.starts_with('@') => {
            if names.agree(ours, theirs) {
                Ok(())
            } else {
                Err(format!("{path}: {ours} is not {theirs}"))
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                same(ours, theirs, names, &format!("{path}[{index}]"))?;
            }
            Ok(())
        }
        (Value::Object(ours), Value::Object(theirs)) if ours.len() == theirs.len() => {
            for (key, theirs) in theirs {
                let path = format!("{path}.{key}");
                let ours = ours.get(key).ok_or_else(|| format!("{path}: missing"))?;
                same(ours, theirs, names, &path)?;
            }
            Ok(())
        }
        _ if ours == theirs => Ok(()),
        _ => Err(format!("{path}: {ours}, not {theirs}")),
    }
}
