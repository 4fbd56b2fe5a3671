//! TCP candidates: RFC 6544.

use std::net::SocketAddr;

use bytes::Bytes;

use super::network::{A, B, Network};
use super::{ms, s};
use crate::{
    Candidate, CandidateKind, CandidatePair, GenerationId, PairState, Protocol, SocketId, State,
    TcpType, TransportPolicy,
};

pub(super) fn tcp_alone(seed: u64) -> Network {
    let mut net = Network::new(seed);
    net.delay = ms(10);
    net.over_tcp_alone(&[A, B]);
    net
}

/// Nobody connects to this peer.
pub(super) fn behind_nat(net: &mut Network, peer: usize) {
    let inside = net.peers[peer].addresses[0];
    net.tcp.nats.push((inside, "203.0.113.9".parse().unwrap()));
}

/// Connected over TCP. This peer is behind a NAT, so it has opened the connection.
pub(super) fn connected_from(seed: u64, peer: usize) -> Network {
    let mut net = tcp_alone(seed);
    behind_nat(&mut net, peer);
    net.connect();
    net
}

fn pair(net: &Network, peer: usize) -> CandidatePair {
    net.peers[peer].agent.selected_pair().unwrap()
}

pub(super) fn data_flows(net: &mut Network) {
    let before = [A, B].map(|peer| net.peers[peer].accepted);
    net.begin_stream(ms(20));
    net.run_for(s(1));
    for peer in [A, B] {
        let peer_got = net.peers[peer].accepted - before[peer];
        assert!(peer_got >= 48, "{peer_got} of 50");
    }
}

fn announced(net: &Network, peer: usize) -> Vec<(Protocol, Option<TcpType>, u16)> {
    let candidates = net.peers[peer].candidates.iter();
    candidates.map(|c| (c.protocol, c.tcp_type, c.port)).collect()
}

pub(super) fn signal(net: &mut Network, to: usize, candidate: Candidate) {
    let now = net.now;
    net.agent(to).add_remote_candidate(now, None, candidate).unwrap();
    net.settle();
}

pub(super) fn passive(address: &str) -> Candidate {
    let address: SocketAddr = address.parse().unwrap();
    Candidate {
        foundation: "1".into(),
        priority: 1_000_000,
        ..Candidate::tcp(address, TcpType::Passive)
    }
}

/// A waits for B, whose signalling is slow.
pub(super) fn waiting(seed: u64) -> Network {
    let mut net = tcp_alone(seed);
    net.peers[A].holds_candidates = true;
    net.peers[B].holds_candidates = true;
    net.offer(A);
    net.run_for(ms(50));
    net
}

// ----- candidates

