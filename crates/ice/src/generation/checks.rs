//! Checks that go out: ordinary, nominating, consent. RFC 8445 §7.2, §8; RFC 7675.

use bytes::Bytes;
use stun_types::message::TransactionId;
use time::{Due, Instant, Schedule, earlier, later};

use super::candidates::foundation_of;
use super::{Context, Generation};
use crate::candidate::peer_reflexive_priority;
use crate::consent;
use crate::pair::{Link, Pair, PairId, PairState};
use crate::state::Role;
use crate::stun::Check;
use crate::timing::Transaction;

/// Whether the connection waits for the triggered check of this pair. `at_once` says whether a pair may
/// be nominated before it is valid.
fn is_nomination(pair: &Pair, at_once: bool) -> bool {
    match pair.triggered.filter(|_| pair.permitted) {
        Some(triggered) if triggered.use_candidate => {
            pair.is_valid() || (at_once && pair.authenticated && !pair.replayed)
        }
        Some(_) => pair.peer_nominated.is_some() && !pair.is_valid() && !pair.replayed,
        None => false,
    }
}

impl Generation {
    /// Sends the check of the pair that is next. It replaces one in flight.
    pub(crate) fn start_check(&mut self, ctx: &mut Context, now: Instant, id: PairId) {
        let Some(pair) = self.list.get_mut(id) else { return };
        let is_peers_nomination = pair.peer_nominated.is_some();
        let triggered = pair.triggered.take();
        let is_tcp = pair.is_tcp();
        match pair.link {
            Link::Datagrams | Link::Open => {}
            Link::ToOpen => return self.open_connection(ctx, now, id),
            Link::Opening(_) => return,
        }
        if triggered.is_some() {
            pair.triggered_at = Some(now);
        }
        let use_candidate = triggered.is_some_and(|triggered| triggered.use_candidate);
        // RFC 8445 §14.3
        let rto = ctx.config.rto.max(ctx.config.ta.saturating_mul(self.list.count_busy()));
        // RFC 8863 has patience only with a generation that has never worked.
        let has_worked = self.selected.is_some() || self.lost_at.is_some();
        let schedule = match (use_candidate || has_worked, is_tcp) {
            (true, false) => Schedule::short(rto),
            (false, false) => Schedule::full(rto, ctx.config.max_transmissions),
            (true, true) => Schedule::short_on_stream(),
            (false, true) => Schedule::full_on_stream(),
        };
        let written = self.write_check(ctx, id, use_candidate);
        self.has_nominated |= use_candidate || is_peers_nomination;
        let Some(pair) = self.list.get_mut(id) else { return };
        let Some((transaction, payload, role)) = written else {
            pair.state = PairState::Failed;
            return;
        };
        pair.replace_check();
        let check =
            Transaction::new(transaction, payload.clone(), role, use_candidate, now, schedule);
        pair.check = Some(Box::new(check));
        // A valid pair that is being nominated stays valid.
        if !(use_candidate && pair.state == PairState::Succeeded) {
            pair.state = PairState::InProgress;
        }
        pair.counters.requests_sent += 1;
        if let Some(remote) = &self.remote {
            ctx.transmit_open(pair.base, pair.destination, payload, &remote.key);
        }
    }

    fn write_check(
        &self,
        ctx: &mut Context,
        id: PairId,
        use_candidate: bool,
    ) -> Option<(TransactionId, Bytes, Role)> {
        let pair = self.list.get(id)?;
        let local = self.locals.get(pair.local)?;
        let role = ctx.role?;
        let transaction = ctx.transaction_id();
        let check = Check {
            id: transaction,
            local: self.local.as_ref()?,
            remote: self.remote.as_ref()?,
            priority: peer_reflexive_priority(local.protocol, local.priority),
            role,
            tie_breaker: ctx.tie_breaker,
            use_candidate,
        };
        Some((transaction, check.write()?, role))
    }

    /// RFC 8445 §6.1.4.2: the pair whose check is next, if any may be sent. Pairs that only
    /// replayed checks speak for come last.
    pub(crate) fn next_check(&self, ctx: &Context) -> Option<PairId> {
        if !self.is_running(ctx) {
            return None;
        }
        let (locals, remotes) = (&self.locals, &self.remotes);
        self.list
            .next_triggered(false)
            .or_else(|| self.list.next_ordinary(|pair| foundation_of(locals, remotes, pair)))
            .or_else(|| self.list.next_triggered(true))
    }

    /// The pair of the first nomination in this generation. Either this side is about to nominate a
    /// valid pair, or the peer has nominated a pair and this side has yet to check it.
    pub(crate) fn first_nomination(&self, ctx: &Context) -> Option<PairId> {
        if self.has_nominated || !self.is_running(ctx) {
            return None;
        }
        self.list.find(|pair| is_nomination(pair, self.peer_encloses))
    }

