//! webrtc-pc §4.4.2 restartIce; the cases of WPT RTCPeerConnection-restartIce and
//! RTCPeerConnection-restartIce-onnegotiationneeded. Most of them run for both ways to negotiate,
//! with createOffer() and without.

use super::bundle::with_a_stopped_first_section;
use super::*;

const NEGOTIATION_NEEDED: &str = "negotiationneeded";

fn fires_negotiation_needed(peer: &mut Peer) -> bool {
    peer.run().iter().any(|entry| entry == NEGOTIATION_NEEDED)
}

/// Sets what the signaling state calls for, with `createOffer()` and `createAnswer()` or without.
fn set_local(peer: &mut Peer, explicitly: bool) {
    let created = match peer.state() {
        _ if !explicitly => None,
        RTCSignalingState::HaveRemoteOffer => Some(peer.create_answer()),
        _ => Some(peer.create_offer()),
    };
    match created {
        Some(description) => peer.set_local(description).unwrap(),
        None => peer.set_local_implicitly().unwrap(),
    };
}

/// Two peers, their way to negotiate, and their username fragments before the restart.
struct Story {
    a: Peer,
    b: Peer,
    explicitly: bool,
    before: (String, String),
}

impl Story {
    fn offer(&mut self) {
        set_local(&mut self.a, self.explicitly);
    }

    fn answer(&mut self) {
        self.b.set_remote(self.a.local()).unwrap();
        set_local(&mut self.b, self.explicitly);
    }

    fn accept(&mut self) {
        self.a.set_remote(self.b.local()).unwrap();
    }

    fn exchange(&mut self) {
        self.offer();
        self.answer();
        self.accept();
    }

    fn take_an_offer_of_b(&mut self) {
        set_local(&mut self.b, self.explicitly);
        self.a.set_remote(self.b.local()).unwrap();
    }

    /// The answer of a, which b gets first.
    fn answer_to_b(&mut self) {
        let answer = self.a.create_answer();
        self.b.set_remote(answer).unwrap();
        self.a.set_local(self.b.remote()).unwrap();
    }

    fn needs_negotiation(&mut self) -> bool {
        fires_negotiation_needed(&mut self.a)
    }

    fn request(&mut self) {
        self.a.session.restart_ice();
        assert!(self.needs_negotiation());
    }

    fn assert_not_restarted(&self) {
        assert_eq!(ufrags(&self.a, &self.b), self.before);
    }

    fn assert_restarted(&mut self) {
        assert_restarted(&mut self.a, &self.b, &self.before);
    }

    /// a asks for negotiation, and the next exchange is the restart.
    fn assert_due(&mut self) {
        assert!(self.needs_negotiation());
        self.exchange();
        self.assert_restarted();
    }

    /// The next exchange restarts nothing.
    fn assert_done(&mut self) {
        let restarted = ufrags(&self.a, &self.b);
        self.exchange();
        assert_eq!(ufrags(&self.a, &self.b), restarted);
    }
}

/// Tells a story for both ways to negotiate. It begins with these peers.
fn with_both(peers: impl Fn() -> (Peer, Peer), story: impl Fn(&mut Story)) {
    for explicitly in [true, false] {
        let (a, b) = peers();
        story(&mut Story { a, b, explicitly, before: Default::default() });
    }
}

/// Tells a story that begins after the first exchange.
fn with_both_connected(story: impl Fn(&mut Story)) {
    with_both(connected, |peers| {
        peers.before = ufrags(&peers.a, &peers.b);
        story(peers);
    });
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
    with_both(
        || (Peer::with_channel(1), Peer::new(2)),
        |peers| {
            peers.a.session.restart_ice();
            peers.exchange();
            assert!(!peers.needs_negotiation());
        },
    );
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
    with_both_connected(|peers| {
        peers.exchange();
        peers.assert_not_restarted();
        peers.request();
        peers.exchange();
        peers.assert_restarted();
        peers.assert_done();
    });
}

