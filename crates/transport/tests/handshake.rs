//! How a transport comes up, and how it does not.

mod common;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use common::{Link, RTT, Sim, config, runs};
use peerconnection_transport::{
    Certificate, ChannelConfig, Config, DtlsError, DtlsRole, DtlsState, DtlsVersion, DtlsVersions,
    Event, SctpParameters, SctpState, data,
};

#[test]
fn both_layers_come_up_in_four_round_trips_without_a_timer() {
    // DTLS 1.3 takes one and a half round trips, SCTP with the channel in its COOKIE ECHO as many.
    let sim = runs::assert_both_layers_come_up(Sim::new(1));
    let versions = sim.peers.each_ref().map(|peer| peer.dtls_version());
    assert_eq!(versions, [Some(DtlsVersion::Dtls13); 2]);
}

#[test]
fn every_pair_of_versions_that_can_agree_does() {
    use DtlsVersions::{Auto, Dtls12, Dtls13};
    for (client, server, agreed) in [
        (Auto, Auto, DtlsVersion::Dtls13),
        (Auto, Dtls12, DtlsVersion::Dtls12),
        (Dtls12, Auto, DtlsVersion::Dtls12),
        (Auto, Dtls13, DtlsVersion::Dtls13),
        (Dtls13, Auto, DtlsVersion::Dtls13),
        (Dtls12, Dtls12, DtlsVersion::Dtls12),
    ] {
        let mut sim = Sim::with_configs(
            1,
            Config { dtls_versions: client, ..config(0) },
            Config { dtls_versions: server, ..config(1) },
        );
        sim.begin();
        sim.run_until(Sim::is_connected);
        assert_eq!(sim.peers[0].dtls_version(), Some(agreed), "{client:?} {server:?}");
        // RFC 5764 §4.2, and RFC 8446 §7.5 for DTLS 1.3.
        assert!(sim.peers[0].srtp_keys().is_some());
        assert_eq!(sim.peers[0].srtp_keys(), sim.peers[1].srtp_keys());
    }
}

#[test]
fn a_tenth_of_all_datagrams_lost_only_delays() {
    (0..40).map(Sim::new).for_each(runs::assert_loss_only_delays);
}

#[test]
fn nothing_is_sent_before_ice_has_a_pair() {
    let mut sim = Sim::new(1);
    let prints = sim.peers[1].certificate().fingerprints();
    let now = sim.now;
    sim.peers[0].start_dtls(now, DtlsRole::Client, prints);
    sim.peers[0].start_sctp(now, SctpParameters::default());
    sim.run(Duration::from_secs(5));
    assert_eq!(sim.datagrams, [0, 0]);
    assert_eq!(sim.peers[0].dtls_state(), DtlsState::New);
    assert_eq!(sim.peers[0].poll_timeout(), None);

    let (began, now) = (sim.now, sim.now);
    let prints = sim.peers[0].certificate().fingerprints();
    sim.peers[1].set_writable(now, true);
    sim.peers[1].start_dtls(now, DtlsRole::Server, prints);
    sim.peers[1].start_sctp(now, SctpParameters::default());
    sim.peers[0].set_writable(now, true);
    sim.run_until(Sim::is_connected);
    assert!(sim.now - began <= RTT * 4);
}

#[test]
fn a_client_hello_that_comes_early_is_answered_when_the_description_is_there() {
    let mut sim = Sim::new(1);
    let prints: Vec<_> = sim.peers.iter().map(|p| p.certificate().fingerprints()).collect();
    let now = sim.now;
    sim.peers[0].set_writable(now, true);
    sim.peers[0].start_dtls(now, DtlsRole::Client, prints[1].clone());
    sim.peers[0].start_sctp(now, SctpParameters::default());
    sim.run(Duration::from_millis(50));
    assert_eq!(sim.peers[1].dtls_state(), DtlsState::New);

    let began = sim.now;
    sim.peers[1].start_dtls(began, DtlsRole::Server, prints[0].clone());
    sim.run(Duration::from_millis(5));
    assert_eq!(sim.peers[1].dtls_state(), DtlsState::New, "ICE has no pair yet");
    sim.peers[1].set_writable(sim.now, true);
    sim.peers[1].start_sctp(sim.now, SctpParameters::default());
    sim.run_until(Sim::is_connected);
    // The server's first flight leaves at once: no retransmission of the client was needed.
    assert!(sim.now - began <= RTT * 4, "{:?}", sim.now - began);
}

