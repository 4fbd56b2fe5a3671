//! STUN and TURN servers: what is gathered from them, and what they are good for.

use std::net::{IpAddr, SocketAddr};

use turn::testing::{PASSWORD, USER};

use super::network::{A, B, Network};
use super::wire::{Nat, NatKind};
use super::{ms, s};
use crate::{
    CandidateKind, Config, Credentials, GatheringState, Server, ServerProtocol, State,
    TransportPolicy,
};

pub(super) const SERVER: &str = "192.0.2.100:3478";
const INSIDE: [&str; 2] = ["10.0.0.1", "10.1.0.1"];
const OUTSIDE: [&str; 2] = ["198.51.100.1", "198.51.100.2"];

pub(super) fn stun() -> Server {
    let url = format!("stun:{SERVER}");
    let host = "192.0.2.100".to_owned();
    Server { url, host, port: 3478, protocol: ServerProtocol::Udp, credentials: None }
}

pub(super) fn turn_with(password: &str) -> Server {
    let (username, password) = (USER.to_owned(), password.to_owned());
    let credentials = Some(Credentials { username, password });
    Server { url: format!("turn:{SERVER}"), credentials, ..stun() }
}

pub(super) fn turn() -> Server {
    turn_with(PASSWORD)
}

/// Two peers behind a NAT each, and a server in the middle, 10 ms away from everybody.
pub(super) fn behind(
    kind: NatKind,
    servers: &[Server],
    policy: TransportPolicy,
) -> (Network, SocketAddr) {
    let mut net = Network::with(1, Config::default(), &[&[INSIDE[0]], &[INSIDE[1]]]);
    net.delay = ms(10);
    net.signalling = ms(10);
    let server = net.add_server(SERVER);
    for peer in [A, B] {
        net.wire.nats.push(Nat::new(INSIDE[peer], OUTSIDE[peer], kind));
        net.agent(peer).set_servers(servers.to_vec(), policy);
    }
    (net, server)
}

/// Two peers behind symmetric NATs, connected through their relays alone.
pub(super) fn relayed() -> (Network, SocketAddr) {
    let (mut net, server) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::Relay);
    net.offer(A);
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
    (net, server)
}

/// `A` begins a restart, and its offer has a relay of its own.
fn begin_restart(net: &mut Network) {
    let (now, parameters) = (net.now, net.fresh(A));
    net.agent(A).set_local_parameters(now, parameters);
    net.run_for(s(1));
}

pub(super) fn kinds(net: &Network, peer: usize) -> Vec<CandidateKind> {
    net.peers[peer].candidates.iter().map(|candidate| candidate.kind).collect()
}

/// What the selected pair is made of.
fn selected(net: &Network, peer: usize) -> (CandidateKind, CandidateKind) {
    let pair = net.peers[peer].agent.selected_pair().unwrap();
    (pair.local.kind, pair.remote.kind)
}

// ----- what works where

#[test]
fn server_reflexive_candidates_connect_peers_behind_port_restricted_nats() {
    let (mut net, _) = behind(NatKind::PortRestricted, &[], TransportPolicy::All);
    net.offer(A);
    assert!(!net.run_until(s(30), Network::connected), "host candidates alone");

    let (mut net, _) = behind(NatKind::PortRestricted, &[stun()], TransportPolicy::All);
    net.offer(A);
    assert!(net.run_until(s(2), Network::connected));
    assert_eq!(kinds(&net, A), [CandidateKind::Host, CandidateKind::ServerReflexive]);
    for peer in [A, B] {
        let expected = (CandidateKind::ServerReflexive, CandidateKind::ServerReflexive);
        assert_eq!(selected(&net, peer), expected);
        let candidate = &net.peers[peer].candidates[1];
        assert_eq!(candidate.socket_addr().unwrap().ip().to_string(), OUTSIDE[peer]);
        assert_eq!(candidate.related, Some((INSIDE[peer].parse().unwrap(), 10_001)));
        assert_eq!(candidate.priority, (100 << 24) | (65_535 << 8) | 255);
        let server = candidate.server.as_ref().unwrap();
        assert_eq!((server.url.as_str(), server.relay_protocol), ("stun:192.0.2.100:3478", None));
        assert_ne!(candidate.foundation, net.peers[peer].candidates[0].foundation);
        assert_eq!(net.peers[peer].errors, []);
    }
    net.begin_stream(ms(20));
    net.run_for(s(1));
    assert_eq!(net.peers[A].refused + net.peers[B].refused, 0);
    assert!(net.peers[A].accepted > 40 && net.peers[B].accepted > 40);
}

