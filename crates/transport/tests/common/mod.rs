//! Two transports, one virtual clock and a simulated link: everything repeats from a seed.
#![allow(dead_code, unreachable_pub)]

pub mod runs;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use peerconnection_transport::{
    Certificate, ChannelConfig, Config, DtlsRole, DtlsState, Event, Fingerprint, MessageKind,
    SctpParameters, SctpState, Transport, data,
};

/// What a datagram takes there and back over the default [`Link`].
pub const RTT: Duration = Duration::from_millis(20);

/// SplitMix64.
#[derive(Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn chance(&mut self, percent: f64) -> bool {
        (self.below(1_000_000) as f64) < percent * 10_000.0
    }
}

/// What happens to datagrams.
#[derive(Clone, Copy)]
pub struct Link {
    pub delay: Duration,
    pub jitter: Duration,
    /// Percent.
    pub loss: f64,
    pub duplicate: f64,
    pub corrupt: f64,
    /// Nothing passes.
    pub dead: bool,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            loss: 0.0,
            duplicate: 0.0,
            corrupt: 0.0,
            dead: false,
        }
    }
}

/// Arrival, a number that keeps the order, the receiver, which of its transports, the datagram.
type Flight = (Instant, u64, usize, u32, Vec<u8>);

pub struct Sim {
    pub start: Instant,
    pub now: Instant,
    pub peers: [Transport; 2],
    /// How often each side has moved on to another transport.
    pub moves: [u32; 2],
    pub link: Link,
    /// No datagram may be larger.
    pub largest_datagram: usize,
    /// Both sides give memory back again and again, whatever they are about to do.
    pub rests: bool,
    /// Which datagram is lost, counted from 0.
    pub lost: Option<usize>,
    pub events: [Vec<Event>; 2],
    /// When each event came.
    pub times: [Vec<Duration>; 2],
    pub datagrams: [usize; 2],
    pub rng: Rng,
    flying: BinaryHeap<Reverse<Flight>>,
    sequence: u64,
}

/// Certificates are made once: their randomness does not matter here.
fn certificate(index: usize) -> Certificate {
    static CERTIFICATES: OnceLock<[Certificate; 2]> = OnceLock::new();
    CERTIFICATES.get_or_init(|| [0, 1].map(|_| Certificate::generate(SystemTime::now()).unwrap()))
        [index]
        .clone()
}

pub fn config(index: usize) -> Config {
    Config { deterministic: true, ..Config::new(certificate(index)) }
}

impl Sim {
    pub fn new(seed: u64) -> Self {
        Self::with_configs(seed, config(0), config(1))
    }

