//! What follows every input: due work, the generation that carries the data, state, next timeout.

use time::{Duration, Instant, earlier, later};

use super::Agent;
use crate::event::Event;
use crate::generation::Generation;
use crate::state::State;

/// Less than any timer of ICE needs. It keeps the host from calling the agent without a pause,
/// whatever a deadline says.
pub(crate) const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

impl Agent {
    /// Brings everything to `now`.
    pub(super) fn drive(&mut self, now: Instant) {
        if self.state == State::Closed {
            self.drive_leaving(now);
            self.timeout = self.leaving_deadline();
            return;
        }
        self.clock = Some(now);
        for generation in &mut self.generations {
            generation.drive_servers(&mut self.ctx, now);
            generation.finish_gathering();
            generation.on_time(&mut self.ctx, now);
            generation.tend_connections(&mut self.ctx, now);
        }
        self.send_check(now);
        self.collect_events();
        self.hand_over(now);
        self.release_retired(now);
        self.release_unneeded(now);
        for generation in &mut self.generations {
            generation.serve_pairs(now);
        }
        self.drive_leaving(now);
        self.collect_from_servers(now);
        self.report(now);
        self.timeout = self.deadline(now).map(|at| at.max(later(now, SHORTEST_PAUSE)));
    }

    /// RFC 8445 §6.1.4.2: all generations together send one first transmission every Ta, of
    /// whatever kind, the newest generation first. So the peer cannot make this side send more than
    /// that, besides answers. The first nomination of a generation does not wait, and neither does
    /// the check that the peer's first nomination asks for: each goes out once, to an address that
    /// has proven itself, and there is no connection before it arrives.
    ///
    /// A request for a permission at a relay (RFC 8656 §9) is a first transmission, too. It takes
    /// turns with the checks.
    fn send_check(&mut self, now: Instant) {
        let waits = self.next_check.is_some_and(|at| now < at);
        if !waits && self.permission_is_next && self.ask_permission(now) {
            return;
        }
        for generation in self.generations.iter_mut().rev() {
            let next = if waits {
                generation.first_nomination(&self.ctx)
            } else {
                generation.next_check(&self.ctx)
            };
            if let Some(pair) = next {
                generation.start_check(&mut self.ctx, now, pair);
                self.next_check = Some(later(now, self.ctx.config.ta));
                self.permission_is_next = true;
                return;
            }
        }
        if !waits {
            self.ask_permission(now);
        }
    }

    fn ask_permission(&mut self, now: Instant) -> bool {
        for generation in self.generations.iter_mut().rev() {
            if let Some(unasked) = generation.next_permission(&self.ctx) {
                generation.ask_permission(now, unasked);
                self.next_check = Some(later(now, self.ctx.config.ta));
                self.permission_is_next = false;
                return true;
            }
        }
        false
    }

    /// Retires the generations before the one that carries the data.
    fn hand_over(&mut self, now: Instant) {
        let Some(index) = self.carrying_index() else { return };
        for older in self.generations.iter_mut().take(index) {
            if older.retire_at.is_none() {
                tracing::debug!(generation = older.id.0, "generation lingers");
                older.retire(now, &self.ctx.config);
            }
        }
    }

    fn release_retired(&mut self, now: Instant) {
        let over = |g: &Generation| g.retire_at.is_some_and(|at| now >= at);
        while let Some(index) = self.generations.iter().position(over) {
            let generation = self.generations.remove(index);
            self.release(now, generation);
        }
    }

