//! Allocations, and the reasons why there is none. One way takes 20 ms.

use super::world::{LOCAL, SERVER, World, address, ms, secs};
use crate::testing::{BOTH_ALGORITHMS, PASSWORD};
use crate::{Config, Event, Families, Protocol, ServerError, State};

const PROTOCOLS: [Protocol; 3] = [Protocol::Udp, Protocol::Tcp, Protocol::Tls];

#[test]
fn an_allocation_takes_two_round_trips() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol);
        world.allocate(Families::V4);
        assert_eq!(world.story(), ["80 allocated 203.0.113.1:50000"]);
        assert_eq!(world.client.state(), State::Allocated);
        assert_eq!(world.client.relayed_addresses(), [address("203.0.113.1:50000")]);
        let log: Vec<_> = world.server.log.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(log, ["Allocate unsigned", "Allocate"]);
    }
}

#[test]
fn the_event_says_our_mapped_address_and_the_lifetime_that_was_given() {
    let mut world = World::new(Protocol::Udp);
    world.server.switches.lifetime = Some(777);
    let mut events = Vec::new();
    world.client.allocate(world.now, Families::V4).unwrap();
    for _ in 0..2 {
        let request = world.client.poll_transmit().unwrap();
        let answer = world.server.handle(world.now, address(LOCAL), &request).unwrap();
        world.client.handle_message(world.now, address(SERVER), &answer);
        events.extend(world.client.poll_event());
    }
    let [Event::Allocated(allocated)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(allocated.mapped, address(LOCAL));
    assert_eq!(allocated.lifetime, secs(777));
    assert_eq!(allocated.additional, None);
}

#[test]
fn a_wrong_password_is_told_in_one_round_trip_after_the_challenge() {
    for protocol in PROTOCOLS {
        for fresh_nonces in [false, true] {
            let mut world = World::with(protocol, Config::default(), "wrong");
            world.server.switches.nuls = true;
            world.server.switches.fresh_nonces = fresh_nonces;
            world.client.allocate(world.now, Families::V4).unwrap();
            world.run_for(secs(60));
            assert_eq!(world.story(), ["80 failed 401 Unauthorized"]);
            assert_eq!(world.server.log.len(), 2);
            assert_eq!(world.client.state(), State::Failed);
            assert_eq!(world.client.poll_timeout(), None);
        }
    }
}

#[test]
fn an_error_says_what_icecandidateerror_says() {
    let mut world = World::with(Protocol::Udp, Config::default(), "wrong");
    world.client.allocate(world.now, Families::V4).unwrap();
    let mut errors = Vec::new();
    for _ in 0..2 {
        let request = world.client.poll_transmit().unwrap();
        let answer = world.server.handle(world.now, address(LOCAL), &request).unwrap();
        world.client.handle_message(world.now, address(SERVER), &answer);
        errors.extend(world.client.poll_event());
    }
    let error = ServerError {
        local: address(LOCAL),
        server: address(SERVER),
        code: 401,
        reason: "Unauthorized".to_owned(),
    };
    assert_eq!(error.to_string(), "192.0.2.1:3478: 401 Unauthorized");
    assert_eq!(errors, [Event::AllocateFailed(error)]);
}

#[test]
fn a_dead_server_is_701_at_the_stated_deadline() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol);
        world.cut = true;
        world.client.allocate(world.now, Families::V4).unwrap();
        world.run_for(secs(100));
        assert_eq!(world.story(), ["10000 failed 701 the server did not answer"]);
        // 0, 0.5, 1.5, 3.5 and 7.5 s; a stream needs no repetition.
        assert_eq!(world.sent, if protocol.is_stream() { 1 } else { 5 });
    }
}

#[test]
fn a_lost_datagram_costs_one_rto() {
    let mut world = World::new(Protocol::Udp);
    world.cut = true;
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(ms(100));
    world.cut = false;
    world.run_for(secs(1));
    assert_eq!(world.story(), ["580 allocated 203.0.113.1:50000"]);
}

