//! The negotiation's commands for remote tracks and their streams.

use std::sync::Arc;

use negotiation::{MediaCommand, TransceiverId};
use time::Instant;

use super::Engine;
use crate::api::{AnyEvent, MediaStream, MediaStreamTrack, RTCRtpTransceiver};

impl Engine {
    pub(super) fn run_media_command(&mut self, now: Instant, command: MediaCommand) {
        match command {
            MediaCommand::Update => self.update_media(now),
            MediaCommand::Mute { transceiver } => {
                if let Some(track) = self.slot(transceiver).map(|slot| slot.track.clone()) {
                    self.set_the_muted_state(&track, true);
                }
            }
            MediaCommand::AddToStream { transceiver, stream } => {
                self.add_to_stream(transceiver, stream);
            }
            MediaCommand::RemoveFromStream { transceiver, stream } => {
                self.remove_from_stream(transceiver, &stream);
            }
            MediaCommand::EndTrack { transceiver } => {
                if let Some(slot) = self.transceivers.slots.get_mut(&transceiver)
                    && std::mem::take(&mut slot.ends)
                {
                    let track = slot.track.clone();
                    self.end_track(track);
                }
            }
            MediaCommand::Removed { transceiver } => self.transceiver_removed(transceiver),
        }
    }

    /// mediacapture-main §4.3.1 "set a track's muted state", for all tracks of its source.
    pub(super) fn set_the_muted_state(&mut self, track: &MediaStreamTrack, muted: bool) {
        for track in track.list_tracks_of_source() {
            if track.set_the_muted_state(muted) {
                let event = if muted {
                    AnyEvent::MediaStreamTrackMute
                } else {
                    AnyEvent::MediaStreamTrackUnmute
                };
                self.fire(event(track));
            } else {
                self.release(track);
            }
        }
    }

    /// mediacapture-main §4.3.1: ends all tracks of the source of this one.
    pub(super) fn end_track(&mut self, track: MediaStreamTrack) {
        for track in track.list_tracks_of_source() {
            if track.end() {
                self.fire(AnyEvent::MediaStreamTrackEnded(track));
            } else {
                self.release(track);
            }
        }
        self.release(track);
    }

    /// §5.1 "set the associated remote streams": the one stream of this connection with the id.
    fn remote_stream(&mut self, id: &str) -> MediaStream {
        let streams = &mut self.transceivers.remote_streams;
        if let Some(object) = streams.get(id) {
            return MediaStream { object };
        }
        let stream = MediaStream::with_id(id.to_owned());
        streams.insert(id.to_owned(), &stream.object);
        stream
    }

    fn add_to_stream(&mut self, transceiver: TransceiverId, id: String) {
        let stream = self.remote_stream(&id);
        let Some(slot) = self.slot(transceiver) else { return };
        slot.streams.insert(id, stream.clone());
        let track = slot.track.clone();
        if stream.add_a_track(&track) {
            self.fire(AnyEvent::MediaStreamAddTrack(stream, track));
        }
    }

    fn remove_from_stream(&mut self, transceiver: TransceiverId, id: &str) {
        let Some(slot) = self.transceivers.slots.get_mut(&transceiver) else { return };
        let Some(stream) = slot.streams.remove(id) else { return };
        let track = slot.track.clone();
        if stream.remove_a_track(&track) {
            self.fire(AnyEvent::MediaStreamRemoveTrack(stream, track));
        } else {
            self.release(stream);
        }
    }

    /// §4.4.1.4 step 4.7.20.
    pub(super) fn fire_track(&mut self, transceiver: TransceiverId, streams: &[String]) {
        let Some(object) = self.transceiver_object(transceiver) else { return };
        let streams: Arc<[_]> = streams.iter().map(|id| self.remote_stream(id)).collect();
        self.fire(AnyEvent::Track(RTCRtpTransceiver { object }, streams));
    }
}
