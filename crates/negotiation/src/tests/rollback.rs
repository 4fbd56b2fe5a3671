//! webrtc-pc §4.4.1.4 for rollbacks; WPT RTCPeerConnection-setLocalDescription-rollback and
//! -setRemoteDescription-rollback.

use super::*;
use RTCSignalingState::*;

/// Everything a rollback is to bring back.
fn slots(peer: &Peer) -> impl PartialEq + std::fmt::Debug + use<> {
    let session = &peer.session;
    (
        session.signaling_state(),
        session.current_local_description(),
        session.current_remote_description(),
        session.pending_local_description(),
        session.pending_remote_description(),
        session.sctp.transport().cloned(),
        session.can_trickle_ice_candidates(),
        session.ice_restart.is_due(),
    )
}

/// "setLocalDescription(rollback) from have-local-offer state should reset back to stable state";
/// w3c/webrtc-pc#1470: either method rolls back.
#[test]
fn a_local_offer_is_rolled_back_by_either_method() {
    for by_remote in [false, true] {
        let mut peer = Peer::with_channel(1);
        let before = slots(&peer);
        peer.set_local_implicitly().unwrap();
        peer.run();
        let result =
            if by_remote { peer.set_remote(rollback()) } else { peer.set_local(rollback()) };
        assert_eq!(result, Ok(Outcome::Undefined));
        assert_eq!(slots(&peer), before);
        assert_eq!(
            peer.run(),
            ["signalingstatechange:stable", "#1:ok", "negotiationneeded"],
            "the channel still needs negotiation"
        );
    }
}

/// "setRemoteDescription(rollback) in have-remote-offer state should revert to stable state"
#[test]
fn a_remote_offer_is_rolled_back_by_either_method() {
    for by_remote in [false, true] {
        let mut peer = Peer::new(1);
        let before = slots(&peer);
        peer.set_remote(Peer::with_channel(2).create_offer()).unwrap();
        assert_ne!(slots(&peer), before);
        let result =
            if by_remote { peer.set_remote(rollback()) } else { peer.set_local(rollback()) };
        assert_eq!(result, Ok(Outcome::Undefined));
        assert_eq!(slots(&peer), before);
        assert_eq!(
            peer.run(),
            [
                "signalingstatechange:have-remote-offer",
                "#0:ok",
                "signalingstatechange:stable",
                "#1:ok"
            ]
        );
    }
}

/// "setRemoteDescription(rollback) should ignore invalid sdp content and succeed"
#[test]
fn the_content_of_a_rollback_is_ignored() {
    let mut peer = Peer::with_channel(1);
    peer.set_local_implicitly().unwrap();
    let nonsense = RTCSessionDescriptionInit {
        type_: RTCSdpType::Rollback,
        sdp: "!<Invalid SDP Content>;".into(),
    };
    peer.set_local(nonsense.clone()).unwrap();
    peer.set_local_implicitly().unwrap();
    peer.set_remote(nonsense).unwrap();
    assert_eq!(peer.state(), Stable);
}

/// "setRemoteDescription(rollback) from stable state should reject with InvalidStateError";
/// webrtc-pc §4.4.1.4 step 2: at once, and after a provisional answer as well.
#[test]
fn there_is_nothing_to_roll_back_in_stable_or_after_a_provisional_answer() {
    let refused = |peer: &mut Peer| {
        let state = peer.state();
        peer.checkpoint();
        for operation in [
            peer.session.set_local_description(Some(rollback().into())),
            peer.session.set_remote_description(rollback()),
        ] {
            peer.checkpoint();
            assert_eq!(peer.settled[&operation].as_ref().unwrap_err().name(), "InvalidStateError");
        }
        assert_eq!(peer.state(), state);
    };
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    refused(&mut a);
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    let pranswer = RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..answer };
    b.set_local(pranswer.clone()).unwrap();
    a.set_remote(pranswer).unwrap();
    refused(&mut a);
    refused(&mut b);
}

/// "local offer created before setRemoteDescription(remote offer) then rollback should still be
/// usable"
#[test]
fn an_offer_created_before_is_usable_after() {
    let mut a = Peer::with_channel(1);
    let offer = a.create_offer();
    a.set_remote(Peer::with_channel(2).create_offer()).unwrap();
    a.set_remote(rollback()).unwrap();
    a.set_local(offer.clone()).unwrap();
    assert_eq!(a.local().sdp(), offer.sdp);
}

