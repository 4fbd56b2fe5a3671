//! A restart that is offered and waits for its answer, which may never come. Until then the states
//! are those of the old path.

use super::*;
use crate::{Parameters, State};

const FAILS: &str = "checking connected completed disconnected failed";

/// Two agents that have been completed for long.
fn connected(seed: u64) -> Network {
    let mut net = Network::new(seed);
    net.delay = ms(10);
    net.connect();
    net.run_for(s(60));
    net
}

fn path_dies(net: &mut Network) {
    net.dead.insert("198.51.100.1".parse().unwrap());
}

/// An agent applies its offer, and nobody hears of it.
fn begin_restart(net: &mut Network, peer: usize) {
    let (parameters, now) = (net.fresh(peer), net.clock(peer));
    net.agent(peer).set_local_parameters(now, parameters);
    net.settle();
}

/// The agent applies an offer of the other side, and does not answer yet.
fn hear_restart(net: &mut Network, peer: usize) -> Parameters {
    let (parameters, now) = (net.fresh(1 - peer), net.clock(peer));
    net.agent(peer).set_remote_parameters(now, parameters.clone(), false);
    net.settle();
    parameters
}

fn roll_back(net: &mut Network, peer: usize) {
    let now = net.clock(peer);
    net.agent(peer).rollback(now);
    net.settle();
}

fn becomes(net: &mut Network, peer: usize, state: State) -> time::Instant {
    assert!(net.run_until(s(60), |n| n.state(peer) == state), "{}", net.peers[peer].states());
    net.now
}

#[test]
fn a_path_that_dies_while_an_offer_waits_is_disconnected_then_failed() {
    for offerer in [A, B] {
        let mut net = connected(60 + offerer as u64);
        let path = net.peers[offerer].agent.selected_path();
        begin_restart(&mut net, offerer);
        assert_eq!(net.state(offerer), State::Connected, "a restart takes it from completed");
        path_dies(&mut net);
        let died = net.now;
        let silent = becomes(&mut net, offerer, State::Disconnected) - died;
        assert!((ms(3_000)..=ms(9_100)).contains(&silent), "{silent:?}");
        assert_eq!(net.peers[offerer].agent.selected_path(), path, "consent has not expired");
        let silent = becomes(&mut net, offerer, State::Failed) - died;
        assert!((s(24)..=s(30) + ms(20)).contains(&silent), "{silent:?}");
        assert_eq!(net.peers[offerer].agent.selected_path(), None);
        assert_eq!(net.peers[offerer].agent.selected_pair(), None);
        net.run_for(s(300));
        let states = "checking connected completed connected disconnected failed";
        assert_eq!(net.peers[offerer].states(), states);
    }
}

#[test]
fn an_offer_in_disconnected_or_in_failed_changes_nothing_by_itself() {
    let mut other = connected(62);
    path_dies(&mut other);
    let expected = becomes(&mut other, A, State::Failed) - other.start;
    for begun_in in [State::Disconnected, State::Failed] {
        let mut net = connected(62);
        path_dies(&mut net);
        becomes(&mut net, A, begun_in);
        begin_restart(&mut net, A);
        assert_eq!(net.state(A), begun_in);
        let failed = becomes(&mut net, A, State::Failed);
        net.run_for(s(300));
        assert_eq!(net.peers[A].states(), FAILS, "begun in {begun_in}");
        if begun_in == State::Disconnected {
            assert_eq!(failed - net.start, expected, "as without the offer");
        }
        roll_back(&mut net, A);
        net.run_for(s(300));
        assert_eq!(net.peers[A].states(), FAILS, "begun in {begun_in}, rolled back");
    }
}

/// "If begun in the transient disconnected state, it causes a transition to checking, effectively
/// forgetting that connectivity was previously lost": checks begin with the answer.
#[test]
fn an_answer_leads_to_checking_however_late_it_comes() {
    for (seed, begun_in, signalling, then) in [
        (63, State::Connected, s(4), "connected disconnected checking connected completed"),
        (64, State::Connected, s(20), "connected disconnected failed checking connected completed"),
        (65, State::Disconnected, ms(50), "disconnected checking connected completed"),
        (66, State::Disconnected, s(20), "disconnected failed checking connected completed"),
        (67, State::Failed, s(20), "disconnected failed checking connected completed"),
    ] {
        let mut net = connected(seed);
        net.signalling = signalling;
        path_dies(&mut net);
        if begun_in != State::Connected {
            becomes(&mut net, A, begun_in);
        }
        net.offer(A);
        let name = format!("begun in {begun_in}, signalling takes {signalling:?}");
        net.run_for(signalling * 2 - ms(1));
        assert_ne!(net.state(A), State::Checking, "{name}: {}", net.peers[A].states());
        // What the old path lacks the new one does not have either, for two seconds.
        net.run_for(s(2));
        assert_eq!(net.state(A), State::Checking, "{name}: {}", net.peers[A].states());
        net.dead.clear();
        net.signalling = ms(50);
        net.run_for(s(70));
        assert!(net.both(State::Completed) && net.agrees(), "{name}");
        let states = format!("checking connected completed {then}");
        assert_eq!(net.peers[A].states(), states, "{name}");
    }
}

