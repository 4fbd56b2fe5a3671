//! Relays that are needed no more once ICE is completed: RFC 8445 §8.3.
//!
//! Everything else stays, for a path that dies is replaced by another pair of the same generation.
//! But a socket that reaches relays over UDP needs one of them for that, and so it is over TCP.

use smallvec::SmallVec;

use super::Generation;
use super::server_client::{ClientKind, ServerClient};
use crate::event::{RelayId, SocketId};

impl Generation {
    /// Takes the relays that are of no use any more, each with its pairs, for the agent to release:
    /// of those that a socket reaches in one way, all but the best. The best is the selected one,
    /// then the one with the best pair that works, then the one with the best candidate.
    pub(crate) fn take_unneeded_relays(&mut self) -> SmallVec<[ServerClient; 2]> {
        let mut unneeded = SmallVec::new();
        // Until then another peer may answer the offer that named them (RFC 9429 §4.1.10).
        let is_over = self.completed && self.committed;
        if !is_over || std::mem::replace(&mut self.has_freed, true) {
            return unneeded;
        }
        let mut best: SmallVec<[(SocketId, bool, RelayId); 4]> = SmallVec::new();
        for client in &self.servers.clients {
            let Some((socket, is_stream, id)) = place(client) else { continue };
            let of_place = best.iter_mut().find(|(at, way, _)| (*at, *way) == (socket, is_stream));
            match of_place {
                Some((_, _, other)) if self.worth(id) > self.worth(*other) => *other = id,
                Some(_) => {}
                None => best.push((socket, is_stream, id)),
            }
        }
        let is_unneeded = |client: &ServerClient| {
            place(client).filter(|(.., id)| !best.iter().any(|(.., kept)| kept == id)).is_some()
        };
        while let Some(index) = self.servers.clients.iter().position(is_unneeded) {
            let client = self.servers.clients.remove(index);
            tracing::debug!(server = %client.address, "a relay is not needed any more");
            if let Some(id) = client.relay_id() {
                self.relay_lost(id);
            }
            unneeded.push(client);
        }
        unneeded
    }

    /// What speaks for a relay, the most important first.
    fn worth(&self, relay: RelayId) -> (bool, Option<u64>, Option<u32>) {
        let selected = self.selected.as_ref().map(|selected| selected.pair);
        let pairs = || self.list.iter().filter(|(_, pair)| pair.base.relay == Some(relay));
        let is_selected = pairs().any(|(id, _)| Some(id) == selected);
        let valid = pairs().filter(|(_, pair)| pair.is_valid()).map(|(_, pair)| pair.priority);
        let bases = self.bases.iter().filter(|base| base.id.relay == Some(relay));
        let candidates = bases.filter_map(|base| Some(self.locals.get(base.local)?.priority));
        (is_selected, valid.max(), candidates.max())
    }
}

/// The socket of a relay, whether a connection leads to it, and its id.
fn place(client: &ServerClient) -> Option<(SocketId, bool, RelayId)> {
    match &client.kind {
        ClientKind::Relay(relay) => {
            Some((client.socket.id, client.question.protocol.is_stream(), relay.id))
        }
        ClientKind::Binding(_) | ClientKind::Connecting(_) => None,
    }
}
