//! A client, a server and the way between them, on one virtual clock.

use std::collections::VecDeque;
use std::net::SocketAddr;

use time::{Duration, Instant};

use crate::testing::{PASSWORD, Server, USER};
use crate::{
    Client, Config, Credentials, Event, Families, FiveTuple, HEADROOM, Protocol, Reassembler,
    SendError, TAILROOM,
};

pub(super) const LOCAL: &str = "10.0.0.2:40000";
pub(super) const SERVER: &str = "192.0.2.1:3478";
/// The way there; the way back takes as long.
pub(super) const DELAY: Duration = Duration::from_millis(20);

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(super) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn five_tuple(protocol: Protocol) -> FiveTuple {
    FiveTuple { local: address(LOCAL), server: address(SERVER), protocol }
}

pub(super) fn credentials(password: &str) -> Credentials {
    Credentials { username: USER.to_owned(), password: password.to_owned() }
}

pub(super) fn client(protocol: Protocol, config: Config, password: &str, seed: u8) -> Client {
    Client::new(config, five_tuple(protocol), credentials(password), [seed; 32]).unwrap()
}

pub(super) struct World {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) client: Client,
    pub(super) server: Server,
    protocol: Protocol,
    to_server: VecDeque<(Instant, Vec<u8>)>,
    to_client: VecDeque<(Instant, Vec<u8>)>,
    reassembler: Reassembler,
    server_stream: Vec<u8>,
    /// Events with the milliseconds since the start.
    pub(super) trace: Vec<String>,
    /// What peers sent and the client got.
    pub(super) received: Vec<(SocketAddr, Vec<u8>)>,
    /// Nothing arrives at the server.
    pub(super) cut: bool,
    /// Nothing that the server sends arrives.
    pub(super) deaf: bool,
    /// What the server is sent, as it leaves.
    pub(super) sent: usize,
    /// How a stream is cut on the way to the client.
    pub(super) chunk: usize,
}

