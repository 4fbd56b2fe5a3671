//! Which pair carries the data: the best that works, also if that works later.

use super::network::{A, B, Network};
use super::servers::{SERVER, behind, turn};
use super::wire::NatKind;
use super::{ms, s};
use crate::{CandidateKind, Config, Server, ServerProtocol, State, TransportPolicy};

/// How many pairs a peer has had selected.
fn moves(net: &Network, peer: usize) -> usize {
    net.peers[peer].trace.iter().filter(|line| line.starts_with("pair ")).count()
}

fn is_relayed(net: &Network, peer: usize) -> bool {
    let pair = net.peers[peer].agent.selected_pair().expect("a selected pair");
    [pair.local.kind, pair.remote.kind].contains(&CandidateKind::Relayed)
}

/// Signals the candidates of both sides that are relayed, or those that are not, without an end.
fn signal(net: &mut Network, relayed: bool) {
    for peer in [A, B] {
        for (username_fragment, candidate) in net.peers[peer].held.clone() {
            let kind = candidate.as_ref().map(|candidate| candidate.kind);
            if kind.is_some_and(|kind| (kind == CandidateKind::Relayed) == relayed) {
                net.send_candidate(peer, username_fragment, candidate);
            }
        }
    }
}

/// Two peers behind NATs that let in whom they have sent to, connected through a relay: they know
/// no other candidates of each other.
fn on_a_relay() -> Network {
    let (mut net, _) = behind(NatKind::PortRestricted, &[turn()], TransportPolicy::All);
    for peer in [A, B] {
        net.peers[peer].holds_candidates = true;
    }
    net.offer(A);
    net.run_for(s(1));
    signal(&mut net, true);
    assert!(net.run_until(s(3), Network::connected));
    assert!(is_relayed(&net, A) && is_relayed(&net, B));
    net.begin_stream(ms(20));
    net
}

fn nothing_is_lost(net: &mut Network) {
    net.stream = None;
    net.run_for(s(1));
    for peer in [A, B] {
        assert_eq!((net.peers[peer].stuck, net.peers[peer].refused), (0, 0));
        assert_eq!(net.peers[peer].accepted, net.peers[1 - peer].sent);
    }
}

#[test]
fn a_direct_path_takes_over_from_a_relay_when_its_candidates_come_later() {
    for later in [0, 1, 2, 10] {
        let mut net = on_a_relay();
        net.run_for(s(later));
        signal(&mut net, false);
        net.run_for(s(1));
        assert!(!is_relayed(&net, A) && !is_relayed(&net, B), "{later} s later");
        assert_eq!([moves(&net, A), moves(&net, B)], [2, 2]);
        nothing_is_lost(&mut net);
        assert!(net.both(State::Connected));
    }
}

#[test]
fn once_completed_a_relay_that_works_is_kept() {
    let mut net = on_a_relay();
    for peer in [A, B] {
        let (username_fragment, end) = net.peers[peer].held.last().unwrap().clone();
        assert!(end.is_none());
        net.send_candidate(peer, username_fragment, end);
    }
    assert!(net.run_until(s(5), |net| net.both(State::Completed)));
    signal(&mut net, false);
    net.run_for(s(10));
    assert!(is_relayed(&net, A) && is_relayed(&net, B));
    assert_eq!([moves(&net, A), moves(&net, B)], [1, 1]);
    nothing_is_lost(&mut net);
}

/// Candidates of the same kind, however good their priority, move nothing.
#[test]
fn another_pair_of_the_same_kind_takes_over_nothing() {
    let (mut net, _) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::Relay);
    net.offer(A);
    assert!(net.run_until(s(3), Network::connected));
    let pair = net.peers[A].agent.selected_pair().unwrap();
    for (port, priority) in [(6000, u32::MAX), (6001, pair.remote.priority + 1)] {
        let candidate = crate::Candidate { port, priority, ..pair.remote.clone() };
        let username_fragment = pair.remote_username_fragment.clone();
        net.send_candidate(B, username_fragment, Some(candidate));
    }
    let checks = |net: &Network| net.peers[A].agent.pairs().count();
    let before = checks(&net);
    assert!(net.run_until(s(10), |net| net.both(State::Completed)));
    assert_eq!((checks(&net), moves(&net, A)), (before, 1));
}

