//! Allocations are deleted, however the client goes.

use super::world::{LOCAL, World, address, client, ms, secs};
use crate::testing::{PASSWORD, Server};
use crate::{Config, Families, Protocol, State};

#[test]
fn closing_deletes_the_allocation() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut world = World::allocated(protocol);
        world.permit(address("198.51.100.1:5000"));
        world.story();
        world.client.close(world.now);
        assert_eq!(world.client.state(), State::Closing);
        world.client.close(world.now);
        world.run_for(secs(100));
        assert_eq!(world.story(), ["240 closed"]);
        assert_eq!(world.server.allocations(world.now), 0);
        assert_eq!(world.server.log.last().unwrap().1, "Refresh 0");
        assert_eq!(world.client.poll_timeout(), None);
    }
}

#[test]
fn a_host_that_goes_away_sends_one_packet() {
    let mut world = World::allocated(Protocol::Udp);
    world.client.close(world.now);
    let last = world.client.poll_transmit().unwrap();
    assert_eq!(world.client.poll_transmit(), None);
    world.server.handle(world.now, address(LOCAL), &last);
    assert_eq!(world.server.allocations(world.now), 0);
}

#[test]
fn a_stale_nonce_does_not_keep_an_allocation() {
    let mut world = World::allocated(Protocol::Udp);
    world.server.switches.nonce_life = Some(secs(5));
    world.run_for(secs(100));
    world.story();
    world.client.close(world.now);
    world.run_for(secs(1));
    assert_eq!(world.story(), ["100180 closed"]);
    assert_eq!(world.server.allocations(world.now), 0);
}

#[test]
fn an_allocation_that_was_being_asked_for_is_deleted_when_it_comes() {
    let mut world = World::new(Protocol::Udp);
    world.client.allocate(world.now, Families::V4).unwrap();
    // The signed request has arrived, its answer is on the way.
    world.run_for(ms(65));
    assert_eq!(world.server.allocations(world.now), 1);
    world.client.close(world.now);
    world.run_for(secs(5));
    assert_eq!(world.story(), ["120 closed"]);
    assert_eq!(world.server.allocations(world.now), 0);
}

/// The signed request is on the way.
fn world_that_is_about_to_allocate() -> World {
    let mut world = World::new(Protocol::Udp);
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(ms(45));
    assert_eq!((world.server.log.len(), world.server.allocations(world.now)), (1, 0));
    world
}

#[test]
fn an_allocation_whose_answer_is_lost_is_deleted_all_the_same() {
    let mut world = world_that_is_about_to_allocate();
    world.deaf = true;
    world.client.close(world.now);
    world.run_for(secs(20));
    assert_eq!(world.server.count("Allocate"), 2);
    assert_eq!(world.server.allocations(world.now), 0);
    assert_eq!(world.story(), ["7545 closed"]);
}

#[test]
fn a_host_that_goes_away_while_it_allocates_leaves_nothing() {
    let mut world = world_that_is_about_to_allocate();
    world.client.close(world.now);
    let last = world.client.poll_transmit().unwrap();
    assert_eq!(world.client.poll_transmit(), None);
    world.deaf = true;
    world.run_for(ms(20));
    assert_eq!(world.server.allocations(world.now), 1);
    world.server.handle(world.now, address(LOCAL), &last);
    assert_eq!(world.server.allocations(world.now), 0);
}

#[test]
fn a_release_that_overtakes_the_allocation_is_sent_again() {
    let mut world = world_that_is_about_to_allocate();
    world.client.close(world.now);
    let release = world.client.poll_transmit().unwrap();
    let refusal = world.server.handle(world.now, address(LOCAL), &release).unwrap();
    world.send_to_client(refusal);
    world.run_for(secs(20));
    assert_eq!(world.server.count("Refresh 0"), 2);
    assert_eq!(world.server.allocations(world.now), 0);
    assert_eq!(world.story(), ["120 closed"]);
}

#[test]
fn an_allocation_of_which_no_answer_tells_until_the_deadline_is_deleted() {
    let mut world = world_that_is_about_to_allocate();
    world.deaf = true;
    world.run_for(ms(100));
    assert_eq!(world.server.allocations(world.now), 1);
    world.run_for(secs(11));
    assert_eq!(world.story(), ["10000 failed 701 the server did not answer"]);
    assert_eq!(world.server.allocations(world.now), 0);
}

#[test]
fn closing_before_the_challenge_asks_nothing_more() {
    let mut world = World::new(Protocol::Udp);
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(ms(10));
    world.client.close(world.now);
    world.run_for(secs(5));
    assert_eq!(world.story(), ["40 closed"]);
    assert_eq!(world.server.log.len(), 1);
}

#[test]
fn a_dead_server_is_not_waited_for_long() {
    let mut world = World::allocated(Protocol::Udp);
    world.story();
    world.cut = true;
    world.client.close(world.now);
    world.run_for(secs(100));
    assert_eq!(world.story(), ["7600 closed"]);

    let mut world = World::new(Protocol::Udp);
    world.cut = true;
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(ms(100));
    world.client.close(world.now);
    world.run_for(secs(100));
    assert_eq!(world.story(), ["2100 closed"]);
}

#[test]
fn whatever_happened_before_closing_ends_in_closed() {
    let mut world = World::new(Protocol::Udp);
    world.client.close(world.now);
    assert_eq!(world.story(), ["0 closed"]);
    assert!(world.client.allocate(world.now, Families::V4).is_err());
    assert!(world.client.create_permission(world.now, address("1.2.3.4:5").ip()).is_err());

    let mut world = World::allocated(Protocol::Tcp);
    world.story();
    world.client.close(world.now);
    world.client.handle_disconnect(world.now);
    world.run_for(secs(10));
    assert_eq!(world.story(), ["100 closed"]);
}

#[test]
fn the_next_client_of_the_user_stands_what_is_left_of_the_last_one() {
    // coturn: for a second after Refresh 0 the 5-tuple gets 437, and a full quota 486.
    let mut world = World::allocated(Protocol::Udp);
    world.server.switches.linger = secs(1);
    world.story();
    world.client.close(world.now);
    world.run_for(ms(100));
    let released = world.now;
    assert_eq!(world.story(), ["140 closed"]);

    let server = std::mem::replace(&mut world.server, Server::new(world.start));
    let mut next = World::new(Protocol::Udp);
    (next.start, next.now, next.server) = (world.start, world.now, server);
    next.client = client(Protocol::Udp, Config::default(), PASSWORD, 8);
    next.client.set_released(released);
    next.client.allocate(next.now, Families::V4).unwrap();
    next.run_for(secs(5));
    assert_eq!(next.story(), ["1420 allocated 203.0.113.1:50001"]);
}
