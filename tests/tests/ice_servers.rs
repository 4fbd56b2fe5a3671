//! STUN and TURN servers, from the configuration to the application's view.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    AnyEvent, MediaKind, RTCBundlePolicy, RTCConfiguration, RTCDataChannel, RTCDataChannelInit,
    RTCIceCandidate, RTCIceCandidateType, RTCIceGatheringState, RTCIceServer,
    RTCIceServerTransportProtocol, RTCIceTransportPolicy, RTCLocalSessionDescriptionInit,
    RTCPeerConnection, RTCPeerConnectionIceErrorEventInit, RTCSdpType,
};
use testkit::{Conditions, Pair, World, WorldHandle};
use turn::testing::{PASSWORD, USER};

const SERVER: &str = "192.0.2.100:3478";
/// The prefix of the peers' addresses.
const HOSTS: &str = "10.0.0.";

fn server(url: &str, password: &str) -> RTCIceServer {
    RTCIceServer {
        urls: vec![url.to_owned()],
        username: Some(USER.to_owned()),
        credential: Some(password.to_owned()),
    }
}

fn configuration(servers: &[RTCIceServer], policy: RTCIceTransportPolicy) -> RTCConfiguration {
    RTCConfiguration {
        ice_servers: servers.to_vec(),
        ice_transport_policy: policy,
        ..RTCConfiguration::default()
    }
}

/// Two peers that may use the same server.
fn pair(seed: u64, url: &str, password: &str, policy: RTCIceTransportPolicy) -> (Pair, SocketAddr) {
    let configuration = configuration(&[server(url, password)], policy);
    let conditions = Conditions::default();
    let mut pair = Pair::configured(seed, conditions, configuration.clone(), configuration);
    let server = SERVER.parse().unwrap();
    pair.world.add_server(server);
    (pair, server)
}

fn relayed(seed: u64) -> (Pair, SocketAddr) {
    pair(seed, "turn:192.0.2.100", PASSWORD, RTCIceTransportPolicy::Relay)
}

/// The candidates and the errors of a connection, as they come.
#[derive(Clone, Default)]
struct Seen {
    candidates: Arc<Mutex<Vec<RTCIceCandidate>>>,
    errors: Arc<Mutex<Vec<(Duration, RTCPeerConnectionIceErrorEventInit)>>>,
}

impl Seen {
    fn of(handle: &WorldHandle, pc: &RTCPeerConnection) -> Self {
        let seen = Self::default();
        let (into, mut events, clock) = (seen.clone(), pc.events(), handle.clone());
        handle.spawn(async move {
            while let Some(event) = events.next().await {
                match event {
                    Ok(AnyEvent::IceCandidate(Some(candidate))) => {
                        into.candidates.lock().unwrap().push(candidate);
                    }
                    Ok(AnyEvent::IceCandidateError(error)) => {
                        into.errors.lock().unwrap().push((clock.elapsed(), error));
                    }
                    _ => {}
                }
            }
        });
        seen
    }

    fn candidates(&self) -> Vec<RTCIceCandidate> {
        let candidates = self.candidates.lock().unwrap();
        candidates.iter().filter(|candidate| !candidate.candidate().is_empty()).cloned().collect()
    }

    fn errors(&self) -> Vec<(Duration, RTCPeerConnectionIceErrorEventInit)> {
        self.errors.lock().unwrap().clone()
    }
}

/// Sends ten messages each way, and checks that all arrive.
fn exchange(pair: &mut Pair, of_a: &RTCDataChannel, of_b: &RTCDataChannel) {
    let (to_a, to_b) = (count(of_a), count(of_b));
    for _ in 0..10 {
        of_a.send("hello").unwrap();
        of_b.send("hello").unwrap();
    }
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!([to_a, to_b].map(|count| count.load(Ordering::Relaxed)), [10, 10]);
}

/// Counts the messages from now on.
fn count(channel: &RTCDataChannel) -> Arc<AtomicUsize> {
    let counter = Arc::new(AtomicUsize::new(0));
    let of_handler = counter.clone();
    channel.on_message(move |_| {
        of_handler.fetch_add(1, Ordering::Relaxed);
    });
    counter
}

#[test]
fn under_relay_only_a_channel_works_and_no_host_address_gets_out() {
    let (mut pair, server) = relayed(1);
    let seen = Seen::of(&pair.handle(), &pair.a);
    let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
    exchange(&mut pair, &of_a, &of_b);

    let candidates = seen.candidates();
    let [candidate] = &candidates[..] else { panic!("{candidates:?}") };
    assert_eq!(candidate.type_(), Some(RTCIceCandidateType::Relay));
    assert_eq!(candidate.url(), Some("turn:192.0.2.100"));
    assert_eq!(candidate.relay_protocol(), Some(RTCIceServerTransportProtocol::Udp));
    assert_eq!(candidate.related_address(), Some("0.0.0.0"));
    assert_eq!(candidate.related_port(), Some(0));
    assert_eq!(candidate.address(), Some("203.0.113.1"));

    for pc in [pair.a.clone(), pair.b.clone()] {
        let mut shown = format!("{:?}", pc.local_description());
        shown += &format!("{:?}", pair.world.run(pc.get_stats(None)).unwrap());
        let ice = pc.sctp().unwrap().transport().unwrap().ice_transport();
        shown +=
            &format!("{:?}{:?}", ice.get_local_candidates(), ice.get_selected_candidate_pair());
        assert!(!shown.contains(HOSTS), "{shown}");
        assert!(shown.contains("203.0.113.1"));
    }
    assert!(!format!("{candidates:?}").contains(HOSTS));
    assert!(!pair.world.sent().is_empty());
    assert!(pair.world.sent().iter().all(|(_, to)| *to == server), "not but through the relay");
}

