//! No record costs an allocation, with either version: those that are sent share blocks of memory,
//! those that come are opened in memory that is used again.

use std::time::{Instant, SystemTime};

use allocation_counter::measure;
use peerconnection_dtls::{
    Certificate, Config, Connection, Datagram, DtlsRole, DtlsState, DtlsVersion, DtlsVersions,
    Output,
};

/// Records of one pass.
const RECORDS: usize = 50;

fn connected(now: Instant, versions: DtlsVersions) -> [Connection; 2] {
    let certificates =
        [0, 1].map(|_| Certificate::generate(SystemTime::now()).expect("a certificate"));
    let mut peers =
        certificates.clone().map(|own| Connection::new(&Config { versions, ..Config::new(own) }));
    for (at, role) in [DtlsRole::Client, DtlsRole::Server].into_iter().enumerate() {
        peers[at].set_writable(now, true, &mut |_| {});
        peers[at].start(now, role, certificates[1 - at].fingerprints(), &mut |_| {});
    }
    for from in [0, 1, 0, 1, 0, 1] {
        while let Some(datagram) = peers[from].poll_transmit() {
            peers[1 - from].handle_datagram(now, &datagram, &mut |_| {});
        }
    }
    assert!(peers.iter().all(|peer| peer.state() == DtlsState::Connected));
    peers
}

#[test]
fn a_record_costs_no_allocation() {
    let now = Instant::now();
    for (versions, version) in
        [(DtlsVersions::Dtls13, DtlsVersion::Dtls13), (DtlsVersions::Dtls12, DtlsVersion::Dtls12)]
    {
        let [mut from, mut to] = connected(now, versions);
        assert_eq!(from.version(), Some(version));
        let data = [7; 1_100];
        let mut datagrams: Vec<Datagram> = Vec::with_capacity(RECORDS);
        // The first pass makes room for the others.
        for pass in 0..4 {
            datagrams.clear();
            let sent = measure(|| {
                for _ in 0..RECORDS {
                    from.send(&data, &mut |_| {});
                }
                datagrams.extend(std::iter::from_fn(|| from.poll_transmit()));
            });
            assert_eq!(datagrams.len(), RECORDS);
            let mut octets = 0;
            let opened = measure(|| {
                for datagram in &datagrams {
                    to.handle_datagram(now, datagram, &mut |output| {
                        if let Output::Data(data) = output {
                            octets += data.len();
                        }
                    });
                }
            });
            assert_eq!(octets, RECORDS * data.len());
            if pass > 0 {
                assert_eq!(opened.count_total, 0, "{version:?}");
                // Blocks that grow up to 64 KiB, and what counts their parts.
                assert!(sent.count_total <= 16, "{version:?}: {}", sent.count_total);
            }
            from.end_pass();
        }
    }
}
