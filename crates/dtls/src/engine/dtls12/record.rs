//! Records: the framing of RFC 6347 §4.1 and the protection of RFC 5288.

use super::keys::Keys;
use crate::crypto::{Aead, Cipher, NONCE, TAG};
use crate::engine::common::DTLS_1_2;
use crate::engine::common::alert::Fatal;
use crate::engine::common::codec::{Reader, gather};
use crate::engine::common::plaintext::Plaintext;
use crate::engine::common::window::Window;

pub(super) const HEADER: usize = 13;
const EXPLICIT_NONCE: usize = 8;
/// What protection adds to the content.
const PROTECTION: usize = EXPLICIT_NONCE + TAG;
/// RFC 6347 §4.1: 48 bits of number.
const LAST_SEQUENCE: u64 = (1 << 48) - 1;

#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) kind: u8,
    pub(super) epoch: u16,
    /// Epoch and number, as they are authenticated.
    sequence: [u8; 8],
    pub(super) body: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl<'a> Record<'a> {
    /// The first record of a datagram. `None` when the rest is no record.
    pub(super) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let datagram = reader.0;
        let kind = reader.u8()?;
        // RFC 6347 §4.1: DTLS 1.2 accepts any version of DTLS in a first record.
        let [0xfe, _] = reader.array()? else { return None };
        let sequence: [u8; 8] = reader.array()?;
        let body = reader.vec16()?;
        let [e0, e1, ..] = sequence;
        let whole = datagram.get(..HEADER + body.len())?;
        Some(Self { kind, epoch: u16::from_be_bytes([e0, e1]), sequence, body, whole })
    }

    fn number(&self) -> u64 {
        u64::from_be_bytes(self.sequence) & LAST_SEQUENCE
    }
}

/// One direction's key.
struct Key {
    key: Aead,
    /// The part of the nonce that is not sent.
    salt: [u8; 4],
}

impl Key {
    fn new(key: &[u8], salt: [u8; 4]) -> Result<Self, Fatal> {
        Ok(Self { key: Aead::new(Cipher::Aes128Gcm, key).map_err(Fatal::internal)?, salt })
    }
}

/// RFC 5288 §3.
fn nonce(salt: [u8; 4], explicit: [u8; EXPLICIT_NONCE]) -> [u8; NONCE] {
    let [s0, s1, s2, s3] = salt;
    let [e0, e1, e2, e3, e4, e5, e6, e7] = explicit;
    [s0, s1, s2, s3, e0, e1, e2, e3, e4, e5, e6, e7]
}

/// RFC 5246 §6.2.3.3.
fn additional_data(sequence: [u8; 8], kind: u8, length: usize) -> [u8; HEADER] {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = sequence;
    let [v0, v1] = DTLS_1_2.to_be_bytes();
    let [.., l0, l1] = length.to_be_bytes();
    [s0, s1, s2, s3, s4, s5, s6, s7, kind, v0, v1, l0, l1]
}

/// Both directions. Epoch 0 is in the clear, epoch 1 protected; there is no other.
#[derive(Default)]
pub(super) struct Records {
    /// The next number of each epoch.
    next: [u64; 2],
    write: Option<Key>,
    read: Option<Key>,
    window: Window,
}

impl Records {
    pub(super) fn install(&mut self, write: &Keys<'_>, read: &Keys<'_>) -> Result<(), Fatal> {
        self.write = Some(Key::new(write.key, write.salt)?);
        self.read = Some(Key::new(read.key, read.salt)?);
        Ok(())
    }

    /// Records in the clear that were sent by somebody else.
    pub(super) fn skip(&mut self, sent: u64) {
        let [clear, _] = &mut self.next;
        *clear = sent;
    }

    pub(super) fn has_keys(&self) -> bool {
        self.read.is_some()
    }

    /// What a record of an epoch adds to its content.
    pub(super) fn overhead(epoch: u16) -> usize {
        if epoch == 0 { HEADER } else { HEADER + PROTECTION }
    }

    /// Writes a record with the next number of its epoch to the beginning of `place`. Returns its
    /// length.
    pub(super) fn write(
        &mut self,
        place: &mut [u8],
        kind: u8,
        epoch: u16,
        content: &[&[u8]],
    ) -> Result<usize, Fatal> {
        let no_room = Fatal::internal(());
        let length: usize = content.iter().map(|part| part.len()).sum();
        let whole = length + Self::overhead(epoch);
        let place = place.get_mut(..whole).ok_or(no_room)?;
        let next = self.next.get_mut(usize::from(epoch)).ok_or(Fatal::internal(()))?;
        if *next > LAST_SEQUENCE {
            return Err(Fatal::internal(()));
        }
        let sequence = (u64::from(epoch) << 48 | *next).to_be_bytes();
        *next += 1;

        let (header, body) = place.split_first_chunk_mut::<HEADER>().ok_or(no_room)?;
        let [s0, s1, s2, s3, s4, s5, s6, s7] = sequence;
        let [v0, v1] = DTLS_1_2.to_be_bytes();
        let [l0, l1] = u16::try_from(body.len()).map_err(Fatal::internal)?.to_be_bytes();
        *header = [kind, v0, v1, s0, s1, s2, s3, s4, s5, s6, s7, l0, l1];
        if epoch == 0 {
            gather(body, content);
            return Ok(whole);
        }
        let Key { key, salt } = self.write.as_ref().ok_or(no_room)?;
        // RFC 5288 §3: unique because the number is.
        let (explicit, sealed) = body.split_first_chunk_mut::<EXPLICIT_NONCE>().ok_or(no_room)?;
        *explicit = sequence;
        let (sealed, tag) = sealed.split_at_mut_checked(length).ok_or(no_room)?;
        let (nonce, data) = (nonce(*salt, sequence), additional_data(sequence, kind, length));
        match content {
            [content] => key.seal_to(nonce, &data, content, sealed, &[], tag),
            parts => {
                gather(sealed, parts);
                key.seal_with_last(nonce, &data, sealed, &[], tag)
            }
        }
        .map_err(Fatal::internal)?;
        Ok(whole)
    }