#[test]
fn a_restart_over_relays_loses_no_message_and_closing_releases_the_allocations() {
    let (mut pair, server) = relayed(2);
    let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
    pair.a.restart_ice();
    exchange(&mut pair, &of_a, &of_b);
    pair.world.run_for(Duration::from_secs(20));
    exchange(&mut pair, &of_a, &of_b);
    let now = pair.handle().now();
    assert_eq!(pair.world.server(server).allocations(now), 2, "the old ones are released");

    pair.a.close();
    pair.world.run_for(Duration::from_secs(1));
    let now = pair.handle().now();
    assert_eq!(pair.world.server(server).count("Refresh 0"), 3);
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(pair.world.server(server).allocations(now), 1);
}

#[test]
fn a_wrong_password_fires_icecandidateerror_with_401_and_gathering_ends() {
    let (mut pair, _) =
        pair(3, "turn:192.0.2.100:3478?transport=udp", "wrong", RTCIceTransportPolicy::All);
    let seen = Seen::of(&pair.handle(), &pair.a);
    pair.open_channel("channel", RTCDataChannelInit::default());
    pair.world.run_for(Duration::from_secs(1));
    let errors = seen.errors();
    let [(at, error)] = &errors[..] else { panic!("{errors:?}") };
    assert!(*at < Duration::from_millis(200), "{at:?}");
    assert_eq!((error.error_code, error.error_text.as_str()), (401, "Unauthorized"));
    assert_eq!(error.url, "turn:192.0.2.100:3478?transport=udp");
    assert_eq!(error.address.as_deref(), Some("10.0.0.1"));
    assert!(error.port.is_some());
    assert_eq!(pair.a.ice_gathering_state(), RTCIceGatheringState::Complete);
}

#[test]
fn a_dead_server_is_an_error_of_701_after_ten_seconds_and_does_not_keep_peers_apart() {
    let (mut pair, server) = pair(4, "stun:192.0.2.100", PASSWORD, RTCIceTransportPolicy::All);
    pair.world.server(server).switches.silent = true;
    let seen = Seen::of(&pair.handle(), &pair.a);
    let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
    exchange(&mut pair, &of_a, &of_b);
    assert_eq!(pair.a.ice_gathering_state(), RTCIceGatheringState::Gathering);
    pair.world.run_for(Duration::from_secs(10));
    assert_eq!(pair.a.ice_gathering_state(), RTCIceGatheringState::Complete);
    let errors = seen.errors();
    let [(at, error)] = &errors[..] else { panic!("{errors:?}") };
    assert!((10_000..10_100).contains(&at.as_millis()), "{at:?}");
    assert_eq!(error.error_code, 701);
}

#[test]
fn names_are_resolved_and_one_that_does_not_exist_is_an_error_without_address() {
    let url = "turn:turn.example";
    let (mut first, server) = pair(5, url, PASSWORD, RTCIceTransportPolicy::Relay);
    first.world.add_name("turn.example", vec![server.ip()]);
    let (of_a, of_b) = first.open_channel("channel", RTCDataChannelInit::default());
    exchange(&mut first, &of_a, &of_b);

    let (mut second, _) = pair(6, url, PASSWORD, RTCIceTransportPolicy::All);
    let seen = Seen::of(&second.handle(), &second.a);
    second.open_channel("channel", RTCDataChannelInit::default());
    let errors = seen.errors();
    let [(_, error)] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!((error.error_code, error.url.as_str()), (701, url));
    assert_eq!((error.address.as_deref(), error.port), (None, None));
}

#[test]
fn another_configuration_takes_effect_with_the_next_gathering() {
    let mut pair = Pair::new(7);
    pair.world.add_server(SERVER.parse().unwrap());
    let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
    let seen = Seen::of(&pair.handle(), &pair.a);
    let relay = [server("turn:192.0.2.100", PASSWORD)];
    pair.a.set_configuration(configuration(&relay, RTCIceTransportPolicy::Relay)).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(seen.candidates().len(), 0);
    pair.a.restart_ice();
    pair.world.run_for(Duration::from_secs(10));
    let types: Vec<_> = seen.candidates().iter().map(RTCIceCandidate::type_).collect();
    assert_eq!(types, [Some(RTCIceCandidateType::Relay)]);
    exchange(&mut pair, &of_a, &of_b);
    let ice = pair.a.sctp().unwrap().transport().unwrap().ice_transport();
    let local = ice.get_selected_candidate_pair().unwrap().local().type_();
    assert_eq!(local, Some(RTCIceCandidateType::Relay));
}

