//! One generation: credentials of both sides, candidates, checklist, selected pair.

mod ahead;
mod asking;
mod base;
mod candidates;
mod checks;
mod choice;
mod inbound;
mod interfaces;
mod names;
mod relayed_pairs;
mod server_candidates;
pub(crate) mod server_client;
mod servers;
mod stats;
mod streams;
mod tcp;
mod unneeded;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use slab::Slab;
use smallvec::SmallVec;
use stun_types::message::{IntegrityKey, TransactionId};
use time::{Instant, later};
use turn::same_address;

use crate::candidate::Candidate;
use crate::checklist::Checklist;
use crate::config::Config;
use crate::consent::{Consent, Due};
use crate::enclosure::{EarlyEnclosures, Enclosures, Open};
use crate::event::{
    Base, CandidatePair, ConnectionId, Event, GenerationId, Parameters, Path, RelayId, SocketId,
    SocketUse, Transmit,
};
use crate::framing;
use crate::hidden::HiddenAddresses;
use crate::packet::Packet;
use crate::pair::{PairId, PairState};
use crate::server::{Server, TransportPolicy};
use crate::state::{GatheringState, Role};
use crate::stun::Credentials;

use base::{LocalBase, Reach};
pub(crate) use inbound::Outcome;
use names::Names;
use servers::Servers;
#[cfg(test)]
pub(crate) use tcp::MAX_STRANGERS;
use tcp::Tcp;

/// What all generations of an agent share.
#[derive(Debug)]
pub(crate) struct Context {
    /// Shared: it is large, and nearly always that of all others.
    pub(crate) config: Arc<Config>,
    pub(crate) rng: StdRng,
    pub(crate) role: Option<Role>,
    pub(crate) tie_breaker: u64,
    salt: [u8; 16],
    /// What leaves the agent has names in their place.
    pub(crate) hidden: HiddenAddresses,
    pub(crate) transmits: VecDeque<Transmit>,
    /// Packets that are yet to be wrapped for a relay.
    pub(crate) relayed: Vec<Relayed>,
    /// What somebody above adds to checks and to their answers.
    pub(crate) enclosures: Enclosures,
    /// The connections to peers, on which each packet has its length in front.
    pub(crate) connections: Vec<SocketId>,
    /// The configuration for the next generation that gathers.
    pub(crate) servers: Vec<Server>,
    pub(crate) policy: TransportPolicy,
    next_relay: u32,
    next_connection: u32,
    /// The servers at which allocations were released lately, and when.
    released: Vec<(SocketAddr, Instant)>,
}

/// A STUN packet for a peer behind a relay.
#[derive(Debug)]
pub(crate) struct Relayed {
    pub(crate) relay: RelayId,
    pub(crate) peer: SocketAddr,
    pub(crate) payload: bytes::Bytes,
}

impl Context {
    pub(crate) fn new(config: Arc<Config>, seed: [u8; 32]) -> Self {
        let normal = config.normalise();
        let mut rng = StdRng::from_seed(seed);
        Self {
            config: if normal == *config { config } else { Arc::new(normal) },
            role: None,
            tie_breaker: rng.random(),
            salt: rng.random(),
            hidden: HiddenAddresses::default(),
            rng,
            transmits: VecDeque::new(),
            relayed: Vec::new(),
            enclosures: Enclosures::default(),
            connections: Vec::new(),
            servers: Vec::new(),
            policy: TransportPolicy::All,
            next_relay: 0,
            next_connection: 0,
            released: Vec::new(),
        }
    }

    fn seed(&mut self) -> [u8; 32] {
        self.rng.random()
    }

    fn relay_id(&mut self) -> RelayId {
        let id = RelayId(self.next_relay);
        self.next_relay = self.next_relay.wrapping_add(1);
        id
    }

