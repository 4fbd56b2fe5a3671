//! Connections to servers that are asked over TCP or TLS: RFC 8656 §3.1.

use std::net::SocketAddr;

use time::{Duration, Instant};
use turn::FiveTuple;

use super::asking::relay;
use super::server_client::{ClientKind, End, Stream};
use super::{Context, Generation};
use crate::event::{ConnectionId, Event, SocketId};

impl Generation {
    /// Asks the host for the connection that a client needs.
    pub(super) fn ask_for_connection(&mut self, index: usize) {
        let Some(client) = self.servers.clients.get(index) else { return };
        let ClientKind::Connecting(connecting) = &client.kind else { return };
        self.events.push_back(Event::Connect {
            generation: self.id,
            connection: connecting.id,
            local: client.socket.address.ip(),
            remote: client.address,
            tls: client.question.tls.clone(),
        });
    }

    /// Takes a connection that the host was asked for, or the reason why there is none. Returns
    /// whether the connection is of use.
    pub(crate) fn connected(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        id: ConnectionId,
        opened: Result<(SocketId, SocketAddr), &str>,
    ) -> bool {
        if let Some(is_of_use) = self.peer_connected(ctx, now, id, opened) {
            return is_of_use;
        }
        let mut clients = self.servers.clients.iter_mut().enumerate();
        let waiting = clients.find_map(|(index, client)| match &client.kind {
            ClientKind::Connecting(connecting) if connecting.id == id && client.gathers => {
                let until = connecting.until?;
                Some((index, until, connecting.credentials.clone()))
            }
            _ => None,
        });
        let Some((index, until, credentials)) = waiting else {
            tracing::debug!(?id, "a connection that nobody waits for any more");
            return false;
        };
        let (socket, local) = match opened {
            Ok(opened) => opened,
            Err(why) => {
                self.not_connected(ctx, now, index, why);
                return false;
            }
        };
        let Some(client) = self.servers.clients.get_mut(index) else { return false };
        let (server, protocol) = (client.address, client.question.protocol);
        let deadline = until.checked_duration_since(now).unwrap_or(Duration::ZERO);
        let config = turn::Config { deadline, ..client.config.clone() };
        let five_tuple = FiveTuple { local, server, protocol };
        match relay(ctx, config, five_tuple, credentials) {
            Ok(kind) => {
                client.kind = kind;
                let incoming = turn::Reassembler::default();
                client.stream = Some(Stream { socket, server, incoming });
                client.connected_from = Some(local);
                client.start(now);
                true
            }
            Err(error) => {
                self.not_connected(ctx, now, index, &error.to_string());
                false
            }
        }
    }

    /// There is no connection to the server.
    pub(super) fn not_connected(
        &mut self,
        ctx: &mut Context,
        now: Instant,
        index: usize,
        why: &str,
    ) {
        let Some(client) = self.servers.clients.get_mut(index) else { return };
        client.gathers = false;
        let (socket, urls) = (client.socket, client.urls.clone());
        for url in urls {
            self.note_unreached(url, socket, None, why.to_owned());
        }
        self.go_on(ctx, now, index, End::Unreached(why.to_owned()));
    }

    pub(crate) fn stream_mut(&mut self, socket: SocketId) -> Option<&mut Stream> {
        let streams = self.servers.clients.iter_mut().filter_map(|c| c.stream.as_mut());
        streams.into_iter().find(|stream| stream.socket == socket)
    }

    pub(crate) fn has_connection(&self, socket: SocketId) -> bool {
        let mut streams = self.servers.clients.iter().filter_map(|c| c.stream.as_ref());
        streams.any(|stream| stream.socket == socket)
    }

    /// The connection to a server has ended. The allocation has ended with it.
    pub(super) fn connection_closed(&mut self, now: Instant, socket: SocketId) {
        let has = |stream: &Stream| stream.socket == socket;
        for client in &mut self.servers.clients {
            if client.stream.as_ref().is_some_and(has) {
                client.stream = None;
                if let ClientKind::Relay(relay) = &mut client.kind {
                    relay.client.handle_disconnect(now);
                }
            }
        }
    }

    /// Closes a connection that its client does not need any more.
    pub(super) fn close_idle_connection(&mut self, index: usize) {
        let Some(client) = self.servers.clients.get_mut(index) else { return };
        let is_over = match &client.kind {
            ClientKind::Relay(relay) => {
                matches!(relay.client.state(), turn::State::Failed | turn::State::Closed)
            }
            ClientKind::Binding(_) | ClientKind::Connecting(_) => false,
        };
        if is_over && let Some(stream) = client.stream.take() {
            self.events.push_back(Event::CloseSocket(stream.socket));
        }
    }

    /// The socket died: drops the clients that asked from it, and what they had.
    pub(super) fn drop_clients(&mut self, socket: SocketId) {
        let mut lost = Vec::new();
        let events = &mut self.events;
        self.servers.clients.retain_mut(|client| {
            if client.socket.id != socket {
                return true;
            }
            lost.extend(client.relay_id());
            let stream = client.stream.take();
            events.extend(stream.map(|stream| Event::CloseSocket(stream.socket)));
            false
        });
        lost.into_iter().for_each(|relay| self.relay_lost(relay));
    }
}
