//! TCP between the peers: hosts that listen and connect, bytes that come in order.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::network::{A, B, Network, Parcel};
use crate::{ConnectionId, GenerationId, SocketId, Transmit};

/// One end of a connection.
type End = (usize, SocketId);

/// What the network has of TCP.
#[derive(Debug, Default)]
pub(super) struct Tcp {
    /// The peers whose hosts have TCP.
    pub(super) hosts: [bool; 2],
    pub(super) listeners: BTreeMap<End, SocketAddr>,
    /// The other end of each open connection.
    others: BTreeMap<End, End>,
    /// Inside and outside address: nobody connects to the former, and what leaves it comes from the
    /// latter.
    pub(super) nats: Vec<(IpAddr, IpAddr)>,
    /// Nothing comes through any more, and nobody is told.
    pub(super) is_silent: bool,
    /// Whom the peers have tried to connect to.
    pub(super) dialled: Vec<(usize, SocketAddr)>,
}

/// What travels between hosts.
#[derive(Debug)]
pub(super) enum Segment {
    Syn { from: End, local: SocketAddr, to: SocketAddr, asked: (GenerationId, ConnectionId) },
    Answer { to: End, local: SocketAddr, other: Option<End>, asked: (GenerationId, ConnectionId) },
    Bytes { to: End, bytes: Bytes },
    End { to: End },
}

impl Network {
    /// The hosts of these peers have TCP; nothing passes over UDP.
    pub(super) fn over_tcp_alone(&mut self, peers: &[usize]) {
        self.with_tcp(peers);
        let addresses = self.peers.iter().flat_map(|peer| peer.addresses.clone());
        self.dead = addresses.collect();
    }

    pub(super) fn with_tcp(&mut self, peers: &[usize]) {
        for peer in [A, B] {
            self.tcp.hosts[peer] = peers.contains(&peer);
        }
    }

    /// Does what `Event::Gather` asks for.
    pub(super) fn listen(&mut self, peer: usize, generation: GenerationId) {
        if !self.tcp.hosts[peer] {
            return;
        }
        for ip in self.peers[peer].addresses.clone() {
            let (listener, local) = self.peers[peer].new_socket(ip);
            self.tcp.listeners.insert((peer, listener), local);
            let now = self.now;
            self.agent(peer).add_listener(now, generation, listener, local);
        }
    }

    pub(super) fn dial(
        &mut self,
        peer: usize,
        generation: GenerationId,
        connection: ConnectionId,
        local: IpAddr,
        to: SocketAddr,
    ) {
        self.tcp.dialled.push((peer, to));
        let (socket, local) = self.peers[peer].new_socket(local);
        let asked = (generation, connection);
        self.post(Segment::Syn { from: (peer, socket), local, to, asked });
    }

    fn post(&mut self, segment: Segment) {
        if !self.tcp.is_silent {
            self.put(self.now + self.delay, Parcel::Tcp(segment));
        }
    }

    /// A stranger connects to a listener of the peer. Returns the peer's end.
    pub(super) fn intrude(&mut self, peer: usize, from: SocketAddr) -> SocketId {
        let (&(_, listener), local) =
            self.tcp.listeners.iter().rfind(|((owner, _), _)| *owner == peer).unwrap();
        let (socket, _) = self.peers[peer].new_socket(local.ip());
        let now = self.now;
        self.agent(peer).accepted(now, listener, socket, from);
        self.settle();
        socket
    }

    /// Whether the transmit is for a connection; then its bytes are under way.
    pub(super) fn write(&mut self, peer: usize, transmit: &Transmit) -> bool {
        let Some(to) = self.tcp.others.get(&(peer, transmit.socket)).copied() else {
            return false;
        };
        self.post(Segment::Bytes { to, bytes: transmit.payload.clone() });
        true
    }

    /// The peer's host has closed something.
    pub(super) fn hang_up(&mut self, peer: usize, socket: SocketId) {
        self.tcp.listeners.remove(&(peer, socket));
        if let Some(to) = self.tcp.others.remove(&(peer, socket)) {
            self.post(Segment::End { to });
        }
    }

    /// The connections that a peer has.
    pub(super) fn connections_of(&self, peer: usize) -> usize {
        self.tcp.others.keys().filter(|(owner, _)| *owner == peer).count()
    }

    pub(super) fn arrive_on_connection(&mut self, segment: Segment) {
        let now = self.now;
        match segment {
            Segment::Syn { from, local, to, asked } => {
                let is_barred = |peer| !self.wire.passes(peer, to, true);
                let owner = self.tcp.listeners.iter().find(|(_, at)| **at == to);
                if is_barred(from.0) || owner.is_some_and(|((owner, _), _)| is_barred(*owner)) {
                    return;
                }
                let inside = |nat: &(IpAddr, IpAddr)| nat.0 == to.ip();
                if self.tcp.nats.iter().any(inside) {
                    return;
                }
                let nat = self.tcp.nats.iter().find(|nat| nat.0 == local.ip());
                let seen = SocketAddr::new(nat.map_or(local.ip(), |nat| nat.1), local.port());
                let known = self.tcp.listeners.iter().find(|(_, at)| **at == to);
                let known = known.map(|(listener, at)| (*listener, *at));
                let mut other = None;
                if let Some(((owner, listener), at)) = known {
                    let (socket, _) = self.peers[owner].new_socket(at.ip());
                    other = Some((owner, socket));
                    self.tcp.others.insert((owner, socket), from);
                    self.agent(owner).accepted(now, listener, socket, seen);
                }
                self.post(Segment::Answer { to: from, local, other, asked });
            }
            Segment::Answer { to, local, other, asked: (generation, connection) } => {
                let (peer, socket) = to;
                let opened = match other {
                    Some(other) => {
                        self.tcp.others.insert(to, other);
                        Ok((socket, local))
                    }
                    None => {
                        self.peers[peer].sockets.remove(&socket);
                        Err("connection refused")
                    }
                };
                self.agent(peer).connected(now, generation, connection, opened);
            }
            Segment::Bytes { to, bytes } => {
                if self.peers[to.0].sockets.contains_key(&to.1) {
                    self.feed(to.0, to.1, &bytes);
                }
            }
            Segment::End { to: (peer, socket) } => {
                self.tcp.others.remove(&(peer, socket));
                if self.peers[peer].sockets.remove(&socket).is_some() {
                    self.agent(peer).socket_closed(now, socket);
                }
            }
        }
    }
}
