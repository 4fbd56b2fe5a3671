//! Records: the framing of RFC 6347 §4.1 and the protection of RFC 5288.

use super::keys::Keys;
use crate::crypto::{Aead, Cipher, NONCE, TAG};
use crate::engine::common::DTLS_1_2;
use crate::engine::common::alert::Fatal;
use crate::engine::common::codec::Reader;
use crate::engine::common::window::Window;

pub(super) const HEADER: usize = 13;
const EXPLICIT_NONCE: usize = 8;
/// What protection adds to the content.
pub(super) const PROTECTION: usize = EXPLICIT_NONCE + TAG;
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

    fn nonce(&self, explicit: [u8; EXPLICIT_NONCE]) -> [u8; NONCE] {
        let [s0, s1, s2, s3] = self.salt;
        let [e0, e1, e2, e3, e4, e5, e6, e7] = explicit;
        [s0, s1, s2, s3, e0, e1, e2, e3, e4, e5, e6, e7]
    }
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

    /// Appends a record with the next number of its epoch.
    pub(super) fn write(
        &mut self,
        out: &mut Vec<u8>,
        kind: u8,
        epoch: u16,
        content: &[&[u8]],
    ) -> Result<(), Fatal> {
        let next = self.next.get_mut(usize::from(epoch)).ok_or(Fatal::internal(()))?;
        if *next > LAST_SEQUENCE {
            return Err(Fatal::internal(()));
        }
        let sequence = (u64::from(epoch) << 48 | *next).to_be_bytes();
        *next += 1;
        let plain: usize = content.iter().map(|part| part.len()).sum();
        let length = if epoch == 0 { plain } else { plain + PROTECTION };
        let length = u16::try_from(length).map_err(Fatal::internal)?;

        out.push(kind);
        out.extend_from_slice(&DTLS_1_2.to_be_bytes());
        out.extend_from_slice(&sequence);
        out.extend_from_slice(&length.to_be_bytes());
        if epoch == 0 {
            content.iter().for_each(|part| out.extend_from_slice(part));
            return Ok(());
        }
        let key = self.write.as_ref().ok_or(Fatal::internal(()))?;
        // RFC 5288 §3: unique because the number is.
        out.extend_from_slice(&sequence);
        let start = out.len();
        content.iter().for_each(|part| out.extend_from_slice(part));
        let data = additional_data(sequence, kind, plain);
        let plaintext = out.get_mut(start..).unwrap_or_default();
        let tag = key.key.seal(key.nonce(sequence), &data, plaintext).map_err(Fatal::internal)?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// The content of a protected record. `None` when it is forged, or came before.
    pub(super) fn open(&mut self, record: &Record<'_>) -> Option<Vec<u8>> {
        let key = self.read.as_ref()?;
        if !self.window.is_new(record.number()) {
            return None;
        }
        let mut reader = Reader(record.body);
        let explicit = reader.array()?;
        let mut content = reader.0.to_vec();
        let length = content.len().checked_sub(TAG)?;
        let data = additional_data(record.sequence, record.kind, length);
        let plaintext = key.key.open(key.nonce(explicit), &data, &mut content).ok()?;
        let length = plaintext.len();
        content.truncate(length);
        self.window.mark(record.number());
        Some(content)
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
        let mut out = Vec::new();
        from.write(&mut out, content::APPLICATION_DATA, 1, &[data]).unwrap();
        assert_eq!(out.len(), HEADER + data.len() + PROTECTION);
        out
    }

    fn open(to: &mut Records, datagram: &[u8]) -> Option<Vec<u8>> {
        to.open(&Record::read(&mut Reader(datagram))?)
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