impl World {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self::with(protocol, Config::default(), PASSWORD)
    }

    pub(super) fn with(protocol: Protocol, config: Config, password: &str) -> Self {
        let start = Instant::now();
        let client = client(protocol, config, password, 7);
        Self {
            start,
            now: start,
            client,
            server: Server::new(start),
            protocol,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            reassembler: Reassembler::default(),
            server_stream: Vec::new(),
            trace: Vec::new(),
            received: Vec::new(),
            cut: false,
            deaf: false,
            sent: 0,
            chunk: 7,
        }
    }

    /// With an allocation of the default kind.
    pub(super) fn allocated(protocol: Protocol) -> Self {
        let mut world = Self::new(protocol);
        world.allocate(Families::V4);
        world
    }

    pub(super) fn allocate(&mut self, families: Families) {
        self.client.allocate(self.now, families).unwrap();
        self.run_for(ms(100));
    }

    pub(super) fn permit(&mut self, peer: SocketAddr) {
        self.client.create_permission(self.now, peer.ip()).unwrap();
        self.run_for(ms(100));
    }

    pub(super) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..2_000_000 {
            self.drain();
            let next = [self.to_server.front(), self.to_client.front()];
            let next = next.into_iter().flatten().map(|(at, _)| *at);
            let Some(next) = next.chain(self.client.poll_timeout()).min().filter(|at| *at <= end)
            else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            self.step();
        }
        panic!("the client spins: {:?}", self.trace);
    }

    /// Nobody polls the client, and nothing arrives there.
    pub(super) fn suspend_for(&mut self, duration: Duration) {
        self.drain();
        self.now += duration;
        self.to_client.clear();
    }

    fn step(&mut self) {
        while let Some(bytes) = arrived(&mut self.to_server, self.now) {
            if self.cut {
                continue;
            }
            for message in self.split(bytes) {
                let answer = self.server.handle(self.now, address(LOCAL), &message);
                if let Some(answer) = answer {
                    self.send_to_client(answer);
                }
            }
        }
        while let Some(bytes) = arrived(&mut self.to_client, self.now) {
            self.arrive(&bytes);
        }
        if self.client.poll_timeout().is_some_and(|at| at <= self.now) {
            self.client.handle_timeout(self.now);
        }
    }

    fn arrive(&mut self, bytes: &[u8]) {
        let server = address(SERVER);
        if !self.protocol.is_stream() {
            if let Some(data) = self.client.handle_message(self.now, server, bytes) {
                self.received.push((data.peer, bytes[data.payload].to_vec()));
            }
            return;
        }
        for chunk in bytes.chunks(self.chunk) {
            self.reassembler.push(chunk);
            while let Some(message) = self.reassembler.next_message().unwrap() {
                if let Some(data) = self.client.handle_message(self.now, server, &message) {
                    self.received.push((data.peer, message[data.payload].to_vec()));
                }
            }
        }
    }

    /// The messages that have arrived at the server. On a stream it insists on padding.
    fn split(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if !self.protocol.is_stream() {
            return vec![bytes];
        }
        self.server_stream.extend_from_slice(&bytes);
        let mut messages = Vec::new();
        while self.server_stream.len() >= 4 {
            let length =
                usize::from(u16::from_be_bytes([self.server_stream[2], self.server_stream[3]]));
            let message = match self.server_stream[0] {
                0..=3 => 20 + length,
                0x40..=0x4f => 4 + length,
                other => panic!("the stream is out of step at {other:#x}"),
            };
            let padded = message.next_multiple_of(4);
            if self.server_stream.len() < padded {
                break;
            }
            let mut whole: Vec<u8> = self.server_stream.drain(..padded).collect();
            whole.truncate(message);
            messages.push(whole);
        }
        messages
    }

    pub(super) fn send_to_client(&mut self, mut message: Vec<u8>) {
        if self.protocol.is_stream() {
            // Padding that is not zero, for whoever takes it for something.
            message.resize(message.len().next_multiple_of(4), 0x40);
        }
        if !self.deaf {
            self.to_client.push_back((self.now + DELAY, message));
        }
    }

    /// A peer sends to the relayed address.
    pub(super) fn peer_sends(&mut self, peer: SocketAddr, payload: &[u8]) {
        if let Some(m) = self.server.relay_from(self.now, address(LOCAL), peer, payload) {
            self.send_to_client(m);
        }
    }

    /// The client sends to a peer. Returns how many bytes more than the payload that took.
    pub(super) fn send(&mut self, peer: SocketAddr, payload: &[u8]) -> Result<usize, SendError> {
        let mut buffer = vec![0xee; HEADROOM];
        buffer.extend_from_slice(payload);
        let range = HEADROOM..buffer.len();
        buffer.extend_from_slice(&[0xee; TAILROOM]);
        let message = self.client.encapsulate(self.now, peer, &mut buffer, range)?;
        self.sent += 1;
        let more = message.len() - payload.len();
        self.to_server.push_back((self.now + DELAY, buffer[message].to_vec()));
        Ok(more)
    }

    pub(super) fn drain(&mut self) {
        while let Some(payload) = self.client.poll_transmit() {
            self.sent += 1;
            self.to_server.push_back((self.now + DELAY, payload.to_vec()));
        }
        while let Some(event) = self.client.poll_event() {
            let at = (self.now - self.start).as_millis();
            self.trace.push(format!("{at} {}", describe(&event)));
        }
    }

    /// What was traced since this was asked last.
    pub(super) fn story(&mut self) -> Vec<String> {
        self.drain();
        std::mem::take(&mut self.trace)
    }
}

fn arrived(way: &mut VecDeque<(Instant, Vec<u8>)>, now: Instant) -> Option<Vec<u8>> {
    let due = way.front().is_some_and(|(at, _)| *at <= now);
    if due { way.pop_front().map(|(_, bytes)| bytes) } else { None }
}

fn describe(event: &Event) -> String {
    match event {
        Event::Allocated(a) => {
            let relayed: Vec<_> = a.relayed.iter().map(ToString::to_string).collect();
            let additional = a.additional.as_ref().map(|e| format!(" but {} {}", e.code, e.reason));
            format!("allocated {}{}", relayed.join(" "), additional.unwrap_or_default())
        }
        Event::AllocateFailed(e) => format!("failed {} {}", e.code, e.reason),
        Event::AlternateServer(a) => format!("alternate {} {}", a.server, a.max_redirects),
        Event::AllocationLost(e) => format!("lost {}", e.code),
        Event::PermissionGranted { peer } => format!("permitted {peer}"),
        Event::PermissionDenied { peer, error } => {
            format!("denied {peer} {} {}", error.code, error.reason)
        }
        Event::ChannelBound { peer } => format!("bound {peer}"),
        Event::ChannelRefused { peer, error } => format!("no channel {peer} {}", error.code),
        Event::Closed => "closed".to_owned(),
    }
}
