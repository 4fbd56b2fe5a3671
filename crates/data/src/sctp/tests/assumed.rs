//! Associations that descriptions have established (draft-hancke-tsvwg-snap-00), and peers that
//! know nothing of it.

use super::*;
use crate::sctp::SctpInit;

/// What Chromium 156 wrote into an offer.
const OF_CHROMIUM: [u8; 30] = [
    0x01, 0x00, 0x00, 0x1e, 0x5e, 0x62, 0x9b, 0xd2, 0x00, 0x50, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
    0x62, 0x32, 0x32, 0x88, 0xc0, 0x00, 0x00, 0x04, 0x80, 0x08, 0x00, 0x06, 0x82, 0xc0,
];

/// The INIT chunk of a side with these numbers.
fn chunk(tag: u32, initial_tsn: u32) -> SctpInit {
    SctpInit::read(&Association::new(settings(tag, initial_tsn)).init_chunk()).unwrap()
}

/// The second side has taken the first one's chunk from the description; both have something to
/// say.
fn assumed_by_the_second() -> Pair {
    let mut pair = Pair::new([100, 200]);
    // The first one begins with other numbers than its description had.
    pair.sides[1].assume(pair.now, &chunk(33, 300));
    for (side, text) in ["from the first", "from the second"].into_iter().enumerate() {
        pair.sides[side].send(1, message(text));
    }
    pair
}

/// Until nothing is to be sent again.
fn run_to_the_end(pair: &mut Pair, mut keep: impl FnMut(&[u8]) -> bool) {
    for _ in 0..200 {
        pair.run(&mut keep);
        if !pair.wait() {
            return;
        }
    }
    panic!("timers run for ever");
}

fn assert_all_is_well(pair: &Pair, context: &str) {
    for side in 0..2 {
        assert_eq!(pair.sides[side].state(), SctpState::Connected, "{context}");
        let connected = |event: &&Event| matches!(event, Event::Connected);
        assert_eq!(pair.events[side].iter().filter(connected).count(), 1, "{context}");
        let closed = |event: &Event| matches!(event, Event::Closed(_));
        assert!(!pair.events[side].iter().any(closed), "{context}");
    }
    assert_eq!(pair.messages(0), [b"from the second"], "{context}");
    assert_eq!(pair.messages(1), [b"from the first"], "{context}");
}

#[test]
fn the_chunk_of_a_description_is_an_init_without_padding() {
    let settings = Settings { zero_checksum: false, ..settings(0x5e62_9bd2, 0x6232_3288) };
    let written = Association::new(settings).init_chunk();
    assert_eq!(written.len(), OF_CHROMIUM.len());
    assert_eq!(written[..8], OF_CHROMIUM[..8], "header and tag");
    assert_eq!(written[12..], OF_CHROMIUM[12..], "streams, TSN, parameters");
    assert!(SctpInit::read(&OF_CHROMIUM).is_some());
    for length in 0..OF_CHROMIUM.len() {
        assert!(SctpInit::read(&OF_CHROMIUM[..length]).is_none(), "{length} bytes");
    }
    // A chunk of another kind; the tag 0; no streams; a window that is too small.
    for (at, octets) in [(0, [2].as_slice()), (4, &[0; 4]), (12, &[0; 2]), (8, &[0; 3])] {
        let mut bad = OF_CHROMIUM;
        bad[at..at + octets.len()].copy_from_slice(octets);
        assert!(SctpInit::read(&bad).is_none(), "{at}");
    }
}

