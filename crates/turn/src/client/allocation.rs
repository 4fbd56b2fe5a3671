//! The allocation: asked for, refreshed, lost, asked for again. RFC 8656 §7 and §8.

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;
use stun_types::message::Message;
use time::{Duration, Instant, later};

use super::Client;
use super::requests::Operation;
use crate::config::Families;
use crate::error::{ErrorResponse, ServerError};
use crate::event::{Allocated, Event, State};
use crate::stun;

const DAY: Duration = Duration::from_secs(86_400);
/// "It is suggested that the client refresh the allocation roughly 1 minute before it expires."
const REFRESH_AHEAD: Duration = Duration::from_secs(60);
/// Shortest time from a refresh that failed to the next.
const REFRESH_PACE: Duration = Duration::from_secs(5);
/// An allocation that was lost sooner is not asked for again: it would be lost again.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);
/// How long the remains of a released allocation may be in the way.
const REMAINS: Duration = Duration::from_secs(5);
/// How long coturn 4.6.1 keeps a released allocation, and a little more.
const RETRY: Duration = Duration::from_millis(1_100);
/// After `close`: how long to wait for the answer to an Allocate that is in flight.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// What the server has given.
#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) relayed: SmallVec<[SocketAddr; 2]>,
    since: Instant,
    pub(super) expires: Instant,
    refresh_at: Instant,
}

impl Allocation {
    fn set_lifetime(&mut self, now: Instant, lifetime: Duration) {
        self.expires = later(now, lifetime);
        let ahead = REFRESH_AHEAD.min(lifetime / 2);
        self.refresh_at = later(now, lifetime.saturating_sub(ahead));
    }

    fn has_family_of(&self, peer: IpAddr) -> bool {
        self.relayed.iter().any(|relayed| relayed.is_ipv4() == peer.is_ipv4())
    }
}

impl Client {
    pub(super) fn begin_allocating(&mut self, now: Instant) {
        self.state = State::Allocating;
        self.deadline = Some(later(now, self.config.deadline));
        self.start(now, Operation::Allocate, 0);
    }

    pub(super) fn on_allocated(&mut self, now: Instant, message: &Message<'_>) {
        let id = stun::id_bytes(message.transaction_id());
        let mut relayed: SmallVec<[SocketAddr; 2]> = SmallVec::new();
        for value in stun::values(message, stun::XOR_RELAYED_ADDRESS) {
            let address = stun::xor_address(value, &id).filter(|a| is_usable(*a));
            let known = |a: &SocketAddr| relayed.iter().any(|b| b.is_ipv4() == a.is_ipv4());
            if let Some(address) = address.filter(|a| self.asked_for(*a) && !known(a)) {
                relayed.push(address);
            }
        }
        let mapped = stun::value(message, stun::XOR_MAPPED_ADDRESS)
            .and_then(|value| stun::xor_address(value, &id))
            .filter(|mapped| is_usable(*mapped));
        let lifetime = stun::lifetime(message).map_or(self.config.lifetime, |seconds| {
            Duration::from_secs(seconds.into()).clamp(Duration::from_secs(1), DAY)
        });
        self.deadline = None;
        if self.state == State::Closing {
            // The blind one may have come to the server before this allocation was there.
            self.requests.retain(|request| request.operation != Operation::Release);
            self.start(now, Operation::Release, 0);
            return;
        }
        let Some(mapped) = mapped.filter(|_| !relayed.is_empty()) else {
            // "then the client MUST delete the allocation"
            let error = ErrorResponse::unreachable("no usable address in the server's answer");
            self.discard(now, error);
            return;
        };
        let additional = stun::value(message, stun::ADDRESS_ERROR_CODE)
            .filter(|_| self.families == Families::Both)
            .and_then(stun::error_response)
            .map(|error| self.server_error(error));
        let relayed_too = relayed.clone();
        let mut allocation =
            Allocation { relayed: relayed_too, since: now, expires: now, refresh_at: now };
        allocation.set_lifetime(now, lifetime);
        self.allocation = Some(allocation);
        self.state = State::Allocated;
        let allocated = Allocated { relayed, mapped, lifetime, additional };
        tracing::debug!(?allocated, "allocated");
        self.events.push_back(Event::Allocated(allocated));
        self.deny_other_families();
    }

    fn asked_for(&self, address: SocketAddr) -> bool {
        match self.families {
            Families::V4 => address.is_ipv4(),
            Families::V6 => address.is_ipv6(),
            Families::Both => true,
        }
    }

    /// An allocation we cannot use, or know nothing of: deleted by one request, whose answer does
    /// not matter.
    fn discard(&mut self, now: Instant, error: ErrorResponse) {
        self.start(now, Operation::Release, 0);
        let release = self.transmits.pop_back();
        self.give_up(error);
        self.transmits.extend(release);
    }

