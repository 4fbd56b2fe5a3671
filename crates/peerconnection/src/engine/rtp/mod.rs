//! RTP of the transceivers: between the media of the transports and the tracks.
//!
//! - `sections`: what the descriptions say, for the media of each transport
//! - `receiving`: from packets to tracks
//! - `sending`: from tracks to packets
//! - `tones`: telephone tones as packets
//! - `recorded`: what a recording notes of packets

mod receiving;
mod recorded;
mod sections;
mod sending;
mod tones;

use std::collections::{BTreeMap, VecDeque};

use negotiation::{TransceiverId, TransportId};
use time::Instant;
use transport::media::{Event, SectionId};

use super::{Engine, Task};
use crate::api::{MediaStreamTrack, RtpPacket};
use crate::recording::format::Input;
use receiving::Receiver;
use recorded::Described;
use sending::Sender;

pub(crate) use receiving::ReceivedPackets;
pub(crate) use recorded::{DESCRIBED_STREAMS, LONGEST_PAYLOAD};
pub(super) use tones::Tone;

/// The RTP of all transceivers.
#[derive(Default)]
pub(super) struct Rtp {
    receivers: BTreeMap<TransceiverId, Receiver>,
    /// Boxed, as they are large: a node of the map reserves room for eleven.
    senders: BTreeMap<TransceiverId, Box<Sender>>,
    /// The transport of each section of media.
    transports: BTreeMap<TransceiverId, TransportId>,
    /// Packets that were received and wait for their task.
    received: ReceivedPackets,
    /// An empty list whose memory the next task reuses.
    spare: ReceivedPackets,
    /// The task is in the queue.
    is_queued: bool,
    /// An empty list whose memory the next taking from the outbox reuses.
    taken: VecDeque<(TransceiverId, RtpPacket)>,
    /// The streams of packets whose formats the recording has.
    described: Described,
    /// The tracks that the application has made of those of receivers, if the connection is
    /// recorded.
    pub(super) clones: Vec<MediaStreamTrack>,
}

impl Rtp {
    /// The codecs that a sender sends.
    pub(super) fn codecs_sent(&self, id: TransceiverId) -> &[negotiation::RTCRtpCodecParameters] {
        self.senders.get(&id).map(|sender| sender.codecs()).unwrap_or_default()
    }

    /// What goes over a transport goes to another peer from now on, which can begin with a key frame
    /// alone, and what comes there has other sources.
    pub(super) fn meet_another_peer(&mut self, id: TransportId) {
        let senders = self.senders.values_mut().filter(|sender| sender.transport == id);
        senders.for_each(|sender| sender.set_paused());
        let receivers = self.receivers.values_mut().filter(|receiver| receiver.transport == id);
        receivers.for_each(Receiver::forget_sources);
    }
}

fn section_id(id: TransceiverId) -> SectionId {
    SectionId(id.0)
}

impl Engine {
    /// Takes note of what has come of the media of a transport.
    pub(super) fn media_event(&mut self, event: Event) {
        match event {
            Event::Packet(incoming) => self.receive_packet(incoming),
            Event::KeyFrameRequested { section, encoding } => {
                self.queue(Task::KeyFrameRequested(TransceiverId(section.0), encoding));
            }
            // Nothing here chooses a rate: whoever encodes does.
            Event::MaximumBitrate { bits_per_second, .. } => {
                tracing::debug!(bits_per_second, "the peer limits what it can receive");
            }
            Event::Goodbye { section, ssrc } => {
                let id = TransceiverId(section.0);
                if self.rtp.receivers.get_mut(&id).is_some_and(|receiver| receiver.leave(ssrc)) {
                    self.queue(Task::SourcesLeft(id));
                }
            }
        }
    }

    /// The media that carries packets of a transport to the peer.
    fn media_of(&mut self, id: TransportId) -> Option<&mut transport::media::Media> {
        self.transports.get_mut(&id)?.media_stack().media_mut()
    }

    /// Asks the peer for a key frame: of one layer, or of all.
    pub(crate) fn request_key_frame(&mut self, now: Instant, id: TransceiverId, rid: Option<&str>) {
        self.record(now, || Input::RequestKeyFrame {
            transceiver: id.0,
            rid: rid.map(str::to_owned),
        });
        let Some(receiver) = self.rtp.receivers.get(&id) else { return };
        let (transport, sources) = (receiver.transport, receiver.sources(rid));
        let Some(media) = self.media_of(transport) else { return };
        for ssrc in sources {
            media.request_key_frame(now, section_id(id), ssrc);
        }
    }

    /// The track of a transceiver's receiver.
    fn receiver_track(&mut self, id: TransceiverId) -> Option<MediaStreamTrack> {
        self.slot(id).map(|slot| slot.track.clone())
    }
}
