//! Rooms and sessions, without sockets and without a clock.
//!
//! A session outlives its connections: what is for it waits in its [`Outbox`] until the client has
//! acknowledged it. A connection takes messages from there when it can write, so there is no second
//! buffer. Whoever is away for too long, and whoever lets more wait than may wait, is no member any
//! more.

mod away;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

#[cfg(feature = "nats")]
pub(crate) use away::Away;
pub(crate) use away::{Cluster, ServerId};

use crate::link::{Inbox, OutOfPlace, Outbox};
use crate::protocol::{
    Join, Joined, MemberId, Refusal, Resume, Resumed, SessionToken, Text, ToServer, object,
};

/// The longest name of a room, in octets.
pub(crate) const ROOM_NAME: usize = 128;
/// The longest `once`, in octets.
const ONCE: usize = 64;

/// What a server may hold.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) rooms: usize,
    pub(crate) sessions: usize,
    pub(crate) members_per_room: usize,
    /// Messages, and their octets, that may wait for one session.
    pub(crate) waiting: (usize, usize),
    pub(crate) resume_within: Duration,
}

/// Tells a connection that there is something to take.
pub(crate) trait Wake {
    fn wake(&self);
}

impl Wake for Arc<tokio::sync::Notify> {
    fn wake(&self) {
        self.notify_one();
    }
}

/// A connection of a session. Once another has taken the session over, it gets nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) member: MemberId,
    connection: u64,
}

#[derive(Debug)]
struct Session<W> {
    secret: u128,
    room: Arc<str>,
    /// [`Join::once`], until the client has shown that it knows its session.
    once: Option<Box<str>>,
    connection: Option<(u64, W)>,
    /// When it ends, if no connection comes.
    expires: Option<Instant>,
    /// Why it has ended, until its connection is told.
    ended: Option<Refusal>,
    outbox: Outbox,
    inbox: Inbox,
}

#[derive(Debug, Default)]
struct Room {
    /// Members with a session here, in the order in which they entered.
    here: Vec<MemberId>,
    /// Members with a session at another server.
    away: Vec<(MemberId, ServerId)>,
}

/// All rooms and sessions of a server.
#[derive(Debug)]
pub(crate) struct Hub<W> {
    limits: Limits,
    random: StdRng,
    connections: u64,
    sessions: HashMap<MemberId, Session<W>>,
    rooms: HashMap<Arc<str>, Room>,
    expiring: BTreeSet<(Instant, MemberId)>,
    /// Sessions that will be ended before the present call returns: an end may fill buffers and so
    /// lead to another.
    doomed: VecDeque<(MemberId, Option<ServerId>, Refusal)>,
    cluster: Option<Cluster<W>>,
}

impl<W: Wake> Hub<W> {
    pub(crate) fn new(limits: Limits, seed: [u8; 32]) -> Self {
        Self {
            limits,
            random: StdRng::from_seed(seed),
            connections: 0,
            sessions: HashMap::new(),
            rooms: HashMap::new(),
            expiring: BTreeSet::new(),
            doomed: VecDeque::new(),
            cluster: None,
        }
    }

