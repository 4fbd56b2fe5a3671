//! Candidates from servers: RFC 8445 §5.1.1.2, RFC 8656; and what a relay needs to carry checks.

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;
use time::{Instant, earlier, later};
use turn::{Binding, BindingEvent, Client, FiveTuple, Protocol, ServerError};

use super::server_client::{ClientKind, Relay, ServerClient};
use super::{Context, Generation, Socket};
use crate::candidate::{
    Candidate, CandidateKind, canonical, destination, foundation_at, priority, relayed_priority,
};
use crate::event::{Base, Event, RelayId, SocketId};
use crate::pair::Pair;
use crate::server::{CandidateError, CandidateServer, Server, TransportPolicy};
use crate::state::GatheringState;

/// How many local preferences one socket has for the servers it asks.
const SERVERS_PER_SOCKET: usize = 64;

/// What a generation asks servers for.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    pub(crate) policy: TransportPolicy,
    list: Vec<Asked>,
    pub(crate) clients: Vec<ServerClient>,
    /// When the names are to be resolved at the latest.
    resolved_by: Option<Instant>,
    /// When the next client begins to ask: RFC 8445 §14.2 paces gathering too.
    next_start: Option<Instant>,
    /// The host binds no more sockets.
    host_done: bool,
}

/// A server of the configuration.
#[derive(Debug)]
struct Asked {
    server: Server,
    addresses: Addresses,
    /// Whether some socket asks it, or an error was reported.
    is_met: bool,
}

impl Asked {
    fn awaits_addresses(&self) -> bool {
        matches!(self.addresses, Addresses::Awaited)
    }
}

#[derive(Debug)]
enum Addresses {
    Awaited,
    Known(SmallVec<[IpAddr; 2]>),
    Failed,
}

/// What became of a client.
enum Outcome {
    Binding(BindingEvent),
    Relay(turn::Event),
}

impl Generation {
    /// Takes the servers of the configuration, and asks the host for addresses of their names.
    pub(crate) fn begin_servers(&mut self, ctx: &Context, now: Instant) {
        let mut list: Vec<Asked> = Vec::new();
        // Under relay-only a STUN server has nothing to offer, and DNS need not learn its name.
        let all = ctx.policy == TransportPolicy::All;
        for server in ctx.servers.iter().filter(|s| all || s.credentials.is_some()) {
            let addresses = match server.ip() {
                Some(ip) => Addresses::Known(SmallVec::from_iter([ip])),
                None => {
                    let host = &server.host;
                    if !list.iter().any(|asked| asked.server.host == *host) {
                        let (generation, host) = (self.id, host.clone());
                        self.events.push_back(Event::Resolve { generation, host });
                    }
                    Addresses::Awaited
                }
            };
            list.push(Asked { server: server.clone(), addresses, is_met: false });
        }
        self.servers = Servers {
            policy: ctx.policy,
            resolved_by: (!list.is_empty()).then(|| later(now, ctx.config.servers.deadline)),
            list,
            ..Servers::default()
        };
    }

    /// Takes the addresses of a name, or the reason why there are none.
    pub(crate) fn resolved(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        host: &str,
        addresses: Result<&[IpAddr], &str>,
    ) {
        let awaited = |asked: &Asked| asked.awaits_addresses() && asked.server.host == host;
        for index in 0..self.servers.list.len() {
            let Some(asked) = self.servers.list.get_mut(index).filter(|a| awaited(a)) else {
                continue;
            };
            match addresses {
                Ok(known) => {
                    asked.addresses = Addresses::Known(SmallVec::from_slice(known));
                    for socket in self.sockets.clone() {
                        self.ask_server(ctx, now, socket, index);
                    }
                }
                Err(why) => {
                    asked.addresses = Addresses::Failed;
                    asked.is_met = true;
                    let text = format!("{host}: {why}");
                    self.tell_error(None, index, ServerError::UNREACHABLE, text);
                }
            }
        }
    }

    /// A socket asks all servers that are known.
    pub(super) fn ask_servers(&mut self, ctx: &mut Context, now: Instant, socket: Socket) {
        for index in 0..self.servers.list.len() {
            self.ask_server(ctx, now, socket, index);
        }
    }

