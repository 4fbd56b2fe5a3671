//! Connections to the peer: RFC 6544. A listener gives a passive and an active candidate. What
//! opens a connection is the first check of a pair; what accepts one is the host.

use std::net::SocketAddr;

use bytes::Bytes;
use smallvec::SmallVec;
use time::{Duration, Instant, earlier, later};
use turn::is_of_one;

use super::{Context, Generation, LocalBase, Reach};
use crate::candidate::{
    Candidate, CandidateKind, TcpType, destination, foundation_at, tcp_priority,
};
use crate::event::{Base, ConnectionId, Event, SocketId};
use crate::framing::Incoming;
use crate::pair::{Link, PairId, PairState};
use crate::server::TransportPolicy;

/// How long an accepted connection may take to bring a check of the peer. The peer sends one as
/// soon as it has connected; TCP may have to send it a few times.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// Most accepted connections on which no check of the peer has come yet.
pub(crate) const MAX_STRANGERS: usize = 16;
/// No check is longer.
const MAX_CHECK: usize = 2048;

/// What a generation has of TCP.
#[derive(Debug, Default)]
pub(super) struct Tcp {
    listeners: Vec<Listener>,
    /// Connections that the host opens.
    opening: Vec<Opening>,
    connections: Vec<Connection>,
}

#[derive(Debug, Clone, Copy)]
struct Listener {
    id: SocketId,
    address: SocketAddr,
    /// Index of its passive candidate among the local ones, once that is announced.
    passive: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Opening {
    id: ConnectionId,
    /// When it is given up.
    until: Instant,
}

/// An open connection to the peer, or to whoever has connected.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: SocketId,
    /// The other end.
    pub(crate) remote: SocketAddr,
    /// When it is closed, unless a check of the peer comes. `None` if this side has opened it, or
    /// the check has come.
    stranger_until: Option<Instant>,
    pub(crate) incoming: Incoming,
}

/// A connection carries what no peer sends before its first check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no check is first on a connection")]
pub(crate) struct NoCheck;

impl Connection {
    /// The next packet, or an error if whoever sends it is not the peer.
    pub(crate) fn next_packet(&mut self) -> Result<Option<Bytes>, NoCheck> {
        if self.stranger_until.is_some() {
            let is_long = self.incoming.next_length().is_some_and(|length| length > MAX_CHECK);
            let is_stun = self.incoming.peek().is_none_or(|first| first <= 3);
            if is_long || !is_stun {
                return Err(NoCheck);
            }
        }
        Ok(self.incoming.next_packet())
    }
}

impl Generation {
    // ----- candidates of this side

    /// Takes a listener. Returns whether it is of use.
    pub(crate) fn add_listener(
        &mut self,
        ctx: &Context,
        id: SocketId,
        address: SocketAddr,
    ) -> bool {
        let usable = is_of_one(address.ip()) && address.port() != 0;
        let hidden = self.servers.policy == TransportPolicy::Relay;
        if !usable || hidden || self.tcp.listeners.len() >= ctx.config.max_candidates {
            return false;
        }
        self.tcp.listeners.push(Listener { id, address, passive: None });
        if self.servers.host_done {
            self.announce_listeners(ctx);
        }
        true
    }

    /// RFC 6544 §4.1, §5.1: a passive and an active candidate for each listener. A host that
    /// listens can connect, too. They come behind those of UDP, which are more likely to work.
    pub(crate) fn announce_listeners(&mut self, ctx: &Context) {
        let Some(username_fragment) = self.username_fragment_of_candidates() else {
            return;
        };
        // RFC 6544 §4.5: the port of an active candidate says nothing.
        const DISCARD: u16 = 9;
        for index in 0..self.tcp.listeners.len() {
            let Some(listener) = self.tcp.listeners.get(index).copied() else { return };
            let rank = u16::try_from(index).unwrap_or(u16::MAX);
            let ip = listener.address.ip().to_canonical();
            for tcp_type in [TcpType::Active, TcpType::Passive] {
                let mut address = listener.address;
                if tcp_type == TcpType::Active {
                    address.set_port(DISCARD);
                }
                let (kind, over) = (CandidateKind::Host, turn::Protocol::Tcp);
                let candidate = Candidate {
                    foundation: foundation_at(kind, ip, None, over, ctx.salt),
                    priority: tcp_priority(tcp_type, rank),
                    ..Candidate::tcp(address, tcp_type)
                };
                if self.locals.iter().any(|local| local.is_redundant_with(&candidate)) {
                    continue;
                }
                self.locals.push(candidate.clone());
                let local = self.locals.len() - 1;
                let username_fragment = username_fragment.clone();
                self.events.push_back(Event::LocalCandidate { username_fragment, candidate });
                if tcp_type == TcpType::Active {
                    let id = Base::from(listener.id);
                    self.add_base(ctx, LocalBase { id, address, local, reach: Reach::Opens });
                } else if let Some(listener) = self.tcp.listeners.get_mut(index) {
                    listener.passive = Some(local);
                }
            }
        }
    }

