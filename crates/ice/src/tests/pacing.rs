//! RFC 8445 §6.1.4.2: whatever the peer does, the first transmissions of checks are Ta apart.

use std::net::SocketAddr;

use stun_types::message::{MessageClass, TransactionId};

use super::*;
use crate::stun::{self, Check, Credentials};
use crate::{
    Agent, Candidate, CandidateAddress, CandidateKind, Config, Event, GenerationId, Parameters,
    Protocol, Role, SocketId,
};

fn parameters(name: &str) -> Parameters {
    Parameters {
        username_fragment: name.to_owned(),
        password: format!("the-password-of-{name}-is-long"),
    }
}

fn source(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, host], port))
}

fn candidate(address: SocketAddr) -> Candidate {
    Candidate {
        foundation: "1".to_owned(),
        component: 1,
        protocol: Protocol::Udp,
        priority: 2_130_706_431,
        address: CandidateAddress::Ip(address.ip()),
        port: address.port(),
        kind: CandidateKind::Host,
        related: None,
        server: None,
        tcp_type: None,
    }
}

/// An agent with one socket, whose peer does what the test wants.
struct Alone {
    agent: Agent,
    now: time::Instant,
    ours: Credentials,
    theirs: Credentials,
    checks: u128,
}

impl Alone {
    fn new(role: Role) -> Self {
        let (ours, theirs) = (parameters("ours"), parameters("theirs"));
        let now = time::Instant::now();
        let mut agent = Agent::new(Config::default(), [7; 32]);
        agent.set_role(role);
        agent.set_local_parameters(now, ours.clone());
        agent.set_remote_parameters(now, theirs.clone(), false);
        agent.commit(now);
        agent.add_socket(now, GenerationId(0), SocketId(0), "192.0.2.1:1000".parse().unwrap());
        agent.gathering_done(now, GenerationId(0));
        while agent.poll_event().is_some() {}
        let (ours, theirs) = (Credentials::new(ours), Credentials::new(theirs));
        Self { agent, now, ours, theirs, checks: 0 }
    }

    /// A check of the peer that has not been sent before.
    fn check(&mut self, use_candidate: bool) -> bytes::Bytes {
        self.checks += 1;
        let check = Check {
            id: self.checks.into(),
            local: &self.theirs,
            remote: &self.ours,
            priority: 1_862_270_975,
            role: self.agent.role().unwrap().opposite(),
            tie_breaker: 1,
            use_candidate,
        };
        check.write().unwrap()
    }

    fn input(&mut self, from: SocketAddr, packet: &[u8]) {
        self.agent.handle_stun(self.now, SocketId(0), from, packet);
    }

    /// What is to be sent: checks, each with its destination, and how many responses.
    fn sent(&mut self) -> (Vec<(TransactionId, SocketAddr)>, usize) {
        let (mut checks, mut responses) = (Vec::new(), 0);
        while let Some(transmit) = self.agent.poll_transmit() {
            let message = stun::parse(&transmit.payload).unwrap();
            if message.class() == MessageClass::Request {
                checks.push((message.transaction_id(), transmit.destination));
            } else {
                responses += 1;
            }
        }
        (checks, responses)
    }

    fn advance(&mut self, by: time::Duration) {
        let end = self.now + by;
        while let Some(next) = self.agent.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.agent.handle_timeout(self.now);
        }
        self.now = end;
    }
}

#[test]
fn an_agent_that_gets_487_to_every_check_asks_no_more_often_than_every_ta() {
    let mut alone = Alone::new(Role::Controlling);
    let peer = source(1, 4000);
    let now = alone.now;
    alone.agent.add_remote_candidate(now, None, candidate(peer)).unwrap();
    let (mut checks, mut roles) = (0, 0);
    for _ in 0..3_000 {
        let (sent, _) = alone.sent();
        checks += sent.len();
        for (id, _) in sent {
            let refusal = stun::error(id, 487, &[], &alone.theirs.key).unwrap();
            alone.input(peer, &refusal);
        }
        while let Some(event) = alone.agent.poll_event() {
            roles += usize::from(matches!(event, Event::RoleChange(_)));
        }
        alone.advance(ms(1));
    }
    assert!((100..=151).contains(&checks), "{checks} checks in 3 s");
    assert!(checks - roles <= 1, "the role changes with each of them");
}

