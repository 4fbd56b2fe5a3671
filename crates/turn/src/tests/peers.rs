//! Permissions and channels.

use super::world::{World, address, secs};
use crate::{Config, Error, Families, Protocol, SendError};

#[test]
fn one_peer_that_is_forbidden_is_told_at_once_and_harms_no_other() {
    let mut world = World::allocated(Protocol::Udp);
    world.server.switches.nuls = true;
    world.server.switches.denied.insert(address("127.0.0.1:1").ip());
    world.story();
    for peer in ["198.51.100.1", "127.0.0.1", "198.51.100.2", "198.51.100.1"] {
        world.client.create_permission(world.now, peer.parse().unwrap()).unwrap();
    }
    world.run_for(secs(1));
    assert_eq!(
        world.story(),
        [
            "140 permitted 198.51.100.1",
            "140 denied 127.0.0.1 403 Forbidden IP",
            "140 permitted 198.51.100.2",
        ]
    );
    assert_eq!(world.server.count("CreatePermission"), 3);
    assert_eq!(world.send(address("127.0.0.1:9"), b"x"), Err(SendError::NoPermission));
}

#[test]
fn requests_do_not_wait_for_one_another() {
    let mut world = World::allocated(Protocol::Udp);
    world.story();
    for n in 0..100u8 {
        world.client.create_permission(world.now, [198, 51, 100, n].into()).unwrap();
    }
    world.run_for(secs(1));
    let story = world.story();
    assert_eq!(story.len(), 100);
    assert!(story.iter().all(|line| line.starts_with("140 permitted")), "{story:?}");
}

#[test]
fn permissions_that_are_asked_for_early_wait_for_the_allocation() {
    let mut world = World::new(Protocol::Udp);
    world.client.create_permission(world.now, address("198.51.100.1:5").ip()).unwrap();
    world.run_for(secs(1));
    assert_eq!(world.sent, 0);
    world.allocate(Families::V4);
    world.run_for(secs(1));
    let story = ["1080 allocated 203.0.113.1:50000", "1120 permitted 198.51.100.1"];
    assert_eq!(world.story(), story);
}

#[test]
fn a_peer_of_a_family_that_is_not_relayed_is_denied_without_asking() {
    let mut world = World::new(Protocol::Udp);
    let early = "2001:db8::5".parse().unwrap();
    world.client.create_permission(world.now, early).unwrap();
    world.allocate(Families::V4);
    world.client.create_permission(world.now, "2001:db8::6".parse().unwrap()).unwrap();
    world.client.create_permission(world.now, "::ffff:198.51.100.1".parse().unwrap()).unwrap();
    world.run_for(secs(1));
    assert_eq!(
        world.story(),
        [
            "80 allocated 203.0.113.1:50000",
            "80 denied 2001:db8::5 443 Peer Address Family Mismatch",
            "100 denied 2001:db8::6 443 Peer Address Family Mismatch",
            "140 permitted 198.51.100.1",
        ]
    );
}

#[test]
fn a_server_that_does_not_answer_denies_a_peer_with_701() {
    let mut world = World::allocated(Protocol::Udp);
    world.story();
    world.cut = true;
    world.client.create_permission(world.now, address("198.51.100.1:5").ip()).unwrap();
    world.run_for(secs(60));
    let text = "39600 denied 198.51.100.1 701 the server did not answer";
    assert_eq!(world.story(), [text]);
}

#[test]
fn a_channel_makes_packets_smaller_and_refusing_one_changes_nothing() {
    let peer = address("198.51.100.1:5000");
    let mut world = World::allocated(Protocol::Udp);
    world.client.bind_channel(world.now, peer).unwrap();
    assert_eq!(world.send(peer, b"early"), Err(SendError::NoPermission));
    world.run_for(secs(1));
    let story = world.story();
    assert!(story.contains(&"140 permitted 198.51.100.1".to_owned()), "{story:?}");
    assert!(story.contains(&"140 bound 198.51.100.1:5000".to_owned()), "{story:?}");
    assert_eq!(world.send(peer, b"12345"), Ok(4));
    // Another port of the same host is permitted, and has no channel.
    assert_eq!(world.send(address("198.51.100.1:6000"), b"1234"), Ok(36));
    world.run_for(secs(1));
    assert_eq!(world.server.delivered.len(), 2);

    let mut world = World::allocated(Protocol::Udp);
    world.server.switches.no_channels = true;
    world.client.bind_channel(world.now, peer).unwrap();
    world.run_for(secs(1));
    let story = world.story();
    assert!(story.contains(&"140 no channel 198.51.100.1:5000 508".to_owned()), "{story:?}");
    assert_eq!(world.send(peer, b"1234"), Ok(36));
}

