//! What an association costs: one thread, a virtual clock, no DTLS and no network. A packet takes
//! 20 µs to the peer and another 20 µs back, as over loopback, so no controller has anything to do.

use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use peerconnection_data::CongestionControl::{self, Bbr, Cubic, NewReno};
use peerconnection_data::{
    Beginning, ChannelConfig, Channels, Config, Event, MessageKind, SctpParameters,
};

const CHANNEL: u16 = 0;
/// Bytes of messages for each measurement, and how many may wait in the channel.
const TOTAL: usize = 4 << 20;
const BUFFERED: u64 = 1 << 20;
const ONE_WAY: Duration = Duration::from_micros(20);
/// As many packets leave in one system call.
const BATCH: usize = 40;

/// Two peers with a channel.
struct Pair {
    peers: [Channels; 2],
    now: Instant,
    /// Packets on their way, and buffers to be used again.
    packets: Vec<Vec<u8>>,
    spare: Vec<Vec<u8>>,
}

impl Pair {
    fn new(congestion_control: CongestionControl) -> Self {
        let config = Config { congestion_control, ..Config::default() };
        let peers = [Channels::new(config), Channels::new(config)];
        let mut pair = Self { peers, now: Instant::now(), packets: Vec::new(), spare: Vec::new() };
        for (side, peer) in pair.peers.iter_mut().enumerate() {
            peer.set_parameters(SctpParameters::default());
            let tag = side as u32 + 1;
            let beginning = Beginning {
                is_client: side == 0,
                waits: side != 0,
                packet_size: 1176,
                tag,
                initial_tsn: tag,
            };
            peer.begin(pair.now, &beginning);
            let config = ChannelConfig { negotiated: true, ..ChannelConfig::default() };
            peer.open(CHANNEL, config).expect("a free id");
        }
        let mut open = 0;
        while open < 2 {
            pair.step(|event| open += usize::from(matches!(event, Event::ChannelOpen { .. })));
        }
        pair
    }

    /// Carries a batch of packets to the peer.
    fn carry(&mut self, from: usize) {
        while self.packets.len() < BATCH {
            let mut packet = self.spare.pop().unwrap_or_default();
            if !self.peers[from].write_packet(self.now, &mut packet) {
                self.spare.push(packet);
                break;
            }
            self.packets.push(packet);
        }
        self.now += ONE_WAY;
        for packet in self.packets.drain(..) {
            self.peers[1 - from].handle_packet(self.now, &packet);
            self.spare.push(packet);
        }
    }

    /// Sends [`TOTAL`] bytes in such messages, until all of them have arrived.
    fn transfer(&mut self, message: &Bytes) {
        let (mut left, mut received) = (TOTAL, 0);
        while received < TOTAL {
            while left > 0 && self.peers[0].buffered_amount(CHANNEL) < BUFFERED {
                self.peers[0]
                    .send(self.now, CHANNEL, MessageKind::Binary, message.clone())
                    .expect("an open channel");
                left -= message.len();
            }
            self.step(|event| {
                if let Event::Message { data, .. } = event {
                    received += data.len();
                }
            });
        }
    }

    /// Carries a batch each way, and passes on what comes of it.
    fn step(&mut self, mut on_event: impl FnMut(Event)) {
        for from in [0, 1] {
            self.carry(from);
        }
        for peer in &mut self.peers {
            if peer.poll_timeout().is_some_and(|at| at <= self.now) {
                peer.handle_timeout(self.now);
            }
            while let Some(event) = peer.poll_event() {
                on_event(event);
            }
        }
    }
}

fn transfer(c: &mut Criterion) {
    let mut group = c.benchmark_group("transfer");
    group.throughput(Throughput::Bytes(TOTAL as u64)).sample_size(40);
    for size in [64 << 10, 1 << 10, 100] {
        let message = Bytes::from(vec![7; size]);
        for control in [NewReno, Cubic, Bbr] {
            let mut pair = Pair::new(control);
            group.bench_function(format!("{size} bytes, {control:?}"), |b| {
                b.iter(|| pair.transfer(&message));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, transfer);
criterion_main!(benches);
