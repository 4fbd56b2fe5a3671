//! Which sections share a transport: the BUNDLE policies of both sides, and what becomes of the
//! transports (RFC 9429 §4.1.1, RFC 9143).

use super::*;

fn peer(seed: u8, bundle_policy: RTCBundlePolicy) -> Peer {
    Peer::with(Configuration { bundle_policy, ..configuration(seed) }, seed)
}

/// Audio, video, video, data.
fn with_everything(bundle_policy: RTCBundlePolicy) -> Peer {
    let mut peer = peer(1, bundle_policy);
    for kind in [MediaKind::Audio, MediaKind::Video, MediaKind::Video] {
        peer.transceiver(kind);
    }
    peer.channel("dc");
    peer
}

/// What the sections of a description of this implementation say of their transport: an address of
/// their own, that of another section, or that they are bundle-only.
fn placements(sdp: &str) -> Vec<&'static str> {
    let description = sdp::Description::parse(sdp).unwrap();
    let place = |media: &sdp::Media| match (media.has_attribute("fingerprint"), media.port()) {
        (true, 9) => "own",
        (false, 9) => "shared",
        (false, 0) if media.is_bundle_only() => "bundle-only",
        (false, 0) => "rejected",
        other => panic!("{other:?}"),
    };
    description.media().iter().map(place).collect()
}

fn created(commands: &[TransportCommand]) -> usize {
    let create = |command: &&TransportCommand| matches!(command, TransportCommand::Create { .. });
    commands.iter().filter(create).count()
}

fn transports_of_candidates(commands: &[TransportCommand]) -> Vec<TransportId> {
    let transport = |command: &TransportCommand| match command {
        TransportCommand::AddRemoteCandidate { transport, .. } => Some(*transport),
        _ => None,
    };
    commands.iter().filter_map(transport).collect()
}

fn destroyed(commands: &[TransportCommand]) -> usize {
    let destroy = |command: &&TransportCommand| matches!(command, TransportCommand::Destroy { .. });
    commands.iter().filter(destroy).count()
}

/// The transports of all senders, in order.
fn transports(peer: &Peer) -> Vec<Option<TransportId>> {
    let of = |id| {
        let transceiver = peer.session.transceiver(id).unwrap();
        assert_eq!(transceiver.sender_transport(), transceiver.receiver_transport());
        transceiver.sender_transport()
    };
    peer.session.transceivers().map(of).collect()
}

/// RFC 9429 §5.2.1: which sections of an initial offer are bundle-only.
#[test]
fn the_policy_says_which_sections_have_an_address_of_their_own() {
    for (policy, expected) in [
        (RTCBundlePolicy::Balanced, ["own", "own", "bundle-only", "own"]),
        (RTCBundlePolicy::MaxCompat, ["own", "own", "own", "own"]),
        (RTCBundlePolicy::MaxBundle, ["own", "bundle-only", "bundle-only", "bundle-only"]),
    ] {
        let mut a = with_everything(policy);
        a.set_local_implicitly().unwrap();
        assert_eq!(placements(a.local().sdp()), expected, "{policy}");
        assert!(a.local().sdp().contains("a=group:BUNDLE 0 1 2 3\r\n"));
        let own = expected.iter().filter(|place| **place == "own").count();
        assert_eq!(created(&a.commands()), own, "{policy}");
        // Until there is an answer, a bundle-only section has the transport of the first one.
        let first = transports(&a)[0];
        assert_eq!(transports(&a)[2] == first, expected[2] != "own", "{policy}");
    }
}

