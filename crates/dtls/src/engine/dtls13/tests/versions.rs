//! Sides that know both versions, and sides that know one.

use super::*;
use crate::config::{Config, DtlsVersion};
use crate::engine::Recipe;

fn engine(versions: DtlsVersions, role: DtlsRole, certificate: &Certificate) -> Box<dyn Engine> {
    let config = Config { versions, ..Config::new(certificate.clone()) };
    Recipe::new(&config).engine(Instant::now(), role).unwrap()
}

/// All pairs of settings, with certificates of both kinds.
#[test]
fn sides_agree_on_the_best_version_that_both_know() {
    use DtlsVersions::{Auto, Dtls12, Dtls13};
    for (client, server, version) in [
        (Auto, Auto, Some(DtlsVersion::Dtls13)),
        (Auto, Dtls13, Some(DtlsVersion::Dtls13)),
        (Auto, Dtls12, Some(DtlsVersion::Dtls12)),
        (Dtls13, Auto, Some(DtlsVersion::Dtls13)),
        (Dtls13, Dtls13, Some(DtlsVersion::Dtls13)),
        (Dtls13, Dtls12, None),
        (Dtls12, Auto, Some(DtlsVersion::Dtls12)),
        (Dtls12, Dtls13, None),
        (Dtls12, Dtls12, Some(DtlsVersion::Dtls12)),
    ] {
        for certificates in [[&ECDSA[0], &ECDSA[1]], [&ECDSA[0], &RSA[1]], [&RSA[0], &ECDSA[1]]] {
            let [one, two] = certificates;
            let ends =
                [engine(client, DtlsRole::Client, one), engine(server, DtlsRole::Server, two)];
            let mut pair = Pair::new(ends, Instant::now());
            pair.exchange();
            let Some(version) = version else {
                // The server says why, and both end.
                assert!(matches!(pair.ended[1], Some(Ended::Refused(..))), "{client:?} {server:?}");
                assert!(matches!(pair.ended[0], Some(Ended::Alert(_))), "{client:?} {server:?}");
                continue;
            };
            for end in &pair.ends {
                let agreed = end.negotiated().unwrap();
                assert_eq!(agreed.version, version, "{client:?} {server:?}");
                assert_eq!(agreed.group, Some(29));
                let suite = match (version, std::ptr::eq(two, &RSA[1])) {
                    (DtlsVersion::Dtls13, _) => 0x1301,
                    (DtlsVersion::Dtls12, true) => 0xc02f,
                    (DtlsVersion::Dtls12, false) => 0xc02b,
                };
                assert_eq!(agreed.suite, Some(suite));
            }
            assert_eq!(pair.heard[0].srtp, pair.heard[1].srtp);
            assert!(pair.heard[0].srtp.is_some());
            pair.assert_connected(one, two);
        }
    }
}

/// `dimpl` with 1.2 alone, with its cookies, and with both.
#[test]
fn another_implementation_agrees_with_us() {
    for versions in [DtlsVersions::Dtls12, DtlsVersions::Dtls13, DtlsVersions::Auto] {
        for is_client in [true, false] {
            let now = Instant::now();
            let roles = [DtlsRole::Client, DtlsRole::Server];
            let own = engine(DtlsVersions::Auto, roles[usize::from(!is_client)], &ECDSA[0]);
            let other = library(roles[usize::from(is_client)], &ECDSA[1], now, versions, 1200);
            let ends = if is_client { [own, other] } else { [other, own] };
            let mut pair = Pair::new(ends, now);
            pair.exchange();
            let (one, two) = if is_client { (0, 1) } else { (1, 0) };
            let expected = match versions {
                DtlsVersions::Dtls12 => DtlsVersion::Dtls12,
                _ => DtlsVersion::Dtls13,
            };
            let agreed = pair.ends[one].negotiated().map(|agreed| agreed.version);
            assert_eq!(agreed, Some(expected), "{versions:?} {is_client}");
            assert_eq!(pair.heard[0].srtp, pair.heard[1].srtp);
            let (client, server) = (&ECDSA[one], &ECDSA[two]);
            pair.assert_connected(client, server);
        }
    }
}

