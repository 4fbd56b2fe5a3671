//! `RTCIceTransportState`, by the specification's reasons only.

use super::*;
use crate::{Config, GatheringState, PairState, Parameters, SocketId, State};

fn two_paths() -> &'static [&'static [&'static str]; 2] {
    &[&["192.0.2.1", "192.0.2.2"], &["198.51.100.1"]]
}

/// Waits for the peer's end of candidates for ever.
fn patient() -> Config {
    Config { end_of_candidates_timeout: None, ..Config::default() }
}

#[test]
fn a_path_that_dies_is_disconnected_then_failed_and_a_restart_brings_it_back() {
    let mut net = Network::new(20);
    net.delay = ms(10);
    net.connect();
    net.run_for(s(60));
    let address = "198.51.100.1".parse().unwrap();
    net.dead.insert(address);
    let died = net.now;
    assert!(net.run_until(s(60), |n| n.state(A) == State::Disconnected));
    let silent = net.now - died;
    assert!((ms(3_000)..=ms(9_100)).contains(&silent), "{silent:?}");
    assert!(net.peers[A].agent.selected_path().is_some(), "consent has not expired");
    assert!(net.run_until(s(60), |n| n.state(A) == State::Failed));
    let silent = net.now - died;
    // 30 s after the last response, which came up to 6 s before.
    assert!((s(24)..=s(30) + ms(20)).contains(&silent), "{silent:?}");
    assert_eq!(net.peers[A].agent.selected_path(), None);
    assert_eq!(net.peers[A].agent.selected_pair(), None);
    net.run_for(s(100));
    assert_eq!(net.peers[A].states(), "checking connected completed disconnected failed");

    net.dead.clear();
    net.run_for(s(100));
    assert_eq!(net.state(A), State::Failed, "left by a restart only");
    net.offer(A);
    net.run_for(ms(0));
    assert_eq!(net.state(A), State::Checking, "answered");
    net.run_for(s(4));
    assert!(net.both(State::Completed) && net.agrees());
    assert_eq!(
        net.peers[A].states(),
        "checking connected completed disconnected failed checking connected completed"
    );
}

#[test]
fn a_response_revives_a_disconnected_connection_at_once() {
    let mut net = Network::new(21);
    net.connect();
    net.dead.insert("198.51.100.1".parse().unwrap());
    assert!(net.run_until(s(20), |n| n.state(A) == State::Disconnected));
    net.dead.clear();
    assert!(net.run_until(s(7), |n| n.state(A) == State::Completed));
    net.run_for(s(10));
    assert_eq!(
        net.peers[A].states(),
        "checking connected completed disconnected connected completed"
    );
}

#[test]
fn a_restart_forgets_that_connectivity_was_lost() {
    let mut net = Network::new(22);
    net.connect();
    net.dead.insert("198.51.100.1".parse().unwrap());
    assert!(net.run_until(s(20), |n| n.both(State::Disconnected)));
    net.signalling = ms(50);
    net.offer(A);
    net.run_for(ms(100));
    assert_eq!(net.state(A), State::Checking, "effectively forgetting");
    net.dead.clear();
    assert!(net.run_until(s(4), |n| n.both(State::Completed)));
    assert!(net.agrees());
}

/// RFC 8445 §12.1 would let it send; but the pair that will be nominated may be another one.
#[test]
fn a_controlled_agent_whose_pair_works_is_checking_until_the_peer_nominates_one() {
    let wait = s(2);
    let config =
        Config { nomination_wait_min: wait, nomination_wait_max: wait, ..Config::default() };
    let mut net = Network::with(28, config, two_paths());
    net.delay = ms(10);
    // The best pair neither works nor fails before the other is nominated.
    net.dead.insert("192.0.2.1".parse().unwrap());
    net.offer(A);
    let works = |n: &Network| n.peers[B].agent.pairs().any(|p| p.state == PairState::Succeeded);
    assert!(net.run_until(s(1), works));
    let worked = net.now;
    while net.now - worked < wait - ms(100) {
        assert_eq!(net.peers[B].states(), "checking");
        assert_eq!(net.peers[B].agent.selected_path(), None);
        assert!(!net.peers[B].agent.pairs().any(|pair| pair.nominated));
        net.run_for(ms(50));
    }
    assert!(net.run_until(s(1), |n| n.state(B) == State::Connected));
    assert!(net.peers[B].agent.pairs().any(|pair| pair.nominated && pair.selected));
}

