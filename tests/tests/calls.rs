//! Calls between two connections on a simulated network, event by event. The order of events is
//! webrtc-pc's. Where the text leaves it open, it is Firefox's, which follows the text closely.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    CandidateOrEnd, RTCConfiguration, RTCIceCandidateInit, RTCIceCandidateType,
    RTCIceGatheringState, RTCIceServer, RTCIceTransport, RTCIceTransportState,
    RTCLocalSessionDescriptionInit, RTCPeerConnection, RTCPeerConnectionState, RTCSdpType,
    RTCSessionDescriptionInit,
};
use testkit::{Conditions, Pair, Trace, World};

/// Words of a trace, written with spaces.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn ice_transport(pc: &RTCPeerConnection) -> RTCIceTransport {
    pc.sctp().unwrap().transport().unwrap().ice_transport()
}

fn ufrag(pc: &RTCPeerConnection) -> String {
    ice_transport(pc).get_local_parameters().unwrap().username_fragment.unwrap()
}

#[test]
fn a_call_is_set_up_in_the_order_of_the_specification() {
    let mut pair = Pair::new(1);
    let (at_a, at_b) = (Trace::of(&pair.handle(), &pair.a), Trace::of(&pair.handle(), &pair.b));
    pair.a.create_data_channel("x", None).unwrap();
    pair.world.run_for(Duration::from_secs(4));
    assert_eq!(
        at_a.take(),
        words(
            "negotiationneeded signaling:have-local-offer
             t-gathering:gathering gathering:gathering
             candidate end t-gathering:complete gathering:complete null
             signaling:stable
             t-ice:checking ice:checking connection:connecting
             pair t-ice:connected ice:connected
             dtls:connecting dtls:connected connection:connected
             sctp:connected channel:open
             t-ice:completed ice:completed"
        )
    );
    assert_eq!(
        at_b.take(),
        words(
            "signaling:have-remote-offer signaling:stable
             t-gathering:gathering gathering:gathering
             candidate end t-gathering:complete gathering:complete null
             t-ice:checking ice:checking connection:connecting
             pair t-ice:connected ice:connected
             dtls:connecting dtls:connected connection:connected
             sctp:connected datachannel channel:open
             t-ice:completed ice:completed"
        )
    );
    assert_eq!(pair.negotiation_errors(), []);
}

#[test]
fn a_restart_goes_from_completed_to_connected_and_back_and_touches_nothing_else() {
    let (mut pair, _of_a, _of_b) = Pair::connected(2);
    // Each side is completed three seconds after the nomination, now and below.
    pair.world.run_for(Duration::from_secs(4));
    let before = (ufrag(&pair.a), ufrag(&pair.b));
    let transports = (ice_transport(&pair.a), pair.a.sctp().unwrap().transport().unwrap());
    let (at_a, at_b) = (Trace::of(&pair.handle(), &pair.a), Trace::of(&pair.handle(), &pair.b));
    pair.b.restart_ice();
    pair.world.run_for(Duration::from_secs(4));
    // RTCIceTransportState: "completed, ICE restart occurs: connected".
    let gathering = "t-gathering:gathering gathering:gathering t-ice:connected ice:connected
                     candidate end t-gathering:complete gathering:complete null";
    let switch = "pair t-ice:completed ice:completed";
    assert_eq!(
        at_b.take(),
        words(&format!(
            "negotiationneeded signaling:have-local-offer {gathering} signaling:stable {switch}"
        ))
    );
    assert_eq!(
        at_a.take(),
        words(&format!("signaling:have-remote-offer signaling:stable {gathering} {switch}"))
    );
    assert_ne!(ufrag(&pair.a), before.0);
    assert_ne!(ufrag(&pair.b), before.1);
    // WPT RTCPeerConnection-restartIce: "restartIce() retains dtls transports".
    assert_eq!(ice_transport(&pair.a), transports.0);
    assert_eq!(pair.a.sctp().unwrap().transport().unwrap(), transports.1);
    assert_eq!(pair.world.sockets(0).len(), 2, "the old path lingers for the peer's sake");
    pair.world.run_for(Duration::from_secs(10));
    assert_eq!(pair.world.sockets(0).len(), 1, "then it is closed");
    assert_eq!(pair.world.sockets(1).len(), 1);
}

