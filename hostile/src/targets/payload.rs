//! Payload formats, both ways.

use media::payload::{Depacketizer, Format, Fragment, Packetizer};

const FORMATS: [Format; 5] = [Format::Opus, Format::Vp8, Format::H264, Format::Vp9, Format::Av1];

/// Takes the octets as payloads, each after an octet with its length and one with its marker (the
/// lowest bit), whether a packet is missing before it, and whether its timestamp is another; then
/// as a frame to send.
pub fn frames(octets: &[u8]) {
    for format in FORMATS {
        let mut depacketizer = Depacketizer::new(format);
        let (mut rest, mut sequence_number, mut timestamp) = (octets, 0_u16, 0_u32);
        while let [length, flags, behind @ ..] = rest {
            let (payload, behind) = behind.split_at(behind.len().min((*length).into()));
            rest = behind;
            sequence_number = sequence_number.wrapping_add(1 + u16::from(flags >> 1 & 1));
            timestamp = timestamp.wrapping_add(3000 * u32::from(flags >> 2 & 1));
            let marker = flags & 1 != 0;
            let fragment = Fragment { sequence_number, timestamp, marker, payload };
            if let Ok(Some(frame)) = depacketizer.push(fragment) {
                // H.264 has a start code of four octets for a length of two.
                assert!(!frame.octets.is_empty() && frame.octets.len() <= 3 * octets.len());
            }
            let begins = [format.begins_frame(payload), format.begins_key_frame(payload)];
            assert!(!payload.is_empty() || begins == [false; 2]);
        }
        send(format, octets);
    }
}

/// What goes out comes back; of H.264 and AV1 with start codes and sizes of one form.
fn send(format: Format, frame: &[u8]) {
    let mut packetizer = Packetizer::new(format, 0);
    let mut depacketizer = Depacketizer::new(format);
    let Ok(mut packets) = packetizer.packetize(frame, 100) else { return };
    let (mut payload, mut sequence_number) = (Vec::new(), 0_u16);
    while let Some(marker) = packets.write_next(&mut payload) {
        assert!(!payload.is_empty() && payload.len() <= 100);
        sequence_number += 1;
        let fragment = Fragment { sequence_number, timestamp: 0, marker, payload: &payload };
        if let Ok(Some(received)) = depacketizer.push(fragment)
            && matches!(format, Format::Opus | Format::Vp8 | Format::Vp9)
        {
            assert_eq!(received.octets, frame);
        }
    }
}

/// Payloads of each format, and frames.
pub fn payloads() -> Vec<Vec<u8>> {
    let packets = |payloads: &[&[u8]]| {
        let each = payloads.iter().enumerate().flat_map(|(at, payload)| {
            let marker = u8::from(at + 1 == payloads.len());
            [&[payload.len() as u8, marker], *payload].concat()
        });
        each.collect::<Vec<u8>>()
    };
    let annex_b = [&[0, 0, 0, 1, 0x67, 42, 0, 0, 1, 0x68, 7, 0, 0, 1, 0x65][..], &[0x88; 300]];
    vec![
        packets(&[&[0xf8, 1, 2, 3], &[0xfb, 3, 1, 2, 3]]),
        packets(&[&[0x90, 0x80, 0x80, 7, 0x10, 2, 0, 0x9d], &[0x80, 0x80, 0x80, 7, 1, 2]]),
        packets(&[&[0xb0, 0xf0, 0x92, 0x67, 200, 0xf4, 0x11]]),
        packets(&[
            &[0x78, 0, 3, 0x67, 42, 1, 0, 2, 0x68, 7],
            &[0x7c, 0x85, 0x88],
            &[0x7c, 0x45, 2],
        ]),
        packets(&[&[0x8b, 1, 0x18, 1, 64, 0, 240, 1, 0x14, 1, 0x82, 0x49, 0x83], &[0x85, 1, 0x42]]),
        packets(&[&[0xb8, 0x92, 0x67, 0x53, 2, 0x38, 1, 64, 0, 240, 2, 128, 1, 224, 1, 4, 1, 9]]),
        packets(&[&[0x28, 3, 8, 1, 2, 0x30, 3, 4, 5], &[0x50, 0x30, 1, 2], &[0x90, 3, 4]]),
        packets(&[&[0x00, 4, 0x34, 0, 1, 2, 1, 0x10, 3, 0x32, 1, 6]]),
        annex_b.concat(),
        [&[0x12, 0, 0x0a, 2, 1, 2, 0x36, 8, 0xc8, 0x01][..], &[6; 200], &[0x32, 1, 7]].concat(),
        vec![0x90; 250],
    ]
}
