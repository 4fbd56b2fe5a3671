//! A packet, as it is read.

use std::ops::Range;

use super::extension::{Extensions, Form};
use super::header::Header;

/// Octets of a header without anything that is optional.
const FIXED: usize = 12;

/// Octets are no RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They end within the header, or within the padding that they announce.
    #[error("the packet ends too early")]
    Truncated,
    /// The first two bits are not those of version 2.
    #[error("another version of RTP")]
    Version,
    /// The packet is padded by zero octets.
    #[error("padding of length 0")]
    Padding,
}

/// What is at fixed places, and where the payload begins. It is the same whether the payload is
/// encrypted or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub(crate) sequence_number: u16,
    pub(crate) ssrc: u32,
    /// Octets of the header, with CSRCs and extension.
    pub(crate) header: usize,
    /// Where the extension begins, if there is one.
    extension: Option<usize>,
}

/// Reads a header.
pub(crate) fn fixed(data: &[u8]) -> Result<Fixed, Malformed> {
    let (fixed, rest) = data.split_first_chunk::<FIXED>().ok_or(Malformed::Truncated)?;
    let [first, _, q0, q1, _, _, _, _, s0, s1, s2, s3] = *fixed;
    if first >> 6 != 2 {
        return Err(Malformed::Version);
    }
    let csrcs = 4 * usize::from(first & 0xf);
    let has_extension = first & 0x10 != 0;
    let mut header = FIXED + csrcs;
    if has_extension {
        let behind = rest.get(csrcs..).and_then(|rest| rest.first_chunk::<4>());
        let [_, _, l0, l1] = *behind.ok_or(Malformed::Truncated)?;
        header += 4 + 4 * usize::from(u16::from_be_bytes([l0, l1]));
    }
    if header > data.len() {
        return Err(Malformed::Truncated);
    }
    Ok(Fixed {
        sequence_number: u16::from_be_bytes([q0, q1]),
        ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
        header,
        extension: has_extension.then_some(FIXED + csrcs),
    })
}

/// Octets of a packet's header with CSRCs and extension, which SRTP does not encrypt (RFC 3711
/// §3.1): the packet may be protected or not. `None` if it is no packet of RTP.
///
/// ```
/// use peerconnection_media::rtp::header_length;
///
/// // One CSRC, and two octets that only the peer can read.
/// let packet = [0x81, 96, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 77, 77];
/// assert_eq!(header_length(&packet), Some(16));
/// assert_eq!(header_length(&[0x81, 96, 0, 7]), None);
/// ```
pub fn header_length(packet: &[u8]) -> Option<usize> {
    fixed(packet).ok().map(|fixed| fixed.header)
}

/// The form of the extension, and where its elements begin and end. `None` without an extension,
/// and with one that is no list of elements.
pub(super) fn extension_at(data: &[u8], fixed: Fixed) -> Option<(Form, usize, usize)> {
    let start = fixed.extension?;
    let [p0, p1, _, _] = *data.get(start..)?.first_chunk()?;
    let form = Form::of(u16::from_be_bytes([p0, p1]))?;
    Some((form, start + 4, fixed.header))
}

/// Where the extension has what it carries, be that a list of elements or not.
pub(super) fn extension_octets(fixed: Fixed) -> Option<Range<usize>> {
    fixed.extension.map(|start| start + 4..fixed.header)
}

/// A packet that is read where it lies.
///
/// ```
/// use peerconnection_media::rtp::Packet;
///
/// let octets = [0x80, 0xe0, 0, 7, 0, 0, 0, 160, 0xca, 0xfe, 0xba, 0xbe, 1, 2, 3];
/// let packet = Packet::parse(&octets)?;
/// assert_eq!((packet.payload_type(), packet.marker()), (96, true));
/// assert_eq!((packet.sequence_number(), packet.timestamp()), (7, 160));
/// assert_eq!((packet.ssrc(), packet.payload()), (0xcafe_babe, [1, 2, 3].as_slice()));
/// # Ok::<(), peerconnection_media::rtp::Malformed>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    data: &'a [u8],
    fixed: Fixed,
    padding: u8,
}

impl<'a> Packet<'a> {
    /// Reads a packet (RFC 3550 §5.1, and §A.1 for what is checked).
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(data: &'a [u8]) -> Result<Self, Malformed> {
        let fixed = fixed(data)?;
        let is_padded = data.first().is_some_and(|first| first & 0x20 != 0);
        let padding = if is_padded { data.last().copied().unwrap_or(0) } else { 0 };
        if is_padded && padding == 0 {
            return Err(Malformed::Padding);
        }
        if data.len() - fixed.header < padding.into() {
            return Err(Malformed::Truncated);
        }
        Ok(Self { data, fixed, padding })
    }

    /// The octets at fixed places.
    fn octets(&self) -> [u8; FIXED] {
        self.data.first_chunk().copied().unwrap_or_default()
    }

    /// What stands at fixed places.
    pub fn head(&self) -> Header {
        let [_, type_, q0, q1, t0, t1, t2, t3, s0, s1, s2, s3] = self.octets();
        Header {
            marker: type_ & 0x80 != 0,
            payload_type: type_ & 0x7f,
            sequence_number: u16::from_be_bytes([q0, q1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
        }
    }

    /// The marker bit.
    pub fn marker(&self) -> bool {
        self.head().marker
    }

    /// The payload type, 0 to 127.
    pub fn payload_type(&self) -> u8 {
        self.head().payload_type
    }

    /// The sequence number.
    pub fn sequence_number(&self) -> u16 {
        self.fixed.sequence_number
    }

    /// The timestamp, in ticks of the clock of the payload type.
    pub fn timestamp(&self) -> u32 {
        self.head().timestamp
    }

    /// The synchronization source.
    pub fn ssrc(&self) -> u32 {
        self.fixed.ssrc
    }

    /// The contributing sources, at most 15.
    pub fn csrcs(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        let count = usize::from(self.octets()[0] & 0xf);
        let listed = self.data.get(FIXED..FIXED + 4 * count).unwrap_or_default();
        listed.as_chunks::<4>().0.iter().map(|csrc| u32::from_be_bytes(*csrc))
    }

    /// The header extension: what it is defined by, and its octets (RFC 3550 §5.3.1).
    pub fn extension(&self) -> Option<(u16, &'a [u8])> {
        let extension = self.data.get(self.fixed.extension?..self.fixed.header)?;
        let ([p0, p1, _, _], octets) = extension.split_first_chunk()?;
        Some((u16::from_be_bytes([*p0, *p1]), octets))
    }

    /// The elements of the header extension (RFC 8285). There are none in an extension that is
    /// defined by something else.
    pub fn extensions(&self) -> Extensions<'a> {
        extension_at(self.data, self.fixed)
            .and_then(|(form, from, to)| Some(Extensions::new(form, self.data.get(from..to)?)))
            .unwrap_or_else(Extensions::none)
    }

    /// The form of the header extension's elements.
    pub fn form(&self) -> Option<Form> {
        extension_at(self.data, self.fixed).map(|(form, ..)| form)
    }

    /// The payload without padding. It is empty in packets of padding alone.
    pub fn payload(&self) -> &'a [u8] {
        self.data.get(self.payload_range()).unwrap_or_default()
    }

    /// Where the payload lies in what was parsed, so that its memory can be shared.
    pub fn payload_range(&self) -> Range<usize> {
        self.fixed.header..self.data.len() - usize::from(self.padding)
    }

    /// Octets of padding, with the one that counts them.
    pub fn padding(&self) -> u8 {
        self.padding
    }
}
