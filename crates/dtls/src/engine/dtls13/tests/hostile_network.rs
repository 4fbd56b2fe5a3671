//! A network that loses, repeats, reorders, cuts and forges, from a seed.

use std::collections::HashSet;

use super::*;
use crate::engine::testing::hostile_network::{self, Side, Version};

/// What a side has written.
#[derive(Default)]
struct V13 {
    /// Every protected record. Two that are alike would have had the same number.
    written: HashSet<Vec<u8>>,
}

impl Version for V13 {
    type Connection = Dtls13;
    const MESSAGES: [u8; 10] = [1, 2, 3, 4, 8, 11, 13, 15, 20, 24];
    /// Hellos can be forged.
    const OUTCOMES: [usize; 2] = [50, 3000];

    fn connection(
        now: Instant,
        role: DtlsRole,
        certificate: &Certificate,
        size: usize,
    ) -> Self::Connection {
        Dtls13::new(now, role, certificate, size, None, false).unwrap()
    }

    fn change_keys_after(connection: &mut Self::Connection, records: u64) {
        connection.update_after = records;
    }

    fn records(datagram: &[u8]) -> Vec<Vec<u8>> {
        let mut reader = Reader(datagram);
        let mut records = Vec::new();
        loop {
            let before = reader.0;
            if Record::read(&mut reader).is_none() {
                return records;
            }
            records.push(before[..before.len() - reader.0.len()].to_vec());
        }
    }

    /// Epoch, number, length of the number, no length, a connection id.
    fn change_header(record: &mut [u8], rng: &mut Rng) {
        record[rng.below(record.len().min(5))] ^= 1 << rng.below(8);
    }

    fn invent(rng: &mut Rng) -> (u8, u16, u64) {
        let kind = [20, 21, 22, 23, 24, 26, 0b0010_1110, 0b0010_1111][rng.below(8)];
        let number = [0, 1, 2, (1 << 48) - 1, rng.next() >> 16][rng.below(5)];
        (kind, rng.below(2) as u16, number)
    }

    /// Records of both epochs of the handshake.
    fn acknowledgement() -> Vec<u8> {
        wire::ack(&[(0, 0), (0, 1), (2, 0), (2, 1)])
    }

    fn check(side: &mut Side<Self>, said: &[Vec<u8>]) {
        for packet in said {
            let mut reader = Reader(packet);
            while let Some(record) = Record::read(&mut reader) {
                match record {
                    Record::Protected(record) => {
                        let is_new = side.version.written.insert(record.whole.to_vec());
                        assert!(is_new, "twice the same record");
                    }
                    Record::Plain { kind, .. } => {
                        assert!([content::HANDSHAKE, content::ALERT].contains(&kind));
                    }
                }
            }
            assert!(reader.is_empty());
        }
        let Dtls13 { handshake, reassembly, acks, output, .. } = &side.connection;
        assert!(output.is_empty() && acks.records.len() <= MOST_ACKS);
        assert!(reassembly.size() <= 8 * 2 * 16 * 1024);
        let held = handshake.iter().flat_map(|handshake| &handshake.held).map(Vec::len);
        assert!(held.clone().count() <= MOST_HELD_RECORDS && held.sum::<usize>() <= MOST_HELD);
        assert!(side.ended || side.heard.connected == (side.connection.step == Step::Connected));
    }

    /// Everything is acknowledged, too.
    fn is_done(connection: &Self::Connection) -> bool {
        connection.flight.is_none()
    }

    fn agree(client: &Side<Self>, server: &Side<Self>) {
        assert_eq!(client.heard.srtp, server.heard.srtp);
        assert!(client.heard.srtp.is_some());
    }
}

#[test]
fn where_nobody_forges_both_sides_connect_in_the_end() {
    hostile_network::honest::<V13>();
}

#[test]
fn forgers_make_nobody_believe_anything() {
    hostile_network::forged::<V13>();
}

#[test]
fn an_established_connection_survives_any_forgery() {
    for side in hostile_network::established::<V13>() {
        // A hundred records, and a few until the peer has acknowledged the change.
        assert!(side.connection.records.writing_epoch() > DATA + 10);
    }
}

/// `dimpl` on the other side of a network that loses, repeats and reorders whole datagrams.
#[test]
fn a_bad_network_to_another_implementation_is_no_obstacle() {
    for seed in 0..300 {
        let rng = &mut Rng(seed);
        let mut now = Instant::now();
        let size = [300, 600, 1200][rng.below(3)];
        let ours = |role, i: usize| -> Box<dyn Engine> {
            Box::new(Dtls13::new(now, role, &ECDSA[i], size, None, false).unwrap())
        };
        let other = |role, i: usize| library(role, &ECDSA[i], now, DtlsVersions::Dtls13, size);
        let ends = match seed % 2 {
            0 => [ours(DtlsRole::Client, 0), other(DtlsRole::Server, 1)],
            _ => [other(DtlsRole::Client, 0), ours(DtlsRole::Server, 1)],
        };
        let mut pair = Pair::new(ends, now);
        let mut flying: Vec<(usize, Vec<u8>)> = Vec::new();
        for turn in 0.. {
            for who in 0..2 {
                assert!(pair.ends[who].handle_timeout(now).is_ok(), "{seed}: {who}");
                pair.listen(who);
                let packets = std::mem::take(&mut pair.heard[who].packets);
                flying.extend(packets.into_iter().map(|packet| (1 - who, packet)));
            }
            let is_connected = pair.heard.iter().all(|heard| heard.connected);
            if is_connected && flying.is_empty() {
                break;
            }
            assert!(turn < 3000, "{seed}: no connection");
            // `dimpl` has something to say whenever it is asked, until all of a flight has come.
            now += Duration::from_millis(1);
            if flying.is_empty() {
                now += Duration::from_millis(50);
                continue;
            }
            let (to, packet) = flying.remove(rng.below(flying.len()));
            if turn < 60 && rng.chance(20) {
                continue;
            }
            if turn < 60 && rng.chance(10) {
                flying.push((to, packet.clone()));
            }
            pair.deliver(to, &packet);
            assert!(pair.ended[to].is_none(), "{seed}: {to} ended");
        }
        for who in 0..2 {
            pair.send(who, b"data");
            pair.exchange();
            assert_eq!(pair.heard[1 - who].data, [b"data"], "{seed}");
        }
    }
}
