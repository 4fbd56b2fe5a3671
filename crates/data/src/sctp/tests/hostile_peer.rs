//! Peers that send what no correct one sends.

use proptest::prelude::*;

use super::*;

#[test]
fn acknowledgements_of_what_was_not_sent_are_ignored() {
    let mut pair = Pair::connected([100, 200]);
    let sack = |cumulative: u32, gaps: &[(u16, u16)]| {
        let gaps = gaps.to_vec();
        move |writer: &mut Writer<'_>| {
            writer.begin(wire::SACK, 0);
            writer.u32(cumulative);
            writer.u32(1 << 20);
            writer.u16(gaps.len() as u16);
            writer.u16(0);
            for (start, end) in gaps {
                writer.u16(start);
                writer.u16(end);
            }
            writer.end();
        }
    };
    for cumulative in [98, 100, 5000, u32::MAX, 99 + (1 << 31)] {
        forge(&mut pair, 0, sack(cumulative, &[(1, 1), (0, 5), (9, 3), (2, 0xffff)]));
    }
    pair.sides[0].send(1, message("still here"));
    pair.run(|_| true);
    assert_eq!(pair.messages(1), [b"still here"]);
}

#[test]
fn a_peer_that_ignores_the_window_fills_no_memory() {
    let mut pair = Pair::connected([1, 2]);
    // First fragments without an end, all with consecutive numbers.
    for tsn in 2..20_000u32 {
        forge(&mut pair, 0, |writer| {
            writer.begin(wire::DATA, wire::FLAG_BEGIN);
            writer.u32(tsn);
            writer.u32(1 << 16);
            writer.u32(53);
            writer.bytes(&[0; 1000]);
            writer.end();
        });
    }
    assert!(pair.sides[0].reassembly.held() <= (2 << 20) + 2000);
}

/// A packet with a good header and checksum around anything.
fn around(tag: u32, chunks: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(&mut buffer, 5000, 5000, tag);
    writer.bytes(chunks);
    writer.finish();
    buffer
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Chunks of any content in packets that pass every check before them.
    #[test]
    fn no_chunk_makes_it_panic(
        kinds in prop::collection::vec(
            (
                prop::sample::select(vec![
                    0u8, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 14, 64, 130, 192, 194, 77,
                ]),
                any::<u8>(),
                prop::collection::vec(any::<u8>(), 0..60),
            ),
            1..6,
        ),
        tag in prop::sample::select(vec![0u32, 11]),
        first in prop::sample::select(vec![0u32, 1, u32::MAX, 77]),
        interleaving in any::<bool>(),
    ) {
        let mut pair = Pair::interleaving([first, first], interleaving).connect();
        pair.sides[0].send(1, message(vec![1; 5000]));
        let mut buffer = Vec::new();
        pair.sides[0].write_packet(pair.now, &mut buffer);
        let mut chunks = Vec::new();
        for (kind, flags, value) in kinds {
            chunks.extend_from_slice(&[kind, flags]);
            chunks.extend_from_slice(&(value.len() as u16 + 4).to_be_bytes());
            chunks.extend_from_slice(&value);
            chunks.resize(chunks.len().div_ceil(4) * 4, 0);
        }
        let packet = around(tag, &chunks);
        pair.sides[0].handle_packet(pair.now, &packet);
        pair.run(|_| true);
        for _ in 0..5 {
            pair.wait();
            pair.run(|_| true);
        }
    }

    /// Packets of a real conversation with some bytes changed and the checksum made good.
    #[test]
    fn no_changed_packet_makes_it_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        period in 1usize..7,
        first in prop::sample::select(vec![0u32, u32::MAX - 10, 77]),
        interleaving in any::<bool>(),
    ) {
        let mut pair = Pair::interleaving([first, first], interleaving);
        pair.sides[0].connect(pair.now);
        let mut count = 0;
        let mut changes = changes.iter().cycle();
        let mut hurt: Vec<(usize, Vec<u8>)> = Vec::new();
        for round in 0..6u16 {
            for side in 0..2 {
                pair.sides[side].send(round, Outgoing {
                    ordered: round % 2 == 0,
                    max_retransmits: (round % 3 == 0).then_some(0),
                    ..message(vec![7; 3000])
                });
                pair.sides[side].reset(round);
            }
            pair.run(|packet| {
                count += 1;
                if count % period != 0 {
                    return true;
                }
                let mut packet = packet.to_vec();
                for _ in 0..3 {
                    if let Some((at, value)) = changes.next() {
                        let at = 12 + at.index(packet.len() - 12);
                        packet[at] = *value;
                    }
                }
                let tag = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
                hurt.push((usize::from(tag != 11), around(tag, &packet[12..])));
                false
            });
            for (side, packet) in hurt.drain(..) {
                pair.sides[side].handle_packet(pair.now, &packet);
            }
            pair.wait();
        }
    }

    /// Anything at all.
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut pair = Pair::connected([1, 2]);
        pair.sides[0].handle_packet(pair.now, &bytes);
        let _ = Packet::read(&bytes, true).map(|packet| packet.chunks().count());
        let _ = wire::Parameters(Reader(&bytes)).count();
        prop_assert_eq!(pair.sides[0].state(), SctpState::Connected);
    }
}
