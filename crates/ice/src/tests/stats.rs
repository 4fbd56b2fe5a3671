//! What there is for `getStats()`.

use std::collections::BTreeSet;

use super::*;
use crate::{AgentStats, CandidateKind, PairStats};

fn statistics(net: &Network, peer: usize) -> AgentStats {
    net.peers[peer].agent.statistics()
}

fn selected(net: &Network, peer: usize) -> PairStats {
    let mut pairs = statistics(net, peer).pairs.into_iter();
    pairs.find(|pair| pair.selected).expect("a pair is selected")
}

#[test]
fn a_pair_counts_checks_and_data() {
    let mut net = Network::new(80);
    net.delay = ms(20);
    net.connect();
    net.run_for(ms(100));
    let before = [A, B].map(|peer| selected(&net, peer));
    for pair in &before {
        assert_eq!(pair.current_round_trip_time, Some(ms(40)));
        assert!(pair.requests_sent > 0 && pair.requests_received > 0);
        assert_eq!(pair.responses_sent, pair.requests_received, "nothing was lost");
        assert_eq!(pair.responses_received, pair.requests_sent);
        assert_eq!((pair.sent.packets, pair.received.last), (0, None), "checks are no data");
    }
    net.begin_stream(ms(10));
    net.run_for(s(1));
    let [a, b] = [A, B].map(|peer| selected(&net, peer));
    assert!((100..=101).contains(&a.sent.packets), "{}", a.sent.packets);
    assert_eq!(a.sent.bytes, 100 * a.sent.packets);
    let on_the_way = a.sent.packets - b.received.packets;
    assert!((1..=3).contains(&on_the_way), "20 ms of packets 10 ms apart: {on_the_way}");
    assert_eq!(b.received.packets, net.peers[B].accepted as u64);
    assert_eq!(b.received.bytes, 100 * b.received.packets);
    assert!(a.sent.last.is_some_and(|at| net.now - at <= ms(10)));
}

#[test]
fn retransmissions_are_no_new_requests() {
    let mut net = Network::new(81);
    net.dead.extend(net.peers[B].addresses.clone());
    net.offer(A);
    net.run_for(s(6));
    let pairs = statistics(&net, A).pairs;
    assert!(net.peers[A].stun_sent > 3 * pairs.len(), "it has tried again and again");
    // The check, and what it becomes for peers that answer those with USE-CANDIDATE alone.
    assert!(pairs.iter().all(|pair| pair.requests_sent <= 2), "{pairs:?}");
}

#[test]
fn after_a_restart_the_pair_in_use_is_left_until_the_new_one_takes_over() {
    let mut net = Network::with(
        82,
        crate::Config::default(),
        &[&["192.0.2.1", "192.0.2.2"], &["198.51.100.1", "198.51.100.2"]],
    );
    net.delay = ms(20);
    net.connect();
    net.run_for(s(1));
    net.begin_stream(ms(5));
    net.signalling = ms(250);
    let before = statistics(&net, A);
    assert_eq!((before.local_candidates.len(), before.remote_candidates.len()), (2, 2));
    assert!(before.pairs.len() > 1);
    let old = selected(&net, A);

    net.offer(A);
    net.run_for(ms(100));
    let offered = statistics(&net, A);
    assert_eq!(offered.pairs.len(), before.pairs.len(), "the offer may be rolled back");
    assert_eq!(offered.local_candidates.len(), 4, "the new ones are there already");

    // The answer has come, the new pair is being checked.
    net.run_for(ms(405));
    let answered = statistics(&net, A);
    let of_old = |id: crate::GenerationId| id == old.generation;
    let left: Vec<_> = answered.pairs.iter().filter(|p| of_old(p.generation)).collect();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].id, left[0].selected), (old.id, true));
    let locals: Vec<_> =
        answered.local_candidates.iter().filter(|c| of_old(c.generation)).map(|c| c.id).collect();
    assert_eq!(locals, [old.local]);

    assert!(net.run_until(s(1), |n| selected(n, A).generation != old.generation));
    let after = statistics(&net, A);
    assert!(net.peers[A].agent.pairs().any(|p| of_old(p.generation)), "it lingers");
    assert!(!after.pairs.iter().any(|p| of_old(p.generation)), "but is seen no more");
    assert!(!after.local_candidates.iter().any(|c| of_old(c.generation)));
    assert!(!after.remote_candidates.iter().any(|c| of_old(c.generation)));
}

#[test]
fn every_reference_is_to_something_that_is_there() {
    let mut net = Network::with(83, crate::Config::default(), &[&["10.0.0.1"], &["198.51.100.1"]]);
    net.nats.push(("10.0.0.1".parse().unwrap(), "203.0.113.7".parse().unwrap()));
    // B learns them from checks.
    net.peers[A].holds_candidates = true;
    net.delay = ms(5);
    net.offer(A);
    for step in 0..400 {
        net.run_for(ms(5));
        if step == 100 || step == 200 {
            net.offer(step / 100 % 2);
        }
        for peer in [A, B] {
            let stats = statistics(&net, peer);
            let ids = |candidates: &[crate::CandidateStats]| -> BTreeSet<_> {
                candidates.iter().map(|c| (c.generation, c.id)).collect()
            };
            let (locals, remotes) = (ids(&stats.local_candidates), ids(&stats.remote_candidates));
            assert_eq!(locals.len(), stats.local_candidates.len(), "ids differ");
            assert_eq!(remotes.len(), stats.remote_candidates.len(), "ids differ");
            for pair in &stats.pairs {
                assert!(locals.contains(&(pair.generation, pair.local)), "{pair:?}");
                assert!(remotes.contains(&(pair.generation, pair.remote)), "{pair:?}");
            }
        }
    }
    let remote = statistics(&net, B).remote_candidates;
    let learnt = remote.iter().find(|c| c.candidate.kind == CandidateKind::PeerReflexive).unwrap();
    assert!(!learnt.signalled);
    let local = net.peers[A].agent.local_parameters().unwrap();
    assert_eq!(learnt.username_fragment.as_ref(), Some(&local.username_fragment));
}

/// RFC 8445 §7.3: what a check of the peer teaches is learnt "once the answer is received".
#[test]
fn an_offerer_without_an_answer_shows_no_peer_reflexive_candidate() {
    let mut net = Network::new(47);
    net.signalling = ms(100);
    net.delay = ms(1);
    net.peers[B].holds_candidates = true;
    net.offer(A);
    // B has everything at 100 ms, A the answer at 200 ms.
    net.run_for(ms(150));
    assert!(net.peers[A].stun_sent > 0, "checks are answered");
    let stats = net.peers[A].agent.statistics();
    assert_eq!((stats.remote_candidates.len(), stats.pairs.len()), (0, 0));
    assert_eq!(net.peers[A].agent.remote_candidates().count(), 0);
    assert!(net.run_until(s(1), Network::connected));
    let stats = net.peers[A].agent.statistics();
    let kinds: Vec<_> = stats.remote_candidates.iter().map(|c| c.candidate.kind).collect();
    assert_eq!(kinds, [CandidateKind::PeerReflexive]);
    assert_eq!(stats.pairs.len(), 1);
}
