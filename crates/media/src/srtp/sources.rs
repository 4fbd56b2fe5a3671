//! What is remembered of each source, bounded, and never so little that a packet could come twice.

use std::collections::BTreeMap;

use super::window::{Seen, Window};

/// Sources with a window, at most. When another one comes, those of the quarter which was silent
/// longest are shut.
pub(super) const OPEN: usize = 2_048;
/// Sources of which the highest index is remembered. When it is reached, no other source is taken
/// until DTLS makes new keys: to forget a source would let its packets come again.
pub(super) const KNOWN: usize = 65_536;

/// One past the highest index of RTP (RFC 3711 §3.3.1: 32 bits of rollover counter, 16 of sequence
/// number).
pub(super) const RTP_INDICES: u64 = 1 << 48;
/// One past the highest index of RTCP (RFC 3711 §3.4).
pub(super) const RTCP_INDICES: u64 = 1 << 31;

/// Packets of one turn of the sequence number.
const TURN: u64 = 1 << 16;

/// The sources that have sent with one key.
#[derive(Debug, Default)]
pub(super) struct Sources {
    open: BTreeMap<u32, Open>,
    /// The highest indices of sources whose windows are shut.
    shut: BTreeMap<u32, u64>,
    /// Packets that were taken so far.
    taken: u64,
}

#[derive(Debug)]
struct Open {
    window: Window,
    /// `taken` at the last packet of this source.
    last: u64,
    /// The last packet of this source was not authentic, or there was none of a known turn.
    in_doubt: bool,
}

/// Which index a sequence number may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidates {
    /// The index nearest to the highest that was seen (RFC 3711 §3.3.1), if it can be taken.
    pub(super) first: Result<u64, Untaken>,
    /// The index one turn later, if that is possible.
    pub(super) second: Option<u64>,
}

/// Why a packet with an index is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untaken {
    /// A packet with this index was taken.
    Already,
    /// It is too old to be known.
    Forgotten,
    /// The source is new, and there are [too many](KNOWN).
    TooMany,
    /// The highest index was used up.
    UsedUp,
}

impl Sources {
    /// Whether a packet with an index would be taken.
    pub(super) fn look(&self, ssrc: u32, index: u64) -> Result<(), Untaken> {
        let seen = match (self.open.get(&ssrc), self.shut.get(&ssrc)) {
            (Some(open), _) => open.window.look(index),
            (None, Some(highest)) => Window::shut(*highest).look(index),
            (None, None) if self.open.len() + self.shut.len() >= KNOWN => {
                return Err(Untaken::TooMany);
            }
            (None, None) => Seen::Not,
        };
        untaken(seen)
    }

    /// Which indices of RTP a sequence number may stand for.
    ///
    /// RFC 3711 §3.3.1 has but the first: after a loss of half a turn it would never be right
    /// again, and with a source whose first packets, before the first wrap, were all lost.
    pub(super) fn candidates(&self, ssrc: u32, sequence_number: u16) -> Candidates {
        let open = self.open.get(&ssrc);
        let highest = open.map(|open| open.window.highest());
        let Some(highest) = highest.or_else(|| self.shut.get(&ssrc).copied()) else {
            let index = u64::from(sequence_number);
            let first = self.look(ssrc, index).map(|()| index);
            return Candidates { first, second: first.is_ok().then_some(index + TURN) };
        };
        let guess = nearest(highest, sequence_number);
        let first = match guess {
            None => Err(Untaken::Forgotten),
            Some(guess) if guess >= RTP_INDICES => Err(Untaken::UsedUp),
            Some(guess) => {
                let seen = match open {
                    Some(open) => open.window.look(guess),
                    None => Window::shut(highest).look(guess),
                };
                untaken(seen).map(|()| guess)
            }
        };
        // An authentic packet may be a whole turn ahead only if the one before was in doubt, or if
        // the guess cannot be.
        let may_be_later = match first {
            Ok(_) => open.is_none_or(|open| open.in_doubt),
            Err(Untaken::Forgotten) => true,
            Err(_) => false,
        };
        let later = guess.map_or_else(|| sequence_number.into(), |guess| guess + TURN);
        Candidates { first, second: (may_be_later && later < RTP_INDICES).then_some(later) }
    }

    /// Takes note of an authentic packet, or of one that is sent.
    pub(super) fn mark(&mut self, ssrc: u32, index: u64) {
        self.taken += 1;
        let last = self.taken;
        if let Some(open) = self.open.get_mut(&ssrc) {
            open.window.mark(index);
            (open.last, open.in_doubt) = (last, false);
            return;
        }
        if self.open.len() >= OPEN {
            self.shut_the_silent();
        }
        let window = match self.shut.remove(&ssrc) {
            Some(highest) => {
                let mut window = Window::shut(highest);
                window.mark(index);
                window
            }
            None => Window::new(index),
        };
        self.open.insert(ssrc, Open { window, last, in_doubt: false });
    }

