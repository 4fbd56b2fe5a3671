//! Associations in memory, and a scripted peer for what no correct one sends.

use bytes::Bytes;
use proptest::prelude::*;
use time::{Duration, Instant};

use super::association::{Association, Event, Settings};
use super::queue::Outgoing;
use super::wire::{self, Init, Packet, Reader, Writer};
use super::{SctpError, SctpState};

pub(super) fn settings(tag: u32, initial_tsn: u32) -> Settings {
    Settings {
        local_port: 5000,
        remote_port: 5000,
        packet_size: 1160,
        window: 1 << 20,
        max_message_size: 262_144,
        tag,
        initial_tsn,
    }
}

pub(super) fn message(data: impl Into<Bytes>) -> Outgoing {
    Outgoing {
        ppid: 53,
        data: data.into(),
        counted: true,
        ordered: true,
        max_retransmits: None,
        expires: None,
    }
}

pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) sides: [Association; 2],
    pub(super) events: [Vec<Event>; 2],
}

impl Pair {
    pub(super) fn new(first_tsns: [u32; 2]) -> Self {
        Self {
            now: Instant::now(),
            sides: [
                Association::new(settings(11, first_tsns[0])),
                Association::new(settings(22, first_tsns[1])),
            ],
            events: Default::default(),
        }
    }

    pub(super) fn connected(first_tsns: [u32; 2]) -> Self {
        let mut pair = Self::new(first_tsns);
        pair.sides[0].connect(pair.now);
        pair.run(|_| true);
        assert!(pair.sides.iter().all(|side| side.state() == SctpState::Connected));
        pair
    }

    /// Exchanges packets that `keep` lets pass until both are silent.
    pub(super) fn run(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        let mut buffer = Vec::new();
        loop {
            let mut silent = true;
            for i in 0..2 {
                while self.sides[i].write_packet(self.now, &mut buffer) {
                    silent = false;
                    if keep(&buffer) {
                        self.sides[1 - i].handle_packet(self.now, &buffer);
                    }
                }
                while let Some(event) = self.sides[i].poll_event() {
                    if let Event::Message(message) = &event {
                        self.sides[i].release(message.cost());
                    }
                    self.events[i].push(event);
                }
            }
            if silent {
                break;
            }
        }
    }

    /// Lets the next timer run off.
    pub(super) fn wait(&mut self) -> bool {
        let next = self.sides.iter().filter_map(Association::poll_timeout).min();
        let Some(next) = next else { return false };
        self.now = self.now.max(next);
        for side in &mut self.sides {
            side.handle_timeout(self.now);
        }
        true
    }

