//! VP9 (RFC 9628): a descriptor, then a part of a frame of one spatial layer. The frames of all
//! layers of a picture have one timestamp; a decoder takes them together.
//!
//! - `descriptor`: what stands before each part
//! - `header`: what a frame says of itself

mod descriptor;
mod header;

pub use descriptor::{Descriptor, Layer, Structure};
pub use header::{is_key_frame, size};

use super::pieces::Pieces;
use super::{Malformed, Unfit};

/// Whether a payload may be the first one of a picture: it begins a frame that does not depend on
/// another layer of the same picture.
pub fn begins_frame(payload: &[u8]) -> bool {
    Descriptor::parse(payload).is_ok_and(|(descriptor, _)| descriptor.begins_picture())
}

/// Whether a payload is the first one of a key picture (RFC 9628 §4.2, P).
pub fn begins_key_frame(payload: &[u8]) -> bool {
    Descriptor::parse(payload)
        .is_ok_and(|(descriptor, _)| descriptor.begins_picture() && !descriptor.is_inter_picture)
}

/// Octets of a descriptor with a picture id of 15 bits.
const DESCRIPTOR: usize = 3;
/// Octets of the structure of one layer, with its size and a group of one picture.
const STRUCTURE: usize = 8;

/// The payloads of one picture with one layer, in non-flexible mode.
#[derive(Debug, Clone)]
pub(super) struct Packets<'f> {
    picture_id: u16,
    is_key: bool,
    size: Option<(u16, u16)>,
    pieces: Pieces<'f>,
    begins: bool,
}

impl<'f> Packets<'f> {
    pub(super) fn new(frame: &'f [u8], picture_id: u16, maximum: usize) -> Result<Self, Unfit> {
        let size = size(frame);
        let descriptor = DESCRIPTOR + if size.is_some() { STRUCTURE } else { 0 };
        let capacity = maximum.checked_sub(descriptor).filter(|capacity| *capacity > 0);
        let pieces = Pieces::new(frame, capacity.ok_or(Unfit::Maximum)?);
        Ok(Self { picture_id, is_key: is_key_frame(frame), size, pieces, begins: true })
    }

    pub(super) fn write_next(&mut self, payload: &mut Vec<u8>) -> Option<bool> {
        let (piece, is_last) = self.pieces.next()?;
        let begins = std::mem::take(&mut self.begins);
        let structure = self.size.filter(|_| begins);
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        // I and Z: no upper layer depends on this one. P, B, E, V.
        let first = 0x81
            | bit(!self.is_key, 0x40)
            | bit(begins, 0x08)
            | bit(is_last, 0x04)
            | bit(structure.is_some(), 0x02);
        let [high, low] = (self.picture_id | 0x8000).to_be_bytes();
        payload.extend([first, high, low]);
        if let Some((width, height)) = structure {
            // Y and G: the size, then a group of one picture, which refers to the one before.
            payload.push(0x18);
            payload.extend(width.to_be_bytes());
            payload.extend(height.to_be_bytes());
            payload.extend([1, 0x14, 1]);
        }
        payload.extend_from_slice(piece);
        Some(is_last)
    }
}

/// A picture that is put together.
#[derive(Debug, Clone, Default)]
pub(super) struct Assembly {
    /// A frame of a layer has begun and not ended.
    is_open: bool,
}

impl Assembly {
    pub(super) fn append(&mut self, payload: &[u8], frame: &mut Vec<u8>) -> Result<(), Malformed> {
        let (descriptor, data) = Descriptor::parse(payload)?;
        if descriptor.begins_frame == self.is_open {
            return Err(Malformed::Order);
        }
        self.is_open = !descriptor.ends_frame;
        frame.extend_from_slice(data);
        Ok(())
    }

    /// Ends the picture, which may not end within a frame.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.is_open { Err(Malformed::Order) } else { Ok(()) }
    }
}
