//! What is told of servers that give no candidate, and at which addresses they are asked:
//! webrtc-pc §4.8.3, RFC 8489 §8.1 and §10.

use std::net::{IpAddr, SocketAddr};

use super::network::{A, Network};
use super::servers::{SERVER, behind, kinds, stun, turn, turn_with};
use super::wire::NatKind;
use super::{ms, s};
use crate::{CandidateKind, Config, GatheringState, NameOf, Server, TransportPolicy};
use turn::testing::PASSWORD;

/// Another address at which nobody answers.
const NOBODY: &str = "192.0.2.99";

/// The first peer has two interfaces.
fn with_two_interfaces(servers: &[Server]) -> (Network, SocketAddr) {
    let hosts = &[&["198.51.100.7", "198.51.100.8"] as &[_], &["198.51.100.9"]];
    let mut net = Network::with(1, Config::default(), hosts);
    let server = net.add_server(SERVER);
    net.agent(A).set_servers(servers.to_vec(), TransportPolicy::All);
    (net, server)
}

fn named(host: &str, server: Server) -> Server {
    Server { host: host.to_owned(), ..server }
}

fn told(net: &Network) -> Vec<(u16, &str)> {
    net.peers[A].errors.iter().map(|(_, error)| (error.code, error.url.as_str())).collect()
}

// ----- webrtc-pc §4.8.3: "If no host candidate can reach the server, errorCode will be set to the
// value 701 […]. This error is only fired once per server URL".

#[test]
fn a_server_that_no_interface_reaches_is_told_once_for_each_url() {
    let urls = ["stun:192.0.2.100", "stun:192.0.2.100:3478"];
    let mut servers: Vec<_> =
        urls.iter().map(|url| Server { url: (*url).to_owned(), ..stun() }).collect();
    servers.push(turn());
    let (mut net, server) = with_two_interfaces(&servers);
    net.server(server).switches.silent = true;
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(told(&net), [(701, urls[0]), (701, urls[1]), (701, "turn:192.0.2.100:3478")]);
    // The address from which it was asked first.
    let first = net.peers[A].candidates[0].socket_addr();
    assert!(net.peers[A].errors.iter().all(|(_, error)| error.local == first));
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
}

#[test]
fn a_server_that_one_interface_reaches_is_no_error() {
    for server in [stun(), turn()] {
        let (mut net, _) = with_two_interfaces(&[server]);
        net.dead.insert("198.51.100.7".parse().unwrap());
        net.offer(A);
        net.run_for(s(11));
        assert_eq!(told(&net), []);
        assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    }
}

#[test]
fn a_server_that_refuses_has_been_reached() {
    let (mut net, _) = with_two_interfaces(&[turn_with("wrong")]);
    net.dead.insert("198.51.100.8".parse().unwrap());
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(told(&net), [(401, "turn:192.0.2.100:3478")]);
    let local = net.peers[A].errors[0].1.local.unwrap();
    assert_eq!(local.ip().to_string(), "198.51.100.7");
}

#[test]
fn a_server_that_one_interface_cannot_be_asked_from_is_told_of_the_other() {
    let hosts = &[&["2001:db8:1::7", "198.51.100.8"] as &[_], &["198.51.100.9"]];
    let mut net = Network::with(1, Config::default(), hosts);
    net.agent(A).set_servers(vec![stun()], TransportPolicy::All);
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(told(&net), [(701, "stun:192.0.2.100:3478")]);
    let local = net.peers[A].errors[0].1.local.unwrap();
    assert_eq!(local.ip().to_string(), "198.51.100.8");
}

// ----- which errors still matter

#[test]
fn errors_of_a_generation_that_another_has_taken_the_place_of_are_not_told() {
    let (mut net, server) = behind(NatKind::PortRestricted, &[stun()], TransportPolicy::All);
    net.server(server).switches.silent = true;
    // An offer that is made anew.
    net.offer(A);
    net.run_for(s(5));
    let (now, parameters) = (net.now, net.fresh(A));
    net.agent(A).set_local_parameters(now, parameters);
    net.run_for(s(9));
    assert_eq!(told(&net), []);
    net.run_for(s(2));
    assert_eq!(told(&net).len(), 1);
}

#[test]
fn errors_of_what_a_restart_replaces_or_a_rollback_takes_back_are_not_told() {
    let (mut net, server) = with_two_interfaces(&[stun()]);
    net.server(server).switches.silent = true;
    net.offer(A);
    assert!(net.run_until(s(2), Network::connected));
    net.run_for(s(5));
    net.offer(A);
    net.run_for(s(9));
    assert_eq!(told(&net), [], "of the first generation");
    net.run_for(s(2));
    assert_eq!(told(&net).len(), 1);

    let (now, parameters) = (net.now, net.fresh(A));
    net.agent(A).set_local_parameters(now, parameters);
    net.run_for(s(5));
    let now = net.now;
    net.agent(A).rollback(now);
    net.run_for(s(30));
    assert_eq!(told(&net).len(), 1);
}

