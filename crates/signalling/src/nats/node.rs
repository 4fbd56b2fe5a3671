//! The task of a server in a cluster.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, Subject, Subscriber};
use futures::StreamExt;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::ClusterOptions;
use super::link::{Body, Envelope, Link, Members, Message, Received};
use crate::hub::{Away, ServerId};
use crate::protocol::{MemberId, Text};
use crate::server::{SharedHub, lock};

/// Heartbeats of silence after which a server is gone.
const SILENCE: u32 = 5;
/// Heartbeats in which every room is asked for again: a question may have been lost.
const ROUND: usize = 30;
/// Questions of other servers that wait to be answered.
const QUESTIONS: usize = 1024;
/// For how long a message may wait to be taken by the client of NATS. Then it counts as lost.
const PUBLISH: Duration = Duration::from_secs(1);

/// Who asks for which room.
type Question = (Arc<str>, ServerId);

/// A room with members here.
struct Room {
    /// Other servers that have it.
    servers: HashSet<ServerId>,
    listening: AbortHandle,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

pub(super) struct Node {
    me: ServerId,
    hub: SharedHub,
    client: Client,
    options: ClusterOptions,
    changed: Arc<Notify>,
    inbox: Subscriber,
    links: HashMap<ServerId, Link>,
    rooms: HashMap<Arc<str>, Room>,
    /// The order in which rooms are asked for again.
    round: VecDeque<Arc<str>>,
    questions: (mpsc::Sender<Question>, mpsc::Receiver<Question>),
    /// How often NATS has been connected.
    connects: u64,
    servers: watch::Sender<usize>,
}

impl Drop for Node {
    fn drop(&mut self) {
        lock(&self.hub).leave_cluster();
    }
}

impl Node {
    pub(super) async fn new(
        hub: SharedHub,
        client: Client,
        options: ClusterOptions,
    ) -> io::Result<(Self, watch::Receiver<usize>)> {
        let me = ServerId(rand::random());
        let subject = format!("{}.server.{me}", options.prefix);
        let inbox = client.subscribe(subject).await.map_err(io::Error::other)?;
        // Questions must not be answered to a subject that nobody listens to yet.
        client.flush().await.map_err(io::Error::other)?;
        let changed = Arc::new(Notify::new());
        lock(&hub).join_cluster(changed.clone());
        let connects = connects(&client);
        let (servers, watched) = watch::channel(0);
        let node = Self {
            me,
            hub,
            client,
            options,
            changed,
            inbox,
            links: HashMap::new(),
            rooms: HashMap::new(),
            round: VecDeque::new(),
            questions: mpsc::channel(QUESTIONS),
            connects,
            servers,
        };
        Ok((node, watched))
    }

    pub(super) async fn run(mut self) {
        let mut heartbeat = interval(self.options.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = self.inbox.next() => match message {
                    Some(message) => self.receive(&message.payload),
                    None => return tracing::warn!("the client of NATS has ended"),
                },
                question = self.questions.1.recv() => {
                    if let Some((room, server)) = question {
                        self.asked(&room, server);
                    }
                }
                () = self.changed.notified() => self.local().await,
                _ = heartbeat.tick() => self.heartbeat().await,
            }
            self.send().await;
        }
    }

    /// What has happened in the hub.
    async fn local(&mut self) {
        loop {
            let Some(event) = lock(&self.hub).next_away() else { break };
            match event {
                Away::Opened(room) | Away::Members(room) => self.tell_members(&room).await,
                Away::Message { server, to, from, data } => {
                    // The hub has read it as JSON.
                    let Ok(data) = serde_json::from_str(&data) else { continue };
                    let message = Some(Message { to, from, data });
                    self.push(server, Body { message, ..Body::default() });
                }
                Away::Expel { server, member } => {
                    self.push(server, Body { expel: Some(member), ..Body::default() });
                }
            }
        }
    }

    /// Tells the other servers of a room who is in it here.
    async fn tell_members(&mut self, name: &Arc<str>) {
        let is_open = !lock(&self.hub).members_here(name).is_empty();
        if is_open && !self.rooms.contains_key(name) {
            match self.listen(name.clone()).await {
                Ok(room) => {
                    self.rooms.insert(name.clone(), room);
                    self.round.push_back(name.clone());
                    self.ask(name).await;
                }
                // The next change of the room, or the round, tries again.
                Err(error) => tracing::warn!(%error, "no subscription"),
            }
        }
        let Some(room) = self.rooms.get(name) else { return };
        for server in room.servers.clone() {
            self.tell_members_to(name, server);
        }
        if !is_open {
            self.rooms.remove(name);
        }
    }

    fn tell_members_to(&mut self, room: &str, server: ServerId) {
        let here = lock(&self.hub).members_here(room);
        let members = Some(Members { room: room.to_owned(), here });
        self.push(server, Body { members, ..Body::default() });
    }

    /// Listens to the questions for a room.
    async fn listen(&self, name: Arc<str>) -> io::Result<Room> {
        let mut asked =
            self.client.subscribe(self.subject(&name)).await.map_err(io::Error::other)?;
        let questions = self.questions.0.clone();
        let listening = tokio::spawn(async move {
            while let Some(message) = asked.next().await {
                let server = std::str::from_utf8(&message.payload).ok();
                let Some(Ok(server)) = server.map(str::parse::<MemberId>) else {
                    tracing::warn!("a question of a server is not understood");
                    continue;
                };
                if questions.send((name.clone(), ServerId(server.0))).await.is_err() {
                    return;
                }
            }
        });
        Ok(Room { servers: HashSet::new(), listening: listening.abort_handle() })
    }

