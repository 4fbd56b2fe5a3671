//! XR (RFC 3611): what a receiver that sends no media needs for a round-trip time.

use super::octets::Octets;

/// Types of blocks (RFC 3611 §4.4 and §4.5).
pub(super) const RRTR: u8 = 4;
pub(super) const DLRR: u8 = 5;

/// XR
#[derive(Debug, Clone)]
pub struct ExtendedReport<'a> {
    /// Who reports.
    pub ssrc: u32,
    /// The blocks of the report.
    pub blocks: Blocks<'a>,
}

/// The blocks of an extended report. They end where one would reach beyond the packet.
#[derive(Debug, Clone)]
pub struct Blocks<'a>(Octets<'a>);

/// One block.
#[derive(Debug, Clone)]
pub enum Block<'a> {
    /// RRTR: the receiver's time, in seconds since 1900 with 32 bits of fraction (§4.4).
    ReceiverReferenceTime {
        /// The time.
        ntp: u64,
    },
    /// DLRR: when such times came (§4.5).
    DelaySinceLastReceiverReport(DlrrEntries<'a>),
    /// Something else, which may be passed over.
    Other {
        /// The type of the block.
        block_type: u8,
    },
}

/// When the time of a receiver came (RFC 3611 §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dlrr {
    /// The receiver.
    pub ssrc: u32,
    /// The middle 32 bits of its last time; 0 without one.
    pub last_rr: u32,
    /// The time since that came, in units of 1/65,536 s.
    pub delay_since_last_rr: u32,
}

/// The entries of one block.
#[derive(Debug, Clone)]
pub struct DlrrEntries<'a>(std::slice::Iter<'a, [u8; 12]>);

impl<'a> ExtendedReport<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        Some(Self { ssrc: octets.u32()?, blocks: Blocks(octets) })
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        let (block_type, _) = (self.0.u8()?, self.0.u8()?);
        let words = self.0.u16()?;
        let content = self.0.take(4 * usize::from(words))?;
        Some(match block_type {
            RRTR => match Octets(content).u64() {
                Some(ntp) => Block::ReceiverReferenceTime { ntp },
                None => Block::Other { block_type },
            },
            DLRR => Block::DelaySinceLastReceiverReport(DlrrEntries(content.as_chunks().0.iter())),
            _ => Block::Other { block_type },
        })
    }
}

impl Iterator for DlrrEntries<'_> {
    type Item = Dlrr;

    fn next(&mut self) -> Option<Dlrr> {
        let mut octets = Octets(self.0.next()?);
        let (ssrc, last_rr) = (octets.u32()?, octets.u32()?);
        Some(Dlrr { ssrc, last_rr, delay_since_last_rr: octets.u32()? })
    }
}