    // ----- connections

    pub(crate) fn has_listener(&self, id: SocketId) -> bool {
        self.tcp.listeners.iter().any(|listener| listener.id == id)
    }

    pub(crate) fn has_peer_connection(&self, id: SocketId) -> bool {
        self.tcp.connections.iter().any(|connection| connection.socket == id)
    }

    pub(crate) fn peer_connection_mut(&mut self, id: SocketId) -> Option<&mut Connection> {
        self.tcp.connections.iter_mut().find(|connection| connection.socket == id)
    }

    /// The listeners and the connections to peers; the generation has them no more.
    pub(super) fn take_tcp(&mut self) -> impl Iterator<Item = SocketId> + use<> {
        let tcp = std::mem::take(&mut self.tcp);
        let listeners = tcp.listeners.into_iter().map(|listener| listener.id);
        listeners.chain(tcp.connections.into_iter().map(|connection| connection.socket))
    }

    /// RFC 6544 §7.1: the first check of the pair is due, so its connection is asked for.
    pub(super) fn open_connection(&mut self, ctx: &mut Context, now: Instant, id: PairId) {
        let Some(pair) = self.list.get_mut(id) else { return };
        let Some(base) = self.bases.iter().find(|base| base.id == pair.base) else {
            pair.state = PairState::Failed;
            return;
        };
        let (local, remote) = (base.address.ip(), pair.destination);
        let connection = ctx.connection_id();
        pair.link = Link::Opening(connection);
        pair.state = PairState::InProgress;
        let until = later(now, ctx.config.servers.deadline);
        self.tcp.opening.push(Opening { id: connection, until });
        let generation = self.id;
        self.events.push_back(Event::Connect { generation, connection, local, remote, tls: None });
    }

    /// Takes a connection that a pair has asked for, or the reason why there is none. Returns
    /// whether the connection is of use; nothing if no pair has asked for it.
    pub(super) fn peer_connected(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        id: ConnectionId,
        opened: Result<(SocketId, SocketAddr), &str>,
    ) -> Option<bool> {
        let index = self.tcp.opening.iter().position(|opening| opening.id == id)?;
        self.tcp.opening.remove(index);
        let Some(pair_id) = self.list.find(|pair| pair.link == Link::Opening(id)) else {
            return Some(false);
        };
        let (socket, address) = match opened {
            Ok(opened) => opened,
            Err(why) => {
                self.not_opened(pair_id, why);
                return Some(false);
            }
        };
        let pair = self.list.get_mut(pair_id)?;
        let (local, remote, base) = (pair.local, pair.destination, Base::from(socket));
        pair.base = base;
        pair.link = Link::Open;
        pair.state = PairState::Waiting;
        self.bases.push(LocalBase { id: base, address, local, reach: Reach::Connected(remote) });
        self.keep_connection(ctx, socket, remote, None);
        // Its turn came when the connection was asked for.
        if self.is_running(ctx) {
            self.start_check(ctx, now, pair_id);
        }
        Some(true)
    }

    fn not_opened(&mut self, id: PairId, why: &str) {
        let Some(pair) = self.list.get_mut(id) else { return };
        tracing::debug!(remote = %pair.destination, why, "no connection to the peer");
        pair.link = Link::ToOpen;
        pair.state = PairState::Failed;
    }