#[test]
fn with_both_chunks_the_first_packet_is_data() {
    let mut pair = Pair::new([100, 200]);
    pair.sides[0].assume(pair.now, &chunk(22, 200));
    pair.sides[1].assume(pair.now, &chunk(11, 100));
    for (side, text) in ["from the first", "from the second"].into_iter().enumerate() {
        pair.sides[side].send(1, message(text));
    }
    let mut first = None;
    pair.run(|packet| {
        first.get_or_insert_with(|| packet.to_vec());
        true
    });
    let first = first.unwrap();
    let packet = Packet::read(&first, true).unwrap();
    assert_eq!(packet.tag, 22, "the tag of the peer's description");
    let data = packet.chunks().next().unwrap();
    assert_eq!((data.kind, &data.value[..4]), (wire::DATA, 100_u32.to_be_bytes().as_slice()));
    run_to_the_end(&mut pair, |_| true);
    assert_all_is_well(&pair, "both");
}

/// The answer's line was lost on its way: the offerer begins with a handshake and other numbers.
#[test]
fn a_peer_that_begins_with_a_handshake_is_followed() {
    let mut pair = assumed_by_the_second();
    pair.sides[0].connect(pair.now);
    run_to_the_end(&mut pair, |_| true);
    assert_all_is_well(&pair, "no loss");
}

/// The offer's line was lost, and the answer has one that was made up.
#[test]
fn a_peer_that_waits_for_a_handshake_gets_one() {
    let mut pair = assumed_by_the_second();
    run_to_the_end(&mut pair, |_| true);
    assert_all_is_well(&pair, "no loss");
}

#[test]
fn loss_of_any_packet_costs_nothing() {
    for lost in 0..12 {
        for begins in [false, true] {
            let mut pair = assumed_by_the_second();
            if begins {
                pair.sides[0].connect(pair.now);
            }
            let mut sent = 0;
            run_to_the_end(&mut pair, |_| {
                sent += 1;
                sent != lost + 1
            });
            assert_all_is_well(&pair, &format!("packet {lost}, begins: {begins}"));
        }
    }
    // The same with two that have assumed it.
    for lost in 0..6 {
        let mut pair = Pair::new([100, 200]);
        pair.sides[0].assume(pair.now, &chunk(22, 200));
        pair.sides[1].assume(pair.now, &chunk(11, 100));
        for (side, text) in ["from the first", "from the second"].into_iter().enumerate() {
            pair.sides[side].send(1, message(text));
        }
        let mut sent = 0;
        run_to_the_end(&mut pair, |_| {
            sent += 1;
            sent != lost + 1
        });
        assert_all_is_well(&pair, &format!("packet {lost} of two"));
    }
}

/// RFC 9260 §8.4: so does a peer that has no such association answer.
#[test]
fn an_abort_of_what_was_only_assumed_asks_for_a_handshake() {
    let mut pair = assumed_by_the_second();
    let mut packet = Vec::new();
    let mut writer = Writer::new(&mut packet, 5000, 5000, 33);
    writer.chunk(wire::ABORT, wire::FLAG_TAG_REFLECTED, &[]);
    writer.finish();
    for _ in 0..3 {
        pair.sides[1].handle_packet(pair.now, &packet);
    }
    assert_eq!(pair.sides[1].state(), SctpState::Connected);
    run_to_the_end(&mut pair, |_| true);
    assert_all_is_well(&pair, "aborted");
    // What is confirmed can be aborted so.
    let mut writer = Writer::new(&mut packet, 5000, 5000, 11);
    writer.chunk(wire::ABORT, wire::FLAG_TAG_REFLECTED, &[]);
    writer.finish();
    pair.sides[1].handle_packet(pair.now, &packet);
    assert_eq!(pair.sides[1].state(), SctpState::Closed);
}

/// Streams that were to be reset are reset in the association that the handshake makes.
#[test]
fn a_reset_is_asked_for_again() {
    let mut pair = assumed_by_the_second();
    // The request goes out with the numbers of the description, and is lost with the data.
    pair.sides[1].reset(1);
    pair.run(|_| false);
    pair.sides[0].connect(pair.now);
    run_to_the_end(&mut pair, |_| true);
    assert_all_is_well(&pair, "reset");
    let reset = |event: &Event| matches!(event, Event::IncomingReset(1));
    assert!(pair.events[0].iter().any(reset), "{:?}", pair.events[0]);
}
