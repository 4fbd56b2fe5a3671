//! From the packets of the peer to tracks.

use std::collections::VecDeque;
use std::sync::Arc;

use negotiation::{MediaReceive, TransceiverId, TransportId};
use time::Instant;
use transport::media::Incoming;

use super::super::{Delivery, Engine, Task};
use crate::api::{MediaStreamTrack, RTCRtpContributingSource, RtpFormats, RtpPacket, RtpStream};

/// Packets on their way to tracks, the oldest first.
pub(crate) type ReceivedPackets = VecDeque<(MediaStreamTrack, RtpPacket)>;

/// Packets that wait for the event loop. The oldest make room for more.
const WAITING: usize = 4096;
/// The sources of a receiver that are told apart. The oldest makes room.
const SOURCES: usize = 64;

/// What a receiver takes.
pub(super) struct Receiver {
    pub(super) transport: TransportId,
    formats: Arc<RtpFormats>,
    /// The streams that it has heard, by their SSRCs.
    streams: Vec<(u32, RtpStream)>,
    /// Those of them that have said BYE, and nothing since.
    left: Vec<u32>,
}

impl Receiver {
    /// What it takes from now on; its streams go on.
    pub(super) fn new(before: Option<Self>, transport: TransportId, receive: MediaReceive) -> Self {
        let MediaReceive { codecs, header_extensions, .. } = receive;
        let (mut streams, mut left) = (Vec::new(), Vec::new());
        let mut formats = None;
        if let Some(before) = before {
            let same = before.formats.codecs == codecs
                && before.formats.header_extensions == header_extensions;
            formats = same.then_some(before.formats);
            (streams, left) = (before.streams, before.left);
        }
        let is_new = formats.is_none();
        let formats = formats.unwrap_or_else(|| RtpFormats::new(codecs, header_extensions));
        if is_new {
            for (_, stream) in &mut streams {
                *stream = stream.with_formats(formats.clone());
            }
        }
        Self { transport, formats, streams, left }
    }

    /// They were those of another peer.
    pub(super) fn forget_sources(&mut self) {
        self.streams.clear();
        self.left.clear();
    }

    /// The sources of a layer, or all.
    pub(super) fn sources(&self, rid: Option<&str>) -> Vec<u32> {
        let wanted = |stream: &RtpStream| rid.is_none() || stream.rid() == rid;
        let streams = self.streams.iter().filter(|(_, stream)| wanted(stream));
        streams.map(|(ssrc, _)| *ssrc).collect()
    }

    /// A source has said BYE. Returns whether all have that were heard.
    pub(super) fn leave(&mut self, ssrc: u32) -> bool {
        if !self.left.contains(&ssrc) && self.streams.iter().any(|(known, _)| *known == ssrc) {
            self.left.push(ssrc);
        }
        self.have_left()
    }

    fn have_left(&self) -> bool {
        let mut streams = self.streams.iter();
        !self.left.is_empty() && streams.all(|(ssrc, _)| self.left.contains(ssrc))
    }

    fn stream(&mut self, ssrc: u32, rid: Option<&Arc<str>>) -> &RtpStream {
        self.left.retain(|left| *left != ssrc);
        let is_it = |(known, stream): &(u32, RtpStream)| {
            *known == ssrc && stream.rid() == rid.map(AsRef::as_ref)
        };
        let at = match self.streams.iter().position(is_it) {
            Some(at) => at,
            None => {
                self.streams.retain(|(known, _)| *known != ssrc);
                if self.streams.len() >= SOURCES {
                    let (forgotten, _) = self.streams.remove(0);
                    self.left.retain(|left| *left != forgotten);
                }
                let origin = RtpStream::new_origin();
                let stream = RtpStream::received(origin, rid.cloned(), self.formats.clone());
                self.streams.push((ssrc, stream));
                self.streams.len() - 1
            }
        };
        let (_, stream) = &self.streams[at];
        stream
    }
}

impl Engine {
    /// Keeps a packet for the task that gives it to its track.
    pub(super) fn receive_packet(&mut self, incoming: Incoming) {
        let id = TransceiverId(incoming.section.0);
        let Some(receiver) = self.rtp.receivers.get_mut(&id) else { return };
        let stream = receiver.stream(incoming.ssrc, incoming.rid.as_ref());
        let Ok(packet) = stream.parse(incoming.octets) else { return };
        let Some(track) = self.receiver_track(id) else { return };
        if self.rtp.received.len() >= WAITING {
            tracing::debug!("the event loop is behind: the oldest packet is dropped");
            let oldest = self.rtp.received.pop_front();
            self.release(oldest);
        }
        self.rtp.received.push_back((track, packet));
        if !std::mem::replace(&mut self.rtp.is_queued, true) {
            self.queue(Task::PacketsReceived);
        }
    }

    /// Gives the tracks what was received. mediacapture-main §4.3.1: the first packets end the muted
    /// state.
    pub(in crate::engine) fn packets_received(&mut self, now: Instant) {
        self.rtp.is_queued = false;
        let spare = std::mem::take(&mut self.rtp.spare);
        let packets = std::mem::replace(&mut self.rtp.received, spare);
        let mut last: Option<&MediaStreamTrack> = None;
        let mut muted = Vec::new();
        for (track, _) in &packets {
            if last != Some(track) && track.muted() && !muted.contains(track) {
                muted.push(track.clone());
            }
            last = Some(track);
        }
        for track in muted {
            // The negotiation may have muted it since the packet came.
            if self.is_received(&track) {
                self.set_the_muted_state(&track, false);
            }
            self.release(track);
        }
        self.deliveries.push_back(Delivery::Packets(now, packets));
    }

    /// webrtc-pc §9.3: when a source has left with BYE, the track is muted. The layers of simulcast
    /// are several sources: the last one counts. Browsers go on with the same source after BYE: a
    /// packet that has come since keeps the track as it is, and the next one ends the muted state.
    pub(in crate::engine) fn sources_left(&mut self, id: TransceiverId) {
        if self.rtp.receivers.get(&id).is_some_and(Receiver::have_left)
            && let Some(track) = self.receiver_track(id)
        {
            self.set_the_muted_state(&track, true);
            self.release(track);
        }
    }

    /// Whether the peer may send the track at present.
    fn is_received(&self, track: &MediaStreamTrack) -> bool {
        self.rtp
            .receivers
            .keys()
            .any(|id| self.transceivers.slots.get(id).is_some_and(|slot| slot.track == *track))
    }

    /// §5.3 getContributingSources.
    pub(crate) fn contributing_sources(
        &self,
        now: Instant,
        track: &MediaStreamTrack,
    ) -> Vec<RTCRtpContributingSource> {
        let timestamp = |at| self.statistics.timestamp(at);
        track.contributions().map(|all| all.contributing(now, timestamp)).unwrap_or_default()
    }

    /// §5.3 getSynchronizationSources.
    pub(crate) fn synchronization_sources(
        &self,
        now: Instant,
        track: &MediaStreamTrack,
    ) -> Vec<RTCRtpContributingSource> {
        let timestamp = |at| self.statistics.timestamp(at);
        track.contributions().map(|all| all.synchronization(now, timestamp)).unwrap_or_default()
    }

    /// Takes back the memory of a list.
    pub(crate) fn keep_spare(&mut self, mut list: ReceivedPackets) {
        list.clear();
        list.shrink_to(WAITING / 16);
        self.rtp.spare = list;
    }
}
