//! Consent checks, dead paths and lossy ones: RFC 7675, as simulations.

use super::seeds::seeds;
use super::*;
use crate::{Config, State};

fn connected(seed: u64) -> Network {
    let mut net = Network::new(seed);
    net.delay = ms(seed % 60);
    net.jitter = ms(seed % 23);
    net.offer(A);
    assert!(net.run_until(s(60), |n| n.both(State::Completed) && n.agrees()), "seed {seed}");
    net
}

#[test]
fn at_15_percent_loss_each_way_nobody_is_disconnected() {
    let mut checks = 0;
    for seed in seeds(0..200) {
        let mut net = connected(seed);
        net.loss = 0.15;
        net.run_for(s(60));
        for peer in &net.peers {
            assert_eq!(peer.states(), "checking connected completed", "seed {seed}");
            checks += peer.agent.pairs().map(|pair| pair.consent_requests_sent).sum::<u64>();
        }
    }
    assert!(checks > 0);
}

/// Both sides notice within 5 s that a path with this loss has died; `step` varies the moment.
fn a_death_under_data_is_noticed(loss: Option<f64>, step: u64) {
    for seed in seeds(0..200) {
        let mut net = connected(seed);
        net.loss = loss.unwrap_or(net.loss);
        net.begin_stream(ms(20));
        net.run_for(ms(3_000 + seed * step % 6_000));
        net.dead.insert("198.51.100.1".parse().unwrap());
        let died = net.now;
        for peer in [A, B] {
            assert!(net.run_until(s(5), |n| n.state(peer) == State::Disconnected), "seed {seed}");
            assert!(net.now - died <= s(5), "seed {seed}: {:?}", net.now - died);
        }
    }
}

#[test]
fn a_path_that_dies_under_data_is_noticed_within_five_seconds() {
    a_death_under_data_is_noticed(None, 37);
}

#[test]
fn at_15_percent_loss_a_path_that_dies_under_data_is_noticed_as_soon() {
    a_death_under_data_is_noticed(Some(0.15), 41);
}

#[test]
fn a_path_that_dies_idle_is_noticed_three_seconds_after_the_next_consent_check() {
    let mut sum = 0.0;
    let mut runs = 0.0;
    for seed in seeds(0..200) {
        let mut net = connected(seed);
        net.run_for(ms(10_000 + seed * 37 % 6_000));
        net.dead.insert("198.51.100.1".parse().unwrap());
        let died = net.now;
        assert!(net.run_until(s(10), |n| n.state(A) == State::Disconnected), "seed {seed}");
        // §5.1 wants up to 6 s between two checks.
        let noticed = net.now - died;
        assert!(noticed <= s(9) + ms(200), "seed {seed}: {noticed:?}");
        sum += noticed.as_secs_f64();
        runs += 1.0;
        assert!(net.run_until(s(31), |n| n.state(A) == State::Failed), "seed {seed}");
        assert!(net.now - died <= s(30) + ms(200), "seed {seed}: {:?}", net.now - died);
    }
    assert!(sum / runs <= 6.0, "{}", sum / runs);
}

#[test]
fn a_peer_killed_just_after_it_connected_is_failed_as_soon_as_any_other() {
    let mut net = connected(1);
    net.run_for(s(1));
    net.dead.insert("198.51.100.1".parse().unwrap());
    let died = net.now;
    assert!(net.run_until(s(60), |n| n.state(A) == State::Failed));
    // RFC 8863 has patience with what has never worked, 39.5 s of it.
    assert!(net.now - died <= s(30), "{:?}", net.now - died);
}

#[test]
fn an_interruption_of_twenty_seconds_heals_within_one() {
    let mut net = connected(2);
    net.run_for(s(10));
    net.dead.insert("198.51.100.1".parse().unwrap());
    net.run_for(s(20));
    assert_eq!(net.state(A), State::Disconnected);
    net.dead.clear();
    let back = net.now;
    assert!(net.run_until(s(5), |n| n.both(State::Completed) && n.agrees()));
    assert!(net.now - back <= ms(1_200), "{:?}", net.now - back);
    assert_eq!(
        net.peers[A].states(),
        "checking connected completed disconnected connected completed"
    );
}

