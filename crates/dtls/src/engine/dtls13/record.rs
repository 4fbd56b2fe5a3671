//! Records: the framing and the protection of RFC 9147 §4.

use super::schedule::{Protection, Secret};
use crate::crypto::{SAMPLE, TAG};
use crate::engine::common::DTLS_1_2;
use crate::engine::common::alert::{self, Fatal};
use crate::engine::common::codec::{Reader, gather};
use crate::engine::common::plaintext::Plaintext;
use crate::engine::common::window::Window;

/// Epochs (RFC 9147 §6.1). Those of data go on counting with each update of keys.
pub(super) const IN_THE_CLEAR: u64 = 0;
pub(super) const HANDSHAKE: u64 = 2;
pub(super) const DATA: u64 = 3;

/// The header of a record in the clear.
pub(super) const PLAIN_HEADER: usize = 13;
/// The header that this side writes: two octets of number, and a length.
const HEADER: usize = 5;
/// What protection adds to the content: header, type, tag.
pub(super) const OVERHEAD: usize = HEADER + 1 + TAG;
/// RFC 9147 §4: 48 bits of number in each epoch.
const LAST_NUMBER: u64 = (1 << 48) - 1;
/// RFC 8446 §5.2, RFC 9147 §4.
const LONGEST: usize = (1 << 14) + 256;
/// RFC 9147 §4.5.3: so many records that are not authentic may come to one key.
const FORGERIES: u64 = 1 << 36;

/// A record as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record<'a> {
    Plain { kind: u8, number: u64, body: &'a [u8] },
    Protected(Protected<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Protected<'a> {
    /// The header without its number.
    first: u8,
    number: Number,
    length: Option<[u8; 2]>,
    body: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// The masked end of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    One(u8),
    Two([u8; 2]),
}

impl<'a> Record<'a> {
    /// The first record of a datagram. `None` when the rest is no record: then nobody knows where
    /// the next would begin.
    pub(super) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let datagram = reader.0;
        let first = reader.u8()?;
        if first >> 5 == 0b001 {
            // 001CSLEE. Connection ids were never negotiated.
            if first & 0b1_0000 != 0 {
                return None;
            }
            let number = match first & 0b1000 {
                0 => Number::One(reader.u8()?),
                _ => Number::Two(reader.array()?),
            };
            let length = if first & 0b100 == 0 { None } else { Some(reader.array::<2>()?) };
            let count = length.map_or(reader.0.len(), |octets| u16::from_be_bytes(octets).into());
            let body = reader.bytes(count)?;
            let whole = datagram.get(..datagram.len() - reader.0.len())?;
            return Some(Self::Protected(Protected { first, number, length, body, whole }));
        }
        // RFC 9147 §4.1: everything else is in the clear. Any version of DTLS is accepted (§4).
        let [0xfe, _] = reader.array()? else { return None };
        let sequence = u64::from_be_bytes(reader.array()?);
        let body = reader.vec16()?;
        // Records of DTLS 1.2 with another epoch are nothing, and so is their type.
        let kind = if sequence > LAST_NUMBER { 0 } else { first };
        Some(Self::Plain { kind, number: sequence & LAST_NUMBER, body })
    }
}

/// What one direction is protected with in one epoch. The schedules of keys take ten times the
/// memory of the secret that they are made of, so whoever rests has none.
struct Keys {
    secret: Secret,
    protection: Option<Box<Protection>>,
}

impl Keys {
    fn new(secret: Secret) -> Result<Self, Fatal> {
        let protection = Some(Box::new(secret.protection()?));
        Ok(Self { secret, protection })
    }

    fn protection(&mut self) -> Result<&Protection, Fatal> {
        match &mut self.protection {
            Some(protection) => Ok(protection),
            none => Ok(none.insert(Box::new(self.secret.protection()?))),
        }
    }
}

/// Records of one epoch that come.
struct Reading {
    epoch: u64,
    keys: Keys,
    window: Window,
    /// One more than the number of the newest record.
    expected: u64,
    forgeries: u64,
}

