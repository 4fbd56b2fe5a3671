//! Two peers find each other.

use super::*;
use crate::{CandidateAddress, CandidateKind, Config, Error, PairState, Role, State};

#[test]
fn without_delay_two_peers_connect_at_once_and_within_a_few_packets() {
    let mut net = Network::new(1);
    net.offer(A);
    assert!(net.run_until(s(1), |n| n.connected()));
    assert_eq!(net.elapsed(), ms(0), "a timer in the way");
    assert!(net.agrees());
    let packets = net.peers[A].stun_sent + net.peers[B].stun_sent;
    assert!(packets <= 10, "{packets} packets");
}

#[test]
fn over_50_ms_nomination_takes_two_round_trips_and_no_timer() {
    let mut net = Network::new(2);
    net.delay = ms(50);
    net.signalling = ms(50);
    net.offer(A);
    assert!(net.run_until(s(1), Network::connected));
    // Offer 50, the check of B meets A's answer at 100, check and response 200, nomination 300.
    assert!(net.elapsed() <= ms(300), "{:?}", net.elapsed());
    assert!(net.agrees());
}

#[test]
fn the_trace_of_a_plain_call_reads_as_in_the_specification() {
    let mut net = Network::new(3);
    net.delay = ms(10);
    net.signalling = ms(10);
    net.connect();
    assert_eq!(
        net.peers[A].trace.join("\n"),
        "gathering gathering\n\
         gathering complete\n\
         state checking\n\
         pair host 192.0.2.1 10001 - host 198.51.100.1 10001\n\
         state connected\n\
         state completed"
    );
    assert_eq!(net.peers[B].states(), "checking connected completed");
}

#[test]
fn while_the_peer_may_have_more_candidates_a_connection_is_not_completed() {
    let mut net = Network::new(4);
    net.peers[B].holds_candidates = true;
    net.offer(A);
    net.run_for(s(4));
    // A found B by its checks alone: a peer-reflexive candidate, not told to the application.
    assert_eq!(net.state(A), State::Connected);
    assert_eq!(net.state(B), State::Completed);
    assert_eq!(net.peers[A].agent.remote_candidates().count(), 0);
    let pair = net.peers[A].agent.selected_pair().unwrap();
    assert_eq!(pair.remote.kind, CandidateKind::PeerReflexive);

    net.release_candidates(B);
    net.run_for(ms(1));
    assert_eq!(net.peers[A].states(), "checking connected completed");
    assert_eq!(net.peers[A].agent.remote_candidates().count(), 1);
    let pair = net.peers[A].agent.selected_pair().unwrap();
    assert_eq!(pair.remote.kind, CandidateKind::Host, "signalled, and keeps its pair");
    let pairs: Vec<_> = net.peers[A].agent.pairs().collect();
    assert_eq!(pairs.len(), 1);
    let host = u64::from(pair.local.priority);
    assert_eq!(pairs[0].priority, (host << 32) + 2 * host, "that of two host candidates");
}

#[test]
fn candidates_that_trickle_in_late_connect_at_once() {
    let mut net = Network::new(5);
    net.peers[A].holds_candidates = true;
    net.peers[B].holds_candidates = true;
    net.offer(A);
    net.run_for(s(20));
    assert_eq!(net.peers[A].states(), "");
    assert_eq!(net.peers[B].states(), "");
    let before = net.elapsed();
    net.release_candidates(A);
    assert!(net.run_until(s(1), Network::connected));
    assert_eq!(net.elapsed(), before);
}

#[test]
fn checks_that_come_before_the_answer_are_answered_and_taken_up_with_it() {
    let mut net = Network::new(6);
    net.signalling = ms(100);
    net.delay = ms(1);
    net.offer(A);
    // B has everything at 100 ms, A the answer at 200 ms.
    net.run_for(ms(150));
    assert_eq!(net.state(A), State::New);
    let answered = net.peers[A].stun_sent;
    assert!(answered > 0);
    let socket = *net.peers[A].sockets.keys().next().unwrap();
    let from = *net.peers[B].sockets.values().next().unwrap();
    assert!(net.peers[A].agent.accepts_data(socket, from), "B has proven itself");
    net.peers[B].holds_candidates = true;
    assert!(net.run_until(s(1), Network::connected));
    assert!(net.elapsed() <= ms(205), "{:?}", net.elapsed());
}

