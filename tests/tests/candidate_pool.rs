//! `iceCandidatePoolSize`: candidates that are there before a description asks for them. RFC 9429
//! §3.5.4, §4.1.18.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    AnyEvent, MediaKind, RTCBundlePolicy, RTCConfiguration, RTCDataChannelInit,
    RTCIceGatheringState, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection,
    RTCPeerConnectionState,
};
use testkit::{Conditions, Pair, World};

const SERVER: &str = "192.0.2.100:3478";
const OTHER_SERVER: &str = "192.0.2.200:3478";

fn configuration(pool: u8, server: &RTCIceServer) -> RTCConfiguration {
    RTCConfiguration {
        ice_servers: vec![server.clone()],
        ice_candidate_pool_size: pool,
        ..RTCConfiguration::default()
    }
}

/// A world with both servers, and what a configuration needs to use them.
fn world(seed: u64) -> (World, [RTCIceServer; 2]) {
    let mut world = World::new(seed, Conditions::default());
    let servers = [SERVER, OTHER_SERVER].map(|at| world.add_server(at.parse().unwrap()));
    (world, servers)
}

fn allocations(world: &mut World, server: &str) -> usize {
    let now = world.handle().now();
    world.server(server.parse().unwrap()).allocations(now)
}

/// What gathering shows of itself: states, and the types of candidates.
fn watch(world: &World, pc: &RTCPeerConnection) -> Arc<Mutex<Vec<String>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (into, mut events) = (seen.clone(), pc.events());
    world.handle().spawn(async move {
        while let Some(event) = events.next().await {
            let shown = match event {
                Ok(AnyEvent::IceGatheringStateChange(state)) => state.as_str().to_owned(),
                Ok(AnyEvent::IceCandidate(None)) => "null".to_owned(),
                Ok(AnyEvent::IceCandidate(Some(candidate))) => match candidate.type_() {
                    Some(kind) => kind.as_str().to_owned(),
                    None => "end".to_owned(),
                },
                Ok(AnyEvent::IceCandidateError(error)) => error.error_code.to_string(),
                _ => continue,
            };
            into.lock().unwrap().push(shown);
        }
    });
    seen
}

fn seen(seen: &Arc<Mutex<Vec<String>>>) -> Vec<String> {
    std::mem::take(&mut seen.lock().unwrap())
}

#[test]
fn a_pool_gathers_in_silence_and_all_candidates_come_at_once_with_the_description() {
    let (mut world, [server, _]) = world(1);
    let pc = world.add_peer(configuration(1, &server));
    let events = watch(&world, &pc);
    world.run_for(Duration::from_secs(5));
    assert_eq!(seen(&events), [""; 0]);
    assert_eq!(pc.ice_gathering_state(), RTCIceGatheringState::New);
    assert_eq!(pc.connection_state(), RTCPeerConnectionState::New);
    assert_eq!((world.sockets(0).len(), allocations(&mut world, SERVER)), (1, 1));

    let before = world.handle().elapsed();
    pc.create_data_channel("chat", None).unwrap();
    drop(pc.set_local_description(None));
    world.settle();
    assert_eq!(world.handle().elapsed(), before, "no time passes");
    let all = ["gathering", "host", "relay", "end", "complete", "null"];
    assert_eq!(seen(&events), all);
    let sdp = pc.local_description().unwrap().sdp().to_owned();
    assert_eq!(sdp.matches("a=candidate:").count(), 2);
    assert!(sdp.contains("a=end-of-candidates"));
    assert_eq!((world.sockets(0).len(), allocations(&mut world, SERVER)), (1, 1));
}

#[test]
fn without_a_pool_the_servers_take_their_time() {
    let (mut world, [server, _]) = world(2);
    let pc = world.add_peer(configuration(0, &server));
    let events = watch(&world, &pc);
    world.run_for(Duration::from_secs(5));
    assert_eq!((world.sockets(0).len(), allocations(&mut world, SERVER)), (0, 0));
    pc.create_data_channel("chat", None).unwrap();
    drop(pc.set_local_description(None));
    world.settle();
    assert_eq!(seen(&events), ["gathering", "host"]);
}