/// Records of one epoch that go.
struct Writing {
    epoch: u64,
    keys: Keys,
    next: u64,
}

/// A record whose protection was right. Its content is at the end of the plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) kind: u8,
    pub(super) epoch: u64,
    pub(super) number: u64,
    /// Octets of content.
    pub(super) length: usize,
}

/// Why a record was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// There is no key for it, or not yet.
    NoKey,
    /// It is forged, or came before.
    Useless,
    /// Nothing that comes can be believed any more.
    TooManyForgeries,
}

/// All epochs of both directions.
#[derive(Default)]
pub(super) struct Records {
    /// The next number in the clear.
    clear: u64,
    /// Oldest first; two at most, since records of the last epoch may come late.
    reading: Vec<Reading>,
    /// Oldest first; those of the handshake stay until its last flight has arrived.
    writing: Vec<Writing>,
}

impl Records {
    pub(super) fn install_reading(&mut self, epoch: u64, secret: Secret) -> Result<(), Fatal> {
        let (keys, window) = (Keys::new(secret)?, Window::default());
        if self.reading.len() > 1 {
            self.reading.remove(0);
        }
        self.reading.reserve_exact(1);
        self.reading.push(Reading { epoch, keys, window, expected: 0, forgeries: 0 });
        Ok(())
    }

    pub(super) fn install_writing(&mut self, epoch: u64, secret: Secret) -> Result<(), Fatal> {
        let keys = Keys::new(secret)?;
        self.writing.reserve_exact(1);
        self.writing.push(Writing { epoch, keys, next: 0 });
        Ok(())
    }

    /// The secret of the newest keys to read with.
    pub(super) fn reading_secret(&self) -> Option<&Secret> {
        self.reading.last().map(|reading| &reading.keys.secret)
    }

    /// The secret of the newest keys to write with.
    pub(super) fn writing_secret(&self) -> Option<&Secret> {
        self.writing.last().map(|writing| &writing.keys.secret)
    }

    /// Forgets what the next record makes again.
    pub(super) fn rest(&mut self) {
        let writing = self.writing.iter_mut().map(|writing| &mut writing.keys);
        let reading = self.reading.iter_mut().map(|reading| &mut reading.keys);
        writing.chain(reading).for_each(|keys| keys.protection = None);
    }

    /// Neither reads nor writes records of epochs before this one any more.
    pub(super) fn forget_reading_before(&mut self, epoch: u64) {
        self.reading.retain(|reading| reading.epoch >= epoch);
        self.reading.shrink_to_fit();
    }

    pub(super) fn forget_writing_before(&mut self, epoch: u64) {
        self.writing.retain(|writing| writing.epoch >= epoch);
        self.writing.shrink_to_fit();
    }

    /// The epoch of the newest key to write with.
    pub(super) fn writing_epoch(&self) -> u64 {
        self.writing.last().map_or(IN_THE_CLEAR, |writing| writing.epoch)
    }

    pub(super) fn reading_epoch(&self) -> u64 {
        self.reading.last().map_or(IN_THE_CLEAR, |reading| reading.epoch)
    }

    /// Whether records of the epoch can be written.
    pub(super) fn writes(&self, epoch: u64) -> bool {
        epoch == IN_THE_CLEAR || self.writing.iter().any(|writing| writing.epoch == epoch)
    }

    /// How many records in the clear were written.
    pub(super) fn written_in_the_clear(&self) -> u64 {
        self.clear
    }

    /// How many records the newest key has protected.
    pub(super) fn written(&self) -> u64 {
        self.writing.last().map_or(0, |writing| writing.next)
    }

    /// What a record of an epoch adds to its content.
    pub(super) fn overhead(epoch: u64) -> usize {
        if epoch == IN_THE_CLEAR { PLAIN_HEADER } else { OVERHEAD }
    }

