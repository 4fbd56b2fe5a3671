//! mediacapture-main §4.3 `MediaStreamTrack`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use negotiation::{MediaKind, w3c_enum};

use super::id;
use crate::api::handler::{self, Handler, handlers};
use crate::api::{Event, WeakConnection};

w3c_enum! {
    /// mediacapture-main §4.3.3: whether a track can still give media.
    pub enum MediaStreamTrackState {
        /// The source may give media at any time.
        Live = "live",
        /// The track never gives media again.
        Ended = "ended",
    }
}

/// mediacapture-main §4.3: one source's sound or pictures, as one consumer takes them.
///
/// A cheap handle; clones made with `Clone` are the same object.
/// [`clone_track`](Self::clone_track) makes another track of the same source.
///
/// A connection makes the tracks that it receives together with their
/// [`RTCRtpReceiver`](crate::RTCRtpReceiver). They are muted until media comes, and end when their
/// transceiver is stopped or their connection closed. [`new`](Self::new) makes a track for media
/// that the application brings. Such a track has no source, is never muted, and ends with
/// [`stop`](Self::stop) only.
///
/// ```
/// use peerconnection::{MediaKind, MediaStreamTrack, MediaStreamTrackState};
///
/// let track = MediaStreamTrack::new(MediaKind::Audio);
/// let other = track.clone_track();
/// track.stop();
/// assert_eq!(track.ready_state(), MediaStreamTrackState::Ended);
/// assert_eq!(other.ready_state(), MediaStreamTrackState::Live);
/// ```
#[derive(Clone)]
pub struct MediaStreamTrack {
    pub(crate) object: Arc<TrackObject>,
}

pub(crate) struct TrackObject {
    /// Connections know the track by this number; no other track ever has it.
    pub(crate) number: u64,
    id: String,
    kind: MediaKind,
    label: String,
    enabled: AtomicBool,
    /// `[[Muted]]`
    muted: AtomicBool,
    /// `[[ReadyState]]`
    ended: AtomicBool,
    source: Option<Arc<Source>>,
    pub(crate) onmute: Handler<Event<MediaStreamTrack>>,
    pub(crate) onunmute: Handler<Event<MediaStreamTrack>>,
    pub(crate) onended: Handler<Event<MediaStreamTrack>>,
}

/// A remote source: the tracks that have it, and the connection that fires their events.
struct Source {
    connection: WeakConnection,
    tracks: Mutex<Vec<Weak<TrackObject>>>,
}

impl Source {
    fn tracks(&self) -> MutexGuard<'_, Vec<Weak<TrackObject>>> {
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, track: &Arc<TrackObject>) {
        let mut tracks = self.tracks();
        if tracks.len() == tracks.capacity() {
            tracks.retain(|track| track.strong_count() > 0);
        }
        tracks.push(Arc::downgrade(track));
    }
}

impl TrackObject {
    fn new(id: String, kind: MediaKind, label: String, source: Option<Arc<Source>>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self {
            number: LAST.fetch_add(1, Ordering::Relaxed),
            id,
            kind,
            label,
            enabled: AtomicBool::new(true),
            muted: AtomicBool::new(source.is_some()),
            ended: AtomicBool::new(false),
            source,
            onmute: Handler::new("mute"),
            onunmute: Handler::new("unmute"),
            onended: Handler::new("ended"),
        }
    }

    /// Nothing will be fired at the track any more. Drops its handlers and what they captured.
    pub(crate) fn end_handlers(&self) {
        self.onmute.end();
        self.onunmute.end();
        self.onended.end();
    }

    /// The same, but a handler with missed events still gets them first.
    pub(crate) fn retire_handlers(&self) {
        self.onmute.retire();
        self.onunmute.retire();
        self.onended.retire();
    }
}

impl MediaStreamTrack {
    /// A live track for media that the application brings.
    pub fn new(kind: MediaKind) -> Self {
        let object = TrackObject::new(id::generate(), kind, String::new(), None);
        Self { object: Arc::new(object) }
    }