    /// How many rooms, sessions and connections there are.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let connected = self.sessions.len().saturating_sub(self.expiring.len());
        (self.rooms.len(), self.sessions.len(), connected)
    }

    /// Begins a session; the text is the answer.
    pub(crate) fn join(
        &mut self,
        now: Instant,
        join: &Join,
        wake: W,
    ) -> Result<(Seat, Text), Refusal> {
        self.handle_timeout(now);
        let once = join.once.as_deref();
        if join.room.is_empty()
            || join.room.len() > ROOM_NAME
            || once.is_some_and(|once| once.len() > ONCE)
        {
            return Err(Refusal::Malformed);
        }
        let me = match self.joined_before(join) {
            Some(me) => me,
            None => self.enter(&join.room, once)?,
        };
        let connection = self.next_connection();
        let others = self.others(&join.room, me);
        let within = self.limits.resume_within.as_secs();
        let session = self.sessions.get_mut(&me).ok_or(Refusal::UnknownSession)?;
        session.outbox.resume(0).map_err(|OutOfPlace| Refusal::Malformed)?;
        let token = SessionToken { member: me, secret: session.secret };
        let answer = object("joined", &Joined { me, session: token, members: others, within });
        self.seat(me, connection, wake);
        Ok((Seat { member: me, connection }, answer))
    }

    /// Takes up a session again; the text is the answer.
    pub(crate) fn resume(
        &mut self,
        now: Instant,
        resume: Resume,
        wake: W,
    ) -> Result<(Seat, Text), Refusal> {
        self.handle_timeout(now);
        let member = resume.session.member;
        let known = self.sessions.get_mut(&member);
        let session = known
            .filter(|session| session.secret == resume.session.secret && session.ended.is_none())
            .ok_or(Refusal::UnknownSession)?;
        session.outbox.resume(resume.received).map_err(|OutOfPlace| Refusal::Malformed)?;
        session.once = None;
        let answer = object("resumed", &Resumed { received: session.inbox.resume() });
        let connection = self.next_connection();
        self.seat(member, connection, wake);
        Ok((Seat { member, connection }, answer))
    }

    /// Takes a message of a connection. `false`: the client has left.
    pub(crate) fn receive(&mut self, seat: Seat, text: &str) -> Result<bool, Refusal> {
        let session = self.seated(seat)?;
        session.once = None;
        let message = ToServer::parse(text)?;
        if let Some(number) = message.ack {
            session.outbox.acknowledge(number).map_err(|OutOfPlace| Refusal::Malformed)?;
        }
        if message.leave {
            self.end(seat.member, None);
            return Ok(false);
        }
        match (message.n, message.to, message.data) {
            (Some(number), Some(to), Some(data)) => {
                if session.inbox.accept(number).map_err(|OutOfPlace| Refusal::Malformed)? {
                    let room = session.room.clone();
                    self.deliver(&room, to, seat.member, data.get());
                    self.settle();
                }
            }
            (None, None, None) if message.ack.is_some() => {}
            _ => return Err(Refusal::Malformed),
        }
        Ok(true)
    }

    /// The next message for a connection to write.
    pub(crate) fn next_message(&mut self, seat: Seat) -> Result<Option<Text>, Refusal> {
        let session = self.seated(seat)?;
        let next = session.outbox.next();
        Ok(next.or_else(|| Some(object("ack", &session.inbox.take_due()?))))
    }

    /// A connection is gone, or what it said makes its session end.
    pub(crate) fn cut(&mut self, now: Instant, seat: Seat, refusal: Option<Refusal>) {
        let Some(session) = self.sessions.get_mut(&seat.member) else { return };
        let is_present = session.connection.as_ref().is_some_and(|(id, _)| *id == seat.connection);
        if !is_present {
            return;
        }
        session.connection = None;
        if session.ended.is_some() {
            self.sessions.remove(&seat.member);
        } else if refusal.is_some() {
            self.end(seat.member, None);
        } else {
            let expires = now + self.limits.resume_within;
            session.expires = Some(expires);
            self.expiring.insert((expires, seat.member));
        }
    }

    /// Ends the sessions that nobody has taken up again.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(expires, member)) = self.expiring.first() {
            if expires > now {
                break;
            }
            self.end(member, None);
        }
    }

    fn next_connection(&mut self) -> u64 {
        self.connections = self.connections.wrapping_add(1);
        self.connections
    }

    /// The member whose answer to the same `join` was lost.
    fn joined_before(&self, join: &Join) -> Option<MemberId> {
        let once = join.once.as_deref().filter(|once| !once.is_empty())?;
        let mut members = self.rooms.get(join.room.as_str())?.here.iter();
        members
            .find(|member| {
                self.sessions
                    .get(*member)
                    .is_some_and(|session| session.once.as_deref() == Some(once))
            })
            .copied()
    }

    /// Makes a session in a room.
    fn enter(&mut self, name: &str, once: Option<&str>) -> Result<MemberId, Refusal> {
        if self.sessions.len() >= self.limits.sessions {
            return Err(Refusal::Busy);
        }
        let room: Arc<str> = match self.rooms.get_key_value(name) {
            Some((_, room))
                if room.here.len() + room.away.len() >= self.limits.members_per_room =>
            {
                return Err(Refusal::RoomFull);
            }
            Some((name, _)) => name.clone(),
            None if self.rooms.len() >= self.limits.rooms => return Err(Refusal::Busy),
            None => {
                let name: Arc<str> = name.into();
                self.rooms.insert(name.clone(), Room::default());
                self.room_opened(&name);
                name
            }
        };
        let member = loop {
            let member = MemberId(self.random.random());
            if !self.sessions.contains_key(&member) {
                break member;
            }
        };
        self.tell_others(&room, member, "entered");
        if let Some(room) = self.rooms.get_mut(&room) {
            room.here.push(member);
        }
        let session = Session {
            secret: self.random.random(),
            room: room.clone(),
            once: once.map(Into::into),
            connection: None,
            expires: None,
            ended: None,
            outbox: Outbox::default(),
            inbox: Inbox::default(),
        };
        self.sessions.insert(member, session);
        self.members_changed(&room);
        self.settle();
        Ok(member)
    }

    fn others(&self, room: &str, me: MemberId) -> Vec<MemberId> {
        let Some(room) = self.rooms.get(room) else { return Vec::new() };
        let away = room.away.iter().map(|(member, _)| member);
        room.here.iter().chain(away).copied().filter(|member| *member != me).collect()
    }

    fn seat(&mut self, member: MemberId, connection: u64, wake: W) {
        let Some(session) = self.sessions.get_mut(&member) else { return };
        if let Some(expires) = session.expires.take() {
            self.expiring.remove(&(expires, member));
        }
        // The new connection has something to write at once, if there is something.
        wake.wake();
        if let Some((_, before)) = session.connection.replace((connection, wake)) {
            before.wake();
        }
    }

    /// The session of a connection, if the connection is still the session's.
    fn seated(&mut self, seat: Seat) -> Result<&mut Session<W>, Refusal> {
        let session = self.sessions.get_mut(&seat.member).ok_or(Refusal::UnknownSession)?;
        match (&session.connection, session.ended) {
            (Some((id, _)), _) if *id != seat.connection => Err(Refusal::Replaced),
            (None, _) => Err(Refusal::Replaced),
            (_, Some(refusal)) => Err(refusal),
            _ => Ok(session),
        }
    }

    fn deliver(&mut self, room: &Arc<str>, to: MemberId, from: MemberId, data: &str) {
        let is_here = self.sessions.get(&to).is_some_and(|session| session.room == *room);
        if is_here {
            self.push(to, Some(from), |number| {
                format!(r#"{{"n":{number},"from":"{from}","data":{data}}}"#).into()
            });
        } else {
            // Who is nowhere has left, and the sender is about to be told.
            self.send_away(room, to, from, data);
        }
    }

    /// Puts a message into the outbox of a session. When it overflows, the member that has filled
    /// it has to go; if it is nobody in particular, the session itself.
    fn push(&mut self, to: MemberId, from: Option<MemberId>, write: impl FnOnce(u64) -> Text) {
        let Some(session) = self.sessions.get_mut(&to) else { return };
        if session.ended.is_some() {
            return;
        }
        session.outbox.push(from, write);
        if let Some((_, wake)) = &session.connection {
            wake.wake();
        }
        let (messages, octets) = session.outbox.size();
        let (most_messages, most_octets) = self.limits.waiting;
        if messages <= most_messages && octets <= most_octets {
            return;
        }
        let beyond = messages / 2 > most_messages || octets / 2 > most_octets;
        let filler = session.outbox.most_from().filter(|(_, sum)| *sum > octets / 2);
        let room = self.rooms.get(&session.room);
        match (filler, room) {
            (Some((filler, _)), Some(room)) if !beyond => {
                let server = room.away.iter().find(|(member, _)| *member == filler);
                if server.is_some() || room.here.contains(&filler) {
                    let server = server.map(|(_, server)| *server);
                    self.doomed.push_back((filler, server, Refusal::Flood));
                }
                // Otherwise it has gone already: what it left may wait.
            }
            _ => self.doomed.push_back((to, None, Refusal::Overflow)),
        }
    }

    /// Ends what has to end.
    fn settle(&mut self) {
        while let Some((member, server, refusal)) = self.doomed.pop_front() {
            match server {
                None => self.end_one(member, Some(refusal)),
                Some(server) => self.expel_away(server, member),
            }
        }
    }

    fn end(&mut self, member: MemberId, refusal: Option<Refusal>) {
        self.end_one(member, refusal);
        self.settle();
    }

    /// Ends a session. With a refusal its connection, if there is one, is told.
    fn end_one(&mut self, member: MemberId, refusal: Option<Refusal>) {
        let Some(session) = self.sessions.get_mut(&member) else { return };
        if session.ended.is_some() {
            return;
        }
        if let Some(expires) = session.expires.take() {
            self.expiring.remove(&(expires, member));
        }
        let room = session.room.clone();
        match (&session.connection, refusal) {
            (Some((_, wake)), Some(_)) => {
                session.ended = refusal;
                session.outbox = Outbox::default();
                wake.wake();
            }
            _ => drop(self.sessions.remove(&member)),
        }
        let Some(members) = self.rooms.get_mut(&room) else { return };
        members.here.retain(|other| *other != member);
        if members.here.is_empty() {
            self.rooms.remove(&room);
        }
        self.tell_others(&room, member, "left");
        self.members_changed(&room);
    }

    /// Tells the members here that another has come or gone.
    fn tell_others(&mut self, room: &str, member: MemberId, what: &str) {
        let Some(members) = self.rooms.get(room) else { return };
        for other in members.here.clone() {
            self.push(other, Some(member), |number| {
                format!(r#"{{"n":{number},"{what}":"{member}"}}"#).into()
            });
        }
    }
}
