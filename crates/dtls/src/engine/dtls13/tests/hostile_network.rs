//! A network that loses, repeats, reorders, cuts and forges, from a seed.

use std::collections::HashSet;

use super::*;
use crate::engine::common::reassembly;

/// One side, and what must hold of it at any time.
struct Side {
    connection: Dtls13,
    heard: Heard,
    ended: bool,
    /// Every protected record. Two that are alike would have had the same number.
    written: HashSet<Vec<u8>>,
}

impl Side {
    fn new(now: Instant, role: DtlsRole, certificate: &Certificate, size: usize) -> Self {
        let connection = Dtls13::new(now, role, certificate, size, None, false).unwrap();
        let heard = Heard::default();
        let mut side = Self { connection, heard, ended: false, written: HashSet::new() };
        side.check();
        side
    }

    fn hear(&mut self, datagram: &[u8]) {
        if !self.ended {
            self.ended = self.connection.handle_datagram(datagram).is_err();
            self.check();
        }
    }

    fn pass(&mut self, now: Instant) {
        if !self.ended {
            self.ended = self.connection.handle_timeout(now).is_err();
            self.check();
        }
    }

    /// Takes what it says. `Heard` checks that the order is right.
    fn check(&mut self) {
        let before = self.heard.packets.len();
        self.heard.listen(&mut self.connection);
        for packet in &self.heard.packets[before..] {
            let mut reader = Reader(packet);
            while let Some(record) = Record::read(&mut reader) {
                match record {
                    Record::Protected(record) => {
                        assert!(
                            self.written.insert(record.whole.to_vec()),
                            "twice the same record"
                        );
                    }
                    Record::Plain { kind, .. } => {
                        assert!([content::HANDSHAKE, content::ALERT].contains(&kind));
                    }
                }
            }
            assert!(reader.is_empty());
        }
        let Dtls13 { handshake, reassembly, acks, output, opened, .. } = &self.connection;
        assert!(output.is_empty() && opened.used() == 0 && acks.records.len() <= MOST_ACKS);
        assert!(reassembly.size() <= 8 * 2 * 16 * 1024);
        let held = handshake.iter().flat_map(|handshake| &handshake.held).map(Vec::len);
        assert!(held.clone().count() <= MOST_HELD_RECORDS && held.sum::<usize>() <= MOST_HELD);
        assert!(self.ended || self.heard.connected == (self.connection.step == Step::Connected));
    }
}

/// The records of a datagram, as far as it has any.
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

fn plain(kind: u8, number: u64, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 0xfe, 0xfd];
    record.extend_from_slice(&number.to_be_bytes());
    record.extend_from_slice(&(body.len() as u16).to_be_bytes());
    record.extend_from_slice(body);
    record
}

/// Whether it is a handshake message in the clear.
fn is_message(record: &[u8]) -> bool {
    record.len() >= 25 && record[0] == content::HANDSHAKE
}

/// Splits a record with a handshake message into two that overlap; DTLS allows that.
fn split(record: &[u8], rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut reader = Reader(&record[13..]);
    let header: [u8; 12] = reader.array().unwrap();
    let body = reader.0;
    let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
    if body.len() != length {
        return vec![record.to_vec()];
    }
    let sequence = u16::from_be_bytes([header[4], header[5]]);
    let end = rng.below(length + 1);
    let start = rng.below(end + 1);
    let ranges = [start..length, 0..end];
    let parts = ranges.map(|range| {
        let head = reassembly::header(header[0], length, sequence, range.start, range.len());
        plain(content::HANDSHAKE, rng.next() >> 16, &[&head, &body[range]].concat())
    });
    parts.into()
}

/// A datagram as it arrives on a network that moves everything about and forges nothing.
fn shake(datagram: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut records = records(datagram);
    for _ in 0..rng.below(4) {
        let at = rng.below(records.len());
        match rng.below(4) {
            0 if is_message(&records[at]) => {
                let parts = split(&records[at], rng);
                records.splice(at..=at, parts);
            }
            1 => records.push(records[at].clone()),
            2 => records.rotate_left(at),
            _ => {
                let other = rng.below(records.len());
                records.swap(at, other);
            }
        }
    }
    records.concat()
}

