//! Retransmission of a check: RFC 8445 §14.3 with RFC 8489 §6.2.1.

use std::time::{Duration, Instant};

use bytes::Bytes;
use stun_types::message::TransactionId;

use crate::state::Role;

/// How often and how long a check is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Time to the first retransmission; each further one takes twice as long.
    pub(crate) rto: Duration,
    /// Rc: how often it is sent.
    pub(crate) transmissions: u32,
    /// Rm: how many RTOs an answer to the last transmission is awaited.
    pub(crate) last_wait: u32,
}

impl Schedule {
    /// The schedule of RFC 8489 §6.2.1: with the defaults, given up after 39.5 s.
    pub(crate) fn full(rto: Duration, transmissions: u32) -> Self {
        Self { rto, transmissions, last_wait: 16 }
    }

    /// For pairs that have answered before, and while the selected pair is in trouble: a long
    /// silence means that another pair should be tried. With an RTO of 500 ms, 7.5 s.
    pub(crate) fn short(rto: Duration) -> Self {
        Self { rto, transmissions: 4, last_wait: 8 }
    }

    /// Time from transmission number `sent` to the next step.
    fn wait(self, sent: u32) -> Duration {
        let factor = if sent < self.transmissions { doubled(sent) } else { self.last_wait };
        self.rto.saturating_mul(factor)
    }

    /// Time from the first transmission to the end.
    fn whole(self) -> Duration {
        let factor = doubled(self.transmissions).saturating_sub(1).saturating_add(self.last_wait);
        self.rto.saturating_mul(factor)
    }
}

/// 2^(sent - 1)
fn doubled(sent: u32) -> u32 {
    1u32.checked_shl(sent.saturating_sub(1)).unwrap_or(u32::MAX)
}

/// A check that has been sent and may yet be answered.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) id: TransactionId,
    pub(crate) payload: Bytes,
    /// Our role in the request: a later 487 is stale if it has changed since.
    pub(crate) role: Role,
    pub(crate) use_candidate: bool,
    pub(crate) first_sent: Instant,
    /// Transmissions so far.
    pub(crate) sent: u32,
    /// RFC 8445 §8.1.2: sent no more and no failure when unanswered, but an answer counts.
    pub(crate) cancelled: bool,
    schedule: Schedule,
    next: Instant,
}

/// What the clock asks of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Retransmit,
    TimedOut,
}

impl Transaction {
    /// A transaction whose first transmission is now.
    pub(crate) fn new(
        id: TransactionId,
        payload: Bytes,
        role: Role,
        use_candidate: bool,
        now: Instant,
        schedule: Schedule,
    ) -> Self {
        Self {
            id,
            payload,
            role,
            use_candidate,
            first_sent: now,
            sent: 1,
            cancelled: false,
            schedule,
            next: later(now, schedule.wait(1)),
        }
    }

    /// When [`on_time`](Self::on_time) has something to say.
    pub(crate) fn deadline(&self) -> Instant {
        self.next
    }

    /// Counts and schedules a retransmission that is due.
    pub(crate) fn on_time(&mut self, now: Instant) -> Option<Due> {
        if now < self.next {
            return None;
        }
        if self.cancelled || self.sent >= self.schedule.transmissions {
            return Some(Due::TimedOut);
        }
        self.sent += 1;
        self.next = later(now, self.schedule.wait(self.sent));
        Some(Due::Retransmit)
    }

    /// No retransmission any more; it ends when it would have timed out.
    pub(crate) fn cancel(&mut self) {
        if !self.cancelled {
            self.cancelled = true;
            self.next = later(self.first_sent, self.schedule.whole());
        }
    }
}

/// What the answers to checks have taken: RFC 6298 §2, which RFC 8489 §6.2.1 refers to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RoundTrip {
    smoothed: Option<Duration>,
    variation: Duration,
}

impl RoundTrip {
    /// An answer has taken so long.
    pub(crate) fn measured(&mut self, time: Duration) {
        let Some(smoothed) = self.smoothed else {
            self.smoothed = Some(time);
            self.variation = time / 2;
            return;
        };
        self.variation = (self.variation * 3 + smoothed.abs_diff(time)) / 4;
        self.smoothed = Some((smoothed * 7 + time) / 8);
    }

    /// The time within which nearly every answer comes.
    pub(crate) fn estimate(self) -> Duration {
        let unknown = Duration::from_millis(500);
        self.smoothed.map_or(unknown, |smoothed| smoothed + self.variation * 4)
    }

    /// When an answer is missed. A second is long enough to ask again, whatever the path is like.
    pub(crate) fn patience(self) -> Duration {
        self.estimate().clamp(Duration::from_millis(200), Duration::from_secs(1))
    }
}

/// `at + by`, for ever in the future if the clock cannot hold it.
pub(crate) fn later(at: Instant, by: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(31_536_000);
    at.checked_add(by).or_else(|| at.checked_add(YEAR)).unwrap_or(at)
}

/// The earlier of two deadlines.
pub(crate) fn earlier(a: &mut Option<Instant>, b: Option<Instant>) {
    *a = match (*a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTO: Duration = Duration::from_millis(500);

    fn trace(schedule: Schedule, cancel_after: Option<usize>) -> Vec<(u64, Due)> {
        let start = Instant::now();
        let (id, payload) = (1.into(), Bytes::new());
        let mut transaction =
            Transaction::new(id, payload, Role::Controlling, false, start, schedule);
        let mut seen = Vec::new();
        loop {
            if cancel_after == Some(seen.len()) {
                transaction.cancel();
            }
            let now = transaction.deadline();
            let due = transaction.on_time(now).unwrap();
            seen.push((u64::try_from((now - start).as_millis()).unwrap(), due));
            if due == Due::TimedOut {
                return seen;
            }
        }
    }

    #[test]
    fn a_check_is_sent_at_the_times_of_rfc_8489_and_given_up_after_39_5_seconds() {
        use Due::{Retransmit, TimedOut};
        assert_eq!(
            trace(Schedule::full(RTO, 7), None),
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
    fn a_nomination_is_given_up_sooner() {
        let last = trace(Schedule::short(RTO), None).pop();
        assert_eq!(last, Some((7_500, Due::TimedOut)));
    }

    #[test]
    fn a_cancelled_check_is_not_sent_again_but_may_be_answered_as_long_as_before() {
        assert_eq!(
            trace(Schedule::full(RTO, 7), Some(1)),
            [(500, Due::Retransmit), (39_500, Due::TimedOut)]
        );
    }
}
