//! The handshake with itself, with `dimpl`, and with peers that are not who they say.

use super::*;
use crate::config::DtlsVersions;

const DATAGRAM: usize = 1200;

fn ours(
    role: DtlsRole,
    certificate: &Certificate,
    now: Instant,
    datagram: usize,
) -> Box<dyn Engine> {
    Box::new(Dtls12::new(now, role, certificate, datagram, None).unwrap())
}

fn pair(client: &Certificate, server: &Certificate) -> Pair {
    let now = Instant::now();
    let client = ours(DtlsRole::Client, client, now, DATAGRAM);
    Pair::new([client, ours(DtlsRole::Server, server, now, DATAGRAM)], now)
}

#[test]
fn any_two_kinds_of_certificates_connect() {
    for client in [&RSA[0], &ECDSA[0]] {
        for server in [&RSA[1], &ECDSA[1]] {
            let mut pair = pair(client, server);
            pair.exchange();
            pair.assert_connected(client, server);
        }
    }
}

/// `dimpl` understands all of our messages that it knows: hellos with and without cookies and DTLS
/// 1.3, fragments, both groups' key exchange, ECDSA, Finished, data.
#[test]
fn dimpl_understands_us_and_we_dimpl() {
    let [one, two] = &*ECDSA;
    for versions in [DtlsVersions::Dtls12, DtlsVersions::Auto] {
        for size in [1200, 300] {
            let now = Instant::now();
            let client = ours(DtlsRole::Client, one, now, size);
            // The server of `dimpl` sends a HelloVerifyRequest.
            let mut pair =
                Pair::new([client, library(DtlsRole::Server, two, now, versions, size)], now);
            pair.exchange();
            pair.assert_connected(one, two);

            let server = ours(DtlsRole::Server, two, now, size);
            let mut pair =
                Pair::new([library(DtlsRole::Client, one, now, versions, size), server], now);
            pair.exchange();
            pair.assert_connected(one, two);
        }
    }
}

#[test]
fn datagrams_are_no_larger_than_they_may_be() {
    for size in [100, 576, 1200] {
        let now = Instant::now();
        let client = ours(DtlsRole::Client, &RSA[0], now, size);
        let server = ours(DtlsRole::Server, &RSA[1], now, size);
        let mut pair = Pair::new([client, server], now);
        for _ in 0..3 {
            for from in 0..2 {
                pair.listen(from);
                for packet in std::mem::take(&mut pair.heard[from].packets) {
                    assert!(packet.len() <= size, "{} > {size}", packet.len());
                    pair.deliver(1 - from, &packet);
                }
            }
        }
        pair.assert_connected(&RSA[0], &RSA[1]);
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
        for thief in 0..2 {
            let mut certificates = [mine, mine];
            certificates[thief] = &stolen;
            let mut pair = pair(certificates[0], certificates[1]);
            pair.exchange();
            assert_eq!(pair.heard[1 - thief].certificate.as_deref(), Some(other.der()));
            assert!(!pair.heard[1 - thief].connected && !pair.heard[thief].connected);
            assert!(matches!(pair.ended[1 - thief], Some(Ended::Refused(alert::DECRYPT_ERROR, _))));
            // The thief can read the alert only if it has the keys by then.
            let victim = &mut pair.ends[1 - thief];
            assert!(matches!(victim.poll_output(), Said::Timeout(None)));
            assert!(victim.seal(b"data", &mut [0; 100]).is_err());
        }
    }
}

