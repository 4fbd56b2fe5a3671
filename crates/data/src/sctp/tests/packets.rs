//! What packets are made of, whatever they have to carry (RFC 9260 §3.2, §6.1, §6.10).

use proptest::prelude::*;

use super::*;
use crate::sctp::congestion::Congestion;

/// Checks what must hold for every packet, and returns the kinds of its chunks.
fn check(packet: &[u8], largest: usize) -> Vec<u8> {
    assert!(packet.len() <= largest, "{} bytes", packet.len());
    let chunks: Vec<_> = Packet::read(packet, true).unwrap().chunks().collect();
    let length: usize =
        chunks.iter().map(|c| wire::CHUNK_HEADER + wire::padded(c.value.len())).sum();
    assert_eq!(packet.len(), wire::COMMON_HEADER + length, "nothing is cut off");
    let kinds: Vec<u8> = chunks.iter().map(|chunk| chunk.kind).collect();
    assert!(!kinds.is_empty());
    // RFC 9260 §6.10: control chunks precede DATA.
    let is_data = |kind: &u8| matches!(*kind, wire::DATA | wire::I_DATA);
    let control = kinds.iter().take_while(|kind| !is_data(kind)).count();
    assert!(kinds[control..].iter().all(is_data), "{kinds:?}");
    for (index, kind) in kinds.iter().enumerate() {
        match *kind {
            wire::INIT | wire::INIT_ACK | wire::SHUTDOWN_COMPLETE => {
                assert_eq!(kinds.len(), 1, "{kinds:?}");
            }
            // RFC 9260 §5.1 C, D.
            wire::COOKIE_ECHO | wire::COOKIE_ACK => assert_eq!(index, 0, "{kinds:?}"),
            // RFC 9260 §3.3.7: behind other control chunks, and without data.
            wire::ABORT => assert_eq!(index + 1, kinds.len(), "{kinds:?}"),
            _ => {}
        }
    }
    kinds
}

/// All packets that the association has to send, checked.
fn packets(side: &mut Association, now: Instant) -> Vec<Vec<u8>> {
    let mut buffer = Vec::new();
    let mut packets = Vec::new();
    while side.write_packet(now, &mut buffer) {
        check(&buffer, side.settings.packet_size);
        packets.push(buffer.clone());
    }
    packets
}

fn kinds(packet: &[u8]) -> Vec<u8> {
    Packet::read(packet, true).unwrap().chunks().map(|chunk| chunk.kind).collect()
}

