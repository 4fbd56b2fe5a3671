//! From tracks to the packets for the peer.

use std::sync::Arc;

use negotiation::{
    MediaEncoding, MediaSend, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters,
    TransceiverId, TransportId, repaired_payload_type, same_format,
};
use time::{Duration, Instant};
use transport::media::rtp::ExtensionIds;
use transport::media::{Media, Outgoing};

use super::recorded::begins_key_frame;
use super::section_id;
use crate::api::{KeyFrameRequest, RtpFormats, RtpPacket};
use crate::engine::{Delivery, Engine, Task};

/// Formats of packets whose mapping is remembered.
const MAPPINGS: usize = 8;
/// Elements of a packet that are passed on. Browsers write six.
const ELEMENTS: usize = 16;
/// For how long a layer may be silent until another one takes its place.
const SILENCE: Duration = Duration::from_secs(1);
/// What no origin of packets reaches, so that a number above it says how often a stream has begun
/// anew here.
const BEGINNINGS: u32 = 40;

/// What a sender sends, and how.
pub(super) struct Sender {
    pub(super) transport: TransportId,
    codecs: Arc<[RTCRtpCodecParameters]>,
    header_extensions: Arc<[RTCRtpHeaderExtensionParameters]>,
    encodings: Vec<MediaEncoding>,
    mappings: Vec<(u64, Mapping)>,
    /// The layer that is sent, if there is one encoding for all layers of a track.
    layer: Option<Layer>,
    /// How far each encoding is.
    progress: Vec<Progress>,
}

/// What has become of the packets for one encoding.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// How often sending has begun anew after packets were left out.
    beginnings: u64,
    /// Packets were left out since the last one was sent.
    has_paused: bool,
    /// The origin of the last packet.
    origin: Option<u64>,
}

struct Layer {
    origin: u64,
    rid: Option<String>,
    last: Instant,
}

/// What payload types and extension ids of packets are here.
struct Mapping {
    payload_types: [Option<u8>; 128],
    extension_ids: ExtensionIds,
}

impl Mapping {
    fn new(
        formats: &RtpFormats,
        codecs: &[RTCRtpCodecParameters],
        header_extensions: &[RTCRtpHeaderExtensionParameters],
    ) -> Self {
        let mut payload_types = [None; 128];
        for theirs in formats.codecs.iter().filter(|codec| repaired_payload_type(codec).is_none()) {
            let exact = codecs.iter().find(|ours| same_format(&ours.codec, &theirs.codec));
            // An application may name a codec without its parameters.
            let any = || {
                codecs.iter().find(|ours| {
                    theirs.sdp_fmtp_line.is_none()
                        && ours.mime_type.eq_ignore_ascii_case(&theirs.mime_type)
                        && ours.clock_rate == theirs.clock_rate
                })
            };
            let ours = exact.or_else(any);
            if let Some(slot) = payload_types.get_mut(usize::from(theirs.payload_type)) {
                *slot = ours.map(|ours| ours.payload_type);
            }
        }
        let mut extension_ids = ExtensionIds::none();
        for theirs in formats.header_extensions.iter() {
            let ours = header_extensions.iter().find(|ours| ours.uri == theirs.uri);
            if let Some(ours) = ours
                && let (Ok(from), Ok(to)) = (u8::try_from(theirs.id), u8::try_from(ours.id))
            {
                extension_ids.set(from, to);
            }
        }
        Self { payload_types, extension_ids }
    }
}

impl Sender {
    /// What it sends from now on.
    pub(super) fn new(before: Option<Box<Self>>, transport: TransportId, send: MediaSend) -> Self {
        let MediaSend { codecs, header_extensions, encodings } = send;
        let mut new = Self {
            transport,
            codecs,
            header_extensions,
            encodings,
            mappings: Vec::new(),
            layer: None,
            progress: Vec::new(),
        };
        let known = before.as_ref().map(|before| (&before.encodings, &before.progress));
        let progress_of = |ours: &MediaEncoding| {
            let (encodings, progress) = known?;
            let place = encodings.iter().position(|theirs| theirs.ssrc == ours.ssrc)?;
            progress.get(place).copied()
        };
        new.progress =
            new.encodings.iter().map(|ours| progress_of(ours).unwrap_or_default()).collect();
        if let Some(before) = before {
            new.layer = before.layer;
            if new.codecs == before.codecs && new.header_extensions == before.header_extensions {
                new.mappings = before.mappings;
            }
        }
        new
    }

    pub(super) fn codecs(&self) -> &[RTCRtpCodecParameters] {
        &self.codecs
    }

    /// Packets are left out: sending begins anew with the next one.
    pub(super) fn set_paused(&mut self) {
        self.progress.iter_mut().for_each(|progress| progress.has_paused = true);
    }

    /// The place of the encoding of a packet.
    fn encoding(&mut self, now: Instant, packet: &RtpPacket) -> Option<usize> {
        let has_rids = self.encodings.iter().any(|encoding| encoding.rid.is_some());
        let (origin, rid) = (packet.stream().origin(), packet.rid());
        if has_rids {
            // An application that makes one stream makes the first layer.
            let rid = rid.or_else(|| self.encodings.first()?.rid.as_deref());
            return self.encodings.iter().position(|encoding| encoding.rid.as_deref() == rid);
        }
        // One layer of several: the one that is sent, until it is silent.
        if rid.is_some()
            && let Some(layer) = &self.layer
            && layer.origin != origin
            && now.saturating_duration_since(layer.last) < SILENCE
        {
            return None;
        }
        match &mut self.layer {
            Some(layer) if layer.origin == origin => layer.last = now,
            layer => *layer = Some(Layer { origin, rid: rid.map(str::to_owned), last: now }),
        }
        (!self.encodings.is_empty()).then_some(0)
    }

