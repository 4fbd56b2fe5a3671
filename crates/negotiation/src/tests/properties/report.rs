//! What happened, as a parity trace.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::operation::{Call, Op, Pc};
use super::side::Side;
use crate::description::Description;
use crate::signaling::Side::{Local, Remote};
use crate::{RTCBundlePolicy, TrackId};

/// The names of local tracks.
pub(super) type TrackNames = HashMap<TrackId, String>;

pub(super) struct Report {
    bundle_policy: RTCBundlePolicy,
    steps: Vec<Value>,
    /// The states after the step before.
    states: [Value; 2],
    /// Mids and ufrags are named in order of appearance.
    names: HashMap<String, String>,
    /// The streams that operations have named.
    streams: BTreeSet<String>,
}

impl Report {
    pub(super) fn new(bundle_policy: RTCBundlePolicy) -> Self {
        Self {
            bundle_policy,
            steps: Vec::new(),
            states: [Value::Null, Value::Null],
            names: HashMap::new(),
            streams: BTreeSet::new(),
        }
    }

    pub(super) fn trace(&self) -> Value {
        json!({"seed": 0, "config": {"bundlePolicy": self.bundle_policy}, "steps": self.steps})
    }

    pub(super) fn begin(&mut self, ops: &[Op]) {
        for op in ops {
            if let Call::AddTransceiver { streams, .. }
            | Call::AddTrack { streams, .. }
            | Call::SetStreams { streams, .. } = &op.call
            {
                self.streams.extend(streams.iter().cloned());
            }
        }
        self.steps.push(json!({"ops": ops, "returned": [], "log": {}, "state": {}}));
    }

    pub(super) fn returned(&mut self, name: &str) {
        let returned = self.steps.last_mut().and_then(|step| step["returned"].as_array_mut());
        if let Some(returned) = returned {
            returned.push(name.into());
        }
    }

    pub(super) fn end(&mut self, sides: [(Pc, &mut Side); 2], tracks: &TrackNames) {
        let sides = sides.map(|(pc, side)| {
            let state = state(side, tracks, &self.streams);
            (pc, Value::Array(std::mem::take(&mut side.log)), state)
        });
        for (index, (pc, mut log, mut state)) in sides.into_iter().enumerate() {
            self.rename(&mut log);
            self.rename(&mut state);
            let (Some(step), Some(before)) = (self.steps.last_mut(), self.states.get_mut(index))
            else {
                continue;
            };
            if log != json!([]) {
                step["log"][pc.name()] = json!({"ordered": true, "entries": log});
            }
            if *before != state {
                step["state"][pc.name()] = state.clone();
                *before = state;
            }
        }
    }

    fn rename(&mut self, value: &mut Value) {
        match value {
            Value::String(string) if string.starts_with('@') => {
                let kind = string.get(1..2).unwrap_or_default().to_owned();
                let number = self.names.values().filter(|name| name.starts_with(&kind)).count();
                let name = self.names.entry(string.clone());
                *string = name.or_insert_with(|| format!("{kind}{number}")).clone();
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.rename(value)),
            Value::Object(members) => {
                let streams = members.get_mut("streams").and_then(Value::as_array_mut);
                for stream in streams.into_iter().flatten() {
                    if !stream.as_str().is_some_and(|stream| self.streams.contains(stream)) {
                        *stream = "?".into();
                    }
                }
                members.values_mut().for_each(|value| self.rename(value));
            }
            _ => {}
        }
    }
}

fn state(side: &Side, tracks: &TrackNames, streams: &BTreeSet<String>) -> Value {
    let session = &side.session;
    let transceivers = session.transceivers.iter().map(|(id, transceiver)| {
        let ready_state = if side.ended.contains(&id) { "ended" } else { "live" };
        json!({
            "kind": transceiver.kind(),
            "mid": transceiver.mid().map(|mid| format!("@m{mid}")),
            "direction": transceiver.direction(),
            "currentDirection": transceiver.current_direction(),
            "sending": transceiver.sender_track().map(|track| tracks.get(&track)),
            "receiving": {"readyState": ready_state, "muted": true},
        })
    });
    let transceivers: Vec<Value> = transceivers.collect();
    let senders = session.transceivers.iter().filter(|(_, of)| !of.is_stopped()).count();
    let ready_state = if session.is_closed() { "closed" } else { "connecting" };
    let channel = |label: &String| json!({"label": label, "readyState": ready_state});
    let channels: Vec<Value> = side.channels.iter().map(channel).collect();
    let summary = |description: Option<&Description>| {
        description.map(|description| summary(description, streams))
    };
    json!({
        "signalingState": session.signaling_state(),
        "currentLocal": summary(session.descriptions.current(Local)),
        "pendingLocal": summary(session.descriptions.pending(Local)),
        "currentRemote": summary(session.descriptions.current(Remote)),
        "pendingRemote": summary(session.descriptions.pending(Remote)),
        "transceivers": transceivers,
        "senders": senders,
        "receivers": senders,
        "channels": channels,
    })
}

fn summary(description: &Description, streams: &BTreeSet<String>) -> Value {
    let (type_, sdp) = (description.type_, &description.sdp);
    let mid = |mid: &str| format!("@m{mid}");
    let ice = (0..sdp.media().len())
        .find(|index| !description.is_rejected(*index))
        .and_then(|index| description.ice(index))
        .map(|ice| format!("@u{}", ice.username_fragment));
    let groups = sdp.bundle_groups();
    let bundle: Vec<String> = groups.first().into_iter().flatten().map(|m| mid(m)).collect();
    let media = sdp.media().iter().enumerate().map(|(index, media)| {
        let rejected = media.is_rejected();
        let mut summary = json!({
            "kind": media.kind(), "mid": description.mid(index).map(mid), "rejected": rejected,
        });
        if !rejected && media.kind() != "application" {
            summary["direction"] = sdp.direction(index).as_str().into();
            let name = |msid: sdp::Msid| {
                let stream = msid.stream()?;
                Some(if streams.contains(stream) { stream } else { "?" }.to_owned())
            };
            let mut named: Vec<String> = media.msids().filter_map(name).collect();
            named.sort();
            summary["streams"] = named.into();
        }
        summary
    });
    let media: Vec<Value> = media.collect();
    json!({"type": type_, "bundle": bundle, "ice": ice, "media": media})
}
