//! What comes out of a client.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use smallvec::SmallVec;
use time::Duration;

use crate::error::ServerError;

/// What happened, in the order it did: see [`Client::poll_event`](crate::Client::poll_event).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// There is an allocation: the first, or one in place of one that was
    /// [lost](Self::AllocationLost).
    Allocated(Allocated),
    /// There is no allocation and will be none: the client is [`State::Failed`]. This comes once.
    /// After an allocation it comes if the connection was closed or a lost allocation could not be
    /// replaced. After 437 the host may try another local port, up to three (RFC 8656 §7.4).
    AllocateFailed(ServerError),
    /// The server names another (300), and the client is [`State::Failed`]. A new client may try
    /// that server. If the named one must not be tried, [`AllocateFailed`](Self::AllocateFailed)
    /// comes instead.
    AlternateServer(AlternateServer),
    /// The server has forgotten the allocation, or did not answer until it had expired. The client
    /// asks for another one, with the same permissions and channels, whose address may differ; or
    /// [`AllocateFailed`](Self::AllocateFailed) follows, as
    /// [`Config::replaces_lost_allocation`](crate::Config::replaces_lost_allocation) says.
    AllocationLost(ServerError),
    /// Packets to and from this address pass from now on.
    PermissionGranted {
        /// The address. Ports do not matter (RFC 8656 §9).
        peer: IpAddr,
    },
    /// The server relays nothing to or from this address: pairs with it have failed.
    PermissionDenied {
        /// The address.
        peer: IpAddr,
        /// 403 if the server forbids it, 443 if the relayed address is of the other family, 701
        /// if no answer came.
        error: ServerError,
    },
    /// Packets to this peer take 4 bytes more from now on, not 36 or 48.
    ChannelBound {
        /// The peer.
        peer: SocketAddr,
    },
    /// The server gave no channel. Packets go as before.
    ChannelRefused {
        /// The peer.
        peer: SocketAddr,
        /// Why.
        error: ServerError,
    },
    /// After [`close`](crate::Client::close): the server has deleted the allocation, there was
    /// none, or no answer came. The socket can be closed.
    Closed,
}

/// An allocation: RFC 8656 §7.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocated {
    /// The relayed addresses: one, or one of each family.
    pub relayed: SmallVec<[SocketAddr; 2]>,
    /// The local address as the server sees it: the base of the relayed candidate (`raddr`), and a
    /// server-reflexive candidate if the protocol is UDP.
    pub mapped: SocketAddr,
    /// Time to live that the server gave. The client refreshes it.
    pub lifetime: Duration,
    /// Why there is no address of the additional family, if the server says it
    /// (ADDRESS-ERROR-CODE).
    pub additional: Option<ServerError>,
}

/// Another server to try: RFC 8489 §10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlternateServer {
    /// Its address: not loopback, unspecified or multicast, of the same family as the server
    /// that names it, on port 53, 80, 443 or above 1023.
    pub server: SocketAddr,
    /// ALTERNATE-DOMAIN: the name in its certificate, if that is another.
    pub domain: Option<String>,
    /// [`Config::max_redirects`](crate::Config::max_redirects) for the client that tries it.
    pub max_redirects: u8,
    /// Whether the 300 was authenticated. Without TLS, anybody on the path can have sent one that
    /// was not.
    pub authenticated: bool,
}

/// A packet of a peer: see [`Client::handle_message`](crate::Client::handle_message).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// The peer that sent it.
    pub peer: SocketAddr,
    /// Where in the message the payload is. Nothing was copied.
    pub payload: Range<usize>,
}

/// The state of a [`Client`](crate::Client).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing was asked yet.
    New,
    /// An allocation is asked for.
    Allocating,
    /// There is an allocation.
    Allocated,
    /// There was no allocation, or another server was named. Nothing goes on.
    Failed,
    /// The allocation is being deleted.
    Closing,
    /// Nothing goes on.
    Closed,
}