/// A path of a millisecond connects at once; what more there is to nominate is paced.
#[test]
fn the_first_nomination_goes_with_the_answer_and_only_the_first() {
    let mut alone = Alone::new(Role::Controlling);
    let peer = source(1, 4000);
    let now = alone.now;
    alone.agent.add_remote_candidate(now, None, candidate(peer)).unwrap();
    let answer = |alone: &mut Alone, id| {
        let here = "192.0.2.1:1000".parse().unwrap();
        alone.input(peer, &stun::success(id, here, &alone.theirs.key).unwrap());
    };
    let (first, _) = alone.sent();
    alone.advance(ms(1));
    answer(&mut alone, first[0].0);
    let (nominating, _) = alone.sent();
    assert_eq!(nominating.len(), 1);
    // Refused with 487, it is repeated in the other role when Ta is over.
    alone.input(peer, &stun::error(nominating[0].0, 487, &[], &alone.theirs.key).unwrap());
    assert_eq!(alone.sent().0, []);
    alone.advance(ms(18));
    assert_eq!(alone.sent().0, []);
    alone.advance(ms(2));
    assert_eq!(alone.sent().0.len(), 1);
}

#[test]
fn what_the_peer_nominates_first_is_checked_at_once_and_only_the_first() {
    let mut alone = Alone::new(Role::Controlled);
    for port in 1..=3 {
        let packet = alone.check(false);
        alone.input(source(1, port), &packet);
    }
    let to = |alone: &mut Alone| -> Vec<u16> {
        alone.sent().0.into_iter().map(|(_, to)| to.port()).collect()
    };
    assert_eq!(to(&mut alone), [1], "the others wait for Ta");
    for port in [3, 2] {
        let packet = alone.check(true);
        alone.input(source(1, port), &packet);
    }
    assert_eq!(to(&mut alone), [3]);
    alone.advance(ms(20));
    assert_eq!(to(&mut alone), [2]);
}

#[test]
fn a_flood_of_requests_is_answered_and_draws_few_checks() {
    for use_candidate in [false, true] {
        let mut alone = Alone::new(Role::Controlled);
        let (mut checks, mut responses) = (0, 0);
        // 400 a second for 20 s, each of them new.
        for _ in 0..8_000 {
            let packet = alone.check(use_candidate);
            alone.input(source(1, 4000), &packet);
            let (sent, answers) = alone.sent();
            checks += sent.len();
            responses += answers;
            alone.advance(time::Duration::from_micros(2_500));
        }
        assert_eq!(responses, 8_000);
        // One every 100 ms: whoever is answered nothing asks again after that.
        assert!((100..=220).contains(&checks), "{checks} checks in 20 s");
    }
}

#[test]
fn a_flood_from_many_sources_does_not_keep_a_signalled_candidate_waiting() {
    let mut alone = Alone::new(Role::Controlled);
    let peer = source(1, 4000);
    let now = alone.now;
    // A round of the whole queue for the checks of the flood, at worst.
    for port in 1..=100 {
        let packet = alone.check(false);
        alone.input(source(66, port), &packet);
    }
    alone.agent.add_remote_candidate(now, None, candidate(peer)).unwrap();
    let packet = alone.check(false);
    alone.input(peer, &packet);
    let mut gaps = Vec::new();
    let mut last = None;
    let mut found = None;
    for _ in 0..3_000 {
        for (_, to) in alone.sent().0 {
            gaps.extend(last.replace(alone.now).map(|last| alone.now - last));
            found = found.or((to == peer).then_some(alone.now));
        }
        alone.advance(ms(1));
    }
    assert!(found.is_some_and(|at| at - now <= ms(2_100)), "{found:?}");
    // Retransmissions come after 500 ms and more; what comes first is Ta apart.
    assert!(gaps[..20].iter().all(|gap| *gap >= ms(20)), "{gaps:?}");
}

#[test]
fn triggered_checks_go_first_and_in_the_order_in_which_they_were_asked_for() {
    let mut alone = Alone::new(Role::Controlled);
    let now = alone.now;
    for port in 1..=5 {
        let candidate = Candidate {
            foundation: port.to_string(),
            priority: 2_130_706_431 - 256 * u32::from(port),
            ..candidate(source(1, port))
        };
        alone.agent.add_remote_candidate(now, None, candidate).unwrap();
    }
    for port in [4, 5] {
        let packet = alone.check(false);
        alone.input(source(1, port), &packet);
    }
    let mut order = Vec::new();
    for _ in 0..5 {
        order.extend(alone.sent().0.into_iter().map(|(_, to)| to.port()));
        alone.advance(ms(20));
    }
    // The first one was sent before anything was asked for.
    assert_eq!(order, [1, 4, 5, 2, 3]);
}

