//! SR and RR (RFC 3550 §6.4).

use super::octets::Octets;

/// Octets of a report block.
const BLOCK: usize = 24;

/// What a receiver reports of one source (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The source that is reported on.
    pub ssrc: u32,
    /// The fraction of packets lost since the last report, in units of 1/256.
    pub fraction_lost: u8,
    /// Packets lost in all, which repeated packets can make negative. On the wire it has 24 bits,
    /// and stays at their ends.
    pub cumulative_lost: i32,
    /// The highest sequence number, with the count of its turns in the upper 16 bits.
    pub extended_highest: u32,
    /// The jitter, in ticks of the source's clock.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of the last sender report; 0 without one.
    pub last_sr: u32,
    /// The time since that came, in units of 1/65,536 s.
    pub delay_since_last_sr: u32,
}

/// The blocks of a report.
#[derive(Debug, Clone)]
pub struct ReportBlocks<'a>(std::slice::Iter<'a, [u8; BLOCK]>);

impl<'a> ReportBlocks<'a> {
    fn read(count: u8, octets: &mut Octets<'a>) -> Option<Self> {
        let blocks = octets.take(usize::from(count) * BLOCK)?;
        Some(Self(blocks.as_chunks().0.iter()))
    }
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let mut octets = Octets(self.0.next()?);
        let (ssrc, loss) = (octets.u32()?, octets.u32()?);
        Some(ReportBlock {
            ssrc,
            fraction_lost: (loss >> 24) as u8,
            // The sign of 24 bits.
            cumulative_lost: (loss << 8).cast_signed() >> 8,
            extended_highest: octets.u32()?,
            jitter: octets.u32()?,
            last_sr: octets.u32()?,
            delay_since_last_sr: octets.u32()?,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for ReportBlocks<'_> {}

/// What a source has sent (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// The source.
    pub ssrc: u32,
    /// The time of the report, in seconds since 1900 with 32 bits of fraction.
    pub ntp: u64,
    /// The same time, in ticks of the source's clock.
    pub rtp_timestamp: u32,
    /// Packets sent in all, modulo 2³².
    pub packets: u32,
    /// Octets of payload sent in all, modulo 2³².
    pub octets: u32,
}

/// SR: what a source has sent and received (RFC 3550 §6.4.1).
#[derive(Debug, Clone)]
pub struct SenderReport<'a> {
    /// What it has sent.
    pub info: SenderInfo,
    /// What it has received of others. Browsers say nothing here, and send an RR beside.
    pub blocks: ReportBlocks<'a>,
}

impl<'a> SenderReport<'a> {
    pub(super) fn read(count: u8, body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        let info = SenderInfo {
            ssrc: octets.u32()?,
            ntp: octets.u64()?,
            rtp_timestamp: octets.u32()?,
            packets: octets.u32()?,
            octets: octets.u32()?,
        };
        Some(Self { info, blocks: ReportBlocks::read(count, &mut octets)? })
    }
}

/// RR: what somebody has received (RFC 3550 §6.4.2).
#[derive(Debug, Clone)]
pub struct ReceiverReport<'a> {
    /// Who reports.
    pub ssrc: u32,
    /// The sources.
    pub blocks: ReportBlocks<'a>,
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn read(count: u8, body: &'a [u8]) -> Option<Self> {
        let mut octets = Octets(body);
        Some(Self { ssrc: octets.u32()?, blocks: ReportBlocks::read(count, &mut octets)? })
    }
}
