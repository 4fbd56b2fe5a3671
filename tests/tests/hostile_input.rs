//! Hostile input must not harm a connection, or only as the specification says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use peerconnection::{
    Error, MessageData, RTCConfiguration, RTCDataChannelState, RTCDtlsTransportState,
    RTCErrorDetailType, RTCIceCandidateInit, RTCPeerConnection, RTCPeerConnectionState, RTCSdpType,
    RTCSessionDescriptionInit, RTCSignalingState,
};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use testkit::{Conditions, Pair, Trace, World, for_each_seed, seeds};

fn offer_with(pair: &mut Pair, change: impl FnOnce(String) -> String) -> Result<(), Error> {
    let stranger = pair.world.add_peer(RTCConfiguration::default());
    stranger.create_data_channel("x", None).unwrap();
    let offer = pair.world.run(stranger.create_offer(None)).unwrap();
    let description =
        RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp: change(offer.sdp) };
    let refused = pair.world.run(pair.b.set_remote_description(description));
    assert_eq!(pair.b.signaling_state() == RTCSignalingState::Stable, refused.is_err());
    refused
}

/// After a broken offer was refused, the connection works as if the offer had never come.
fn still_connects(mut pair: Pair) {
    let (of_a, of_b) = pair.open_channel("after all", Default::default());
    of_a.send("works").unwrap();
    let received = pair.world.run(async move { of_b.messages().next().await });
    assert_eq!(received, Some(MessageData::from("works")));
}

#[test]
fn broken_sdp_is_an_rtc_error_with_its_line() {
    let mut pair = Pair::new(1);
    let refused = offer_with(&mut pair, |sdp| {
        let lines: Vec<_> = sdp.split_inclusive("\r\n").collect();
        [&lines[..3], &["nonsense\r\n"], &lines[3..]].concat().concat()
    });
    match refused {
        Err(Error::RTCError(error)) => {
            assert_eq!(error.error_detail, RTCErrorDetailType::SdpSyntaxError);
            assert_eq!(error.sdp_line_number, Some(4));
        }
        other => panic!("{other:?}"),
    }
    still_connects(pair);
}

#[test]
fn descriptions_in_the_wrong_state_are_invalid_state_errors() {
    let mut pair = Pair::new(2);
    for type_ in [RTCSdpType::Answer, RTCSdpType::Pranswer, RTCSdpType::Rollback] {
        let description = RTCSessionDescriptionInit { type_, sdp: String::new() };
        let refused = pair.world.run(pair.b.set_remote_description(description)).unwrap_err();
        assert_eq!(refused.name(), "InvalidStateError", "{type_}");
    }
    still_connects(pair);
}

#[test]
fn candidates_for_nobody_are_refused_and_forgotten() {
    let (mut pair, of_a, of_b) = Pair::connected(3);
    let candidate = RTCIceCandidateInit {
        candidate: "candidate:1 1 udp 2113937151 10.0.0.9 50000 typ host".to_owned(),
        sdp_mid: Some("0".to_owned()),
        sdp_mline_index: None,
        username_fragment: None,
    };
    let cases = [
        (RTCIceCandidateInit { sdp_mid: None, ..candidate.clone() }, "TypeError"),
        (
            RTCIceCandidateInit { sdp_mid: Some("nobody".to_owned()), ..candidate.clone() },
            "OperationError",
        ),
        (
            RTCIceCandidateInit { username_fragment: Some("none".to_owned()), ..candidate.clone() },
            "OperationError",
        ),
        (RTCIceCandidateInit { candidate: "garbage".to_owned(), ..candidate }, "OperationError"),
    ];
    for (candidate, name) in cases {
        let refused = pair.world.run(pair.a.add_ice_candidate(candidate.clone())).unwrap_err();
        assert_eq!(refused.name(), name, "{candidate:?}");
    }
    of_a.send("unharmed").unwrap();
    let received = pair.world.run(async move { of_b.messages().next().await });
    assert_eq!(received, Some(MessageData::from("unharmed")));
}

#[test]
fn a_peer_with_another_certificate_than_announced_is_refused() {
    let mut world = World::new(4, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    let trace = Trace::of(&world.handle(), &a);
    let channel = a.create_data_channel("x", None).unwrap();
    let forged = |description: peerconnection::RTCSessionDescription| {
        let mut forged = String::new();
        for line in description.sdp().split_inclusive("\r\n") {
            match line.strip_prefix("a=fingerprint:sha-256 ") {
                Some(value) => {
                    let other = if value.starts_with("00") { "01" } else { "00" };
                    forged.push_str(&format!("a=fingerprint:sha-256 {other}{}", &value[2..]));
                }
                None => forged.push_str(line),
            }
        }
        RTCSessionDescriptionInit { type_: description.type_(), sdp: forged }
    };
    exchange(&mut world, &a, &b, |description| description.into(), forged);
    let dtls = a.sctp().unwrap().transport().unwrap();
    // webrtc-pc §5.5: the state is set before `error` is fired, and `statechange` comes next.
    let fired = Arc::new(Mutex::new(Vec::new()));
    let log = fired.clone();
    dtls.on_error(move |event| log.lock().unwrap().push(("error", event.target().state())));
    let log = fired.clone();
    dtls.on_statechange(move |event| {
        log.lock().unwrap().push(("statechange", event.target().state()));
    });
    world.run_for(Duration::from_secs(5));
    assert_eq!(
        *fired.lock().unwrap(),
        [
            ("statechange", RTCDtlsTransportState::Connecting),
            ("error", RTCDtlsTransportState::Failed),
            ("statechange", RTCDtlsTransportState::Failed),
        ]
    );
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Failed);
    assert_ne!(channel.ready_state(), RTCDataChannelState::Open);
    let trace = trace.take();
    assert!(trace.contains(&"dtls-error:fingerprint-failure".to_owned()), "{trace:?}");
    assert!(trace.contains(&"dtls:failed".to_owned()), "{trace:?}");
}

