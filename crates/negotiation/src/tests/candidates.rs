//! `addIceCandidate()` and candidates in descriptions; WPT RTCPeerConnection-addIceCandidate.

use super::*;

const CANDIDATE: &str = "candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host";

fn candidate(mid: &str) -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate: CANDIDATE.into(),
        sdp_mid: Some(mid.into()),
        ..Default::default()
    }
}

fn end_of(mid: Option<&str>) -> RTCIceCandidateInit {
    RTCIceCandidateInit { sdp_mid: mid.map(str::to_owned), ..Default::default() }
}

/// The section of an audio and a data section of other credentials, not bundled.
fn audio_and_data() -> RTCSessionDescriptionInit {
    let mut sdp = String::from("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
    for (mid, line, ufrag) in [
        // A codec that is not known: the section is rejected.
        ("a1", "m=audio 9 UDP/TLS/RTP/SAVPF 97", "ETEn"),
        ("d1", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "BGKk"),
    ] {
        sdp += &format!(
            "{line}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=ice-ufrag:{ufrag}\r\n\
             a=ice-pwd:OtSK0WpNtpUjkY4+86js7ZQl\r\na=setup:actpass\r\na=rtcp-mux\r\n\
             a=fingerprint:{}\r\na=sctp-port:5000\r\n",
            fingerprint(9)
        );
    }
    RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp }
}

/// The text of one section of `remoteDescription`.
fn remote_section(peer: &Peer, index: usize) -> String {
    peer.remote().sdp().split("\r\nm=").nth(index + 1).unwrap().to_owned()
}

#[test]
fn its_errors_come_in_the_order_of_the_steps() {
    let mut peer = Peer::new(1);
    let everything_wrong = RTCIceCandidateInit {
        candidate: "(Invalid) candidate \r\n string".into(),
        username_fragment: Some("none".into()),
        ..Default::default()
    };
    // Step 3, before the remote description is looked for
    let result = peer.add_candidate(Some(everything_wrong.clone()));
    assert_eq!(result.unwrap_err().name(), "TypeError");
    // Step 4.1
    let with_mid = RTCIceCandidateInit { sdp_mid: Some("none".into()), ..everything_wrong };
    let result = peer.add_candidate(Some(with_mid.clone()));
    assert_eq!(result.unwrap_err().name(), "InvalidStateError");

    peer.set_remote(audio_and_data()).unwrap();
    let mut refused = |init: RTCIceCandidateInit, why: &str| {
        let error = peer.add_candidate(Some(init)).unwrap_err();
        assert_eq!(error.name(), "OperationError");
        assert!(error.message().contains(why), "{error}");
    };
    // Step 4.2: the index does not help.
    refused(RTCIceCandidateInit { sdp_mline_index: Some(0), ..with_mid.clone() }, "mid or index");
    // Step 4.3
    let with_index =
        RTCIceCandidateInit { sdp_mid: None, sdp_mline_index: Some(2), ..with_mid.clone() };
    refused(with_index, "mid or index");
    // Step 4.5; "Add candidate with sdpMid belonging to different usernameFragment"
    refused(RTCIceCandidateInit { sdp_mid: Some("a1".into()), ..with_mid.clone() }, "ufrag");
    let other = RTCIceCandidateInit { username_fragment: Some("ETEn".into()), ..candidate("d1") };
    refused(other, "ufrag");
    let all = RTCIceCandidateInit { username_fragment: Some("none".into()), ..end_of(None) };
    refused(all, "ufrag");
    // Step 4.7.1
    let garbage =
        RTCIceCandidateInit { sdp_mid: Some("a1".into()), username_fragment: None, ..with_mid };
    refused(garbage, "");
    assert!(!peer.remote().sdp().contains("a=candidate"));
}