/// Nobody can change what the two sides say and have them connect.
#[test]
fn a_handshake_that_was_changed_on_its_way_does_not_connect() {
    let mut changed = 0;
    for turn in 0..400 {
        let mut pair = pair(&ECDSA[0], &ECDSA[1]);
        pair.listen(0);
        // Flips a bit of one message, behind its header and that of its record.
        let from = turn % 2;
        if from == 1 {
            for packet in std::mem::take(&mut pair.heard[0].packets) {
                pair.deliver(1, &packet);
            }
        }
        let Some(packet) = pair.heard[from].packets.first_mut() else { continue };
        let at = 25 + (turn / 2) * 7;
        let starts: Vec<usize> = {
            let mut reader = Reader(packet);
            let mut starts = vec![0];
            while let Some(record) = Record::read(&mut reader) {
                starts.push(starts.last().unwrap() + record.whole.len());
            }
            starts
        };
        let in_header = starts.iter().any(|start| (*start..start + 25).contains(&at));
        if at >= packet.len() || in_header {
            continue;
        }
        packet[at] ^= 0x10;
        changed += 1;
        pair.exchange();
        assert!(!pair.heard[0].connected && !pair.heard[1].connected, "{from}: octet {at}");
    }
    assert!(changed > 50, "{changed}");
}

#[test]
fn a_flight_that_is_lost_is_sent_again_after_100_ms_and_then_ever_later() {
    let mut pair = pair(&ECDSA[0], &ECDSA[1]);
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
    assert_eq!(times, [100, 300, 700, 1500]);
    pair.now = start + HANDSHAKE_TIMEOUT;
    assert!(matches!(pair.ends[0].handle_timeout(pair.now), Err(Ended::Timeout)));
}

/// RFC 6347 §4.2.4: the last flight has no timer. When the client repeats its own, it is missing.
#[test]
fn the_last_flight_is_sent_again_when_the_client_repeats_its_own() {
    let mut pair = pair(&ECDSA[0], &ECDSA[1]);
    pair.listen(0);
    for (from, to) in [(0, 1), (1, 0), (0, 1)] {
        for packet in std::mem::take(&mut pair.heard[from].packets) {
            pair.deliver(to, &packet);
        }
    }
    assert!(pair.heard[1].connected);
    pair.heard[1].packets.clear();
    // Data that overtakes it is kept.
    pair.send(1, b"early");
    pair.exchange();
    assert!(!pair.heard[0].connected);
    assert!(pair.heard[0].data.is_empty());

    pair.now += Duration::from_millis(100);
    pair.exchange();
    assert!(pair.heard[0].connected);
    assert_eq!(pair.heard[0].data, [b"early"]);
}

#[test]
fn nothing_in_the_clear_is_heard_once_there_are_keys() {
    let mut pair = pair(&ECDSA[0], &ECDSA[1]);
    pair.exchange();
    let close = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0];
    let fatal = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40];
    let data = [23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40];
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
}

#[test]
fn sides_without_anything_in_common_end_with_an_alert() {
    // dimpl has no suite for RSA certificates, and accepts none.
    let now = Instant::now();
    for versions in [DtlsVersions::Dtls12, DtlsVersions::Auto] {
        let client = library(DtlsRole::Client, &ECDSA[0], now, versions, DATAGRAM);
        let mut pair = Pair::new([client, ours(DtlsRole::Server, &RSA[1], now, DATAGRAM)], now);
        pair.ends[0].handle_timeout(now).ok().unwrap();
        pair.listen(0);
        let hello = std::mem::take(&mut pair.heard[0].packets);
        hello.iter().for_each(|packet| pair.deliver(1, packet));
        assert!(matches!(pair.ended[1], Some(Ended::Refused(alert::HANDSHAKE_FAILURE, _))));
        assert_eq!(pair.heard[1].packets[0][13..], [2, alert::HANDSHAKE_FAILURE]);

        let client = ours(DtlsRole::Client, &RSA[0], now, DATAGRAM);
        let server = library(DtlsRole::Server, &ECDSA[1], now, versions, DATAGRAM);
        let mut pair = Pair::new([client, server], now);
        pair.exchange();
        assert!(matches!(pair.ended[0], Some(Ended::Refused(alert::HANDSHAKE_FAILURE, _))));
        assert!(matches!(pair.ended[1], Some(Ended::Alert(alert::HANDSHAKE_FAILURE))));
    }
}

