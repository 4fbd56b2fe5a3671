//! Flows over one link: each is two peers with two channels. One channel carries as much as it can,
//! the other asks and is answered.

use std::time::{Duration, Instant};

use peerconnection_data::{
    Beginning, ChannelConfig, Channels, Config, Event, MessageKind, SctpParameters,
};

use crate::link::{Conditions, Link, Packet};

const BULK: u16 = 0;
const ECHO: u16 = 2;
const MESSAGE: usize = 16 * 1024;
/// What the application keeps in the channel.
const BUFFERED: u64 = 512 * 1024;
/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// One flow.
pub(crate) struct Flow {
    pub(crate) peers: [Channels; 2],
    /// When it begins.
    begins: Instant,
    begun: bool,
    /// When the application sends nothing more, and when it goes on.
    pub(crate) pauses: Option<(Duration, Duration)>,
    /// Bytes of whole messages that arrived, by the second since the beginning of the run.
    pub(crate) received: Vec<u64>,
    /// How long each answer took, and when it came.
    pub(crate) round_trips: Vec<(Duration, Duration)>,
    next_question: Instant,
}

/// A run.
pub(crate) struct Run {
    pub(crate) link: Link,
    pub(crate) flows: Vec<Flow>,
    start: Instant,
    pub(crate) now: Instant,
    packet: Vec<u8>,
}

impl Run {
    pub(crate) fn new(conditions: Conditions, seed: u64) -> Self {
        let start = Instant::now();
        Self {
            link: Link::new(start, conditions, seed),
            flows: Vec::new(),
            start,
            now: start,
            packet: Vec::new(),
        }
    }

    /// Adds a flow whose sender is configured so and that begins then.
    pub(crate) fn add(&mut self, config: Config, after: Duration) {
        let begins = self.start + after;
        self.flows.push(Flow {
            peers: [Channels::new(config), Channels::new(config)],
            begins,
            begun: false,
            pauses: None,
            received: Vec::new(),
            round_trips: Vec::new(),
            next_question: begins + Duration::from_secs(1),
        });
    }

    fn begin(&mut self, flow: usize) {
        let now = self.now;
        self.flows[flow].begun = true;
        for (side, peer) in self.flows[flow].peers.iter_mut().enumerate() {
            peer.set_parameters(SctpParameters::default());
            let tag = 2 * flow as u32 + side as u32 + 1;
            let beginning = Beginning {
                is_client: side == 0,
                waits: side != 0,
                packet_size: 1176,
                tag,
                initial_tsn: tag,
            };
            peer.begin(now, &beginning);
            for id in [BULK, ECHO] {
                let config = ChannelConfig { negotiated: true, ..ChannelConfig::default() };
                peer.open(id, config).unwrap();
            }
        }
        self.settle(flow);
    }

    /// Until `time` after the beginning.
    pub(crate) fn until(&mut self, time: Duration) {
        let end = self.start + time;
        loop {
            let timers = self.flows.iter().flat_map(|flow| {
                let begins = (!flow.begun).then_some(flow.begins);
                let asks = flow.begun.then_some(flow.next_question);
                let timers = flow.peers.iter().filter_map(Channels::poll_timeout);
                timers.chain(begins).chain(asks)
            });
            let next = timers.chain(self.link.next_due()).min().unwrap_or(end);
            if next >= end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            while let Some(Packet { flow, to, bytes, .. }) = self.link.receive(self.now) {
                self.flows[flow].peers[to].handle_packet(self.now, &bytes);
                self.settle(flow);
            }
            for flow in 0..self.flows.len() {
                self.on_timers(flow);
            }
        }
    }

    /// From now on the packets of all flows take another path. What is under way arrives.
    pub(crate) fn change_path(&mut self, conditions: Conditions) {
        self.link.conditions = conditions;
        for flow in 0..self.flows.len() {
            for peer in &mut self.flows[flow].peers {
                peer.on_path_change(self.now);
            }
            self.settle(flow);
        }
    }

    fn on_timers(&mut self, flow: usize) {
        let now = self.now;
        let this = &mut self.flows[flow];
        if !this.begun {
            if this.begins <= now {
                self.begin(flow);
            }
            return;
        }
        let mut busy = false;
        if this.next_question <= now {
            this.next_question = now + ASK_EVERY;
            let stamp = (now - self.start).as_nanos() as u64;
            let question = [&stamp.to_be_bytes()[..], &[0; 92]].concat().into();
            let _ = this.peers[0].send(now, ECHO, MessageKind::Binary, question);
            busy = true;
        }
        for peer in &mut this.peers {
            if peer.poll_timeout().is_some_and(|at| at <= now) {
                peer.handle_timeout(now);
                busy = true;
            }
        }
        if busy {
            self.settle(flow);
        }
    }

    /// Everything that follows from what happened.
    fn settle(&mut self, flow: usize) {
        let (now, elapsed) = (self.now, self.now - self.start);
        loop {
            let mut silent = true;
            for side in 0..2 {
                let Flow { peers, received, round_trips, pauses, .. } = &mut self.flows[flow];
                let paused = pauses.is_some_and(|(from, to)| from <= elapsed && elapsed < to);
                while side == 0 && !paused && peers[0].buffered_amount(BULK) < BUFFERED {
                    let message = vec![0; MESSAGE].into();
                    if peers[0].send(now, BULK, MessageKind::Binary, message).is_err() {
                        break;
                    }
                }
                while peers[side].write_packet(now, &mut self.packet) {
                    silent = false;
                    self.link.send(now, flow, 1 - side, &self.packet);
                }
                while let Some(event) = peers[side].poll_event() {
                    silent = false;
                    match event {
                        Event::Message { id: BULK, data, .. } => {
                            let second = elapsed.as_secs() as usize;
                            received.resize(received.len().max(second + 1), 0);
                            received[second] += data.len() as u64;
                        }
                        Event::Message { id: ECHO, data, .. } if side == 1 => {
                            let _ = peers[1].send(now, ECHO, MessageKind::Binary, data);
                        }
                        Event::Message { id: ECHO, data, .. } => {
                            let stamp = u64::from_be_bytes(data[..8].try_into().unwrap());
                            round_trips.push((elapsed, elapsed - Duration::from_nanos(stamp)));
                        }
                        _ => {}
                    }
                }
            }
            if silent {
                return;
            }
        }
    }

    /// Mbit/s of a flow from one second to another.
    pub(crate) fn throughput(&self, flow: usize, from: usize, to: usize) -> f64 {
        let received = &self.flows[flow].received;
        let bytes: u64 = (from..to).filter_map(|second| received.get(second)).sum();
        bytes as f64 * 8.0 / 1e6 / (to - from) as f64
    }

    /// The round trip of the second channel in milliseconds that this share does not exceed, from
    /// `from` on.
    pub(crate) fn round_trip(&self, flow: usize, share: f64, from: Duration) -> f64 {
        let all = self.flows[flow].round_trips.iter().filter(|(at, _)| *at >= from);
        let mut all: Vec<_> = all.map(|(_, took)| *took).collect();
        all.sort();
        let index = ((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1));
        all.get(index).map_or(f64::INFINITY, |took| took.as_secs_f64() * 1e3)
    }
}