#[test]
fn a_description_that_comes_early_gets_what_is_there_and_the_rest_follows() {
    let (mut world, [server, _]) = world(3);
    let pc = world.add_peer(configuration(1, &server));
    let events = watch(&world, &pc);
    world.settle();
    pc.create_data_channel("chat", None).unwrap();
    drop(pc.set_local_description(None));
    world.settle();
    assert_eq!(seen(&events), ["gathering", "host"]);
    world.run_for(Duration::from_secs(1));
    assert_eq!(seen(&events), ["relay", "end", "complete", "null"]);
}

#[test]
fn errors_of_servers_wait_for_the_description_too() {
    let (mut world, [server, _]) = world(4);
    let wrong = RTCIceServer { credential: Some("wrong".to_owned()), ..server };
    let pc = world.add_peer(configuration(1, &wrong));
    let events = watch(&world, &pc);
    world.run_for(Duration::from_secs(5));
    assert_eq!(seen(&events), [""; 0]);
    pc.create_data_channel("chat", None).unwrap();
    drop(pc.set_local_description(None));
    world.settle();
    assert_eq!(seen(&events), ["gathering", "host", "401", "end", "complete", "null"]);
}

#[test]
fn other_servers_before_the_description_are_asked_instead_and_the_size_follows() {
    let (mut world, [server, other]) = world(5);
    let pc = world.add_peer(configuration(2, &server));
    world.run_for(Duration::from_secs(5));
    assert_eq!((world.sockets(0).len(), allocations(&mut world, SERVER)), (2, 2));
    let first = world.sockets(0);

    pc.set_configuration(configuration(1, &other)).unwrap();
    world.run_for(Duration::from_secs(5));
    assert_eq!((allocations(&mut world, SERVER), allocations(&mut world, OTHER_SERVER)), (0, 1));
    let sockets = world.sockets(0);
    assert!(sockets.len() == 1 && !first.contains(&sockets[0]), "{sockets:?} after {first:?}");

    // What changes nothing gathers nothing.
    pc.set_configuration(pc.get_configuration()).unwrap();
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.sockets(0), sockets);

    pc.set_configuration(configuration(0, &other)).unwrap();
    world.run_for(Duration::from_secs(5));
    assert_eq!((world.sockets(0).len(), allocations(&mut world, OTHER_SERVER)), (0, 0));

    pc.set_configuration(configuration(3, &other)).unwrap();
    world.run_for(Duration::from_secs(5));
    assert_eq!(allocations(&mut world, OTHER_SERVER), 3);
    pc.close();
    world.run_for(Duration::from_secs(1));
    assert_eq!((world.sockets(0).len(), allocations(&mut world, OTHER_SERVER)), (0, 0));
}

#[test]
fn after_the_description_the_size_is_fixed_and_after_the_answer_the_pool_is_empty() {
    let mut pair = Pair::new(6);
    let server = pair.world.add_server(SERVER.parse().unwrap());
    pair.a.set_configuration(configuration(4, &server)).unwrap();
    pair.b.set_configuration(configuration(2, &server)).unwrap();
    pair.world.run_for(Duration::from_secs(5));
    assert_eq!(allocations(&mut pair.world, SERVER), 6);
    let pooled: [Vec<SocketAddr>; 2] = [0, 1].map(|peer| pair.world.sockets(peer));

    let (of_a, _of_b) = pair.open_channel("chat", RTCDataChannelInit::default());
    pair.world.run_for(Duration::from_secs(1));
    of_a.send("hello").unwrap();
    for peer in [0, 1] {
        let sockets = pair.world.sockets(peer);
        assert_eq!(sockets, [pooled[peer][0]], "one of the pool, and no other");
    }
    assert_eq!(allocations(&mut pair.world, SERVER), 2);
    let error = pair.a.set_configuration(configuration(5, &server)).unwrap_err();
    assert_eq!(error.name(), "InvalidModificationError");

    // A restart gathers as ever.
    pair.a.restart_ice();
    pair.world.run_for(Duration::from_secs(20));
    assert_eq!(pair.world.sockets(0).len(), 1);
    assert!(!pooled[0].contains(&pair.world.sockets(0)[0]));
    assert_eq!(pair.a.connection_state(), RTCPeerConnectionState::Connected);
}

