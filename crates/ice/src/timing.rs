//! Retransmission of a check: RFC 8445 §14.3 with RFC 8489 §6.2.1.

use bytes::Bytes;
use stun_types::message::TransactionId;
use time::{Due, Duration, Instant, Retransmission, Schedule};

use crate::state::Role;

/// A check that has been sent and may yet be answered.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) id: TransactionId,
    pub(crate) payload: Bytes,
    /// Our role in the request: if the role has changed since, a 487 is stale.
    pub(crate) role: Role,
    pub(crate) use_candidate: bool,
    /// RFC 8445 §8.1.2: the check is not sent again, and silence is no failure, but an answer
    /// counts.
    pub(crate) cancelled: bool,
    timer: Retransmission,
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
        let timer = Retransmission::new(now, schedule);
        Self { id, payload, role, use_candidate, cancelled: false, timer }
    }

    /// Transmissions so far.
    pub(crate) fn sent(&self) -> u32 {
        self.timer.sent()
    }

    /// When it was sent, if it was sent only once: otherwise an answer may be to any transmission.
    pub(crate) fn only_sent_at(&self) -> Option<Instant> {
        (self.timer.sent() == 1).then(|| self.timer.first_sent())
    }

    /// When [`on_time`](Self::on_time) has something to do.
    pub(crate) fn deadline(&self) -> Instant {
        self.timer.deadline()
    }

    /// Counts and schedules a retransmission that is due.
    pub(crate) fn on_time(&mut self, now: Instant) -> Option<Due> {
        self.timer.on_time(now)
    }

    /// Ends retransmission. The transaction itself ends when it would have timed out.
    pub(crate) fn cancel(&mut self) {
        self.cancelled = true;
        self.timer.cancel();
    }
}

/// How long answers to checks take: RFC 6298 §2, which RFC 8489 §6.2.1 refers to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RoundTrip {
    smoothed: Option<Duration>,
    variation: Duration,
}

impl RoundTrip {
    /// Takes in the time that an answer took.
    pub(crate) fn add_measurement(&mut self, time: Duration) {
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

    /// When an answer is missed: after a second at most, whatever the path is like.
    pub(crate) fn patience(self) -> Duration {
        self.estimate().clamp(Duration::from_millis(200), Duration::from_secs(1))
    }
}
