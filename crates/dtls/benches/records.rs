//! Data between two sides on one thread, with DTLS 1.3 and 1.2, beside `dimpl` with 1.3, in turn. A
//! batch is what one pass of sending is: some datagrams that fill a path, or one small one.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use peerconnection_dtls::{
    Certificate, Config, Connection, DtlsRole, DtlsState, DtlsVersion, DtlsVersions, Output,
};

/// Octets of data in a full datagram of 1,200 octets with DTLS 1.3.
const FULL: usize = 1_200 - 22;
const BATCH: usize = 50;

fn certificates() -> [Certificate; 2] {
    [0, 1].map(|_| Certificate::generate(SystemTime::now()).expect("a certificate"))
}

/// Two sides of ours that are connected.
fn ours(now: Instant, versions: DtlsVersions) -> [Connection; 2] {
    let certificates = certificates();
    let mut peers =
        certificates.clone().map(|own| Connection::new(&Config { versions, ..Config::new(own) }));
    for (at, role) in [DtlsRole::Client, DtlsRole::Server].into_iter().enumerate() {
        peers[at].set_writable(now, true, &mut |_| {});
        peers[at].start(now, role, certificates[1 - at].fingerprints(), &mut |_| {});
    }
    for from in [0, 1, 0, 1] {
        while let Some(datagram) = peers[from].poll_transmit() {
            peers[1 - from].handle_datagram(now, &datagram, &mut |_| {});
        }
    }
    assert!(peers.iter().all(|peer| peer.state() == DtlsState::Connected));
    let version = match versions {
        DtlsVersions::Dtls12 => DtlsVersion::Dtls12,
        _ => DtlsVersion::Dtls13,
    };
    assert_eq!(peers[0].version(), Some(version));
    peers
}

fn ours_sends(peers: &mut [Connection; 2], now: Instant, data: &[u8], count: usize) {
    let [from, to] = peers;
    for _ in 0..count {
        from.send(data, &mut |_| {});
    }
    while let Some(datagram) = from.poll_transmit() {
        to.handle_datagram(now, &datagram, &mut |output| {
            if let Output::Data(data) = output {
                black_box(data);
            }
        });
    }
    from.end_pass();
}

/// Two sides of `dimpl` that are connected.
fn other(now: Instant) -> [dimpl::Dtls; 2] {
    let config = Arc::new(dimpl::Config::builder().mtu(1_200).build().expect("a configuration"));
    let mut peers = certificates().map(|own| {
        let own = dimpl::DtlsCertificate {
            certificate: own.der().to_vec(),
            private_key: own.private_key_der().to_vec(),
        };
        dimpl::Dtls::new_13(config.clone(), own, now)
    });
    peers[0].set_active(true);
    let mut buffer = vec![0; 4_000];
    for turn in 0..20 {
        let from = turn % 2;
        peers[from].handle_timeout(now).expect("time");
        loop {
            match peers[from].poll_output(&mut buffer) {
                dimpl::Output::Packet(packet) => {
                    let packet = packet.to_vec();
                    peers[1 - from].handle_packet(&packet).expect("a packet");
                }
                dimpl::Output::Timeout(_) => break,
                _ => {}
            }
        }
    }
    peers
}

fn other_sends(peers: &mut [dimpl::Dtls; 2], now: Instant, data: &[u8], count: usize) {
    let [from, to] = peers;
    let mut packets = Vec::with_capacity(count);
    let mut buffer = [0; 2_000];
    for _ in 0..count {
        from.send_application_data(data).expect("a record");
        while let dimpl::Output::Packet(packet) = from.poll_output(&mut buffer) {
            packets.push(packet.to_vec());
        }
    }
    for packet in &packets {
        to.handle_timeout(now).expect("time");
        to.handle_packet(packet).expect("a packet");
        loop {
            match to.poll_output(&mut buffer) {
                dimpl::Output::ApplicationData(data) => {
                    black_box(data);
                }
                dimpl::Output::Timeout(_) => break,
                _ => {}
            }
        }
    }
}

fn data(c: &mut Criterion) {
    let now = Instant::now();
    let (mut ours_13, mut other) = (ours(now, DtlsVersions::Dtls13), other(now));
    let mut ours_12 = ours(now, DtlsVersions::Dtls12);
    for (length, count) in [(FULL, BATCH), (100, 1)] {
        let data = vec![7; length];
        let mut group = c.benchmark_group(format!("{count} of {length}"));
        group.throughput(Throughput::Bytes((length * count) as u64));
        group.bench_function("ours", |b| {
            b.iter(|| ours_sends(&mut ours_13, now, &data, count));
        });
        group.bench_function("ours, DTLS 1.2", |b| {
            b.iter(|| ours_sends(&mut ours_12, now, &data, count));
        });
        group.bench_function("dimpl", |b| {
            b.iter(|| other_sends(&mut other, now, &data, count));
        });
        group.finish();
    }
}

criterion_group!(benches, data);
criterion_main!(benches);
