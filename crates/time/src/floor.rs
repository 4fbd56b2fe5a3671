//! A floor under deadlines: whatever an engine asks for, it is called a bounded number of times.

use crate::{Duration, Instant};

/// The longest pause of an engine that goes on asking for a time that has passed.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Keeps the calls of one engine apart. Each call that its deadline asks for is at least a pause
/// after the last one, and the pause doubles for as long as the engine asks for "now" and hears
/// nothing new. So an engine at fault, perhaps by the will of its peer, costs a few calls a second
/// and not all the time there is.
///
/// ```
/// use peerconnection_time::{Duration, Floor, Instant};
///
/// let now = Instant::now();
/// let mut floor = Floor::new(Duration::from_millis(10));
/// assert!(floor.admit(now, now));
/// // The engine asks for the same time again.
/// assert!(!floor.admit(now, now));
/// assert_eq!(floor.raise(now), now + Duration::from_millis(10));
/// ```
#[derive(Debug)]
pub struct Floor {
    shortest: Duration,
    pause: Duration,
    called: Option<Instant>,
}

impl Floor {
    /// A floor for an engine that needs no pause shorter than `shortest`.
    pub const fn new(shortest: Duration) -> Self {
        Self { shortest, pause: shortest, called: None }
    }

    /// When to call an engine that asks for `deadline`.
    pub fn raise(&self, deadline: Instant) -> Instant {
        self.called.map_or(deadline, |called| deadline.max(called + self.pause))
    }

    /// Whether to call now an engine that asks for `deadline`. After `true` it must be called.
    pub fn admit(&mut self, deadline: Instant, now: Instant) -> bool {
        if self.raise(deadline) > now {
            return false;
        }
        let insists = self.called.is_some_and(|called| deadline <= called);
        self.pause = if insists { (self.pause * 2).min(LONGEST_PAUSE) } else { self.shortest };
        self.called = Some(now);
        true
    }

    /// Ends the long pauses: something came from the peer, so the engine may have a reason to
    /// hurry again.
    pub fn heard(&mut self) {
        self.pause = self.shortest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: Duration = Duration::from_millis(10);

    /// When the engine is called during `duration`, in milliseconds, if it asks for `wants(now)`
    /// each time.
    fn calls(duration: Duration, wants: impl Fn(Instant) -> Instant) -> Vec<u128> {
        let start = Instant::now();
        let mut floor = Floor::new(SHORTEST);
        let mut deadline = start;
        let mut calls = Vec::new();
        while floor.raise(deadline) <= start + duration {
            let now = floor.raise(deadline);
            assert!(floor.admit(deadline, now));
            calls.push((now - start).as_millis());
            deadline = wants(now);
            assert!(!floor.admit(deadline, now), "twice at one time");
        }
        calls
    }

    #[test]
    fn an_engine_that_always_asks_for_now_is_called_ever_less() {
        let seen = calls(Duration::from_secs(1), |now| now);
        assert_eq!(seen, [0, 10, 30, 70, 150, 310, 510, 710, 910]);
        let seen = calls(Duration::from_secs(1), |now| now - Duration::from_secs(9));
        assert_eq!(seen, [0, 10, 30, 70, 150, 310, 510, 710, 910]);
    }

    #[test]
    fn an_engine_that_asks_for_the_next_nanosecond_is_called_at_the_shortest_pause() {
        let seen = calls(Duration::from_secs(1), |now| now + Duration::from_nanos(1));
        assert_eq!(seen.len(), 101);
    }

    #[test]
    fn an_engine_that_waits_is_called_when_it_says() {
        let seen = calls(Duration::from_millis(75), |now| now + Duration::from_millis(25));
        assert_eq!(seen, [0, 25, 50, 75]);
    }

    #[test]
    fn what_is_heard_ends_the_long_pauses() {
        let mut floor = Floor::new(SHORTEST);
        let mut now = Instant::now();
        let deadline = now;
        for _ in 0..10 {
            assert!(floor.admit(deadline, now));
            now = floor.raise(deadline);
        }
        assert!(floor.admit(deadline, now));
        assert_eq!(floor.raise(deadline), now + LONGEST_PAUSE);
        floor.heard();
        assert_eq!(floor.raise(deadline), now + SHORTEST);
    }
}
