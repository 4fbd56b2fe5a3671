//! Connections without bundling have a transport for each section.

use std::time::{Duration, Instant};

use peerconnection::{
    Error, MediaKind, RTCBundlePolicy, RTCConfiguration, RTCDtlsTransport,
    RTCLocalSessionDescriptionInit, RTCPeerConnection, RTCPeerConnectionIceEvent, RTCSdpType,
    RTCSessionDescription, RTCSessionDescriptionInit, RTCSignalingState,
};
use testkit::{Conditions, Trace, World};

const SECTIONS: usize = 400;
/// Ten times the time on a slow machine. Work for each pair of transports in each step would take
/// longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The description without its BUNDLE group.
fn unbundled(description: RTCSessionDescription) -> RTCSessionDescriptionInit {
    let (type_, sdp) = (description.type_(), description.sdp());
    let lines = sdp.split_inclusive("\r\n").filter(|line| !line.starts_with("a=group:BUNDLE"));
    RTCSessionDescriptionInit { type_, sdp: lines.collect() }
}

async fn negotiate(a: RTCPeerConnection, b: RTCPeerConnection) -> Result<(), Error> {
    a.set_local_description(None).await?;
    b.set_remote_description(unbundled(a.local_description().unwrap())).await?;
    b.set_local_description(None).await?;
    a.set_remote_description(unbundled(b.local_description().unwrap())).await
}

fn exchange_candidates(a: &RTCPeerConnection, b: &RTCPeerConnection) {
    for (from, to) in [(a, b), (b, a)] {
        from.on_icecandidate(to.weakly(|to, event: RTCPeerConnectionIceEvent| {
            if let Some(candidate) = event.candidate() {
                to.add_ice_candidate(candidate.to_json()).then(Result::unwrap);
            }
        }));
    }
}

fn transports(pc: &RTCPeerConnection) -> Vec<RTCDtlsTransport> {
    pc.get_senders().iter().map(|sender| sender.transport().unwrap()).collect()
}

fn count(transports: &[RTCDtlsTransport], state: &str) -> usize {
    transports.iter().filter(|transport| transport.state().as_str() == state).count()
}

/// Chromium 156 and Firefox 153 do the same, both with the description and with the ICE state.
#[test]
fn a_second_transport_takes_a_connection_back_to_connecting_until_it_is_connected() {
    let mut world = World::new(2, Conditions::default());
    let configuration =
        RTCConfiguration { bundle_policy: RTCBundlePolicy::MaxCompat, ..Default::default() };
    let [a, b] = [(); 2].map(|()| world.add_peer(configuration.clone()));
    exchange_candidates(&a, &b);
    a.create_data_channel("x", None).unwrap();
    world.run(negotiate(a.clone(), b.clone())).unwrap();
    world.run_for(Duration::from_secs(5));
    let states = |pc: &RTCPeerConnection| {
        (pc.ice_connection_state().to_string(), pc.connection_state().to_string())
    };
    let state = |ice: &str, connection: &str| (ice.to_owned(), connection.to_owned());
    assert_eq!(states(&a), state("completed", "connected"));

    let (at_a, at_b) = (Trace::of(&world.handle(), &a), Trace::of(&world.handle(), &b));
    a.add_transceiver(MediaKind::Audio, None).unwrap();
    // The peer gets neither the offer nor its candidates.
    a.clear_on_icecandidate();
    world.run(a.set_local_description(None)).unwrap();
    world.settle();
    assert_eq!(states(&a), state("checking", "connecting"));
    let aggregated = |trace: &Trace| -> Vec<_> {
        let words = trace.take().into_iter();
        words.filter(|word| word.starts_with("ice:") || word.starts_with("connection:")).collect()
    };
    assert_eq!(aggregated(&at_a), ["ice:checking", "connection:connecting"]);

    // A rollback of the offer removes its transport.
    let rollback =
        RTCLocalSessionDescriptionInit { type_: Some(RTCSdpType::Rollback), sdp: String::new() };
    world.run(a.set_local_description(rollback)).unwrap();
    world.settle();
    assert_eq!(states(&a), state("completed", "connected"));
    assert_eq!(aggregated(&at_a), ["ice:completed", "connection:connected"]);

    exchange_candidates(&a, &b);
    world.run(negotiate(a.clone(), b.clone())).unwrap();
    world.run_for(Duration::from_secs(5));
    for (pc, trace) in [(&a, at_a), (&b, at_b)] {
        assert_eq!(states(pc), state("completed", "connected"));
        let connection: Vec<_> =
            aggregated(&trace).into_iter().filter(|word| word.starts_with("connection")).collect();
        assert_eq!(connection, ["connection:connecting", "connection:connected"]);
    }
}

