//! Connections of strangers, and what a hostile peer can make this side do over TCP.

use std::net::SocketAddr;

use super::hostile::check;
use super::network::{A, B, Network};
use super::tcp::{behind_nat, connected_from, data_flows, passive, signal, tcp_alone, waiting};
use super::{ms, s};
use crate::generation::MAX_STRANGERS;
use crate::stun::{self, Credentials};
use crate::{Candidate, Config, PairState, Protocol, Role, SocketId, State, TcpType};

fn stranger(number: u16) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 66], 6000 + number))
}

fn framed(packet: &[u8]) -> Vec<u8> {
    let mut framed = u16::try_from(packet.len()).unwrap().to_be_bytes().to_vec();
    framed.extend_from_slice(packet);
    framed
}

fn is_open(net: &Network, socket: SocketId) -> bool {
    net.peers[A].sockets.contains_key(&socket)
}

#[test]
fn connections_without_a_check_are_closed_after_ten_seconds() {
    let mut net = waiting(940);
    let silent = net.intrude(A, stranger(1));
    let slow = net.intrude(A, stranger(2));
    for _ in 0..9 {
        net.run_for(s(1));
        net.feed(A, slow, &[0]);
        assert!(is_open(&net, silent) && is_open(&net, slow));
    }
    net.run_for(s(1));
    assert!(!is_open(&net, silent) && !is_open(&net, slow));
    net.feed(A, slow, b"more");
}

#[test]
fn what_no_peer_sends_first_closes_a_connection_at_once() {
    let mut net = waiting(941);
    let others: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0xff, 0xff],
        &[0x08, 0x01],
        &[0, 0, 0, 0, 0, 100, 22, 254, 253],
    ];
    for (number, bytes) in (0..).zip(others) {
        let socket = net.intrude(A, stranger(number));
        net.feed(A, socket, bytes);
        assert!(!is_open(&net, socket), "{bytes:?}");
    }
    // Nothing at all, and the beginning of a check, may yet become one.
    for (number, bytes) in (10..).zip([&[0, 0, 0, 0][..], &[0, 100, 0, 1]]) {
        let socket = net.intrude(A, stranger(number));
        net.feed(A, socket, bytes);
        assert!(is_open(&net, socket), "{bytes:?}");
    }
}

#[test]
fn many_connections_keep_the_peer_out_for_no_time() {
    let mut net = waiting(942);
    let all: Vec<_> = (0..100)
        .map(|number| {
            net.run_for(ms(1));
            net.intrude(A, stranger(number))
        })
        .collect();
    let open = all.iter().filter(|socket| is_open(&net, **socket)).count();
    assert_eq!(open, MAX_STRANGERS);
    assert!(is_open(&net, all[99]), "the latest stay");
    net.release_candidates(A);
    net.release_candidates(B);
    assert!(net.run_until(s(10), |n| n.both(State::Completed)));
    net.run_for(s(10));
    assert_eq!(all.iter().filter(|socket| is_open(&net, **socket)).count(), 0);
    data_flows(&mut net);
}

#[test]
fn checks_with_a_wrong_password_do_not_keep_a_connection_open() {
    let mut net = waiting(943);
    let a = net.peers[A].agent.local_parameters().cloned().unwrap();
    let b = net.peers[B].agent.local_parameters().cloned().unwrap();
    let guess = crate::Parameters { password: "a-guess-that-is-long-enough".into(), ..a };
    let socket = net.intrude(A, stranger(1));
    let packet = check(&b, &guess, Role::Controlled, false);
    for _ in 0..9 {
        net.feed(A, socket, &framed(&packet));
        net.run_for(s(1));
    }
    net.run_for(s(1));
    assert!(!is_open(&net, socket));
    assert!(net.peers[A].agent.pairs().next().is_none());
}

#[test]
fn a_check_replayed_on_another_connection_leads_nowhere() {
    let mut net = connected_from(944, A);
    let a = net.peers[A].agent.local_parameters().cloned().unwrap();
    let b = net.peers[B].agent.local_parameters().cloned().unwrap();
    let packet = check(&b, &a, Role::Controlled, false);
    let path = net.peers[A].agent.selected_path();
    // Seen by A first where it belongs.
    let socket = path.unwrap().base.socket;
    net.feed(A, socket, &framed(&packet));
    let other = net.intrude(A, stranger(1));
    net.feed(A, other, &framed(&packet));
    assert!(!net.peers[A].agent.accepts_data(other, stranger(2)));
    net.run_for(s(60));
    assert_eq!(net.peers[A].agent.selected_path(), path);
    assert!(!is_open(&net, other), "nobody has answered there");
    assert!(net.both(State::Completed));
}

#[test]
fn an_answer_counts_only_on_the_connection_of_its_check() {
    let mut net = tcp_alone(945);
    net.delay = ms(50);
    net.offer(A);
    let in_flight = |n: &Network| {
        n.peers[A]
            .agent
            .pairs()
            .any(|p| p.pair.local.protocol == Protocol::Tcp && p.requests_sent > 0)
    };
    assert!(net.run_until(s(1), in_flight));
    let b = Credentials::new(net.peers[B].agent.local_parameters().cloned().unwrap());
    let ids: Vec<_> = net.peers[A].agent.in_flight().collect();
    let socket = net.intrude(A, stranger(1));
    for id in ids {
        let response = stun::success(id, stranger(1), &b.key).unwrap();
        net.feed(A, socket, &framed(&response));
    }
    assert!(net.peers[A].agent.pairs().all(|pair| pair.state != PairState::Succeeded));
    assert!(net.run_until(s(10), |n| n.both(State::Completed)));
}

#[test]
fn a_peer_cannot_make_this_side_connect_to_other_services() {
    let mut net = waiting(946);
    for address in [
        "198.51.100.1:9",
        "198.51.100.1:0",
        "198.51.100.1:22",
        "198.51.100.1:25",
        "10.0.0.1:443",
        "127.0.0.1:8080",
        "255.255.255.255:8080",
        "224.0.0.1:8080",
    ] {
        signal(&mut net, A, passive(address));
    }
    for tcp_type in [TcpType::Active, TcpType::SimultaneousOpen] {
        let other = Candidate { tcp_type: Some(tcp_type), ..passive("198.51.100.1:8080") };
        signal(&mut net, A, other);
    }
    net.run_for(s(5));
    assert_eq!(net.tcp.dialled, []);
    assert_eq!(net.peers[A].agent.remote_candidates().count(), 10, "kept");
    signal(&mut net, A, passive("198.51.100.1:443"));
    net.run_for(ms(20));
    assert_eq!(net.tcp.dialled.len(), 1);
}

#[test]
fn many_passive_candidates_make_no_more_connections_than_pairs_and_not_at_once() {
    let config = Config { max_pairs: 10, ..Config::default() };
    let mut net = Network::with(947, config, &[&["192.0.2.1"], &["198.51.100.1"]]);
    net.delay = ms(10);
    net.over_tcp_alone(&[A, B]);
    behind_nat(&mut net, B);
    net.peers[B].holds_candidates = true;
    net.peers[A].holds_candidates = true;
    net.offer(A);
    net.run_for(ms(50));
    for number in 0..90 {
        let candidate = passive(&format!("198.51.100.1:{}", 20_000 + number));
        signal(&mut net, A, Candidate { foundation: number.to_string(), ..candidate });
    }
    let dialled = net.tcp.dialled.len();
    assert!(dialled <= 1, "{dialled} at once");
    net.run_for(s(9));
    assert_eq!(net.tcp.dialled.len(), 10);
}
