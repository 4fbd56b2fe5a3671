//! Forged, repeated, late and endless.

use proptest::prelude::*;
use stun_types::message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec};

use super::world::{LOCAL, SERVER, World, address, secs};
use crate::{Families, Protocol, State};

/// The answer to what the client has sent last.
fn answer(world: &mut World) -> Vec<u8> {
    let request = world.client.poll_transmit().unwrap();
    world.server.handle(world.now, address(LOCAL), &request).unwrap()
}

fn transmits(world: &mut World) -> usize {
    std::iter::from_fn(|| world.client.poll_transmit()).count()
}

#[test]
fn a_challenge_that_is_repeated_is_answered_once() {
    let mut world = World::new(Protocol::Udp);
    world.client.allocate(world.now, Families::V4).unwrap();
    let challenge = answer(&mut world);
    for _ in 0..1_000 {
        world.client.handle_message(world.now, address(SERVER), &challenge);
    }
    assert_eq!(transmits(&mut world), 1);
}

#[test]
fn an_answer_from_elsewhere_or_to_another_request_is_nothing() {
    let mut world = World::new(Protocol::Udp);
    world.client.allocate(world.now, Families::V4).unwrap();
    let challenge = answer(&mut world);
    for source in ["192.0.2.1:3479", "192.0.2.2:3478", LOCAL] {
        world.client.handle_message(world.now, address(source), &challenge);
    }
    let mut other = challenge.clone();
    other[19] ^= 1;
    world.client.handle_message(world.now, address(SERVER), &other);
    let mut refresh = challenge.clone();
    refresh[1] = 0x14;
    world.client.handle_message(world.now, address(SERVER), &refresh);
    assert_eq!(transmits(&mut world), 0);
    world.client.handle_message(world.now, address(SERVER), &challenge);
    assert_eq!(transmits(&mut world), 1);
}

#[test]
fn requests_and_indications_of_the_server_are_not_answered() {
    let mut world = World::allocated(Protocol::Udp);
    for kind in [0x0001u16, 0x0011, 0x0003, 0x0004, 0x0016, 0x0006] {
        let mut message = kind.to_be_bytes().to_vec();
        message.extend_from_slice(&[0, 0, 0x21, 0x12, 0xa4, 0x42]);
        message.extend_from_slice(&[5; 12]);
        assert_eq!(world.client.handle_message(world.now, address(SERVER), &message), None);
    }
    assert_eq!(transmits(&mut world), 0);
}

#[test]
fn a_wrong_fingerprint_makes_an_answer_nothing() {
    let mut world = World::new(Protocol::Udp);
    world.client.allocate(world.now, Families::V4).unwrap();
    let request = world.client.poll_transmit().unwrap();
    let request = Message::from_bytes(&request).unwrap();
    for right in [false, true] {
        let mut answer = Message::builder_error(&request, MessageWriteVec::new());
        let code = stun_types::attribute::ErrorCode::new(403, "Forbidden").unwrap();
        answer.add_attribute(&code).unwrap();
        answer.add_fingerprint().unwrap();
        let mut answer = answer.finish();
        let last = answer.len() - 1;
        answer[last] ^= u8::from(!right);
        world.client.handle_message(world.now, address(SERVER), &answer);
        let state = if right { State::Failed } else { State::Allocating };
        assert_eq!(world.client.state(), state);
    }
}

#[test]
fn a_forged_refusal_does_not_harm_when_the_true_answer_comes() {
    let mut world = World::new(Protocol::Udp);
    world.client.allocate(world.now, Families::V4).unwrap();
    let challenge = answer(&mut world);
    world.client.handle_message(world.now, address(SERVER), &challenge);
    let request = world.client.poll_transmit().unwrap();
    let truth = world.server.handle(world.now, address(LOCAL), &request).unwrap();
    let request = Message::from_bytes(&request).unwrap();
    let mut lie = Message::builder_error(&request, MessageWriteVec::new());
    let code = stun_types::attribute::ErrorCode::new(403, "Forbidden").unwrap();
    lie.add_attribute(&code).unwrap();
    world.client.handle_message(world.now, address(SERVER), &lie.finish());
    world.client.handle_message(world.now, address(SERVER), &truth);
    assert_eq!(world.client.state(), State::Allocated);
}

#[test]
fn a_flipped_bit_anywhere_makes_a_success_worthless() {
    let mut world = World::new(Protocol::Udp);
    world.client.allocate(world.now, Families::V4).unwrap();
    let challenge = answer(&mut world);
    world.client.handle_message(world.now, address(SERVER), &challenge);
    let truth = answer(&mut world);
    for bit in 0..truth.len() * 8 {
        let mut lie = truth.clone();
        lie[bit / 8] ^= 1 << (bit % 8);
        world.client.handle_message(world.now, address(SERVER), &lie);
        assert_eq!(world.client.state(), State::Allocating, "bit {bit}");
    }
    world.client.handle_message(world.now, address(SERVER), &truth);
    assert_eq!(world.client.state(), State::Allocated);
}