    /// Opens a protected record behind what is in `out`. Returns the length of its content; `None`
    /// when it is forged, or came before.
    pub(super) fn open(&mut self, record: &Record<'_>, out: &mut Plaintext) -> Option<usize> {
        let Key { key, salt } = self.read.as_ref()?;
        if !self.window.is_new(record.number()) {
            return None;
        }
        let (explicit, sealed) = record.body.split_first_chunk::<EXPLICIT_NONCE>()?;
        let (content, tag) = sealed.split_last_chunk::<TAG>()?;
        let data = additional_data(record.sequence, record.kind, content.len());
        let place = out.room(content.len());
        key.open_to(nonce(*salt, *explicit), &data, content, tag, place).ok()?;
        out.keep(content.len());
        self.window.mark(record.number());
        Some(content.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::common::content;

    fn pair() -> [Records; 2] {
        let one = Keys { key: &[1; 16], salt: [1; 4] };
        let two = Keys { key: &[2; 16], salt: [2; 4] };
        let [mut a, mut b] = [Records::default(), Records::default()];
        a.install(&one, &two).unwrap();
        b.install(&two, &one).unwrap();
        [a, b]
    }

    fn write(from: &mut Records, data: &[u8]) -> Vec<u8> {
        let mut place = vec![0; data.len() + HEADER + PROTECTION + 9];
        let length = from.write(&mut place, content::APPLICATION_DATA, 1, &[data]).unwrap();
        assert_eq!(length, data.len() + HEADER + PROTECTION);
        place.truncate(length);
        place
    }

    fn open(to: &mut Records, datagram: &[u8]) -> Option<Vec<u8>> {
        let mut out = Plaintext::default();
        out.room(6).copy_from_slice(b"before");
        out.keep(6);
        let opened = to.open(&Record::read(&mut Reader(datagram))?, &mut out);
        let data = out.take_from(6);
        assert_eq!(data.len(), opened.unwrap_or(0));
        assert_eq!(out.take_from(0), b"before");
        opened.map(|_| data)
    }

    #[test]
    fn parts_are_written_as_the_whole_would_be() {
        let [mut a, mut b] = pair();
        let mut place = [0; 100];
        let parts: [&[u8]; 3] = [b"one", b"", b"two"];
        let length = a.write(&mut place, content::HANDSHAKE, 1, &parts).unwrap();
        assert_eq!(length, 6 + Records::overhead(1));
        assert_eq!(open(&mut b, &place[..length]).unwrap(), b"onetwo");
        // There is no room, and no such epoch.
        let mut small = [0; 6 + HEADER + PROTECTION - 1];
        assert!(a.write(&mut small, content::HANDSHAKE, 1, &parts).is_err());
        assert!(a.write(&mut place, content::HANDSHAKE, 2, &parts).is_err());
    }

    #[test]
    fn a_record_is_read_once_and_only_as_it_was_written() {
        let [mut a, mut b] = pair();
        let record = write(&mut a, b"hello");
        for i in 0..record.len() {
            let mut forged = record.clone();
            forged[i] ^= 1;
            if i != 2 {
                assert_eq!(open(&mut b, &forged), None, "octet {i}");
            }
        }
        assert_eq!(open(&mut a, &record), None, "its own direction");
        assert_eq!(open(&mut b, &record).unwrap(), b"hello");
        assert_eq!(open(&mut b, &record), None, "a replay");
    }

    #[test]
    fn records_may_be_late_by_959() {
        let [mut a, mut b] = pair();
        let records: Vec<_> = (0..1000u16).map(|i| write(&mut a, &i.to_be_bytes())).collect();
        let is = |i: usize| Some((i as u16).to_be_bytes().to_vec());
        assert_eq!(open(&mut b, &records[970]), is(970));
        assert_eq!(open(&mut b, &records[11]), is(11));
        assert_eq!(open(&mut b, &records[11]), None);
        assert_eq!(open(&mut b, &records[10]), None, "too old to know");
        assert_eq!(open(&mut b, &records[999]), is(999));
        assert_eq!(open(&mut b, &records[970]), None);
        assert_eq!(open(&mut b, &records[971]), is(971));
    }
}
