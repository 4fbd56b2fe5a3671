//! What comes in: RFC 8445 §7.2.5, §7.3.

use std::net::SocketAddr;

use stun_types::message::{Message, TransactionId};
use time::{Duration, Instant, later};
use turn::same_address;

use super::candidates::foundation_of;
use super::{Context, EarlyCheck, Generation, SeenCheck};
use crate::consent;
use crate::enclosure::Enclosure;
use crate::event::Base;
use crate::pair::{Pair, PairId, PairState};
use crate::state::Role;
use crate::stun::{self, Answer, Request};

/// How long the selected pair has to answer when the peer nominates a worse one.
const CHALLENGE: Duration = Duration::from_secs(1);

/// How soon after a triggered check another one of the same pair is worth while. Before that, the
/// answer is still on its way.
const TRIGGER_AGAIN: Duration = Duration::from_millis(100);

/// What a response means to the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is no answer to a request of ours.
    Stray,
    /// All is done.
    Done,
    /// 487 to a request in which we had this role; the pair is to be checked again.
    RoleConflict { role: Role, pair: Option<PairId> },
}

/// Which of our requests a response answers.
enum Asked {
    Consent(Role),
    /// The check in flight of a pair, or one that it replaced.
    Check {
        pair: PairId,
        use_candidate: bool,
        role: Role,
        current: bool,
    },
}

impl Generation {
    /// Answers an authentic request without role conflict, and does what §7.3.1.3 to §7.3.1.5 say.
    /// `enclosure` is there if enclosures are on.
    #[expect(clippy::too_many_arguments, reason = "what a check says, and where it came from")]
    pub(crate) fn on_request(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        base: Base,
        source: SocketAddr,
        username_fragment: &str,
        request: &Request,
        enclosure: Option<Enclosure>,
    ) {
        self.introduce(base);
        // Whoever sends a captured check from elsewhere gets no more than an answer, and says
        // nothing new.
        let enclosure = enclosure.filter(|_| !self.is_replay(request.id, base, source));
        let is_of_peer = self.has_remote_username_fragment(username_fragment);
        let Some(local) = &self.local else { return };
        if let Some(response) = stun::success(request.id, source, &local.key) {
            match &enclosure {
                Some(_) if is_of_peer || self.remote.is_none() => {
                    ctx.transmit_open(base, source, response, &local.key);
                }
                _ => ctx.transmit(base, source, response),
            }
        }
        if !is_of_peer {
            if let Some(enclosure) = enclosure {
                self.early_enclosures.push(username_fragment, enclosure);
            }
            self.keep_early_check(ctx, base, source, username_fragment, request);
            return;
        }
        if let Some(enclosure) = enclosure {
            self.take_enclosure(ctx, enclosure);
        }
        let Request { id, priority, use_candidate, .. } = *request;
        self.on_check(ctx, now, id, base, source, priority, use_candidate);
    }

    /// Hands up what a message of the peer has.
    pub(super) fn take_enclosure(&mut self, ctx: &mut Context, enclosure: Enclosure) {
        self.peer_encloses |= enclosure != Enclosure::default();
        ctx.enclosures.push_received(enclosure);
    }

    /// Whether this very check has come from elsewhere before. Anybody who sees a check can send
    /// it again from any number of addresses, but cannot make a new one.
    fn is_replay(&mut self, id: TransactionId, base: Base, source: SocketAddr) -> bool {
        /// Enough for what a peer sends while pairs are being made.
        const SEEN: usize = 256;
        if let Some(seen) = self.seen.iter().find(|seen| seen.id == id) {
            return seen.base != base || !same_address(seen.source, source);
        }
        if self.seen.len() >= SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(SeenCheck { id, base, source });
        false
    }

    /// §7.3.1.4: keeps a check until the remote parameters are known; then its triggered check is
    /// made. The parameters of another answer to the same offer may be known already.
    fn keep_early_check(
        &mut self,
        ctx: &Context,
        base: Base,
        source: SocketAddr,
        username_fragment: &str,
        request: &Request,
    ) {
        let replayed = self.is_replay(request.id, base, source);
        let early = EarlyCheck {
            id: request.id,
            replayed,
            base,
            source,
            username_fragment: username_fragment.to_owned(),
            priority: request.priority,
            use_candidate: request.use_candidate,
        };
        let again = self
            .early
            .iter_mut()
            .find(|early| early.base == base && same_address(early.source, source));
        if let Some(again) = again {
            let use_candidate = again.use_candidate || early.use_candidate;
            if !replayed {
                *again = early;
            }
            again.use_candidate = use_candidate;
        } else if self.early.len() < ctx.config.max_early_checks {
            self.early.push(early);
        } else if !replayed && let Some(other) = self.early.iter_mut().find(|e| e.replayed) {
            *other = early;
        } else {
            tracing::debug!(%source, "too many early checks");
        }
    }

