//! Packets as the RFCs draw them, and any octets.

use proptest::prelude::*;

use super::*;

/// RFC 8285 §4.2, the figure of the one-byte form: three elements of 1, 2 and 4 octets.
const ONE_BYTE: [u8; 12] = [0x10, 1, 0x21, 2, 2, 0, 0, 0x33, 4, 4, 4, 4];
/// RFC 8285 §4.3, the figure of the two-byte form: three elements of 0, 1 and 4 octets.
const TWO_BYTE: [u8; 12] = [1, 0, 2, 1, 7, 0, 3, 4, 4, 4, 4, 4];

/// A packet with an extension.
fn packet(profile: u16, extension: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.extend(profile.to_be_bytes());
    packet.extend(u16::try_from(extension.len() / 4).unwrap().to_be_bytes());
    packet.extend_from_slice(extension);
    packet.extend_from_slice(b"payload");
    packet
}

fn elements(octets: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let packet = Packet::parse(octets).unwrap();
    assert_eq!(packet.payload(), b"payload");
    packet.extensions().map(|element| (element.id, element.data.to_vec())).collect()
}

#[test]
fn both_forms() {
    let one = elements(&packet(0xbede, &ONE_BYTE));
    assert_eq!(one, [(1, vec![1]), (2, vec![2, 2]), (3, vec![4; 4])]);
    // The application's bits do not matter.
    for profile in [0x1000, 0x100f] {
        let two = elements(&packet(profile, &TWO_BYTE));
        assert_eq!(two, [(1, vec![]), (2, vec![7]), (3, vec![4; 4])]);
    }
    assert_eq!(Packet::parse(&packet(0x100f, &TWO_BYTE)).unwrap().form(), Some(Form::TwoByte));
    // Defined by something else.
    let other = packet(0x1234, &ONE_BYTE);
    let other = Packet::parse(&other).unwrap();
    assert_eq!((other.extensions().count(), other.form()), (0, None));
    assert_eq!(other.extension(), Some((0x1234, ONE_BYTE.as_slice())));
}

/// RFC 8285 §4.2: id 15 ends the extension, and so does id 0 with a length. What was before counts.
#[test]
fn what_ends_an_extension() {
    for end in [0xf0, 0xff, 0x01, 0x0f] {
        let octets = packet(0xbede, &[0x10, 1, end, 0x20, 2, 0x20, 2, 0]);
        assert_eq!(elements(&octets), [(1, vec![1])], "{end:x}");
    }
    // An element that would reach beyond the extension is none, nor is anything behind it.
    assert_eq!(elements(&packet(0xbede, &[0x10, 1, 0x2f, 0])), [(1, vec![1])]);
    assert_eq!(elements(&packet(0x1000, &[1, 0, 2, 200])), [(1, vec![])]);
    assert_eq!(elements(&packet(0x1000, &[1, 1, 9, 2])), [(1, vec![9])]);
    // Padding may stand anywhere.
    assert_eq!(elements(&packet(0xbede, &[0, 0, 0x10, 1])), [(1, vec![1])]);
}

