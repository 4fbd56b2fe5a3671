//! Candidate pairs: RFC 8445 §6.1.2.

use std::net::SocketAddr;

use smallvec::SmallVec;
use stun_types::message::TransactionId;
use time::{Duration, Instant};

use crate::event::{Base, ConnectionId};
use crate::state::Role;
use crate::stats::Traffic;
use crate::timing::Transaction;

/// Where a pair is kept in its checklist.
pub(crate) type PairId = usize;

/// `RTCStatsIceCandidatePairState`, RFC 8445 §6.1.2.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PairState {
    /// Waits for another pair of the same foundation.
    Frozen,
    /// Waits for its turn.
    Waiting,
    /// A check has been sent.
    InProgress,
    /// A check has been answered.
    Succeeded,
    /// No check has been answered, or consent or the socket has been lost.
    Failed,
}

/// A check that another one has replaced, but whose answer still counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replaced {
    pub(crate) id: TransactionId,
    pub(crate) use_candidate: bool,
    pub(crate) role: Role,
    /// When it was sent, if it was sent only once.
    pub(crate) sent_at: Option<Instant>,
}

/// A place in the triggered-check queue (RFC 8445 §6.1.4.1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Triggered {
    /// First in, first out.
    pub(crate) order: u64,
    pub(crate) use_candidate: bool,
}

/// What carries the packets of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// UDP, or a relay.
    Datagrams,
    /// A connection that is opened when the first check is due (RFC 6544 §7.1). Until then the base
    /// is that of the active candidate.
    ToOpen,
    /// The host opens the connection.
    Opening(ConnectionId),
    /// A connection, which is the base.
    Open,
}

/// What RTCIceCandidatePairStats counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) sent: Traffic,
    pub(crate) received: Traffic,
    pub(crate) requests_sent: u64,
    pub(crate) requests_received: u64,
    pub(crate) responses_sent: u64,
    pub(crate) responses_received: u64,
    pub(crate) consent_requests_sent: u64,
    pub(crate) current_round_trip_time: Option<Duration>,
    pub(crate) total_round_trip_time: Duration,
}

impl Counters {
    pub(crate) fn on_round_trip(&mut self, time: Duration) {
        self.current_round_trip_time = Some(time);
        self.total_round_trip_time = self.total_round_trip_time.saturating_add(time);
    }
}

/// A local base and a remote candidate.
#[derive(Debug)]
pub(crate) struct Pair {
    /// Unique in the generation, and never used again.
    pub(crate) serial: u64,
    pub(crate) base: Base,
    /// The base that it was made from: another one only if the pair has opened a connection.
    pub(crate) made_from: Base,
    pub(crate) link: Link,
    /// Index of the base's candidate among the local candidates.
    pub(crate) local: usize,
    /// Key of the remote candidate.
    pub(crate) remote: usize,
    pub(crate) destination: SocketAddr,
    pub(crate) priority: u64,
    pub(crate) state: PairState,
    /// The check in flight. Boxed: most pairs have none most of the time.
    pub(crate) check: Option<Box<Transaction>>,
    pub(crate) replaced: SmallVec<[Replaced; 1]>,
    /// A check of this pair waits in the triggered-check queue.
    pub(crate) triggered: Option<Triggered>,
    /// When the last check left that queue.
    pub(crate) triggered_at: Option<Instant>,
    /// Only replayed checks speak for this pair, as
    /// [`Generation::on_check`](crate::generation::Generation) says: each came from another address
    /// before.
    pub(crate) replayed: bool,
    /// Whether the relay lets packets to the peer pass, which is always true without a relay. No
    /// check is sent until then (RFC 8656 §9).
    pub(crate) permitted: bool,
    /// The local candidate of the valid pair: that of the base, or what the peer saw (§7.2.5.3.2).
    pub(crate) mapped: Option<usize>,
    /// The peer has proven itself on this pair, so its data is welcome.
    pub(crate) authenticated: bool,
    /// When the first check of the peer came, since the pair was last revived. Between two NATs
    /// that map every destination to another port and let in strangers, the checks of both sides
    /// arrive and no answer comes from where its request went: each side would check for ever, for
    /// the other does.
    pub(crate) checked_at: Option<Instant>,
    /// When the peer last sent USE-CANDIDATE (§7.3.1.5).
    pub(crate) peer_nominated: Option<Instant>,
    pub(crate) nominated: bool,
    /// Consent was lost or the socket died: no check can revive it (RFC 7675 §5.1).
    pub(crate) dead: bool,
    pub(crate) last_response: Option<Instant>,
    pub(crate) counters: Counters,
}

