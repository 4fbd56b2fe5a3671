//! Packets on a TCP connection to the peer: RFC 4571 §2, as RFC 6544 §10.1 wants it.

use bytes::{Buf, Bytes, BytesMut};

use crate::packet::Packet;

/// The length in front of a packet.
const PREFIX: usize = 2;

/// A packet with its length in front, written where there is room. `None` if it is too long.
pub(crate) fn frame(room: &mut BytesMut, packet: Packet) -> Option<Bytes> {
    let length = u16::try_from(packet.len()).ok()?;
    let (mut buffer, payload) = packet.roomy(room, PREFIX, 0);
    let start = payload.start.checked_sub(PREFIX)?;
    buffer.get_mut(start..payload.start)?.copy_from_slice(&length.to_be_bytes());
    buffer.truncate(payload.end);
    buffer.advance(start);
    Some(buffer.freeze())
}

/// What has come on a connection, and is no whole packet yet: 65,537 bytes at most, and what one
/// read brought.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    buffer: BytesMut,
}

impl Incoming {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The length of the next packet, as soon as that has come. Skips empty packets, which say
    /// nothing.
    pub(crate) fn next_length(&mut self) -> Option<usize> {
        loop {
            let prefix = self.buffer.first_chunk::<PREFIX>()?;
            match u16::from_be_bytes(*prefix) {
                0 => self.buffer.advance(PREFIX),
                length => return Some(usize::from(length)),
            }
        }
    }

    /// The first byte of the next packet.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.buffer.get(PREFIX).copied()
    }

    /// The next packet, once all of it has come.
    pub(crate) fn next_packet(&mut self) -> Option<Bytes> {
        let whole = PREFIX + self.next_length()?;
        if self.buffer.len() < whole {
            return None;
        }
        let mut packet = self.buffer.split_to(whole);
        packet.advance(PREFIX);
        Some(packet.freeze())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packets_come_out_as_they_went_in_however_the_stream_is_cut(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..12),
            cut in 1usize..4000,
        ) {
            let mut room = BytesMut::new();
            let bare = |packet: &Vec<u8>| Packet::Bare(Bytes::copy_from_slice(packet));
            let framed = packets.iter().map(|packet| frame(&mut room, bare(packet)).unwrap());
            let stream: Vec<u8> = framed.flatten().collect();
            let mut incoming = Incoming::default();
            let mut out = Vec::new();
            for part in stream.chunks(cut) {
                incoming.push(part);
                out.extend(std::iter::from_fn(|| incoming.next_packet()));
            }
            let told: Vec<_> = packets.into_iter().filter(|packet| !packet.is_empty()).collect();
            prop_assert_eq!(out, told);
        }
    }

    #[test]
    fn the_longest_packet_has_65535_bytes() {
        let mut room = BytesMut::new();
        let bare = |length| Packet::Bare(vec![7; length].into());
        let framed = frame(&mut room, bare(65_535)).unwrap();
        assert_eq!(framed[..3], [0xff, 0xff, 7]);
        assert_eq!(framed.len(), 65_537);
        assert_eq!(frame(&mut room, bare(65_536)), None);
        let mut incoming = Incoming::default();
        incoming.push(&framed[..65_536]);
        assert_eq!(incoming.next_packet(), None);
        incoming.push(&framed[65_536..]);
        assert_eq!(incoming.next_packet().map(|packet| packet.len()), Some(65_535));
    }

    #[test]
    fn many_packets_share_one_allocation() {
        let mut room = BytesMut::new();
        let first = frame(&mut room, Packet::Bare(vec![1; 1200].into())).unwrap();
        let second = frame(&mut room, Packet::Bare(vec![2; 1200].into())).unwrap();
        assert_eq!(first.as_ptr() as usize + first.len(), second.as_ptr() as usize);
    }
}
