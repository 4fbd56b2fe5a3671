//! A frame in pieces of nearly equal length.

/// The pieces. They differ by at most one octet: a short last packet would save nothing, and a
/// pacer likes packets of one size.
#[derive(Debug, Clone)]
pub(super) struct Pieces<'a> {
    rest: &'a [u8],
    count: usize,
}

impl<'a> Pieces<'a> {
    /// As few pieces as possible, none longer than `maximum`, which is at least 1. Nothing is in
    /// no pieces.
    pub(super) fn new(octets: &'a [u8], maximum: usize) -> Self {
        Self { rest: octets, count: octets.len().div_ceil(maximum.max(1)) }
    }

    /// The next piece, and whether it is the last.
    pub(super) fn next(&mut self) -> Option<(&'a [u8], bool)> {
        if self.count == 0 {
            return None;
        }
        let (piece, rest) = self.rest.split_at_checked(self.rest.len().div_ceil(self.count))?;
        self.rest = rest;
        self.count -= 1;
        Some((piece, self.count == 0))
    }
}
