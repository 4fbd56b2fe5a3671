//! When the next burst may leave. Packets leave in bursts of a millisecond or more, so that one timer
//! and one system call serve many of them.

use time::{Duration, Instant};

/// The shortest time between two bursts; the owner's timers are no finer.
const BURST: Duration = Duration::from_millis(1);
/// How much sending time that was missed may be caught up: timers fire late.
const SLACK: Duration = Duration::from_millis(5);
/// The least packets of a burst.
const LEAST_PACKETS: usize = 2;
/// Below this round trip the acknowledgements are a finer clock than the timer.
const FINEST_ROUND_TRIP: Duration = Duration::from_millis(2);

/// The clock of what is sent.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// When what was sent so far would have left at the rate.
    paid: Option<Instant>,
    /// The burst is over until then.
    closed_until: Option<Instant>,
    /// Something waits for that.
    waited_for: bool,
}

impl Pacer {
    /// Whether anything is paced on a path of this round trip.
    pub(super) fn applies(rtt: Option<Duration>) -> bool {
        rtt.is_some_and(|rtt| rtt >= FINEST_ROUND_TRIP)
    }

    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.closed_until.is_none_or(|until| until <= now)
    }

    /// Something could be sent and has to wait.
    pub(super) fn wait(&mut self) {
        self.waited_for = true;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.closed_until.filter(|_| self.waited_for)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.is_open(now) {
            self.waited_for = false;
        }
    }

    /// A packet of this many bytes is sent, at `rate` bytes a second; `None` for any.
    pub(super) fn on_send(
        &mut self,
        now: Instant,
        bytes: usize,
        packet_size: usize,
        rate: Option<f64>,
    ) {
        let Some(rate) = rate else {
            self.open();
            return;
        };
        let time_of = |bytes: usize| Duration::from_secs_f64((bytes as f64 / rate).min(1.0));
        let burst = BURST.max(time_of(LEAST_PACKETS * packet_size));
        let earliest = now.checked_sub(SLACK.max(burst)).unwrap_or(now);
        let paid = self.paid.map_or(earliest, |paid| paid.max(earliest)) + time_of(bytes);
        self.paid = Some(paid);
        self.waited_for = false;
        // Until a burst is over it goes on; then the next one waits until this is paid.
        self.closed_until = (paid >= now + burst).then_some(paid);
    }

    /// The path is another one, or something must be sent now.
    pub(super) fn open(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_of_a_millisecond_keep_the_rate_although_timers_are_late() {
        let mut now = Instant::now();
        let (start, mut pacer, mut sent, mut timers) = (now, Pacer::default(), 0, 0);
        let rate = 12_500_000.0;
        while now < start + Duration::from_secs(1) {
            while pacer.is_open(now) {
                pacer.on_send(now, 1000, 1000, Some(rate));
                sent += 1000;
            }
            pacer.wait();
            now = pacer.deadline().unwrap() + Duration::from_micros(timers * 37 % 900);
            pacer.handle_timeout(now);
            timers += 1;
        }
        let rate_reached = f64::from(sent) / (now - start).as_secs_f64();
        assert!((0.98..1.02).contains(&(rate_reached / rate)), "{rate_reached}");
        assert!(timers < 1010, "{timers}");
    }

    #[test]
    fn where_the_timer_is_coarser_than_the_round_trip_nothing_waits() {
        assert!(!Pacer::applies(None));
        assert!(!Pacer::applies(Some(Duration::from_micros(100))));
        assert!(Pacer::applies(Some(Duration::from_millis(2))));
        let (now, mut pacer) = (Instant::now(), Pacer::default());
        pacer.on_send(now, 100_000, 1000, Some(1e6));
        assert!(!pacer.is_open(now));
        pacer.on_send(now, 1000, 1000, None);
        assert!(pacer.is_open(now));
    }
}
