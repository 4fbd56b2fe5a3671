//! mediacapture-main §4.3 `MediaStreamTrack` and §4.2 `MediaStream`: the page's own, as opaque
//! objects.

use std::borrow::Borrow;
use std::rc::Rc;

use idl::{MediaKind, MediaStreamTrackState};
use js_sys::Array;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};

use super::object::{find_or_make, identity};
use super::{convert, js};

/// mediacapture-main §4.3: one source's sound or pictures. The page captures, encodes and plays: give
/// it [`as_js`](Self::as_js).
#[derive(Clone)]
pub struct MediaStreamTrack {
    pub(crate) object: SendWrapper<Rc<TrackObject>>,
}

pub(crate) struct TrackObject {
    pub(crate) js: js::MediaStreamTrack,
    id: String,
    kind: MediaKind,
    label: String,
}

impl MediaStreamTrack {
    pub(crate) fn of(js: js::MediaStreamTrack) -> Self {
        let object = find_or_make(&js.clone(), || {
            Rc::new(TrackObject {
                id: js.id(),
                kind: convert::value(js.kind()).unwrap_or(MediaKind::Video),
                label: js.label(),
                js,
            })
        });
        Self { object: SendWrapper::new(object) }
    }

    /// A track of the page, for example one that `getUserMedia()` has given; `None` if it is no
    /// `MediaStreamTrack`.
    pub fn from_js(track: JsValue) -> Option<Self> {
        track.dyn_into().ok().map(Self::of)
    }

    /// The page's object, for an element that plays it, or whatever takes tracks.
    pub fn as_js(&self) -> &JsValue {
        &self.object.js
    }

    /// The identifier.
    #[doc(alias("MediaStreamTrack.id"))]
    pub fn id(&self) -> &str {
        &self.object.id
    }

    /// What the track carries.
    #[doc(alias("MediaStreamTrack.kind"))]
    pub fn kind(&self) -> MediaKind {
        self.object.kind
    }

    /// The label of the source.
    #[doc(alias("MediaStreamTrack.label"))]
    pub fn label(&self) -> &str {
        &self.object.label
    }

    /// Whether the track gives its media; if `false`, it gives silence or black frames.
    #[doc(alias("MediaStreamTrack.enabled"))]
    pub fn enabled(&self) -> bool {
        self.object.js.enabled()
    }

    /// Sets [`enabled`](Self::enabled).
    pub fn set_enabled(&self, enabled: bool) {
        self.object.js.set_enabled(enabled);
    }

    /// Whether the source gives no media at present.
    #[doc(alias("MediaStreamTrack.muted"))]
    pub fn muted(&self) -> bool {
        self.object.js.muted()
    }

    /// Whether the track can still give media.
    #[doc(alias = "readyState")]
    pub fn ready_state(&self) -> MediaStreamTrackState {
        convert::value(self.object.js.ready_state()).unwrap_or(MediaStreamTrackState::Ended)
    }

    /// Ends the track without an event. Other tracks of the same source go on.
    #[doc(alias("MediaStreamTrack.stop"))]
    pub fn stop(&self) {
        self.object.js.stop();
    }

    /// `clone()`: another track of the same source. (`Clone::clone` gives another handle to the same
    /// track.)
    #[doc(alias = "clone")]
    #[must_use]
    pub fn clone_track(&self) -> Self {
        Self::of(self.object.js.clone_track())
    }
}

identity!(MediaStreamTrack, "id" => id);

/// For arguments that are a track or none.
impl From<&MediaStreamTrack> for Option<MediaStreamTrack> {
    fn from(track: &MediaStreamTrack) -> Self {
        Some(track.clone())
    }
}

/// mediacapture-main §4.2: tracks that belong together.
#[derive(Clone)]
pub struct MediaStream {
    pub(crate) object: SendWrapper<Rc<StreamObject>>,
}

pub(crate) struct StreamObject {
    pub(crate) js: js::MediaStream,
    id: String,
}

impl Default for MediaStream {
    fn default() -> Self {
        Self::new()
    }
}