/// An offer of `a` with its candidates, and the answer, each changed on the way.
fn exchange(
    world: &mut World,
    a: &RTCPeerConnection,
    b: &RTCPeerConnection,
    offer: impl FnOnce(peerconnection::RTCSessionDescription) -> RTCSessionDescriptionInit,
    answer: impl FnOnce(peerconnection::RTCSessionDescription) -> RTCSessionDescriptionInit,
) {
    world.run(a.set_local_description(None)).unwrap();
    world.settle();
    let description = offer(a.local_description().unwrap());
    world.run(b.set_remote_description(description)).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    world.settle();
    let description = answer(b.local_description().unwrap());
    world.run(a.set_remote_description(description)).unwrap();
}

#[test]
fn a_peer_that_vanishes_during_the_handshake_leaves_a_connection_that_fails() {
    let mut world = World::new(5, Conditions::default());
    let a = world.add_peer(RTCConfiguration::default());
    let b = world.add_peer(RTCConfiguration::default());
    a.create_data_channel("x", None).unwrap();
    exchange(&mut world, &a, &b, |d| d.into(), |d| d.into());
    world.run_for(Duration::from_millis(25));
    assert_eq!(a.connection_state(), RTCPeerConnectionState::Connecting);
    for address in world.sockets(1) {
        world.network.kill(address);
    }
    world.run_for(Duration::from_secs(120));
    assert!(
        matches!(
            a.connection_state(),
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Disconnected
        ),
        "{}",
        a.connection_state()
    );
    a.close();
    world.run_for(Duration::from_secs(1));
    assert_eq!(world.sockets(0), [], "everything is released");
}

/// Garbage of every kind: noise, and octets that look like STUN, DTLS, RTP.
fn garbage(random: &mut StdRng) -> Vec<u8> {
    let mut bytes = vec![0; random.random_range(0..1500)];
    random.fill_bytes(&mut bytes);
    let first = match random.random_range(0..5) {
        0 => random.random_range(0..4),
        1 => random.random_range(20..64),
        2 => random.random_range(128..192),
        _ => return bytes,
    };
    if let Some(byte) = bytes.first_mut() {
        *byte = first;
    }
    if first < 4 && bytes.len() >= 20 {
        // A correct STUN header: the magic cookie, and the length of the rest.
        bytes[0..2].copy_from_slice(&[0, 1]);
        let length = u16::try_from(bytes.len() - 20).unwrap() & !3;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        bytes[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    }
    bytes
}

#[test]
fn garbage_at_any_moment_from_anywhere_harms_nothing() {
    for_each_seed(seeds(0..20), |seed| {
        let mut pair = Pair::new(seed);
        let mut random = StdRng::seed_from_u64(seed);
        let (of_a, of_b) = {
            let arrived = pair.a.create_data_channel("x", None).unwrap();
            let trace = Trace::of(&pair.handle(), &pair.b);
            let of_b = std::sync::Arc::new(std::sync::Mutex::new(None));
            let slot = of_b.clone();
            pair.b.on_datachannel(move |e| *slot.lock().unwrap() = Some(e.channel().clone()));
            for _ in 0..300 {
                attack(&mut pair, &mut random);
                pair.world.run_for(Duration::from_millis(2));
            }
            assert!(trace.take().contains(&"datachannel".to_owned()), "they connected");
            let of_b = of_b.lock().unwrap().clone().unwrap();
            (arrived, of_b)
        };
        for number in 0..50 {
            of_a.send(format!("{number}")).unwrap();
            attack(&mut pair, &mut random);
            pair.world.run_for(Duration::from_millis(5));
        }
        let received: Vec<_> =
            pair.world.run(async move { of_b.messages().take(50).collect().await });
        let expected: Vec<_> = (0..50).map(|n| MessageData::from(format!("{n}"))).collect();
        assert_eq!(received, expected);
        assert_eq!(pair.a.connection_state(), RTCPeerConnectionState::Connected);
    });
}

/// Datagrams from a stranger, and with the forged address of the peer.
fn attack(pair: &mut Pair, random: &mut StdRng) {
    let (a, b) = (pair.world.sockets(0), pair.world.sockets(1));
    for target in a.iter().chain(&b) {
        let sources = [[&a[..], &b[..]].concat(), vec!["203.0.113.7:7".parse().unwrap()]].concat();
        let source = sources[random.random_range(0..sources.len())];
        let datagram = garbage(random);
        pair.world.inject(source, *target, datagram);
    }
}

#[test]
fn a_handler_that_closes_the_connection_or_panics_does_no_harm() {
    let mut pair = Pair::new(6);
    pair.a.on_signalingstatechange(|_| panic!("the panic that this test is about"));
    pair.a.on_connectionstatechange(|event| {
        if event.target().connection_state() == RTCPeerConnectionState::Connected {
            event.target().close();
        }
    });
    let trace = Trace::of(&pair.handle(), &pair.a);
    let channel = pair.a.create_data_channel("x", None).unwrap();
    pair.world.run_for(Duration::from_secs(2));
    assert_eq!(pair.a.signaling_state(), RTCSignalingState::Closed);
    assert_eq!(channel.ready_state(), RTCDataChannelState::Closed);
    let last = trace.take().pop();
    assert_eq!(last.as_deref(), Some("connection:connected"), "nothing is fired after close()");
    assert_eq!(pair.world.sockets(0), []);
}
