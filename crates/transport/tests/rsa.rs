//! RSA certificates, mostly with DTLS 1.2: everything that holds with others and 1.3 holds with these.

mod common;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use common::{Link, RTT, Sim, config, dtls_record, runs};
use peerconnection_transport::{
    Certificate, ChannelConfig, Config, DtlsError, DtlsRole, DtlsState, DtlsVersion, DtlsVersions,
    Event, Fingerprint, KeyAlgorithm, RsaKeySize, SctpError, SctpState, data,
};
use proptest::prelude::*;

fn certificate(index: usize) -> Certificate {
    static CERTIFICATES: OnceLock<[Certificate; 2]> = OnceLock::new();
    let certificates = CERTIFICATES.get_or_init(|| {
        [0, 1].map(|_| {
            let validity = Duration::from_secs(1000);
            let algorithm = KeyAlgorithm::Rsa(RsaKeySize::Bits2048);
            Certificate::generate_with(SystemTime::now(), validity, algorithm).unwrap()
        })
    });
    certificates[index].clone()
}

fn rsa(index: usize) -> Config {
    let dtls_versions = DtlsVersions::Dtls12;
    Config { deterministic: true, dtls_versions, ..Config::new(certificate(index)) }
}

fn sim(seed: u64) -> Sim {
    Sim::with_configs(seed, rsa(0), rsa(1))
}

fn connected(seed: u64) -> Sim {
    sim(seed).connect(ChannelConfig::default())
}

#[test]
fn both_layers_come_up_in_four_round_trips_without_a_timer() {
    // DTLS 1.2 takes two round trips, SCTP with the channel in its COOKIE ECHO one and a half.
    let sim = runs::assert_both_layers_come_up(sim(1));
    for peer in &sim.peers {
        assert!(peer.certificate().is_rsa());
        assert_eq!(peer.dtls_version(), Some(DtlsVersion::Dtls12));
    }
}

#[test]
fn a_tenth_of_all_datagrams_lost_only_delays() {
    (0..40).map(sim).for_each(runs::assert_loss_only_delays);
}

#[test]
fn a_third_of_all_datagrams_lost_delays_more() {
    for seed in 0..40 {
        let mut sim = sim(seed);
        sim.link.loss = 33.0;
        sim.begin_dtls();
        sim.run_until_within(Duration::from_secs(60), |sim| {
            sim.peers.iter().all(|peer| peer.dtls_state() == DtlsState::Connected)
        });
    }
}

#[test]
fn reordered_duplicated_and_corrupted_flights_do_no_harm() {
    for seed in 0..60 {
        let mut sim = sim(seed);
        sim.link = Link { jitter: Duration::from_millis(30), duplicate: 30.0, ..Link::default() };
        sim.begin();
        sim.open(0, 0, ChannelConfig::default());
        sim.run_until_within(Duration::from_secs(10), |sim| (0..2).all(|i| sim.is_open(i, 0)));
        sim.link.corrupt = 30.0;
        for i in 0..20 {
            sim.send(0, 0, format!("{i:0500}"));
        }
        sim.run_until_within(Duration::from_secs(120), |sim| sim.messages(1, 0).len() == 20);
    }
}

/// Once both sides are connected, neither sends anything, whatever was repeated.
#[test]
fn flights_that_cross_do_not_call_for_each_other_for_ever() {
    for seed in 0..20 {
        let mut sim = sim(seed);
        // Slower than the first retransmissions.
        sim.link.delay = Duration::from_millis(180);
        sim.begin_dtls();
        sim.run(Duration::from_secs(5));
        assert!(sim.peers.iter().all(|peer| peer.dtls_state() == DtlsState::Connected));
        let before = sim.datagrams;
        assert!(before[0] < 20 && before[1] < 20, "{before:?}");
        sim.run(Duration::from_secs(60));
        assert_eq!(sim.datagrams, before);
    }
}

#[test]
fn small_datagrams_are_enough() {
    let small = |config: Config| Config { max_datagram_size: 576, ..config };
    let mut sim = Sim::with_configs(1, small(rsa(0)), small(rsa(1)));
    sim.largest_datagram = 576;
    sim.begin();
    sim.open(0, 0, ChannelConfig::default());
    sim.run_until(|sim| sim.is_open(0, 0));
    sim.send(0, 0, vec![7; 5000]);
    sim.run_until(|sim| sim.messages(1, 0).len() == 1);
}

#[test]
fn a_wrong_fingerprint_fails_delivers_nothing_and_is_told() {
    for deceived in 0..2 {
        let mut sim = sim(1);
        runs::deceive(&mut sim, deceived);
        sim.run(Duration::from_secs(1));
        // RFC 5246 §7.2.2: bad_certificate.
        for (who, error) in [
            (deceived, DtlsError::FingerprintMismatch),
            (1 - deceived, DtlsError::AlertReceived(42)),
        ] {
            assert_eq!(
                sim.events[who][..3],
                [
                    Event::DtlsStateChange(DtlsState::Connecting),
                    Event::DtlsFailed(error),
                    Event::Data(data::Event::SctpStateChange(
                        SctpState::Closed,
                        Some(SctpError::TransportClosed)
                    )),
                ]
            );
            assert!(sim.messages(who, 0).is_empty() && !sim.is_open(who, 0));
        }
    }
}

#[test]
fn a_later_description_with_other_fingerprints_ends_the_connection() {
    runs::assert_later_fingerprints_are_compared(connected(1));
}

#[test]
fn closing_is_heard_at_once() {
    for who in 0..2 {
        runs::assert_closing_is_heard_at_once(connected(1), who);
    }
}

