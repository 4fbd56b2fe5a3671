//! ICE agents whose transport is gone, and which release their allocations at TURN servers.

use std::net::SocketAddr;

use time::Instant;

use super::{SocketId, Transmit};

/// Agents at most: each is there for 10 s at most, but a peer may describe and discard faster.
const MAX_AGENTS: usize = 64;

/// The agents that are closed and still have to hear from servers.
#[derive(Default)]
pub(super) struct Departing {
    agents: Vec<ice::Agent>,
    /// Sockets of those that had no more time.
    closing: Vec<SocketId>,
}

impl Departing {
    /// Takes an agent that was closed. What it has to send was sent, and its events were taken.
    pub(super) fn add(&mut self, agent: ice::Agent) {
        if agent.has_left() {
            return;
        }
        if self.agents.len() >= MAX_AGENTS {
            let mut oldest = self.agents.remove(0);
            oldest.leave_at_once();
            self.closing.extend(sockets_to_close(&mut oldest));
        }
        self.agents.push(agent);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.closing.is_empty()
    }

    pub(super) fn receive(
        &mut self,
        now: Instant,
        socket: SocketId,
        source: SocketAddr,
        datagram: &[u8],
    ) {
        for agent in &mut self.agents {
            agent.handle_datagram(now, socket, source, datagram);
        }
    }

    pub(super) fn handle_stream(&mut self, now: Instant, socket: SocketId, bytes: &[u8]) {
        for agent in &mut self.agents {
            agent.handle_stream(socket, bytes);
            while let Some((source, message)) = agent.next_message(now, socket) {
                agent.handle_datagram(now, socket, source, &message);
            }
        }
    }

    /// The host has closed a socket.
    pub(super) fn socket_failed(&mut self, now: Instant, socket: SocketId) {
        for agent in &mut self.agents {
            agent.socket_closed(now, socket);
        }
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.agents.iter_mut().find_map(ice::Agent::poll_transmit).map(Transmit::from)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.agents.iter().filter_map(ice::Agent::poll_timeout).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for agent in &mut self.agents {
            if agent.poll_timeout().is_some_and(|at| at <= now) {
                agent.handle_timeout(now);
            }
        }
    }

    /// The sockets that nobody needs any more; the agents that have none left are forgotten.
    pub(super) fn take_closed(&mut self) -> Vec<SocketId> {
        let mut closed = std::mem::take(&mut self.closing);
        for agent in &mut self.agents {
            closed.extend(sockets_to_close(agent));
        }
        self.agents.retain(|agent| !agent.has_left());
        closed
    }
}

fn sockets_to_close(agent: &mut ice::Agent) -> impl Iterator<Item = SocketId> {
    std::iter::from_fn(|| agent.poll_event()).filter_map(|event| match event {
        ice::Event::CloseSocket(socket) => Some(socket),
        _ => None,
    })
}
