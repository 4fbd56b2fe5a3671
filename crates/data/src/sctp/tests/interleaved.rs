//! Messages of several streams at once (RFC 8260), and checksums of zero (RFC 9653): what both sides
//! must have said, what arrives, and what a hostile peer gets.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::sctp::data::Data;

/// One chunk of I-DATA from a peer.
struct Piece<'a> {
    flags: u8,
    tsn: u32,
    stream: u16,
    message: u32,
    /// The kind of the message in its first fragment, its own number in the others.
    last: u32,
    payload: &'a [u8],
}

const WHOLE: u8 = wire::FLAG_BEGIN | wire::FLAG_END;

impl Piece<'_> {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.begin(wire::I_DATA, self.flags);
        writer.u32(self.tsn);
        writer.u16(self.stream);
        writer.u16(0);
        writer.u32(self.message);
        writer.u32(self.last);
        writer.bytes(self.payload);
        writer.end();
    }
}

/// A pair that interleaves. The numbers of side 1 begin with 2.
fn connected() -> Pair {
    Pair::interleaving([1, 2], true).connect()
}

/// The peer of side 0 sends these.
fn give(pair: &mut Pair, pieces: &[Piece<'_>]) {
    for piece in pieces {
        forge(pair, 0, |writer| piece.write(writer));
    }
}

fn forward(pair: &mut Pair, tsn: u32, skips: &[(u16, u16, u32)]) {
    forge(pair, 0, |writer| {
        writer.begin(wire::I_FORWARD_TSN, 0);
        writer.u32(tsn);
        for &(stream, flags, message) in skips {
            writer.u16(stream);
            writer.u16(flags);
            writer.u32(message);
        }
        writer.end();
    });
}

/// How side 0 has ended the association, by the code in its ABORT.
fn abort_of(pair: &mut Pair) -> Option<u16> {
    let mut buffer = Vec::new();
    let told = pair.sides[0].write_packet(pair.now, &mut buffer);
    let chunk = Packet::read(&buffer, true)?.chunks().next().filter(|_| told)?;
    let code = Parameters(Reader(chunk.value)).next()?.0;
    assert_eq!(chunk.kind, wire::ABORT);
    let is_last = |code| {
        let expected = |error: &SctpError| matches!(*error, SctpError::AbortedHere { code: c, .. } if c == code);
        matches!(pair.events[0].last(), Some(Event::Closed(error)) if expected(error))
    };
    assert!(is_last(code), "{:?}", pair.events[0].last());
    Some(code)
}

#[test]
fn both_sides_have_to_offer_it() {
    for bits in 0..16 {
        let offers = |side: usize, bit: usize| bits >> (2 * side + bit) & 1 == 1;
        let settings = [0, 1].map(|side| Settings {
            interleaving: offers(side, 0),
            zero_checksum: offers(side, 1),
            ..settings([11, 22][side], 1)
        });
        let mut pair = Pair::with(settings);
        let both = |bit| offers(0, bit) && offers(1, bit);
        let mut kinds = Vec::new();
        let mut zeros = 0;
        pair.sides[0].connect(pair.now);
        pair.sides[0].send(1, message("with the cookie"));
        let mut watch = |packet: &[u8]| {
            let is_zero = packet[8..12] == [0; 4];
            zeros += usize::from(is_zero);
            let chunks: Vec<u8> =
                Packet::read(packet, true).unwrap().chunks().map(|chunk| chunk.kind).collect();
            let handshake = [wire::INIT, wire::INIT_ACK, wire::COOKIE_ECHO];
            assert!(!(is_zero && handshake.contains(&chunks[0])), "{chunks:?}");
            kinds.extend(chunks);
            true
        };
        pair.run(&mut watch);
        pair.sides[1].send(1, message("and back"));
        pair.run(&mut watch);
        assert_eq!((pair.messages(1), pair.messages(0)).0, [b"with the cookie"]);
        assert_eq!(pair.messages(0), [b"and back"]);
        assert_eq!(kinds.contains(&wire::I_DATA), both(0), "{bits:b}");
        assert_eq!(kinds.contains(&wire::DATA), !both(0), "{bits:b}");
        assert_eq!(zeros > 0, both(1), "{bits:b}");
    }
}

#[test]
fn a_checksum_is_right_or_zero_and_zero_only_if_this_side_has_said_so() {
    for zero_checksum in [true, false] {
        let [one, other] = [settings(11, 1), settings(22, 2)];
        let mut pair = Pair::with([Settings { zero_checksum, ..one }, other]).connect();
        for (checksum, passes) in
            [(None, true), (Some([0; 4]), zero_checksum), (Some([1; 4]), false)]
        {
            let mut buffer = Vec::new();
            let mut writer = Writer::new(&mut buffer, 5000, 5000, 11);
            writer.chunk(wire::HEARTBEAT, 0, b"beat");
            writer.finish();
            if let Some(checksum) = checksum {
                buffer[8..12].copy_from_slice(&checksum);
            }
            pair.sides[0].handle_packet(pair.now, &buffer);
            let mut answer = Vec::new();
            assert_eq!(pair.sides[0].write_packet(pair.now, &mut answer), passes, "{checksum:?}");
        }
    }
}

#[test]
fn streams_take_turns_with_a_fragment_each() {
    let mut pair = connected();
    for stream in [1, 2, 3] {
        pair.sides[0].send(stream, message(vec![stream as u8; 3000]));
    }
    pair.sides[0].send(4, message("short"));
    let mut order = Vec::new();
    pair.run(|packet| {
        for chunk in Packet::read(packet, true).unwrap().chunks() {
            if chunk.kind == wire::I_DATA {
                let data = Data::read(chunk).unwrap();
                order.push((data.stream, data.message, data.fsn, chunk.flags & WHOLE));
            }
        }
        true
    });
    let (first, last) = (wire::FLAG_BEGIN, wire::FLAG_END);
    let mut fragments: BTreeMap<u16, Vec<(u32, u8)>> = BTreeMap::new();
    for &(stream, message, fsn, flags) in &order {
        assert_eq!(message, 0);
        fragments.entry(stream).or_default().push((fsn, flags));
    }
    // 1,128 bytes fill a packet.
    for stream in [1, 2, 3] {
        let fragments = &fragments[&stream];
        assert_eq!(fragments.first(), Some(&(0, first)), "{order:?}");
        assert_eq!(fragments.last().map(|(_, flags)| *flags), Some(last), "{order:?}");
        assert!(fragments.iter().enumerate().all(|(at, (fsn, _))| at == *fsn as usize));
    }
    let streams: Vec<u16> = order.iter().map(|(stream, ..)| *stream).collect();
    assert_eq!(streams[..5], [1, 2, 3, 4, 1], "{order:?}");
    let lengths: Vec<usize> = pair.messages(1).iter().map(|message| message.len()).collect();
    assert_eq!(lengths, [5, 3000, 3000, 3000]);
}

#[test]
fn ordered_and_unordered_messages_of_a_stream_are_numbered_apart() {
    let mut pair = connected();
    // A long one of each kind, cut by the other, and short ones behind them.
    for ordered in [true, false, true, false] {
        pair.sides[0].send(1, Outgoing { ordered, ..message(vec![u8::from(ordered); 2500]) });
    }
    let mut numbers = Vec::new();
    pair.run(|packet| {
        for chunk in Packet::read(packet, true).unwrap().chunks() {
            if chunk.kind == wire::I_DATA && chunk.flags & wire::FLAG_BEGIN != 0 {
                let data = Data::read(chunk).unwrap();
                numbers.push((chunk.flags & wire::FLAG_UNORDERED != 0, data.message));
            }
        }
        true
    });
    assert_eq!(numbers, [(false, 0), (true, 0), (false, 1), (true, 1)]);
    assert_eq!(pair.messages(1).len(), 4);
}

#[test]
fn a_stream_that_is_reset_begins_with_message_zero() {
    let mut pair = connected();
    for round in 0..3 {
        for ordered in [true, false] {
            pair.sides[0].send(1, Outgoing { ordered, ..message(vec![round; 5000]) });
        }
        pair.sides[0].reset(1);
        let mut numbers = Vec::new();
        pair.run(|packet| {
            let packet = Packet::read(packet, true).unwrap();
            let data = packet.chunks().filter(|chunk| chunk.kind == wire::I_DATA);
            numbers.extend(data.map(|chunk| Data::read(chunk).unwrap().message));
            true
        });
        assert!(!numbers.is_empty() && numbers.iter().all(|number| *number == 0), "{numbers:?}");
        assert_eq!(pair.messages(1).len(), 2 * (usize::from(round) + 1));
    }
}

/// Twenty messages of 200 kB: the peer would have to hold 4 MB to finish them together.
#[test]
fn no_more_messages_are_begun_than_fit_the_window_of_the_peer() {
    let mut pair = connected();
    for stream in 0..20 {
        pair.sides[0].send(stream, message(vec![1; 200_000]));
    }
    let mut begun = BTreeMap::new();
    let mut most = 0;
    let mut count = 0;
    loop {
        pair.run(|packet| {
            for chunk in Packet::read(packet, true).unwrap().chunks() {
                if chunk.kind == wire::I_DATA {
                    let data = Data::read(chunk).unwrap();
                    match chunk.flags & WHOLE {
                        wire::FLAG_BEGIN => drop(begun.insert(data.stream, ())),
                        wire::FLAG_END => drop(begun.remove(&data.stream)),
                        _ => {}
                    }
                    most = most.max(begun.len());
                }
            }
            count += 1;
            count % 50 != 0
        });
        if pair.messages(1).len() == 20 {
            break;
        }
        assert!(pair.wait());
    }
    // Half of 1 MiB.
    assert_eq!(most, 2);
}

/// A message longer than all that may be begun is the only one, and short ones pass it.
#[test]
fn a_message_beyond_every_limit_is_sent_all_the_same() {
    let most = 8 << 20;
    let settings = [11, 22].map(|tag| Settings {
        interleaving: true,
        max_message_size: most,
        max_partial: 16 << 20,
        ..settings(tag, 1)
    });
    let mut pair = Pair::with(settings).connect();
    pair.sides[0].send(1, message(vec![1; most]));
    pair.sides[0].send(2, message(vec![2; 100_000]));
    pair.sides[0].send(3, message("short"));
    pair.run(|_| true);
    while pair.messages(1).len() < 3 {
        assert!(pair.wait());
        pair.run(|_| true);
    }
    let lengths: Vec<usize> = pair.messages(1).iter().map(|message| message.len()).collect();
    assert_eq!(lengths, [5, most, 100_000]);
}

#[test]
fn fragments_in_any_order_with_any_number_make_their_messages() {
    for base in [0u32, 0x7fff_ffff, u32::MAX] {
        let mut pair = connected();
        // So that message `base` is the next ordered one.
        if base > 0 {
            let mut tsn = 2;
            let mut at = 0u32;
            while at < base {
                at = at.saturating_add(0x7000_0000).min(base);
                forward(&mut pair, tsn, &[(1, 0, at - 1), (1, 1, at - 1)]);
                tsn += 1;
            }
        }
        let first = 10;
        forward(&mut pair, first - 1, &[]);
        let next = base.wrapping_add(1);
        let piece = |tsn, flags, message, last, payload| Piece {
            flags,
            tsn: first + tsn,
            stream: 1,
            message,
            last,
            payload,
        };
        let (begins, ends, free) = (wire::FLAG_BEGIN, wire::FLAG_END, wire::FLAG_UNORDERED);
        give(
            &mut pair,
            &[
                piece(6, ends, next, 1, b"4"),
                piece(0, begins, base, 53, b"a"),
                piece(4, ends, base, 2, b"c"),
                piece(5, begins, next, 53, b"3"),
                piece(1, free, base, 1, b"y"),
                piece(3, begins | free, base, 53, b"x"),
                piece(7, ends | free, base, 2, b"z"),
                piece(2, 0, base, 1, b"b"),
            ],
        );
        assert_eq!(pair.messages(0), [&b"xyz"[..], b"abc", b"34"], "{base:x}");
        assert_eq!(pair.sides[0].reassembly.held(), 0);
    }
}

#[test]
fn what_the_peer_gave_up_is_dropped_and_holds_nobody_back() {
    let mut pair = connected();
    let piece = |tsn, flags, message, last, payload| Piece {
        flags,
        tsn,
        stream: 1,
        message,
        last,
        payload,
    };
    let (begins, free) = (wire::FLAG_BEGIN, wire::FLAG_UNORDERED);
    give(
        &mut pair,
        &[
            piece(2, begins, 0, 53, b"half"),
            piece(3, begins | free, 0, 53, b"half"),
            piece(4, begins | free, 1, 53, b"to "),
            piece(6, WHOLE, 1, 53, b"whole"),
        ],
    );
    assert!(pair.messages(0).is_empty() && pair.sides[0].reassembly.held() > 0);
    forward(&mut pair, 6, &[(1, 0, 0), (1, 1, 0)]);
    give(&mut pair, &[piece(7, wire::FLAG_END | free, 1, 1, b"come")]);
    assert_eq!(pair.messages(0), [&b"whole"[..], b"to come"]);
    assert_eq!(pair.sides[0].reassembly.held(), 0);
    // Late fragments of what was given up bring nothing back.
    give(&mut pair, &[piece(8, 0, 0, 1, b"late"), piece(9, free, 0, 1, b"late")]);
    assert_eq!(pair.sides[0].reassembly.held(), 0);
}

#[test]
fn a_message_beyond_the_limit_is_dropped_and_told_in_either_order() {
    for (unordered, order) in [(0, [0, 1, 2]), (wire::FLAG_UNORDERED, [2, 1, 0]), (0, [1, 0, 2])] {
        let mut pair = connected();
        pair.sides[0].reassembly = crate::sctp::reassembly::Reassembly::new(5, true);
        let flags = [wire::FLAG_BEGIN, 0, wire::FLAG_END];
        for at in order {
            let last = if at == 0 { 53 } else { at as u32 };
            let flags = flags[at] | unordered;
            let tsn = 2 + at as u32;
            give(&mut pair, &[Piece { flags, tsn, stream: 1, message: 0, last, payload: b"abc" }]);
        }
        assert_eq!(pair.sides[0].reassembly.held(), 0);
        // The next one of its kind.
        let flags = WHOLE | unordered;
        give(
            &mut pair,
            &[Piece { flags, tsn: 5, stream: 1, message: 1, last: 53, payload: b"ok" }],
        );
        assert!(matches!(pair.events[0][..], [.., Event::TooLarge(1), Event::Message(_)]));
    }
}

/// RFC 8260 §2.2.1, §2.3.1.
#[test]
fn the_other_kind_of_data_ends_the_association() {
    let data = |writer: &mut Writer<'_>| {
        writer.begin(wire::DATA, WHOLE);
        writer.u32(2);
        writer.u32(1 << 16);
        writer.u32(53);
        writer.bytes(b"data");
        writer.end();
    };
    let piece = Piece { flags: WHOLE, tsn: 2, stream: 1, message: 0, last: 53, payload: b"data" };
    let forward = |kind| move |writer: &mut Writer<'_>| writer.chunk(kind, 0, &[0, 0, 0, 2]);
    let ends = |interleaving, write: &dyn Fn(&mut Writer<'_>)| {
        let mut pair = Pair::interleaving([1, 2], interleaving).connect();
        forge(&mut pair, 0, write);
        assert_eq!(abort_of(&mut pair), Some(wire::CAUSE_PROTOCOL_VIOLATION));
        let mut buffer = Vec::new();
        assert!(!pair.sides[0].write_packet(pair.now, &mut buffer));
    };
    ends(true, &data);
    ends(true, &forward(wire::FORWARD_TSN));
    ends(false, &|writer| piece.write(writer));
    ends(false, &forward(wire::I_FORWARD_TSN));
}

