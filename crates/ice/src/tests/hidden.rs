//! Host addresses that hide behind names (draft-ietf-mmusic-mdns-ice-candidates §3.1): what the
//! agent does not show, whatever it is asked.

use std::net::IpAddr;

use super::nat::Nat;
use super::servers::{SERVER, stun, turn, turn_with};
use super::wire::NatKind;
use super::*;
use crate::{
    Candidate, CandidateAddress, CandidateKind, Config, NameOf, Protocol, Server, State,
    TransportPolicy,
};

const NAME_A: &str = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";
const NAME_B: &str = "6d2b4a4e-0ad0-4b9f-8d4b-7a35c4a25b11.local";

/// Both hide their only address.
fn hidden(addresses: [&str; 2], servers: &[Server]) -> Network {
    let mut net = Network::with(71, Config::default(), &[&[addresses[0]], &[addresses[1]]]);
    for (peer, name) in [(A, NAME_A), (B, NAME_B)] {
        let address = net.peers[peer].addresses[0];
        net.names.insert(name.to_owned(), vec![address]);
        net.agent(peer).hide_address(address, name);
        net.agent(peer).set_servers(servers.to_vec(), TransportPolicy::All);
    }
    net
}

/// Everything of this side that the agent shows.
fn shown(net: &Network, peer: usize) -> String {
    let Peer { agent, candidates, errors, trace, .. } = &net.peers[peer];
    let statistics = agent.statistics();
    let locals: Vec<_> = statistics.pairs.iter().map(|pair| &pair.pair.local).collect();
    let pairs: Vec<_> = agent.pairs().map(|pair| pair.pair.local).collect();
    let of_agent: Vec<_> = agent.local_candidates().collect();
    let selected = agent.selected_pair().map(|pair| pair.local);
    let all = (candidates, errors, statistics.local_candidates, locals, pairs);
    format!("{all:?} {of_agent:?} {selected:?} {trace:?}")
}

#[track_caller]
fn assert_hidden(net: &Network, peer: usize) {
    let (address, text) = (net.peers[peer].addresses[0].to_string(), shown(net, peer));
    assert!(!text.contains(&address), "{address} in {text}");
}

fn named(candidate: &Candidate, name: &str) -> bool {
    candidate.address == CandidateAddress::Name(name.to_owned())
}

fn kinds(candidates: &[Candidate]) -> Vec<CandidateKind> {
    candidates.iter().map(|candidate| candidate.kind).collect()
}

#[test]
fn peers_on_one_link_connect_and_neither_shows_its_address() {
    for addresses in [["192.0.2.1", "192.0.2.2"], ["2001:db8::1", "2001:db8::2"]] {
        let mut net = hidden(addresses, &[]);
        net.connect();
        assert!(net.agrees());
        for (peer, name) in [(A, NAME_A), (B, NAME_B)] {
            assert_hidden(&net, peer);
            let candidates = &net.peers[peer].candidates;
            assert!(!candidates.is_empty() && candidates.iter().all(|c| named(c, name)));
            assert!(named(&net.peers[peer].agent.selected_pair().unwrap().local, name));
        }
    }
}

/// Over TCP alone.
#[test]
fn listeners_have_the_name_too_and_are_connected_to() {
    let mut net = hidden(["192.0.2.1", "192.0.2.2"], &[]);
    net.over_tcp_alone(&[A, B]);
    net.offer(A);
    assert!(net.run_until(s(30), Network::connected));
    for (peer, name) in [(A, NAME_A), (B, NAME_B)] {
        assert_hidden(&net, peer);
        let of_tcp = |c: &&Candidate| c.protocol == Protocol::Tcp;
        let candidates: Vec<_> = net.peers[peer].candidates.iter().filter(of_tcp).collect();
        assert_eq!(candidates.len(), 2, "active and passive");
        assert!(candidates.iter().all(|candidate| named(candidate, name)));
        assert_eq!(net.peers[peer].agent.selected_pair().unwrap().local.protocol, Protocol::Tcp);
    }
}

/// The related address of a server-reflexive candidate is that of the socket.
#[test]
fn behind_nats_related_addresses_are_unspecified_with_port_9() {
    let mut net = hidden(["10.0.0.1", "10.1.0.1"], &[turn()]);
    net.add_server(SERVER);
    for (peer, outside) in [(A, "198.51.100.1"), (B, "198.51.100.2")] {
        let nat = net.add_nat(Nat::new(outside, NatKind::PortRestricted));
        let inside = net.peers[peer].addresses[0].to_string();
        net.put_behind(nat, peer, &inside);
    }
    net.connect();
    for peer in [A, B] {
        assert_hidden(&net, peer);
        let candidates = &net.peers[peer].candidates;
        let expected =
            [CandidateKind::Host, CandidateKind::ServerReflexive, CandidateKind::Relayed];
        assert_eq!(kinds(candidates), expected);
        let nowhere: IpAddr = "0.0.0.0".parse().unwrap();
        assert_eq!(candidates[1].related, Some((nowhere, 9)));
        // It is where the server sees this machine, which the candidate before has told.
        assert_eq!(
            candidates[2].related.map(|(ip, _)| ip),
            candidates[1].socket_addr().map(|a| a.ip())
        );
    }
}

