//! What two correct associations do, and what one does with a peer of few abilities.

use super::*;

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

/// Pion until 2024, and stacks made after it, drop an INIT or INIT ACK with a parameter that they do not
/// know.
#[test]
fn a_peer_that_cannot_skip_a_parameter_is_soon_asked_without_it() {
    let offers_zero = |packet: &[u8]| {
        let chunk = Packet::read(packet, true).unwrap().chunks().next().unwrap();
        Init::read(chunk.value)
            .filter(|_| matches!(chunk.kind, wire::INIT | wire::INIT_ACK))
            .is_some_and(|init| init.extensions.zero_checksum)
    };
    for we_begin in [true, false] {
        let [one, other] = [settings(11, 1), settings(22, 2)];
        // The other does not know RFC 9653.
        let other = Settings { zero_checksum: false, ..other };
        let mut pair = Pair::with([one, other]);
        let start = pair.now;
        pair.sides[usize::from(!we_begin)].connect(start);
        pair.sides[0].send(1, message("hello"));
        let mut dropped = 0;
        loop {
            pair.run(|packet| {
                dropped += usize::from(offers_zero(packet));
                !offers_zero(packet)
            });
            if pair.messages(1).len() == 1 {
                break;
            }
            assert!(pair.wait());
        }
        // What answers an INIT without the parameter is without it, too.
        assert_eq!(dropped, usize::from(we_begin));
        assert!(pair.now - start <= Duration::from_millis(250));
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

#[test]
fn a_shutdown_is_answered_and_closes() {
    let mut pair = Pair::connected([1, 2]);
    forge(&mut pair, 0, |writer| writer.chunk(wire::SHUTDOWN, 0, &[0; 4]));
    assert!(matches!(pair.events[0].last(), Some(Event::Closed(SctpError::Shutdown))));
    let mut buffer = Vec::new();
    assert!(pair.sides[0].write_packet(pair.now, &mut buffer));
    let packet = Packet::read(&buffer, true).unwrap();
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

/// An association that has spoken with such a peer.
fn with_simple_peer(streams: u16) -> (Instant, Association) {
    let now = Instant::now();
    let mut side = Association::new(settings(11, 100));
    side.connect(now);
    let mut buffer = Vec::new();
    assert!(side.write_packet(now, &mut buffer));
    let init = Packet::read(&buffer, true).unwrap().chunks().next().unwrap();
    assert_eq!(init.kind, wire::INIT);
    assert!(Init::read(init.value).unwrap().extensions.re_config);
    let [init_ack, cookie_ack] = simple_peer(11, streams);
    side.handle_packet(now, &init_ack);
    assert!(side.write_packet(now, &mut buffer));
    let echo = Packet::read(&buffer, true).unwrap().chunks().next().unwrap();
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
    let chunk = Packet::read(&buffer, true).unwrap().chunks().next().unwrap();
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