#[test]
fn a_full_quota_is_told_at_once() {
    let mut world = World::new(Protocol::Udp);
    world.server.switches.quota = Some(0);
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(secs(20));
    assert_eq!(world.story(), ["80 failed 486 Allocation Quota Reached"]);
}

#[test]
fn a_quota_that_a_release_will_free_is_waited_for() {
    let mut world = World::new(Protocol::Udp);
    world.server.switches.quota = Some(0);
    world.client.set_released(world.now);
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(ms(1_000));
    world.server.switches.quota = None;
    world.run_for(secs(1));
    assert_eq!(world.story(), ["1220 allocated 203.0.113.1:50000"]);

    // And told when it is not freed.
    let mut world = World::new(Protocol::Udp);
    world.server.switches.quota = Some(0);
    world.client.set_released(world.now);
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(secs(60));
    let story = world.story();
    assert_eq!(story.len(), 1);
    assert!(story[0].ends_with("failed 486 Allocation Quota Reached"), "{story:?}");
    assert_eq!(world.server.count("Allocate"), 7);
}

#[test]
fn another_server_is_named_and_never_one_on_loopback_or_a_prohibited_port() {
    let mut world = World::new(Protocol::Udp);
    world.server.switches.redirect = Some(address("198.51.100.9:443"));
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(secs(20));
    assert_eq!(world.story(), ["40 alternate 198.51.100.9:443 2"]);
    assert_eq!(world.client.state(), State::Failed);

    for bad in ["127.0.0.1:3478", "198.51.100.9:25", "[2001:db8::9]:3478", SERVER] {
        let mut world = World::new(Protocol::Udp);
        world.server.switches.redirect = Some(address(bad));
        world.client.allocate(world.now, Families::V4).unwrap();
        world.run_for(secs(20));
        assert_eq!(world.story(), ["40 failed 300 Try Alternate"], "{bad}");
    }
}

#[test]
fn servers_cannot_send_us_around_for_ever() {
    let config = Config { max_redirects: 0, ..Config::default() };
    let mut world = World::with(Protocol::Udp, config, PASSWORD);
    world.server.switches.redirect = Some(address("198.51.100.9:443"));
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(secs(20));
    assert_eq!(world.story(), ["40 failed 300 Try Alternate"]);
}

#[test]
fn both_families_are_asked_for_in_their_ways() {
    let mut world = World::new(Protocol::Udp);
    world.allocate(Families::V6);
    assert_eq!(world.story(), ["80 allocated [2001:db8::1]:50000"]);

    let mut world = World::new(Protocol::Udp);
    world.allocate(Families::Both);
    assert_eq!(world.story(), ["80 allocated 203.0.113.1:50000 [2001:db8::1]:50000"]);

    let mut world = World::new(Protocol::Udp);
    world.server.switches.no_v6 = true;
    world.server.switches.nuls = true;
    world.allocate(Families::V6);
    assert_eq!(world.story(), ["80 failed 440 Unsupported address family"]);
}

#[test]
fn half_of_a_dual_allocation_is_an_allocation() {
    for (explains, expected) in [
        (false, "80 allocated 203.0.113.1:50000"),
        (true, "80 allocated 203.0.113.1:50000 but 440 Address Family not Supported"),
    ] {
        let mut world = World::new(Protocol::Udp);
        world.server.switches.no_v6 = true;
        world.server.switches.explains = explains;
        world.allocate(Families::Both);
        assert_eq!(world.story(), [expected]);
    }
}

#[test]
fn an_allocation_that_cannot_be_used_is_deleted() {
    for useless in ["0.0.0.0:50000", "203.0.113.1:0", "224.0.0.1:50000", "[2001:db8::1]:50000"] {
        let mut world = World::new(Protocol::Udp);
        world.server.switches.relayed = Some(address(useless));
        world.allocate(Families::V4);
        let story = world.story();
        assert_eq!(story, ["80 failed 701 no usable address in the server's answer"], "{useless}");
        world.run_for(secs(1));
        assert_eq!(world.server.count("Refresh 0"), 1);
        assert_eq!(world.server.allocations(world.now), 0);
    }
}