/// What an application or a peer can make a side do.
#[derive(Debug, Clone)]
enum Step {
    Send {
        stream: u16,
        size: usize,
        ordered: bool,
        max_retransmits: Option<u16>,
    },
    Reset(u16),
    Heartbeat(usize),
    Chunk(u8, usize),
    /// A request for what data channels do not need.
    Request(u16),
    Wait,
    Path,
    /// This many packets of both sides are lost from here on.
    Lose(usize),
    Exchange,
    Init,
    Shutdown,
    Abort,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let stream = 0u16..4;
    let send = (stream.clone(), 1usize..4000, any::<bool>(), prop::option::of(0u16..2)).prop_map(
        |(stream, size, ordered, max_retransmits)| Step::Send {
            stream,
            size,
            ordered,
            max_retransmits,
        },
    );
    let kinds = vec![9u8, 12, 15, 0x40, 0x7f, 0x80, 0xc1, 0xc2, 0xff];
    let step = prop_oneof![
        8 => send,
        4 => stream.prop_map(Step::Reset),
        2 => (0usize..20_000).prop_map(Step::Heartbeat),
        2 => (prop::sample::select(kinds), 0usize..2000)
            .prop_map(|(kind, size)| Step::Chunk(kind, size)),
        1 => (14u16..19).prop_map(Step::Request),
        3 => Just(Step::Wait),
        1 => Just(Step::Path),
        4 => (1usize..6).prop_map(Step::Lose),
        4 => Just(Step::Exchange),
        1 => Just(Step::Init),
    ];
    (
        prop::collection::vec((0usize..2, step), 1..40),
        prop::option::of(prop::sample::select(vec![Step::Shutdown, Step::Abort])),
    )
        .prop_map(|(mut steps, end)| {
            steps.extend(end.map(|end| (0, end)));
            steps
        })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn control_chunks_precede_data_in_every_packet(
        steps in steps(),
        sizes in (530usize..1400, 530usize..1400),
        first in prop::sample::select(vec![1u32, u32::MAX - 3]),
        lossy_handshake in 0usize..8,
        interleaving in any::<bool>(),
    ) {
        let mut pair = Pair::interleaving([first, first], interleaving);
        pair.sides[0].set_packet_size(sizes.0 & !3);
        pair.sides[1].set_packet_size(sizes.1 & !3);
        let sizes = [sizes.0 & !3, sizes.1 & !3];
        let mut left = lossy_handshake;
        let mut exchange = |pair: &mut Pair, lose: usize| {
            left += lose;
            // No packet is larger than the larger limit. `packets` checks that each side keeps its
            // own.
            pair.run(|packet| {
                check(packet, sizes[0].max(sizes[1]));
                let lost = left > 0;
                left = left.saturating_sub(1);
                !lost
            });
        };
        pair.sides[0].connect(pair.now);
        pair.sides[0].send(1, message("with the cookie"));
        exchange(&mut pair, 0);
        for (side, step) in steps {
            match step {
                Step::Send { stream, size, ordered, max_retransmits } => {
                    let outgoing = Outgoing { ordered, max_retransmits, ..message(vec![1; size]) };
                    pair.sides[side].send(stream, outgoing);
                }
                Step::Reset(stream) => pair.sides[side].reset(stream),
                Step::Heartbeat(size) => {
                    forge(&mut pair, side, |w| w.chunk(wire::HEARTBEAT, 0, &vec![7; size]));
                }
                Step::Chunk(kind, size) => {
                    forge(&mut pair, side, |w| w.chunk(kind, 0, &vec![7; size]));
                }
                Step::Request(kind) => forge(&mut pair, side, |w| {
                    w.begin(wire::RE_CONFIG, 0);
                    w.parameter(kind, |w| w.u32(first));
                    w.end();
                }),
                Step::Wait => {
                    pair.wait();
                }
                Step::Path => {
                    let now = pair.now;
                    pair.sides[side].on_path_change(now);
                }
                Step::Lose(count) => exchange(&mut pair, count),
                Step::Exchange => {
                    let now = pair.now;
                    for packet in packets(&mut pair.sides[side], now) {
                        pair.sides[1 - side].handle_packet(now, &packet);
                    }
                }
                Step::Init => {
                    let mut buffer = Vec::new();
                    let settings = Settings { interleaving, ..settings([22, 11][side], first) };
                    let mut again = Association::new(settings);
                    again.connect(pair.now);
                    again.write_packet(pair.now, &mut buffer);
                    let now = pair.now;
                    pair.sides[side].handle_packet(now, &buffer);
                }
                Step::Shutdown => {
                    forge(&mut pair, side, |w| w.chunk(wire::SHUTDOWN, 0, &[0; 4]));
                }
                Step::Abort => pair.sides[side].abort(),
            }
        }
        exchange(&mut pair, 0);
    }
}

