//! What somebody above adds to checks and answers (draft-hancke-webrtc-sped-00).

use std::net::SocketAddr;

use bytes::Bytes;

use super::hostile::check;
use super::servers::{behind, turn};
use super::tcp::tcp_alone;
use super::wire::NatKind;
use super::*;
use crate::stun::{self, Credentials};
use crate::{Agent, Config, Enclosure, Parameters, Role, SocketId, State, TransportPolicy};

fn enclosure(acknowledgement: &'static [u8], data: &'static [u8]) -> Enclosure {
    Enclosure {
        acknowledgement: Some(Bytes::from_static(acknowledgement)),
        data: Some(Bytes::from_static(data)),
    }
}

fn parameters(name: &str) -> Parameters {
    Parameters { username_fragment: name.to_owned(), password: format!("the-password-of-{name}") }
}

/// The attributes of a message: their kinds and values.
fn attributes(message: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut rest = &message[20..];
    let mut attributes = Vec::new();
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        attributes.push((u16::from_be_bytes([head[0], head[1]]), tail[..length].to_vec()));
        rest = &tail[length.next_multiple_of(4)..];
    }
    attributes
}

/// Lets both enclose something of their own, and returns what.
fn enclose(net: &mut Network) -> [Enclosure; 2] {
    let both = [enclosure(b"", b"from A"), enclosure(b"four", b"from B, and longer")];
    for (peer, enclosure) in [A, B].into_iter().zip(&both) {
        net.agent(peer).set_enclosing(true);
        net.peers[peer].enclosure = enclosure.clone();
    }
    both
}

/// Whether each side has got what the other encloses, and nothing else.
fn assert_exchanged(net: &Network, both: &[Enclosure; 2]) {
    for (peer, expected) in [A, B].into_iter().zip(both.iter().rev()) {
        let got = &net.peers[peer].enclosures;
        assert!(got.len() > 2 && got.iter().all(|got| got == expected), "{got:?}");
    }
}

#[test]
fn enclosures_go_with_checks_and_answers_over_any_path() {
    let mut direct = Network::new(1000);
    direct.delay = ms(10);
    let relayed = behind(NatKind::Symmetric, &[turn()], TransportPolicy::Relay).0;
    for mut net in [direct, relayed, tcp_alone(1001)] {
        let both = enclose(&mut net);
        net.offer(A);
        assert!(net.run_until(s(5), |n| n.both(State::Completed)));
        assert_exchanged(&net, &both);
        // A consent check has them, too, until they are switched off.
        for peer in [A, B] {
            net.peers[peer].enclosures.clear();
        }
        net.run_for(s(20));
        assert_exchanged(&net, &both);
        for peer in [A, B] {
            net.agent(peer).set_enclosing(false);
            net.peers[peer].enclosures.clear();
        }
        net.run_for(s(20));
        assert!(net.peers.iter().all(|peer| peer.enclosures.is_empty()));
        assert!(net.both(State::Completed));
    }
}

#[test]
fn a_side_that_does_not_enclose_ignores_what_comes() {
    let mut net = Network::new(1002);
    enclose(&mut net);
    net.agent(B).set_enclosing(false);
    net.connect();
    assert!(net.peers[B].enclosures.is_empty());
    let of_b = &net.peers[A].enclosures;
    assert!(!of_b.is_empty() && of_b.iter().all(|got| *got == Enclosure::default()));
}

#[test]
fn lost_checks_are_sent_again_with_what_is_enclosed_by_then() {
    let mut net = Network::new(1003);
    net.delay = ms(10);
    net.loss = 1.0;
    let both = enclose(&mut net);
    for peer in [A, B] {
        net.peers[peer].enclosure = enclosure(b"", b"too early");
    }
    net.offer(A);
    net.run_for(ms(100));
    net.loss = 0.0;
    for (peer, enclosure) in [A, B].into_iter().zip(both.clone()) {
        net.peers[peer].enclosure = enclosure;
    }
    assert!(net.run_until(s(5), |n| n.both(State::Completed)));
    assert_exchanged(&net, &both);
}