/// The page's tracks.
fn tracks(list: &Array) -> Vec<MediaStreamTrack> {
    list.iter().map(|one| MediaStreamTrack::of(one.unchecked_into())).collect()
}

impl MediaStream {
    pub(crate) fn of(js: js::MediaStream) -> Self {
        let object = find_or_make(&js.clone(), || Rc::new(StreamObject { id: js.id(), js }));
        Self { object: SendWrapper::new(object) }
    }

    /// A stream without tracks.
    pub fn new() -> Self {
        Self::with_tracks([])
    }

    /// A stream of these tracks. A track that occurs twice is added once.
    pub fn with_tracks(tracks: impl IntoIterator<Item = MediaStreamTrack>) -> Self {
        let tracks: Array =
            tracks.into_iter().map(|track| JsValue::from(track.object.js.clone())).collect();
        Self::of(js::MediaStream::new(&tracks))
    }

    /// Another stream of the same tracks.
    pub fn from_stream(stream: &Self) -> Self {
        Self::with_tracks(stream.get_tracks())
    }

    /// A stream of the page; `None` if it is no `MediaStream`.
    pub fn from_js(stream: JsValue) -> Option<Self> {
        stream.dyn_into().ok().map(Self::of)
    }

    /// The page's object, for `srcObject` of an element.
    pub fn as_js(&self) -> &JsValue {
        &self.object.js
    }

    /// The identifier: a UUID, or what the peer chose for a remote stream.
    #[doc(alias("MediaStream.id"))]
    pub fn id(&self) -> &str {
        &self.object.id
    }

    /// All tracks.
    #[doc(alias = "getTracks")]
    pub fn get_tracks(&self) -> Vec<MediaStreamTrack> {
        tracks(&self.object.js.get_tracks())
    }

    fn tracks_of(&self, kind: MediaKind) -> Vec<MediaStreamTrack> {
        self.get_tracks().into_iter().filter(|track| track.kind() == kind).collect()
    }

    /// The tracks that carry sound.
    #[doc(alias = "getAudioTracks")]
    pub fn get_audio_tracks(&self) -> Vec<MediaStreamTrack> {
        self.tracks_of(MediaKind::Audio)
    }

    /// The tracks that carry pictures.
    #[doc(alias = "getVideoTracks")]
    pub fn get_video_tracks(&self) -> Vec<MediaStreamTrack> {
        self.tracks_of(MediaKind::Video)
    }

    /// The track with this id, if there is one.
    #[doc(alias = "getTrackById")]
    pub fn get_track_by_id(&self, id: &str) -> Option<MediaStreamTrack> {
        self.get_tracks().into_iter().find(|track| track.id() == id)
    }

    /// Adds a track, unless it is there already. Fires no event.
    #[doc(alias("MediaStream.addTrack"))]
    pub fn add_track(&self, track: impl Borrow<MediaStreamTrack>) {
        self.object.js.add_track(&track.borrow().object.js);
    }

    /// Removes a track, if it is there. Fires no event.
    #[doc(alias("MediaStream.removeTrack"))]
    pub fn remove_track(&self, track: impl Borrow<MediaStreamTrack>) {
        self.object.js.remove_track(&track.borrow().object.js);
    }

    /// Whether a track of the stream has not ended.
    #[doc(alias("MediaStream.active"))]
    pub fn active(&self) -> bool {
        self.object.js.active()
    }

    /// `clone()`: another stream, with its own id and with clones of the tracks. (`Clone::clone`
    /// gives another handle to the same stream.)
    #[doc(alias = "clone")]
    #[must_use]
    pub fn clone_stream(&self) -> Self {
        Self::of(self.object.js.clone_stream())
    }
}

identity!(MediaStream, "id" => id);

/// One stream is a list of streams, for methods that take several.
impl AsRef<[Self]> for MediaStream {
    fn as_ref(&self) -> &[Self] {
        std::slice::from_ref(self)
    }
}

/// The page's objects of streams.
pub(crate) fn streams_of(streams: &[MediaStream]) -> Array {
    streams.iter().map(|stream| JsValue::from(stream.object.js.clone())).collect()
}