/// A datagram after an attacker has changed it.
fn forge(datagram: &[u8], seen: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut records = records(datagram);
    if records.is_empty() {
        return datagram.to_vec();
    }
    let at = rng.below(records.len());
    match rng.below(10) {
        0 => {
            let mut changed = datagram.to_vec();
            let at = rng.below(changed.len());
            changed[at] ^= 1 << rng.below(8);
            return changed;
        }
        1 => return datagram[..rng.below(datagram.len() + 1)].to_vec(),
        2 => return [datagram, &rng.octets(50)].concat(),
        3 => drop(records.remove(at)),
        // A field in the header of a message.
        4 if is_message(&records[at]) => {
            let field = 13 + rng.below(12);
            records[at][field] = [0, 1, 2, 11, 20, 0xff, rng.next() as u8][rng.below(7)];
        }
        // Its content.
        5 if is_message(&records[at]) && records[at].len() > 25 => {
            let octet = 25 + rng.below(records[at].len() - 25);
            records[at][octet] ^= 1 << rng.below(8);
        }
        // What was said before, to the same side or the other.
        6 | 7 if !seen.is_empty() => records.insert(at, seen[rng.below(seen.len())].clone()),
        // Another header: epoch, number, length of the number, no length, a connection id.
        8 => {
            let octet = rng.below(records[at].len().min(5));
            records[at][octet] ^= 1 << rng.below(8);
        }
        _ => {
            let kind = [20, 21, 22, 23, 24, 26, 0b0010_1110, 0b0010_1111][rng.below(8)];
            let number = [0, 1, 2, (1 << 48) - 1, 1 << 48, rng.next() >> 16][rng.below(6)];
            let mut body = rng.octets(60);
            if kind == content::ALERT {
                body = vec![1 + rng.below(2) as u8, rng.below(100) as u8];
            }
            if kind == content::ACK {
                body = wire::ack(&[(0, 0), (0, 1), (2, 0), (2, 1)]);
            }
            if kind == content::HANDSHAKE && body.len() > 12 {
                // A small fragment of something large.
                let sequence = rng.below(9) as u16;
                let kind = [1, 2, 3, 4, 8, 11, 13, 15, 20, 24][rng.below(10)];
                let data = body.len() - 12;
                let length = data + [0, 1, 15_000, 17_000][rng.below(4)];
                let offset = rng.below(length - data + 1);
                let header = reassembly::header(kind, length, sequence, offset, data);
                body[..12].copy_from_slice(&header);
            }
            records.insert(at, plain(kind, number, &body));
        }
    }
    records.concat()
}

/// How the two sides end.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    connected: [bool; 2],
    ended: [bool; 2],
}