/// The order and the places are those of Chromium 156.
#[test]
fn the_attributes_stand_before_the_integrity_and_are_covered_by_it() {
    let credentials = ["here", "away"].map(|name| Credentials::new(parameters(name)));
    let check =
        check(&credentials[0].parameters, &credentials[1].parameters, Role::Controlled, false);
    let answer = stun::success(7.into(), "192.0.2.1:9".parse().unwrap(), &credentials[1].key);
    let enclosure = enclosure(b"ack1ack2", b"five!");
    for (message, first) in [(check, vec![6, 0x24, 0x8029]), (answer.unwrap(), vec![0x20])] {
        let enclosed = stun::enclose(&message, &enclosure, &credentials[1].key).unwrap();
        let attributes = attributes(&enclosed);
        let kinds: Vec<u16> = attributes.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [&first[..], &[0xc071, 0xc070, 0x0008, 0x8028]].concat());
        assert_eq!(attributes[first.len()].1, b"ack1ack2");
        assert_eq!(attributes[first.len() + 1].1, b"five!");
        assert!(enclosed.len() == message.len() + 4 + 8 + 4 + 8);
        assert!(enclosed.len().is_multiple_of(4));
        let covered = stun::covered(&enclosed).expect("FINGERPRINT is right");
        let parsed = stun::parse(&covered).unwrap();
        assert!(stun::is_authentic(&parsed, &credentials[1].key));
        assert_eq!(stun::enclosure(&parsed), enclosure);
        let mut other = enclosed.to_vec();
        other[enclosed.len() - 36] ^= 1;
        assert!(stun::covered(&other).is_none());
    }
}

#[test]
fn data_for_which_a_message_has_no_room_is_left_out() {
    let [local, remote] = ["here", "away"].map(parameters);
    let key = Credentials::new(remote.clone()).key;
    let message = check(&local, &remote, Role::Controlled, false);
    for (length, fits) in [(0, true), (900, true), (1900, true), (2049, false), (70_000, false)] {
        let enclosure = Enclosure {
            acknowledgement: Some(Bytes::from_static(b"four")),
            data: Some(vec![7; length].into()),
        };
        let enclosed = stun::enclose(&message, &enclosure, &key).unwrap();
        let covered = stun::covered(&enclosed).expect("not too long for the peer");
        let got = stun::enclosure(&stun::parse(&covered).unwrap());
        assert_eq!(got.data.is_some_and(|data| data.len() == length), fits, "{length}");
        assert_eq!(got.acknowledgement.unwrap(), &b"four"[..]);
    }
}

// ----- a peer alone

const SOCKET: SocketId = SocketId(0);

fn peer_address() -> SocketAddr {
    "198.51.100.1:5000".parse().unwrap()
}

fn elsewhere() -> SocketAddr {
    "203.0.113.66:6666".parse().unwrap()
}

/// An agent that has offered, encloses, and does not know the answer.
fn offerer(now: time::Instant) -> Agent {
    let mut agent = Agent::new(Config::default(), [1; 32]);
    agent.set_role(Role::Controlling);
    agent.set_enclosing(true);
    agent.set_local_parameters(now, parameters("here"));
    let generation = agent.newest_generation().unwrap();
    agent.add_socket(now, generation, SOCKET, "192.0.2.1:4000".parse().unwrap());
    agent.gathering_done(now, generation);
    agent
}

/// A check of somebody who knows the offer, with something in it.
fn check_of(name: &str, id: u128, data: &'static [u8]) -> Bytes {
    let [local, remote] = [name, "here"].map(|name| Credentials::new(parameters(name)));
    let check = stun::Check {
        id: id.into(),
        local: &local,
        remote: &remote,
        priority: 1,
        role: Role::Controlled,
        tie_breaker: 1,
        use_candidate: false,
    };
    stun::enclose(&check.write().unwrap(), &enclosure(b"", data), &remote.key).unwrap()
}