#[test]
fn a_path_that_dies_disconnects_then_fails_and_a_restart_brings_it_back() {
    let (mut pair, of_a, of_b) = Pair::connected(3);
    pair.world.run_for(Duration::from_secs(4));
    let trace = Trace::of(&pair.handle(), &pair.a);
    for address in pair.world.sockets(0) {
        pair.world.network.kill(address);
    }
    pair.world.run_for(Duration::from_secs(60));
    assert_eq!(
        trace.take(),
        words(
            "t-ice:disconnected ice:disconnected connection:disconnected
             no-pair t-ice:failed ice:failed connection:failed"
        )
    );
    // webrtc-pc PR 2268: failed closes neither DTLS nor channels.
    of_a.send("sent while there was no path").unwrap();
    pair.a.restart_ice();
    let received = pair.world.run(async move { of_b.messages().next().await });
    assert_eq!(received.unwrap().as_str(), Some("sent while there was no path"));
    pair.world.run_for(Duration::from_secs(3));
    assert_eq!(pair.a.connection_state(), RTCPeerConnectionState::Connected);
    let trace = trace.take();
    let states: Vec<_> = trace.iter().filter(|word| word.starts_with("ice:")).collect();
    assert_eq!(states, ["ice:checking", "ice:connected", "ice:completed"]);
    assert!(!trace.iter().any(|word| word.starts_with("dtls") || word.starts_with("sctp")));
}

#[test]
fn a_restart_rolled_back_is_asked_for_again_each_time_until_it_has_completed() {
    let (mut pair, _of_a, _of_b) = Pair::connected(4);
    let before = ufrag(&pair.a);
    // The test offers by hand; perfect negotiation would offer by itself.
    pair.stop_negotiating();
    let trace = Trace::of(&pair.handle(), &pair.a);
    pair.a.restart_ice();
    pair.world.settle();
    assert_eq!(trace.take(), ["negotiationneeded"]);
    for round in 0..3 {
        pair.world.run(pair.a.set_local_description(None)).unwrap();
        pair.world.settle();
        assert_ne!(ufrag(&pair.a), before, "round {round}");
        trace.take();
        let rollback = RTCLocalSessionDescriptionInit {
            type_: Some(RTCSdpType::Rollback),
            sdp: String::new(),
        };
        pair.world.run(pair.a.set_local_description(rollback)).unwrap();
        pair.world.settle();
        assert_eq!(ufrag(&pair.a), before, "as if it had never been");
        let fired = trace.take();
        assert_eq!(fired.first().map(String::as_str), Some("signaling:stable"));
        assert_eq!(fired.iter().filter(|word| *word == "negotiationneeded").count(), 1);
    }
    // Now the peer gets the offer and answers it: the restart has completed.
    pair.world.run(pair.a.set_local_description(None)).unwrap();
    let offer = pair.a.local_description();
    pair.world.run(pair.b.set_remote_description(offer)).unwrap();
    pair.world.run(pair.b.set_local_description(None)).unwrap();
    let answer = pair.b.local_description();
    trace.take();
    pair.world.run(pair.a.set_remote_description(answer)).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert!(!trace.take().contains(&"negotiationneeded".to_owned()));
    assert_ne!(ufrag(&pair.a), before);
}

#[test]
fn rolling_back_the_first_offer_takes_gathering_back_to_new() {
    // WPT RTCPeerConnection-explicit-rollback-iceGatheringState.
    let mut world = World::new(5, Conditions::default());
    let pc = world.add_peer(RTCConfiguration::default());
    pc.create_data_channel("x", None).unwrap();
    world.run(pc.set_local_description(None)).unwrap();
    world.settle();
    assert_eq!(pc.ice_gathering_state(), RTCIceGatheringState::Complete);
    assert_eq!(world.sockets(0).len(), 1);
    let trace = Trace::of(&world.handle(), &pc);
    world.settle();
    let rollback =
        RTCLocalSessionDescriptionInit { type_: Some(RTCSdpType::Rollback), sdp: String::new() };
    world.run(pc.set_local_description(rollback)).unwrap();
    world.settle();
    assert_eq!(pc.ice_gathering_state(), RTCIceGatheringState::New);
    assert!(trace.take().contains(&"gathering:new".to_owned()));
    assert_eq!(world.sockets(0), [], "its sockets are released");
    assert!(pc.sctp().is_none(), "webrtc-pc [[LastStableStateSctpTransport]]");
}

