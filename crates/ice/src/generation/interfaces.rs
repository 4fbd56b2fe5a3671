//! Interfaces that go down and come back, and a machine that was suspended. webrtc-pc §5.6,
//! "disconnected": "Examples include: Losing the network interface for the connection in use."

use time::Instant;

use super::server_client::ClientKind;
use super::{Context, Generation};
use crate::event::{Base, SocketId};
use crate::pair::{Pair, PairId, PairState};

impl Generation {
    /// The interface of a socket went down or came back. Its pairs are kept: many an interface
    /// comes back after a moment, with the same address.
    pub(crate) fn interface_changed(
        &mut self,
        ctx: &Context,
        now: Instant,
        socket: SocketId,
        is_up: bool,
    ) {
        let was_down = self.down.iter().any(|(down, _)| *down == socket);
        if is_up != was_down {
            return;
        }
        if is_up {
            self.down.retain(|(down, _)| *down != socket);
            self.try_again(ctx, now, socket);
        } else {
            self.down.push((socket, now));
        }
        // Does the selected pair work, again or nevertheless?
        let id = self.selected.as_ref().map(|selected| selected.pair);
        let pair = id.and_then(|id| self.list.get(id));
        if pair.is_some_and(|pair| self.socket_behind(pair.base) == socket)
            && let Some(selected) = &mut self.selected
        {
            selected.consent.hasten(now);
        }
    }

    /// The pairs of a socket whose interface is back are checked once more, if none works.
    fn try_again(&mut self, ctx: &Context, now: Instant, socket: SocketId) {
        if self.selected.is_some() && !self.is_in_trouble(ctx, now) {
            return;
        }
        if let Some(selected) = &mut self.selected {
            selected.recovering = false;
        }
        for id in self.list.ids() {
            let of_socket = |pair: &&Pair| self.socket_behind(pair.base) == socket;
            let Some(pair) = self.list.get(id).filter(of_socket) else { continue };
            if pair.is_valid() {
                self.list.trigger(id, false);
            } else if pair.state == PairState::Failed
                && !pair.dead
                && !pair.replayed
                && let Some(pair) = self.list.get_mut(id)
            {
                pair.state = PairState::Waiting;
            }
        }
    }

    /// A check that was sent then has an answer. If its interface was down by then, that is no
    /// matter: a peer on the same machine, for example, is reached all the same.
    pub(super) fn prove(&mut self, base: Base, sent_at: Instant) {
        if !self.down.is_empty() {
            let socket = self.socket_behind(base);
            self.down.retain(|(down, since)| *down != socket || sent_at < *since);
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
        if self.down.is_empty() {
            return false;
        }
        let socket = self.socket_behind(pair.base);
        self.down.iter().any(|(down, _)| *down == socket)
    }

    /// The UDP socket of a base; for a relay behind a connection, that of the same address.
    fn socket_behind(&self, base: Base) -> SocketId {
        let mut clients = self.servers.clients.iter();
        let client = clients.find(|client| client.carrier() == Some(base.socket));
        client.map_or(base.socket, |client| client.socket.id)
    }
}
