//! What negotiation costs with many m= sections: one thread, no network. The time grows with the
//! number of sections, not with its square.

use std::time::Duration;

use bench::memory::Memory;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::FutureExt;
use peerconnection::{
    MediaKind, Promise, RTCCertificate, RTCPeerConnection, RTCSessionDescriptionInit,
};

/// Half of them audio, half of them video.
const SECTIONS: [usize; 3] = [2, 50, 400];

/// Connections that nobody listens to, the first with transceivers.
fn pair(certificate: &RTCCertificate, sections: usize) -> Memory {
    let mut memory = Memory::new(Some(certificate)).expect("two connections");
    for pc in [&memory.a, &memory.b] {
        pc.clear_on_negotiationneeded();
        pc.clear_on_icecandidate();
    }
    for index in 0..sections {
        let kind = if index % 2 == 0 { MediaKind::Audio } else { MediaKind::Video };
        memory.a.add_transceiver(kind, None).expect("a transceiver");
    }
    memory.settle();
    memory
}

fn settled<T>(memory: &mut Memory, promise: Promise<T>) -> T {
    memory.step();
    promise.now_or_never().expect("settled").expect("no error")
}

fn offer(memory: &mut Memory) -> RTCSessionDescriptionInit {
    let offer = memory.a.create_offer(None);
    settled(memory, offer)
}

fn set_local(memory: &mut Memory, pc: &RTCPeerConnection) -> RTCSessionDescriptionInit {
    let set = pc.set_local_description(None);
    settled(memory, set);
    pc.local_description().expect("it is set").into()
}

fn set_remote(memory: &mut Memory, pc: &RTCPeerConnection, description: RTCSessionDescriptionInit) {
    let set = pc.set_remote_description(description);
    settled(memory, set);
}

fn sections(c: &mut Criterion) {
    let certificate = RTCPeerConnection::generate_certificate(None).expect("a certificate");
    let mut group = c.benchmark_group("sections");
    group.sample_size(10);
    for sections in SECTIONS {
        group.throughput(Throughput::Elements(sections as u64));
        let id = |name: &str| BenchmarkId::new(name, sections);
        let mut memory = pair(&certificate, sections);
        group.bench_function(id("createOffer"), |b| b.iter(|| offer(&mut memory)));
        let offered = offer(&mut memory);
        group.bench_function(id("setLocalDescription, an offer"), |b| {
            let fresh = || {
                let mut memory = pair(&certificate, sections);
                let offer = offer(&mut memory);
                (memory, offer)
            };
            b.iter_batched(
                fresh,
                |(mut memory, offer)| {
                    let set = memory.a.set_local_description(offer);
                    settled(&mut memory, set);
                    memory
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_function(id("setRemoteDescription, an offer"), |b| {
            b.iter_batched(
                || (pair(&certificate, 0), offered.clone()),
                |(mut memory, offer)| {
                    let pc = memory.b.clone();
                    set_remote(&mut memory, &pc, offer);
                    memory
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_function(id("offer and answer, both ends"), |b| {
            b.iter_batched(
                || pair(&certificate, sections),
                |mut memory| {
                    let (a, b) = (memory.a.clone(), memory.b.clone());
                    let offer = set_local(&mut memory, &a);
                    set_remote(&mut memory, &b, offer);
                    let answer = set_local(&mut memory, &b);
                    set_remote(&mut memory, &a, answer);
                    memory
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1));
    targets = sections
}
criterion_main!(benches);
