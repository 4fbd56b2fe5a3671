//! Packets of every size, both ways, over each protocol.

use proptest::prelude::*;

use super::world::{SERVER, World, address, ms, secs};
use crate::testing::PASSWORD;
use crate::{Client, Config, Families, HEADROOM, Protocol, SendError, TAILROOM};

const PROTOCOLS: [Protocol; 3] = [Protocol::Udp, Protocol::Tcp, Protocol::Tls];
const PEER: &str = "198.51.100.1:5000";

/// Unaligned ones above all, and in an order in which what swallows padding shows.
fn sizes() -> Vec<usize> {
    let mut sizes: Vec<usize> = (0..70).chain([1199, 1200, 1201, 1202, 10, 1, 10]).collect();
    sizes.reverse();
    sizes
}

fn payload(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7 + size) as u8).collect()
}

#[test]
fn payloads_of_every_size_arrive_unchanged_both_ways_with_and_without_a_channel() {
    let peer = address(PEER);
    for protocol in PROTOCOLS {
        for chunk in [1, 3, 7, 100_000] {
            let mut world = World::allocated(protocol);
            world.chunk = chunk;
            world.permit(peer);
            let mut expected = Vec::new();
            for channel in [false, true] {
                if channel {
                    world.client.bind_channel(world.now, peer).unwrap();
                    world.run_for(ms(100));
                    assert!(world.client.has_channel(world.now, peer));
                }
                for size in sizes() {
                    let padding = size.next_multiple_of(4) - size;
                    let header = match (channel, protocol) {
                        (false, _) => 36 + padding,
                        (true, Protocol::Udp) => 4,
                        (true, _) => 4 + padding,
                    };
                    assert_eq!(world.send(peer, &payload(size)), Ok(header));
                    world.peer_sends(peer, &payload(size));
                    expected.push((peer, payload(size)));
                }
                world.run_for(ms(100));
            }
            assert_eq!(world.server.refused, 0);
            assert_eq!(world.server.delivered, expected);
            assert_eq!(world.received, expected);
        }
    }
}

#[test]
fn an_ipv6_peer_takes_48_bytes() {
    let mut world = World::new(Protocol::Udp);
    world.allocate(Families::V6);
    let peer = address("[2001:db8::77]:5000");
    world.permit(peer);
    assert_eq!(world.send(peer, &payload(100)), Ok(48));
    world.peer_sends(peer, &payload(33));
    world.run_for(ms(100));
    assert_eq!(world.server.delivered, [(peer, payload(100))]);
    assert_eq!(world.received, [(peer, payload(33))]);
}

#[test]
fn the_payload_stays_where_it_is_and_what_is_around_the_message_is_untouched() {
    let peer = address(PEER);
    let mut world = World::allocated(Protocol::Udp);
    world.permit(peer);
    let mut buffer = vec![0xee; 100];
    buffer[60..65].copy_from_slice(b"hello");
    let message = world.client.encapsulate(world.now, peer, &mut buffer, 60..65).unwrap();
    assert_eq!(message, 24..68);
    assert_eq!(&buffer[60..65], b"hello");
    assert_eq!(&buffer[65..68], [0; 3]);
    assert!(buffer[..24].iter().chain(&buffer[68..]).all(|byte| *byte == 0xee));
}

#[test]
fn a_payload_without_room_is_refused_and_nothing_is_written() {
    let peer = address(PEER);
    let mut world = World::allocated(Protocol::Tcp);
    let mut buffer = vec![0xee; 200];
    let mut wrap = |world: &mut World, range| {
        let result = world.client.encapsulate(world.now, peer, &mut buffer, range);
        assert!(result.is_ok() || buffer.iter().all(|byte| *byte == 0xee));
        result.map(|_| ())
    };
    assert_eq!(wrap(&mut world, 48..60), Err(SendError::NoPermission));
    world.permit(peer);
    assert_eq!(wrap(&mut world, 35..60), Err(SendError::NoRoom));
    // 153 bytes and 3 of padding.
    assert_eq!(wrap(&mut world, 47..200), Err(SendError::NoRoom));
    assert_eq!(wrap(&mut world, 48..201), Err(SendError::NoRoom));
    #[expect(clippy::reversed_empty_ranges)]
    let backwards = 60..48;
    assert_eq!(wrap(&mut world, backwards), Err(SendError::NoRoom));
    world.client.bind_channel(world.now, peer).unwrap();
    world.run_for(secs(1));
    assert_eq!(wrap(&mut world, 3..60), Err(SendError::NoRoom));
    assert_eq!(wrap(&mut world, 47..200), Err(SendError::NoRoom));

    let mut long = vec![0; HEADROOM + 65_536 + TAILROOM];
    let range = HEADROOM..HEADROOM + 65_536;
    let other = address("198.51.100.1:6000");
    for to in [peer, other] {
        let result = world.client.encapsulate(world.now, to, &mut long, range.clone());
        assert_eq!(result, Err(SendError::TooLong));
    }
}