    fn connection_id(&mut self) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection = self.next_connection.wrapping_add(1);
        id
    }

    /// An allocation at this server is being released.
    pub(crate) fn remember_release(&mut self, server: SocketAddr, now: Instant) {
        /// Enough for one generation and the one before it.
        const RELEASED: usize = 16;
        self.released.retain(|(at, _)| *at != server);
        if self.released.len() >= RELEASED {
            self.released.remove(0);
        }
        self.released.push((server, now));
    }

    /// When an allocation at this server was released last.
    fn released_at(&self, server: SocketAddr) -> Option<Instant> {
        self.released.iter().find(|(at, _)| *at == server).map(|(_, at)| *at)
    }

    fn transaction_id(&mut self) -> TransactionId {
        self.rng.random::<u128>().into()
    }

    /// Sends a check or the answer to one. It gets an enclosure when it is polled, if there are
    /// any.
    fn transmit_open(
        &mut self,
        base: Base,
        destination: SocketAddr,
        payload: bytes::Bytes,
        key: &IntegrityKey,
    ) {
        if self.enclosures.are_on() {
            let key = key.clone();
            self.enclosures.push_open(Open { base, destination, payload, key });
        } else {
            self.transmit(base, destination, payload);
        }
    }

    pub(crate) fn transmit(&mut self, base: Base, destination: SocketAddr, payload: bytes::Bytes) {
        /// A host that never polls loses the oldest, as a network would.
        const QUEUE: usize = 1024;
        if let Some(relay) = base.relay {
            if self.relayed.len() >= QUEUE {
                self.relayed.remove(0);
            }
            self.relayed.push(Relayed { relay, peer: destination, payload });
            return;
        }
        if self.transmits.len() >= QUEUE {
            self.transmits.pop_front();
        }
        let socket = base.socket;
        let payload = match self.connections.contains(&socket) {
            true => framing::frame(&mut BytesMut::new(), Packet::Bare(payload)),
            false => Some(payload),
        };
        self.transmits.extend(payload.map(|payload| Transmit { socket, destination, payload }));
    }
}

/// A socket of the host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Socket {
    pub(crate) id: SocketId,
    address: SocketAddr,
    /// How many sockets are better.
    rank: u16,
    good_for: SocketUse,
}

/// A remote candidate.
#[derive(Debug)]
struct Remote {
    /// Unique in the generation, and never used again.
    serial: u64,
    candidate: Candidate,
    /// `None` if it makes no pair.
    address: Option<SocketAddr>,
    /// Only replayed checks have come from here: each came from another address before.
    replayed: bool,
}

/// A check of a peer whose parameters are not known yet.
#[derive(Debug)]
struct EarlyCheck {
    id: TransactionId,
    replayed: bool,
    base: Base,
    source: SocketAddr,
    username_fragment: String,
    priority: Option<u32>,
    use_candidate: bool,
}

/// A check of the peer, and where it came from first.
#[derive(Debug, Clone, Copy)]
struct SeenCheck {
    id: TransactionId,
    base: Base,
    source: SocketAddr,
}

/// The pair that carries, or would carry, the data.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) pair: PairId,
    /// Until then better pairs are tried, by either side; see `Config::conclusion_wait`. Nothing
    /// once that is over.
    settles_at: Option<Instant>,
    pub(crate) consent: Consent,
    /// Other pairs are being tried, since this one is in trouble.
    recovering: bool,
    /// The peer may have left this pair. That is over with the next response.
    doubted: bool,
    /// A pair of lower priority that the peer nominated since, and when it takes over unless this
    /// one has answered by then.
    challenger: Option<(PairId, Instant)>,
}

/// What identifies the selected pair to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SelectedKey {
    pub(crate) generation: GenerationId,
    path: Path,
    local: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) id: GenerationId,
    /// An ICE restart began it.
    pub(crate) restart: bool,
    /// The offer/answer exchange that began it is complete.
    pub(crate) committed: bool,
    pub(crate) local: Option<Credentials>,
    pub(crate) remote: Option<Credentials>,
    pub(crate) lite: bool,
    pub(crate) gathering: GatheringState,
    sockets: SmallVec<[Socket; 2]>,
    /// The sockets whose interfaces are down, and since when.
    down: SmallVec<[(SocketId, Instant); 2]>,
    pub(crate) servers: Servers,
    tcp: Tcp,
    /// Events that the agent has not taken yet.
    pub(crate) events: VecDeque<Event>,
    /// The bases to send checks from.
    bases: SmallVec<[LocalBase; 2]>,
    locals: Vec<Candidate>,
    remotes: Slab<Remote>,
    /// How many remote candidates there have ever been.
    remotes_seen: u64,
    /// How many of them were learned from new checks of the peer, while none of ours was answered.
    learned_in_vain: usize,
    /// Keys of the remote candidates that were signalled, in order.
    signalled: Vec<usize>,
    names: Names,
    /// The peer has no more candidates.
    pub(crate) remote_done: bool,
    /// When the peer's last new candidate came.
    candidate_at: Option<Instant>,
    /// When consent to send on the selected pair was lost.
    lost_at: Option<Instant>,
    early: Vec<EarlyCheck>,
    early_enclosures: EarlyEnclosures,
    /// The peer encloses something, as this side does.
    peer_encloses: bool,
    /// The latest checks of the peer, each with where it came from first.
    seen: VecDeque<SeenCheck>,
    pub(crate) list: Checklist,
    pub(crate) selected: Option<Selected>,
    /// The serial number of the valid pair that carries data while no pair has ever been selected.
    pub(crate) provisional: Option<u64>,
    pac_at: Option<Instant>,
    nomination_at: Option<Instant>,
    /// When this generation ends, for a newer one carries the data.
    pub(crate) retire_at: Option<Instant>,
    /// While the peer sends here, `retire_at` is put off, but not beyond this.
    retire_at_last: Option<Instant>,
    completed: bool,
    /// It has been completed, and what was not needed any more has been released.
    has_freed: bool,
    /// A check with USE-CANDIDATE has gone out, or one of a pair that the peer has nominated.
    has_nominated: bool,
    failed: bool,
}