    /// RFC 8445 §5.1.1.2: asks at the first address of the server that the socket reaches.
    fn ask_server(&mut self, ctx: &mut Context, now: Instant, socket: Socket, index: usize) {
        let Some(asked) = self.servers.list.get_mut(index) else { return };
        let Addresses::Known(addresses) = &asked.addresses else { return };
        let port = asked.server.port;
        if port == 0 || !addresses.iter().any(|ip| is_of_one(*ip)) {
            asked.is_met = true;
            let text = "no server can have this address".to_owned();
            self.tell_error(Some(socket), index, ServerError::UNREACHABLE, text);
            return;
        }
        let candidates = addresses.iter().filter(|ip| is_of_one(**ip));
        let mut candidates = candidates.map(|ip| SocketAddr::new(*ip, port));
        let Some(address) = candidates.find_map(|server| reach(socket.address, server)) else {
            return;
        };
        asked.is_met = true;
        let config = ctx.config.servers.clone();
        self.add_client(ctx, now, socket, index, address, config);
    }

    fn add_client(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        socket: Socket,
        index: usize,
        address: SocketAddr,
        config: turn::Config,
    ) -> bool {
        let Some(asked) = self.servers.list.get(index) else { return false };
        let credentials = asked.server.credentials.clone();
        // A 5-tuple has one allocation, and a second question to a STUN server says nothing new.
        let is_relay = |client: &ServerClient| client.relay_id().is_some();
        let twice =
            |c: &ServerClient| c.is_at(socket.id, address) && is_relay(c) == credentials.is_some();
        if self.servers.clients.iter().any(twice) {
            tracing::debug!(%address, "a server is named twice");
            return false;
        }
        if self.servers.clients.len() >= ctx.config.max_server_clients {
            tracing::debug!(%address, "too many servers and sockets");
            let text = "too many servers and interfaces".to_owned();
            self.tell_error(Some(socket), index, ServerError::UNREACHABLE, text);
            return false;
        }
        let five_tuple =
            FiveTuple { local: socket.address, server: address, protocol: Protocol::Udp };
        let seed = ctx.seed();
        let kind = match credentials {
            None => ClientKind::Binding(Box::new(Binding::new(config, five_tuple, seed))),
            Some(credentials) => match Client::new(config, five_tuple, credentials, seed) {
                Ok(mut client) => {
                    if let Some(at) = ctx.released_at(address) {
                        client.set_released(at);
                    }
                    let id = ctx.relay_id();
                    ClientKind::Relay(Box::new(Relay { id, client, channel: None }))
                }
                Err(error) => {
                    let (code, text) = (ServerError::UNREACHABLE, error.to_string());
                    self.tell_error(Some(socket), index, code, text);
                    return false;
                }
            },
        };
        let start_at = self.servers.next_start.filter(|at| *at > now).unwrap_or(now);
        self.servers.next_start = Some(later(start_at, ctx.config.ta));
        let (server, start_at) = (index, Some(start_at));
        let client = ServerClient { socket, address, server, start_at, gathers: true, kind };
        self.servers.clients.push(client);
        true
    }

    /// The host binds no more sockets.
    pub(crate) fn host_done(&mut self) {
        self.servers.host_done = true;
    }

    /// Ends gathering when nothing is awaited any more, and reports servers that no socket asked.
    pub(crate) fn finish_gathering(&mut self) {
        if self.gathering != GatheringState::Gathering
            || !self.servers.host_done
            || self.servers.list.iter().any(Asked::awaits_addresses)
            || self.servers.clients.iter().any(|client| client.gathers)
        {
            return;
        }
        for index in 0..self.servers.list.len() {
            let asked = self.servers.list.get_mut(index);
            if asked.is_some_and(|asked| !std::mem::replace(&mut asked.is_met, true)) {
                let text = "no interface reaches an address of the server".to_owned();
                self.tell_error(None, index, ServerError::UNREACHABLE, text);
            }
        }
        self.gathering = GatheringState::Complete;
        let Some(username_fragment) = self.local_username_fragment().map(str::to_owned) else {
            return;
        };
        self.events.push_back(Event::EndOfCandidates { username_fragment });
    }

