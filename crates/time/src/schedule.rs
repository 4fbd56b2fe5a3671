//! Retransmission of a request that is not answered: RFC 8489 §6.2.1.

use crate::{Duration, Instant, later};

/// How often and how long a request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Time to the first retransmission; each further one takes twice as long.
    pub rto: Duration,
    /// Rc: how often it is sent.
    pub transmissions: u32,
    /// Rm: how many RTOs to wait for an answer to the last transmission.
    pub last_wait: u32,
}

impl Schedule {
    /// The schedule of RFC 8489 §6.2.1: with the defaults, given up after 39.5 s.
    pub fn full(rto: Duration, transmissions: u32) -> Self {
        Self { rto, transmissions, last_wait: 16 }
    }

    /// For requests whose silence soon says enough: with an RTO of 500 ms, given up after 7.5 s.
    pub fn short(rto: Duration) -> Self {
        Self { rto, transmissions: 4, last_wait: 8 }
    }

    /// A stream retransmits by itself: the request is sent once, and waits for an answer as long as
    /// the transmissions of [`full`](Self::full) last, 39.5 s (RFC 8489 §6.2.2).
    pub fn full_on_stream() -> Self {
        Self { rto: Duration::from_millis(500), transmissions: 1, last_wait: 79 }
    }

    /// The same for [`short`](Self::short): 7.5 s.
    pub fn short_on_stream() -> Self {
        Self { rto: Duration::from_millis(500), transmissions: 1, last_wait: 15 }
    }

    /// Time from transmission number `sent` to the next step.
    fn wait(self, sent: u32) -> Duration {
        let factor = if sent < self.transmissions { doubled(sent) } else { self.last_wait };
        self.rto.saturating_mul(factor)
    }

    /// Time from the first transmission to the end.
    pub fn whole(self) -> Duration {
        let factor = doubled(self.transmissions).saturating_sub(1).saturating_add(self.last_wait);
        self.rto.saturating_mul(factor)
    }
}

/// 2^(sent - 1)
fn doubled(sent: u32) -> u32 {
    1u32.checked_shl(sent.saturating_sub(1)).unwrap_or(u32::MAX)
}

/// What the clock demands for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It is to be sent again.
    Retransmit,
    /// It stays unanswered.
    TimedOut,
}

/// The timer of one request.
///
/// ```
/// use peerconnection_time::{Due, Duration, Instant, Retransmission, Schedule};
///
/// let now = Instant::now();
/// let schedule = Schedule { rto: Duration::from_millis(500), transmissions: 2, last_wait: 16 };
/// let mut timer = Retransmission::new(now, schedule);
/// assert_eq!(timer.deadline(), now + Duration::from_millis(500));
/// assert_eq!(timer.on_time(timer.deadline()), Some(Due::Retransmit));
/// assert_eq!(timer.deadline(), now + Duration::from_millis(8_500));
/// assert_eq!(timer.on_time(timer.deadline()), Some(Due::TimedOut));
/// ```
#[derive(Debug, Clone)]
pub struct Retransmission {
    schedule: Schedule,
    first_sent: Instant,
    sent: u32,
    /// How often it may be sent in all.
    limit: u32,
    next: Instant,
    /// When it ends, whatever the schedule says.
    end: Option<Instant>,
}

impl Retransmission {
    /// The timer of a request whose first transmission is now.
    pub fn new(now: Instant, schedule: Schedule) -> Self {
        let next = later(now, schedule.wait(1));
        let limit = schedule.transmissions;
        Self { schedule, first_sent: now, sent: 1, limit, next, end: None }
    }

    /// Ends it at `end` at the latest.
    #[must_use]
    pub fn with_end(mut self, end: Option<Instant>) -> Self {
        self.end = end;
        self
    }

    /// When the request was sent first.
    pub fn first_sent(&self) -> Instant {
        self.first_sent
    }

    /// Transmissions so far.
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// When [`on_time`](Self::on_time) has something to do.
    pub fn deadline(&self) -> Instant {
        self.end.map_or(self.next, |end| self.next.min(end))
    }

    /// Counts and schedules a retransmission that is due. However late the clock is, only one is
    /// due at a time.
    pub fn on_time(&mut self, now: Instant) -> Option<Due> {
        if self.end.is_some_and(|end| now >= end) {
            return Some(Due::TimedOut);
        }
        if now < self.next {
            return None;
        }
        if self.sent >= self.limit {
            return Some(Due::TimedOut);
        }
        self.sent += 1;
        self.next = later(now, self.schedule.wait(self.sent));
        Some(Due::Retransmit)
    }