#[test]
fn a_slow_path_is_not_taken_for_a_dead_one() {
    for delay in [300, 700, 1_400] {
        let mut net = Network::new(delay);
        net.delay = ms(delay);
        net.offer(A);
        assert!(net.run_until(s(60), |n| n.both(State::Completed)));
        net.run_for(s(300));
        for peer in &net.peers {
            assert_eq!(peer.states(), "checking connected completed", "{delay} ms each way");
        }
    }
}

#[test]
fn a_peer_that_never_ends_its_candidates_fails_nevertheless() {
    // Nothing has ever connected: PAC, and 30 s more.
    let mut net = Network::new(3);
    net.dead.insert("198.51.100.1".parse().unwrap());
    net.peers[A].holds_candidates = true;
    net.offer(A);
    net.run_for(s(60));
    let candidate = net.peers[A].held[0].1.clone().unwrap();
    let late = crate::Candidate { port: 7, ..candidate.clone() };
    let now = net.now;
    assert!(net.run_until(s(60), |n| n.state(B) == State::Failed));
    assert_eq!(net.elapsed(), ms(69_500));
    assert_eq!(now - net.start, s(60));
    // A restart revives it, a candidate does not.
    let now = net.now;
    net.agent(B).add_remote_candidate(now, Some("a001"), late).unwrap();
    net.run_for(s(60));
    assert_eq!(net.state(B), State::Failed);
    net.dead.clear();
    net.peers[A].holds_candidates = false;
    net.offer(A);
    assert!(net.run_until(s(10), |n| n.both(State::Completed)));
}

#[test]
fn each_new_candidate_puts_the_assumed_end_off() {
    let mut net = Network::new(4);
    net.dead.insert("198.51.100.1".parse().unwrap());
    net.peers[A].holds_candidates = true;
    net.offer(A);
    net.run_for(s(60));
    let candidate = net.peers[A].held[0].1.clone().unwrap();
    let now = net.now;
    net.agent(B).add_remote_candidate(now, Some("a001"), candidate).unwrap();
    // It is checked for 39.5 s, which is longer.
    assert!(net.run_until(s(60), |n| n.state(B) == State::Failed));
    assert_eq!(net.elapsed(), ms(99_500));
    assert_eq!(net.peers[B].states(), "checking failed");
}

#[test]
fn after_the_loss_of_consent_the_assumed_end_comes_thirty_seconds_later() {
    let mut net = Network::new(5);
    net.peers[B].holds_candidates = true;
    net.offer(A);
    net.run_for(s(100));
    assert_eq!(net.state(A), State::Connected, "B may have more candidates");
    net.dead.insert("198.51.100.1".parse().unwrap());
    let died = net.now;
    assert!(net.run_until(s(100), |n| n.state(A) == State::Failed));
    let after = net.now - died;
    assert!((s(54)..=s(60)).contains(&after), "{after:?}");
    assert_eq!(net.peers[A].states(), "checking connected disconnected failed");
}

#[test]
fn without_the_timeout_a_connection_waits_for_more_candidates_for_ever() {
    let config = Config { end_of_candidates_timeout: None, ..Config::default() };
    let addresses: &[&[&str]; 2] = &[&["192.0.2.1"], &["198.51.100.1"]];
    let mut net = Network::with(6, config, addresses);
    net.peers[B].holds_candidates = true;
    net.offer(A);
    net.run_for(s(10));
    net.dead.insert("198.51.100.1".parse().unwrap());
    net.run_for(s(3_600));
    assert_eq!(net.peers[A].states(), "checking connected disconnected");
    assert_eq!(net.peers[A].agent.poll_timeout(), None);
}

#[test]
fn a_usable_pair_that_nobody_has_nominated_is_no_reason_to_fail() {
    let mut net = Network::new(7);
    // Both wait for the other to nominate, and neither says that candidates have ended.
    net.peers[A].holds_candidates = true;
    net.offer(A);
    net.run_for(ms(100));
    assert!(net.connected());
    net.run_for(s(300));
    assert_eq!(net.state(B), State::Connected);
}