impl Generation {
    pub(crate) fn new(id: GenerationId, restart: bool) -> Self {
        Self {
            id,
            restart,
            committed: false,
            local: None,
            remote: None,
            lite: false,
            gathering: GatheringState::New,
            sockets: SmallVec::new(),
            down: SmallVec::new(),
            servers: Servers::default(),
            tcp: Tcp::default(),
            events: VecDeque::new(),
            bases: SmallVec::new(),
            locals: Vec::new(),
            remotes: Slab::new(),
            remotes_seen: 0,
            learned_in_vain: 0,
            signalled: Vec::new(),
            names: Names::default(),
            remote_done: false,
            candidate_at: None,
            lost_at: None,
            early: Vec::new(),
            early_enclosures: EarlyEnclosures::default(),
            peer_encloses: false,
            seen: VecDeque::new(),
            list: Checklist::default(),
            selected: None,
            provisional: None,
            pac_at: None,
            nomination_at: None,
            retire_at: None,
            retire_at_last: None,
            completed: false,
            has_freed: false,
            has_nominated: false,
            failed: false,
        }
    }

    /// Gives back the memory that a pause does not need.
    pub(crate) fn rest(&mut self) {
        self.events.shrink_to_fit();
        self.locals.shrink_to_fit();
        self.remotes.shrink_to_fit();
        self.signalled.shrink_to_fit();
        self.early.shrink_to_fit();
        self.seen.shrink_to_fit();
        self.list.rest();
    }

    // ----- credentials

    pub(crate) fn has_local(&self, parameters: &Parameters) -> bool {
        self.local.as_ref().is_some_and(|local| local.parameters == *parameters)
    }

