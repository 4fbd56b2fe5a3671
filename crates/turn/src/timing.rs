//! Retransmission of a request: RFC 8489 §6.2.

use std::time::{Duration, Instant};

use bytes::Bytes;
use stun_types::message::TransactionId;

use crate::config::{Config, Protocol};

/// How often and how long a request is tried.
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
    /// RFC 8489 §6.2.1: with the defaults, given up after 39.5 s. A stream needs no
    /// retransmission, and its Ti is as long (§6.2.2).
    pub(crate) fn full(config: &Config, protocol: Protocol) -> Self {
        if protocol.is_stream() {
            return Self { rto: Duration::from_millis(500), transmissions: 1, last_wait: 79 };
        }
        Self { rto: config.rto, transmissions: config.max_transmissions, last_wait: 16 }
    }

    /// For the request after which nobody waits any more: with an RTO of 500 ms, 7.5 s.
    pub(crate) fn short(config: &Config, protocol: Protocol) -> Self {
        if protocol.is_stream() {
            return Self { rto: Duration::from_millis(500), transmissions: 1, last_wait: 15 };
        }
        Self { rto: config.rto, transmissions: config.max_transmissions.min(4), last_wait: 8 }
    }

    /// Time from transmission number `sent` to the next step.
    fn wait(self, sent: u32) -> Duration {
        let doubled = 1u32.checked_shl(sent.saturating_sub(1)).unwrap_or(u32::MAX);
        self.rto.saturating_mul(if sent < self.transmissions { doubled } else { self.last_wait })
    }
}

/// A request that has been sent and may yet be answered.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) id: TransactionId,
    pub(crate) payload: Bytes,
    /// Transmissions so far.
    sent: u32,
    schedule: Schedule,
    next: Instant,
    /// When it ends whatever the schedule says.
    end: Option<Instant>,
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
        now: Instant,
        schedule: Schedule,
        end: Option<Instant>,
    ) -> Self {
        let next = later(now, schedule.wait(1));
        Self { id, payload, sent: 1, schedule, next, end }
    }

    /// When [`on_time`](Self::on_time) has something to say.
    pub(crate) fn deadline(&self) -> Instant {
        self.end.map_or(self.next, |end| self.next.min(end))
    }

    /// Counts and schedules a retransmission that is due. One is due at a time, however late the
    /// clock is.
    pub(crate) fn on_time(&mut self, now: Instant) -> Option<Due> {
        if self.end.is_some_and(|end| now >= end) {
            return Some(Due::TimedOut);
        }
        if now < self.next {
            return None;
        }
        if self.sent >= self.schedule.transmissions {
            return Some(Due::TimedOut);
        }
        self.sent += 1;
        self.next = later(now, self.schedule.wait(self.sent));
        Some(Due::Retransmit)
    }

    /// The next retransmission, if there is one, is due now.
    pub(crate) fn hasten(&mut self, now: Instant) {
        if self.sent < self.schedule.transmissions {
            self.next = self.next.min(now);
        }
    }

    /// Nothing is sent any more, and an answer is awaited until `end` at most.
    pub(crate) fn conclude(&mut self, end: Instant) {
        let end = self.end.map_or(end, |before| before.min(end));
        self.end = Some(end);
        self.next = end;
        self.sent = self.schedule.transmissions;
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

    fn trace(schedule: Schedule, end: Option<Duration>) -> Vec<(u64, Due)> {
        let start = Instant::now();
        let end = end.map(|end| start + end);
        let mut transaction = Transaction::new(1.into(), Bytes::new(), start, schedule, end);
        let mut seen = Vec::new();
        loop {
            let now = transaction.deadline();
            let due = transaction.on_time(now).unwrap();
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
            trace(Schedule::full(&Config::default(), Protocol::Udp), None),
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
    fn a_request_on_a_stream_is_sent_once_and_given_up_after_39_5_seconds() {
        for protocol in [Protocol::Tcp, Protocol::Tls] {
            let schedule = Schedule::full(&Config::default(), protocol);
            assert_eq!(trace(schedule, None), [(39_500, Due::TimedOut)]);
        }
    }

    #[test]
    fn a_deadline_ends_a_request_before_its_schedule_does() {
        let schedule = Schedule::full(&Config::default(), Protocol::Udp);
        let seen = trace(schedule, Some(Duration::from_secs(10)));
        assert_eq!(seen.last(), Some(&(10_000, Due::TimedOut)));
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn a_late_clock_makes_one_retransmission_due_and_not_all_that_were_missed() {
        let start = Instant::now();
        let schedule = Schedule::full(&Config::default(), Protocol::Udp);
        let mut transaction = Transaction::new(1.into(), Bytes::new(), start, schedule, None);
        let late = start + Duration::from_secs(100);
        assert_eq!(transaction.on_time(late), Some(Due::Retransmit));
        assert_eq!(transaction.on_time(late), None);
    }
}
