//! What was opened and is still to be told.

use std::ops::Range;

/// Content of records, one behind the other. Its memory is used again.
#[derive(Default)]
pub(crate) struct Plaintext {
    octets: Vec<u8>,
    used: usize,
}

impl Plaintext {
    /// More than a datagram usually has is given back.
    const KEPT: usize = 2048;

    pub(crate) fn used(&self) -> usize {
        self.used
    }

    pub(crate) fn get(&self, range: Range<usize>) -> &[u8] {
        self.octets.get(range).unwrap_or_default()
    }

    /// Takes out what is behind `start`.
    pub(crate) fn take_from(&mut self, start: usize) -> Vec<u8> {
        let taken = self.get(start..self.used).to_vec();
        self.used = start;
        taken
    }

    /// Gives back the memory, of which nothing is used.
    pub(crate) fn rest(&mut self) {
        if self.used == 0 {
            self.octets = Vec::new();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.used = 0;
        if self.octets.len() > Self::KEPT {
            self.octets = Vec::new();
        }
    }

    /// Room for so many octets behind what is used.
    pub(crate) fn room(&mut self, count: usize) -> &mut [u8] {
        let end = self.used + count;
        if self.octets.len() < end {
            self.octets.resize(end, 0);
        }
        self.octets.get_mut(self.used..end).unwrap_or_default()
    }

    /// Counts the first octets of the last [`room`](Self::room) as used.
    pub(crate) fn keep(&mut self, count: usize) {
        self.used = (self.used + count).min(self.octets.len());
    }
}