    /// Writes a record with the next number of its epoch to the beginning of `place`. Returns the
    /// number, and the length of the record.
    pub(super) fn write(
        &mut self,
        place: &mut [u8],
        kind: u8,
        epoch: u64,
        content: &[&[u8]],
    ) -> Result<(u64, usize), Fatal> {
        let length: usize = content.iter().map(|part| part.len()).sum();
        let whole = length + Self::overhead(epoch);
        let no_room = Fatal::internal(());
        let place = place.get_mut(..whole).ok_or(no_room)?;
        if epoch == IN_THE_CLEAR {
            let number = self.clear;
            self.clear += 1;
            let (header, rest) = place.split_first_chunk_mut::<PLAIN_HEADER>().ok_or(no_room)?;
            let [_, _, n0, n1, n2, n3, n4, n5] = number.to_be_bytes();
            let [v0, v1] = DTLS_1_2.to_be_bytes();
            let [l0, l1] = u16::try_from(length).map_err(Fatal::internal)?.to_be_bytes();
            *header = [kind, v0, v1, 0, 0, n0, n1, n2, n3, n4, n5, l0, l1];
            gather(rest, content);
            return Ok((number, whole));
        }

        let writing = self.writing.iter_mut().rev().find(|writing| writing.epoch == epoch);
        let Writing { keys, next, .. } = writing.ok_or(Fatal::internal(()))?;
        let protection = keys.protection()?;
        if *next >= protection.limit {
            return Err(Fatal::new(alert::INTERNAL_ERROR, "a key has protected all that it may"));
        }
        let number = *next;
        *next += 1;
        let (header, rest) = place.split_first_chunk_mut::<HEADER>().ok_or(no_room)?;
        let [.., n0, n1] = number.to_be_bytes();
        let sealed = u16::try_from(length + 1 + TAG).map_err(Fatal::internal)?;
        let [l0, l1] = sealed.to_be_bytes();
        // 001CSLEE: two octets of number, a length.
        let first = 0b0010_1100 | (epoch & 0b11) as u8;
        *header = [first, n0, n1, l0, l1];
        let (sealed, tail) = rest.split_at_mut(length);
        let nonce = protection.nonce(number);
        let aead = &protection.aead;
        match content {
            [content] => aead.seal_to(nonce, header, content, sealed, &[kind], tail),
            parts => {
                gather(sealed, parts);
                aead.seal_with_last(nonce, header, sealed, &[kind], tail)
            }
        }
        .map_err(Fatal::internal)?;
        let sample = rest.first_chunk::<SAMPLE>().ok_or(no_room)?;
        let [m0, m1] = protection.mask.of(sample).map_err(Fatal::internal)?;
        *header = [first, n0 ^ m0, n1 ^ m1, l0, l1];
        Ok((number, whole))
    }