/// RFC 5764: both sides know the same profile and the same keys, and each handshake has its own.
#[test]
fn srtp_is_negotiated_with_ourselves_and_with_dimpl() {
    let now = Instant::now();
    let [one, two] = &*ECDSA;
    let mine = |role, certificate| ours(role, certificate, now, DATAGRAM);
    let other = |role, certificate| library(role, certificate, now, DtlsVersions::Dtls12, DATAGRAM);
    let (client, server) = (DtlsRole::Client, DtlsRole::Server);
    let mut seen = Vec::new();
    for (ends, profile) in [
        ([mine(client, one), mine(server, two)], SrtpProfile::AeadAes128Gcm),
        ([other(client, one), mine(server, two)], SrtpProfile::AeadAes128Gcm),
        // The server of `dimpl` has an order of its own.
        ([mine(client, one), other(server, two)], SrtpProfile::AeadAes256Gcm),
    ] {
        let mut pair = Pair::new(ends, now);
        pair.exchange();
        let [ours, theirs] = &pair.heard;
        assert_eq!(ours.srtp, theirs.srtp);
        let keys = ours.srtp.clone().unwrap();
        assert_eq!(keys.profile(), profile);
        assert_eq!(keys.keying_material().len(), profile.keying_material_len());
        assert!(!seen.contains(&keys.keying_material().to_vec()));
        seen.push(keys.keying_material().to_vec());
    }
}

/// Where `use_srtp` with one profile is in a packet.
fn use_srtp_in(packet: &[u8]) -> Option<usize> {
    packet.windows(6).position(|octets| octets == [0, 14, 0, 5, 0, 2])
}

/// RFC 5764 §4.1.1, §4.1.3: the server has a choice among what was offered, and no other.
#[test]
fn a_server_that_selects_what_was_not_offered_is_refused() {
    for (at, value) in [(7, 5), (7, 0), (8, 1)] {
        let mut pair = pair(&ECDSA[0], &ECDSA[1]);
        pair.listen(0);
        for packet in std::mem::take(&mut pair.heard[0].packets) {
            pair.deliver(1, &packet);
        }
        for mut packet in std::mem::take(&mut pair.heard[1].packets) {
            if let Some(start) = use_srtp_in(&packet) {
                packet[start + at] = value;
            }
            pair.deliver(0, &packet);
        }
        assert!(matches!(
            pair.ended[0],
            Some(Ended::Refused(alert::ILLEGAL_PARAMETER | alert::DECODE_ERROR, _))
        ));
    }
}

#[test]
fn offers_of_srtp_are_read_as_rfc_5764_has_them() {
    let read = |profiles: &[u8], mki: &[u8]| {
        let length = [0, profiles.len() as u8];
        let body = [&length, profiles, &[mki.len() as u8], mki].concat();
        let extension = [&[0, 14, 0, body.len() as u8], body.as_slice()].concat();
        let all = [&[0, extension.len() as u8], extension.as_slice()].concat();
        let hello = [&[0xfe, 0xfd], &[7; 32][..], &[0, 0xc0, 0x2b, 0], &all].concat();
        let hello = wire::ServerHello::read(&hello)?;
        Some((hello.extensions.use_srtp?.select(), hello.extensions.use_srtp?.selected()))
    };
    let gcm = Some(SrtpProfile::AeadAes128Gcm);
    let sha1 = Some(SrtpProfile::Aes128CmHmacSha1_80);
    assert_eq!(read(&[0, 1, 0, 2, 0, 8, 0, 7], &[]), Some((gcm, None)));
    assert_eq!(read(&[0, 2, 0, 1], &[]), Some((sha1, None)));
    assert_eq!(read(&[0, 1], &[]), Some((sha1, sha1)));
    assert_eq!(read(&[0, 1], &[1, 2, 3]), Some((sha1, None)));
    assert_eq!(read(&[0, 2], &[]), Some((None, None)));
    assert_eq!(read(&[], &[]), Some((None, None)));
    assert_eq!(read(&[0, 1, 0], &[]), None);
}
