//! Clients and a hub on a virtual clock. Between them are pipes that lose what is in them when they
//! are cut, as TCP does.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use peerconnection::{RTCIceCandidateInit, SignalingMessage};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::client::session::{Event, Failure, Session as ClientSession};

struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

fn limits() -> Limits {
    Limits {
        rooms: 3,
        sessions: 6,
        members_per_room: 3,
        waiting: (20, 4096),
        resume_within: Duration::from_secs(30),
    }
}

fn hub() -> Hub<NoWake> {
    Hub::new(limits(), [7; 32])
}

fn join(room: &str) -> Join {
    Join { room: room.to_owned(), pass: None, once: None }
}

/// A connection that is used by hand.
struct Raw {
    seat: Seat,
    token: SessionToken,
    me: MemberId,
    members: Vec<MemberId>,
}

fn enter(hub: &mut Hub<NoWake>, now: Instant, room: &str) -> Result<Raw, Refusal> {
    let (seat, answer) = hub.join(now, &join(room), NoWake)?;
    let answer: crate::protocol::FromServer<'_> = serde_json::from_str(&answer).unwrap();
    let joined = answer.joined.unwrap();
    Ok(Raw { seat, token: joined.session, me: joined.me, members: joined.members })
}

/// Everything that the connection is to write now.
fn written(hub: &mut Hub<NoWake>, seat: Seat) -> Vec<String> {
    std::iter::from_fn(|| hub.next_message(seat).unwrap()).map(|text| text.to_string()).collect()
}