/// "setRemoteDescription with remote offer implicitly rolls back": stable is visited, and
/// negotiationneeded does not fire there.
#[test]
fn a_remote_offer_rolls_a_local_offer_back_by_way_of_stable() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::with_channel(2));
    a.set_local_implicitly().unwrap();
    a.run();
    let offered = a.session.set_remote_description(b.create_offer());
    assert_eq!(
        a.run(),
        [
            "signalingstatechange:stable".to_owned(),
            "signalingstatechange:have-remote-offer".to_owned(),
            format!("#{}:ok", offered.0),
        ]
    );
    assert_eq!(a.session.pending_local_description(), None);
    let answered = a.session.set_local_description(None);
    assert_eq!(
        a.run(),
        ["signalingstatechange:stable".to_owned(), format!("#{}:ok", answered.0)],
        "b's offer has a data section, so nothing is needed"
    );
}

/// WPT RTCPeerConnection-SLD-SRD-timing: "setLocalDescription and setRemoteDescription are not racy"
#[test]
fn set_local_and_set_remote_are_not_racy() {
    let mut peer = Peer::with_channel(1);
    let offer = peer.create_offer();
    peer.run();
    peer.session.set_local_description(Some(offer.clone().into()));
    peer.session.set_remote_description(offer);
    assert_eq!(
        peer.run(),
        [
            "signalingstatechange:have-local-offer",
            "#1:ok",
            "signalingstatechange:stable",
            "signalingstatechange:have-remote-offer",
            "#2:ok",
        ]
    );
}

/// WPT: "invalid remote offer does not undo the rollback"
#[test]
fn an_invalid_remote_offer_does_not_undo_the_rollback() {
    let mut peer = Peer::with_channel(1);
    peer.set_local_implicitly().unwrap();
    peer.run();
    let nonsense = RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp: "v=1\r\n".into() };
    assert_eq!(peer.set_remote(nonsense).unwrap_err().name(), "OperationError");
    assert_eq!(peer.state(), Stable);
    assert_eq!(
        peer.run(),
        ["signalingstatechange:stable", "#1:OperationError", "negotiationneeded"]
    );
}

/// webrtc-pc §4.4.2 setRemoteDescription step 3.1.1: after a provisional answer the inner rollback
/// is refused, and so is the offer.
#[test]
fn a_remote_offer_is_refused_after_a_provisional_answer() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    let pranswer = RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..answer.clone() };
    a.set_remote(pranswer.clone()).unwrap();
    b.set_local(pranswer).unwrap();
    let offer = Peer::with_channel(3).create_offer();
    for peer in [&mut a, &mut b] {
        let state = peer.state();
        assert_eq!(peer.set_remote(offer.clone()).unwrap_err().name(), "InvalidStateError");
        assert_eq!(peer.state(), state);
    }
    a.set_remote(answer.clone()).unwrap();
    b.set_local(answer).unwrap();
}

/// "Implicit rollback with only a datachannel works"
#[test]
fn a_channel_survives_an_implicit_rollback() {
    let (mut a, mut b) = (Peer::new(1), Peer::with_channel(2));
    b.set_local_implicitly().unwrap();
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    assert_eq!(b.state(), HaveRemoteOffer);
    assert_eq!(b.session.sctp.transport(), None, "a offered no data");
    b.set_local_implicitly().unwrap();
    assert!(b.run().contains(&"negotiationneeded".to_owned()));
    b.set_local_implicitly().unwrap();
    assert!(b.local().sdp().contains("m=application"));
    assert_eq!(b.channel, []);
}

/// id 58 of the recommendation: `[[SctpTransport]]` is visible with the offer and taken back.
#[test]
fn the_sctp_transport_comes_with_the_offer_and_goes_with_the_rollback() {
    let mut a = Peer::with_channel(1);
    a.set_local_implicitly().unwrap();
    let transport = TransportId(1);
    assert!(a.commands().contains(&TransportCommand::CreateSctp { transport: Some(transport) }));
    a.set_local(rollback()).unwrap();
    assert_eq!(
        a.commands(),
        [TransportCommand::DestroySctp, TransportCommand::Destroy { transport }]
    );

    let mut b = Peer::new(2);
    b.set_remote(a.create_offer()).unwrap();
    assert_eq!(b.commands(), [TransportCommand::CreateSctp { transport: None }]);
    b.set_remote(rollback()).unwrap();
    assert_eq!(b.commands(), [TransportCommand::DestroySctp]);

    let (mut a, _) = connected();
    let sctp = a.session.sctp.transport().cloned();
    assert!(sctp.is_some());
    a.set_local_implicitly().unwrap();
    a.set_local(rollback()).unwrap();
    assert_eq!(a.session.sctp.transport().cloned(), sctp);
    assert_eq!(a.commands(), [], "nothing had changed, so nothing is undone");
}

