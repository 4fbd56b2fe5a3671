//! Data before the first pair is selected (RFC 8445 §12.1).

use super::*;
use crate::{Config, State};

#[test]
fn data_go_on_a_valid_pair_before_the_nomination_and_no_state_shows_it() {
    let mut net = Network::new(1);
    net.delay = ms(50);
    net.signalling = ms(50);
    net.offer(A);
    let has_path = |n: &Network, peer: usize| n.peers[peer].agent.data_path().is_some();
    // The offer takes 50, a check and its answer 100.
    assert!(net.run_until(s(1), |n| has_path(n, B)));
    assert_eq!(net.elapsed(), ms(150));
    // A has had that check since 100, and its own check is not answered yet: B may send to A, but A
    // has no consent to send to B (RFC 7675 §5.1).
    assert!(!has_path(&net, A));
    let (socket, from) = (
        *net.peers[A].sockets.keys().next().unwrap(),
        *net.peers[B].sockets.values().next().unwrap(),
    );
    assert!(net.peers[A].agent.accepts_data(socket, from));
    assert!(net.run_until(s(1), |n| has_path(n, A)));
    assert_eq!(net.elapsed(), ms(200));
    for peer in [A, B] {
        let now = net.now;
        let agent = &mut net.peers[peer].agent;
        assert_eq!(agent.state(), State::Checking);
        assert_eq!((agent.selected_path(), agent.selected_pair()), (None, None));
        let path = agent.data_path().unwrap();
        let sent = agent.send(now, vec![23; 10].into()).unwrap();
        assert_eq!((sent.socket, sent.destination), (path.base.socket, path.remote));
        let counted: Vec<_> = agent.pairs().map(|pair| pair.sent.packets).collect();
        assert_eq!(counted, [1], "on its pair");
    }
    assert!(net.run_until(s(1), Network::connected));
    for peer in &net.peers {
        assert_eq!(peer.agent.data_path(), peer.agent.selected_path());
        assert_eq!(peer.states(), "checking connected");
    }
}

/// The pair that works first is not the one that is nominated.
#[test]
fn data_move_to_the_pair_that_is_nominated() {
    let addresses: [&[&str]; 2] = [&["192.0.2.1"], &["198.51.100.1", "198.51.100.2"]];
    let config = Config { ta: ms(5), ..Config::default() };
    let mut net = Network::with(2, config, &addresses);
    net.delay = ms(20);
    net.slow.insert("198.51.100.1".parse().unwrap(), ms(4));
    net.offer(A);
    assert!(net.run_until(s(1), |n| n.peers[A].agent.data_path().is_some()));
    let first = net.peers[A].agent.data_path().unwrap();
    assert_eq!(first.remote.ip().to_string(), "198.51.100.2", "the fast one");
    // The other one becomes valid, and data stay until it is selected.
    net.run_until(s(1), |n| {
        let path = n.peers[A].agent.data_path();
        assert!(path == Some(first) || path == n.peers[A].agent.selected_path());
        n.connected()
    });
    for peer in &net.peers {
        assert!(peer.agent.selected_path().is_some());
        assert_eq!(peer.agent.data_path(), peer.agent.selected_path());
    }
}

#[test]
fn a_pair_that_dies_before_the_nomination_carries_nothing_more() {
    let mut net = Network::new(3);
    net.delay = ms(50);
    net.signalling = ms(50);
    net.offer(A);
    assert!(net.run_until(s(1), |n| n.peers[B].agent.data_path().is_some()));
    let now = net.now;
    let agent = &mut net.peers[B].agent;
    let socket = agent.data_path().unwrap().base.socket;
    agent.socket_closed(now, socket);
    assert_eq!(agent.data_path(), None);
    assert!(agent.send(now, vec![23; 10].into()).is_none());
    agent.close(now);
    assert_eq!(agent.data_path(), None);
}

/// After the first selection only a selected pair carries data: an association of DTLS is not moved
/// without need.
#[test]
fn with_a_restart_data_stay_on_the_old_pair_until_the_new_one_is_selected() {
    let mut net = Network::new(4);
    net.delay = ms(50);
    net.connect();
    let old = net.peers[A].agent.data_path();
    net.offer(A);
    let mut has_moved = false;
    net.run_until(s(3), |n| {
        let agent = &n.peers[A].agent;
        assert_eq!(agent.data_path(), agent.selected_path());
        has_moved = agent.data_path() != old;
        false
    });
    assert!(has_moved);
}