    /// Does what §7.3.1.3 to §7.3.1.5 say, after the answer. A pair that only replayed checks
    /// speak for is checked last and gives way to all others, until a new check comes on it or
    /// its remote candidate is signalled.
    #[expect(clippy::too_many_arguments, reason = "what a check says, and where it came from")]
    pub(super) fn on_check(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        transaction: TransactionId,
        base: Base,
        source: SocketAddr,
        priority: Option<u32>,
        use_candidate: bool,
    ) {
        let replayed = self.is_replay(transaction, base, source);
        let existing = self.list.find(|p| p.base == base && same_address(p.destination, source));
        let id = existing.or_else(|| {
            if self.retire_at.is_some() || self.failed {
                return None;
            }
            let base = *self.bases.iter().find(|b| b.id == base)?;
            let seen = base.seen(source);
            base.destination(&seen, source)?;
            let remote = self
                .find_remote(&seen, source)
                .or_else(|| self.learn_remote(ctx, seen, source, priority, replayed))?;
            if !replayed {
                self.speak_for(remote);
                self.candidate_at = Some(now);
            }
            self.pair_up(ctx, base, remote)
        });
        let Some(id) = id else { return };
        if !replayed && let Some(remote) = self.list.get(id).map(|pair| pair.remote) {
            self.speak_for(remote);
        }
        let Some(pair) = self.list.get_mut(id) else { return };
        pair.counters.requests_received += 1;
        pair.counters.responses_sent += 1;
        let is_first = pair.counters.requests_received == 1;
        if pair.dead {
            return;
        }
        pair.authenticated = true;
        // The nomination itself is worth another check: the one in flight may be lost.
        let mut asked_at = pair.triggered_at;
        if use_candidate && ctx.role == Some(Role::Controlled) {
            asked_at = asked_at.filter(|_| pair.peer_nominated.is_some());
            pair.peer_nominated = Some(now);
        }
        let state = pair.state;
        // §7.3.1.4 has every check trigger another one. Where checks arrive and answers do not,
        // that would have no end. After the time of a whole check only a nomination is worth
        // another.
        let checked_at = *pair.checked_at.get_or_insert(now);
        let nominates = use_candidate && ctx.role == Some(Role::Controlled);
        let is_hopeless =
            pair.last_response.is_none() && !nominates && now >= later(checked_at, ctx.config.pac);
        // §7.3.1.4: a nomination is a check in progress, though its pair is valid. If it had to be
        // sent again, a NAT may have dropped it that lets it in now.
        let nomination = pair.check.as_ref().filter(|check| check.use_candidate);
        let in_vain = nomination.is_some_and(|check| !check.cancelled && check.sent() > 1);
        if !self.is_running(ctx) {
            return;
        }
        match state {
            PairState::Succeeded if !in_vain => {
                if is_first {
                    self.nominate_again(ctx, now, id);
                }
                self.follow_nomination(ctx, now, id);
            }
            PairState::Succeeded | PairState::InProgress | PairState::Failed
                if asked_at.is_some_and(|at| now < later(at, TRIGGER_AGAIN)) => {}
            PairState::Succeeded => self.list.trigger(id, true),
            PairState::InProgress | PairState::Failed if is_hopeless => {}
            PairState::Frozen | PairState::Waiting | PairState::InProgress | PairState::Failed => {
                let nominates = self.may_nominate_at_once(ctx, id);
                self.list.trigger(id, nominates);
            }
        }
    }

    /// Repeats the nomination of the selected pair when the peer's first check comes only now. Such
    /// a peer answered the nomination before it knew our parameters (§7.3.1.4). Firefox keeps one
    /// check of that time for each address, and so forgets the nomination. It would not use the
    /// pair until the next consent check, and its DTLS fails if it offers another restart
    /// meanwhile.
    fn nominate_again(&mut self, ctx: &mut Context, now: Instant, id: PairId) {
        let is_selected = self.selected.as_ref().is_some_and(|selected| selected.pair == id);
        if is_selected && ctx.role == Some(Role::Controlling) {
            tracing::trace!(generation = self.id.0, pair = id, "nominating again");
            self.send_consent_check(ctx, now, consent::Due::Consent);
        }
    }

