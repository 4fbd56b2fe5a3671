//! What is held is kept, and what was lost is asked for again.

use super::world::{World, address, ms, secs};
use crate::testing::PASSWORD;
use crate::{Config, Protocol, SendError, State};

const PEER: &str = "198.51.100.1:5000";

/// One packet each way, of 11 bytes.
fn exchange(world: &mut World) {
    let peer = address(PEER);
    let (there, back) = (world.server.delivered.len(), world.received.len());
    world.send(peer, b"unaligned__").unwrap();
    world.peer_sends(peer, b"unaligned__");
    world.run_for(ms(100));
    assert_eq!(world.server.delivered.len(), there + 1);
    assert_eq!(world.received.len(), back + 1);
}

fn talking(protocol: Protocol) -> World {
    let mut world = World::allocated(protocol);
    world.client.bind_channel(world.now, address(PEER)).unwrap();
    world.run_for(ms(100));
    exchange(&mut world);
    world.story();
    world
}

#[test]
fn an_hour_passes_and_nothing_expires() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = talking(protocol);
        for _ in 0..360 {
            world.run_for(secs(10));
            exchange(&mut world);
        }
        assert_eq!(world.story(), Vec::<String>::new());
        assert_eq!(world.server.refused, 0);
        // Each 540 s, 540 s and 240 s.
        assert_eq!(world.server.count("Refresh"), 6);
        assert_eq!(world.server.count("ChannelBind"), 7);
        let permissions = world.server.count("CreatePermission");
        assert!((10..=16).contains(&permissions), "{permissions}");
    }
}

#[test]
fn a_nonce_of_5_seconds_is_renewed_each_time() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = talking(protocol);
        world.server.switches.nonce_life = Some(secs(5));
        for _ in 0..360 {
            world.run_for(secs(10));
            exchange(&mut world);
        }
        assert_eq!(world.story(), Vec::<String>::new());
        assert_eq!(world.server.count("Refresh"), 12);
    }
}

#[test]
fn mappings_of_nats_are_kept_over_udp_when_nothing_is_sent() {
    let mut world = World::allocated(Protocol::Udp);
    world.run_for(secs(100));
    let times: Vec<_> =
        world.server.log.iter().filter(|l| l.1 == "keepalive").map(|l| l.0).collect();
    assert_eq!(times, [15_060, 30_060, 45_060, 60_060, 75_060, 90_060]);

    // Data does as well.
    let mut world = talking(Protocol::Udp);
    for _ in 0..100 {
        world.run_for(secs(1));
        exchange(&mut world);
    }
    assert_eq!(world.server.count("keepalive"), 0);

    let mut world = World::allocated(Protocol::Tcp);
    world.run_for(secs(100));
    assert_eq!(world.server.count("keepalive"), 0);
}

#[test]
fn a_machine_that_slept_301_seconds_gets_its_permissions_again() {
    let mut world = talking(Protocol::Udp);
    world.suspend_for(secs(301));
    assert_eq!(world.send(address("198.51.100.1:6000"), b"x"), Err(SendError::NoPermission));
    world.client.handle_timeout(world.now);
    world.run_for(ms(100));
    let story = world.story();
    assert_eq!(story.len(), 1, "{story:?}");
    assert!(story[0].ends_with("permitted 198.51.100.1"), "{story:?}");
    exchange(&mut world);
    assert_eq!(world.server.count("Allocate"), 2);
}

#[test]
fn a_machine_that_slept_an_hour_gets_everything_again() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = talking(protocol);
        world.suspend_for(secs(3_600));
        assert_eq!(world.send(address(PEER), b"x"), Err(SendError::NoAllocation));
        world.client.handle_timeout(world.now);
        world.run_for(secs(2));
        let story: Vec<String> =
            world.story().iter().map(|l| l.split_once(' ').unwrap().1.to_owned()).collect();
        assert_eq!(story[..2], ["lost 437", "allocated 203.0.113.1:50001"]);
        assert!(story.contains(&"permitted 198.51.100.1".to_owned()), "{story:?}");
        assert!(story.contains(&"bound 198.51.100.1:5000".to_owned()), "{story:?}");
        exchange(&mut world);
    }
}

#[test]
fn a_clock_that_stood_still_while_the_server_forgot_is_put_right_by_refresh() {
    let mut world = talking(Protocol::Udp);
    world.run_for(secs(20));
    // The server's hour passed; ours did not.
    world.server.restart();
    assert!(world.send(address(PEER), b"into the void").is_ok());
    world.client.refresh(world.now);
    world.run_for(secs(2));
    let story = world.story();
    assert!(story[0].ends_with("lost 437"), "{story:?}");
    exchange(&mut world);

    // And where nothing was forgotten, everything is renewed and nothing told.
    let mut world = talking(Protocol::Udp);
    world.client.refresh(world.now);
    world.run_for(secs(1));
    assert_eq!(world.story(), Vec::<String>::new());
    assert_eq!(world.server.count("Refresh"), 1);
    assert_eq!(world.server.count("ChannelBind"), 2);
    exchange(&mut world);
}

