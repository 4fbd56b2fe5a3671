//! The temporal unit of payloads.

use super::super::Malformed;
use super::obu::{Obu, read_leb128};
use super::{CONTINUES, IS_CONTINUED};

/// A temporal unit that is put together.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Assembly {
    /// The OBU whose end has not come; empty without one.
    open: Vec<u8>,
}

impl Assembly {
    /// Octets that are kept besides the frame.
    pub(in super::super) fn kept(&self) -> usize {
        self.open.len()
    }

    /// Adds the OBUs of a payload, with their sizes.
    pub(in super::super) fn append(
        &mut self,
        payload: &[u8],
        frame: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let (header, mut rest) = payload.split_first().ok_or(Malformed::Truncated)?;
        if (header & CONTINUES != 0) == self.open.is_empty() {
            return Err(Malformed::Order);
        }
        // W: how many elements there are, of which the last has no length. With 0 each has one.
        let count = header >> 4 & 0x03;
        let mut at = 0;
        loop {
            at += 1;
            let mut length = rest.len();
            if count == 0 || at < count {
                (length, rest) = read_leb128(rest)?;
            }
            let (element, behind) = rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
            rest = behind;
            if element.is_empty() {
                return Err(Malformed::Truncated);
            }
            let is_last = if count == 0 { rest.is_empty() } else { at == count };
            self.take(element, is_last && header & IS_CONTINUED != 0, frame)?;
            if is_last {
                return Ok(());
            }
            // With W of 0 there is no end to count.
            at = at.min(4);
        }
    }

    /// Takes an element: an OBU or a part of one.
    fn take(
        &mut self,
        element: &[u8],
        is_continued: bool,
        frame: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        if is_continued || !self.open.is_empty() {
            self.open.extend_from_slice(element);
            if is_continued {
                return Ok(());
            }
            let whole = std::mem::take(&mut self.open);
            return put(&whole, frame);
        }
        put(element, frame)
    }

    /// Ends the temporal unit, which may not end within an OBU, nor be nothing.
    pub(in super::super) fn end(&self, frame: &[u8]) -> Result<(), Malformed> {
        if !self.open.is_empty() {
            return Err(Malformed::Order);
        }
        if frame.is_empty() { Err(Malformed::Truncated) } else { Ok(()) }
    }
}

/// Adds an OBU to a frame.
fn put(octets: &[u8], frame: &mut Vec<u8>) -> Result<(), Malformed> {
    // One that says its size may have nothing behind it.
    let (obu, rest) = Obu::split(octets)?;
    if !rest.is_empty() {
        return Err(Malformed::Truncated);
    }
    if obu.is_sent() {
        obu.write(frame);
    }
    Ok(())
}
