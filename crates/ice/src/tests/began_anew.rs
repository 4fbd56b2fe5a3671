//! The peer goes on with another agent and the same parameters, as browsers do when the section
//! that describes a bundled transport is rejected.

use super::network::{A, B, Network, seed};
use super::{ms, s};
use crate::{Agent, Config, GenerationId, Parameters, Role, State};

fn parameters(peer: usize) -> Parameters {
    let name = if peer == A { "a" } else { "b" };
    Parameters {
        username_fragment: format!("{name}001"),
        password: format!("the-password-of-{name}-number-1"),
    }
}

/// Two peers with two interfaces each.
fn connected(seed: u64) -> Network {
    let addresses = [&["192.0.2.1", "192.0.2.9"][..], &["198.51.100.1", "198.51.100.9"]];
    let mut net = Network::with(seed, Config::default(), &addresses);
    net.delay = ms(10);
    net.offer(A);
    assert!(net.run_until(s(10), |net| net.both(State::Completed)));
    net.begin_stream(ms(20));
    net.run_for(s(1));
    net
}

/// Another agent takes the place of a peer's, and has other sockets.
fn replace(net: &mut Network, peer: usize) {
    let now = net.clock(peer);
    let others: Vec<_> = net.peers[1 - peer].candidates.clone();
    let mut agent = Agent::new(Config::default(), seed(99, peer as u8));
    agent.number_generations_from(GenerationId(100));
    agent.set_role(if peer == A { Role::Controlling } else { Role::Controlled });
    agent.set_local_parameters(now, parameters(peer));
    agent.set_remote_parameters(now, parameters(1 - peer), false);
    agent.commit(now);
    for candidate in others {
        agent.add_remote_candidate(now, None, candidate).unwrap();
    }
    net.peers[peer].sockets.clear();
    net.peers[peer].agent = agent;
    net.settle();
}

fn ports(net: &Network, peer: usize) -> Option<[u16; 2]> {
    let path = net.peers[peer].agent.selected_path()?;
    Some([net.peers[peer].sockets.get(&path.base.socket)?.port(), path.remote.port()])
}

#[test]
fn the_pair_of_the_new_agent_takes_over_at_once() {
    for value in 0..20 {
        for left in [A, B] {
            let mut net = connected(value);
            let stays = 1 - left;
            let before = net.peers[stays].trace.len();
            replace(&mut net, left);
            let now = net.clock(stays);
            net.agent(stays).peer_began_anew(now);
            let agree = |net: &Network| {
                let (ours, theirs) = (ports(net, stays), ports(net, left));
                ours.is_some() && ours == theirs.map(|[own, other]| [other, own])
            };
            assert!(net.run_until(ms(500), agree), "seed {value}, peer {left}");
            net.run_for(s(10));
            assert!(agree(&net));
            let states: Vec<_> = net.peers[stays].trace.drain(before..).collect();
            assert!(!states.iter().any(|line| line.contains("disconnected")), "{states:?}");
        }
    }
}

#[test]
fn a_pair_that_still_answers_is_kept() {
    for value in 0..20 {
        let mut net = connected(value);
        let before = [A, B].map(|peer| ports(&net, peer));
        let traces = [A, B].map(|peer| net.peers[peer].trace.len());
        for peer in [A, B] {
            let now = net.clock(peer);
            net.agent(peer).peer_began_anew(now);
        }
        net.run_for(s(10));
        assert_eq!([A, B].map(|peer| ports(&net, peer)), before, "seed {value}");
        assert_eq!([A, B].map(|peer| net.peers[peer].trace.len()), traces);
        assert_eq!([A, B].map(|peer| net.peers[peer].stuck), [0, 0]);
    }
}
