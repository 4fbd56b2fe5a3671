//! Browsers behind NATs and firewalls, with a peer of ours beyond them.

use std::time::Duration;

use peerconnection::RTCIceTransportPolicy;
use tests::browser::Browser;
use tests::namespaced::{Command, Setup, What, between, now};

use crate::call::{Call, Kind, Peer, is_connection};
use crate::internet::{Firewall, Internet, Nat};
use crate::server::Server;

macro_rules! in_each_browser {
    ($($test:ident,)*) => {
        mod chromium {
            $(
                #[test]
                #[ignore = "needs root, iproute2, nftables, coturn and Chromium"]
                fn $test() {
                    // Its page may not use camera and microphone: it hides its private addresses.
                    super::$test(super::Browser::ChromiumWithoutMedia);
                }
            )*
        }

        mod firefox {
            $(
                #[test]
                #[ignore = "needs root, iproute2, nftables, coturn and Firefox"]
                fn $test() {
                    super::$test(super::Browser::Firefox);
                }
            )*
        }
    };
}

in_each_browser! {
    port_restricted_nats_need_a_stun_server_alone,
    a_public_peer_is_reached_from_behind_a_symmetric_nat,
    symmetric_nats_need_a_turn_server,
    with_the_policy_relay_both_ends_are_relays,
    where_udp_does_not_get_out_tcp_does,
}

/// The types that the ends of the pair in use may have, as our side sees it.
struct Ends {
    local: &'static [&'static str],
    remote: &'static [&'static str],
    /// Whether Chromium may stay on the old path when we restart ICE. It does if its NAT gives each
    /// destination another port, and the new one is not better than that: see "Browsers" in
    /// spec-notes/deviations.md.
    chromium_may_stay: bool,
}

impl Ends {
    fn check(&self, call: &Call) {
        let pair = call.b.pair();
        assert!(self.local.contains(&&*pair.local.type_), "{pair:?}: {}", call.story());
        assert!(self.remote.contains(&&*pair.remote.type_), "{pair:?}: {}", call.story());
    }
}

/// No more than a browser loses where a dozen others start at once: on a quiet machine it stays
/// below 150 ms.
const SILENCE: Duration = Duration::from_secs(3);

/// A call of the browser, A, with a peer of ours, B, in which each side restarts ICE once.
fn call(internet: &Internet, browser: Browser, setup: &Setup, ends: &Ends) -> Call {
    let a = (&internet.a, Kind::Browser(browser), setup.clone());
    let call = Call::between(a, (&internet.b, Kind::Ours, setup.clone()));
    let took = call.connected();
    println!("{browser}: connected after {took:?}");
    call.flow(Duration::from_secs(1));
    ends.check(&call);
    for (name, peer) in [("B", &call.b), ("A", &call.a)] {
        let generations = call.peers().map(Peer::ufrag);
        let before = now();
        peer.tell(&Command::Restart);
        let new = call.peers().map(|peer| peer.negotiates(before));
        let [offered, answered] = new.map(|at| between(before, at));
        println!("{browser}: {name} restarts, descriptions after {offered:?} and {answered:?}");
        assert!(generations.iter().zip(call.peers()).all(|(old, peer)| *old != peer.ufrag()));
        // When it has asked for the restart, Chromium may stay in any case: see there as well.
        if browser == Browser::Firefox || name == "B" && !ends.chromium_may_stay {
            let is_new = |what: &What| matches!(what, What::Pair(Some(_)));
            let selected = call.b.until(before, "a new pair", is_new);
            println!("{browser}: a new pair after {:?}", between(before, selected));
        }
        call.flow(Duration::from_secs(1));
        let after = now();
        let heard = call.peers().map(|peer| peer.hears(after));
        let silences = call.peers().map(|peer| peer.silence(before));
        println!("{browser}: they hear each other in {heard:?}, the silences are {silences:?}");
        ends.check(&call);
        for peer in call.peers() {
            assert!(peer.silence(before) < SILENCE, "{}", call.story());
            assert!(!peer.has(0, |what| is_connection(what, "failed")), "{}", call.story());
        }
    }
    call
}

fn port_restricted_nats_need_a_stun_server_alone(browser: Browser) {
    let internet = Internet::new([Nat::PortRestricted; 2], Firewall::Open);
    let setup = internet.setup(vec![Server::stun()]);
    let ends =
        Ends { local: &["srflx", "prflx"], remote: &["srflx", "prflx"], chromium_may_stay: false };
    call(&internet, browser, &setup, &ends).finish();
}

/// We learn the browser's address from its checks.
fn a_public_peer_is_reached_from_behind_a_symmetric_nat(browser: Browser) {
    let internet = Internet::new([Nat::Symmetric, Nat::Missing], Firewall::Open);
    let setup = internet.setup(vec![Server::stun()]);
    let ends = Ends { local: &["host"], remote: &["prflx"], chromium_may_stay: true };
    call(&internet, browser, &setup, &ends).finish();
}

fn symmetric_nats_need_a_turn_server(browser: Browser) {
    let internet = Internet::new([Nat::Symmetric; 2], Firewall::Open);
    let setup = internet.setup(vec![Server::stun(), Server::turn()]);
    // One relay is enough, and which end has it is for the checks to say.
    let local = &["host", "srflx", "prflx", "relay"];
    let ends = Ends { local, remote: &["relay", "prflx"], chromium_may_stay: true };
    let call = call(&internet, browser, &setup, &ends);
    let pair = call.b.pair();
    assert!(
        [pair.local.type_, pair.remote.type_].contains(&"relay".to_owned()),
        "{}",
        call.story()
    );
    call.finish();
}

fn with_the_policy_relay_both_ends_are_relays(browser: Browser) {
    let internet = Internet::new([Nat::PortRestricted; 2], Firewall::Open);
    let mut setup = internet.setup(vec![Server::stun(), Server::turn()]);
    setup.configuration.ice_transport_policy = RTCIceTransportPolicy::Relay;
    let ends = Ends { local: &["relay"], remote: &["relay", "prflx"], chromium_may_stay: false };
    let call = call(&internet, browser, &setup, &ends);
    for peer in call.peers() {
        assert_eq!(relay_of(peer), ("relay".to_owned(), Some("udp".to_owned())));
    }
    call.finish();
}

fn where_udp_does_not_get_out_tcp_does(browser: Browser) {
    let internet = Internet::new([Nat::Symmetric; 2], Firewall::Tcp);
    let setup = internet.setup(vec![Server::stun(), Server::turn()]);
    let ends = Ends { local: &["relay"], remote: &["relay", "prflx"], chromium_may_stay: false };
    let call = call(&internet, browser, &setup, &ends);
    for peer in call.peers() {
        assert_eq!(relay_of(peer), ("relay".to_owned(), Some("tcp".to_owned())));
    }
    call.finish();
}

/// The type of the local candidate in use, and how its server is reached.
fn relay_of(peer: &Peer) -> (String, Option<String>) {
    let local = peer.pair().local;
    (local.type_, local.relay_protocol)
}