/// RFC 9429 §5.11: "discard any ICE components for the m= sections that will be bundled".
#[test]
fn what_is_bundled_by_the_answer_leaves_one_transport() {
    for policy in [RTCBundlePolicy::Balanced, RTCBundlePolicy::MaxCompat] {
        let (mut a, mut b) = (with_everything(policy), Peer::new(2));
        exchange(&mut a, &mut b);
        assert_eq!(placements(b.local().sdp()), ["own", "shared", "shared", "shared"]);
        let (of_a, of_b) = (a.commands(), b.commands());
        assert_eq!(created(&of_a) - destroyed(&of_a), 1, "{policy}");
        assert_eq!((created(&of_b), destroyed(&of_b)), (1, 0), "{policy}");
        assert_eq!(transports(&a), [Some(TransportId(1)); 3]);
        assert_eq!(transports(&b), [Some(TransportId(1)); 3]);
        // RFC 9429 §5.2.2: nothing is bundle-only any more, and nothing is unbundled.
        a.transceiver(MediaKind::Audio);
        exchange(&mut a, &mut b);
        assert_eq!(placements(a.local().sdp()), ["own", "shared", "shared", "shared", "shared"]);
        assert_eq!(created(&a.commands()), 0);
        assert_eq!(transports(&b), [Some(TransportId(1)); 4]);
    }
}

fn without_bundle(description: RTCSessionDescription) -> RTCSessionDescriptionInit {
    let keep = |line: &&str| !line.starts_with("a=group:BUNDLE");
    let sdp = description.sdp().split_inclusive("\r\n").filter(keep).collect();
    RTCSessionDescriptionInit { type_: description.type_(), sdp }
}

/// An answerer that knows no BUNDLE: each section has its own transport for good.
#[test]
fn without_bundle_each_section_has_its_transport() {
    let mut a = with_everything(RTCBundlePolicy::MaxCompat);
    let mut b = peer(2, RTCBundlePolicy::MaxCompat);
    a.set_local_implicitly().unwrap();
    b.set_remote(without_bundle(a.local())).unwrap();
    b.set_local_implicitly().unwrap();
    assert_eq!(placements(b.local().sdp()), ["own"; 4]);
    assert!(!b.local().sdp().contains("a=group"));
    a.set_remote(b.local()).unwrap();
    let (of_a, of_b) = (a.commands(), b.commands());
    for commands in [&of_a, &of_b] {
        assert_eq!((created(commands), destroyed(commands)), (4, 0));
        let dtls = |c: &&TransportCommand| matches!(c, TransportCommand::StartDtls { .. });
        assert_eq!(commands.iter().filter(dtls).count(), 4);
    }
    let ids: std::collections::BTreeSet<_> = transports(&a).into_iter().flatten().collect();
    assert_eq!(ids.len(), 3);
    // Stopping one takes its transport down, and no other.
    let second = a.session.transceivers().nth(1).unwrap();
    a.session.stop(second).unwrap();
    a.set_local_implicitly().unwrap();
    b.set_remote(without_bundle(a.local())).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    assert_eq!((created(&a.commands()), destroyed(&b.commands())), (0, 1));
    assert_eq!(transports(&a).len(), 2);
}

/// RFC 9429 §5.3.1: what the policy of the answerer rejects, if the offer does not bundle.
#[test]
fn an_answerer_that_wants_bundle_rejects_what_is_not_bundled() {
    for (policy, accepted) in [
        (RTCBundlePolicy::MaxBundle, ["own", "rejected", "rejected", "rejected"]),
        (RTCBundlePolicy::Balanced, ["own", "own", "rejected", "own"]),
    ] {
        let (mut a, mut b) = (with_everything(RTCBundlePolicy::MaxCompat), peer(2, policy));
        a.set_local_implicitly().unwrap();
        b.set_remote(without_bundle(a.local())).unwrap();
        b.set_local_implicitly().unwrap();
        assert_eq!(placements(b.local().sdp()), accepted, "{policy}");
        a.set_remote(b.local()).unwrap();
        // A transceiver whose section is rejected is stopped, and gone.
        let alive = accepted[..3].iter().filter(|place| **place == "own").count();
        assert_eq!(a.session.transceivers().count(), alive);
    }
}

/// A provisional answer may bundle what the answer does not.
#[test]
fn transports_stay_until_the_answer_has_bundled_them() {
    let (mut a, mut b) = (with_everything(RTCBundlePolicy::MaxCompat), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    a.set_remote(RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..answer.clone() })
        .unwrap();
    assert_eq!(destroyed(&a.commands()), 0);
    assert_eq!(transports(&a), [Some(TransportId(1)); 3]);
    a.set_remote(answer).unwrap();
    assert_eq!(destroyed(&a.commands()), 3);
}