/// Two connections that do not learn when the other's candidates have ended.
fn without_end_of_candidates(world: &mut World) -> [RTCPeerConnection; 2] {
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    a.create_data_channel("x", None).unwrap();
    let without_end = |pc: &RTCPeerConnection| {
        let description = pc.local_description().unwrap();
        let sdp = description.sdp().replace("a=end-of-candidates\r\n", "");
        RTCSessionDescriptionInit { type_: description.type_(), sdp }
    };
    world.run(a.set_local_description(None)).unwrap();
    world.settle();
    world.run(b.set_remote_description(without_end(&a))).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    world.settle();
    world.run(a.set_remote_description(without_end(&b))).unwrap();
    world.run_for(Duration::from_secs(3));
    [a, b]
}

#[test]
fn without_the_peers_end_of_candidates_a_connection_does_not_complete_nor_fail_at_once() {
    let mut world = World::new(6, Conditions::default());
    let [a, _b] = without_end_of_candidates(&mut world);
    assert_eq!(ice_transport(&a).state(), RTCIceTransportState::Connected);
    for address in world.sockets(1) {
        world.network.kill(address);
    }
    world.run_for(Duration::from_secs(45));
    assert_eq!(ice_transport(&a).state(), RTCIceTransportState::Disconnected);
    world.run(a.add_ice_candidate(CandidateOrEnd::End)).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(ice_transport(&a).state(), RTCIceTransportState::Failed);
}

/// Many applications do not signal the null candidate, and restart when the state is `failed`.
#[test]
fn an_end_of_candidates_that_never_comes_is_assumed_thirty_seconds_after_consent_was_lost() {
    let mut world = World::new(6, Conditions::default());
    let [a, b] = without_end_of_candidates(&mut world);
    for address in world.sockets(1) {
        world.network.kill(address);
    }
    world.run_for(Duration::from_secs(61));
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Failed);
    // A later candidate does not revive the transport; only a restart does.
    let candidate = RTCIceCandidateInit {
        candidate: "candidate:1 1 udp 2130706431 10.0.0.9 9999 typ host".to_owned(),
        sdp_mline_index: Some(0),
        ..RTCIceCandidateInit::default()
    };
    world.run(a.add_ice_candidate(candidate)).unwrap();
    world.run_for(Duration::from_secs(60));
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Failed);
    a.restart_ice();
    let (offerer, answerer) = (a.clone(), b.clone());
    let story = async move {
        offerer.set_local_description(None).await?;
        let handle = offerer.local_description().unwrap();
        answerer.set_remote_description(handle).await?;
        answerer.set_local_description(None).await?;
        offerer.set_remote_description(answerer.local_description()).await
    };
    world.run(story).unwrap();
    for (from, to) in [(&a, &b), (&b, &a)] {
        for candidate in ice_transport(from).get_local_candidates() {
            world.run(to.add_ice_candidate(candidate.to_json())).unwrap();
        }
    }
    world.run_for(Duration::from_secs(5));
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Connected);
}

