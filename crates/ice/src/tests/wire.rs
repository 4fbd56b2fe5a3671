//! Datagrams as the network carries them, when there are servers or strict NATs on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use turn::testing::Server;

use super::network::{A, B, DATA, Network, Parcel};
use crate::{ConnectionId, GenerationId, SocketId};

/// How a NAT maps and filters: RFC 4787 §4.1, §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NatKind {
    /// Endpoint-independent mapping, address and port-dependent filtering.
    PortRestricted,
    /// Address and port-dependent mapping and filtering.
    Symmetric,
}

/// What a NAT remembers.
#[derive(Debug)]
struct Mapping {
    inside: SocketAddr,
    /// Of a symmetric NAT: the only one.
    toward: Option<SocketAddr>,
    outside: SocketAddr,
    /// Who was sent to.
    partners: BTreeSet<SocketAddr>,
}

/// A NAT in front of one address.
#[derive(Debug)]
pub(super) struct Nat {
    pub(super) inside: IpAddr,
    pub(super) outside: IpAddr,
    kind: NatKind,
    mappings: Vec<Mapping>,
    next_port: u16,
}

impl Nat {
    pub(super) fn new(inside: &str, outside: &str, kind: NatKind) -> Self {
        let (inside, outside) = (inside.parse().unwrap(), outside.parse().unwrap());
        Self { inside, outside, kind, mappings: Vec::new(), next_port: 30_000 }
    }

    fn outbound(&mut self, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let toward = (self.kind == NatKind::Symmetric).then_some(to);
        let same = |mapping: &&mut Mapping| mapping.inside == from && mapping.toward == toward;
        if let Some(mapping) = self.mappings.iter_mut().find(same) {
            mapping.partners.insert(to);
            return mapping.outside;
        }
        self.next_port += 1;
        let outside = SocketAddr::new(self.outside, self.next_port);
        let partners = BTreeSet::from([to]);
        self.mappings.push(Mapping { inside: from, toward, outside, partners });
        outside
    }

    fn inbound(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let passes = |m: &&Mapping| m.outside == to && m.partners.contains(&from);
        self.mappings.iter().find(passes).map(|mapping| mapping.inside)
    }
}

/// What there is between the peers.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) nats: Vec<Nat>,
    pub(super) servers: BTreeMap<SocketAddr, Server>,
    /// Addresses between which nothing passes any more.
    pub(super) cut: Option<[IpAddr; 2]>,
    /// What the peers have sent: from their interface to where.
    pub(super) sent: Vec<(SocketAddr, SocketAddr, Bytes)>,
}

impl Wire {
    pub(super) fn is_used(&self) -> bool {
        !self.nats.is_empty() || !self.servers.is_empty()
    }
}

impl Network {
    /// A STUN and TURN server at this address.
    pub(super) fn add_server(&mut self, address: &str) -> SocketAddr {
        let address = address.parse().unwrap();
        self.wire.servers.insert(address, Server::new(self.start));
        address
    }

    pub(super) fn server(&mut self, address: SocketAddr) -> &mut Server {
        self.wire.servers.get_mut(&address).unwrap()
    }

    /// A peer sends.
    pub(super) fn put_on_wire(&mut self, from: SocketAddr, to: SocketAddr, payload: Bytes) {
        if self.dead.contains(&from.ip()) || self.dead.contains(&to.ip()) {
            return;
        }
        self.wire.sent.push((from, to, payload.clone()));
        let nat = self.wire.nats.iter_mut().find(|nat| nat.inside == from.ip());
        let from = nat.map_or(from, |nat| nat.outbound(from, to));
        self.carry(from, to, payload);
    }

    fn carry(&mut self, from: SocketAddr, to: SocketAddr, payload: Bytes) {
        let ends = [from.ip(), to.ip()];
        if self.wire.cut.is_some_and(|cut| ends == cut || ends == [cut[1], cut[0]]) {
            return;
        }
        if let Some(at) = self.travel() {
            self.put(at, Parcel::Wire { from, to, payload });
        }
    }

    /// What was sent arrives somewhere, or nowhere.
    pub(super) fn arrive(&mut self, from: SocketAddr, to: SocketAddr, payload: &Bytes) {
        let now = self.now;
        if let Some(server) = self.wire.servers.get_mut(&to) {
            let answer = server.handle(now, from, payload);
            let delivered = server.take_delivered();
            if let Some(answer) = answer {
                self.carry(to, from, answer.into());
            }
            for (relayed, peer, data) in delivered {
                self.carry(relayed, peer, data.into());
            }
            return;
        }
        let relayed = self.wire.servers.iter().find_map(|(address, server)| {
            let client = server.client_at(to)?;
            Some((*address, client, server.relay_from(now, client, from, payload)))
        });
        if let Some((server, client, packet)) = relayed {
            if let Some(packet) = packet {
                self.carry(server, client, packet.into());
            }
            return;
        }
        let nat = self.wire.nats.iter().find(|nat| nat.outside == to.ip());
        let inside = match nat {
            Some(nat) => nat.inbound(from, to),
            None if self.wire.nats.iter().any(|nat| nat.inside == to.ip()) => None,
            None => Some(to),
        };
        let Some(inside) = inside else { return };
        for peer in [A, B] {
            let sockets = &self.peers[peer].sockets;
            let socket = sockets.iter().find(|(_, at)| **at == inside).map(|(socket, _)| *socket);
            if let Some(socket) = socket {
                self.hand_over(peer, socket, from, payload);
            }
        }
    }

    fn hand_over(&mut self, peer: usize, socket: SocketId, from: SocketAddr, payload: &[u8]) {
        if self.connections.contains(&(peer, socket)) {
            let mut bytes = payload.to_vec();
            if bytes[0] >= 0x40 {
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            self.feed(peer, socket, &bytes);
            return;
        }
        self.hand_over_message(peer, socket, from, payload);
    }

    fn hand_over_message(
        &mut self,
        peer: usize,
        socket: SocketId,
        from: SocketAddr,
        payload: &[u8],
    ) {
        let now = self.now;
        let peer = &mut self.peers[peer];
        let Some(packet) = peer.agent.handle_datagram(now, socket, from, payload) else { return };
        if packet.payload[0] < 4 {
            peer.agent.handle_stun(now, packet.base, packet.source, packet.payload);
        } else {
            assert_eq!(packet.payload.len(), DATA, "wrapped or cut");
            let taken = peer.agent.data_received(now, packet.base, packet.source, DATA);
            if taken { peer.accepted += 1 } else { peer.refused += 1 }
        }
    }

    // ----- connections to servers

    /// A connection is open, or refused.
    pub(super) fn open(
        &mut self,
        peer: usize,
        generation: GenerationId,
        connection: ConnectionId,
        local: IpAddr,
    ) {
        let now = self.now;
        let opened = if self.refuses_connections {
            Err("connection refused")
        } else {
            let (socket, local) = self.peers[peer].new_socket(local);
            self.connections.insert((peer, socket));
            Ok((socket, local))
        };
        self.agent(peer).connected(now, generation, connection, opened);
    }

    /// Bytes come on a connection.
    pub(super) fn feed(&mut self, peer: usize, socket: SocketId, bytes: &[u8]) {
        let now = self.now;
        for part in bytes.chunks(self.cuts) {
            self.agent(peer).handle_stream(socket, part);
            while let Some((from, message)) = self.agent(peer).next_message(now, socket) {
                self.hand_over_message(peer, socket, from, &message);
            }
        }
        self.settle();
    }
}
