//! Forged, replayed and mutilated packets harm nobody.

use std::net::SocketAddr;

use bytes::Bytes;
use proptest::prelude::*;
use stun_types::message::TransactionId;

use super::*;
use crate::agent::SHORTEST_PAUSE;
use crate::stun::{self, Check, Credentials};
use crate::{Config, Event, PairState, Parameters, Path, Role, SocketId, State, Transmit};

fn attacker() -> SocketAddr {
    "203.0.113.66:6666".parse().unwrap()
}

/// What B would send to A, if its parameters were these.
pub(super) fn check(
    local: &Parameters,
    remote: &Parameters,
    role: Role,
    use_candidate: bool,
) -> Bytes {
    Check {
        id: TransactionId::from(4711),
        local: &Credentials::new(local.clone()),
        remote: &Credentials::new(remote.clone()),
        priority: 1,
        role,
        tie_breaker: u64::MAX,
        use_candidate,
    }
    .write()
    .unwrap()
}

struct Victim {
    net: Network,
    socket: SocketId,
    peer: SocketAddr,
    a: Parameters,
    b: Parameters,
}

fn victim(seed: u64) -> Victim {
    let mut net = Network::new(seed);
    net.connect();
    let path = net.peers[A].agent.selected_path().unwrap();
    let a = net.peers[A].agent.local_parameters().cloned().unwrap();
    let b = net.peers[B].agent.local_parameters().cloned().unwrap();
    Victim { socket: path.base.socket, peer: path.remote, net, a, b }
}

impl Victim {
    fn inject(&mut self, source: SocketAddr, packet: &[u8]) -> Vec<Transmit> {
        let (now, socket) = (self.net.now, self.socket);
        let agent = self.net.agent(A);
        agent.handle_stun(now, socket, source, packet);
        std::iter::from_fn(|| agent.poll_transmit()).collect()
    }

    fn assert_unharmed(mut self) {
        assert_eq!(self.net.agent(A).poll_event(), None::<Event>);
        let trace = [self.net.peers[A].trace.clone(), self.net.peers[B].trace.clone()];
        self.net.run_for(s(120));
        assert!(self.net.both(State::Completed) && self.net.agrees());
        assert_eq!(trace, [self.net.peers[A].trace.clone(), self.net.peers[B].trace.clone()]);
    }
}

#[test]
fn checks_with_a_wrong_username_or_password_are_met_with_silence() {
    let mut victim = victim(60);
    let (a, b) = (victim.a.clone(), victim.b.clone());
    let stranger = Parameters { username_fragment: "evil".into(), ..a.clone() };
    let guess = Parameters { password: "a-guess-that-is-long-enough".into(), ..a.clone() };
    let other = Parameters { username_fragment: "evil".into(), ..b.clone() };
    for (local, remote) in [(&b, &stranger), (&b, &guess), (&other, &a)] {
        let packet = check(local, remote, Role::Controlled, false);
        assert_eq!(victim.inject(attacker(), &packet), []);
        assert_eq!(victim.inject(victim.peer, &packet), []);
    }
    assert!(!victim.net.peers[A].agent.accepts_data(victim.socket, attacker()));
    victim.assert_unharmed();
}

#[test]
fn a_check_replayed_from_elsewhere_leads_nowhere() {
    let mut victim = victim(61);
    let packet = check(&victim.b.clone(), &victim.a.clone(), Role::Controlled, true);
    let sent = victim.inject(attacker(), &packet);
    // Answered, and checked back: but whoever cannot answer that gains nothing.
    assert_eq!(sent.len(), 2);
    let path = victim.net.peers[A].agent.selected_path();
    victim.net.run_for(s(60));
    assert_eq!(victim.net.peers[A].agent.selected_path(), path);
    let states: Vec<_> = victim.net.peers[A].agent.pairs().map(|pair| pair.state).collect();
    assert_eq!(states, [PairState::Succeeded, PairState::Failed]);
    victim.assert_unharmed();
}

