//! webrtc-pc §4.9: certificates that the application configures.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use peerconnection::{
    AlgorithmIdentifier, RTCCertificate, RTCCertificateExpiration, RTCConfiguration,
    RTCDataChannelInit, RTCDataChannelState, RTCPeerConnection, RTCPeerConnectionState,
};
use testkit::{Conditions, Pair, Trace, World, for_each_seed, seeds};

fn certificate() -> RTCCertificate {
    RTCPeerConnection::generate_certificate(None).unwrap()
}

fn configured(certificates: &[&RTCCertificate]) -> RTCConfiguration {
    RTCConfiguration {
        certificates: certificates.iter().copied().cloned().collect(),
        ..RTCConfiguration::default()
    }
}

/// The fingerprints in a description, as RTCDtlsFingerprint writes them.
fn fingerprints_in(sdp: &str) -> Vec<String> {
    let lines = sdp.lines().filter_map(|line| line.strip_prefix("a=fingerprint:sha-256 "));
    lines.map(str::to_ascii_lowercase).collect()
}

fn fingerprint(certificate: &RTCCertificate) -> String {
    let [fingerprint] = certificate.get_fingerprints().try_into().expect("one");
    assert_eq!(fingerprint.algorithm, "sha-256", "that of the signature");
    fingerprint.value
}

/// WPT RTCCertificate: "RTCPeerConnection({certificates}) should generate offer SDP with
/// fingerprint of all provided certificates"
#[test]
fn descriptions_have_the_fingerprints_of_all_certificates_and_the_first_one_is_used() {
    let mut world = World::new(1, Conditions::default());
    let (one, two, three) = (certificate(), certificate(), certificate());
    let a = world.add_peer(configured(&[&one, &two]));
    let b = world.add_peer(configured(&[&three]));
    let channel = a.create_data_channel("channel", None).unwrap();
    world.run(a.set_local_description(None)).unwrap();
    world.run_for(Duration::from_secs(1));
    let offer = a.local_description().unwrap();
    assert_eq!(fingerprints_in(offer.sdp()), [fingerprint(&one), fingerprint(&two)]);
    world.run(b.set_remote_description(offer)).unwrap();
    world.run(b.set_local_description(None)).unwrap();
    world.run_for(Duration::from_secs(1));
    let answer = b.local_description().unwrap();
    assert_eq!(fingerprints_in(answer.sdp()), [fingerprint(&three)]);
    world.run(a.set_remote_description(answer)).unwrap();
    world.run_for(Duration::from_secs(1));
    assert_eq!(channel.ready_state().as_str(), "open");

    let at = |pc: &RTCPeerConnection| {
        let dtls = pc.sctp().unwrap().transport().unwrap();
        let [certificate] = dtls.get_remote_certificates().try_into().expect("no chain");
        let hash = transport::Fingerprint {
            algorithm: "sha-256".to_owned(),
            value: unhex(&fingerprint(if pc == &a { &three } else { &one })),
        };
        hash.matches(&certificate)
    };
    assert_eq!((at(&a), at(&b)), (Some(true), Some(true)));
}

fn unhex(text: &str) -> Vec<u8> {
    text.split(':').map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect()
}

/// WPT RTCCertificate: "Constructing RTCPeerConnection with expired certificate should reject
/// with InvalidAccessError"
#[test]
fn an_expired_certificate_is_an_invalid_access_error_beside_a_good_one_too() {
    let expired = RTCPeerConnection::generate_certificate(AlgorithmIdentifier {
        expiration: RTCCertificateExpiration { expires: Some(0) },
        ..AlgorithmIdentifier::ecdsa("P-256")
    })
    .unwrap();
    std::thread::sleep(Duration::from_millis(5));
    let world = World::new(2, Conditions::default());
    for configuration in [configured(&[&expired]), configured(&[&certificate(), &expired])] {
        let host = Arc::new(world.handle());
        let refused = RTCPeerConnection::with_host(configuration, host, [0; 32]).unwrap_err();
        assert_eq!(refused.name(), "InvalidAccessError");
    }
}

