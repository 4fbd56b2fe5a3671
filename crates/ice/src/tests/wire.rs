//! Datagrams as the network carries them, when there are servers, NATs or firewalls on the way.
//!
//! A host, or a NAT, is in the public network or inside a NAT: that is its *realm*. What a host
//! sends goes outwards through NATs until it is in a realm that has the destination. There it
//! travels, and on arrival it goes inwards again.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use turn::testing::Server;

pub(super) use super::nat::NatKind;
use super::nat::{Firewall, Nat};
use super::network::{A, B, DATA, Network, Parcel};
use crate::{ConnectionId, GenerationId, SocketId};

/// The index of a NAT for what is inside it; `None` for the public network.
pub(super) type Realm = Option<usize>;

/// A datagram on its way through a realm.
#[derive(Debug)]
pub(super) struct Packet {
    realm: Realm,
    from: SocketAddr,
    to: SocketAddr,
    payload: Bytes,
}

/// What there is between the peers.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) nats: Vec<Nat>,
    /// The interfaces that are inside a NAT.
    homes: BTreeMap<(usize, IpAddr), usize>,
    pub(super) firewalls: BTreeMap<usize, Firewall>,
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

    fn home(&self, peer: usize, address: IpAddr) -> Realm {
        self.homes.get(&(peer, address)).copied()
    }

    pub(super) fn passes(&self, peer: usize, remote: SocketAddr, is_tcp: bool) -> bool {
        self.firewalls.get(&peer).is_none_or(|firewall| firewall.passes(remote, is_tcp))
    }

    /// Whether the inside of this NAT has such an address.
    fn has(&self, nat: usize, address: IpAddr) -> bool {
        let is_at = |nat: &Nat, realm| nat.behind == realm && nat.outside == address;
        self.homes.iter().any(|((_, at), home)| *at == address && *home == nat)
            || self.nats.iter().any(|inner| is_at(inner, Some(nat)))
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

    /// Returns its index.
    pub(super) fn add_nat(&mut self, nat: Nat) -> usize {
        self.wire.nats.push(nat);
        self.wire.nats.len() - 1
    }

    /// This interface of the peer is inside a NAT.
    pub(super) fn put_behind(&mut self, nat: usize, peer: usize, address: &str) {
        self.wire.homes.insert((peer, address.parse().unwrap()), nat);
    }

    /// A peer sends.
    pub(super) fn put_on_wire(
        &mut self,
        peer: usize,
        from: SocketAddr,
        to: SocketAddr,
        payload: Bytes,
    ) {
        if self.dead.contains(&from.ip()) || self.dead.contains(&to.ip()) {
            return;
        }
        self.wire.sent.push((from, to, payload.clone()));
        if !self.wire.passes(peer, to, self.is_connection(peer, from)) {
            return;
        }
        let (mut realm, mut from) = (self.wire.home(peer, from.ip()), from);
        while let Some(index) = realm {
            let is_here = self.wire.has(index, to.ip());
            let nat = &mut self.wire.nats[index];
            if is_here && nat.isolates || to.ip() == nat.outside && !nat.hairpins {
                return;
            }
            if is_here {
                break;
            }
            from = nat.outbound(self.now, from, to);
            realm = nat.behind;
        }
        self.carry(Packet { realm, from, to, payload });
    }

    fn carry(&mut self, packet: Packet) {
        let ends = [packet.from.ip(), packet.to.ip()];
        if self.wire.cut.is_some_and(|cut| ends == cut || ends == [cut[1], cut[0]]) {
            return;
        }
        if let Some(at) = self.travel() {
            self.put(at, Parcel::Wire(packet));
        }
    }

    fn carry_from_server(&mut self, from: SocketAddr, to: SocketAddr, payload: Bytes) {
        self.carry(Packet { realm: None, from, to, payload });
    }

    /// What was sent arrives somewhere, or nowhere.
    pub(super) fn arrive(&mut self, packet: &Packet) {
        let Packet { mut realm, from, mut to, ref payload } = *packet;
        if realm.is_none() && self.arrives_at_server(from, to, payload) {
            return;
        }
        loop {
            let mut nats = self.wire.nats.iter();
            let Some(index) = nats.position(|nat| nat.behind == realm && nat.outside == to.ip())
            else {
                break;
            };
            let Some(inside) = self.wire.nats[index].inbound(self.now, from, to) else { return };
            (realm, to) = (Some(index), inside);
        }
        if self.dead.contains(&to.ip()) {
            return;
        }
        for peer in [A, B] {
            let is_tcp = self.is_connection(peer, to);
            if self.wire.home(peer, to.ip()) != realm || !self.wire.passes(peer, from, is_tcp) {
                continue;
            }
            let sockets = &self.peers[peer].sockets;
            let socket = sockets.iter().find(|(_, at)| **at == to).map(|(socket, _)| *socket);
            if let Some(socket) = socket {
                self.hand_over(peer, socket, from, payload);
            }
        }
    }

    /// Whether it was for a server, or for a relay.
    fn arrives_at_server(&mut self, from: SocketAddr, to: SocketAddr, payload: &Bytes) -> bool {
        let now = self.now;
        if let Some(server) = self.wire.servers.get_mut(&to) {
            let answer = server.handle(now, from, payload);
            let delivered = server.take_delivered();
            if let Some(answer) = answer {
                self.carry_from_server(to, from, answer.into());
            }
            for (relayed, peer, data) in delivered {
                self.carry_from_server(relayed, peer, data.into());
            }
            return true;
        }
        let relayed = self.wire.servers.iter().find_map(|(address, server)| {
            let client = server.client_at(to)?;
            Some((*address, client, server.relay_from(now, client, from, payload)))
        });
        let Some((server, client, packet)) = relayed else { return false };
        if let Some(packet) = packet {
            self.carry_from_server(server, client, packet.into());
        }
        true
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
        let now = self.clock(peer);
        let peer = &mut self.peers[peer];
        let Some(packet) = peer.agent.handle_datagram(now, socket, from, payload) else { return };
        if packet.payload[0] < 4 {
            peer.agent.handle_stun(now, packet.base, packet.source, packet.payload);
        } else {
            assert_eq!(packet.payload.len(), DATA, "wrapped or cut");
            let taken = peer.agent.data_received(now, packet.base, packet.source, DATA);
            if taken {
                peer.accepted += 1
            } else {
                peer.refused += 1
            }
            if taken && let Some(inbox) = &mut peer.inbox {
                inbox.push(packet.payload.to_vec());
            }
        }
    }

    // ----- connections to servers

    /// Whether a local address is that of a connection to a server.
    fn is_connection(&self, peer: usize, local: SocketAddr) -> bool {
        let mut sockets = self.peers[peer].sockets.iter();
        sockets.any(|(id, at)| *at == local && self.connections.contains(&(peer, *id)))
    }

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