/// Browsers give a section that recycles the first place a transport of its own, and bundle the
/// others into it: the data channels go on over that one.
#[test]
fn data_channels_move_with_their_section() {
    let mut a = Peer::new(1);
    let (first, mut b) = (a.transceiver(MediaKind::Audio), Peer::new(2));
    a.channel("dc");
    exchange(&mut a, &mut b);
    a.session.stop(first).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!(placements(a.local().sdp()), ["rejected", "own"]);
    a.transceiver(MediaKind::Video);
    a.commands();
    exchange(&mut a, &mut b);
    let commands = a.commands();
    let at = |wanted: &TransportCommand| commands.iter().position(|command| command == wanted);
    let moved = at(&TransportCommand::MoveSctp { transport: TransportId(3) });
    let destroyed = at(&TransportCommand::Destroy { transport: TransportId(1) });
    assert!(moved.is_some() && moved < destroyed, "{commands:?}");
    assert!(!commands.iter().any(|c| matches!(c, TransportCommand::DestroySctp)));
    assert!(!commands.iter().any(|c| matches!(c, TransportCommand::StartSctp { .. })));
}

/// Two peers whose first section was stopped. Data is the only other one.
pub(super) fn with_a_stopped_first_section() -> (Peer, Peer) {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let first = a.transceiver(MediaKind::Audio);
    a.channel("dc");
    exchange(&mut a, &mut b);
    a.session.stop(first).unwrap();
    exchange(&mut a, &mut b);
    (a, b)
}

/// The description with other ICE credentials in its first section.
fn with_other_credentials(description: RTCSessionDescriptionInit) -> RTCSessionDescriptionInit {
    let mut sections: Vec<_> = description.sdp.split("m=").map(str::to_owned).collect();
    let kept = sections[1].split_inclusive("\r\n").filter(|line| !line.contains("=ice-"));
    sections[1] = kept.collect();
    sections[1] += "a=ice-ufrag:other\r\na=ice-pwd:other-than-those-of-the-group\r\n";
    RTCSessionDescriptionInit { sdp: sections.join("m="), ..description }
}

/// RFC 9429 §5.3.1: an answer has new ICE credentials if the offer has. A section that takes the
/// first place has a transport of its own. Firefox 153 offers it with the credentials of its group,
/// and refuses an answer with others; Chromium 156 offers it with new ones.
#[test]
fn a_recycled_first_section_keeps_the_credentials_that_the_peer_keeps() {
    type Edit = fn(RTCSessionDescriptionInit) -> RTCSessionDescriptionInit;
    let of_firefox: Edit = |offer| offer;
    for (edit, restarts, keeps) in [
        (of_firefox, false, true),
        (with_other_credentials as Edit, false, false),
        (of_firefox, true, false),
    ] {
        let (mut a, mut b) = with_a_stopped_first_section();
        a.transceiver(MediaKind::Audio);
        let (theirs, ours) = (ice(&a.local(), 1).unwrap(), ice(&b.local(), 1).unwrap());
        let offer = edit(if restarts { a.create_restart_offer() } else { a.create_offer() });
        b.set_remote(offer).unwrap();
        assert_eq!(ice(&b.remote(), 0).unwrap() == theirs, keeps);
        b.commands();
        // A provisional answer says the same as the answer.
        let provisional = b.create_answer();
        b.set_local(RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..provisional })
            .unwrap();
        let provisional = ice(&b.local(), 0).unwrap();
        b.set_local_implicitly().unwrap();
        let answer = b.local();
        assert_eq!(ice(&answer, 0).unwrap(), provisional);
        assert_eq!(ice(&answer, 1).unwrap(), provisional);
        assert_eq!(provisional == ours, keeps);
        // It is another transport, whatever its credentials are.
        let told = b.commands();
        assert_eq!((created(&told), destroyed(&told)), (1, 1));
        let given = |command: &TransportCommand| match command {
            TransportCommand::SetLocalParameters { transport, ice, .. } => {
                Some((*transport, ice.clone()))
            }
            _ => None,
        };
        assert_eq!(
            told.iter().filter_map(given).collect::<Vec<_>>(),
            [(TransportId(2), provisional)]
        );
        assert_eq!(transports(&b), [Some(TransportId(2))]);
    }
}

