//! Allocations, permissions and channels: what relays are asked for, how often, and what is left.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::network::{A, B, Network};
use super::servers::{SERVER, behind, relayed, turn};
use super::wire::NatKind;
use super::{ms, s};
use crate::{Candidate, CandidateKind, Config, Server, State, TransportPolicy};

/// A peer with a relay, and remote candidates on many hosts at which nobody is.
fn with_remotes(policy: TransportPolicy, count: u8) -> Network {
    let mut net = Network::new(1);
    net.add_server(SERVER);
    net.agent(A).set_servers(vec![turn()], policy);
    let (now, ours, theirs) = (net.now, net.fresh(A), net.fresh(B));
    net.agent(A).set_local_parameters(now, ours);
    net.agent(A).set_remote_parameters(now, theirs, false);
    net.agent(A).commit(now);
    for n in 0..count {
        let address = SocketAddr::from(([203, 0, 113, 100 + n], 5000));
        let candidate = Candidate {
            priority: 1_000 + u32::from(n),
            foundation: n.to_string(),
            ..Candidate::udp(address)
        };
        net.agent(A).add_remote_candidate(now, None, candidate).unwrap();
    }
    net
}

/// When the server was asked for permissions.
fn asked_at(net: &mut Network) -> Vec<u128> {
    let server = net.server(SERVER.parse().unwrap());
    let permissions = server.log.iter().filter(|(_, what)| what.starts_with("CreatePermission"));
    permissions.map(|(at, _)| *at).collect()
}

// ----- permissions

/// RFC 8445 §14.2: each is a transaction, as a check is.
#[test]
fn permissions_are_asked_for_at_the_pace_of_checks() {
    let mut net = with_remotes(TransportPolicy::Relay, 20);
    net.run_for(s(2));
    let asked = asked_at(&mut net);
    assert_eq!(asked.len(), 20);
    // With the checks that follow each of them between.
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= 20), "{asked:?}");
}

#[test]
fn checks_and_permissions_take_turns() {
    let mut net = with_remotes(TransportPolicy::All, 20);
    net.run_for(ms(420));
    let asked = asked_at(&mut net).len();
    assert!((8..=12).contains(&asked), "{asked} of 20 places");
    let server: std::net::SocketAddr = SERVER.parse().unwrap();
    let checked: BTreeSet<_> = net.wire.sent.iter().map(|(_, to, _)| *to).collect();
    let direct = checked.iter().filter(|to| **to != server).count();
    // The others go through the relay, which permits them by now.
    assert!(direct >= 5, "{direct}");
}

#[test]
fn permissions_of_pairs_that_have_failed_are_not_kept_alive() {
    let mut net = with_remotes(TransportPolicy::Relay, 20);
    net.run_for(s(1_000));
    assert_eq!(asked_at(&mut net).len(), 20);
}

#[test]
fn the_permission_of_the_selected_pair_is_kept_and_no_other() {
    let (mut net, server) = relayed();
    let asked = net.server(server).count("CreatePermission");
    net.begin_stream(ms(100));
    net.run_for(s(1_000));
    // Each is good for 300 s, and renewed 60 s before, once by the renewal of the channel.
    assert_eq!(net.server(server).count("CreatePermission") - asked, 2 * 3);
    assert_eq!(net.server(server).refused, 0);
}

/// RFC 8656 §9.3: 403 and 443 are about the peer.
#[test]
fn a_permission_that_is_refused_for_a_while_does_not_fail_the_pair() {
    for code in [400, 437, 486, 500, 508] {
        let (mut net, server) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::Relay);
        net.server(server).switches.permission_error = Some(code);
        net.offer(A);
        net.run_for(s(4));
        assert!(!net.connected(), "{code}");
        assert!(net.peers[A].agent.pairs().all(|p| p.state == crate::PairState::Waiting), "{code}");
        net.server(server).switches.permission_error = None;
        assert!(net.run_until(s(10), |n| n.both(State::Completed)), "{code}");
    }
}

#[test]
fn a_channel_that_is_refused_costs_nothing_but_its_bytes() {
    let (mut net, server) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::Relay);
    net.server(server).switches.no_channels = true;
    net.offer(A);
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
    net.begin_stream(ms(20));
    net.run_for(s(60));
    let (sent, taken) = (net.peers[A].sent, net.peers[B].accepted);
    assert!(taken + 5 > sent, "{taken} of {sent}");
}

// ----- candidates