#[test]
fn behind_a_nat_both_candidates_are_peer_reflexive_and_only_the_selected_pair_shows_them() {
    let mut net = Network::with(7, Config::default(), &[&["10.0.0.1"], &["198.51.100.1"]]);
    net.nats.push(("10.0.0.1".parse().unwrap(), "203.0.113.7".parse().unwrap()));
    net.delay = ms(5);
    net.offer(A);
    assert!(net.run_until(s(1), |n| n.connected() && n.agrees()));
    let pair = net.peers[A].agent.selected_pair().unwrap();
    assert_eq!(pair.local.kind, CandidateKind::PeerReflexive);
    assert_eq!(pair.local.address, CandidateAddress::Ip("203.0.113.7".parse().unwrap()));
    assert_eq!(pair.local.related, Some(("10.0.0.1".parse().unwrap(), 10_001)));
    let pair = net.peers[B].agent.selected_pair().unwrap();
    assert_eq!(pair.remote.kind, CandidateKind::PeerReflexive);
    let kinds = |c: &crate::Candidate| c.kind == CandidateKind::Host;
    assert!(net.peers[A].agent.local_candidates().all(|c| kinds(&c)));
    assert!(net.peers[B].agent.remote_candidates().all(kinds));
}

#[test]
fn two_controlling_agents_agree_by_their_tie_breakers() {
    for (a, b) in [(Role::Controlling, Role::Controlling), (Role::Controlled, Role::Controlled)] {
        for seed in 0..50 {
            let mut net = Network::new(seed);
            net.delay = ms(5);
            net.agent(A).set_role(a);
            net.agent(B).set_role(b);
            net.offer(A);
            assert!(net.run_until(s(5), |n| n.both(State::Completed)), "seed {seed}");
            assert!(net.agrees());
            let roles = [net.peers[A].agent.role(), net.peers[B].agent.role()];
            assert_ne!(roles[0], roles[1], "seed {seed}");
            let changes = |p: usize| {
                net.peers[p].trace.iter().filter(|line| line.starts_with("role ")).count()
            };
            assert_eq!(changes(A) + changes(B), 1, "seed {seed}: one of them gives way, once");
        }
    }
}

#[test]
fn ipv6_works_and_link_local_goes_to_link_local_only() {
    let addresses: &[&[&str]; 2] = &[&["2001:db8::1", "fe80::1"], &["fe80::2", "2001:db8::2"]];
    let mut net = Network::with(8, Config::default(), addresses);
    net.offer(A);
    assert!(net.run_until(s(1), |n| n.connected() && n.agrees()));
    let pairs: Vec<_> = net.peers[A].agent.pairs().map(|p| p.pair.to_string()).collect();
    for pair in &pairs {
        assert_eq!(pair.matches("fe80").count() % 2, 0, "{pairs:?}");
    }
}

impl std::fmt::Display for crate::CandidatePair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} - {}", self.local, self.remote)
    }
}

#[test]
fn with_many_addresses_the_best_pair_that_works_is_nominated_within_the_wait() {
    let addresses: &[&[&str]; 2] =
        &[&["192.0.2.1", "192.0.2.2"], &["198.51.100.1", "198.51.100.2"]];
    let mut net = Network::with(9, Config::default(), addresses);
    net.delay = ms(5);
    net.dead.insert("192.0.2.1".parse().unwrap());
    net.offer(A);
    assert!(net.run_until(s(1), |n| n.connected() && n.agrees()));
    assert!(net.elapsed() <= ms(150), "{:?}", net.elapsed());
    let pair = net.peers[A].agent.selected_pair().unwrap();
    assert_eq!(pair.local.address, CandidateAddress::Ip("192.0.2.2".parse().unwrap()));
    assert_eq!(pair.remote.address, CandidateAddress::Ip("198.51.100.1".parse().unwrap()));
}

#[test]
fn when_everything_works_the_pair_of_best_priority_is_chosen() {
    let addresses: &[&[&str]; 2] =
        &[&["192.0.2.1", "192.0.2.2"], &["198.51.100.1", "198.51.100.2"]];
    for seed in 0..20 {
        let mut net = Network::with(seed, Config::default(), addresses);
        net.delay = ms(20);
        net.jitter = ms(10);
        net.offer(A);
        assert!(net.run_until(s(5), |n| n.both(State::Completed)));
        let pair = net.peers[A].agent.selected_pair().unwrap();
        assert_eq!(pair.local.address, CandidateAddress::Ip("192.0.2.1".parse().unwrap()));
        assert_eq!(pair.remote.address, CandidateAddress::Ip("198.51.100.1".parse().unwrap()));
        assert!(net.agrees());
    }
}