#[test]
fn sections_that_are_not_bundled_take_from_the_pool_until_it_is_used_up() {
    let (mut world, [server, _]) = world(7);
    let configuration =
        RTCConfiguration { bundle_policy: RTCBundlePolicy::MaxCompat, ..configuration(2, &server) };
    let pc = world.add_peer(configuration);
    let events = watch(&world, &pc);
    world.run_for(Duration::from_secs(5));
    for kind in [MediaKind::Audio, MediaKind::Video] {
        pc.add_transceiver(kind, None).unwrap();
    }
    pc.create_data_channel("chat", None).unwrap();
    drop(pc.set_local_description(None));
    world.settle();
    let of = |events: &[String], what| events.iter().filter(|event| *event == what).count();
    let at_once = seen(&events);
    assert_eq!([of(&at_once, "host"), of(&at_once, "relay")], [3, 2]);
    assert_eq!(pc.ice_gathering_state(), RTCIceGatheringState::Gathering);
    world.run_for(Duration::from_secs(5));
    assert_eq!(of(&seen(&events), "relay"), 1);
    assert_eq!(pc.ice_gathering_state(), RTCIceGatheringState::Complete);
    assert_eq!(world.sockets(0).len(), 3);
}

#[test]
fn a_pool_that_nobody_can_have_meant_is_bounded() {
    let (mut world, [server, _]) = world(8);
    let pc = world.add_peer(configuration(255, &server));
    world.run_for(Duration::from_secs(5));
    assert_eq!((world.sockets(0).len(), allocations(&mut world, SERVER)), (16, 16));
    assert_eq!(pc.get_configuration().ice_candidate_pool_size, 255);
}

/// RFC 9429 §3.5.3: the policy that is there when candidates are told counts, and "a user's
/// acceptance of an incoming call" may change it.
#[test]
fn a_policy_that_comes_between_the_offer_and_the_answer_counts() {
    for policies in [
        [RTCIceTransportPolicy::All, RTCIceTransportPolicy::Relay],
        [RTCIceTransportPolicy::Relay, RTCIceTransportPolicy::All],
    ] {
        let (mut world, [server, _]) = world(9);
        let [before, after] = policies.map(|ice_transport_policy| RTCConfiguration {
            ice_transport_policy,
            ..configuration(1, &server)
        });
        let caller = world.add_peer(RTCConfiguration::default());
        let callee = world.add_peer(before);
        world.run_for(Duration::from_secs(5));
        caller.create_data_channel("chat", None).unwrap();
        let offer = world.run(caller.create_offer(None)).unwrap();
        world.run(callee.set_remote_description(offer)).unwrap();
        let stats = format!("{:?}", world.run(callee.get_stats(None)).unwrap());
        assert!(!stats.contains("10.0.0.2") && !stats.contains("203.0.113"), "{stats}");

        let events = watch(&world, &callee);
        callee.set_configuration(after.clone()).unwrap();
        world.run(callee.set_local_description(None)).unwrap();
        world.run_for(Duration::from_secs(5));
        let expected: &[&str] = match after.ice_transport_policy {
            RTCIceTransportPolicy::Relay => &["gathering", "relay", "end", "complete", "null"],
            RTCIceTransportPolicy::All => {
                &["gathering", "host", "relay", "end", "complete", "null"]
            }
        };
        assert_eq!(seen(&events), expected);
        let sdp = callee.local_description().unwrap().sdp().to_owned();
        let is_open = after.ice_transport_policy == RTCIceTransportPolicy::All;
        assert_eq!(sdp.contains("10.0.0.2"), is_open, "{sdp}");
        assert_eq!((world.sockets(1).len(), allocations(&mut world, SERVER)), (1, 1));
    }
}
