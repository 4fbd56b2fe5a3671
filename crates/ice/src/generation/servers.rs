//! Asks servers: which, from which sockets, and when. Reports servers that give no candidate:
//! RFC 8445 §5.1.1.2, RFC 8489 §8.1, webrtc-pc §4.8.3.

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;
use time::{Duration, Instant, earlier, later};
use turn::{
    AlternateServer, Binding, BindingEvent, Client, FiveTuple, Protocol, ServerError, is_of_one,
    same_address,
};

use super::server_client::{Addresses, ClientKind, End, Relay, ServerClient, Urls};
use super::{Context, Generation, Socket};
use crate::candidate::destination;
use crate::event::{Event, NameOf, RelayId, SocketId};
use crate::server::{CandidateError, Server, TransportPolicy};
use crate::state::GatheringState;

/// A socket tries at most this many addresses of a name. Each gets an equal share of the time: of
/// 10 s enough for three requests.
const ADDRESSES: usize = 4;

/// What a generation asks servers for.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    pub(crate) policy: TransportPolicy,
    pub(super) list: Vec<Asked>,
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
pub(super) struct Asked {
    pub(super) server: Server,
    addresses: Known,
    /// The time that each of its addresses is given.
    share: Duration,
    /// The server has answered some socket, be it with a refusal.
    is_reached: bool,
    /// Why the sockets that have asked did not reach it.
    unreached: Option<Unreached>,
    /// No more errors are reported for it.
    is_settled: bool,
}

impl Asked {
    fn awaits_addresses(&self) -> bool {
        matches!(self.addresses, Known::NotYet)
    }
}

/// The addresses of a server.
#[derive(Debug)]
enum Known {
    NotYet,
    Are(SmallVec<[IpAddr; 2]>),
    Failed,
}

/// A server that did not answer.
#[derive(Debug)]
struct Unreached {
    /// The socket, if only one has asked.
    from: Option<SocketId>,
    local: SocketAddr,
    text: String,
}

