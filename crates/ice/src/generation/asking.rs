//! Which addresses of servers a socket asks, one after another: RFC 8489 §8.1, and §10 where
//! servers name others.

use std::net::SocketAddr;

use smallvec::SmallVec;
use time::{Instant, later};
use turn::{
    AlternateServer, Binding, Client, Credentials, Error, FiveTuple, Protocol, is_of_one,
    same_address,
};

use super::server_client::{
    Addresses, ClientKind, Connecting, End, Question, Relay, ServerClient, Urls,
};
use super::servers::Known;
use super::{Context, Generation, Socket};
use crate::candidate::destination;
use crate::event::{SocketId, SocketUse};
use crate::server::TransportPolicy;

/// A socket tries at most this many addresses of a name. Each gets an equal share of the time: of
/// 10 s enough for three requests.
const ADDRESSES: usize = 4;

/// Why a server is not asked.
enum Refused {
    /// The socket asks there already: this client.
    Twice(usize),
    /// For other reasons.
    Because(String),
}

/// A client that is to be made.
struct Attempt {
    socket: Socket,
    /// The server that is asked, and all whose question this is.
    server: usize,
    urls: Urls,
    address: SocketAddr,
    question: Question,
    left: Addresses,
    config: turn::Config,
}

impl Generation {
    /// A socket asks all servers that are known.
    pub(super) fn ask_servers(&mut self, ctx: &mut Context, now: Instant, socket: Socket) {
        for index in 0..self.servers.list.len() {
            self.ask_server(ctx, now, socket, index);
        }
    }

