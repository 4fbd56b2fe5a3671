//! Datagrams that nobody honest sends.

mod common;

use std::time::Duration;

use common::runs::assert_unharmed_by;
use common::{Sim, dtls_record};
use peerconnection_transport::{ChannelConfig, DtlsRole, DtlsState};
use proptest::prelude::*;

/// Something whose first byte makes it look like DTLS.
fn dtls_like() -> impl Strategy<Value = Vec<u8>> {
    (20u8..64, prop::collection::vec(any::<u8>(), 0..300)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

/// A well-formed record header around anything, of any content type and epoch.
fn record() -> impl Strategy<Value = Vec<u8>> {
    (
        prop::sample::select(vec![20u8, 21, 22, 23]),
        0u16..4,
        any::<u16>(),
        prop::collection::vec(any::<u8>(), 0..200),
    )
        .prop_map(|(kind, epoch, sequence, body)| dtls_record(kind, epoch, sequence, &body))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn garbage_does_not_harm_a_connection(
        garbage in prop::collection::vec(dtls_like(), 1..10),
    ) {
        assert_unharmed_by(Sim::connected(1), &garbage);
    }

    #[test]
    fn forged_records_do_not_harm_a_connection(
        garbage in prop::collection::vec(record(), 1..10),
    ) {
        assert_unharmed_by(Sim::connected(1), &garbage);
    }

    #[test]
    fn garbage_before_and_during_the_handshake_does_not_panic(
        garbage in prop::collection::vec(prop_oneof![dtls_like(), record()], 1..20),
        seed in 0u64..100,
    ) {
        let mut sim = Sim::new(seed);
        let mut garbage = garbage.iter().cycle();
        sim.begin();
        sim.open(0, 0, ChannelConfig::default());
        for _ in 0..30 {
            for who in 0..2 {
                if let Some(datagram) = garbage.next() {
                    let now = sim.now;
                    sim.peers[who].handle_datagram(now, datagram);
                }
            }
            sim.run(Duration::from_millis(3));
        }
        sim.run(Duration::from_secs(5));
        for peer in &sim.peers {
            // Whatever became of it, the state says so.
            prop_assert_ne!(peer.dtls_state(), DtlsState::New);
        }
    }
}

#[test]
fn changed_datagrams_only_delay() {
    for seed in 0..40 {
        let mut sim = Sim::connected(seed);
        sim.link.corrupt = 30.0;
        for i in 0..50 {
            sim.send(0, 0, format!("{i:0500}"));
        }
        sim.run_until_within(Duration::from_secs(120), |sim| sim.messages(1, 0).len() == 50);
    }
}

#[test]
fn replayed_datagrams_change_nothing() {
    let mut sim = Sim::connected(1);
    let mut recorded = Vec::new();
    for i in 0..20 {
        sim.send(0, 0, format!("{i}"));
        while let Some(datagram) = sim.peers[0].poll_transmit() {
            recorded.push(datagram.to_vec());
            sim.transmit(1, datagram.to_vec());
        }
        sim.run(Duration::from_millis(30));
    }
    for _ in 0..3 {
        for datagram in &recorded {
            let now = sim.now;
            sim.peers[1].handle_datagram(now, datagram);
        }
    }
    sim.run(Duration::from_secs(1));
    assert_eq!(sim.messages(1, 0).len(), 20);
}

#[test]
fn garbage_instead_of_a_server_hello_does_not_end_the_handshake() {
    let mut sim = Sim::new(1);
    sim.begin();
    sim.flush();
    for garbage in [&[22u8; 100][..], &[23], &[0x2f; 50], &[20; 13]] {
        let now = sim.now;
        sim.peers[0].handle_datagram(now, garbage);
    }
    sim.run_until_within(Duration::from_secs(1), Sim::is_connected);
}

#[test]
fn a_peer_that_disappears_in_the_handshake_is_given_up_in_the_end() {
    let mut sim = Sim::new(1);
    sim.begin();
    sim.run(Duration::from_millis(15));
    sim.link.dead = true;
    sim.drop_flying();
    sim.run_until_within(Duration::from_secs(200), |sim| {
        sim.peers[0].dtls_state() == DtlsState::Failed
    });
    assert!(sim.elapsed() > Duration::from_secs(30));
}

/// Somebody sends media before the answer: it takes no room that DTLS needs.
#[test]
fn datagrams_of_other_protocols_do_not_crowd_out_an_early_client_hello() {
    let mut sim = Sim::new(1);
    let prints = [0, 1].map(|who| sim.peers[who].certificate().fingerprints());
    let [of_client, of_server] = prints;
    let now = sim.now;
    for first in (0..20u8).chain(64..=255) {
        sim.peers[1].handle_datagram(now, &[first; 100]);
    }
    sim.peers[1].handle_datagram(now, &[]);
    sim.peers[0].set_writable(now, true);
    sim.peers[0].start_dtls(now, DtlsRole::Client, of_server);
    sim.run(Duration::from_millis(20));
    let now = sim.now;
    sim.peers[1].set_writable(now, true);
    sim.peers[1].start_dtls(now, DtlsRole::Server, of_client);
    sim.run_until(|sim| sim.peers.iter().all(|peer| peer.dtls_state() == DtlsState::Connected));
    assert!(sim.elapsed() < Duration::from_millis(100), "without a retransmission");
}
