//! The host of our agent: sockets on loopback, threads that wait for them, the time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use peerconnection_ice::{
    Agent, Candidate, CandidateAddress, CandidateKind, Config, Event, GenerationId, Parameters,
    Protocol, Role, SocketId, TcpType, Transmit,
};
use time::Instant;

use crate::peer::Libnice;

/// What wakes the host.
pub(crate) enum Input {
    /// A line of libnice.
    Said(String),
    Datagram(SocketId, SocketAddr, Vec<u8>),
    Accepted(SocketId, TcpStream, SocketAddr),
    Bytes(SocketId, Vec<u8>),
    Ended(SocketId),
}

enum Socket {
    Udp(Arc<UdpSocket>),
    /// Its thread has it.
    Listener,
    Connection(TcpStream),
}

/// The first byte of a packet of data: none of STUN (RFC 7983).
const DATA_BYTE: u8 = 23;
const INTERVAL: Duration = Duration::from_millis(20);

/// Our agent and libnice's.
pub(crate) struct Call {
    pub(crate) agent: Agent,
    libnice: Libnice,
    sockets: BTreeMap<SocketId, Socket>,
    next_socket: u64,
    is_tcp: bool,
    inputs: Receiver<Input>,
    input: Sender<Input>,
    /// What our agent, and libnice's, have announced.
    pub(crate) trace: Vec<String>,
    generations: u32,
    /// Our candidates that libnice has yet to hear of, once it knows our parameters.
    ours: Vec<String>,
    is_told: bool,
    their_parameters: Option<Parameters>,
    /// Those of libnice's that came before our agent was given its parameters.
    theirs: Vec<Candidate>,
    is_given: bool,
    next_data: Option<Instant>,
    /// Nothing that our agent sends leaves any more.
    pub(crate) is_mute: bool,
    pub(crate) sent: u32,
    /// Packets of data that came back.
    pub(crate) returned: BTreeSet<u32>,
    pub(crate) refused: usize,
    /// Those that libnice would not send back.
    pub(crate) unsent: usize,
    /// Times at which there was no path to send on.
    pub(crate) stuck: usize,
}

impl Call {
    pub(crate) fn new(role: Role, is_tcp: bool, options: &[&str]) -> Self {
        let mut agent = Agent::new(Config::default(), rand::random());
        agent.set_role(role);
        let theirs = if role == Role::Controlling { "controlled" } else { "controlling" };
        let (input, inputs) = channel();
        let protocol = if is_tcp { "tcp" } else { "udp" };
        let arguments = [&[theirs, protocol], options].concat();
        let libnice = Libnice::start(&arguments, input.clone());
        Self {
            agent,
            libnice,
            sockets: BTreeMap::new(),
            next_socket: 0,
            is_tcp,
            inputs,
            input,
            trace: Vec::new(),
            generations: 0,
            ours: Vec::new(),
            is_told: false,
            their_parameters: None,
            theirs: Vec::new(),
            is_given: false,
            next_data: None,
            is_mute: false,
            sent: 0,
            returned: BTreeSet::new(),
            refused: 0,
            unsent: 0,
            stuck: 0,
        }
    }

    // ----- signalling

    /// An exchange of new parameters, the first or one of a restart, that our side begins or
    /// libnice's.
    pub(crate) fn negotiate(&mut self, we_offer: bool) {
        const SIGNALLING: Duration = Duration::from_millis(50);
        self.generations += 1;
        let number = self.generations;
        let ours = Parameters {
            username_fragment: format!("ours{number}"),
            password: format!("our-password-with-number-{number}"),
        };
        (self.is_told, self.is_given) = (false, false);
        self.ours.clear();
        self.theirs.clear();
        self.their_parameters = None;
        if we_offer {
            self.agent.set_local_parameters(Instant::now(), ours.clone());
            self.run_for(SIGNALLING);
        }
        self.libnice.tell(if number == 1 { "gather" } else { "restart" });
        assert!(self.run_until(Duration::from_secs(5), |call| call.their_parameters.is_some()));
        if we_offer {
            self.tell_ours(&ours);
        }
        self.run_for(SIGNALLING);
        let theirs = self.their_parameters.clone().unwrap();
        let now = Instant::now();
        self.agent.set_remote_parameters(now, theirs, false);
        if !we_offer {
            self.agent.set_local_parameters(now, ours.clone());
        }
        self.agent.commit(now);
        self.is_given = true;
        for candidate in std::mem::take(&mut self.theirs) {
            self.agent.add_remote_candidate(now, None, candidate).unwrap();
        }
        if !we_offer {
            self.run_for(SIGNALLING);
            self.tell_ours(&ours);
        }
    }

