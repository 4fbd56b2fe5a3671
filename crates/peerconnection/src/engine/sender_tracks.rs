//! The tracks of the senders, which the negotiation knows by number.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use negotiation::{LocalTrack, TrackId};
use time::Instant;

use crate::api::{MediaStreamTrack, TrackObject};

/// The tracks that a sender has, or will have after a pending `replaceTrack()`.
#[derive(Default)]
pub(super) struct SenderTracks {
    tracks: HashMap<TrackId, Entry>,
}

struct Entry {
    track: Weak<TrackObject>,
    /// The same track, until the connection is closed.
    kept: Option<Arc<TrackObject>>,
    uses: usize,
    /// When a sender first had it, or was to have it.
    since: Instant,
}

/// A track as the negotiation sees it.
pub(super) fn local_track(track: &MediaStreamTrack) -> LocalTrack {
    LocalTrack { id: TrackId(track.object.number), kind: track.kind() }
}

impl SenderTracks {
    pub(super) fn get(&self, id: TrackId) -> Option<MediaStreamTrack> {
        self.tracks.get(&id)?.track.upgrade().map(|object| MediaStreamTrack { object })
    }

    /// Since when a sender has a track.
    pub(super) fn since(&self, track: &MediaStreamTrack) -> Option<Instant> {
        Some(self.tracks.get(&TrackId(track.object.number))?.since)
    }

    /// Counts one more use of a track.
    pub(super) fn acquire(&mut self, now: Instant, track: &MediaStreamTrack) {
        let entry = self.tracks.entry(TrackId(track.object.number)).or_insert_with(|| Entry {
            track: Arc::downgrade(&track.object),
            kept: Some(track.object.clone()),
            uses: 0,
            since: now,
        });
        entry.uses += 1;
    }

    /// Counts one use less. After the last one returns the track, to be dropped with nothing
    /// locked.
    #[must_use]
    pub(super) fn release(&mut self, id: TrackId) -> Option<MediaStreamTrack> {
        let entry = self.tracks.get_mut(&id)?;
        entry.uses = entry.uses.saturating_sub(1);
        if entry.uses > 0 {
            return None;
        }
        let kept = self.tracks.remove(&id)?.kept;
        kept.map(|object| MediaStreamTrack { object })
    }

    /// Keeps no track any more, since the connection is closed; senders still show their tracks.
    /// Returns the tracks, to be dropped with nothing locked.
    pub(super) fn let_go(&mut self) -> Vec<MediaStreamTrack> {
        let kept = self.tracks.values_mut().filter_map(|entry| entry.kept.take());
        kept.map(|object| MediaStreamTrack { object }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use negotiation::MediaKind;

    #[test]
    fn a_track_is_kept_while_it_is_used() {
        let mut tracks = SenderTracks::default();
        let track = MediaStreamTrack::new(MediaKind::Audio);
        let id = local_track(&track).id;
        tracks.acquire(Instant::now(), &track);
        tracks.acquire(Instant::now(), &track);
        drop(track);
        assert!(tracks.release(id).is_none());
        let track = tracks.get(id).expect("one use is left");
        assert_eq!(tracks.release(id), Some(track));
        assert!(tracks.get(id).is_none());
        assert!(tracks.tracks.is_empty());
    }

    #[test]
    fn after_the_end_a_track_is_shown_while_the_application_has_it() {
        let mut tracks = SenderTracks::default();
        let track = MediaStreamTrack::new(MediaKind::Audio);
        let id = local_track(&track).id;
        tracks.acquire(Instant::now(), &track);
        assert_eq!(tracks.let_go().len(), 1);
        assert_eq!(tracks.get(id), Some(track.clone()));
        drop(track);
        assert!(tracks.get(id).is_none());
    }
}