    /// §7.3.1.5: selects a valid pair that the peer nominated. If the peer nominates several, as an
    /// aggressive one does, the best is selected. A worse pair that comes later takes over in three
    /// cases: the peer has not nominated the selected pair for longer than its consent checks need,
    /// or it [sends on the worse one](Self::follow_data), or the selected pair no longer answers,
    /// which a check finds out at once.
    fn follow_nomination(&mut self, ctx: &mut Context, now: Instant, id: PairId) {
        let nominated = ctx.role == Some(Role::Controlled)
            && self.list.get(id).is_some_and(|p| p.peer_nominated.is_some() && p.is_valid());
        if !nominated {
            return;
        }
        let Some(selected) = &self.selected else {
            self.select(ctx, now, id);
            return;
        };
        if selected.pair == id {
            return;
        }
        let priority = |id| self.list.get(id).map(|pair| pair.priority);
        let nominated = self.list.get(selected.pair).and_then(|pair| pair.peer_nominated);
        let stale = nominated.is_none_or(|at| {
            now.saturating_duration_since(at) >= ctx.config.consent_interval.mul_f64(1.5)
        });
        if priority(id) > priority(selected.pair) || stale || self.wants_another(ctx, now) {
            self.select(ctx, now, id);
            return;
        }
        if selected.challenger.is_none() {
            self.send_consent_check(ctx, now, consent::Due::Connectivity);
            if let Some(selected) = &mut self.selected {
                selected.challenger = Some((id, later(now, CHALLENGE)));
            }
        }
    }

    /// The peer sends data from there. If it has nominated that pair after the selected one, it has
    /// moved to it: an aggressive peer nominates many pairs, but sends on the best one. Returns
    /// whether another pair is selected now.
    pub(crate) fn follow_data(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        base: Base,
        source: SocketAddr,
    ) -> bool {
        let here = |pair: &Pair| pair.base == base && same_address(pair.destination, source);
        let Some(selected) = &self.selected else { return false };
        if self.list.get(selected.pair).is_some_and(here) {
            return false;
        }
        let Some(id) = self.list.find(here).filter(|id| self.is_nominated_later(ctx, *id)) else {
            return false;
        };
        tracing::debug!(generation = self.id.0, "the peer has moved to another pair");
        self.move_to(ctx, now, id);
        true
    }

    /// The selected pair is in trouble. Follows a nomination of another one that was no reason to
    /// leave it before. Returns whether there was any.
    pub(super) fn follow_earlier_nomination(&mut self, ctx: &mut Context, now: Instant) -> bool {
        let is_later = |id: &PairId| self.is_nominated_later(ctx, *id) && !self.is_cut_off(*id);
        let nominated_at = |id: &PairId| self.list.get(*id).and_then(|pair| pair.peer_nominated);
        let Some(latest) = self.list.ids().filter(is_later).max_by_key(nominated_at) else {
            return false;
        };
        self.move_to(ctx, now, latest);
        true
    }

    /// Whether the peer has nominated this pair, which is valid, after the selected one.
    fn is_nominated_later(&self, ctx: &Context, id: PairId) -> bool {
        let nominated_at = |id| self.list.get(id).and_then(|pair| pair.peer_nominated);
        let selected = self.selected.as_ref().and_then(|selected| nominated_at(selected.pair));
        ctx.role == Some(Role::Controlled)
            && self.list.get(id).is_some_and(|pair| pair.is_valid())
            && nominated_at(id) > selected
    }

    /// Selects a pair although the selected one is better: the peer does not want that any more.
    pub(super) fn move_to(&mut self, ctx: &mut Context, now: Instant, id: PairId) {
        let previous = self.selected.as_ref().map(|selected| selected.pair);
        self.select(ctx, now, id);
        if let Some(previous) = previous.and_then(|previous| self.list.get_mut(previous)) {
            previous.peer_nominated = None;
        }
    }

