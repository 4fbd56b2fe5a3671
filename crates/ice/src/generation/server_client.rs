//! A socket and a server: the client of `turn` between them.

use std::net::SocketAddr;

use smallvec::SmallVec;
use time::Instant;
use turn::{Binding, Client, Families, same_address};

use super::Socket;
use crate::event::{RelayId, SocketId};

/// Indices of servers in the list.
pub(super) type Urls = SmallVec<[usize; 2]>;

/// How a client has ended its part in gathering.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// The server has answered, be it with a refusal.
    Reached,
    /// It has not, for this reason.
    Unreached(String),
    /// It has named another server, which the socket asks instead.
    Redirected(SocketAddr),
}

/// Addresses of servers, each with the index of its server in the list.
pub(super) type Addresses = SmallVec<[(usize, SocketAddr); 2]>;

/// One socket asks one server.
#[derive(Debug)]
pub(crate) struct ServerClient {
    pub(crate) socket: Socket,
    /// The address of the server.
    pub(crate) address: SocketAddr,
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
    pub(crate) kind: ClientKind,
}

#[derive(Debug)]
pub(crate) enum ClientKind {
    Binding(Box<Binding>),
    Relay(Box<Relay>),
}

/// An allocation, or what will be one.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) id: RelayId,
    pub(crate) client: Client,
    /// The peer that has a channel: the remote end of the selected pair.
    pub(super) channel: Option<SocketAddr>,
}

impl ServerClient {
    /// Whether it asks this server, or may come to ask it.
    pub(super) fn may_ask(&self, server: usize) -> bool {
        self.urls.contains(&server) || self.left.iter().any(|(index, _)| *index == server)
    }

    /// Whether it counts against the limit of clients: it asks, or has something to keep.
    pub(super) fn is_in_use(&self) -> bool {
        !matches!(self.end, Some(End::Unreached(_) | End::Redirected(_)))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.start_at.or_else(|| match &self.kind {
            ClientKind::Binding(binding) => binding.poll_timeout(),
            ClientKind::Relay(relay) => relay.client.poll_timeout(),
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
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.kind {
            ClientKind::Binding(binding) => binding.handle_timeout(now),
            ClientKind::Relay(relay) => relay.client.handle_timeout(now),
        }
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<bytes::Bytes> {
        match &mut self.kind {
            ClientKind::Binding(binding) => binding.poll_transmit(),
            ClientKind::Relay(relay) => relay.client.poll_transmit(),
        }
    }

    pub(crate) fn is_at(&self, socket: SocketId, source: SocketAddr) -> bool {
        self.socket.id == socket && same_address(self.address, source)
    }

    pub(super) fn relay_id(&self) -> Option<RelayId> {
        match &self.kind {
            ClientKind::Relay(relay) => Some(relay.id),
            ClientKind::Binding(_) => None,
        }
    }
}
