//! The figures of RFC 9628 §4.2, and headers of the VP9 specification §6.2.

use super::*;
use crate::payload::vp9::{
    Descriptor, Layer, Structure, begins_frame, begins_key_frame, is_key_frame, size,
};

/// A key frame of profile 0 with BT.601 in studio range, 320x240: frame_marker 2, two zeros of the
/// profile, four zeros with show_frame set, the sync code, color_space 1, color_range 0, then 319
/// and 239 in 16 bits each.
const KEY: [u8; 9] = [0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0e, 0xf0];
/// The same with frame_type set.
const INTER: [u8; 2] = [0x86, 0];

#[test]
fn a_picture_in_one_packet() {
    let (descriptor, data) = Descriptor::parse(&[0xcc, 0x92, 0x67, 1, 2]).unwrap();
    let expected = Descriptor {
        picture_id: Some(4711),
        is_inter_picture: true,
        begins_frame: true,
        ends_frame: true,
        ..Descriptor::default()
    };
    assert_eq!((descriptor, data), (expected, [1, 2].as_slice()));
}

#[test]
fn all_optional_fields_of_non_flexible_mode() {
    // I, L, B, V: picture 5; TID 2, U, SID 1, D; TL0PICIDX 200; two layers with sizes, a group of
    // two pictures with one and two references.
    let payload =
        [0xaa, 5, 0x53, 200, 0x38, 1, 64, 0, 240, 2, 128, 1, 224, 2, 0x04, 1, 0x38, 1, 2, 9];
    let mut sizes = [(0, 0); 8];
    sizes[..2].copy_from_slice(&[(320, 240), (640, 480)]);
    let expected = Descriptor {
        picture_id: Some(5),
        layer: Some(Layer {
            temporal: 2,
            is_switching_point: true,
            spatial: 1,
            is_inter_layer: true,
            base_layer_index: Some(200),
        }),
        begins_frame: true,
        structure: Some(Structure { spatial_layers: 2, sizes: Some(sizes), group: 2 }),
        ..Descriptor::default()
    };
    assert_eq!(Descriptor::parse(&payload), Ok((expected, [9].as_slice())));
    for end in 0..payload.len() {
        assert_eq!(Descriptor::parse(&payload[..end]), Err(Malformed::Truncated), "{end}");
    }
    assert!(!begins_frame(&payload), "the layer below is in the same picture");
}

#[test]
fn flexible_mode_names_references() {
    // I, P, L, F, E, Z: no TL0PICIDX; references to 1, 2 and 3 pictures before. N of the third does
    // not count.
    let payload = [0xf5, 5, 0x00, 0x03, 0x05, 0x07, 9];
    let expected = Descriptor {
        picture_id: Some(5),
        is_inter_picture: true,
        layer: Some(Layer::default()),
        is_flexible: true,
        ends_frame: true,
        is_not_reference: true,
        references: [1, 2, 3],
        ..Descriptor::default()
    };
    assert_eq!(Descriptor::parse(&payload), Ok((expected, [9].as_slice())));
    let (one, data) = Descriptor::parse(&[0x50, 0x02, 0x05]).unwrap();
    assert_eq!((one.references, data), ([1, 0, 0], [5].as_slice()));
}

#[test]
fn a_key_picture_says_its_size_and_a_later_one_does_not() {
    let mut packetizer = Packetizer::new(Format::Vp9, 4711);
    let structure = [0x18, 1, 64, 0, 240, 1, 0x14, 1];
    let mut packets = |frame: &[u8], maximum| {
        let mut packets = packetizer.packetize(frame, maximum).unwrap();
        let (mut all, mut payload) = (Vec::new(), Vec::new());
        while packets.write_next(&mut payload).is_some() {
            all.push(payload.clone());
        }
        all
    };
    // I, B, E, V, Z; then I, B, V, Z and I, E, Z; then I, P, B, E, Z.
    let whole = [&[0x8f, 0x92, 0x67][..], &structure, &KEY].concat();
    assert_eq!(packets(&KEY, 1200), std::slice::from_ref(&whole));
    let parts = packets(&KEY, 16);
    let first = [&[0x8b, 0x92, 0x68][..], &structure, &KEY[..5]].concat();
    assert_eq!(parts, [first, [&[0x85, 0x92, 0x68][..], &KEY[5..]].concat()]);
    assert_eq!(packets(&INTER, 1200), [[&[0xcd, 0x92, 0x69][..], &INTER].concat()]);
    assert!(begins_key_frame(&whole) && begins_key_frame(&parts[0]));
    assert!(!begins_frame(&parts[1]) && !begins_key_frame(&[0xcd, 0x92, 0x69, 0x86]));
    let (descriptor, _) = Descriptor::parse(&whole).unwrap();
    let read = descriptor.structure.unwrap();
    assert_eq!((read.spatial_layers, read.group), (1, 1));
    assert_eq!(read.sizes.map(|sizes| sizes[0]), Some((320, 240)));
}

#[test]
fn the_layers_of_a_picture_go_together_to_the_decoder() {
    let sent = |number: u16, marker, payload: &[u8]| Sent {
        sequence_number: number,
        timestamp: 0,
        marker,
        payload: payload.to_vec(),
    };
    // SID 0 in two packets, SID 1 with D in one.
    let base = [sent(1, false, &[0xa8, 1, 0, 7, 1]), sent(2, false, &[0xa4, 1, 0, 7, 2])];
    let upper = sent(3, true, &[0xac, 1, 0x03, 7, 3]);
    let (frames, given_up) =
        receive(Format::Vp9, &[&base[..], std::slice::from_ref(&upper)].concat());
    assert_eq!((frames[0].octets.as_slice(), given_up), ([1, 2, 3].as_slice(), vec![]));
    // The first layer does not end before the second begins.
    let (frames, given_up) =
        receive(Format::Vp9, &[base[0].clone(), Sent { sequence_number: 2, ..upper }]);
    assert_eq!((frames.len(), given_up), (0, vec![Incomplete::Malformed(Malformed::Order)]));
}

#[test]
fn the_size_of_a_key_frame() {
    assert_eq!(size(&KEY), Some((320, 240)));
    assert!(is_key_frame(&KEY) && !is_key_frame(&INTER) && !is_key_frame(&[]));
    // One that is shown again, another marker, no sync code, an end.
    for broken in [&[0x88, 0][..], &[0x42, 0], &[0x82, 0x49, 0x83, 0x43, 0x20], &KEY[..8]] {
        assert_eq!(size(broken), None, "{broken:x?}");
    }
    // Profile 1, RGB: a reserved bit takes the place of the range; profile 2 has the bit depth.
    let rgb = [0xa2, 0x49, 0x83, 0x42, 0xe0, 0x13, 0xf0, 0x0e, 0xf0];
    assert_eq!(size(&rgb), Some((320, 240)));
}
