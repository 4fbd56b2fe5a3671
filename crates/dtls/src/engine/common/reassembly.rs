//! From fragments of handshake messages to messages in their order (RFC 6347 §4.2.2, §4.2.3).

use std::collections::VecDeque;

use super::codec::Reader;

/// Most messages that may come before the next one in order. No flight has more.
const WINDOW: usize = 8;
/// The longest message; a certificate chain of a browser has less than 2000 octets.
const LONGEST: usize = 16 * 1024;
pub(crate) const HEADER: usize = 12;

/// A fragment, or a whole message.
#[derive(Clone, Copy)]
pub(crate) struct Fragment<'a> {
    pub(crate) kind: u8,
    pub(crate) sequence: u16,
    length: usize,
    offset: usize,
    data: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// The first fragment in a record, which may have several. `None` when it is malformed.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let kind = reader.u8()?;
        let length = reader.u24()?;
        let sequence = reader.u16()?;
        let offset = reader.u24()?;
        let data = reader.vec24()?;
        (length <= LONGEST && offset + data.len() <= length).then_some(Self {
            kind,
            sequence,
            length,
            offset,
            data,
        })
    }
}

/// A message as it counts for the hash of the handshake: as if it had come in one fragment.
pub(crate) struct Message {
    pub(crate) kind: u8,
    /// The epoch of its record.
    pub(crate) epoch: u64,
    whole: Vec<u8>,
}

impl Message {
    pub(crate) fn new(kind: u8, sequence: u16, epoch: u64, body: &[u8]) -> Self {
        let mut whole = header(kind, body.len(), sequence, 0, body.len()).to_vec();
        whole.extend_from_slice(body);
        Self { kind, epoch, whole }
    }

    pub(crate) fn whole(&self) -> &[u8] {
        &self.whole
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.whole.get(HEADER..).unwrap_or_default()
    }

    pub(crate) fn sequence(&self) -> u16 {
        match self.whole.get(4..6) {
            Some(&[high, low]) => u16::from_be_bytes([high, low]),
            _ => 0,
        }
    }
}

pub(crate) fn header(
    kind: u8,
    length: usize,
    sequence: u16,
    offset: usize,
    count: usize,
) -> [u8; HEADER] {
    let [_, l0, l1, l2] = (length as u32).to_be_bytes();
    let [s0, s1] = sequence.to_be_bytes();
    let [_, o0, o1, o2] = (offset as u32).to_be_bytes();
    let [_, c0, c1, c2] = (count as u32).to_be_bytes();
    [kind, l0, l1, l2, s0, s1, o0, o1, o2, c0, c1, c2]
}

struct Partial {
    kind: u8,
    epoch: u64,
    data: Vec<u8>,
    /// Which octets are there.
    present: Vec<bool>,
    missing: usize,
}

#[derive(Default)]
pub(crate) struct Reassembly {
    /// The number of the message that is waited for.
    next: u16,
    partial: VecDeque<Option<Partial>>,
}

impl Reassembly {
    /// Whether the message has been taken already.
    pub(crate) fn is_old(&self, fragment: &Fragment<'_>) -> bool {
        fragment.sequence < self.next
    }

    /// Keeps a fragment. Returns false if it cannot.
    pub(crate) fn add(&mut self, epoch: u64, fragment: &Fragment<'_>) -> bool {
        let ahead = fragment.sequence.checked_sub(self.next).map(usize::from);
        let Some(ahead) = ahead.filter(|ahead| *ahead < WINDOW) else { return false };
        if self.partial.len() <= ahead {
            self.partial.resize_with(ahead + 1, || None);
        }
        let Some(place) = self.partial.get_mut(ahead) else { return false };
        let partial = place.get_or_insert_with(|| Partial {
            kind: fragment.kind,
            epoch,
            data: vec![0; fragment.length],
            present: vec![false; fragment.length],
            missing: fragment.length,
        });
        if (partial.kind, partial.epoch, partial.data.len())
            != (fragment.kind, epoch, fragment.length)
        {
            return false;
        }
        // No iterator skips to the range: a datagram may have a hundred fragments of nothing.
        let range = fragment.offset..fragment.offset + fragment.data.len();
        let places = (partial.data.get_mut(range.clone()), partial.present.get_mut(range));
        let (Some(octets), Some(present)) = places else { return false };
        for ((octet, present), new) in octets.iter_mut().zip(present).zip(fragment.data) {
            if !std::mem::replace(present, true) {
                *octet = *new;
                partial.missing -= 1;
            }
        }
        true
    }

