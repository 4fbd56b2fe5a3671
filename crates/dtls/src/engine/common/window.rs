//! Which records came (RFC 6347 §4.1.2.6, RFC 9147 §4.5.1).

/// Numbers in one word of the window.
const WORD: u64 = u64::BITS as u64;
/// A ring of words, as in RFC 6479 §3.1. The oldest may have been emptied for the newest.
const WORDS: usize = 16;
/// A path that lets packets overtake by 10 ms at 1 Gbit/s asks for 850.
const SIZE: u64 = (WORDS as u64 - 1) * WORD;

/// The newest 960 records of an epoch.
#[derive(Default)]
pub(crate) struct Window {
    newest: u64,
    /// Bit `n % 64` of word `n / 64 % 16`: the record with the number n.
    seen: [u64; WORDS],
}

impl Window {
    /// Whether the record has not come, as far as this is known.
    pub(crate) fn is_new(&self, number: u64) -> bool {
        match self.newest.checked_sub(number) {
            Some(age) => age < SIZE && self.seen[word(number)] & bit(number) == 0,
            None => true,
        }
    }

    /// Takes note of an authentic record.
    pub(crate) fn mark(&mut self, number: u64) {
        match self.newest.checked_sub(number) {
            Some(age) if age >= SIZE => return,
            Some(_) => {}
            None => {
                let (old, new) = (self.newest / WORD, number / WORD);
                for emptied in (old + 1..=new).take(WORDS) {
                    self.seen[word(emptied * WORD)] = 0;
                }
                self.newest = number;
            }
        }
        self.seen[word(number)] |= bit(number);
    }
}

fn word(number: u64) -> usize {
    (number / WORD) as usize % WORDS
}

fn bit(number: u64) -> u64 {
    1 << (number % WORD)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_record_that_959_others_have_overtaken_is_new_once() {
        let mut window = Window::default();
        for number in 1..SIZE {
            window.mark(number);
        }
        assert!(window.is_new(0));
        window.mark(0);
        assert!(!window.is_new(0));
        window.mark(SIZE + 1);
        assert!(!window.is_new(1), "it may have come, nobody knows any more");
        assert!(window.is_new(SIZE));
    }

    #[test]
    fn no_record_is_new_twice_whatever_the_order() {
        let mut window = Window::default();
        let (mut came, mut newest, mut random) = (HashSet::new(), 0, 1u64);
        for _ in 0..200_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Mostly near the newest, sometimes far ahead, up to the last number there is.
            let number = match random % 1000 {
                0 => newest + random % 5_000,
                1 if newest < 1 << 40 => newest + (1 << 30),
                2..500 => newest + random % 3,
                _ => newest.saturating_sub(random % 1_200),
            };
            newest = newest.max(number);
            let is_new = !came.contains(&number) && newest - number < SIZE;
            assert_eq!(window.is_new(number), is_new, "{number} of {newest}");
            if is_new {
                came.insert(number);
            }
            window.mark(number);
        }
        window.mark(u64::MAX);
        assert!(!window.is_new(u64::MAX) && window.is_new(u64::MAX - 1));
    }
}