#[test]
fn each_agent_is_completed_three_seconds_after_it_has_selected_its_pair() {
    let mut net = Network::new(32);
    net.delay = ms(10);
    net.offer(A);
    assert!(net.run_until(s(1), |n| n.state(B) == State::Connected));
    let nominated = net.now;
    assert!(net.run_until(s(1), |n| n.state(A) == State::Connected));
    assert_eq!(net.now - nominated, ms(10), "as soon as the nomination is answered");
    // RFC 8445 §8.3.1. One timer, and it is over.
    assert_eq!(net.peers[B].agent.poll_timeout(), Some(nominated + s(3)));
    net.run_for(ms(2_989));
    assert!(net.both(State::Connected));
    net.run_for(ms(1));
    assert_eq!((net.state(A), net.state(B)), (State::Connected, State::Completed));
    net.run_for(ms(10));
    assert_eq!((net.state(A), net.state(B)), (State::Completed, State::Completed));
    assert!(net.peers[B].agent.poll_timeout() >= Some(nominated + s(4)), "consent");
    net.run_for(s(60));
    for peer in &net.peers {
        assert_eq!(peer.states(), "checking connected completed");
    }
}

/// The case of WPT protocol/candidate-exchange, with several addresses, whose checks are paced.
#[test]
fn nobody_is_completed_before_both_are_connected() {
    let ours: &[&str] = &["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    let theirs: &[&str] = &["198.51.100.1", "198.51.100.2", "198.51.100.3"];
    for seed in 0..50 {
        let mut net = Network::with(seed, Config::default(), &[ours, theirs]);
        net.delay = ms(seed);
        net.signalling = ms(seed % 7);
        net.peers[A].holds_candidates = seed % 2 == 0;
        net.offer(A);
        assert!(net.run_until(s(5), |n| {
            let completed = [A, B].map(|peer| n.state(peer) == State::Completed);
            assert_eq!(completed, [false, false], "seed {seed}");
            n.connected()
        }));
    }
}

#[test]
fn what_ends_later_than_three_seconds_after_the_nomination_completes_at_once() {
    let mut net = Network::new(33);
    net.peers[A].holds_candidates = true;
    net.offer(A);
    net.run_for(s(10));
    // B found A by its checks alone.
    assert_eq!(net.state(B), State::Connected, "A may have more candidates");
    net.release_candidates(A);
    net.run_for(ms(0));
    assert_eq!(net.state(B), State::Completed);
}

#[test]
fn a_restart_rolled_back_does_not_begin_the_three_seconds_again() {
    let mut net = Network::new(35);
    net.offer(A);
    assert!(net.run_until(s(1), Network::connected));
    net.run_for(s(1));
    let parameters = net.fresh(B);
    let now = net.now;
    net.agent(B).set_local_parameters(now, parameters);
    net.run_for(s(1));
    let now = net.now;
    net.agent(B).rollback(now);
    net.run_for(ms(999));
    assert_eq!(net.state(B), State::Connected);
    net.run_for(ms(1));
    assert_eq!(net.peers[B].states(), "checking connected completed");
}

#[test]
fn lost_packets_do_not_make_the_state_flap() {
    let mut net = Network::new(23);
    net.delay = ms(20);
    net.connect();
    net.loss = 0.02;
    net.run_for(s(1800));
    assert_eq!(net.peers[A].states(), "checking connected completed");
    assert_eq!(net.peers[B].states(), "checking connected completed");
}

#[test]
fn failed_needs_the_end_of_candidates_of_both_sides() {
    let mut net = Network::with(24, patient(), &[&["192.0.2.1"], &["198.51.100.1"]]);
    net.dead.insert("198.51.100.1".parse().unwrap());
    net.peers[A].holds_candidates = true;
    net.offer(A);
    net.run_for(s(300));
    // A knows the end of B's candidates, B does not know the end of A's.
    assert_eq!(net.peers[A].states(), "checking failed");
    assert_eq!(net.peers[B].states(), "");
    net.release_candidates(A);
    net.run_for(s(300));
    assert_eq!(net.peers[B].states(), "checking failed");
}

#[test]
fn all_pairs_failed_while_more_candidates_may_come_is_disconnected() {
    let mut net = Network::with(25, patient(), &[&["192.0.2.1"], &["198.51.100.1"]]);
    net.dead.insert("198.51.100.1".parse().unwrap());
    net.peers[A].holds_candidates = true;
    net.offer(A);
    let now = net.now;
    net.run_for(ms(10));
    let candidate = net.peers[A].held[0].1.clone().unwrap();
    net.agent(B).add_remote_candidate(now, Some("a001"), candidate.clone()).unwrap();
    net.run_for(s(300));
    assert_eq!(net.peers[B].states(), "checking disconnected");
    // "disconnected, new local candidates: checking": remote ones as well.
    let candidate = crate::Candidate { port: 7, ..candidate };
    let now = net.now;
    net.agent(B).add_remote_candidate(now, Some("a001"), candidate).unwrap();
    net.settle();
    assert_eq!(net.peers[B].states(), "checking disconnected checking");
}

#[test]
fn without_local_candidates_failed_needs_no_patience_without_remote_ones_it_does() {
    let mut net = Network::with(26, Config::default(), &[&[], &["198.51.100.1"]]);
    net.offer(A);
    net.run_for(ms(1));
    assert_eq!(net.peers[A].states(), "checking failed");
    assert_eq!(net.peers[B].states(), "");
    assert!(net.run_until(s(60), |n| n.state(B) == State::Failed));
    // RFC 8863: peer-reflexive candidates might have come.
    assert_eq!(net.elapsed(), ms(39_500));
}

#[test]
fn a_dead_socket_is_disconnected_with_no_path_and_a_restart_recovers() {
    let mut net = Network::new(27);
    net.delay = ms(1);
    net.connect();
    net.run_for(s(100));
    net.cut(A);
    assert_eq!(net.state(A), State::Disconnected);
    assert_eq!(net.peers[A].agent.selected_path(), None);
    assert_eq!(net.peers[A].count("no pair"), 1);
    net.offer(A);
    assert!(net.run_until(s(4), |n| n.both(State::Completed)));
    assert!(net.agrees());
    assert_eq!(
        net.peers[A].states(),
        "checking connected completed disconnected checking connected completed"
    );
    net.run_for(s(60));
    assert_eq!(net.peers[A].sockets.len(), 1);
    assert_eq!(net.peers[B].sockets.len(), 1);
}

#[test]
fn a_dead_socket_fails_when_consent_would_have_expired() {
    let mut net = Network::new(28);
    net.connect();
    net.run_for(s(100));
    let died = net.now;
    net.cut(A);
    assert!(net.run_until(s(60), |n| n.both(State::Failed)));
    assert!(net.now - died <= s(31));
}

#[test]
fn when_a_socket_dies_another_pair_of_the_generation_takes_over() {
    let mut net = Network::with(29, Config::default(), two_paths());
    net.delay = ms(5);
    net.connect();
    net.run_for(s(60));
    let died = net.now;
    net.cut(A);
    assert!(net.run_until(s(5), |n| n.connected() && n.agrees()));
    assert!(net.now - died <= s(2), "{:?}", net.now - died);
    assert!(net.both(State::Completed));
}

#[test]
fn when_a_path_dies_another_pair_of_the_generation_takes_over() {
    let mut net = Network::with(30, Config::default(), two_paths());
    net.delay = ms(5);
    net.connect();
    net.run_for(s(60));
    net.dead.insert("192.0.2.1".parse().unwrap());
    assert!(
        net.run_until(s(20), |n| n.connected() && n.agrees() && n.state(A) != State::Disconnected)
    );
    net.run_for(s(60));
    assert!(net.both(State::Completed));
    assert_eq!(
        net.peers[A].states(),
        "checking connected completed disconnected connected completed"
    );
}

#[test]
fn close_releases_everything_and_is_silent() {
    let mut net = Network::with(31, Config::default(), two_paths());
    net.connect();
    net.offer(A);
    let (now, trace) = (net.now, net.peers[A].trace.len());
    net.agent(A).close(now);
    net.agent(A).close(now);
    net.settle();
    assert_eq!(net.state(A), State::Closed);
    assert!(net.peers[A].sockets.is_empty());
    assert!(net.peers[A].trace[trace..].iter().all(|line| line.starts_with("close ")));
    assert_eq!(net.peers[A].agent.poll_timeout(), None);
    assert_eq!(net.peers[A].agent.selected_path(), None);
    assert_eq!(net.peers[A].agent.pairs().count(), 0);
    let from = *net.peers[B].sockets.values().next().unwrap();
    assert!(!net.peers[A].agent.accepts_data(SocketId(1), from));
    let parameters = Parameters { username_fragment: "x".into(), password: "y".into() };
    net.agent(A).set_local_parameters(now, parameters.clone());
    net.agent(A).set_remote_parameters(now, parameters, false);
    net.agent(A).commit(now);
    net.agent(A).rollback(now);
    net.agent(A).handle_timeout(now);
    assert!(net.agent(A).poll_event().is_none());
    net.run_for(s(120));
    assert_eq!(net.state(B), State::Failed, "the peer finds out by consent");
}

#[test]
fn gathering_is_complete_only_when_no_generation_gathers() {
    let config = Config::default();
    let mut agent = crate::Agent::new(config, [1; 32]);
    let now = time::Instant::now();
    let parameters = |n: u8| Parameters {
        username_fragment: format!("uf{n}x"),
        password: "a-password-that-is-long-enough".to_owned(),
    };
    let drain = |agent: &mut crate::Agent| {
        std::iter::from_fn(|| agent.poll_event()).map(|e| format!("{e:?}")).collect::<Vec<_>>()
    };
    agent.set_role(crate::Role::Controlling);
    agent.set_local_parameters(now, parameters(1));
    agent.set_remote_parameters(now, parameters(2), false);
    agent.commit(now);
    assert_eq!(
        drain(&mut agent),
        ["GatheringStateChange(Gathering)", "Gather { generation: GenerationId(0) }"]
    );
    agent.set_local_parameters(now, parameters(3));
    assert_eq!(drain(&mut agent), ["Gather { generation: GenerationId(1) }"]);
    agent.gathering_done(now, crate::GenerationId(1));
    assert_eq!(drain(&mut agent), ["EndOfCandidates { username_fragment: \"uf3x\" }"]);
    assert_eq!(agent.gathering_state(), GatheringState::Gathering);
    agent.gathering_done(now, crate::GenerationId(0));
    assert_eq!(
        drain(&mut agent),
        ["EndOfCandidates { username_fragment: \"uf1x\" }", "GatheringStateChange(Complete)"]
    );
    // What comes too late, is unusable or unknown is given back.
    let address = "192.0.2.1:5".parse().unwrap();
    agent.add_socket(now, crate::GenerationId(1), SocketId(8), address);
    agent.add_socket(now, crate::GenerationId(9), SocketId(9), address);
    assert_eq!(drain(&mut agent), ["CloseSocket(SocketId(8))", "CloseSocket(SocketId(9))"]);
    agent.set_local_parameters(now, parameters(4));
    drain(&mut agent);
    let wildcard = "0.0.0.0:5".parse().unwrap();
    agent.add_socket(now, crate::GenerationId(2), SocketId(10), wildcard);
    assert_eq!(drain(&mut agent), ["CloseSocket(SocketId(10))"]);
}
