//! The simulated network: signalling, datagrams, hosts that bind sockets when asked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::{Duration, Instant};

use super::peer::Peer;
use super::tcp_wire::{Segment, Tcp};
use super::wire::{Packet, Wire};

use crate::{
    Agent, Candidate, CandidateAddress, CandidateKind, Config, ConnectionId, Enclosure, Event,
    GatheringState, GenerationId, NameOf, Parameters, Path, Role, SocketId, State,
};

/// The first peer; it makes the first offer.
pub(super) const A: usize = 0;
/// The second peer.
pub(super) const B: usize = 1;

/// What travels.
#[derive(Debug)]
pub(super) enum Parcel {
    Wire(Packet),
    Stun { to: usize, socket: SocketId, from: SocketAddr, payload: Bytes },
    Data { to: usize, socket: SocketId, from: SocketAddr },
    Offer { to: usize, parameters: Parameters },
    Answer { to: usize, parameters: Parameters },
    Candidate { to: usize, username_fragment: String, candidate: Candidate },
    End { to: usize, username_fragment: String },
    Opened { to: usize, generation: GenerationId, connection: ConnectionId, local: IpAddr },
    Tcp(Segment),
}

pub(super) struct Network {
    pub(super) start: Instant,
    pub(super) now: Instant,
    pub(super) peers: [Peer; 2],
    pub(super) delay: Duration,
    pub(super) jitter: Duration,
    /// What comes on top for packets from and to an address.
    pub(super) slow: BTreeMap<IpAddr, Duration>,
    /// 0 to 1, of STUN and data.
    pub(super) loss: f64,
    pub(super) signalling: Duration,
    /// Addresses that neither send nor receive.
    pub(super) dead: BTreeSet<IpAddr>,
    /// Private address, public address: what leaves the former comes from the latter, which
    /// alone can be reached.
    pub(super) nats: Vec<(IpAddr, IpAddr)>,
    pub(super) wire: Wire,
    pub(super) tcp: Tcp,
    /// Addresses of names; others have none.
    pub(super) names: BTreeMap<String, Vec<IpAddr>>,
    /// Names of candidates that the peers have asked for.
    pub(super) asked: Vec<(usize, GenerationId, String)>,
    /// Such names have no answer.
    pub(super) silent_names: bool,
    /// The names for which connections were asked, `None` without TLS.
    pub(super) connects: Vec<Option<String>>,
    pub(super) refuses_connections: bool,
    /// How long a connection takes to open, if not a round trip.
    pub(super) connecting_takes: Option<Duration>,
    /// Bytes that one read of a connection brings at most.
    pub(super) cuts: usize,
    /// The connections that have been opened.
    pub(super) connections: BTreeSet<(usize, SocketId)>,
    /// Both peers send data at this interval.
    pub(super) stream: Option<Duration>,
    next_data: Instant,
    rng: StdRng,
    parcels: BinaryHeap<Reverse<(Instant, u64)>>,
    contents: BTreeMap<u64, Parcel>,
    sequence: u64,
    last_signal: [Instant; 2],
}

/// Bytes in a packet of data.
pub(super) const DATA: usize = 100;
/// None that STUN or a TURN channel begins with.
const DATA_BYTE: u8 = 23;

pub(super) fn seed(value: u64, salt: u8) -> [u8; 32] {
    let mut seed = [salt; 32];
    seed[..8].copy_from_slice(&value.to_be_bytes());
    seed
}

impl Network {
    pub(super) fn new(seed_value: u64) -> Self {
        Self::with(seed_value, Config::default(), &[&["192.0.2.1"], &["198.51.100.1"]])
    }