#[test]
fn there_are_no_more_permissions_and_channels_than_allowed() {
    let config = Config { max_permissions: 2, max_channels: 1, ..Config::default() };
    let mut world = World::with(Protocol::Udp, config, crate::testing::PASSWORD);
    let peer = |n: u16| address(&format!("198.51.100.{n}:5000"));
    world.client.bind_channel(world.now, peer(1)).unwrap();
    assert_eq!(world.client.bind_channel(world.now, peer(2)), Err(Error::TooManyChannels));
    world.client.bind_channel(world.now, peer(1)).unwrap();
    world.client.create_permission(world.now, peer(2).ip()).unwrap();
    let refused = world.client.create_permission(world.now, peer(3).ip());
    assert_eq!(refused, Err(Error::TooManyPermissions));
    world.client.release_permission(world.now, peer(2).ip());
    world.client.create_permission(world.now, peer(3).ip()).unwrap();
}

#[test]
fn a_number_is_another_peers_only_five_minutes_after_it_has_expired() {
    let config = Config { max_channels: 1, ..Config::default() };
    let mut world = World::with(Protocol::Udp, config, crate::testing::PASSWORD);
    let (first, second) = (address("198.51.100.1:5000"), address("198.51.100.2:5000"));
    world.allocate(Families::V4);
    world.client.bind_channel(world.now, first).unwrap();
    world.run_for(secs(1));
    world.client.release_channel(world.now, first);
    // The test's server insists on this rule as well.
    world.run_for(secs(590));
    assert!(world.client.has_channel(world.now, first));
    world.run_for(secs(300));
    assert!(!world.client.has_channel(world.now, first));
    assert_eq!(world.client.bind_channel(world.now, second), Err(Error::TooManyChannels));
    world.run_for(secs(20));
    world.client.bind_channel(world.now, second).unwrap();
    world.run_for(secs(1));
    assert!(world.client.has_channel(world.now, second));
}

#[test]
fn a_permission_that_is_released_is_not_renewed_and_lets_nothing_in_when_it_ends() {
    let mut world = World::allocated(Protocol::Udp);
    let peer = address("198.51.100.1:5000");
    world.permit(peer);
    world.client.release_permission(world.now, peer.ip());
    assert_eq!(world.client.peers().count(), 0);
    assert_eq!(world.send(peer, b"1234"), Ok(36), "the peer may come back");
    world.run_for(secs(301));
    assert_eq!(world.server.count("CreatePermission"), 1);
    assert_eq!(world.send(peer, b"x"), Err(SendError::NoPermission));
    world.run_for(secs(300));
    assert_eq!(world.server.count("CreatePermission"), 1);
    // One that is asked for again goes on.
    world.permit(peer);
    world.client.release_permission(world.now, peer.ip());
    world.client.create_permission(world.now, peer.ip()).unwrap();
    world.run_for(secs(1_000));
    assert_eq!(world.client.peers().collect::<Vec<_>>(), [peer.ip()]);
    assert!(world.client.is_permitted(world.now, peer.ip()));
    assert_eq!(world.server.count("CreatePermission"), 6);
}

/// RFC 8656 §9.3 and §12.2: 403 and 443 are about the peer, all else about the moment.
#[test]
fn what_may_pass_is_asked_for_again_and_denied_only_when_it_does_not_pass() {
    for code in [300, 400, 437, 486, 500, 508] {
        let mut world = World::allocated(Protocol::Udp);
        world.server.switches.permission_error = Some(code);
        world.permit(address("198.51.100.1:5000"));
        world.run_for(secs(12));
        let trace = world.story().split_off(1);
        assert_eq!(trace, [""; 0], "{code}");
        assert!((3..6).contains(&world.server.count("CreatePermission")), "{code}");
        world.server.switches.permission_error = None;
        world.run_for(secs(5));
        let trace = world.story();
        assert!(matches!(&trace[..], [line] if line.ends_with("permitted 198.51.100.1")), "{code}");
    }

    let mut world = World::allocated(Protocol::Udp);
    world.server.switches.permission_error = Some(508);
    world.story();
    world.permit(address("198.51.100.1:5000"));
    world.run_for(secs(100));
    assert_eq!(world.story(), ["40460 denied 198.51.100.1 508 not now"]);
    assert_eq!(world.client.peers().count(), 0);

    let mut world = World::allocated(Protocol::Udp);
    world.server.switches.permission_error = Some(443);
    world.story();
    world.permit(address("198.51.100.1:5000"));
    assert_eq!(world.story(), ["140 denied 198.51.100.1 443 not now"]);
}
