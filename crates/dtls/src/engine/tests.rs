//! What both versions do: the handshake with itself, with `dimpl`, and with peers that are not who
//! they say.

use time::{Duration, Instant};

use super::common::alert;
use super::testing::{DATAGRAM, ECDSA, Pair, RSA, VERSIONS, library, ours, pair};
use super::{Ended, HANDSHAKE_TIMEOUT, Said};
use crate::certificate::Certificate;
use crate::config::{DtlsVersion, DtlsVersions};
use crate::connection::DtlsRole;
use crate::srtp::SrtpProfile;

/// The setting that allows that version alone.
fn alone(version: DtlsVersion) -> DtlsVersions {
    match version {
        DtlsVersion::Dtls12 => DtlsVersions::Dtls12,
        DtlsVersion::Dtls13 => DtlsVersions::Dtls13,
    }
}

#[test]
fn any_two_kinds_of_certificates_connect() {
    for version in VERSIONS {
        for client in [&RSA[0], &ECDSA[0]] {
            for server in [&RSA[1], &ECDSA[1]] {
                let mut pair = pair(version, client, server);
                pair.exchange();
                pair.assert_connected(client, server);
            }
        }
    }
}

/// `dimpl` understands all of our messages that it knows, and we its own: hellos with and without
/// cookies and the other version, fragments, acknowledgements, both groups' key exchange, ECDSA,
/// Finished, data.
#[test]
fn dimpl_understands_us_and_we_dimpl() {
    let [one, two] = &*ECDSA;
    for version in VERSIONS {
        for versions in [alone(version), DtlsVersions::Auto] {
            for size in [1200, 300] {
                let now = Instant::now();
                let client = ours(version, DtlsRole::Client, one, now, size);
                // The server of `dimpl` sends a HelloVerifyRequest, or a HelloRetryRequest with a
                // cookie.
                let mut pair =
                    Pair::new([client, library(DtlsRole::Server, two, now, versions, size)], now);
                pair.exchange();
                pair.assert_connected(one, two);

                let server = ours(version, DtlsRole::Server, two, now, size);
                let mut pair =
                    Pair::new([library(DtlsRole::Client, one, now, versions, size), server], now);
                pair.exchange();
                pair.assert_connected(one, two);
            }
        }
    }
}

#[test]
fn datagrams_are_no_larger_than_they_may_be() {
    for version in VERSIONS {
        for size in [100, 576, 1200] {
            let now = Instant::now();
            let client = ours(version, DtlsRole::Client, &RSA[0], now, size);
            let server = ours(version, DtlsRole::Server, &RSA[1], now, size);
            let mut pair = Pair::new([client, server], now);
            for _ in 0..3 {
                for from in 0..2 {
                    pair.listen(from);
                    for packet in std::mem::take(&mut pair.heard[from].packets) {
                        assert!(packet.len() <= size, "{version:?}: {} > {size}", packet.len());
                        pair.deliver(1 - from, &packet);
                    }
                }
            }
            pair.assert_connected(&RSA[0], &RSA[1]);
        }
    }
}

/// The certificate is public, but nobody can sign without its key.
#[test]
fn a_certificate_without_its_key_proves_nothing() {
    for (mine, other) in [(&RSA[0], &RSA[1]), (&ECDSA[0], &ECDSA[1])] {
        let stolen = Certificate::from_der(
            other.der().to_vec(),
            mine.private_key_der().to_vec(),
            other.expires(),
        )
        .unwrap();
        for version in VERSIONS {
            for thief in 0..2 {
                let mut certificates = [mine, mine];
                certificates[thief] = &stolen;
                let mut pair = pair(version, certificates[0], certificates[1]);
                pair.exchange();
                let victim = 1 - thief;
                assert_eq!(pair.heard[victim].certificate.as_deref(), Some(other.der()));
                assert!(!pair.heard[victim].connected);
                let ended = &pair.ended[victim];
                assert!(matches!(ended, Some(Ended::Refused(alert::DECRYPT_ERROR, _))));
                match version {
                    // The thief can read the alert only if it has the keys by then.
                    DtlsVersion::Dtls12 => assert!(!pair.heard[thief].connected),
                    // It is told, whether it believes that it is connected or not.
                    DtlsVersion::Dtls13 => assert!(matches!(
                        pair.ended[thief],
                        Some(Ended::Alert(alert::DECRYPT_ERROR))
                    )),
                }
                let victim = &mut pair.ends[victim];
                assert!(matches!(victim.poll_output(), Said::Timeout(None)));
                assert!(victim.seal(b"data", &mut [0; 100]).is_err());
            }
        }
    }
}

