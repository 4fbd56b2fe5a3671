//! What one generation has for `getStats()`.

use std::net::SocketAddr;

use time::{Instant, later};
use turn::same_address;

use super::Generation;
use crate::config::Config;
use crate::event::{Base, Path};
use crate::pair::{Pair, PairId};
use crate::stats::{CandidateStats, PairStats};
use crate::stun::Credentials;

impl Generation {
    /// A packet that is not STUN has been sent on the selected pair, or on this path if none is.
    pub(crate) fn data_sent(&mut self, now: Instant, path: Path, bytes: usize) {
        let here = |pair: &Pair| pair.base == path.base && pair.destination == path.remote;
        let selected = self.selected.as_ref().map(|selected| selected.pair);
        let pair = selected.or_else(|| self.list.find(here));
        if let Some(pair) = pair.and_then(|id| self.list.get_mut(id)) {
            pair.counters.sent.add(now, bytes);
        }
    }

    /// When data came last on the selected pair.
    pub(super) fn heard(&self) -> Option<Instant> {
        self.list.get(self.selected.as_ref()?.pair)?.counters.received.last
    }

    /// A packet that is not STUN has come from there. Returns when the silence that may follow
    /// brings a check forward, if it does.
    pub(crate) fn data_received(
        &mut self,
        now: Instant,
        base: Base,
        source: SocketAddr,
        bytes: usize,
        config: &Config,
    ) -> Option<Instant> {
        // A peer that still sends here has missed the nomination so far.
        if let (Some(at), Some(last)) = (self.retire_at, self.retire_at_last) {
            self.retire_at = Some(later(now, config.linger).clamp(at, last.max(at)));
        }
        let here = |p: &Pair| p.base == base && same_address(p.destination, source);
        let selected = self.selected.as_ref().map(|selected| selected.pair);
        let selected = selected.filter(|id| self.list.get(*id).is_some_and(here));
        let id = selected.or_else(|| self.list.find(here));
        if let Some(pair) = id.and_then(|id| self.list.get_mut(id)) {
            pair.counters.received.add(now, bytes);
        }
        let carrying = self.selected.as_ref().filter(|_| selected.is_some());
        carrying.filter(|_| self.retire_at.is_none())?.consent.silence_at(now)
    }

    /// `path`: where data goes now.
    pub(crate) fn pair_stats(&self, id: PairId, path: Option<Path>) -> Option<PairStats> {
        let pair = self.list.get(id)?;
        let own = Path { base: pair.base, remote: pair.destination };
        let counters = &pair.counters;
        Some(PairStats {
            generation: self.id,
            id: pair.serial,
            pair: self.candidate_pair(id)?,
            local: pair.mapped.unwrap_or(pair.local) as u64,
            remote: self.remotes.get(pair.remote)?.serial,
            path: own,
            priority: pair.priority,
            state: pair.state,
            nominated: pair.nominated,
            selected: path == Some(own),
            sent: counters.sent,
            received: counters.received,
            requests_sent: counters.requests_sent,
            requests_received: counters.requests_received,
            responses_sent: counters.responses_sent,
            responses_received: counters.responses_received,
            consent_requests_sent: counters.consent_requests_sent,
            current_round_trip_time: counters.current_round_trip_time,
            total_round_trip_time: counters.total_round_trip_time,
        })
    }

    pub(crate) fn local_stats(&self) -> impl Iterator<Item = CandidateStats> {
        let username_fragment = self.local_username_fragment();
        (0..).zip(&self.locals).map(move |(id, candidate)| CandidateStats {
            generation: self.id,
            id,
            candidate: candidate.clone(),
            username_fragment: username_fragment.map(str::to_owned),
            signalled: false,
        })
    }

    pub(crate) fn remote_stats(&self) -> impl Iterator<Item = CandidateStats> {
        let username_fragment = self.remote.as_ref().map(Credentials::username_fragment);
        self.remotes.iter().map(move |(key, remote)| CandidateStats {
            generation: self.id,
            id: remote.serial,
            candidate: remote.candidate.clone(),
            username_fragment: username_fragment.map(str::to_owned),
            signalled: self.signalled.contains(&key),
        })
    }
}
