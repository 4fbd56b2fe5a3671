//! What the stack costs by itself: one thread, a virtual clock, no network.

use std::hint::black_box;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bench::memory::Memory;
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use flate2::read::GzDecoder;
use futures::FutureExt;
use peerconnection::{RTCDataChannelInit, RTCPeerConnection};

/// Connections without the cost of making a certificate each.
fn pair() -> Memory {
    let certificate = RTCPeerConnection::generate_certificate(None).expect("a certificate");
    Memory::new(Some(&certificate)).expect("two connections")
}

fn negotiation(c: &mut Criterion) {
    let mut group = c.benchmark_group("negotiation");
    group.bench_function("createOffer", |b| {
        let mut memory = pair();
        memory.a.clear_on_negotiationneeded();
        memory.a.create_data_channel("x", None).expect("a channel");
        memory.settle();
        b.iter(|| {
            let offer = memory.a.create_offer(None);
            memory.step();
            offer.now_or_never().expect("settled").expect("an offer")
        });
    });
    group.bench_function("offer and answer", |b| {
        let certificate = RTCPeerConnection::generate_certificate(None).expect("a certificate");
        let fresh = || {
            let memory = Memory::new(Some(&certificate)).expect("two connections");
            memory.a.create_data_channel("x", None).expect("a channel");
            memory
        };
        b.iter_batched(
            fresh,
            |mut memory| {
                // Candidates and the first checks are of no interest here.
                while memory.a.current_remote_description().is_none() {
                    memory.step();
                }
                memory
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn descriptions(c: &mut Criterion) {
    let mut text = String::new();
    let file: &[u8] = include_bytes!("../../crates/sdp/tests/corpus/chromium.jsonl.gz");
    GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    let descriptions: Vec<String> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|object| object["sdp"].as_str().map(str::to_owned))
        .collect();
    let bytes: usize = descriptions.iter().map(String::len).sum();
    let mut group = c.benchmark_group("sdp");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("parse what Chromium wrote", |b| {
        b.iter(|| {
            for text in &descriptions {
                black_box(sdp::Description::parse(text).expect("a description"));
            }
        });
    });
    let parsed: Vec<_> =
        descriptions.iter().map(|text| sdp::Description::parse(text).expect("one")).collect();
    group.bench_function("write it again", |b| {
        b.iter(|| {
            for description in &parsed {
                black_box(description.to_string());
            }
        });
    });
    group.finish();
}

fn messages(c: &mut Criterion) {
    const TOTAL: u64 = 4 << 20;
    const QUEUED: u64 = 1 << 20;
    let mut group = c.benchmark_group("messages");
    group.throughput(Throughput::Bytes(TOTAL)).sample_size(20);
    for size in [1 << 10, 64 << 10] {
        let (mut memory, of_a, of_b) =
            Memory::connected(None, RTCDataChannelInit::default()).expect("a connection");
        let received = Arc::new(AtomicU64::new(0));
        let counter = received.clone();
        of_b.on_message(move |event| {
            counter.fetch_add(event.data().len() as u64, Ordering::Relaxed);
        });
        let message = Bytes::from(vec![7; size]);
        group.bench_function(format!("{size} bytes"), |b| {
            b.iter(|| {
                let goal = received.load(Ordering::Relaxed) + TOTAL;
                let mut left = TOTAL;
                while received.load(Ordering::Relaxed) < goal {
                    while left > 0 && of_a.buffered_amount() < QUEUED {
                        of_a.send(message.clone()).expect("an open channel");
                        left -= size as u64;
                    }
                    memory.wait(Duration::from_micros(50));
                    memory.step();
                }
            });
        });
    }
    group.finish();

    let (mut memory, of_a, of_b) =
        Memory::connected(None, RTCDataChannelInit::default()).expect("a connection");
    let echoed = Arc::new(AtomicU64::new(0));
    of_b.on_message(|event| {
        // If it cannot be sent, the measurement ends, which says enough.
        let _ = event.target().send(event.data().clone());
    });
    let counter = echoed.clone();
    of_a.on_message(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let message = Bytes::from(vec![1; 100]);
    c.bench_function("round trip of 100 bytes", |b| {
        b.iter(|| {
            let goal = echoed.load(Ordering::Relaxed) + 1;
            of_a.send(message.clone()).expect("an open channel");
            while echoed.load(Ordering::Relaxed) < goal {
                memory.step();
            }
        });
    });
}

fn setup(c: &mut Criterion) {
    let mut group = c.benchmark_group("setup");
    group.sample_size(20);
    group.bench_function("constructors to open channel", |b| {
        b.iter(|| Memory::connected(None, RTCDataChannelInit::default()).expect("a connection"));
    });
    let certificate = RTCPeerConnection::generate_certificate(None).expect("a certificate");
    group.bench_function("the same with a certificate at hand", |b| {
        b.iter(|| {
            Memory::connected(Some(&certificate), RTCDataChannelInit::default())
                .expect("a connection")
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1));
    targets = negotiation, descriptions, messages, setup
}
criterion_main!(benches);
