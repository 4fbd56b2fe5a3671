//! TCP connections, to servers and to peers: what comes on them, and who opens them.

use std::net::SocketAddr;

use bytes::Bytes;
use time::Instant;

use super::Agent;
use super::trickle::gathering;
use crate::event::{Event, GenerationId, SocketId};

impl Agent {
    /// Takes a TCP listener that the host has bound for this generation, at a specific address. It
    /// gives a passive and an active host candidate (RFC 6544 §4.1), which are announced behind
    /// those of the sockets. What is accepted goes to [`accepted`](Self::accepted). A listener that
    /// is of no use is given back by [`Event::CloseSocket`], for the same reasons as a socket is,
    /// and where the policy is `relay`.
    pub fn add_listener(
        &mut self,
        now: Instant,
        generation: GenerationId,
        listener: SocketId,
        local: SocketAddr,
    ) {
        if self.generation_of(listener).is_some() {
            tracing::debug!(?listener, "listener added twice");
            return;
        }
        let gathers = gathering(&mut self.generations, generation);
        if gathers.is_some_and(|g| g.add_listener(&self.ctx, listener, local)) {
            self.drive(now);
        } else {
            tracing::debug!(?generation, ?listener, %local, "listener of no use");
            self.emit(Event::CloseSocket(listener));
        }
    }

    /// Takes a connection that was accepted from a listener, with the address of the other end. A
    /// connection of no use comes back in [`Event::CloseSocket`]: at once, or when no check of the
    /// peer has come on it for 10 s. So does the oldest such connection when there are 16 of them
    /// and one more comes.
    pub fn accepted(
        &mut self,
        now: Instant,
        listener: SocketId,
        connection: SocketId,
        remote: SocketAddr,
    ) {
        let found = self.generations.iter_mut().find(|g| g.has_listener(listener));
        let accepts = |g: &mut crate::generation::Generation| {
            g.accepted(&mut self.ctx, now, listener, connection, remote)
        };
        if found.is_some_and(accepts) {
            self.drive(now);
        } else {
            tracing::debug!(?listener, %remote, "an accepted connection of no use");
            self.emit(Event::CloseSocket(connection));
        }
    }

    /// Takes bytes that have come on a connection. Anything may be in them, cut anywhere. To be
    /// followed by [`next_message`](Self::next_message) until there is none.
    pub fn handle_stream(&mut self, socket: SocketId, bytes: &[u8]) {
        if let Some(stream) = self.stream_mut(socket) {
            stream.incoming.push(bytes);
            return;
        }
        let mut generations = self.generations.iter_mut();
        match generations.find_map(|g| g.peer_connection_mut(socket)) {
            Some(connection) => connection.incoming.push(bytes),
            None => tracing::trace!(?socket, "bytes on a connection that is gone"),
        }
    }

    /// The next whole message on a connection, with the address of the other end: what
    /// [`handle_datagram`](Self::handle_datagram) takes. Closes a connection that carries something
    /// else.
    pub fn next_message(&mut self, now: Instant, socket: SocketId) -> Option<(SocketAddr, Bytes)> {
        let (remote, next) = match self.stream_mut(socket) {
            Some(stream) => {
                let next = stream.incoming.next_message();
                (stream.server, next.map_err(|error| error.to_string()))
            }
            None => {
                let mut generations = self.generations.iter_mut();
                let connection = generations.find_map(|g| g.peer_connection_mut(socket))?;
                let next = connection.next_packet().map_err(|error| error.to_string());
                (connection.remote, next)
            }
        };
        match next {
            Ok(message) => message.map(|message| (remote, message)),
            Err(error) => {
                tracing::debug!(%remote, error, "a connection is given up");
                self.emit(Event::CloseSocket(socket));
                self.socket_closed(now, socket);
                None
            }
        }
    }
}
