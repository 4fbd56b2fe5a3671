//! Packets that are written.

use super::compound::{formats, types};
use super::description::SdesItem;
use super::extended::{DLRR, Dlrr, RRTR};
use super::feedback::REMB;
use super::report::{ReportBlock, SenderInfo};

/// Appends packets to a buffer. Together they are a compound packet, if the first is a report
/// (RFC 3550 §6.1), or a packet of reduced size (RFC 5506).
#[derive(Debug)]
pub struct Writer<'a> {
    into: &'a mut Vec<u8>,
}

/// A packet has more parts than RTCP can count, or a text of more than 255 octets. Nothing was
/// written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the packet would be too large")]
pub struct TooLarge;

/// Five bits of count.
fn count(parts: usize) -> Result<u8, TooLarge> {
    u8::try_from(parts).ok().filter(|count| *count < 32).ok_or(TooLarge)
}

impl<'a> Writer<'a> {
    /// Appends to a buffer.
    pub fn new(into: &'a mut Vec<u8>) -> Self {
        Self { into }
    }

    /// Writes a packet, whose length is found at the end.
    fn packet(&mut self, packet_type: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
        let from = self.into.len();
        self.into.extend([0x80 | count, packet_type, 0, 0]);
        body(self.into);
        let end = from + (self.into.len() - from).next_multiple_of(4);
        self.into.resize(end, 0);
        // Callers see to it that the length fits.
        let words = ((end - from) / 4 - 1) & 0xffff;
        let length = self.into.get_mut(from + 2..from + 4);
        length.into_iter().for_each(|length| length.copy_from_slice(&(words as u16).to_be_bytes()));
    }

