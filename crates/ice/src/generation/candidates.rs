//! Candidates of both sides, and the pairs they make: RFC 8445 §5.1, §6.1.2.

use std::net::SocketAddr;

use rand::RngExt;
use slab::Slab;
use smallvec::SmallVec;
use time::Instant;
use turn::{canonical, same_address};

use super::{Context, Generation, LocalBase, Reach, Remote, Socket};
use crate::candidate::{
    Candidate, CandidateAddress, CandidateKind, TcpType, foundation, peer_reflexive_priority,
    priority,
};
use crate::error::Error;
use crate::event::{Base, Event, SocketId, SocketUse};
use crate::pair::{self, Pair, PairId};
use crate::server::TransportPolicy;
use crate::state::Role;

impl Generation {
    pub(crate) fn has_socket(&self, id: SocketId) -> bool {
        self.sockets.iter().any(|socket| socket.id == id)
            || self.has_connection(id)
            || self.has_listener(id)
            || self.has_peer_connection(id)
    }

    /// Whether checks may come to this base.
    pub(crate) fn has_base(&self, id: Base) -> bool {
        self.bases.iter().any(|base| base.id == id)
    }

    /// RFC 8445 §5.1.1.1: makes the host candidate of a socket, and asks the servers from it.
    /// Returns whether the socket is of use.
    pub(crate) fn add_socket(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        id: SocketId,
        address: SocketAddr,
        good_for: SocketUse,
    ) -> bool {
        let ip = address.ip().to_canonical();
        let usable = !ip.is_unspecified() && !ip.is_multicast() && address.port() != 0;
        if !usable || self.sockets.len() >= ctx.config.max_candidates {
            return false;
        }
        let Some(username_fragment) = self.username_fragment_of_candidates() else {
            return false;
        };
        // RFC 8445 §5.1.2.1: the preference is unique among the candidates of a type; the host adds
        // the best socket first.
        let rank = u16::try_from(self.sockets.len()).unwrap_or(u16::MAX);
        let socket = Socket { id, address, rank, good_for };
        self.sockets.push(socket);
        if self.servers.policy == TransportPolicy::All && good_for != SocketUse::Relays {
            let candidate = Candidate {
                foundation: foundation(CandidateKind::Host, ip, ctx.salt),
                priority: priority(CandidateKind::Host, u16::MAX - rank, 1),
                ..Candidate::udp(address)
            };
            self.locals.push(candidate.clone());
            let (id, local) = (Base::from(id), self.locals.len() - 1);
            self.add_base(ctx, LocalBase { id, address, local, reach: Reach::Datagrams });
            self.events.push_back(Event::LocalCandidate { username_fragment, candidate });
        }
        self.ask_servers(ctx, now, socket);
        true
    }

    /// Adds a base to send checks from.
    pub(super) fn add_base(&mut self, ctx: &Context, base: LocalBase) {
        self.bases.push(base);
        if self.is_pairing(ctx) {
            for key in self.remote_keys() {
                if self.may_be_better(base, key) {
                    self.pair_up(ctx, base, key);
                }
            }
        }
    }

    /// The socket died: so do its pairs.
    pub(crate) fn socket_closed(&mut self, ctx: &mut Context, now: Instant, id: SocketId) {
        if self.has_connection(id) {
            self.connection_closed(now, id);
            return;
        }
        if self.has_listener(id) || self.has_peer_connection(id) {
            self.tcp_closed(ctx, id);
            return;
        }
        self.sockets.retain(|socket| socket.id != id);
        self.drop_clients(id);
        self.drop_base(id);
    }

    pub(super) fn drop_base(&mut self, id: SocketId) {
        self.bases.retain(|base| base.id.socket != id);
        for (_, pair) in self.list.iter_mut().filter(|(_, pair)| pair.base.socket == id) {
            pair.kill();
        }
    }

    pub(crate) fn add_remote_candidate(
        &mut self,
        ctx: &Context,
        now: Instant,
        candidate: Candidate,
    ) -> Result<(), Error> {
        let known = |key: &usize| {
            self.remotes.get(*key).is_some_and(|r| r.candidate.is_redundant_with(&candidate))
        };
        if self.signalled.iter().any(known) {
            tracing::trace!(%candidate, "redundant remote candidate");
            return Ok(());
        }
        if self.signalled.len() >= ctx.config.max_candidates {
            return Err(Error::TooManyCandidates);
        }
        let address = candidate.checkable();
        let reflexive = address.and_then(|address| self.find_remote(&candidate, address));
        if reflexive.is_some_and(|key| self.signalled.contains(&key)) {
            return Ok(());
        }
        let key = if let Some(key) = reflexive
            && let Some(remote) = self.remotes.get_mut(key)
        {
            // RFC 8445 §7.3.1.3: a peer-reflexive candidate that becomes known keeps its pairs.
            remote.candidate = candidate;
            self.speak_for(key);
            self.update_priorities(ctx);
            key
        } else {
            self.insert_remote(candidate, address, false)
        };
        self.signalled.push(key);
        self.candidate_at = Some(now);
        self.pair_with_all(ctx, key);
        self.put_off_settling(&ctx.config, now, key);
        self.look_up(ctx, now, key);
        Ok(())
    }

