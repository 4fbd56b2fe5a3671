//! The figures of RTP Payload Format For AV1, §4.4, §4.5 and §5.1.

use super::*;
use crate::payload::av1::{begins_frame, begins_key_frame, is_key_frame};

/// An OBU as it is in packets: a header without a size.
fn obu(type_: u8, data: &[u8]) -> Vec<u8> {
    [&[type_ << 3], data].concat()
}

/// The same in a temporal unit.
fn sized(type_: u8, data: &[u8]) -> Vec<u8> {
    [&[type_ << 3 | 2, data.len() as u8], data].concat()
}

const SEQUENCE_HEADER: u8 = 1;
const DELIMITER: u8 = 2;
const METADATA: u8 = 5;
const FRAME: u8 = 6;
const TILE_LIST: u8 = 8;
const PADDING: u8 = 15;

/// What comes of payloads, the last of which ends the temporal unit.
fn assemble(payloads: &[&[u8]]) -> Result<Vec<u8>, Incomplete> {
    super::assemble(Format::Av1, payloads)
}

#[test]
fn obus_share_a_packet_and_what_is_no_picture_stays_behind() {
    let unit = [
        sized(DELIMITER, &[]),
        sized(SEQUENCE_HEADER, &[1, 2]),
        sized(TILE_LIST, &[9]),
        sized(FRAME, &[3, 4, 5]),
        sized(PADDING, &[0; 100]),
    ];
    // W 2 and N: a length, the sequence header, the frame.
    let sent = payloads(Packetizer::new(Format::Av1, 0), &unit.concat(), 1200);
    let expected = [&[0x28, 3][..], &obu(SEQUENCE_HEADER, &[1, 2]), &obu(FRAME, &[3, 4, 5])];
    assert_eq!(sent, [expected.concat()]);
    let back = [sized(SEQUENCE_HEADER, &[1, 2]), sized(FRAME, &[3, 4, 5])].concat();
    assert_eq!(assemble(&[&sent[0]]), Ok(back.clone()));
    assert!(begins_key_frame(&sent[0]) && is_key_frame(&back));
    assert!(!is_key_frame(&sized(FRAME, &[1])) && !begins_key_frame(&[0x10, 0x30, 1]));
    // Other stacks send padding.
    let padding = obu(PADDING, &[0; 9]);
    let padded = [&[0x20, 4][..], &obu(FRAME, &[3, 4, 5]), &padding].concat();
    assert_eq!(assemble(&[&padded]), Ok(sized(FRAME, &[3, 4, 5])));
}

#[test]
fn a_long_obu_is_divided() {
    let data: Vec<u8> = (0..100).collect();
    let sent = payloads(Packetizer::new(Format::Av1, 0), &sized(FRAME, &data), 41);
    // Y; Z and Y; Z. The header of the OBU is an octet of the first.
    let first = [&[0x50][..], &obu(FRAME, &data[..39])].concat();
    let second = [&[0xd0][..], &data[39..79]].concat();
    let third = [&[0x90][..], &data[79..]].concat();
    assert_eq!(sent, [first, second, third]);
    assert!(begins_frame(&sent[0]) && !begins_frame(&sent[1]));
    let all: Vec<&[u8]> = sent.iter().map(Vec::as_slice).collect();
    assert_eq!(assemble(&all), Ok(sized(FRAME, &data)));
}

/// The size that an OBU says is that of all its parts together.
#[test]
fn an_obu_with_a_size_may_be_divided() {
    let whole = sized(FRAME, &[7; 100]);
    let (one, rest) = whole.split_at(40);
    let (two, three) = rest.split_at(30);
    let parts = [[&[0x50], one].concat(), [&[0xd0], two].concat(), [&[0x90], three].concat()];
    assert_eq!(assemble(&parts.each_ref().map(Vec::as_slice)), Ok(whole));
}

/// §5.1: `[ SH MD MD(0,0) FH(0,0) ... ] [ MD(0,1) ... ]`: layers do not share a packet.
#[test]
fn layers_do_not_share_a_packet() {
    let layered = |spatial: u8, data: u8| vec![FRAME << 3 | 6, spatial << 3, 1, data];
    let unit = [sized(METADATA, &[7]), layered(0, 1), layered(1, 2)].concat();
    let sent = payloads(Packetizer::new(Format::Av1, 0), &unit, 1200);
    let first = vec![0x20, 2, METADATA << 3, 7, FRAME << 3 | 4, 0, 1];
    assert_eq!(sent, [first, vec![0x10, FRAME << 3 | 4, 0x08, 2]]);
    assert_eq!(assemble(&[&sent[0], &sent[1]]), Ok(unit));
}

/// §4.4: with W of 0 each element has a length. An OBU may say its size all the same.
#[test]
fn each_element_may_have_a_length() {
    let frame = obu(FRAME, &[3, 4, 5]);
    let sized_frame = sized(FRAME, &[6]);
    let payload = [&[0x00, 4][..], &frame, &[1], &obu(DELIMITER, &[]), &[3], &sized_frame].concat();
    assert_eq!(assemble(&[&payload]), Ok([sized(FRAME, &[3, 4, 5]), sized_frame].concat()));
    // The figure of §4.5: 200 and 100 octets of two elements in 303.
    let (one, two) = (obu(FRAME, &[1; 199]), obu(FRAME, &[2; 99]));
    let payload = [&[0x20, 0xc8, 0x01][..], &one, &two].concat();
    assert_eq!(payload.len(), 303);
    let unit = assemble(&[&payload]).unwrap();
    assert_eq!(unit.len(), 3 + 199 + 2 + 99);
    assert_eq!(unit[..3], [0x32, 0xc7, 0x01]);
}

#[test]
fn what_is_no_payload() {
    let broken = |payloads: &[&[u8]], error: Malformed| {
        assert_eq!(assemble(payloads), Err(Incomplete::Malformed(error)), "{payloads:x?}");
    };
    let frame: &[u8] = &[0x10, 0x30, 1];
    // Elements that are missing, empty, or longer than the payload; lengths without an end.
    for payload in [
        &[0x20, 2, 0x30, 1][..],
        &[0x00, 0, 1],
        &[0x00, 9, 0x30],
        &[0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        &[0x10, 0x32, 2, 1],
        &[0x10, 0x32, 1, 1, 1],
        &[0x10, 0x34],
    ] {
        broken(&[payload], Malformed::Truncated);
    }
    broken(&[&[0x10, 0x80]], Malformed::Kind(0x80));
    // Nothing but a delimiter, a part that does not go on, one that does not end.
    broken(&[&[0x10, 0x10]], Malformed::Truncated);
    broken(&[&[0x50, 0x30, 1], frame], Malformed::Order);
    broken(&[frame, &[0x90, 1]], Malformed::Order);
    broken(&[&[0x50, 0x30, 1]], Malformed::Order);
    assert_eq!(assemble(&[&[0x90, 1]]), Err(Incomplete::Missing));
}

#[test]
fn what_is_no_temporal_unit() {
    let unfit = |unit: &[u8], maximum| {
        Packetizer::new(Format::Av1, 0).packetize(unit, maximum).map(|_| ()).unwrap_err()
    };
    assert_eq!(unfit(&[0x32, 5, 1], 1200), Unfit::Malformed);
    assert_eq!(unfit(&sized(DELIMITER, &[]), 1200), Unfit::Malformed);
    assert_eq!(unfit(&sized(FRAME, &[1]), 4), Unfit::Maximum);
}
