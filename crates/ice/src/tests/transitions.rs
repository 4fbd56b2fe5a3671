//! Every transition of `RTCIceTransportState`: webrtc-pc §5.6.3, with its examples. Each row of the
//! table is played. What happens by chance, over many seeds, is a row of the table.

use std::collections::HashSet;

use State::{Checking, Closed, Completed, Connected, Disconnected, Failed, New};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::network::seed;
use super::seeds::seeds;
use super::*;
use crate::{Config, SocketId, State};

const HERE: [&str; 2] = ["192.0.2.1", "192.0.2.2"];
const THERE: &str = "198.51.100.1";

fn network(seed: u64) -> Network {
    // Without the patience of a day nothing would stay disconnected before it has ever worked.
    let config = Config { end_of_candidates_timeout: None, ..Config::default() };
    let mut net = Network::with(seed, config, &[&HERE[..1], &[THERE]]);
    net.delay = ms(10);
    net
}

fn block(net: &mut Network) {
    net.dead.insert(THERE.parse().unwrap());
}

fn close(net: &mut Network) {
    let now = net.clock(A);
    net.agent(A).close(now);
}

fn roll_back(net: &mut Network) {
    let now = net.clock(A);
    net.agent(A).rollback(now);
}

/// A's part of a restart that B has not answered yet.
fn begin_restart(net: &mut Network) {
    let (parameters, now) = (net.fresh(A), net.clock(A));
    net.agent(A).set_local_parameters(now, parameters);
}

/// The whole of it.
fn restart(net: &mut Network) {
    answer_provisionally(net);
    let now = net.clock(A);
    net.agent(A).commit(now);
}

/// Both sides of a restart are described, and it can still be rolled back.
fn answer_provisionally(net: &mut Network) {
    begin_restart(net);
    let (parameters, now) = (net.fresh(B), net.clock(A));
    net.agent(A).set_remote_parameters(now, parameters, false);
}

fn selected_socket(net: &Network) -> SocketId {
    net.peers[A].agent.selected_path().expect("a path").base.socket
}

/// A new remote candidate, at which nobody is.
fn add_candidate(net: &mut Network) {
    let port = 7 + u16::try_from(net.peers[A].agent.remote_candidates().count()).unwrap();
    let (now, address) = (net.clock(A), std::net::SocketAddr::from(([198, 51, 100, 77], port)));
    let candidate = crate::Candidate::udp(address);
    net.agent(A).add_remote_candidate(now, None, candidate).unwrap();
}

// ----- agents in each state

fn fresh() -> Network {
    network(1)
}

/// The parameters of both sides are known, and no candidate of the peer.
fn described() -> Network {
    let mut net = network(2);
    net.peers[B].holds_candidates = true;
    block(&mut net);
    net.offer(A);
    net.run_for(ms(100));
    net
}

fn checking() -> Network {
    let mut net = network(3);
    block(&mut net);
    net.offer(A);
    net.run_for(ms(100));
    net
}

/// The peer does not answer, and may have more candidates.
fn in_vain() -> Network {
    let mut net = described();
    add_candidate(&mut net);
    net
}

fn never_connected() -> Network {
    let mut net = in_vain();
    net.run_for(s(60));
    net
}

/// Both descriptions are there, and the exchange is not complete.
fn unanswered() -> Network {
    let mut net = network(6);
    begin_restart(&mut net);
    let (now, parameters) = (net.clock(A), net.fresh(B));
    net.agent(A).set_remote_parameters(now, parameters, false);
    add_candidate(&mut net);
    net
}

fn connected() -> Network {
    let mut net = network(4);
    net.offer(A);
    net.run_for(s(1));
    net
}

/// Either side may still have better pairs.
fn connected_for_long() -> Network {
    let config = Config { conclusion_wait: s(60), ..Config::default() };
    let mut net = Network::with(7, config, &[&HERE[..1], &[THERE]]);
    net.offer(A);
    net.run_for(s(10));
    net
}

fn completed() -> Network {
    let mut net = network(5);
    net.connect();
    net
}

