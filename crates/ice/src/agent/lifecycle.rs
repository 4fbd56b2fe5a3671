//! Generations begin, are committed, rolled back and released.

use time::Instant;

use super::Agent;
use crate::event::{Event, GenerationId, Parameters, SocketId};
use crate::generation::Generation;
use crate::state::{GatheringState, Role, State};
use crate::stun::Credentials;

impl Agent {
    /// Gives the generations to come numbers from this one on. A host that has had another agent in
    /// the place of this one then takes no late answer for that one's to be for this.
    pub fn number_generations_from(&mut self, first: GenerationId) {
        self.next_generation = first.0;
    }

    /// Begins to gather before the local parameters are known, as `iceCandidatePoolSize` asks
    /// (RFC 9429 §3.5.4): [`Event::Gather`] asks for the sockets of a generation to which the next
    /// [`set_local_parameters`](Self::set_local_parameters) belong. Until then no event tells of
    /// candidates, errors or the gathering state, and [`gathering_state`](Self::gathering_state)
    /// stays as it is. If the servers or the policy are others by then, what was gathered is
    /// dropped. Called again, it gathers anew, with what was configured since. It does
    /// nothing once there are parameters of either side.
    pub fn gather_ahead(&mut self, now: Instant) {
        let is_untouched = |g: &Generation| g.is_ahead() && g.remote.is_none();
        if self.state == State::Closed || !self.generations.iter().all(is_untouched) {
            return;
        }
        self.drop_pending(now);
        let id = self.new_id();
        let mut generation = Generation::new(id, false);
        generation.gather_ahead(&self.ctx, now);
        self.generations.push(generation);
        self.emit_of(id, Event::Gather { generation: id });
        self.drive(now);
    }

    /// Takes the parameters of a local description. New ones begin a generation, or complete the
    /// one that new remote parameters began, and [`Event::Gather`] asks for its sockets. Unchanged
    /// ones do nothing.
    pub fn set_local_parameters(&mut self, now: Instant, parameters: Parameters) {
        if self.state == State::Closed {
            return;
        }
        let unchanged = self.committed().is_some_and(|g| g.has_local(&parameters));
        match self.pending() {
            Some(pending) if pending.has_local(&parameters) => {}
            // A generation that only the peer began: `commit` completes it.
            Some(pending) if unchanged && pending.local.is_none() => {}
            // A later offer takes back the restart of an earlier one.
            Some(pending) if unchanged && pending.remote.is_none() => self.drop_pending(now),
            None if unchanged => {}
            _ => {
                self.ensure_pending(now);
                self.begin_gathering(now, Credentials::new(parameters));
            }
        }
        self.drive(now);
    }

    /// Takes the parameters of a remote description. New ones begin a generation, or complete the
    /// one that new local parameters began. Unchanged ones do nothing. A `lite` peer makes this
    /// agent controlling (RFC 8445 §6.1.1).
    pub fn set_remote_parameters(&mut self, now: Instant, parameters: Parameters, lite: bool) {
        if self.state == State::Closed {
            return;
        }
        let unchanged = self.committed().is_some_and(|g| g.has_remote(&parameters));
        match self.pending() {
            Some(pending) if pending.has_remote(&parameters) => {}
            Some(pending) if unchanged && pending.remote.is_none() => {}
            Some(pending) if unchanged && pending.local.is_none() => self.drop_pending(now),
            None if unchanged => {}
            _ => {
                self.ensure_pending(now);
                if let Some(pending) = self.generations.last_mut() {
                    pending.set_remote(&mut self.ctx, now, Credentials::new(parameters), lite);
                }
            }
        }
        if lite && self.ctx.role == Some(Role::Controlled) {
            self.switch_role(Role::Controlling);
        }
        self.drive(now);
    }