#[test]
fn csrcs_and_padding() {
    let mut octets = vec![0xa2, 0xe0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    octets.extend([0, 0, 0, 4, 0, 0, 0, 5, b'x', 0, 0, 3]);
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!(packet.csrcs().collect::<Vec<_>>(), [4, 5]);
    assert_eq!((packet.payload(), packet.padding()), (b"x".as_slice(), 3));
    assert!(packet.marker());
    // Padding alone, as browsers probe with.
    octets[23] = 4;
    let packet = Packet::parse(&octets).unwrap();
    assert_eq!((packet.payload(), packet.padding()), (b"".as_slice(), 4));
    octets[23] = 5;
    assert_eq!(Packet::parse(&octets), Err(Malformed::Truncated));
    octets[23] = 0;
    assert_eq!(Packet::parse(&octets), Err(Malformed::Padding));
    assert_eq!(Packet::parse(&octets[..19]), Err(Malformed::Truncated));
    octets[0] = 0x42;
    assert_eq!(Packet::parse(&octets), Err(Malformed::Version));
}

const HEADER: Header =
    Header { marker: false, payload_type: 96, sequence_number: 1, timestamp: 2, ssrc: 3 };

fn written(elements: &[(u8, &[u8])], form: Form) -> Result<Vec<u8>, Unwritable> {
    let mut octets = Vec::new();
    HEADER.write(&[], elements, form, &mut octets)?;
    octets.extend_from_slice(b"payload");
    Ok(octets)
}

#[test]
fn headers_are_written_as_the_rfc_draws_them() {
    let one = written(&[(1, &[1]), (2, &[2, 2]), (3, &[4; 4])], Form::OneByte);
    let expected = [0x10, 1, 0x21, 2, 2, 0x33, 4, 4, 4, 4, 0, 0];
    assert_eq!(one, Ok(packet(0xbede, &expected)));
    let two = written(&[(1, &[]), (2, &[7]), (3, &[4; 4])], Form::TwoByte);
    let expected = [1, 0, 2, 1, 7, 3, 4, 4, 4, 4, 4, 0];
    assert_eq!(two, Ok(packet(0x1000, &expected)));
    let mut none = HEADER_OCTETS.to_vec();
    none.extend_from_slice(b"payload");
    assert_eq!(written(&[], Form::OneByte), Ok(none));
}

/// `HEADER` by RFC 3550 §5.1.
const HEADER_OCTETS: [u8; 12] = [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];

#[test]
fn what_no_header_can_have() {
    for (id, data) in [(0, [1].as_slice()), (15, &[1]), (1, &[]), (1, &[1; 17])] {
        assert_eq!(written(&[(id, data)], Form::OneByte), Err(Unwritable::Element(id)), "{id}");
    }
    assert_eq!(written(&[(0, &[1])], Form::TwoByte), Err(Unwritable::Element(0)));
    assert_eq!(written(&[(1, &[1; 256])], Form::TwoByte), Err(Unwritable::Element(1)));
    let many = vec![(1, [1; 255].as_slice()); 1_021];
    assert_eq!(written(&many, Form::TwoByte), Err(Unwritable::Elements));
    assert!(written(&many[..1_020], Form::TwoByte).is_ok());
    let mut octets = Vec::new();
    assert_eq!(HEADER.write(&[0; 16], &[], Form::OneByte, &mut octets), Err(Unwritable::Csrcs(16)));
    let wrong = Header { payload_type: 128, ..HEADER };
    let refused = wrong.write(&[], &[], Form::OneByte, &mut octets);
    assert_eq!(refused, Err(Unwritable::PayloadType(128)));
    assert!(octets.is_empty());
}

#[test]
fn ids_change_in_place() {
    let mut ids = ExtensionIds::none();
    ids.set(1, 14);
    ids.set(3, 1);
    for (profile, extension) in [(0xbede, ONE_BYTE), (0x1000, TWO_BYTE)] {
        let mut octets = packet(profile, &extension);
        let before = elements(&octets);
        PacketMut::parse(&mut octets).unwrap().map_extension_ids(&ids).unwrap();
        let kept = [(14, before[0].1.clone()), (1, before[2].1.clone())];
        assert_eq!(elements(&octets), kept, "{profile:x}");
    }
    ids.set(3, 15);
    let mut octets = packet(0xbede, &ONE_BYTE);
    let refused = PacketMut::parse(&mut octets).unwrap().map_extension_ids(&ids);
    assert_eq!(refused, Err(DoesNotFit(15)));
    assert_eq!(octets, packet(0xbede, &ONE_BYTE));
}

#[test]
fn fields_change_in_place() {
    let mut octets = packet(0xbede, &ONE_BYTE);
    let mut packet = PacketMut::parse(&mut octets).unwrap();
    packet.set_marker(true);
    packet.set_payload_type(0xff);
    packet.set_sequence_number(0xfffe);
    packet.set_timestamp(0xffff_fffd);
    packet.set_ssrc(0xffff_fffc);
    let changed = Header {
        marker: true,
        payload_type: 127,
        sequence_number: 0xfffe,
        timestamp: 0xffff_fffd,
        ssrc: 0xffff_fffc,
    };
    let head = Packet::parse(&octets).unwrap().head();
    assert_eq!(head, changed);
    PacketMut::parse(&mut octets).unwrap().set_marker(false);
    assert_eq!(Packet::parse(&octets).unwrap().head(), Header { marker: false, ..changed });
    assert_eq!(elements(&octets).len(), 3);
}

fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let profile = prop_oneof![Just(0xbede_u16), Just(0x1000), any::<u16>()];
    let octet = prop_oneof![2 => 0..8_u8, 2 => any::<u8>(), 1 => Just(0x10)];
    (profile, prop::collection::vec(octet, 0..60), any::<[u8; 2]>(), 0..3_u8).prop_map(
        |(profile, mut octets, first, kind)| {
            if kind == 0 {
                return octets;
            }
            octets.resize(octets.len().next_multiple_of(4), 0);
            let mut packet = packet(profile, &octets);
            if kind == 2 {
                packet[0] ^= first[0] & 0x3f;
                packet[15] = first[1];
            }
            packet
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// Whatever is read can be written again, and reads the same.
    #[test]
    fn any_octets(mut octets in any_packet(), from in 0..16_u8, to: u8) {
        let Ok(packet) = Packet::parse(&octets) else { return Ok(()) };
        let length = packet.payload_range().end + usize::from(packet.padding());
        prop_assert_eq!(length, octets.len());
        let elements: Vec<_> = packet.extensions().map(|e| (e.id, e.data)).collect();
        let csrcs: Vec<_> = packet.csrcs().collect();
        let form = Header::form_for(packet.extensions()).expect("a form that it came in");
        let mut again = Vec::new();
        packet.head().write(&csrcs, &elements, form, &mut again).expect("what was read");
        let again = Packet::parse(&again).expect("what was written");
        prop_assert_eq!(again.head(), packet.head());
        prop_assert_eq!(again.csrcs().collect::<Vec<_>>(), csrcs);
        prop_assert_eq!(again.extensions().collect::<Vec<_>>(),
            packet.extensions().collect::<Vec<_>>());
        prop_assert!(again.payload().is_empty());

        // In place: the elements that are kept are those that there were.
        let mut ids = ExtensionIds::none();
        ids.set(from, to);
        let expected: Vec<_> = elements.iter().filter(|(id, _)| *id == from && to != 0)
            .map(|(_, data)| (to, data.to_vec())).collect();
        let payload = packet.payload().to_vec();
        let before = octets.clone();
        let mapped = PacketMut::parse(&mut octets).expect("a packet").map_extension_ids(&ids);
        if mapped.is_err() {
            prop_assert_eq!(octets, before);
            return Ok(());
        }
        let after = Packet::parse(&octets).expect("a packet still");
        let kept: Vec<_> = after.extensions().map(|e| (e.id, e.data.to_vec())).collect();
        prop_assert_eq!(kept, expected);
        prop_assert_eq!(after.payload(), payload);
    }
}