#[test]
fn a_listener_gives_an_active_and_a_passive_candidate_behind_those_of_udp() {
    let mut net = tcp_alone(900);
    net.peers[A].addresses.push("192.0.2.2".parse().unwrap());
    net.offer(A);
    assert_eq!(
        announced(&net, A),
        [
            (Protocol::Udp, None, 10_001),
            (Protocol::Udp, None, 10_002),
            (Protocol::Tcp, Some(TcpType::Active), 9),
            (Protocol::Tcp, Some(TcpType::Passive), 10_003),
            (Protocol::Tcp, Some(TcpType::Active), 9),
            (Protocol::Tcp, Some(TcpType::Passive), 10_004),
        ]
    );
    let candidates = &net.peers[A].candidates;
    assert!(candidates.iter().all(|c| c.kind == CandidateKind::Host && c.related.is_none()));
    let foundation = |index: usize| &candidates[index].foundation;
    assert_ne!(foundation(0), foundation(2), "one address, two protocols");
    assert_eq!(foundation(2), foundation(3));
    assert_ne!(foundation(2), foundation(4));
    let mut priorities: Vec<_> = candidates.iter().map(|c| c.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    assert_eq!(priorities.len(), 6);
}

#[test]
fn under_the_policy_relay_there_is_no_tcp() {
    let mut net = tcp_alone(901);
    net.agent(A).set_servers(Vec::new(), TransportPolicy::Relay);
    net.offer(A);
    assert_eq!(announced(&net, A), []);
    assert_eq!(net.peers[A].count("close 2"), 1, "the listener");
}

// ----- connecting

#[test]
fn peers_without_udp_connect_over_tcp_whoever_can_connect() {
    for dialler in [A, B] {
        let mut net = connected_from(910, dialler);
        let (mine, theirs) = (pair(&net, dialler), pair(&net, 1 - dialler));
        // A NAT is on the way: the dialler learns how the other sees it.
        assert_eq!(mine.local.kind, CandidateKind::PeerReflexive);
        assert_eq!(mine.local.priority >> 24, 80);
        assert_eq!(
            (mine.local.protocol, mine.local.tcp_type),
            (Protocol::Tcp, Some(TcpType::Active))
        );
        assert_eq!(mine.remote.tcp_type, Some(TcpType::Passive));
        assert_eq!(theirs.local, mine.remote.clone());
        assert_eq!(theirs.remote.kind, CandidateKind::PeerReflexive);
        assert_eq!(theirs.remote.tcp_type, Some(TcpType::Active));
        assert_eq!(theirs.remote.port, mine.local.port);
        for peer in [A, B] {
            assert_eq!(net.peers[peer].agent.selected_path().unwrap().overhead(), 0);
            assert_eq!(net.connections_of(peer), 1);
        }
        data_flows(&mut net);
        net.run_for(s(120));
        assert!(net.both(State::Completed));
    }
}

#[test]
fn without_a_nat_the_pair_shows_the_active_candidate_itself() {
    let mut net = tcp_alone(911);
    net.connect();
    let (mine, theirs) = (pair(&net, A), pair(&net, B));
    let active = if mine.local.tcp_type == Some(TcpType::Active) { &mine } else { &theirs };
    assert_eq!((active.local.kind, active.local.port), (CandidateKind::Host, 9));
    for peer in [A, B] {
        let locals = net.peers[peer].agent.statistics().local_candidates;
        assert_eq!(locals.len(), 3, "no candidate for the port of a connection");
    }
    data_flows(&mut net);
}

#[test]
fn packets_are_found_however_the_stream_is_cut() {
    for cut in [1, 3, 50] {
        let mut net = tcp_alone(912);
        net.cuts = cut;
        net.connect();
        data_flows(&mut net);
        assert_eq!([net.peers[A].refused, net.peers[B].refused], [0, 0]);
    }
}

#[test]
fn a_peer_that_only_connects_and_one_that_only_accepts() {
    for (peer, only) in [(A, TcpType::Active), (A, TcpType::Passive), (B, TcpType::Active)] {
        let mut net = tcp_alone(913);
        // An active peer tells of no passive candidate; a passive one never hears of any. Either
        // way, all connections come from one side.
        let connects = if only == TcpType::Active { peer } else { 1 - peer };
        net.peers[connects].holds_candidates = true;
        net.offer(A);
        net.run_for(ms(5));
        let is_passive = |c: &Candidate| c.tcp_type == Some(TcpType::Passive);
        net.peers[connects].held.retain(|(_, c)| !c.as_ref().is_some_and(is_passive));
        net.release_candidates(connects);
        assert!(net.run_until(s(10), |n| n.both(State::Completed)), "{peer} {only:?}");
        assert!(net.tcp.dialled.iter().all(|(dialler, _)| *dialler == connects));
        data_flows(&mut net);
    }
}

#[test]
fn udp_is_used_when_it_works_and_no_connection_is_opened() {
    let mut net = Network::new(914);
    net.delay = ms(5);
    net.with_tcp(&[A, B]);
    net.connect();
    assert_eq!(pair(&net, A).local.protocol, Protocol::Udp);
    assert_eq!(net.tcp.dialled, []);
    assert!(net.agrees());
}

#[test]
fn a_lost_check_over_udp_does_not_leave_the_data_to_tcp() {
    let mut net = tcp_alone(915);
    net.offer(A);
    net.run_for(ms(300));
    let over_tcp = |n: &Network| {
        n.peers[A]
            .agent
            .pairs()
            .any(|p| p.state == PairState::Succeeded && p.pair.local.protocol == Protocol::Tcp)
    };
    assert!(over_tcp(&net) && !net.connected());
    net.dead.clear();
    assert!(net.run_until(s(10), |n| n.both(State::Completed)));
    for peer in [A, B] {
        assert_eq!(pair(&net, peer).local.protocol, Protocol::Udp);
        assert_eq!(net.peers[peer].trace.iter().filter(|t| t.starts_with("pair")).count(), 1);
    }
}

#[test]
fn without_udp_the_data_waits_for_it_a_second_at_most() {
    let mut net = tcp_alone(916);
    net.offer(A);
    assert!(net.run_until(s(10), Network::connected));
    assert!((ms(1_000)..ms(1_200)).contains(&net.elapsed()), "{:?}", net.elapsed());
}

// ----- what goes wrong

#[test]
fn a_connection_that_ends_ends_the_path_and_a_restart_heals() {
    let mut net = connected_from(920, A);
    net.begin_stream(ms(20));
    net.run_for(ms(100));
    let socket = net.peers[A].agent.selected_path().unwrap().base.socket;
    net.cut(A);
    net.hang_up(A, socket);
    assert_eq!(net.state(A), State::Disconnected);
    net.run_for(ms(15));
    assert_eq!(net.state(B), State::Disconnected);
    net.offer(A);
    assert!(net.run_until(s(5), Network::connected));
    data_flows(&mut net);
}

#[test]
fn the_data_moves_to_another_connection_if_there_is_one() {
    let mut net = tcp_alone(921);
    net.connect();
    assert_eq!([net.connections_of(A), net.connections_of(B)], [2, 2], "one of each direction");
    let socket = net.peers[A].agent.selected_path().unwrap().base.socket;
    net.cut(A);
    net.hang_up(A, socket);
    assert!(net.run_until(s(2), Network::connected));
    net.run_for(ms(100));
    data_flows(&mut net);
    assert!(net.both(State::Completed));
}

#[test]
fn a_silent_connection_is_noticed_with_few_checks_and_fails() {
    let mut net = connected_from(922, A);
    net.run_for(s(20));
    net.tcp.is_silent = true;
    let (silent, sent) = (net.now, net.peers[A].stun_sent);
    assert!(net.run_until(s(12), |n| n.both(State::Disconnected)));
    assert!(net.now - silent >= s(3));
    assert!(net.run_until(s(40), |n| n.both(State::Failed)));
    let checks = net.peers[A].stun_sent - sent;
    assert!(checks < 45, "{checks} checks in {:?}", net.now - silent);
    assert_eq!(net.connections_of(A), 0);
}

#[test]
fn a_check_is_sent_once_on_a_connection_and_fails_after_39_5_seconds() {
    let mut net = tcp_alone(923);
    net.peers[A].holds_candidates = true;
    net.offer(A);
    net.run_for(ms(5));
    net.run_until(s(1), |n| n.connections_of(A) == 2 || !n.tcp.dialled.is_empty());
    net.run_for(ms(15));
    net.tcp.is_silent = true;
    net.run_for(ms(10));
    let over_tcp =
        |n: &Network| n.peers[A].agent.pairs().find(|p| p.pair.local.protocol == Protocol::Tcp);
    let first = over_tcp(&net).unwrap();
    assert_eq!((first.state, first.requests_sent), (PairState::InProgress, 1));
    assert!(net.run_until(s(40), |n| over_tcp(n).unwrap().state == PairState::Failed));
    assert!((s(39)..s(40)).contains(&net.elapsed()), "{:?}", net.elapsed());
    assert_eq!(over_tcp(&net).unwrap().requests_sent, 1);
}

#[test]
fn a_refused_connection_fails_its_pair_at_once() {
    let mut net = waiting(924);
    signal(&mut net, A, passive("198.51.100.1:7777"));
    let state = |n: &Network| n.peers[A].agent.pairs().next().map(|pair| pair.state);
    net.run_for(ms(15));
    assert_eq!(state(&net), Some(PairState::InProgress));
    net.run_for(ms(25));
    assert_eq!(state(&net), Some(PairState::Failed));
    assert_eq!(net.tcp.dialled.len(), 1);
}

#[test]
fn a_connection_that_never_opens_is_given_up_after_ten_seconds() {
    let mut net = tcp_alone(925);
    behind_nat(&mut net, B);
    net.peers[A].holds_candidates = true;
    net.offer(A);
    net.run_for(s(9));
    let states = |n: &Network| {
        let over_tcp = n.peers[A].agent.pairs().filter(|p| p.pair.local.protocol == Protocol::Tcp);
        over_tcp.map(|pair| pair.state).collect::<Vec<_>>()
    };
    assert_eq!(states(&net), [PairState::InProgress]);
    net.run_for(s(2));
    assert_eq!(states(&net), [PairState::Failed]);
    assert_eq!(net.tcp.dialled.len(), 1);
}

// ----- restarts and the end

#[test]
fn a_restart_keeps_the_data_flowing_and_then_closes_what_was_there() {
    let mut net = connected_from(930, A);
    net.begin_stream(ms(20));
    net.run_for(s(1));
    net.offer(A);
    assert_eq!(announced(&net, A).len(), 6);
    net.run_for(s(12));
    for peer in [A, B] {
        let host = &net.peers[peer];
        assert_eq!((host.stuck, host.refused), (0, 0));
        assert!(host.accepted + 3 >= net.peers[1 - peer].sent, "{}", host.accepted);
        assert_eq!(host.count("close 2"), 1, "the first listener");
        assert_eq!(net.connections_of(peer), 1);
    }
    assert_eq!(net.tcp.listeners.len(), 2);
    assert!(net.both(State::Completed));
}

#[test]
fn a_rollback_and_a_close_leave_nothing_open() {
    let mut net = tcp_alone(931);
    net.connect();
    let (now, parameters) = (net.now, net.fresh(A));
    net.agent(A).set_local_parameters(now, parameters);
    net.settle();
    assert_eq!(net.tcp.listeners.len(), 3);
    net.agent(A).rollback(now);
    net.settle();
    assert_eq!(net.tcp.listeners.len(), 2);
    assert!(net.both(State::Completed));
    net.agent(A).close(now);
    net.run_for(ms(20));
    assert_eq!(net.connections_of(B), 0, "the peer sees the end");
    assert!(net.peers[A].sockets.is_empty());
    assert_eq!(net.state(B), State::Disconnected);
}

#[test]
fn a_connection_that_opens_for_a_generation_that_is_gone_is_given_back() {
    let mut net = tcp_alone(932);
    net.delay = ms(100);
    net.offer(A);
    assert!(net.run_until(s(1), |n| n.tcp.dialled.len() == 2));
    let now = net.now;
    for peer in [A, B] {
        net.agent(peer).close(now);
    }
    net.run_for(s(1));
    assert_eq!([net.connections_of(A), net.connections_of(B)], [0, 0]);
    assert!(net.peers[A].sockets.is_empty() && net.peers[B].sockets.is_empty());
}

#[test]
fn a_packet_that_no_length_describes_is_dropped() {
    let mut net = tcp_alone(948);
    net.connect();
    let now = net.now;
    assert_eq!(net.agent(A).send(now, Bytes::from(vec![23; 65_536])), None);
    let sent = net.agent(A).send(now, Bytes::from(vec![23; 65_535])).unwrap();
    assert_eq!(sent.payload.len(), 65_537);
}

#[test]
fn a_listener_that_dies_leaves_its_connections_alone() {
    let mut net = connected_from(949, B);
    let listener = net.tcp.listeners.keys().find(|(owner, _)| *owner == A).unwrap().1;
    net.peers[A].sockets.remove(&listener);
    let now = net.now;
    net.agent(A).socket_closed(now, listener);
    net.settle();
    data_flows(&mut net);
    assert!(net.both(State::Completed));
    let remote = "203.0.113.66:6001".parse().unwrap();
    net.agent(A).accepted(now, listener, SocketId(999), remote);
    assert_eq!(net.agent(A).poll_event(), Some(crate::Event::CloseSocket(SocketId(999))));
}

#[test]
fn a_listener_that_is_late_is_announced_while_servers_are_awaited() {
    let mut net = tcp_alone(950);
    net.with_tcp(&[]);
    net.silent_names = true;
    let server = crate::Server {
        url: "stun:example.net".into(),
        host: "example.net".into(),
        port: 3478,
        protocol: crate::ServerProtocol::Udp,
        credentials: None,
    };
    net.agent(A).set_servers(vec![server], TransportPolicy::All);
    net.offer(A);
    net.run_for(s(1));
    assert_eq!(announced(&net, A).len(), 1);
    net.with_tcp(&[A]);
    net.listen(A, GenerationId(0));
    net.settle();
    assert_eq!(announced(&net, A).len(), 3);
    net.run_for(s(10));
    net.listen(A, GenerationId(0));
    net.settle();
    assert_eq!(net.peers[A].count("close 3"), 1, "gathering has ended");
}