#[test]
fn everything_at_once_is_one_packet_in_its_order() {
    let mut pair = Pair::connected([1, 2]);
    // Something that is given up, so that FORWARD TSN is due.
    pair.sides[0].send(1, Outgoing { max_retransmits: Some(0), ..message("given up") });
    pair.run(|_| false);
    while !pair.sides[0].outstanding.has_advanced() {
        assert!(pair.wait());
        if !pair.sides[0].outstanding.has_advanced() {
            pair.run(|_| false);
        }
    }
    pair.sides[1].send(2, message("to be acknowledged"));
    let now = pair.now;
    for packet in packets(&mut pair.sides[1], now) {
        pair.sides[0].handle_packet(now, &packet);
    }
    forge(&mut pair, 0, |w| w.chunk(wire::HEARTBEAT, 0, b"beat"));
    forge(&mut pair, 0, |w| w.chunk(0xff, 0, b"????"));
    // A request of the peer to be answered, and one of our own.
    forge(&mut pair, 0, |w| {
        w.begin(wire::RE_CONFIG, 0);
        w.parameter(wire::PARAM_RESET_OUTGOING, |w| {
            w.u32(2);
            w.u32(0);
            w.u32(1);
            w.u16(7);
        });
        w.end();
    });
    pair.sides[0].reset(9);
    pair.sides[0].send(3, message("data"));
    let packets = packets(&mut pair.sides[0], now);
    assert_eq!(
        packets.iter().map(|packet| kinds(packet)).collect::<Vec<_>>(),
        [[
            wire::HEARTBEAT_ACK,
            wire::ERROR,
            wire::SACK,
            wire::FORWARD_TSN,
            wire::RE_CONFIG,
            wire::RE_CONFIG,
            wire::DATA
        ]]
    );
}

#[test]
fn a_stream_is_reset_by_the_packet_behind_its_last_message() {
    let mut pair = Pair::connected([1, 2]);
    pair.sides[0].send(1, message("bye"));
    pair.sides[0].reset(1);
    let now = pair.now;
    let packets = packets(&mut pair.sides[0], now);
    let all: Vec<_> = packets.iter().map(|packet| kinds(packet)).collect();
    assert_eq!(all, [[wire::DATA], [wire::RE_CONFIG]]);
    // Without a timer on either side.
    for packet in packets {
        pair.sides[1].handle_packet(now, &packet);
    }
    pair.run(|_| true);
    assert_eq!(pair.messages(1), [b"bye"]);
    assert!(pair.events[1].iter().any(|event| matches!(event, Event::IncomingReset(1))));
    assert!(pair.events[0].iter().any(|event| matches!(event, Event::OutgoingReset(1))));
}

#[test]
fn the_first_data_of_an_association_is_acknowledged_at_once() {
    let mut pair = Pair::connected([1, 1]);
    for side in 0..2 {
        let (now, receiver) = (pair.now, 1 - side);
        let answers = |pair: &mut Pair| {
            pair.sides[side].send(1, message("alone"));
            for packet in packets(&mut pair.sides[side], now) {
                pair.sides[receiver].handle_packet(now, &packet);
            }
            packets(&mut pair.sides[receiver], now)
        };
        let first = answers(&mut pair);
        assert_eq!(first.iter().map(|packet| kinds(packet)).collect::<Vec<_>>(), [[wire::SACK]]);
        pair.sides[side].handle_packet(now, &first[0]);
        assert!(answers(&mut pair).is_empty(), "the second may wait for a third");
    }
}

/// The code and the information of each cause in the ERROR chunks of these packets.
fn causes(packets: &[Vec<u8>]) -> Vec<(u16, Vec<u8>)> {
    packets
        .iter()
        .flat_map(|packet| Packet::read(packet, true).unwrap().chunks().collect::<Vec<_>>())
        .filter(|chunk| chunk.kind == wire::ERROR)
        .flat_map(|chunk| Parameters(Reader(chunk.value)).map(|(code, info)| (code, info.to_vec())))
        .collect()
}

#[test]
fn what_is_not_understood_is_reported_when_its_bits_say_so() {
    for (kind, reported) in [(0x3f, false), (0x7f, true), (0xbf, false), (0xff, true)] {
        let mut pair = Pair::connected([1, 2]);
        forge(&mut pair, 0, |writer| writer.chunk(kind, 5, b"?!?"));
        let now = pair.now;
        let told = causes(&packets(&mut pair.sides[0], now));
        let chunk = vec![kind, 5, 0, 7, b'?', b'!', b'?'];
        assert_eq!(told, if reported { vec![(6, chunk)] } else { vec![] }, "{kind:x}");
    }
    // RFC 9260 §6.5
    let mut pair = Pair::connected([1, 2]);
    forge(&mut pair, 0, |writer| {
        writer.begin(wire::DATA, wire::FLAG_BEGIN | wire::FLAG_END);
        writer.u32(2);
        writer.u16(0xffff);
        writer.u16(0);
        writer.u32(53);
        writer.bytes(b"astray");
        writer.end();
    });
    let now = pair.now;
    let told = causes(&packets(&mut pair.sides[0], now));
    assert_eq!(told, [(1, vec![0xff, 0xff, 0, 0])]);
}