#[test]
fn an_error_that_a_restart_holds_back_is_told_once_the_restart_is_taken_back() {
    let (mut net, server) = with_two_interfaces(&[stun()]);
    net.server(server).switches.silent = true;
    net.offer(A);
    assert!(net.run_until(s(2), Network::connected));
    net.run_for(s(5));
    let (now, parameters) = (net.now, net.fresh(A));
    net.agent(A).set_local_parameters(now, parameters);
    // The first generation gives the server up meanwhile, and the second one does not.
    net.run_for(s(6));
    assert_eq!(told(&net), []);
    let now = net.now;
    net.agent(A).rollback(now);
    net.run_for(ms(10));
    assert_eq!(told(&net).len(), 1);
    net.run_for(s(30));
    assert_eq!(told(&net).len(), 1);
}

// ----- RFC 8489 §8.1

#[test]
fn the_next_address_of_a_name_is_tried_when_one_does_not_answer() {
    for server in [stun(), turn()] {
        let server = named("server.example", server);
        let (mut net, at) = behind(NatKind::PortRestricted, &[server], TransportPolicy::All);
        let known = [NOBODY, "2001:db8::9", "0.0.0.0", "192.0.2.100"];
        let known = known.iter().map(|ip| ip.parse().unwrap()).collect();
        net.names.insert("server.example".to_owned(), known);
        net.offer(A);
        assert!(net.run_until(ms(5_100), |n| n.peers[A].candidates.len() > 1));
        net.run_for(s(6));
        assert!(kinds(&net, A).contains(&CandidateKind::ServerReflexive));
        assert_eq!(told(&net), []);
        assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
        assert!(net.server(at).count("") > 0);
    }
}

/// `?transport=udp` is often written beside the same URL without it.
#[test]
fn names_of_the_same_addresses_are_asked_once_at_each() {
    for first in [NOBODY, "192.0.2.98"] {
        let with_url = |url: &str, host| Server { url: url.to_owned(), ..named(host, turn()) };
        let literal = with_url("turn:literal", first);
        let name = with_url("turn:server.example", "server.example");
        let again = Server { url: "turn:server.example?transport=udp".to_owned(), ..name.clone() };
        let servers = [literal, name, again];
        let (mut net, at) = behind(NatKind::PortRestricted, &servers, TransportPolicy::All);
        let known = [NOBODY, "192.0.2.100"].map(|ip| ip.parse().unwrap());
        net.names.insert("server.example".to_owned(), known.to_vec());
        net.offer(A);
        net.run_for(s(16));
        assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
        let relayed = net.peers[A].candidates.iter().filter(|c| c.kind == CandidateKind::Relayed);
        let urls: Vec<_> = relayed.map(|c| c.server.as_ref().unwrap().url.as_str()).collect();
        assert_eq!(urls, ["turn:server.example"]);
        assert_eq!(told(&net), [(701, "turn:literal")]);
        let log = net.server(at).log.iter();
        let allocates = log.filter(|(_, what)| what == "Allocate").count();
        assert_eq!(allocates, 2, "one of each peer");
    }
}

#[test]
fn a_url_that_is_there_twice_is_told_of_once() {
    let mut servers = vec![stun(), stun()];
    servers.extend([named("nowhere.example", stun()), named("nowhere.example", stun())]);
    for server in servers.iter_mut().skip(2) {
        server.url = "stun:nowhere.example".to_owned();
    }
    let (mut net, server) = with_two_interfaces(&servers);
    net.server(server).switches.silent = true;
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(told(&net), [(701, "stun:nowhere.example"), (701, "stun:192.0.2.100:3478")]);
}

#[test]
fn all_addresses_of_a_name_have_the_time_of_one() {
    let server = named("server.example", stun());
    let (mut net, at) = behind(NatKind::PortRestricted, &[server], TransportPolicy::All);
    net.server(at).switches.silent = true;
    let known: Vec<IpAddr> = (90..110).map(|n| IpAddr::from([192, 0, 2, n])).collect();
    net.names.insert("server.example".to_owned(), known);
    net.offer(A);
    net.run_for(ms(9_900));
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Gathering);
    net.run_for(ms(300));
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    assert_eq!(told(&net), [(701, "stun:192.0.2.100:3478")]);
    let asked = net.wire.sent.iter().filter(|(_, to, _)| to.port() == 3478);
    let mut asked: Vec<_> = asked.map(|(_, to, _)| to.ip().to_string()).collect();
    asked.dedup();
    assert_eq!(asked, ["192.0.2.90", "192.0.2.91", "192.0.2.92", "192.0.2.93"]);
}

