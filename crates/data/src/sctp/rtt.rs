//! The round-trip time, and how long to wait because of it (RFC 9260 §6.3).

use time::Duration;

/// Before anything is measured.
const RTO_INITIAL: Duration = Duration::from_millis(500);
/// Above the 200 ms for which a peer may delay an acknowledgement (RFC 9260 §6.2).
const RTO_MIN: Duration = Duration::from_millis(400);
/// ICE watches the path and says when it is back, so waiting longer only delays.
pub(super) const RTO_MAX: Duration = Duration::from_secs(5);

/// The round-trip time and what follows from it.
#[derive(Debug, Clone)]
pub(super) struct Rtt {
    smoothed: Option<Duration>,
    variation: Duration,
    latest: Duration,
    minimum: Duration,
    /// The path is another one: its first sample replaces what is known of the last.
    begins_anew: bool,
}

impl Rtt {
    pub(super) fn new() -> Self {
        Self {
            smoothed: None,
            variation: Duration::ZERO,
            latest: Duration::ZERO,
            minimum: Duration::MAX,
            begins_anew: false,
        }
    }

    /// RFC 9260 §6.3.1 C2, C3.
    pub(super) fn sample(&mut self, rtt: Duration) {
        if std::mem::take(&mut self.begins_anew) {
            self.smoothed = None;
        }
        self.latest = rtt;
        self.minimum = self.minimum.min(rtt);
        match self.smoothed {
            None => {
                self.smoothed = Some(rtt);
                self.variation = rtt / 2;
            }
            Some(smoothed) => {
                self.variation = (self.variation * 3 + smoothed.abs_diff(rtt)) / 4;
                self.smoothed = Some((smoothed * 7 + rtt) / 8);
            }
        }
    }

    pub(super) fn on_path_change(&mut self) {
        self.begins_anew = true;
        self.minimum = Duration::MAX;
    }

    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }

    /// The shortest on this path; zero before anything is measured.
    pub(super) fn minimum(&self) -> Duration {
        if self.minimum == Duration::MAX { Duration::ZERO } else { self.minimum }
    }

    /// That of the last packet.
    pub(super) fn latest(&self) -> Duration {
        if self.smoothed.is_some() { self.latest } else { RTO_INITIAL }
    }

    /// The retransmission timeout, doubled `backoff` times.
    pub(super) fn rto(&self, backoff: u32) -> Duration {
        let rto = self.smoothed.map_or(RTO_INITIAL, |smoothed| smoothed + self.variation * 4);
        let rto = rto.clamp(RTO_MIN, RTO_MAX);
        rto.saturating_mul(1u32.checked_shl(backoff.min(10)).unwrap_or(1)).min(RTO_MAX)
    }

    /// How long the end of a burst may be unacknowledged before it is probed (RFC 8985 §7.2); the
    /// acknowledgement of a packet `alone` may be delayed.
    pub(super) fn probe_timeout(&self, alone: bool) -> Duration {
        let Some(smoothed) = self.smoothed else { return RTO_INITIAL / 2 };
        let delay = Duration::from_millis(if alone { 25 } else { 0 });
        (smoothed * 2).max(Duration::from_millis(20)) + delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_follows_the_round_trip_and_backs_off_to_its_limit() {
        let mut rtt = Rtt::new();
        assert_eq!(rtt.rto(0), RTO_INITIAL);
        rtt.sample(Duration::from_millis(300));
        // RFC 9260 §6.3.1: SRTT + 4 * RTTVAR with RTTVAR = R / 2.
        assert_eq!(rtt.rto(0), Duration::from_millis(900));
        assert_eq!(rtt.rto(1), Duration::from_millis(1800));
        assert_eq!(rtt.rto(40), RTO_MAX);
        for _ in 0..100 {
            rtt.sample(Duration::from_millis(1));
        }
        assert_eq!(rtt.rto(0), RTO_MIN);
    }

    #[test]
    fn another_path_has_another_round_trip_from_its_first_sample_on() {
        let mut rtt = Rtt::new();
        for _ in 0..10 {
            rtt.sample(Duration::from_millis(10));
        }
        rtt.on_path_change();
        assert_eq!(rtt.smoothed(), Some(Duration::from_millis(10)));
        rtt.sample(Duration::from_millis(200));
        assert_eq!(rtt.smoothed(), Some(Duration::from_millis(200)));
        assert_eq!(rtt.minimum(), Duration::from_millis(200));
    }
}
