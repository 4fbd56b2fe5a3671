//! Interfaces that go down and come back, and a machine that was suspended. webrtc-pc §5.6, "disconnected": "Examples include: Losing
//! the network interface for the connection in use."

use time::Instant;

use super::Generation;
use super::server_client::ClientKind;
use crate::event::{Base, SocketId};
use crate::pair::{Pair, PairId};

impl Generation {
    /// The interface of a socket went down or came back. Its pairs are kept: many an interface comes
    /// back after a moment, with the same address.
    pub(crate) fn interface_changed(&mut self, now: Instant, socket: SocketId, is_up: bool) {
        if is_up {
            self.down.retain(|down| *down != socket);
        } else if !self.down.contains(&socket) {
            self.down.push(socket);
        }
        // Does it work again? The peer may have moved meanwhile.
        let id = self.selected.as_ref().map(|selected| selected.pair);
        if is_up
            && let Some(id) = id
            && !self.is_cut_off(id)
            && let Some(selected) = &mut self.selected
        {
            selected.consent.hasten(now);
        }
    }

    /// The machine was suspended.
    pub(crate) fn resumed(&mut self, now: Instant) {
        if let Some(selected) = &mut self.selected {
            selected.consent.hasten(now);
        }
        for client in &mut self.servers.clients {
            if let ClientKind::Relay(relay) = &mut client.kind {
                relay.client.refresh(now);
            }
        }
    }

    /// Whether the interface of a pair is down.
    pub(super) fn is_cut_off(&self, id: PairId) -> bool {
        self.list.get(id).is_some_and(|pair| self.is_pair_cut_off(pair))
    }

    pub(super) fn is_pair_cut_off(&self, pair: &Pair) -> bool {
        !self.down.is_empty() && self.down.contains(&self.socket_behind(pair.base))
    }

    /// The UDP socket of a base; for a relay behind a connection, that of the same address.
    fn socket_behind(&self, base: Base) -> SocketId {
        let mut clients = self.servers.clients.iter();
        let client = clients.find(|client| client.carrier() == Some(base.socket));
        client.map_or(base.socket, |client| client.socket.id)
    }
}