    /// The offer/answer exchange is complete: the generation that it began takes over once it has a
    /// nominated pair. A side that kept its parameters, although the answer to a restart should
    /// change them, keeps those of the generation before.
    pub fn commit(&mut self, now: Instant) {
        if self.state == State::Closed || self.pending().is_none() {
            return;
        }
        let committed = self.committed_index();
        let local = committed.and_then(|i| self.generations.get(i)?.local.clone());
        let remote = committed.and_then(|i| Some((self.generations.get(i)?.remote.clone()?, i)));
        if self.pending().is_some_and(|pending| pending.local.is_none())
            && let Some(local) = local
        {
            self.begin_gathering(now, local);
        }
        if self.pending().is_some_and(|pending| pending.remote.is_none())
            && let Some((remote, older)) = remote
            && let Some((pending, rest)) = self.generations.split_last_mut()
            && let Some(older) = rest.get(older)
        {
            pending.set_remote(&mut self.ctx, now, remote, older.lite);
            pending.inherit_candidates(&self.ctx, now, older);
        }
        if let Some(pending) = self.generations.last_mut() {
            if pending.local.is_some() && pending.remote.is_some() {
                pending.committed = true;
            } else {
                tracing::debug!("commit without parameters of both sides");
            }
        }
        self.drive(now);
    }

    /// Drops the uncommitted generation with its sockets, its candidates and its events that were
    /// not polled yet, as if it had never been. [`gathering_state`](Self::gathering_state) and
    /// [`state`](Self::state) go back to what the other generations say, and events report the
    /// changes.
    pub fn rollback(&mut self, now: Instant) {
        if self.state == State::Closed {
            return;
        }
        self.drop_pending(now);
        self.drive(now);
    }

    /// The host has closed a socket or a listener that died, or a connection has ended: its pairs
    /// are dead.
    pub fn socket_closed(&mut self, now: Instant, socket: SocketId) {
        self.forget_leaving(socket);
        let owner = self.generations.iter_mut().find(|g| g.has_socket(socket));
        if let Some(generation) = owner {
            generation.socket_closed(&mut self.ctx, now, socket);
            self.drive(now);
        }
    }

    /// The interface of a socket has gone down, or come back up: the address of the socket has left
    /// the machine or returned, or the cable has. A selected pair that uses it counts as
    /// disconnected at once, and other pairs are tried. If the interface is back before consent
    /// expires, the pair is asked whether it still works.
    pub fn interface_changed(&mut self, now: Instant, socket: SocketId, is_up: bool) {
        let owner = self.generations.iter_mut().find(|g| g.has_socket(socket));
        if let Some(generation) = owner {
            generation.interface_changed(&self.ctx, now, socket, is_up);
            self.drive(now);
        }
    }

    /// The peer has begun anew with the same parameters, perhaps with another agent: browsers do so
    /// when the section that describes a bundled transport is rejected. Whoever calls this has it
    /// from the peer itself. The selected pair goes on if it still answers; if not, the pair that
    /// the other agent uses takes over at once, whatever its priority.
    pub fn peer_began_anew(&mut self, now: Instant) {
        let carrying = self.selected.map(|selected| selected.generation);
        let found = self.generations.iter_mut().find(|g| Some(g.id) == carrying);
        if let Some(generation) = found {
            generation.doubt_selected(&mut self.ctx, now);
            self.drive(now);
        }
    }

    /// More time has passed than the clock of `now` says, for it stands still while the machine is
    /// suspended. Peer and servers may have given this side up: the selected pairs are asked
    /// whether they still work, and allocations, permissions and channels are renewed.
    pub fn resumed(&mut self, now: Instant) {
        for generation in &mut self.generations {
            generation.resumed(now);
        }
        self.drive(now);
    }

    /// Releases everything: the state becomes [`State::Closed`], and [`Event::CloseSocket`] comes
    /// for each socket. The host sends what [`poll_transmit`](Self::poll_transmit) still has in any
    /// case: those datagrams delete the allocations at TURN servers. The sockets of allocations are
    /// closed when the servers have answered, or after 10 s: a host that stays drives the agent
    /// until it [has left](Self::has_left). As in webrtc-pc §4.4.2, no event reports the state.
    /// Closing again does nothing.
    pub fn close(&mut self, now: Instant) {
        if self.state == State::Closed {
            return;
        }
        self.events.retain(|(_, event)| matches!(event, Event::CloseSocket(_)));
        // Allocations that were let go before still have to be deleted.
        self.ctx.enclosures.switch(false);
        let leaving = &self.leaving;
        self.ctx.transmits.retain(|to| leaving.iter().any(|left| left.socket == to.socket));
        for mut generation in std::mem::take(&mut self.generations) {
            self.let_go(now, &mut generation);
        }
        self.state = State::Closed;
        self.selected = None;
        self.path = None;
        self.drive(now);
    }