#[test]
fn an_address_that_is_written_as_ipv6_is_one_of_ipv4() {
    let literal = named("::ffff:192.0.2.100", turn());
    let name = named("server.example", stun());
    for server in [literal, name] {
        let (mut net, _) = behind(NatKind::PortRestricted, &[server], TransportPolicy::All);
        let mapped = "::ffff:192.0.2.100".parse().unwrap();
        net.names.insert("server.example".to_owned(), vec![mapped]);
        net.offer(A);
        net.run_for(s(1));
        assert!(kinds(&net, A).contains(&CandidateKind::ServerReflexive));
        assert_eq!(told(&net), []);
    }
}

// ----- RFC 8489 §10

#[test]
fn a_redirect_that_cannot_be_followed_is_one_error() {
    let config = Config { max_server_clients: 1, ..Config::default() };
    let hosts = &[&["198.51.100.7"] as &[_], &["198.51.100.9"]];
    let mut net = Network::with(1, config, hosts);
    let at = net.add_server(SERVER);
    net.server(at).switches.redirect = Some("192.0.2.101:3478".parse().unwrap());
    net.agent(A).set_servers(vec![turn()], TransportPolicy::All);
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(told(&net), [(300, "turn:192.0.2.100:3478")]);
}

#[test]
fn a_redirect_to_where_nobody_is_is_one_error_too() {
    let (mut net, at) = with_two_interfaces(&[turn()]);
    net.server(at).switches.redirect = Some("192.0.2.101:3478".parse().unwrap());
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(told(&net), [(701, "turn:192.0.2.100:3478")]);
}

/// `?transport=udp` beside the same URL without it, and a server that spreads its load.
#[test]
fn a_redirect_holds_for_every_url_of_the_address() {
    let again = Server { url: "turn:192.0.2.100?transport=udp".to_owned(), ..turn() };
    let servers = [turn(), again];
    let (mut net, at) = behind(NatKind::PortRestricted, &servers, TransportPolicy::All);
    let other = net.add_server("192.0.2.101:3478");
    net.server(at).switches.redirect = Some(other);
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(told(&net), []);
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    let now = net.now;
    assert_eq!(net.server(other).allocations(now), 2, "one of each peer");
}

#[test]
fn a_redirect_to_where_nobody_is_leaves_the_other_addresses_of_the_name() {
    let server = named("server.example", turn());
    let (mut net, at) = behind(NatKind::PortRestricted, &[server], TransportPolicy::All);
    net.add_server("192.0.2.102:3478");
    net.server(at).switches.redirect = Some("192.0.2.101:3478".parse().unwrap());
    let known = ["192.0.2.100", "192.0.2.102"].map(|ip| ip.parse().unwrap());
    net.names.insert("server.example".to_owned(), known.to_vec());
    net.offer(A);
    net.run_for(s(16));
    assert_eq!(told(&net), []);
    assert!(kinds(&net, A).contains(&CandidateKind::Relayed));
}

#[test]
fn servers_that_name_each_other_are_an_error_for_each_url() {
    let other = "192.0.2.101:3478";
    let second = Server { url: format!("turn:{other}"), host: "192.0.2.101".to_owned(), ..turn() };
    let (mut net, at) = behind(NatKind::PortRestricted, &[turn(), second], TransportPolicy::All);
    let other = net.add_server(other);
    net.server(at).switches.redirect = Some(other);
    net.server(other).switches.redirect = Some(at);
    net.offer(A);
    net.run_for(s(30));
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    let mut told = told(&net);
    told.sort_unstable();
    assert_eq!(told, [(300, "turn:192.0.2.100:3478"), (300, "turn:192.0.2.101:3478")]);
}

// ----- each socket for itself

#[test]
fn a_name_that_is_resolved_after_its_address_has_answered_is_no_error() {
    let name = Server { url: "stun:server.example".to_owned(), ..named("server.example", stun()) };
    let (mut net, _) = behind(NatKind::PortRestricted, &[stun(), name], TransportPolicy::All);
    net.silent_names = true;
    net.offer(A);
    assert!(net.run_until(s(2), |n| kinds(n, A).contains(&CandidateKind::ServerReflexive)));
    let (now, address) = (net.now, SERVER.parse::<SocketAddr>().unwrap().ip());
    let generation = net.agent(A).newest_generation().unwrap();
    net.agent(A).resolved(now, generation, NameOf::Server, "server.example", Ok(&[address]));
    net.run_for(s(11));
    assert_eq!(told(&net), []);
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
}

