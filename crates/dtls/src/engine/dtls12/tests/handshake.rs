//! The handshake with itself, with `dimpl`, and with peers that are not who they say.

use super::*;
use crate::config::DtlsVersions;

/// Nobody can change what the two sides say and have them connect.
#[test]
fn a_handshake_that_was_changed_on_its_way_does_not_connect() {
    let mut changed = 0;
    for turn in 0..400 {
        let mut pair = pair(VERSION, &ECDSA[0], &ECDSA[1]);
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

/// RFC 6347 §4.2.4: the last flight has no timer. When the client repeats its own, it is missing.
#[test]
fn the_last_flight_is_sent_again_when_the_client_repeats_its_own() {
    let mut pair = pair(VERSION, &ECDSA[0], &ECDSA[1]);
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
fn sides_without_anything_in_common_end_with_an_alert() {
    // dimpl has no suite for RSA certificates, and accepts none.
    let now = Instant::now();
    for versions in [DtlsVersions::Dtls12, DtlsVersions::Auto] {
        let client = library(DtlsRole::Client, &ECDSA[0], now, versions, DATAGRAM);
        let mut pair =
            Pair::new([client, ours(VERSION, DtlsRole::Server, &RSA[1], now, DATAGRAM)], now);
        pair.ends[0].handle_timeout(now).ok().unwrap();
        pair.listen(0);
        let hello = std::mem::take(&mut pair.heard[0].packets);
        hello.iter().for_each(|packet| pair.deliver(1, packet));
        assert!(matches!(pair.ended[1], Some(Ended::Refused(alert::HANDSHAKE_FAILURE, _))));
        assert_eq!(pair.heard[1].packets[0][13..], [2, alert::HANDSHAKE_FAILURE]);

        let client = ours(VERSION, DtlsRole::Client, &RSA[0], now, DATAGRAM);
        let server = library(DtlsRole::Server, &ECDSA[1], now, versions, DATAGRAM);
        let mut pair = Pair::new([client, server], now);
        pair.exchange();
        assert!(matches!(pair.ended[0], Some(Ended::Refused(alert::HANDSHAKE_FAILURE, _))));
        assert!(matches!(pair.ended[1], Some(Ended::Alert(alert::HANDSHAKE_FAILURE))));
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
        let mut pair = pair(VERSION, &ECDSA[0], &ECDSA[1]);
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
