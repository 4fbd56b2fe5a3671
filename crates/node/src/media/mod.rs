//! `MediaStreamTrack` and `MediaStream`, and what is beyond the W3C interfaces:
//!
//! - `packets`: the packets of RTP that a track gives
//! - `source`: `TrackSource`, which takes packets
//! - `synthetic`: the devices of tests

pub mod packets;
pub mod source;
pub mod synthetic;

use std::cell::RefCell;
use std::sync::Arc;

use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use peerconnection::{MediaStream, MediaStreamTrack};

use crate::convert::key;
use synthetic::Player;

#[napi]
pub struct NativeTrack {
    pub(crate) track: MediaStreamTrack,
    /// The synthetic device, which plays until all of its tracks have stopped or are gone.
    player: RefCell<Option<Arc<Player>>>,
}

impl From<MediaStreamTrack> for NativeTrack {
    fn from(track: MediaStreamTrack) -> Self {
        Self { track, player: RefCell::new(None) }
    }
}

impl NativeTrack {
    /// Has a synthetic device encode these layers too.
    pub(crate) fn encode_layers<'r>(&self, rids: impl Iterator<Item = &'r str>) {
        if let Some(player) = &*self.player.borrow() {
            player.add_layers(rids);
        }
    }
}

#[napi]
impl NativeTrack {
    #[napi(getter)]
    pub fn key(&self) -> f64 {
        key(self.track.object_id())
    }

    #[napi(js_name = "id")]
    pub fn id(&self) -> &str {
        self.track.id()
    }

    #[napi]
    pub fn kind(&self) -> &'static str {
        self.track.kind().as_str()
    }

    #[napi]
    pub fn label(&self) -> &str {
        self.track.label()
    }

    #[napi]
    pub fn enabled(&self) -> bool {
        self.track.enabled()
    }

    #[napi]
    pub fn set_enabled(&self, enabled: bool) {
        self.track.set_enabled(enabled);
    }

    #[napi]
    pub fn muted(&self) -> bool {
        self.track.muted()
    }

    #[napi]
    pub fn ready_state(&self) -> &'static str {
        self.track.ready_state().as_str()
    }

    #[napi]
    pub fn stop(&self) {
        self.track.stop();
        *self.player.borrow_mut() = None;
    }

    #[napi]
    pub fn request_key_frame(&self) {
        self.track.request_key_frame();
    }

    #[napi(js_name = "clone")]
    pub fn clone_track(&self) -> Self {
        Self { track: self.track.clone_track(), player: self.player.clone() }
    }
}

#[napi]
pub struct NativeStream {
    pub(crate) stream: MediaStream,
}

impl From<MediaStream> for NativeStream {
    fn from(stream: MediaStream) -> Self {
        Self { stream }
    }
}

/// The streams behind the handles of a call.
pub(crate) fn streams(handles: &[ClassInstance<'_, NativeStream>]) -> Vec<MediaStream> {
    handles.iter().map(|handle| handle.stream.clone()).collect()
}

#[napi]
impl NativeStream {
    #[napi(constructor)]
    pub fn new(tracks: Vec<ClassInstance<'_, NativeTrack>>) -> Self {
        let tracks = tracks.iter().map(|handle| handle.track.clone());
        Self { stream: MediaStream::with_tracks(tracks) }
    }

    #[napi(getter)]
    pub fn key(&self) -> f64 {
        key(self.stream.object_id())
    }

    #[napi(js_name = "id")]
    pub fn id(&self) -> &str {
        self.stream.id()
    }

    #[napi]
    pub fn active(&self) -> bool {
        self.stream.active()
    }

    #[napi]
    pub fn get_tracks(&self) -> Vec<NativeTrack> {
        self.stream.get_tracks().into_iter().map(NativeTrack::from).collect()
    }

    #[napi]
    pub fn add_track(&self, track: &NativeTrack) {
        self.stream.add_track(&track.track);
    }

    #[napi]
    pub fn remove_track(&self, track: &NativeTrack) {
        self.stream.remove_track(&track.track);
    }
}