/// A rollback gives back the transports there were.
#[test]
fn a_rollback_destroys_the_transports_of_the_offer_alone() {
    let (mut a, mut b) = (peer(1, RTCBundlePolicy::MaxCompat), peer(2, RTCBundlePolicy::MaxCompat));
    a.transceiver(MediaKind::Audio);
    a.set_local_implicitly().unwrap();
    b.set_remote(without_bundle(a.local())).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    a.commands();
    a.transceiver(MediaKind::Video);
    a.set_local_implicitly().unwrap();
    assert_eq!(transports(&a), [Some(TransportId(1)), Some(TransportId(2))]);
    a.set_local(rollback()).unwrap();
    assert_eq!(transports(&a), [Some(TransportId(1)), None]);
    assert_eq!(a.commands().last(), Some(&TransportCommand::Destroy { transport: TransportId(2) }));
}

/// A section joins the BUNDLE group in an offer that is replaced by one without the sections which
/// the peer knows the transport by: the peer makes another transport for it, and so does this side.
#[test]
fn a_section_does_not_keep_a_transport_that_the_peer_drops() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let first = a.transceiver(MediaKind::Audio);
    exchange(&mut a, &mut b);
    let negotiated = a.session.transceiver(first).unwrap().sender_transport();
    let second = a.transceiver(MediaKind::Audio);
    a.set_local_implicitly().unwrap();
    let transport = |a: &Peer| a.session.transceiver(second).unwrap().sender_transport();
    assert_eq!(transport(&a), negotiated);
    a.session.stop(first).unwrap();
    exchange(&mut a, &mut b);
    assert_ne!(transport(&a), negotiated);
    // The other way round the roles are the same.
    exchange(&mut b, &mut a);
    exchange(&mut a, &mut b);
}

/// RFC 9143 §7.5.2, §7.5: an offer takes a section out of the group, tagged or not; it has an
/// address of its own then, and the group goes on with what it has.
#[test]
fn a_section_that_an_offer_takes_out_of_its_group_gets_a_transport_of_its_own() {
    for (out, group) in [(0, "1"), (1, "0")] {
        for restarts in [false, true] {
            let (mut a, mut b) = (Peer::new(1), Peer::new(2));
            a.transceiver(MediaKind::Audio);
            a.channel("dc");
            exchange(&mut a, &mut b);
            let shared = transports(&b)[0].unwrap();
            let ours = ice(&b.local(), 0).unwrap();
            let mut offer = if restarts { a.create_restart_offer() } else { a.create_offer() };
            // What the session part says stands for both sections; this one says something else.
            let bundled = offer.sdp.replace("BUNDLE 0 1", &format!("BUNDLE {group}"));
            let mut sections: Vec<_> = bundled.split("m=").map(str::to_owned).collect();
            let section = &mut sections[out + 1];
            *section =
                section.split_inclusive("\r\n").filter(|line| !line.contains("=ice-")).collect();
            *section += "a=ice-ufrag:apart\r\na=ice-pwd:apart-from-all-the-others\r\n";
            offer.sdp = sections.join("m=");
            b.commands();

            // It can be taken back.
            b.set_remote(offer.clone()).unwrap();
            b.set_remote(rollback()).unwrap();
            let told = b.commands();
            let begun = usize::from(restarts);
            let back = vec![TransportCommand::Rollback { transport: shared }; begun];
            assert!(told.ends_with(&back) && told.len() == 2 * begun, "{told:?}");
            let candidates = |b: &mut Peer, mid: usize| {
                b.add_candidate(Some(RTCIceCandidateInit {
                    candidate: "candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host".into(),
                    sdp_mid: Some(mid.to_string()),
                    ..Default::default()
                }))
                .unwrap();
                transports_of_candidates(&b.commands())
            };
            assert_eq!(candidates(&mut b, 0), [shared]);

            b.set_remote(offer).unwrap();
            assert_eq!(b.commands().len(), begun);
            assert_eq!(candidates(&mut b, out), [], "its transport comes with the answer");
            assert_eq!(candidates(&mut b, 1 - out), [shared]);
            b.set_local_implicitly().unwrap();
            let answer = b.local();
            assert!(answer.sdp().contains(&format!("a=group:BUNDLE {group}\r\n")));
            let own = ice(&answer, out).unwrap();
            assert_ne!(own, ours);
            assert_eq!(ice(&answer, 1 - out).unwrap() == ours, !restarts);
            let told = b.commands();
            assert!(!transports_of_candidates(&told).contains(&shared));
            assert_eq!(transports_of_candidates(&told).len(), 1);
            let remote: Vec<_> = told
                .iter()
                .filter_map(|command| match command {
                    TransportCommand::SetRemoteParameters { transport, ice, .. } => {
                        Some((*transport == shared, ice.clone()))
                    }
                    _ => None,
                })
                .collect();
            let apart = sdp::IceParameters {
                username_fragment: "apart".to_owned(),
                password: "apart-from-all-the-others".to_owned(),
            };
            assert_eq!(remote, [(false, apart)]);
            assert_eq!((created(&told), destroyed(&told)), (1, 0));
            let moved = told.iter().any(|c| matches!(c, TransportCommand::MoveSctp { .. }));
            assert_eq!(moved, out == 1, "data stay where the group is");
            assert_eq!(transports(&b)[0] == Some(shared), out == 1);
            // Nothing brings them together again by itself.
            assert_eq!(placements(&b.create_offer().sdp), ["own", "own"]);
        }
    }
}

