//! webrtc-pc §4.7.3 step 5; WPT RTCPeerConnection-onnegotiationneeded for media.

use super::*;

/// After the exchange of an audio transceiver of `a`, with nothing left to do.
fn negotiated(direction: RTCRtpTransceiverDirection) -> (Peer, Peer, TransceiverId) {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    let id = a.add_transceiver(MediaKind::Audio, direction);
    assert_eq!(a.run(), ["negotiationneeded"], "step 5.2");
    exchange(&mut a, &mut b);
    a.run();
    b.run();
    assert!(!a.session.check_if_negotiation_is_needed());
    assert!(!b.session.check_if_negotiation_is_needed());
    (a, b, id)
}

/// Says whether it has fired, exactly once, and checks that the slot says the same.
fn fires(peer: &mut Peer) -> bool {
    let fired = peer.run();
    assert_eq!(
        peer.session.negotiation_needed.is_set(),
        peer.session.check_if_negotiation_is_needed()
    );
    assert!(fired.is_empty() || fired == ["negotiationneeded"], "{fired:?}");
    !fired.is_empty()
}

#[test]
fn a_transceiver_that_is_stopping_is_needed_until_it_is_stopped() {
    let (mut a, mut b, id) = negotiated(Sendrecv);
    a.session.stop(id).unwrap();
    assert!(fires(&mut a), "step 5.1");
    exchange(&mut a, &mut b);
    a.run();
    b.run();
    assert!(!a.session.negotiation_needed.is_set() && !b.session.negotiation_needed.is_set());
    assert!(!fires(&mut a) && !fires(&mut b));
}

#[test]
fn streams_are_needed_by_those_that_send() {
    let (mut a, _, id) = negotiated(Sendrecv);
    a.session.set_streams(id, &streams(&["s"])).unwrap();
    assert!(fires(&mut a), "step 5.3.1");
    let (mut a, _, id) = negotiated(Recvonly);
    a.session.set_streams(id, &streams(&["s"])).unwrap();
    assert!(!fires(&mut a));
}

/// Step 5.3.2: the description of the offerer is the offer.
#[test]
fn the_offerer_needs_what_neither_the_offer_nor_the_answer_says() {
    let (mut a, _, id) = negotiated(Sendrecv);
    // The answer is recvonly at b, which is sendonly here.
    a.session.set_direction(id, Sendonly).unwrap();
    assert!(!fires(&mut a));
    a.session.set_direction(id, Recvonly).unwrap();
    assert!(fires(&mut a));
    a.session.set_direction(id, Sendrecv).unwrap();
    assert!(!fires(&mut a), "what was wished for is there again");
}

/// Step 5.3.3: the description of the answerer is the answer.
#[test]
fn the_answerer_needs_what_the_offer_allows_and_the_answer_does_not_say() {
    let (_, mut b, _) = negotiated(Recvonly);
    let there = b.only();
    assert_eq!(b.slots(there).direction(), Recvonly);
    b.session.set_direction(there, Inactive).unwrap();
    assert!(!fires(&mut b), "the offer sends nothing");

    let (mut a, mut b, _) = negotiated(Sendonly);
    let there = b.only();
    b.session.set_direction(there, Inactive).unwrap();
    assert!(fires(&mut b));
    exchange(&mut a, &mut b);
    a.run();
    b.run();

    let (_, mut b, _) = negotiated(Sendrecv);
    let there = b.only();
    b.add_track(1, MediaKind::Audio, &[]);
    assert_eq!(b.only(), there);
    assert!(fires(&mut b));
}

/// What changes an answer before it is made is not needed after it.
#[test]
fn what_the_answer_has_taken_up_is_not_needed() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.add_transceiver(MediaKind::Audio, Sendrecv);
    offer(&mut a, &mut b);
    b.run();
    b.add_track(1, MediaKind::Audio, &["s"]);
    assert!(b.run().is_empty(), "it is not stable");
    b.set_local_implicitly().unwrap();
    assert!(!b.run().contains(&"negotiationneeded".to_owned()));
    assert!(!b.session.negotiation_needed.is_set());
}
