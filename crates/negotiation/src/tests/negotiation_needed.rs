//! webrtc-pc §4.7.3; WPT RTCPeerConnection-onnegotiationneeded.

use super::*;

/// "Creating first data channel should fire negotiationneeded event", "calling createDataChannel
/// twice should fire negotiationneeded event once"
#[test]
fn the_first_channel_needs_negotiation_and_the_second_does_not() {
    let mut peer = Peer::new(1);
    peer.channel("first");
    assert!(peer.log.is_empty(), "it is a task");
    assert_eq!(peer.run(), ["negotiationneeded"]);
    peer.channel("second");
    assert_eq!(peer.run(), Vec::<String>::new());
}

#[test]
fn a_channel_that_is_refused_needs_nothing() {
    let mut peer = Peer::new(1);
    let init = RTCDataChannelInit { negotiated: true, ..Default::default() };
    peer.session.create_data_channel("dc", &init).unwrap_err();
    assert_eq!(peer.run(), Vec::<String>::new());
    peer.channel("dc");
    assert_eq!(peer.run(), ["negotiationneeded"]);
}

#[test]
fn nothing_is_needed_without_anything_to_negotiate() {
    let mut peer = Peer::new(1);
    peer.set_local_implicitly().unwrap();
    let mut other = Peer::new(2);
    other.set_remote(peer.local()).unwrap();
    other.set_local_implicitly().unwrap();
    peer.set_remote(other.local()).unwrap();
    assert!(!peer.run().contains(&"negotiationneeded".to_owned()));
    assert!(!other.run().contains(&"negotiationneeded".to_owned()));
}

/// "negotiationneeded event should not fire if signaling state is not stable", "should fire only
/// after signaling state goes back to stable after setRemoteDescription", "should fire only after
/// signalingstatechange event fires"
#[test]
fn what_comes_up_during_negotiation_is_needed_after_it() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    b.set_remote(a.local()).unwrap();
    b.set_local_implicitly().unwrap();
    a.run();
    a.channel("dc");
    assert_eq!(a.run(), Vec::<String>::new());
    let answered = a.session.set_remote_description(b.local().into());
    assert_eq!(
        a.run(),
        [
            "signalingstatechange:stable".to_owned(),
            format!("#{}:ok", answered.0),
            "negotiationneeded".to_owned(),
        ]
    );
}

/// WPT RTCPeerConnection-operations: "Negotiationneeded only fires once operations chain is empty"
#[test]
fn it_fires_once_the_chain_is_empty() {
    let (mut a, mut b) = (Peer::new(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    let offered = b.session.set_remote_description(a.local().into());
    let answered = b.session.set_local_description(None);
    b.channel("dc");
    assert_eq!(
        b.run(),
        [
            "signalingstatechange:have-remote-offer".to_owned(),
            format!("#{}:ok", offered.0),
            "signalingstatechange:stable".to_owned(),
            format!("#{}:ok", answered.0),
            "negotiationneeded".to_owned(),
        ]
    );
}

/// A task that is queued while the chain is empty looks again when it runs.
#[test]
fn it_is_looked_at_again_when_the_task_runs() {
    let mut peer = Peer::new(1);
    peer.channel("dc");
    peer.session.set_local_description(None);
    assert_eq!(peer.run(), ["signalingstatechange:have-local-offer", "#0:ok"]);
}

/// WPT RTCPeerConnection-operations: "Operations queue not vulnerable to recursion by chained
/// negotiationneeded"
#[test]
fn a_handler_that_negotiates_is_not_called_again_for_the_same_need() {
    let mut peer = Peer::new(1);
    peer.channel("dc");
    let mut fired = 0;
    for _ in 0..20 {
        peer.step();
        if peer.log.iter().any(|entry| entry == "negotiationneeded") {
            fired += 1;
            peer.log.clear();
            peer.session.set_local_description(None);
        }
    }
    assert_eq!(fired, 1);
    assert_eq!(peer.state(), RTCSignalingState::HaveLocalOffer);
}

/// The peer opened the only channel there is: this side has created none.
#[test]
fn a_channel_of_the_peer_needs_nothing() {
    let (_, mut b) = connected();
    b.session.add_remote_data_channel(1).unwrap();
    assert_eq!(b.run(), Vec::<String>::new());
    assert!(!b.session.check_if_negotiation_is_needed());
}