/// WPT RTCCertificate: "Calling setConfiguration with different set of certs should reject with
/// InvalidModificationError"
#[test]
fn certificates_cannot_be_changed_by_set_configuration() {
    let mut world = World::new(3, Conditions::default());
    let (one, two) = (certificate(), certificate());
    let pc = world.add_peer(configured(&[&one, &two]));
    assert_eq!(pc.get_configuration().certificates, [one.clone(), two.clone()]);
    pc.set_configuration(configured(&[&one, &two])).unwrap();
    for other in [
        configured(&[]),
        configured(&[&one]),
        configured(&[&two, &one]),
        configured(&[&one, &certificate()]),
    ] {
        let refused = pc.set_configuration(other).unwrap_err();
        assert_eq!(refused.name(), "InvalidModificationError");
    }

    let without = world.add_peer(configured(&[]));
    assert_eq!(without.get_configuration().certificates, []);
    without.set_configuration(configured(&[])).unwrap();
    let refused = without.set_configuration(configured(&[&one])).unwrap_err();
    assert_eq!(refused.name(), "InvalidModificationError");
}

/// The certificates that webrtc-pc §4.9.1 requires beside ECDSA.
static RSA: LazyLock<[RTCCertificate; 2]> = LazyLock::new(|| {
    let rsa = || RTCPeerConnection::generate_certificate(AlgorithmIdentifier::rsa(2048)).unwrap();
    [rsa(), rsa()]
});

fn both_rsa(seed: u64, conditions: Conditions) -> Pair {
    let [one, two] = &*RSA;
    Pair::configured(seed, conditions, configured(&[one]), configured(&[two]))
}

#[test]
fn rsa_certificates_on_both_sides_connect_and_a_restart_leaves_dtls_alone() {
    let mut pair = both_rsa(1, Conditions::default());
    let trace = Trace::of(&pair.handle(), &pair.a);
    let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
    let dtls = pair.a.sctp().unwrap().transport().unwrap();
    let [shown] = dtls.get_remote_certificates().try_into().expect("no chain");
    let hash = transport::Fingerprint {
        algorithm: "sha-256".to_owned(),
        value: unhex(&fingerprint(&RSA[1])),
    };
    assert_eq!(hash.matches(&shown), Some(true));

    assert!(trace.take().iter().any(|line| line.contains("dtls:connected")));
    let mut received = of_b.messages();
    let before = pair.a.local_description().unwrap();
    for (number, pc) in [pair.a.clone(), pair.b.clone()].into_iter().enumerate() {
        pc.restart_ice();
        pair.world.run_for(Duration::from_secs(3));
        of_a.send(number.to_string()).unwrap();
        let (message, rest) = pair.world.run(async { (received.next().await, received) });
        assert_eq!(message, Some(number.to_string().into()));
        received = rest;
    }
    assert_ne!(pair.a.local_description(), Some(before), "ICE was restarted");
    let trace = trace.take();
    assert!(!trace.iter().any(|line| line.contains("dtls")), "{trace:#?}");
    assert_eq!(pair.a.connection_state(), RTCPeerConnectionState::Connected);
    assert_eq!(pair.negotiation_errors(), []);

    pair.a.close();
    pair.world.run_for(Duration::from_secs(1));
    assert_eq!(of_b.ready_state(), RTCDataChannelState::Closed);
}

#[test]
fn rsa_certificates_connect_on_bad_networks() {
    for_each_seed(seeds(0..20), |seed| {
        let bad = Conditions { loss: 0.2, ..Conditions::default() };
        let mut pair = both_rsa(seed, bad);
        let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
        let mut received = of_a.messages();
        of_b.send("hello").unwrap();
        assert_eq!(pair.world.run(async move { received.next().await }), Some("hello".into()));
    });
}

/// The kind of the peer's certificate is not known before it comes.
#[test]
fn rsa_on_one_side_only_connects() {
    for answerer_has_rsa in [false, true] {
        let mut configurations = [configured(&[&RSA[0]]), configured(&[])];
        if answerer_has_rsa {
            configurations.reverse();
        }
        let [a, b] = configurations;
        let mut pair = Pair::configured(4, Conditions::default(), a, b);
        let (of_a, of_b) = pair.open_channel("channel", RTCDataChannelInit::default());
        let mut received = of_b.messages();
        of_a.send("hello").unwrap();
        assert_eq!(pair.world.run(async move { received.next().await }), Some("hello".into()));
    }
}
