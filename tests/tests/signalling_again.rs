//! Signalling is lost in the middle of a negotiation, and comes back.

use std::time::Duration;

use peerconnection::{PerfectNegotiation, RTCPeerConnection, RTCSignalingState};
use testkit::{Pair, Signalling};

/// New signalling between two peers, on which both negotiate as before.
fn connect_again(pair: &Pair) {
    let (to_b, to_a) = Signalling::pair(&pair.handle().stage(), Duration::from_millis(20));
    for (pc, polite, signalling) in [(&pair.a, false, to_b), (&pair.b, true, to_a)] {
        let negotiation = PerfectNegotiation::new(pc, polite)
            .on_error(|error| panic!("an error of the negotiation: {error}"));
        pair.handle().spawn(async move { drop(negotiation.run(signalling).await) });
    }
}

fn ufrag(pc: &RTCPeerConnection) -> String {
    let description = pc.current_local_description().unwrap();
    let line = description.sdp().lines().find(|line| line.starts_with("a=ice-ufrag:"));
    line.unwrap().to_owned()
}

/// `a` restarts ICE while nobody carries its offer.
fn offer_in_vain() -> Pair {
    let (mut pair, ..) = Pair::connected(1);
    pair.stop_negotiating();
    pair.a.restart_ice();
    let a = pair.a.clone();
    pair.world.run(async move { a.set_local_description(None).await }).unwrap();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(pair.a.signaling_state(), RTCSignalingState::HaveLocalOffer);
    pair
}

#[test]
fn an_offer_that_was_lost_is_sent_again() {
    let mut pair = offer_in_vain();
    let before = [&pair.a, &pair.b].map(ufrag);
    connect_again(&pair);
    pair.world.run_for(Duration::from_secs(5));
    assert_eq!(pair.a.signaling_state(), RTCSignalingState::Stable);
    let after = [&pair.a, &pair.b].map(ufrag);
    assert!(before[0] != after[0] && before[1] != after[1], "both have restarted");
    assert_eq!(pair.a.connection_state().as_str(), "connected");
}

#[test]
fn an_answer_that_was_lost_is_made_again() {
    let mut pair = offer_in_vain();
    let (a, b) = (pair.a.clone(), pair.b.clone());
    pair.world.run(async move {
        b.set_remote_description(a.local_description()).await.unwrap();
        b.set_local_description(None).await.unwrap();
    });
    pair.world.run_for(Duration::from_secs(1));
    connect_again(&pair);
    pair.world.run_for(Duration::from_secs(5));
    for pc in [&pair.a, &pair.b] {
        assert_eq!(pc.signaling_state(), RTCSignalingState::Stable);
        assert_eq!(pc.ice_connection_state().as_str(), "completed");
    }
    // Both go on: the next restart succeeds as well.
    let before = ufrag(&pair.b);
    pair.b.restart_ice();
    pair.world.run_for(Duration::from_secs(5));
    assert_ne!(before, ufrag(&pair.b));
}