/// A connection alone, with a server in its configuration; its offer is being gathered for.
fn gathering(seed: u64, policy: RTCIceTransportPolicy) -> (World, RTCPeerConnection, SocketAddr) {
    let mut world = World::new(seed, Conditions::default());
    let at = SERVER.parse().unwrap();
    world.add_server(at);
    let pc = world.add_peer(configuration(&[server("turn:192.0.2.100", PASSWORD)], policy));
    pc.create_data_channel("channel", None).unwrap();
    world.run(pc.set_local_description(None)).unwrap();
    (world, pc, at)
}

fn roll_back(world: &mut World, pc: &RTCPeerConnection) {
    let rollback =
        RTCLocalSessionDescriptionInit { type_: Some(RTCSdpType::Rollback), sdp: String::new() };
    world.run(pc.set_local_description(rollback)).unwrap();
}

/// The request has made an allocation, of which the answer has yet to tell.
fn run_until_it_allocates(world: &mut World, server: SocketAddr) {
    for _ in 0..1_000 {
        let now = world.handle().now();
        if world.server(server).allocations(now) > 0 {
            return;
        }
        world.run_for(Duration::from_millis(1));
    }
    panic!("no allocation");
}

#[test]
fn an_allocation_that_is_being_asked_for_does_not_outlive_close_or_a_rollback() {
    for closes in [true, false] {
        let (mut world, pc, server) = gathering(8, RTCIceTransportPolicy::Relay);
        let seen = Seen::of(&world.handle(), &pc);
        run_until_it_allocates(&mut world, server);
        assert_eq!(seen.candidates().len(), 0);
        if closes {
            pc.close();
        } else {
            roll_back(&mut world, &pc);
        }
        assert_eq!(world.sockets(0).len(), 1, "from which the server is told");
        world.run_for(Duration::from_millis(100));
        let now = world.handle().now();
        assert_eq!(world.server(server).allocations(now), 0);
        assert_eq!(world.sockets(0).len(), 0);
        assert_eq!(seen.candidates().len(), 0);
    }
}

#[test]
fn transports_that_the_answer_makes_superfluous_release_what_they_were_asking_for() {
    let configuration = RTCConfiguration {
        bundle_policy: RTCBundlePolicy::MaxCompat,
        ..configuration(&[server("turn:192.0.2.100", PASSWORD)], RTCIceTransportPolicy::Relay)
    };
    // The answer, after 40 ms, is there before the allocations.
    let conditions = Conditions { delay: Duration::from_millis(15), ..Conditions::default() };
    let mut pair = Pair::configured(9, conditions, configuration.clone(), configuration);
    let server = SERVER.parse().unwrap();
    pair.world.add_server(server);
    for kind in [MediaKind::Audio, MediaKind::Video] {
        pair.a.add_transceiver(kind, None).unwrap();
    }
    let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
    exchange(&mut pair, &of_a, &of_b);
    let now = pair.handle().now();
    assert!(pair.world.server(server).count("Allocate") >= 2 * 4);
    assert_eq!(pair.world.server(server).allocations(now), 2, "one of each");
    assert_eq!([pair.world.sockets(0).len(), pair.world.sockets(1).len()], [1, 1]);
}

#[test]
fn a_server_that_does_not_answer_keeps_the_sockets_of_a_closed_connection_for_ten_seconds() {
    let (mut pair, server) = relayed(10);
    pair.open_channel("channel", RTCDataChannelInit::default());
    pair.world.server(server).switches.silent = true;
    pair.a.close();
    pair.world.run_for(Duration::from_secs(5));
    assert_eq!(pair.world.sockets(0).len(), 1);
    pair.world.run_for(Duration::from_secs(5));
    assert_eq!(pair.world.sockets(0).len(), 0);
}

#[test]
fn an_error_of_what_was_rolled_back_is_not_fired() {
    let (mut world, pc, server) = gathering(11, RTCIceTransportPolicy::All);
    world.server(server).switches.silent = true;
    let seen = Seen::of(&world.handle(), &pc);
    world.run_for(Duration::from_secs(5));
    roll_back(&mut world, &pc);
    world.run_for(Duration::from_secs(20));
    assert_eq!(seen.errors(), []);
}

/// QUIC's smallest path passes everything, though a relay adds to it.
#[test]
fn datagrams_through_a_relay_are_no_larger_than_others() {
    let (mut pair, server) = relayed(12);
    let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
    let taken = count(&of_b);
    of_a.send(vec![7; 100_000]).unwrap();
    pair.world.run_for(Duration::from_secs(5));
    assert_eq!(taken.load(Ordering::Relaxed), 1);
    let largest = pair.world.server(server).largest;
    assert!((1_100..=1_200).contains(&largest), "{largest}");
}