#[test]
fn sctp_that_begins_on_one_side_only_waits_for_the_other() {
    for late in 0..2 {
        let mut sim = Sim::new(1);
        sim.begin_dtls();
        let now = sim.now;
        sim.peers[1 - late].start_sctp(now, SctpParameters::default());
        sim.run(Duration::from_millis(150));
        let began = sim.now;
        sim.peers[late].start_sctp(began, SctpParameters::default());
        sim.run_until(Sim::is_connected);
        assert!(sim.now - began <= RTT * 2, "{:?}", sim.now - began);
    }
}

#[test]
fn a_wrong_fingerprint_fails_and_delivers_nothing() {
    for deceived in 0..2 {
        let mut sim = Sim::new(1);
        runs::deceive(&mut sim, deceived);
        sim.run_until(|sim| sim.peers[deceived].dtls_state() == DtlsState::Failed);
        sim.run(Duration::from_secs(5));
        assert_eq!(
            sim.events[deceived],
            [
                Event::DtlsStateChange(DtlsState::Connecting),
                Event::DtlsFailed(DtlsError::FingerprintMismatch),
                Event::Data(data::Event::SctpStateChange(
                    SctpState::Closed,
                    Some(peerconnection_transport::SctpError::TransportClosed)
                )),
            ]
        );
        assert!(!sim.peers[1 - deceived].sctp_state().is_some_and(|s| s == SctpState::Connected));
    }
}

#[test]
fn a_later_description_with_other_fingerprints_ends_the_connection() {
    runs::assert_later_fingerprints_are_compared(Sim::connected(1));
}

#[test]
fn closing_is_heard_at_once() {
    for who in 0..2 {
        runs::assert_closing_is_heard_at_once(Sim::connected(1), who);
    }
}

#[test]
fn closing_before_anything_began_says_nothing() {
    let mut sim = Sim::new(1);
    let now = sim.now;
    sim.peers[0].close(now);
    sim.begin();
    sim.run(Duration::from_secs(1));
    assert_eq!(sim.peers[0].dtls_state(), DtlsState::Closed);
    assert_eq!(sim.datagrams[0], 0);
}

#[test]
fn reordered_and_duplicated_flights_do_no_harm() {
    for seed in 0..100 {
        let mut sim = Sim::new(seed);
        sim.link = Link { jitter: Duration::from_millis(30), duplicate: 30.0, ..Link::default() };
        sim.begin();
        sim.open(0, 0, ChannelConfig::default());
        sim.run_until_within(Duration::from_secs(10), |sim| (0..2).all(|i| sim.is_open(i, 0)));
        assert!(sim.is_connected());
    }
}

#[test]
fn an_association_can_end_while_dtls_stays() {
    let mut sim = Sim::connected(1);
    let now = sim.now;
    sim.peers[0].stop_sctp(now);
    sim.run_until(|sim| sim.peers[1].sctp_state() == Some(SctpState::Closed));
    assert_eq!(sim.peers[1].dtls_state(), DtlsState::Connected);
    assert_eq!(sim.peers[0].dtls_state(), DtlsState::Connected);
}

#[test]
fn a_simulation_repeats_itself() {
    assert_eq!(runs::run_over_a_bad_link(Sim::new(7)), runs::run_over_a_bad_link(Sim::new(7)));
}

#[test]
fn a_transport_can_move_between_threads() {
    fn assert_send<T: Send + 'static>(_: &T) {}
    let sim = Sim::new(1);
    assert_send(&sim.peers[0]);
}

/// A certificate of about 1600 bytes, as authorities have them, and datagrams that are hardly
/// larger than what every path of the internet carries. A flight needs several of these, and each
/// can be lost alone.
fn in_many_datagrams(index: usize, versions: DtlsVersions) -> Config {
    static CERTIFICATES: OnceLock<[Certificate; 2]> = OnceLock::new();
    let certificates = CERTIFICATES.get_or_init(|| {
        [0, 1].map(|_| {
            let names: Vec<_> = (0..40).map(|n| format!("host-{n}.example.org.invalid")).collect();
            let key = rcgen::KeyPair::generate().unwrap();
            let params = rcgen::CertificateParams::new(names).unwrap();
            let certificate = params.self_signed(&key).unwrap().der().to_vec();
            let expires = SystemTime::now() + Duration::from_secs(1000);
            Certificate::from_der(certificate, key.serialize_der(), expires).unwrap()
        })
    });
    Config {
        certificate: certificates[index].clone(),
        dtls_versions: versions,
        max_datagram_size: 576,
        ..config(index)
    }
}

