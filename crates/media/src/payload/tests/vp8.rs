//! The figures of RFC 7741 §4.6, and headers of RFC 6386.

use super::*;
use crate::payload::vp8::{Descriptor, begins_frame, begins_key_frame, is_key_frame, size};

/// A key frame's first octets: the frame tag, the start code, 176x144 with scales of 0 and 1 (RFC
/// 6386 §9.1).
const KEY: [u8; 10] = [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 176, 0x00, 144, 0x40];

#[test]
fn key_frame_in_a_single_packet() {
    // §4.6.1: X, S, PID 0; I; PictureID 17.
    let payload = [&[0x90, 0x80, 17][..], &KEY].concat();
    let (descriptor, data) = Descriptor::parse(&payload).unwrap();
    let expected =
        Descriptor { begins_partition: true, picture_id: Some(17), ..Descriptor::default() };
    assert_eq!((descriptor, data), (expected, KEY.as_slice()));
    assert!(begins_frame(&payload) && begins_key_frame(&payload));
}

#[test]
fn later_partitions_and_fragments_begin_no_frame() {
    // §4.6.2: a non-discardable frame; the second packet begins partition 1. §4.6.3: fragments.
    for first in [0x91, 0x80] {
        let payload = [first, 0x80, 17, 0, 0];
        assert!(!begins_frame(&payload) && !begins_key_frame(&payload), "{first:x}");
    }
    // Partition 0 of an interframe: P is 1.
    assert!(begins_frame(&[0x90, 0x80, 17, 0x01]));
    assert!(!begins_key_frame(&[0x90, 0x80, 17, 0x01]));
}

#[test]
fn all_optional_fields() {
    // §4.6.5: a PictureID of 15 bits, 4711. §4.2: I, L, T and K; TID 3, Y, KEYIDX 20.
    let payload = [0xb0, 0xf0, 0x80 | 0x12, 0x67, 200, 0xc0 | 0x20 | 20, 9];
    let expected = Descriptor {
        is_non_reference: true,
        begins_partition: true,
        partition: 0,
        picture_id: Some(4711),
        base_layer_index: Some(200),
        temporal_layer: Some(3),
        is_layer_sync: true,
        key_frame_index: Some(20),
    };
    assert_eq!(Descriptor::parse(&payload), Ok((expected, [9].as_slice())));
    for end in 0..payload.len() {
        assert_eq!(Descriptor::parse(&payload[..end]), Err(Malformed::Truncated), "{end}");
    }
    // The octet that T and K share counts for the one that is set.
    let (temporal, _) = Descriptor::parse(&[0x80, 0x20, 0xff, 9]).unwrap();
    assert_eq!((temporal.temporal_layer, temporal.key_frame_index), (Some(3), None));
    let (key, _) = Descriptor::parse(&[0x80, 0x10, 0xff, 9]).unwrap();
    assert_eq!(
        (key.temporal_layer, key.is_layer_sync, key.key_frame_index),
        (None, false, Some(31))
    );
}

#[test]
fn picture_ids_have_15_bits_and_wrap() {
    let mut packetizer = Packetizer::new(Format::Vp8, 32_767);
    let mut first = |frame: &[u8]| {
        let mut payload = Vec::new();
        packetizer.packetize(frame, 1200).unwrap().write_next(&mut payload);
        payload
    };
    assert_eq!(first(&KEY), [&[0x90, 0x80, 0xff, 0xff][..], &KEY].concat());
    assert_eq!(first(&KEY)[..4], [0x90, 0x80, 0x80, 0x00]);
    let fragments = payloads(Packetizer::new(Format::Vp8, 5), &[1, 2, 3, 4, 5], 6);
    let expected = [vec![0x90, 0x80, 0x80, 5, 1, 2], vec![0x80, 0x80, 0x80, 5, 3, 4]];
    assert_eq!(fragments, [&expected[..], &[vec![0x80, 0x80, 0x80, 5, 5]]].concat());
}

#[test]
fn the_size_of_a_key_frame() {
    assert_eq!(size(&KEY), Some((176, 144)), "without what says how to scale");
    assert!(is_key_frame(&KEY) && !is_key_frame(&[0x11]) && !is_key_frame(&[]));
    assert_eq!(size(&KEY[..9]), None);
    let mut other = KEY;
    other[3] = 0;
    assert_eq!(size(&other), None, "no start code");
    other = KEY;
    other[0] |= 1;
    assert_eq!(size(&other), None, "no key frame");
}