    fn tell_error(&mut self, socket: Option<Socket>, index: usize, code: u16, text: String) {
        let Some(asked) = self.servers.list.get(index) else { return };
        // webrtc-pc §4.8.3: an address that no candidate exposes is null.
        let exposed = self.servers.policy == TransportPolicy::All;
        let local = socket.filter(|_| exposed).map(|socket| socket.address);
        let error = CandidateError { local, url: asked.server.url.clone(), code, text };
        tracing::debug!(?error, "no candidate from a server");
        self.events.push_back(Event::CandidateError(error));
    }

    /// Does what is due at the clients, and takes their events.
    pub(crate) fn drive_servers(&mut self, ctx: &mut Context, now: Instant) {
        if self.servers.resolved_by.is_some_and(|at| now >= at) {
            self.servers.resolved_by = None;
            let awaited = self.servers.list.iter().filter(|asked| asked.awaits_addresses());
            let hosts: Vec<String> = awaited.map(|asked| asked.server.host.clone()).collect();
            for host in hosts {
                self.resolved(ctx, now, &host, Err("the name was not resolved in time"));
            }
        }
        for index in 0..self.servers.clients.len() {
            let Some(client) = self.servers.clients.get_mut(index) else { break };
            if client.start_at.is_some_and(|at| now >= at) {
                client.start(now);
            } else if client.poll_timeout().is_some_and(|at| now >= at) {
                client.handle_timeout(now);
            }
            while let Some(outcome) = self.next_outcome(index) {
                match outcome {
                    Outcome::Binding(event) => self.on_binding(ctx, now, index, event),
                    Outcome::Relay(event) => self.on_relay(ctx, now, index, event),
                }
            }
        }
    }

    fn next_outcome(&mut self, index: usize) -> Option<Outcome> {
        match &mut self.servers.clients.get_mut(index)?.kind {
            ClientKind::Binding(binding) => binding.poll_event().map(Outcome::Binding),
            ClientKind::Relay(relay) => relay.client.poll_event().map(Outcome::Relay),
        }
    }

    fn on_binding(&mut self, ctx: &mut Context, now: Instant, index: usize, event: BindingEvent) {
        let Some(client) = self.servers.clients.get_mut(index) else { return };
        client.gathers = false;
        let (socket, server) = (client.socket, client.server);
        match event {
            BindingEvent::Mapped(mapped) => self.add_server_reflexive(ctx, index, mapped),
            BindingEvent::Failed(error) => {
                self.tell_error(Some(socket), server, error.code, error.reason);
            }
            BindingEvent::AlternateServer(other) => {
                self.follow(ctx, now, socket, server, &other);
            }
        }
    }

    /// RFC 8489 §10.
    fn follow(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        socket: Socket,
        server: usize,
        other: &turn::AlternateServer,
    ) {
        let max_redirects = other.max_redirects;
        let config = turn::Config { max_redirects, ..ctx.config.servers.clone() };
        if !self.add_client(ctx, now, socket, server, other.server, config) {
            self.tell_error(Some(socket), server, 300, "Try Alternate".to_owned());
        }
    }

    fn on_relay(&mut self, ctx: &mut Context, now: Instant, index: usize, event: turn::Event) {
        let Some(client) = self.servers.clients.get_mut(index) else { return };
        let (socket, server) = (client.socket, client.server);
        let Some(id) = client.relay_id() else { return };
        match event {
            turn::Event::Allocated(allocated) => {
                if !std::mem::take(&mut client.gathers) {
                    return;
                }
                if self.servers.policy == TransportPolicy::All {
                    self.add_server_reflexive(ctx, index, allocated.mapped);
                }
                for relayed in allocated.relayed {
                    self.add_relayed(ctx, index, id, relayed, allocated.mapped);
                }
            }
            turn::Event::AllocateFailed(error) => {
                if std::mem::take(&mut client.gathers) {
                    self.tell_error(Some(socket), server, error.code, error.reason);
                } else {
                    self.relay_lost(id);
                }
            }
            turn::Event::AlternateServer(other) => {
                if std::mem::take(&mut client.gathers) {
                    self.follow(ctx, now, socket, server, &other);
                }
            }
            // The client would ask for another allocation. But its address would be another
            // candidate, and it is too late for that once gathering has ended. No browser allocates
            // again either.
            turn::Event::AllocationLost(error) => {
                tracing::debug!(%error, "a relay is lost");
                if let ClientKind::Relay(relay) = &mut client.kind {
                    relay.client.close(now);
                }
                self.relay_lost(id);
            }
            turn::Event::PermissionGranted { peer } => {
                for (_, pair) in self.list.iter_mut().filter(|(_, p)| p.base.relay == Some(id)) {
                    pair.permitted |= pair.destination.ip().to_canonical() == peer;
                }
            }
            turn::Event::PermissionDenied { peer, error } => {
                tracing::debug!(%peer, %error, "a relay does not reach a peer");
                for (_, pair) in self.list.iter_mut().filter(|(_, p)| p.base.relay == Some(id)) {
                    if pair.destination.ip().to_canonical() == peer {
                        pair.kill();
                    }
                }
            }
            turn::Event::ChannelBound { .. } | turn::Event::Closed => {}
            turn::Event::ChannelRefused { peer, error } => {
                tracing::debug!(%peer, %error, "packets go without a channel");
            }
        }
    }