    /// webrtc-pc §5.3 "create an RTCRtpReceiver", steps 2 to 6.
    pub(crate) fn remote(connection: WeakConnection, kind: MediaKind, random: [u8; 16]) -> Self {
        let source = Arc::new(Source { connection, tracks: Mutex::default() });
        let label = format!("remote {kind}");
        let object = TrackObject::new(id::uuid(random), kind, label, Some(source.clone()));
        let object = Arc::new(object);
        source.add(&object);
        Self { object }
    }

    /// The track and all others of its source.
    pub(crate) fn list_tracks_of_source(&self) -> Vec<Self> {
        match &self.object.source {
            None => vec![self.clone()],
            Some(source) => {
                let tracks = source.tracks();
                tracks.iter().filter_map(Weak::upgrade).map(|object| Self { object }).collect()
            }
        }
    }

    /// mediacapture-main §4.3.1 "set a track's muted state", steps 2 and 3. Returns whether to fire
    /// the event.
    pub(crate) fn set_the_muted_state(&self, muted: bool) -> bool {
        self.object.muted.swap(muted, Ordering::AcqRel) != muted
    }

    /// mediacapture-main §4.3.1: the track has ended, for another reason than `stop()`. Returns
    /// whether to fire the event.
    pub(crate) fn end(&self) -> bool {
        !self.object.ended.swap(true, Ordering::AcqRel)
    }

    /// The identifier, a UUID. The corresponding track at the peer has another one.
    #[doc(alias("MediaStreamTrack.id"))]
    pub fn id(&self) -> &str {
        &self.object.id
    }

    /// What the track carries.
    #[doc(alias("MediaStreamTrack.kind"))]
    pub fn kind(&self) -> MediaKind {
        self.object.kind
    }

    /// The label of the source: `remote audio` or `remote video` for a remote track, else empty.
    #[doc(alias("MediaStreamTrack.label"))]
    pub fn label(&self) -> &str {
        &self.object.label
    }

    /// Whether the track gives its media; if `false`, it gives silence or black frames.
    #[doc(alias("MediaStreamTrack.enabled"))]
    pub fn enabled(&self) -> bool {
        self.object.enabled.load(Ordering::Acquire)
    }

    /// Sets [`enabled`](Self::enabled).
    pub fn set_enabled(&self, enabled: bool) {
        self.object.enabled.store(enabled, Ordering::Release);
    }

    /// Whether the source gives no media at present.
    #[doc(alias("MediaStreamTrack.muted"))]
    pub fn muted(&self) -> bool {
        self.object.muted.load(Ordering::Acquire)
    }

    /// Whether the track can still give media.
    #[doc(alias = "readyState")]
    pub fn ready_state(&self) -> MediaStreamTrackState {
        if self.object.ended.load(Ordering::Acquire) {
            MediaStreamTrackState::Ended
        } else {
            MediaStreamTrackState::Live
        }
    }

    /// Ends the track without an event. Other tracks of the same source go on.
    #[doc(alias("MediaStreamTrack.stop"))]
    pub fn stop(&self) {
        self.end();
    }

    /// `clone()`: another track of the same source, with its own id and the same
    /// [`enabled`](Self::enabled), [`muted`](Self::muted) and [`ready_state`](Self::ready_state).
    /// (`Clone::clone` gives another handle to the same track.)
    #[doc(alias = "clone")]
    #[must_use]
    pub fn clone_track(&self) -> Self {
        let original = &self.object;
        let (label, source) = (original.label.clone(), original.source.clone());
        let object = Arc::new(TrackObject::new(id::generate(), original.kind, label, source));
        // The source gets the clone before the clone gets its state, so that it misses no change.
        if let Some(source) = &object.source {
            source.add(&object);
        }
        object.enabled.store(self.enabled(), Ordering::Release);
        object.muted.store(self.muted(), Ordering::Release);
        if self.ready_state() == MediaStreamTrackState::Ended {
            object.ended.store(true, Ordering::Release);
        }
        Self { object }
    }