#[test]
fn a_lost_datagram_of_any_flight_costs_a_retransmission_and_no_storm() {
    for versions in [DtlsVersions::Dtls13, DtlsVersions::Dtls12] {
        for lost in 0..16 {
            let configs = [0, 1].map(|index| in_many_datagrams(index, versions));
            let [client, server] = configs;
            let mut sim = Sim::with_configs(lost as u64, client, server);
            sim.lost = Some(lost);
            sim.begin_dtls();
            sim.run_until_within(Duration::from_secs(5), |sim| {
                sim.peers.iter().all(|peer| peer.dtls_state() == DtlsState::Connected)
            });
            let datagrams: usize = sim.datagrams.iter().sum();
            assert!(datagrams > 9, "{versions:?} {lost}: {datagrams} datagrams");
            let elapsed = sim.elapsed();
            assert!(elapsed < Duration::from_millis(400), "{versions:?} {lost}: {elapsed:?}");
            assert!(datagrams < 40, "{versions:?} {lost}: {datagrams} datagrams");
        }
    }
}

#[test]
fn handshakes_in_small_datagrams_over_a_bad_path_are_fast_and_quiet() {
    let mut slow = 0;
    for seed in 0..200 {
        let [client, server] = [0, 1].map(|index| in_many_datagrams(index, DtlsVersions::Auto));
        let mut sim = Sim::with_configs(seed, client, server);
        sim.link =
            Link { loss: 10.0, jitter: Duration::from_millis(20), duplicate: 5.0, ..sim.link };
        sim.begin_dtls();
        sim.run_until_within(Duration::from_secs(20), |sim| {
            sim.peers.iter().all(|peer| peer.dtls_state() == DtlsState::Connected)
        });
        slow += usize::from(sim.elapsed() > Duration::from_secs(1));
        let datagrams: usize = sim.datagrams.iter().sum();
        assert!(datagrams < 150, "{seed}: {datagrams} datagrams in {:?}", sim.elapsed());
    }
    assert!(slow < 20, "{slow} of 200 took more than a second");
}

/// With DTLS 1.2 the alert is in the clear, since its receiver has no keys yet. With DTLS 1.3 a client
/// is connected before the server knows who it is; the alert ends that.
#[test]
fn a_peer_whose_certificate_is_refused_is_told() {
    const BAD_CERTIFICATE: u8 = 42;
    let refused = DtlsError::AlertReceived(BAD_CERTIFICATE);
    for (versions, deceived) in [
        (DtlsVersions::Dtls12, 0),
        (DtlsVersions::Dtls12, 1),
        (DtlsVersions::Dtls13, 0),
        (DtlsVersions::Dtls13, 1),
    ] {
        let with = |config| Config { dtls_versions: versions, ..config };
        let mut sim = Sim::with_configs(1, with(config(0)), with(config(1)));
        sim.begin_dtls_deceiving(deceived);
        sim.run_until(|sim| sim.peers[deceived].dtls_state() == DtlsState::Failed);
        sim.run(RTT);
        let last = sim.events[1 - deceived].last().cloned();
        let told = Event::DtlsFailed(refused.clone());
        assert_eq!(last, Some(told), "{versions:?} {deceived}");
    }
}

/// Some stacks drop what comes before they are connected. Their ICE is, when the nomination has
/// been answered.
#[test]
fn a_client_hello_that_came_too_early_is_sent_again_when_the_pair_is_selected() {
    let early = Duration::from_millis(20);
    let mut sim = Sim::new(1);
    sim.begin_dtls();
    sim.flush();
    sim.drop_flying();
    sim.run(early);
    let now = sim.now;
    sim.peers[0].path_selected(now);
    let is_connected = |sim: &Sim| sim.peers.iter().all(|p| p.dtls_state() == DtlsState::Connected);
    sim.run_until(is_connected);
    // The timer of the handshake goes off after 100 ms.
    assert!(sim.elapsed() < early + 2 * RTT, "{:?}", sim.elapsed());
}

#[test]
fn a_client_hello_that_was_answered_is_not_sent_again() {
    let datagrams = |is_told: bool| {
        let mut sim = Sim::new(1);
        sim.begin_dtls();
        // The answer is on its way.
        sim.run(RTT - Duration::from_millis(3));
        for peer in &mut sim.peers {
            if is_told {
                peer.path_selected(sim.now);
            }
        }
        sim.run(Duration::from_secs(1));
        sim.datagrams
    };
    assert_eq!(datagrams(true), datagrams(false));
}
