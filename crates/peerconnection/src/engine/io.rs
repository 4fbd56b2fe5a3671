//! The types between an engine and its host.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use negotiation::TransportId;

pub use ice::{ConnectionId, GenerationId, NameOf, SocketId};

/// A request to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Bind UDP sockets on the interfaces to use, report each with
    /// [`Driver::socket_bound`](crate::host::Driver::socket_bound), then call
    /// [`Driver::gathering_done`](crate::host::Driver::gathering_done). Before that, a host that
    /// has TCP may also listen on each of these addresses, and report that with
    /// [`Driver::listening`](crate::host::Driver::listening): without it the connection has no
    /// candidates over TCP. A short backlog is enough.
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
    /// Open a TCP connection to a server, with TLS on it if a name is given, or to the peer, and
    /// report it, or the failure, with [`Driver::connected`](crate::host::Driver::connected). Do
    /// not wait for it: everything else goes on meanwhile. Give up after 10 s. A host without TCP
    /// reports a failure: if it was to a server, its text comes to the application in an
    /// `icecandidateerror` of code 701.
    Connect {
        /// For this transport
        transport: TransportId,
        /// and this generation of candidates.
        generation: GenerationId,
        /// Which of the connections that this transport asks for.
        connection: ConnectionId,
        /// The local address to connect from.
        local: IpAddr,
        /// The address of the server or of the peer.
        remote: SocketAddr,
        /// The name, or the IP address, for which the server's certificate must be valid. `None`
        /// means no TLS.
        tls: Option<String>,
    },
    /// Close the socket, the listener or the connection. Everything for it has been polled.
    CloseSocket(SocketId),
}

/// A datagram to send, or bytes to write to a TCP connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// From this socket
    pub socket: SocketId,
    /// to this address.
    pub destination: SocketAddr,
    /// The datagram. On a TCP connection: a whole message. If there is no room for it, all of it is
    /// dropped or none.
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

/// Whether to shorten a handshake in a way that both peers must know. Offers and answers say so;
/// with a peer that does not know it, the handshake is the usual one, and nothing is lost.
///
/// ```
/// use peerconnection::host::{Shortcut, TokioOptions};
///
/// let options = TokioOptions::default().with_sctp_init(Shortcut::On);
/// assert_eq!(TokioOptions::default().sctp_init, Shortcut::Automatic);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Shortcut {
    /// Neither offered nor accepted: descriptions have nothing of it.
    Off,
    /// Accepted if the peer offers it.
    #[default]
    Automatic,
    /// Offered, and accepted if the peer offers it.
    On,
}
