//! `MediaStreamTrack` and `MediaStream`.

use napi::Result;
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use peerconnection::{MediaStream, MediaStreamTrack};

use crate::convert::{enumeration, key};

#[napi]
pub struct NativeTrack {
    pub(crate) track: MediaStreamTrack,
}

impl From<MediaStreamTrack> for NativeTrack {
    fn from(track: MediaStreamTrack) -> Self {
        Self { track }
    }
}

#[napi]
impl NativeTrack {
    #[napi(constructor)]
    pub fn new(kind: String) -> Result<Self> {
        Ok(Self { track: MediaStreamTrack::new(enumeration(&kind)?) })
    }

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
    }

    #[napi(js_name = "clone")]
    pub fn clone_track(&self) -> Self {
        Self { track: self.track.clone_track() }
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