    /// The allocation is gone: so are its pairs.
    fn relay_lost(&mut self, id: RelayId) {
        self.bases.retain(|base| base.id.relay != Some(id));
        for (_, pair) in self.list.iter_mut().filter(|(_, pair)| pair.base.relay == Some(id)) {
            pair.kill();
        }
    }

    // ----- candidates

    /// RFC 8445 §5.1.1.2. Its base is the socket, so the candidate makes no pair of its own
    /// (§6.1.2.4).
    fn add_server_reflexive(&mut self, ctx: &Context, index: usize, mapped: SocketAddr) {
        let Some(client) = self.servers.clients.get(index) else { return };
        let base = client.socket.address;
        let mapped = canonical(mapped);
        if mapped.ip().is_ipv4() != base.ip().to_canonical().is_ipv4() {
            tracing::debug!(%mapped, "a mapped address of the other family");
            return;
        }
        let kind = CandidateKind::ServerReflexive;
        let Some(server) = self.origin(client, None) else { return };
        let candidate = Candidate {
            foundation: foundation_at(kind, base.ip(), Some(client.address.ip()), ctx.salt),
            priority: priority(kind, local_preference(client), 1),
            kind,
            related: Some((base.ip().to_canonical(), base.port())),
            server: Some(server),
            ..Candidate::udp(mapped)
        };
        self.announce(ctx, candidate);
    }

    /// RFC 8445 §5.1.1.2 and RFC 8656: the candidate is its own base.
    fn add_relayed(
        &mut self,
        ctx: &Context,
        index: usize,
        id: RelayId,
        relayed: SocketAddr,
        mapped: SocketAddr,
    ) {
        let Some(client) = self.servers.clients.get(index) else { return };
        let (socket, protocol) = (client.socket, Protocol::Udp);
        let kind = CandidateKind::Relayed;
        let Some(server) = self.origin(client, Some(protocol)) else { return };
        // RFC 8839 §5.1 has the mapped address here. The policy `relay` hides it, as in Chromium.
        let hidden = SocketAddr::new(unspecified(relayed.ip()), 0);
        let related = match self.servers.policy {
            TransportPolicy::All => mapped,
            TransportPolicy::Relay => hidden,
        };
        let candidate = Candidate {
            foundation: foundation_at(kind, relayed.ip(), Some(client.address.ip()), ctx.salt),
            priority: relayed_priority(protocol, local_preference(client)),
            kind,
            related: Some((related.ip().to_canonical(), related.port())),
            server: Some(server),
            ..Candidate::udp(relayed)
        };
        if let Some(local) = self.announce(ctx, candidate) {
            let base = Base { socket: socket.id, relay: Some(id) };
            self.add_base(ctx, base, relayed, local);
        }
    }

    fn origin(
        &self,
        client: &ServerClient,
        relay_protocol: Option<Protocol>,
    ) -> Option<CandidateServer> {
        let url = self.servers.list.get(client.server)?.server.url.clone();
        Some(CandidateServer { url, relay_protocol })
    }

