//! The slots of the transports and of the connection, seen from outside.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use peerconnection::{
    MaxMessageSize, RTCConfiguration, RTCDataChannelInit, RTCDataChannelState, RTCDtlsTransport,
    RTCDtlsTransportState, RTCIceCandidate, RTCIceConnectionState, RTCIceGathererState, RTCIceRole,
    RTCIceTransportState, RTCPeerConnection, RTCPeerConnectionState, RTCSctpTransport,
    RTCSctpTransportState, RTCSignalingState,
};
use testkit::{Conditions, Pair, Trace, World};

fn dtls_transport(pc: &RTCPeerConnection) -> RTCDtlsTransport {
    pc.sctp().unwrap().transport().unwrap()
}

#[test]
fn transports_have_their_slots_from_the_descriptions_and_from_the_network() {
    let mut world = World::new(1, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    a.create_data_channel("x", None).unwrap();
    let (settled, peer) = (Arc::new(Mutex::new(None)), a.clone());
    let begun = settled.clone();
    a.set_local_description(None).then(move |_| {
        *begun.lock().unwrap() = Some(dtls_transport(&peer).ice_transport().gathering_state());
    });
    world.settle();
    let begun = settled.lock().unwrap().take();
    assert_eq!(begun, Some(RTCIceGathererState::New), "it begins in a task of its own");
    let (dtls, sctp) = (dtls_transport(&a), a.sctp().unwrap());
    let ice = dtls.ice_transport();
    assert_eq!(dtls.state(), RTCDtlsTransportState::New);
    assert!(dtls.get_remote_certificates().is_empty());
    assert_eq!((ice.state(), ice.role()), (RTCIceTransportState::New, RTCIceRole::Controlling));
    assert_eq!(ice.get_selected_candidate_pair(), None);
    assert_eq!(sctp.state(), RTCSctpTransportState::Connecting);
    assert_eq!((sctp.max_message_size(), sctp.max_channels()), (None, None));
    assert_eq!(ice.gathering_state(), RTCIceGathererState::Complete);

    world.run(b.set_remote_description(a.local_description())).unwrap();
    assert_eq!(b.sctp().unwrap().max_message_size(), None);
    world.run(b.set_local_description(None)).unwrap();
    assert_eq!(dtls_transport(&b).ice_transport().role(), RTCIceRole::Controlled);
    assert_eq!(b.sctp().unwrap().max_message_size(), Some(MaxMessageSize::Bytes(262_144)));
    assert_eq!(b.sctp().unwrap().max_channels(), None, "it is not connected");
    world.settle();
    world.run(a.set_remote_description(b.local_description())).unwrap();
    world.run_for(Duration::from_secs(4));

    assert_eq!(ice.state(), RTCIceTransportState::Completed);
    assert_eq!(dtls.state(), RTCDtlsTransportState::Connected);
    assert_eq!(sctp.state(), RTCSctpTransportState::Connected);
    assert_eq!(sctp.max_channels(), Some(65535));
    let [of_b] = &dtls.get_remote_certificates()[..] else { panic!("one certificate") };
    let [of_a] = &dtls_transport(&b).get_remote_certificates()[..] else { panic!("one too") };
    assert_ne!(of_a, of_b);
    assert!(ice.get_selected_candidate_pair().is_some());
}

/// webrtc-pc §4.4.2 "close the connection": everything is closed at once, without an event.
#[test]
fn closing_sets_every_state_without_an_event() {
    let (mut pair, of_a, _of_b) = Pair::connected(2);
    pair.world.run_for(Duration::from_secs(1));
    let trace = Trace::of(&pair.handle(), &pair.a);
    let (dtls, sctp) = (dtls_transport(&pair.a), pair.a.sctp().unwrap());
    let ice = dtls.ice_transport();
    pair.a.close();
    assert_eq!(pair.a.signaling_state(), RTCSignalingState::Closed);
    assert_eq!(pair.a.ice_connection_state(), RTCIceConnectionState::Closed);
    assert_eq!(pair.a.connection_state(), RTCPeerConnectionState::Closed);
    assert_eq!(of_a.ready_state(), RTCDataChannelState::Closed);
    assert_eq!(sctp.state(), RTCSctpTransportState::Closed);
    assert_eq!(dtls.state(), RTCDtlsTransportState::Closed);
    assert_eq!(ice.state(), RTCIceTransportState::Closed);
    assert_eq!(ice.get_selected_candidate_pair(), None);
    pair.a.close();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(trace.take(), Vec::<String>::new());
}

/// What transports show besides their states and the selected pair.
fn shown(sctp: &RTCSctpTransport) -> impl PartialEq + std::fmt::Debug + use<> {
    let dtls = sctp.transport().unwrap();
    let ice = dtls.ice_transport();
    let lines = |candidates: Vec<RTCIceCandidate>| -> Vec<_> {
        candidates.iter().map(|candidate| candidate.candidate().to_owned()).collect()
    };
    (
        (ice.gathering_state(), ice.role(), ice.component()),
        (ice.get_local_parameters(), ice.get_remote_parameters()),
        (lines(ice.get_local_candidates()), lines(ice.get_remote_candidates())),
        dtls.get_remote_certificates(),
        (sctp.max_message_size(), sctp.max_channels()),
    )
}

/// webrtc-pc §4.4.2 "close the connection": steps 6 to 9 only change states.
#[test]
fn closing_leaves_what_transports_show_besides_their_states() {
    let (mut pair, ..) = Pair::connected(5);
    pair.world.run_for(Duration::from_secs(1));
    let held = pair.b.sctp().unwrap();
    let (a_before, b_before) = (shown(&pair.a.sctp().unwrap()), shown(&held));
    let ice = dtls_transport(&pair.b).ice_transport();
    assert_eq!(ice.gathering_state(), RTCIceGathererState::Complete);
    assert_eq!(ice.role(), RTCIceRole::Controlled);
    assert!(ice.get_local_parameters().is_some() && ice.get_remote_parameters().is_some());
    assert!(!ice.get_local_candidates().is_empty() && !ice.get_remote_candidates().is_empty());
    assert!(!dtls_transport(&pair.b).get_remote_certificates().is_empty());
    drop(ice);

    // Nobody has held a transport of a. The last handle of b is dropped.
    pair.a.close();
    assert_eq!(shown(&pair.a.sctp().unwrap()), a_before);
    assert_eq!(dtls_transport(&pair.a), dtls_transport(&pair.a), "the same object");
    let Pair { world, a, b, .. } = pair;
    drop(b);
    assert_eq!(shown(&held), b_before);
    // The world is all that could move them.
    drop(world);
    assert_eq!(shown(&a.sctp().unwrap()), a_before);
    assert_eq!(shown(&held), b_before);
    let dtls = held.transport().unwrap();
    assert_eq!(held.state(), RTCSctpTransportState::Closed);
    assert_eq!(dtls.state(), RTCDtlsTransportState::Closed);
    assert_eq!(dtls.ice_transport().state(), RTCIceTransportState::Closed);
    assert_eq!(dtls.ice_transport().get_selected_candidate_pair(), None);
}

#[test]
fn a_channel_begins_as_it_was_asked_for() {
    let mut world = World::new(3, Conditions::default());
    let pc = world.add_peer(RTCConfiguration::default());
    let plain = pc.create_data_channel("plain", None).unwrap();
    assert_eq!(plain.ready_state(), RTCDataChannelState::Connecting);
    assert_eq!((plain.buffered_amount(), plain.buffered_amount_low_threshold()), (0, 0));
    assert_eq!((plain.label(), plain.protocol(), plain.ordered()), ("plain", "", true));
    assert_eq!((plain.max_packet_life_time(), plain.max_retransmits()), (None, None));
    assert_eq!((plain.negotiated(), plain.id()), (false, None));

    let init = RTCDataChannelInit {
        ordered: false,
        max_packet_life_time: Some(3000),
        protocol: "chess".to_owned(),
        negotiated: true,
        id: Some(7),
        ..Default::default()
    };
    let asked = pc.create_data_channel("", init).unwrap();
    assert_eq!((asked.label(), asked.protocol(), asked.ordered()), ("", "chess", false));
    assert_eq!((asked.max_packet_life_time(), asked.max_retransmits()), (Some(3000), None));
    assert_eq!((asked.negotiated(), asked.id()), (true, Some(7)));
}

/// webrtc-pc §4.3.2: the state of the connection follows that of its transports.
#[test]
fn the_connection_is_new_until_a_description_needs_a_transport() {
    let mut world = World::new(4, Conditions::default());
    let pc = world.add_peer(RTCConfiguration::default());
    let states = |pc: &RTCPeerConnection| {
        let (gathering, ice) = (pc.ice_gathering_state(), pc.ice_connection_state());
        [gathering.as_str(), ice.as_str(), pc.connection_state().as_str()]
    };
    assert_eq!(states(&pc), ["new", "new", "new"]);
    world.run(pc.set_local_description(None)).unwrap();
    world.settle();
    assert_eq!(states(&pc), ["new", "new", "new"], "an offer of nothing");
    pc.create_data_channel("x", None).unwrap();
    world.run(pc.set_local_description(None)).unwrap();
    world.settle();
    assert_eq!(states(&pc), ["complete", "new", "new"]);
}
