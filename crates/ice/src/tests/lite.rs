//! Peers that are ICE-lite, some of them stubborn.

use std::net::SocketAddr;

use bytes::Bytes;
use time::{Duration, Instant};

use super::s;
use crate::stun::{self, Credentials, Request};
use crate::{
    Agent, Candidate, CandidateAddress, CandidateKind, Config, Event, Parameters, Protocol, Role,
    SocketId, State,
};

/// Which checks a peer answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    All,
    /// What carries USE-CANDIDATE.
    Nominations,
    /// Everything but the first so many that carry USE-CANDIDATE.
    AllBut(usize),
}

/// Answers checks (RFC 8445 §7.3.1.1 is all a lite agent does).
struct Lite {
    credentials: Credentials,
    address: SocketAddr,
    answers: Answers,
    nominated: usize,
    requests: usize,
}

impl Lite {
    fn on_packet(&mut self, source: SocketAddr, packet: &[u8]) -> Option<Bytes> {
        let message = stun::parse(packet)?;
        assert!(stun::is_authentic(&message, &self.credentials.key));
        let request = Request::read(&message);
        assert_eq!(request.role.map(|(role, _)| role), Some(Role::Controlling));
        self.requests += 1;
        self.nominated += usize::from(request.use_candidate);
        let is_answered = match self.answers {
            Answers::All => true,
            Answers::Nominations => request.use_candidate,
            Answers::AllBut(lost) => !request.use_candidate || self.nominated > lost,
        };
        if !is_answered {
            return None;
        }
        stun::success(request.id, source, &self.credentials.key)
    }
}

fn run(answers: Answers, lite: bool, role: Role, time: Duration) -> (Agent, Lite, Vec<String>) {
    let start = Instant::now();
    let parameters = |name: &str| Parameters {
        username_fragment: name.to_owned(),
        password: format!("the-password-of-{name}-is-long"),
    };
    let address: SocketAddr = "203.0.113.1:3478".parse().unwrap();
    let mut peer = Lite {
        credentials: Credentials::new(parameters("lite")),
        address,
        answers,
        nominated: 0,
        requests: 0,
    };
    let here: SocketAddr = "192.0.2.1:1000".parse().unwrap();
    let mut agent = Agent::new(Config::default(), [3; 32]);
    agent.set_role(role);
    agent.set_remote_parameters(start, parameters("lite"), lite);
    agent.set_local_parameters(start, parameters("full"));
    agent.commit(start);
    let candidate = Candidate {
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
    };
    agent.add_remote_candidate(start, None, candidate).unwrap();
    agent.add_end_of_candidates(start, None).unwrap();
    let mut trace = Vec::new();
    let mut now = start;
    loop {
        loop {
            while let Some(event) = agent.poll_event() {
                match event {
                    Event::Gather { generation } => {
                        agent.add_socket(now, generation, SocketId(1), here);
                        agent.gathering_done(now, generation);
                    }
                    Event::StateChange { state: Some(state), .. } => {
                        let at = (now - start).as_millis();
                        trace.push(format!("{state} {at}"));
                    }
                    Event::RoleChange(role) => trace.push(role.to_string()),
                    _ => {}
                }
            }
            let Some(transmit) = agent.poll_transmit() else { break };
            assert_eq!(transmit.destination, peer.address);
            if let Some(response) = peer.on_packet(here, &transmit.payload) {
                agent.handle_stun(now, SocketId(1), peer.address, &response);
            }
        }
        let Some(next) = agent.poll_timeout().filter(|next| *next <= start + time) else { break };
        now = now.max(next);
        agent.handle_timeout(now);
    }
    (agent, peer, trace)
}

#[test]
fn a_lite_peer_is_checked_then_nominated_and_connects_at_once() {
    let (agent, peer, trace) = run(Answers::All, true, Role::Controlling, s(3));
    assert_eq!(trace, ["checking 0", "connected 0", "completed 3000"]);
    assert_eq!(agent.state(), State::Completed);
    assert_eq!((peer.requests, peer.nominated), (2, 1));
}

#[test]
fn with_a_lite_peer_we_are_controlling_whatever_was_set() {
    let (agent, _, trace) = run(Answers::All, true, Role::Controlled, s(3));
    assert_eq!(trace, ["controlling", "checking 0", "connected 0", "completed 3000"]);
    assert_eq!(agent.role(), Some(Role::Controlling));
}

#[test]
fn a_lite_peer_that_answers_only_nominations_connects_with_the_first_retransmission() {
    let (agent, _, trace) = run(Answers::Nominations, true, Role::Controlling, s(1));
    assert_eq!(trace, ["checking 0", "connected 500"]);
    assert!(agent.selected_path().is_some());
}

#[test]
fn so_does_one_that_does_not_say_that_it_is_lite() {
    let (_, _, trace) = run(Answers::Nominations, false, Role::Controlling, s(2));
    assert_eq!(trace, ["checking 0", "connected 1500"]);
}

#[test]
fn the_only_pair_that_works_is_nominated_again_while_there_is_patience() {
    // The fifth nomination is the first of another transaction.
    let (agent, peer, trace) = run(Answers::AllBut(4), false, Role::Controlling, s(11));
    assert_eq!(trace, ["checking 0", "connected 7500", "completed 10500"]);
    assert!(agent.selected_path().is_some());
    assert_eq!((peer.nominated, peer.requests), (5, 6));
}

#[test]
fn a_pair_whose_nominations_have_no_answer_fails_when_patience_ends() {
    let (agent, _, trace) = run(Answers::AllBut(usize::MAX), false, Role::Controlling, s(60));
    assert_eq!(agent.state(), State::Failed);
    // RFC 8863 §4 ends it after 39.5 s at the earliest; the last transaction has 7.5 s.
    let [_, failed] = &trace[..] else { panic!("{trace:?}") };
    let at: u64 = failed.strip_prefix("failed ").unwrap().parse().unwrap();
    assert!((39_500..=47_000).contains(&at), "{trace:?}");
}

#[test]
fn consent_of_a_peer_that_answers_only_nominations_is_kept() {
    let (agent, peer, trace) = run(Answers::Nominations, true, Role::Controlling, s(600));
    assert_eq!(trace, ["checking 0", "connected 500", "completed 3500"]);
    assert_eq!(agent.state(), State::Completed);
    assert!(peer.requests > 100);
}
