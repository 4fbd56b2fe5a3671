//! webrtc-pc §5: the objects of the negotiation's transceivers, and their methods.
//!
//! The negotiation has the slots; here is the one object of each transceiver. The object is made
//! when somebody asks for it or something happens to the transceiver. It lives while the
//! transceiver is in the set, and after that as long as the application holds it.

use std::any::Any;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Weak};

use negotiation::{
    Error, OperationId, TrackId, TrackOrKind as LocalTrackOrKind, TransceiverId, TransceiverInit,
};
use rand::RngExt;
use time::Instant;

use super::dtmf::Dtmf;
use super::sender_tracks::{SenderTracks, local_track};
use super::weak_map::WeakMap;
use super::{Delivery, Engine, recorded};
use crate::api::{
    MediaStream, MediaStreamTrack, Promise, RTCRtpSender, RTCRtpTransceiver, RTCRtpTransceiverInit,
    StreamObject, TrackOrKind, TransceiverObject, undefined,
};
use crate::recording::format::Input;

/// How many of the transceivers that have left the set one call looks at.
const LOOKED_AT: usize = 2;

/// The objects of a connection's transceivers, and what belongs to them.
#[derive(Default)]
pub(super) struct Transceivers {
    pub(super) slots: BTreeMap<TransceiverId, Slot>,
    /// Transceivers that have left the set and are not forgotten yet.
    removed: VecDeque<TransceiverId>,
    pub(super) tracks: SenderTracks,
    /// The pending replaceTrack() operations, each with the track that it will set.
    replacing: HashMap<OperationId, (TransceiverId, Option<TrackId>)>,
    /// The streams of remote tracks, by the id that the peer chose.
    pub(super) remote_streams: WeakMap<String, StreamObject>,
    pub(super) dtmf: BTreeMap<TransceiverId, Dtmf>,
}

pub(super) struct Slot {
    object: Weak<TransceiverObject>,
    /// The same object, while the transceiver is in the set.
    kept: Option<Arc<TransceiverObject>>,
    /// `[[ReceiverTrack]]`
    pub(super) track: MediaStreamTrack,
    /// Whether the track still has to get `ended`.
    pub(super) ends: bool,
    /// `[[AssociatedRemoteMediaStreams]]` by their ids. A stream that is here is the connection's
    /// one stream with its id.
    pub(super) streams: HashMap<String, MediaStream>,
    /// `[[SenderTrack]]` when this was last looked at.
    sender_track: Option<TrackId>,
}

/// Something to drop with nothing locked. An object takes with it what its handlers captured, which
/// may be the last handle of a connection.
pub(crate) type Released = Box<dyn Any + Send>;

impl Engine {
    pub(super) fn release(&mut self, what: impl Any + Send) {
        self.deliveries.push_back(Delivery::Release(Box::new(what)));
    }

    /// The slot of a transceiver; `None` if the transceiver is gone.
    pub(super) fn slot(&mut self, id: TransceiverId) -> Option<&mut Slot> {
        if !self.transceivers.slots.contains_key(&id) {
            self.transceiver_object(id)?;
        }
        self.transceivers.slots.get_mut(&id)
    }

    /// The object of a transceiver; `None` if the transceiver is gone.
    pub(super) fn transceiver_object(
        &mut self,
        id: TransceiverId,
    ) -> Option<Arc<TransceiverObject>> {
        if let Some(slot) = self.transceivers.slots.get(&id) {
            return slot.object.upgrade();
        }
        let transceiver = self.session.transceiver(id)?;
        let (kind, connection) = (transceiver.kind(), self.connection.clone());
        let track = MediaStreamTrack::remote(connection.clone(), id, kind, self.random.random());
        let ends = !transceiver.is_stopping();
        if !ends {
            track.end();
        }
        let object = Arc::new(TransceiverObject::new(connection, id, kind, track.clone()));
        let slot = Slot {
            object: Arc::downgrade(&object),
            kept: Some(object.clone()),
            track,
            ends,
            streams: HashMap::new(),
            sender_track: None,
        };
        self.transceivers.slots.insert(id, slot);
        Some(object)
    }

    fn new_transceiver(
        &mut self,
        now: Instant,
        id: TransceiverId,
        track: Option<&MediaStreamTrack>,
    ) -> Result<RTCRtpTransceiver, Error> {
        let object = self.transceiver_object(id);
        self.update_sender_track(now, id, track);
        object
            .map(|object| RTCRtpTransceiver { object })
            .ok_or_else(|| Error::OperationError("the transceiver is gone".to_owned()))
    }

