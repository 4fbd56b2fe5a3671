//! Servers that are asked over TCP and TLS.

use turn::testing::PASSWORD;

use super::network::{A, B, Network};
use super::servers::{SERVER, behind, kinds, turn, turn_with};
use super::wire::NatKind;
use super::{ms, s};
use crate::{
    CandidateKind, Event, GatheringState, GenerationId, Server, ServerProtocol, SocketId, State,
    TransportPolicy,
};

fn over(protocol: ServerProtocol, password: &str) -> Server {
    let url = match protocol {
        ServerProtocol::Udp => format!("turn:{SERVER}"),
        ServerProtocol::Tcp => format!("turn:{SERVER}?transport=tcp"),
        ServerProtocol::Tls => format!("turns:{SERVER}"),
    };
    Server { url, protocol, ..turn_with(password) }
}

fn tcp() -> Server {
    over(ServerProtocol::Tcp, PASSWORD)
}

/// Peers that have nothing but relays, behind NATs that let no check through.
fn relay_only(servers: &[Server]) -> Network {
    behind(NatKind::Symmetric, servers, TransportPolicy::Relay).0
}

fn connected(servers: &[Server]) -> Network {
    let mut net = relay_only(servers);
    net.offer(A);
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
    net
}

/// The code, the text and whether there is an address, of each error.
fn errors(net: &Network, peer: usize) -> Vec<(u16, &str, bool)> {
    let errors = net.peers[peer].errors.iter();
    errors.map(|(_, e)| (e.code, e.text.as_str(), e.local.is_some())).collect()
}

#[test]
fn relays_over_tcp_and_tls_carry_data_and_say_what_they_are() {
    for (protocol, preference) in [(ServerProtocol::Tcp, 1), (ServerProtocol::Tls, 0)] {
        let mut net = connected(&[over(protocol, PASSWORD)]);
        assert_eq!(kinds(&net, A), [CandidateKind::Relayed]);
        let relay = &net.peers[A].candidates[0];
        assert_eq!(relay.priority >> 24, preference);
        assert_eq!(relay.server.as_ref().unwrap().relay_protocol, Some(protocol));
        assert_eq!(relay.server.as_ref().unwrap().url, over(protocol, PASSWORD).url);
        let tls = (protocol == ServerProtocol::Tls).then(|| "192.0.2.100".to_owned());
        assert_eq!(net.connects, [tls.clone(), tls], "one of each peer");
        net.begin_stream(ms(20));
        net.run_for(s(700));
        let (sent, taken) = (net.peers[A].sent, net.peers[B].accepted);
        assert!(taken + 10 > sent, "{taken} of {sent}: permissions and channels are renewed");
        assert_eq!(net.peers[A].errors, []);
    }
}

#[test]
fn what_a_server_sees_of_a_connection_is_no_candidate() {
    let (mut net, _) = behind(NatKind::PortRestricted, &[tcp()], TransportPolicy::All);
    net.offer(A);
    assert!(net.run_until(s(5), Network::connected));
    assert_eq!(kinds(&net, A), [CandidateKind::Host, CandidateKind::Relayed]);
}

#[test]
fn one_address_is_asked_over_each_protocol_and_over_each_once() {
    let servers = [turn(), tcp(), over(ServerProtocol::Tls, PASSWORD), tcp()];
    let mut net = relay_only(&servers);
    net.offer(A);
    net.run_for(s(2));
    let relays = net.peers[A].candidates.iter().map(|c| c.server.as_ref().unwrap());
    let protocols: Vec<_> = relays.map(|server| server.relay_protocol.unwrap()).collect();
    assert_eq!(protocols, [ServerProtocol::Udp, ServerProtocol::Tcp, ServerProtocol::Tls]);
    let foundations: Vec<_> = net.peers[A].candidates.iter().map(|c| &c.foundation).collect();
    assert!(foundations[0] != foundations[1] && foundations[1] != foundations[2]);
    assert_eq!(net.peers[A].errors, []);
}

#[test]
fn a_refused_connection_is_701_at_once_without_an_address() {
    let mut net = relay_only(&[tcp()]);
    net.refuses_connections = true;
    net.offer(A);
    net.run_for(s(1));
    assert_eq!(errors(&net, A), [(701, "connection refused", false)]);
    assert_eq!(net.peers[A].errors[0].0, 20, "milliseconds: one round trip");
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
}

#[test]
fn a_connection_that_never_opens_is_701_after_ten_seconds_and_of_no_use_later() {
    let mut net = relay_only(&[tcp()]);
    net.connecting_takes = Some(s(12));
    net.offer(A);
    net.run_for(s(11));
    assert_eq!(errors(&net, A), [(701, "no connection in time", false)]);
    assert_eq!(net.peers[A].errors[0].0, 10_000);
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    assert_eq!(net.peers[A].count("close 2"), 0);
    net.run_for(s(2));
    assert_eq!(net.peers[A].count("close 2"), 1, "the connection is given back");
    assert!(net.peers[A].candidates.is_empty());
}

#[test]
fn connecting_and_asking_share_one_deadline() {
    let (mut net, server) = behind(NatKind::Symmetric, &[tcp()], TransportPolicy::Relay);
    net.connecting_takes = Some(s(6));
    net.server(server).switches.silent = true;
    net.offer(A);
    net.run_for(s(12));
    assert_eq!(errors(&net, A).len(), 1);
    assert_eq!((net.peers[A].errors[0].0, net.peers[A].errors[0].1.code), (10_000, 701));
    assert_eq!(net.peers[A].count("close 2"), 1, "the connection is given up, too");
}

