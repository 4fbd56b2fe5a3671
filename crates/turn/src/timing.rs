//! Requests and their retransmission: RFC 8489 §6.2.

use bytes::Bytes;
use stun_types::message::TransactionId;
use time::{Due, Instant, Retransmission, Schedule};

use crate::config::{Config, Protocol};

/// The schedule of a request that somebody waits for.
pub(crate) fn full_schedule(config: &Config, protocol: Protocol) -> Schedule {
    if protocol.is_stream() {
        return Schedule::full_on_stream();
    }
    Schedule::full(config.rto, config.max_transmissions)
}

/// The schedule of the request after which nobody waits any more.
pub(crate) fn short_schedule(config: &Config, protocol: Protocol) -> Schedule {
    if protocol.is_stream() {
        return Schedule::short_on_stream();
    }
    let short = Schedule::short(config.rto);
    Schedule { transmissions: short.transmissions.min(config.max_transmissions), ..short }
}

/// A request that has been sent and may yet be answered.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) id: TransactionId,
    pub(crate) payload: Bytes,
    timer: Retransmission,
}

impl Transaction {
    /// A transaction whose first transmission is now, and which ends at `end` whatever the
    /// schedule says.
    pub(crate) fn new(
        id: TransactionId,
        payload: Bytes,
        now: Instant,
        schedule: Schedule,
        end: Option<Instant>,
    ) -> Self {
        Self { id, payload, timer: Retransmission::new(now, schedule).with_end(end) }
    }

    /// When [`on_time`](Self::on_time) has something to do.
    pub(crate) fn deadline(&self) -> Instant {
        self.timer.deadline()
    }

    /// Counts and schedules a retransmission that is due.
    pub(crate) fn on_time(&mut self, now: Instant) -> Option<Due> {
        self.timer.on_time(now)
    }

    /// Makes the next retransmission, if there is one, due now.
    pub(crate) fn hasten(&mut self, now: Instant) {
        self.timer.hasten(now);
    }

    /// Sends nothing any more, and awaits an answer until `end` at most.
    pub(crate) fn conclude(&mut self, end: Instant) {
        self.timer.conclude(end);
    }
}
