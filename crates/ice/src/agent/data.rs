//! What is not STUN: sent on the selected path, taken from where the peer has proven itself.

use std::net::SocketAddr;

use bytes::Bytes;
use time::{Instant, earlier};

use super::Agent;
use crate::candidate::same_address;
use crate::event::{Base, Transmit};

impl Agent {
    /// The datagram that carries a packet to the peer, on the
    /// [selected path](Self::selected_path), and counts. Nothing if there is no path, or
    /// the relay does not let the packet pass: it is lost, as on any network.
    ///
    /// A packet on a direct path is passed on as it is; one for a relay is copied once.
    pub fn send(&mut self, now: Instant, packet: Bytes) -> Option<Transmit> {
        let (selected, path) = (self.selected?, self.path?);
        let bytes = packet.len();
        let transmit = match path.base.relay {
            Some(relay) => self.wrap(now, relay, path.remote, &packet)?,
            None => {
                let (socket, destination) = (path.base.socket, path.remote);
                Transmit { socket, destination, payload: packet }
            }
        };
        let carrying = self.generations.iter_mut().find(|g| g.id == selected.generation);
        if let Some(generation) = carrying {
            generation.data_sent(now, bytes);
        }
        Some(transmit)
    }

    /// Whether a packet that is not STUN may be taken from there: some living generation has a
    /// pair on which the peer has proven itself. All else is to be dropped.
    pub fn accepts_data(&self, base: impl Into<Base>, source: SocketAddr) -> bool {
        let base = base.into();
        self.path.is_some_and(|path| path.base == base && same_address(path.remote, source))
            || self.generation_of(base.socket).is_some_and(|g| g.accepts_data(base, source))
    }

    /// A packet that is not STUN has come. Whether it may be taken, as
    /// [`accepts_data`](Self::accepts_data) says; if so it counts.
    pub fn data_received(
        &mut self,
        now: Instant,
        base: impl Into<Base>,
        source: SocketAddr,
        bytes: usize,
    ) -> bool {
        let base = base.into();
        let accepted = self.accepts_data(base, source);
        if accepted
            && let Some(generation) =
                self.generations.iter_mut().find(|g| g.has_socket(base.socket))
        {
            let silence = generation.data_received(now, base, source, bytes, &self.ctx.config);
            // A timer that comes earlier looks at it too.
            earlier(&mut self.timeout, silence);
        }
        accepted
    }
}