#[test]
fn a_peer_that_finishes_nothing_fills_no_memory() {
    let most = 3 << 20;
    type Make = fn(u32) -> (u8, u16, u32, u32);
    // Whether it ends the association: with payloads of one byte, and of a thousand. A message that is
    // too large takes up nothing, however long it goes on.
    let ways: [(Make, [bool; 2]); 5] = [
        // Beginnings, each of another message.
        (|i| (wire::FLAG_BEGIN, (i % 60_000) as u16, i, 53), [true, true]),
        // Middles of one message, whose beginning never comes.
        (|i| (0, 1, 0, i + 1), [true, false]),
        // Whole messages behind one that never comes.
        (|i| (WHOLE, 1, i + 1, 53), [true, true]),
        // Parts of unordered messages with numbers from all over.
        (|i| (wire::FLAG_UNORDERED, 1, i.wrapping_mul(0x9e37_79b9), 7), [true, true]),
        // One message without end.
        (
            |i| (if i == 0 { wire::FLAG_BEGIN } else { 0 }, 1, 0, if i == 0 { 53 } else { i }),
            [false, false],
        ),
    ];
    for (way, (make, ends)) in ways.into_iter().enumerate() {
        for (payload, ends) in [vec![0; 1], vec![0; 1000]].into_iter().zip(ends) {
            let mut pair = connected();
            let mut tsn = 2u32;
            while pair.sides[0].state() == SctpState::Connected && tsn < 60_000 {
                let (flags, stream, message, last) = make(tsn - 2);
                give(&mut pair, &[Piece { flags, tsn, stream, message, last, payload: &payload }]);
                assert!(pair.sides[0].reassembly.held() <= most, "{way}");
                tsn += 1;
            }
            let is_connected = pair.sides[0].state() == SctpState::Connected;
            assert_eq!(is_connected, !ends, "{way} {}", payload.len());
            if ends {
                assert_eq!(abort_of(&mut pair), Some(wire::CAUSE_OUT_OF_RESOURCE), "{way}");
            }
        }
    }
}