    /// Everything that is due, except first transmissions of checks, which wait for Ta.
    pub(crate) fn on_time(&mut self, ctx: &mut Context, now: Instant) {
        if self.retire_at.is_some() {
            return;
        }
        self.on_name_time(now);
        for id in self.list.ids() {
            self.on_check_time(ctx, now, id);
        }
        self.on_consent_time(ctx, now);
        self.settle(now);
        self.nominate(ctx, now);
        self.conclude(ctx, now);
    }

    fn on_check_time(&mut self, ctx: &mut Context, now: Instant, id: PairId) {
        let due = self
            .list
            .get_mut(id)
            .and_then(|pair| pair.check.as_mut())
            .and_then(|check| check.on_time(now));
        match due {
            None => {}
            Some(Due::Retransmit) => self.retransmit(ctx, id),
            Some(Due::TimedOut) if self.is_patient_with(ctx, now, id) => {
                self.list.trigger(id, true)
            }
            Some(Due::TimedOut) => {
                let Some(pair) = self.list.get_mut(id) else { return };
                let cancelled = pair.check.take().is_some_and(|check| check.cancelled);
                tracing::trace!(to = %pair.destination, cancelled, "check timed out");
                if !cancelled || pair.state == PairState::InProgress {
                    pair.state = PairState::Failed;
                }
                // RFC 8445 §8.1.2: the silence of a cancelled check is no failure.
                if cancelled && pair.state == PairState::Failed {
                    self.list.retain(|other, _| other != id);
                }
            }
        }
    }

    /// RFC 8863 §4. The nomination of a valid pair had no answer in the short time that leaves room
    /// for other pairs. If there is none, it is worth another one: a peer whose own check of the
    /// pair has succeeded sends none that would bring the pair back.
    fn is_patient_with(&self, ctx: &Context, now: Instant, id: PairId) -> bool {
        let is_nominated = |pair: &Pair| {
            let goes_on = |check: &Transaction| check.use_candidate && !check.cancelled;
            pair.is_valid() && pair.check.as_deref().is_some_and(goes_on)
        };
        ctx.role == Some(Role::Controlling)
            && self.selected.is_none()
            && self.lost_at.is_none()
            && self.pac_at.is_some_and(|at| now < at)
            && self.list.get(id).is_some_and(is_nominated)
            && !self.list.iter().any(|(other, pair)| other != id && pair.is_valid())
    }

    fn retransmit(&mut self, ctx: &mut Context, id: PairId) {
        // Some lite agents answer only checks that carry USE-CANDIDATE. When ordinary checks have
        // no answer, retransmissions carry it: to a lite peer from the first on, to others from the
        // second. Nominating is allowed then: no other pair is valid.
        let threshold = if self.lite { 2 } else { 3 };
        let desperate = ctx.role == Some(Role::Controlling)
            && self.selected.is_none()
            && !self.list.has_valid()
            && self
                .list
                .get(id)
                .and_then(|pair| pair.check.as_ref())
                .is_some_and(|check| !check.use_candidate && check.sent() >= threshold);
        let written = if desperate { self.write_check(ctx, id, true) } else { None };
        let Some(pair) = self.list.get_mut(id) else { return };
        let Some(mut check) = pair.check.take() else { return };
        if let Some((transaction, payload, role)) = written {
            pair.counters.requests_sent += 1;
            pair.remember(&check);
            check.id = transaction;
            check.payload = payload;
            check.role = role;
            check.use_candidate = true;
        }
        if let Some(remote) = &self.remote {
            ctx.transmit_open(pair.base, pair.destination, check.payload.clone(), &remote.key);
        }
        pair.check = Some(check);
    }

    fn on_consent_time(&mut self, ctx: &mut Context, now: Instant) {
        let Some(selected) = &mut self.selected else {
            self.refresh_valid_pairs(ctx, now);
            return;
        };
        let id = selected.pair;
        if now >= selected.consent.expires(&ctx.config) {
            tracing::debug!(generation = self.id.0, "consent expired");
            self.lose_selected(now);
            self.forget_valid_pairs(ctx, now);
            self.give_up_permissions(ctx, now);
            return;
        }
        if let Some((challenger, at)) = selected.challenger
            && now >= at
        {
            selected.challenger = None;
            if self.list.get(challenger).is_some_and(|pair| pair.is_valid()) {
                self.move_to(ctx, now, challenger);
                return;
            }
        }
        let heard = self.heard();
        let Some(selected) = &self.selected else { return };
        if let Some(due) = selected.consent.due(now, heard, &ctx.config)
            && !self.is_dead(id)
        {
            self.send_consent_check(ctx, now, due);
        }
        let in_trouble = self.wants_another(ctx, now);
        if in_trouble && self.follow_earlier_nomination(ctx, now) {
            return;
        }
        let Some(selected) = &mut self.selected else { return };
        if in_trouble && !selected.recovering {
            selected.recovering = true;
            self.recover(ctx);
        } else if !in_trouble && selected.recovering {
            selected.recovering = false;
            self.stop_other_checks(id);
        }
    }

