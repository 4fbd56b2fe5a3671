//! What comes out of an agent.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use crate::candidate::Candidate;
use crate::server::CandidateError;
use crate::state::{GatheringState, Role, State};

/// A UDP socket or a TCP listener that the host bound for a generation, or a TCP connection that it
/// opened or accepted. Chosen by the host, unique per agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// What a UDP socket is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SocketUse {
    /// For all there is.
    #[default]
    Everything,
    /// Other agents share its port: see [`Demux`](crate::Demux). A server has one allocation for a
    /// 5-tuple (RFC 8656 §3.2), so no TURN server is asked from it over UDP.
    Shared,
    /// For TURN servers over UDP alone. It gives no candidates but those of relays.
    Relays,
}

/// A TCP connection that the agent has asked for: see [`Event::Connect`]. Unique per agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

/// An allocation at a TURN server, made from a socket. Unique per agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelayId(pub u32);

/// What a candidate sends from, its base in RFC 8445 §4: a socket, or a relay behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Base {
    /// The socket that the datagrams leave by.
    pub socket: SocketId,
    /// The relay that packets go through; `None` on a direct path.
    pub relay: Option<RelayId>,
}

impl From<SocketId> for Base {
    fn from(socket: SocketId) -> Self {
        Self { socket, relay: None }
    }
}

/// One set of credentials with its candidates and checks: the first, or one of an ICE restart.
/// Larger is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GenerationId(pub u32);

/// ICE parameters: `RTCIceParameters`, `a=ice-ufrag` and `a=ice-pwd`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Parameters {
    /// 4 to 256 characters (RFC 8839 §5.4).
    pub username_fragment: String,
    /// 22 to 256 characters (RFC 8839 §5.4).
    pub password: String,
}

impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parameters")
            .field("username_fragment", &self.username_fragment)
            .finish_non_exhaustive()
    }
}

/// A local and a remote candidate: `RTCIceCandidatePair`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CandidatePair {
    /// The local one: as the peer sees it, so peer-reflexive behind a NAT.
    pub local: Candidate,
    /// The remote one.
    pub remote: Candidate,
    /// The local username fragment of the generation.
    pub local_username_fragment: String,
    /// The remote username fragment of the generation.
    pub remote_username_fragment: String,
}

/// Where data goes: from this base to this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// The base to send from.
    pub base: Base,
    /// The address of the peer, or of the peer's relay.
    pub remote: SocketAddr,
}

impl Path {
    /// Bytes that are added to each packet at most, by a relay of ours: those of a Send indication,
    /// since a channel is there later, if at all. 0 on a direct path. On a TCP connection, too: the
    /// length in front of each packet takes no room from it.
    pub fn overhead(&self) -> usize {
        self.base.relay.map_or(0, |_| turn::HEADROOM)
    }
}

/// A datagram to send, or bytes to write to a TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The socket to send from.
    pub socket: SocketId,
    /// The address to send to. On a TCP connection: that of the other end.
    pub destination: SocketAddr,
    /// The UDP payload. On a TCP connection: a whole message as it is on the stream. If there is no
    /// room for it, all of it is dropped or none.
    pub payload: Bytes,
}

/// Whose addresses the host is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameOf {
    /// A STUN or TURN server's. The resolver of the system knows them. Until it answers, and for
    /// [`deadline`](turn::Config::deadline) at most, gathering goes on.
    Server,
    /// A remote candidate's: one label before `.local`, in lower case. Multicast DNS alone knows
    /// them (RFC 6762; draft-ietf-mmusic-mdns-ice-candidates §3.2.1). Until it answers, and for 5 s
    /// at most, the candidate counts as one that is yet to be checked, if no pair is selected.
    Candidate,
}

/// What happened, in the order it did: see [`Agent::poll_event`](crate::Agent::poll_event).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The host is asked to bind sockets for this generation: any number of
    /// [`add_socket`](crate::Agent::add_socket), then
    /// [`gathering_done`](crate::Agent::gathering_done). Before that, a host that has TCP may also
    /// listen on each of these addresses: [`add_listener`](crate::Agent::add_listener).
    Gather {
        /// The generation that gets the sockets.
        generation: GenerationId,
    },
    /// `RTCIceTransport.gatheringState` changed (webrtc-pc §5.6). It is complete after the end of
    /// candidates of the last generation that gathers. A rollback may change it too.
    GatheringStateChange(GatheringState),
    /// The host is asked for the IP addresses of a name, best first:
    /// [`resolved`](crate::Agent::resolved).
    Resolve {
        /// The generation that wants to know.
        generation: GenerationId,
        /// Whose name this is, and so who knows its addresses.
        of: NameOf,
        /// The name.
        host: String,
    },
    /// The host is asked to open a TCP connection to a server, with TLS on it if a name is given,
    /// or to the peer, without TLS. It answers with [`connected`](crate::Agent::connected). It
    /// gives up after [`deadline`](turn::Config::deadline): by then nobody waits any more.
    Connect {
        /// The generation that asks.
        generation: GenerationId,
        /// What to name in the answer.
        connection: ConnectionId,
        /// The local address to connect from.
        local: IpAddr,
        /// The address of the server or of the peer.
        remote: SocketAddr,
        /// The name, or the IP address, for which the certificate of the server must be valid
        /// (RFC 8656 §3.1). `None` means no TLS.
        tls: Option<String>,
    },
    /// A server gives no candidate: `icecandidateerror`.
    CandidateError {
        /// The username fragment of the generation.
        username_fragment: String,
        /// What happened.
        error: CandidateError,
    },
    /// A local candidate is available.
    LocalCandidate {
        /// The username fragment of its generation.
        username_fragment: String,
        /// The candidate.
        candidate: Candidate,
    },
    /// All local candidates of this generation have been announced.
    EndOfCandidates {
        /// The username fragment of the generation.
        username_fragment: String,
    },
    /// State or selected pair changed, or both: one task of webrtc-pc §5.6.
    StateChange {
        /// The new state, if it changed.
        state: Option<State>,
        /// The new selected pair, if it changed; `Some(None)` when none is selected any more.
        selected_pair: Option<Option<CandidatePair>>,
    },
    /// A role conflict was resolved (RFC 8445 §7.3.1.1), or the peer is lite.
    RoleChange(Role),
    /// The agent needs this socket, listener or connection no more. The host closes it, after it
    /// has sent what waits to be sent from it.
    CloseSocket(SocketId),
}