    /// The same for the application: objects may be made, with a random id for their tracks.
    pub(crate) fn look_at_transceivers(
        &mut self,
        now: Instant,
        live: bool,
    ) -> Vec<RTCRtpTransceiver> {
        self.record(now, || Input::Transceivers { live });
        self.collect_transceivers(live)
    }

    /// §5.1 CollectTransceivers. With `not_stopped` it leaves out stopped ones.
    fn collect_transceivers(&mut self, not_stopped: bool) -> Vec<RTCRtpTransceiver> {
        let session = &self.session;
        let ids: Vec<_> = session
            .transceivers()
            .filter(|id| !not_stopped || session.transceiver(*id).is_some_and(|t| !t.is_stopped()))
            .collect();
        let objects = ids.into_iter().filter_map(|id| self.transceiver_object(id));
        objects.map(|object| RTCRtpTransceiver { object }).collect()
    }

    /// §5.1 addTrack.
    pub(crate) fn add_track(
        &mut self,
        now: Instant,
        track: &MediaStreamTrack,
        streams: &[MediaStream],
    ) -> Result<RTCRtpSender, Error> {
        self.record(now, || Input::AddTrack {
            track: recorded::track(track),
            streams: recorded::streams(streams),
        });
        let id = self.session.add_track(local_track(track), &ids(streams))?;
        self.new_transceiver(now, id, Some(track)).map(|transceiver| transceiver.sender())
    }

    /// §5.1 removeTrack.
    pub(crate) fn remove_track(
        &mut self,
        now: Instant,
        sender: &TransceiverObject,
    ) -> Result<(), Error> {
        // Step 4. Step 3 comes first, which the session does: a closed connection refuses there.
        if !self.is_closed && !Weak::ptr_eq(&self.connection, &sender.connection) {
            return Err(Error::InvalidAccessError("the sender is another connection's".to_owned()));
        }
        self.record(now, || Input::RemoveTrack { transceiver: sender.id.0 });
        self.session.remove_track(sender.id)?;
        self.update_sender_track(now, sender.id, None);
        Ok(())
    }

    /// §5.1 addTransceiver.
    pub(crate) fn add_transceiver(
        &mut self,
        now: Instant,
        track_or_kind: &TrackOrKind,
        init: &RTCRtpTransceiverInit,
    ) -> Result<RTCRtpTransceiver, Error> {
        self.record(now, || {
            let (track, kind) = match track_or_kind {
                TrackOrKind::Track(track) => (Some(recorded::track(track)), track.kind()),
                TrackOrKind::Kind(kind) => (None, *kind),
            };
            Input::AddTransceiver {
                track,
                kind,
                direction: init.direction,
                streams: recorded::streams(&init.streams),
                encodings: init.send_encodings.clone(),
            }
        });
        let (track, track_or_kind) = match track_or_kind {
            TrackOrKind::Track(track) => (Some(track), LocalTrackOrKind::Track(local_track(track))),
            TrackOrKind::Kind(kind) => (None, LocalTrackOrKind::Kind(*kind)),
        };
        let init = TransceiverInit {
            direction: init.direction,
            streams: ids(&init.streams),
            send_encodings: init.send_encodings.clone(),
        };
        let id = self.session.add_transceiver(track_or_kind, init)?;
        self.new_transceiver(now, id, track)
    }

    /// §5.2 replaceTrack.
    pub(crate) fn replace_track(
        &mut self,
        now: Instant,
        sender: &TransceiverObject,
        with_track: Option<&MediaStreamTrack>,
    ) -> Promise<()> {
        self.record(now, || Input::ReplaceTrack {
            transceiver: sender.id.0,
            track: with_track.map(recorded::track),
        });
        if self.is_closed {
            return Promise::rejected(crate::api::closed());
        }
        let local = with_track.map(local_track);
        let track = local.as_ref().map(|track| track.id);
        let (operation, promise) =
            self.start(undefined, |session| session.replace_track(sender.id, local));
        // An operation that was rejected at once is not there.
        if self.operations.contains_key(&operation) {
            if let Some(track) = with_track {
                self.transceivers.tracks.acquire(now, track);
            }
            self.transceivers.replacing.insert(operation, (sender.id, track));
        }
        promise
    }