    /// Makes the pairs of a new remote candidate.
    pub(super) fn pair_with_all(&mut self, ctx: &Context, key: usize) {
        if self.is_pairing(ctx) {
            for base in self.bases.clone() {
                if self.may_be_better(base, key) {
                    self.pair_up(ctx, base, key);
                }
            }
        }
    }

    fn insert_remote(
        &mut self,
        candidate: Candidate,
        address: Option<SocketAddr>,
        replayed: bool,
    ) -> usize {
        let serial = self.remotes_seen;
        self.remotes_seen += 1;
        self.remotes.insert(Remote { serial, candidate, address, replayed })
    }

    /// Notes that more than replayed checks speaks for this remote candidate.
    pub(super) fn speak_for(&mut self, key: usize) {
        if let Some(remote) = self.remotes.get_mut(key)
            && std::mem::take(&mut remote.replayed)
        {
            for (_, pair) in self.list.iter_mut().filter(|(_, pair)| pair.remote == key) {
                pair.replayed = false;
            }
        }
    }

    fn remote_keys(&self) -> SmallVec<[usize; 8]> {
        self.remotes.iter().map(|(key, _)| key).collect()
    }

    /// The remote candidate with this address that is reached like `candidate`.
    pub(super) fn find_remote(&self, candidate: &Candidate, address: SocketAddr) -> Option<usize> {
        let mut alike =
            self.remotes.iter().filter(|(_, remote)| remote.candidate.is_reached_like(candidate));
        alike
            .find(|(_, remote)| remote.address.is_some_and(|a| same_address(a, address)))
            .map(|(key, _)| key)
    }

    /// RFC 8445 §7.3.1.3: a remote candidate learned from a check.
    pub(super) fn learn_remote(
        &mut self,
        ctx: &mut Context,
        seen: Candidate,
        source: SocketAddr,
        priority: Option<u32>,
        replayed: bool,
    ) -> Option<usize> {
        let too_many = |generation: &Self| {
            let learned = generation.remotes.len().saturating_sub(generation.signalled.len());
            learned >= ctx.config.max_candidates
        };
        if too_many(self) {
            self.forget_unpaired();
            if too_many(self) && !replayed {
                self.forget_replayed();
            }
            if too_many(self) {
                tracing::debug!(%source, "too many peer-reflexive candidates");
                return None;
            }
        }
        // Nor are there new ones without end: see `Pair::checked_at`.
        if !replayed && self.learned_in_vain >= ctx.config.max_candidates {
            tracing::debug!(%source, "too many peer-reflexive candidates, and no answer");
            return None;
        }
        self.learned_in_vain += usize::from(!replayed);
        let default = || crate::candidate::priority(CandidateKind::PeerReflexive, 0, 1);
        let candidate = Candidate {
            foundation: ctx.rng.random::<u64>().to_string(),
            priority: priority.unwrap_or_else(default),
            kind: CandidateKind::PeerReflexive,
            ..seen
        };
        Some(self.insert_remote(candidate, Some(source), replayed))
    }

    /// Makes room: drops candidates whose pair has come to nothing and is gone.
    fn forget_unpaired(&mut self) {
        let (list, signalled) = (&self.list, &self.signalled);
        self.remotes.retain(|key, _| {
            signalled.contains(&key) || list.find(|pair| pair.remote == key).is_some()
        });
    }

    /// Makes room: drops one of the candidates that only replayed checks speak for.
    fn forget_replayed(&mut self) {
        let list = &self.list;
        let selected = self.selected.as_ref().and_then(|selected| list.get(selected.pair));
        let selected = selected.map(|pair| pair.remote);
        let idle = |key| {
            selected != Some(key)
                && list.find(|pair| pair.remote == key && pair.is_valid()).is_none()
        };
        let victim = self.remotes.iter().find(|(key, remote)| remote.replayed && idle(*key));
        if let Some(key) = victim.map(|(key, _)| key) {
            self.list.retain(|_, pair| pair.remote != key);
            self.remotes.remove(key);
        }
    }

