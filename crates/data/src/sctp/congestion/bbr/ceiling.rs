//! What may be under way after a queue overflowed: `inflight_longterm` of the draft (§5.3.3.4).
//!
//! The draft lets the next attempt, two or three seconds later, take all that was there before.
//! Then whoever halves a window for a loss, and gets back a packet each round trip, never comes
//! back: a queue of less than a round trip overflows in each attempt. So what was there before is
//! taken back as fast as CUBIC would (RFC 9438 §4.2, §4.3). From there on it grows as in the draft.

use time::{Duration, Instant};

use super::super::cubic;

/// How much was under way when the queue overflowed, and what was left of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceiling {
    highest: usize,
    /// What is given up, and what comes back of it until `takes` after `since`.
    given_up: usize,
    since: Instant,
    takes: Duration,
}

impl Ceiling {
    /// A queue overflowed while `highest` bytes were under way; `lowest` are left.
    pub(super) fn new(
        now: Instant,
        highest: usize,
        lowest: usize,
        mtu: usize,
        round_trip: Duration,
    ) -> Self {
        let given_up = highest.saturating_sub(lowest);
        let packets = given_up as f64 / mtu.max(1) as f64;
        let takes = cubic::time_to_return(packets, round_trip);
        Self { highest, given_up, since: now, takes }
    }

    /// How much may be under way.
    pub(super) fn at(&self, now: Instant) -> usize {
        let missing = self.takes.saturating_sub(now.saturating_duration_since(self.since));
        if missing.is_zero() {
            return self.highest;
        }
        let share = missing.as_secs_f64() / self.takes.as_secs_f64();
        self.highest.saturating_sub((share * self.given_up as f64) as usize)
    }

    /// Whether what was there before is there again, so that more may be tried.
    pub(super) fn is_reached(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= self.takes
    }

    /// The path has held this much.
    pub(super) fn raise(&mut self, inflight: usize) {
        self.highest = self.highest.max(inflight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_comes_back_as_fast_as_cubic_has_it() {
        let start = Instant::now();
        // RFC 9438 §4.2: K is cbrt(300 / 0.4) = 9.09 s, and Reno would take 28 s.
        let ceiling = Ceiling::new(start, 1_000_000, 700_000, 1000, Duration::from_millis(50));
        assert_eq!(ceiling.at(start), 700_000);
        let half = ceiling.at(start + Duration::from_millis(4543));
        assert!((849_000..851_000).contains(&half), "{half}");
        assert!(!ceiling.is_reached(start + Duration::from_secs(9)));
        assert!(ceiling.is_reached(start + Duration::from_millis(9100)));
        assert_eq!(ceiling.at(start + Duration::from_secs(100)), 1_000_000);
    }

    #[test]
    fn on_a_short_path_it_comes_back_as_fast_as_reno_has_it() {
        let start = Instant::now();
        // §4.3: 30 packets at 0.53 a round trip of 10 ms, and K would be 4.2 s.
        let ceiling = Ceiling::new(start, 100_000, 70_000, 1000, Duration::from_millis(10));
        assert!(!ceiling.is_reached(start + Duration::from_millis(560)));
        assert!(ceiling.is_reached(start + Duration::from_millis(570)));
    }

    #[test]
    fn nothing_given_up_is_back_at_once() {
        let start = Instant::now();
        let mut ceiling = Ceiling::new(start, 4000, 4000, 1000, Duration::ZERO);
        assert_eq!(ceiling.at(start), 4000);
        assert!(ceiling.is_reached(start));
        ceiling.raise(5000);
        assert_eq!(ceiling.at(start), 5000);
        ceiling.raise(4500);
        assert_eq!(ceiling.at(start), 5000);
    }
}