#[test]
fn a_wrong_password_is_401_with_the_address_of_the_connection_and_closes_it() {
    let servers = [over(ServerProtocol::Tcp, "wrong")];
    let (mut net, _) = behind(NatKind::Symmetric, &servers, TransportPolicy::All);
    net.offer(A);
    net.run_for(s(1));
    assert_eq!(errors(&net, A), [(401, "Unauthorized", true)]);
    assert_eq!(net.peers[A].errors[0].1.local.unwrap().port(), 10_002, "not the UDP socket's");
    assert_eq!(net.peers[A].count("close 2"), 1);
}

#[test]
fn a_connection_that_ends_takes_its_pairs_with_it_and_a_restart_heals() {
    let mut net = connected(&[tcp()]);
    net.begin_stream(ms(20));
    net.cut(A);
    assert_eq!(net.state(A), State::Disconnected);
    assert_eq!(net.peers[A].count("close 2"), 0, "it is closed already");
    net.offer(A);
    assert!(net.run_until(s(5), Network::connected));
    let accepted = net.peers[B].accepted;
    net.run_for(s(1));
    assert!(net.peers[B].accepted > accepted + 40);
}

#[test]
fn a_server_that_speaks_something_else_is_701_or_a_lost_relay() {
    // TLS where plain TURN is spoken.
    let garbage = b"\x15\x03\x03\x00\x02\x02\x46";
    let (mut net, server) = behind(NatKind::Symmetric, &[tcp()], TransportPolicy::Relay);
    net.server(server).switches.silent = true;
    net.offer(A);
    net.run_for(s(1));
    net.feed(A, SocketId(2), garbage);
    assert_eq!(net.peers[A].count("close 2"), 1);
    assert_eq!(errors(&net, A), [(701, "the connection to the server was closed", false)]);

    let mut net = connected(&[tcp()]);
    net.feed(A, SocketId(2), garbage);
    assert_eq!(net.peers[A].count("close 2"), 1);
    assert_eq!(net.state(A), State::Disconnected);
    net.feed(A, SocketId(2), garbage);
}

#[test]
fn messages_are_found_however_the_stream_is_cut() {
    for cut in [1, 3, 7, 50] {
        let mut net = relay_only(&[tcp()]);
        net.cuts = cut;
        net.offer(A);
        assert!(net.run_until(s(5), |n| n.both(State::Completed)), "{cut}");
        net.begin_stream(ms(20));
        net.run_for(s(1));
        assert!(net.peers[A].accepted > 40 && net.peers[A].refused == 0, "{cut}");
    }
}

#[test]
fn an_allocation_is_released_over_its_connection_which_is_closed_then() {
    let (mut net, server) = behind(NatKind::Symmetric, &[tcp()], TransportPolicy::Relay);
    net.offer(A);
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 2);
    net.agent(A).close(now);
    net.run_for(ms(15));
    let now = net.now;
    assert_eq!(net.server(server).allocations(now), 1);
    assert!(!net.peers[A].agent.has_left());
    net.run_for(ms(10));
    assert!(net.peers[A].agent.has_left());
    assert_eq!(net.peers[A].count("close 2"), 1);
}

#[test]
fn a_connection_that_opens_for_a_generation_that_is_gone_is_given_back() {
    let mut net = relay_only(&[tcp()]);
    let (now, parameters) = (net.now, net.fresh(A));
    net.agent(A).set_local_parameters(now, parameters);
    net.settle();
    net.agent(A).rollback(now);
    net.run_for(s(1));
    assert_eq!((net.connects.len(), net.peers[A].count("close 2")), (1, 1));

    // Answers that nobody has asked for.
    let local = "10.0.0.1:7".parse().unwrap();
    let agent = net.agent(A);
    agent.connected(now, GenerationId(0), crate::ConnectionId(9), Ok((SocketId(77), local)));
    assert_eq!(agent.poll_event(), Some(Event::CloseSocket(SocketId(77))));
    agent.connected(now, GenerationId(0), crate::ConnectionId(9), Err("why"));
    agent.handle_stream(SocketId(77), b"whatever");
    assert_eq!(agent.next_message(now, SocketId(77)), None);
    assert_eq!(agent.poll_event(), None);
}

#[test]
fn the_interface_that_goes_takes_its_connections_with_it() {
    let mut net = connected(&[tcp()]);
    let now = net.now;
    net.peers[A].sockets.remove(&SocketId(1));
    net.agent(A).socket_closed(now, SocketId(1));
    net.settle();
    assert_eq!(net.peers[A].count("close 2"), 1);
    assert_eq!(net.state(A), State::Disconnected);
}

#[test]
fn a_redirect_over_tls_is_followed_under_the_name_that_it_gives() {
    let other = "192.0.2.200:443";
    let servers = [over(ServerProtocol::Tls, PASSWORD)];
    let (mut net, server) = behind(NatKind::Symmetric, &servers, TransportPolicy::Relay);
    net.server(server).switches.redirect = Some(other.parse().unwrap());
    net.add_server(other);
    net.offer(A);
    net.run_for(s(2));
    let name = Some("192.0.2.100".to_owned());
    assert_eq!(net.connects, [name.clone(), name.clone(), name.clone(), name]);
    assert_eq!(kinds(&net, A), [CandidateKind::Relayed]);
    assert_eq!(net.peers[A].count("close 2"), 1, "the first server has no more to say");
}
