//! Payloads of a frame.

use super::super::Unfit;
use super::super::pieces::Pieces;
use super::Mode;
use super::nal::{NalUnits, type_of};
use super::read::{FU_A, STAP_A};

/// Octets of the indicator and the header of an FU-A (RFC 6184 §5.8).
const FU_HEADERS: usize = 2;

/// The payloads of one frame.
#[derive(Debug, Clone)]
pub(in super::super) struct Packets<'f> {
    mode: Mode,
    maximum: usize,
    /// The unit that comes next, and those behind it.
    next: Option<&'f [u8]>,
    units: NalUnits<'f>,
    /// The unit that is being divided: its header, and what is left of it.
    divided: Option<(u8, Pieces<'f>)>,
}

impl<'f> Packets<'f> {
    pub(in super::super) fn new(
        frame: &'f [u8],
        mode: Mode,
        maximum: usize,
    ) -> Result<Self, Unfit> {
        if maximum <= FU_HEADERS {
            return Err(Unfit::Maximum);
        }
        let mut units = NalUnits::new(frame);
        for unit in units.clone() {
            if !(1..=23).contains(&type_of(unit)) {
                return Err(Unfit::Malformed);
            }
            let is_divisible = mode == Mode::NonInterleaved && unit.len() > 1;
            if unit.len() > maximum && !is_divisible {
                return Err(Unfit::TooLarge);
            }
        }
        let next = Some(units.next().ok_or(Unfit::Malformed)?);
        Ok(Self { mode, maximum, next, units, divided: None })
    }

    pub(in super::super) fn write_next(&mut self, payload: &mut Vec<u8>) -> Option<bool> {
        if self.divided.is_some() {
            return self.write_part(payload, false);
        }
        let unit = self.take()?;
        if unit.len() > self.maximum {
            let (header, octets) = unit.split_first()?;
            let pieces = Pieces::new(octets, self.maximum - FU_HEADERS);
            self.divided = Some((*header, pieces));
            return self.write_part(payload, true);
        }
        payload.extend_from_slice(unit);
        if self.mode == Mode::NonInterleaved && self.has_room(3 + unit.len()) {
            self.aggregate(payload);
        }
        Some(self.next.is_none())
    }

    fn take(&mut self) -> Option<&'f [u8]> {
        std::mem::replace(&mut self.next, self.units.next())
    }

    /// Whether the next unit fits into an aggregate of this length.
    fn has_room(&self, length: usize) -> bool {
        let room = self.maximum.saturating_sub(length);
        self.next.is_some_and(|next| next.len() + 2 <= room && u16::try_from(next.len()).is_ok())
    }

    /// Makes a STAP-A (RFC 6184 §5.7.1) of the unit in the payload and those that fit behind it.
    fn aggregate(&mut self, payload: &mut Vec<u8>) {
        let Ok(size) = u16::try_from(payload.len()) else { return };
        let mut header = payload.first().copied().unwrap_or(0) & 0xe0;
        let [s0, s1] = size.to_be_bytes();
        payload.splice(..0, [0, s0, s1]);
        while self.has_room(payload.len())
            && let Some(unit) = self.take()
            && let (Some(first), Ok(size)) = (unit.first(), u16::try_from(unit.len()))
        {
            // F is set if it is in any unit, NRI is the greatest of all.
            header = (header | first) & 0x80 | (header & 0x60).max(first & 0x60);
            payload.extend(size.to_be_bytes());
            payload.extend_from_slice(unit);
        }
        if let Some(first) = payload.first_mut() {
            *first = header | STAP_A;
        }
    }

    /// Writes an FU-A (RFC 6184 §5.8).
    fn write_part(&mut self, payload: &mut Vec<u8>, begins: bool) -> Option<bool> {
        let (header, pieces) = self.divided.as_mut()?;
        let (piece, ends) = pieces.next()?;
        let flags = if begins { 0x80 } else { 0 } | if ends { 0x40 } else { 0 };
        payload.extend([*header & 0xe0 | FU_A, flags | *header & 0x1f]);
        payload.extend_from_slice(piece);
        if ends {
            self.divided = None;
        }
        Some(ends && self.next.is_none())
    }
}
