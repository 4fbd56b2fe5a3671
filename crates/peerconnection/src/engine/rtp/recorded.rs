//! What a recording notes of media: packets that tracks give to senders, without their payloads,
//! and the counters of streams.

use negotiation::TransceiverId;
use time::Instant;
use transport::media::payload::Format;
use transport::media::rtp::{Form, header_length};

use crate::api::{MediaStreamTrack, RtpPacket};
use crate::engine::Engine;
use crate::recording::format::{Input, Octets, Output};

/// Streams whose formats a recording has said. The oldest is said again when it comes again; a
/// replay knows as many.
pub(crate) const DESCRIBED_STREAMS: usize = 256;
/// The longest payload that is told from others. None is sent that is longer.
pub(crate) const LONGEST_PAYLOAD: usize = 65_535;
/// The bit in the first octet that says that there is padding (RFC 3550 §5.1).
const PADDED: u8 = 0x20;

/// The streams of packets whose formats the recording has said.
#[derive(Default)]
pub(super) struct Described {
    /// Origin and formats of a stream, and the number by which packets name both.
    streams: std::collections::VecDeque<([u64; 2], u64)>,
    last: u64,
}

impl Described {
    /// The number of a stream, and whether it is new.
    fn number(&mut self, stream: [u64; 2]) -> (u64, bool) {
        if let Some((_, number)) = self.streams.iter().find(|(known, _)| *known == stream) {
            return (*number, false);
        }
        if self.streams.len() >= DESCRIBED_STREAMS {
            self.streams.pop_front();
        }
        self.last += 1;
        self.streams.push_back((stream, self.last));
        (self.last, true)
    }
}

/// Whether somebody can begin to watch with this packet.
pub(super) fn begins_key_frame(packet: &RtpPacket) -> bool {
    let name = packet.codec().map_or("", |codec| codec.mime_type.as_str());
    Format::of(name).is_some_and(|format| format.begins_key_frame(packet.payload()))
}

/// What a packet has before its payload. Padding, of which nothing is sent, is none of it.
fn header(packet: &RtpPacket) -> Octets {
    let mut header = Vec::new();
    let read = packet.octets().and_then(|octets| octets.get(..header_length(octets)?));
    match read {
        Some(octets) => header.extend_from_slice(octets),
        // The application has made it, and has no number of payload types that does not fit.
        None => {
            let _ = packet.header().write(&[], &[], Form::OneByte, &mut header);
        }
    }
    header.first_mut().into_iter().for_each(|first| *first &= !PADDED);
    Octets(header.into())
}

impl Engine {
    /// Notes a packet that a track gives to a sender.
    pub(crate) fn record_packet(
        &mut self,
        now: Instant,
        sender: TransceiverId,
        packet: &RtpPacket,
    ) {
        if self.recording.is_none() {
            return;
        }
        let stream = packet.stream();
        let formats = stream.formats();
        let (number, is_new) = self.rtp.described.number([stream.origin(), formats.number]);
        if is_new {
            self.record(now, || Input::RtpStream {
                number,
                origin: stream.origin(),
                rid: stream.rid().map(str::to_owned),
                codecs: formats.codecs.to_vec(),
                header_extensions: formats.header_extensions.to_vec(),
            });
        }
        self.record(now, || Input::SendPacket {
            transceiver: sender.0,
            stream: number,
            header: header(packet),
            length: packet.payload().len().min(LONGEST_PAYLOAD),
            begins_key_frame: begins_key_frame(packet),
        });
    }

    /// Notes a track that the application has made of a receiver's source. It gets the events of
    /// the source as long as it is there. Who has dropped it is in no recording, so it stays.
    pub(crate) fn record_clone(
        &mut self,
        now: Instant,
        of: &MediaStreamTrack,
        clone: &MediaStreamTrack,
    ) {
        self.record(now, || Input::CloneTrack {
            of: of.id().to_owned(),
            id: clone.id().to_owned(),
        });
        self.rtp.clones.push(clone.clone());
    }

    /// Notes that the application stops a track of a receiver's source.
    pub(crate) fn record_stop(&self, now: Instant, track: &MediaStreamTrack) {
        self.record(now, || Input::StopTrack { id: track.id().to_owned() });
    }

    /// The SSRCs of what is sent, in an order that does not depend on them.
    pub(crate) fn own_ssrcs(&self) -> Vec<u32> {
        let media = self.transports.iter().filter_map(|(_, transport)| transport.media());
        let mut streams: Vec<_> = media.flat_map(transport::media::Media::outbound).collect();
        streams.sort_by_key(|stream| (stream.section.0, stream.encoding));
        streams.iter().flat_map(|of| [Some(of.ssrc), of.rtx_ssrc]).flatten().collect()
    }

    /// Notes the counters of all RTP streams, if there are any.
    pub(in crate::engine) fn record_streams(&self) {
        if self.recording.is_none() {
            return;
        }
        let mut streams = Vec::new();
        for media in self.transports.iter().filter_map(|(_, transport)| transport.media()) {
            streams.extend(media.outbound().map(|of| {
                let there = of.remote.map_or_else(String::new, |remote| {
                    format!("; there {}, lost {}", remote.packets_received, remote.packets_lost)
                });
                format!(
                    "sent by encoding {} of transceiver {}: {} packets, {} octets; again {}, {}; \
                     NACK {}, PLI {}, FIR {}; frames {}{there}",
                    of.encoding,
                    of.section.0,
                    of.packets_sent,
                    of.bytes_sent,
                    of.retransmitted_packets_sent,
                    of.retransmitted_bytes_sent,
                    of.nack_count,
                    of.pli_count,
                    of.fir_count,
                    of.frames_sent,
                )
            }));
            streams.extend(media.inbound().map(|of| {
                let there = of.remote.map_or_else(String::new, |remote| {
                    format!("; there {}, {} octets", remote.packets_sent, remote.bytes_sent)
                });
                format!(
                    "received of {} for transceiver {}: {} packets, {} octets, lost {}; again {}; \
                     NACK {}, PLI {}, FIR {}; frames {}{there}",
                    of.ssrc,
                    of.section.0,
                    of.packets_received,
                    of.bytes_received,
                    of.packets_lost,
                    of.retransmitted_packets_received,
                    of.nack_count,
                    of.pli_count,
                    of.fir_count,
                    of.frames_received,
                )
            }));
        }
        if !streams.is_empty() {
            self.record_output(|| Output::Streams(streams));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_described_once_and_again_when_it_was_forgotten() {
        let mut described = Described::default();
        assert_eq!(described.number([7, 0]), (1, true));
        assert_eq!(described.number([7, 0]), (1, false));
        assert_eq!(described.number([7, 1]), (2, true), "other formats");
        for other in 0..DESCRIBED_STREAMS as u64 {
            assert!(described.number([8, other]).1);
        }
        assert_eq!(described.streams.len(), DESCRIBED_STREAMS);
        assert!(described.number([7, 0]).1);
    }
}
