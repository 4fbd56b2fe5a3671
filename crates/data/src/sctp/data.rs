//! The chunks that carry messages, and those that give them up (RFC 9260 §3.3.1, RFC 8260 §2.1,
//! RFC 3758 §3.2, RFC 8260 §2.3.1).

use super::serial;
use super::wire::{Chunk, FLAG_BEGIN, I_DATA, Reader, Writer};

/// A DATA chunk (RFC 9260 §3.3.1) or an I-DATA chunk (RFC 8260 §2.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Data<'a> {
    pub(super) flags: u8,
    pub(super) tsn: u32,
    pub(super) stream: u16,
    /// The stream sequence number of DATA, which has 16 bits; the message identifier of I-DATA.
    pub(super) message: u32,
    /// The number of the fragment. DATA has none: it counts as zero.
    pub(super) fsn: u32,
    /// Of I-DATA only the first fragment has one.
    pub(super) ppid: u32,
    pub(super) payload: &'a [u8],
}

impl<'a> Data<'a> {
    pub(super) fn read(chunk: Chunk<'a>) -> Option<Self> {
        let mut reader = Reader(chunk.value);
        let (tsn, stream, number) = (reader.u32()?, reader.u16()?, reader.u16()?);
        let is_interleaved = chunk.kind == I_DATA;
        // Where DATA has its number, I-DATA has bits that mean nothing.
        let message = if is_interleaved { reader.u32()? } else { number.into() };
        let last = reader.u32()?;
        let (ppid, fsn) = match chunk.flags & FLAG_BEGIN {
            0 if is_interleaved => (0, last),
            _ => (last, 0),
        };
        let payload = reader.0;
        Some(Self { flags: chunk.flags, tsn, stream, message, fsn, ppid, payload })
    }
}

/// Up to which message of a stream the peer is to wait for nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Skip {
    pub(super) stream: u16,
    /// Unordered messages have numbers of their own in I-FORWARD-TSN, and none in FORWARD TSN.
    pub(super) unordered: bool,
    /// As in [`Data`].
    pub(super) message: u32,
}

impl Skip {
    /// Bytes in a FORWARD TSN (RFC 3758 §3.2) and in an I-FORWARD-TSN (RFC 8260 §2.3.1).
    pub(super) fn length(is_interleaved: bool) -> usize {
        if is_interleaved { 8 } else { 4 }
    }

    /// The entries behind the number of such a chunk.
    pub(super) fn read(
        mut reader: Reader<'_>,
        is_interleaved: bool,
    ) -> impl Iterator<Item = Self> + use<'_> {
        std::iter::from_fn(move || {
            let (stream, low) = (reader.u16()?, reader.u16()?);
            Some(if is_interleaved {
                Self { stream, unordered: low & 1 != 0, message: reader.u32()? }
            } else {
                Self { stream, unordered: false, message: low.into() }
            })
        })
    }

    pub(super) fn write(self, is_interleaved: bool, writer: &mut Writer<'_>) {
        writer.u16(self.stream);
        if is_interleaved {
            writer.u16(self.unordered.into());
            writer.u32(self.message);
        } else {
            writer.u16(serial::low16(self.message.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sctp::wire::{COMMON_HEADER, DATA, FLAG_END};

    /// The figures of RFC 8260 §2.1 and §2.3.1.
    #[test]
    fn interleaved_chunks_are_read_as_rfc_8260_draws_them() {
        let head = [0, 0, 0, 9, 0, 7, 0xff, 0xff, 0, 1, 0, 2, 0, 0, 0, 53];
        let value = [&head[..], b"text"].concat();
        let first = Data::read(Chunk { kind: I_DATA, flags: FLAG_BEGIN, value: &value }).unwrap();
        assert_eq!((first.tsn, first.stream, first.message), (9, 7, 0x1_0002));
        assert_eq!((first.ppid, first.fsn, first.payload), (53, 0, b"text".as_slice()));
        let later = Data::read(Chunk { kind: I_DATA, flags: FLAG_END, value: &value }).unwrap();
        assert_eq!((later.ppid, later.fsn), (0, 53));
        let whole = Data::read(Chunk { kind: DATA, flags: 3, value: &value }).unwrap();
        assert_eq!((whole.message, whole.ppid, whole.payload.len()), (0xffff, 0x1_0002, 8));

        let skips = [0, 7, 0xff, 0xfe, 0, 1, 0, 2, 0, 8, 0, 1, 0, 0, 0, 5, 0, 9];
        let read: Vec<_> = Skip::read(Reader(&skips), true).collect();
        assert_eq!(
            read,
            [
                Skip { stream: 7, unordered: false, message: 0x1_0002 },
                Skip { stream: 8, unordered: true, message: 5 },
            ]
        );
        let mut buffer = Vec::new();
        let mut writer = Writer::new(&mut buffer, 1, 2, 3);
        read.into_iter().for_each(|skip| skip.write(true, &mut writer));
        assert_eq!(buffer[COMMON_HEADER..], [0, 7, 0, 0, 0, 1, 0, 2, 0, 8, 0, 1, 0, 0, 0, 5]);
    }
}