    // ----- within

    fn pending(&self) -> Option<&Generation> {
        self.generations.last().filter(|generation| !generation.committed)
    }

    fn committed_index(&self) -> Option<usize> {
        self.generations.iter().rposition(|generation| generation.committed)
    }

    fn committed(&self) -> Option<&Generation> {
        self.committed_index().and_then(|index| self.generations.get(index))
    }

    fn new_id(&mut self) -> GenerationId {
        let id = GenerationId(self.next_generation);
        self.next_generation = self.next_generation.wrapping_add(1);
        id
    }

    /// Begins a pending generation, as the last one, unless there is one. If there are too many
    /// others, the oldest that carries no data goes.
    fn ensure_pending(&mut self, now: Instant) {
        if self.pending().is_some() {
            return;
        }
        let restart = self.committed_index().is_some();
        if self.generations.len() >= self.ctx.config.max_generations {
            let carrying = self.carrying_index();
            let newest = self.generations.len() - 1;
            let index = (0..newest).find(|index| Some(*index) != carrying);
            if let Some(index) = index {
                let generation = self.generations.remove(index);
                self.release(now, generation);
            }
        }
        let id = self.new_id();
        self.generations.push(Generation::new(id, restart));
    }

    /// Gives local parameters to the pending generation. If it had other ones, it loses its sockets
    /// and its id with them.
    fn begin_gathering(&mut self, now: Instant, local: Credentials) {
        let Some(mut pending) = self.generations.pop() else { return };
        let old = pending.id;
        let is_ahead = pending.is_ahead() && pending.is_up_to_date(&self.ctx);
        if pending.local.is_some() || (pending.is_ahead() && !is_ahead) {
            self.let_go(now, &mut pending);
            pending.id = self.new_id();
            self.forget_events(old);
        }
        let id = pending.id;
        if is_ahead {
            pending.set_local_of_ahead(&mut self.ctx, now, local);
        } else {
            pending.set_local(&mut self.ctx, now, local);
            pending.begin_servers(&self.ctx, now);
        }
        pending.look_up_all(&self.ctx, now);
        self.generations.push(pending);
        self.report_gathering();
        // Drops errors of the generation that this one replaces.
        self.events.retain(|(_, event)| !matches!(event, Event::CandidateError { .. }));
        if !is_ahead {
            self.emit_of(id, Event::Gather { generation: id });
        }
    }

    fn drop_pending(&mut self, now: Instant) {
        if self.pending().is_some()
            && let Some(generation) = self.generations.pop()
        {
            self.forget_events(generation.id);
            self.release(now, generation);
        }
    }

    /// Drops the events of a generation that were not polled yet.
    fn forget_events(&mut self, id: GenerationId) {
        let closes = |event: &Event| matches!(event, Event::CloseSocket(_));
        self.events.retain(|(of, event)| *of != Some(id) || closes(event));
    }

    /// A generation ends.
    pub(super) fn release(&mut self, now: Instant, mut generation: Generation) {
        tracing::debug!(generation = generation.id.0, "generation released");
        self.let_go(now, &mut generation);
        self.report_gathering();
    }

    /// webrtc-pc §5.6: gathering as long as any generation gathers.
    pub(super) fn report_gathering(&mut self) {
        let is = |state| self.generations.iter().any(|g| g.local.is_some() && g.gathering == state);
        let gathering = if is(GatheringState::Gathering) {
            GatheringState::Gathering
        } else if is(GatheringState::Complete) {
            GatheringState::Complete
        } else {
            GatheringState::New
        };
        if gathering != self.gathering {
            self.gathering = gathering;
            self.emit(Event::GatheringStateChange(gathering));
        }
    }

    /// RFC 8445 §7.3.1.1, §7.2.5.1: the priorities of all pairs follow.
    pub(super) fn switch_role(&mut self, role: Role) {
        tracing::debug!(%role, "role changed");
        self.ctx.role = Some(role);
        for generation in &mut self.generations {
            generation.update_priorities(&self.ctx);
        }
        self.emit(Event::RoleChange(role));
    }
}