    /// Takes a response to one of our requests, and ignores any other.
    pub(crate) fn on_response(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        base: Base,
        source: SocketAddr,
        message: &Message<'_>,
    ) -> Outcome {
        let id = message.transaction_id();
        let (Some(asked), Some(remote)) = (self.asked(id), &self.remote) else {
            tracing::trace!(%source, "response to nothing");
            return Outcome::Stray;
        };
        let Some(answer) = stun::answer(message, &remote.key) else {
            tracing::debug!(%source, "response that is not authentic");
            return Outcome::Stray;
        };
        let pair_id = match (&asked, &self.selected) {
            (Asked::Check { pair, .. }, _) => *pair,
            (Asked::Consent(_), Some(selected)) => selected.pair,
            (Asked::Consent(_), None) => return Outcome::Stray,
        };
        let Some(pair) = self.list.get_mut(pair_id) else { return Outcome::Stray };
        // §7.2.5.2.1 fails the pair at once. But whoever captures a response can send it again
        // from elsewhere; ignored, the check fails by itself if no other response comes.
        if pair.base != base || !same_address(pair.destination, source) {
            tracing::debug!(%source, expected = %pair.destination, "response from elsewhere");
            return Outcome::Stray;
        }
        pair.counters.responses_received += 1;
        if ctx.enclosures.are_on() && matches!(answer, Answer::Success { .. }) {
            self.take_enclosure(ctx, stun::enclosure(message));
        }
        match (asked, answer) {
            (Asked::Consent(_), Answer::Success { .. }) => self.on_consent(now, id),
            (Asked::Consent(role), Answer::Error { code: 487 }) => {
                return Outcome::RoleConflict { role, pair: None };
            }
            // RFC 7675 §5.1: consent is a non-error response.
            (Asked::Consent(_), refusal) => {
                tracing::debug!(?refusal, %source, "consent refused");
            }
            (Asked::Check { pair, use_candidate, .. }, Answer::Success { mapped }) => {
                self.on_success(ctx, now, pair, id, use_candidate, mapped);
            }
            (Asked::Check { pair, role, current, .. }, Answer::Error { code: 487 }) => {
                if current && let Some(pair) = self.list.get_mut(pair) {
                    pair.check = None;
                }
                return Outcome::RoleConflict { role, pair: current.then_some(pair) };
            }
            // §7.2.5.2.4
            (Asked::Check { pair, current, .. }, refusal) => {
                tracing::debug!(?refusal, %source, "check refused");
                if current && let Some(pair) = self.list.get_mut(pair) {
                    pair.check = None;
                    pair.state = PairState::Failed;
                }
            }
        }
        Outcome::Done
    }

    fn asked(&self, id: TransactionId) -> Option<Asked> {
        if let Some(role) = self.selected.as_ref().and_then(|s| s.consent.awaits(id)) {
            return Some(Asked::Consent(role));
        }
        self.list.iter().find_map(|(pair, p)| {
            if let Some(check) = p.check.as_ref().filter(|check| check.id == id) {
                let (use_candidate, role) = (check.use_candidate, check.role);
                return Some(Asked::Check { pair, use_candidate, role, current: true });
            }
            let replaced = p.replaced.iter().find(|replaced| replaced.id == id)?;
            let (use_candidate, role) = (replaced.use_candidate, replaced.role);
            Some(Asked::Check { pair, use_candidate, role, current: false })
        })
    }

    fn on_consent(&mut self, now: Instant, id: TransactionId) {
        let Some(selected) = &mut self.selected else { return };
        let Some(time) = selected.consent.on_response(id, now) else { return };
        selected.challenger = None;
        selected.doubted = false;
        if let Some(pair) = self.list.get_mut(selected.pair) {
            pair.last_response = Some(now);
            pair.counters.on_round_trip(time);
            let base = pair.base;
            if let Some(sent_at) = now.checked_sub(time) {
                self.prove(base, sent_at);
            }
        }
    }

    /// §7.2.5.3
    fn on_success(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        id: PairId,
        transaction: TransactionId,
        use_candidate: bool,
        mapped: SocketAddr,
    ) {
        let Some(pair) = self.list.get(id) else { return };
        if pair.dead {
            return;
        }
        let local = self.learn_local(ctx, pair.local, mapped);
        self.learned_in_vain = 0;
        let Some(pair) = self.list.get_mut(id) else { return };
        let sent_at = pair.sent_at(transaction);
        if let Some(at) = sent_at {
            pair.counters.on_round_trip(now.saturating_duration_since(at));
        }
        // The answer to a check that was replaced proves as much, but an outstanding nomination
        // still needs its own answer.
        let nominating = |c: &crate::timing::Transaction| c.use_candidate && c.id != transaction;
        if !pair.check.as_deref().is_some_and(nominating) {
            pair.replace_check();
        }
        pair.triggered = pair.triggered.filter(|triggered| triggered.use_candidate);
        pair.replaced.retain(|replaced| replaced.id != transaction);
        pair.state = PairState::Succeeded;
        pair.mapped = local;
        let base = pair.base;
        pair.authenticated = true;
        pair.last_response = Some(now);
        let (locals, remotes) = (&self.locals, &self.remotes);
        self.list.unfreeze(id, |pair| foundation_of(locals, remotes, pair));
        if let Some(sent_at) = sent_at {
            self.prove(base, sent_at);
        }
        if let Some(selected) = &mut self.selected
            && selected.pair == id
        {
            selected.consent.refresh(now);
            selected.challenger = None;
            selected.doubted = false;
        }
        match ctx.role {
            Some(Role::Controlling) if use_candidate && self.is_wanted(ctx, now, id) => {
                self.select(ctx, now, id);
            }
            Some(Role::Controlling) | None => {}
            Some(Role::Controlled) => self.follow_nomination(ctx, now, id),
        }
    }
}
