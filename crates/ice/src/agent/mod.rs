//! The agent: generations side by side, and one of them that carries the data.

mod connections;
mod data;
mod drive;
mod enclosures;
mod inbound;
mod lifecycle;
mod provisional;
mod servers;
mod stats;
mod trickle;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use time::Instant;

#[cfg(test)]
pub(crate) use self::drive::SHORTEST_PAUSE;
pub use self::servers::Datagram;
use self::servers::Leaving;
use crate::candidate::Candidate;
use crate::config::Config;
use crate::enclosure::Enclosure;
use crate::event::{CandidatePair, Event, GenerationId, Parameters, Path, SocketId, Transmit};
use crate::generation::{Context, Generation, SelectedKey};
use crate::state::{GatheringState, Role, State};

/// The ICE agent of one transport. See the [crate documentation](crate).
///
/// Methods that take `now` expect a clock that does not go backwards; if it does, nothing is due
/// until it has caught up.
#[derive(Debug)]
pub struct Agent {
    ctx: Context,
    /// Oldest first. Only the last may be uncommitted.
    generations: Vec<Generation>,
    next_generation: u32,
    /// Each event, with its generation if a rollback takes the event back.
    events: VecDeque<(Option<GenerationId>, Event)>,
    state: State,
    gathering: GatheringState,
    selected: Option<SelectedKey>,
    path: Option<Path>,
    /// A pair has been selected. Before, a provisional one may carry data.
    has_selected: bool,
    /// When the next ordinary check may be sent (Ta).
    next_check: Option<Instant>,
    /// Whether a request for a permission, if one is wanted, goes before the next check.
    permission_is_next: bool,
    timeout: Option<Instant>,
    /// The latest time seen.
    clock: Option<Instant>,
    /// Allocations that are being deleted.
    leaving: Vec<Leaving>,
    /// Buffer in which packets for a relay or for a connection are wrapped.
    room: Option<Box<BytesMut>>,
}

impl Agent {
    /// A new agent in [`State::New`]. Everything random (tie-breaker, transaction ids, jitter,
    /// foundations) comes from `seed`, which must be unpredictable outside of tests. Agents can share
    /// a configuration.
    pub fn new(config: impl Into<Arc<Config>>, seed: [u8; 32]) -> Self {
        Self {
            ctx: Context::new(config.into(), seed),
            generations: Vec::new(),
            next_generation: 0,
            events: VecDeque::new(),
            state: State::New,
            gathering: GatheringState::New,
            selected: None,
            path: None,
            has_selected: false,
            next_check: None,
            permission_is_next: false,
            timeout: None,
            clock: None,
            leaving: Vec::new(),
            room: None,
        }
    }

    // ----- outputs