#[test]
fn without_an_allocation_nothing_is_sent() {
    let mut world = World::new(Protocol::Udp);
    assert_eq!(world.send(address(PEER), b"x"), Err(SendError::NoAllocation));
}

#[test]
fn channel_data_may_overtake_the_answer_to_its_bind() {
    let peer = address(PEER);
    let mut world = World::allocated(Protocol::Udp);
    world.client.bind_channel(world.now, peer).unwrap();
    let message = b"\x40\x00\x00\x03abc";
    let data = world.client.handle_message(world.now, address(SERVER), message).unwrap();
    assert_eq!((data.peer, &message[data.payload]), (peer, &b"abc"[..]));
}

#[test]
fn packets_of_strangers_from_elsewhere_or_of_another_length_are_dropped() {
    let peer = address(PEER);
    let mut world = World::allocated(Protocol::Udp);
    world.client.bind_channel(world.now, peer).unwrap();
    world.run_for(secs(1));
    let (now, server) = (world.now, address(SERVER));
    let mut input = |source, message: &[u8]| world.client.handle_message(now, source, message);
    assert!(input(server, b"\x40\x00\x00\x03abc").is_some());
    assert!(input(server, b"\x40\x00\x00\x03abc\0").is_some());
    assert!(input(server, b"\x40\x00\x00\x00").is_some());
    for bad in [
        &b"\x40\x01\x00\x03abc"[..],
        b"\x4f\xff\x00\x03abc",
        b"\x40\x00\x00\x04abc",
        b"\x40\x00\x00\x03abc\0\0",
        b"\x40\x00\x00",
        b"\x80\x60\x00\x01",
        b"\x16\xfe\xff",
        b"",
    ] {
        assert_eq!(input(server, bad), None, "{bad:x?}");
    }
    for source in ["192.0.2.1:3479", "192.0.2.2:3478", "[2001:db8::1]:3478"] {
        assert_eq!(input(address(source), b"\x40\x00\x00\x03abc"), None);
    }
    let indication = world.server.relay_from(now, address(super::world::LOCAL), peer, b"abc");
    assert!(indication.is_some());

    // A Data indication about somebody who was never permitted.
    let mut other = World::allocated(Protocol::Udp);
    other.permit(address("198.51.100.9:1"));
    other.permit(peer);
    let indication =
        other.server.relay_from(other.now, address(super::world::LOCAL), peer, b"abc").unwrap();
    assert!(other.client.handle_message(other.now, server, &indication).is_some());
    other.client.release_permission(other.now, peer.ip());
    other.run_for(super::world::secs(301));
    assert_eq!(other.client.handle_message(other.now, server, &indication), None);
}

fn client_with_a_peer() -> (Client, time::Instant) {
    let mut world = World::with(Protocol::Udp, Config::default(), PASSWORD);
    world.allocate(Families::V4);
    world.permit(address(PEER));
    world.drain();
    (world.client, world.now)
}

proptest! {
    #[test]
    fn data_indications_are_read_without_harm(
        tail in proptest::collection::vec(any::<u8>(), 0..60),
        keep_length in any::<bool>(),
    ) {
        let (mut client, now) = client_with_a_peer();
        let length = if keep_length { u16::try_from(tail.len()).unwrap() } else { 0 };
        let mut message = vec![0, 0x17];
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(&0x2112_a442u32.to_be_bytes());
        message.extend_from_slice(&[9; 12]);
        message.extend_from_slice(&tail);
        if let Some(data) = client.handle_message(now, address(SERVER), &message) {
            prop_assert!(message.get(data.payload).is_some());
        }
        prop_assert_eq!(client.poll_transmit(), None);
    }
}