    pub(super) fn messages(&self, side: usize) -> Vec<&[u8]> {
        self.events[side]
            .iter()
            .filter_map(|event| match event {
                Event::Message(message) => Some(message.data.as_ref()),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn numbers_that_wrap_change_nothing() {
    for first in [0, 1, u32::MAX, u32::MAX - 7, i32::MAX as u32 - 5] {
        let mut pair = Pair::connected([first, first.wrapping_add(3)]);
        let mut count = 0;
        for round in 0..40u8 {
            for side in 0..2 {
                pair.sides[side].send(1, message(vec![round; 3000]));
            }
            // Every fifth packet is lost.
            pair.run(|_| {
                count += 1;
                count % 5 != 0
            });
        }
        while pair.messages(0).len() < 40 || pair.messages(1).len() < 40 {
            assert!(pair.wait());
            pair.run(|_| true);
        }
        for side in 0..2 {
            for (round, data) in (0..40u8).zip(pair.messages(side)) {
                assert_eq!(data, [round; 3000], "first {first}");
            }
        }
    }
}

#[test]
fn stream_numbers_wrap_too() {
    let mut pair = Pair::connected([5, 6]);
    for round in 0..70_000u32 {
        pair.sides[0].send(1, message(round.to_be_bytes().to_vec()));
        if round % 100 == 99 {
            pair.run(|_| true);
            pair.wait();
        }
    }
    while pair.messages(1).len() < 70_000 {
        pair.run(|_| true);
        assert!(pair.wait());
    }
    for (round, data) in (0..70_000u32).zip(pair.messages(1)) {
        assert_eq!(data, round.to_be_bytes());
    }
}

#[test]
fn two_that_begin_at_once_make_one_association() {
    let mut pair = Pair::new([1, 2]);
    for side in &mut pair.sides {
        side.connect(pair.now);
        side.send(1, message("early"));
    }
    pair.run(|_| true);
    for side in 0..2 {
        assert_eq!(pair.sides[side].state(), SctpState::Connected);
        let connected =
            pair.events[side].iter().filter(|event| matches!(event, Event::Connected)).count();
        assert_eq!(connected, 1);
    }
    pair.wait();
    pair.run(|_| true);
    assert_eq!(pair.messages(0), [b"early"]);
    assert_eq!(pair.messages(1), [b"early"]);
}

#[test]
fn any_lost_packet_of_the_handshake_is_repeated() {
    for lost in 0..6 {
        for both in [false, true] {
            let mut pair = Pair::new([1, 2]);
            pair.sides[0].connect(pair.now);
            if both {
                pair.sides[1].connect(pair.now);
            } else {
                pair.sides[1].expect(pair.now, Duration::from_millis(50));
            }
            pair.sides[0].send(1, message("with the cookie"));
            let mut count = 0;
            for _ in 0..10 {
                pair.run(|_| {
                    count += 1;
                    count != lost + 1
                });
                pair.wait();
            }
            assert!(pair.sides.iter().all(|side| side.state() == SctpState::Connected));
            assert_eq!(pair.messages(1), [b"with the cookie"], "lost {lost} both {both}");
        }
    }
}

#[test]
fn a_repeated_init_does_not_disturb_the_association() {
    let mut pair = Pair::new([1, 2]);
    pair.sides[0].connect(pair.now);
    let mut packets = Vec::new();
    pair.run(|packet| {
        packets.push(packet.to_vec());
        true
    });
    pair.sides[0].send(1, message("one"));
    for packet in &packets {
        let side = usize::from(packet[4..8] != [0, 0, 0, 11]);
        pair.sides[side].handle_packet(pair.now, packet);
    }
    pair.run(|_| true);
    assert!(pair.sides.iter().all(|side| side.state() == SctpState::Connected));
    assert_eq!(pair.messages(1), [b"one"]);
}

/// Writes a packet to `side` of a pair, as if from its peer.
pub(super) fn forge(pair: &mut Pair, side: usize, write: impl FnOnce(&mut Writer<'_>)) {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(&mut buffer, 5000, 5000, [11, 22][side]);
    write(&mut writer);
    writer.finish();
    pair.sides[side].handle_packet(pair.now, &buffer);
    while let Some(event) = pair.sides[side].poll_event() {
        pair.events[side].push(event);
    }
}

#[test]
fn a_shutdown_is_answered_and_closes() {
    let mut pair = Pair::connected([1, 2]);
    forge(&mut pair, 0, |writer| writer.chunk(wire::SHUTDOWN, 0, &[0; 4]));
    assert!(matches!(pair.events[0].last(), Some(Event::Closed(SctpError::Shutdown))));
    let mut buffer = Vec::new();
    assert!(pair.sides[0].write_packet(pair.now, &mut buffer));
    let packet = Packet::read(&buffer).unwrap();
    assert_eq!(packet.chunks().next().unwrap().kind, wire::SHUTDOWN_ACK);
    assert!(!pair.sides[0].write_packet(pair.now, &mut buffer));
}

#[test]
fn an_abort_tells_its_cause() {
    let mut pair = Pair::connected([1, 2]);
    forge(&mut pair, 0, |writer| {
        writer.begin(wire::ABORT, 0);
        writer.parameter(13, |w| w.bytes(b"because"));
        writer.end();
    });
    let expected = SctpError::Aborted { code: Some(13), reason: "because".to_owned() };
    assert_eq!(expected.to_string(), "the peer aborted the association: because");
    assert!(matches!(pair.events[0].last(), Some(Event::Closed(error)) if *error == expected));
}

#[test]
fn another_association_of_the_peer_ends_this_one() {
    let mut pair = Pair::connected([1, 2]);
    let mut other = Association::new(settings(33, 5));
    other.connect(pair.now);
    let mut buffer = Vec::new();
    assert!(other.write_packet(pair.now, &mut buffer));
    pair.sides[0].handle_packet(pair.now, &buffer);
    assert_eq!(pair.sides[0].state(), SctpState::Closed);
}

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
fn a_peer_that_forgets_what_it_acknowledged_gets_it_again() {
    let mut pair = Pair::connected([100, 200]);
    for text in ["one", "two"] {
        pair.sides[0].send(1, message(text));
        let mut buffer = Vec::new();
        assert!(pair.sides[0].write_packet(pair.now, &mut buffer));
    }
    // "two" is reported, then only "one": the peer dropped it (RFC 9260 §6.2.1).
    for (cumulative, gap) in [(99, Some((2, 2))), (100, None)] {
        forge(&mut pair, 0, |writer| {
            writer.begin(wire::SACK, 0);
            writer.u32(cumulative);
            writer.u32(1 << 20);
            writer.u16(u16::from(gap.is_some()));
            writer.u16(0);
            if let Some((start, end)) = gap {
                writer.u16(start);
                writer.u16(end);
            }
            writer.end();
        });
    }
    let mut resent = Vec::new();
    for _ in 0..4 {
        pair.wait();
        let mut buffer = Vec::new();
        while pair.sides[0].write_packet(pair.now, &mut buffer) {
            resent.extend_from_slice(&buffer);
        }
    }
    assert!(resent.windows(3).any(|window| window == b"two"));
}

/// What a scripted peer of few abilities answers to an INIT and then to a COOKIE ECHO.
pub(crate) fn simple_peer(tag: u32, streams: u16) -> [Vec<u8>; 2] {
    [true, false].map(|is_init_ack| {
        let mut buffer = Vec::new();
        let mut writer = Writer::new(&mut buffer, 5000, 5000, tag);
        if is_init_ack {
            writer.begin(wire::INIT_ACK, 0);
            writer.u32(22);
            writer.u32(100_000);
            writer.u16(streams);
            writer.u16(streams);
            writer.u32(200);
            writer.parameter(wire::PARAM_COOKIE, |w| w.bytes(b"biscuit"));
            writer.end();
        } else {
            writer.chunk(wire::COOKIE_ACK, 0, &[]);
        }
        writer.finish();
        buffer
    })
}

/// An association that has spoken with such a peer.
fn with_simple_peer(streams: u16) -> (Instant, Association) {
    let now = Instant::now();
    let mut side = Association::new(settings(11, 100));
    side.connect(now);
    let mut buffer = Vec::new();
    assert!(side.write_packet(now, &mut buffer));
    let init = Packet::read(&buffer).unwrap().chunks().next().unwrap();
    assert_eq!(init.kind, wire::INIT);
    assert!(Init::read(init.value).unwrap().re_config);
    let [init_ack, cookie_ack] = simple_peer(11, streams);
    side.handle_packet(now, &init_ack);
    assert!(side.write_packet(now, &mut buffer));
    let echo = Packet::read(&buffer).unwrap().chunks().next().unwrap();
    assert_eq!((echo.kind, echo.value), (wire::COOKIE_ECHO, b"biscuit".as_slice()));
    side.handle_packet(now, &cookie_ack);
    assert!(matches!(side.poll_event(), Some(Event::Connected)));
    (now, side)
}

#[test]
fn a_peer_without_stream_reset_is_not_waited_for() {
    let (now, mut side) = with_simple_peer(10);
    side.send(3, message("last"));
    side.reset(3);
    assert!(side.poll_event().is_none());
    let mut buffer = Vec::new();
    while side.write_packet(now, &mut buffer) {}
    assert!(matches!(side.poll_event(), Some(Event::OutgoingReset(3))));
    assert!(matches!(side.poll_event(), Some(Event::IncomingReset(3))));
}

#[test]
fn a_peer_without_partial_reliability_gets_everything() {
    let (mut now, mut side) = with_simple_peer(10);
    side.send(3, Outgoing { max_retransmits: Some(0), ..message("kept") });
    let mut buffer = Vec::new();
    let mut times = 0;
    for _ in 0..5 {
        while side.write_packet(now, &mut buffer) {
            times += buffer.windows(4).filter(|window| window == b"kept").count();
        }
        now = side.poll_timeout().unwrap();
        side.handle_timeout(now);
    }
    assert!(times >= 3, "{times}");
}

#[test]
fn the_smaller_number_of_streams_is_the_limit() {
    assert_eq!(with_simple_peer(10).1.max_channels(), Some(10));
}

#[test]
fn an_abort_of_ours_says_that_close_was_called() {
    let mut pair = Pair::connected([1, 2]);
    pair.sides[0].abort();
    pair.run(|_| true);
    let expected = SctpError::Aborted { code: Some(12), reason: "Close called".to_owned() };
    assert_eq!(expected.to_string(), "User-Initiated Abort, reason=Close called");
    assert!(matches!(pair.events[1].last(), Some(Event::Closed(error)) if *error == expected));
}

#[test]
fn a_heartbeat_is_echoed() {
    let mut pair = Pair::connected([1, 2]);
    forge(&mut pair, 0, |writer| writer.chunk(wire::HEARTBEAT, 0, b"\x00\x01\x00\x08beat"));
    let mut buffer = Vec::new();
    assert!(pair.sides[0].write_packet(pair.now, &mut buffer));
    let chunk = Packet::read(&buffer).unwrap().chunks().next().unwrap();
    assert_eq!(
        (chunk.kind, chunk.value),
        (wire::HEARTBEAT_ACK, b"\x00\x01\x00\x08beat".as_slice())
    );
}

#[test]
fn unknown_chunks_are_skipped_or_end_the_packet_as_their_type_says() {
    for (kind, goes_on) in [(0xbf, true), (0xff, true), (0x3f, false), (0x7f, false)] {
        let mut pair = Pair::connected([1, 2]);
        forge(&mut pair, 0, |writer| {
            writer.chunk(kind, 0, b"????");
            writer.chunk(wire::ABORT, 0, &[]);
        });
        let closed = pair.sides[0].state() == SctpState::Closed;
        assert_eq!(closed, goes_on, "{kind:x}");
    }
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
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Chunks of any content in packets that pass every check before them.
    #[test]
    fn no_chunk_makes_it_panic(
        kinds in prop::collection::vec(
            (
                prop::sample::select(vec![0u8, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 14, 130, 192, 77]),
                any::<u8>(),
                prop::collection::vec(any::<u8>(), 0..60),
            ),
            1..6,
        ),
        tag in prop::sample::select(vec![0u32, 11]),
        first in prop::sample::select(vec![0u32, 1, u32::MAX, 77]),
    ) {
        let mut pair = Pair::connected([first, first]);
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
    ) {
        let mut pair = Pair::new([first, first]);
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
        let _ = Packet::read(&bytes).map(|packet| packet.chunks().count());
        let _ = wire::Parameters(Reader(&bytes)).count();
        prop_assert_eq!(pair.sides[0].state(), SctpState::Connected);
    }
}
