//! Packets of media that the application sent, told again. Their payloads are in no recording:
//! others of the same lengths stand for them, of which those begin a key frame that did.

use std::collections::BTreeMap;
use std::sync::Arc;

use negotiation::TransceiverId;
use transport::media::payload::Format;

use crate::api::{RtpFormats, RtpPacket, RtpStream};
use crate::connection::Connection;
use crate::engine::{DESCRIBED_STREAMS, LONGEST_PAYLOAD};
use crate::recording::format::{Input, Octets};

/// Makes origins differ from those of this process, which count from 0. Below it there is room for
/// an origin of any recording, and above it for what a sender adds.
const RECORDED: u64 = 1 << 39;

/// The streams of packets, by the numbers that the recording gives them.
#[derive(Default)]
pub(super) struct Packets {
    streams: BTreeMap<u64, RtpStream>,
}

impl Packets {
    /// Makes a stream or sends a packet.
    pub(super) fn perform(
        &mut self,
        connection: &Arc<Connection>,
        input: Input,
    ) -> Result<(), &'static str> {
        match input {
            Input::RtpStream { number, origin, rid, codecs, header_extensions } => {
                if origin >= RECORDED {
                    return Err("no such origin");
                }
                let formats = RtpFormats::new(codecs.into(), header_extensions.into());
                let rid = rid.map(Arc::from);
                let stream = RtpStream::received(origin | RECORDED, rid, formats);
                self.streams.insert(number, stream);
                if self.streams.len() > DESCRIBED_STREAMS {
                    self.streams.pop_first();
                }
            }
            Input::SendPacket { transceiver, stream, header, length, begins_key_frame } => {
                let stream = self.streams.get(&stream).ok_or("there is no such stream")?;
                let packet = packet(stream, &header, length, begins_key_frame);
                let packet = packet.ok_or("no packet of RTP")?;
                connection.send_packet(TransceiverId(transceiver), packet);
            }
            _ => {}
        }
        Ok(())
    }
}

fn packet(stream: &RtpStream, header: &Octets, length: usize, is_key: bool) -> Option<RtpPacket> {
    if length > LONGEST_PAYLOAD {
        return None;
    }
    let mut octets = header.0.to_vec();
    let start = octets.len();
    octets.resize(start + length, 0);
    let packet = stream.parse(octets.into()).ok()?;
    if !is_key {
        return Some(packet);
    }
    let format = Format::of(&packet.codec()?.mime_type)?;
    let mut octets = packet.octets()?.to_vec();
    octets.iter_mut().skip(start).zip(key_frame(format)).for_each(|(place, octet)| *place = *octet);
    stream.parse(octets.into()).ok()
}

/// The shortest beginning of a payload that begins a key frame. Zeros do not, except as sound.
fn key_frame(format: Format) -> &'static [u8] {
    match format {
        Format::Opus => &[],
        // RFC 7741 §4.2: S, partition 0. RFC 6386 §9.1: the lowest bit says that it is none.
        Format::Vp8 => &[0x10],
        // RFC 6184 §5.3: a slice of an IDR picture.
        Format::H264 => &[0x65],
        // RFC 9628 §4.2: B, and neither P nor a layer.
        Format::Vp9 => &[0x08],
        // AV1 RTP §4.4: N, and W for one element.
        Format::Av1 => &[0x18],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RTCRtpCodec, RtpHeader};

    #[test]
    fn what_stands_for_a_payload_begins_a_key_frame_if_that_did() {
        for (name, format) in [
            ("video/VP8", Format::Vp8),
            ("video/H264", Format::H264),
            ("video/VP9", Format::Vp9),
            ("video/AV1", Format::Av1),
        ] {
            let codec = RTCRtpCodec {
                mime_type: name.to_owned(),
                clock_rate: 90_000,
                ..RTCRtpCodec::default()
            };
            let stream = RtpStream::new(codec);
            let made = stream.packet(RtpHeader::default(), vec![0; 9]);
            let mut header = Vec::new();
            let form = transport::media::rtp::Form::OneByte;
            made.header().write(&[], &[], form, &mut header).unwrap();
            for length in [2, 100] {
                for is_key in [false, true] {
                    let packet = packet(&stream, &Octets::copy(&header), length, is_key).unwrap();
                    assert_eq!(packet.payload().len(), length);
                    assert_eq!(
                        format.begins_key_frame(packet.payload()),
                        is_key,
                        "{name} {length}"
                    );
                    assert_eq!(packet.stream(), &stream);
                }
            }
        }
    }
}
