//! A tape of what a handshake and its keys have given. A connection is the same again if it gets the
//! same datagrams at the same times, but for its cryptography: keys are random, and stay secret. So a
//! recording keeps what DTLS has *said*, and a replay has the tape say it again, without any key.

use time::Instant;

use crate::config::DtlsVersion;
use crate::connection::DtlsRole;
use crate::srtp::SrtpKeys;

/// Takes down what DTLS says, or says it again. One tape serves all connections of a peer, in the
/// order of their calls.
pub trait Tape: Send + Sync + std::fmt::Debug {
    /// Whether it says again what was taken down. Then no cryptography runs, and no key is needed.
    fn plays(&self) -> bool;

    /// The number of a connection that begins: the first has 0.
    fn begin(&self) -> u64;

    /// Takes down a word of a connection.
    fn record(&self, connection: u64, word: Word);

    /// The next word. After a call that is the [`Word::Answered`] to it; otherwise it is something
    /// else. `None` if what was taken down goes on in another way.
    fn play(&self, connection: u64, asked: Option<&Asked>) -> Option<Word>;
}

/// A call of an engine of DTLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It begins, as the client or the server.
    Begin(DtlsRole),
    /// A datagram came.
    Datagram,
    /// Time has passed.
    Timeout,
    /// These octets are to be protected.
    Send {
        /// How many there are.
        length: usize,
        /// Their [`checksum`].
        checksum: u64,
    },
    /// The association is to be closed.
    Close,
    /// The certificate of the peer is not the one that was expected.
    Refuse,
    /// It has failed, and may have an alert to send.
    Last,
}

/// What an engine of DTLS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A call has returned.
    Answered {
        /// The call.
        asked: Asked,
        /// What is agreed on, if it is known now.
        negotiated: Option<Negotiated>,
        /// The end of the association, if the call led to it.
        ended: Option<Ended>,
        /// The lengths of what the call itself has given: of one record for what was to be
        /// protected, of the last datagrams for an association that ends.
        lengths: Vec<usize>,
    },
    /// A datagram to send. Its octets say nothing to anybody but the peer, who may name it by its
    /// checksum, though.
    Datagram {
        /// How many octets it has.
        length: usize,
        /// Their [`crc32`].
        crc: u32,
    },
    /// When to call it again.
    Timeout(Option<Instant>),
    /// The certificate of the peer, in DER.
    PeerCertificate(Vec<u8>),
    /// The handshake is complete.
    Connected,
    /// What a record of the peer carries.
    Data(Vec<u8>),
    /// Keys for SRTP.
    Keys(SrtpKeys),
    /// The peer has closed the association.
    CloseNotify,
}

/// What a handshake has agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiated {
    /// The version.
    pub version: DtlsVersion,
    /// The number that IANA has given to the cipher suite, once it is known.
    pub suite: Option<u16>,
    /// The same of the group of the key exchange.
    pub group: Option<u16>,
}

/// How an association ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// In order.
    Closed,
    /// The peer sent this fatal alert.
    Alert(u8),
    /// The handshake got no answer.
    Timeout,
    /// This side sent a fatal alert, for this reason.
    Refused(u8, String),
    /// The peer broke the protocol, or has nothing in common with this side.
    Protocol(String),
}

/// FNV-1a of 64 bits. It tells whether two runs are the same; it resists nobody who wants to forge.
pub fn checksum(octets: &[u8]) -> u64 {
    let mix = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x100_0000_01b3);
    octets.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// The polynomial of IEEE 802.3, as shifted to the right.
const POLYNOMIAL: u32 = 0xedb8_8320;
const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let mut crc = octet as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[octet] = crc;
        octet += 1;
    }
    table
};

fn crc_register(octets: &[u8]) -> u32 {
    octets.iter().fold(u32::MAX, |crc, octet| {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 8) ^ CRC_TABLE.get(usize::from(low ^ octet)).copied().unwrap_or_default()
    })
}

/// The CRC-32 of Ethernet and of FINGERPRINT (RFC 8489 §14.7), but without the XOR there.
pub fn crc32(octets: &[u8]) -> u32 {
    !crc_register(octets)
}

/// Changes the last four octets so that the [`crc32`] of all is this. Does nothing to fewer.
pub fn force_crc32(octets: &mut [u8], crc: u32) {
    let Some((rest, last)) = octets.split_last_chunk_mut::<4>() else { return };
    // What the register has to be before four octets of zeros.
    let before = (0..32).fold(!crc, |register, _| match register >> 31 {
        1 => ((register ^ POLYNOMIAL) << 1) | 1,
        _ => register << 1,
    });
    *last = (before ^ crc_register(rest)).to_le_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of draft-eastlake-fnv-21 §7, appendix C.
    #[test]
    fn the_checksum_is_fnv_1a() {
        assert_eq!(checksum(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(checksum(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(checksum(b"foobar"), 0x8594_4171_f739_67e8);
    }

    /// The check value of CRC-32/ISO-HDLC, and that of RFC 3720 §B.4 would be another.
    #[test]
    fn a_crc_is_that_of_ethernet_and_can_be_forced() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
        for crc in [0, 1, 0xcbf4_3926, u32::MAX] {
            let mut octets = *b"12345678901234";
            force_crc32(&mut octets, crc);
            assert_eq!(crc32(&octets), crc);
            assert_eq!(octets[..10], *b"1234567890");
            force_crc32(&mut octets[..3], crc);
        }
    }
}
