//! A set of numbers as ranges, for what acknowledgements have reported. A number that was seen once
//! costs nothing when it is reported again, as it is by each acknowledgement while a gap is open.

/// Disjoint, rising, inclusive, never adjacent.
#[derive(Debug, Default)]
pub(super) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds a range, and calls `new` for each of its numbers that was not there.
    pub(super) fn add(&mut self, start: u64, end: u64, mut new: impl FnMut(u64)) {
        let first = self.0.partition_point(|&(_, last)| last + 1 < start);
        let (mut joined, mut next, mut at) = ((start, end), start, first);
        while let Some(&(from, to)) = self.0.get(at)
            && from <= end + 1
        {
            (next..from).for_each(&mut new);
            next = next.max(to + 1);
            joined = (joined.0.min(from), joined.1.max(to));
            at += 1;
        }
        (next..=end).for_each(&mut new);
        match self.0.get_mut(first) {
            Some(range) if at > first => {
                *range = joined;
                self.0.drain(first + 1..at);
            }
            _ => self.0.insert(first, joined),
        }
    }

    /// Gives back the memory for more ranges.
    pub(super) fn rest(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Forgets numbers up to `last`.
    pub(super) fn forget(&mut self, last: u64) {
        let gone = self.0.partition_point(|&(_, end)| end <= last);
        self.0.drain(..gone);
        if let Some(range) = self.0.first_mut() {
            range.0 = range.0.max(last + 1);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0 = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_number_is_new_once(
            blocks in prop::collection::vec((0u64..60, 0u64..12, 0u64..4), 0..40),
        ) {
            let (mut ranges, mut set, mut floor) = (Ranges::default(), BTreeSet::new(), 0);
            for (start, length, forgets) in blocks {
                if forgets == 0 {
                    floor = floor.max(start);
                    ranges.forget(floor);
                }
                let start = start.max(floor + 1);
                let mut new = Vec::new();
                ranges.add(start, start + length, |number| new.push(number));
                let expected: Vec<u64> =
                    (start..=start + length).filter(|&number| set.insert(number)).collect();
                prop_assert_eq!(new, expected);
                for pair in ranges.0.windows(2) {
                    prop_assert!(pair[0].1 + 1 < pair[1].0);
                }
            }
        }
    }
}
