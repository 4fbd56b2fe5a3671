//! How fast data arrive at the peer: samples of the delivery rate
//! (draft-ietf-ccwg-bbr §4.1, draft-cheng-iccrg-delivery-rate-estimation).
//!
//! Each packet remembers how much had been delivered when it was sent. When it is acknowledged, what
//! was delivered since then, by the time that sending or acknowledging it took, whichever is longer,
//! is a rate. It is never higher than the rate at which the data were sent, so acknowledgements that
//! come in a heap, be it by a network or by a peer that lies, do not raise it beyond that.

use time::{Duration, Instant};

/// What a packet remembers of the moment when it was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot {
    pub(super) sent: Instant,
    /// When the packet was sent that was acknowledged last at that moment.
    first_sent: Instant,
    delivered: u64,
    delivered_at: Instant,
    app_limited: bool,
    /// Bytes under way, this packet among them.
    pub(super) in_flight: usize,
}

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    /// Bytes that were delivered while the packet was under way, and how long that took.
    pub(super) delivered: u64,
    pub(super) interval: Duration,
    /// Bytes that had been delivered when the packet was sent.
    pub(super) prior_delivered: u64,
    /// Something other than the path held the sender back.
    pub(super) app_limited: bool,
}

impl Sample {
    /// Bytes a second; `None` if no time passed.
    pub(super) fn rate(&self) -> Option<f64> {
        let seconds = self.interval.as_secs_f64();
        (seconds > 0.0).then(|| self.delivered as f64 / seconds)
    }
}

/// What was delivered so far.
#[derive(Debug, Default)]
pub(super) struct Rate {
    delivered: u64,
    delivered_at: Option<Instant>,
    first_sent: Option<Instant>,
    /// Up to this many delivered bytes, samples do not show what the path can.
    app_limited_until: u64,
    /// The packet that was sent last, of those acknowledged now.
    newest: Option<u64>,
}

impl Rate {
    pub(super) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// A packet is sent, while so much is under way.
    pub(super) fn on_send(&mut self, now: Instant, in_flight: usize) -> Snapshot {
        if in_flight == 0 {
            self.first_sent = None;
            self.delivered_at = None;
        }
        Snapshot {
            sent: now,
            first_sent: *self.first_sent.get_or_insert(now),
            delivered: self.delivered,
            delivered_at: *self.delivered_at.get_or_insert(now),
            app_limited: self.delivered < self.app_limited_until,
            in_flight,
        }
    }

    /// A part of a packet is acknowledged.
    pub(super) fn on_delivered(&mut self, bytes: usize, packet: Option<u64>) {
        self.delivered += bytes as u64;
        self.newest = self.newest.max(packet);
    }

    /// The application, or the peer's window, leaves the path unused.
    pub(super) fn on_app_limited(&mut self, in_flight: usize) {
        self.app_limited_until = (self.delivered + in_flight as u64).max(1);
    }

    /// The sample of an acknowledgement. `snapshot` is that of a packet.
    pub(super) fn finish(
        &mut self,
        now: Instant,
        min_rtt: Duration,
        snapshot: impl FnOnce(u64) -> Option<Snapshot>,
    ) -> Option<Sample> {
        self.delivered_at = Some(now);
        let packet = self.newest.take().and_then(snapshot)?;
        self.first_sent = Some(packet.sent);
        let sending = packet.sent.saturating_duration_since(packet.first_sent);
        let acknowledging = now.saturating_duration_since(packet.delivered_at);
        let interval = sending.max(acknowledging);
        // An interval below the round trip has been compressed somewhere.
        (interval >= min_rtt).then_some(Sample {
            delivered: self.delivered - packet.delivered,
            interval,
            prior_delivered: packet.delivered,
            app_limited: packet.app_limited,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn acknowledgements_that_come_at_once_show_no_more_than_the_rate_of_sending() {
        let start = Instant::now();
        let mut rate = Rate::default();
        // A packet of 1000 bytes each millisecond, all acknowledged at once after the last one.
        let packets: Vec<_> =
            (0..100).map(|i| rate.on_send(start + MS * i, 1000 * i as usize)).collect();
        for number in 0..100 {
            rate.on_delivered(1000, Some(number));
        }
        let last = packets.last().copied();
        let sample = rate.finish(start + MS * 100, MS, |_| last).unwrap();
        assert!(sample.rate().unwrap() <= 1_020_000.0, "{sample:?}");
        assert!(sample.rate().unwrap() >= 980_000.0, "{sample:?}");
    }

    #[test]
    fn what_the_application_held_back_is_marked_until_it_is_acknowledged() {
        let start = Instant::now();
        let mut rate = Rate::default();
        let first = rate.on_send(start, 0);
        rate.on_app_limited(1000);
        let second = rate.on_send(start + MS, 1000);
        rate.on_delivered(1000, Some(1));
        assert!(!rate.finish(start + MS * 10, MS, |_| Some(first)).unwrap().app_limited);
        let third = rate.on_send(start + MS * 10, 1000);
        rate.on_delivered(1000, Some(2));
        assert!(rate.finish(start + MS * 11, MS, |_| Some(second)).unwrap().app_limited);
        rate.on_delivered(1000, Some(3));
        assert!(!rate.finish(start + MS * 20, MS, |_| Some(third)).unwrap().app_limited);
    }
}
