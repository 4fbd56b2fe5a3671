//! The types between an engine and its host.

use std::net::SocketAddr;

use bytes::Bytes;
use negotiation::TransportId;

pub use ice::{GenerationId, NameOf, SocketId};

/// A request to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Bind UDP sockets on the interfaces to use, report each with
    /// [`Driver::socket_bound`](crate::host::Driver::socket_bound), then call
    /// [`Driver::gathering_done`](crate::host::Driver::gathering_done).
    Gather {
        /// For this transport
        transport: TransportId,
        /// and this generation of candidates.
        generation: GenerationId,
    },
    /// Find the IPv4 and IPv6 addresses of a name, best first. Report them, or the failure, with
    /// [`Driver::resolved`](crate::host::Driver::resolved). Do not wait for the answer: gathering
    /// and checks go on meanwhile.
    Resolve {
        /// For this transport
        transport: TransportId,
        /// and this generation of candidates.
        generation: GenerationId,
        /// A server's name is for DNS, a candidate's for multicast DNS, and for nobody beyond the
        /// local network.
        of: NameOf,
        /// The name.
        host: String,
    },
    /// Close the socket. Every datagram for it has been polled.
    CloseSocket(SocketId),
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// From this socket
    pub socket: SocketId,
    /// to this address.
    pub destination: SocketAddr,
    /// The datagram.
    pub payload: Bytes,
}

impl From<ice::Transmit> for Transmit {
    fn from(transmit: ice::Transmit) -> Self {
        Self {
            socket: transmit.socket,
            destination: transmit.destination,
            payload: transmit.payload,
        }
    }
}

/// The tasks that wait to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How many tasks wait.
    pub tasks: usize,
    /// The bytes of the messages in the tasks.
    pub bytes: usize,
}

impl Waiting {
    /// Whether there are more tasks, or more bytes, than `limit` has.
    pub fn exceeds(self, limit: Self) -> bool {
        self.tasks > limit.tasks || self.bytes > limit.bytes
    }
}