/// Losses before the version is known, and after.
#[test]
fn whatever_is_lost_the_version_is_found() {
    use DtlsVersions::{Auto, Dtls12};
    for (client, server) in [(Auto, Auto), (Auto, Dtls12), (Dtls12, Auto)] {
        for seed in 0..200 {
            let rng = &mut Rng(seed);
            let ends = [
                engine(client, DtlsRole::Client, &ECDSA[0]),
                engine(server, DtlsRole::Server, &ECDSA[1]),
            ];
            let mut pair = Pair::new(ends, Instant::now());
            let began = pair.now;
            while !pair.heard.iter().all(|heard| heard.connected) {
                assert!(pair.now - began < Duration::from_secs(60), "{client:?} {server:?} {seed}");
                for who in 0..2 {
                    assert!(pair.ends[who].handle_timeout(pair.now).is_ok());
                    pair.listen(who);
                    let mut packets = std::mem::take(&mut pair.heard[who].packets);
                    if rng.chance(30) {
                        packets.reverse();
                    }
                    for packet in packets {
                        if !rng.chance(30) {
                            pair.deliver(1 - who, &packet);
                        }
                        if rng.chance(10) {
                            pair.deliver(1 - who, &packet);
                        }
                        assert!(pair.ended[1 - who].is_none());
                    }
                }
                pair.now += Duration::from_millis(20);
            }
        }
    }
}

/// RFC 8446 §4.1.3: somebody on the path takes DTLS 1.3 out of a hello.
#[test]
fn nobody_can_force_the_version_down() {
    let ends = [
        engine(DtlsVersions::Auto, DtlsRole::Client, &ECDSA[0]),
        engine(DtlsVersions::Auto, DtlsRole::Server, &ECDSA[1]),
    ];
    let mut pair = Pair::new(ends, Instant::now());
    pair.listen(0);
    let [hello] = &mut pair.heard[0].packets[..] else { unreachable!() };
    let both = [0, 43, 0, 5, 4, 0xfe, 0xfc, 0xfe, 0xfd];
    let at = hello.windows(9).position(|octets| octets == both).unwrap();
    hello[at + 6] = 0xfd;
    let hello = std::mem::take(&mut pair.heard[0].packets).remove(0);
    pair.deliver(1, &hello);
    let agreed = pair.ends[1].negotiated().unwrap();
    assert_eq!(agreed.version, DtlsVersion::Dtls12);
    for packet in std::mem::take(&mut pair.heard[1].packets) {
        pair.deliver(0, &packet);
    }
    assert!(matches!(pair.ended[0], Some(Ended::Refused(alert::ILLEGAL_PARAMETER, _))));
    assert!(!pair.heard[0].connected && pair.heard[0].certificate.is_none());
}

/// A server of DTLS 1.2 that nobody forces down ends its random number in another way, and so does
/// one of 1.3.
#[test]
fn only_a_server_that_was_asked_for_less_says_so() {
    use DtlsVersions::{Auto, Dtls12, Dtls13};
    for (client, server, says_so) in
        [(Dtls12, Auto, true), (Auto, Dtls12, false), (Auto, Auto, false), (Dtls13, Auto, false)]
    {
        let mut pair = Pair::new(
            [
                engine(client, DtlsRole::Client, &ECDSA[0]),
                engine(server, DtlsRole::Server, &ECDSA[1]),
            ],
            Instant::now(),
        );
        pair.listen(0);
        for packet in std::mem::take(&mut pair.heard[0].packets) {
            pair.deliver(1, &packet);
        }
        let random = &pair.heard[1].packets[0][27..59];
        assert_eq!(random.ends_with(b"DOWNGRD\x01"), says_so, "{client:?} {server:?}");
    }
}