    /// SR of a source, with the blocks of at most 31 others.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn sender_report(
        &mut self,
        info: &SenderInfo,
        blocks: &[ReportBlock],
    ) -> Result<(), TooLarge> {
        self.packet(types::SR, count(blocks.len())?, |into| {
            into.extend(info.ssrc.to_be_bytes());
            into.extend(info.ntp.to_be_bytes());
            for word in [info.rtp_timestamp, info.packets, info.octets] {
                into.extend(word.to_be_bytes());
            }
            blocks.iter().for_each(|block| put_block(block, into));
        });
        Ok(())
    }

    /// RR of at most 31 sources.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn receiver_report(&mut self, ssrc: u32, blocks: &[ReportBlock]) -> Result<(), TooLarge> {
        self.packet(types::RR, count(blocks.len())?, |into| {
            into.extend(ssrc.to_be_bytes());
            blocks.iter().for_each(|block| put_block(block, into));
        });
        Ok(())
    }

    /// SDES of one source.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn source_description(
        &mut self,
        ssrc: u32,
        items: &[SdesItem<'_>],
    ) -> Result<(), TooLarge> {
        // 255 items are more than there are types.
        if items.len() > 255 || items.iter().any(|item| item.kind == 0 || item.text.len() > 255) {
            return Err(TooLarge);
        }
        self.packet(types::SDES, 1, |into| {
            into.extend(ssrc.to_be_bytes());
            for item in items {
                into.extend([item.kind, (item.text.len() & 0xff) as u8]);
                into.extend_from_slice(item.text);
            }
            // RFC 3550 §6.5: a 0 ends the list even where it ends at a multiple of four.
            into.push(0);
        });
        Ok(())
    }

    /// BYE of at most 31 sources.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn goodbye(&mut self, ssrcs: &[u32], reason: Option<&str>) -> Result<(), TooLarge> {
        let length = reason.map(|reason| u8::try_from(reason.len())).transpose();
        let length = length.map_err(|_| TooLarge)?;
        self.packet(types::BYE, count(ssrcs.len())?, |into| {
            ssrcs.iter().for_each(|ssrc| into.extend(ssrc.to_be_bytes()));
            if let (Some(length), Some(reason)) = (length, reason) {
                into.push(length);
                into.extend_from_slice(reason.as_bytes());
            }
        });
        Ok(())
    }

    fn feedback(
        &mut self,
        packet_type: u8,
        format: u8,
        ssrcs: [u32; 2],
        body: impl FnOnce(&mut Vec<u8>),
    ) {
        self.packet(packet_type, format, |into| {
            ssrcs.iter().for_each(|ssrc| into.extend(ssrc.to_be_bytes()));
            body(into);
        });
    }

    /// Generic NACK of packets in ascending order, which may wrap. Others cost more octets. There
    /// is no message without a packet.
    ///
    /// # Errors
    /// [`TooLarge`], if it takes more than 16,384 pairs of number and mask.
    pub fn nack(
        &mut self,
        sender_ssrc: u32,
        media_ssrc: u32,
        sequence_numbers: impl IntoIterator<Item = u16>,
    ) -> Result<(), TooLarge> {
        let from = self.into.len();
        let mut pairs = 0_usize;
        self.feedback(types::RTPFB, formats::NACK, [sender_ssrc, media_ssrc], |into| {
            let mut open: Option<(u16, u16)> = None;
            for number in sequence_numbers {
                if let Some((base, mask)) = &mut open {
                    match number.wrapping_sub(*base) {
                        0 => continue,
                        behind @ 1..=16 => {
                            *mask |= 1 << (behind - 1);
                            continue;
                        }
                        _ => put_pair(*base, *mask, into),
                    }
                }
                pairs += 1;
                if pairs > 16_384 {
                    return;
                }
                open = Some((number, 0));
            }
            open.into_iter().for_each(|(base, mask)| put_pair(base, mask, into));
        });
        if pairs == 0 || pairs > 16_384 {
            self.into.truncate(from);
        }
        if pairs > 16_384 { Err(TooLarge) } else { Ok(()) }
    }

    /// PLI
    pub fn picture_loss_indication(&mut self, sender_ssrc: u32, media_ssrc: u32) {
        self.feedback(types::PSFB, formats::PLI, [sender_ssrc, media_ssrc], |_| ());
    }

    /// FIR of at most 8,191 sources, each with the number of the request (RFC 5104 §4.3.1.1).
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn full_intra_request(
        &mut self,
        sender_ssrc: u32,
        entries: &[(u32, u8)],
    ) -> Result<(), TooLarge> {
        if entries.len() > 8_191 {
            return Err(TooLarge);
        }
        self.feedback(types::PSFB, formats::FIR, [sender_ssrc, 0], |into| {
            for (ssrc, number) in entries {
                into.extend(ssrc.to_be_bytes());
                into.extend([*number, 0, 0, 0]);
            }
        });
        Ok(())
    }

    /// REMB of at most 255 sources. The bitrate, in bits a second, is rounded down to 18 bits.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn maximum_bitrate(
        &mut self,
        sender_ssrc: u32,
        bitrate: u64,
        ssrcs: &[u32],
    ) -> Result<(), TooLarge> {
        let count = u8::try_from(ssrcs.len()).map_err(|_| TooLarge)?;
        let exponent = 46_u32.saturating_sub(bitrate.leading_zeros());
        let mantissa = (bitrate >> exponent & 0x3_ffff) as u32;
        self.feedback(types::PSFB, formats::APPLICATION, [sender_ssrc, 0], |into| {
            into.extend(REMB);
            into.extend((u32::from(count) << 24 | exponent << 18 | mantissa).to_be_bytes());
            ssrcs.iter().for_each(|ssrc| into.extend(ssrc.to_be_bytes()));
        });
        Ok(())
    }

    /// XR with the time of a receiver, in seconds since 1900 with 32 bits of fraction.
    pub fn receiver_reference_time(&mut self, ssrc: u32, ntp: u64) {
        self.packet(types::XR, 0, |into| {
            into.extend(ssrc.to_be_bytes());
            into.extend([RRTR, 0, 0, 2]);
            into.extend(ntp.to_be_bytes());
        });
    }

    /// XR that says when the times of at most 5,000 receivers came.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn delay_since_last_receiver_report(
        &mut self,
        ssrc: u32,
        entries: &[Dlrr],
    ) -> Result<(), TooLarge> {
        let count = u16::try_from(entries.len()).ok().filter(|count| *count <= 5_000);
        let count = count.ok_or(TooLarge)?;
        self.packet(types::XR, 0, |into| {
            into.extend(ssrc.to_be_bytes());
            into.extend([DLRR, 0]);
            into.extend((3 * count).to_be_bytes());
            for entry in entries {
                for word in [entry.ssrc, entry.last_rr, entry.delay_since_last_rr] {
                    into.extend(word.to_be_bytes());
                }
            }
        });
        Ok(())
    }
}

fn put_pair(base: u16, mask: u16, into: &mut Vec<u8>) {
    into.extend(base.to_be_bytes());
    into.extend(mask.to_be_bytes());
}

fn put_block(block: &ReportBlock, into: &mut Vec<u8>) {
    // RFC 3550 §A.3: what does not fit stays at the end of the range.
    let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned() & 0xff_ffff;
    let loss = u32::from(block.fraction_lost) << 24 | lost;
    let (last_sr, delay) = (block.last_sr, block.delay_since_last_sr);
    for word in [block.ssrc, loss, block.extended_highest, block.jitter, last_sr, delay] {
        into.extend(word.to_be_bytes());
    }
}
