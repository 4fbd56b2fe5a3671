//! OBUs (AV1 §5.3) and numbers of variable length (AV1 §4.10.5).

use super::super::Malformed;

/// obu_type (AV1 §6.2.2)
pub(super) const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const TILE_LIST: u8 = 8;
const PADDING: u8 = 15;

const FORBIDDEN: u8 = 0x80;
const HAS_EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;

/// An OBU without its size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Obu<'a> {
    /// The first octet, without obu_has_size_field.
    header: u8,
    /// The temporal and spatial layer.
    pub(super) extension: Option<u8>,
    data: &'a [u8],
}

impl<'a> Obu<'a> {
    /// Reads the OBU at the beginning. It reaches to the end, unless it says its size.
    pub(super) fn split(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let (header, mut rest) = octets.split_first().ok_or(Malformed::Truncated)?;
        if header & FORBIDDEN != 0 {
            return Err(Malformed::Kind(*header));
        }
        let mut extension = None;
        if header & HAS_EXTENSION != 0 {
            let (octet, behind) = rest.split_first().ok_or(Malformed::Truncated)?;
            (extension, rest) = (Some(*octet), behind);
        }
        let mut size = rest.len();
        if header & HAS_SIZE != 0 {
            (size, rest) = read_leb128(rest)?;
        }
        let (data, rest) = rest.split_at_checked(size).ok_or(Malformed::Truncated)?;
        Ok((Self { header: header & !HAS_SIZE, extension, data }, rest))
    }

    pub(super) fn type_(&self) -> u8 {
        self.header >> 3 & 0x0f
    }

    /// Whether it goes into packets and to decoders (§5). Padding is nothing to either, and pictures
    /// stand still in Chromium and Firefox with an encoder that writes much of it.
    pub(super) fn is_sent(&self) -> bool {
        !matches!(self.type_(), TEMPORAL_DELIMITER | TILE_LIST | PADDING)
    }

    /// Octets without the size.
    pub(super) fn len(&self) -> usize {
        1 + usize::from(self.extension.is_some()) + self.data.len()
    }

    /// Writes octets of it without the size, from one on.
    pub(super) fn write_part(&self, from: usize, length: usize, into: &mut Vec<u8>) {
        let head = [self.header, self.extension.unwrap_or(0)];
        let head = head.get(..self.len() - self.data.len()).unwrap_or_default();
        let of_head = head.iter().skip(from).take(length);
        let left = length - of_head.len();
        into.extend(of_head);
        let from = from.saturating_sub(head.len());
        into.extend(self.data.iter().skip(from).take(left));
    }

    /// Writes it with its size.
    pub(super) fn write(&self, into: &mut Vec<u8>) {
        into.push(self.header | HAS_SIZE);
        into.extend(self.extension);
        write_leb128(self.data.len(), into);
        into.extend_from_slice(self.data);
    }
}

/// The OBUs of a temporal unit, up to what is none.
#[derive(Debug, Clone)]
pub(super) struct Obus<'a> {
    rest: &'a [u8],
}

impl<'a> Obus<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }
}

impl<'a> Iterator for Obus<'a> {
    type Item = Result<Obu<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let split = Obu::split(self.rest);
        self.rest = split.as_ref().map_or(&[], |(_, rest)| rest);
        Some(split.map(|(obu, _)| obu))
    }
}

/// Reads a number; no more than 2³² - 1, and in no more than eight octets.
pub(super) fn read_leb128(octets: &[u8]) -> Result<(usize, &[u8]), Malformed> {
    let mut value = 0_u64;
    for (at, octet) in octets.iter().enumerate().take(8) {
        value |= u64::from(octet & 0x7f) << (7 * at);
        if octet & 0x80 == 0 {
            let value = u32::try_from(value).ok().and_then(|value| usize::try_from(value).ok());
            let rest = octets.get(at + 1..).unwrap_or_default();
            return Ok((value.ok_or(Malformed::Truncated)?, rest));
        }
    }
    Err(Malformed::Truncated)
}

/// Writes a number in as few octets as it needs.
pub(super) fn write_leb128(mut value: usize, into: &mut Vec<u8>) {
    while value > 0x7f {
        into.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.push((value & 0x7f) as u8);
}

/// How many octets a number needs.
pub(super) fn leb128_len(value: usize) -> usize {
    (usize::BITS - value.leading_zeros()).div_ceil(7).max(1) as usize
}
