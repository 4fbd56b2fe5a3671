//! A packet for the peer, and the room around it.

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

/// Room for many packets is allocated at once, and again when they have been sent.
const CHUNK: usize = 32 * 1024;

/// A packet for the peer.
#[derive(Debug)]
pub(crate) enum Packet {
    /// Without room around it.
    Bare(Bytes),
    /// From `start` to the end of the buffer. Spare capacity behind it is room, too.
    Roomy {
        /// Holds it.
        buffer: BytesMut,
        /// Not beyond the end of the buffer.
        start: usize,
    },
}

impl Packet {
    /// The packet that begins there in the buffer; an empty one if that is beyond the end.
    pub(crate) fn with_room(buffer: BytesMut, start: usize) -> Self {
        let start = start.min(buffer.len());
        Self::Roomy { buffer, start }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bare(bytes) => bytes.len(),
            Self::Roomy { buffer, start } => buffer.len() - start,
        }
    }

    /// The packet alone. Nothing is copied.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Bare(bytes) => bytes,
            Self::Roomy { mut buffer, start } => {
                buffer.advance(start);
                buffer.freeze()
            }
        }
    }

    /// The packet with at least so many bytes in front and behind, and where it is: in its own
    /// buffer, or copied once to `chunk`.
    pub(crate) fn roomy(
        self,
        chunk: &mut BytesMut,
        front: usize,
        back: usize,
    ) -> (BytesMut, Range<usize>) {
        match self {
            Self::Roomy { mut buffer, start }
                if start >= front && buffer.capacity() - buffer.len() >= back =>
            {
                let end = buffer.len();
                buffer.resize(end + back, 0);
                (buffer, start..end)
            }
            Self::Roomy { buffer, start } => {
                copy(buffer.get(start..).unwrap_or_default(), chunk, front, back)
            }
            Self::Bare(bytes) => copy(&bytes, chunk, front, back),
        }
    }
}

fn copy(
    packet: &[u8],
    chunk: &mut BytesMut,
    front: usize,
    back: usize,
) -> (BytesMut, Range<usize>) {
    let end = front + packet.len();
    chunk.clear();
    if chunk.capacity() < end + back {
        chunk.reserve(CHUNK.max(end + back));
    }
    chunk.resize(front, 0);
    chunk.extend_from_slice(packet);
    chunk.resize(end + back, 0);
    (chunk.split(), front..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets in one block as a stack makes them, with this much room around each.
    fn block(front: usize, back: usize) -> [BytesMut; 2] {
        let mut block = BytesMut::zeroed(2 * (front + 100 + back));
        [1, 2].map(|byte| {
            let mut buffer = block.split_to(front + 100 + back);
            buffer.truncate(front + 100);
            buffer[front..].fill(byte);
            buffer
        })
    }

    #[test]
    fn a_packet_with_room_around_it_stays_where_it_is() {
        let [first, second] = block(8, 3);
        let (place, mut chunk) = (first.as_ptr(), BytesMut::new());
        let (mut buffer, payload) = Packet::with_room(first, 8).roomy(&mut chunk, 8, 3);
        assert_eq!((buffer.as_ptr(), payload.clone(), buffer.len()), (place, 8..108, 111));
        buffer.fill(9);
        assert_eq!(second[8..], [2; 100], "the next one is left alone");
        assert_eq!(chunk.capacity(), 0);
    }

    #[test]
    fn a_packet_without_enough_room_is_copied() {
        for (front, back) in [(7, 3), (8, 2), (0, 0)] {
            let [first, _] = block(front, back);
            let mut chunk = BytesMut::new();
            let (buffer, payload) = Packet::with_room(first, front).roomy(&mut chunk, 8, 3);
            assert_eq!((&buffer[payload], buffer.len()), (&[1; 100][..], 111));
            assert!(chunk.capacity() > 0, "room for more");
        }
    }

    #[test]
    fn room_is_not_part_of_the_packet() {
        let [first, _] = block(8, 3);
        let packet = Packet::with_room(first, 8);
        assert_eq!(packet.len(), 100);
        assert_eq!(packet.into_bytes(), [1; 100][..]);
        let nothing = Packet::with_room(BytesMut::from(&b"short"[..]), 6);
        assert_eq!((nothing.len(), nothing.into_bytes()), (0, Bytes::new()));
    }
}