/// A handshake and some data. For 40 turns the network forges `forged` percent of the datagrams;
/// from then on it is without fault.
fn run(seed: u64, forged: usize) -> Outcome {
    let rng = &mut Rng(seed);
    let mut now = Instant::now();
    let certificates = [0, 1].map(|i| if rng.chance(8) { &RSA[i] } else { &ECDSA[i] });
    let size = [100, 200, 500, 1200, 1200][rng.below(5)];
    let mut sides = [(0, DtlsRole::Client), (1, DtlsRole::Server)]
        .map(|(i, role)| Side::new(now, role, certificates[i], size));
    // Keys are changed in the middle of the data.
    sides.iter_mut().for_each(|side| side.connection.update_after = 2);
    let mut flying: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut sent: [Vec<Vec<u8>>; 2] = Default::default();
    let mut turns = 0;
    let began = now;
    loop {
        for (from, side) in sides.iter_mut().enumerate() {
            if side.heard.connected && !side.ended && sent[from].len() < 5 {
                let data = format!("{from} {}", sent[from].len()).into_bytes();
                if side.heard.send(&mut side.connection, &data) {
                    sent[from].push(data);
                }
                side.check();
            }
            for packet in side.heard.packets.drain(..) {
                seen.extend(records(&packet));
                flying.push((1 - from, packet));
            }
        }
        let is_bad = turns < 40;
        turns += 1;
        if flying.is_empty() || (is_bad && rng.chance(10)) {
            // Everything is acknowledged, too.
            let done = sides
                .iter()
                .all(|side| side.ended || side.heard.connected && side.connection.flight.is_none());
            if (flying.is_empty() && done) || now - began > HANDSHAKE_TIMEOUT * 3 {
                break;
            }
            now += Duration::from_millis(if is_bad { 60 } else { 1000 });
            sides.iter_mut().for_each(|side| side.pass(now));
            continue;
        }
        if !is_bad {
            let (to, datagram) = flying.remove(0);
            sides[to].hear(&datagram);
            continue;
        }
        let (to, datagram) = flying.remove(rng.below(flying.len()));
        if rng.chance(10) {
            continue;
        }
        if rng.chance(10) {
            flying.push((to, datagram.clone()));
        }
        let mut arrives = shake(&datagram, rng);
        if rng.chance(forged) {
            arrives = forge(&arrives, &seen, rng);
        }
        sides[to].hear(&arrives);
    }

    for (i, side) in sides.iter().enumerate() {
        if side.heard.connected {
            let expected = certificates[1 - i].der();
            assert_eq!(side.heard.certificate.as_deref(), Some(expected));
        }
        // Each message that was sent arrives at most once, and nothing else does.
        let told: HashSet<_> = side.heard.data.iter().collect();
        assert_eq!(told.len(), side.heard.data.len());
        assert!(told.iter().all(|data| sent[1 - i].contains(data)));
    }
    let [client, server] = &sides;
    if client.heard.connected && server.heard.connected {
        assert_eq!(client.heard.srtp, server.heard.srtp);
        assert!(client.heard.srtp.is_some());
    }
    Outcome {
        connected: sides.each_ref().map(|side| side.heard.connected),
        ended: sides.each_ref().map(|side| side.ended),
    }
}

#[test]
fn where_nobody_forges_both_sides_connect_in_the_end() {
    for seed in 0..1000 {
        let outcome = Outcome { connected: [true; 2], ended: [false; 2] };
        assert_eq!(run(seed, 0), outcome, "{seed}");
    }
}

/// What holds at any time is in [`Side::check`].
#[test]
fn forgers_make_nobody_believe_anything() {
    let mut outcomes = [0; 2];
    for seed in 0..4000 {
        let outcome = run(seed, [5, 15, 50][seed as usize % 3]);
        outcomes[usize::from(outcome.connected == [true; 2])] += 1;
    }
    // Some handshakes fail, since hellos can be forged, and most survive.
    assert!(outcomes.iter().zip([50, 3000]).all(|(count, least)| *count > least), "{outcomes:?}");
}

/// A forger can do nothing to an established connection but withhold datagrams.
#[test]
fn an_established_connection_survives_any_forgery() {
    let now = Instant::now();
    let mut sides = [(0, DtlsRole::Client), (1, DtlsRole::Server)]
        .map(|(i, role)| Side::new(now, role, &ECDSA[i], 1200));
    sides.iter_mut().for_each(|side| side.connection.update_after = 100);
    let mut seen = Vec::new();
    while !sides.iter().all(|side| side.heard.connected) {
        for from in 0..2 {
            for packet in std::mem::take(&mut sides[from].heard.packets) {
                seen.extend(records(&packet));
                sides[1 - from].hear(&packet);
            }
        }
    }
    let rng = &mut Rng(1);
    for turn in 0..4000u32 {
        let from = turn as usize % 2;
        sides[from].pass(now + Duration::from_millis(turn.into()));
        let Side { connection, heard, .. } = &mut sides[from];
        assert!(heard.send(connection, &turn.to_be_bytes()));
        sides[from].check();
        for packet in std::mem::take(&mut sides[from].heard.packets) {
            seen.extend(records(&packet));
            seen.drain(..seen.len().saturating_sub(100));
            for _ in 0..3 {
                let forged = forge(&packet, &seen, rng);
                sides[1 - from].hear(&forged);
            }
            sides[1 - from].hear(&packet);
        }
    }
    for side in &sides {
        assert!(!side.ended && !side.heard.closed);
        assert_eq!(side.heard.data.len(), 2000);
        assert_eq!(side.heard.data.iter().collect::<HashSet<_>>().len(), 2000);
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