/// "addIceCandidate with first sdpMid and sdpMLineIndex add candidate to first media stream" and
/// the others of its kind.
#[test]
fn a_candidate_goes_into_its_section() {
    for (init, index) in [
        (candidate("a1"), 0),
        (candidate("d1"), 1),
        (RTCIceCandidateInit { sdp_mline_index: Some(99), ..candidate("d1") }, 1),
        (
            RTCIceCandidateInit {
                sdp_mid: None,
                sdp_mline_index: Some(1),
                username_fragment: Some("BGKk".into()),
                ..candidate("")
            },
            1,
        ),
    ] {
        let mut peer = Peer::new(1);
        peer.set_remote(audio_and_data()).unwrap();
        peer.add_candidate(Some(init)).unwrap();
        let line = format!("a={CANDIDATE}");
        assert_eq!(remote_section(&peer, index).matches(&line).count(), 1);
        assert!(!remote_section(&peer, 1 - index).contains(&line));
    }
}

/// RFC 8838 §11
#[test]
fn the_same_candidate_is_added_once() {
    let mut peer = Peer::new(1);
    peer.set_remote(audio_and_data()).unwrap();
    peer.add_candidate(Some(candidate("d1"))).unwrap();
    peer.add_candidate(Some(candidate("d1"))).unwrap();
    assert_eq!(peer.remote().sdp().matches("a=candidate").count(), 1);
}

/// `""` with a mid; `null`, `{}` and `""` without one; `a=end-of-candidates`.
#[test]
fn the_end_of_candidates_has_three_shapes() {
    let ends = |peer: &Peer| [0, 1].map(|index| remote_section(peer, index).contains("a=end-of-"));
    let mut peer = Peer::new(1);
    peer.set_remote(audio_and_data()).unwrap();
    peer.add_candidate(Some(end_of(Some("d1")))).unwrap();
    assert_eq!(ends(&peer), [false, true]);

    for init in [None, Some(RTCIceCandidateInit::default()), Some(end_of(None))] {
        let mut peer = Peer::new(1);
        peer.set_remote(audio_and_data()).unwrap();
        peer.add_candidate(init).unwrap();
        assert_eq!(ends(&peer), [true, true]);
    }

    // In a description it reaches the transport with the candidates before it.
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    let mut offer = a.create_offer();
    offer.sdp += &format!("a={CANDIDATE}\r\na=end-of-candidates\r\n");
    b.set_remote(offer.clone()).unwrap();
    assert_eq!(b.commands(), [TransportCommand::CreateSctp { transport: None }]);
    b.set_local_implicitly().unwrap();
    let username_fragment = attribute(&offer.sdp, "ice-ufrag");
    let transport = TransportId(1);
    let given: Vec<_> = b
        .commands()
        .into_iter()
        .filter(|command| {
            matches!(
                command,
                TransportCommand::AddRemoteCandidate { .. }
                    | TransportCommand::EndOfRemoteCandidates { .. }
            )
        })
        .collect();
    assert_eq!(
        given,
        [
            TransportCommand::AddRemoteCandidate {
                transport,
                username_fragment: username_fragment.clone(),
                sdp_mid: Some("0".to_owned()),
                sdp_mline_index: Some(0),
                candidate: CANDIDATE.parse().unwrap(),
            },
            TransportCommand::EndOfRemoteCandidates { transport, username_fragment },
        ]
    );
}

/// pion 3.1 writes `"sdpMid": ""` beside the index into every candidate.
#[test]
fn an_empty_mid_names_no_section_and_the_index_does() {
    let mut peer = Peer::new(1);
    peer.set_remote(audio_and_data()).unwrap();
    let of = |sdp_mid: &str, sdp_mline_index| RTCIceCandidateInit {
        sdp_mline_index,
        ..candidate(sdp_mid)
    };
    peer.add_candidate(Some(of("", Some(1)))).unwrap();
    assert!(remote_section(&peer, 1).contains(CANDIDATE));
    assert!(!remote_section(&peer, 0).contains(CANDIDATE));
    for unknown in [of("", None), of("", Some(9)), of("nowhere", Some(1))] {
        let error = peer.add_candidate(Some(unknown)).unwrap_err();
        assert_eq!(error.name(), "OperationError");
    }
}