    /// RFC 8489 §8.1: asks the addresses of the server that the socket reaches, one after another
    /// until one answers. Asking all at once would allocate at each.
    pub(super) fn ask_server(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        socket: Socket,
        index: usize,
    ) {
        let Some(asked) = self.servers.list.get_mut(index) else { return };
        let Known::Are(addresses) = &asked.addresses else { return };
        if !is_for(socket, &Question::of(&asked.server)) {
            return;
        }
        let port = asked.server.port;
        if port == 0 || !addresses.iter().any(|ip| is_of_one(*ip)) {
            let text = "no server can have this address".to_owned();
            self.note_unreached(index, socket, Some(socket.address), text);
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
    pub(super) fn ask_next(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        socket: Socket,
        mut left: Addresses,
    ) {
        while let Some((index, address)) = left.pop() {
            if self.has_answered(socket.id, index) {
                continue;
            }
            let Some(asked) = self.servers.list.get(index) else { continue };
            let config = turn::Config { deadline: asked.share, ..ctx.config.servers.clone() };
            let (urls, question) = (Urls::from_iter([index]), Question::of(&asked.server));
            let (server, left_then) = (index, left.clone());
            let attempt =
                Attempt { socket, server, urls, address, question, left: left_then, config };
            match self.add_client(ctx, now, attempt) {
                Ok(()) => return,
                Err(Refused::Because(why)) => {
                    self.note_unreached(index, socket, Some(socket.address), why);
                }
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
            let (socket, local) = (other.socket, other.local());
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
                    self.note_unreached(index, socket, local, text);
                    return false;
                }
                Some(End::Redirected(to, question)) => {
                    let mut clients = self.servers.clients.iter();
                    let is_it = |c: &ServerClient| c.asks(socket.id, to, &question);
                    let Some(next) = clients.position(is_it) else { return false };
                    client = next;
                }
            }
        }
        false
    }

    fn add_client(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        attempt: Attempt,
    ) -> Result<(), Refused> {
        let Attempt { socket, server, urls, address, question, left, config } = attempt;
        let refused = |why: &str| Err(Refused::Because(why.to_owned()));
        let Some(asked) = self.servers.list.get(server) else { return refused("no such server") };
        if !is_for(socket, &question) {
            return refused("the socket is for other servers");
        }
        let credentials = asked.server.credentials.clone().filter(|_| question.is_relay);
        // A 5-tuple has one allocation, and a second question to a STUN server says nothing new.
        let twice = |client: &ServerClient| client.asks(socket.id, address, &question);
        if let Some(other) = self.servers.clients.iter().position(twice) {
            return Err(Refused::Twice(other));
        }
        let in_use = self.servers.clients.iter().filter(|client| client.is_in_use()).count();
        if in_use >= ctx.config.max_server_clients {
            return refused("too many servers and interfaces");
        }
        let protocol = question.protocol;
        let five_tuple = FiveTuple { local: socket.address, server: address, protocol };
        let kind = match credentials {
            None if protocol.is_stream() => return refused("a STUN server is asked over UDP only"),
            None => {
                let binding = Binding::new(config.clone(), five_tuple, ctx.seed());
                ClientKind::Binding(Box::new(binding))
            }
            Some(credentials) if protocol.is_stream() => {
                let id = ctx.connection_id();
                ClientKind::Connecting(Box::new(Connecting { id, credentials, until: None }))
            }
            Some(credentials) => relay(ctx, config.clone(), five_tuple, credentials)
                .map_err(|error| Refused::Because(error.to_string()))?,
        };
        let start_at = self.servers.next_start.filter(|at| *at > now).unwrap_or(now);
        self.servers.next_start = Some(later(start_at, ctx.config.ta));
        self.servers.clients.push(ServerClient {
            socket,
            address,
            question,
            server,
            urls,
            left,
            config,
            start_at: Some(start_at),
            gathers: true,
            end: None,
            stream: None,
            connected_from: None,
            kind,
        });
        Ok(())
    }

    /// RFC 8489 §10.
    pub(super) fn follow(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        index: usize,
        other: &AlternateServer,
    ) {
        let Some(client) = self.servers.clients.get_mut(index) else { return };
        let (socket, server) = (client.socket, client.server);
        let (local, urls) = (client.local(), client.urls.clone());
        let mut question = client.question.clone();
        if let (Some(name), Some(domain)) = (&mut question.tls, &other.domain) {
            name.clone_from(domain);
        }
        let end = End::Redirected(other.server, question.clone());
        let attempt = Attempt {
            socket,
            server,
            urls: urls.clone(),
            address: other.server,
            question,
            left: client.left.clone(),
            config: turn::Config { max_redirects: other.max_redirects, ..client.config.clone() },
        };
        match self.add_client(ctx, now, attempt) {
            Ok(()) => {
                if let Some(client) = self.servers.clients.get_mut(index) {
                    client.end = Some(end);
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
                    client.end = Some(end);
                }
                if answers < urls.len() {
                    self.ask_next(ctx, now, socket, left);
                }
                return;
            }
            Err(Refused::Twice(_) | Refused::Because(_)) => {}
        }
        self.on_reached(ctx, now, index);
        self.tell_refusal(local, &urls, 300, "Try Alternate");
        self.ask_for_mapping(ctx, now, index);
    }

    /// RFC 8445 §5.1.1.2: asks a TURN server that gives no allocation for the server-reflexive
    /// address instead. What comes of it is no error any more: the refusal was told.
    pub(super) fn ask_for_mapping(&mut self, ctx: &mut Context, now: Instant, index: usize) {
        let Some(client) = self.servers.clients.get(index) else { return };
        let Question { is_relay: true, protocol: Protocol::Udp, .. } = client.question else {
            return;
        };
        if self.servers.policy == TransportPolicy::Relay {
            return;
        }
        let question =
            Question { is_relay: false, protocol: Protocol::Udp, tls: None, credentials: None };
        let attempt = Attempt {
            socket: client.socket,
            server: client.server,
            urls: Urls::new(),
            address: client.address,
            question,
            left: Addresses::new(),
            // It has just answered: enough for three requests, if it ignores them.
            config: turn::Config {
                deadline: ctx.config.servers.deadline / 4,
                ..client.config.clone()
            },
        };
        match self.add_client(ctx, now, attempt) {
            // The configuration names it as a STUN server, too.
            Ok(()) | Err(Refused::Twice(_)) => {}
            Err(Refused::Because(why)) => tracing::debug!(why, "no mapped address is asked for"),
        }
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
        !matches!(client.end, Some(End::Redirected(..)))
            && !same_address(client.address, origin.address)
    }
}

/// A client for an allocation.
pub(super) fn relay(
    ctx: &mut Context,
    config: turn::Config,
    five_tuple: FiveTuple,
    credentials: Credentials,
) -> Result<ClientKind, Error> {
    let mut client = Client::new(config, five_tuple, credentials, ctx.seed())?;
    if let Some(at) = ctx.released_at(five_tuple.server) {
        client.set_released(at);
    }
    Ok(ClientKind::Relay(Box::new(Relay { id: ctx.relay_id(), client, channel: None })))
}

/// Whether a socket asks servers this.
fn is_for(socket: Socket, question: &Question) -> bool {
    let is_relay_over_udp = question.is_relay && !question.protocol.is_stream();
    match socket.good_for {
        SocketUse::Everything => true,
        SocketUse::Shared => !is_relay_over_udp,
        SocketUse::Relays => is_relay_over_udp,
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
