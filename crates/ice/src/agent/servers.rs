//! STUN and TURN servers: the configuration, names, datagrams of servers, relays that are let go.

use std::net::{IpAddr, SocketAddr};

use bytes::{Buf, Bytes, BytesMut};
use time::{Duration, Instant, earlier, later};
use turn::{Client, HEADROOM, SendError, TAILROOM};

use super::Agent;
use crate::event::{Base, ConnectionId, Event, GenerationId, NameOf, RelayId, SocketId, Transmit};
use crate::generation::Generation;
use crate::generation::server_client::{ClientKind, ServerClient, Stream};
use crate::packet::Packet;
use crate::server::{Server, TransportPolicy};
use crate::state::State;

/// Most relays that are being released at once.
const MAX_LEAVING: usize = 64;
/// How long the release of a relay may take. A server that is silent until then stays silent.
const LEAVE: Duration = Duration::from_secs(10);

/// A datagram without what relays put around it: see [`Agent::handle_datagram`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The base that it came to.
    pub base: Base,
    /// The peer's address.
    pub source: SocketAddr,
    /// The payload: STUN or data of the peer.
    pub payload: &'a [u8],
}

/// An allocation that is being deleted. Its socket stays open until then.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) socket: SocketId,
    server: SocketAddr,
    client: Client,
    /// The connection to the server, if the socket is one.
    stream: Option<Stream>,
    /// When it is given up.
    until: Instant,
}

impl Agent {
    /// The servers and the policy of the configuration. They take effect when a generation gathers
    /// next: webrtc-pc §4.4.1.5, RFC 9429 §4.1.18.
    pub fn set_servers(&mut self, servers: Vec<Server>, policy: TransportPolicy) {
        self.ctx.servers = servers;
        self.ctx.policy = policy;
    }

    /// Answers [`Event::Resolve`] with the addresses of a name, or with the reason why there are
    /// none. In that case each URL with a server's name gets an [`Event::CandidateError`] of code
    /// 701, and a remote candidate makes no pair. An answer that nobody waits for is ignored.
    pub fn resolved(
        &mut self,
        now: Instant,
        generation: GenerationId,
        of: NameOf,
        host: &str,
        addresses: Result<&[IpAddr], &str>,
    ) {
        let addresses = addresses
            .and_then(|known| if known.is_empty() { Err("it has no address") } else { Ok(known) });
        if let Some(generation) = self.generations.iter_mut().find(|g| g.id == generation) {
            match of {
                NameOf::Server => generation.server_resolved(&mut self.ctx, now, host, addresses),
                NameOf::Candidate => generation.name_resolved(&self.ctx, now, host, addresses),
            }
            self.drive(now);
        } else {
            tracing::trace!(host, "addresses that nobody waits for any more");
        }
    }

