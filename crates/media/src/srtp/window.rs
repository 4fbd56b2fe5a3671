//! Which indices of one source were seen (RFC 3711 §3.3.2): a ring of bits, as in RFC 6479.

/// Words of the ring. One of them is always partly ahead of the highest index.
const WORDS: u64 = 32;
/// How far behind the highest index an index may be: at least so many are remembered. It is more
/// than half a second of 30 Mbit/s, and 30 times what RFC 3711 §3.3.2 asks for.
pub(crate) const SIZE: u64 = (WORDS - 1) * 64;

/// The highest index that was seen, and which of those behind it were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    highest: u64,
    words: [u64; WORDS as usize],
}

/// What the window knows of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Not,
    Already,
    /// It is too far behind to be remembered.
    Forgotten,
}

impl Window {
    /// A window that has seen one index.
    pub(crate) fn new(index: u64) -> Self {
        let mut window = Self { highest: index, words: [0; WORDS as usize] };
        window.mark(index);
        window
    }

    /// A window that takes everything up to `highest` for seen.
    pub(crate) fn shut(highest: u64) -> Self {
        let mut words = [u64::MAX; WORDS as usize];
        let (word, bit) = place(highest);
        // No bit ahead of the highest index is set.
        words.get_mut(word).into_iter().for_each(|word| *word = bit | (bit - 1));
        Self { highest, words }
    }

    pub(crate) fn highest(&self) -> u64 {
        self.highest
    }

    pub(crate) fn look(&self, index: u64) -> Seen {
        if index > self.highest {
            return Seen::Not;
        }
        if self.highest - index >= SIZE {
            return Seen::Forgotten;
        }
        let (word, bit) = place(index);
        let is_set = self.words.get(word).is_none_or(|word| word & bit != 0);
        if is_set { Seen::Already } else { Seen::Not }
    }

    /// Takes note of an index that was [not seen](Seen::Not).
    pub(crate) fn mark(&mut self, index: u64) {
        if index > self.highest {
            let ahead = (index / 64 - self.highest / 64).min(WORDS);
            for step in 0..ahead {
                let (word, _) = place(index - step * 64);
                self.words.get_mut(word).into_iter().for_each(|word| *word = 0);
            }
            self.highest = index;
        }
        let (word, bit) = place(index);
        self.words.get_mut(word).into_iter().for_each(|word| *word |= bit);
    }
}

/// The word and the bit of an index.
fn place(index: u64) -> (usize, u64) {
    (usize::try_from(index / 64 % WORDS).unwrap_or(0), 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_edges_of_the_window() {
        let mut window = Window::new(10_000);
        assert_eq!(window.look(10_000), Seen::Already);
        assert_eq!(window.look(10_001), Seen::Not);
        assert_eq!(window.look(10_001 - SIZE), Seen::Not);
        assert_eq!(window.look(10_000 - SIZE), Seen::Forgotten);
        window.mark(10_001 - SIZE);
        assert_eq!(window.look(10_001 - SIZE), Seen::Already);
        window.mark(10_001);
        assert_eq!(window.look(10_001 - SIZE), Seen::Forgotten);
        assert_eq!(window.highest(), 10_001);
    }

    #[test]
    fn a_leap_forgets_everything_and_a_shut_window_nothing() {
        let mut window = Window::new(5);
        window.mark(5 + 64 * WORDS);
        assert_eq!(window.look(64 * WORDS), Seen::Not);
        let mut shut = Window::shut(1_000);
        assert_eq!(shut.look(1_000), Seen::Already);
        assert_eq!(shut.look(0), Seen::Already);
        for index in 1_001..4_000 {
            assert_eq!(shut.look(index), Seen::Not, "{index}");
            shut.mark(index);
            assert_eq!(shut.look(index), Seen::Already, "{index}");
        }
    }

    proptest! {
        /// The ring says what a set of all indices says.
        #[test]
        fn it_agrees_with_a_set(
            first in 0..100_000_u64,
            steps in prop::collection::vec((-2_100..2_100_i64, 0..50_u8), 1..300),
        ) {
            let mut window = Window::new(first);
            let mut seen = BTreeSet::from([first]);
            for (step, kind) in steps {
                // Most steps are small; one in fifty is a leap.
                let step = if kind == 0 { step * 7 } else { step / 16 };
                let index = window.highest().saturating_add_signed(step);
                let highest = seen.last().copied().unwrap_or_default();
                let expected = if index <= highest && highest - index >= SIZE {
                    Seen::Forgotten
                } else if seen.contains(&index) {
                    Seen::Already
                } else {
                    Seen::Not
                };
                prop_assert_eq!(window.look(index), expected);
                if expected == Seen::Not {
                    window.mark(index);
                    seen.insert(index);
                }
                prop_assert_eq!(window.highest(), seen.last().copied().unwrap_or_default());
            }
        }
    }
}
