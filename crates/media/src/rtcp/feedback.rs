//! NACK, PLI, FIR and REMB.

use super::octets::{Octets, Ssrcs};

/// Generic NACK: packets that were lost (RFC 4585 §6.2.1).
#[derive(Debug, Clone)]
pub struct Nack<'a> {
    /// Who lost them.
    pub sender_ssrc: u32,
    /// Whose they are.
    pub media_ssrc: u32,
    /// Their sequence numbers.
    pub sequence_numbers: Numbers<'a>,
}

/// Sequence numbers of lost packets, in the order of the message: at most 17 of each four octets.
#[derive(Debug, Clone)]
pub struct Numbers<'a> {
    pairs: std::slice::Iter<'a, [u8; 4]>,
    /// The number of the lowest bit.
    base: u16,
    bits: u32,
}

impl<'a> Nack<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        let (sender_ssrc, media_ssrc) = (octets.u32()?, octets.u32()?);
        let pairs = octets.0.as_chunks().0.iter();
        let sequence_numbers = Numbers { pairs, base: 0, bits: 0 };
        Some(Self { sender_ssrc, media_ssrc, sequence_numbers })
    }
}

impl Iterator for Numbers<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.bits == 0 {
            let [p0, p1, b0, b1] = *self.pairs.next()?;
            self.base = u16::from_be_bytes([p0, p1]);
            // The packet itself, and the 16 behind it.
            self.bits = u32::from(u16::from_be_bytes([b0, b1])) << 1 | 1;
        }
        let lowest = self.bits.trailing_zeros();
        self.bits &= self.bits - 1;
        Some(self.base.wrapping_add((lowest & 0x1f) as u16))
    }
}

/// FIR: sources that are to send a key frame (RFC 5104 §4.3.1).
#[derive(Debug, Clone)]
pub struct FullIntraRequest<'a> {
    /// Who asks.
    pub sender_ssrc: u32,
    /// The sources.
    pub entries: FirEntries<'a>,
}

/// Pairs of a source and the number of the request: one with the same number is a repetition.
#[derive(Debug, Clone)]
pub struct FirEntries<'a>(std::slice::Iter<'a, [u8; 8]>);

impl<'a> FullIntraRequest<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        let sender_ssrc = octets.u32()?;
        // §4.3.1.2: the SSRC of the media source is 0 and not used.
        octets.u32()?;
        Some(Self { sender_ssrc, entries: FirEntries(octets.0.as_chunks().0.iter()) })
    }
}

impl Iterator for FirEntries<'_> {
    type Item = (u32, u8);

    fn next(&mut self) -> Option<(u32, u8)> {
        let [s0, s1, s2, s3, number, ..] = *self.0.next()?;
        Some((u32::from_be_bytes([s0, s1, s2, s3]), number))
    }
}

/// What REMB begins with behind the SSRCs.
pub(super) const REMB: [u8; 4] = *b"REMB";

/// REMB: what the receiver takes of some sources together (draft-alvestrand-rmcat-remb-03 §2.2).
#[derive(Debug, Clone)]
pub struct MaximumBitrate<'a> {
    /// Who says so.
    pub sender_ssrc: u32,
    /// Bits a second, at most [`u64::MAX`].
    pub bitrate: u64,
    /// The sources.
    pub ssrcs: Ssrcs<'a>,
}

impl<'a> MaximumBitrate<'a> {
    /// Whether feedback of the application is REMB.
    pub(super) fn is_it(body: &[u8]) -> bool {
        body.get(8..12) == Some(REMB.as_slice())
    }

    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        let sender_ssrc = octets.u32()?;
        octets.take(8)?;
        let word = octets.u32()?;
        let (count, exponent, mantissa) = (word >> 24, word >> 18 & 0x3f, word & 0x3_ffff);
        let bitrate = u128::from(mantissa) << exponent;
        let ssrcs = Ssrcs::new(octets.take(4 * usize::try_from(count).ok()?)?);
        let bitrate = u64::try_from(bitrate).unwrap_or(u64::MAX);
        Some(Self { sender_ssrc, bitrate, ssrcs })
    }
}