#[test]
fn reports_are_bounded_in_size_and_number_and_errors_are_not_reported() {
    let mut pair = Pair::connected([1, 2]);
    for _ in 0..1000 {
        forge(&mut pair, 0, |writer| writer.chunk(0xff, 0, &[1; 15_000]));
        forge(&mut pair, 0, |writer| writer.chunk(wire::ERROR, 0, &[0, 6, 0, 4]));
    }
    let now = pair.now;
    let told = packets(&mut pair.sides[0], now);
    assert!((1..=8).contains(&causes(&told).len()), "{}", causes(&told).len());
    pair.sides[1].send(1, message("unharmed"));
    pair.run(|_| true);
    assert_eq!(pair.messages(0), [b"unharmed"]);
}

/// An INIT or INIT ACK with parameters of every kind behind the known ones.
fn handshake(kind: u8, tag: u32, parameters: &[u16]) -> Vec<u8> {
    let mut buffer = Vec::new();
    let mut writer = Writer::new(&mut buffer, 5000, 5000, tag);
    writer.begin(kind, 0);
    for value in [33, 100_000] {
        writer.u32(value);
    }
    writer.u16(10);
    writer.u16(10);
    writer.u32(200);
    if kind == wire::INIT_ACK {
        writer.parameter(wire::PARAM_COOKIE, |w| w.bytes(b"biscuit"));
    }
    for parameter in parameters {
        writer.parameter(*parameter, |w| w.bytes(b"x"));
    }
    writer.parameter(wire::PARAM_FORWARD_TSN, |_| {});
    writer.end();
    writer.finish();
    buffer
}

#[test]
fn unknown_parameters_are_reported_and_stop_the_reading_as_their_bits_say() {
    let now = Instant::now();
    for (parameters, expected, forward_tsn) in [
        (vec![0x8123, 0xc123, 0xc456], vec![0xc123, 0xc456], true),
        (vec![0xc123, 0x4123, 0xc456], vec![0xc123, 0x4123], false),
        (vec![0xc123, 0x0123, 0xc456], vec![0xc123], false),
    ] {
        let expected: Vec<Vec<u8>> = expected
            .into_iter()
            .map(|kind: u16| [&kind.to_be_bytes()[..], &[0, 5, b'x']].concat())
            .collect();
        // RFC 9260 §3.2.2: the INIT ACK reports the parameters of an INIT.
        let mut side = Association::new(settings(11, 1));
        side.handle_packet(now, &handshake(wire::INIT, 0, &parameters));
        let answer = packets(&mut side, now);
        let chunk = Packet::read(&answer[0], true).unwrap().chunks().next().unwrap();
        assert_eq!(chunk.kind, wire::INIT_ACK);
        let told: Vec<_> = Parameters(Reader(&chunk.value[16..]))
            .filter(|(kind, _)| *kind == 8)
            .map(|(_, parameter)| parameter.to_vec())
            .collect();
        assert_eq!(told, expected);

        // An ERROR beside the COOKIE ECHO reports the parameters of an INIT ACK.
        let mut side = Association::new(settings(11, 1));
        side.connect(now);
        packets(&mut side, now);
        side.handle_packet(now, &handshake(wire::INIT_ACK, 11, &parameters));
        let answer = packets(&mut side, now);
        assert_eq!(kinds(&answer[0]), [wire::COOKIE_ECHO, wire::ERROR]);
        let mut padded = expected.clone();
        for parameter in padded.iter_mut().rev().skip(1) {
            parameter.resize(8, 0);
        }
        assert_eq!(causes(&answer), [(8, padded.concat())]);
        assert_eq!(side.outstanding.may_abandon, forward_tsn, "what is behind is not read");
    }
    // The INIT ACK reports as many as there is room for.
    let mut side = Association::new(settings(11, 1));
    side.handle_packet(now, &handshake(wire::INIT, 0, &[0xc123; 1500]));
    assert_eq!(packets(&mut side, now).len(), 1);
}