#[test]
fn behind_two_symmetric_nats_only_a_relay_connects() {
    let (mut net, _) = behind(NatKind::Symmetric, &[stun()], TransportPolicy::All);
    net.offer(A);
    assert!(!net.run_until(s(60), Network::connected), "without a relay");

    let (mut net, server) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::All);
    net.offer(A);
    assert!(net.run_until(s(5), Network::connected));
    let relays = |peer| {
        let (local, remote) = selected(&net, peer);
        local == CandidateKind::Relayed || remote == CandidateKind::Relayed
    };
    assert!(relays(A) && relays(B));
    // The TURN server has told the server-reflexive address as well.
    let three = [CandidateKind::Host, CandidateKind::ServerReflexive, CandidateKind::Relayed];
    assert_eq!(kinds(&net, A), three);
    let relay = &net.peers[A].candidates[2];
    assert_eq!(relay.priority, (3 << 24) | (65_535 << 8) | 255);
    assert_eq!(relay.related.unwrap().0.to_string(), OUTSIDE[A]);
    let origin = relay.server.as_ref().unwrap();
    assert_eq!(origin.relay_protocol, Some(ServerProtocol::Udp));

    net.begin_stream(ms(20));
    net.run_for(s(700));
    let (sent, taken) = (net.peers[A].sent, net.peers[B].accepted);
    assert!(taken + 5 > sent, "{taken} of {sent}: permissions and channels are renewed");
    assert_eq!(net.server(server).refused, 0);
}

#[test]
fn the_selected_pair_has_a_channel_and_no_other() {
    let (mut net, server) = relayed();
    net.run_for(s(1));
    assert_eq!(net.server(server).count("ChannelBind"), 2, "one of each side");
    // Each permits the other's relay, which is at the same address for both.
    assert_eq!(net.server(server).count("CreatePermission 203.0.113.1"), 2);
}

#[test]
fn a_relay_that_forbids_the_peer_fails_the_pair_at_once() {
    let (mut net, server) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::Relay);
    net.server(server).switches.denied.insert("203.0.113.1".parse().unwrap());
    net.offer(A);
    assert!(net.run_until(s(2), |n| {
        let mut pairs = n.peers[A].agent.pairs();
        pairs.next().is_some_and(|pair| pair.state == crate::PairState::Failed)
    }));
    assert_eq!(net.peers[A].agent.pairs().map(|pair| pair.requests_sent).sum::<u64>(), 0);
}

// ----- relay only

#[test]
fn under_relay_only_no_address_of_a_host_gets_out() {
    for kind in [NatKind::PortRestricted, NatKind::Symmetric] {
        let servers = [stun(), turn()];
        let (mut net, server) = behind(kind, &servers, TransportPolicy::Relay);
        net.offer(A);
        assert!(net.run_until(s(5), |n| n.both(State::Completed)));
        net.begin_stream(ms(20));
        net.run_for(s(20));
        assert!(net.peers[A].accepted > 900 && net.peers[B].accepted > 900);
        // In packets
        let own = |from: &SocketAddr| INSIDE.iter().any(|ip| from.ip().to_string() == *ip);
        assert!(net.wire.sent.iter().all(|(from, to, _)| own(from) && *to == server));
        for peer in [A, B] {
            // In candidates
            let hidden = Some(("0.0.0.0".parse::<IpAddr>().unwrap(), 0));
            for candidate in &net.peers[peer].candidates {
                assert_eq!(candidate.kind, CandidateKind::Relayed);
                assert_eq!(candidate.related, hidden);
            }
            // In statistics and all else that can be asked for
            let agent = &net.peers[peer].agent;
            let shown = format!("{:?} {:?}", agent.statistics(), agent.selected_pair());
            let local: Vec<_> = agent.local_candidates().collect();
            let shown = format!("{shown} {local:?}");
            for address in INSIDE.iter().chain(&OUTSIDE) {
                assert!(!shown.contains(address), "{address} in {shown}");
            }
        }
    }
}

#[test]
fn under_relay_only_a_check_to_the_host_address_is_not_answered() {
    let mut net = Network::new(1);
    net.add_server(SERVER);
    net.agent(B).set_servers(vec![turn()], TransportPolicy::Relay);
    net.agent(A).set_servers(vec![turn()], TransportPolicy::All);
    net.offer(A);
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
    let host: IpAddr = "198.51.100.1".parse().unwrap();
    let direct = |from: &SocketAddr, to: &SocketAddr| from.ip() == host && to.to_string() != SERVER;
    assert!(!net.wire.sent.iter().any(|(from, to, _)| direct(from, to)));
    assert_eq!(selected(&net, B).0, CandidateKind::Relayed);
}

