//! Which of the valid pairs carries the data: RFC 8445 §8.1.1, §8.3. Priority decides, and among
//! pairs of one kind the time of a round trip if it differs much.
//!
//! The first pair that works is selected soon, for the sake of the application. A better one may
//! take longer: its first check was lost, or a NAT let it in only after the peer's, or its
//! candidate came late. So for [`Config::conclusion_wait`] both sides go on with the pairs of a
//! better kind than the selected one, and the controlling side nominates such a pair when it works.
//! RFC 8445 §8.1.1 nominates once; but every browser follows a later nomination, as it had to under
//! RFC 5245, and a peer that does not goes on sending on the first pair, which stays valid.

use smallvec::SmallVec;
use time::{Duration, Instant, later};

use turn::Protocol as ServerProtocol;

use super::{Context, Generation, LocalBase};
use crate::candidate::{Candidate, CandidateKind, Protocol};
use crate::config::Config;
use crate::pair::{Link, Pair, PairId, PairState};
use crate::state::Role;

/// A round trip counts as shorter only if it is by this much, and by a quarter. A single measurement
/// varies, and pairs must not take turns. libwebrtc has the first condition.
const SHORTER: Duration = Duration::from_millis(10);

/// How long an address that was learnt from a check may be that of a relay which has yet to be
/// signalled.
const SIGNALLING: Duration = Duration::from_secs(1);

/// What the packets of a pair go through. The better kind is the greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A relay that is reached over TCP or TLS.
    RelayedOnStream,
    /// A relay.
    Relayed,
    /// A TCP connection.
    Tcp,
    /// NATs.
    Reflexive,
    /// Nothing that changes addresses.
    Host,
}

fn kind(local: &Candidate, remote: &Candidate) -> Kind {
    use CandidateKind::{Host, Relayed};
    let relay = local.server.as_ref().and_then(|server| server.relay_protocol);
    match (local.kind, remote.kind) {
        (Relayed, _) if relay.is_some_and(ServerProtocol::is_stream) => Kind::RelayedOnStream,
        (Relayed, _) | (_, Relayed) => Kind::Relayed,
        _ if local.protocol == Protocol::Tcp => Kind::Tcp,
        (Host, Host) => Kind::Host,
        _ => Kind::Reflexive,
    }
}

fn is_much_faster(one: &Pair, other: &Pair) -> bool {
    let of = |pair: &Pair| pair.counters.current_round_trip_time;
    of(one)
        .zip(of(other))
        .is_some_and(|(one, other)| one.saturating_add(SHORTER.max(other / 4)) <= other)
}

impl Generation {
    pub(super) fn kind(&self, pair: &Pair) -> Option<Kind> {
        // What a NAT makes of a relayed address is still a relay's.
        let mapped = pair.mapped.filter(|_| pair.base.relay.is_none());
        let local = self.locals.get(mapped.unwrap_or(pair.local))?;
        Some(kind(local, &self.remotes.get(pair.remote)?.candidate))
    }

    /// Whether a valid pair is to be used rather than another one.
    fn is_preferred(&self, one: &Pair, other: &Pair) -> bool {
        if self.kind(one) == self.kind(other) {
            if is_much_faster(one, other) {
                return true;
            }
            if is_much_faster(other, one) {
                return false;
            }
        }
        one.priority > other.priority
    }

    /// The pair to be used, of those that fulfil the predicate.
    fn choose(&self, may_be: impl Fn(PairId, &Pair) -> bool) -> Option<PairId> {
        let pairs = self.list.iter().filter(|(id, pair)| may_be(*id, pair));
        let mut pairs: SmallVec<[(PairId, &Pair); 4]> = pairs.collect();
        pairs.sort_by_key(|(_, pair)| std::cmp::Reverse(pair.priority));
        let best = pairs
            .into_iter()
            .reduce(|best, next| if self.is_preferred(next.1, best.1) { next } else { best });
        best.map(|(id, _)| id)
    }

    /// The best of the valid pairs.
    pub(crate) fn best_valid(&self) -> Option<&Pair> {
        self.list.get(self.choose(|_, pair| pair.is_valid() && !self.is_pair_cut_off(pair))?)
    }

