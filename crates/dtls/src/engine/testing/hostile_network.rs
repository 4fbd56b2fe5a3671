//! A network that loses, repeats, reorders, cuts and forges, from a seed. The versions say what they
//! write and what must hold of them at any time: [`Version`].

use std::collections::HashSet;

use time::{Duration, Instant};

use super::{ECDSA, Heard, RSA, Rng};
use crate::certificate::Certificate;
use crate::connection::DtlsRole;
use crate::engine::common::codec::Reader;
use crate::engine::common::{content, reassembly};
use crate::engine::{Engine, HANDSHAKE_TIMEOUT};

/// The octets before the content of a record in the clear.
const RECORD: usize = 13;
/// The octets before the content of a message of the handshake.
const MESSAGE: usize = 12;

/// What one version does in such a network.
pub(crate) trait Version: Default + Sized {
    type Connection: Engine;
    /// The kinds of messages of the handshake that a forger makes.
    const MESSAGES: [u8; 10];
    /// How many handshakes fail at least when somebody forges, and how many survive.
    const OUTCOMES: [usize; 2];

    fn connection(
        now: Instant,
        role: DtlsRole,
        certificate: &Certificate,
        size: usize,
    ) -> Self::Connection;

    /// Has keys changed after so many records, where they can be.
    fn change_keys_after(_: &mut Self::Connection, _records: u64) {}

    /// The records of a datagram, as far as it has any.
    fn records(datagram: &[u8]) -> Vec<Vec<u8>>;

    /// Changes something in the header of a record.
    fn change_header(record: &mut [u8], rng: &mut Rng);

    /// The kind, the epoch and the number of a record that nobody has written.
    fn invent(rng: &mut Rng) -> (u8, u16, u64);

    /// What a forged ACK says, where there are such.
    fn acknowledgement() -> Vec<u8> {
        Vec::new()
    }

    /// Hears a datagram. Returns whether that was the end.
    fn hear(side: &mut Side<Self>, datagram: &[u8]) -> bool {
        side.connection.handle_datagram(datagram).is_err()
    }

    /// Checks what must hold at any time; `said` is what the side has just said.
    fn check(side: &mut Side<Self>, said: &[Vec<u8>]);

    /// Whether a connected side waits for nothing more.
    fn is_done(_: &Self::Connection) -> bool {
        true
    }

    /// Checks two sides that are connected to each other.
    fn agree(client: &Side<Self>, server: &Side<Self>);
}

/// One side.
pub(crate) struct Side<V: Version> {
    pub(crate) connection: V::Connection,
    pub(crate) heard: Heard,
    pub(crate) ended: bool,
    pub(crate) version: V,
}

impl<V: Version> Side<V> {
    fn new(now: Instant, role: DtlsRole, certificate: &Certificate, size: usize) -> Self {
        let connection = V::connection(now, role, certificate, size);
        let (heard, version) = (Heard::default(), V::default());
        let mut side = Self { connection, heard, ended: false, version };
        side.check();
        side
    }

    /// The client first.
    fn both(now: Instant, certificates: [&Certificate; 2], size: usize) -> [Self; 2] {
        [(0, DtlsRole::Client), (1, DtlsRole::Server)]
            .map(|(i, role)| Self::new(now, role, certificates[i], size))
    }

    fn hear(&mut self, datagram: &[u8]) {
        if !self.ended {
            self.ended = V::hear(self, datagram);
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
    pub(crate) fn check(&mut self) {
        let before = self.heard.packets.len();
        self.heard.listen(&mut self.connection);
        let said = self.heard.packets[before..].to_vec();
        V::check(self, &said);
    }

    fn send(&mut self, data: &[u8]) -> bool {
        let sent = self.heard.send(&mut self.connection, data);
        self.check();
        sent
    }
}

fn record(kind: u8, epoch: u16, number: u64, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 0xfe, 0xfd];
    record.extend_from_slice(&(u64::from(epoch) << 48 | number).to_be_bytes());
    record.extend_from_slice(&(body.len() as u16).to_be_bytes());
    record.extend_from_slice(body);
    record
}

/// Whether it is a handshake message in the clear.
fn is_message(record: &[u8]) -> bool {
    record.len() >= RECORD + MESSAGE && record[0] == content::HANDSHAKE && record[3..5] == [0, 0]
}

/// Splits a record with a handshake message into two that overlap; DTLS allows that.
fn split(whole: &[u8], rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut reader = Reader(&whole[RECORD..]);
    let header: [u8; MESSAGE] = reader.array().unwrap();
    let body = reader.0;
    let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
    if body.len() != length {
        return vec![whole.to_vec()];
    }
    let sequence = u16::from_be_bytes([header[4], header[5]]);
    let end = rng.below(length + 1);
    let start = rng.below(end + 1);
    let ranges = [start..length, 0..end];
    let parts = ranges.map(|range| {
        let head = reassembly::header(header[0], length, sequence, range.start, range.len());
        record(content::HANDSHAKE, 0, rng.next() >> 16, &[&head, &body[range]].concat())
    });
    parts.into()
}

/// A datagram as it arrives on a network that moves everything about and forges nothing.
fn shake<V: Version>(datagram: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut records = V::records(datagram);
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
fn forge<V: Version>(datagram: &[u8], seen: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut records = V::records(datagram);
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
            let field = RECORD + rng.below(MESSAGE);
            records[at][field] = [0, 1, 2, 11, 20, 0xff, rng.next() as u8][rng.below(7)];
        }
        // Its content.
        5 if is_message(&records[at]) && records[at].len() > RECORD + MESSAGE => {
            let octet = RECORD + MESSAGE + rng.below(records[at].len() - RECORD - MESSAGE);
            records[at][octet] ^= 1 << rng.below(8);
        }
        // What was said before, to the same side or the other.
        6 | 7 if !seen.is_empty() => records.insert(at, seen[rng.below(seen.len())].clone()),
        8 => V::change_header(&mut records[at], rng),
        _ => records.insert(at, invented::<V>(rng)),
    }
    records.concat()
}