    /// Fails the valid pairs that have not been answered within the time of consent.
    fn forget_valid_pairs(&mut self, ctx: &Context, now: Instant) {
        for (_, pair) in self.list.iter_mut().filter(|(_, pair)| pair.is_valid()) {
            if pair.last_response.is_none_or(|at| now >= later(at, ctx.config.consent_expiry)) {
                pair.state = PairState::Failed;
            }
        }
    }

    /// When a valid pair that nobody has nominated is to be checked again.
    fn refresh_at(pair: &Pair, ctx: &Context) -> Option<Instant> {
        let asked = pair.is_valid() && pair.check.is_none();
        pair.last_response.filter(|_| asked).map(|at| later(at, ctx.config.consent_expiry / 2))
    }

    fn refresh_valid_pairs(&mut self, ctx: &mut Context, now: Instant) {
        if !self.is_running(ctx) {
            return;
        }
        for id in self.list.ids() {
            let at = self.list.get(id).and_then(|pair| Self::refresh_at(pair, ctx));
            if at.is_some_and(|at| now >= at) {
                self.list.trigger(id, false);
            }
        }
    }

    /// The selected pair is in trouble, so others are tried, on both sides: a relay or a NAT lets
    /// in only what answers a packet from within, and forgets that packet (RFC 8656 §9, RFC 4787
    /// §4.3). Pairs that were valid are checked first. Then come pairs that the peer may count on,
    /// and those of candidates that have come since the selection.
    fn recover(&mut self, ctx: &Context) {
        let selected = self.selected.as_ref().map(|selected| selected.pair);
        let died = selected.is_some_and(|id| self.is_dead(id));
        // A dead socket leaves the side that nominates no time for that: the nomination checks the
        // best pair.
        let nominates = died && ctx.role == Some(Role::Controlling);
        for id in self.list.ids().filter(|id| Some(*id) != selected) {
            if !nominates && self.list.get(id).is_some_and(|pair| pair.is_valid()) {
                self.list.trigger(id, false);
            } else if let Some(pair) = self.list.get_mut(id)
                && pair.may_be_revived()
            {
                pair.state = PairState::Waiting;
                pair.checked_at = None;
            }
        }
        self.pair_all(ctx);
    }

    /// RFC 7675 §5.1: sends the check once only. A controlling agent adds USE-CANDIDATE, for peers
    /// that answer nothing else.
    pub(super) fn send_consent_check(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        due: consent::Due,
    ) {
        let Some(id) = self.selected.as_ref().map(|selected| selected.pair) else { return };
        let use_candidate = ctx.role == Some(Role::Controlling);
        let Some((transaction, payload, role)) = self.write_check(ctx, id, use_candidate) else {
            return;
        };
        let (Some(selected), Some(pair)) = (&mut self.selected, self.list.get_mut(id)) else {
            return;
        };
        selected.consent.on_sent(due, transaction, role, now, &ctx.config, &mut ctx.rng);
        pair.counters.requests_sent += 1;
        pair.counters.consent_requests_sent += 1;
        if let Some(remote) = &self.remote {
            ctx.transmit_open(pair.base, pair.destination, payload, &remote.key);
        }
    }

    /// When [`on_time`](Self::on_time) has something to do.
    pub(crate) fn deadline(&self, ctx: &Context, now: Instant) -> Option<Instant> {
        let mut deadline = self.servers_deadline();
        earlier(&mut deadline, self.connections_deadline());
        if self.retire_at.is_some() {
            earlier(&mut deadline, self.retire_at);
            return deadline;
        }
        earlier(&mut deadline, self.names.deadline());
        for (_, pair) in self.list.iter() {
            earlier(&mut deadline, pair.check.as_deref().map(Transaction::deadline));
        }
        if let Some(selected) = &self.selected {
            if self.is_dead(selected.pair) {
                earlier(&mut deadline, Some(selected.consent.expires(&ctx.config)));
            } else {
                earlier(
                    &mut deadline,
                    Some(selected.consent.deadline(now, self.heard(), &ctx.config)),
                );
            }
            earlier(&mut deadline, selected.settles_at);
            earlier(&mut deadline, self.nomination_at.filter(|at| *at > now));
            earlier(&mut deadline, selected.challenger.map(|(_, at)| at));
        } else if !self.failed {
            for (_, pair) in self.list.iter().filter(|_| self.is_running(ctx)) {
                earlier(&mut deadline, Self::refresh_at(pair, ctx));
            }
            earlier(&mut deadline, self.pac_at.filter(|at| *at > now));
            let assumed = self.end_of_candidates_at(ctx).filter(|at| *at > now);
            earlier(&mut deadline, assumed);
            earlier(&mut deadline, self.nomination_at.filter(|at| *at > now));
        }
        deadline
    }
}