/// A peer may leave them out of bundled sections, as RFC 9429 §5.3.1 has it, or have them in some.
/// Chromium repeats the ICE credentials in every section of an answer, but the fingerprint only where
/// the offer has one: not for sections that are bundle-only.
#[test]
fn a_bundled_section_of_an_answer_needs_nothing_of_its_own_even_if_it_has_some() {
    let mut a = with_everything(RTCBundlePolicy::MaxBundle);
    let mut b = Peer::new(2);
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let mut answer = b.create_answer();
    let ufrag = attribute(&answer.sdp, "ice-ufrag").unwrap();
    let password = attribute(&answer.sdp, "ice-pwd").unwrap();
    let all = |mid: &str| {
        format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=setup:active\r\na=mid:{mid}\r\n")
    };
    for (mid, left) in [("1", "a=setup:active\r\na=mid:1\r\n"), ("2", "a=mid:2\r\n")] {
        let changed = answer.sdp.replace(&all(mid), left);
        assert_ne!(changed, answer.sdp);
        answer.sdp = changed;
    }
    a.set_remote(answer).unwrap();
    let created = |command: &&TransportCommand| matches!(command, TransportCommand::Create { .. });
    assert_eq!(a.commands().iter().filter(created).count(), 1);
    assert_eq!(a.state(), RTCSignalingState::Stable);
}

/// Others cannot do without them in sections that are bundled, where RFC 9429 §5.2.1 does not allow
/// them: Chromium rejects a section without a fingerprint, and Firefox does not connect or says that
/// ICE was restarted. The fingerprint they find in the session part, and all of it stays what it is.
#[test]
fn every_section_has_credentials_fingerprint_and_role_from_the_first_offer_on() {
    use RTCBundlePolicy::{Balanced, MaxBundle, MaxCompat};
    for policy in [MaxBundle, Balanced, MaxCompat] {
        let (mut a, mut b) = (with_everything(policy), Peer::new(2));
        exchange(&mut a, &mut b);
        let first_offer = a.local();
        exchange(&mut b, &mut a);
        let answer = a.local();
        exchange(&mut a, &mut b);
        let later_offer = a.local();
        let credentials = ice(&first_offer, 0);
        for description in [first_offer, answer, later_offer] {
            let sdp = sdp::Description::parse(description.sdp()).unwrap();
            for (index, media) in sdp.media().iter().enumerate() {
                assert_eq!(sdp.ice_parameters(index), credentials, "{policy}");
                assert_eq!(sdp.fingerprints(index), [fingerprint(1)]);
                assert_eq!(media.attribute("setup"), sdp.setup(0).map(sdp::Setup::as_str));
                let ice = credentials.as_ref().unwrap();
                assert_eq!(media.attribute("ice-ufrag"), Some(ice.username_fragment.as_str()));
                assert_eq!(media.attribute("ice-pwd"), Some(ice.password.as_str()));
            }
        }
    }
}

