//! `setLocalDescription()` without arguments; WPT RTCPeerConnection-setLocalDescription-parameterless.

use super::*;
use RTCSignalingState::*;

#[test]
fn it_offers_in_stable() {
    let mut peer = Peer::with_channel(1);
    peer.set_local_implicitly().unwrap();
    assert_eq!(peer.state(), HaveLocalOffer);
    assert_eq!(peer.session.pending_local_description().unwrap().type_(), RTCSdpType::Offer);
    assert_eq!(peer.run(), ["signalingstatechange:have-local-offer", "#0:ok"]);
}

#[test]
fn it_offers_again_in_have_local_offer() {
    let mut peer = Peer::with_channel(1);
    peer.set_local_implicitly().unwrap();
    let first = peer.local();
    peer.set_local_implicitly().unwrap();
    assert_eq!(peer.state(), HaveLocalOffer);
    assert_eq!(ufrag(&peer.local()), ufrag(&first), "RFC 9429 §5.2.2: the credentials stay");
    assert_eq!(peer.run(), ["signalingstatechange:have-local-offer", "#0:ok", "#1:ok"]);
}

#[test]
fn it_answers_in_have_remote_offer() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    b.set_remote(a.create_offer()).unwrap();
    b.set_local_implicitly().unwrap();
    assert_eq!(b.state(), Stable);
    assert_eq!(b.session.current_local_description().unwrap().type_(), RTCSdpType::Answer);
}

#[test]
fn it_answers_in_have_local_pranswer() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    b.set_remote(a.create_offer()).unwrap();
    let pranswer =
        RTCLocalSessionDescriptionInit { type_: Some(RTCSdpType::Pranswer), sdp: String::new() };
    b.set_local(pranswer).unwrap();
    assert_eq!(b.state(), HaveLocalPranswer, "type pranswer creates an answer, too");
    let provisional = ufrag(&b.local());
    b.set_local_implicitly().unwrap();
    assert_eq!(b.state(), Stable);
    assert_eq!(ufrag(&b.local()), provisional);
}

/// webrtc-pc §4.4.2 step 4.1: the type is offer, which `createOffer()` refuses here.
#[test]
fn it_is_refused_in_have_remote_pranswer() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    a.set_remote(RTCSessionDescriptionInit { type_: RTCSdpType::Pranswer, ..answer.clone() })
        .unwrap();
    assert_eq!(a.state(), HaveRemotePranswer);
    assert_eq!(a.set_local_implicitly().unwrap_err().name(), "InvalidStateError");
    assert_eq!(a.state(), HaveRemotePranswer);
    a.set_remote(answer).unwrap();
    assert_eq!(a.state(), Stable);
}

/// "Parameterless SLD() uses [[LastCreatedOffer]] if it is still valid"
#[test]
fn the_last_created_offer_is_used_while_it_is_accurate() {
    let mut peer = Peer::with_channel(1);
    let offer = peer.create_offer();
    peer.set_local_implicitly().unwrap();
    assert_eq!(peer.local().sdp(), offer.sdp);
}

/// "Parameterless SLD() uses [[LastCreatedAnswer]] if it is still valid"
#[test]
fn the_last_created_answer_is_used_while_it_is_accurate() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    b.set_remote(a.create_offer()).unwrap();
    let answer = b.create_answer();
    b.set_local_implicitly().unwrap();
    assert_eq!(b.local().sdp(), answer.sdp);
}

#[test]
fn an_offer_that_lacks_what_was_added_since_is_not_used() {
    let mut peer = Peer::new(1);
    let offer = peer.create_offer();
    assert!(!offer.sdp.contains("m="));
    peer.channel("dc");
    peer.set_local_implicitly().unwrap();
    assert!(peer.local().sdp().contains("m=application"));
}

#[test]
fn an_answer_to_another_offer_is_not_used() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    b.set_remote(Peer::new(3).create_offer()).unwrap();
    b.create_answer();
    b.set_remote(a.create_offer()).unwrap();
    b.set_local_implicitly().unwrap();
    assert!(b.local().sdp().contains("m=application 9 "));
}

/// webrtc-pc §4.4.2 steps 4.2 and 4.3
#[test]
fn a_changed_description_is_refused() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    let offer = a.create_offer();
    let changed = |description: &RTCSessionDescriptionInit| RTCSessionDescriptionInit {
        sdp: description.sdp.replace("a=sctp-port:5000", "a=sctp-port:5001"),
        ..description.clone()
    };
    assert_eq!(a.set_local(changed(&offer)).unwrap_err().name(), "InvalidModificationError");
    a.set_local(offer).unwrap();
    b.set_remote(a.local()).unwrap();
    let answer = b.create_answer();
    assert_eq!(b.set_local(changed(&answer)).unwrap_err().name(), "InvalidModificationError");
    let offer_as_answer =
        RTCSessionDescriptionInit { type_: RTCSdpType::Answer, ..a.local().into() };
    assert_eq!(b.set_local(offer_as_answer).unwrap_err().name(), "InvalidModificationError");
    b.set_local(answer.clone()).unwrap();
    a.set_remote(answer.clone()).unwrap();
    assert_eq!(
        b.set_local(answer).unwrap_err().name(),
        "InvalidModificationError",
        "[[LastCreatedAnswer]] is empty once the exchange is complete"
    );
}