    /// Shuts a quarter at once, so that a source which is new with each packet costs little.
    fn shut_the_silent(&mut self) {
        let mut silent: Vec<_> = self.open.iter().map(|(ssrc, open)| (open.last, *ssrc)).collect();
        silent.select_nth_unstable(OPEN / 4);
        for (_, ssrc) in silent.into_iter().take(OPEN / 4) {
            let open = self.open.remove(&ssrc);
            self.shut.extend(open.map(|open| (ssrc, open.window.highest())));
        }
    }

    /// Takes note of a packet that was not authentic.
    pub(super) fn doubt(&mut self, ssrc: u32) {
        self.open.get_mut(&ssrc).into_iter().for_each(|open| open.in_doubt = true);
    }

    /// The sources that are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> [usize; 2] {
        [self.open.len(), self.shut.len()]
    }
}

/// Why an index is not taken, if it is not.
fn untaken(seen: Seen) -> Result<(), Untaken> {
    match seen {
        Seen::Not => Ok(()),
        Seen::Already => Err(Untaken::Already),
        Seen::Forgotten => Err(Untaken::Forgotten),
    }
}

/// The index that RFC 3711 appendix A guesses: the nearest to `highest` whose low 16 bits are the
/// sequence number. `None` if it would be below zero.
fn nearest(highest: u64, sequence_number: u16) -> Option<u64> {
    let last = (highest & 0xffff) as u16;
    let distance = i64::from(sequence_number.wrapping_sub(last).cast_signed());
    // Of two that are as near, the appendix takes the one of the same turn.
    let is_tie_ahead = distance == -0x8000 && last < 0x8000;
    highest.checked_add_signed(if is_tie_ahead { 0x8000 } else { distance })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711 §3.3.1 and appendix A, at every edge.
    #[test]
    fn the_nearest_index() {
        for (highest, sequence_number, expected) in [
            (0, 0, Some(0)),
            (0, 32_768, Some(32_768)),
            (0, 32_769, None),
            (32_767, 65_535, Some(65_535)),
            (65_535, 0, Some(65_536)),
            (65_536, 65_535, Some(65_535)),
            (65_536 + 32_767, 0, Some(65_536)),
            (65_536 + 40_000, 7_000, Some(2 * 65_536 + 7_000)),
            (65_536 + 7_000, 39_768, Some(65_536 + 39_768)),
            (65_536 + 7_000, 39_769, Some(39_769)),
            (40_000, 7_231, Some(65_536 + 7_231)),
            (40_000, 7_232, Some(7_232)),
        ] {
            assert_eq!(nearest(highest, sequence_number), expected, "{highest} {sequence_number}");
        }
    }

    #[test]
    fn a_source_that_was_silent_longest_is_shut_and_opens_where_it_was() {
        let mut sources = Sources::default();
        sources.mark(1, 7 * TURN + 9);
        for ssrc in 2..=(OPEN as u32) + 1 {
            sources.mark(ssrc, 3);
        }
        assert_eq!(sources.len(), [OPEN * 3 / 4 + 1, OPEN / 4]);
        // Nothing that was seen comes again, and the rollover counter is as it was.
        assert_eq!(sources.look(1, 7 * TURN + 9), Err(Untaken::Already));
        assert_eq!(sources.look(1, 7 * TURN + 8), Err(Untaken::Already));
        assert_eq!(sources.candidates(1, 10).first, Ok(7 * TURN + 10));
        sources.mark(1, 7 * TURN + 10);
        for behind in 0..100 {
            assert_eq!(sources.look(1, 7 * TURN + 10 - behind), Err(Untaken::Already));
        }
        assert_eq!(sources.look(1, 7 * TURN + 11), Ok(()));
        assert_eq!(sources.len(), [OPEN * 3 / 4 + 2, OPEN / 4 - 1]);
        // Those that were silent longest are shut, and no others.
        for ssrc in 2..=(OPEN as u32) + 1 {
            let expected = if ssrc <= OPEN as u32 / 4 { Err(Untaken::Already) } else { Ok(()) };
            assert_eq!(sources.look(ssrc, 2), expected, "{ssrc}");
        }
    }

    #[test]
    fn memory_ends_before_a_source_is_forgotten() {
        let mut sources = Sources::default();
        for ssrc in 0..KNOWN as u32 {
            assert_eq!(sources.look(ssrc, 1), Ok(()));
            sources.mark(ssrc, 1);
        }
        let [open, shut] = sources.len();
        assert!(open <= OPEN && open + shut == KNOWN, "{open} {shut}");
        assert_eq!(sources.look(u32::MAX, 1), Err(Untaken::TooMany));
        assert_eq!(sources.candidates(u32::MAX, 1).first, Err(Untaken::TooMany));
        for ssrc in [0, 65_535] {
            assert_eq!(sources.look(ssrc, 1), Err(Untaken::Already));
            assert_eq!(sources.look(ssrc, 2), Ok(()));
        }
    }

    #[test]
    fn the_last_indices_do_not_wrap() {
        let mut sources = Sources::default();
        sources.mark(1, RTP_INDICES - 1);
        assert_eq!(
            sources.candidates(1, 0),
            Candidates { first: Err(Untaken::UsedUp), second: None }
        );
        assert_eq!(sources.candidates(1, 65_534).first, Ok(RTP_INDICES - 2));
    }
}