    /// Opens a protected record behind what is in `out`.
    pub(super) fn open(
        &mut self,
        record: &Protected<'_>,
        out: &mut Plaintext,
    ) -> Result<Opened, Closed> {
        // RFC 9147 §4.2.2: the newest epoch that it can be of.
        let bits = u64::from(record.first & 0b11);
        let reading = self.reading.iter_mut().rev().find(|reading| reading.epoch & 0b11 == bits);
        let reading = reading.ok_or(Closed::NoKey)?;
        let Reading { epoch, keys, window, expected, forgeries } = reading;

        let sample = record.body.first_chunk().ok_or(Closed::Useless)?;
        let (content, tag) = record
            .body
            .split_last_chunk::<TAG>()
            .filter(|_| record.body.len() <= LONGEST)
            .ok_or(Closed::Useless)?;
        let protection = keys.protection().map_err(|_| Closed::Useless)?;
        let [m0, m1] = protection.mask.of(sample).map_err(|_| Closed::Useless)?;
        let [l0, l1] = record.length.unwrap_or_default();
        let (number, header, end) = match record.number {
            Number::One(n) => {
                let n = n ^ m0;
                (nearest(*expected, n.into(), 8), [record.first, n, l0, l1, 0], 2)
            }
            Number::Two([n0, n1]) => {
                let (n0, n1) = (n0 ^ m0, n1 ^ m1);
                let end = u16::from_be_bytes([n0, n1]);
                (nearest(*expected, end.into(), 16), [record.first, n0, n1, l0, l1], 3)
            }
        };
        let end = if record.length.is_some() { end + 2 } else { end };
        let header = header.get(..end).ok_or(Closed::Useless)?;
        if number > LAST_NUMBER || !window.is_new(number) {
            return Err(Closed::Useless);
        }
        let place = out.room(content.len());
        let nonce = protection.nonce(number);
        if protection.aead.open_to(nonce, header, content, tag, place).is_err() {
            *forgeries += 1;
            let is_too_much = *forgeries >= FORGERIES;
            return Err(if is_too_much { Closed::TooManyForgeries } else { Closed::Useless });
        }
        window.mark(number);
        *expected = (*expected).max(number + 1);
        // RFC 8446 §5.4: zeros behind the type are padding.
        let end = place.iter().rposition(|octet| *octet != 0).unwrap_or(0);
        let kind = place.get(end).copied().unwrap_or(0);
        out.keep(end);
        Ok(Opened { kind, epoch: *epoch, number, length: end })
    }
}

