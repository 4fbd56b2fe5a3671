//! Pairs of agents on one clock and a network of a constant delay, with STUN and TURN servers.
//! The bench uses it, and a test.
#![allow(dead_code, reason = "neither uses all of it")]

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use peerconnection_ice::{
    Agent, Base, Config, Credentials, Datagram, Event, Parameters, Role, Server, ServerProtocol,
    SocketId, State, Transmit, TransportPolicy,
};
use turn::testing::{PASSWORD, Server as Answering, USER};

/// A datagram on its way.
struct Parcel {
    at: Instant,
    from: SocketAddr,
    to: SocketAddr,
    payload: Bytes,
}

/// An agent with what its host knows.
pub(crate) struct Peer {
    /// The agent.
    pub(crate) agent: Agent,
    addresses: Vec<IpAddr>,
    sockets: BTreeMap<SocketId, SocketAddr>,
    deadline: Option<Instant>,
    is_gathered: bool,
}

/// Agents 0 and 1 are peers, and 2 and 3, and so on. The first of each controls.
pub(crate) struct Scene {
    /// The time.
    pub(crate) now: Instant,
    /// The agents.
    pub(crate) peers: Vec<Peer>,
    /// How many datagrams were sent.
    pub(crate) datagrams: usize,
    servers: Vec<(SocketAddr, Answering)>,
    owners: HashMap<SocketAddr, (usize, SocketId)>,
    deadlines: BTreeSet<(Instant, usize)>,
    parcels: VecDeque<Parcel>,
    delay: Duration,
    is_trickling: bool,
}

/// The address of a server.
fn server_address(number: u8) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, number], 3478))
}

/// A server for the configuration: the STUN server 1, the TURN server 2.
pub(crate) fn server(number: u8, is_turn: bool) -> Server {
    let address = server_address(number);
    let credentials = Credentials { username: USER.to_owned(), password: PASSWORD.to_owned() };
    Server {
        url: format!("{}:{address}", if is_turn { "turn" } else { "stun" }),
        host: address.ip().to_string(),
        port: address.port(),
        protocol: ServerProtocol::Udp,
        credentials: is_turn.then_some(credentials),
    }
}

impl Scene {
    /// Pairs of agents with so many interfaces each, `delay` away from everybody.
    pub(crate) fn new(pairs: usize, interfaces: u8, delay: Duration) -> Self {
        let now = Instant::now();
        let peers = (0..2 * pairs).map(|index| {
            let mut seed = [7; 32];
            seed[..8].copy_from_slice(&index.to_be_bytes());
            let mut agent = Agent::new(Config::default(), seed);
            agent.set_role(if index % 2 == 0 { Role::Controlling } else { Role::Controlled });
            let [.., high, low] = index.to_be_bytes();
            let addresses = (1..=interfaces).map(|n| IpAddr::from([10, high, low, n])).collect();
            let sockets = BTreeMap::new();
            Peer { agent, addresses, sockets, deadline: None, is_gathered: false }
        });
        Self {
            now,
            peers: peers.collect(),
            datagrams: 0,
            servers: [1, 2].map(|n| (server_address(n), Answering::new(now))).into(),
            owners: HashMap::new(),
            deadlines: BTreeSet::new(),
            parcels: VecDeque::new(),
            delay,
            is_trickling: true,
        }
    }

    /// Gives an agent its servers.
    pub(crate) fn set_servers(&mut self, peer: usize, servers: &[Server], policy: TransportPolicy) {
        self.peers[peer].agent.set_servers(servers.to_vec(), policy);
    }

    fn parameters(peer: usize) -> Parameters {
        Parameters {
            username_fragment: format!("peer{peer:04}"),
            password: format!("the-password-of-number-{peer:04}"),
        }
    }

    /// An agent gathers, and nobody learns of its candidates.
    pub(crate) fn gather(&mut self, peer: usize) {
        self.is_trickling = false;
        self.peers[peer].agent.set_local_parameters(self.now, Self::parameters(peer));
        self.drain(peer);
        let end = self.now + Duration::from_secs(30);
        assert!(self.run_until(end, |scene| scene.peers[peer].is_gathered), "gathering ends");
    }

    /// Both agents of a pair get parameters, at once. Nothing has happened yet.
    pub(crate) fn negotiate(&mut self, pair: usize) {
        for (peer, other) in [(2 * pair, 2 * pair + 1), (2 * pair + 1, 2 * pair)] {
            let agent = &mut self.peers[peer].agent;
            agent.set_local_parameters(self.now, Self::parameters(peer));
            agent.set_remote_parameters(self.now, Self::parameters(other), false);
            agent.commit(self.now);
        }
        self.drain(2 * pair);
        self.drain(2 * pair + 1);
    }

    /// Whether both agents of a pair can send.
    pub(crate) fn is_connected(&self, pair: usize) -> bool {
        let peers = &self.peers[2 * pair..2 * pair + 2];
        peers.iter().all(|peer| peer.agent.selected_path().is_some())
    }

