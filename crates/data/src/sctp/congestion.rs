//! How much may be under way, and how long to wait for it (RFC 9260 §6.3, §7).

use time::{Duration, Instant};

/// Before anything is measured.
const RTO_INITIAL: Duration = Duration::from_millis(500);
/// Above the 200 ms for which a peer may delay an acknowledgement (RFC 9260 §6.2).
const RTO_MIN: Duration = Duration::from_millis(400);
/// ICE watches the path and says when it is back, so waiting longer only delays.
pub(super) const RTO_MAX: Duration = Duration::from_secs(5);
/// The window in packets to start with (RFC 6928).
const INITIAL_PACKETS: usize = 10;

/// The round-trip time and what follows from it.
#[derive(Debug, Clone)]
pub(super) struct Rtt {
    smoothed: Option<Duration>,
    variation: Duration,
    latest: Duration,
    minimum: Duration,
}

impl Rtt {
    pub(super) fn new() -> Self {
        Self {
            smoothed: None,
            variation: Duration::ZERO,
            latest: Duration::ZERO,
            minimum: Duration::MAX,
        }
    }

    /// RFC 9260 §6.3.1 C2, C3.
    pub(super) fn sample(&mut self, rtt: Duration) {
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

    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }

    pub(super) fn minimum(&self) -> Duration {
        if self.smoothed.is_some() { self.minimum } else { Duration::ZERO }
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

    /// How much later than another packet one may be acknowledged without being lost
    /// (RFC 9002 §6.1.2).
    pub(super) fn loss_delay(&self) -> Duration {
        let rtt = self.smoothed.unwrap_or(RTO_INITIAL).max(self.latest);
        (rtt + rtt / 8).max(Duration::from_millis(1))
    }
}

/// The congestion window, in bytes of payload.
#[derive(Debug, Clone)]
pub(super) struct Congestion {
    mtu: usize,
    window: usize,
    threshold: usize,
    partial: usize,
    /// Losses of what was sent before this number are one event (RFC 9260 §7.2.4).
    recovery_until: Option<u64>,
    last_sent: Option<Instant>,
}

impl Congestion {
    pub(super) fn new(mtu: usize) -> Self {
        Self {
            mtu,
            window: mtu * INITIAL_PACKETS,
            threshold: usize::MAX,
            partial: 0,
            recovery_until: None,
            last_sent: None,
        }
    }

    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// After an idle time the network has forgotten us (RFC 9260 §7.2.1).
    pub(super) fn on_send(&mut self, now: Instant, in_flight: usize, rto: Duration) {
        let idle = self.last_sent.is_some_and(|sent| now.saturating_duration_since(sent) > rto);
        if in_flight == 0 && idle {
            self.window = (self.window / 2).max((self.mtu * INITIAL_PACKETS).min(self.window));
        }
        self.last_sent = Some(now);
    }

    /// `acked` bytes were acknowledged, the cumulative acknowledgement is `cumulative`, and
    /// `in_flight` bytes were under way before.
    pub(super) fn on_ack(
        &mut self,
        acked: usize,
        in_flight: usize,
        cumulative: u64,
        advanced: bool,
    ) {
        if let Some(until) = self.recovery_until {
            if cumulative < until {
                return;
            }
            self.recovery_until = None;
        }
        // A window that was not used says nothing about the network.
        let used = in_flight + self.mtu >= self.window;
        if !advanced || !used {
            return;
        }
        if self.window < self.threshold {
            self.window = self.window.saturating_add(acked);
        } else {
            self.partial += acked;
            if self.partial >= self.window {
                self.partial -= self.window;
                self.window = self.window.saturating_add(self.mtu);
            }
        }
    }

    /// Something sent before `next` was lost.
    pub(super) fn on_loss(&mut self, next: u64) {
        if self.recovery_until.is_some() {
            return;
        }
        self.recovery_until = Some(next);
        self.threshold = (self.window / 2).max(4 * self.mtu);
        self.window = self.threshold;
        self.partial = 0;
    }

    /// Nothing was heard for a retransmission timeout (RFC 9260 §7.2.3).
    pub(super) fn on_timeout(&mut self) {
        if self.recovery_until.is_none() || self.window > self.mtu {
            self.threshold = (self.window / 2).max(4 * self.mtu);
        }
        self.window = self.mtu;
        self.partial = 0;
        self.recovery_until = None;
    }

    pub(super) fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
    }

    /// Another path: the window begins anew. The threshold stays, since the last path carried that.
    pub(super) fn on_path_change(&mut self) {
        self.window = self.mtu * INITIAL_PACKETS;
        self.partial = 0;
        self.recovery_until = None;
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
    fn the_window_doubles_each_round_until_loss_halves_it_once() {
        let mut cc = Congestion::new(1000);
        assert_eq!(cc.window(), 10_000);
        cc.on_ack(10_000, 10_000, 10, true);
        assert_eq!(cc.window(), 20_000);
        cc.on_loss(50);
        cc.on_loss(50);
        assert_eq!(cc.window(), 10_000);
        cc.on_ack(10_000, 10_000, 49, true);
        assert_eq!(cc.window(), 10_000, "in recovery");
        cc.on_ack(10_000, 10_000, 50, true);
        assert_eq!(cc.window(), 11_000, "one packet per window");
    }

    #[test]
    fn a_window_that_is_not_used_does_not_grow() {
        let mut cc = Congestion::new(1000);
        cc.on_ack(1000, 1000, 1, true);
        assert_eq!(cc.window(), 10_000);
    }

    #[test]
    fn a_timeout_leaves_one_packet() {
        let mut cc = Congestion::new(1000);
        cc.on_timeout();
        assert_eq!(cc.window(), 1000);
    }
}
