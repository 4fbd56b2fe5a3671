//! What is not STUN: it goes out on the selected path, and comes in where the peer has proven
//! itself.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use time::{Instant, earlier};
use turn::same_address;

use super::Agent;
use crate::event::{Base, Transmit};
use crate::framing;
use crate::packet::Packet;

impl Agent {
    /// Makes the datagram that carries a payload to the peer on the [data
    /// path](Self::data_path), and counts it. Returns `None` if there is no path, or if the
    /// relay does not let the payload pass: then the payload is lost, as on any network.
    ///
    /// A payload on a direct path is passed on as it is; one for a relay, or for a connection, is
    /// copied once. [`send_in_place`](Self::send_in_place) copies nothing.
    pub fn send(&mut self, now: Instant, payload: Bytes) -> Option<Transmit> {
        self.send_packet(now, Packet::Bare(payload))
    }

    /// Like [`send`](Self::send), with the payload in `buffer`, from `start` to its end. What goes
    /// around it is written in front of it and into the spare capacity of the buffer. With
    /// [`HEADROOM`](crate::HEADROOM) bytes in front and [`TAILROOM`](crate::TAILROOM) bytes of
    /// spare capacity, nothing is copied and nothing is allocated, whatever the path. With less,
    /// the payload is copied once if need be.
    ///
    /// What is in front of the payload otherwise does not matter and is not sent.
    pub fn send_in_place(
        &mut self,
        now: Instant,
        buffer: BytesMut,
        start: usize,
    ) -> Option<Transmit> {
        self.send_packet(now, Packet::with_room(buffer, start))
    }

    fn send_packet(&mut self, now: Instant, packet: Packet) -> Option<Transmit> {
        let (generation, path) = self.carries_data()?;
        let bytes = packet.len();
        let transmit = match path.base.relay {
            Some(relay) => self.wrap(now, relay, path.remote, packet)?,
            None => {
                let (socket, destination) = (path.base.socket, path.remote);
                let payload = match self.ctx.connections.contains(&socket) {
                    true => framing::frame(self.room.get_or_insert_default(), packet)?,
                    false => packet.into_bytes(),
                };
                Transmit { socket, destination, payload }
            }
        };
        let carrying = self.generations.iter_mut().find(|g| g.id == generation);
        if let Some(generation) = carrying {
            generation.data_sent(now, path, bytes);
        }
        Some(transmit)
    }

    /// Whether the host may take a payload that is not STUN: some living generation has a pair from
    /// there on which the peer has proven itself. The host drops all others.
    pub fn accepts_data(&self, base: impl Into<Base>, source: SocketAddr) -> bool {
        let base = base.into();
        self.path.is_some_and(|path| path.base == base && same_address(path.remote, source))
            || self.generation_of(base.socket).is_some_and(|g| g.accepts_data(base, source))
    }

    /// Counts a payload that is not STUN, if it may be taken. Returns what
    /// [`accepts_data`](Self::accepts_data) says.
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
            // If another timeout comes earlier, it finds this deadline again.
            earlier(&mut self.timeout, silence);
            if generation.follow_data(&mut self.ctx, now, base, source) {
                self.drive(now);
            }
        }
        accepted
    }
}