#[test]
fn sha_256_is_used_where_the_server_offers_it() {
    for offered in [BOTH_ALGORITHMS, &[0, 2, 0, 0], &[0, 9, 0, 2, 1, 1, 0, 0, 0, 2, 0, 0]] {
        for nonce_prefix in ["obMatJos2gAAA", "obMatJos2AAAB"] {
            let mut world = World::new(Protocol::Udp);
            world.server.switches.algorithms = Some(offered);
            world.server.switches.nonce_prefix = nonce_prefix;
            world.allocate(Families::V4);
            assert_eq!(world.story(), ["80 allocated 203.0.113.1:50000"]);
        }
    }
}

#[test]
fn md5_of_a_list_comes_with_sha_256_integrity() {
    let mut world = World::new(Protocol::Udp);
    world.server.switches.algorithms = Some(&[0, 1, 0, 0]);
    world.server.switches.nonce_prefix = "obMatJos2gAAA";
    world.allocate(Families::V4);
    assert_eq!(world.story(), ["80 allocated 203.0.113.1:50000"]);
}

#[test]
fn who_removes_the_algorithms_on_the_way_gets_no_weaker_key() {
    for nonce_prefix in ["obMatJos2gAAA", "obMatJos2AAAB"] {
        let mut world = World::new(Protocol::Udp);
        world.server.switches.nonce_prefix = nonce_prefix;
        world.client.allocate(world.now, Families::V4).unwrap();
        world.run_for(secs(60));
        let text = "40 failed 401 Unauthorized (PASSWORD-ALGORITHMS was removed on the way)";
        assert_eq!(world.story(), [text]);
        assert_eq!(world.server.log.len(), 1);
    }
}

#[test]
fn without_an_algorithm_in_common_nothing_is_tried() {
    let mut world = World::new(Protocol::Udp);
    world.server.switches.algorithms = Some(&[0, 9, 0, 0]);
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(secs(60));
    assert_eq!(world.story(), ["40 failed 401 Unauthorized (no password algorithm in common)"]);
}

#[test]
fn the_username_is_hashed_where_the_server_wants_it() {
    for nonce_prefix in ["obMatJos2QAAA", "obMatJos2AAAC"] {
        let mut world = World::new(Protocol::Udp);
        world.server.switches.nonce_prefix = nonce_prefix;
        world.allocate(Families::V4);
        assert_eq!(world.story(), ["80 allocated 203.0.113.1:50000"]);
    }
}

#[test]
fn an_error_without_integrity_is_believed_when_nothing_better_comes() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol);
        world.server.switches.unsigned_errors = true;
        world.server.switches.quota = Some(0);
        world.client.allocate(world.now, Families::V4).unwrap();
        world.run_for(secs(20));
        assert_eq!(world.story(), ["580 failed 486 Allocation Quota Reached"]);
    }
}

#[test]
fn a_success_with_the_wrong_integrity_is_never_believed() {
    let expected = "failed 701 the integrity of the server's answer is wrong";
    for (protocol, at) in [(Protocol::Udp, 10_000), (Protocol::Tcp, 80)] {
        let mut world = World::new(protocol);
        world.server.switches.forged_successes = true;
        world.client.allocate(world.now, Families::V4).unwrap();
        world.run_for(secs(20));
        assert_eq!(world.story(), [format!("{at} {expected}")]);
    }
}

#[test]
fn nonces_that_are_always_stale_are_given_up() {
    let mut world = World::new(Protocol::Udp);
    world.server.switches.always_stale = true;
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(secs(20));
    assert_eq!(world.story(), ["240 failed 438 Stale nonce"]);
    assert_eq!(world.server.count("Allocate"), 6);
}

#[test]
fn a_connection_that_is_closed_is_701_at_once() {
    let mut world = World::new(Protocol::Tcp);
    world.client.allocate(world.now, Families::V4).unwrap();
    world.run_for(ms(10));
    world.client.handle_disconnect(world.now);
    world.run_for(secs(20));
    assert_eq!(world.story(), ["10 failed 701 the connection to the server was closed"]);
}