    /// Whether all agents have completed.
    pub(crate) fn all_completed(&self) -> bool {
        self.peers.iter().all(|peer| peer.agent.state() == State::Completed)
    }

    /// Lets happen what happens until then, or until it holds. Returns whether it holds.
    pub(crate) fn run_until(&mut self, end: Instant, mut holds: impl FnMut(&Self) -> bool) -> bool {
        while !holds(self) {
            let parcel = self.parcels.front().map(|parcel| parcel.at);
            let deadline = self.deadlines.first().map(|(at, _)| *at);
            let Some(next) = parcel.into_iter().chain(deadline).min().filter(|at| *at <= end)
            else {
                self.now = end;
                return false;
            };
            self.now = self.now.max(next);
            while self.parcels.front().is_some_and(|parcel| parcel.at <= self.now) {
                if let Some(parcel) = self.parcels.pop_front() {
                    self.deliver(&parcel);
                }
            }
            while let Some((at, peer)) = self.deadlines.first().copied()
                && at <= self.now
            {
                self.peers[peer].agent.handle_timeout(self.now);
                self.drain(peer);
            }
        }
        true
    }

    fn deliver(&mut self, parcel: &Parcel) {
        let Parcel { from, to, payload, .. } = parcel;
        if let Some((peer, socket)) = self.owners.get(to).copied() {
            let agent = &mut self.peers[peer].agent;
            if let Some(datagram) = agent.handle_datagram(self.now, socket, *from, payload) {
                let Datagram { base, source, payload } = datagram;
                agent.handle_stun(self.now, base, source, payload);
            }
            self.drain(peer);
            return;
        }
        let mut sent = Vec::new();
        for (address, server) in &mut self.servers {
            if address == to {
                let answer = server.handle(self.now, *from, payload);
                sent.extend(answer.map(|answer| (*address, *from, answer)));
                sent.extend(server.take_delivered());
            } else if let Some(client) = server.client_at(*to) {
                let data = server.relay_from(self.now, client, *from, payload);
                sent.extend(data.map(|data| (*address, client, data)));
            }
        }
        for (from, to, payload) in sent {
            self.send(from, to, payload.into());
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, payload: Bytes) {
        self.parcels.push_back(Parcel { at: self.now + self.delay, from, to, payload });
    }

    /// Takes everything out of an agent.
    fn drain(&mut self, peer: usize) {
        while let Some(event) = self.peers[peer].agent.poll_event() {
            self.on_event(peer, event);
        }
        while let Some(transmit) = self.peers[peer].agent.poll_transmit() {
            let Transmit { socket, destination, payload } = transmit;
            if let Some(from) = self.peers[peer].sockets.get(&socket).copied() {
                self.datagrams += 1;
                self.send(from, destination, payload);
            }
        }
        let state = &mut self.peers[peer];
        let deadline = state.agent.poll_timeout();
        let before = std::mem::replace(&mut state.deadline, deadline);
        if before != deadline {
            before.map(|at| self.deadlines.remove(&(at, peer)));
            deadline.map(|at| self.deadlines.insert((at, peer)));
        }
    }

    fn on_event(&mut self, peer: usize, event: Event) {
        let (now, other) = (self.now, peer ^ 1);
        match event {
            Event::Gather { generation } => {
                for (n, ip) in (1..).zip(self.peers[peer].addresses.clone()) {
                    let (socket, local) = (SocketId(n), SocketAddr::new(ip, 20_000));
                    self.owners.insert(local, (peer, socket));
                    self.peers[peer].sockets.insert(socket, local);
                    self.peers[peer].agent.add_socket(now, generation, socket, local);
                }
                self.peers[peer].agent.gathering_done(now, generation);
            }
            Event::LocalCandidate { username_fragment, candidate } if self.is_trickling => {
                let agent = &mut self.peers[other].agent;
                agent
                    .add_remote_candidate(now, Some(&username_fragment), candidate)
                    .expect("the other side has parameters");
            }
            Event::EndOfCandidates { username_fragment } => {
                self.peers[peer].is_gathered = true;
                if self.is_trickling {
                    let agent = &mut self.peers[other].agent;
                    agent
                        .add_end_of_candidates(now, Some(&username_fragment))
                        .expect("the other side has parameters");
                }
            }
            _ => {}
        }
    }

    /// What comes to `peer` when its peer sends this: on which base's socket, from where, and the
    /// datagram, with a relay's header if there is a relay of `peer`'s between them.
    pub(crate) fn incoming(&self, peer: usize, payload: &[u8]) -> (Base, SocketAddr, Vec<u8>) {
        let path = self.peers[peer].agent.selected_path().expect("a path");
        let Some(_) = path.base.relay else { return (path.base, path.remote, payload.to_vec()) };
        let (address, server) = &self.servers[1];
        let client = self.peers[peer].sockets[&path.base.socket];
        let data = server.relay_from(self.now, client, path.remote, payload);
        (path.base, *address, data.expect("the peer is permitted"))
    }
}