    pub(super) fn with(seed_value: u64, config: Config, addresses: &[&[&str]; 2]) -> Self {
        let start = Instant::now();
        let peer = |index: usize| Peer {
            agent: Agent::new(config.clone(), seed(seed_value, index as u8)),
            addresses: addresses[index].iter().map(|a| a.parse().unwrap()).collect(),
            sockets: BTreeMap::new(),
            trace: Vec::new(),
            hides_behind: None,
            holds_candidates: false,
            held: Vec::new(),
            candidates: Vec::new(),
            errors: Vec::new(),
            accepted: 0,
            refused: 0,
            sent: 0,
            stuck: 0,
            stun_sent: 0,
            inbox: None,
            described: None,
            is_told_all: false,
            drift: 0,
            wakes: 0,
            credentials: 0,
            next_socket: 0,
            enclosure: Enclosure::default(),
            enclosures: Vec::new(),
        };
        let mut network = Self {
            start,
            now: start,
            peers: [peer(A), peer(B)],
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            slow: BTreeMap::new(),
            loss: 0.0,
            signalling: Duration::ZERO,
            dead: BTreeSet::new(),
            nats: Vec::new(),
            wire: Wire::default(),
            tcp: Tcp::default(),
            names: BTreeMap::new(),
            asked: Vec::new(),
            silent_names: false,
            connects: Vec::new(),
            refuses_connections: false,
            connecting_takes: None,
            cuts: usize::MAX,
            connections: BTreeSet::new(),
            stream: None,
            next_data: start,
            rng: StdRng::from_seed(seed(seed_value, 9)),
            parcels: BinaryHeap::new(),
            contents: BTreeMap::new(),
            sequence: 0,
            last_signal: [start; 2],
        };
        network.peers[A].agent.set_role(Role::Controlling);
        network.peers[B].agent.set_role(Role::Controlled);
        network
    }

    // ----- signalling

    pub(super) fn agent(&mut self, peer: usize) -> &mut Agent {
        &mut self.peers[peer].agent
    }

    /// Parameters that the peer has not used before.
    pub(super) fn fresh(&mut self, peer: usize) -> Parameters {
        self.peers[peer].credentials += 1;
        let number = self.peers[peer].credentials;
        let name = if peer == A { "a" } else { "b" };
        Parameters {
            username_fragment: format!("{name}{number:03}"),
            password: format!("the-password-of-{name}-number-{number}"),
        }
    }

    /// An offer of the peer with new parameters is applied there and sent, and will be answered
    /// with new parameters.
    pub(super) fn offer(&mut self, peer: usize) {
        let parameters = self.fresh(peer);
        let now = self.clock(peer);
        self.agent(peer).set_local_parameters(now, parameters.clone());
        self.signal(peer, Parcel::Offer { to: 1 - peer, parameters });
        self.settle();
    }

    fn signal(&mut self, from: usize, parcel: Parcel) {
        // In order, as signalling channels are.
        let at = (self.now + self.signalling).max(self.last_signal[from]);
        self.last_signal[from] = at;
        self.put(at, parcel);
    }

    pub(super) fn put(&mut self, at: Instant, parcel: Parcel) {
        self.sequence += 1;
        self.parcels.push(Reverse((at, self.sequence)));
        self.contents.insert(self.sequence, parcel);
    }

    /// Signals what was held back.
    pub(super) fn release_candidates(&mut self, peer: usize) {
        self.peers[peer].holds_candidates = false;
        for (username_fragment, candidate) in std::mem::take(&mut self.peers[peer].held) {
            self.send_candidate(peer, username_fragment, candidate);
        }
    }

    pub(super) fn send_candidate(
        &mut self,
        peer: usize,
        username_fragment: String,
        candidate: Option<Candidate>,
    ) {
        let to = 1 - peer;
        let parcel = match candidate {
            Some(candidate) => Parcel::Candidate { to, username_fragment, candidate },
            None => Parcel::End { to, username_fragment },
        };
        self.signal(peer, parcel);
    }

    // ----- time

    /// The time on the clock of a peer.
    pub(super) fn clock(&self, peer: usize) -> Instant {
        let elapsed = self.elapsed().as_nanos() as i128;
        let gained = elapsed * i128::from(self.peers[peer].drift) / 1_000_000;
        self.start + Duration::from_nanos((elapsed + gained) as u64)
    }

    /// When the agent's timer goes off.
    fn timeout(&self, peer: usize) -> Option<Instant> {
        let at = self.peers[peer].agent.poll_timeout()?;
        let drift = self.peers[peer].drift;
        if drift == 0 {
            return Some(at);
        }
        let due = at.saturating_duration_since(self.start).as_nanos() as i128;
        let elapsed = due * 1_000_000 / i128::from(1_000_000 + drift);
        // A rounded clock never shows less than the agent waits for.
        Some(self.start + Duration::from_nanos(elapsed as u64 + 2))
    }

