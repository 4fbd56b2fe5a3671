//! One side has IPv6 only, the other IPv4 only.

use super::*;

const OUTSIDE: &str = "198.51.100.1";
const INSIDE: &str = "10.0.0.1";
const V6: &str = "2001:db8:2::1";
const TURN_V6: &str = "[2001:db8::101]:3478";

/// `A` has IPv4 behind a NAT, `B` has IPv6.
fn unlike(seed: u64, relays: [Option<&str>; 2]) -> Network {
    let mut net = network(seed, &[&[INSIDE], &[V6]], false);
    let nat = net.add_nat(Nat::new(OUTSIDE, NatKind::PortRestricted));
    net.put_behind(nat, A, INSIDE);
    for peer in [A, B] {
        let relay = relays[peer].map(|at| {
            net.add_server(at);
            turn_at(at)
        });
        let servers = [stun()].into_iter().chain(relay).collect();
        net.agent(peer).set_servers(servers, TransportPolicy::All);
    }
    net
}

#[test]
fn without_a_relay_they_fail_when_their_patience_is_over() {
    for seed in seeds(0..20) {
        let name = format!("seed {seed}");
        let mut net = unlike(seed, [None, None]);
        let took = fail(&mut net, &name);
        // No pair is ever made.
        let due = net.signalling * 2 + Config::default().pac;
        assert!(took >= due - ms(20) && took <= due + ms(20), "{name}: {took:?}");
    }
}

/// RFC 8656 §7.1, ADDITIONAL-ADDRESS-FAMILY: over IPv6 both families are asked for.
#[test]
fn a_relay_that_the_side_with_ipv6_reaches_connects_them() {
    for seed in seeds(0..20) {
        for no_v6 in [false, true] {
            let name = format!("no IPv6 relayed {no_v6}, seed {seed}");
            let mut net = unlike(seed, [None, Some(TURN_V6)]);
            net.server(TURN_V6.parse().unwrap()).switches.no_v6 = no_v6;
            connect(&mut net, &name);
            let (local, _) = selected(&net, B);
            assert_eq!(local, CandidateKind::Relayed, "{name}");
            assert_eq!(selected(&net, A).1, CandidateKind::Relayed, "{name}");
        }
    }
}

#[test]
fn a_relay_without_an_address_of_the_other_family_does_not_help() {
    for seed in seeds(0..20) {
        let name = format!("seed {seed}");
        let mut net = unlike(seed, [None, Some(TURN_V6)]);
        let server = net.server(TURN_V6.parse().unwrap());
        server.switches.relayed = Some("[2001:db8::1]:50000".parse().unwrap());
        fail(&mut net, &name);
        // Over IPv4 the agent asks for IPv4 alone, as browsers do.
        let mut net = unlike(seed, [Some(TURN), None]);
        fail(&mut net, &name);
    }
}

#[test]
fn a_side_with_both_families_needs_no_relay() {
    for seed in seeds(0..20) {
        let name = format!("seed {seed}");
        let mut net = network(seed, &[&[INSIDE], &[V6, "198.51.100.2"]], true);
        let nat = net.add_nat(Nat::new(OUTSIDE, NatKind::Symmetric));
        net.put_behind(nat, A, INSIDE);
        connect(&mut net, &name);
        let expected = (CandidateKind::PeerReflexive, CandidateKind::Host);
        assert_eq!(selected(&net, A), expected, "{name}");
    }
}
