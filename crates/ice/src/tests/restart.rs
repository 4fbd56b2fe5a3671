//! Make before break.

use super::*;
use crate::{Config, GatheringState, Role, State};

fn streaming(seed: u64) -> Network {
    let mut net = Network::new(seed);
    net.delay = ms(20);
    net.connect();
    net.run_for(s(50));
    net.signalling = ms(250);
    net.begin_stream(ms(5));
    net.run_for(ms(100));
    net
}

/// Every packet of data was sent when it should be, and taken if it arrived.
fn assert_unbroken(net: &Network) {
    for peer in &net.peers {
        assert_eq!(peer.stuck, 0, "no path at some time");
        assert_eq!(peer.refused, 0, "refused data");
        assert!(peer.accepted > 0);
    }
}

#[test]
fn the_old_path_carries_data_until_the_new_one_is_nominated_and_then_lingers() {
    let mut net = streaming(40);
    let old = [net.peers[A].agent.selected_path(), net.peers[B].agent.selected_path()];
    net.offer(A);
    assert_eq!(net.state(A), State::Connected, "completed: a restart takes it to connected");
    net.run_for(ms(499));
    assert_eq!(net.peers[A].agent.selected_path(), old[A], "the answer is on its way");
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    assert!(net.run_until(s(1), |n| {
        n.peers[A].agent.selected_path() != old[A] && n.peers[B].agent.selected_path() != old[B]
    }));
    assert!(net.agrees());
    assert_eq!(net.peers[A].sockets.len(), 2, "the old socket lingers");
    net.run_for(ms(500));
    assert!(net.both(State::Connected), "for three seconds");
    net.run_for(ms(4_900));
    assert!(net.both(State::Completed));
    assert_eq!(net.peers[A].sockets.len(), 1);
    assert_eq!(net.peers[B].sockets.len(), 1);
    net.run_for(s(60));
    assert_unbroken(&net);
    for peer in [A, B] {
        assert_eq!(net.peers[peer].states(), "checking connected completed connected completed");
        assert_eq!(net.peers[peer].count("no pair"), 0);
        assert_eq!(net.peers[peer].trace.iter().filter(|t| t.starts_with("pair ")).count(), 2);
        assert_eq!(net.peers[peer].agent.pairs().count(), 1);
    }
}

#[test]
fn the_consent_of_the_old_path_is_kept_however_long_the_answer_takes() {
    let mut net = streaming(41);
    net.signalling = s(100);
    net.offer(A);
    net.run_for(s(190));
    assert_eq!(net.state(A), State::Connected);
    assert!(net.connected());
    net.run_for(s(40));
    assert!(net.both(State::Completed));
    assert_unbroken(&net);
}

#[test]
fn a_rolled_back_restart_leaves_no_trace() {
    let mut net = streaming(42);
    let path = net.peers[A].agent.selected_path();
    let local = net.peers[A].agent.local_parameters().cloned();
    let candidates: Vec<_> = net.peers[A].agent.local_candidates().collect();
    let parameters = net.fresh(A);
    let now = net.now;
    net.agent(A).set_local_parameters(now, parameters);
    net.settle();
    assert_eq!(net.state(A), State::Connected);
    net.run_for(ms(100));
    let now = net.now;
    net.agent(A).rollback(now);
    net.settle();
    assert_eq!(net.state(A), State::Completed);
    assert_eq!(net.peers[A].agent.selected_path(), path);
    assert_eq!(net.peers[A].agent.local_parameters().cloned(), local);
    assert_eq!(net.peers[A].agent.local_candidates().collect::<Vec<_>>(), candidates);
    assert_eq!(net.peers[A].sockets.len(), 1);
    assert_eq!(net.peers[A].states(), "checking connected completed connected completed");
    // And the next one works.
    net.offer(A);
    net.run_for(s(10));
    assert!(net.both(State::Completed) && net.agrees());
    assert_ne!(net.peers[A].agent.selected_path(), path);
    assert_unbroken(&net);
}

#[test]
fn a_rollback_takes_back_events_that_were_not_polled_and_the_gathering_state() {
    let mut net = streaming(43);
    let parameters = net.fresh(A);
    let now = net.now;
    net.agent(A).set_local_parameters(now, parameters);
    net.agent(A).rollback(now);
    let events: Vec<_> = std::iter::from_fn(|| net.agent(A).poll_event()).collect();
    assert!(!events.iter().any(|event| matches!(event, crate::Event::Gather { .. })), "{events:?}");
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::Complete);
    net.agent(A).rollback(now);
    assert!(net.agent(A).poll_event().is_none(), "nothing to roll back");
}

#[test]
fn the_first_offer_can_be_rolled_back_too() {
    let mut net = Network::new(44);
    let parameters = net.fresh(A);
    let now = net.now;
    net.agent(A).set_local_parameters(now, parameters);
    net.settle();
    net.agent(A).rollback(now);
    net.settle();
    assert_eq!(net.peers[A].agent.gathering_state(), GatheringState::New);
    assert_eq!(net.state(A), State::New);
    assert!(net.peers[A].sockets.is_empty());
    assert_eq!(net.peers[A].agent.local_parameters(), None);
    net.connect();
}