/// The number with these last bits that is nearest to the one that is expected (RFC 9147 §4.2.2).
fn nearest(expected: u64, end: u64, bits: u32) -> u64 {
    let span = 1 << bits;
    let candidate = expected & !(span - 1) | end;
    if candidate + span / 2 < expected {
        candidate + span
    } else if candidate > expected + span / 2 {
        candidate.checked_sub(span).unwrap_or(candidate)
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::super::schedule::{SUITES, Suite};
    use super::*;
    use crate::engine::common::content::APPLICATION_DATA;

    /// Two sides with keys of an epoch.
    fn pair(suite: u16, epoch: u64) -> [Records; 2] {
        let secret = Secret::handshake(Suite::of(suite).unwrap(), &[7; 32]).unwrap();
        let [one, two] = [b"one", b"two"].map(|label| secret.derive(label, &[]).unwrap());
        let [mut a, mut b] = [Records::default(), Records::default()];
        a.install_writing(epoch, one.clone()).unwrap();
        a.install_reading(epoch, two.clone()).unwrap();
        b.install_writing(epoch, two).unwrap();
        b.install_reading(epoch, one).unwrap();
        [a, b]
    }

    fn write(from: &mut Records, epoch: u64, data: &[u8]) -> Vec<u8> {
        let mut place = vec![0; data.len() + OVERHEAD + 9];
        let (_, length) = from.write(&mut place, APPLICATION_DATA, epoch, &[data]).unwrap();
        assert_eq!(length, data.len() + OVERHEAD);
        place.truncate(length);
        place
    }

    fn protected(record: &[u8]) -> Option<Protected<'_>> {
        match Record::read(&mut Reader(record)) {
            Some(Record::Protected(record)) => Some(record),
            _ => None,
        }
    }

    fn open(to: &mut Records, record: &[u8]) -> Option<Vec<u8>> {
        let mut out = Plaintext::default();
        out.room(6).copy_from_slice(b"before");
        out.keep(6);
        let opened = to.open(&protected(record)?, &mut out).ok();
        let data = out.take_from(6);
        assert_eq!(data.len(), opened.map_or(0, |opened| opened.length));
        assert_eq!(out.take_from(0), b"before");
        opened.map(|opened| {
            assert_eq!(opened.kind, APPLICATION_DATA);
            data
        })
    }

    #[test]
    fn a_record_is_read_once_and_only_as_it_was_written() {
        for suite in SUITES {
            let [mut a, mut b] = pair(suite, 3);
            for data in [&b"hello"[..], b"", &[9; 1000]] {
                let record = write(&mut a, 3, data);
                for i in 0..record.len() {
                    let mut forged = record.clone();
                    forged[i] ^= 1;
                    assert_eq!(open(&mut b, &forged), None, "octet {i}");
                }
                assert_eq!(open(&mut a, &record), None, "its own direction");
                assert_eq!(open(&mut b, &record).unwrap(), data);
                assert_eq!(open(&mut b, &record), None, "a replay");
            }
        }
    }

    #[test]
    fn parts_are_written_as_the_whole_would_be() {
        let [mut a, mut b] = pair(SUITES[0], 2);
        let mut place = vec![0; 100];
        let parts: [&[u8]; 3] = [b"one", b"", b"two"];
        let (number, length) = a.write(&mut place, APPLICATION_DATA, 2, &parts).unwrap();
        assert_eq!((number, length), (0, 6 + OVERHEAD));
        assert_eq!(open(&mut b, &place[..length]).unwrap(), b"onetwo");
        // There is no room, and no key.
        let mut small = vec![0; 6 + OVERHEAD - 1];
        assert!(a.write(&mut small, APPLICATION_DATA, 2, &parts).is_err());
        assert!(a.write(&mut place, APPLICATION_DATA, 3, &parts).is_err());
    }

    #[test]
    fn records_may_be_late_by_959() {
        let [mut a, mut b] = pair(SUITES[0], 3);
        let records: Vec<_> = (0..1000u16).map(|i| write(&mut a, 3, &i.to_be_bytes())).collect();
        let is = |i: usize| Some((i as u16).to_be_bytes().to_vec());
        assert_eq!(open(&mut b, &records[970]), is(970));
        assert_eq!(open(&mut b, &records[11]), is(11));
        assert_eq!(open(&mut b, &records[11]), None);
        assert_eq!(open(&mut b, &records[10]), None, "too old to know");
        assert_eq!(open(&mut b, &records[999]), is(999));
        assert_eq!(open(&mut b, &records[970]), None);
        assert_eq!(open(&mut b, &records[971]), is(971));
    }

    #[test]
    fn whoever_has_rested_goes_on_where_he_was() {
        for suite in SUITES {
            let [mut a, mut b] = pair(suite, 3);
            let first = write(&mut a, 3, b"first");
            let late = write(&mut a, 3, b"late");
            assert_eq!(open(&mut b, &first).unwrap(), b"first");
            a.rest();
            b.rest();
            assert!(
                a.writing[0].keys.protection.is_none() && a.reading[0].keys.protection.is_none()
            );
            assert_eq!(open(&mut b, &first), None, "a replay");
            assert_eq!(open(&mut b, &late).unwrap(), b"late");
            let next = write(&mut a, 3, b"next");
            assert_eq!(open(&mut b, &next).unwrap(), b"next");
            assert_eq!(a.writing[0].next, 3, "no number protects two records");
        }
    }

    /// Only two octets of a number are sent.
    #[test]
    fn numbers_go_on_beyond_what_a_record_shows_of_them() {
        let [mut a, mut b] = pair(SUITES[0], 3);
        for i in 0..200_000u32 {
            let record = write(&mut a, 3, &i.to_be_bytes());
            if i % 30_000 < 5 {
                assert_eq!(open(&mut b, &record).unwrap(), i.to_be_bytes(), "{i}");
            }
        }
    }

    #[test]
    fn the_nearest_number_is_meant() {
        for (expected, end, bits, number) in [
            (0, 0, 8, 0),
            (0, 255, 8, 255),
            (200, 10, 8, 266),
            (256, 255, 8, 255),
            (266, 200, 8, 200),
            (0x1_0000, 0xffff, 16, 0xffff),
            (0xffff, 0, 16, 0x1_0000),
            (0x2_8000, 0x7fff, 16, 0x2_7fff),
        ] {
            assert_eq!(nearest(expected, end, bits), number, "{expected} {end}");
        }
    }

    /// RFC 9147 §4: one octet of number, no length, and connection ids, which nobody negotiates.
    #[test]
    fn every_form_of_header_is_read() {
        // The header is authenticated, so other forms are sealed here.
        for (flags, header) in [(0b0000u8, 2), (0b1000, 3), (0b0100, 4), (0b1100, 5)] {
            let [mut a, mut b] = pair(SUITES[0], 3);
            let protection = a.writing[0].keys.protection().unwrap();
            let first = 0b0010_0011 | flags;
            let mut record = vec![first, 0];
            if flags & 0b1000 != 0 {
                record.push(0);
            }
            if flags & 0b0100 != 0 {
                record.extend_from_slice(&[0, 5 + 1 + 3 + 16]);
            }
            assert_eq!(record.len(), header);
            // With padding behind the type.
            let plain = [b"hello", &[APPLICATION_DATA, 0, 0, 0][..]].concat();
            let mut content = [plain.as_slice(), &[0; TAG]].concat();
            let (sealed, tag) = content.split_at_mut(plain.len());
            let nonce = protection.nonce(0);
            protection.aead.seal_with_last(nonce, &record, sealed, &[], tag).unwrap();
            let mask = protection.mask.of(content.first_chunk().unwrap()).unwrap();
            record[1] ^= mask[0];
            if flags & 0b1000 != 0 {
                record[2] ^= mask[1];
            }
            record.extend_from_slice(&content);
            if flags & 0b0100 != 0 {
                // What is behind it is another record.
                let both = [record.as_slice(), &[1, 2, 3]].concat();
                assert_eq!(protected(&both).unwrap().whole, record);
            }
            assert_eq!(open(&mut b, &record).unwrap(), b"hello", "{flags:b}");
            record[0] |= 0b1_0000;
            assert_eq!(protected(&record), None, "a connection id");
        }
    }

    #[test]
    fn records_of_the_last_epoch_may_come_late() {
        let [mut a, mut b] = pair(SUITES[0], 3);
        let next = Secret::handshake(Suite::of(SUITES[0]).unwrap(), &[8; 32]).unwrap();
        let old = write(&mut a, 3, b"old");
        for epoch in 4..8 {
            let late = write(&mut a, epoch - 1, b"late");
            a.install_writing(epoch, next.clone()).unwrap();
            b.install_reading(epoch, next.clone()).unwrap();
            let new = write(&mut a, epoch, b"new");
            assert_eq!(open(&mut b, &new).unwrap(), b"new");
            assert_eq!(open(&mut b, &late).unwrap(), b"late");
        }
        assert_eq!(open(&mut b, &old), None, "its epoch is over");
    }

    #[test]
    fn a_key_protects_no_more_than_it_may() {
        let [mut a, _] = pair(SUITES[0], 3);
        let [writing] = &mut a.writing[..] else { unreachable!() };
        writing.next = writing.keys.protection().unwrap().limit - 1;
        let mut place = [0; 100];
        assert!(a.write(&mut place, APPLICATION_DATA, 3, &[b"last"]).is_ok());
        assert!(a.write(&mut place, APPLICATION_DATA, 3, &[b"more"]).is_err());
    }

    #[test]
    fn what_is_no_record_is_not_read() {
        for datagram in [
            &[][..],
            &[22],
            &[0b0010_1111, 0, 0, 0],
            &[0b0010_1111, 0, 0, 0, 9, 1],
            &[22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ] {
            assert_eq!(Record::read(&mut Reader(datagram)), None, "{datagram:?}");
        }
        // A record of DTLS 1.2 that is protected has no type here.
        let other = [22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 7, 0, 1, 9];
        let expected = Record::Plain { kind: 0, number: 7, body: &[9] };
        assert_eq!(Record::read(&mut Reader(&other)), Some(expected));
        // Too short to have a sample.
        let [_, mut b] = pair(SUITES[0], 3);
        assert_eq!(open(&mut b, &[0b0010_1111, 0, 0, 0, 3, 1, 2, 3]), None);
    }
}