fn ice(description: &RTCSessionDescription, index: usize) -> Option<sdp::IceParameters> {
    sdp::Description::parse(description.sdp()).unwrap().ice_parameters(index)
}

#[test]
fn a_restart_changes_the_credentials_of_every_section() {
    let (mut a, mut b) = (with_everything(RTCBundlePolicy::Balanced), Peer::new(2));
    exchange(&mut a, &mut b);
    let before = ice(&a.local(), 0);
    let restarted = a.create_restart_offer();
    let sdp = sdp::Description::parse(&restarted.sdp).unwrap();
    for index in 0..4 {
        assert_ne!(sdp.ice_parameters(index), before);
        assert_eq!(sdp.ice_parameters(index), sdp.ice_parameters(0));
    }
}

/// What is said of DTLS that may begin anew: our role in it, if it is known, or that it will not.
fn expectations(peer: &mut Peer) -> Vec<&'static str> {
    let said = |command: &TransportCommand| match command {
        TransportCommand::ExpectDtls { client: None, .. } => Some("expected"),
        TransportCommand::ExpectDtls { client: Some(true), .. } => Some("client"),
        TransportCommand::ExpectDtls { client: Some(false), .. } => Some("server"),
        TransportCommand::StopExpectingDtls { .. } => Some("not expected"),
        _ => None,
    };
    peer.commands().iter().filter_map(said).collect()
}

/// RFC 9143 §7.5.3: the transport goes on, described by the next section. Browsers begin another
/// one, with the same ICE credentials.
#[test]
fn dtls_may_begin_anew_when_the_section_that_describes_the_transport_is_rejected() {
    let (mut a, mut b) = (with_everything(RTCBundlePolicy::Balanced), Peer::new(2));
    exchange(&mut a, &mut b);
    assert_eq!((expectations(&mut a), expectations(&mut b)), (vec![], vec![]));
    let before = transports(&a)[1];

    // A section that does not describe it makes no difference.
    let [first, second] = [0, 1].map(|index| a.session.transceivers().nth(index).unwrap());
    a.session.stop(second).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!((expectations(&mut a), expectations(&mut b)), (vec![], vec![]));

    a.session.stop(first).unwrap();
    a.set_local_implicitly().unwrap();
    assert_eq!(expectations(&mut a), ["expected"]);
    a.set_local(rollback()).unwrap();
    assert_eq!(expectations(&mut a), ["not expected"]);
    exchange(&mut a, &mut b);
    assert_eq!(expectations(&mut a), ["expected", "server"]);
    assert_eq!(expectations(&mut b), ["expected", "client"]);
    assert_eq!(transports(&a)[0], before, "the next section goes on with it");
    exchange(&mut b, &mut a);
    assert_eq!((expectations(&mut a), expectations(&mut b)), (vec![], vec![]));
}

/// Chromium answers with the role of a new association, whatever the last one was.
#[test]
fn a_peer_that_begins_dtls_anew_may_take_the_other_role() {
    let (mut a, mut b) = (with_everything(RTCBundlePolicy::Balanced), Peer::new(2));
    exchange(&mut a, &mut b);
    let first = b.session.transceivers().next().unwrap();
    b.session.stop(first).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    a.set_local_implicitly().unwrap();
    // `b` was the client.
    let answer: RTCSessionDescriptionInit = a.local().into();
    assert!(answer.sdp.contains("a=setup:passive"));
    let sdp = answer.sdp.replace("a=setup:passive", "a=setup:active");
    b.commands();
    b.set_remote(RTCSessionDescriptionInit { sdp, ..answer }).unwrap();
    assert_eq!(expectations(&mut b), ["server"]);
    b.set_remote(a.create_offer()).unwrap();
    b.set_local_implicitly().unwrap();
    assert!(b.local().sdp().contains("a=setup:passive"), "the role that it has now");
}
