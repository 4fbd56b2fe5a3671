//! NAL units (H.264 §7.3.1) in a byte stream (H.264 Annex B).

/// What stands before each NAL unit of a frame.
pub(super) const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// nal_unit_type of a slice of an IDR picture.
pub(super) const IDR: u8 = 5;
/// nal_unit_type of a sequence parameter set.
pub(super) const SPS: u8 = 7;

/// nal_unit_type: 1 to 23 are NAL units, 24 and above belong to the payload format.
pub(super) fn type_of(unit: &[u8]) -> u8 {
    unit.first().copied().unwrap_or(0) & 0x1f
}

/// Whether a NAL unit is the first one of an access unit, if one can begin with it (H.264
/// §7.4.1.2.3): it has parameters or supplements, or a slice with the first macroblock.
pub(super) fn begins_access_unit(unit: &[u8]) -> bool {
    match type_of(unit) {
        // first_mb_in_slice is 0: an Exp-Golomb code of a single 1 (§7.3.3, §9.1).
        1 | 2 | IDR => unit.get(1).is_some_and(|octet| octet & 0x80 != 0),
        6..=9 | 14..=18 => true,
        _ => false,
    }
}

/// The NAL units of a byte stream, without start codes and without the zeros that may follow a
/// unit. What is before the first start code is none.
#[derive(Debug, Clone)]
pub(super) struct NalUnits<'a> {
    /// Begins behind a start code.
    rest: &'a [u8],
}

impl<'a> NalUnits<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self { rest: split_at_start_code(stream).1 }
    }
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let (unit, rest) = split_at_start_code(self.rest);
            self.rest = rest;
            // A unit never ends in a zero (§7.4.1); it is trailing_zero_8bits or part of the code.
            let end = unit.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
            let unit = unit.get(..end).unwrap_or_default();
            if !unit.is_empty() {
                return Some(unit);
            }
        }
        None
    }
}

/// What is before and behind the next start code of three octets.
fn split_at_start_code(stream: &[u8]) -> (&[u8], &[u8]) {
    let mut from = 0;
    // Most octets of a stream are not 1, and only they are looked at.
    while let Some(one) = stream.get(from..).and_then(|rest| rest.iter().position(|o| *o == 1)) {
        let at = from + one;
        let before = stream.get(..at).unwrap_or_default();
        if let Some(unit) = before.strip_suffix(&[0, 0]) {
            return (unit, stream.get(at + 1..).unwrap_or_default());
        }
        from = at + 1;
    }
    (stream, &[])
}