fn disconnected() -> Network {
    let mut net = completed();
    block(&mut net);
    assert!(net.run_until(s(20), |net| net.state(A) == Disconnected));
    net
}

fn failed() -> Network {
    let mut net = disconnected();
    net.run_for(s(60));
    net
}

/// A restart was offered in this state.
fn offered(from: fn() -> Network) -> Network {
    let mut net = from();
    begin_restart(&mut net);
    net
}

/// A restart was begun in this state.
fn restarting(from: fn() -> Network) -> Network {
    let mut net = from();
    answer_provisionally(&mut net);
    net
}

/// From, why, to, an agent in the first state, and what happens to it.
type Row = (State, &'static str, State, fn() -> Network, fn(&mut Network));

const TABLE: &[Row] = &[
    (New, "remote candidates received", Checking, described, add_candidate),
    (New, "close()", Closed, fresh, close),
    (Checking, "found usable connection", Connected, checking, |net| {
        net.dead.clear();
        net.run_for(s(1));
    }),
    (Checking, "checks fail but more candidates may come", Disconnected, in_vain, |net| {
        net.run_for(s(60));
    }),
    (Checking, "gave up", Failed, checking, |net| net.run_for(s(60))),
    (Checking, "the first description is rolled back", New, unanswered, roll_back),
    (Checking, "close()", Closed, checking, close),
    (
        Checking,
        "the restart of a disconnected transport is rolled back",
        Disconnected,
        || restarting(disconnected),
        roll_back,
    ),
    (
        Checking,
        "the restart of a failed transport is rolled back",
        Failed,
        || restarting(failed),
        roll_back,
    ),
    (Connected, "finished all checks", Completed, connected, |net| net.run_for(s(3))),
    (Connected, "lost connectivity", Disconnected, connected_for_long, |net| {
        block(net);
        net.run_for(s(10));
    }),
    (Connected, "the socket died", Disconnected, connected, |net| net.cut(A)),
    (Connected, "the interface is down", Disconnected, connected, |net| {
        let (now, socket) = (net.clock(A), selected_socket(net));
        net.agent(A).interface_changed(now, socket, false);
    }),
    (
        Connected,
        "the path dies while a restart is under way",
        Checking,
        || restarting(completed),
        |net| {
            block(net);
            net.run_for(s(10));
        },
    ),
    (
        Connected,
        "the path dies while a restart is offered",
        Disconnected,
        || offered(completed),
        |net| {
            block(net);
            net.run_for(s(10));
        },
    ),
    (Connected, "close()", Closed, connected, close),
    (
        Connected,
        "the restart of a completed transport is rolled back",
        Completed,
        || restarting(completed),
        roll_back,
    ),
    (Completed, "lost connectivity", Disconnected, completed, |net| {
        block(net);
        net.run_for(s(10));
    }),
    (Completed, "the socket died", Disconnected, completed, |net| net.cut(A)),
    (Completed, "the interface is down", Disconnected, completed, |net| {
        let (now, socket) = (net.clock(A), selected_socket(net));
        net.agent(A).interface_changed(now, socket, false);
    }),
    (Completed, "ICE restart occurs", Connected, completed, begin_restart),
    (Completed, "close()", Closed, completed, close),
    (Disconnected, "a response comes", Connected, disconnected, |net| {
        net.dead.clear();
        net.run_for(s(2));
    }),
    (Disconnected, "consent expires", Failed, disconnected, |net| net.run_for(s(40))),
    (
        Disconnected,
        "consent expires while a restart is offered",
        Failed,
        || offered(disconnected),
        |net| net.run_for(s(40)),
    ),
    (Disconnected, "new candidates", Checking, never_connected, add_candidate),
    (
        Disconnected,
        "the peer announces the end of its candidates",
        Failed,
        never_connected,
        |net| {
            let now = net.clock(A);
            net.agent(A).add_end_of_candidates(now, None).unwrap();
        },
    ),
    (Disconnected, "ICE restart occurs", Checking, || offered(disconnected), restart),
    (Disconnected, "close()", Closed, disconnected, close),
    (Failed, "ICE restart occurs", Checking, || offered(failed), restart),
    (Failed, "close()", Closed, failed, close),
];

#[test]
fn every_row_of_the_table_is_as_it_says() {
    for (from, why, to, begin, happens) in TABLE {
        let mut net = begin();
        net.settle();
        let name = format!("{from}, {why}");
        assert_eq!(net.state(A), *from, "{name}");
        let before = net.peers[A].trace.len();
        happens(&mut net);
        net.settle();
        let states = net.peers[A].trace.iter().skip(before);
        let next = states.filter_map(|line| line.strip_prefix("state ")).next();
        if *to == Closed {
            assert_eq!((net.state(A), next), (Closed, None), "{name}: no event tells (§4.4.2)");
        } else {
            assert_eq!(next, Some(to.to_string().as_str()), "{name}");
        }
    }
}

fn state_named(name: &str) -> State {
    let all = [New, Checking, Connected, Completed, Disconnected, Failed, Closed];
    all.into_iter().find(|state| state.to_string() == name).expect("a state")
}

/// One thing that may happen to two peers.
fn something(net: &mut Network, rng: &mut StdRng) {
    let peer = rng.random_range(A..=B);
    let address = ["192.0.2.1", "192.0.2.2", THERE][rng.random_range(0..3)].parse().unwrap();
    let now = net.clock(peer);
    let socket = net.peers[peer].agent.selected_path().map(|path| path.base.socket);
    match rng.random_range(0..9) {
        0 | 1 => {
            net.dead.insert(address);
        }
        2 | 3 => {
            net.dead.remove(&address);
        }
        4 => net.offer(peer),
        5 => {
            let parameters = net.fresh(peer);
            net.agent(peer).set_local_parameters(now, parameters);
            net.settle();
            if rng.random_bool(0.5) {
                net.run_for(ms(rng.random_range(0..2_000)));
            }
            let now = net.clock(peer);
            net.agent(peer).rollback(now);
        }
        6 => {
            if let Some(socket) = socket.filter(|_| rng.random_bool(0.3)) {
                net.peers[peer].sockets.remove(&socket);
                net.agent(peer).socket_closed(now, socket);
            }
        }
        7 => {
            if let Some(socket) = socket {
                net.agent(peer).interface_changed(now, socket, false);
                net.settle();
                net.run_for(ms(rng.random_range(0..3_000)));
                let now = net.clock(peer);
                net.agent(peer).interface_changed(now, socket, true);
            }
        }
        _ => net.loss = [0.0, 0.1, 0.4][rng.random_range(0..3)],
    }
    net.settle();
}

#[test]
fn whatever_happens_each_transition_is_a_row_of_the_table() {
    let allowed: HashSet<(State, State)> = TABLE.iter().map(|row| (row.0, row.2)).collect();
    let (mut seen, mut others) = (HashSet::new(), Vec::new());
    for value in seeds(0..1_000) {
        let mut rng = StdRng::from_seed(seed(value, 91));
        let mut net = Network::with(value, Config::default(), &[&HERE, &[THERE]]);
        net.delay = ms(rng.random_range(1..60));
        net.signalling = ms(rng.random_range(0..120));
        if rng.random_bool(0.2) {
            block(&mut net);
        }
        net.offer(A);
        for _ in 0..12 {
            let time = [ms(200), s(3), s(12), s(45)][rng.random_range(0..4)];
            net.run_for(time.mul_f64(rng.random::<f64>()));
            something(&mut net, &mut rng);
        }
        for peer in [A, B] {
            let mut state = New;
            for name in net.peers[peer].states().split_whitespace() {
                let next = state_named(name);
                if !allowed.contains(&(state, next)) {
                    others.push(format!("seed {value}: {state} to {next}"));
                }
                seen.insert((state, next));
                state = next;
            }
        }
    }
    assert_eq!(others, [""; 0]);
    // All but what needs a close() or another rollback has happened.
    let missing = allowed.iter().filter(|(_, to)| *to != Closed && *to != New);
    let missing: Vec<_> = missing.filter(|row| !seen.contains(*row)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
