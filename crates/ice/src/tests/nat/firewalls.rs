//! Networks that let no UDP through.

use super::*;

const HOSTS: [&str; 2] = ["10.0.0.1", "10.1.0.1"];
const HTTPS: &str = "192.0.2.101:443";
const OUTSIDE: [&str; 2] = ["198.51.100.1", "198.51.100.2"];

/// A server as such networks let through, if any.
fn turns() -> Server {
    let protocol = crate::ServerProtocol::Tls;
    Server { url: "turns:192.0.2.101:443".to_owned(), protocol, ..turn_at(HTTPS) }
}

/// Two peers behind NATs, with TCP, and firewalls in front of some of them.
fn behind_https(seed: u64, inside: &[usize], servers: &[Server]) -> Network {
    let mut net = network(seed, &[&[HOSTS[A]], &[HOSTS[B]]], false);
    net.with_tcp(&[A, B]);
    for peer in [A, B] {
        let nat = net.add_nat(Nat::new(OUTSIDE[peer], NatKind::PortRestricted));
        net.put_behind(nat, peer, HOSTS[peer]);
        net.tcp.nats.push((HOSTS[peer].parse().unwrap(), OUTSIDE[peer].parse().unwrap()));
        net.agent(peer).set_servers(servers.to_vec(), TransportPolicy::All);
    }
    net.add_server(HTTPS);
    for peer in inside {
        net.wire.firewalls.insert(*peer, Firewall::HttpsAlone);
    }
    net
}

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

#[test]
fn where_tcp_to_port_443_alone_passes_a_relay_on_it_over_tls_connects() {
    for inside in [&[A][..], &[B], &[A, B]] {
        let mut times = Times::default();
        for seed in seeds(0..20) {
            let name = format!("{inside:?} inside, seed {seed}");
            let mut net = behind_https(seed, inside, &[stun(), turn_at(TURN), turns()]);
            times.0.push(connect(&mut net, &name));
            for peer in [A, B] {
                let (local, remote) = selected(&net, peer);
                let relayed = [local, remote].contains(&CandidateKind::Relayed);
                assert!(relayed, "{name}: {local:?} {remote:?}");
            }
            for peer in inside {
                assert_eq!(selected(&net, *peer).0, CandidateKind::Relayed, "{name}");
                // The servers over UDP have not answered.
                let errors: Vec<_> = net.peers[*peer].errors.iter().map(|(_, e)| e.code).collect();
                assert_eq!(errors, [701, 701], "{name}");
            }
            net.begin_stream(ms(20));
            net.run_for(s(120));
            net.stream = None;
            net.run_for(s(1));
            for peer in [A, B] {
                let (accepted, sent) = (net.peers[peer].accepted, net.peers[1 - peer].sent);
                assert_eq!((accepted, net.peers[peer].refused), (sent, 0), "{name}");
            }
        }
        println!("TCP 443 alone at {inside:?}: {:?} ({:?})", times.at(0.5), times.worst());
    }
}

#[test]
fn where_tcp_to_port_443_alone_passes_and_no_relay_is_there_both_sides_fail() {
    for inside in [&[A][..], &[B], &[A, B]] {
        for seed in seeds(0..5) {
            let name = format!("{inside:?} inside, seed {seed}");
            let mut net = behind_https(seed, inside, &[stun(), turn_at(TURN)]);
            fail(&mut net, &name);
        }
    }
}
