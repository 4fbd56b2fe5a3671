//! VP8 (RFC 7741): a descriptor, then a part of the frame.

use super::pieces::Pieces;
use super::{Malformed, Unfit};

/// Octets of the descriptor that [`Packets`] writes.
const DESCRIPTOR: usize = 4;
/// Octets of a key frame before its data: the frame tag, the start code and the size (RFC 6386
/// §9.1).
const KEY_FRAME_HEADER: usize = 10;

/// The payload descriptor (RFC 7741 §4.2).
///
/// ```
/// # use peerconnection_media as peerconnection;
/// use peerconnection::payload::vp8::Descriptor;
///
/// // X and S; I and T; picture 17; temporal layer 2.
/// let (descriptor, data) = Descriptor::parse(&[0x90, 0xa0, 0x11, 0x80, 1, 2, 3])?;
/// assert_eq!((descriptor.picture_id, descriptor.temporal_layer), (Some(17), Some(2)));
/// assert!(descriptor.begins_partition && descriptor.partition == 0);
/// assert_eq!(data, [1, 2, 3]);
/// # Ok::<(), peerconnection::payload::Malformed>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Descriptor {
    /// N: no other frame depends on this one.
    pub is_non_reference: bool,
    /// S: the packet begins with the beginning of a partition.
    pub begins_partition: bool,
    /// PID: the partition with which the packet begins, 0 to 7.
    pub partition: u8,
    /// PictureID, of 7 or 15 bits. It grows by one with each frame.
    pub picture_id: Option<u16>,
    /// TL0PICIDX: grows by one with each frame of the lowest temporal layer.
    pub base_layer_index: Option<u8>,
    /// TID: the temporal layer, 0 to 3.
    pub temporal_layer: Option<u8>,
    /// Y: the frame depends on frames of the lowest temporal layer alone.
    pub is_layer_sync: bool,
    /// KEYIDX: grows by one with each key frame, 0 to 31.
    pub key_frame_index: Option<u8>,
}

impl Descriptor {
    /// Reads a payload. What is behind the descriptor is a part of the frame.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut rest = payload;
        let first = octet(&mut rest)?;
        let mut descriptor = Self {
            is_non_reference: first & 0x20 != 0,
            begins_partition: first & 0x10 != 0,
            partition: first & 0x07,
            ..Self::default()
        };
        let extension = if first & 0x80 != 0 { octet(&mut rest)? } else { 0 };
        if extension & 0x80 != 0 {
            let id = octet(&mut rest)?;
            let long = id & 0x80 != 0;
            descriptor.picture_id = Some(if long {
                u16::from_be_bytes([id & 0x7f, octet(&mut rest)?])
            } else {
                id.into()
            });
        }
        if extension & 0x40 != 0 {
            descriptor.base_layer_index = Some(octet(&mut rest)?);
        }
        // One octet has both; each of T and K says which part of it counts.
        if extension & 0x30 != 0 {
            let both = octet(&mut rest)?;
            if extension & 0x20 != 0 {
                descriptor.temporal_layer = Some(both >> 6);
                descriptor.is_layer_sync = both & 0x20 != 0;
            }
            if extension & 0x10 != 0 {
                descriptor.key_frame_index = Some(both & 0x1f);
            }
        }
        if rest.is_empty() { Err(Malformed::Truncated) } else { Ok((descriptor, rest)) }
    }

    /// Whether the packet is the first one of a frame.
    pub fn begins_frame(&self) -> bool {
        self.begins_partition && self.partition == 0
    }
}

fn octet(rest: &mut &[u8]) -> Result<u8, Malformed> {
    let (first, behind) = rest.split_first().ok_or(Malformed::Truncated)?;
    *rest = behind;
    Ok(*first)
}

/// Whether a payload is the first one of a frame.
pub fn begins_frame(payload: &[u8]) -> bool {
    Descriptor::parse(payload).is_ok_and(|(descriptor, _)| descriptor.begins_frame())
}

/// Whether a payload is the first one of a key frame (RFC 7741 §4.3).
pub fn begins_key_frame(payload: &[u8]) -> bool {
    Descriptor::parse(payload)
        .is_ok_and(|(descriptor, data)| descriptor.begins_frame() && is_key_frame(data))
}

/// Whether a frame is a key frame (RFC 6386 §9.1). Its beginning suffices.
pub fn is_key_frame(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & 1 == 0)
}

/// The width and height of a key frame, in pixels (RFC 6386 §9.1). `None` for other frames.
pub fn size(frame: &[u8]) -> Option<(u16, u16)> {
    let header = frame.first_chunk::<KEY_FRAME_HEADER>().filter(|_| is_key_frame(frame))?;
    let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = *header else { return None };
    // The two highest bits say how a player scales.
    let length = |octets| u16::from_le_bytes(octets) & 0x3fff;
    Some((length([w0, w1]), length([h0, h1])))
}

/// The payloads of one frame. All say partition 0, as §4.2 allows, so that nobody needs to look
/// where partitions begin.
#[derive(Debug, Clone)]
pub(super) struct Packets<'f> {
    picture_id: u16,
    pieces: Pieces<'f>,
    begins: bool,
}

impl<'f> Packets<'f> {
    pub(super) fn new(frame: &'f [u8], picture_id: u16, maximum: usize) -> Result<Self, Unfit> {
        let capacity = maximum.checked_sub(DESCRIPTOR).filter(|capacity| *capacity > 0);
        let pieces = Pieces::new(frame, capacity.ok_or(Unfit::Maximum)?);
        Ok(Self { picture_id, pieces, begins: true })
    }

    pub(super) fn write_next(&mut self, payload: &mut Vec<u8>) -> Option<bool> {
        let (piece, is_last) = self.pieces.next()?;
        let begins = std::mem::take(&mut self.begins);
        let [high, low] = (self.picture_id | 0x8000).to_be_bytes();
        payload.extend([if begins { 0x90 } else { 0x80 }, 0x80, high, low]);
        payload.extend_from_slice(piece);
        Some(is_last)
    }
}

/// Adds the part of a frame that a payload has.
pub(super) fn append(payload: &[u8], frame: &mut Vec<u8>) -> Result<(), Malformed> {
    let (descriptor, data) = Descriptor::parse(payload)?;
    if descriptor.begins_frame() != frame.is_empty() {
        return Err(Malformed::Order);
    }
    frame.extend_from_slice(data);
    Ok(())
}