/// Why a server is not asked.
enum Refused {
    /// The socket asks there already: this client.
    Twice(usize),
    /// For other reasons.
    Because(String),
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
                Some(ip) => Known::Are(SmallVec::from_iter([ip])),
                None => {
                    let host = &server.host;
                    if !list.iter().any(|asked| asked.server.host == *host) {
                        let (generation, host) = (self.id, host.clone());
                        let of = NameOf::Server;
                        self.events.push_back(Event::Resolve { generation, of, host });
                    }
                    Known::NotYet
                }
            };
            list.push(Asked {
                server: server.clone(),
                addresses,
                share: ctx.config.servers.deadline,
                is_reached: false,
                unreached: None,
                is_settled: false,
            });
        }
        self.servers = Servers {
            policy: ctx.policy,
            resolved_by: (!list.is_empty()).then(|| later(now, ctx.config.servers.deadline)),
            list,
            ..Servers::default()
        };
    }

    /// Takes the addresses of a server's name, or the reason why there are none.
    pub(crate) fn server_resolved(
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
                    let known = known.iter().map(IpAddr::to_canonical);
                    asked.addresses = Known::Are(known.collect());
                    for socket in self.sockets.clone() {
                        self.ask_server(ctx, now, socket, index);
                    }
                }
                Err(why) => {
                    asked.addresses = Known::Failed;
                    asked.is_settled = true;
                    let text = format!("host lookup of {host} failed: {why}");
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

    /// RFC 8489 §8.1: asks the addresses of the server that the socket reaches, one after another
    /// until one answers. Asking all at once would allocate at each.
    fn ask_server(&mut self, ctx: &mut Context, now: Instant, socket: Socket, index: usize) {
        let Some(asked) = self.servers.list.get_mut(index) else { return };
        let Known::Are(addresses) = &asked.addresses else { return };
        let port = asked.server.port;
        if port == 0 || !addresses.iter().any(|ip| is_of_one(*ip)) {
            self.note_unreached(index, socket, "no server can have this address".to_owned());
            return;
        }
        let of_one = addresses.iter().filter(|ip| is_of_one(**ip));
        let mut known: Addresses = SmallVec::new();
        for server in of_one.map(|ip| SocketAddr::new(*ip, port)) {
            let reached = reach(socket.address, server).map(|at| (index, at));
            let new = reached.filter(|at| known.len() < ADDRESSES && !known.contains(at));
            known.extend(new);
        }
        let addresses = u32::try_from(known.len()).unwrap_or(1).max(1);
        asked.share = ctx.config.servers.deadline / addresses;
        // The last is the next.
        known.reverse();
        self.ask_next(ctx, now, socket, known);
    }

    /// Whether a server has answered this socket.
    fn has_answered(&self, socket: SocketId, index: usize) -> bool {
        let mut clients = self.servers.clients.iter().filter(|c| c.socket.id == socket);
        clients.any(|c| c.urls.contains(&index) && matches!(c.end, Some(End::Reached)))
    }

    /// Asks at the next address that is left.
    fn ask_next(&mut self, ctx: &mut Context, now: Instant, socket: Socket, mut left: Addresses) {
        while let Some((index, address)) = left.pop() {
            if self.has_answered(socket.id, index) {
                continue;
            }
            let Some(asked) = self.servers.list.get(index) else { continue };
            let config = turn::Config { deadline: asked.share, ..ctx.config.servers.clone() };
            let urls = Urls::from_iter([index]);
            match self.add_client(ctx, now, socket, urls, address, left.clone(), config) {
                Ok(()) => return,
                Err(Refused::Because(why)) => self.note_unreached(index, socket, why),
                Err(Refused::Twice(other)) => {
                    tracing::debug!(%address, "a server is named twice");
                    if self.join(other, index, &left) {
                        return;
                    }
                }
            }
        }
    }

    /// Leaves a server to the client that asks, or has asked, at its address. Returns whether that
    /// client, or the one to which it was redirected, answers for the server; else the next address
    /// is to be tried.
    fn join(&mut self, mut client: usize, index: usize, left: &Addresses) -> bool {
        // Each redirect has a client of its own.
        for _ in 0..=self.servers.clients.len() {
            let Some(other) = self.servers.clients.get_mut(client) else { return false };
            if !other.urls.contains(&index) {
                other.urls.push(index);
            }
            let (socket, is_relay) = (other.socket, other.relay_id().is_some());
            match other.end.clone() {
                None => {
                    // The other goes on where this one would.
                    let new = left.iter().filter(|address| !other.left.contains(address));
                    let new: Addresses = new.copied().collect();
                    other.left.insert_many(0, new);
                    return true;
                }
                Some(End::Reached) => {
                    self.note_reached(index);
                    return true;
                }
                Some(End::Unreached(text)) => {
                    self.note_unreached(index, socket, text);
                    return false;
                }
                Some(End::Redirected(to)) => {
                    let mut clients = self.servers.clients.iter();
                    let is_it = |c: &ServerClient| {
                        c.is_at(socket.id, to) && c.relay_id().is_some() == is_relay
                    };
                    let Some(next) = clients.position(is_it) else { return false };
                    client = next;
                }
            }
        }
        false
    }

    #[expect(clippy::too_many_arguments, reason = "who asks whom, and how")]
    fn add_client(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        socket: Socket,
        urls: Urls,
        address: SocketAddr,
        left: Addresses,
        config: turn::Config,
    ) -> Result<(), Refused> {
        let refused = |why: &str| Err(Refused::Because(why.to_owned()));
        let Some(&server) = urls.first() else { return refused("no such server") };
        let Some(asked) = self.servers.list.get(server) else { return refused("no such server") };
        let credentials = asked.server.credentials.clone();
        // A 5-tuple has one allocation, and a second question to a STUN server says nothing new.
        let is_relay = |client: &ServerClient| client.relay_id().is_some();
        let twice =
            |c: &ServerClient| c.is_at(socket.id, address) && is_relay(c) == credentials.is_some();
        if let Some(other) = self.servers.clients.iter().position(twice) {
            return Err(Refused::Twice(other));
        }
        let in_use = self.servers.clients.iter().filter(|client| client.is_in_use()).count();
        if in_use >= ctx.config.max_server_clients {
            return refused("too many servers and interfaces");
        }
        let five_tuple =
            FiveTuple { local: socket.address, server: address, protocol: Protocol::Udp };
        let seed = ctx.seed();
        let kind = match credentials {
            None => ClientKind::Binding(Box::new(Binding::new(config.clone(), five_tuple, seed))),
            Some(credentials) => match Client::new(config.clone(), five_tuple, credentials, seed) {
                Ok(mut client) => {
                    if let Some(at) = ctx.released_at(address) {
                        client.set_released(at);
                    }
                    let id = ctx.relay_id();
                    ClientKind::Relay(Box::new(Relay { id, client, channel: None }))
                }
                Err(error) => return Err(Refused::Because(error.to_string())),
            },
        };
        let start_at = self.servers.next_start.filter(|at| *at > now).unwrap_or(now);
        self.servers.next_start = Some(later(start_at, ctx.config.ta));
        self.servers.clients.push(ServerClient {
            socket,
            address,
            server,
            urls,
            left,
            config,
            start_at: Some(start_at),
            gathers: true,
            end: None,
            kind,
        });
        Ok(())
    }

    /// The host binds no more sockets.
    pub(crate) fn host_done(&mut self) {
        self.servers.host_done = true;
    }

    /// Tells what there is to tell, and ends gathering when nothing is awaited any more.
    pub(crate) fn finish_gathering(&mut self) {
        if self.gathering != GatheringState::Gathering || !self.servers.host_done {
            return;
        }
        self.tell_unreached();
        if self.servers.list.iter().any(Asked::awaits_addresses)
            || self.servers.clients.iter().any(|client| client.gathers)
        {
            return;
        }
        self.gathering = GatheringState::Complete;
        let Some(username_fragment) = self.local_username_fragment().map(str::to_owned) else {
            return;
        };
        self.events.push_back(Event::EndOfCandidates { username_fragment });
    }

    /// webrtc-pc §4.8.3: 701 is "only fired once per server URL", and "if no host candidate can
    /// reach the server": so not before every socket has tried.
    fn tell_unreached(&mut self) {
        for index in 0..self.servers.list.len() {
            let clients = &self.servers.clients;
            let Some(asked) = self.servers.list.get_mut(index) else { return };
            let mut waits = clients.iter().filter(|client| client.gathers);
            if asked.is_settled
                || asked.awaits_addresses()
                || waits.any(|client| client.may_ask(index))
            {
                continue;
            }
            asked.is_settled = true;
            if asked.is_reached {
                continue;
            }
            let (local, text) = match asked.unreached.take() {
                Some(unreached) => (unreached.from.map(|_| unreached.local), unreached.text),
                None => (None, "no interface reaches an address of the server".to_owned()),
            };
            self.tell_error(local, index, ServerError::UNREACHABLE, text);
        }
    }

    /// A socket did not reach a server.
    fn note_unreached(&mut self, index: usize, socket: Socket, text: String) {
        let Some(asked) = self.servers.list.get_mut(index) else { return };
        tracing::debug!(url = asked.server.url, socket = %socket.address, text, "not reached");
        match &mut asked.unreached {
            Some(unreached) => unreached.from = unreached.from.filter(|from| *from == socket.id),
            none => *none = Some(Unreached { from: Some(socket.id), local: socket.address, text }),
        }
    }

    /// A server has answered a socket.
    fn note_reached(&mut self, index: usize) {
        if let Some(asked) = self.servers.list.get_mut(index) {
            asked.is_reached = true;
        }
    }

    /// A client has an answer, whatever it says.
    fn on_reached(&mut self, ctx: &mut Context, now: Instant, client: usize) {
        let Some(reached) = self.servers.clients.get(client) else { return };
        for url in reached.urls.clone() {
            self.note_reached(url);
        }
        self.go_on(ctx, now, client, End::Reached);
    }

    /// A client has ended: its socket asks at the addresses that are left.
    fn go_on(&mut self, ctx: &mut Context, now: Instant, client: usize, end: End) {
        let Some(ended) = self.servers.clients.get_mut(client) else { return };
        ended.end = Some(end);
        let (socket, left) = (ended.socket, std::mem::take(&mut ended.left));
        self.ask_next(ctx, now, socket, left);
    }

    /// A client has asked in vain.
    fn on_failure(&mut self, ctx: &mut Context, now: Instant, client: usize, error: ServerError) {
        let Some(failed) = self.servers.clients.get(client) else { return };
        let (socket, urls) = (failed.socket, failed.urls.clone());
        if error.code != ServerError::UNREACHABLE {
            self.on_reached(ctx, now, client);
            self.tell_refusal(socket, &urls, error.code, &error.reason);
            return;
        }
        for url in urls {
            self.note_unreached(url, socket, error.reason.clone());
        }
        self.go_on(ctx, now, client, End::Unreached(error.reason));
    }

    /// Reports what a server has answered to the question of these servers, once for each URL.
    fn tell_refusal(&mut self, socket: Socket, urls: &Urls, code: u16, text: &str) {
        let url = |index: &usize| self.servers.list.get(*index).map(|a| a.server.url.as_str());
        let is_first = |(at, index): &(usize, &usize)| {
            !urls.iter().take(*at).any(|other| url(other) == url(index))
        };
        let once: Urls = urls.iter().enumerate().filter(is_first).map(|(_, i)| *i).collect();
        for index in once {
            self.tell_error(Some(socket.address), index, code, text.to_owned());
        }
    }

    fn tell_error(&mut self, local: Option<SocketAddr>, index: usize, code: u16, text: String) {
        let Some(asked) = self.servers.list.get(index) else { return };
        let told = |other: &Asked| other.is_settled && other.server.url == asked.server.url;
        if code == ServerError::UNREACHABLE && self.servers.list.iter().take(index).any(told) {
            tracing::debug!(url = asked.server.url, text, "a URL that is there twice");
            return;
        }
        let Some(username_fragment) = self.local_username_fragment().map(str::to_owned) else {
            return;
        };
        // webrtc-pc §4.8.3: an address that no candidate exposes is null.
        let local = local.filter(|_| self.servers.policy == TransportPolicy::All);
        let error = CandidateError { local, url: asked.server.url.clone(), code, text };
        tracing::debug!(?error, "no candidate from a server");
        self.events.push_back(Event::CandidateError { username_fragment, error });
    }

    /// Does what is due at the clients, and takes their events.
    pub(crate) fn drive_servers(&mut self, ctx: &mut Context, now: Instant) {
        if self.servers.resolved_by.is_some_and(|at| now >= at) {
            self.servers.resolved_by = None;
            let awaited = self.servers.list.iter().filter(|asked| asked.awaits_addresses());
            let hosts: Vec<String> = awaited.map(|asked| asked.server.host.clone()).collect();
            for host in hosts {
                self.server_resolved(ctx, now, &host, Err("the name was not resolved in time"));
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
        match event {
            BindingEvent::Mapped(mapped) => {
                self.on_reached(ctx, now, index);
                self.add_server_reflexive(ctx, index, mapped);
            }
            BindingEvent::Failed(error) => self.on_failure(ctx, now, index, error),
            BindingEvent::AlternateServer(other) => self.follow(ctx, now, index, &other),
        }
    }

    /// RFC 8489 §10.
    fn follow(&mut self, ctx: &mut Context, now: Instant, index: usize, other: &AlternateServer) {
        let Some(client) = self.servers.clients.get_mut(index) else { return };
        let (socket, urls) = (client.socket, client.urls.clone());
        let config = turn::Config { max_redirects: other.max_redirects, ..client.config.clone() };
        let left = client.left.clone();
        match self.add_client(ctx, now, socket, urls.clone(), other.server, left, config) {
            Ok(()) => {
                if let Some(client) = self.servers.clients.get_mut(index) {
                    client.end = Some(End::Redirected(other.server));
                    client.left.clear();
                }
                return;
            }
            // Another question of this socket, which has not come from here, answers this one.
            Err(Refused::Twice(at)) if self.is_independent(at, index) => {
                let left = self.servers.clients.get_mut(index).map(|c| std::mem::take(&mut c.left));
                let left = left.unwrap_or_default();
                let answers = urls.iter().filter(|url| self.join(at, **url, &left)).count();
                if let Some(client) = self.servers.clients.get_mut(index) {
                    client.end = Some(End::Redirected(other.server));
                }
                if answers < urls.len() {
                    self.ask_next(ctx, now, socket, left);
                }
                return;
            }
            Err(Refused::Twice(_) | Refused::Because(_)) => {}
        }
        self.on_reached(ctx, now, index);
        self.tell_refusal(socket, &urls, 300, "Try Alternate");
    }

    /// Whether a client was not redirected to where it is from `origin`, be it in many steps, or is
    /// `origin` itself.
    fn is_independent(&self, client: usize, origin: usize) -> bool {
        let (Some(client), Some(origin)) =
            (self.servers.clients.get(client), self.servers.clients.get(origin))
        else {
            return false;
        };
        // Whoever redirected has ended so; a circle leads back to one of them.
        !matches!(client.end, Some(End::Redirected(_)))
            && !same_address(client.address, origin.address)
    }

    fn on_relay(&mut self, ctx: &mut Context, now: Instant, index: usize, event: turn::Event) {
        let Some(client) = self.servers.clients.get_mut(index) else { return };
        let Some(id) = client.relay_id() else { return };
        match event {
            turn::Event::Allocated(allocated) => {
                if !std::mem::take(&mut client.gathers) {
                    return;
                }
                self.on_reached(ctx, now, index);
                if self.servers.policy == TransportPolicy::All {
                    self.add_server_reflexive(ctx, index, allocated.mapped);
                }
                self.add_relayed(ctx, index, id, &allocated);
            }
            turn::Event::AllocateFailed(error) => {
                if std::mem::take(&mut client.gathers) {
                    self.on_failure(ctx, now, index, error);
                } else {
                    self.relay_lost(id);
                }
            }
            turn::Event::AlternateServer(other) => {
                if std::mem::take(&mut client.gathers) {
                    self.follow(ctx, now, index, &other);
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
            turn::Event::PermissionGranted { peer } => self.on_permitted(id, peer),
            turn::Event::PermissionDenied { peer, error } => {
                tracing::debug!(%peer, %error, "a relay does not reach a peer");
                self.on_denied(id, peer);
            }
            turn::Event::ChannelBound { .. } | turn::Event::Closed => {}
            turn::Event::ChannelRefused { peer, error } => {
                tracing::debug!(%peer, %error, "packets go without a channel");
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