    /// RFC 8445 §7.2.5.3.1: the local candidate that the peer sees, new if it was not known.
    pub(super) fn learn_local(
        &mut self,
        ctx: &Context,
        base: usize,
        mapped: SocketAddr,
    ) -> Option<usize> {
        let mapped = canonical(mapped);
        let base_candidate = self.locals.get(base)?;
        let is_active = base_candidate.tcp_type == Some(TcpType::Active);
        // The port of an active candidate says nothing: each connection has another one.
        let is_base = |address: SocketAddr| {
            same_address(address, mapped)
                || (is_active && address.ip().to_canonical() == mapped.ip())
        };
        if base_candidate.socket_addr().is_some_and(is_base) {
            return Some(base);
        }
        let known = |local: &Candidate| {
            local.is_reached_like(base_candidate)
                && local.socket_addr().is_some_and(|a| same_address(a, mapped))
        };
        if let Some(index) = self.locals.iter().position(known) {
            return Some(index);
        }
        if self.locals.len() >= ctx.config.max_candidates.saturating_mul(2) {
            tracing::debug!(%mapped, "too many local candidates");
            return Some(base);
        }
        let address = base_candidate.socket_addr()?;
        self.locals.push(Candidate {
            foundation: foundation(CandidateKind::PeerReflexive, address.ip(), ctx.salt),
            priority: peer_reflexive_priority(base_candidate.protocol, base_candidate.priority),
            address: CandidateAddress::Ip(mapped.ip()),
            port: mapped.port(),
            kind: CandidateKind::PeerReflexive,
            related: Some((address.ip(), address.port())),
            server: None,
            ..base_candidate.clone()
        });
        Some(self.locals.len() - 1)
    }

    pub(crate) fn local_candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.locals.iter().filter(|local| local.kind != CandidateKind::PeerReflexive)
    }

    pub(crate) fn remote_candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.signalled.iter().filter_map(|key| self.remotes.get(*key)).map(|r| &r.candidate)
    }

    /// Takes over the candidates of an older generation, for the peer has not changed its
    /// parameters.
    pub(crate) fn inherit_candidates(&mut self, ctx: &Context, now: Instant, older: &Self) {
        for candidate in older.remote_candidates() {
            if self.add_remote_candidate(ctx, now, candidate.clone()).is_err() {
                break;
            }
        }
        self.remote_done |= older.remote_done;
    }

    /// Whether new candidates make pairs: better ones until ICE is completed, and any when the
    /// selected pair is in trouble. RFC 8838 §12 discards candidates that come to a completed checklist;
    /// here they are kept until then.
    pub(super) fn is_pairing(&self, ctx: &Context) -> bool {
        self.remote.is_some()
            && self.retire_at.is_none()
            && !self.failed
            && self.selected.as_ref().is_none_or(|selected| {
                selected.recovering
                    || !self.completed
                    || (ctx.role == Some(Role::Controlling) && self.is_dead(selected.pair))
            })
    }

    pub(super) fn pair_all(&mut self, ctx: &Context) {
        for key in self.remote_keys() {
            for base in self.bases.clone() {
                self.pair_up(ctx, base, key);
            }
        }
    }

    /// RFC 8445 §6.1.2.2 to §6.1.2.5: makes the pair unless it makes no sense or exists.
    pub(super) fn pair_up(&mut self, ctx: &Context, base: LocalBase, key: usize) -> Option<PairId> {
        let remote = self.remotes.get(key)?;
        let to = base.destination(&remote.candidate, remote.address?)?;
        let existing = |p: &Pair| {
            (p.made_from == base.id || p.base == base.id) && same_address(p.destination, to)
        };
        if let Some(id) = self.list.find(existing) {
            return Some(id);
        }
        // draft-ietf-mmusic-mdns-ice-candidates §3.3.2: a TURN server would learn the address that
        // the peer hides.
        if base.id.relay.is_some() && matches!(remote.candidate.address, CandidateAddress::Name(_))
        {
            return None;
        }
        let local = self.locals.get(base.local)?;
        let role = ctx.role.unwrap_or(Role::Controlled);
        let priority = pair::priority(role, local.priority, remote.candidate.priority);
        let mut pair = Pair::new(base.id, base.local, key, to, priority);
        pair.link = base.link();
        pair.permitted = base.id.relay.is_none();
        pair.replayed = remote.replayed;
        let keep = self.selected.as_ref().map(|selected| selected.pair);
        let id = self.list.insert(pair, ctx.config.max_pairs, keep);
        if id.is_none() {
            tracing::debug!(remote = %remote.candidate, "too many pairs");
        }
        let (locals, remotes) = (&self.locals, &self.remotes);
        self.list.set_initial_state(id?, |pair| foundation_of(locals, remotes, pair));
        id
    }

    /// RFC 8445 §7.3.1.1: the role has changed, or a priority has become known.
    pub(crate) fn update_priorities(&mut self, ctx: &Context) {
        let role = ctx.role.unwrap_or(Role::Controlled);
        for (_, pair) in self.list.iter_mut() {
            if let (Some(local), Some(remote)) =
                (self.locals.get(pair.local), self.remotes.get(pair.remote))
            {
                pair.priority = pair::priority(role, local.priority, remote.candidate.priority);
            }
        }
    }
}

/// The foundation of a pair: RFC 8445 §6.1.2.6.
pub(super) fn foundation_of<'a>(
    locals: &'a [Candidate],
    remotes: &'a Slab<Remote>,
    pair: &Pair,
) -> (&'a str, &'a str) {
    (
        locals.get(pair.local).map_or("", |local| local.foundation.as_str()),
        remotes.get(pair.remote).map_or("", |remote| remote.candidate.foundation.as_str()),
    )
}