/// RFC 8445 §5.1.2.1: "the agent MUST […] a unique priority for each candidate".
#[test]
fn the_addresses_of_one_allocation_have_priorities_of_their_own() {
    let hosts = &[&["2001:db8:1::7", "2001:db8:1::8"] as &[_], &["2001:db8:2::9"]];
    let mut net = Network::with(1, Config::default(), hosts);
    net.add_server("[2001:db8::100]:3478");
    net.add_server("[2001:db8::101]:3478");
    let server = |host: &str| Server { host: host.to_owned(), ..turn() };
    let servers = vec![server("2001:db8::100"), server("2001:db8::101")];
    net.agent(A).set_servers(servers, TransportPolicy::All);
    net.offer(A);
    net.run_for(s(1));
    let candidates = &net.peers[A].candidates;
    let relayed = candidates.iter().filter(|c| c.kind == CandidateKind::Relayed).count();
    // Two sockets, two servers, two families; the servers give the same addresses.
    assert_eq!(relayed, 4, "{candidates:?}");
    let priorities: BTreeSet<_> = candidates.iter().map(|candidate| candidate.priority).collect();
    assert_eq!(priorities.len(), candidates.len());
}

// ----- the end

/// `A` has asked for a relay and waits for the answer, which is on the way.
fn about_to_allocate() -> (Network, std::net::SocketAddr) {
    let (mut net, server) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::Relay);
    let (now, parameters) = (net.now, net.fresh(A));
    net.agent(A).set_local_parameters(now, parameters);
    net.run_for(ms(35));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 1);
    assert!(net.peers[A].candidates.is_empty());
    (net, server)
}

#[test]
fn an_allocation_that_is_being_asked_for_is_released_at_the_end() {
    let (mut net, server) = about_to_allocate();
    let now = net.now;
    net.agent(A).close(now);
    net.run_for(ms(100));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 0);
    assert!(net.peers[A].sockets.is_empty());
    assert!(net.peers[A].agent.has_left());
    assert_eq!(net.peers[A].candidates, []);
}

#[test]
fn an_allocation_that_is_being_asked_for_is_released_with_a_rollback() {
    let (mut net, server) = about_to_allocate();
    let now = net.now;
    net.agent(A).rollback(now);
    net.run_for(ms(100));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 0);
    assert!(net.peers[A].sockets.is_empty());
}

#[test]
fn a_server_that_has_died_is_not_waited_for_longer_than_ten_seconds() {
    let (mut net, server) = relayed();
    net.server(server).switches.silent = true;
    let now = net.now;
    net.agent(A).close(now);
    net.run_for(s(5));
    assert_eq!(net.peers[A].sockets.len(), 1);
    assert!(!net.peers[A].agent.has_left());
    net.run_for(s(5));
    assert!(net.peers[A].sockets.is_empty());
    assert!(net.peers[A].agent.has_left());

    let (mut net, _) = relayed();
    let now = net.now;
    net.agent(A).close(now);
    net.agent(A).leave_at_once();
    net.settle();
    assert!(net.peers[A].sockets.is_empty());
    assert!(net.peers[A].agent.has_left());
}

// ----- hostile

/// Whoever can send from the address of a server, or of a peer, has not asked us to look at
/// everything each time.
#[test]
fn what_nobody_asked_for_wakes_nothing() {
    let (mut net, server) = relayed();
    let (socket, late) = (*net.peers[A].sockets.keys().next().unwrap(), net.now + s(3_600));
    let due = net.peers[A].agent.poll_timeout();
    let base = net.peers[A].agent.selected_path().unwrap().base;
    // A response with another id, an indication, a request to somebody else.
    let (_, _, request) = net.wire.sent.iter().rev().find(|(_, _, p)| p[0] < 2).unwrap().clone();
    let mut request = request[..20].to_vec();
    request[2..4].fill(0);
    let with_kind = |kind: [u8; 2]| [&kind[..], &request[2..]].concat();
    for stray in [[1, 1], [1, 0x11], [0, 0x11], [0, 1], [1, 3], [0x40, 0]].map(with_kind) {
        let packet = net.agent(A).handle_datagram(late, socket, server, &stray);
        assert!(packet.is_some_and(|packet| packet.payload == stray));
        net.agent(A).handle_stun(late, base, server, &stray);
        assert_eq!(net.peers[A].agent.poll_timeout(), due);
        assert_eq!(net.agent(A).poll_transmit(), None);
    }
}

#[test]
fn of_more_relays_than_can_be_followed_each_is_released_once_at_least() {
    const SERVERS: u16 = 70;
    let config = Config { max_server_clients: 100, ..Config::default() };
    let mut net = Network::with(1, config, &[&["10.0.0.1"], &["10.1.0.1"]]);
    let at = |n: u16| SocketAddr::from(([192, 0, 2, 100], 4_000 + n));
    let servers = (0..SERVERS).map(|n| Server { port: at(n).port(), ..turn() });
    net.agent(A).set_servers(servers.collect(), TransportPolicy::Relay);
    for n in 0..SERVERS {
        net.add_server(&at(n).to_string());
    }
    net.offer(A);
    net.run_for(s(3));
    let now = net.now;
    let left = |net: &mut Network| -> usize {
        (0..SERVERS).map(|n| net.server(at(n)).allocations(now)).sum()
    };
    assert_eq!(left(&mut net), usize::from(SERVERS));
    net.agent(A).close(now);
    net.run_for(ms(1));
    assert_eq!(left(&mut net), 0);
}
