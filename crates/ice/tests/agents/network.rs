//! One clock and a simulated network between our agent and another one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use peerconnection_ice::{
    Agent, Candidate, CandidateAddress, CandidateKind, Config, Event, Parameters, Protocol, Role,
    SocketId,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use time::Instant;

use crate::foreign::{Foreign, Packet, Setup, Stack};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Ours, Self::Theirs];
}

/// What one side tells the other.
#[derive(Debug)]
enum Signal {
    Offer(Parameters),
    Answer(Parameters),
    Candidate { username_fragment: String, candidate: String },
    End { username_fragment: String },
}

#[derive(Debug)]
enum Parcel {
    Packet(Packet),
    Signal { to: Side, signal: Signal },
}

/// A symmetric NAT in front of one side: RFC 4787 §4.1, §5, address and port-dependent both.
#[derive(Debug)]
pub(crate) struct Nat {
    pub(crate) inside: Side,
    pub(crate) outside: IpAddr,
    mappings: Vec<(SocketAddr, SocketAddr)>,
}

impl Nat {
    const FIRST_PORT: usize = 50_000;

    pub(crate) fn new(inside: Side) -> Self {
        Self { inside, outside: "203.0.113.1".parse().unwrap(), mappings: Vec::new() }
    }

    fn outbound(&mut self, packet: &mut Packet) {
        let flow = (packet.from, packet.to);
        let known = self.mappings.iter().position(|mapping| *mapping == flow);
        let index = known.unwrap_or_else(|| {
            self.mappings.push(flow);
            self.mappings.len() - 1
        });
        packet.from = SocketAddr::new(self.outside, (Self::FIRST_PORT + index) as u16);
    }

    /// Whether it lets the packet in.
    fn inbound(&self, packet: &mut Packet) -> bool {
        let index = usize::from(packet.to.port()).checked_sub(Self::FIRST_PORT);
        let mapping = index.and_then(|index| self.mappings.get(index));
        let Some((inner, outer)) = mapping.filter(|_| packet.to.ip() == self.outside) else {
            return false;
        };
        packet.to = *inner;
        *outer == packet.from
    }
}

/// What happened to the data.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Data {
    pub(crate) sent: usize,
    /// Times at which there was no path to send on.
    pub(crate) stuck: usize,
    /// What the other side has sent and this one has taken or refused.
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
}

/// How a network and its two agents begin.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) stack: Stack,
    pub(crate) seed: u64,
    pub(crate) loss: f64,
    /// How long after a description its candidates come; with it, if zero.
    pub(crate) trickle: Duration,
    /// The side that controls.
    pub(crate) controls: Side,
    /// The other side has the same role.
    pub(crate) is_conflict: bool,
    /// The other agent is lite.
    pub(crate) is_lite: bool,
}

impl Plan {
    pub(crate) fn new(stack: Stack) -> Self {
        let (seed, loss, trickle) = (1, 0.0, Duration::ZERO);
        let (controls, is_conflict, is_lite) = (Side::Ours, false, false);
        Self { stack, seed, loss, trickle, controls, is_conflict, is_lite }
    }
}

pub(crate) struct Network {
    plan: Plan,
    pub(crate) now: Instant,
    pub(crate) ours: Agent,
    pub(crate) theirs: Box<dyn Foreign>,
    sockets: BTreeMap<SocketId, SocketAddr>,
    our_address: IpAddr,
    their_addresses: Vec<SocketAddr>,
    /// What our agent has announced.
    pub(crate) trace: Vec<String>,
    pub(crate) delay: Duration,
    /// What comes on top for packets from and to this address.
    pub(crate) slow: Option<(IpAddr, Duration)>,
    /// Nothing passes.
    pub(crate) is_cut: bool,
    pub(crate) nat: Option<Nat>,
    pub(crate) data: [Data; 2],
    stream: Option<(Duration, Instant)>,
    credentials: u32,
    /// An offer has not been answered yet.
    is_negotiating: bool,
    rng: StdRng,
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    parcels: BTreeMap<u64, Parcel>,
    sequence: u64,
}

/// The first byte of a packet of data: none of STUN (RFC 7983).
const DATA_BYTE: u8 = 23;
const SIGNALLING: Duration = Duration::from_millis(50);

impl Network {
    pub(crate) fn new(plan: Plan) -> Self {
        Self::with_addresses(plan, &["198.51.100.1:7000"])
    }