#[test]
fn two_members_meet_talk_and_part() {
    let (mut hub, now) = (hub(), Instant::now());
    let a = enter(&mut hub, now, "r").unwrap();
    let b = enter(&mut hub, now, "r").unwrap();
    assert_eq!((a.members, b.members), (vec![], vec![a.me]));
    assert_eq!(written(&mut hub, a.seat), [format!(r#"{{"n":1,"entered":"{}"}}"#, b.me)]);

    let text = format!(r#"{{"n":1,"to":"{}","data":{{"candidate":null}},"ack":1}}"#, b.me);
    assert_eq!(hub.receive(a.seat, &text), Ok(true));
    assert_eq!(written(&mut hub, a.seat), [r#"{"ack":1}"#]);
    let expected = format!(r#"{{"n":1,"from":"{}","data":{{"candidate":null}}}}"#, a.me);
    assert_eq!(written(&mut hub, b.seat), [expected]);

    assert_eq!(hub.receive(a.seat, r#"{"leave":true}"#), Ok(false));
    assert_eq!(written(&mut hub, b.seat), [format!(r#"{{"n":2,"left":"{}"}}"#, a.me)]);
    assert_eq!(hub.receive(b.seat, r#"{"leave":true}"#), Ok(false));
    assert_eq!(hub.counts(), (0, 0, 0));
}

#[test]
fn rooms_know_nothing_of_one_another() {
    let (mut hub, now) = (hub(), Instant::now());
    let a = enter(&mut hub, now, "one").unwrap();
    let b = enter(&mut hub, now, "other").unwrap();
    let text = format!(r#"{{"n":1,"to":"{}","data":1}}"#, b.me);
    assert_eq!(hub.receive(a.seat, &text), Ok(true), "b might have left a's room just now");
    assert_eq!(written(&mut hub, b.seat), [""; 0]);
}

#[test]
fn a_session_waits_for_its_client_and_then_ends() {
    let (mut hub, now) = (hub(), Instant::now());
    let a = enter(&mut hub, now, "r").unwrap();
    let b = enter(&mut hub, now, "r").unwrap();
    written(&mut hub, a.seat);
    hub.cut(now, b.seat, None);
    hub.handle_timeout(now + Duration::from_secs(29));
    assert_eq!(hub.counts(), (1, 2, 1));
    let resume = Resume { session: b.token, received: 0 };
    let (seat, answer) = hub.resume(now + Duration::from_secs(29), resume, NoWake).unwrap();
    assert_eq!(&*answer, r#"{"resumed":{"received":0}}"#);
    assert_eq!(hub.counts(), (1, 2, 2));

    hub.cut(now + Duration::from_secs(40), seat, None);
    hub.handle_timeout(now + Duration::from_secs(70));
    assert_eq!(written(&mut hub, a.seat), [format!(r#"{{"n":2,"left":"{}"}}"#, b.me)]);
    let late = hub.resume(now + Duration::from_secs(70), resume, NoWake);
    assert_eq!(late.unwrap_err(), Refusal::UnknownSession);
}

#[test]
fn forged_tokens_and_numbers_are_refused_and_do_no_harm() {
    let (mut hub, now) = (hub(), Instant::now());
    let a = enter(&mut hub, now, "r").unwrap();
    let b = enter(&mut hub, now, "r").unwrap();
    // Every member of the room knows who b is, but not the secret.
    for secret in [0, b.token.secret ^ 1, a.token.secret] {
        let session = SessionToken { member: b.me, secret };
        let forged = hub.resume(now, Resume { session, received: 0 }, NoWake);
        assert_eq!(forged.unwrap_err(), Refusal::UnknownSession);
    }
    // The real token, with a number of a message that there is not.
    let resume = Resume { session: a.token, received: 2 };
    assert_eq!(hub.resume(now, resume, NoWake).unwrap_err(), Refusal::Malformed);
    for text in [
        r#"{"ack":2}"#.to_owned(),
        format!(r#"{{"n":2,"to":"{}","data":1}}"#, b.me),
        format!(r#"{{"n":0,"to":"{}","data":1}}"#, b.me),
        format!(r#"{{"to":"{}","data":1}}"#, b.me),
        r#"{"n":1}"#.to_owned(),
        r#"{"n":1,"data":1}"#.to_owned(),
        "{}".to_owned(),
        r#"{"join":{"room":"x"}}"#.to_owned(),
        "[]".to_owned(),
        String::new(),
    ] {
        assert_eq!(hub.receive(a.seat, &text), Err(Refusal::Malformed), "{text}");
    }
    assert_eq!(hub.counts(), (1, 2, 2), "whoever calls this decides what it means for the session");
    assert_eq!(written(&mut hub, b.seat), [""; 0]);
}

#[test]
fn the_latest_connection_has_the_session() {
    let (mut hub, now) = (hub(), Instant::now());
    let a = enter(&mut hub, now, "r").unwrap();
    let resume = Resume { session: a.token, received: 0 };
    let (seat, _) = hub.resume(now, resume, NoWake).unwrap();
    assert_eq!(hub.receive(a.seat, r#"{"ack":0}"#), Err(Refusal::Replaced));
    assert_eq!(hub.next_message(a.seat).unwrap_err(), Refusal::Replaced);
    // The old connection has been half open, and its end is no end of the session.
    hub.cut(now, a.seat, Some(Refusal::Replaced));
    assert_eq!(hub.receive(seat, r#"{"ack":0}"#), Ok(true));
    assert_eq!(hub.counts(), (1, 1, 1));
}

#[test]
fn whoever_missed_the_answer_joins_again_as_the_same_member() {
    let (mut hub, now) = (hub(), Instant::now());
    let again = Join { once: Some("random".into()), ..join("r") };
    let (first, _) = hub.join(now, &again, NoWake).unwrap();
    hub.cut(now, first, None);
    let (second, _) = hub.join(now, &again, NoWake).unwrap();
    assert_eq!(first.member, second.member);
    assert_eq!(hub.counts(), (1, 1, 1));
    // Whoever has used the session knows its token.
    hub.receive(second, r#"{"ack":0}"#).unwrap();
    let (third, _) = hub.join(now, &again, NoWake).unwrap();
    assert_ne!(third.member, second.member);
}

#[test]
fn there_is_room_for_as_many_as_may_come() {
    let (mut hub, now) = (hub(), Instant::now());
    for _ in 0..3 {
        enter(&mut hub, now, "r").unwrap();
    }
    assert_eq!(enter(&mut hub, now, "r").err(), Some(Refusal::RoomFull));
    for room in ["s", "t"] {
        enter(&mut hub, now, room).unwrap();
    }
    assert_eq!(enter(&mut hub, now, "u").err(), Some(Refusal::Busy), "rooms");
    enter(&mut hub, now, "s").unwrap();
    assert_eq!(enter(&mut hub, now, "s").err(), Some(Refusal::Busy), "sessions");
    for name in ["", &"x".repeat(ROOM_NAME + 1)] {
        assert_eq!(enter(&mut hub, now, name).err(), Some(Refusal::Malformed));
    }
}

#[test]
fn whoever_floods_another_has_to_go_and_the_other_stays() {
    let (mut hub, now) = (hub(), Instant::now());
    let victim = enter(&mut hub, now, "r").unwrap();
    let flooder = enter(&mut hub, now, "r").unwrap();
    let honest = enter(&mut hub, now, "r").unwrap();
    hub.cut(now, victim.seat, None);
    let hello = format!(r#"{{"n":1,"to":"{}","data":"hello"}}"#, victim.me);
    hub.receive(honest.seat, &hello).unwrap();
    let mut sent = 0;
    let refusal = loop {
        sent += 1;
        let text = format!(r#"{{"n":{sent},"to":"{}","data":""}}"#, victim.me);
        match hub.receive(flooder.seat, &text) {
            Ok(true) if sent < 100 => {}
            Ok(_) => panic!("{sent} messages were taken"),
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal, Refusal::Flood);
    assert!(sent < 25, "{sent}");
    hub.cut(now, flooder.seat, Some(refusal));
    let resume = Resume { session: victim.token, received: 0 };
    let (seat, _) = hub.resume(now, resume, NoWake).unwrap();
    let all = written(&mut hub, seat);
    assert!(all.iter().any(|text| text.contains("hello")), "{all:?}");
    assert!(all.last().unwrap().contains(&format!(r#""left":"{}""#, flooder.me)), "{all:?}");
    assert_eq!(hub.counts(), (1, 2, 2));
}

#[test]
fn a_client_that_acknowledges_nothing_ends_before_its_buffer_grows_without_a_bound() {
    let (mut hub, now) = (hub(), Instant::now());
    let deaf = enter(&mut hub, now, "r").unwrap();
    let mut refused = false;
    for _ in 0..100 {
        // Members come and go: each is another one.
        let Ok(other) = enter(&mut hub, now, "r") else { break };
        hub.receive(other.seat, r#"{"leave":true}"#).unwrap();
        refused |= hub.next_message(deaf.seat) == Err(Refusal::Overflow);
    }
    assert!(refused);
}

/// A client of the simulation, and the pipes of its connection.
struct Client {
    session: ClientSession,
    me: Option<MemberId>,
    peer: Option<MemberId>,
    connection: Option<Connection>,
    sent: u32,
    received: Vec<u32>,
}

#[derive(Default)]
struct Connection {
    seat: Option<Seat>,
    to_server: VecDeque<Text>,
    to_client: VecDeque<Text>,
}

fn numbered(number: u32) -> SignalingMessage {
    let candidate = RTCIceCandidateInit { candidate: number.to_string(), ..Default::default() };
    SignalingMessage::Candidate(Some(candidate))
}

fn number_of(message: &SignalingMessage) -> u32 {
    match message {
        SignalingMessage::Candidate(Some(candidate)) => candidate.candidate.parse().unwrap(),
        other => panic!("{other:?}"),
    }
}

impl Client {
    fn new(once: &str) -> Self {
        let join = Join { once: Some(once.to_owned()), ..join("r") };
        Self {
            session: ClientSession::new(join),
            me: None,
            peer: None,
            connection: None,
            sent: 0,
            received: Vec::new(),
        }
    }

    fn connect(&mut self) {
        let mut connection = Connection::default();
        connection.to_server.push_back(self.session.hello());
        self.connection = Some(connection);
    }

    fn cut(&mut self, hub: &mut Hub<NoWake>, now: Instant) {
        if let Some(Connection { seat: Some(seat), .. }) = self.connection.take() {
            hub.cut(now, seat, None);
        }
    }

    /// The server reads one message.
    fn server_reads(&mut self, hub: &mut Hub<NoWake>, now: Instant) {
        let Some(connection) = &mut self.connection else { return };
        let Some(text) = connection.to_server.pop_front() else { return };
        match connection.seat {
            Some(seat) => assert_eq!(hub.receive(seat, &text), Ok(true), "{text}"),
            None => {
                let message = ToServer::parse(&text).unwrap();
                let opened = match (message.join, message.resume) {
                    (Some(join), None) => hub.join(now, &join, NoWake),
                    (None, Some(resume)) => hub.resume(now, resume, NoWake),
                    other => panic!("{other:?}"),
                };
                let (seat, answer) = opened.unwrap();
                connection.seat = Some(seat);
                connection.to_client.push_back(answer);
            }
        }
    }

    fn server_writes(&mut self, hub: &mut Hub<NoWake>) {
        let Some(connection) = &mut self.connection else { return };
        let Some(seat) = connection.seat else { return };
        if let Some(text) = hub.next_message(seat).unwrap() {
            connection.to_client.push_back(text);
        }
    }

    fn reads(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let Some(text) = connection.to_client.pop_front() else { return };
        for event in self.session.receive(&text).unwrap() {
            match event {
                Event::Joined { me, .. } => {
                    assert!(self.me.replace(me).is_none_or(|was| was == me))
                }
                Event::Entered(member) => assert_eq!(self.peer.replace(member), None),
                Event::Message(from, message) => {
                    assert_eq!(self.peer, Some(from));
                    self.received.push(number_of(&message));
                }
                Event::Left(member) => panic!("{member} has left"),
                Event::Resumed => {}
            }
        }
    }

    fn writes(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        connection.to_server.extend(self.session.next_message());
    }

    fn sends(&mut self) {
        let Some(peer) = self.peer else { return };
        if self.session.waiting() < 8 && self.sent < 50 {
            self.sent += 1;
            self.session.send(peer, &numbered(self.sent));
        }
    }
}

/// Both send 50 numbers, and every few steps a connection is cut with all that is in it.
fn run(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let limits = Limits { waiting: (200, 1 << 20), ..limits() };
    let mut hub = Hub::new(limits, random.random());
    let mut now = Instant::now();
    let mut clients = [Client::new("a"), Client::new("b")];
    let cuts = random.random_range(0.001..0.08);
    for step in 0.. {
        assert!(step < 100_000, "seed {seed}: it does not end");
        now += Duration::from_millis(1);
        let client = &mut clients[random.random_range(0..2)];
        if random.random_bool(cuts) {
            client.cut(&mut hub, now);
        }
        match random.random_range(0..6) {
            0 if client.connection.is_none() => client.connect(),
            1 => client.server_reads(&mut hub, now),
            2 => client.server_writes(&mut hub),
            3 => client.reads(),
            4 => client.writes(),
            _ => client.sends(),
        }
        let [a, b] = &clients;
        if a.received.len() == 50 && b.received.len() == 50 {
            break;
        }
    }
    let all: Vec<_> = (1..=50).collect();
    for client in &clients {
        assert_eq!(client.received, all, "seed {seed}");
    }
    assert_eq!(hub.counts().1, 2, "seed {seed}: nobody is there twice");
}

#[test]
fn each_message_arrives_once_and_in_order_however_often_connections_are_cut() {
    let seeds = std::env::var("SIGNALLING_SEEDS").ok().and_then(|text| text.parse().ok());
    for seed in 0..seeds.unwrap_or(500) {
        run(seed);
    }
}

#[test]
fn a_client_refuses_a_server_that_makes_no_sense() {
    for answer in ["", "{}", r#"{"resumed":{"received":0}}"#, r#"{"n":1,"entered":"x"}"#] {
        let mut session = ClientSession::new(join("r"));
        session.hello();
        assert!(matches!(session.receive(answer), Err(Failure::Malformed(_))), "{answer}");
    }
    let mut session = ClientSession::new(join("r"));
    session.hello();
    let error = session.receive(r#"{"error":"roomFull"}"#);
    assert_eq!(error, Err(Failure::Refused(Refusal::RoomFull)));
}

/// Valid messages with octets changed, lost and doubled.
fn mangled(random: &mut StdRng, texts: &[String]) -> String {
    let mut octets = texts[random.random_range(0..texts.len())].clone().into_bytes();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..octets.len());
        match random.random_range(0..3) {
            0 => octets[at] = random.random(),
            1 => octets.truncate(at.max(1)),
            _ => octets.insert(at, octets[at]),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[test]
fn mangled_messages_are_refused_or_understood_and_nothing_grows() {
    let mut random = StdRng::seed_from_u64(1);
    let (mut hub, now) = (hub(), Instant::now());
    let mut a = enter(&mut hub, now, "r").unwrap();
    let b = enter(&mut hub, now, "r").unwrap();
    for _ in 0..20_000 {
        let texts = [
            format!(r#"{{"n":1,"to":"{}","data":{{"candidate":null}},"ack":1}}"#, b.me),
            r#"{"ack":1}"#.to_owned(),
            r#"{"leave":true}"#.to_owned(),
            format!(r#"{{"resume":{{"session":"{}","received":0}}}}"#, a.token),
        ];
        match hub.receive(a.seat, &mangled(&mut random, &texts)) {
            Ok(true) => {}
            Ok(false) | Err(Refusal::Malformed) => {
                hub.cut(now, a.seat, Some(Refusal::Malformed));
                a = enter(&mut hub, now, "r").unwrap();
            }
            Err(other) => panic!("{other:?}"),
        }
        for text in written(&mut hub, b.seat) {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            if let Some(number) = value["n"].as_u64() {
                hub.receive(b.seat, &format!(r#"{{"ack":{number}}}"#)).unwrap();
            }
        }
        assert_eq!(hub.counts().1, 2);
    }
    // What a server says to a client.
    let texts = [
        r#"{"n":1,"entered":"0000000000000001"}"#.to_owned(),
        r#"{"n":2,"from":"0000000000000001","data":{"candidate":null},"ack":0}"#.to_owned(),
    ];
    for _ in 0..20_000 {
        let mut session = ClientSession::new(join("r"));
        session.hello();
        let joined = r#"{"joined":{"me":"0000000000000002","session":"0000000000000002-00000000000000000000000000000003","members":[],"within":30}}"#;
        session.receive(joined).unwrap();
        for _ in 0..3 {
            if session.receive(&mangled(&mut random, &texts)).is_err() {
                break;
            }
        }
    }
}