    fn queue_delivery(&self, deliver: fn(&Self)) {
        // Nothing is fired at a track without a source.
        let Some(source) = &self.object.source else { return };
        handler::queue_delivery(&source.connection, self, move |track: &Self| {
            deliver(track);
            if track.ready_state() == MediaStreamTrackState::Ended {
                track.object.retire_handlers();
            }
        });
    }

    handlers! {
        /// `mute`: the source gives no media for now.
        #[doc(alias = "onmute")]
        on_mute / clear_on_mute: Event<MediaStreamTrack> => object.onmute;
        /// `unmute`: the source gives media again, or for the first time.
        #[doc(alias = "onunmute")]
        on_unmute / clear_on_unmute: Event<MediaStreamTrack> => object.onunmute;
        /// `ended`: the source has ended; not fired for [`stop`](Self::stop).
        #[doc(alias = "onended")]
        on_ended / clear_on_ended: Event<MediaStreamTrack> => object.onended;
    }
}

crate::api::identity!(MediaStreamTrack, "id" => id);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_track_is_live_and_enabled_and_not_muted() {
        let track = MediaStreamTrack::new(MediaKind::Video);
        assert_eq!(track.kind(), MediaKind::Video);
        assert_eq!(track.id().len(), 36);
        assert_eq!(track.label(), "");
        assert!(track.enabled() && !track.muted());
        assert_eq!(track.ready_state(), MediaStreamTrackState::Live);
    }

    #[test]
    fn a_remote_track_is_live_and_muted() {
        let track = MediaStreamTrack::remote(Weak::new(), MediaKind::Audio, [7; 16]);
        assert_eq!(track.label(), "remote audio");
        assert!(track.muted());
        assert_eq!(track.ready_state(), MediaStreamTrackState::Live);
    }

    #[test]
    fn a_handle_is_the_same_track_and_a_cloned_track_is_another() {
        let track = MediaStreamTrack::new(MediaKind::Audio);
        track.set_enabled(false);
        let (same, other) = (track.clone(), track.clone_track());
        assert_eq!(same, track);
        assert_ne!(other, track);
        assert_ne!(other.id(), track.id());
        assert_ne!(other.object.number, track.object.number);
        assert!(!other.enabled());
        track.set_enabled(true);
        assert!(same.enabled() && !other.enabled());
    }

    #[test]
    fn stop_ends_one_track_and_the_end_of_a_source_all_of_its_tracks() {
        let track = MediaStreamTrack::remote(Weak::new(), MediaKind::Audio, [7; 16]);
        let (first, second) = (track.clone_track(), track.clone_track());
        first.stop();
        assert_eq!(second.ready_state(), MediaStreamTrackState::Live);
        let to_fire: Vec<_> =
            track.list_tracks_of_source().into_iter().filter(MediaStreamTrack::end).collect();
        assert_eq!(to_fire, [track.clone(), second]);
        assert_eq!(first.clone_track().ready_state(), MediaStreamTrackState::Ended);
        assert_eq!(track.clone_track().ready_state(), MediaStreamTrackState::Ended);
    }

    #[test]
    fn muting_twice_is_one_event() {
        let track = MediaStreamTrack::remote(Weak::new(), MediaKind::Video, [7; 16]);
        assert!(!track.set_the_muted_state(true));
        assert!(track.set_the_muted_state(false));
        assert!(!track.clone_track().muted());
        assert!(track.set_the_muted_state(true));
        assert!(track.clone_track().muted());
    }

    #[test]
    fn a_source_forgets_the_tracks_that_are_gone() {
        let track = MediaStreamTrack::remote(Weak::new(), MediaKind::Video, [7; 16]);
        for _ in 0..1000 {
            drop(track.clone_track());
        }
        let source = track.object.source.as_ref().unwrap();
        assert!(source.tracks().len() <= 16, "{}", source.tracks().len());
        assert_eq!(track.list_tracks_of_source().len(), 1);
    }
}
