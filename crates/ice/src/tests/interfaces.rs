//! Interfaces that go down and come back.

use super::network::{A, B, Network};
use super::{ms, s};
use crate::{Config, SocketId, State};

const WIRED: &str = "192.0.2.1";
const WIRELESS: &str = "192.0.2.7";

fn with_two_interfaces() -> Network {
    let mut net = Network::with(1, Config::default(), &[&[WIRED, WIRELESS], &["198.51.100.1"]]);
    net.delay = ms(20);
    net.connect();
    net.begin_stream(ms(20));
    net.run_for(s(1));
    net
}

/// The interface of one of a peer's sockets changes.
fn change_of(net: &mut Network, peer: usize, socket: u64, is_up: bool) {
    let address = net.peers[peer].sockets[&SocketId(socket)].ip();
    if is_up {
        net.dead.remove(&address)
    } else {
        net.dead.insert(address)
    };
    let now = net.now;
    net.agent(peer).interface_changed(now, SocketId(socket), is_up);
    net.settle();
}

fn change(net: &mut Network, socket: u64, is_up: bool) {
    change_of(net, A, socket, is_up);
}

fn address_in_use(net: &Network) -> String {
    let path = net.peers[A].agent.selected_path().unwrap();
    net.peers[A].sockets[&path.base.socket].ip().to_string()
}

#[test]
fn the_only_interface_that_goes_down_is_disconnected_at_once_and_works_when_it_is_back() {
    let mut net = Network::new(1);
    net.delay = ms(20);
    net.connect();
    net.begin_stream(ms(20));
    net.run_for(s(1));
    change(&mut net, 1, false);
    assert_eq!(net.state(A), State::Disconnected);
    net.run_for(s(10));
    change(&mut net, 1, true);
    assert_eq!(net.state(A), State::Disconnected, "that it works is not known yet");
    assert!(net.run_until(ms(50), |n| n.state(A) != State::Disconnected), "one round trip");
    // The peer has noticed by itself, and asks every second.
    assert!(net.run_until(ms(1_100), |n| n.state(B) != State::Disconnected));
    let accepted = net.peers[B].accepted;
    net.run_for(s(1));
    assert!(net.peers[B].accepted > accepted + 45);
}

#[test]
fn another_interface_takes_over_in_three_round_trips() {
    let mut net = with_two_interfaces();
    assert_eq!(address_in_use(&net), WIRED);
    change(&mut net, 1, false);
    assert_eq!(net.state(A), State::Disconnected);
    assert!(net.run_until(ms(3 * 40), |n| n.state(A) != State::Disconnected));
    assert_eq!(address_in_use(&net), WIRELESS);
    let accepted = net.peers[B].accepted;
    net.run_for(s(1));
    assert!(net.peers[B].accepted > accepted + 45, "the peer has followed");
    assert!(net.agrees());
}

#[test]
fn the_first_interface_that_is_back_is_used_whichever_was_selected() {
    // `A` is controlling, `B` is controlled.
    for peer in [A, B] {
        let mut addresses: [&[&str]; 2] = [&["198.51.100.1"]; 2];
        addresses[peer] = &[WIRED, WIRELESS];
        let mut net = Network::with(1, Config::default(), &addresses);
        net.delay = ms(20);
        net.connect();
        net.run_for(s(1));
        change_of(&mut net, peer, 2, false);
        change_of(&mut net, peer, 1, false);
        net.run_for(s(15));
        assert!(net.both(State::Disconnected));
        change_of(&mut net, peer, 2, true);
        assert!(net.run_until(s(3), |n| n.state(peer) != State::Disconnected), "{peer}");
        assert!(net.run_until(s(3), |n| n.state(1 - peer) != State::Disconnected), "{peer}");
        assert!(net.agrees());
    }
}

#[test]
fn a_peer_that_answers_although_the_interface_is_down_stays_connected() {
    let mut net = with_two_interfaces();
    let now = net.now;
    net.agent(A).interface_changed(now, SocketId(1), false);
    net.settle();
    assert_eq!(net.state(A), State::Disconnected);
    assert!(net.run_until(ms(45), |n| n.state(A) != State::Disconnected), "one round trip");
    assert_eq!(address_in_use(&net), WIRED);
    net.run_for(s(30));
    assert_eq!(net.peers[A].trace.iter().filter(|line| *line == "state disconnected").count(), 1);
}