// ----- errors

#[test]
fn a_wrong_password_is_an_error_at_once_and_gathering_ends() {
    for policy in [TransportPolicy::All, TransportPolicy::Relay] {
        let (mut net, _) = behind(NatKind::Symmetric, &[turn_with("wrong")], policy);
        net.offer(A);
        net.run_for(ms(500));
        let [(at, error)] = &net.peers[A].errors[..] else { panic!("{:?}", net.peers[A].errors) };
        assert!(*at < 200, "{at}");
        assert_eq!((error.code, error.text.as_str()), (401, "Unauthorized"));
        assert_eq!(error.url, "turn:192.0.2.100:3478");
        // webrtc-pc §4.8.3: null where no candidate exposes it.
        let shown = error.local.map(|local| local.ip().to_string());
        assert_eq!(shown.as_deref(), (policy == TransportPolicy::All).then_some(INSIDE[A]));
        assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    }
}

#[test]
fn a_server_that_is_dead_ends_gathering_with_701_after_ten_seconds() {
    let (mut net, server) = behind(NatKind::Symmetric, &[stun(), turn()], TransportPolicy::All);
    net.server(server).switches.silent = true;
    net.offer(A);
    net.run_for(ms(9_900));
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Gathering);
    net.run_for(ms(200));
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    let errors: Vec<_> =
        net.peers[A].errors.iter().map(|(_, e)| (e.code, e.url.as_str())).collect();
    assert_eq!(errors, [(701, "stun:192.0.2.100:3478"), (701, "turn:192.0.2.100:3478")]);
    assert_eq!(net.peers[A].count("gathering complete"), 1);
}

#[test]
fn names_are_resolved_once_and_one_without_address_is_an_error() {
    let named = |host: &str, server: Server| Server { host: host.to_owned(), ..server };
    let servers = [
        named("stun.example", stun()),
        named("stun.example", turn()),
        Server { url: "stun:nowhere.example".to_owned(), ..named("nowhere.example", stun()) },
    ];
    let (mut net, server) = behind(NatKind::PortRestricted, &servers, TransportPolicy::All);
    net.names.insert("stun.example".to_owned(), vec!["2001:db8::9".parse().unwrap(), server.ip()]);
    net.offer(A);
    assert!(net.run_until(s(2), Network::connected));
    let [(_, error)] = &net.peers[A].errors[..] else { panic!("{:?}", net.peers[A].errors) };
    assert_eq!((error.code, error.url.as_str()), (701, "stun:nowhere.example"));
    assert_eq!(error.local, None);
    assert!(kinds(&net, A).contains(&CandidateKind::ServerReflexive));
}

#[test]
fn a_server_of_a_family_that_no_interface_has_is_an_error() {
    let v6 = Server { host: "2001:db8::9".to_owned(), ..stun() };
    let (mut net, _) = behind(NatKind::PortRestricted, &[v6], TransportPolicy::All);
    net.offer(A);
    net.run_for(ms(100));
    assert_eq!(net.peers[A].errors[0].1.code, 701);
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
}

#[test]
fn a_server_at_an_address_of_nobody_or_of_many_is_an_error_at_once() {
    for host in ["0.0.0.123", "255.255.255.255", "224.0.0.251"] {
        let server = Server { host: host.to_owned(), ..turn() };
        let (mut net, _) = behind(NatKind::PortRestricted, &[server], TransportPolicy::All);
        net.offer(A);
        net.run_for(ms(100));
        let [(_, error)] = &net.peers[A].errors[..] else { panic!("{:?}", net.peers[A].errors) };
        assert_eq!((error.code, error.local.is_some()), (701, true));
        assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    }
}

#[test]
fn without_a_nat_the_server_reflexive_candidate_is_redundant() {
    let mut net = Network::new(1);
    net.add_server(SERVER);
    net.agent(A).set_servers(vec![stun()], TransportPolicy::All);
    net.connect();
    assert_eq!(kinds(&net, A), [CandidateKind::Host]);
    assert_eq!(net.peers[A].errors, []);
}

// ----- hostile

