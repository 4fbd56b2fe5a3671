//! A socket and a server: the client of `turn` between them.

use std::net::SocketAddr;

use smallvec::SmallVec;
use time::Instant;
use turn::{Binding, Client, Credentials, Families, Protocol, Reassembler, same_address};

use super::Socket;
use crate::event::{ConnectionId, RelayId, SocketId};
use crate::server::Server;

/// Indices of servers in the list.
pub(super) type Urls = SmallVec<[usize; 2]>;

/// What a server is asked for, and how. A socket asks each address once for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// For an allocation; else for a mapped address.
    pub(super) is_relay: bool,
    pub(super) protocol: Protocol,
    /// The name in the server's certificate, with TLS.
    pub(super) tls: Option<String>,
}

impl Question {
    pub(super) fn of(server: &Server) -> Self {
        let protocol = server.protocol;
        let tls = (protocol == Protocol::Tls).then(|| server.host.clone());
        Self { is_relay: server.credentials.is_some(), protocol, tls }
    }
}

/// How a client has ended its part in gathering.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// The server has answered, be it with a refusal.
    Reached,
    /// It has not, for this reason.
    Unreached(String),
    /// It has named another server, which the socket asks instead.
    Redirected(SocketAddr, Question),
}

/// Addresses of servers, each with the index of its server in the list.
pub(super) type Addresses = SmallVec<[(usize, SocketAddr); 2]>;

/// One socket asks one server.
#[derive(Debug)]
pub(crate) struct ServerClient {
    /// The socket that asks, or whose address a connection is opened from.
    pub(crate) socket: Socket,
    /// The address of the server.
    pub(crate) address: SocketAddr,
    pub(super) question: Question,
    /// The server that it asks.
    pub(super) server: usize,
    /// The servers whose question this is: that one, and others with the same address.
    pub(super) urls: Urls,
    /// Addresses of these servers that the socket tries after this one, in reverse order.
    pub(super) left: Addresses,
    /// How it asks.
    pub(super) config: turn::Config,
    /// When it begins to ask; nothing once it has.
    pub(super) start_at: Option<Instant>,
    /// Whether gathering waits for its candidate.
    pub(super) gathers: bool,
    /// What has become of its question, once that is known.
    pub(super) end: Option<End>,
    /// The connection to a server that is asked over TCP or TLS, while it is open.
    pub(crate) stream: Option<Stream>,
    pub(crate) kind: ClientKind,
}

#[derive(Debug)]
pub(crate) enum ClientKind {
    Binding(Box<Binding>),
    Relay(Box<Relay>),
    /// A relay that is yet to be connected to.
    Connecting(Box<Connecting>),
}

/// An allocation, or what will be one.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) id: RelayId,
    pub(crate) client: Client,
    /// The peer that has a channel: the remote end of the selected pair.
    pub(super) channel: Option<SocketAddr>,
}

/// A connection that the host is asked for.
#[derive(Debug)]
pub(crate) struct Connecting {
    pub(super) id: ConnectionId,
    pub(super) credentials: Credentials,
    /// When the server is given up, once the host was asked.
    pub(super) until: Option<Instant>,
}

/// An open connection to a server.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) socket: SocketId,
    /// Its local address.
    pub(super) local: SocketAddr,
    /// The other end.
    pub(crate) server: SocketAddr,
    /// What has come, and is no whole message yet.
    pub(crate) incoming: Reassembler,
}

impl ServerClient {
    /// Whether it asks this server, or may come to ask it.
    pub(super) fn may_ask(&self, server: usize) -> bool {
        self.urls.contains(&server) || self.left.iter().any(|(index, _)| *index == server)
    }

    /// Whether it counts against the limit of clients: it asks, or has something to keep.
    pub(super) fn is_in_use(&self) -> bool {
        !matches!(self.end, Some(End::Unreached(_) | End::Redirected(..)))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.start_at.or_else(|| match &self.kind {
            ClientKind::Binding(binding) => binding.poll_timeout(),
            ClientKind::Relay(relay) => relay.client.poll_timeout(),
            ClientKind::Connecting(connecting) => connecting.until.filter(|_| self.gathers),
        })
    }

    pub(super) fn start(&mut self, now: Instant) {
        self.start_at = None;
        match &mut self.kind {
            ClientKind::Binding(binding) => binding.start(now),
            ClientKind::Relay(relay) => {
                // Over IPv4 it asks as browsers do. Behind an IPv6 server there may be peers of
                // both families that the socket alone cannot reach.
                let families = match self.address.is_ipv4() {
                    true => Families::V4,
                    false => Families::Both,
                };
                if let Err(error) = relay.client.allocate(now, families) {
                    tracing::debug!(%error, "no allocation is asked for");
                }
            }
            ClientKind::Connecting(connecting) => {
                connecting.until = Some(time::later(now, self.config.deadline));
            }
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.kind {
            ClientKind::Binding(binding) => binding.handle_timeout(now),
            ClientKind::Relay(relay) => relay.client.handle_timeout(now),
            ClientKind::Connecting(_) => {}
        }
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<bytes::Bytes> {
        match &mut self.kind {
            ClientKind::Binding(binding) => binding.poll_transmit(),
            ClientKind::Relay(relay) => relay.client.poll_transmit(),
            ClientKind::Connecting(_) => None,
        }
    }

    /// What its messages leave by: the socket, or the connection if there is one.
    pub(crate) fn carrier(&self) -> Option<SocketId> {
        match self.question.protocol {
            Protocol::Udp => Some(self.socket.id),
            Protocol::Tcp | Protocol::Tls => self.stream.as_ref().map(|stream| stream.socket),
        }
    }

    /// The address that it asks from. Nothing while there is no connection.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        match self.question.protocol {
            Protocol::Udp => Some(self.socket.address),
            Protocol::Tcp | Protocol::Tls => self.stream.as_ref().map(|stream| stream.local),
        }
    }

    pub(crate) fn is_at(&self, carrier: SocketId, source: SocketAddr) -> bool {
        self.carrier() == Some(carrier) && same_address(self.address, source)
    }

    /// Whether this socket asks the same there.
    pub(super) fn asks(&self, socket: SocketId, address: SocketAddr, question: &Question) -> bool {
        self.socket.id == socket
            && same_address(self.address, address)
            && self.question == *question
    }

    /// Whether the host has had its time to connect.
    pub(super) fn is_connecting_too_long(&self, now: Instant) -> bool {
        let over = |connecting: &Connecting| connecting.until.is_some_and(|until| now >= until);
        self.gathers && matches!(&self.kind, ClientKind::Connecting(c) if over(c))
    }

    pub(super) fn relay_id(&self) -> Option<RelayId> {
        match &self.kind {
            ClientKind::Relay(relay) => Some(relay.id),
            ClientKind::Binding(_) | ClientKind::Connecting(_) => None,
        }
    }
}