/// A restart that is rolled back leaves the transports as they were.
#[test]
fn a_restart_is_taken_back_from_the_transports() {
    let (mut a, mut b) = connected();
    let before = slots(&a);
    let offer = a.create_restart_offer();
    a.set_local(offer).unwrap();
    b.set_remote(a.local()).unwrap();
    let transport = TransportId(1);
    assert!(matches!(a.commands()[..], [TransportCommand::SetLocalParameters { .. }]));
    assert!(matches!(b.commands()[..], [TransportCommand::SetRemoteParameters { .. }]));
    a.set_local(rollback()).unwrap();
    b.set_remote(rollback()).unwrap();
    assert_eq!(a.commands(), [TransportCommand::Rollback { transport }]);
    assert_eq!(b.commands(), [TransportCommand::Rollback { transport }]);
    assert_eq!(slots(&a), before);
    exchange(&mut a, &mut b);
    assert_ne!(slots(&a), before, "a new version of the same");
    assert_eq!(a.commands(), [TransportCommand::Commit { transport }]);
}

/// The peer withdraws its restart by offering what it had before.
#[test]
fn an_offer_with_the_old_credentials_withdraws_a_restart() {
    let (mut a, mut b) = connected();
    let restart = a.create_restart_offer();
    b.set_remote(restart).unwrap();
    assert!(matches!(b.commands()[..], [TransportCommand::SetRemoteParameters { .. }]));
    let plain = a.create_offer();
    b.set_remote(plain).unwrap();
    assert_eq!(b.commands(), [TransportCommand::Rollback { transport: TransportId(1) }]);
}

/// webrtc-pc §4.4.1.4 steps 4.7.11.1.1 and 4.7.11.1.2: of the same offer set again, the answer is
/// for the transceiver there is, not for the one that was there when it was created.
#[test]
fn an_answer_created_before_is_for_the_transceiver_of_the_same_offer_after() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.transceiver(MediaKind::Audio);
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let before = b.session.transceivers().next().unwrap();
    let answer = b.create_answer();
    b.set_local(rollback()).unwrap();
    b.set_remote(a.local()).unwrap();
    b.set_local(answer).unwrap();
    a.set_remote(b.local()).unwrap();
    let after = b.session.transceivers().next().unwrap();
    assert_ne!(before, after);
    let transceiver = b.session.transceiver(after).unwrap();
    assert_eq!(transceiver.current_direction(), Some(RTCRtpTransceiverDirection::Recvonly));
    assert!(transceiver.sender_transport().is_some());
    let removed = b.session.transceiver(before).unwrap();
    assert_eq!((removed.mid(), removed.sender_transport()), (None, None));
}

/// The offerer has rolled back, and offers the section under another mid. RFC 9429 §5.10: nothing
/// stays associated with a section that there is not.
#[test]
fn an_offer_that_replaces_another_leaves_no_transceiver_to_the_mid_of_its_section() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let stopped = a.transceiver(MediaKind::Audio);
    exchange(&mut a, &mut b);
    a.session.stop(stopped).unwrap();
    exchange(&mut a, &mut b);
    b.transceiver(MediaKind::Audio);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let offer = b.create_offer();
        b.set_local(offer.clone()).unwrap();
        let mid = attribute(&offer.sdp, "mid").expect("a mid");
        a.set_remote(offer).unwrap();
        let transceivers = a.session.transceivers();
        let mids: Vec<_> = transceivers
            .filter_map(|id| a.session.transceiver(id)?.mid().map(str::to_owned))
            .collect();
        assert_eq!(mids, [mid.as_str()]);
        seen.push(mid);
        b.set_local(rollback()).unwrap();
    }
    assert_ne!(seen[0], seen[1], "a mid is not used again");
}
