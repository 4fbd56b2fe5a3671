//! webrtc-pc §4.4.1.2; WPT RTCPeerConnection-operations.

use super::*;

/// "createOffer must detect InvalidStateError synchronously when chain is empty" and its siblings
/// for createAnswer, setLocalDescription(rollback) and addIceCandidate.
#[test]
fn an_empty_chain_runs_the_first_steps_at_once() {
    let mut peer = Peer::new(1);
    let operation = peer.session.create_answer(RTCAnswerOptions {});
    peer.deliver_effects();
    assert_eq!(peer.settled[&operation].as_ref().unwrap_err().name(), "InvalidStateError");

    peer.checkpoint();
    let operation = peer.session.set_local_description(Some(rollback().into()));
    peer.deliver_effects();
    assert_eq!(peer.settled[&operation].as_ref().unwrap_err().name(), "InvalidStateError");

    peer.checkpoint();
    let operation = peer.session.add_ice_candidate(None);
    peer.deliver_effects();
    assert_eq!(peer.settled[&operation].as_ref().unwrap_err().name(), "InvalidStateError");

    peer.checkpoint();
    let offer = Peer::with_channel(2).create_offer();
    peer.set_remote(offer).unwrap();
    let operation = peer.session.create_offer(RTCOfferOptions::default());
    peer.deliver_effects();
    assert_eq!(peer.settled[&operation].as_ref().unwrap_err().name(), "InvalidStateError");
}

/// "createOffer uses operations chain" and its siblings.
#[test]
fn an_operation_waits_for_those_before_it() {
    let mut peer = Peer::with_channel(1);
    let first = peer.session.create_offer(RTCOfferOptions::default());
    let second = peer.session.create_answer(RTCAnswerOptions {});
    peer.deliver_effects();
    assert!(peer.settled.is_empty());
    assert_eq!(
        peer.run(),
        [format!("#{}:ok", first.0), format!("#{}:InvalidStateError", second.0)]
    );
}

/// "addIceCandidate chains onto SRD, fails before"
#[test]
fn a_candidate_that_is_added_behind_its_offer_finds_it() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    let offer = a.create_offer();
    assert_eq!(b.add_candidate(None).unwrap_err().name(), "InvalidStateError");
    let offered = b.session.set_remote_description(offer);
    let added = b.session.add_ice_candidate(None);
    assert_eq!(
        b.run(),
        [
            "#0:InvalidStateError".to_owned(),
            "signalingstatechange:have-remote-offer".to_owned(),
            format!("#{}:ok", offered.0),
            format!("#{}:ok", added.0),
        ]
    );
}

/// "Pack operations queue with implicit offer and answer"
#[test]
fn a_whole_negotiation_can_be_packed_into_the_chain() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    let type_ = |type_| RTCLocalSessionDescriptionInit { type_: Some(type_), sdp: String::new() };
    a.session.create_offer(RTCOfferOptions::default());
    a.session.set_local_description(Some(type_(RTCSdpType::Offer)));
    a.run();
    b.session.set_remote_description(a.local().into());
    b.session.create_answer(RTCAnswerOptions {});
    b.session.set_local_description(Some(type_(RTCSdpType::Answer)));
    b.run();
    a.set_remote(b.local()).unwrap();
    assert_eq!(a.state(), RTCSignalingState::Stable);
    assert_eq!(b.state(), RTCSignalingState::Stable);
}

/// The reactions of the application run before the next operation: what it chains in one finds
/// the chain not empty, and negotiationneeded does not come in between.
#[test]
fn the_next_operation_starts_behind_the_reactions_to_the_one_before() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::with_channel(2));
    a.set_local_implicitly().unwrap();
    a.run();
    // b has something of its own to negotiate when it is asked to answer.
    let offered = b.session.set_remote_description(a.local().into());
    while !b.settled.contains_key(&offered) {
        let Some(task) = b.queue.pop_front() else {
            b.deliver_effects();
            continue;
        };
        b.session.run_task(task);
        b.deliver_effects();
    }
    // The promise is settled, its microtasks are not run yet: this is the reaction.
    assert_eq!(b.session.operations.len(), 1);
    let answered = b.session.set_local_description(None);
    assert_eq!(b.session.operations.len(), 2);
    assert_eq!(b.settle(answered), Ok(Outcome::Undefined));
    assert_eq!(
        b.run(),
        [
            "signalingstatechange:have-remote-offer".to_owned(),
            format!("#{}:ok", offered.0),
            "signalingstatechange:stable".to_owned(),
            format!("#{}:ok", answered.0),
        ],
        "b's channel is part of what was negotiated, so nothing is needed"
    );
}

/// "Parameterless SLD() rejects with InvalidStateError if already closed"
#[test]
fn a_closed_connection_refuses_at_once() {
    let mut peer = Peer::with_channel(1);
    peer.session.close();
    for operation in [
        peer.session.create_offer(RTCOfferOptions::default()),
        peer.session.create_answer(RTCAnswerOptions {}),
        peer.session.set_local_description(None),
        peer.session.set_remote_description(rollback()),
        peer.session.add_ice_candidate(None),
    ] {
        peer.deliver_effects();
        assert_eq!(peer.settled[&operation].as_ref().unwrap_err().name(), "InvalidStateError");
    }
    let candidate = RTCIceCandidateInit { candidate: "candidate:".into(), ..Default::default() };
    let operation = peer.session.add_ice_candidate(Some(candidate));
    peer.deliver_effects();
    assert_eq!(
        peer.settled[&operation].as_ref().unwrap_err().name(),
        "TypeError",
        "step 3 comes before the chain"
    );
}

/// "Parameterless SLD() never settles if closed while pending"
#[test]
fn nothing_settles_or_fires_after_close() {
    let mut peer = Peer::with_channel(1);
    peer.session.set_local_description(None);
    peer.session.create_offer(RTCOfferOptions::default());
    peer.session.restart_ice();
    peer.deliver_effects();
    peer.session.close();
    assert_eq!(peer.run(), Vec::<String>::new());
    assert_eq!(peer.state(), RTCSignalingState::Closed);
    assert!(peer.session.is_closed());
    peer.session.close();
    peer.session.restart_ice();
    assert_eq!(peer.run(), Vec::<String>::new());
}

/// Closing in the handler of an event drops what the same task would still do.
#[test]
fn closing_in_a_handler_ends_the_task() {
    let mut peer = Peer::with_channel(1);
    peer.session.set_local_description(None);
    peer.deliver_effects();
    while let Some(task) = peer.queue.pop_front() {
        peer.session.run_task(task);
        while let Some(effect) = peer.session.poll_effect() {
            if matches!(effect, Effect::Fire(_)) {
                peer.session.close();
            }
            assert!(!matches!(effect, Effect::Settle { .. }));
        }
        while peer.session.run_microtask() {}
        peer.queue.extend(std::iter::from_fn(|| peer.session.poll_task()));
    }
    assert!(peer.session.is_closed());
}