#[test]
fn answers_that_the_server_did_not_send_make_no_candidate() {
    let (mut net, server) = behind(NatKind::PortRestricted, &[stun()], TransportPolicy::All);
    net.server(server).switches.silent = true;
    net.offer(A);
    net.run_for(ms(20));
    let socket = *net.peers[A].sockets.keys().next().unwrap();
    // An attacker who sees the request answers it from elsewhere; one who does not see it answers
    // another one from the server's address.
    let mut honest = turn::testing::Server::new(net.start);
    let (now, mapped) = (net.now, "203.0.113.66:6".parse().unwrap());
    let (_, _, request) = net.wire.sent.iter().find(|(_, to, _)| *to == server).unwrap().clone();
    let answer = honest.handle(now, mapped, &request).unwrap();
    let mut unasked = request.to_vec();
    unasked[10] ^= 1;
    unasked.truncate(20);
    unasked[3] = 0;
    let other = honest.handle(now, mapped, &unasked).unwrap();
    for (source, packet) in [("203.0.113.99:3478".parse().unwrap(), &answer), (server, &other)] {
        if let Some(packet) =
            net.agent(A).handle_datagram(now, socket, source, packet).map(|p| p.base)
        {
            net.agent(A).handle_stun(now, packet, source, &answer);
        }
    }
    net.run_for(s(1));
    assert_eq!(kinds(&net, A), [CandidateKind::Host]);
    // The same from where it was asked is believed.
    let now = net.now;
    net.agent(A).handle_datagram(now, socket, server, &answer);
    net.settle();
    assert_eq!(kinds(&net, A), [CandidateKind::Host, CandidateKind::ServerReflexive]);
}

#[test]
fn endless_stale_nonces_and_a_server_that_names_itself_are_errors() {
    let (mut net, server) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::All);
    net.server(server).switches.always_stale = true;
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(net.peers[A].errors[0].1.code, 438);
    assert!(net.server(server).count("Allocate") < 20);

    let (mut net, server) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::All);
    net.server(server).switches.redirect = Some(server);
    net.offer(A);
    net.run_for(s(1));
    assert_eq!(net.peers[A].errors[0].1.code, 300);
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
}

#[test]
fn another_server_that_is_named_is_followed() {
    let (mut net, server) = behind(NatKind::Symmetric, &[turn()], TransportPolicy::Relay);
    let other = net.add_server("192.0.2.101:3478");
    net.server(server).switches.redirect = Some(other);
    net.offer(A);
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
    let now = net.now;
    assert_eq!(net.server(other).allocations(now), 2);
}

/// Anybody on the way to the server can make such a redirect.
#[test]
fn a_server_that_names_the_peer_as_another_server_does_not_cut_it_off() {
    let hosts = &[&[OUTSIDE[A]] as &[_], &[OUTSIDE[B]]];
    let mut net = Network::with(1, Config::default(), hosts);
    net.delay = ms(10);
    let server = net.add_server(SERVER);
    net.server(server).switches.redirect =
        Some(SocketAddr::new(OUTSIDE[B].parse().unwrap(), 10_001));
    net.agent(A).set_servers(vec![turn()], TransportPolicy::All);
    // Its other server has not answered when the checks begin.
    net.signalling = s(1);
    net.offer(A);
    assert!(net.run_until(s(5), Network::connected));
    assert_eq!(selected(&net, A), (CandidateKind::Host, CandidateKind::Host));
    net.begin_stream(ms(20));
    net.run_for(s(20));
    assert_eq!(net.peers[A].refused + net.peers[B].refused, 0);
    assert!(net.peers[A].accepted > 900 && net.peers[B].accepted > 900);
}

fn relays(net: &Network, peer: usize) -> bool {
    let pair = net.peers[peer].agent.selected_pair();
    pair.is_some_and(|p| [p.local.kind, p.remote.kind].contains(&CandidateKind::Relayed))
}

/// A permission lives for five minutes (RFC 8656 §9), and those of pairs that were not needed are
/// not renewed.
#[test]
fn after_long_a_relay_still_takes_over_when_the_direct_path_dies() {
    for signalling in [0, 5, 20, 50, 100, 200] {
        let servers = [stun(), turn()];
        let (mut net, _) = behind(NatKind::PortRestricted, &servers, TransportPolicy::All);
        net.signalling = ms(signalling);
        net.offer(A);
        assert!(net.run_until(s(5), Network::connected));
        net.run_for(s(400));
        assert!(!relays(&net, A) && !relays(&net, B));
        net.wire.cut = Some(OUTSIDE.map(|address| address.parse().unwrap()));
        assert!(net.run_until(s(15), |n| relays(n, A) && relays(n, B)), "{signalling} ms");
        assert!(![A, B].into_iter().any(|peer| net.peers[peer].states().contains("failed")));
    }
}

