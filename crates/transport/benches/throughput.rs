//! One reliable ordered channel, both ends in memory and in this process.

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use peerconnection_transport::{
    Certificate, ChannelConfig, Config, DtlsRole, Event, MessageKind, SctpParameters, Transport,
    data,
};

/// Datagrams of one pass, as a receive with coalescing gives them.
const BATCH: usize = 40;

struct Pair {
    now: Instant,
    peers: [Transport; 2],
    received: usize,
}

impl Pair {
    fn connected() -> Self {
        let now = Instant::now();
        let mut peers = [1, 2].map(|seed| {
            let certificate = Certificate::generate(SystemTime::now()).expect("a certificate");
            Transport::new(Config::new(certificate), [seed; 32])
        });
        let prints: Vec<_> = peers.iter().map(|peer| peer.certificate().fingerprints()).collect();
        for (i, role) in [DtlsRole::Client, DtlsRole::Server].into_iter().enumerate() {
            let Some(peer) = peers.get_mut(i) else { continue };
            peer.start_dtls(now, role, prints[1 - i].clone());
            peer.start_sctp(now, SctpParameters::default());
            peer.set_writable(now, true);
        }
        peers[0].open_channel(now, 0, ChannelConfig::default()).expect("a channel");
        let mut pair = Self { now, peers, received: 0 };
        let mut open = false;
        while !open {
            pair.exchange(|event| {
                open |= matches!(event, Event::Data(data::Event::ChannelOpen { .. }))
            });
        }
        while pair.exchange(|_| ()) {}
        pair
    }

    /// Moves datagrams both ways once; false when there were none.
    fn exchange(&mut self, mut on_event: impl FnMut(&Event)) -> bool {
        let mut any = false;
        for forth in [true, false] {
            let [a, b] = &mut self.peers;
            let (from, to) = if forth { (a, b) } else { (b, a) };
            let mut count = 0;
            while let Some(datagram) = from.poll_transmit() {
                to.handle_datagram(self.now, &datagram);
                any = true;
                count += 1;
                if count == BATCH {
                    break;
                }
            }
            for peer in [from, to] {
                while let Some(event) = peer.poll_event() {
                    on_event(&event);
                    if let Event::Data(data::Event::Message { data, .. }) = event {
                        self.received += black_box(data).len();
                    }
                }
            }
        }
        any
    }

    /// Sends `total` bytes in messages of `size`, keeping a megabyte queued.
    fn transfer(&mut self, message: &Bytes, total: usize) {
        let mut left = total.div_ceil(message.len());
        let goal = self.received + left * message.len();
        while self.received < goal {
            while left > 0 && self.peers[0].buffered_amount(0) < 1 << 20 {
                left -= 1;
                let now = self.now;
                self.peers[0]
                    .send(now, 0, MessageKind::Binary, message.clone())
                    .expect("an open channel");
            }
            self.now += Duration::from_micros(50);
            let now = self.now;
            for peer in &mut self.peers {
                if peer.poll_timeout().is_some_and(|at| at <= now) {
                    peer.handle_timeout(now);
                }
            }
            self.exchange(|_| ());
        }
    }
}

fn throughput(c: &mut Criterion) {
    let mut group = c.benchmark_group("one channel");
    const TOTAL: usize = 8 << 20;
    group.throughput(Throughput::Bytes(TOTAL as u64)).sample_size(20);
    for size in [100, 1024, 16 * 1024, 64 * 1024] {
        let message = Bytes::from(vec![7; size]);
        let mut pair = Pair::connected();
        group.bench_function(format!("{size} bytes"), |b| {
            b.iter(|| pair.transfer(&message, TOTAL));
        });
    }
    group.finish();
}

fn round_trip(c: &mut Criterion) {
    let message = Bytes::from(vec![7; 100]);
    let mut pair = Pair::connected();
    c.bench_function("round trip of 100 bytes", |b| {
        b.iter(|| {
            for who in 0..2 {
                let goal = pair.received + 100;
                pair.now += Duration::from_micros(50);
                let now = pair.now;
                pair.peers[who]
                    .send(now, 0, MessageKind::Binary, message.clone())
                    .expect("an open channel");
                while pair.received < goal {
                    pair.exchange(|_| ());
                }
            }
        });
    });
}

fn setup(c: &mut Criterion) {
    let mut group = c.benchmark_group("setup");
    group.sample_size(20);
    group.bench_function("certificates, DTLS, SCTP, channel", |b| b.iter(Pair::connected));
    group.bench_function("a certificate", |b| {
        b.iter(|| Certificate::generate(black_box(SystemTime::now())));
    });
    group.finish();
}

criterion_group!(benches, throughput, round_trip, setup);
criterion_main!(benches);
