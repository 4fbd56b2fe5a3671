//! The figures of RFC 6184 §5.6 to §5.8, and byte streams of H.264 Annex B.

use super::*;
use crate::payload::h264::{Mode, begins_frame, begins_key_frame, is_key_frame};

/// Parameter sets and a slice of an IDR picture whose first macroblock is 0.
const SPS: [u8; 3] = [0x67, 42, 1];
const PPS: [u8; 2] = [0x68, 7];
const IDR: [u8; 5] = [0x65, 0x88, 1, 2, 3];

/// Units behind start codes of three octets.
fn stream(units: &[&[u8]]) -> Vec<u8> {
    units.iter().flat_map(|unit| [&[0, 0, 1], *unit].concat()).collect()
}

/// The same as a frame is put together.
fn frame(units: &[&[u8]]) -> Vec<u8> {
    units.iter().flat_map(|unit| [&[0, 0, 0, 1], *unit].concat()).collect()
}

/// What comes of payloads, the last of which ends the frame.
fn assemble(payloads: &[&[u8]]) -> Result<Vec<u8>, Incomplete> {
    super::assemble(Format::H264, payloads)
}

#[test]
fn small_units_share_a_packet() {
    let both = Packetizer::new(Format::H264, 0);
    // §5.7.1: the header with the greatest NRI, then each unit with its size.
    let aggregate = [&[0x78, 0, 3][..], &SPS, &[0, 2], &PPS, &[0, 5], &IDR].concat();
    let sent = payloads(both.clone(), &stream(&[&SPS, &PPS, &IDR]), 1200);
    assert_eq!(sent, std::slice::from_ref(&aggregate));
    assert_eq!(assemble(&[&aggregate]), Ok(frame(&[&SPS, &PPS, &IDR])));
    assert!(begins_frame(&aggregate) && begins_key_frame(&aggregate));
    // One octet less: the slice goes alone.
    let sent = payloads(both, &stream(&[&SPS, &PPS, &IDR]), aggregate.len() - 1);
    assert_eq!(sent, [aggregate[..10].to_vec(), IDR.to_vec()]);
    // A unit with a syntax violation marks the aggregate.
    let sent = payloads(Packetizer::new(Format::H264, 0), &stream(&[&[0x86, 1], &[0x26, 1]]), 99);
    assert_eq!(sent, [[0xb8, 0, 2, 0x86, 1, 0, 2, 0x26, 1]]);
}

#[test]
fn a_long_unit_is_divided() {
    // §5.8: the indicator has NRI, the header S or E and the type; the unit's header is not sent.
    let sent = payloads(Packetizer::new(Format::H264, 0), &stream(&[&IDR]), 4);
    assert_eq!(sent, [vec![0x7c, 0x85, 0x88, 1], vec![0x7c, 0x45, 2, 3]]);
    assert_eq!(assemble(&[&sent[0], &sent[1]]), Ok(frame(&[&IDR])));
    assert!(begins_frame(&sent[0]) && begins_key_frame(&sent[0]));
    assert!(!begins_frame(&sent[1]) && !begins_key_frame(&sent[1]));
}

#[test]
fn in_mode_0_each_unit_is_a_packet() {
    let mut packetizer = Packetizer::h264(Mode::SingleNalUnit);
    let units: [&[u8]; 3] = [&SPS, &PPS, &IDR];
    assert_eq!(payloads(packetizer.clone(), &stream(&units), 5), units.map(<[u8]>::to_vec));
    assert_eq!(assemble(&units), Ok(frame(&units)));
    assert_eq!(packetizer.packetize(&stream(&units), 4).err(), Some(Unfit::TooLarge));
}

#[test]
fn start_codes_have_three_or_four_octets_and_zeros_may_follow_a_unit() {
    let packetizer = Packetizer::h264(Mode::SingleNalUnit);
    let octets = [&[0, 0, 0, 1][..], &SPS, &[0, 0, 0, 0, 1], &PPS, &[0, 0, 1], &IDR, &[0, 0]];
    let units: [&[u8]; 3] = [&SPS, &PPS, &IDR];
    assert_eq!(payloads(packetizer, &octets.concat(), 1200), units.map(<[u8]>::to_vec));
    assert!(is_key_frame(&octets.concat()) && !is_key_frame(&stream(&[&SPS, &PPS, &[0x41, 1]])));
}

#[test]
fn a_frame_begins_with_parameters_or_with_its_first_macroblock() {
    for unit in [&SPS[..], &PPS, &IDR, &[0x09, 0x10], &[0x06, 1], &[0x41, 0x9a]] {
        assert!(begins_frame(unit), "{unit:x?}");
    }
    // A later slice, filler, a part that goes on.
    for unit in [&[0x41, 0x40][..], &[0x65, 0x04], &[0x0c, 0xff], &[0x7c, 0x05, 0x88], &[]] {
        assert!(!begins_frame(unit), "{unit:x?}");
    }
    // Parameter sets come ahead of the slices of a key frame, alone or together.
    assert!(begins_key_frame(&SPS) && begins_key_frame(&[&[0x78, 0, 3][..], &SPS].concat()));
    assert!(!begins_key_frame(&PPS) && !begins_key_frame(&[0x41, 0x9a]));
    let later = [0x7c, 0x85, 0x04];
    assert!(!begins_frame(&later) && begins_key_frame(&later), "the second slice of a key frame");
}

#[test]
fn what_is_no_payload() {
    let broken = |payloads: &[&[u8]], error: Malformed| {
        let payloads = [&[SPS.as_slice()], payloads].concat();
        assert_eq!(assemble(&payloads), Err(Incomplete::Malformed(error)), "{payloads:x?}");
    };
    // Reserved types; STAP-B, MTAP and FU-B of mode 2.
    for type_ in [0, 25, 26, 27, 29, 30, 31] {
        broken(&[&[type_, 0, 1, 1]], Malformed::Kind(type_));
    }
    // Aggregates that are empty, are cut, have an empty unit or one that is none.
    for aggregate in [&[24][..], &[24, 0], &[24, 0, 3, 0x41, 1], &[24, 0, 1, 0x41, 9], &[24, 0, 0]]
    {
        broken(&[aggregate], Malformed::Truncated);
    }
    broken(&[&[24, 0, 1, 24]], Malformed::Kind(24));
    // Parts that are empty, are parts of parts, do not begin, change, do not end.
    broken(&[&[0x7c]], Malformed::Truncated);
    broken(&[&[0x7c, 0x85]], Malformed::Truncated);
    broken(&[&[0x7c, 0x9c, 1]], Malformed::Kind(28));
    broken(&[&[0x7c, 0x05, 1]], Malformed::Order);
    broken(&[&[0x7c, 0x85, 1], &[0x7c, 0x41, 1]], Malformed::Order);
    broken(&[&[0x7c, 0x85, 1], &IDR], Malformed::Order);
    broken(&[&[0x7c, 0x85, 1], &[0x7c, 0x85, 1]], Malformed::Order);
    broken(&[&[0x7c, 0x85, 1]], Malformed::Order);
}
