//! webrtc-pc §4.4.2 restartIce; the cases of WPT RTCPeerConnection-restartIce and
//! RTCPeerConnection-restartIce-onnegotiationneeded. Each of them runs for both ways to negotiate,
//! with createOffer() and without.

use super::*;

const NEGOTIATION_NEEDED: &str = "negotiationneeded";

fn fires_negotiation_needed(peer: &mut Peer) -> bool {
    peer.run().iter().any(|entry| entry == NEGOTIATION_NEEDED)
}

/// How the local side makes its descriptions.
#[derive(Clone, Copy)]
struct Negotiator {
    explicit: bool,
}

impl Negotiator {
    fn set_offer(self, peer: &mut Peer) {
        if self.explicit {
            let offer = peer.create_offer();
            peer.set_local(offer).unwrap();
        } else {
            peer.set_local_implicitly().unwrap();
        }
    }

    fn set_answer(self, peer: &mut Peer) {
        if self.explicit {
            let answer = peer.create_answer();
            peer.set_local(answer).unwrap();
        } else {
            peer.set_local_implicitly().unwrap();
        }
    }

    fn exchange(self, offerer: &mut Peer, answerer: &mut Peer) {
        self.set_offer(offerer);
        answerer.set_remote(offerer.local()).unwrap();
        self.set_answer(answerer);
        offerer.set_remote(answerer.local()).unwrap();
    }
}

fn with_both(story: impl Fn(Negotiator)) {
    for explicit in [true, false] {
        story(Negotiator { explicit });
    }
}

fn ufrags(a: &Peer, b: &Peer) -> (String, String) {
    (ufrag(&a.local()), ufrag(&b.local()))
}

/// After a restart both sides have new credentials, and nothing more is needed.
fn assert_restarted(a: &mut Peer, b: &Peer, before: &(String, String)) {
    let (now_a, now_b) = ufrags(a, b);
    assert_ne!(now_a, before.0);
    assert_ne!(now_b, before.1);
    assert!(!fires_negotiation_needed(a));
}

/// "restartIce() does not trigger negotiation ahead of initial negotiation"
#[test]
fn it_does_not_trigger_negotiation_ahead_of_initial_negotiation() {
    let mut a = Peer::new(1);
    a.session.restart_ice();
    assert_eq!(a.run(), Vec::<String>::new());
    a.channel("dc");
    assert_eq!(a.run(), [NEGOTIATION_NEEDED]);
}

/// "restartIce() has no effect on initial negotiation"
#[test]
fn it_has_no_effect_on_initial_negotiation() {
    with_both(|negotiator| {
        let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
        a.session.restart_ice();
        negotiator.exchange(&mut a, &mut b);
        assert!(!fires_negotiation_needed(&mut a));
    });
}

/// "restartIce() fires negotiationneeded after initial negotiation"
#[test]
fn it_fires_negotiationneeded_after_initial_negotiation() {
    let (mut a, _) = connected();
    a.session.restart_ice();
    assert_eq!(a.run(), [NEGOTIATION_NEEDED]);
    a.session.restart_ice();
    assert_eq!(a.run(), Vec::<String>::new(), "the flag is set already");
}

/// "restartIce() causes fresh ufrags"
#[test]
fn it_causes_fresh_ufrags() {
    with_both(|negotiator| {
        let (mut a, mut b) = connected();
        let before = ufrags(&a, &b);
        negotiator.exchange(&mut a, &mut b);
        assert_eq!(ufrags(&a, &b), before, "control");

        a.session.restart_ice();
        assert!(fires_negotiation_needed(&mut a));
        negotiator.exchange(&mut a, &mut b);
        assert_restarted(&mut a, &b, &before);

        let restarted = ufrags(&a, &b);
        negotiator.exchange(&mut a, &mut b);
        assert_eq!(ufrags(&a, &b), restarted);
    });
}

/// "restartIce() retains dtls transports"
#[test]
fn it_retains_dtls_transports() {
    with_both(|negotiator| {
        let (mut a, mut b) = connected();
        a.session.restart_ice();
        negotiator.exchange(&mut a, &mut b);
        for peer in [&mut a, &mut b] {
            let commands = peer.commands();
            assert!(!commands.iter().any(|command| matches!(
                command,
                TransportCommand::Create { .. }
                    | TransportCommand::Destroy { .. }
                    | TransportCommand::StartDtls { .. }
                    | TransportCommand::CreateSctp { .. }
                    | TransportCommand::StartSctp { .. }
                    | TransportCommand::DestroySctp
            )));
            assert!(
                commands.iter().any(|command| matches!(command, TransportCommand::Commit { .. }))
            );
        }
    });
}