#[test]
fn glare_the_polite_side_rolls_its_restart_back_and_answers() {
    let mut net = streaming(45);
    // Both restart at once. B is polite: it rolls back when A's offer comes.
    let discarded = net.fresh(B);
    let now = net.now;
    net.agent(B).set_local_parameters(now, discarded.clone());
    net.offer(A);
    net.run_for(ms(240));
    let now = net.now;
    net.agent(B).rollback(now);
    net.run_for(s(4));
    assert!(net.both(State::Completed) && net.agrees());
    assert_ne!(net.peers[B].agent.local_parameters(), Some(&discarded));
    // B still wants one.
    net.offer(B);
    net.run_for(s(10));
    assert!(net.both(State::Completed) && net.agrees());
    assert_unbroken(&net);
}

#[test]
fn restarts_come_faster_than_they_complete() {
    let mut net = streaming(46);
    for round in 0..12 {
        net.offer(round % 2);
        net.run_for(ms(501));
    }
    assert!(net.run_until(s(5), |n| n.both(State::Completed) && n.agrees()));
    net.run_for(s(20));
    assert_unbroken(&net);
    for peer in &net.peers {
        assert_eq!(peer.sockets.len(), 1, "all but the last are released");
        assert_eq!(peer.agent.local_parameters().unwrap().username_fragment.len(), 4);
    }
}

#[test]
fn a_restart_during_checking_connects_with_the_newer_parameters() {
    let mut net = Network::new(47);
    net.dead.insert("192.0.2.1".parse().unwrap());
    net.offer(A);
    net.run_for(s(3));
    assert!(net.both(State::Checking));
    net.offer(A);
    net.run_for(s(1));
    net.dead.clear();
    assert!(net.run_until(s(10), |n| n.connected() && n.agrees()));
    let newest = net.peers[A].agent.local_parameters().unwrap().username_fragment.clone();
    assert_eq!(newest, "a002");
    net.run_for(s(60));
    assert!(net.both(State::Completed) && net.agrees());
    assert_eq!(net.peers[A].sockets.len(), 1);
}

#[test]
fn generations_that_never_connect_do_not_pile_up() {
    let mut net = Network::new(48);
    net.connect();
    let path = net.peers[A].agent.selected_path();
    // The peer can be reached at its old address only.
    net.peers[B].addresses = vec!["203.0.113.9".parse().unwrap()];
    net.dead.insert("203.0.113.9".parse().unwrap());
    for _ in 0..20 {
        net.offer(A);
        net.run_for(s(2));
        assert_eq!(net.state(A), State::Connected, "the old path lives");
        assert_eq!(net.peers[A].agent.selected_path(), path);
        assert!(net.peers[A].sockets.len() <= Config::default().max_generations);
    }
    net.run_for(s(120));
    assert_eq!(net.state(A), State::Connected);
    assert_eq!(net.peers[A].agent.selected_path(), path);
    // The old path dies as well.
    net.dead.insert("198.51.100.1".parse().unwrap());
    net.run_for(s(120));
    assert_eq!(net.state(A), State::Failed);
    net.dead.clear();
    net.offer(A);
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
}

#[test]
fn a_restart_replaces_an_old_path_that_is_dead() {
    let mut net = streaming(49);
    net.signalling = ms(50);
    net.dead.insert("192.0.2.1".parse().unwrap());
    net.peers[A].addresses = vec!["192.0.2.9".parse().unwrap()];
    net.run_for(s(1));
    net.offer(A);
    let asked = net.now;
    assert!(net.run_until(s(1), |n| {
        let path = n.peers[B].agent.selected_path().unwrap();
        n.agrees() && path.remote.ip() == n.peers[A].addresses[0]
    }));
    // Offer 50, answer 50, check 40, nomination 40.
    assert!(net.now - asked <= ms(185), "{:?}", net.now - asked);
}

#[test]
fn an_answer_with_unchanged_parameters_restarts_with_those() {
    let mut net = Network::new(50);
    net.delay = ms(5);
    net.connect();
    let now = net.now;
    let (a, b) = (net.fresh(A), net.peers[B].agent.local_parameters().cloned().unwrap());
    // A restarts, B keeps its own parameters, as it should not.
    net.agent(A).set_local_parameters(now, a.clone());
    net.settle();
    net.agent(B).set_remote_parameters(now, a, false);
    net.agent(B).set_local_parameters(now, b.clone());
    net.agent(B).commit(now);
    net.settle();
    net.agent(A).set_remote_parameters(now, b, false);
    net.agent(A).commit(now);
    let checked = net.peers[A].agent.pairs().filter(|pair| pair.generation.0 == 1).count();
    assert_eq!(checked, 1, "its candidates are those it had");
    net.settle();
    assert!(
        net.run_until(s(20), |n| { n.agrees() && n.peers.iter().all(|p| p.sockets.len() == 1) })
    );
    assert!(net.both(State::Completed));
}

