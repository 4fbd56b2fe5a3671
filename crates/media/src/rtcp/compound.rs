//! The packets in a datagram.

use super::description::{Goodbye, SourceDescription};
use super::extended::ExtendedReport;
use super::feedback::{FullIntraRequest, MaximumBitrate, Nack};
use super::octets::Octets;
use super::report::{ReceiverReport, SenderReport};
use super::transport_wide::TransportFeedback;

/// Packet types (RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2).
pub(super) mod types {
    pub(in crate::rtcp) const SR: u8 = 200;
    pub(in crate::rtcp) const RR: u8 = 201;
    pub(in crate::rtcp) const SDES: u8 = 202;
    pub(in crate::rtcp) const BYE: u8 = 203;
    pub(in crate::rtcp) const RTPFB: u8 = 205;
    pub(in crate::rtcp) const PSFB: u8 = 206;
    pub(in crate::rtcp) const XR: u8 = 207;
}

/// Formats of feedback (RFC 4585 §6.2 and §6.3, RFC 5104 §4.3, and the drafts).
pub(super) mod formats {
    pub(in crate::rtcp) const NACK: u8 = 1;
    pub(in crate::rtcp) const TRANSPORT_WIDE: u8 = 15;
    pub(in crate::rtcp) const PLI: u8 = 1;
    pub(in crate::rtcp) const FIR: u8 = 4;
    pub(in crate::rtcp) const APPLICATION: u8 = 15;
}

/// Octets are no RTCP, or a packet among them is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A packet ends too early.
    #[error("the packet ends too early")]
    Truncated,
    /// The first two bits are not those of version 2.
    #[error("another version of RTCP")]
    Version,
    /// There is more padding than there are octets, or none where it is announced.
    #[error("the padding is wrong")]
    Padding,
}

/// One packet of RTCP.
#[derive(Debug, Clone)]
pub enum Packet<'a> {
    /// SR
    SenderReport(SenderReport<'a>),
    /// RR
    ReceiverReport(ReceiverReport<'a>),
    /// SDES
    SourceDescription(SourceDescription<'a>),
    /// BYE
    Goodbye(Goodbye<'a>),
    /// Generic NACK
    Nack(Nack<'a>),
    /// PLI: who asks for a picture, and of which source.
    PictureLossIndication {
        /// Who asks.
        sender_ssrc: u32,
        /// Whose picture was lost.
        media_ssrc: u32,
    },
    /// FIR
    FullIntraRequest(FullIntraRequest<'a>),
    /// REMB
    MaximumBitrate(MaximumBitrate<'a>),
    /// Transport-wide feedback
    TransportFeedback(TransportFeedback<'a>),
    /// XR
    ExtendedReport(ExtendedReport<'a>),
    /// Something else, which may be passed over.
    Other {
        /// The type of the packet.
        packet_type: u8,
        /// The count or the format.
        count: u8,
    },
}

/// The packets of one datagram, in order.
///
/// An error is of one packet. The packets before it are as good as ever, and so are those behind it,
/// unless it does not say where they begin; then it is the last item.
///
/// ```
/// use peerconnection_media::rtcp::{Compound, Packet, Writer};
///
/// let mut octets = Vec::new();
/// let mut writer = Writer::new(&mut octets);
/// writer.receiver_report(1, &[])?;
/// writer.picture_loss_indication(1, 9);
///
/// let asked = Compound::parse(&octets)?.find_map(|packet| match packet {
///     Ok(Packet::PictureLossIndication { media_ssrc, .. }) => Some(media_ssrc),
///     _ => None,
/// });
/// assert_eq!(asked, Some(9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Compound<'a> {
    rest: &'a [u8],
}

/// A packet without its header.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    packet_type: u8,
    count: u8,
    is_padded: bool,
    body: &'a [u8],
}

/// The first packet, and what is behind it.
fn split(data: &[u8]) -> Result<(Part<'_>, &[u8]), Malformed> {
    let ([first, packet_type, l0, l1], _) = data.split_first_chunk().ok_or(Malformed::Truncated)?;
    if first >> 6 != 2 {
        return Err(Malformed::Version);
    }
    let length = 4 * (usize::from(u16::from_be_bytes([*l0, *l1])) + 1);
    let (packet, rest) = data.split_at_checked(length).ok_or(Malformed::Truncated)?;
    let body = packet.get(4..).unwrap_or_default();
    let (packet_type, count) = (*packet_type, first & 0x1f);
    Ok((Part { packet_type, count, is_padded: first & 0x20 != 0, body }, rest))
}

impl<'a> Part<'a> {
    /// The packet without its padding. RFC 3550 §6.4.1 wants that in the last packet alone, and a
    /// multiple of four; browsers have 1 to 3 octets of it in transport-wide feedback.
    fn unpadded(self) -> Result<Self, Malformed> {
        if !self.is_padded {
            return Ok(self);
        }
        let padding = self.body.last().copied().filter(|padding| *padding != 0);
        let end = padding.and_then(|padding| self.body.len().checked_sub(padding.into()));
        let body = end.and_then(|end| self.body.get(..end)).ok_or(Malformed::Padding)?;
        Ok(Self { body, ..self })
    }
}

impl<'a> Compound<'a> {
    /// Finds the packets of a datagram. The first may be of any type, since RFC 5506 allows that.
    ///
    /// # Errors
    /// [`Malformed`], if the first packet is none. Of others the iterator tells.
    pub fn parse(data: &'a [u8]) -> Result<Self, Malformed> {
        split(data)?;
        Ok(Self { rest: data })
    }
}

impl<'a> Iterator for Compound<'a> {
    type Item = Result<Packet<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match split(self.rest) {
            Ok((part, rest)) => {
                self.rest = rest;
                Some(part.unpadded().and_then(|part| read(part).ok_or(Malformed::Truncated)))
            }
            Err(malformed) => {
                self.rest = &[];
                Some(Err(malformed))
            }
        }
    }
}

/// A packet; `None` if its type needs more octets than there are.
fn read(part: Part<'_>) -> Option<Packet<'_>> {
    let Part { packet_type, count, body, .. } = part;
    let other = Packet::Other { packet_type, count };
    Some(match (packet_type, count) {
        (types::SR, _) => Packet::SenderReport(SenderReport::read(count, body)?),
        (types::RR, _) => Packet::ReceiverReport(ReceiverReport::read(count, body)?),
        (types::SDES, _) => Packet::SourceDescription(SourceDescription::read(count, body)?),
        (types::BYE, _) => Packet::Goodbye(Goodbye::read(count, body)?),
        (types::RTPFB, formats::NACK) => Packet::Nack(Nack::read(body)?),
        (types::RTPFB, formats::TRANSPORT_WIDE) => {
            Packet::TransportFeedback(TransportFeedback::read(body)?)
        }
        (types::PSFB, formats::PLI) => {
            let mut octets = Octets(body);
            let (sender_ssrc, media_ssrc) = (octets.u32()?, octets.u32()?);
            Packet::PictureLossIndication { sender_ssrc, media_ssrc }
        }
        (types::PSFB, formats::FIR) => Packet::FullIntraRequest(FullIntraRequest::read(body)?),
        (types::PSFB, formats::APPLICATION) if MaximumBitrate::is_it(body) => {
            Packet::MaximumBitrate(MaximumBitrate::read(body)?)
        }
        (types::XR, _) => Packet::ExtendedReport(ExtendedReport::read(body)?),
        _ => other,
    })
}