    /// RFC 8445 §8.1.1. The best valid pair is nominated when no better one is still being
    /// checked, or after a short wait: see `Config::nomination_wait_max`.
    pub(crate) fn nominate(&mut self, ctx: &mut Context, now: Instant) {
        if !self.is_running(ctx) || ctx.role != Some(Role::Controlling) {
            return;
        }
        let in_trouble = self.wants_another(ctx, now);
        let selected = self.selected.as_ref();
        if selected.is_some_and(|selected| !in_trouble && selected.settles_at.is_none()) {
            return;
        }
        let selected = selected.map(|selected| selected.pair);
        let left = selected.filter(|_| in_trouble);
        let may_be =
            |id, pair: &Pair| pair.is_valid() && Some(id) != left && !self.is_pair_cut_off(pair);
        let best = self.choose(may_be).and_then(|id| Some((id, self.list.get(id)?)));
        let kept = selected.filter(|_| !in_trouble).and_then(|id| self.list.get(id));
        let best = best.filter(|(_, pair)| kept.is_none_or(|kept| self.is_worth_it(pair, kept)));
        let Some((best, pair)) = best else {
            self.nomination_at = None;
            return;
        };
        let (priority, round_trip) = (pair.priority, pair.counters.current_round_trip_time);
        let is_tcp = pair.is_tcp();
        if let Some(at) = self.known_at(pair).filter(|at| kept.is_some() && now < *at) {
            self.nomination_at = Some(at);
            return;
        }
        let nominating = |pair: &Pair| {
            pair.is_valid()
                && !self.is_pair_cut_off(pair)
                && (pair.check.as_ref().is_some_and(|check| check.use_candidate)
                    || pair.triggered.is_some_and(|triggered| triggered.use_candidate))
        };
        if self.list.find(nominating).is_some() {
            return;
        }
        let hopeful =
            |pair: &Pair| pair.is_unfinished() && pair.priority > priority && !pair.replayed;
        if !in_trouble && self.list.find(hopeful).is_some() {
            let wait = round_trip.unwrap_or(Duration::MAX).saturating_mul(2);
            let wait = wait.clamp(ctx.config.nomination_wait_min, ctx.config.nomination_wait_max);
            let waits_for_udp = |pair: &Pair| hopeful(pair) && !pair.is_tcp();
            let wait = match is_tcp && self.list.find(waits_for_udp).is_some() {
                true => ctx.config.nomination_wait_tcp,
                false => wait,
            };
            // A pair over UDP that is valid by now needs less time than one over TCP.
            let at = self.nomination_at.map_or(later(now, wait), |at| at.min(later(now, wait)));
            self.nomination_at = Some(at);
            if now < at {
                return;
            }
        }
        tracing::trace!(generation = self.id.0, pair = best, "nominating");
        self.list.trigger(best, true);
    }

    /// Whether the check that the peer's check of this pair triggers is a nomination, too. That
    /// saves a round trip where somebody above has made use of those of the checks. §8.1.1
    /// nominates pairs that are valid; this one will be as soon as the nomination is answered, and
    /// nothing better is in sight. Browsers nominate with every check.
    pub(super) fn may_nominate_at_once(&self, ctx: &Context, id: PairId) -> bool {
        let Some(pair) = self.list.get(id).filter(|pair| !pair.replayed) else { return false };
        let is_rival = |other: &Pair| {
            other.serial != pair.serial
                && (other.is_valid() || (other.is_unfinished() && other.priority > pair.priority))
        };
        self.peer_encloses
            && ctx.enclosures.are_on()
            && ctx.role == Some(Role::Controlling)
            && !self.restart
            && self.selected.is_none()
            && self.lost_at.is_none()
            && self.list.find(is_rival).is_none()
    }

    /// Whether a valid pair is worth leaving the selected one, which works. One of the same kind
    /// is not, whatever its priority: a move costs more than that brings. And its round trip may be
    /// shorter only by chance.
    fn is_worth_it(&self, pair: &Pair, selected: &Pair) -> bool {
        pair.priority > selected.priority && self.kind(pair) > self.kind(selected)
    }

