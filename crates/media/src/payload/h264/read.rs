//! The frame of payloads.

use super::super::Malformed;
use super::nal::START_CODE;

/// Types of payloads (RFC 6184 §5.2, table 1).
pub(super) const STAP_A: u8 = 24;
pub(super) const FU_A: u8 = 28;

/// A payload of packetization mode 0 or 1.
#[derive(Debug, Clone)]
pub(super) enum Payload<'a> {
    /// A NAL unit (RFC 6184 §5.6).
    Single(&'a [u8]),
    /// STAP-A (RFC 6184 §5.7.1): at least one NAL unit.
    Aggregate(Units<'a>),
    /// FU-A (RFC 6184 §5.8): a part of a NAL unit, whose header it names.
    Part { header: u8, begins: bool, ends: bool, octets: &'a [u8] },
}

impl<'a> Payload<'a> {
    pub(super) fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let (first, rest) = payload.split_first().ok_or(Malformed::Truncated)?;
        match first & 0x1f {
            1..=23 => Ok(Self::Single(payload)),
            STAP_A => {
                Units::check(rest)?;
                Ok(Self::Aggregate(Units { rest }))
            }
            FU_A => {
                let (fu, octets) = rest.split_first().ok_or(Malformed::Truncated)?;
                if octets.is_empty() {
                    return Err(Malformed::Truncated);
                }
                let (type_, begins, ends) = (fu & 0x1f, fu & 0x80 != 0, fu & 0x40 != 0);
                match type_ {
                    1..=23 => Ok(Self::Part { header: first & 0xe0 | type_, begins, ends, octets }),
                    other => Err(Malformed::Kind(other)),
                }
            }
            other => Err(Malformed::Kind(other)),
        }
    }
}

/// The NAL units of a STAP-A.
#[derive(Debug, Clone)]
pub(super) struct Units<'a> {
    rest: &'a [u8],
}

impl<'a> Units<'a> {
    /// Whether there are NAL units alone, at least one, and nothing behind them.
    fn check(octets: &'a [u8]) -> Result<(), Malformed> {
        let mut units = Self { rest: octets };
        let mut count = 0_usize;
        for unit in units.by_ref() {
            match unit.first() {
                Some(header) if (1..=23).contains(&(header & 0x1f)) => count += 1,
                Some(header) => return Err(Malformed::Kind(header & 0x1f)),
                None => return Err(Malformed::Truncated),
            }
        }
        if count > 0 && units.rest.is_empty() { Ok(()) } else { Err(Malformed::Truncated) }
    }
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (size, rest) = self.rest.split_first_chunk()?;
        let (unit, rest) = rest.split_at_checked(u16::from_be_bytes(*size).into())?;
        self.rest = rest;
        Some(unit)
    }
}

/// A frame that is put together.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Assembly {
    /// The header of the NAL unit whose end has not come.
    open: Option<u8>,
}

impl Assembly {
    /// Adds the NAL units of a payload, or the part that it has, to a byte stream.
    pub(in super::super) fn append(
        &mut self,
        payload: &[u8],
        frame: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let mut unit = |unit: &[u8]| {
            frame.extend(START_CODE);
            frame.extend_from_slice(unit);
        };
        match (Payload::parse(payload)?, self.open) {
            (Payload::Single(single), None) => unit(single),
            (Payload::Aggregate(units), None) => units.for_each(unit),
            (Payload::Part { header, begins: true, ends, octets }, None) => {
                unit(&[header]);
                frame.extend_from_slice(octets);
                self.open = (!ends).then_some(header);
            }
            (Payload::Part { header, begins: false, ends, octets }, Some(open))
                if header == open =>
            {
                frame.extend_from_slice(octets);
                self.open = (!ends).then_some(header);
            }
            _ => return Err(Malformed::Order),
        }
        Ok(())
    }

    /// Ends the frame, which may not end within a NAL unit.
    pub(in super::super) fn end(&mut self) -> Result<(), Malformed> {
        if self.open.take().is_some() { Err(Malformed::Order) } else { Ok(()) }
    }
}