    pub fn with_configs(seed: u64, a: Config, b: Config) -> Self {
        let start = Instant::now();
        let seeds = |who: u8| {
            let mut bytes = [who; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            bytes[8..16].copy_from_slice(&Rng(seed + u64::from(who)).next().to_le_bytes());
            bytes
        };
        Self {
            start,
            now: start,
            peers: [Transport::new(a, seeds(1)), Transport::new(b, seeds(2))],
            moves: [0; 2],
            link: Link::default(),
            largest_datagram: 1200,
            rests: false,
            lost: None,
            events: Default::default(),
            times: Default::default(),
            datagrams: [0; 2],
            rng: Rng(seed),
            flying: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// Both sides know everything; the first is the DTLS client.
    pub fn begin(&mut self) {
        self.begin_dtls();
        for i in 0..2 {
            self.peers[i].start_sctp(self.now, SctpParameters::default());
        }
    }

    pub fn begin_dtls(&mut self) {
        self.begin_dtls_with([DtlsRole::Client, DtlsRole::Server]);
    }

    pub fn begin_dtls_with(&mut self, roles: [DtlsRole; 2]) {
        let prints: Vec<_> =
            self.peers.iter().map(|peer| peer.certificate().fingerprints()).collect();
        for (i, role) in roles.into_iter().enumerate() {
            self.peers[i].set_writable(self.now, true);
            self.peers[i].start_dtls(self.now, role, prints[1 - i].clone());
        }
    }

    /// Begins DTLS with a description that shows one side a wrong fingerprint.
    pub fn begin_dtls_deceiving(&mut self, deceived: usize) {
        let wrong = vec![Fingerprint { algorithm: "sha-256".to_owned(), value: vec![7; 32] }];
        let right: Vec<_> =
            self.peers.iter().map(|peer| peer.certificate().fingerprints()).collect();
        for (i, role) in [DtlsRole::Client, DtlsRole::Server].into_iter().enumerate() {
            let prints = if i == deceived { wrong.clone() } else { right[1 - i].clone() };
            self.peers[i].set_writable(self.now, true);
            self.peers[i].start_dtls(self.now, role, prints);
        }
    }

    /// Moves the channels of one side to a transport that has not begun. Returns the last
    /// transport; whatever is on its way to that is lost.
    pub fn move_channels(&mut self, who: usize, config: Config) -> Transport {
        let mut next = Transport::new(config, [self.rng.next() as u8; 32]);
        next.take_channels_of(self.now, &mut self.peers[who]);
        self.moves[who] += 1;
        std::mem::replace(&mut self.peers[who], next)
    }

    /// A connection with one open reliable channel 0.
    pub fn connected(seed: u64) -> Self {
        Self::connected_with(seed, ChannelConfig::default())
    }

    pub fn connected_with(seed: u64, config: ChannelConfig) -> Self {
        Self::new(seed).connect(config)
    }

    /// Both sides begin, and channel 0 is opened.
    pub fn connect(mut self, config: ChannelConfig) -> Self {
        self.begin();
        self.open(0, 0, config);
        self.run_until(|sim| (0..2).all(|i| sim.is_open(i, 0)));
        self
    }

    pub fn open(&mut self, who: usize, id: u16, config: ChannelConfig) {
        self.peers[who].open_channel(self.now, id, config).unwrap();
    }

    pub fn send(&mut self, who: usize, id: u16, data: impl Into<Bytes>) {
        self.peers[who].send(self.now, id, MessageKind::Binary, data.into()).unwrap();
    }

    pub fn close(&mut self, who: usize, id: u16) {
        self.peers[who].close_channel(self.now, id);
    }

    pub fn saw(&self, who: usize, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events[who].iter().any(wanted)
    }

    pub fn is_open(&self, who: usize, id: u16) -> bool {
        self.saw(who, |event| *event == Event::Data(data::Event::ChannelOpen { id }))
    }

    pub fn is_closed(&self, who: usize, id: u16) -> bool {
        self.saw(who, |event| *event == Event::Data(data::Event::ChannelClosed { id }))
    }

    fn count(&self, who: usize, wanted: &Event) -> usize {
        self.events[who].iter().filter(|event| *event == wanted).count()
    }

    /// DTLS handshakes of a side that succeeded.
    pub fn handshakes(&self, who: usize) -> usize {
        self.count(who, &Event::DtlsStateChange(DtlsState::Connected))
    }

    /// SCTP associations of a side that were established.
    pub fn associations(&self, who: usize) -> usize {
        self.count(who, &Event::Data(data::Event::SctpStateChange(SctpState::Connected, None)))
    }

    pub fn messages(&self, who: usize, channel: u16) -> Vec<Bytes> {
        self.events[who]
            .iter()
            .filter_map(|event| match event {
                Event::Data(data::Event::Message { id, data, .. }) if *id == channel => {
                    Some(data.clone())
                }
                _ => None,
            })
            .collect()
    }

    pub fn texts(&self, who: usize, channel: u16) -> Vec<String> {
        self.messages(who, channel)
            .iter()
            .map(|data| String::from_utf8_lossy(data).into_owned())
            .collect()
    }

    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    pub fn is_connected(&self) -> bool {
        self.peers.iter().all(|peer| {
            peer.dtls_state() == DtlsState::Connected
                && peer.sctp_state() == Some(SctpState::Connected)
        })
    }

    /// Takes what both sides have to say at this moment.
    pub fn flush(&mut self) {
        for i in 0..2 {
            while let Some(datagram) = self.peers[i].poll_transmit() {
                self.datagrams[i] += 1;
                self.transmit(1 - i, datagram.to_vec());
            }
            while let Some(event) = self.peers[i].poll_event() {
                self.events[i].push(event);
                self.times[i].push(self.now - self.start);
            }
        }
    }

    pub fn transmit(&mut self, to: usize, mut datagram: Vec<u8>) {
        assert!(datagram.len() <= self.largest_datagram, "{}", datagram.len());
        let is_lost = self.lost.is_some_and(|lost| lost + 1 == self.datagrams.iter().sum());
        if is_lost || self.link.dead || self.rng.chance(self.link.loss) {
            return;
        }
        if self.rng.chance(self.link.corrupt) {
            let at = self.rng.below(datagram.len() as u64) as usize;
            datagram[at] ^= 1 << self.rng.below(8);
        }
        let copies = if self.rng.chance(self.link.duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            let jitter = self.link.jitter.as_micros() as u64;
            let extra = Duration::from_micros(if jitter == 0 { 0 } else { self.rng.below(jitter) });
            self.sequence += 1;
            let arrival = self.now + self.link.delay + extra;
            let transport = self.moves[1 - to];
            self.flying.push(Reverse((arrival, self.sequence, to, transport, datagram.clone())));
        }
    }

    /// Everything under way is lost.
    pub fn drop_flying(&mut self) {
        self.flying.clear();
    }

    /// Goes on to the next thing that happens. False when nothing will before `limit`.
    pub fn step(&mut self, limit: Instant) -> bool {
        self.flush();
        if self.rests {
            let who = self.rng.below(4) as usize;
            self.peers.get_mut(who).into_iter().for_each(Transport::rest);
        }
        let arrival = self.flying.peek().map(|Reverse((at, ..))| *at);
        let timers = self.peers.iter().filter_map(Transport::poll_timeout);
        let Some(next) = arrival.into_iter().chain(timers).min().filter(|at| *at <= limit) else {
            self.now = limit;
            return false;
        };
        self.now = self.now.max(next);
        while let Some(Reverse((at, ..))) = self.flying.peek()
            && *at <= self.now
        {
            let Reverse((_, _, to, transport, datagram)) = self.flying.pop().unwrap();
            if self.moves[to] == transport {
                self.peers[to].handle_datagram(self.now, &datagram);
            }
        }
        for peer in &mut self.peers {
            if peer.poll_timeout().is_some_and(|at| at <= self.now) {
                peer.handle_timeout(self.now);
                let next = peer.poll_timeout();
                assert!(next.is_none_or(|at| at > self.now), "a timer that never rests");
            }
        }
        true
    }

    pub fn run(&mut self, duration: Duration) {
        let limit = self.now + duration;
        while self.step(limit) {}
        self.flush();
    }

    /// Runs until `done`. It fails after a minute without that.
    pub fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        self.run_until_within(Duration::from_secs(60), done);
    }

    pub fn run_until_within(&mut self, duration: Duration, done: impl Fn(&Self) -> bool) {
        let limit = self.now + duration;
        loop {
            self.flush();
            if done(self) {
                return;
            }
            if !self.step(limit) {
                self.flush();
                if !done(self) && std::env::var_os("SIM_DEBUG").is_some() {
                    eprintln!("{:#?}", self.peers);
                }
                assert!(done(self), "not within {duration:?}: {:?}", self.summary());
                return;
            }
        }
    }

    fn summary(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|events| {
                let tail = events.len().saturating_sub(12);
                format!("{:?}", &events[tail..]).chars().take(2000).collect()
            })
            .collect()
    }
}

/// One DTLS record as it is on the wire, version 1.2.
pub fn dtls_record(kind: u8, epoch: u16, sequence: u16, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 0xfe, 0xfd];
    record.extend_from_slice(&epoch.to_be_bytes());
    record.extend_from_slice(&[0, 0, 0, 0]);
    record.extend_from_slice(&sequence.to_be_bytes());
    record.extend_from_slice(&(body.len() as u16).to_be_bytes());
    record.extend_from_slice(body);
    record
}