impl Pair {
    pub(crate) fn new(
        base: Base,
        local: usize,
        remote: usize,
        destination: SocketAddr,
        priority: u64,
    ) -> Self {
        Self {
            serial: 0,
            base,
            made_from: base,
            link: Link::Datagrams,
            local,
            remote,
            destination,
            priority,
            state: PairState::Frozen,
            check: None,
            replaced: SmallVec::new(),
            triggered: None,
            triggered_at: None,
            replayed: false,
            permitted: true,
            mapped: None,
            authenticated: false,
            checked_at: None,
            peer_nominated: None,
            nominated: false,
            dead: false,
            last_response: None,
            counters: Counters::default(),
        }
    }

    /// Whether a check that has not been cancelled may still succeed.
    pub(crate) fn is_unfinished(&self) -> bool {
        match self.state {
            PairState::Frozen | PairState::Waiting => true,
            PairState::InProgress => self.check.as_ref().is_none_or(|check| !check.cancelled),
            PairState::Succeeded | PairState::Failed => false,
        }
    }

    /// Whether its packets are carried by a connection, or would be.
    pub(crate) fn is_tcp(&self) -> bool {
        self.link != Link::Datagrams
    }

    /// Whether anything may still come of it.
    pub(crate) fn is_of_use(&self) -> bool {
        !self.dead
            && (self.is_unfinished()
                || self.is_valid()
                || self.check.is_some()
                || self.may_be_revived())
    }

    /// Whether the peer has proven itself on this pair and may send data.
    pub(crate) fn accepts_data(&self) -> bool {
        self.state == PairState::Succeeded || (self.authenticated && !self.dead)
    }

    /// Whether the pair is on the valid list.
    pub(crate) fn is_valid(&self) -> bool {
        self.state == PairState::Succeeded && !self.dead
    }

    /// The check in flight ends, but an answer to it will be recognised.
    pub(crate) fn replace_check(&mut self) {
        if let Some(check) = self.check.take() {
            self.remember(&check);
        }
    }

    /// Keeps what is needed to recognise an answer to a check that is replaced.
    pub(crate) fn remember(&mut self, check: &Transaction) {
        /// Enough for the checks of one round trip.
        const REPLACED: usize = 4;
        if self.replaced.len() >= REPLACED {
            self.replaced.remove(0);
        }
        self.replaced.push(Replaced {
            id: check.id,
            use_candidate: check.use_candidate,
            role: check.role,
            sent_at: check.only_sent_at(),
        });
    }

    /// When the request with this id was sent, if it was sent only once.
    pub(crate) fn sent_at(&self, id: TransactionId) -> Option<Instant> {
        match &self.check {
            Some(check) if check.id == id => check.only_sent_at(),
            _ => self.replaced.iter().find(|replaced| replaced.id == id)?.sent_at,
        }
    }

    /// Whether it is worth another check when the selected pair is in trouble: it failed although
    /// the peer has proven itself on it, or its check ended for the sake of the selected pair.
    pub(crate) fn may_be_revived(&self) -> bool {
        let had_to_end = self.state == PairState::InProgress && !self.is_unfinished();
        let has_failed = self.state == PairState::Failed && self.authenticated;
        (had_to_end || has_failed) && !self.dead && !self.replayed
    }

    /// The pair has lost its socket or its consent.
    pub(crate) fn kill(&mut self) {
        self.dead = true;
        self.state = PairState::Failed;
        self.check = None;
        self.triggered = None;
        self.replaced.clear();
        self.forget_opening();
    }

    /// The connection that the host opens is of no use any more.
    pub(crate) fn forget_opening(&mut self) {
        if matches!(self.link, Link::Opening(_)) {
            self.link = Link::ToOpen;
            self.state = PairState::Failed;
        }
    }
}

/// RFC 8445 §6.1.2.3.
pub(crate) fn priority(role: Role, local: u32, remote: u32) -> u64 {
    let (controlling, controlled) = match role {
        Role::Controlling => (local, remote),
        Role::Controlled => (remote, local),
    };
    let (low, high) = (controlling.min(controlled), controlling.max(controlled));
    (u64::from(low) << 32)
        .saturating_add(u64::from(high).saturating_mul(2))
        .saturating_add(u64::from(controlling > controlled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_compute_the_same_priority_of_a_pair() {
        for (a, b) in [(1, 2), (2, 1), (5, 5), (u32::MAX, u32::MAX), (0, u32::MAX)] {
            assert_eq!(priority(Role::Controlling, a, b), priority(Role::Controlled, b, a));
        }
        assert_eq!(priority(Role::Controlling, 2, 1), (1 << 32) + 4 + 1);
        assert_eq!(priority(Role::Controlling, 1, 2), (1 << 32) + 4);
    }
}