#[test]
fn a_heartbeat_is_answered_whole_or_not_at_all() {
    for (length, answered) in [(0, true), (1144, true), (1145, false), (16_000, false)] {
        let mut pair = Pair::connected([1, 2]);
        forge(&mut pair, 0, |writer| writer.chunk(wire::HEARTBEAT, 0, &vec![7; length]));
        let now = pair.now;
        let answers: Vec<_> =
            packets(&mut pair.sides[0], now).iter().map(|packet| kinds(packet)).collect();
        let expected = if answered { vec![vec![wire::HEARTBEAT_ACK]] } else { vec![] };
        assert_eq!(answers, expected, "{length}");
    }
}

/// RFC 9260 §6.1 A, §6.3.3 E3.
#[test]
fn a_closed_window_of_a_silent_peer_is_probed_by_one_packet_at_a_time() {
    let mut pair = Pair::connected([1, 2]);
    // A window's worth is under way and the peer's application reads nothing.
    pair.sides[0].congestion = Congestion::new(CongestionControl::NewReno, 100_000, 1);
    for _ in 0..200 {
        pair.sides[0].send(1, message(vec![1; 1000]));
    }
    let now = pair.now;
    assert!(packets(&mut pair.sides[0], now).len() > 100);
    forge(&mut pair, 0, |writer| {
        writer.begin(wire::SACK, 0);
        writer.u32(1);
        writer.u32(0);
        writer.u32(0);
        writer.end();
    });
    assert!(packets(&mut pair.sides[0], now).len() <= 1);
    let end = pair.now + Duration::from_secs(60);
    let mut sent = 0;
    while pair.now < end && pair.wait() {
        let now = pair.now;
        let probe = packets(&mut pair.sides[0], now);
        assert!(probe.len() <= 1, "{} packets", probe.len());
        sent += probe.len();
    }
    assert!((5..30).contains(&sent), "{sent}");

    // When the window opens, everything goes on.
    let open = |writer: &mut Writer<'_>| {
        writer.begin(wire::SACK, 0);
        writer.u32(1);
        writer.u32(1 << 20);
        writer.u32(0);
        writer.end();
    };
    forge(&mut pair, 0, open);
    let now = pair.now;
    assert!(packets(&mut pair.sides[0], now).len() > 10);
}

/// A peer that closes what is on the stream when our answer comes (werift) must not see the first
/// message of the next channel before it.
#[test]
fn the_answer_to_a_reset_precedes_what_is_sent_on_the_stream_again() {
    let mut pair = Pair::connected([1, 2]);
    let now = pair.now;
    pair.sides[0].send(0, message("old"));
    pair.sides[0].reset(0);
    pair.run(|_| true);
    pair.sides[1].reset(0);
    for packet in packets(&mut pair.sides[1], now) {
        pair.sides[0].handle_packet(now, &packet);
    }
    // Both directions are over, and the id is used again at once.
    pair.sides[0].send(0, message("new"));
    let told = packets(&mut pair.sides[0], now);
    let chunks: Vec<u8> = told.iter().flat_map(|packet| kinds(packet)).collect();
    let position = |kind| chunks.iter().position(|other| *other == kind).unwrap();
    assert!(position(wire::RE_CONFIG) < position(wire::DATA), "{chunks:?}");
    for packet in told {
        pair.sides[1].handle_packet(now, &packet);
    }
    pair.run(|_| true);
    assert_eq!(pair.messages(1), [b"old", b"new"]);
}