#[test]
fn an_answer_to_a_peer_that_has_died_meanwhile_fails_in_its_turn() {
    let mut net = connected(68);
    path_dies(&mut net);
    becomes(&mut net, A, State::Failed);
    net.offer(A);
    net.run_for(s(300));
    assert_eq!(net.peers[A].states(), format!("{FAILS} checking failed"));
}

#[test]
fn an_offer_hides_no_end_of_checks_that_were_under_way() {
    // The first checks, and those of a restart that the other side has answered.
    let mut first = Network::new(73);
    path_dies(&mut first);
    let mut restart = connected(74);
    path_dies(&mut restart);
    becomes(&mut restart, A, State::Failed);
    for mut net in [first, restart] {
        net.offer(A);
        net.run_for(s(5));
        assert_eq!(net.state(A), State::Checking);
        let before = net.peers[A].states();
        begin_restart(&mut net, A);
        net.run_for(s(300));
        assert_eq!(net.peers[A].states(), format!("{before} failed"));
        roll_back(&mut net, A);
        assert_eq!(net.peers[A].states(), format!("{before} failed"));
    }
}

#[test]
fn a_path_that_comes_back_while_an_offer_waits_carries_the_data_again() {
    let mut net = connected(69);
    net.begin_stream(ms(5));
    begin_restart(&mut net, A);
    path_dies(&mut net);
    becomes(&mut net, A, State::Disconnected);
    net.run_for(s(5));
    net.dead.clear();
    net.run_for(s(2));
    assert_eq!(net.state(A), State::Connected);
    let (before, seconds) = (net.peers[A].accepted, 300);
    net.run_for(s(seconds));
    assert_eq!(net.peers[A].accepted - before, usize::try_from(seconds * 200).unwrap());
    assert_eq!(net.peers[A].stuck, 0, "it always had a path");
    let states = "checking connected completed connected disconnected connected";
    assert_eq!(net.peers[A].states(), states);
    roll_back(&mut net, A);
    assert_eq!(net.peers[A].states(), format!("{states} completed"));
}

#[test]
fn an_offer_that_is_rolled_back_after_the_path_died_leaves_its_states() {
    for (begun_in, states) in [
        (State::Disconnected, "checking connected completed connected disconnected"),
        (State::Failed, "checking connected completed connected disconnected failed"),
    ] {
        let mut net = connected(70);
        begin_restart(&mut net, A);
        path_dies(&mut net);
        becomes(&mut net, A, begun_in);
        roll_back(&mut net, A);
        net.run_for(s(1));
        assert_eq!(net.peers[A].states(), states);
        net.dead.clear();
        net.offer(A);
        net.run_for(s(30));
        assert!(net.both(State::Completed) && net.agrees());
    }
}

#[test]
fn a_side_that_has_not_answered_yet_sees_the_old_path_die() {
    let mut net = connected(71);
    hear_restart(&mut net, B);
    path_dies(&mut net);
    becomes(&mut net, B, State::Failed);
    net.run_for(s(300));
    assert_eq!(net.peers[B].states(), FAILS);
    roll_back(&mut net, B);
    assert_eq!(net.peers[B].states(), FAILS);
    // It answers the next one.
    net.dead.clear();
    net.offer(A);
    net.run_for(s(30));
    assert!(net.both(State::Completed) && net.agrees());
    assert_eq!(net.peers[B].states(), format!("{FAILS} checking connected completed"));
}

/// A provisional answer has the parameters with which checks begin.
#[test]
fn a_provisional_answer_leads_to_checking_and_a_rollback_back_to_what_the_old_path_is() {
    for peer in [A, B] {
        let mut net = connected(72);
        path_dies(&mut net);
        becomes(&mut net, peer, State::Disconnected);
        if peer == A {
            begin_restart(&mut net, A);
            hear_restart(&mut net, A);
        } else {
            hear_restart(&mut net, B);
            begin_restart(&mut net, B);
        }
        let states = "checking connected completed disconnected checking";
        assert_eq!(net.peers[peer].states(), states);
        roll_back(&mut net, peer);
        assert_eq!(net.peers[peer].states(), format!("{states} disconnected"));
        becomes(&mut net, peer, State::Failed);
    }
}
