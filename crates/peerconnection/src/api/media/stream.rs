//! mediacapture-main §4.2 `MediaStream` and §4.4 `MediaStreamTrackEvent`.

use std::borrow::Borrow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use idl::{MediaKind, MediaStreamTrackState};

use super::{MediaStreamTrack, id};
use crate::api::handler::{Fired, Handler, handlers};

/// mediacapture-main §4.2: tracks that belong together.
///
/// A cheap handle; clones made with `Clone` are the same object. When a track is sent with streams,
/// the peer makes streams with the same [`id`](Self::id)s.
///
/// ```
/// use peerconnection::{MediaKind, MediaStream, MediaStreamTrack};
///
/// let (sound, picture) =
///     (MediaStreamTrack::new(MediaKind::Audio), MediaStreamTrack::new(MediaKind::Video));
/// let stream = MediaStream::with_tracks([sound.clone(), picture]);
/// assert_eq!(stream.get_audio_tracks(), [sound.clone()]);
/// stream.remove_track(&sound);
/// assert_eq!(stream.get_tracks().len(), 1);
/// ```
#[derive(Clone)]
pub struct MediaStream {
    pub(crate) object: Arc<StreamObject>,
}

pub(crate) struct StreamObject {
    id: String,
    /// The track set, in the order in which tracks were added.
    tracks: Mutex<Vec<MediaStreamTrack>>,
    pub(crate) onaddtrack: Handler<MediaStreamTrackEvent>,
    pub(crate) onremovetrack: Handler<MediaStreamTrackEvent>,
}

/// mediacapture-main §4.4: a connection added a track to a stream or removed it. The application's
/// own changes fire no event.
#[derive(Clone, Debug)]
pub struct MediaStreamTrackEvent {
    target: MediaStream,
    track: MediaStreamTrack,
}

/// mediacapture-main §4.4: what a [`MediaStreamTrackEvent`] is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaStreamTrackEventInit {
    /// The track.
    pub track: MediaStreamTrack,
}

impl MediaStreamTrackEvent {
    /// An event at this stream; for [tests](crate::Event) of an application.
    #[doc(alias("MediaStreamTrackEvent.constructor"))]
    pub fn new(target: MediaStream, init: MediaStreamTrackEventInit) -> Self {
        Self { target, track: init.track }
    }

    /// The stream.
    pub fn target(&self) -> &MediaStream {
        &self.target
    }

    /// The track.
    #[doc(alias("MediaStreamTrackEvent.track"))]
    pub fn track(&self) -> &MediaStreamTrack {
        &self.track
    }
}

impl Fired for MediaStreamTrackEvent {
    type Target = MediaStream;
    type Payload = MediaStreamTrack;
    /// The first `addtrack` of a stream is fired before the `track` event that shows the stream, so
    /// no application can have a handler for it. The stream itself has its tracks.
    const REMEMBERED: usize = 0;

    fn create(target: MediaStream, track: MediaStreamTrack) -> Self {
        Self { target, track }
    }
}

impl Default for MediaStream {
    fn default() -> Self {
        Self::new()
    }
}

impl MediaStream {
    /// A stream without tracks.
    pub fn new() -> Self {
        Self::with_id(id::generate())
    }

    /// A stream of these tracks. A track that occurs twice is added once.
    pub fn with_tracks(tracks: impl IntoIterator<Item = MediaStreamTrack>) -> Self {
        let stream = Self::new();
        for track in tracks {
            stream.add_track(track);
        }
        stream
    }

    /// Another stream of the same tracks.
    pub fn from_stream(stream: &Self) -> Self {
        Self::with_tracks(stream.get_tracks())
    }

    /// webrtc-pc §9.2: the peer chose the id.
    pub(crate) fn with_id(id: String) -> Self {
        Self {
            object: Arc::new(StreamObject {
                id,
                tracks: Mutex::default(),
                onaddtrack: Handler::new("addtrack"),
                onremovetrack: Handler::new("removetrack"),
            }),
        }
    }

    fn tracks(&self) -> MutexGuard<'_, Vec<MediaStreamTrack>> {
        self.object.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The identifier: a UUID, or what the peer chose for a remote stream.
    #[doc(alias("MediaStream.id"))]
    pub fn id(&self) -> &str {
        &self.object.id
    }

