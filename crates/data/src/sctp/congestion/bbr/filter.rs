//! What the model remembers, and for how long.

use time::{Duration, Instant};

/// After this time a shortest round trip must be seen again (draft §2.13.2).
const REMEASURE: Duration = Duration::from_secs(5);
/// After this time a shortest round trip is forgotten (draft §2.13.1).
const FORGET: Duration = Duration::from_secs(10);
/// Rounds in each half of the window in which aggregation counts.
const AGGREGATION_ROUNDS: u32 = 5;

/// The most that was delivered in this cycle and the last (draft §5.5.5), in bytes a second.
#[derive(Debug, Default)]
pub(super) struct Bandwidth {
    last: f64,
    this: f64,
    stale: bool,
}

impl Bandwidth {
    pub(super) fn get(&self) -> f64 {
        self.last.max(self.this)
    }

    pub(super) fn update(&mut self, rate: f64) {
        if std::mem::take(&mut self.stale) {
            (self.last, self.this) = (0.0, 0.0);
        }
        self.this = self.this.max(rate);
    }

    /// A cycle is over.
    pub(super) fn advance(&mut self) {
        if self.this > 0.0 {
            self.last = self.this;
            self.this = 0.0;
        }
    }

    pub(super) fn replace_at_next(&mut self) {
        self.stale = true;
    }
}

/// The shortest round trip.
#[derive(Debug, Default)]
pub(super) struct MinRtt {
    least: Option<(Duration, Instant)>,
    /// When a round trip about as short was seen last.
    seen: Option<Instant>,
}

impl MinRtt {
    pub(super) fn get(&self) -> Option<Duration> {
        self.least.map(|(rtt, _)| rtt)
    }

    /// True if the shortest was seen again.
    pub(super) fn update(&mut self, now: Instant, rtt: Option<Duration>) -> bool {
        let Some(rtt) = rtt else { return false };
        let Some((least, at)) = self.least else {
            self.least = Some((rtt, now));
            self.seen = Some(now);
            return true;
        };
        let about = least + (least / 16).max(Duration::from_millis(1));
        if rtt <= about {
            self.seen = Some(now);
        }
        let forgotten = now.saturating_duration_since(at) > FORGET && self.is_stale(now);
        if rtt <= least || forgotten {
            self.least = Some((rtt, now));
            self.seen = Some(now);
        }
        rtt <= about
    }

    /// Nothing has shown for long that the round trip is still as short.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        self.seen.is_some_and(|seen| now.saturating_duration_since(seen) > REMEASURE)
    }

    /// As if it had been seen now.
    pub(super) fn refresh(&mut self, now: Instant) {
        if self.seen.is_some() {
            self.seen = Some(now);
        }
    }

    /// A measurement is over: what it showed is the shortest.
    pub(super) fn measured(&mut self, now: Instant, rtt: Option<Duration>) {
        if let Some(rtt) = rtt {
            self.least = Some((rtt, now));
        }
        self.seen = Some(now);
    }
}

/// Acknowledgements that come in heaps: how much more than expected, at most (draft §5.5.9).
#[derive(Debug, Default)]
pub(super) struct Aggregation {
    since: Option<Instant>,
    bytes: usize,
    /// In this half of the window, and in the last.
    most: [usize; 2],
    rounds: u32,
}

impl Aggregation {
    pub(super) fn extra(&self) -> usize {
        self.most[0].max(self.most[1])
    }

    pub(super) fn restart(&mut self, now: Instant) {
        self.since = Some(now);
        self.bytes = 0;
    }

    pub(super) fn update(&mut self, now: Instant, acked: usize, bandwidth: f64, window: usize) {
        let since = *self.since.get_or_insert(now);
        let expected = bandwidth * now.saturating_duration_since(since).as_secs_f64();
        let mut expected = expected as usize;
        if self.bytes <= expected {
            self.restart(now);
            expected = 0;
        }
        self.bytes += acked;
        let extra = self.bytes.saturating_sub(expected).min(window);
        self.most[0] = self.most[0].max(extra);
    }

    pub(super) fn end_round(&mut self) {
        self.rounds += 1;
        if self.rounds >= AGGREGATION_ROUNDS {
            self.rounds = 0;
            self.most = [0, self.most[0]];
        }
    }
}
