//! webrtc-pc §5.1.1: processing remote MediaStreamTracks.

use std::collections::HashSet;

use super::{Transceiver, TransceiverId};
use crate::effect::{Event, MediaCommand};
use crate::session::Session;
use idl::RTCRtpTransceiverDirection;

/// The lists of webrtc-pc §4.4.1.4 step 4.7.9 that concern tracks.
#[derive(Debug, Default)]
pub(crate) struct TrackEvents {
    /// `muteTracks`
    mute_tracks: Vec<TransceiverId>,
    /// `removeList`
    remove_list: Vec<(TransceiverId, String)>,
    /// `addList`
    add_list: Vec<(TransceiverId, String)>,
    /// `trackEventInits`
    track_event_inits: Vec<(TransceiverId, Vec<String>)>,
}

impl Transceiver {
    /// webrtc-pc §5.1.1: process remote tracks.
    pub(crate) fn process_remote_tracks(
        &mut self,
        id: TransceiverId,
        direction: Option<RTCRtpTransceiverDirection>,
        msids: Vec<String>,
        events: &mut TrackEvents,
    ) {
        let fired = |direction: Option<RTCRtpTransceiverDirection>| {
            direction.is_some_and(RTCRtpTransceiverDirection::receives)
        };
        // Step 1
        let length = events.add_list.len();
        self.set_the_associated_remote_streams(id, msids, events);
        // Step 2
        if fired(direction) && !fired(self.fired_direction) || events.add_list.len() > length {
            self.process_the_addition_of_a_remote_track(id, events);
        }
        if !fired(direction) {
            // Step 3
            self.receptive = false;
            // Step 4
            if fired(self.fired_direction) {
                process_the_removal_of_a_remote_track(id, events);
            }
        }
        // Step 5
        self.fired_direction = direction;
    }

    /// webrtc-pc §5.1.1: process the addition of a remote track.
    fn process_the_addition_of_a_remote_track(&self, id: TransceiverId, events: &mut TrackEvents) {
        // Steps 1 to 4
        let streams = self.receiver.associated_remote_media_streams.clone();
        events.track_event_inits.push((id, streams));
    }

    /// webrtc-pc §5.1.1: set the associated remote streams.
    pub(crate) fn set_the_associated_remote_streams(
        &mut self,
        id: TransceiverId,
        msids: Vec<String>,
        events: &mut TrackEvents,
    ) {
        let associated = &mut self.receiver.associated_remote_media_streams;
        // Steps 2 and 3: the host has one MediaStream for each id.
        let mut named = HashSet::with_capacity(msids.len());
        let streams: Vec<String> =
            msids.iter().filter(|msid| named.insert(msid.as_str())).cloned().collect();
        // Step 5
        let gone = associated.iter().filter(|stream| !named.contains(stream.as_str()));
        events.remove_list.extend(gone.map(|stream| (id, stream.clone())));
        // Step 6
        let before: HashSet<&String> = associated.iter().collect();
        let new = streams.iter().filter(|stream| !before.contains(stream));
        events.add_list.extend(new.map(|stream| (id, stream.clone())));
        // Step 7
        *associated = streams;
    }
}

/// webrtc-pc §5.1.1: process the removal of a remote track. The host finds out whether the track is
/// muted already.
pub(crate) fn process_the_removal_of_a_remote_track(id: TransceiverId, events: &mut TrackEvents) {
    events.mute_tracks.push(id);
}

impl Session {
    /// webrtc-pc §4.4.1.4 steps 4.7.17 to 4.7.20.
    pub(crate) fn fire_track_events(&mut self, events: TrackEvents) {
        // Step 4.7.17
        for transceiver in events.mute_tracks {
            self.outputs.push_effect(MediaCommand::Mute { transceiver });
        }
        // Step 4.7.18
        for (transceiver, stream) in events.remove_list {
            self.outputs.push_effect(MediaCommand::RemoveFromStream { transceiver, stream });
        }
        // Step 4.7.19
        for (transceiver, stream) in events.add_list {
            self.outputs.push_effect(MediaCommand::AddToStream { transceiver, stream });
        }
        // Step 4.7.20
        for (transceiver, streams) in events.track_event_inits {
            self.outputs.push_effect(Event::Track { transceiver, streams });
        }
    }
}