    /// Takes the events of the generations, and reports a change of the gathering state.
    fn collect_events(&mut self) {
        // Only the newest generation's server errors matter: the candidates of the others are of no
        // use any more. But a rollback makes an older generation the newest again.
        let newest = self.generations.iter().rposition(|generation| generation.local.is_some());
        for (index, generation) in self.generations.iter_mut().enumerate() {
            let id = generation.id;
            let is_error = |event: &Event| matches!(event, Event::CandidateError { .. });
            for event in std::mem::take(&mut generation.events) {
                let is_late = newest != Some(index) && is_error(&event);
                if is_late || generation.holds_back(&event) {
                    generation.events.push_back(event);
                    continue;
                }
                let event = match event {
                    Event::LocalCandidate { username_fragment, candidate } => {
                        let candidate = self.ctx.hidden.shown(candidate);
                        Event::LocalCandidate { username_fragment, candidate }
                    }
                    Event::CandidateError { username_fragment, mut error } => {
                        error.local = self.ctx.hidden.shown_local(error.local);
                        Event::CandidateError { username_fragment, error }
                    }
                    event => event,
                };
                self.events.push_back((Some(id), event));
            }
        }
        self.report_gathering();
    }

    /// webrtc-pc §5.6: "The selected pair and RTCIceTransportState are related and are handled in
    /// the same task."
    fn report(&mut self, now: Instant) {
        let state = self.derive_state(now);
        let carrying = self.carrying();
        let selected = carrying.and_then(Generation::selected_key);
        let path = carrying.and_then(Generation::path);
        let pair = (selected != self.selected).then(|| self.selected_pair());
        let before = std::mem::replace(&mut self.state, state);
        self.selected = selected;
        self.path = path;
        self.update_provisional();
        if state == before && pair.is_none() {
            return;
        }
        tracing::debug!(%state, ?path, "state or path changed");
        // Every browser passes through `connected`, and applications wait for it. So does this,
        // even where the last pair to be checked is the one that works.
        if state == State::Completed && !matches!(before, State::Connected | State::Completed) {
            let connected = Some(State::Connected);
            self.emit(Event::StateChange { state: connected, selected_pair: pair });
            self.emit(Event::StateChange { state: Some(state), selected_pair: None });
        } else {
            let changed = (state != before).then_some(state);
            self.emit(Event::StateChange { state: changed, selected_pair: pair });
        }
    }

    /// webrtc-pc §5.6, RTCIceTransportState. It depends on the present alone, so a rollback needs
    /// no memory of earlier states.
    fn derive_state(&self, now: Instant) -> State {
        let Some(newest) = self.generations.iter().rev().find(|g| g.committed || g.local.is_some())
        else {
            return State::New;
        };
        // A restart that only this side has described gathers anew, but checks nothing: without the
        // peer's answer there is nobody to check. Until then what is true of the path is true of
        // the transport, its loss and its failure above all: the answer may never come.
        let checks = |g: &&Generation| g.committed || (g.local.is_some() && g.remote.is_some());
        let active = self.generations.iter().rev().find(checks).unwrap_or(newest);
        if let Some(carrying) = self.carrying() {
            if !carrying.is_in_trouble(&self.ctx, now) {
                return if carrying.id == newest.id && carrying.is_completed() {
                    State::Completed
                } else {
                    State::Connected
                };
            }
            // "effectively forgetting that connectivity was previously lost"
            return if carrying.id == active.id || active.is_failed() {
                State::Disconnected
            } else {
                State::Checking
            };
        }
        if active.is_failed() {
            State::Failed
        } else if active.selected.is_some() {
            // The socket of the selected pair died; consent did not.
            State::Disconnected
        } else if active.has_unfinished() || active.list.has_valid() {
            State::Checking
        } else if !active.list.is_empty() {
            State::Disconnected
        } else if active.restart || active.has_started() {
            // "new, remote candidates received: checking"; "disconnected or failed, ICE restart
            // occurs: checking"
            State::Checking
        } else {
            State::New
        }
    }

    fn deadline(&self, now: Instant) -> Option<Instant> {
        let mut deadline = self.leaving_deadline();
        for generation in &self.generations {
            earlier(&mut deadline, generation.deadline(&self.ctx, now));
        }
        let has_next = |generation: &Generation| {
            generation.next_check(&self.ctx).is_some()
                || generation.next_permission(&self.ctx).is_some()
        };
        if self.generations.iter().any(has_next) {
            earlier(&mut deadline, Some(self.next_check.unwrap_or(now)));
        }
        deadline
    }
}