    /// If this was a replaceTrack() operation, notes that the sender has its new track.
    pub(super) fn operation_settled(&mut self, now: Instant, operation: OperationId) {
        let Some((sender, track)) = self.transceivers.replacing.remove(&operation) else { return };
        let object = track.and_then(|track| self.transceivers.tracks.get(track));
        self.update_sender_track(now, sender, object.as_ref());
        if let Some(track) = track.and_then(|track| self.transceivers.tracks.release(track)) {
            self.release(track);
        }
        if let Some(object) = object {
            self.release(object);
        }
    }

    /// Follows a change of `[[SenderTrack]]`. If a track was set, it is `track`.
    fn update_sender_track(
        &mut self,
        now: Instant,
        id: TransceiverId,
        track: Option<&MediaStreamTrack>,
    ) {
        let Some(slot) = self.transceivers.slots.get_mut(&id) else { return };
        let after = self.session.transceiver(id).and_then(negotiation::Transceiver::sender_track);
        let before = std::mem::replace(&mut slot.sender_track, after);
        if before == after {
            return;
        }
        if let Some(track) = track
            && after == Some(local_track(track).id)
        {
            self.transceivers.tracks.acquire(now, track);
            track.add_sender(&self.connection, id);
        }
        if let Some(before) = before {
            if let Some(track) = self.transceivers.tracks.get(before) {
                track.remove_sender(&self.connection, id);
                self.release(track);
            }
            if let Some(track) = self.transceivers.tracks.release(before) {
                self.release(track);
            }
        }
    }

    pub(crate) fn sender_track(&self, id: TransceiverId) -> Option<MediaStreamTrack> {
        self.transceivers.tracks.get(self.session.transceiver(id)?.sender_track()?)
    }

    /// Follows a transceiver that has left the set.
    pub(super) fn transceiver_removed(&mut self, id: TransceiverId) {
        let Some(slot) = self.transceivers.slots.get_mut(&id) else {
            // Nobody has ever seen the transceiver.
            self.session.forget_transceiver(id);
            return;
        };
        let kept = slot.kept.take();
        self.release(kept);
        self.transceivers.removed.push_back(id);
    }

    /// Forgets transceivers that have left the set and that the application has dropped. Each call
    /// looks at a few.
    pub(super) fn forget_transceivers(&mut self) {
        // Who has dropped what is not in a recording.
        if self.recording.is_some() {
            return;
        }
        for _ in 0..LOOKED_AT {
            let Some(id) = self.transceivers.removed.pop_front() else { return };
            let Some(slot) = self.transceivers.slots.get(&id) else { continue };
            if slot.object.strong_count() > 0 || slot.ends {
                self.transceivers.removed.push_back(id);
                continue;
            }
            let Some(slot) = self.transceivers.slots.remove(&id) else { continue };
            self.transceivers.dtmf.remove(&id);
            self.session.forget_transceiver(id);
            let sent = slot.sender_track.and_then(|track| {
                let sent = self.transceivers.tracks.get(track);
                if let Some(track) = &sent {
                    track.remove_sender(&self.connection, id);
                }
                (sent, self.transceivers.tracks.release(track)).into()
            });
            self.release((slot, sent));
        }
    }

    /// Releases what the transceivers' objects hold, since the connection is closed. The objects
    /// stay.
    pub(super) fn close_transceivers(&mut self) -> (Vec<Arc<TransceiverObject>>, Released) {
        let transceivers = &mut self.transceivers;
        let slots = transceivers.slots.values();
        let objects = slots.filter_map(|slot| slot.object.upgrade()).collect();
        let slots = transceivers.slots.values_mut();
        let streams: Vec<_> = slots.map(|slot| std::mem::take(&mut slot.streams)).collect();
        let replacing = std::mem::take(&mut transceivers.replacing).into_values();
        let pending: Vec<_> = replacing
            .filter_map(|(_, track)| track)
            .map(|track| transceivers.tracks.release(track))
            .collect();
        let sent = transceivers.tracks.let_go();
        sent.iter().for_each(|track| track.remove_senders_of(&self.connection));
        transceivers.dtmf.clear();
        (objects, Box::new((streams, pending, sent)))
    }
}

fn ids(streams: &[MediaStream]) -> Vec<String> {
    streams.iter().map(|stream| stream.id().to_owned()).collect()
}

#[cfg(test)]
mod tests;