    /// The next datagram to send: STUN to the peer or to a server. To be drained after every call
    /// that changes something.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.poll_transmit_with(Enclosure::default)
    }

    /// The next event. To be drained after every call that changes something.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front().map(|(_, event)| event);
        if self.events.is_empty() && self.events.capacity() > 0 {
            // Most agents are idle most of the time.
            self.events = VecDeque::new();
        }
        event
    }

    /// Gives back the memory that a pause does not need. Call it when nothing but consent checks has
    /// been sent for a while: what comes next takes what it needs.
    ///
    /// ```
    /// use peerconnection_ice::{Agent, Config};
    ///
    /// let mut agent = Agent::new(Config::default(), [1; 32]);
    /// agent.rest();
    /// assert!(agent.poll_event().is_none());
    /// ```
    pub fn rest(&mut self) {
        self.events.shrink_to_fit();
        self.ctx.transmits.shrink_to_fit();
        self.ctx.relayed.shrink_to_fit();
        self.generations.iter_mut().for_each(Generation::rest);
        self.generations.shrink_to_fit();
        self.leaving.shrink_to_fit();
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), unless another call comes first. An
    /// agent that is connected or completed asks for it no more often than the consent interval.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// Does what is due by now. Calling it early or often does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.drive(now);
    }

    /// Whether the agent is closed and has nothing more to say: its allocations at TURN servers are
    /// deleted, or the servers had their time. Until then it is driven as ever.
    pub fn has_left(&self) -> bool {
        self.state == State::Closed && self.leaving.is_empty()
    }

    // ----- what there is to see

    /// `RTCIceTransport.state`.
    pub fn state(&self) -> State {
        self.state
    }

    /// `RTCIceTransport.gatheringState`.
    pub fn gathering_state(&self) -> GatheringState {
        self.gathering
    }

    /// `RTCIceTransport.role`; nothing is `"unknown"`.
    pub fn role(&self) -> Option<Role> {
        self.ctx.role
    }

    /// Sets the role, as webrtc-pc §4.4.1.5 does when the first offer is applied. The agent sends
    /// no check before. No [`Event::RoleChange`] follows.
    pub fn set_role(&mut self, role: Role) {
        if self.state == State::Closed || self.ctx.role == Some(role) {
            return;
        }
        self.ctx.role = Some(role);
        for generation in &mut self.generations {
            generation.update_priorities(&self.ctx);
        }
        if let Some(clock) = self.clock {
            self.drive(clock);
        }
    }

    /// The selected pair. `None` before the first pair is nominated, after consent was lost or the
    /// socket died, and when closed.
    pub fn selected_path(&self) -> Option<Path> {
        self.path
    }

    /// Whether a pair has ever been selected.
    pub fn has_selected(&self) -> bool {
        self.has_selected
    }

    /// `RTCIceTransport.getSelectedCandidatePair()`. A peer-reflexive remote candidate shows as the
    /// signalled one, once signalling has brought that.
    pub fn selected_pair(&self) -> Option<CandidatePair> {
        let generation = self.carrying()?;
        let mut pair = generation.candidate_pair(generation.selected.as_ref()?.pair)?;
        pair.local = self.ctx.hidden.shown(pair.local);
        Some(pair)
    }

    /// The generation that a socket belongs to, until it is released.
    pub fn generation_of_socket(&self, socket: SocketId) -> Option<GenerationId> {
        self.generation_of(socket).map(|generation| generation.id)
    }

    /// The local username fragment of the generation that a socket belongs to. There is none yet
    /// while a generation [gathers ahead](Self::gather_ahead).
    pub fn username_fragment_of_socket(&self, socket: SocketId) -> Option<&str> {
        self.generation_of(socket)?.local_username_fragment()
    }

    /// The newest generation, whether or not it is committed.
    pub fn newest_generation(&self) -> Option<GenerationId> {
        self.generations.last().map(|generation| generation.id)
    }

    /// `RTCIceTransport.getLocalCandidates()`: of the newest generation, in order of addition.
    pub fn local_candidates(&self) -> impl Iterator<Item = Candidate> {
        let newest = self.generations.iter().rev().find(|g| g.local.is_some());
        let candidates = newest.into_iter().flat_map(Generation::local_candidates);
        candidates.map(|candidate| self.ctx.hidden.shown(candidate.clone()))
    }

    /// `RTCIceTransport.getRemoteCandidates()`: of the newest generation, in order of addition,
    /// without peer-reflexive ones.
    pub fn remote_candidates(&self) -> impl Iterator<Item = &Candidate> {
        let newest = self.generations.iter().rev().find(|g| g.remote.is_some());
        newest.into_iter().flat_map(Generation::remote_candidates)
    }

    /// `RTCIceTransport.getLocalParameters()`: the latest that were set.
    pub fn local_parameters(&self) -> Option<&Parameters> {
        self.generations.iter().rev().find_map(|g| g.local.as_ref()).map(|c| &c.parameters)
    }

    /// `RTCIceTransport.getRemoteParameters()`: the latest that were set.
    pub fn remote_parameters(&self) -> Option<&Parameters> {
        self.generations.iter().rev().find_map(|g| g.remote.as_ref()).map(|c| &c.parameters)
    }

    // ----- within

    /// The newest generation that can carry data: a committed one, or the first.
    fn carrying(&self) -> Option<&Generation> {
        self.carrying_index().and_then(|index| self.generations.get(index))
    }

    fn carrying_index(&self) -> Option<usize> {
        let first = !self.generations.iter().any(|generation| generation.committed);
        self.generations.iter().rposition(|generation| {
            (generation.committed || first)
                && generation.retire_at.is_none()
                && generation.path().is_some()
        })
    }

    fn generation_of(&self, socket: SocketId) -> Option<&Generation> {
        self.generations.iter().find(|generation| generation.has_socket(socket))
    }

    fn emit(&mut self, event: Event) {
        self.events.push_back((None, event));
    }

    fn emit_of(&mut self, generation: GenerationId, event: Event) {
        self.events.push_back((Some(generation), event));
    }

    /// The checks that await an answer.
    #[cfg(test)]
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = stun_types::message::TransactionId> {
        let pairs = self.generations.iter().flat_map(|generation| generation.list.iter());
        pairs.filter_map(|(_, pair)| pair.check.as_ref().map(|check| check.id))
    }
}