/// w3c/webrtc-pc#1216
#[test]
fn a_candidate_behind_the_end_of_candidates_is_still_taken() {
    let mut peer = Peer::new(1);
    peer.set_remote(audio_and_data()).unwrap();
    peer.add_candidate(None).unwrap();
    peer.add_candidate(Some(candidate("d1"))).unwrap();
    assert!(remote_section(&peer, 1).contains(CANDIDATE));
}

/// What is trickled before the answer waits in the description for its transport.
#[test]
fn candidates_before_the_answer_reach_the_transport_with_it() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    b.set_remote(a.create_offer()).unwrap();
    b.add_candidate(Some(candidate("0"))).unwrap();
    b.add_candidate(None).unwrap();
    assert_eq!(b.commands(), [TransportCommand::CreateSctp { transport: None }]);
    b.set_local_implicitly().unwrap();
    let commands = b.commands();
    let count =
        |matches: fn(&TransportCommand) -> bool| commands.iter().filter(|c| matches(c)).count();
    assert_eq!(count(|c| matches!(c, TransportCommand::AddRemoteCandidate { .. })), 1);
    assert_eq!(count(|c| matches!(c, TransportCommand::EndOfRemoteCandidates { .. })), 1);
}

/// w3c/webrtc-pc#1227: generations by usernameFragment against the current and the pending
/// description, each candidate in exactly those of its generation.
#[test]
fn a_candidate_goes_into_the_descriptions_of_its_generation() {
    let (mut a, mut b) = connected();
    let old = ufrag(&b.remote());
    let restart = a.create_restart_offer();
    let new = attribute(&restart.sdp, "ice-ufrag").unwrap();
    b.set_remote(restart).unwrap();
    b.commands();
    let of = |generation: &str, port: &str| RTCIceCandidateInit {
        candidate: CANDIDATE.replace("10100", port),
        username_fragment: Some(generation.to_owned()),
        ..candidate("0")
    };
    b.add_candidate(Some(of(&old, "10101"))).unwrap();
    b.add_candidate(Some(of(&new, "10102"))).unwrap();
    b.add_candidate(Some(RTCIceCandidateInit { username_fragment: None, ..of(&new, "10103") }))
        .unwrap();
    let current = b.session.current_remote_description().unwrap();
    let pending = b.session.pending_remote_description().unwrap();
    for (port, in_current, in_pending) in
        [("10101", true, false), ("10102", false, true), ("10103", false, true)]
    {
        assert_eq!(current.sdp().contains(port), in_current, "{port}");
        assert_eq!(pending.sdp().contains(port), in_pending, "{port}");
    }
    let generations: Vec<_> = b
        .commands()
        .into_iter()
        .map(|command| match command {
            TransportCommand::AddRemoteCandidate { username_fragment, .. } => username_fragment,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(generations, [Some(old.clone()), Some(new.clone()), Some(new.clone())]);

    // A discarded generation is refused.
    b.set_remote(rollback()).unwrap();
    let error = b.add_candidate(Some(of(&new, "10104"))).unwrap_err();
    assert_eq!(error.name(), "OperationError");
    b.add_candidate(Some(of(&old, "10105"))).unwrap();
}

/// Without a restart both descriptions represent the generation.
#[test]
fn a_candidate_goes_into_both_descriptions_if_both_represent_it() {
    let (mut a, mut b) = connected();
    b.set_remote(a.create_offer()).unwrap();
    b.add_candidate(Some(candidate("0"))).unwrap();
    for description in
        [b.session.current_remote_description(), b.session.pending_remote_description()]
    {
        assert!(description.unwrap().sdp().contains(CANDIDATE));
    }
}

/// id 5 of the recommendation: no error, and nothing for the transport.
#[test]
fn a_prohibited_candidate_resolves_and_goes_nowhere() {
    let (_, mut b) = connected();
    b.add_candidate(Some(RTCIceCandidateInit {
        candidate: CANDIDATE.replace("10100", "25"),
        ..candidate("0")
    }))
    .unwrap();
    assert_eq!(b.commands(), []);
    assert!(b.remote().sdp().contains("203.0.113.100 25 typ host"));

    let mdns = RTCIceCandidateInit {
        candidate: CANDIDATE.replace("203.0.113.100", "a3c8.local"),
        ..candidate("0")
    };
    b.add_candidate(Some(mdns.clone())).unwrap();
    assert_eq!(b.commands().len(), 1);
    let relay = Configuration {
        ice_transport_policy: RTCIceTransportPolicy::Relay,
        ..b.session.configuration().clone()
    };
    b.session.set_configuration(relay).unwrap();
    b.add_candidate(Some(mdns)).unwrap();
    assert_eq!(b.commands(), []);
}

/// Webrtc-pc §4.4.2 step 4.4, for what is rejected: there is nothing to add to.
#[test]
fn a_candidate_for_a_rejected_section_resolves() {
    let mut peer = Peer::new(1);
    peer.set_remote(audio_and_data()).unwrap();
    peer.set_local_implicitly().unwrap();
    peer.add_candidate(Some(candidate("a1"))).unwrap();
    assert!(!peer.remote().sdp().contains("a=candidate"));
    peer.add_candidate(Some(candidate("d1"))).unwrap();
    assert!(remote_section(&peer, 1).contains(CANDIDATE));
}

#[test]
fn a_section_takes_only_so_many_candidates() {
    let (_, mut b) = connected();
    let mut refused = 0;
    for port in 0..1002 {
        let init = RTCIceCandidateInit {
            candidate: CANDIDATE.replace("10100", &(20000 + port).to_string()),
            ..candidate("0")
        };
        if let Err(error) = b.add_candidate(Some(init)) {
            assert_eq!(error.name(), "OperationError");
            refused += 1;
        }
    }
    assert_eq!(refused, 2);
    b.add_candidate(None).unwrap();
}

/// WPT RTCPeerConnection-candidate-in-sdp: "localDescription contains candidates"
#[test]
fn a_local_candidate_goes_into_the_descriptions_of_its_generation() {
    let (mut a, mut b) = connected();
    let transport = TransportId(1);
    let old = ufrag(&a.local());
    let candidate: sdp::Candidate = CANDIDATE.parse().unwrap();
    let init = a.session.surface_a_candidate(transport, &old, &candidate).unwrap();
    assert_eq!(
        init,
        RTCIceCandidateInit {
            candidate: CANDIDATE.into(),
            sdp_mid: Some("0".into()),
            sdp_mline_index: Some(0),
            username_fragment: Some(old.clone()),
        }
    );
    let offer = a.create_restart_offer();
    a.set_local(offer).unwrap();
    let new = ufrag(&a.local());
    let later: sdp::Candidate = CANDIDATE.replace("10100", "10101").parse().unwrap();
    a.session.surface_a_candidate(transport, &new, &later).unwrap();
    let ended = a.session.finish_gathering(transport, &old).unwrap();
    assert_eq!((ended.candidate.as_str(), ended.username_fragment), ("", Some(old.clone())));
    let current = a.session.current_local_description().unwrap();
    let pending = a.session.pending_local_description().unwrap();
    assert!(current.sdp().contains(" 10100 ") && !current.sdp().contains(" 10101 "));
    assert!(pending.sdp().contains(" 10101 ") && !pending.sdp().contains(" 10100 "));
    assert!(current.sdp().contains("a=end-of-candidates"));
    assert!(!pending.sdp().contains("a=end-of-candidates"));

    // A generation that is gone has nowhere to go to.
    a.set_local(rollback()).unwrap();
    assert_eq!(a.session.surface_a_candidate(transport, &new, &later), None);
    assert_eq!(a.session.finish_gathering(transport, &new), None);
    assert_eq!(a.session.surface_a_candidate(TransportId(7), &old, &later), None);
    // RFC 9429 §5.2.2: a later offer of the same generation has what was gathered.
    let offer = a.create_offer();
    assert!(offer.sdp.contains(" 10100 ") && offer.sdp.contains("a=end-of-candidates"));
    assert!(
        offer.sdp.contains("m=application 10100 ") && offer.sdp.contains("c=IN IP4 203.0.113.100")
    );
    a.set_local(offer).unwrap();
    b.set_remote(a.local()).unwrap();
    assert!(b.commands().iter().any(|c| matches!(c, TransportCommand::AddRemoteCandidate { .. })));

    a.session.close();
    assert_eq!(a.session.surface_a_candidate(transport, &old, &candidate), None);
}

/// WPT RTCPeerConnection-canTrickleIceCandidates
#[test]
fn can_trickle_ice_candidates_says_what_the_remote_description_says() {
    let mut a = Peer::with_channel(1);
    assert_eq!(a.session.can_trickle_ice_candidates(), None);
    let offer = Peer::with_channel(2).create_offer();
    a.set_remote(offer.clone()).unwrap();
    assert_eq!(a.session.can_trickle_ice_candidates(), Some(true));
    let without = RTCSessionDescriptionInit {
        sdp: offer.sdp.replace("a=ice-options:trickle ice2\r\n", ""),
        ..offer
    };
    a.set_remote(without.clone()).unwrap();
    assert_eq!(a.session.can_trickle_ice_candidates(), Some(false));
    assert_eq!(attribute(&a.create_answer().sdp, "ice-options"), None, "RFC 9429 §5.3.1");
    let session_level = RTCSessionDescriptionInit {
        sdp: without.sdp.replace("t=0 0\r\n", "t=0 0\r\na=ice-options:trickle ice2\r\n"),
        ..without
    };
    a.set_remote(session_level).unwrap();
    assert_eq!(a.session.can_trickle_ice_candidates(), Some(true));
    a.set_remote(rollback()).unwrap();
    assert_eq!(a.session.can_trickle_ice_candidates(), None);
}

/// RFC 8839 §5.1: a line with an address of an unknown form is ignored, wherever it has it. It stays
/// in the text, and the others count.
#[test]
fn a_candidate_of_an_unknown_address_form_is_ignored_in_a_description() {
    let good = "a=candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host\r\n";
    for unknown in [
        "a=candidate:2 1 udp 2113929471 fe80::1%eth0 10100 typ host\r\n",
        "a=candidate:2 1 udp 2113929471 [2001:db8::1] 10100 typ host\r\n",
        "a=candidate:2 1 udp 1 198.51.100.1 10100 typ srflx raddr fe80::1%eth0 rport 1\r\n",
    ] {
        let offer = Peer::with_channel(1).create_offer();
        let sdp = offer.sdp + unknown + good;
        let mut b = Peer::new(2);
        b.set_remote(RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp: sdp.clone() })
            .unwrap();
        assert_eq!(b.remote().sdp(), sdp);
        b.set_local_implicitly().unwrap();
        let added: Vec<_> = b
            .commands()
            .into_iter()
            .filter_map(|command| match command {
                TransportCommand::AddRemoteCandidate { candidate, .. } => Some(candidate.address),
                _ => None,
            })
            .collect();
        assert_eq!(added, ["203.0.113.100"], "{unknown}");
    }
    // What is no candidate at all is no description.
    let offer = Peer::with_channel(1).create_offer();
    let sdp = offer.sdp + "a=candidate:2 1 udp 1 198.51.100.1 typ host\r\n";
    let error =
        Peer::new(2).set_remote(RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp });
    assert_eq!(error.unwrap_err().name(), "OperationError");
}
