//! A controlling peer that nominates one pair after another, as RFC 5245 called aggressive.

use std::net::SocketAddr;

use time::{Duration, Instant};

use super::{ms, s};
use crate::stun::{self, Check, Credentials};
use crate::{
    Agent, Candidate, CandidateAddress, CandidateKind, Config, Event, Parameters, Protocol, Role,
    SocketId,
};

/// The candidates of the peer, the better one first.
const BETTER: usize = 0;
const WORSE: usize = 1;

fn address(which: usize) -> SocketAddr {
    ["203.0.113.1:4000", "203.0.113.2:4000"][which].parse().unwrap()
}

/// The candidates that the peer nominates, each at its time, and answers from until the next one.
/// What is seen of the agent: states, and where data goes.
fn run(nominations: &[(Duration, usize)]) -> Vec<String> {
    let parameters = |name: &str| Parameters {
        username_fragment: name.to_owned(),
        password: format!("the-password-of-{name}-is-long"),
    };
    let ours = Credentials::new(parameters("ours"));
    let theirs = Credentials::new(parameters("theirs"));
    let (start, here) = (Instant::now(), SocketAddr::from(([192, 0, 2, 1], 1000)));
    let mut agent = Agent::new(Config::default(), [5; 32]);
    agent.set_role(Role::Controlled);
    agent.set_remote_parameters(start, parameters("theirs"), false);
    agent.set_local_parameters(start, parameters("ours"));
    agent.commit(start);
    for which in [BETTER, WORSE] {
        let candidate = Candidate {
            foundation: which.to_string(),
            component: 1,
            protocol: Protocol::Udp,
            priority: 2_130_706_431 - 256 * u32::try_from(which).unwrap(),
            address: CandidateAddress::Ip(address(which).ip()),
            port: address(which).port(),
            kind: CandidateKind::Host,
            related: None,
            server: None,
            tcp_type: None,
        };
        agent.add_remote_candidate(start, None, candidate).unwrap();
    }
    agent.add_end_of_candidates(start, None).unwrap();

    let mut trace = Vec::new();
    let (mut now, mut path, mut nominated) = (start, None, 0);
    let answering = |nominated: usize| Some(address(nominations.get(nominated.checked_sub(1)?)?.1));
    loop {
        loop {
            let at = (now - start).as_millis();
            while let Some(event) = agent.poll_event() {
                match event {
                    Event::Gather { generation } => {
                        agent.add_socket(now, generation, SocketId(1), here);
                        agent.gathering_done(now, generation);
                    }
                    Event::StateChange { state: Some(state), .. } => {
                        trace.push(format!("{state} {at}"));
                    }
                    _ => {}
                }
            }
            let remote = agent.selected_path().map(|path| path.remote);
            if let Some(remote) = remote.filter(|remote| path != Some(*remote)) {
                path = Some(remote);
                trace.push(format!("{} {at}", remote.ip()));
            }
            let Some(transmit) = agent.poll_transmit() else { break };
            let message = stun::parse(&transmit.payload).unwrap();
            let request = message.class() == stun_types::message::MessageClass::Request;
            if request && answering(nominated) == Some(transmit.destination) {
                let id = message.transaction_id();
                let response = stun::success(id, here, &theirs.key).unwrap();
                agent.handle_stun(now, SocketId(1), transmit.destination, &response);
            }
        }
        let next = nominations.get(nominated).map(|(at, _)| start + *at);
        let timeout = agent.poll_timeout();
        let Some(at) = next.into_iter().chain(timeout).min().filter(|at| *at <= start + s(8))
        else {
            return trace;
        };
        now = now.max(at);
        if next != Some(at) {
            agent.handle_timeout(now);
            continue;
        }
        let check = Check {
            id: u128::try_from(nominated).unwrap().into(),
            local: &theirs,
            remote: &ours,
            priority: 1,
            role: Role::Controlling,
            tie_breaker: 1,
            use_candidate: true,
        };
        let (source, check) = (address(nominations[nominated].1), check.write().unwrap());
        nominated += 1;
        agent.handle_stun(now, SocketId(1), source, &check);
    }
}

#[test]
fn a_better_pair_within_three_seconds_is_followed_and_begins_them_again() {
    assert_eq!(
        run(&[(ms(100), WORSE), (ms(1_100), BETTER)]),
        ["checking 0", "connected 100", "203.0.113.2 100", "203.0.113.1 1100", "completed 4100",]
    );
}

#[test]
fn a_worse_pair_is_followed_when_the_better_one_has_not_answered_for_a_second() {
    assert_eq!(
        run(&[(ms(100), BETTER), (ms(600), WORSE)]),
        ["checking 0", "connected 100", "203.0.113.1 100", "203.0.113.2 1600", "completed 4600",]
    );
}