    /// Makes the next retransmission, if there is one, due now.
    pub fn hasten(&mut self, now: Instant) {
        if self.sent < self.limit {
            self.next = self.next.min(now);
        }
    }

    /// Sends nothing any more, and awaits an answer until `end` at most.
    pub fn conclude(&mut self, end: Instant) {
        let end = self.end.map_or(end, |before| before.min(end));
        self.end = Some(end);
        self.next = end;
        self.limit = self.sent;
    }

    /// Sends nothing any more. The request ends when it would have timed out.
    pub fn cancel(&mut self) {
        self.conclude(later(self.first_sent, self.schedule.whole()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTO: Duration = Duration::from_millis(500);

    /// Calls the timer at its deadlines until the end. Returns each time, in milliseconds, and what
    /// was due. `cancel_after`: how many calls come before it is cancelled.
    fn trace(
        schedule: Schedule,
        end: Option<Duration>,
        cancel_after: Option<usize>,
    ) -> Vec<(u64, Due)> {
        let start = Instant::now();
        let end = end.map(|end| start + end);
        let mut timer = Retransmission::new(start, schedule).with_end(end);
        let mut seen = Vec::new();
        loop {
            if cancel_after == Some(seen.len()) {
                timer.cancel();
            }
            let now = timer.deadline();
            let due = timer.on_time(now).unwrap();
            seen.push((u64::try_from((now - start).as_millis()).unwrap(), due));
            if due == Due::TimedOut {
                return seen;
            }
        }
    }

    #[test]
    fn a_request_over_udp_is_sent_at_the_times_of_rfc_8489_and_given_up_after_39_5_seconds() {
        use Due::{Retransmit, TimedOut};
        assert_eq!(
            trace(Schedule::full(RTO, 7), None, None),
            [
                (500, Retransmit),
                (1_500, Retransmit),
                (3_500, Retransmit),
                (7_500, Retransmit),
                (15_500, Retransmit),
                (31_500, Retransmit),
                (39_500, TimedOut),
            ]
        );
    }

    #[test]
    fn a_request_on_a_stream_is_sent_once_and_given_up_as_late() {
        let full = trace(Schedule::full_on_stream(), None, None);
        assert_eq!(full, [(39_500, Due::TimedOut)]);
        let short = trace(Schedule::short_on_stream(), None, None);
        assert_eq!(short, [(7_500, Due::TimedOut)]);
    }

    #[test]
    fn a_short_schedule_gives_up_after_7_5_seconds() {
        let last = trace(Schedule::short(RTO), None, None).pop();
        assert_eq!(last, Some((7_500, Due::TimedOut)));
    }

    #[test]
    fn a_cancelled_request_is_not_sent_again_but_may_be_answered_as_long_as_before() {
        assert_eq!(
            trace(Schedule::full(RTO, 7), None, Some(1)),
            [(500, Due::Retransmit), (39_500, Due::TimedOut)]
        );
    }

    #[test]
    fn a_request_may_be_cancelled_twice() {
        let start = Instant::now();
        let mut timer = Retransmission::new(start, Schedule::full(RTO, 7));
        timer.cancel();
        let end = timer.deadline();
        timer.cancel();
        assert_eq!(timer.deadline(), end);
    }

    #[test]
    fn a_deadline_ends_a_request_before_its_schedule_does() {
        let seen = trace(Schedule::full(RTO, 7), Some(Duration::from_secs(10)), None);
        assert_eq!(seen.last(), Some(&(10_000, Due::TimedOut)));
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn a_late_clock_makes_one_retransmission_due_and_not_all_that_were_missed() {
        let start = Instant::now();
        let mut timer = Retransmission::new(start, Schedule::full(RTO, 7));
        let late = start + Duration::from_secs(100);
        assert_eq!(timer.on_time(late), Some(Due::Retransmit));
        assert_eq!(timer.on_time(late), None);
    }

    #[test]
    fn a_concluded_request_is_neither_sent_again_nor_hastened() {
        let start = Instant::now();
        let mut timer = Retransmission::new(start, Schedule::full(RTO, 7));
        timer.conclude(start + RTO * 3);
        timer.hasten(start);
        assert_eq!(timer.on_time(start + RTO * 2), None);
        assert_eq!(timer.on_time(start + RTO * 3), Some(Due::TimedOut));
        assert_eq!(timer.sent(), 1);
    }

    #[test]
    fn a_hastened_request_is_sent_now_and_goes_on_from_there() {
        let start = Instant::now();
        let mut timer = Retransmission::new(start, Schedule::full(RTO, 7));
        timer.hasten(start);
        assert_eq!(timer.on_time(start), Some(Due::Retransmit));
        assert_eq!(timer.deadline(), start + RTO * 2);
    }
}