/// Each side sends to the other over a network that loses, repeats and overtakes.
#[derive(Debug, Clone)]
enum Step {
    Send {
        side: usize,
        stream: u16,
        size: usize,
        ordered: bool,
        max_retransmits: Option<u16>,
    },
    /// Both sides write packets, which wait in the network.
    Write,
    /// The network delivers, loses or repeats one of the packets that wait.
    Deliver(prop::sample::Index),
    Lose(prop::sample::Index),
    Repeat(prop::sample::Index),
    Wait,
    Path,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let reliability = prop_oneof![3 => Just(None), 1 => (0u16..2).prop_map(Some)];
    let send = (0usize..2, 0u16..4, 1usize..6000, any::<bool>(), reliability).prop_map(
        |(side, stream, size, ordered, max_retransmits)| Step::Send {
            side,
            stream,
            size,
            ordered,
            max_retransmits,
        },
    );
    let step = prop_oneof![
        6 => send,
        4 => Just(Step::Write),
        8 => index().prop_map(Step::Deliver),
        2 => index().prop_map(Step::Lose),
        1 => index().prop_map(Step::Repeat),
        1 => Just(Step::Wait),
        1 => Just(Step::Path),
    ];
    prop::collection::vec(step, 1..120)
}

/// What is known of a message that was sent.
#[derive(Debug, Clone, PartialEq)]
struct Sent {
    stream: u16,
    ordered: bool,
    reliable: bool,
    data: Vec<u8>,
}

