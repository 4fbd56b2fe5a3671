use super::*;
use crate::signaling::{Side, state_after};

use RTCSdpType::*;
use RTCSignalingState::*;

/// RFC 9429 §3.2, webrtc-pc §4.3.1: all edges there are, and no other.
#[test]
fn every_edge_of_the_state_machine_is_declared_and_every_other_is_refused() {
    let edges = [
        (Stable, Side::Local, Offer, HaveLocalOffer),
        (HaveLocalOffer, Side::Local, Offer, HaveLocalOffer),
        (HaveRemoteOffer, Side::Local, Pranswer, HaveLocalPranswer),
        (HaveLocalPranswer, Side::Local, Pranswer, HaveLocalPranswer),
        (HaveRemoteOffer, Side::Local, Answer, Stable),
        (HaveLocalPranswer, Side::Local, Answer, Stable),
        (HaveLocalOffer, Side::Local, Rollback, Stable),
        (HaveRemoteOffer, Side::Local, Rollback, Stable),
        (Stable, Side::Remote, Offer, HaveRemoteOffer),
        (HaveRemoteOffer, Side::Remote, Offer, HaveRemoteOffer),
        (HaveLocalOffer, Side::Remote, Pranswer, HaveRemotePranswer),
        (HaveRemotePranswer, Side::Remote, Pranswer, HaveRemotePranswer),
        (HaveLocalOffer, Side::Remote, Answer, Stable),
        (HaveRemotePranswer, Side::Remote, Answer, Stable),
        (HaveLocalOffer, Side::Remote, Rollback, Stable),
        (HaveRemoteOffer, Side::Remote, Rollback, Stable),
    ];
    for from in
        [Stable, HaveLocalOffer, HaveRemoteOffer, HaveLocalPranswer, HaveRemotePranswer, Closed]
    {
        for side in [Side::Local, Side::Remote] {
            for type_ in [Offer, Pranswer, Answer, Rollback] {
                let declared = edges
                    .iter()
                    .find(|edge| (edge.0, edge.1, edge.2) == (from, side, type_))
                    .map(|edge| edge.3);
                match state_after(from, side, type_) {
                    Ok(to) => assert_eq!(Some(to), declared, "{from} {side:?} {type_}"),
                    Err(error) => {
                        assert_eq!(declared, None, "{from} {side:?} {type_}");
                        assert_eq!(error.name(), "InvalidStateError");
                    }
                }
            }
        }
    }
}

/// WPT RTCPeerConnection-setLocalDescription-pranswer, -setRemoteDescription-pranswer: provisional
/// answers may follow each other, and an answer follows them.
#[test]
fn provisional_answers_repeat_until_the_answer() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    let pranswer = RTCSessionDescriptionInit { type_: Pranswer, ..answer.clone() };

    b.set_local(pranswer.clone()).unwrap();
    assert_eq!(b.state(), HaveLocalPranswer);
    assert_eq!(b.session.pending_local_description().unwrap().type_(), Pranswer);
    assert_eq!(b.session.current_local_description(), None);
    b.set_local(pranswer.clone()).unwrap();
    b.set_local(answer.clone()).unwrap();

    a.set_remote(pranswer.clone()).unwrap();
    assert_eq!(a.state(), HaveRemotePranswer);
    assert_eq!(a.session.pending_remote_description().unwrap().type_(), Pranswer);
    a.set_remote(pranswer).unwrap();
    a.set_remote(answer).unwrap();

    for peer in [&mut a, &mut b] {
        assert_eq!(peer.state(), Stable);
        assert_eq!(peer.session.pending_local_description(), None);
        assert_eq!(peer.session.pending_remote_description(), None);
    }
    assert_eq!(
        b.run(),
        [
            "signalingstatechange:have-remote-offer",
            "#0:ok",
            "#1:ok",
            "signalingstatechange:have-local-pranswer",
            "#2:ok",
            "#3:ok",
            "signalingstatechange:stable",
            "#4:ok",
        ]
    );
}

/// WPT RTCPeerConnection-setRemoteDescription-offer: "setRemoteDescription with offer while in
/// have-remote-offer".
#[test]
fn an_offer_may_follow_an_offer_without_an_event() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    let first = a.create_offer();
    let second = a.create_offer();
    assert_ne!(first.sdp, second.sdp);
    b.set_remote(first).unwrap();
    b.set_remote(second.clone()).unwrap();
    assert_eq!(b.remote().sdp(), second.sdp);
    assert_eq!(b.run(), ["signalingstatechange:have-remote-offer", "#0:ok", "#1:ok"]);
    // and the last one is the one that is answered
    a.set_local(second).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
}

#[test]
fn the_types_that_do_not_fit_the_state_are_refused_in_a_task() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::with_channel(2));
    let offer = b.create_offer();
    let answer = RTCSessionDescriptionInit { type_: Answer, ..offer.clone() };
    let operation = a.session.set_remote_description(answer);
    a.checkpoint();
    assert!(!a.settled.contains_key(&operation), "step 4.6 is a task");
    assert_eq!(a.settle(operation).unwrap_err().name(), "InvalidStateError");
    assert_eq!(a.state(), Stable);
}