fn answers(agent: &mut Agent) -> Vec<Enclosure> {
    let mut enclose = || enclosure(b"", b"ours");
    let sent = std::iter::from_fn(|| agent.poll_transmit_with(&mut enclose));
    let answers = sent.filter(|sent| sent.payload.starts_with(&[1, 1]));
    answers.map(|sent| stun::enclosure(&stun::parse(&sent.payload).unwrap())).collect()
}

#[test]
fn what_comes_before_the_peer_is_known_waits_for_it() {
    let now = time::Instant::now();
    let mut agent = offerer(now);
    for (id, name, data) in [
        (1, "this", &b"first"[..]),
        (2, "that", b"other"),
        (3, "this", b"second"),
        (4, "this", b"first"),
    ] {
        agent.handle_stun(now, SOCKET, peer_address(), &check_of(name, id, data));
    }
    assert_eq!(agent.poll_enclosure(), None);
    assert_eq!(answers(&mut agent).len(), 4);
    agent.set_remote_parameters(now, parameters("this"), false);
    let got: Vec<_> = std::iter::from_fn(|| agent.poll_enclosure()).collect();
    assert_eq!(got, [enclosure(b"", b"first"), enclosure(b"", b"second")]);
    // Another answer to the same offer, which may be provisional.
    agent.handle_stun(now, SOCKET, elsewhere(), &check_of("that", 5, b"other"));
    assert_eq!(agent.poll_enclosure(), None);
    assert_eq!(answers(&mut agent), [Enclosure::default()], "it is not for this peer");
}

#[test]
fn early_enclosures_take_little_room() {
    let now = time::Instant::now();
    let mut agent = offerer(now);
    let data: &'static [u8] = vec![1; 1000].leak();
    for id in 0..1000 {
        let name = format!("n{:03}", id % 20);
        agent.handle_stun(
            now,
            SOCKET,
            peer_address(),
            &check_of(&name, id, &data[(id as usize % 50)..]),
        );
    }
    let mut got = 0;
    for number in 0..20 {
        agent.set_remote_parameters(now, parameters(&format!("n{number:03}")), false);
        got += std::iter::from_fn(|| agent.poll_enclosure()).count();
    }
    assert_eq!(got, 8);
    // A host that never takes them loses the oldest.
    agent.set_remote_parameters(now, parameters("this"), false);
    for id in 2000..3000 {
        agent.handle_stun(now, SOCKET, peer_address(), &check_of("this", id, data));
    }
    assert_eq!(std::iter::from_fn(|| agent.poll_enclosure()).count(), 64);
    assert!(answers(&mut agent).len() <= 64);
}

#[test]
fn what_is_forged_or_sent_from_elsewhere_again_has_nothing() {
    let now = time::Instant::now();
    let mut agent = offerer(now);
    agent.set_remote_parameters(now, parameters("this"), false);
    let check = check_of("this", 1, b"hello");
    let mut forged = stun::enclose(
        &check_of("this", 2, b"hello"),
        &enclosure(b"", b"more"),
        &Credentials::new(parameters("that")).key,
    )
    .unwrap()
    .to_vec();
    agent.handle_stun(now, SOCKET, peer_address(), &forged);
    forged.truncate(100);
    agent.handle_stun(now, SOCKET, peer_address(), &forged);
    assert_eq!((agent.poll_enclosure(), answers(&mut agent)), (None, vec![]));

    agent.handle_stun(now, SOCKET, peer_address(), &check);
    assert_eq!(agent.poll_enclosure(), Some(enclosure(b"", b"hello")));
    assert_eq!(answers(&mut agent), [enclosure(b"", b"ours")]);
    // Whoever has seen the check makes no more of this than of any other check.
    agent.handle_stun(now, SOCKET, elsewhere(), &check);
    assert_eq!(agent.poll_enclosure(), None);
    assert_eq!(answers(&mut agent), [Enclosure::default()]);
    // The peer itself may repeat it.
    agent.handle_stun(now, SOCKET, peer_address(), &check);
    assert_eq!(agent.poll_enclosure(), Some(enclosure(b"", b"hello")));
}