#[test]
fn a_description_that_changes_nothing_changes_nothing() {
    let mut net = streaming(51);
    let trace = net.peers[A].trace.len();
    let now = net.now;
    let local = net.peers[A].agent.local_parameters().cloned().unwrap();
    let remote = net.peers[A].agent.remote_parameters().cloned().unwrap();
    net.agent(A).set_local_parameters(now, local);
    net.agent(A).set_remote_parameters(now, remote, false);
    net.agent(A).commit(now);
    net.run_for(s(1));
    assert_eq!(net.peers[A].trace.len(), trace);
    assert_unbroken(&net);
}

#[test]
fn an_offer_that_takes_its_restart_back_drops_the_generation() {
    let mut net = streaming(52);
    let now = net.now;
    let local = net.peers[A].agent.local_parameters().cloned().unwrap();
    let fresh = net.fresh(A);
    net.agent(A).set_local_parameters(now, fresh);
    net.settle();
    assert_eq!(net.peers[A].sockets.len(), 2);
    net.agent(A).set_local_parameters(now, local.clone());
    net.settle();
    assert_eq!(net.peers[A].sockets.len(), 1);
    assert_eq!(net.peers[A].agent.local_parameters(), Some(&local));
    assert_eq!(net.state(A), State::Completed);
    assert_unbroken(&net);
}

/// Chromium, which checks our old addresses from its new sockets as soon as it has made an offer:
/// "old fragment of ours:new one of its". Answered, it would send its data from there.
#[test]
fn a_peer_that_is_ahead_of_its_offer_stays_on_the_old_path() {
    let mut net = streaming(55);
    let old = net.peers[A].agent.selected_path().unwrap();
    let (ours, next) = (net.peers[A].agent.local_parameters().cloned().unwrap(), net.fresh(B));
    let ahead = "192.0.2.77:7777".parse().unwrap();
    let count = net.peers[A].agent.pairs().count();
    for use_candidate in [false, true] {
        let packet = super::hostile::check(&next, &ours, Role::Controlled, use_candidate);
        let now = net.now;
        let agent = net.agent(A);
        agent.handle_stun(now, old.base.socket, ahead, &packet);
        assert_eq!(std::iter::from_fn(|| agent.poll_transmit()).collect::<Vec<_>>(), []);
        assert_eq!(agent.pairs().count(), count);
        assert!(!agent.accepts_data(old.base.socket, ahead));
        net.run_for(ms(200));
    }
    net.offer(B);
    net.run_for(s(15));
    assert_ne!(net.peers[A].agent.selected_path(), Some(old));
    assert!(net.both(State::Completed) && net.agrees());
    assert_unbroken(&net);
}

#[test]
fn a_provisional_answer_connects_and_the_final_one_may_be_another_peer() {
    let mut net = Network::new(53);
    net.delay = ms(5);
    let (a, b) = (net.fresh(A), net.fresh(B));
    let now = net.now;
    net.agent(A).set_local_parameters(now, a.clone());
    net.agent(B).set_remote_parameters(now, a, false);
    net.agent(B).set_local_parameters(now, b.clone());
    net.agent(A).set_remote_parameters(now, b, false);
    net.settle();
    assert!(net.run_until(s(1), |n| n.connected() && n.agrees()), "nothing is committed");
    // The answer has other parameters.
    let b = net.fresh(B);
    let now = net.now;
    net.agent(B).set_local_parameters(now, b.clone());
    net.agent(B).commit(now);
    net.settle();
    net.agent(A).set_remote_parameters(now, b, false);
    net.agent(A).commit(now);
    net.settle();
    assert!(net.run_until(s(5), |n| n.both(State::Completed) && n.agrees()));
    assert_eq!(net.peers[B].sockets.len(), 1);
}

#[test]
fn a_provisional_answer_to_a_restart_does_not_move_the_data_yet() {
    let mut net = streaming(54);
    net.signalling = ms(0);
    let (a, b) = (net.fresh(A), net.fresh(B));
    let now = net.now;
    let old = net.peers[A].agent.selected_path();
    net.agent(A).set_local_parameters(now, a.clone());
    net.agent(B).set_remote_parameters(now, a, false);
    net.agent(B).set_local_parameters(now, b.clone());
    net.agent(A).set_remote_parameters(now, b, false);
    net.run_for(s(10));
    assert_eq!(net.peers[A].agent.selected_path(), old);
    let nominated = |p: crate::PairStats| p.nominated && !p.selected;
    assert!(net.peers[A].agent.pairs().any(nominated), "but it is ready");
    let now = net.now;
    net.agent(A).commit(now);
    net.agent(B).commit(now);
    net.settle();
    assert_ne!(net.peers[A].agent.selected_path(), old);
    net.run_for(s(10));
    assert!(net.both(State::Completed) && net.agrees());
    assert_unbroken(&net);
}