    /// The subject of a room. A subject cannot have all characters that a name may have.
    fn subject(&self, room: &str) -> String {
        use std::fmt::Write;
        let mut subject = format!("{}.room.", self.options.prefix);
        for octet in room.bytes() {
            let _ = write!(subject, "{octet:02x}");
        }
        subject
    }

    /// Asks who else has a room.
    async fn ask(&self, room: &str) {
        let text = self.me.to_string();
        self.publish(self.subject(room), text.into()).await;
    }

    /// Another server asks for a room.
    fn asked(&mut self, name: &Arc<str>, server: ServerId) {
        if server == self.me {
            return;
        }
        let Some(room) = self.rooms.get_mut(name) else { return };
        if room.servers.insert(server) {
            self.tell_members_to(name, server);
        }
    }

    fn receive(&mut self, payload: &[u8]) {
        let envelope: Envelope<'_> = match serde_json::from_slice(payload) {
            Ok(envelope) => envelope,
            Err(error) => return tracing::warn!(%error, "an envelope is not understood"),
        };
        let server = ServerId(envelope.from.0);
        if server == self.me {
            return;
        }
        let received = self.link(server).receive(&envelope);
        match received {
            Received::Nothing => {}
            Received::Stale => self.greet(server),
            Received::BegunAgain => {
                lock(&self.hub).handle_server_lost(server);
                if let Some(link) = self.links.get_mut(&server) {
                    *link = Link::new(rand::random());
                }
                // The same rooms as before, from the beginning.
                let shared = self.rooms.iter().filter(|(_, room)| room.servers.contains(&server));
                for room in shared.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
                    self.tell_members_to(&room, server);
                }
                if let Received::Body(body) = self.link(server).receive(&envelope) {
                    self.handle(server, body);
                }
                self.greet(server);
            }
            Received::Body(body) => self.handle(server, body),
        }
    }

    fn handle(&mut self, server: ServerId, body: Body<'_>) {
        if let Some(Members { room, here }) = body.members {
            self.told_members(server, &room, &here);
        }
        if let Some(Message { to, from, data }) = body.message {
            lock(&self.hub).handle_message(server, to, from, data.get());
        }
        if let Some(member) = body.expel {
            lock(&self.hub).handle_expel(member);
        }
    }

    fn told_members(&mut self, server: ServerId, name: &str, here: &[MemberId]) {
        lock(&self.hub).handle_members(server, name, here);
        // Who is told of a room that is closed here hears that it is.
        let is_news = match self.rooms.get_mut(name) {
            Some(room) if here.is_empty() => {
                room.servers.remove(&server);
                false
            }
            Some(room) => room.servers.insert(server),
            None => !here.is_empty(),
        };
        if is_news {
            self.tell_members_to(name, server);
        }
    }

    fn link(&mut self, server: ServerId) -> &mut Link {
        let servers = &self.servers;
        self.links.entry(server).or_insert_with(|| {
            servers.send_modify(|servers| *servers += 1);
            Link::new(rand::random())
        })
    }

    fn push(&mut self, server: ServerId, body: Body<'_>) {
        if !self.link(server).push(body) {
            tracing::warn!(%server, "a server is too far behind");
            self.lost(server);
        }
    }

    fn greet(&mut self, server: ServerId) {
        self.link(server).greet();
    }

    fn lost(&mut self, server: ServerId) {
        self.links.remove(&server);
        self.servers.send_replace(self.links.len());
        for room in self.rooms.values_mut() {
            room.servers.remove(&server);
        }
        lock(&self.hub).handle_server_lost(server);
    }

    async fn heartbeat(&mut self) {
        let silent: Vec<_> = self
            .links
            .iter()
            .filter(|(_, link)| link.silent >= SILENCE)
            .map(|(server, _)| *server)
            .collect();
        for server in silent {
            tracing::warn!(%server, "a server is gone");
            self.lost(server);
        }
        for link in self.links.values_mut() {
            link.heartbeat();
        }
        let connects = connects(&self.client);
        let all = std::mem::replace(&mut self.connects, connects) != connects;
        let some = if all { self.round.len() } else { self.round.len().div_ceil(ROUND) };
        for _ in 0..some {
            let Some(room) = self.round.pop_front() else { break };
            if self.rooms.contains_key(&room) {
                self.ask(&room).await;
                self.round.push_back(room);
            }
        }
        // A subscription may have failed.
        let open = lock(&self.hub).open_rooms();
        if open.len() != self.rooms.len() {
            for room in
                open.into_iter().filter(|room| !self.rooms.contains_key(room)).collect::<Vec<_>>()
            {
                self.tell_members(&room).await;
            }
        }
    }

    /// Sends what the links have to send.
    async fn send(&mut self) {
        let me = MemberId(self.me.0);
        let mut texts: Vec<(String, Text)> = Vec::new();
        for (server, link) in &mut self.links {
            while let Some(text) = link.next(me) {
                texts.push((format!("{}.server.{server}", self.options.prefix), text));
            }
        }
        for (subject, text) in texts {
            self.publish(subject, text).await;
        }
    }

    async fn publish(&self, subject: impl Into<Subject>, text: Text) {
        let subject: Subject = subject.into();
        // While NATS is away messages would wait for it in a queue, and then be doubled.
        if self.client.connection_state() != async_nats::connection::State::Connected {
            return;
        }
        match timeout(PUBLISH, self.client.publish(subject, text.into())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a message is lost"),
            Err(_) => tracing::warn!("a message is lost: NATS takes too long"),
        }
    }
}

fn connects(client: &Client) -> u64 {
    client.statistics().connects.load(std::sync::atomic::Ordering::Relaxed)
}