    /// Takes a connection that somebody has opened to a listener. Returns whether it is of use.
    pub(crate) fn accepted(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        listener: SocketId,
        socket: SocketId,
        remote: SocketAddr,
    ) -> bool {
        let listener = self.tcp.listeners.iter().find(|known| known.id == listener).copied();
        let Some(Listener { address, passive: Some(local), .. }) = listener else { return false };
        let usable =
            is_of_one(remote.ip()) && remote.port() != 0 && destination(address, remote).is_some();
        if !usable || self.retire_at.is_some() || self.failed {
            return false;
        }
        // Whoever holds connections open keeps nobody out for longer than a check takes.
        let strangers = self.tcp.connections.iter().filter(|c| c.stranger_until.is_some());
        if strangers.clone().count() >= MAX_STRANGERS
            && let Some(oldest) = strangers.min_by_key(|c| c.stranger_until).map(|c| c.socket)
        {
            tracing::debug!("too many connections without a check");
            self.close_connection(ctx, oldest);
        }
        let (id, reach) = (Base::from(socket), Reach::Connected(remote));
        self.bases.push(LocalBase { id, address, local, reach });
        self.keep_connection(ctx, socket, remote, Some(later(now, INTRODUCTION)));
        true
    }

    fn keep_connection(
        &mut self,
        ctx: &mut Context,
        socket: SocketId,
        remote: SocketAddr,
        stranger_until: Option<Instant>,
    ) {
        ctx.connections.push(socket);
        let incoming = Incoming::default();
        self.tcp.connections.push(Connection { socket, remote, stranger_until, incoming });
    }

    /// A check of the peer has come on this base.
    pub(super) fn introduce(&mut self, base: Base) {
        if let Some(connection) = self.peer_connection_mut(base.socket) {
            connection.stranger_until = None;
        }
    }

    // ----- their end

    /// A listener or a connection to the peer has ended: so have its pairs.
    pub(super) fn tcp_closed(&mut self, ctx: &mut Context, socket: SocketId) {
        self.tcp.listeners.retain(|listener| listener.id != socket);
        self.tcp.connections.retain(|connection| connection.socket != socket);
        ctx.connections.retain(|known| *known != socket);
        self.drop_base(socket);
    }

    fn close_connection(&mut self, ctx: &mut Context, socket: SocketId) {
        self.tcp_closed(ctx, socket);
        self.events.push_back(Event::CloseSocket(socket));
    }

    /// Gives up connections that do not open, and closes those of which nothing more can come.
    pub(crate) fn tend_connections(&mut self, ctx: &mut Context, now: Instant) {
        let late = self.tcp.opening.iter().filter(|opening| now >= opening.until);
        for id in late.map(|opening| opening.id).collect::<SmallVec<[ConnectionId; 2]>>() {
            if let Some(pair) = self.list.find(|pair| pair.link == Link::Opening(id)) {
                self.not_opened(pair, "no connection in time");
            }
        }
        let list = &self.list;
        let awaited = |id| list.find(|pair| pair.link == Link::Opening(id)).is_some();
        self.tcp.opening.retain(|opening| awaited(opening.id));
        let idle = self.tcp.connections.iter().filter(|c| !self.is_needed(c, now));
        for socket in idle.map(|c| c.socket).collect::<SmallVec<[SocketId; 2]>>() {
            self.close_connection(ctx, socket);
        }
    }

    fn is_needed(&self, connection: &Connection, now: Instant) -> bool {
        let base = Base::from(connection.socket);
        match connection.stranger_until {
            Some(until) => now < until,
            None => {
                self.early.iter().any(|check| check.base == base)
                    || self.list.find(|pair| pair.base == base && pair.is_of_use()).is_some()
            }
        }
    }

    /// When [`tend_connections`](Self::tend_connections) has something to do.
    pub(super) fn connections_deadline(&self) -> Option<Instant> {
        let mut deadline = self.tcp.opening.iter().map(|opening| opening.until).min();
        for connection in &self.tcp.connections {
            earlier(&mut deadline, connection.stranger_until);
        }
        deadline
    }
}