/// webrtc-pc §4.8.1: for a peer-reflexive remote candidate "candidate [is] an empty string", and
/// the address is null. Once it is signalled, the pair has the object that getRemoteCandidates()
/// shows.
#[test]
fn a_remote_candidate_that_was_learnt_hides_its_address_until_it_is_signalled() {
    let mut world = World::new(9, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    a.create_data_channel("x", None).unwrap();
    // The candidates of A are held back.
    let (offerer, answerer) = (a.clone(), b.clone());
    let story = async move {
        let offer = offerer.create_offer(None).await?;
        answerer.set_remote_description(offer.clone()).await?;
        let sdp = offer.sdp.clone();
        let local = RTCLocalSessionDescriptionInit { type_: Some(RTCSdpType::Offer), sdp };
        offerer.set_local_description(local).await?;
        answerer.set_local_description(None).await
    };
    world.run(story).unwrap();
    let transport = ice_transport(&b);
    let changes = Arc::new(Mutex::new(0));
    let seen = changes.clone();
    transport.on_selectedcandidatepairchange(move |_| *seen.lock().unwrap() += 1);
    world.settle();
    world.run(a.set_remote_description(b.local_description())).unwrap();
    world.run_for(Duration::from_secs(3));
    assert_eq!(b.connection_state(), RTCPeerConnectionState::Connected);

    let learnt = transport.get_selected_candidate_pair().unwrap();
    let remote = learnt.remote();
    assert_eq!(remote.type_(), Some(RTCIceCandidateType::Prflx));
    assert_eq!((remote.candidate(), remote.address()), ("", None));
    assert!(remote.port().is_some() && remote.priority().is_some());
    assert_eq!(remote.to_json().candidate, "");
    assert_eq!(remote.username_fragment(), Some(&*ufrag(&a)));
    assert_eq!((remote.sdp_mid(), remote.sdp_mline_index()), (Some("0"), Some(0)));
    assert_eq!(transport.get_remote_candidates(), []);

    let [signalled] = &ice_transport(&a).get_local_candidates()[..] else { panic!("one") };
    world.run(b.add_ice_candidate(signalled.to_json())).unwrap();
    world.settle();
    let pair = transport.get_selected_candidate_pair().unwrap();
    let [listed] = &transport.get_remote_candidates()[..] else { panic!("one") };
    assert_eq!(pair.remote().object_id(), listed.object_id());
    assert_eq!(listed.type_(), Some(RTCIceCandidateType::Host));
    assert_eq!(listed.to_json(), signalled.to_json());
    assert_eq!(pair.local().object_id(), learnt.local().object_id());
    assert_eq!(*changes.lock().unwrap(), 1, "it is the same pair, of which more is known");
}

#[test]
fn new_servers_are_kept_for_the_next_restart_and_what_may_not_change_does_not() {
    let (pair, _of_a, _of_b) = Pair::connected(7);
    let mut configuration = pair.a.get_configuration();
    configuration.ice_servers =
        vec![RTCIceServer { urls: vec!["stun:192.0.2.1".to_owned()], ..Default::default() }];
    pair.a.set_configuration(configuration.clone()).unwrap();
    assert_eq!(pair.a.get_configuration(), configuration);
    let mut other = configuration.clone();
    other.certificates = vec![RTCPeerConnection::generate_certificate(None).unwrap()];
    let refused = pair.a.set_configuration(other).unwrap_err();
    assert_eq!(refused.name(), "InvalidModificationError");
    let mut other = configuration.clone();
    other.ice_candidate_pool_size = 1;
    let refused = pair.a.set_configuration(other).unwrap_err();
    assert_eq!(refused.name(), "InvalidModificationError");
    assert_eq!(pair.a.get_configuration(), configuration);
}

#[test]
fn the_selected_pair_is_one_object_as_long_as_it_is_the_same_pair() {
    let (pair, _of_a, _of_b) = Pair::connected(8);
    let transport = ice_transport(&pair.a);
    let selected = transport.get_selected_candidate_pair().unwrap();
    assert_eq!(Some(&selected), transport.get_selected_candidate_pair().as_ref());
    assert_eq!(selected.local().address(), Some("10.0.0.1"));
    assert_eq!(selected.remote().address(), Some("10.0.0.2"));
    let [local] = &transport.get_local_candidates()[..] else { panic!("one") };
    let [remote] = &transport.get_remote_candidates()[..] else { panic!("one") };
    assert_eq!(local.object_id(), selected.local().object_id());
    assert_eq!(remote.object_id(), selected.remote().object_id());
    for (candidate, of) in [(local, &pair.a), (remote, &pair.b)] {
        assert_eq!(candidate.username_fragment(), Some(&*ufrag(of)));
        assert_eq!((candidate.sdp_mid(), candidate.sdp_mline_index()), (Some("0"), Some(0)));
    }
}

#[test]
fn closing_amid_a_negotiation_is_no_error_of_it() {
    let mut pair = Pair::new(1);
    pair.a.create_data_channel("channel", None).unwrap();
    // The offer has been applied, but its promise is not settled yet.
    pair.a.on_signalingstatechange(|event| event.target().close());
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(pair.a.signaling_state().as_str(), "closed");
    assert_eq!(pair.negotiation_errors(), []);
}