#[test]
fn a_section_of_the_bundle_leaves_the_connection_connected() {
    let (mut pair, ..) = testkit::Pair::connected(3);
    pair.world.run_for(Duration::from_secs(5));
    let traces = [&pair.a, &pair.b].map(|pc| Trace::of(&pair.handle(), pc));
    pair.a.add_transceiver(MediaKind::Audio, None).unwrap();
    pair.world.run_for(Duration::from_secs(5));
    assert_eq!(pair.b.get_transceivers().len(), 1);
    for trace in traces {
        let words = trace.take();
        let aggregated = |word: &String| word.starts_with("ice:") || word.starts_with("conn");
        assert!(!words.iter().any(aggregated), "{words:?}");
    }
}

#[test]
fn four_hundred_transports_connect_in_seconds_and_rest_afterwards() {
    let start = Instant::now();
    let mut world = World::new(1, Conditions::default());
    let configuration =
        RTCConfiguration { bundle_policy: RTCBundlePolicy::MaxCompat, ..Default::default() };
    let a = world.add_peer(configuration.clone());
    let b = world.add_peer(configuration);
    for _ in 0..SECTIONS {
        a.add_transceiver(MediaKind::Audio, None).unwrap();
    }
    exchange_candidates(&a, &b);
    world.run(negotiate(a.clone(), b.clone())).unwrap();
    world.run_for(Duration::from_secs(5));

    let of_a = transports(&a);
    for (pc, transports) in [(&a, &of_a), (&b, &transports(&b))] {
        assert_eq!(pc.connection_state().as_str(), "connected");
        assert_eq!(pc.ice_connection_state().as_str(), "completed");
        assert_eq!(pc.ice_gathering_state().as_str(), "complete");
        assert_eq!(count(transports, "connected"), SECTIONS);
        assert!(transports.iter().enumerate().all(|(n, one)| !transports[..n].contains(one)));
    }
    // Each transport goes on by itself, with its own consent.
    world.run_for(Duration::from_secs(60));
    assert_eq!(a.connection_state().as_str(), "connected");
    // One transport without a path changes the state of the connection.
    let lost = world.sockets(0)[SECTIONS / 2];
    world.handle().close_socket(0, lost);
    world.run_for(Duration::from_millis(100));
    assert_eq!(a.ice_connection_state().as_str(), "disconnected");
    assert_eq!(a.connection_state().as_str(), "disconnected");
    b.close();
    world.run_for(Duration::from_secs(1));
    assert_eq!(count(&of_a, "closed"), SECTIONS - 1);
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
}

/// The limit comes before the sockets of the process run out.
#[test]
fn more_transports_than_a_connection_may_have_are_an_operation_error_and_change_nothing() {
    let mut world = World::new(2, Conditions::default());
    let configuration =
        RTCConfiguration { bundle_policy: RTCBundlePolicy::MaxCompat, ..Default::default() };
    let a = world.add_peer(configuration);
    let b = world.add_peer(RTCConfiguration::default());
    for _ in 0..513 {
        a.add_transceiver(MediaKind::Audio, None).unwrap();
    }
    let offer = world.run(a.create_offer(None)).unwrap();
    let lines = offer.sdp.split_inclusive("\r\n");
    let unbundled = RTCSessionDescriptionInit {
        type_: offer.type_,
        sdp: lines.filter(|line| !line.starts_with("a=group:BUNDLE")).collect(),
    };
    let refused =
        [world.run(a.set_local_description(None)), world.run(b.set_remote_description(unbundled))];
    for result in refused {
        assert!(matches!(result, Err(Error::OperationError(_))), "{result:?}");
    }
    world.run_for(Duration::from_secs(1));
    for (peer, pc) in [&a, &b].into_iter().enumerate() {
        assert_eq!(pc.signaling_state(), RTCSignalingState::Stable);
        assert_eq!(world.sockets(peer), []);
    }
    // The unedited offer has all sections in one group, so one transport is enough.
    world.run(b.set_remote_description(offer)).unwrap();
}