#[test]
fn the_answer_to_a_check_counts_only_from_where_it_was_sent_and_only_once() {
    let mut net = Network::new(62);
    net.delay = ms(50);
    net.offer(A);
    net.run_for(ms(1));
    let socket = *net.peers[A].sockets.keys().next().unwrap();
    let b = Credentials::new(net.peers[B].agent.local_parameters().cloned().unwrap());
    let now = net.now;
    let parameters = net.fresh(A);
    net.agent(A).set_local_parameters(now, parameters);
    net.agent(A).rollback(now);
    net.settle();
    // The check in flight, as an attacker on the path would see it.
    net.run_for(ms(1));
    let id = net.peers[A].agent.in_flight().next().unwrap();
    let source: SocketAddr = "192.0.2.1:10001".parse().unwrap();
    let response = stun::success(id, source, &b.key).unwrap();
    let now = net.now;
    net.agent(A).handle_stun(now, socket, attacker(), &response);
    assert!(net.peers[A].agent.pairs().all(|pair| pair.state == PairState::InProgress));
    let forged = stun::success(id, source, &Credentials::new(net.fresh(A)).key).unwrap();
    let peer: SocketAddr = "198.51.100.1:10001".parse().unwrap();
    net.agent(A).handle_stun(now, socket, peer, &forged);
    assert!(net.peers[A].agent.pairs().all(|pair| pair.state == PairState::InProgress));
    net.agent(A).handle_stun(now, socket, peer, &response);
    assert!(net.peers[A].agent.pairs().all(|pair| pair.state == PairState::Succeeded));
    let counted: u64 = net.peers[A].agent.pairs().map(|pair| pair.responses_received).sum();
    net.agent(A).handle_stun(now, socket, peer, &response);
    assert_eq!(
        net.peers[A].agent.pairs().map(|pair| pair.responses_received).sum::<u64>(),
        counted
    );
    assert!(net.run_until(s(5), |n| n.both(State::Completed) && n.agrees()));
}