/// "restartIce() works in have-local-offer"
#[test]
fn it_works_in_have_local_offer() {
    with_both(|negotiator| {
        let (mut a, mut b) = connected();
        let before = ufrags(&a, &b);
        negotiator.set_offer(&mut a);
        a.session.restart_ice();
        b.set_remote(a.local()).unwrap();
        negotiator.set_answer(&mut b);
        assert!(!fires_negotiation_needed(&mut a));
        a.set_remote(b.local()).unwrap();
        assert_eq!(ufrags(&a, &b), before);
        assert!(fires_negotiation_needed(&mut a));
        negotiator.exchange(&mut a, &mut b);
        assert_restarted(&mut a, &b, &before);
    });
}

/// "restartIce() works in initial have-local-offer"
#[test]
fn it_works_in_initial_have_local_offer() {
    with_both(|negotiator| {
        let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
        negotiator.set_offer(&mut a);
        a.session.restart_ice();
        b.set_remote(a.local()).unwrap();
        negotiator.set_answer(&mut b);
        a.set_remote(b.local()).unwrap();
        let before = ufrags(&a, &b);
        assert!(fires_negotiation_needed(&mut a));
        negotiator.exchange(&mut a, &mut b);
        assert_restarted(&mut a, &b, &before);
    });
}

/// "restartIce() works in have-remote-offer"
#[test]
fn it_works_in_have_remote_offer() {
    with_both(|negotiator| {
        let (mut a, mut b) = connected();
        let before = ufrags(&a, &b);
        negotiator.set_offer(&mut b);
        a.set_remote(b.local()).unwrap();
        a.session.restart_ice();
        let answer = a.create_answer();
        b.set_remote(answer).unwrap();
        a.set_local(b.remote()).unwrap();
        assert_eq!(ufrags(&a, &b), before, "an answer does not restart by itself");
        assert!(fires_negotiation_needed(&mut a));
        negotiator.exchange(&mut a, &mut b);
        assert_restarted(&mut a, &b, &before);
    });
}

/// "restartIce() does nothing in initial have-remote-offer"
#[test]
fn it_does_nothing_in_initial_have_remote_offer() {
    with_both(|negotiator| {
        let (mut a, mut b) = (Peer::new(1), Peer::with_channel(2));
        negotiator.set_offer(&mut b);
        a.set_remote(b.local()).unwrap();
        a.session.restart_ice();
        let answer = a.create_answer();
        b.set_remote(answer).unwrap();
        a.set_local(b.remote()).unwrap();
        assert!(!fires_negotiation_needed(&mut a));
    });
}

/// "restartIce() survives remote offer"
#[test]
fn it_survives_a_remote_offer() {
    with_both(|negotiator| {
        let (mut a, mut b) = connected();
        let before = ufrags(&a, &b);
        a.session.restart_ice();
        assert!(fires_negotiation_needed(&mut a));
        exchange_end_on_second(&mut b, &mut a);
        assert_eq!(ufrags(&a, &b), before, "nothing yet");
        assert!(fires_negotiation_needed(&mut a), "it fires again");
        negotiator.exchange(&mut a, &mut b);
        assert_restarted(&mut a, &b, &before);
    });
}

/// "restartIce() is satisfied by remote ICE restart"
#[test]
fn it_is_satisfied_by_a_remote_restart() {
    with_both(|negotiator| {
        let (mut a, mut b) = connected();
        let before = ufrags(&a, &b);
        a.session.restart_ice();
        b.session.restart_ice();
        assert!(fires_negotiation_needed(&mut a));
        exchange_end_on_second(&mut b, &mut a);
        assert_restarted(&mut a, &b, &before);
        let restarted = ufrags(&a, &b);
        negotiator.exchange(&mut a, &mut b);
        assert_eq!(ufrags(&a, &b), restarted);
        assert!(!fires_negotiation_needed(&mut a));
    });
}

/// "restartIce() trumps {iceRestart: false}"
#[test]
fn it_trumps_ice_restart_false() {
    with_both(|negotiator| {
        let (mut a, mut b) = connected();
        let before = ufrags(&a, &b);
        a.session.restart_ice();
        assert!(fires_negotiation_needed(&mut a));
        let offer = a.create_offer();
        a.set_local(offer).unwrap();
        b.set_remote(a.local()).unwrap();
        negotiator.set_answer(&mut b);
        a.set_remote(b.local()).unwrap();
        assert_restarted(&mut a, &b, &before);
    });
}

/// "restartIce() survives rollback"
#[test]
fn it_survives_rollback() {
    with_both(|negotiator| {
        let (mut a, mut b) = connected();
        let before = ufrags(&a, &b);
        a.session.restart_ice();
        assert!(fires_negotiation_needed(&mut a));
        negotiator.set_offer(&mut a);
        a.set_local(rollback()).unwrap();
        assert!(fires_negotiation_needed(&mut a));
        negotiator.exchange(&mut a, &mut b);
        assert_restarted(&mut a, &b, &before);
    });
}