#[test]
fn an_answer_after_the_deadline_is_too_late() {
    let mut world = World::new(Protocol::Udp);
    world.client.allocate(world.now, Families::V4).unwrap();
    let challenge = answer(&mut world);
    world.client.handle_message(world.now, address(SERVER), &challenge);
    let late = answer(&mut world);
    world.now += secs(11);
    world.client.handle_timeout(world.now);
    assert_eq!(world.client.state(), State::Failed);
    // What it has missed is deleted.
    let refused = answer(&mut world);
    assert_eq!(world.server.log.last().unwrap().1, "Refresh 0");
    for message in [&late, &refused] {
        world.client.handle_message(world.now, address(SERVER), message);
        assert_eq!(world.client.state(), State::Failed);
        assert_eq!(transmits(&mut world), 0);
    }
}

#[test]
fn neither_password_nor_key_is_in_the_debug_output() {
    let world = World::allocated(Protocol::Udp);
    let text = format!("{:?}", world.client);
    assert!(text.contains("alice") && !text.contains("wonder") && !text.contains("key"), "{text}");
}

#[test]
fn a_host_that_sends_nothing_does_not_fill_the_memory() {
    let mut world = World::allocated(Protocol::Udp);
    for n in 0..100u8 {
        world.client.create_permission(world.now, [198, 51, 100, n].into()).unwrap();
    }
    for _ in 0..10_000 {
        world.now += secs(1);
        world.client.handle_timeout(world.now);
    }
    assert!(transmits(&mut world) <= 1024);
}

#[test]
fn a_clock_that_goes_backwards_does_no_harm() {
    let mut world = World::allocated(Protocol::Udp);
    world.permit(address("198.51.100.1:5000"));
    let before = world.now;
    world.client.handle_timeout(world.start);
    world.client.refresh(world.start);
    world.now = before;
    world.run_for(secs(1_000));
    assert_eq!(world.client.state(), State::Allocated);
}

proptest! {
    #[test]
    fn mutilated_answers_are_read_without_harm(
        edits in proptest::collection::vec((0usize..200, any::<u8>()), 1..12),
        keep in 0usize..220,
        stage in 0usize..3,
        algorithms in any::<bool>(),
    ) {
        let mut world = World::new(Protocol::Udp);
        if algorithms {
            world.server.switches.algorithms = Some(crate::testing::BOTH_ALGORITHMS);
            world.server.switches.nonce_prefix = "obMatJos2wAAA";
        }
        world.client.allocate(world.now, Families::V4).unwrap();
        for _ in 0..stage.min(1) {
            let challenge = answer(&mut world);
            world.client.handle_message(world.now, address(SERVER), &challenge);
        }
        if stage == 2 {
            let allocated = answer(&mut world);
            world.client.handle_message(world.now, address(SERVER), &allocated);
            world.client.bind_channel(world.now, address("198.51.100.1:5")).unwrap();
        }
        let mut packet = answer(&mut world);
        for (at, value) in edits {
            if let Some(byte) = packet.get_mut(at) {
                *byte = value;
            }
        }
        packet.truncate(keep);
        let _ = transmits(&mut world);
        for _ in 0..3 {
            world.client.handle_message(world.now, address(SERVER), &packet);
        }
        prop_assert!(transmits(&mut world) <= 2);
    }
}

/// Anybody who can send from the server's address can send as much as the line carries.
#[test]
fn what_nobody_asked_for_is_dropped_by_its_header_alone() {
    let mut world = World::allocated(Protocol::Udp);
    world.permit(address("198.51.100.1:5000"));
    world.client.create_permission(world.now, [198, 51, 100, 2].into()).unwrap();
    let request = world.client.poll_transmit().unwrap();
    let answer = world.server.handle(world.now, address(LOCAL), &request).unwrap();
    assert!(world.client.awaits(&answer));
    // Whatever is due stays due: nothing is looked at.
    let (due, late) = (world.client.poll_timeout(), world.now + secs(3_600));
    let mut another = answer.clone();
    another[19] ^= 1;
    let mut indication = answer.clone();
    indication[0] = 0;
    indication[1] = 0x11;
    for stray in [&another[..], &indication, &request, &answer[..19], &[0x40, 0, 0, 1, 9], &[]] {
        assert!(!world.client.awaits(stray));
        assert_eq!(world.client.handle_message(late, address(SERVER), stray), None);
        assert_eq!(world.client.poll_timeout(), due);
        assert_eq!(world.client.poll_transmit(), None);
    }
    world.client.handle_message(world.now, address(SERVER), &answer);
    assert!(world.client.is_permitted(world.now, [198, 51, 100, 2].into()));
}