    /// When it is clear that a remote candidate which was learnt is no relay's. Nothing if it is
    /// clear by now.
    fn known_at(&self, pair: &Pair) -> Option<Instant> {
        let remote = self.remotes.get(pair.remote)?;
        let is_learnt = remote.candidate.kind == CandidateKind::PeerReflexive;
        let learnt_at = pair.checked_at.filter(|_| is_learnt && !self.remote_done)?;
        Some(later(learnt_at, SIGNALLING))
    }

    /// Whether the pair of a nomination that was answered is to be selected. Here priority alone
    /// decides, as it does at the peer, which has the nominations of both.
    pub(super) fn is_wanted(&self, ctx: &Context, now: Instant, id: PairId) -> bool {
        let selected = self.selected.as_ref().and_then(|selected| self.list.get(selected.pair));
        let (Some(selected), Some(pair)) = (selected, self.list.get(id)) else { return true };
        self.wants_another(ctx, now) || pair.priority > selected.priority
    }

    // ----- better pairs than the selected one

    /// A candidate of the peer has come. If it makes better pairs than the selected one, they have
    /// as long as those that were there.
    pub(super) fn put_off_settling(&mut self, config: &Config, now: Instant, remote: usize) {
        let is_new = |pair: &Pair| pair.remote == remote && pair.is_unfinished();
        if let Some(selected) = &mut self.selected
            && self.list.find(is_new).is_some()
        {
            selected.settles_at = Some(later(now, config.conclusion_wait));
        }
    }

    /// The time for better pairs is over: the selected one stays as long as it works.
    pub(super) fn settle(&mut self, now: Instant) {
        let Some(selected) = &mut self.selected else { return };
        if selected.settles_at.is_some_and(|at| now >= at) {
            selected.settles_at = None;
            let (id, recovering) = (selected.pair, selected.recovering);
            if !recovering {
                self.stop_other_checks(id);
            }
        }
    }

    /// Whether the pair of a base and a remote candidate is worth a check, if another pair works.
    pub(super) fn may_be_better(&self, base: LocalBase, remote: usize) -> bool {
        let Some(selected) = &self.selected else { return true };
        if selected.recovering || self.is_dead(selected.pair) {
            return true;
        }
        let selected = self.list.get(selected.pair).and_then(|pair| self.kind(pair));
        let local = self.locals.get(base.local);
        let remote = self.remotes.get(remote).map(|remote| &remote.candidate);
        local.zip(remote).map(|(local, remote)| kind(local, remote)) > selected
    }

    /// RFC 8445 §8.1.2: pairs need no further checks, once one is selected. Until that is settled,
    /// better ones go on.
    pub(super) fn stop_other_checks(&mut self, selected: PairId) {
        let is_settled = self.selected.as_ref().is_none_or(|s| s.settles_at.is_none());
        let kind = self.list.get(selected).and_then(|pair| self.kind(pair));
        let goes_on = |(id, pair): (PairId, &Pair)| {
            let is_better = || !is_settled && self.kind(pair) > kind;
            let goes_on = id == selected || (pair.is_unfinished() && !pair.replayed && is_better());
            goes_on.then_some(id)
        };
        let going_on: SmallVec<[PairId; 4]> = self.list.iter().filter_map(goes_on).collect();
        self.list.retain(|id, pair| {
            going_on.contains(&id)
                || pair.authenticated
                || !(matches!(pair.state, PairState::Frozen | PairState::Waiting)
                    || matches!(pair.link, Link::Opening(_)))
        });
        for (_, pair) in self.list.iter_mut().filter(|(id, _)| !going_on.contains(id)) {
            // A pair that was to be checked again has a check in flight, or none was ever sent.
            if pair.triggered.take().is_some() && pair.check.is_some() && !pair.is_valid() {
                pair.state = PairState::InProgress;
            }
            if let Some(check) = &mut pair.check {
                check.cancel();
            } else if matches!(pair.state, PairState::Frozen | PairState::Waiting) {
                pair.state = PairState::Failed;
            }
        }
    }
}