    /// Takes a datagram from a socket. What servers say to the agent ends here. What relays bring
    /// from peers is unwrapped where it lies. Everything else comes back unchanged. The host gives
    /// the datagram to [`handle_stun`](Self::handle_stun) if its first byte is 0 to 3 (RFC 7983).
    /// For any other it asks [`data_received`](Self::data_received).
    pub fn handle_datagram<'a>(
        &mut self,
        now: Instant,
        socket: SocketId,
        source: SocketAddr,
        datagram: &'a [u8],
    ) -> Option<Datagram<'a>> {
        let direct = Datagram { base: Base::from(socket), source, payload: datagram };
        let asks_nobody = |g: &Generation| g.servers.clients.is_empty();
        if self.leaving.is_empty() && self.generations.iter().all(asks_nobody) {
            return Some(direct);
        }
        let is_leaving = self.is_leaving(socket);
        let mut of_leaving = self.leaving.iter_mut().filter(|leaving| leaving.socket == socket);
        if let Some(leaving) = of_leaving.find(|leaving| leaving.client.awaits(datagram)) {
            leaving.client.handle_message(now, source, datagram);
            self.drive(now);
            return None;
        }
        let Some(generation) = self.generations.iter_mut().find(|g| g.has_socket(socket)) else {
            return (!is_leaving).then_some(direct);
        };
        let mut changed = false;
        for client in generation.servers.clients.iter_mut().filter(|c| c.is_at(socket, source)) {
            match &mut client.kind {
                ClientKind::Binding(binding) => {
                    if binding.handle_message(now, source, datagram) {
                        self.drive(now);
                        return None;
                    }
                }
                ClientKind::Relay(relay) => {
                    changed |= relay.client.awaits(datagram);
                    if let Some(data) = relay.client.handle_message(now, source, datagram) {
                        let payload = datagram.get(data.payload)?;
                        let base = Base { socket, relay: Some(relay.id) };
                        return Some(Datagram { base, source: data.peer, payload });
                    }
                }
                ClientKind::Connecting(_) => {}
            }
        }
        if changed {
            self.drive(now);
            return None;
        }
        if generation.has_connection(socket) {
            tracing::debug!(%source, "a message on a connection that has no use for it");
            return None;
        }
        // A server may be a peer as well, or may have named the peer's address as another server.
        Some(direct)
    }

    /// Answers [`Event::Connect`] with the connection and its local address, or with the reason why
    /// there is none. Bytes that come on the connection go to
    /// [`handle_stream`](Self::handle_stream); [`socket_closed`](Self::socket_closed) says that it
    /// has ended. A connection that nobody needs any more comes back in [`Event::CloseSocket`].
    pub fn connected(
        &mut self,
        now: Instant,
        generation: GenerationId,
        connection: ConnectionId,
        opened: Result<(SocketId, SocketAddr), &str>,
    ) {
        let found = self.generations.iter_mut().find(|g| g.id == generation);
        let is_of_use = found.is_some_and(|g| g.connected(&mut self.ctx, now, connection, opened));
        if let (false, Ok((socket, _))) = (is_of_use, opened) {
            self.emit(Event::CloseSocket(socket));
        }
        self.drive(now);
    }

    pub(super) fn stream_mut(&mut self, socket: SocketId) -> Option<&mut Stream> {
        let leaving = self.leaving.iter_mut().filter_map(|leaving| leaving.stream.as_mut());
        let mut leaving = leaving.filter(|stream| stream.socket == socket);
        leaving.next().or_else(|| self.generations.iter_mut().find_map(|g| g.stream_mut(socket)))
    }

    /// Brings relays that are being released to `now`, and closes sockets that nobody needs any
    /// more.
    pub(super) fn drive_leaving(&mut self, now: Instant) {
        for leaving in &mut self.leaving {
            if leaving.client.poll_timeout().is_some_and(|at| now >= at) {
                leaving.client.handle_timeout(now);
            }
            while let Some(payload) = leaving.client.poll_transmit() {
                let (socket, destination) = (leaving.socket, leaving.server);
                self.ctx.transmits.push_back(Transmit { socket, destination, payload });
            }
        }
        let over = |leaving: &Leaving| {
            leaving.client.state() == turn::State::Closed || now >= leaving.until
        };
        while let Some(index) = self.leaving.iter().position(over) {
            let socket = self.leaving.remove(index).socket;
            self.close_unless_needed(socket);
        }
    }

    pub(super) fn leaving_deadline(&self) -> Option<Instant> {
        let mut deadline = None;
        for leaving in &self.leaving {
            earlier(&mut deadline, leaving.client.poll_timeout());
            earlier(&mut deadline, Some(leaving.until));
        }
        deadline
    }

    fn is_leaving(&self, socket: SocketId) -> bool {
        self.leaving.iter().any(|leaving| leaving.socket == socket)
    }

    /// Gives up the sockets of a generation. A socket with an allocation is closed when the server
    /// has deleted the allocation.
    pub(super) fn let_go(&mut self, now: Instant, generation: &mut Generation) {
        let sockets = generation.take_sockets();
        self.ctx.connections.retain(|connection| !sockets.contains(connection));
        // What it has to say to peers is of no use any more. What it has to say to servers is:
        // that may be the release of an allocation.
        let clients = &generation.servers.clients;
        self.ctx.enclosures.retain_open(|open| !sockets.contains(&open.base.socket));
        self.ctx.transmits.retain(|transmit| {
            let Transmit { socket, destination, .. } = transmit;
            !sockets.contains(socket) || clients.iter().any(|c| c.is_at(*socket, *destination))
        });
        for client in std::mem::take(&mut generation.servers.clients) {
            self.leave(now, client);
        }
        for socket in sockets {
            if !self.is_leaving(socket) {
                self.emit(Event::CloseSocket(socket));
            }
        }
        if self.state != State::Closed {
            self.drive_leaving(now);
        }
    }

    /// Has a server delete an allocation. Returns whether its socket is needed for that.
    fn leave(&mut self, now: Instant, client: ServerClient) -> bool {
        let Some(socket) = client.carrier() else { return false };
        let ClientKind::Relay(mut relay) = client.kind else { return false };
        relay.client.close(now);
        if relay.client.state() == turn::State::Closed {
            return false;
        }
        // It may have to make room for others before anything else is asked of it.
        while let Some(payload) = relay.client.poll_transmit() {
            let destination = client.address;
            self.ctx.transmits.push_back(Transmit { socket, destination, payload });
        }
        self.ctx.remember_release(client.address, now);
        if self.leaving.len() >= MAX_LEAVING {
            let socket = self.leaving.remove(0).socket;
            self.close_unless_needed(socket);
        }
        let (server, stream, until) = (client.address, client.stream, later(now, LEAVE));
        self.leaving.push(Leaving { socket, server, client: relay.client, stream, until });
        true
    }

    /// Closes a socket from which allocations were released, if nobody else has a use for it.
    fn close_unless_needed(&mut self, socket: SocketId) {
        if !self.is_leaving(socket) && self.generation_of(socket).is_none() {
            self.emit(Event::CloseSocket(socket));
        }
    }

    /// RFC 8445 §8.3: releases the relays that a completed generation does not need.
    pub(super) fn release_unneeded(&mut self, now: Instant) {
        for index in 0..self.generations.len() {
            let Some(generation) = self.generations.get_mut(index) else { return };
            for client in generation.take_unneeded_relays() {
                let carrier = client.carrier();
                if !self.leave(now, client) {
                    carrier.into_iter().for_each(|socket| self.close_unless_needed(socket));
                }
            }
        }
    }

    /// Gives up all releases and closes their sockets. Nobody will know whether a server has got
    /// what is in [`poll_transmit`](Self::poll_transmit).
    pub fn leave_at_once(&mut self) {
        for leaving in std::mem::take(&mut self.leaving) {
            let closes = Event::CloseSocket(leaving.socket);
            if !self.events.iter().any(|(_, event)| *event == closes) {
                self.emit(closes);
            }
        }
    }

    /// The host has closed a socket: no allocation can be released from it any more.
    pub(super) fn forget_leaving(&mut self, socket: SocketId) {
        self.leaving.retain(|leaving| leaving.socket != socket);
        self.ctx.transmits.retain(|transmit| transmit.socket != socket);
        self.ctx.enclosures.retain_open(|open| open.base.socket != socket);
    }

    /// Takes what the clients have to send, and wraps the checks that go through relays.
    pub(super) fn collect_from_servers(&mut self, now: Instant) {
        self.wrap_relayed(now);
        for generation in &mut self.generations {
            for client in &mut generation.servers.clients {
                while let Some(payload) = client.poll_transmit() {
                    let Some(socket) = client.carrier() else { continue };
                    let destination = client.address;
                    self.ctx.transmits.push_back(Transmit { socket, destination, payload });
                }
            }
        }
    }

    /// Wraps the checks that go through relays.
    pub(super) fn wrap_relayed(&mut self, now: Instant) {
        for relayed in std::mem::take(&mut self.ctx.relayed) {
            let wrapped =
                self.wrap(now, relayed.relay, relayed.peer, Packet::Bare(relayed.payload));
            self.ctx.transmits.extend(wrapped);
        }
    }

    /// The datagram to the server that carries a payload to a peer.
    pub(super) fn wrap(
        &mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        packet: Packet,
    ) -> Option<Transmit> {
        let Some(client) = self.generations.iter_mut().find_map(|g| g.relay_mut(relay)) else {
            tracing::trace!(%peer, "a payload for a relay that is gone");
            return None;
        };
        let (socket, destination) = (client.carrier()?, client.address);
        let ClientKind::Relay(relay) = &mut client.kind else { return None };
        match encapsulate(self.room.get_or_insert_default(), &mut relay.client, now, peer, packet) {
            Ok(payload) => Some(Transmit { socket, destination, payload }),
            Err(error) => {
                tracing::debug!(%peer, %error, "a payload for a peer is lost at the relay");
                None
            }
        }
    }
}

/// Writes the message that carries the packet around it: where it lies if there is room, or else
/// where there is.
fn encapsulate(
    room: &mut BytesMut,
    client: &mut Client,
    now: Instant,
    peer: SocketAddr,
    packet: Packet,
) -> Result<Bytes, SendError> {
    let (mut buffer, payload) = packet.roomy(room, HEADROOM, TAILROOM);
    let message = client.encapsulate(now, peer, &mut buffer, payload)?;
    buffer.truncate(message.end);
    buffer.advance(message.start);
    Ok(buffer.freeze())
}