    fn tell_ours(&mut self, ours: &Parameters) {
        self.libnice.tell(&format!("remote {} {}", ours.username_fragment, ours.password));
        self.is_told = true;
        for candidate in std::mem::take(&mut self.ours) {
            self.libnice.tell(&candidate);
        }
    }

    fn on_line(&mut self, line: &str) {
        match line.split_once(' ').unwrap() {
            ("credentials", both) => {
                let (username_fragment, password) = both.split_once(' ').unwrap();
                let (username_fragment, password) = (username_fragment.into(), password.into());
                self.their_parameters = Some(Parameters { username_fragment, password });
            }
            ("candidate", text) => {
                let candidate = parse(text);
                if self.is_given {
                    self.agent.add_remote_candidate(Instant::now(), None, candidate).unwrap();
                } else {
                    self.theirs.push(candidate);
                }
            }
            ("unsent", _) => self.unsent += 1,
            ("state", state) => self.trace.push(format!("libnice {state}")),
            _ => panic!("{line}"),
        }
    }

    /// The state of libnice's component.
    pub(crate) fn libnice_is(&self, state: &str) -> bool {
        let last = self.trace.iter().rev().find_map(|line| line.strip_prefix("libnice "));
        last == Some(state)
    }

    // ----- time

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Runs until it holds; false if it does not within the time.
    pub(crate) fn run_until(&mut self, within: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let end = Instant::now() + within;
        loop {
            self.settle();
            let now = Instant::now();
            if holds(self) || now >= end {
                return holds(self);
            }
            let next = [self.agent.poll_timeout(), self.next_data, Some(end)];
            let next = next.into_iter().flatten().min().unwrap();
            if let Ok(input) = self.inputs.recv_timeout(next.saturating_duration_since(now)) {
                self.on_input(input);
            }
            let now = Instant::now();
            self.agent.handle_timeout(now);
            if let Some(at) = self.next_data.filter(|at| *at <= now) {
                self.next_data = Some(at + INTERVAL);
                self.send_data(now);
            }
        }
    }

    pub(crate) fn begin_stream(&mut self) {
        self.next_data = Some(Instant::now());
    }

    /// Nothing more is sent, and what is under way comes back.
    pub(crate) fn end_stream(&mut self) {
        self.next_data = None;
        self.run_until(Duration::from_secs(2), |call| call.returned.len() == call.sent as usize);
    }

    fn send_data(&mut self, now: Instant) {
        let mut payload = vec![DATA_BYTE];
        payload.extend(self.sent.to_be_bytes());
        match self.agent.send(now, Bytes::from(payload)) {
            Some(transmit) => {
                self.sent += 1;
                self.transmit(transmit);
            }
            None => self.stuck += 1,
        }
    }

    fn on_input(&mut self, input: Input) {
        let now = Instant::now();
        match input {
            Input::Said(line) => self.on_line(&line),
            Input::Datagram(socket, from, payload) => self.take(now, socket, from, &payload),
            Input::Accepted(listener, stream, remote) => {
                let socket = self.open(stream);
                self.agent.accepted(now, listener, socket, remote);
            }
            Input::Bytes(socket, bytes) => {
                self.agent.handle_stream(socket, &bytes);
                while let Some((from, message)) = self.agent.next_message(now, socket) {
                    self.take(now, socket, from, &message);
                }
            }
            Input::Ended(socket) => {
                if self.sockets.remove(&socket).is_some() {
                    self.agent.socket_closed(now, socket);
                }
            }
        }
    }

    fn take(&mut self, now: Instant, socket: SocketId, from: SocketAddr, payload: &[u8]) {
        if payload.first() != Some(&DATA_BYTE) {
            self.agent.handle_stun(now, socket, from, payload);
        } else if self.agent.data_received(now, socket, from, payload.len()) {
            self.returned.insert(u32::from_be_bytes(payload[1..].try_into().unwrap()));
        } else {
            self.refused += 1;
        }
    }

    /// Does what our agent asks for.
    fn settle(&mut self) {
        loop {
            while let Some(transmit) = self.agent.poll_transmit() {
                self.transmit(transmit);
            }
            let Some(event) = self.agent.poll_event() else { return };
            self.on_event(event);
        }
    }