    /// Lets everything happen that happens until then.
    pub(super) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_while(end, |_| true);
        self.now = end;
    }

    /// Runs until it holds; false if it does not within the time.
    pub(super) fn run_until(
        &mut self,
        within: Duration,
        mut holds: impl FnMut(&Self) -> bool,
    ) -> bool {
        let end = self.now + within;
        self.run_while(end, |network| !holds(network));
        holds(self)
    }

    fn run_while(&mut self, end: Instant, mut goes_on: impl FnMut(&Self) -> bool) {
        self.settle();
        let mut steps = 0;
        while goes_on(self) {
            steps += 1;
            assert!(steps < 2_000_000, "no time passes");
            let parcel = self.parcels.peek().map(|Reverse((at, _))| *at);
            let timeouts = [A, B].into_iter().filter_map(|peer| self.timeout(peer));
            let data = self.stream.map(|_| self.next_data);
            let next = timeouts.chain(parcel).chain(data).min();
            let Some(next) = next.filter(|next| *next <= end) else { return };
            self.now = self.now.max(next);
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(Reverse((at, sequence))) = self.parcels.peek().copied()
            && at <= now
        {
            self.parcels.pop();
            let parcel = self.contents.remove(&sequence).unwrap();
            self.deliver(parcel);
            self.settle();
        }
        for peer in [A, B] {
            if self.timeout(peer).is_some_and(|at| at <= now) {
                self.peers[peer].wakes += 1;
                let now = self.clock(peer);
                self.agent(peer).handle_timeout(now);
                self.settle();
            }
        }
        if let Some(interval) = self.stream
            && self.next_data <= now
        {
            self.next_data = now + interval;
            for peer in [A, B] {
                match self.peers[peer].agent.selected_path() {
                    Some(path) => {
                        self.peers[peer].sent += 1;
                        self.send_data(peer, path);
                    }
                    None => self.peers[peer].stuck += 1,
                }
            }
        }
    }

    pub(super) fn begin_stream(&mut self, interval: Duration) {
        self.stream = Some(interval);
        self.next_data = self.now;
    }

    // ----- the network

    /// Who gets what is sent to this address, and on which socket.
    fn route(&self, from: SocketAddr, to: SocketAddr) -> Option<(usize, SocketId, SocketAddr)> {
        if self.dead.contains(&from.ip()) || self.dead.contains(&to.ip()) {
            return None;
        }
        let public = |private: IpAddr| self.nats.iter().find(|n| n.0 == private).map(|n| n.1);
        let private = |public: IpAddr| self.nats.iter().find(|n| n.1 == public).map(|n| n.0);
        if public(to.ip()).is_some() {
            return None;
        }
        let target = SocketAddr::new(private(to.ip()).unwrap_or(to.ip()), to.port());
        let source = SocketAddr::new(public(from.ip()).unwrap_or(from.ip()), from.port());
        let owner = self.peers.iter().enumerate().find_map(|(index, peer)| {
            let (socket, _) = peer.sockets.iter().find(|(_, address)| {
                address.ip() == target.ip() && address.port() == target.port()
            })?;
            Some((index, *socket))
        });
        owner.map(|(peer, socket)| (peer, socket, source))
    }

    pub(super) fn travel(&mut self) -> Option<Instant> {
        if self.loss > 0.0 && self.rng.random_bool(self.loss) {
            return None;
        }
        let jitter = self.jitter.mul_f64(self.rng.random::<f64>());
        Some(self.now + self.delay + jitter)
    }

    fn travel_between(&mut self, from: IpAddr, to: IpAddr) -> Option<Instant> {
        let slow = [from, to].iter().filter_map(|ip| self.slow.get(ip)).sum::<Duration>();
        self.travel().map(|at| at + slow)
    }

    fn send_data(&mut self, peer: usize, path: Path) {
        let Some(from) = self.peers[peer].sockets.get(&path.base.socket).copied() else { return };
        let packet = Bytes::from_static(&[DATA_BYTE; DATA]);
        let now = self.clock(peer);
        let Some(transmit) = self.peers[peer].agent.send(now, packet) else { return };
        if self.write(peer, &transmit) {
            return;
        }
        if self.wire.is_used() {
            self.put_on_wire(peer, from, transmit.destination, transmit.payload);
            return;
        }
        assert_eq!((transmit.socket, transmit.destination), (path.base.socket, path.remote));
        if let Some((to, socket, from)) = self.route(from, transmit.destination)
            && let Some(at) = self.travel_between(from.ip(), transmit.destination.ip())
        {
            self.put(at, Parcel::Data { to, socket, from });
        }
    }

    fn deliver(&mut self, parcel: Parcel) {
        let clocks = [A, B].map(|peer| self.clock(peer));
        match parcel {
            Parcel::Wire(packet) => self.arrive(&packet),
            Parcel::Stun { to, socket, from, payload } => {
                self.agent(to).handle_stun(clocks[to], socket, from, &payload);
            }
            Parcel::Data { to, socket, from } => {
                let peer = &mut self.peers[to];
                let open = peer.sockets.contains_key(&socket);
                if open && peer.agent.data_received(clocks[to], socket, from, DATA) {
                    peer.accepted += 1;
                } else {
                    peer.refused += 1;
                }
            }
            Parcel::Offer { to, parameters } => {
                let answer = self.fresh(to);
                let now = clocks[to];
                self.peers[to].described.get_or_insert(now);
                let agent = self.agent(to);
                agent.set_remote_parameters(now, parameters, false);
                agent.set_local_parameters(now, answer.clone());
                agent.commit(now);
                self.signal(to, Parcel::Answer { to: 1 - to, parameters: answer });
            }
            Parcel::Answer { to, parameters } => {
                let now = clocks[to];
                self.peers[to].described.get_or_insert(now);
                self.agent(to).set_remote_parameters(now, parameters, false);
                self.agent(to).commit(now);
            }
            Parcel::Candidate { to, username_fragment, candidate } => {
                // Of a generation that was rolled back or released meanwhile: not an error here.
                let (now, of) = (clocks[to], Some(username_fragment.as_str()));
                let _ = self.agent(to).add_remote_candidate(now, of, candidate);
            }
            Parcel::Opened { to, generation, connection, local } => {
                self.open(to, generation, connection, local);
            }
            Parcel::Tcp(segment) => self.arrive_on_connection(segment),
            Parcel::End { to, username_fragment } => {
                self.peers[to].is_told_all = true;
                let now = clocks[to];
                let _ = self.agent(to).add_end_of_candidates(now, Some(&username_fragment));
            }
        }
    }

    /// Does what the agents ask for.
    pub(super) fn settle(&mut self) {
        for peer in [A, B] {
            while let Some(event) = self.peers[peer].agent.poll_event() {
                self.on_event(peer, event);
            }
            self.transmit(peer);
        }
    }

    fn transmit(&mut self, peer: usize) {
        let Peer { agent, enclosure, enclosures, .. } = &mut self.peers[peer];
        enclosures.extend(std::iter::from_fn(|| agent.poll_enclosure()));
        let enclosure = enclosure.clone();
        while let Some(transmit) = self.peers[peer].agent.poll_transmit_with(|| enclosure.clone()) {
            self.peers[peer].stun_sent += 1;
            if self.write(peer, &transmit) {
                continue;
            }
            let from = self.peers[peer].sockets.get(&transmit.socket).copied();
            let from = from.expect("transmit on a socket that is open");
            if self.wire.is_used() {
                self.put_on_wire(peer, from, transmit.destination, transmit.payload);
            } else if let Some((to, socket, from)) = self.route(from, transmit.destination)
                && let Some(at) = self.travel_between(from.ip(), transmit.destination.ip())
            {
                self.put(at, Parcel::Stun { to, socket, from, payload: transmit.payload });
            }
        }
    }

    fn on_event(&mut self, peer: usize, event: Event) {
        let now = self.clock(peer);
        match event {
            Event::Gather { generation } => {
                for ip in self.peers[peer].addresses.clone() {
                    let host = &mut self.peers[peer];
                    let (socket, address) = host.new_socket(ip);
                    host.agent.add_socket(now, generation, socket, address);
                }
                self.listen(peer, generation);
                self.agent(peer).gathering_done(now, generation);
            }
            Event::Resolve { generation, of, host } => {
                if of == NameOf::Candidate {
                    self.asked.push((peer, generation, host.clone()));
                }
                if self.silent_names {
                    return;
                }
                let known = self.names.get(&host).cloned();
                let known = known.as_deref().ok_or("no such name");
                self.agent(peer).resolved(now, generation, of, &host, known);
            }
            Event::Connect { generation, connection, local, remote, tls } => {
                if !self.wire.servers.contains_key(&remote) {
                    self.dial(peer, generation, connection, local, remote);
                    return;
                }
                self.connects.push(tls);
                if !self.wire.passes(peer, remote, true) {
                    return;
                }
                let takes = self.connecting_takes.unwrap_or(self.delay * 2);
                let to = peer;
                self.put(now + takes, Parcel::Opened { to, generation, connection, local });
            }
            Event::CandidateError { error, .. } => {
                let at = self.elapsed().as_millis();
                self.peers[peer].errors.push((at, error));
            }
            Event::GatheringStateChange(state) => {
                self.peers[peer].trace.push(format!("gathering {state}"));
            }
            Event::LocalCandidate { username_fragment, candidate } => {
                self.peers[peer].candidates.push(candidate.clone());
                let candidate = match self.peers[peer].hides_behind.clone() {
                    Some(name) if candidate.kind == CandidateKind::Host => {
                        Candidate { address: CandidateAddress::Name(name), ..candidate }
                    }
                    _ => candidate,
                };
                self.announce(peer, username_fragment, Some(candidate));
            }
            Event::EndOfCandidates { username_fragment } => {
                self.announce(peer, username_fragment, None);
            }
            Event::StateChange { state, selected_pair } => {
                assert!(state.is_some() || selected_pair.is_some(), "empty change");
                if let Some(pair) = selected_pair {
                    let pair = pair.map(|p| format!("pair {} - {}", p.local, p.remote));
                    self.peers[peer].trace.push(pair.unwrap_or("no pair".to_owned()));
                }
                if let Some(state) = state {
                    self.peers[peer].trace.push(format!("state {state}"));
                }
            }
            Event::RoleChange(role) => self.peers[peer].trace.push(format!("role {role}")),
            Event::CloseSocket(socket) => {
                self.transmit(peer);
                let closed = self.peers[peer].sockets.remove(&socket);
                assert!(closed.is_some(), "{socket:?} closed twice");
                self.hang_up(peer, socket);
                self.peers[peer].trace.push(format!("close {}", socket.0));
            }
        }
    }

    fn announce(&mut self, peer: usize, username_fragment: String, candidate: Option<Candidate>) {
        if self.peers[peer].holds_candidates {
            self.peers[peer].held.push((username_fragment, candidate));
        } else {
            self.send_candidate(peer, username_fragment, candidate);
        }
    }

    // ----- questions

    pub(super) fn state(&self, peer: usize) -> State {
        self.peers[peer].agent.state()
    }

    pub(super) fn both(&self, state: State) -> bool {
        self.state(A) == state && self.state(B) == state
    }

    pub(super) fn connected(&self) -> bool {
        self.peers.iter().all(|peer| peer.agent.selected_path().is_some())
    }

    /// Both send to where the other receives, over the same pair.
    pub(super) fn agrees(&self) -> bool {
        let (Some(a), Some(b)) =
            (self.peers[A].agent.selected_path(), self.peers[B].agent.selected_path())
        else {
            return false;
        };
        let from_a = self.peers[A].sockets.get(&a.base.socket).copied();
        let from_b = self.peers[B].sockets.get(&b.base.socket).copied();
        let (Some(from_a), Some(from_b)) = (from_a, from_b) else { return false };
        self.route(from_a, a.remote).is_some_and(|(_, socket, _)| socket == b.base.socket)
            && self.route(from_b, b.remote).is_some_and(|(_, socket, _)| socket == a.base.socket)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// The socket that the peer sends data from is closed under its feet.
    pub(super) fn cut(&mut self, peer: usize) {
        let path = self.peers[peer].agent.selected_path().expect("a path to cut");
        self.peers[peer].sockets.remove(&path.base.socket);
        let now = self.clock(peer);
        self.agent(peer).socket_closed(now, path.base.socket);
        self.settle();
    }

    /// Connected and completed on both sides.
    pub(super) fn connect(&mut self) {
        self.offer(A);
        assert!(self.run_until(Duration::from_secs(60), |n| n.both(State::Completed)));
        for peer in [A, B] {
            assert_eq!(self.peers[peer].agent.gathering_state(), GatheringState::Complete);
        }
    }
}