    pub(crate) fn with_addresses(plan: Plan, their_addresses: &[&str]) -> Self {
        let now = Instant::now();
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&plan.seed.to_be_bytes());
        let mut ours = Agent::new(Config::default(), seed);
        let we_control = plan.controls == Side::Ours;
        ours.set_role(if we_control { Role::Controlling } else { Role::Controlled });
        let addresses: Vec<_> = their_addresses.iter().map(|a| a.parse().unwrap()).collect();
        let setup = Setup {
            is_controlling: we_control == plan.is_conflict,
            is_lite: plan.is_lite,
            addresses: addresses.clone(),
        };
        Self {
            now,
            ours,
            theirs: plan.stack.agent(now, setup),
            sockets: BTreeMap::new(),
            our_address: "192.0.2.1".parse().unwrap(),
            their_addresses: addresses,
            trace: Vec::new(),
            delay: Duration::from_millis(20),
            slow: None,
            is_cut: false,
            nat: None,
            data: [Data::default(); 2],
            stream: None,
            credentials: 0,
            is_negotiating: false,
            rng: StdRng::from_seed(seed),
            queue: BinaryHeap::new(),
            parcels: BTreeMap::new(),
            sequence: 0,
            plan,
        }
    }

    // ----- signalling

    fn fresh(&mut self) -> Parameters {
        self.credentials += 1;
        Parameters {
            username_fragment: format!("u{:03}", self.credentials),
            password: format!("a-password-of-number-{:03}", self.credentials),
        }
    }

    /// The side makes an offer with new parameters, to which the other answers with new ones.
    pub(crate) fn offer(&mut self, from: Side) {
        self.is_negotiating = true;
        let parameters = self.describe(from);
        self.signal(from, SIGNALLING, Signal::Offer(parameters.clone()));
        self.signal_candidates(from, &parameters);
        self.settle();
    }

    fn describe(&mut self, side: Side) -> Parameters {
        let parameters = self.fresh();
        match side {
            Side::Ours => self.ours.set_local_parameters(self.now, parameters.clone()),
            Side::Theirs => self.theirs.set_local(self.now, &parameters),
        }
        parameters
    }

    /// Ours come as events.
    fn signal_candidates(&mut self, from: Side, parameters: &Parameters) {
        if from == Side::Theirs {
            let username_fragment = || parameters.username_fragment.clone();
            for candidate in self.theirs.candidates() {
                let username_fragment = username_fragment();
                self.trickle(from, Signal::Candidate { username_fragment, candidate });
            }
            self.trickle(from, Signal::End { username_fragment: username_fragment() });
        }
    }

    fn signal(&mut self, from: Side, after: Duration, signal: Signal) {
        let to = if from == Side::Ours { Side::Theirs } else { Side::Ours };
        self.put(self.now + after, Parcel::Signal { to, signal });
    }

    fn trickle(&mut self, from: Side, signal: Signal) {
        self.signal(from, SIGNALLING + self.plan.trickle, signal);
    }

    fn take_signal(&mut self, to: Side, signal: Signal) {
        let (now, is_lite) = (self.now, self.plan.is_lite);
        self.is_negotiating &= !matches!(signal, Signal::Answer(_));
        match (signal, to) {
            (Signal::Offer(offer), _) => {
                if to == Side::Ours {
                    self.ours.set_remote_parameters(now, offer.clone(), is_lite);
                }
                let answer = self.describe(to);
                match to {
                    Side::Ours => self.ours.commit(now),
                    Side::Theirs => self.theirs.set_remote(now, &offer),
                }
                self.signal(to, SIGNALLING, Signal::Answer(answer.clone()));
                self.signal_candidates(to, &answer);
            }
            (Signal::Answer(answer), Side::Ours) => {
                self.ours.set_remote_parameters(now, answer, is_lite);
                self.ours.commit(now);
            }
            (Signal::Answer(answer), Side::Theirs) => self.theirs.set_remote(now, &answer),
            (Signal::Candidate { username_fragment, candidate }, Side::Ours) => {
                let candidate = parse(&candidate);
                self.ours.add_remote_candidate(now, Some(&username_fragment), candidate).unwrap();
            }
            (Signal::Candidate { candidate, .. }, Side::Theirs) => {
                self.theirs.add_remote_candidate(now, &candidate);
            }
            (Signal::End { username_fragment }, Side::Ours) => {
                self.ours.add_end_of_candidates(now, Some(&username_fragment)).unwrap();
            }
            (Signal::End { .. }, Side::Theirs) => {}
        }
    }

    // ----- time

    /// Lets everything happen that happens until then.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_while(end, |_| true);
        self.now = end;
    }

    /// Runs until it holds; false if it does not within the time.
    pub(crate) fn run_until(&mut self, within: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + within;
        self.run_while(end, |network| !holds(network));
        holds(self)
    }

    fn run_while(&mut self, end: Instant, goes_on: impl Fn(&Self) -> bool) {
        self.settle();
        let mut steps = 0;
        while goes_on(self) {
            steps += 1;
            assert!(steps < 1_000_000, "no time passes");
            let parcel = self.queue.peek().map(|Reverse((at, _))| *at);
            let timeouts = [self.ours.poll_timeout(), self.theirs.poll_timeout()];
            let data = self.stream.map(|(_, next)| next);
            let next = timeouts.into_iter().chain([parcel, data]).flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { return };
            self.now = self.now.max(next);
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(Reverse((at, sequence))) = self.queue.peek().copied()
            && at <= now
        {
            self.queue.pop();
            match self.parcels.remove(&sequence).unwrap() {
                Parcel::Packet(packet) => self.arrive(packet),
                Parcel::Signal { to, signal } => self.take_signal(to, signal),
            }
            self.settle();
        }
        if self.ours.poll_timeout().is_some_and(|at| at <= now) {
            self.ours.handle_timeout(now);
        }
        if self.theirs.poll_timeout().is_some_and(|at| at <= now) {
            self.theirs.handle_timeout(now);
        }
        self.settle();
        if let Some((interval, next)) = self.stream
            && next <= now
        {
            self.stream = Some((interval, now + interval));
            self.send_data();
        }
    }

    fn put(&mut self, at: Instant, parcel: Parcel) {
        self.sequence += 1;
        self.queue.push(Reverse((at, self.sequence)));
        self.parcels.insert(self.sequence, parcel);
    }

    /// Does what our agent asks for, and sends what both have to send.
    fn settle(&mut self) {
        while let Some(event) = self.ours.poll_event() {
            self.on_event(event);
        }
        while let Some(transmit) = self.ours.poll_transmit() {
            let from = self.sockets[&transmit.socket];
            let payload = transmit.payload.to_vec();
            self.send(Side::Ours, Packet { from, to: transmit.destination, payload });
        }
        while let Some(packet) = self.theirs.poll_transmit() {
            self.send(Side::Theirs, packet);
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Gather { generation } => {
                let socket = SocketId(u64::from(generation.0));
                let port = 10_000 + u16::try_from(generation.0).unwrap();
                let address = SocketAddr::new(self.our_address, port);
                self.sockets.insert(socket, address);
                self.ours.add_socket(self.now, generation, socket, address);
                self.ours.gathering_done(self.now, generation);
            }
            Event::LocalCandidate { username_fragment, candidate } => {
                let candidate = text(&candidate);
                self.trickle(Side::Ours, Signal::Candidate { username_fragment, candidate });
            }
            Event::EndOfCandidates { username_fragment } => {
                self.trickle(Side::Ours, Signal::End { username_fragment });
            }
            Event::StateChange { state, selected_pair } => {
                if let Some(pair) = selected_pair {
                    let pair = pair.map(|pair| format!("pair {} - {}", pair.local, pair.remote));
                    self.trace.push(pair.unwrap_or("no pair".to_owned()));
                }
                self.trace.extend(state.map(|state| format!("state {state}")));
            }
            Event::RoleChange(role) => self.trace.push(format!("role {role}")),
            Event::CloseSocket(socket) => {
                assert!(self.sockets.remove(&socket).is_some(), "{socket:?} closed twice");
            }
            _ => {}
        }
    }

    // ----- packets

    fn send(&mut self, side: Side, mut packet: Packet) {
        if let Some(nat) = &mut self.nat
            && nat.inside == side
        {
            nat.outbound(&mut packet);
        }
        if self.is_cut || self.plan.loss > 0.0 && self.rng.random_bool(self.plan.loss) {
            return;
        }
        let on_top = self.slow.filter(|(ip, _)| packet.from.ip() == *ip || packet.to.ip() == *ip);
        let delay = self.delay + on_top.map_or(Duration::ZERO, |(_, delay)| delay);
        self.put(self.now + delay, Parcel::Packet(packet));
    }

    fn arrive(&mut self, mut packet: Packet) {
        let was_let_in = self.nat.as_ref().map(|nat| (nat.inside, nat.inbound(&mut packet)));
        let is_open = |side| was_let_in.is_none_or(|(inside, passed)| inside != side || passed);
        let is_data = packet.payload.first() == Some(&DATA_BYTE);
        let socket = self.sockets.iter().find(|(_, address)| **address == packet.to);
        if let Some((socket, _)) = socket
            && is_open(Side::Ours)
        {
            let socket = *socket;
            if is_data {
                let length = packet.payload.len();
                let taken = self.ours.data_received(self.now, socket, packet.from, length);
                self.data[Side::Ours as usize].count(taken);
            } else {
                self.ours.handle_stun(self.now, socket, packet.from, &packet.payload);
            }
        } else if self.their_addresses.contains(&packet.to) && is_open(Side::Theirs) {
            if is_data {
                let taken = self.theirs.accepts_data(self.now, &packet);
                self.data[Side::Theirs as usize].count(taken);
            } else {
                self.theirs.handle_stun(self.now, &packet);
            }
        }
    }

    /// Both sides send data at this interval from now on.
    pub(crate) fn begin_stream(&mut self, interval: Duration) {
        self.stream = Some((interval, self.now));
    }

    /// Nobody begins to send any more, and what is under way arrives.
    pub(crate) fn end_stream(&mut self) {
        self.stream = None;
        self.run_for(Duration::from_secs(1));
    }

    fn send_data(&mut self) {
        let payload = vec![DATA_BYTE; 100];
        let ours = self.ours.send(self.now, Bytes::from(payload.clone())).map(|transmit| Packet {
            from: self.sockets[&transmit.socket],
            to: transmit.destination,
            payload: transmit.payload.to_vec(),
        });
        let theirs = self.theirs.path().map(|(from, to)| Packet { from, to, payload });
        for (side, packet) in [(Side::Ours, ours), (Side::Theirs, theirs)] {
            let data = &mut self.data[side as usize];
            match packet {
                Some(packet) => {
                    data.sent += 1;
                    self.send(side, packet);
                }
                None => data.stuck += 1,
            }
        }
    }

    // ----- questions

    pub(crate) fn data(&self, side: Side) -> Data {
        self.data[side as usize]
    }

    pub(crate) fn connected(&self) -> bool {
        self.ours.selected_path().is_some()
            && self.theirs.is_connected()
            && self.theirs.path().is_some()
    }

    /// Every offer has been answered, and both send on the sockets of the newest generation, each to
    /// where the other sends from.
    pub(crate) fn agrees(&self) -> bool {
        let (Some(ours), Some(theirs)) = (self.ours.selected_path(), self.theirs.path()) else {
            return false;
        };
        let newest = self.sockets.last_key_value();
        let from = self.sockets.get(&ours.base.socket).copied();
        newest.is_some_and(|(socket, _)| *socket == ours.base.socket)
            && (Some(theirs.1), theirs.0) == (from, ours.remote)
            && self.theirs.is_connected()
            && !self.is_negotiating
    }

    pub(crate) fn states(&self) -> String {
        let states: Vec<_> = self.trace.iter().filter_map(|t| t.strip_prefix("state ")).collect();
        states.join(" ")
    }
}