/// Two interfaces of A: round trips over the first, which has the higher priority, and over the
/// second.
fn chosen(first: u64, second: u64) -> String {
    let mut net =
        Network::with(1, Config::default(), &[&["192.0.2.1", "192.0.2.2"], &["198.51.100.1"]]);
    net.slow.insert("192.0.2.1".parse().unwrap(), ms(first / 2));
    net.slow.insert("192.0.2.2".parse().unwrap(), ms(second / 2));
    net.connect();
    for peer in [A, B] {
        assert_eq!(moves(&net, peer), 1);
    }
    assert!(net.agrees());
    let pair = net.peers[A].agent.selected_pair().unwrap();
    pair.local.socket_addr().unwrap().ip().to_string()
}

#[test]
fn of_pairs_of_one_kind_a_much_shorter_round_trip_wins_and_else_the_priority() {
    let [first, second] = ["192.0.2.1", "192.0.2.2"];
    assert_eq!(chosen(50, 50), first);
    assert_eq!(chosen(90, 50), second, "shorter by 40 ms, and by more than a quarter");
    assert_eq!(chosen(58, 50), first, "8 ms are no reason");
    assert_eq!(chosen(160, 130), first, "30 ms of 160 are less than a quarter");
    assert_eq!(chosen(180, 130), second);
    assert_eq!(chosen(2, 50), first);
}

// ----- what is not needed any more

/// A peer that reaches a relay in several ways.
fn server(url: &str, port: u16, protocol: ServerProtocol) -> Server {
    Server { url: url.to_owned(), port, protocol, ..turn() }
}

const OVER_TCP: &str = "192.0.2.100:3479";
const OVER_TLS: &str = "192.0.2.100:5349";
const OTHER: &str = "192.0.2.100:3480";

/// How many allocations each server has: over UDP two, over TCP and over TLS one each.
fn allocations(net: &mut Network) -> [usize; 4] {
    let now = net.now;
    [SERVER, OTHER, OVER_TCP, OVER_TLS].map(|at| net.server(at.parse().unwrap()).allocations(now))
}

fn with_many_relays(kind: NatKind, policy: TransportPolicy) -> Network {
    use ServerProtocol::{Tcp, Tls, Udp};
    let servers = [
        turn(),
        server("turn:192.0.2.100:3480", 3480, Udp),
        server("turn:192.0.2.100:3479?transport=tcp", 3479, Tcp),
        server("turns:192.0.2.100", 5349, Tls),
    ];
    let (mut net, _) = behind(kind, &servers, policy);
    for at in [OTHER, OVER_TCP, OVER_TLS] {
        net.add_server(at);
    }
    net.offer(A);
    assert!(net.run_until(s(3), Network::connected));
    assert_eq!(allocations(&mut net), [2; 4]);
    net
}

/// RFC 8445 §8.3. One way over UDP and one over TCP stay, for the case that the path dies.
#[test]
fn once_completed_one_relay_for_each_way_stays_and_data_goes_on() {
    for kind in [NatKind::FullCone, NatKind::Symmetric] {
        let mut net = with_many_relays(kind, TransportPolicy::All);
        net.begin_stream(ms(20));
        assert!(net.run_until(s(10), |net| net.both(State::Completed)));
        net.run_for(s(2));
        let [over_udp, other, over_tcp, over_tls] = allocations(&mut net);
        assert_eq!((over_udp + other, over_tcp, over_tls), (2, 2, 0), "{kind:?}");
        assert_eq!(is_relayed(&net, A), kind == NatKind::Symmetric);
        // Refreshes and consent go on, on sockets that have released something.
        net.run_for(s(900));
        nothing_is_lost(&mut net);
        assert_eq!(net.peers[A].candidates.len(), net.peers[A].agent.local_candidates().count());
        for peer in [A, B] {
            let now = net.clock(peer);
            net.agent(peer).close(now);
        }
        net.settle();
        net.run_for(s(1));
        assert_eq!(allocations(&mut net), [0; 4]);
    }
}

#[test]
fn a_restart_asks_all_servers_again() {
    let mut net = with_many_relays(NatKind::Symmetric, TransportPolicy::Relay);
    assert!(net.run_until(s(10), |net| net.both(State::Completed)));
    net.offer(B);
    net.run_for(s(2));
    let [over_udp, other, over_tcp, over_tls] = allocations(&mut net);
    assert!(over_udp >= 2 && other >= 2 && over_tcp >= 2 && over_tls == 2);
    assert!(net.run_until(s(10), |net| net.both(State::Completed)));
    net.run_for(s(20));
    assert_eq!(allocations(&mut net).iter().sum::<usize>(), 4);
}