    fn transmit(&mut self, transmit: Transmit) {
        if self.is_mute {
            return;
        }
        // A packet that is not sent is a packet that is lost.
        match self.sockets.get_mut(&transmit.socket) {
            Some(Socket::Udp(socket)) => {
                let _ = socket.send_to(&transmit.payload, transmit.destination);
            }
            Some(Socket::Connection(stream)) => {
                let _ = stream.write_all(&transmit.payload);
            }
            Some(Socket::Listener) | None => panic!("no such socket"),
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Gather { generation } => self.gather(generation),
            Event::LocalCandidate { candidate, .. } => {
                let line = format!("candidate {}", text(&candidate));
                if self.is_told {
                    self.libnice.tell(&line);
                } else {
                    self.ours.push(line);
                }
            }
            Event::Connect { generation, connection, remote, .. } => {
                let stream = TcpStream::connect_timeout(&remote, Duration::from_secs(1));
                let opened = stream.map_err(|error| error.to_string()).map(|stream| {
                    let local = stream.local_addr().unwrap();
                    (self.open(stream), local)
                });
                let opened = opened.as_ref().map(|opened| *opened).map_err(String::as_str);
                self.agent.connected(Instant::now(), generation, connection, opened);
            }
            Event::StateChange { state, selected_pair } => {
                if let Some(pair) = selected_pair {
                    let pair = pair.map(|pair| format!("pair {} - {}", pair.local, pair.remote));
                    self.trace.push(pair.unwrap_or("no pair".to_owned()));
                }
                self.trace.extend(state.map(|state| format!("state {state}")));
            }
            Event::CloseSocket(socket) => {
                if let Some(Socket::Connection(stream)) = self.sockets.remove(&socket) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
            _ => {}
        }
    }

    // ----- sockets

    fn new_socket(&mut self) -> SocketId {
        self.next_socket += 1;
        SocketId(self.next_socket)
    }

    fn gather(&mut self, generation: GenerationId) {
        let id = self.new_socket();
        let now = Instant::now();
        if self.is_tcp {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            self.agent.add_listener(now, generation, id, listener.local_addr().unwrap());
            self.sockets.insert(id, Socket::Listener);
            let input = self.input.clone();
            std::thread::spawn(move || {
                while let Ok((stream, remote)) = listener.accept()
                    && input.send(Input::Accepted(id, stream, remote)).is_ok()
                {}
            });
        } else {
            let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
            socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            self.agent.add_socket(now, generation, id, socket.local_addr().unwrap());
            let (weak, input) = (Arc::downgrade(&socket), self.input.clone());
            std::thread::spawn(move || receive(id, &weak, &input));
            self.sockets.insert(id, Socket::Udp(socket));
        }
        self.agent.gathering_done(now, generation);
    }

    fn open(&mut self, stream: TcpStream) -> SocketId {
        let id = self.new_socket();
        stream.set_nodelay(true).unwrap();
        let (mut reader, input) = (stream.try_clone().unwrap(), self.input.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if input.send(Input::Bytes(id, buffer[..length].to_vec())).is_err() {
                    return;
                }
            }
            let _ = input.send(Input::Ended(id));
        });
        self.sockets.insert(id, Socket::Connection(stream));
        id
    }
}

/// Until the socket is closed, which the thread sees when nothing comes for a while.
fn receive(id: SocketId, socket: &Weak<UdpSocket>, input: &Sender<Input>) {
    let mut buffer = [0; 2048];
    while let Some(socket) = socket.upgrade() {
        if let Ok((length, from)) = socket.recv_from(&mut buffer)
            && input.send(Input::Datagram(id, from, buffer[..length].to_vec())).is_err()
        {
            return;
        }
    }
}

/// RFC 8839 §5.1 and RFC 6544 §4.5, without `candidate:`. There are host candidates only.
fn text(candidate: &Candidate) -> String {
    let Candidate { foundation, component, priority, address, port, .. } = candidate;
    let (protocol, tcp_type) = match candidate.tcp_type {
        None => ("udp", ""),
        Some(TcpType::Active) => ("tcp", " tcptype active"),
        Some(TcpType::Passive) => ("tcp", " tcptype passive"),
        Some(TcpType::SimultaneousOpen) => ("tcp", " tcptype so"),
    };
    format!("{foundation} {component} {protocol} {priority} {address} {port} typ host{tcp_type}")
}

fn parse(candidate: &str) -> Candidate {
    let words: Vec<_> = candidate.split(' ').collect();
    let [foundation, component, protocol, priority, address, port, "typ", "host", ..] = words[..]
    else {
        panic!("no host candidate: {candidate}")
    };
    let tcp_type = match words[8..] {
        [] => None,
        ["tcptype", "active"] => Some(TcpType::Active),
        ["tcptype", "passive"] => Some(TcpType::Passive),
        ["tcptype", "so"] => Some(TcpType::SimultaneousOpen),
        _ => panic!("{candidate}"),
    };
    let is_tcp = protocol.eq_ignore_ascii_case("tcp");
    assert_eq!(is_tcp, tcp_type.is_some(), "{candidate}");
    Candidate {
        foundation: foundation.to_owned(),
        component: component.parse().unwrap(),
        protocol: if is_tcp { Protocol::Tcp } else { Protocol::Udp },
        priority: priority.parse().unwrap(),
        address: CandidateAddress::Ip(address.parse().unwrap()),
        port: port.parse().unwrap(),
        kind: CandidateKind::Host,
        related: None,
        tcp_type,
        server: None,
    }
}