    /// The number of the message that is waited for.
    pub(crate) fn next(&self) -> u16 {
        self.next
    }

    /// The next message, if it is complete.
    pub(crate) fn take(&mut self) -> Option<Message> {
        self.partial.front()?.as_ref().filter(|partial| partial.missing == 0)?;
        let sequence = self.next;
        self.next = self.next.checked_add(1)?;
        let Partial { kind, epoch, data, .. } = self.partial.pop_front()??;
        Some(Message::new(kind, sequence, epoch, &data))
    }

    /// How many octets it has memory for.
    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.partial.iter().flatten().map(|partial| partial.data.len() * 2).sum()
    }

    /// Keeps nothing of what has come.
    pub(crate) fn finish(&mut self) {
        self.partial = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(sequence: u16, length: usize, offset: usize, data: &[u8]) -> Vec<u8> {
        let mut octets = header(11, length, sequence, offset, data.len()).to_vec();
        octets.extend_from_slice(data);
        octets
    }

    fn add(reassembly: &mut Reassembly, octets: &[u8]) {
        let fragment = Fragment::read(&mut Reader(octets)).unwrap();
        reassembly.add(0, &fragment);
    }

    #[test]
    fn fragments_come_in_any_order_overlap_and_repeat() {
        let mut reassembly = Reassembly::default();
        add(&mut reassembly, &fragment(1, 3, 0, b"two"));
        add(&mut reassembly, &fragment(0, 6, 3, b"456"));
        assert!(reassembly.take().is_none());
        add(&mut reassembly, &fragment(0, 6, 2, b"34"));
        add(&mut reassembly, &fragment(0, 6, 3, b"456"));
        assert!(reassembly.take().is_none());
        add(&mut reassembly, &fragment(0, 6, 0, b"123"));
        let first = reassembly.take().unwrap();
        assert_eq!((first.body(), first.sequence()), (&b"123456"[..], 0));
        // RFC 6347 §4.2.6: hashed as one fragment.
        assert_eq!(first.whole(), fragment(0, 6, 0, b"123456"));
        assert_eq!(reassembly.take().unwrap().body(), b"two");
        assert!(reassembly.take().is_none());
    }

    #[test]
    fn messages_without_a_body_need_one_fragment_too() {
        let mut reassembly = Reassembly::default();
        assert!(reassembly.take().is_none());
        add(&mut reassembly, &fragment(0, 0, 0, b""));
        assert_eq!(reassembly.take().unwrap().body(), b"");
    }

    #[test]
    fn what_no_honest_peer_sends_takes_no_memory() {
        for (length, offset, data) in [(LONGEST + 1, 0, &b"x"[..]), (4, 2, b"345"), (0, 0, b"1")] {
            assert!(Fragment::read(&mut Reader(&fragment(0, length, offset, data))).is_none());
        }
        let mut reassembly = Reassembly::default();
        add(&mut reassembly, &fragment(WINDOW as u16, 1, 0, b"x"));
        assert!(reassembly.partial.is_empty());
        // Another length for the same message: the first counts.
        add(&mut reassembly, &fragment(0, 2, 0, b"1"));
        add(&mut reassembly, &fragment(0, 3, 1, b"23"));
        assert!(reassembly.take().is_none());
        add(&mut reassembly, &fragment(0, 2, 1, b"2"));
        assert_eq!(reassembly.take().unwrap().body(), b"12");
        add(&mut reassembly, &fragment(0, 2, 0, b"12"));
        assert!(reassembly.take().is_none(), "it is old");
    }
}