/// A record that nobody has written.
fn invented<V: Version>(rng: &mut Rng) -> Vec<u8> {
    let (kind, epoch, number) = V::invent(rng);
    let mut body = rng.octets(60);
    match kind {
        content::ALERT => body = vec![1 + rng.below(2) as u8, rng.below(100) as u8],
        content::ACK => body = V::acknowledgement(),
        // A small fragment of something large.
        content::HANDSHAKE if body.len() > MESSAGE => {
            let sequence = rng.below(9) as u16;
            let kind = V::MESSAGES[rng.below(10)];
            let data = body.len() - MESSAGE;
            let length = data + [0, 1, 15_000, 17_000][rng.below(4)];
            let offset = rng.below(length - data + 1);
            let header = reassembly::header(kind, length, sequence, offset, data);
            body[..MESSAGE].copy_from_slice(&header);
        }
        _ => {}
    }
    record(kind, epoch, number, &body)
}

/// How the two sides end.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    connected: [bool; 2],
    ended: [bool; 2],
}

/// A handshake and some data. For 40 turns the network forges `forged` percent of the datagrams;
/// from then on it is without fault.
fn run<V: Version>(seed: u64, forged: usize) -> Outcome {
    let rng = &mut Rng(seed);
    let mut now = Instant::now();
    let certificates = [0, 1].map(|i| if rng.chance(8) { &RSA[i] } else { &ECDSA[i] });
    let size = [100, 200, 500, 1200, 1200][rng.below(5)];
    let mut sides = Side::<V>::both(now, certificates, size);
    // In the middle of the data.
    sides.iter_mut().for_each(|side| V::change_keys_after(&mut side.connection, 2));
    let mut flying: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let mut sent: [Vec<Vec<u8>>; 2] = Default::default();
    let mut turns = 0;
    let began = now;
    loop {
        for (from, side) in sides.iter_mut().enumerate() {
            if side.heard.connected && !side.ended && sent[from].len() < 5 {
                let data = format!("{from} {}", sent[from].len()).into_bytes();
                if side.send(&data) {
                    sent[from].push(data);
                }
            }
            for packet in side.heard.packets.drain(..) {
                seen.extend(V::records(&packet));
                flying.push((1 - from, packet));
            }
        }
        let is_bad = turns < 40;
        turns += 1;
        if flying.is_empty() || (is_bad && rng.chance(10)) {
            let done =
                |side: &Side<V>| side.ended || side.heard.connected && V::is_done(&side.connection);
            if (flying.is_empty() && sides.iter().all(done)) || now - began > HANDSHAKE_TIMEOUT * 3
            {
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
        let mut arrives = shake::<V>(&datagram, rng);
        if rng.chance(forged) {
            arrives = forge::<V>(&arrives, &seen, rng);
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
        V::agree(client, server);
    }
    Outcome {
        connected: sides.each_ref().map(|side| side.heard.connected),
        ended: sides.each_ref().map(|side| side.ended),
    }
}

/// Where nobody forges, both sides connect in the end.
pub(crate) fn honest<V: Version>() {
    for seed in 0..1000 {
        let outcome = Outcome { connected: [true; 2], ended: [false; 2] };
        assert_eq!(run::<V>(seed, 0), outcome, "{seed}");
    }
}

/// Forgers make nobody believe anything: what must hold at any time is in [`Version::check`].
pub(crate) fn forged<V: Version>() {
    let mut outcomes = [0; 2];
    for seed in 0..4000 {
        let outcome = run::<V>(seed, [5, 15, 50][seed as usize % 3]);
        outcomes[usize::from(outcome.connected == [true; 2])] += 1;
    }
    let enough = outcomes.iter().zip(V::OUTCOMES).all(|(count, least)| *count > least);
    assert!(enough, "{outcomes:?}");
}

/// A forger can do nothing to an established connection but withhold datagrams. Returns the sides.
pub(crate) fn established<V: Version>() -> [Side<V>; 2] {
    let now = Instant::now();
    let mut sides = Side::<V>::both(now, [&ECDSA[0], &ECDSA[1]], 1200);
    sides.iter_mut().for_each(|side| V::change_keys_after(&mut side.connection, 100));
    let mut seen = Vec::new();
    while !sides.iter().all(|side| side.heard.connected) {
        for from in 0..2 {
            for packet in std::mem::take(&mut sides[from].heard.packets) {
                seen.extend(V::records(&packet));
                sides[1 - from].hear(&packet);
            }
        }
    }
    let rng = &mut Rng(1);
    for turn in 0..4000u32 {
        let from = turn as usize % 2;
        sides[from].pass(now + Duration::from_millis(turn.into()));
        assert!(sides[from].send(&turn.to_be_bytes()));
        for packet in std::mem::take(&mut sides[from].heard.packets) {
            seen.extend(V::records(&packet));
            seen.drain(..seen.len().saturating_sub(100));
            for _ in 0..3 {
                let forged = forge::<V>(&packet, &seen, rng);
                sides[1 - from].hear(&forged);
            }
            sides[1 - from].hear(&packet);
        }
    }
    for side in &sides {
        assert!(!side.ended && !side.heard.closed);
        assert_eq!(side.heard.data.len(), 2000);
        assert_eq!(side.heard.data.iter().collect::<HashSet<_>>().len(), 2000);
    }
    sides
}
