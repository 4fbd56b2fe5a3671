//! A network that loses, repeats, reorders, cuts and forges, from a seed.

use std::collections::HashSet;

use time::Instant;

use super::*;
use crate::engine::testing::hostile_network::{self, Side, Version};

/// What a side has written and compared.
#[derive(Default)]
struct V12 {
    /// The transcript that its Finished was compared with.
    transcript: Vec<u8>,
    numbers: HashSet<[u8; 8]>,
}

impl Version for V12 {
    type Connection = Dtls12;
    const MESSAGES: [u8; 10] = [1, 2, 3, 11, 12, 13, 14, 15, 16, 20];
    const OUTCOMES: [usize; 2] = [500, 500];

    fn connection(
        now: Instant,
        role: DtlsRole,
        certificate: &Certificate,
        size: usize,
    ) -> Self::Connection {
        Dtls12::new(now, role, certificate, size, None).unwrap()
    }

    fn records(datagram: &[u8]) -> Vec<Vec<u8>> {
        let mut reader = Reader(datagram);
        std::iter::from_fn(|| Some(Record::read(&mut reader)?.whole.to_vec())).collect()
    }

    /// Another epoch, another number, another kind.
    fn change_header(record: &mut [u8], rng: &mut Rng) {
        record[[0, 3, 4, 9, 10][rng.below(5)]] ^= 1 << rng.below(2);
    }

    fn invent(rng: &mut Rng) -> (u8, u16, u64) {
        let number = [0, 1, 2, (1 << 48) - 1, rng.next() >> 16][rng.below(5)];
        (20 + rng.below(5) as u8, rng.below(3) as u16, number)
    }

    /// Record by record, to see what each changes; the rest is not a record.
    fn hear(side: &mut Side<Self>, datagram: &[u8]) -> bool {
        let mut rest = datagram;
        while !rest.is_empty() {
            let mut reader = Reader(rest);
            let record = Record::read(&mut reader).map_or(rest, |record| record.whole);
            let before = side.connection.transcript.clone();
            if side.connection.handle_datagram(record).is_err() {
                return true;
            }
            if side.connection.step == Step::Connected && side.version.transcript.is_empty() {
                side.version.transcript = before;
            }
            rest = &rest[record.len()..];
            side.check();
        }
        false
    }

    fn check(side: &mut Side<Self>, said: &[Vec<u8>]) {
        for packet in said {
            let mut reader = Reader(packet);
            while let Some(record) = Record::read(&mut reader) {
                if record.epoch == 1 {
                    let nonce = record.body[..8].try_into().unwrap();
                    assert!(side.version.numbers.insert(nonce), "a nonce was used twice");
                } else {
                    assert_ne!(record.kind, content::APPLICATION_DATA);
                }
            }
            assert!(reader.is_empty());
        }
        let Dtls12 { held, reassembly, transcript, flight, output, .. } = &side.connection;
        assert!(held.len() <= MAX_HELD && flight.len() <= 5 && output.is_empty());
        assert!(reassembly.size() <= 8 * 2 * 16 * 1024 && transcript.len() <= 8 * 16 * 1024);
        assert!(side.ended || side.heard.connected == (side.connection.step == Step::Connected));
    }

    /// The client's transcript is longer by its Finished.
    fn agree(client: &Side<Self>, server: &Side<Self>) {
        assert!(!server.version.transcript.is_empty());
        assert!(client.version.transcript.starts_with(&server.version.transcript));
    }
}

#[test]
fn where_nobody_forges_both_sides_connect_in_the_end() {
    hostile_network::honest::<V12>();
}

#[test]
fn forgers_make_nobody_believe_anything() {
    hostile_network::forged::<V12>();
}

#[test]
fn an_established_connection_survives_any_forgery() {
    hostile_network::established::<V12>();
}

/// Certificates come from anybody, and are read before anybody is believed.
#[test]
fn certificates_of_any_octets_are_refused_or_read() {
    let rng = &mut Rng(1);
    let mut read = 0;
    for turn in 0..20_000 {
        let certificate = if turn % 2 == 0 { &ECDSA[0] } else { &RSA[0] };
        let mut der = certificate.der().to_vec();
        for _ in 0..=rng.below(4) {
            let at = rng.below(der.len());
            match rng.below(4) {
                0 => der.truncate(at.max(1)),
                1 => drop(der.splice(at..at, rng.octets(4))),
                2 => der[at] = [0, 0x7f, 0x80, 0x84, 0xff][rng.below(5)],
                _ => der[at] ^= 1 << rng.below(8),
            }
        }
        if let Ok(key) = PublicKey::of(&der) {
            read += 1;
            for scheme in SCHEMES {
                let signed = Signed { scheme, signature: &rng.octets(300) };
                assert!(key.verify(&signed, VERSION, b"content").is_err());
            }
        }
    }
    assert!(read > 100, "{read}");
}