    /// All tracks, in the order in which they were added.
    #[doc(alias = "getTracks")]
    pub fn get_tracks(&self) -> Vec<MediaStreamTrack> {
        self.tracks().clone()
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

    fn tracks_of(&self, kind: MediaKind) -> Vec<MediaStreamTrack> {
        self.tracks().iter().filter(|track| track.kind() == kind).cloned().collect()
    }

    /// The track with this id, if there is one.
    #[doc(alias = "getTrackById")]
    pub fn get_track_by_id(&self, id: &str) -> Option<MediaStreamTrack> {
        self.tracks().iter().find(|track| track.id() == id).cloned()
    }

    /// Adds a track, unless it is there already. Fires no event.
    #[doc(alias("MediaStream.addTrack"))]
    pub fn add_track(&self, track: impl Borrow<MediaStreamTrack>) {
        self.add_a_track(track.borrow());
    }

    /// Removes a track, if it is there. Fires no event.
    #[doc(alias("MediaStream.removeTrack"))]
    pub fn remove_track(&self, track: impl Borrow<MediaStreamTrack>) {
        self.remove_a_track(track.borrow());
    }

    /// mediacapture-main §4.2 "add a track", steps 1 and 2. Returns whether to fire `addtrack`.
    pub(crate) fn add_a_track(&self, track: &MediaStreamTrack) -> bool {
        let mut tracks = self.tracks();
        let is_new = !tracks.contains(track);
        if is_new {
            tracks.push(track.clone());
        }
        is_new
    }

    /// mediacapture-main §4.2 "remove a track", steps 1 and 2. Returns whether to fire
    /// `removetrack`.
    pub(crate) fn remove_a_track(&self, track: &MediaStreamTrack) -> bool {
        let removed = {
            let mut tracks = self.tracks();
            let at = tracks.iter().position(|t| t == track);
            at.map(|at| tracks.remove(at))
        };
        // Dropped without the lock: what the track's handlers captured may go with it.
        removed.is_some()
    }

    /// Whether a track of the stream has not ended.
    #[doc(alias("MediaStream.active"))]
    pub fn active(&self) -> bool {
        self.tracks().iter().any(|track| track.ready_state() == MediaStreamTrackState::Live)
    }

    /// `clone()`: another stream, with its own id and with clones of the tracks. (`Clone::clone`
    /// gives another handle to the same stream.)
    #[doc(alias = "clone")]
    #[must_use]
    pub fn clone_stream(&self) -> Self {
        Self::with_tracks(self.get_tracks().iter().map(MediaStreamTrack::clone_track))
    }

    handlers! {
        in time:
        /// `addtrack`: the peer has added a track to the stream. Earlier tracks are in
        /// [`get_tracks`](Self::get_tracks).
        #[doc(alias = "onaddtrack")]
        on_addtrack / clear_on_addtrack / add_addtrack_listener: MediaStreamTrackEvent => object.onaddtrack;
        /// `removetrack`: the peer has removed a track from the stream.
        #[doc(alias = "onremovetrack")]
        on_removetrack / clear_on_removetrack / add_removetrack_listener: MediaStreamTrackEvent => object.onremovetrack;
    }
}

crate::api::identity!(MediaStream, "id" => id);

/// One stream is a list of streams, for methods that take several.
impl AsRef<[Self]> for MediaStream {
    fn as_ref(&self) -> &[Self] {
        std::slice::from_ref(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_are_kept_in_order_and_only_once() {
        let [first, second] = [MediaKind::Video, MediaKind::Audio].map(MediaStreamTrack::new);
        let stream = MediaStream::with_tracks([first.clone(), second.clone(), first.clone()]);
        assert_eq!(stream.get_tracks(), [first.clone(), second.clone()]);
        assert_eq!(stream.get_video_tracks(), std::slice::from_ref(&first));
        assert_eq!(stream.get_audio_tracks(), std::slice::from_ref(&second));
        assert_eq!(stream.get_track_by_id(second.id()), Some(second.clone()));
        stream.remove_track(&first);
        stream.remove_track(&first);
        assert_eq!(stream.get_track_by_id(first.id()), None);
        assert_eq!(stream.get_tracks(), [second]);
    }

    #[test]
    fn a_stream_is_active_while_a_track_is_live() {
        let stream = MediaStream::new();
        assert!(!stream.active());
        let track = MediaStreamTrack::new(MediaKind::Audio);
        stream.add_track(&track);
        assert!(stream.active());
        track.stop();
        assert!(!stream.active());
    }

    #[test]
    fn a_stream_made_of_another_shares_its_tracks_and_a_clone_does_not() {
        let track = MediaStreamTrack::new(MediaKind::Audio);
        let stream = MediaStream::with_tracks([track.clone()]);
        let (shares, cloned) = (MediaStream::from_stream(&stream), stream.clone_stream());
        assert_eq!(stream.clone(), stream);
        assert!(shares != stream && cloned != stream);
        assert!(shares.id() != stream.id() && cloned.id() != stream.id());
        assert_eq!(shares.get_tracks(), stream.get_tracks());
        assert_ne!(cloned.get_tracks(), [track]);
        assert_eq!(cloned.get_audio_tracks().len(), 1);
    }
}
