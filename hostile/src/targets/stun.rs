//! STUN (RFC 8489) as an ICE agent takes it, and the stream of a TURN server.

use std::net::SocketAddr;

use ice::{Agent, Config, Demux, Enclosure, Event, Parameters, Role, SocketId};
use time::{Duration, Instant};
use turn::Reassembler;

const SOCKET: SocketId = SocketId(0);

fn address(last: u8) -> SocketAddr {
    ([192, 0, 2, last], 4000).into()
}

fn parameters(name: &str) -> Parameters {
    Parameters {
        username_fragment: name.to_owned(),
        password: format!("a-password-of-{name}-that-is-long"),
    }
}

/// What checks and answers carry for somebody else.
fn enclosure() -> Enclosure {
    let acknowledgement = Some(vec![1, 2, 3, 4].into());
    Enclosure { acknowledgement, data: Some(vec![22; 40].into()) }
}

/// Two agents that know each other's candidates: one that controls, and one that waits.
fn agents(now: Instant) -> [Agent; 2] {
    let sides = [(Role::Controlling, "alice", 1), (Role::Controlled, "bobby", 2)];
    let mut candidates = Vec::new();
    let mut agents = sides.map(|(role, name, last)| {
        let mut agent = Agent::new(Config::default(), [last; 32]);
        agent.set_role(role);
        agent.set_enclosing(true);
        agent.set_local_parameters(now, parameters(name));
        agent.set_remote_parameters(now, parameters(sides[usize::from(last) % 2].1), false);
        agent.commit(now);
        while let Some(event) = agent.poll_event() {
            match event {
                Event::Gather { generation } => {
                    agent.add_socket(now, generation, SOCKET, address(last));
                    agent.gathering_done(now, generation);
                }
                Event::LocalCandidate { candidate, .. } => candidates.push(candidate),
                _ => {}
            }
        }
        agent
    });
    for (agent, candidate) in agents.iter_mut().zip(candidates.into_iter().rev()) {
        agent.add_remote_candidate(now, None, candidate).expect("a candidate of the peer");
    }
    agents
}

/// Gives a message to a port that agents share, to an agent that waits for checks, and the same
/// octets to a stream.
pub fn message(octets: &[u8]) {
    let mut now = Instant::now();
    share(now, octets);
    let [_, mut agent] = agents(now);
    for _ in 0..2 {
        agent.handle_stun(now, SOCKET, address(1), octets);
        let enclosures = std::iter::from_fn(|| agent.poll_enclosure()).count();
        assert!(enclosures <= 1, "{enclosures} enclosures");
        let answers = std::iter::from_fn(|| agent.poll_transmit_with(enclosure)).count();
        let events = std::iter::from_fn(|| agent.poll_event()).count();
        assert!(answers <= 8 && events <= 8, "{answers} answers, {events} events");
        now += Duration::from_millis(20);
        agent.handle_timeout(now);
    }
    let mut stream = Reassembler::default();
    for half in octets.chunks(octets.len().div_ceil(2).max(1)) {
        stream.push(half);
        while let Ok(Some(message)) = stream.next_message() {
            assert!(message.len() <= octets.len());
        }
    }
}

/// Has a port say whom a message is for, as if it came in, went out and was authentic.
fn share(now: Instant, octets: &[u8]) {
    let (here, there) = (address(2).ip(), address(1));
    let mut port = Demux::new();
    let members = ["alice", "bobby"].map(|name| {
        let member = port.add(name, here, name);
        port.set_username_fragment(member, name);
        member
    });
    for member in members {
        port.sent(now, member, octets);
        let routed = port.route(now, here, there, octets);
        assert!(routed.len() <= 1, "{routed:?}");
        port.confirm(now, member, there, octets);
        assert!(port.is_held(here, there));
    }
    for member in members {
        assert!(port.remove(member).is_some());
    }
    assert!(port.is_empty() && !port.is_held(here, there));
    assert!(port.route(now, here, there, octets).is_empty(), "nobody is left");
}

/// Checks and their answers, and a framed message.
pub fn messages() -> Vec<Vec<u8>> {
    let mut now = Instant::now();
    let mut agents = agents(now);
    let mut corpus = Vec::new();
    for _ in 0..10 {
        for (at, last) in [(0, 1), (1, 2)] {
            while let Some(transmit) = agents[at].poll_transmit_with(enclosure) {
                agents[1 - at].handle_stun(now, SOCKET, address(last), &transmit.payload);
                corpus.push(transmit.payload.to_vec());
            }
        }
        now += Duration::from_millis(20);
        agents.iter_mut().for_each(|agent| agent.handle_timeout(now));
    }
    assert!(corpus.len() >= 4, "checks of both sides");
    corpus.push(vec![0x40, 0, 0, 4, 1, 2, 3, 4]);
    corpus
}
