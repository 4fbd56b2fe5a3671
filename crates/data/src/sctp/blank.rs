//! A packet without what users have sent.

use super::wire::{
    CHUNK_HEADER, COMMON_HEADER, DATA, DATA_HEADER, FLAG_BEGIN, I_DATA, I_DATA_HEADER, padded,
};

/// DCEP (RFC 8832 §8.1): channels are opened with these, and are not users' data.
const DCEP: u32 = 50;
/// What stands for each octet. It is text, so that text stays text.
const BLANK: u8 = b'x';

/// A packet of SCTP in which users' messages are blank, of the same length and with the right
/// checksum, or with none (RFC 9653) if it had none, so that an association does the same with it.
/// `None` if it is no packet of SCTP, or its checksum is wrong.
///
/// A fragment of I-DATA behind the first does not say of what it is (RFC 8260 §2.1), so it is blank
/// even where it is of a channel's long name.
///
/// ```
/// assert_eq!(peerconnection_data::without_messages(b"no packet of SCTP"), None);
/// ```
pub fn without_messages(packet: &[u8]) -> Option<Vec<u8>> {
    let mut blank = packet.to_vec();
    let has_checksum = *packet.get(8..COMMON_HEADER)? != [0; 4];
    if checksum(&mut blank)? != *packet.get(8..COMMON_HEADER)? && has_checksum {
        return None;
    }
    let mut at = COMMON_HEADER;
    while let Some(&[kind, flags, a, b]) = blank.get(at..at + CHUNK_HEADER) {
        let length = usize::from(u16::from_be_bytes([a, b]));
        let end = at.checked_add(length.max(CHUNK_HEADER))?;
        let header = match kind {
            DATA => DATA_HEADER,
            I_DATA => I_DATA_HEADER,
            _ => 0,
        };
        let has_identifier = kind == DATA || flags & FLAG_BEGIN != 0;
        if header > 0
            && let Some(identifier) = blank.get(at + header - 4..at + header)
            && !(has_identifier && identifier == DCEP.to_be_bytes())
            && let Some(message) = blank.get_mut(at + header..end)
        {
            message.fill(BLANK);
        }
        at = at.checked_add(padded(length.max(CHUNK_HEADER)))?;
    }
    if has_checksum {
        checksum(&mut blank)?;
    } else {
        blank.get_mut(8..COMMON_HEADER)?.fill(0);
    }
    Some(blank)
}

/// Fills in the checksum (RFC 9260 Appendix A).
fn checksum(packet: &mut [u8]) -> Option<[u8; 4]> {
    packet.get_mut(8..COMMON_HEADER)?.fill(0);
    let crc = crc32c::crc32c(packet).to_le_bytes();
    packet.get_mut(8..COMMON_HEADER)?.copy_from_slice(&crc);
    Some(crc)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet with these chunks of DATA: their payload protocols, and what they carry.
    fn packet(chunks: &[(u32, &[u8])]) -> Vec<u8> {
        let mut packet = vec![0x13, 0x88, 0x13, 0x88, 1, 2, 3, 4, 0, 0, 0, 0];
        for (protocol, data) in chunks {
            packet.extend_from_slice(&[DATA, 3, 0, (DATA_HEADER + data.len()) as u8]);
            packet.extend_from_slice(&[0, 0, 0, 9, 0, 1, 0, 2]);
            packet.extend_from_slice(&protocol.to_be_bytes());
            packet.extend_from_slice(data);
            packet.resize(padded(packet.len()), 0);
        }
        checksum(&mut packet).unwrap();
        packet
    }

    #[test]
    fn messages_are_blank_and_channels_are_opened_as_before() {
        let before = packet(&[(50, b"open"), (51, b"secret"), (53, &[0, 255, 7])]);
        let expected = packet(&[(50, b"open"), (51, b"xxxxxx"), (53, b"xxx")]);
        assert_eq!(without_messages(&before), Some(expected));
    }

    /// RFC 8260 §2.1: the first fragment has the protocol, the others have their number there.
    #[test]
    fn interleaved_messages_are_blank() {
        let chunk = |flags: u8, last: u32, data: &[u8]| {
            let mut chunk = vec![I_DATA, flags, 0, (I_DATA_HEADER + data.len()) as u8];
            chunk.extend_from_slice(&[0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 4]);
            chunk.extend_from_slice(&last.to_be_bytes());
            chunk.extend_from_slice(data);
            chunk
        };
        let packet = |data: [&[u8]; 3]| {
            let mut packet = packet(&[]);
            for (data, (flags, last)) in data.iter().zip([(3, 50), (2, 51), (0, 50)]) {
                packet.extend(chunk(flags, last, data));
            }
            checksum(&mut packet).unwrap();
            packet
        };
        let before = packet([b"open", b"secret_1", b"secret_2"]);
        let expected = packet([b"open", b"xxxxxxxx", b"xxxxxxxx"]);
        assert_eq!(without_messages(&before), Some(expected));
    }

    /// RFC 9653 §5.2: DTLS has protected it.
    #[test]
    fn a_packet_without_a_checksum_has_none_afterwards() {
        let [mut before, mut expected] =
            [b"secret", b"xxxxxx"].map(|data| packet(&[(51, data.as_slice())]));
        before[8..COMMON_HEADER].fill(0);
        expected[8..COMMON_HEADER].fill(0);
        assert_eq!(without_messages(&before), Some(expected));
    }

    #[test]
    fn what_is_not_authentic_and_what_is_cut_is_no_packet() {
        let mut whole = packet(&[(51, b"secret")]);
        for length in 0..whole.len() {
            assert_eq!(without_messages(&whole[..length]), None, "{length}");
        }
        whole[20] ^= 1;
        assert_eq!(without_messages(&whole), None);
        // A chunk that claims more than there is, or less than its header.
        for length in [[0, 0], [0, 3], [255, 255]] {
            let mut packet = packet(&[(51, b"secret")]);
            packet[14..16].copy_from_slice(&length);
            checksum(&mut packet).unwrap();
            assert!(without_messages(&packet).is_some());
        }
    }
}