    fn mapping(&mut self, formats: &RtpFormats) -> &Mapping {
        let at = match self.mappings.iter().position(|(number, _)| *number == formats.number) {
            Some(at) => at,
            None => {
                if self.mappings.len() >= MAPPINGS {
                    self.mappings.remove(0);
                }
                let mapping = Mapping::new(formats, &self.codecs, &self.header_extensions);
                self.mappings.push((formats.number, mapping));
                self.mappings.len() - 1
            }
        };
        &self.mappings[at].1
    }

    /// Sends a packet. Returns the encoding that needs a key frame, because it begins in the middle
    /// of a stream.
    fn send(
        &mut self,
        now: Instant,
        id: TransceiverId,
        packet: &RtpPacket,
        media: &mut Media,
    ) -> Option<usize> {
        let encoding = self.encoding(now, packet)?;
        let is_active = self.encodings.get(encoding)?.active;
        let progress = self.progress.get_mut(encoding)?;
        if !is_active {
            progress.has_paused = true;
            return None;
        }
        progress.beginnings += u64::from(std::mem::take(&mut progress.has_paused));
        let origin = packet.stream().origin() | progress.beginnings << BEGINNINGS;
        let mapping = self.mapping(packet.stream().formats());
        let header = packet.header();
        let payload_type = mapping.payload_types.get(usize::from(header.payload_type));
        let Some(payload_type) = payload_type.copied().flatten() else {
            tracing::trace!(?packet, "the codec of a packet is not negotiated");
            return None;
        };
        let mut elements = [(0, [].as_slice()); ELEMENTS];
        let mapped = packet
            .elements()
            .filter_map(|element| Some((mapping.extension_ids.get(element.id)?, element.data)));
        let count = elements.iter_mut().zip(mapped).map(|(slot, element)| *slot = element).count();
        let mut csrcs = [0; 15];
        let named = packet.read().map(|packet| packet.csrcs()).into_iter().flatten();
        let csrc_count = csrcs.iter_mut().zip(named).map(|(slot, csrc)| *slot = csrc).count();
        let outgoing = Outgoing {
            origin,
            payload_type,
            marker: header.marker,
            sequence_number: header.sequence_number,
            timestamp: header.timestamp,
            csrcs: csrcs.get(..csrc_count).unwrap_or_default(),
            elements: elements.get(..count).unwrap_or_default(),
            payload: packet.payload(),
        };
        if let Err(error) = media.send(now, section_id(id), encoding, &outgoing) {
            tracing::trace!(%error, ?packet, "a packet is not sent");
            return None;
        }
        let last = self.progress.get_mut(encoding)?.origin.replace(origin);
        (last != Some(origin) && needs_key_frame(packet)).then_some(encoding)
    }
}

/// Whether nobody can begin with this packet. The numbers go on, so that a receiver does not see by
/// them that the pictures depend on others.
fn needs_key_frame(packet: &RtpPacket) -> bool {
    let name = packet.codec().map_or("", |codec| codec.mime_type.as_str());
    let is_video = name.get(..6).is_some_and(|kind| kind.eq_ignore_ascii_case("video/"));
    is_video && !begins_key_frame(packet)
}

impl Engine {
    /// Sends the packets that tracks have given to senders.
    pub(in crate::engine) fn send_packets(&mut self, now: Instant) {
        let mut packets = std::mem::take(&mut self.rtp.taken);
        self.outbox.take_packets(&mut packets);
        for (id, packet) in packets.drain(..) {
            if self.plays_tone(id) {
                continue;
            }
            let Some(sender) = self.rtp.senders.get_mut(&id) else { continue };
            let Some(transport) = self.transports.get_mut(&sender.transport) else { continue };
            let stack = transport.media_stack();
            if stack.dtls_state() != transport::DtlsState::Connected {
                sender.set_paused();
                continue;
            }
            let media = stack.media_mut();
            if let Some(encoding) = media.and_then(|media| sender.send(now, id, &packet, media)) {
                self.queue(Task::KeyFrameRequested(id, encoding));
            }
        }
        packets.shrink_to(super::super::outbox::CAPACITY);
        self.rtp.taken = packets;
    }

    /// The peer needs a key frame: the source of the track learns of it, with nothing locked.
    pub(in crate::engine) fn key_frame_requested(&mut self, id: TransceiverId, encoding: usize) {
        let Some(sender) = self.rtp.senders.get(&id) else { return };
        let rid = sender.encodings.get(encoding).and_then(|encoding| encoding.rid.clone());
        let rid = rid.or_else(|| sender.layer.as_ref()?.rid.clone());
        let request = KeyFrameRequest { rid };
        let Some(track) = self.sender_track(id) else { return };
        let call = Box::new(move || track.key_frame_requested(request));
        self.deliveries.push_back(Delivery::Call(call));
    }
}