#[test]
fn a_server_that_was_started_again_is_noticed_by_the_next_permission() {
    let mut world = talking(Protocol::Udp);
    world.run_for(secs(20));
    world.server.restart();
    world.client.create_permission(world.now, address("198.51.100.2:5").ip()).unwrap();
    world.run_for(secs(2));
    let story: Vec<String> =
        world.story().iter().map(|l| l.split_once(' ').unwrap().1.to_owned()).collect();
    assert_eq!(story[..2], ["lost 437", "allocated 203.0.113.1:50001"]);
    for expected in ["permitted 198.51.100.1", "permitted 198.51.100.2", "bound 198.51.100.1:5000"]
    {
        assert!(story.contains(&expected.to_owned()), "{story:?}");
    }
    exchange(&mut world);
}

#[test]
fn an_outage_of_50_seconds_at_the_refresh_loses_nothing() {
    let mut world = talking(Protocol::Udp);
    world.run_for(secs(530));
    world.cut = true;
    world.run_for(secs(50));
    world.cut = false;
    world.run_for(secs(60));
    assert_eq!(world.server.allocations(world.now), 1);
    assert_eq!(world.story(), Vec::<String>::new());
    assert!(world.client.has_channel(world.now, address(PEER)));
    exchange(&mut world);
}

#[test]
fn permissions_and_channels_outlive_an_outage_in_which_they_lapse() {
    let mut world = talking(Protocol::Udp);
    // The channel was renewed at 540 s, and the permission with it, which lapses at 840 s.
    world.run_for(secs(750));
    world.cut = true;
    world.run_for(secs(100));
    assert!(world.client.has_channel(world.now, address(PEER)));
    assert_eq!(world.send(address(PEER), b"x"), Err(SendError::NoPermission));
    world.cut = false;
    world.run_for(secs(50));
    let story = world.story();
    assert_eq!(story.len(), 1, "{story:?}");
    assert!(story[0].ends_with("permitted 198.51.100.1"), "{story:?}");
    exchange(&mut world);

    // One that is forbidden when it is renewed is told.
    world.server.switches.denied.insert(address(PEER).ip());
    world.run_for(secs(300));
    let story = world.story();
    let denied = |line: &String| line.ends_with("denied 198.51.100.1 403 Forbidden IP");
    assert!(story.iter().any(denied), "{story:?}");
}

#[test]
fn an_outage_for_ever_ends_in_lost_and_failed() {
    let mut world = talking(Protocol::Udp);
    world.cut = true;
    world.run_for(secs(3_600));
    let story = world.story();
    let lost = story.iter().position(|line| line.ends_with("lost 701")).expect("lost");
    let failed = story.iter().position(|line| line.contains("failed 701")).expect("failed");
    assert!(lost < failed, "{story:?}");
    assert_eq!(world.client.state(), State::Failed);
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn a_server_that_ends_each_allocation_at_once_is_not_asked_for_ever() {
    let mut world = World::allocated(Protocol::Udp);
    world.server.restart();
    world.client.refresh(world.now);
    world.run_for(secs(600));
    let story = world.story();
    assert!(story[1].ends_with("lost 437"), "{story:?}");
    assert!(story[2].contains("failed 437"), "{story:?}");
}

#[test]
fn a_lost_allocation_is_not_asked_for_again_where_that_is_of_no_use() {
    let config = Config { replaces_lost_allocation: false, ..Config::default() };
    let mut world = World::with(Protocol::Udp, config, PASSWORD);
    world.allocate(crate::Families::V4);
    world.run_for(secs(100));
    world.story();
    world.server.restart();
    let asked = world.server.count("Allocate");
    world.client.refresh(world.now);
    world.run_for(secs(10));
    let story = world.story();
    assert!(story[0].ends_with("lost 437") && story[1].contains("failed 437"), "{story:?}");
    assert_eq!((world.client.state(), world.server.count("Allocate")), (State::Failed, asked));
}

#[test]
fn a_lifetime_of_one_second_costs_no_more_than_two_requests_a_second() {
    let mut world = World::new(Protocol::Udp);
    world.server.switches.lifetime = Some(1);
    world.allocate(crate::Families::V4);
    world.run_for(secs(60));
    assert!(world.server.count("Refresh") <= 120, "{}", world.server.count("Refresh"));
    assert_eq!(world.server.allocations(world.now), 1);
}

#[test]
fn a_server_that_takes_no_nonce_any_more_ends_the_allocation_when_it_expires() {
    let mut world = talking(Protocol::Udp);
    world.server.switches.always_stale = true;
    world.run_for(secs(700));
    let story = world.story();
    assert!(story.iter().any(|line| line.ends_with("lost 438")), "{story:?}");
    assert!(story.last().unwrap().ends_with("failed 438 Stale nonce"), "{story:?}");
    // Fewer than one in three seconds, keepalives included.
    assert!(world.server.log.len() < 240, "{}", world.server.log.len());
}

#[test]
fn requests_in_flight_together_stand_nonces_that_are_good_for_one_of_them() {
    let mut world = talking(Protocol::Udp);
    world.server.switches.one_nonce_each = true;
    for n in 0..6u8 {
        world.client.create_permission(world.now, [203, 0, 113, n].into()).unwrap();
    }
    world.run_for(secs(2));
    let story = world.story();
    assert_eq!(story.iter().filter(|line| line.contains("permitted")).count(), 6, "{story:?}");
}