#[test]
fn a_flight_that_is_lost_is_sent_again_after_100_ms_and_then_ever_later() {
    for version in VERSIONS {
        let mut pair = pair(version, &ECDSA[0], &ECDSA[1]);
        let start = pair.now;
        pair.listen(0);
        let hello = std::mem::take(&mut pair.heard[0].packets);
        let mut times = Vec::new();
        while pair.now - start < Duration::from_secs(3) {
            pair.now += Duration::from_millis(10);
            assert!(pair.ends[0].handle_timeout(pair.now).is_ok());
            pair.listen(0);
            if !pair.heard[0].packets.is_empty() {
                times.push((pair.now - start).as_millis());
                let again = std::mem::take(&mut pair.heard[0].packets);
                // The record is new, but the message is the same.
                assert_ne!(again, hello);
                assert_eq!(again[0][13..], hello[0][13..]);
            }
        }
        assert_eq!(times, [100, 300, 700, 1500], "{version:?}");
        pair.now = start + HANDSHAKE_TIMEOUT;
        assert!(matches!(pair.ends[0].handle_timeout(pair.now), Err(Ended::Timeout)));
    }
}

#[test]
fn nothing_in_the_clear_is_heard_once_there_are_keys() {
    let close = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0];
    let fatal = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40];
    let data = [23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40];
    for version in VERSIONS {
        let mut pair = pair(version, &ECDSA[0], &ECDSA[1]);
        pair.exchange();
        for who in 0..2 {
            for forged in [close, fatal, data] {
                pair.deliver(who, &forged);
            }
            assert!(pair.ended[who].is_none() && !pair.heard[who].closed);
            assert!(pair.heard[who].data.is_empty() && pair.heard[who].packets.is_empty());
        }
        pair.assert_connected(&ECDSA[0], &ECDSA[1]);

        assert!(pair.ends[0].close().is_ok());
        pair.exchange();
        assert!(pair.heard[1].closed);
        assert!(pair.ends[0].seal(b"late", &mut [0; 100]).is_err());
    }
}

/// RFC 5764: both sides know the same profile and the same keys, and each handshake has its own.
#[test]
fn srtp_is_negotiated_with_ourselves_and_with_dimpl() {
    let now = Instant::now();
    let [one, two] = &*ECDSA;
    let (client, server) = (DtlsRole::Client, DtlsRole::Server);
    for version in VERSIONS {
        let mine = |role, certificate| ours(version, role, certificate, now, DATAGRAM);
        let other = |role, certificate| library(role, certificate, now, alone(version), DATAGRAM);
        // Over DTLS 1.2 the server of `dimpl` has an order of its own.
        let of_dimpl = match version {
            DtlsVersion::Dtls12 => SrtpProfile::AeadAes256Gcm,
            DtlsVersion::Dtls13 => SrtpProfile::AeadAes128Gcm,
        };
        let mut seen = Vec::new();
        for (ends, profile) in [
            ([mine(client, one), mine(server, two)], SrtpProfile::AeadAes128Gcm),
            ([other(client, one), mine(server, two)], SrtpProfile::AeadAes128Gcm),
            ([mine(client, one), other(server, two)], of_dimpl),
        ] {
            let mut pair = Pair::new(ends, now);
            pair.exchange();
            let [ours, theirs] = &pair.heard;
            assert_eq!(ours.srtp, theirs.srtp);
            let keys = ours.srtp.clone().unwrap();
            assert_eq!(keys.profile(), profile, "{version:?}");
            assert_eq!(keys.keying_material().len(), profile.keying_material_len());
            assert!(!seen.contains(&keys.keying_material().to_vec()));
            seen.push(keys.keying_material().to_vec());
        }
    }
}