#[test]
fn the_checks_of_another_answer_to_the_offer_are_answered_and_used_when_it_is_applied() {
    let now = time::Instant::now();
    let mut agent = Agent::new(Config::default(), [8; 32]);
    agent.set_role(Role::Controlling);
    agent.set_local_parameters(now, parameters("ours"));
    agent.add_socket(now, GenerationId(0), SocketId(0), "192.0.2.1:1000".parse().unwrap());
    // A provisional answer of the first peer.
    agent.set_remote_parameters(now, parameters("first"), false);
    while agent.poll_event().is_some() {}
    let (ours, second) =
        (Credentials::new(parameters("ours")), Credentials::new(parameters("second")));
    let from = source(2, 4000);
    let check = |role| {
        Check {
            id: 9.into(),
            local: &second,
            remote: &ours,
            priority: 1,
            role,
            tie_breaker: u64::MAX,
            use_candidate: false,
        }
        .write()
        .unwrap()
    };
    // RFC 8445 §7.3: our half of USERNAME is enough for the answer. Nothing else comes of it yet,
    // not even of a role that is not for this session.
    for role in [Role::Controlled, Role::Controlling] {
        agent.handle_stun(now, SocketId(0), from, &check(role));
        let response = agent.poll_transmit().unwrap();
        let message = stun::parse(&response.payload).unwrap();
        let answer = stun::answer(&message, &ours.key);
        assert_eq!(answer, Some(stun::Answer::Success { mapped: from }));
        assert_eq!(agent.poll_transmit(), None);
    }
    assert_eq!(agent.role(), Some(Role::Controlling));
    assert_eq!(agent.pairs().count(), 0);
    assert!(!agent.accepts_data(SocketId(0), from), "data of a peer that has not answered");
    // The answer is the second one.
    agent.set_remote_parameters(now, parameters("second"), false);
    agent.commit(now);
    let check = agent.poll_transmit().expect("a triggered check");
    assert_eq!(check.destination, from);
    // Who does not know our password gets nothing.
    let stranger = Check {
        id: 10.into(),
        local: &second,
        remote: &Credentials::new(Parameters {
            password: "a guess that is long enough".into(),
            ..parameters("ours")
        }),
        priority: 1,
        role: Role::Controlled,
        tie_breaker: 1,
        use_candidate: false,
    };
    agent.handle_stun(now, SocketId(0), from, &stranger.write().unwrap());
    assert_eq!(agent.poll_transmit(), None);
}

#[test]
fn replays_of_a_check_from_forged_sources_do_not_keep_the_peer_out() {
    for (signalled, early) in [(true, false), (false, false), (true, true), (false, true)] {
        let mut alone = Alone::new(Role::Controlled);
        let peer = source(1, 4000);
        // Seen once, sent again from 150 addresses.
        let seen = alone.check(false);
        let replay = |alone: &mut Alone| {
            for port in 1..=150 {
                alone.input(source(66, port), &seen);
            }
        };
        if early {
            // Before the peer's own arrives.
            replay(&mut alone);
            alone.input(peer, &seen);
        } else {
            alone.input(peer, &seen);
            replay(&mut alone);
        }
        let now = alone.now;
        if signalled {
            alone.agent.add_remote_candidate(now, None, candidate(peer)).unwrap();
        }
        // The peer checks on, and answers.
        for _ in 0..20 {
            let packet = alone.check(true);
            alone.input(peer, &packet);
            for (id, to) in alone.sent().0 {
                if to == peer {
                    let here = "192.0.2.1:1000".parse().unwrap();
                    let response = stun::success(id, here, &alone.theirs.key).unwrap();
                    alone.input(peer, &response);
                }
            }
            replay(&mut alone);
            alone.advance(ms(10));
        }
        let path = alone.agent.selected_path().map(|path| path.remote);
        assert_eq!(path, Some(peer), "signalled {signalled}, replayed before {early}");
        assert!(alone.agent.pairs().count() <= Config::default().max_pairs);
    }
}