#[test]
fn an_answer_has_what_came_of_the_request() {
    let now = time::Instant::now();
    let mut agent = offerer(now);
    agent.set_remote_parameters(now, parameters("this"), false);
    agent.handle_stun(now, SOCKET, peer_address(), &check_of("this", 1, b"hello"));
    let came = agent.poll_enclosure().unwrap();
    let sent = std::iter::from_fn(|| agent.poll_transmit_with(|| came.clone()));
    let sent: Vec<_> = sent.map(|sent| attributes(&sent.payload)).collect();
    assert_eq!(sent.len(), 2, "an answer and a check");
    let has = |message: &Vec<(u16, Vec<u8>)>| message.contains(&(0xc070, b"hello".to_vec()));
    assert!(sent.iter().all(has));
}

/// An agent that is closed, or a socket that is gone, says nothing any more.
#[test]
fn what_waits_goes_with_its_socket() {
    for closes in [true, false] {
        let now = time::Instant::now();
        let mut agent = offerer(now);
        agent.handle_stun(now, SOCKET, peer_address(), &check_of("this", 1, b"hello"));
        if closes {
            agent.close(now);
        } else {
            agent.socket_closed(now, SOCKET);
        }
        assert_eq!(answers(&mut agent), []);
    }
}

// ----- the nomination

/// Both are connected when the first check is answered.
#[test]
fn the_check_that_answers_a_check_of_such_a_peer_nominates() {
    let connected_at = [true, false].map(|encloses| {
        let mut net = Network::new(1004);
        net.delay = ms(10);
        net.signalling = ms(10);
        if encloses {
            enclose(&mut net);
        }
        net.offer(A);
        assert!(net.run_until(s(1), Network::connected));
        let at = net.now - net.start;
        net.run_for(s(10));
        assert!(net.both(State::Completed) && net.agrees());
        at
    });
    // The answer is there after 20 ms, and a check with it.
    assert_eq!(connected_at, [ms(40), ms(60)]);
}

/// A better pair has its time as ever, and one that only a captured check speaks for is not
/// nominated.
#[test]
fn nothing_is_nominated_at_once_while_a_better_pair_is_in_sight() {
    let now = time::Instant::now();
    let nominates = |better: bool, replayed: bool| {
        let mut agent = offerer(now);
        let check = check_of("this", 1, b"hello");
        if replayed {
            agent.handle_stun(now, SOCKET, elsewhere(), &check);
        }
        agent.set_remote_parameters(now, parameters("this"), false);
        if better {
            let address = "198.51.100.9:5000".parse().unwrap();
            let better = crate::Candidate { priority: 2, ..crate::Candidate::udp(address) };
            agent.add_remote_candidate(now, None, better).unwrap();
        }
        agent.handle_stun(now, SOCKET, peer_address(), &check);
        agent.handle_timeout(now + ms(20));
        agent.handle_timeout(now + ms(40));
        let sent = std::iter::from_fn(|| agent.poll_transmit());
        let to_peer = sent.filter(|sent| sent.destination == peer_address());
        let checks = to_peer.filter(|sent| sent.payload.starts_with(&[0, 1]));
        let has =
            |sent: crate::Transmit| attributes(&sent.payload).iter().any(|(kind, _)| *kind == 0x25);
        let checks: Vec<bool> = checks.map(has).collect();
        assert!(!checks.is_empty());
        checks.contains(&true)
    };
    assert!(nominates(false, false));
    assert!(!nominates(true, false));
    assert!(!nominates(false, true));
}