    /// Announces a candidate that is not redundant (RFC 8445 §5.1.3), while there is time.
    /// Returns its index.
    fn announce(&mut self, ctx: &Context, candidate: Candidate) -> Option<usize> {
        let learnt = |local: &Candidate| local.kind == CandidateKind::PeerReflexive;
        let redundant = |local: &Candidate| !learnt(local) && local.is_redundant_with(&candidate);
        if self.gathering != GatheringState::Gathering || self.locals.iter().any(redundant) {
            tracing::debug!(%candidate, "redundant or late local candidate");
            return None;
        }
        let known = self.locals.iter().position(|l| learnt(l) && l.is_redundant_with(&candidate));
        let index = match known {
            // The peer has seen it before the server's answer came.
            Some(index) => {
                *self.locals.get_mut(index)? = candidate.clone();
                index
            }
            None if self.locals.len() >= ctx.config.max_candidates.saturating_mul(2) => {
                tracing::debug!(%candidate, "too many local candidates");
                return None;
            }
            None => {
                self.locals.push(candidate.clone());
                self.locals.len() - 1
            }
        };
        let username_fragment = self.local_username_fragment()?.to_owned();
        self.events.push_back(Event::LocalCandidate { username_fragment, candidate });
        Some(index)
    }

    // ----- pairs through relays

    /// RFC 8656 §9: a permission for each peer before its checks; a channel for the pair that
    /// carries the data.
    pub(crate) fn serve_pairs(&mut self, now: Instant) {
        if self.servers.clients.is_empty() {
            return;
        }
        let selected = self.path().filter(|_| self.retire_at.is_none());
        let list = &mut self.list;
        for client in &mut self.servers.clients {
            let ClientKind::Relay(relay) = &mut client.kind else { continue };
            let relay_id = Some(relay.id);
            let waits = |p: &Pair| p.base.relay == relay_id && !p.permitted && !p.dead;
            for id in list.ids() {
                let Some(pair) = list.get_mut(id).filter(|pair| waits(pair)) else { continue };
                let peer = pair.destination.ip();
                pair.permitted = relay.client.is_permitted(now, peer);
                if !pair.permitted
                    && let Err(error) = relay.client.create_permission(now, peer)
                {
                    tracing::debug!(%peer, %error, "no permission is asked for");
                    pair.kill();
                }
            }
            if self.retire_at.is_some() {
                continue;
            }
            let peer = selected.filter(|path| path.base.relay == relay_id);
            let peer = peer.map(|path| path.remote);
            if peer == relay.channel {
                continue;
            }
            if let Some(before) = std::mem::replace(&mut relay.channel, peer) {
                relay.client.release_channel(now, before);
            }
            if let Some(peer) = peer
                && let Err(error) = relay.client.bind_channel(now, peer)
            {
                tracing::debug!(%peer, %error, "no channel is asked for");
            }
        }
    }

    pub(crate) fn relay_mut(&mut self, id: RelayId) -> Option<&mut ServerClient> {
        self.servers.clients.iter_mut().find(|client| client.relay_id() == Some(id))
    }

    /// The socket died: drops the clients that asked from it.
    pub(super) fn drop_clients(&mut self, socket: SocketId) {
        self.servers.clients.retain(|client| client.socket.id != socket);
    }

    /// When a client has something to do.
    pub(crate) fn servers_deadline(&self) -> Option<Instant> {
        let awaits = self.servers.list.iter().any(Asked::awaits_addresses);
        let mut deadline = self.servers.resolved_by.filter(|_| awaits);
        for client in &self.servers.clients {
            earlier(&mut deadline, client.poll_timeout());
        }
        deadline
    }
}

/// Where this socket address reaches a server, if it does.
fn reach(from: SocketAddr, server: SocketAddr) -> Option<SocketAddr> {
    // Every address of this machine reaches a server on the same machine.
    if server.ip().is_loopback() && server.is_ipv4() == from.is_ipv4() {
        return Some(server);
    }
    destination(from, server)
}

/// Whether this is the address of one machine. Requests go to no other, whatever DNS says.
fn is_of_one(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let everybody = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast() || ip.octets()[0] == 0);
    !everybody && !ip.is_unspecified() && !ip.is_multicast()
}

fn local_preference(client: &ServerClient) -> u16 {
    let rank = usize::from(client.socket.rank).saturating_mul(SERVERS_PER_SOCKET);
    let below = rank.saturating_add(client.server.min(SERVERS_PER_SOCKET - 1));
    u16::MAX.saturating_sub(u16::try_from(below).unwrap_or(u16::MAX))
}

fn unspecified(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}