/// "restartIce() survives remote offer containing partial restart": with one transport, a restart
/// is partial if it comes from before; here the peer answers with credentials of its own choice,
/// and only ours count.
#[test]
fn it_is_kept_until_none_of_the_credentials_is_left() {
    let (mut a, mut b) = connected();
    // a asks in have-local-offer of a restart: both the old and the new credentials are to go.
    let offer = a.create_restart_offer();
    a.set_local(offer).unwrap();
    a.session.restart_ice();
    assert_eq!(a.session.ice_restart.local_ice_credentials_to_replace().len(), 2);
    b.set_remote(a.local()).unwrap();
    b.set_local_implicitly().unwrap();
    a.run();
    a.set_remote(b.local()).unwrap();
    assert!(fires_negotiation_needed(&mut a), "the new ones are still there");
    let before = ufrags(&a, &b);
    exchange(&mut a, &mut b);
    assert!(a.session.ice_restart.local_ice_credentials_to_replace().is_empty());
    assert_restarted(&mut a, &b, &before);
}

/// "Negotiation needed when returning to stable does not fire too early"
#[test]
fn negotiationneeded_fires_in_a_task_behind_the_promise() {
    let (mut a, mut b) = (Peer::with_channel(1), Peer::new(2));
    a.set_local_implicitly().unwrap();
    a.session.restart_ice();
    b.set_remote(a.local()).unwrap();
    b.set_local_implicitly().unwrap();
    a.run();
    a.set_remote(b.local()).unwrap();
    assert!(!a.log.contains(&NEGOTIATION_NEEDED.to_owned()));
    assert_eq!(a.run(), ["signalingstatechange:stable", "#1:ok", NEGOTIATION_NEEDED]);
}

/// Field experience: an offer that is created and never applied must not use the request up.
#[test]
fn an_offer_that_is_dropped_does_not_use_the_request_up() {
    let (mut a, mut b) = connected();
    let before = ufrags(&a, &b);
    a.session.restart_ice();
    let dropped = a.create_offer();
    a.run();
    exchange(&mut a, &mut b);
    assert_ne!(attribute(&dropped.sdp, "ice-ufrag").unwrap(), before.0);
    assert_restarted(&mut a, &b, &before);
}

/// `createOffer({iceRestart: true})` restarts without a request, once.
#[test]
fn ice_restart_true_restarts_for_one_offer() {
    let (mut a, mut b) = connected();
    let before = ufrags(&a, &b);
    let offer = a.create_restart_offer();
    a.set_local(offer).unwrap();
    b.set_remote(a.local()).unwrap();
    b.set_local_implicitly().unwrap();
    a.set_remote(b.local()).unwrap();
    assert_restarted(&mut a, &b, &before);
    let restarted = ufrags(&a, &b);
    exchange(&mut a, &mut b);
    assert_eq!(ufrags(&a, &b), restarted);
}

/// Gathering begins when the description is applied, not when the restart is asked for.
#[test]
fn nothing_is_gathered_before_the_description_is_applied() {
    let (mut a, _) = connected();
    a.session.restart_ice();
    a.create_offer();
    a.run();
    assert_eq!(a.commands(), []);
    a.set_local_implicitly().unwrap();
    assert!(matches!(a.commands()[..], [TransportCommand::SetLocalParameters { .. }]));
}

/// RFC 9429 §4.1.18 and §3.5.1: changed servers make the next offer restart ICE, without any event.
#[test]
fn changed_servers_restart_with_the_next_offer() {
    let (mut a, mut b) = connected();
    let before = ufrags(&a, &b);
    let server = RTCIceServer { urls: vec!["stun:stun.example.net".into()], ..Default::default() };
    let configuration =
        Configuration { ice_servers: vec![server], ..a.session.configuration().clone() };
    a.session.set_configuration(configuration.clone()).unwrap();
    assert_eq!(a.run(), Vec::<String>::new());

    // It is still to be done after a rollback.
    a.set_local_implicitly().unwrap();
    assert_ne!(ufrag(&a.local()), before.0);
    a.set_local(rollback()).unwrap();
    exchange(&mut a, &mut b);
    assert_restarted(&mut a, &b, &before);

    // And it is done once.
    let restarted = ufrags(&a, &b);
    a.session.set_configuration(configuration).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!(ufrags(&a, &b), restarted);
}

#[test]
fn servers_that_change_before_gathering_restart_nothing() {
    let mut a = Peer::with_channel(1);
    let configuration = Configuration {
        ice_transport_policy: RTCIceTransportPolicy::Relay,
        ..a.session.configuration().clone()
    };
    a.session.set_configuration(configuration).unwrap();
    assert!(!a.session.ice_restart.is_due());
}