#[test]
fn a_replayed_consent_response_does_not_renew_consent() {
    let mut net = Network::new(63);
    net.connect();
    let path = net.peers[A].agent.selected_path().unwrap();
    // Every response A gets is kept.
    let mut kept: Vec<Bytes> = Vec::new();
    let end = net.now + s(30);
    while net.now < end {
        let next = net.peers.iter().filter_map(|p| p.agent.poll_timeout()).min().unwrap();
        net.now = net.now.max(next);
        let now = net.now;
        net.agent(B).handle_timeout(now);
        net.settle();
        net.agent(A).handle_timeout(now);
        while let Some(transmit) = net.agent(A).poll_transmit() {
            let from = net.peers[A].sockets[&transmit.socket];
            let socket = *net.peers[B].sockets.keys().next().unwrap();
            net.agent(B).handle_stun(now, socket, from, &transmit.payload);
            while let Some(transmit) = net.agent(B).poll_transmit() {
                net.agent(A).handle_stun(now, path.base.socket, path.remote, &transmit.payload);
                kept.push(transmit.payload);
            }
        }
        net.run_for(ms(0));
    }
    assert!(kept.len() >= 5);
    net.dead.insert(path.remote.ip());
    let died = net.now;
    while net.state(A) != State::Failed {
        net.run_for(s(1));
        let now = net.now;
        for packet in &kept {
            net.agent(A).handle_stun(now, path.base.socket, path.remote, packet);
        }
        net.settle();
        assert!(net.now - died <= s(60), "replays kept it alive");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_420_and_a_conflict_with_487() {
    use stun_types::attribute::{RawAttribute, Username};
    use stun_types::message::{
        BINDING, IntegrityAlgorithm, Message, MessageClass, MessageType, MessageWrite,
        MessageWriteExt, MessageWriteVec,
    };
    let mut victim = victim(64);
    let (a, b) = (Credentials::new(victim.a.clone()), Credentials::new(victim.b.clone()));
    let kind = MessageType::from_class_method(MessageClass::Request, BINDING);
    let mut message = Message::builder(kind, 9.into(), MessageWriteVec::new());
    let username = format!("{}:{}", a.username_fragment(), b.username_fragment());
    message.add_attribute(&Username::new(&username).unwrap()).unwrap();
    message.add_attribute(&RawAttribute::new(0x7abc.into(), &[1, 2, 3, 4])).unwrap();
    message.add_message_integrity_with_key(&a.key, IntegrityAlgorithm::Sha1).unwrap();
    message.add_fingerprint().unwrap();
    let peer = victim.peer;
    let sent = victim.inject(peer, &message.finish());
    assert_eq!(code(&sent, &a), Some(420));

    // The tie-breaker of a controlled impostor is smaller than ours: no; larger: it stays.
    let packet = Check {
        id: 10.into(),
        local: &b,
        remote: &a,
        priority: 1,
        role: Role::Controlling,
        tie_breaker: 0,
        use_candidate: false,
    };
    let sent = victim.inject(peer, &packet.write().unwrap());
    assert_eq!(code(&sent, &a), Some(487));
    victim.assert_unharmed();
}

fn code(sent: &[Transmit], key: &Credentials) -> Option<u16> {
    let [transmit] = sent else { return None };
    let message = stun::parse(&transmit.payload)?;
    match stun::answer(&message, &key.key)? {
        stun::Answer::Error { code } => Some(code),
        stun::Answer::Success { .. } | stun::Answer::NotUnderstood => None,
    }
}

#[test]
fn a_487_that_answers_a_request_from_before_the_change_of_role_changes_nothing() {
    let mut net = Network::new(65);
    net.delay = ms(50);
    net.offer(A);
    net.run_for(ms(1));
    let id = net.peers[A].agent.in_flight().next().unwrap();
    let b = Credentials::new(net.peers[B].agent.local_parameters().cloned().unwrap());
    let conflict = stun::error(id, 487, &[], &b.key).unwrap();
    let socket = *net.peers[A].sockets.keys().next().unwrap();
    let peer: SocketAddr = "198.51.100.1:10001".parse().unwrap();
    net.agent(A).set_role(Role::Controlled);
    let now = net.now;
    net.agent(A).handle_stun(now, socket, peer, &conflict);
    assert_eq!(net.peers[A].agent.role(), Some(Role::Controlled), "stale");
    // The next check is Ta later.
    net.run_for(ms(20));
    net.agent(A).set_role(Role::Controlling);
    let id = net.peers[A].agent.in_flight().next().unwrap();
    let conflict = stun::error(id, 487, &[], &b.key).unwrap();
    let now = net.now;
    net.agent(A).handle_stun(now, socket, peer, &conflict);
    net.run_for(ms(20));
    assert_eq!(net.peers[A].agent.role(), Some(Role::Controlling), "asked as controlled");
    let id = net.peers[A].agent.in_flight().next().unwrap();
    let conflict = stun::error(id, 487, &[], &b.key).unwrap();
    let now = net.now;
    net.agent(A).handle_stun(now, socket, peer, &conflict);
    net.settle();
    assert_eq!(net.peers[A].agent.role(), Some(Role::Controlled), "a conflict indeed");
    assert!(net.run_until(s(5), |n| n.both(State::Completed) && n.agrees()));
}

#[test]
fn of_the_pairs_an_aggressive_peer_nominates_the_best_is_selected() {
    for seed in 0..10 {
        let addresses: &[&[&str]; 2] = &[&["192.0.2.1"], &["198.51.100.1", "198.51.100.2"]];
        let mut net = Network::with(seed, Config::default(), addresses);
        net.delay = ms(5);
        net.connect();
        let best = net.peers[B].agent.selected_path();
        let a = net.peers[A].agent.local_parameters().cloned().unwrap();
        let b = net.peers[B].agent.local_parameters().cloned().unwrap();
        let packet = check(&a, &b, Role::Controlling, true);
        let best_path = best.unwrap();
        let other = |socket: &&SocketId| **socket != best_path.base.socket;
        let socket = *net.peers[B].sockets.keys().find(other).unwrap();
        let worse = Path { base: socket.into(), remote: best_path.remote };
        for wait in [0, 100, 2_000] {
            net.run_for(ms(wait));
            let now = net.now;
            net.agent(B).handle_stun(now, worse.base.socket, worse.remote, &packet);
            net.run_for(s(2));
            assert_eq!(net.peers[B].agent.selected_path(), best, "it still answers");
        }
        // A peer that means it goes on, and does not nominate the other any more.
        let other = net.peers[A].agent.selected_path().unwrap().remote.ip();
        net.dead.insert(other);
        // Once may be while the better one has only just answered.
        for _ in 0..2 {
            let now = net.now;
            net.agent(B).handle_stun(now, worse.base.socket, worse.remote, &packet);
            net.run_for(s(2));
        }
        assert_eq!(net.peers[B].agent.selected_path(), Some(worse), "it does not answer");
    }
}

#[test]
fn early_checks_of_many_sources_do_not_fill_memory() {
    let config = Config::default();
    let mut agent = crate::Agent::new(config.clone(), [1; 32]);
    let now = time::Instant::now();
    let parameters = |name: &str| Parameters {
        username_fragment: name.to_owned(),
        password: "a-password-that-is-long-enough".to_owned(),
    };
    agent.set_role(Role::Controlling);
    agent.set_local_parameters(now, parameters("here"));
    agent.add_socket(now, crate::GenerationId(0), SocketId(0), "192.0.2.1:1".parse().unwrap());
    let packet = check(&parameters("peer"), &parameters("here"), Role::Controlled, false);
    let source = |port| SocketAddr::from(([198, 51, 100, 1], port));
    for port in 1..=10_000 {
        agent.handle_stun(now, SocketId(0), source(port), &packet);
    }
    let accepted = (1..=10_000).filter(|p| agent.accepts_data(SocketId(0), source(*p))).count();
    assert_eq!(accepted, config.max_early_checks);
    agent.set_remote_parameters(now, parameters("peer"), false);
    agent.commit(now);
    for port in 1..=10_000 {
        agent.handle_stun(now, SocketId(0), source(port), &packet);
    }
    assert!(agent.pairs().count() <= config.max_pairs);
    assert!(std::iter::from_fn(|| agent.poll_transmit()).count() <= 1_024);
    assert_eq!(agent.remote_candidates().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_from_anywhere_harms_nobody(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 1..20),
        from_peer: bool,
    ) {
        let mut victim = victim(66);
        let source = if from_peer { victim.peer } else { attacker() };
        for packet in packets {
            prop_assert_eq!(victim.inject(source, &packet), []);
        }
        victim.assert_unharmed();
    }

    #[test]
    fn mutilated_checks_from_anywhere_harm_nobody(
        edits in prop::collection::vec((0usize..110, 1u8..=255), 1..5),
        from_peer: bool,
    ) {
        let mut victim = victim(67);
        let source = if from_peer { victim.peer } else { attacker() };
        let original = check(&victim.b.clone(), &victim.a.clone(), Role::Controlling, true);
        let mut packet = original.to_vec();
        for (at, mask) in edits {
            if let Some(byte) = packet.get_mut(at) {
                *byte ^= mask;
            }
        }
        if packet != original {
            prop_assert_eq!(victim.inject(source, &packet), []);
        }
        victim.assert_unharmed();
    }

    #[test]
    fn calls_in_any_order_keep_the_agent_sane(
        calls in prop::collection::vec((0u8..14, 0u8..4, 0u64..40_000), 1..60),
    ) {
        let start = time::Instant::now();
        let mut now = start;
        let mut agent = crate::Agent::new(Config::default(), [5; 32]);
        let parameters = |n: u8| Parameters {
            username_fragment: format!("uf{n}x"),
            password: "a-password-that-is-long-enough".to_owned(),
        };
        let candidate = |n: u8| crate::Candidate {
            foundation: n.to_string(),
            component: u16::from(n),
            protocol: crate::Protocol::Udp,
            priority: u32::from(n) << 24,
            address: crate::CandidateAddress::Ip([198, 51, 100, n].into()),
            port: 4_000,
            kind: crate::CandidateKind::Host,
            related: None,
            server: None,
            tcp_type: None,
        };
        let mut open = std::collections::BTreeSet::new();
        let mut next = 0;
        for (call, n, wait) in calls {
            let ufrag = format!("uf{n}x");
            match call {
                0 => agent.set_local_parameters(now, parameters(n)),
                1 => agent.set_remote_parameters(now, parameters(n), n == 3),
                2 => agent.commit(now),
                3 => agent.rollback(now),
                4 => agent.gathering_done(now, crate::GenerationId(u32::from(n))),
                5 => drop(agent.add_remote_candidate(now, Some(&ufrag), candidate(n))),
                6 => drop(agent.add_end_of_candidates(now, Some(&ufrag))),
                7 => if let Some(socket) = open.pop_first() {
                    agent.socket_closed(now, SocketId(socket));
                },
                8 => agent.set_role(if n % 2 == 0 { Role::Controlling } else { Role::Controlled }),
                9 if n == 3 && wait > 39_000 => agent.close(now),
                10 => {
                    let packet = check(&parameters(n), &parameters(n ^ 1), Role::Controlling, true);
                    let source = SocketAddr::from(([198, 51, 100, n], 4_000));
                    if let Some(socket) = open.first() {
                        agent.handle_stun(now, SocketId(*socket), source, &packet);
                    }
                }
                _ => {
                    now += ms(wait);
                    agent.handle_timeout(now);
                }
            }
            while let Some(event) = agent.poll_event() {
                match event {
                    Event::Gather { generation } => {
                        next += 1;
                        open.insert(next);
                        let address = SocketAddr::from(([192, 0, 2, 1], 1_000 + next as u16));
                        agent.add_socket(now, generation, SocketId(next), address);
                    }
                    Event::CloseSocket(socket) => prop_assert!(open.remove(&socket.0)),
                    _ => {}
                }
            }
            while let Some(transmit) = agent.poll_transmit() {
                prop_assert!(open.contains(&transmit.socket.0));
            }
            let rests = agent.poll_timeout().is_none_or(|at| at >= now + SHORTEST_PAUSE);
            prop_assert!(rests, "a timer that never rests");
        }
    }
}