#[test]
fn a_peer_that_disappears_in_the_handshake_is_given_up_in_the_end() {
    for after in [5, 15, 25] {
        let mut sim = sim(1);
        sim.begin();
        sim.run(Duration::from_millis(after));
        sim.link.dead = true;
        sim.drop_flying();
        sim.run_until_within(Duration::from_secs(200), |sim| {
            sim.peers[0].dtls_state() == DtlsState::Failed
        });
        assert!(sim.elapsed() > Duration::from_secs(30));
        assert!(sim.saw(0, |event| *event == Event::DtlsFailed(DtlsError::Timeout)));
    }
}

/// Each kind of certificate with each version.
#[test]
fn a_peer_may_have_another_kind_of_certificate() {
    for (versions, version) in [
        (DtlsVersions::Auto, DtlsVersion::Dtls13),
        (DtlsVersions::Dtls13, DtlsVersion::Dtls13),
        (DtlsVersions::Dtls12, DtlsVersion::Dtls12),
    ] {
        for kinds in [[true, false], [false, true], [true, true]] {
            let with = |index: usize| {
                let config = if kinds[index] { rsa(index) } else { config(index) };
                Config { dtls_versions: versions, ..config }
            };
            let mut sim = Sim::with_configs(1, with(0), with(1));
            sim.begin();
            sim.run_until(Sim::is_connected);
            for peer in &sim.peers {
                assert_eq!(peer.dtls_version(), Some(version), "{versions:?} {kinds:?}");
            }
        }
    }
}

#[test]
fn a_path_that_was_away_in_the_handshake_is_used_when_it_returns() {
    let mut sim = sim(1);
    sim.begin();
    sim.run(Duration::from_millis(15));
    for peer in &mut sim.peers {
        peer.set_writable(sim.now, false);
        assert_eq!(peer.poll_timeout(), None);
    }
    sim.drop_flying();
    sim.run(Duration::from_secs(20));
    let began = sim.now;
    for peer in &mut sim.peers {
        peer.set_writable(began, true);
    }
    sim.run_until(Sim::is_connected);
    assert!(sim.now - began <= RTT * 5, "{:?}", sim.now - began);
}

#[test]
fn a_simulation_repeats_itself() {
    assert_eq!(runs::run_over_a_bad_link(sim(7)), runs::run_over_a_bad_link(sim(7)));
}

/// A record around anything, a handshake message more often than not.
fn record() -> impl Strategy<Value = Vec<u8>> {
    let message = (
        prop::sample::select(vec![1u8, 2, 3, 11, 12, 13, 14, 15, 16, 20, 99]),
        0u16..6,
        prop::collection::vec(any::<u8>(), 0..200),
    )
        .prop_map(|(kind, sequence, body)| {
            let length = (body.len() as u32).to_be_bytes();
            let mut message = vec![kind, length[1], length[2], length[3]];
            message.extend_from_slice(&sequence.to_be_bytes());
            message.extend_from_slice(&[0, 0, 0, length[1], length[2], length[3]]);
            message.extend_from_slice(&body);
            (22u8, message)
        });
    let other = (20u8..24, prop::collection::vec(any::<u8>(), 0..200));
    (prop_oneof![3 => message, 1 => other], 0u16..3, any::<u16>())
        .prop_map(|((kind, body), epoch, sequence)| dtls_record(kind, epoch, sequence, &body))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn forged_records_do_not_harm_a_connection(
        garbage in prop::collection::vec(record(), 1..10),
    ) {
        runs::assert_unharmed_by(connected(1), &garbage);
    }

    #[test]
    fn forged_records_in_the_handshake_do_not_panic_and_convince_nobody(
        garbage in prop::collection::vec(record(), 1..20),
        seed in 0u64..100,
    ) {
        let mut sim = sim(seed);
        let mut garbage = garbage.iter().cycle();
        sim.begin();
        for _ in 0..20 {
            for who in 0..2 {
                if let Some(datagram) = garbage.next() {
                    let now = sim.now;
                    sim.peers[who].handle_datagram(now, datagram);
                }
            }
            sim.run(Duration::from_millis(3));
        }
        sim.run(Duration::from_secs(5));
        for (who, peer) in sim.peers.iter().enumerate() {
            prop_assert_ne!(peer.dtls_state(), DtlsState::New);
            if peer.dtls_state() == DtlsState::Connected {
                let expected = sim.peers[1 - who].certificate().der();
                prop_assert_eq!(peer.remote_certificates(), [expected]);
            }
        }
    }
}

/// Somebody else than the peer learns neither our certificate nor our signature, whatever else is
/// in the datagram that ends its flight.
#[test]
fn nothing_but_an_alert_is_sent_to_a_server_with_a_wrong_fingerprint() {
    let mut sim = sim(1);
    let now = sim.now;
    let wrong = vec![Fingerprint { algorithm: "sha-256".to_owned(), value: vec![7; 32] }];
    let right = sim.peers[0].certificate().fingerprints();
    let [client, server] = &mut sim.peers;
    for (peer, role, prints) in
        [(&mut *client, DtlsRole::Client, wrong), (&mut *server, DtlsRole::Server, right)]
    {
        peer.set_writable(now, true);
        peer.start_dtls(now, role, prints);
    }
    while let Some(datagram) = client.poll_transmit() {
        server.handle_datagram(now, &datagram);
    }
    let mut flight = Vec::new();
    while let Some(datagram) = server.poll_transmit() {
        flight.extend_from_slice(&datagram);
    }
    // internal_error, in the clear.
    flight.extend_from_slice(&[21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 80]);
    client.handle_datagram(now, &flight);
    assert_eq!(client.dtls_state(), DtlsState::Failed);
    let sent = client.poll_transmit().unwrap();
    assert_eq!((sent[0], &sent[13..]), (21, &[2, 42][..]));
    assert_eq!(client.poll_transmit(), None);
}
