//! A controlled peer that answers checks before it knows our parameters (RFC 8445 §7.3.1.4), and
//! forgets a nomination that comes so early. So does Firefox: it keeps the first check only.

use std::net::SocketAddr;

use bytes::Bytes;
use time::{Duration, Instant};

use super::hostile::check;
use super::{ms, s};
use crate::stun::{self, Credentials, Request};
use crate::{Agent, Candidate, Config, Event, Parameters, Role, SocketId};

/// What the agent did, in milliseconds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    /// The checks that came with a nomination.
    nominated: Vec<u128>,
    connected: Option<u128>,
}

/// Runs an agent with such a peer, which gets our parameters after `knows` and then sends the check
/// that ours have triggered.
fn run(knows: Duration, until: Duration) -> Seen {
    let parameters = |name: &str| Parameters {
        username_fragment: name.to_owned(),
        password: format!("the-password-of-{name}-is-long"),
    };
    let (ours, theirs) = (parameters("ours"), parameters("theirs"));
    let key = Credentials::new(theirs.clone()).key;
    let there: SocketAddr = ([203, 0, 113, 1], 4_000).into();
    let here: SocketAddr = ([192, 0, 2, 1], 1_000).into();
    let start = Instant::now();
    let mut agent = Agent::new(Config::default(), [7; 32]);
    agent.set_role(Role::Controlling);
    agent.set_remote_parameters(start, theirs.clone(), false);
    agent.set_local_parameters(start, ours.clone());
    agent.commit(start);
    agent.add_remote_candidate(start, None, Candidate::udp(there)).unwrap();

    let (mut now, mut seen) = (start, Seen::default());
    let mut triggered: Option<Bytes> = Some(check(&theirs, &ours, Role::Controlled, false));
    loop {
        loop {
            while let Some(event) = agent.poll_event() {
                match event {
                    Event::Gather { generation } => {
                        agent.add_socket(now, generation, SocketId(1), here);
                        agent.gathering_done(now, generation);
                    }
                    Event::StateChange { selected_pair: Some(Some(_)), .. } => {
                        seen.connected = Some((now - start).as_millis());
                    }
                    _ => {}
                }
            }
            let Some(transmit) = agent.poll_transmit() else { break };
            let message = stun::parse(&transmit.payload).unwrap();
            if message.class() != stun_types::message::MessageClass::Request {
                continue;
            }
            let request = Request::read(&message);
            if request.use_candidate {
                seen.nominated.push((now - start).as_millis());
            }
            let response = stun::success(request.id, here, &key).unwrap();
            agent.handle_stun(now, SocketId(1), there, &response);
        }
        let check = triggered.as_ref().map(|_| start + knows);
        let next = check.into_iter().chain(agent.poll_timeout()).min();
        let Some(at) = next.filter(|at| *at <= start + until) else { return seen };
        now = now.max(at);
        if check.is_some_and(|at| at <= now)
            && let Some(check) = triggered.take()
        {
            agent.handle_stun(now, SocketId(1), there, &check);
        } else {
            agent.handle_timeout(now);
        }
    }
}

#[test]
fn the_nomination_is_repeated_when_the_peers_first_check_comes_after_it() {
    let seen = run(ms(300), ms(1_000));
    assert_eq!(seen, Seen { nominated: vec![0, 300], connected: Some(0) });
}

#[test]
fn the_repeated_nomination_is_the_consent_check_that_would_have_followed() {
    let seen = run(ms(3_000), s(60));
    assert_eq!(seen.nominated[..2], [0, 3_000]);
    let gaps: Vec<_> = seen.nominated[1..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.len() > 8 && gaps.iter().all(|gap| (4_000..=6_000).contains(gap)), "{gaps:?}");
}