#[test]
fn what_makes_no_pair_is_kept_and_shown() {
    let mut net = Network::new(10);
    net.connect();
    let now = net.now;
    let known = net.peers[B].agent.remote_candidates().next().unwrap().clone();
    let name = CandidateAddress::Name("0f2c.local".to_owned());
    let local = crate::Candidate { address: name, ..known.clone() };
    net.agent(B).add_remote_candidate(now, Some("a001"), local.clone()).unwrap();
    net.agent(B).add_remote_candidate(now, None, local.clone()).unwrap();
    let tcp = crate::Candidate {
        protocol: crate::Protocol::Tcp,
        tcp_type: Some(crate::TcpType::Active),
        port: 9,
        ..known.clone()
    };
    net.agent(B).add_remote_candidate(now, None, tcp.clone()).unwrap();
    let shown: Vec<_> = net.peers[B].agent.remote_candidates().cloned().collect();
    assert_eq!(shown, [known, local, tcp]);
    assert_eq!(net.peers[B].agent.pairs().count(), 1);
}

#[test]
fn candidates_of_unknown_generations_are_errors() {
    let mut net = Network::new(11);
    let candidate = {
        let mut other = Network::new(12);
        other.connect();
        other.peers[A].agent.local_candidates().next().unwrap()
    };
    let now = net.now;
    let early = net.agent(A).add_remote_candidate(now, None, candidate.clone());
    assert_eq!(early, Err(Error::NoRemoteParameters));
    net.connect();
    let unknown = net.agent(A).add_remote_candidate(now, Some("zzzz"), candidate.clone());
    assert_eq!(unknown, Err(Error::UnknownUsernameFragment("zzzz".to_owned())));
    let unknown = net.agent(A).add_end_of_candidates(now, Some("zzzz"));
    assert_eq!(unknown, Err(Error::UnknownUsernameFragment("zzzz".to_owned())));
    for port in 1..=200 {
        let candidate = crate::Candidate { port, ..candidate.clone() };
        let added = net.agent(A).add_remote_candidate(now, None, candidate);
        assert_eq!(added.is_ok(), port < 100, "port {port}: one is known already");
    }
    net.agent(A).close(now);
    assert_eq!(net.agent(A).add_remote_candidate(now, None, candidate), Err(Error::Closed));
}

#[test]
fn pairs_are_limited_however_many_candidates_there_are() {
    let config = Config { max_pairs: 10, ..Config::default() };
    let addresses: Vec<String> = (1..=8).map(|n| format!("192.0.2.{n}")).collect();
    let a: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let addresses: Vec<String> = (1..=8).map(|n| format!("198.51.100.{n}")).collect();
    let b: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut net = Network::with(13, config, &[&a, &b]);
    net.delay = ms(100);
    net.offer(A);
    net.run_for(ms(90));
    assert!((1..=10).contains(&net.peers[B].agent.pairs().count()));
    assert!(net.run_until(s(2), |n| n.connected() && n.agrees()));
}

#[test]
fn a_connected_agent_wakes_no_more_often_than_the_consent_interval() {
    let mut net = Network::new(14);
    net.delay = ms(20);
    net.connect();
    net.run_for(s(60));
    let (wakes, packets) = (net.peers[A].wakes, net.peers[A].stun_sent);
    net.run_for(s(600));
    let wakes = net.peers[A].wakes - wakes;
    assert!(wakes <= 150, "{wakes} timers in 600 s");
    let sent = net.peers[A].stun_sent - packets;
    assert!((200..=300).contains(&sent), "{sent}: own checks and answers of 600 s");
    let pair = net.peers[A].agent.pairs().find(|pair| pair.selected).unwrap();
    assert_eq!(pair.state, PairState::Succeeded);
    assert_eq!(pair.current_round_trip_time, Some(ms(40)));
    assert!(pair.consent_requests_sent >= 100);
    assert!(pair.nominated);
}

#[test]
fn ordinary_checks_are_sent_ta_apart() {
    let addresses: &[&[&str]; 2] =
        &[&["192.0.2.1", "192.0.2.2", "192.0.2.3"], &["198.51.100.1", "198.51.100.2"]];
    let mut net = Network::with(15, Config::default(), addresses);
    net.dead
        .extend(["198.51.100.1", "198.51.100.2"].map(|a| a.parse::<std::net::IpAddr>().unwrap()));
    net.offer(A);
    for checks in 1..=6 {
        net.run_for(ms(0));
        assert_eq!(net.peers[A].stun_sent, checks, "at {:?}", net.elapsed());
        net.run_for(ms(19));
        assert_eq!(net.peers[A].stun_sent, checks, "at {:?}", net.elapsed());
        net.run_for(ms(1));
    }
}

#[test]
fn agents_can_be_sent_to_other_threads_and_are_small() {
    fn assert_send_and_sync<T: Send + Sync>() {}
    assert_send_and_sync::<crate::Agent>();
    assert!(size_of::<crate::Agent>() <= 1_096, "{}", size_of::<crate::Agent>());
}