/// §3.1.2.2: what the world sees is no secret, and the name means nothing there. Not so what a
/// server in a private network sees.
#[test]
fn without_a_nat_a_public_address_makes_a_reflexive_candidate_and_a_private_one_does_not() {
    let cases = [
        ("198.51.100.7", true),
        ("10.0.0.1", false),
        ("172.16.0.1", false),
        ("192.168.7.7", false),
        ("100.64.0.1", false),
        ("169.254.1.1", false),
    ];
    for (address, is_public) in cases {
        let mut net = hidden([address, "203.0.113.9"], &[turn()]);
        net.add_server(SERVER);
        net.offer(A);
        net.run_for(s(3));
        let candidates = &net.peers[A].candidates;
        assert!(named(&candidates[0], NAME_A));
        let nowhere: IpAddr = "0.0.0.0".parse().unwrap();
        // The relayed candidate, which the server gives, has the address in its related one.
        assert_eq!(candidates.last().unwrap().related, Some((nowhere, 9)), "{address}");
        if is_public {
            let expected =
                [CandidateKind::Host, CandidateKind::ServerReflexive, CandidateKind::Relayed];
            assert_eq!(kinds(candidates), expected, "{address}");
            assert_eq!(candidates[1].address.to_string(), address);
            assert_eq!(candidates[1].related, Some((nowhere, 9)));
        } else {
            assert_eq!(kinds(candidates), [CandidateKind::Host, CandidateKind::Relayed]);
            assert_hidden(&net, A);
        }
    }
}

/// What a peer saw of a machine behind a NAT, when no server did.
#[test]
fn a_peer_reflexive_local_candidate_has_the_name_of_its_base() {
    let mut net = hidden(["10.0.0.1", "203.0.113.9"], &[]);
    let nat = net.add_nat(Nat::new("198.51.100.1", NatKind::PortRestricted));
    net.put_behind(nat, A, "10.0.0.1");
    net.connect();
    let local = net.peers[A].agent.selected_pair().unwrap().local;
    assert_eq!(local.kind, CandidateKind::PeerReflexive);
    assert!(named(&local, NAME_A), "{local:?}");
    let nowhere: IpAddr = "0.0.0.0".parse().unwrap();
    assert_eq!(local.related, Some((nowhere, 9)));
    assert_hidden(&net, A);
    assert!(!shown(&net, A).contains("198.51.100.1"), "nobody has signalled it");
}

/// webrtc-pc §4.8.3.
#[test]
fn an_error_of_a_server_has_no_address() {
    let mut net = hidden(["192.0.2.1", "192.0.2.2"], &[turn_with("wrong"), stun()]);
    net.add_server(SERVER);
    net.offer(A);
    net.run_for(s(3));
    let errors = &net.peers[A].errors;
    assert!(errors.iter().any(|(_, error)| error.code == 401), "{errors:?}");
    assert!(errors.iter().all(|(_, error)| error.local.is_none()), "{errors:?}");
}

#[test]
fn the_name_is_the_same_after_a_restart_and_the_foundation_too() {
    let mut net = hidden(["192.0.2.1", "192.0.2.2"], &[]);
    net.connect();
    let host = |net: &Network| net.peers[A].agent.local_candidates().next().unwrap();
    let before = host(&net);
    net.offer(B);
    net.run_for(s(10));
    assert!(net.both(State::Completed));
    let after = host(&net);
    assert_eq!((before.address, before.foundation), (after.address, after.foundation));
    assert_hidden(&net, A);
}

#[test]
fn an_address_that_is_not_hidden_is_shown_beside_one_that_is() {
    let addresses: [&[&str]; 2] = [&["192.0.2.1", "192.0.2.7"], &["192.0.2.2"]];
    let mut net = Network::with(72, Config::default(), &addresses);
    net.agent(A).hide_address("::ffff:192.0.2.1".parse().unwrap(), NAME_A);
    net.offer(A);
    net.run_for(s(1));
    let candidates = &net.peers[A].candidates;
    assert!(named(&candidates[0], NAME_A));
    assert_eq!(candidates[1].address.to_string(), "192.0.2.7");
}

/// §3.3.2. The name is resolved when the relay is there.
#[test]
fn a_turn_server_of_the_peer_is_not_told_the_address() {
    let mut net = hidden(["192.0.2.1", "192.0.2.2"], &[]);
    net.agent(A).set_servers(vec![turn()], TransportPolicy::All);
    net.add_server(SERVER);
    net.silent_names = true;
    net.offer(A);
    net.run_for(s(1));
    assert_eq!(net.peers[A].agent.local_candidates().last().unwrap().kind, CandidateKind::Relayed);
    let asked = net.asked.iter().find(|asked| asked.0 == A);
    let (_, generation, host) = asked.cloned().expect("a question");
    let (now, known) = (net.now, net.peers[B].addresses.clone());
    net.agent(A).resolved(now, generation, NameOf::Candidate, &host, Ok(&known));
    let pairs: Vec<_> = net.peers[A].agent.pairs().map(|pair| pair.pair.local.kind).collect();
    assert_eq!(pairs, [CandidateKind::Host]);
    assert!(net.run_until(s(2), Network::connected));
}
