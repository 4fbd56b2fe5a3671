//! The tracks and streams of the operations, by name, and the events of remote tracks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use peerconnection::{
    MediaKind, MediaStream, MediaStreamTrack, RTCPeerConnection, RTCRtpTransceiverInit,
};
use serde_json::{Map, Value, json};

use crate::operations::{Entries, push};
use crate::state::mid_name;

/// The local tracks and streams of a trace, made when their names are first used.
#[derive(Clone, Default)]
pub(crate) struct Local(Arc<Mutex<Named>>);

#[derive(Default)]
struct Named {
    tracks: HashMap<String, MediaStreamTrack>,
    streams: HashMap<String, MediaStream>,
}

impl Local {
    fn named<T>(&self, read: impl FnOnce(&mut Named) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The track that an operation names.
    pub(crate) fn track(&self, op: &Map<String, Value>) -> MediaStreamTrack {
        let name = op.get("track").and_then(Value::as_str).expect("a track").to_owned();
        let new = || MediaStreamTrack::new(kind(op));
        self.named(|named| named.tracks.entry(name).or_insert_with(new).clone())
    }

    /// The streams that an operation names.
    pub(crate) fn streams(&self, op: &Map<String, Value>) -> Vec<MediaStream> {
        let names = op.get("streams").and_then(Value::as_array).into_iter().flatten();
        let stream = |name: &Value| {
            let name = name.as_str().expect("a name").to_owned();
            self.named(|named| named.streams.entry(name).or_default().clone())
        };
        names.map(stream).collect()
    }

    pub(crate) fn name_of_track(&self, track: &MediaStreamTrack) -> String {
        let name = self.named(|named| {
            let found = named.tracks.iter().find(|(_, t)| *t == track);
            found.map(|(name, _)| name.clone())
        });
        name.unwrap_or_else(|| "?".to_owned())
    }

    pub(crate) fn name_of_stream(&self, id: &str) -> String {
        let name = self.named(|named| {
            let found = named.streams.iter().find(|(_, stream)| stream.id() == id);
            found.map(|(name, _)| name.clone())
        });
        name.unwrap_or_else(|| "?".to_owned())
    }
}

pub(crate) fn kind(op: &Map<String, Value>) -> MediaKind {
    let kind = op.get("kind").and_then(Value::as_str).unwrap_or_default();
    kind.parse().expect("audio or video")
}

/// The second argument of addTransceiver.
pub(crate) fn init(op: &Map<String, Value>, local: &Local) -> RTCRtpTransceiverInit {
    let mut init =
        RTCRtpTransceiverInit { streams: local.streams(op), ..RTCRtpTransceiverInit::default() };
    if let Some(direction) = op.get("direction").and_then(Value::as_str) {
        init.direction = direction.parse().expect("a direction");
    }
    init
}

/// Logs `track`, and `mute` and `ended` of the tracks in it.
pub(crate) fn log_tracks(pc: &RTCPeerConnection, log: &Entries, local: &Local) {
    let (log, local) = (log.clone(), local.clone());
    pc.on_track(move |event| {
        let kind = event.track().kind().as_str();
        let names = event.streams().iter().map(|stream| local.name_of_stream(stream.id()));
        let mid = event.transceiver().mid().as_deref().map(mid_name);
        let streams: Vec<_> = names.collect();
        push(&log, json!({"event": "track", "kind": kind, "mid": mid, "streams": streams}));
        let entries = log.clone();
        event.track().on_mute(move |_| push(&entries, json!({"event": "mute"})));
        let entries = log.clone();
        event.track().on_ended(move |_| push(&entries, json!({"event": "ended", "kind": kind})));
    });
}
