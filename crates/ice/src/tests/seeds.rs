//! Thousands of networks, each the same whenever it is built again.

use super::*;
use crate::{Config, State};

/// The seeds to run a simulation over: `SIM_SEEDS=FROM..TO`, else `default`.
pub(super) fn seeds(default: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("SIM_SEEDS") else { return default };
    let (from, to) = text.split_once("..").expect("SIM_SEEDS is FROM..TO");
    from.parse().expect("a seed")..to.parse().expect("a seed")
}

fn lossy(seed: u64, loss: f64) -> Network {
    let addresses: &[&[&str]; 2] = match seed % 3 {
        0 => &[&["192.0.2.1"], &["198.51.100.1"]],
        1 => &[&["192.0.2.1", "2001:db8::1"], &["198.51.100.1", "2001:db8::2"]],
        _ => &[&["192.0.2.1", "192.0.2.2"], &["198.51.100.1"]],
    };
    let mut net = Network::with(seed, Config::default(), addresses);
    net.delay = ms(seed % 60);
    net.jitter = ms(seed % 23);
    net.signalling = ms(seed % 120);
    net.loss = loss;
    net
}

fn connect_and_restart(loss: f64) {
    for seed in 0..1_000 {
        let mut net = lossy(seed, loss);
        net.offer(A);
        // The other side, which cannot know that A has chosen for good, is restarted before it is
        // completed.
        let connected = |n: &Network| n.agrees() && n.state(A) == State::Completed;
        assert!(net.run_until(s(40), connected), "seed {seed}: not connected");
        net.begin_stream(ms(20));
        let restarts = 1 + seed % 3;
        for restart in 0..restarts {
            net.offer(usize::from((seed + restart) % 2 == 0));
            let answered = net.signalling * 2 + ms(1);
            net.run_for(answered);
            let newest = |n: &Network| {
                n.peers.iter().all(|peer| {
                    let newest = peer.agent.pairs().map(|pair| pair.generation).max();
                    peer.agent.pairs().any(|p| p.selected && Some(p.generation) == newest)
                })
            };
            assert!(net.run_until(s(40), |n| newest(n) && n.agrees()), "seed {seed}: no restart");
        }
        net.run_for(s(1));
        for peer in &net.peers {
            assert_eq!(peer.stuck, 0, "seed {seed}");
            assert_eq!(peer.refused, 0, "seed {seed}");
        }
        assert!(!net.peers[A].states().contains("failed"), "seed {seed}");
    }
}

#[test]
fn a_thousand_networks_without_loss_connect_and_restart() {
    connect_and_restart(0.0);
}

#[test]
fn a_thousand_networks_with_1_percent_loss_connect_and_restart() {
    connect_and_restart(0.01);
}

#[test]
fn a_thousand_networks_with_10_percent_loss_connect_and_restart() {
    connect_and_restart(0.1);
}

#[test]
fn without_loss_no_network_takes_longer_than_its_round_trips() {
    for seed in 0..200 {
        let mut net = lossy(seed, 0.0);
        net.jitter = ms(0);
        net.offer(A);
        assert!(net.run_until(s(5), Network::connected), "seed {seed}");
        // Offer and answer, check, nomination; the checks of a side are Ta apart.
        let others = if seed % 3 == 0 { 0 } else { 1 };
        let due = net.signalling * 2 + net.delay * 4 + ms(20) * others;
        assert!(net.elapsed() <= due + ms(1), "seed {seed}: {:?} > {due:?}", net.elapsed());
    }
}