impl Data {
    fn count(&mut self, taken: bool) {
        *(if taken { &mut self.accepted } else { &mut self.refused }) += 1;
    }
}

/// RFC 8839 §5.1, without `candidate:`. There are host candidates over UDP only.
fn text(candidate: &Candidate) -> String {
    let Candidate { foundation, component, priority, address, port, .. } = candidate;
    assert_eq!((candidate.kind, candidate.protocol), (CandidateKind::Host, Protocol::Udp));
    format!("{foundation} {component} udp {priority} {address} {port} typ host")
}

fn parse(candidate: &str) -> Candidate {
    let words: Vec<_> = candidate.split(' ').collect();
    let [foundation, component, protocol, priority, address, port, "typ", "host", ..] = words[..]
    else {
        panic!("no host candidate: {candidate}")
    };
    assert!(protocol.eq_ignore_ascii_case("udp"), "{candidate}");
    Candidate {
        foundation: foundation.to_owned(),
        component: component.parse().unwrap(),
        protocol: Protocol::Udp,
        priority: priority.parse().unwrap(),
        address: CandidateAddress::Ip(address.parse().unwrap()),
        port: port.parse().unwrap(),
        kind: CandidateKind::Host,
        related: None,
        tcp_type: None,
        server: None,
    }
}