#[test]
fn an_interface_that_flaps_harms_nothing() {
    let mut net = with_two_interfaces();
    for _ in 0..50 {
        change(&mut net, 1, false);
        net.run_for(ms(30));
        change(&mut net, 1, true);
        net.run_for(ms(30));
    }
    assert!(net.run_until(s(2), |n| n.both(State::Completed) && n.agrees()), "{:?}", net.state(A));
    assert_eq!(net.peers[A].trace.iter().filter(|line| line.starts_with("close")).count(), 0);
}

#[test]
fn an_interface_that_does_not_come_back_is_failed_when_consent_has_expired() {
    let mut net = Network::new(1);
    net.connect();
    change(&mut net, 1, false);
    net.run_for(s(20));
    assert_eq!(net.state(A), State::Disconnected);
    net.run_for(s(11));
    assert_eq!(net.state(A), State::Failed);
}

#[test]
fn an_interface_that_nothing_uses_changes_nothing() {
    let mut net = with_two_interfaces();
    change(&mut net, 2, false);
    change(&mut net, 2, true);
    let now = net.now;
    net.agent(A).interface_changed(now, SocketId(99), false);
    assert_eq!(net.state(A), State::Completed);
}

#[test]
fn a_machine_that_wakes_asks_peer_and_server_at_once() {
    let (mut net, server) = super::servers::relayed();
    net.run_for(s(1));
    let asked = |net: &mut Network| {
        (net.server(server).count("Refresh"), net.server(server).count("ChannelBind"))
    };
    let before = asked(&mut net);
    let now = net.now;
    net.agent(A).resumed(now);
    net.settle();
    net.run_for(ms(50));
    let after = asked(&mut net);
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1));
    assert!(net.both(State::Completed));

    // The peer has gone meanwhile.
    net.dead.extend(net.peers[B].addresses.clone());
    let now = net.now;
    net.agent(A).resumed(now);
    assert!(net.run_until(ms(3_100), |n| n.state(A) == State::Disconnected));
}

fn address_at(net: &Network, who: usize) -> String {
    let path = net.peers[who].agent.selected_path().unwrap();
    net.peers[who].sockets[&path.base.socket].ip().to_string()
}

/// Two links between the peers, of different families: no pair has an end on each.
fn with_two_links() -> Network {
    let mut net = Network::with(
        1,
        Config::default(),
        &[&["2001:db8::1", WIRELESS], &["2001:db8::2", "192.0.2.8"]],
    );
    net.delay = ms(20);
    net.connect();
    assert_eq!(
        (address_at(&net, A).as_str(), address_at(&net, B).as_str()),
        ("2001:db8::1", "2001:db8::2")
    );
    net
}

#[test]
fn a_peer_that_sends_on_the_pair_it_has_nominated_is_followed_at_once() {
    let mut net = with_two_links();
    net.begin_stream(ms(20));
    // B has just had an answer on its better pair.
    net.run_for(ms(300));
    change(&mut net, 1, false);
    assert!(net.run_until(ms(5 * 40), |n| n.agrees() && n.state(A) != State::Disconnected));
    assert_eq!(address_at(&net, A), WIRELESS);
    net.run_for(s(60));
    assert!(net.agrees() && net.both(State::Completed), "nothing goes back to the dead pair");
    assert_eq!(address_at(&net, A), WIRELESS);
}

#[test]
fn a_peer_that_sends_nothing_is_followed_within_little_more_than_a_second() {
    let mut net = with_two_links();
    net.run_for(ms(300));
    change(&mut net, 1, false);
    assert!(net.run_until(ms(1_000 + 4 * 40), |n| n.agrees()));
    assert_eq!(address_at(&net, A), WIRELESS);
}

#[test]
fn an_earlier_nomination_is_followed_when_the_own_interface_goes_down_as_well() {
    let mut net = with_two_links();
    net.run_for(ms(300));
    change(&mut net, 1, false);
    net.run_for(ms(3 * 40 + 20));
    assert_eq!(address_at(&net, B), "2001:db8::2", "nothing has said yet that it is dead");
    let now = net.now;
    let socket = net.peers[B].agent.selected_path().unwrap().base.socket;
    net.agent(B).interface_changed(now, socket, false);
    net.settle();
    assert_eq!(address_at(&net, B), "192.0.2.8");
    assert_ne!(net.state(B), State::Disconnected);
}
