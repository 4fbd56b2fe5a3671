//! Networks that let no UDP through.

use super::*;

const HOSTS: [&str; 2] = ["10.0.0.1", "10.1.0.1"];
const OUTSIDE: [&str; 2] = ["198.51.100.1", "198.51.100.2"];

/// Two peers behind NATs, and a firewall in front of one of them.
fn with_firewall(seed: u64, inside: usize, kind: NatKind, turn: &str) -> Network {
    let mut net = network(seed, &[&[HOSTS[A]], &[HOSTS[B]]], false);
    for peer in [A, B] {
        let nat = net.add_nat(Nat::new(OUTSIDE[peer], kind));
        net.put_behind(nat, peer, HOSTS[peer]);
        net.agent(peer).set_servers(vec![stun(), turn_at(turn)], TransportPolicy::All);
    }
    net.add_server(turn);
    net.wire.firewalls.insert(inside, Firewall::DnsAlone);
    net
}

#[test]
fn without_udp_both_sides_fail_when_their_patience_is_over() {
    for inside in [A, B] {
        let mut times = Times::default();
        for seed in seeds(0..20) {
            let name = format!("{inside} inside, seed {seed}");
            let mut net = with_firewall(seed, inside, NatKind::PortRestricted, TURN);
            let took = fail(&mut net, &name);
            times.0.push(took);
            // RFC 8863 §4, from the answer; the servers have been given up 10 s after the offer.
            let due = net.signalling * 2 + Config::default().pac;
            assert!(took >= due - ms(20) && took <= due + s(10) + ms(500), "{name}: {took:?}");
            let inner: Vec<_> = net.peers[inside].errors.iter().map(|(_, e)| e.code).collect();
            assert_eq!(inner, [701, 701], "{name}");
            assert_eq!(net.peers[1 - inside].errors, [], "{name}");
        }
        println!("no UDP at {inside}: failed after {:?} ({:?})", times.at(0.5), times.worst());
    }
}

/// RFC 8656 §5 allows any port of the server, and 53 passes where DNS does.
#[test]
fn a_relay_on_the_port_of_dns_connects() {
    for (inside, kind) in [A, B].iter().flat_map(|inside| NatKind::ALL.map(|kind| (*inside, kind)))
    {
        for seed in seeds(0..20) {
            let name = format!("{inside} inside, {kind:?}, seed {seed}");
            let mut net = with_firewall(seed, inside, kind, "192.0.2.101:53");
            connect(&mut net, &name);
            assert_eq!(selected(&net, inside).0, CandidateKind::Relayed, "{name}");
        }
    }
}
