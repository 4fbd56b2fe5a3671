//! Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

use super::octets::Octets;

/// Which packets of a transport came, and when.
#[derive(Debug, Clone)]
pub struct TransportFeedback<'a> {
    /// Who reports.
    pub sender_ssrc: u32,
    /// A source of the transport.
    pub media_ssrc: u32,
    /// The number of this report, modulo 256.
    pub feedback_count: u8,
    /// What the first delta is counted from, in units of 64 ms; 24 bits with a sign.
    pub reference_time: i32,
    base: u16,
    count: u16,
    octets: Octets<'a>,
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        let (sender_ssrc, media_ssrc) = (octets.u32()?, octets.u32()?);
        let (base, count) = (octets.u16()?, octets.u16()?);
        let word = octets.u32()?;
        let reference_time = word.cast_signed() >> 8;
        let feedback_count = (word & 0xff) as u8;
        Some(Self { sender_ssrc, media_ssrc, feedback_count, reference_time, base, count, octets })
    }

    /// The packets that it speaks of. They end where the octets do: what a report does not say,
    /// nobody knows.
    pub fn packets(&self) -> Statuses<'a> {
        // The deltas stand behind the chunks, which must be gone through to find them.
        let mut deltas = self.octets;
        let mut left = u32::from(self.count);
        while left > 0 {
            let Some(chunk) = deltas.u16() else { break };
            left = left.saturating_sub(capacity(chunk));
        }
        Statuses {
            chunks: self.octets,
            deltas,
            next: self.base,
            left: self.count,
            chunk: Chunk { symbols: 0, width: 1, left: 0 },
        }
    }
}

/// How many packets a chunk speaks of.
fn capacity(chunk: u16) -> u32 {
    match chunk >> 14 {
        0 | 1 => u32::from(chunk & 0x1fff),
        2 => 14,
        _ => 7,
    }
}

/// Transport-wide sequence numbers, each with the time since the packet before in units of 250 µs,
/// or with `None` if the packet has not come. The first time counts from the reference time.
#[derive(Debug, Clone)]
pub struct Statuses<'a> {
    chunks: Octets<'a>,
    deltas: Octets<'a>,
    next: u16,
    left: u16,
    chunk: Chunk,
}

/// What is left of a chunk (§3.1.1 and following).
#[derive(Debug, Clone, Copy)]
struct Chunk {
    /// The symbols, the next one in the highest bits. A run has one symbol, which stays.
    symbols: u16,
    /// Bits of a symbol; 0 in a run.
    width: u8,
    left: u16,
}

impl Chunk {
    fn read(chunk: u16) -> Self {
        match chunk >> 14 {
            0 | 1 => Self { symbols: chunk >> 13 & 3, width: 0, left: chunk & 0x1fff },
            2 => Self { symbols: chunk << 2, width: 1, left: 14 },
            _ => Self { symbols: chunk << 2, width: 2, left: 7 },
        }
    }

    fn next(&mut self) -> Option<u16> {
        self.left = self.left.checked_sub(1)?;
        let symbol = match self.width {
            0 => self.symbols,
            width => self.symbols >> (16 - width),
        };
        self.symbols <<= self.width;
        Some(symbol)
    }
}

impl Iterator for Statuses<'_> {
    type Item = (u16, Option<i16>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let symbol = loop {
            match self.chunk.next() {
                Some(symbol) => break symbol,
                None => self.chunk = Chunk::read(self.chunks.u16()?),
            }
        };
        let sequence_number = self.next;
        self.next = self.next.wrapping_add(1);
        let delta = match symbol {
            0 => None,
            1 => Some(i16::from(self.deltas.u8()?)),
            2 => Some(self.deltas.u16()?.cast_signed()),
            // §3.1.2: reserved. What follows has no place that is known.
            _ => {
                self.left = 0;
                return None;
            }
        };
        Some((sequence_number, delta))
    }
}