/// What arrived is what was sent: whole, once, in order where there is one, and all that is reliable.
fn compare(sent: &[Sent], received: &[(u16, Vec<u8>)]) -> Result<(), TestCaseError> {
    for stream in 0..4 {
        let of_stream = |ordered| {
            sent.iter().filter(move |sent| sent.stream == stream && sent.ordered == ordered)
        };
        let mut unordered: Vec<&Sent> = of_stream(false).collect();
        let mut ordered: Vec<&Sent> = of_stream(true).collect();
        for (_, data) in received.iter().filter(|(id, _)| *id == stream) {
            let position = |list: &[&Sent]| list.iter().position(|sent| sent.data == *data);
            if let Some(at) = position(&unordered) {
                unordered.remove(at);
                continue;
            }
            let at = position(&ordered);
            prop_assert!(at.is_some(), "a message that was not sent, twice, or out of order");
            let skipped: Vec<&Sent> = ordered.drain(..=at.unwrap()).collect();
            prop_assert!(skipped[..skipped.len() - 1].iter().all(|sent| !sent.reliable));
        }
        prop_assert!(ordered.iter().chain(&unordered).all(|sent| !sent.reliable), "{stream}");
    }
    prop_assert!(received.iter().all(|(stream, _)| *stream < 4));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_network_does_messages_arrive_as_a_simple_model_says(
        steps in steps(),
        interleaving in any::<bool>(),
        first in prop::sample::select(vec![1u32, u32::MAX - 3]),
    ) {
        let mut pair = Pair::interleaving([first, first], interleaving).connect();
        let mut sent: [Vec<Sent>; 2] = Default::default();
        let mut network: Vec<(usize, Vec<u8>)> = Vec::new();
        let mut buffer = Vec::new();
        for step in steps {
            let now = pair.now;
            match step {
                Step::Send { side, stream, size, ordered, max_retransmits } => {
                    // Each message is another one.
                    let mut data = vec![stream as u8; size];
                    let number = (sent[side].len() as u32).to_be_bytes();
                    data.extend_from_slice(&number);
                    let reliable = max_retransmits.is_none();
                    sent[side].push(Sent { stream, ordered, reliable, data: data.clone() });
                    let outgoing = Outgoing { ordered, max_retransmits, ..message(data) };
                    pair.sides[side].send(stream, outgoing);
                }
                Step::Write => {
                    for side in 0..2 {
                        while pair.sides[side].write_packet(now, &mut buffer) {
                            network.push((1 - side, buffer.clone()));
                        }
                    }
                }
                Step::Deliver(_) | Step::Lose(_) | Step::Repeat(_) if network.is_empty() => {}
                Step::Deliver(index) => {
                    let (to, packet) = network.swap_remove(index.index(network.len()));
                    pair.sides[to].handle_packet(now, &packet);
                }
                Step::Lose(index) => {
                    network.swap_remove(index.index(network.len()));
                }
                Step::Repeat(index) => {
                    let packet = network[index.index(network.len())].clone();
                    network.push(packet);
                }
                Step::Wait => {
                    pair.wait();
                }
                Step::Path => pair.sides.iter_mut().for_each(|side| side.on_path_change(now)),
            }
        }
        for (to, packet) in network {
            pair.sides[to].handle_packet(pair.now, &packet);
        }
        // From here on nothing is lost, and all that is to come comes.
        let is_done = |side: &Association| side.queue.is_empty() && side.outstanding.is_empty();
        for round in 0.. {
            prop_assert!(round < 1000, "it does not end");
            pair.run(|_| true);
            if pair.sides.iter().all(is_done) || !pair.wait() {
                break;
            }
        }
        prop_assert!(pair.sides.iter().all(is_done));
        for side in 0..2 {
            let received: Vec<_> = pair.events[side]
                .iter()
                .filter_map(|event| match event {
                    Event::Message(message) => Some((message.stream, message.data.to_vec())),
                    _ => None,
                })
                .collect();
            compare(&sent[1 - side], &received)?;
            prop_assert_eq!(pair.sides[side].reassembly.held(), 0);
        }
    }
}