    pub(crate) fn has_remote(&self, parameters: &Parameters) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.parameters == *parameters)
    }

    pub(crate) fn has_remote_username_fragment(&self, username_fragment: &str) -> bool {
        self.remote.as_ref().is_some_and(|r| r.username_fragment() == username_fragment)
    }

    pub(crate) fn local_username_fragment(&self) -> Option<&str> {
        self.local.as_ref().map(Credentials::username_fragment)
    }

    /// Takes remote parameters. If they replace other ones, the candidates and checks of those are
    /// worth nothing any more.
    pub(crate) fn set_remote(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        remote: Credentials,
        lite: bool,
    ) {
        if self.remote.is_some() {
            self.forget_checks();
            self.remotes.clear();
            self.signalled.clear();
            self.names = Names::default();
            self.remote_done = false;
        }
        self.remote = Some(remote);
        self.lite = lite;
        self.begin_checks(ctx, now);
    }

    /// Takes local parameters. The caller has let go of what was gathered with other ones.
    pub(crate) fn set_local(&mut self, ctx: &mut Context, now: Instant, local: Credentials) {
        self.forget_checks();
        self.locals.clear();
        self.events.clear();
        self.early.clear();
        self.early_enclosures.clear();
        self.local = Some(local);
        self.gathering = GatheringState::Gathering;
        self.begin_checks(ctx, now);
    }

    /// The sockets, listeners and connections of the generation, which has them no more.
    pub(crate) fn take_sockets(&mut self) -> SmallVec<[SocketId; 2]> {
        self.bases.clear();
        let tcp = self.take_tcp();
        let streams = self.servers.clients.iter().filter_map(|client| client.stream.as_ref());
        let streams = streams.map(|stream| stream.socket);
        let sockets = std::mem::take(&mut self.sockets);
        sockets.into_iter().map(|socket| socket.id).chain(streams).chain(tcp).collect()
    }

    fn forget_checks(&mut self) {
        self.list.clear();
        self.selected = None;
        self.candidate_at = None;
        self.lost_at = None;
        self.learned_in_vain = 0;
        self.pac_at = None;
        self.nomination_at = None;
        self.completed = false;
        self.has_freed = false;
        self.failed = false;
    }

    /// Both parameters are known: the PAC timer starts (RFC 8863 §4), and checks that the peer
    /// sent before are taken up (RFC 8445 §7.3.1.4).
    fn begin_checks(&mut self, ctx: &mut Context, now: Instant) {
        let (Some(_), Some(remote)) = (&self.local, &self.remote) else { return };
        self.pac_at.get_or_insert_with(|| time::later(now, ctx.config.pac));
        let username_fragment = remote.username_fragment().to_owned();
        self.pair_all(ctx);
        for enclosure in self.early_enclosures.take(&username_fragment) {
            self.take_enclosure(ctx, enclosure);
        }
        for check in std::mem::take(&mut self.early) {
            if check.username_fragment != username_fragment {
                self.early.push(check);
            } else {
                let EarlyCheck { id, base, source, priority, use_candidate, .. } = check;
                self.on_check(ctx, now, id, base, source, priority, use_candidate);
            }
        }
    }

    /// Whether checks may be sent.
    fn is_running(&self, ctx: &Context) -> bool {
        self.local.is_some()
            && self.remote.is_some()
            && ctx.role.is_some()
            && self.retire_at.is_none()
            && !self.failed
    }

    // ----- the selected pair

    pub(crate) fn candidate_pair(&self, id: PairId) -> Option<CandidatePair> {
        let pair = self.list.get(id)?;
        let local = self.locals.get(pair.mapped.unwrap_or(pair.local))?.clone();
        let remote = self.remotes.get(pair.remote)?.candidate.clone();
        let username_fragment = |of: &Option<Credentials>| {
            of.as_ref().map(|c| c.username_fragment().to_owned()).unwrap_or_default()
        };
        Some(CandidatePair {
            local,
            remote,
            local_username_fragment: username_fragment(&self.local),
            remote_username_fragment: username_fragment(&self.remote),
        })
    }

    fn is_dead(&self, id: PairId) -> bool {
        self.list.get(id).is_none_or(|pair| pair.dead)
    }

    /// Where data can go in this generation.
    pub(crate) fn path(&self) -> Option<Path> {
        let pair = self.list.get(self.selected.as_ref()?.pair)?;
        (!pair.dead).then_some(Path { base: pair.base, remote: pair.destination })
    }

    pub(crate) fn selected_key(&self) -> Option<SelectedKey> {
        let local = self.list.get(self.selected.as_ref()?.pair)?.mapped;
        Some(SelectedKey { generation: self.id, path: self.path()?, local })
    }

    /// Whether connectivity counts as lost. Consent may still hold.
    pub(crate) fn is_in_trouble(&self, ctx: &Context, now: Instant) -> bool {
        self.selected.as_ref().is_some_and(|selected| {
            self.is_dead(selected.pair)
                || self.is_cut_off(selected.pair)
                || selected.consent.is_in_trouble(now, &ctx.config)
        })
    }

    /// Whether another pair is wanted: this one is in trouble, or the peer may have left it.
    pub(super) fn wants_another(&self, ctx: &Context, now: Instant) -> bool {
        self.selected.as_ref().is_some_and(|selected| selected.doubted)
            || self.is_in_trouble(ctx, now)
    }

    /// The peer has another agent with the same credentials, and may have left the selected pair
    /// with the old one. That pair is asked at once. Until it answers, another one takes its place
    /// as if it were in trouble; but only where the peer answers now, for what was valid may have
    /// been the old agent's.
    pub(crate) fn doubt_selected(&mut self, ctx: &mut Context, now: Instant) {
        let Some(selected) = &mut self.selected else { return };
        let id = selected.pair;
        selected.doubted = true;
        for other in self.list.ids().filter(|other| *other != id) {
            if let Some(pair) = self.list.get_mut(other).filter(|pair| pair.is_valid()) {
                pair.state = PairState::Waiting;
                pair.checked_at = None;
                self.list.trigger(other, false);
            }
        }
        if !self.is_dead(id) {
            self.send_consent_check(ctx, now, Due::Connectivity);
        }
    }

    /// RFC 8445 §8.1.2: the pair is nominated, and worse ones need no further checks.
    fn select(&mut self, ctx: &mut Context, now: Instant, id: PairId) {
        let previous = self.selected.as_ref().map(|selected| selected.pair);
        let in_trouble = self.is_in_trouble(ctx, now);
        let Some(pair) = self.list.get_mut(id) else { return };
        pair.nominated = true;
        if previous == Some(id) {
            return;
        }
        let round_trip = pair.counters.current_round_trip_time;
        let is_tcp = pair.is_tcp();
        let consent = Consent::new(now, round_trip, is_tcp, &ctx.config, &mut ctx.rng);
        self.selected = Some(Selected {
            pair: id,
            settles_at: Some(later(now, ctx.config.conclusion_wait)),
            consent,
            recovering: false,
            doubted: false,
            challenger: None,
        });
        self.nomination_at = None;
        if let Some(previous) = previous
            && in_trouble
            && let Some(pair) = self.list.get_mut(previous)
        {
            pair.state = PairState::Failed;
        }
        self.stop_other_checks(id);
    }

    /// RFC 7675 §5.1: consent is lost, nothing may be sent on the pair any more.
    fn lose_selected(&mut self, now: Instant) {
        let Some(selected) = self.selected.take() else { return };
        self.lost_at = Some(now);
        if let Some(pair) = self.list.get_mut(selected.pair) {
            pair.kill();
        }
        self.completed = false;
    }

    /// A newer generation carries the data: this one sends no checks any more, but answers the
    /// peer's for `Config::linger`.
    pub(crate) fn retire(&mut self, now: Instant, config: &Config) {
        self.retire_at = Some(later(now, config.linger));
        self.retire_at_last = Some(later(now, config.consent_expiry.max(config.linger)));
        for (_, pair) in self.list.iter_mut() {
            pair.check = None;
            pair.triggered = None;
            pair.replaced.clear();
            pair.forget_opening();
        }
    }

    // ----- what the states are made of

    /// Whether checks have all they need, though perhaps no two candidates make a pair.
    pub(crate) fn has_started(&self) -> bool {
        self.local.is_some() && self.remote.is_some() && !self.remotes.is_empty()
    }

    pub(crate) fn is_completed(&self) -> bool {
        self.completed
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.failed
    }

    /// Whether a pair is yet to be checked, or a candidate yet to make pairs.
    pub(crate) fn has_unfinished(&self) -> bool {
        self.list.has_unfinished() || self.names.are_awaited()
    }

    /// Enters `completed` or `failed` for good when their conditions hold (webrtc-pc §5.6,
    /// RTCIceTransportState).
    pub(crate) fn conclude(&mut self, ctx: &Context, now: Instant) {
        let assumed = self.end_of_candidates_at(ctx).is_some_and(|at| now >= at);
        let both_ends = self.gathering == GatheringState::Complete && (self.remote_done || assumed);
        if !both_ends || self.list.has_unfinished() || self.retire_at.is_some() {
            return;
        }
        if let Some(selected) = &self.selected {
            let is_settled = selected.settles_at.is_none() && !selected.recovering;
            self.completed |= is_settled && self.path().is_some();
            return;
        }
        // Only now: what works does not wait for a name that may have no answer.
        if self.names.are_awaited() {
            return;
        }
        // RFC 8863 has patience only with a generation that has never worked.
        let patience_over = self.lost_at.is_some() || self.pac_at.is_some_and(|at| now >= at);
        let nothing_gathered = self.local_candidates().next().is_none();
        if !self.list.has_valid() && (nothing_gathered || patience_over) {
            tracing::debug!(generation = self.id.0, assumed, "failed");
            self.failed = true;
        }
    }

    /// When the end of the peer's candidates is assumed, since nothing works and nothing comes:
    /// see `Config::end_of_candidates_timeout`.
    fn end_of_candidates_at(&self, ctx: &Context) -> Option<Instant> {
        if self.remote_done || self.selected.is_some() || self.failed {
            return None;
        }
        let base = self.lost_at.or(self.pac_at)?;
        let waiting = self.candidate_at.map_or(base, |at| at.max(base));
        Some(later(waiting, ctx.config.end_of_candidates_timeout?))
    }

    /// Whether a packet that is not STUN is welcome: the peer has proven itself from there.
    pub(crate) fn accepts_data(&self, base: Base, source: SocketAddr) -> bool {
        let here = |at: Base, from: SocketAddr| at == base && same_address(from, source);
        self.list.iter().any(|(_, pair)| pair.accepts_data() && here(pair.base, pair.destination))
            || (self.remote.is_none()
                && self.early.iter().any(|check| here(check.base, check.source)))
    }
}
