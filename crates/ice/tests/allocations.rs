//! What a packet costs beyond its bytes: a relay's path allocates no more than a direct one.

#[path = "../benches/scene/mod.rs"]
mod scene;

use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use bytes::BytesMut;
use peerconnection_ice::{Datagram, HEADROOM, TAILROOM, TransportPolicy};
use scene::{Scene, server};

/// Datagrams of one pass.
const PACKETS: usize = 50;
/// Bytes of each.
const SIZE: usize = 1_100;

/// Two connected agents, the first of which uses a relay alone, or none.
fn connected(relayed: bool) -> Scene {
    let mut scene = Scene::new(1, 1, Duration::from_millis(10));
    if relayed {
        scene.set_servers(0, &[server(2, true)], TransportPolicy::Relay);
    }
    scene.negotiate(0);
    let end = scene.now + Duration::from_secs(10);
    assert!(scene.run_until(end, Scene::all_completed));
    let path = scene.peers[0].agent.selected_path().unwrap();
    assert_eq!(path.base.relay.is_some(), relayed);
    scene
}

/// Datagrams in one block with room around them, as the stack makes them.
fn datagrams() -> Vec<BytesMut> {
    let whole = HEADROOM + SIZE + TAILROOM;
    let mut block = BytesMut::zeroed(PACKETS * whole);
    let carve = |_| {
        let mut buffer = block.split_to(whole);
        buffer.truncate(HEADROOM + SIZE);
        buffer[HEADROOM..].fill(23);
        buffer
    };
    (0..PACKETS).map(carve).collect()
}

/// What sending a pass takes; the first passes do not count.
fn sending(relayed: bool) -> AllocationInfo {
    let mut scene = connected(relayed);
    let now = scene.now;
    let mut last = AllocationInfo::default();
    for _ in 0..3 {
        let (datagrams, mut sent) = (datagrams(), Vec::with_capacity(PACKETS));
        let places: Vec<_> = datagrams.iter().map(|buffer| buffer[HEADROOM..].as_ptr()).collect();
        let agent = &mut scene.peers[0].agent;
        last = measure(|| {
            let transmits = datagrams.into_iter().map(|d| agent.send_in_place(now, d, HEADROOM));
            sent.extend(transmits);
        });
        assert_eq!(sent.len(), PACKETS);
        for (transmit, place) in sent.into_iter().zip(places) {
            let payload = transmit.expect("a path").payload;
            let header = payload.len() - SIZE;
            // ChannelData: RFC 8656 §12.4.
            assert_eq!(header, if relayed { 4 } else { 0 });
            assert_eq!(payload[header..], [23; SIZE]);
            assert_eq!(payload[header..].as_ptr(), place, "it was not copied");
        }
    }
    last
}

/// What receiving a pass takes.
fn receiving(relayed: bool) -> AllocationInfo {
    let mut scene = connected(relayed);
    let now = scene.now;
    let (base, source, message) = scene.incoming(0, &[23; SIZE]);
    assert_eq!(message.len(), SIZE + if relayed { 4 } else { 0 });
    let agent = &mut scene.peers[0].agent;
    let mut pass = || {
        for _ in 0..PACKETS {
            let datagram = agent.handle_datagram(now, base.socket, source, &message);
            let Datagram { base, source, payload } = datagram.expect("a packet of the peer");
            assert_eq!(payload, [23; SIZE]);
            assert!(agent.data_received(now, base, source, payload.len()));
        }
    };
    pass();
    measure(pass)
}

#[test]
fn a_relay_costs_no_allocation_and_no_copy_of_a_packet_that_is_sent() {
    assert_eq!(sending(true).count_total, 0);
    assert_eq!(sending(false).count_total, 0);
}

#[test]
fn a_relay_costs_no_allocation_of_a_packet_that_is_received() {
    assert_eq!(receiving(true).count_total, 0);
    assert_eq!(receiving(false).count_total, 0);
}

/// Else the tests above could not fail. Room is allocated for about 28 packets at once.
#[test]
fn packets_without_room_around_them_cost_allocations() {
    let mut scene = connected(true);
    let (now, agent) = (scene.now, &mut scene.peers[0].agent);
    let bare = bytes::Bytes::from_static(&[23; SIZE]);
    let mut sent = Vec::with_capacity(PACKETS);
    let pass = || sent.extend((0..PACKETS).map(|_| agent.send(now, bare.clone())));
    assert!(measure(pass).count_total > 0);
}