#[test]
fn an_interface_that_reaches_only_the_second_address_of_a_name_has_a_relay_too() {
    let (mut net, _) = with_two_interfaces(&[named("server.example", turn())]);
    let second = net.add_server("192.0.2.102:3478");
    net.server(second).switches.relayed = Some("192.0.2.102:50000".parse().unwrap());
    let known = ["192.0.2.100", "192.0.2.102"].map(|ip| ip.parse().unwrap());
    net.names.insert("server.example".to_owned(), known.to_vec());
    net.wire.cut = Some(["198.51.100.8", "192.0.2.100"].map(|ip| ip.parse().unwrap()));
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(told(&net), []);
    let now = net.now;
    assert_eq!(net.server(second).allocations(now), 1);
    let relayed = kinds(&net, A).into_iter().filter(|kind| *kind == CandidateKind::Relayed);
    assert_eq!(relayed.count(), 2);
}

#[test]
fn a_literal_address_does_not_lend_its_time_to_the_addresses_of_a_name() {
    let name = Server { url: "stun:server.example".to_owned(), ..named("server.example", stun()) };
    let servers = [named(NOBODY, stun()), name];
    let (mut net, _) = behind(NatKind::PortRestricted, &servers, TransportPolicy::All);
    let known = [NOBODY, "192.0.2.96", "192.0.2.97", "192.0.2.98"];
    net.names.insert("server.example".to_owned(), known.map(|ip| ip.parse().unwrap()).to_vec());
    net.offer(A);
    // Three quarters of the name's 10 s come after those of the literal.
    net.run_for(ms(17_800));
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
}

#[test]
fn a_refusal_is_told_for_every_url_of_the_address() {
    let again = Server { url: "turn:192.0.2.100?transport=udp".to_owned(), ..turn_with("wrong") };
    let servers = [turn_with("wrong"), again];
    let (mut net, _) = behind(NatKind::PortRestricted, &servers, TransportPolicy::All);
    net.offer(A);
    net.run_for(s(2));
    let urls = ["turn:192.0.2.100:3478", "turn:192.0.2.100?transport=udp"];
    assert_eq!(told(&net), urls.map(|url| (401, url)));
}

// ----- RFC 8445 §5.1.1.2: "If a TURN Allocate request is rejected because the server lacks
// resources to fulfill it, the agent SHOULD instead send a Binding request".

#[test]
fn a_server_that_refuses_an_allocation_still_says_what_address_it_sees() {
    for (password, code) in [(PASSWORD, 486), ("wrong", 401)] {
        let servers = [turn_with(password)];
        let (mut net, server) = behind(NatKind::PortRestricted, &servers, TransportPolicy::All);
        net.server(server).switches.quota = Some(0);
        net.offer(A);
        assert!(net.run_until(s(2), Network::connected), "{code}");
        assert_eq!(told(&net), [(code, "turn:192.0.2.100:3478")]);
        assert_eq!(kinds(&net, A), [CandidateKind::Host, CandidateKind::ServerReflexive]);
        let origin = net.peers[A].candidates[1].server.clone().unwrap();
        assert_eq!(origin.url, "turn:192.0.2.100:3478");
    }
}

#[test]
fn a_refusal_is_one_error_whatever_becomes_of_the_binding_request() {
    let (mut net, server) =
        behind(NatKind::PortRestricted, &[turn_with("wrong")], TransportPolicy::All);
    net.offer(A);
    assert!(net.run_until(s(1), |net| !told(net).is_empty()));
    net.server(server).switches.silent = true;
    net.run_for(s(3));
    assert_eq!(told(&net), [(401, "turn:192.0.2.100:3478")]);
    assert_eq!(kinds(&net, A), [CandidateKind::Host]);
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
}

#[test]
fn a_server_that_is_a_stun_server_too_is_asked_once_for_the_mapped_address() {
    let servers = [stun(), turn_with("wrong")];
    let (mut net, server) = behind(NatKind::PortRestricted, &servers, TransportPolicy::All);
    net.offer(A);
    net.run_for(s(2));
    assert_eq!(kinds(&net, A), [CandidateKind::Host, CandidateKind::ServerReflexive]);
    let origin = net.peers[A].candidates[1].server.clone().unwrap();
    assert_eq!(origin.url, "stun:192.0.2.100:3478");
    // Two Allocate requests and one Binding request of each peer.
    assert_eq!(net.server(server).log.len(), 6);
}

#[test]
fn under_the_policy_relay_a_refusal_is_the_end() {
    let servers = [turn_with("wrong")];
    let (mut net, server) = behind(NatKind::PortRestricted, &servers, TransportPolicy::Relay);
    net.offer(A);
    net.run_for(s(2));
    assert_eq!(kinds(&net, A), []);
    assert_eq!(net.server(server).log.len(), 4);
}