/// RFC 8656 §9: the peer's checks do not come through a relay that was not told of it, nor through
/// our NAT, so who does not nominate has to check as well.
#[test]
fn relays_that_come_after_the_selection_take_over_when_the_direct_path_dies() {
    let late = "192.0.2.101:3478";
    let relay = Server { url: format!("turn:{late}"), host: "192.0.2.101".to_owned(), ..turn() };
    let (mut net, _) = behind(NatKind::PortRestricted, &[stun(), relay], TransportPolicy::All);
    let late = net.add_server(late);
    net.dead.insert(late.ip());
    net.offer(A);
    assert!(net.run_until(s(2), Network::connected));
    net.dead.clear();
    net.run_for(s(5));
    assert!(kinds(&net, A).contains(&CandidateKind::Relayed));
    assert!(kinds(&net, B).contains(&CandidateKind::Relayed));
    net.begin_stream(ms(20));
    net.run_for(s(1));

    net.wire.cut = Some(OUTSIDE.map(|address| address.parse().unwrap()));
    assert!(net.run_until(s(15), |n| relays(n, A) && relays(n, B)));
    let before = [A, B].map(|peer| net.peers[peer].accepted);
    net.run_for(s(1));
    assert!(net.peers[A].accepted > before[A] && net.peers[B].accepted > before[B]);
    assert!(![A, B].into_iter().any(|peer| net.peers[peer].states().contains("failed")));
}

// ----- the end

#[test]
fn the_mapping_of_the_nat_is_kept_alive_for_as_long_as_the_socket_lives() {
    let (mut net, server) = behind(NatKind::PortRestricted, &[stun()], TransportPolicy::All);
    net.offer(A);
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
    let asked = net.server(server).count("Binding");
    net.run_for(s(60));
    // Every 15 s, from both.
    assert_eq!(net.server(server).count("Binding"), asked + 8);
    let now = net.now;
    net.agent(A).close(now);
    net.settle();
    net.run_for(s(60));
    assert_eq!(net.server(server).count("Binding"), asked + 12);
}

#[test]
fn a_restart_allocates_anew_keeps_the_data_flowing_and_releases_the_old_relay() {
    let (mut net, server) = relayed();
    net.begin_stream(ms(20));
    net.run_for(s(1));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 2);
    net.offer(A);
    net.run_for(s(30));
    assert!(net.both(State::Completed));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 2, "the old ones are gone");
    assert_eq!(net.server(server).count("Refresh 0"), 2);
    for peer in [A, B] {
        assert_eq!(net.peers[peer].stuck, 0);
        assert_eq!(net.peers[peer].refused, 0);
        assert!(net.peers[peer].accepted + 5 > net.peers[1 - peer].sent);
        assert_eq!(net.peers[peer].sockets.len(), 1);
    }
}

#[test]
fn what_was_rolled_back_is_released() {
    let (mut net, server) = relayed();
    begin_restart(&mut net);
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 3);
    net.agent(A).rollback(now);
    net.run_for(s(1));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 2);
    assert_eq!(net.peers[A].sockets.len(), 1);
}

#[test]
fn what_was_rolled_back_right_before_the_end_is_released_too() {
    let (mut net, server) = relayed();
    begin_restart(&mut net);
    let now = net.now;
    net.agent(A).rollback(now);
    net.agent(A).close(now);
    net.settle();
    net.run_for(ms(100));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 1, "that of the peer");
}

#[test]
fn closing_releases_the_allocation_with_the_last_datagram() {
    let (mut net, server) = relayed();
    let now = net.now;
    net.agent(A).close(now);
    net.settle();
    assert_eq!(net.peers[A].sockets.len(), 1, "for the server's answer");
    net.run_for(ms(100));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 1);
    assert_eq!(net.server(server).count("Refresh 0"), 1);
    assert!(net.peers[A].sockets.is_empty());
    assert!(net.peers[A].agent.has_left());
    assert_eq!(net.peers[A].agent.poll_timeout(), None);
}

#[test]
fn servers_that_are_set_later_are_asked_by_the_next_generation() {
    let (mut net, _) = behind(NatKind::PortRestricted, &[stun()], TransportPolicy::All);
    net.offer(A);
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
    let before = net.peers[A].candidates.len();
    net.agent(A).set_servers(vec![turn()], TransportPolicy::Relay);
    net.run_for(s(1));
    assert_eq!(net.peers[A].candidates.len(), before, "not before a restart");
    net.offer(A);
    assert!(net.run_until(s(5), |n| {
        n.peers[A].agent.selected_pair().is_some_and(|p| p.local.kind == CandidateKind::Relayed)
    }));
    assert_eq!(kinds(&net, A)[before..], [CandidateKind::Relayed]);
}