/// "restartIce() retains dtls transports"
#[test]
fn it_retains_dtls_transports() {
    with_both_connected(|peers| {
        peers.a.session.restart_ice();
        peers.exchange();
        for peer in [&mut peers.a, &mut peers.b] {
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
    with_both_connected(|peers| {
        peers.offer();
        peers.a.session.restart_ice();
        peers.answer();
        assert!(!peers.needs_negotiation());
        peers.accept();
        peers.assert_not_restarted();
        peers.assert_due();
    });
}

/// "restartIce() works in initial have-local-offer"
#[test]
fn it_works_in_initial_have_local_offer() {
    with_both(
        || (Peer::with_channel(1), Peer::new(2)),
        |peers| {
            peers.offer();
            peers.a.session.restart_ice();
            peers.answer();
            peers.accept();
            peers.before = ufrags(&peers.a, &peers.b);
            peers.assert_due();
        },
    );
}

/// "restartIce() works in have-remote-offer"
#[test]
fn it_works_in_have_remote_offer() {
    with_both_connected(|peers| {
        peers.take_an_offer_of_b();
        peers.a.session.restart_ice();
        peers.answer_to_b();
        // An answer does not restart by itself.
        peers.assert_not_restarted();
        peers.assert_due();
    });
}

/// "restartIce() does nothing in initial have-remote-offer"
#[test]
fn it_does_nothing_in_initial_have_remote_offer() {
    with_both(
        || (Peer::new(1), Peer::with_channel(2)),
        |peers| {
            peers.take_an_offer_of_b();
            peers.a.session.restart_ice();
            peers.answer_to_b();
            assert!(!peers.needs_negotiation());
        },
    );
}

/// "restartIce() survives remote offer"
#[test]
fn it_survives_a_remote_offer() {
    with_both_connected(|peers| {
        peers.request();
        exchange_end_on_second(&mut peers.b, &mut peers.a);
        peers.assert_not_restarted();
        peers.assert_due();
    });
}

/// "restartIce() is satisfied by remote ICE restart"
#[test]
fn it_is_satisfied_by_a_remote_restart() {
    with_both_connected(|peers| {
        peers.b.session.restart_ice();
        peers.request();
        exchange_end_on_second(&mut peers.b, &mut peers.a);
        peers.assert_restarted();
        peers.assert_done();
        assert!(!peers.needs_negotiation());
    });
}

/// "restartIce() trumps {iceRestart: false}"
#[test]
fn it_trumps_ice_restart_false() {
    with_both_connected(|peers| {
        peers.request();
        let offer = peers.a.create_offer();
        peers.a.set_local(offer).unwrap();
        peers.answer();
        peers.accept();
        peers.assert_restarted();
    });
}

/// "restartIce() survives rollback"
#[test]
fn it_survives_rollback() {
    with_both_connected(|peers| {
        peers.request();
        peers.offer();
        peers.a.set_local(rollback()).unwrap();
        peers.assert_due();
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

/// An answer restarts nothing by itself (RFC 9429 §5.3.1), not even if a section that takes the first
/// place of its group gets another transport: what was asked for is left to the next offer.
#[test]
fn another_transport_with_the_same_credentials_is_no_restart() {
    let ask: fn(&mut Peer) = |peer| peer.session.restart_ice();
    let change_servers: fn(&mut Peer) = |peer| {
        let server =
            RTCIceServer { urls: vec!["stun:stun.example.net".into()], ..Default::default() };
        let configuration = peer.session.configuration().clone();
        let configuration = Configuration { ice_servers: vec![server], ..configuration };
        peer.session.set_configuration(configuration).unwrap();
    };
    for restart in [ask, change_servers] {
        let (mut a, mut b) = with_a_stopped_first_section();
        let before = ufrags(&a, &b);
        restart(&mut b);
        b.commands();
        a.transceiver(MediaKind::Audio);
        exchange(&mut a, &mut b);
        assert_eq!(ufrags(&a, &b), before);
        let is_new =
            |command: &TransportCommand| matches!(command, TransportCommand::Create { .. });
        assert!(b.commands().iter().any(is_new));
        assert!(b.session.ice_restart.is_due());
        exchange(&mut b, &mut a);
        assert_restarted(&mut a, &b, &before);
        assert!(!b.session.ice_restart.is_due());
    }
}