    pub(super) fn on_allocate_error(&mut self, now: Instant, error: ErrorResponse) {
        let is_unknown = error.code == ServerError::UNREACHABLE && self.challenge.is_some();
        if self.state == State::Closing {
            // What a lost answer has said is deleted by what is in flight.
            if !(is_unknown && self.is_asking(Operation::Release)) {
                self.finish();
            }
            return;
        }
        // A retry is worth its while only if there is time for an answer.
        let remains = |at: Instant| now < later(at, REMAINS);
        let retry_at = later(now, RETRY);
        if matches!(error.code, 437 | 486)
            && self.released.is_some_and(remains)
            && self.deadline.is_none_or(|deadline| retry_at < deadline)
        {
            tracing::debug!(code = error.code, "an allocation released of late is in the way");
            self.retry_at = Some(retry_at);
            return;
        }
        if is_unknown {
            self.discard(now, error);
        } else {
            self.give_up(error);
        }
    }

    pub(super) fn on_refreshed(&mut self, now: Instant, message: &Message<'_>) {
        let seconds = stun::lifetime(message);
        let lifetime = seconds.map_or(self.config.lifetime, |s| Duration::from_secs(s.into()));
        if lifetime.is_zero() {
            self.lose(now, ErrorResponse::new(437, "the server ended the allocation"));
            return;
        }
        if let Some(allocation) = &mut self.allocation {
            allocation.set_lifetime(now, lifetime.min(DAY));
        }
        self.note_verified_allocation();
    }

    pub(super) fn on_refresh_error(&mut self, now: Instant, error: ErrorResponse) {
        if error.code == 437 {
            self.lose(now, error);
            return;
        }
        match &mut self.allocation {
            Some(allocation) if now < allocation.expires => {
                let left = allocation.expires.saturating_duration_since(now);
                allocation.refresh_at = later(now, (left / 2).max(REFRESH_PACE));
            }
            _ => {
                self.lose(now, error);
                return;
            }
        }
        self.note_verified_allocation();
    }

    /// Asks whether the server still has the allocation.
    pub(super) fn verify_allocation(&mut self, now: Instant) {
        if self.state == State::Allocated && !self.is_asking(Operation::Refresh) {
            self.start(now, Operation::Refresh, 0);
        }
    }

    /// The server has lost the allocation. Asks for another one, with the same permissions and
    /// channels, if the configuration wants that.
    fn lose(&mut self, now: Instant, error: ErrorResponse) {
        let Some(allocation) = self.allocation.take() else { return };
        let error = self.server_error(error);
        tracing::debug!(%error, "allocation lost");
        self.requests.clear();
        self.forget_leases();
        self.events.push_back(Event::AllocationLost(error.clone()));
        let replaces = self.config.replaces_lost_allocation;
        if !replaces || now < later(allocation.since, SHORTEST_LIFE) {
            self.give_up(ErrorResponse { code: error.code, reason: error.reason });
            return;
        }
        // The server may still remember it for a while, as after a release.
        self.set_released(now);
        self.begin_allocating(now);
    }

    pub(super) fn drive_allocation(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|at| now >= at) {
            self.retry_at = None;
            self.start(now, Operation::Allocate, 0);
        }
        // The server is asked even after expiry: perhaps only this side's clock has jumped. If the
        // server knows nothing any more, or does not answer, the allocation is lost.
        if self.allocation_deadline().is_some_and(|at| now >= at) {
            self.verify_allocation(now);
        }
    }

    /// After [`close`](Self::close): an allocation that is being asked for may come yet, or be
    /// there although its answer is not. A request without credentials is but challenged.
    pub(super) fn await_last_allocate(&mut self, now: Instant) {
        self.requests.retain(|request| request.operation == Operation::Allocate);
        if self.requests.is_empty() {
            self.finish();
            return;
        }
        for request in &mut self.requests {
            request.transaction.conclude(later(now, LAST_WAIT));
        }
        if self.requests.iter().any(|request| request.serial != 0) {
            self.start(now, Operation::Release, 0);
        }
    }

    /// The server has refused to delete the allocation, or did not answer: "it should consider its
    /// request as having effectively succeeded" (RFC 8656 §8.3); after any other answer there is
    /// nothing more that could be done. But one that is being asked for may come yet.
    pub(super) fn on_release_error(&mut self) {
        if !self.is_asking(Operation::Allocate) {
            self.finish();
        }
    }

    /// Whether the allocation can relay to this address; true as long as there is none.
    pub(super) fn can_relay_to(&self, peer: IpAddr) -> bool {
        self.allocation.as_ref().is_none_or(|allocation| allocation.has_family_of(peer))
    }

    /// When a refresh is due; `None` while one is in flight.
    pub(super) fn allocation_deadline(&self) -> Option<Instant> {
        let refreshing = self.state != State::Allocated || self.is_asking(Operation::Refresh);
        let allocation = self.allocation.as_ref().filter(|_| !refreshing);
        allocation.map(|allocation| allocation.refresh_at.min(allocation.expires))
    }

    /// When the allocation expires.
    pub(super) fn allocated_until(&self) -> Option<Instant> {
        self.allocation.as_ref().map(|allocation| allocation.expires)
    }
}

/// Whether a packet can have this address.
fn is_usable(address: SocketAddr) -> bool {
    address.port() != 0 && !address.ip().is_unspecified() && !address.ip().is_multicast()
}
