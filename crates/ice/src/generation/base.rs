//! What the candidates of this side send from, and whom that reaches.

use std::net::SocketAddr;

use turn::same_address;

use crate::candidate::{Candidate, Protocol, TcpType, destination};
use crate::event::Base;
use crate::pair::Link;

/// A base and its candidate.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalBase {
    pub(super) id: Base,
    pub(super) address: SocketAddr,
    /// Index of its candidate among the local ones.
    pub(super) local: usize,
    pub(super) reach: Reach,
}

/// How packets of a base reach the peer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach {
    /// Over UDP, or through a relay.
    Datagrams,
    /// On a connection that is yet to be opened. The base is the listener at whose address it will
    /// begin.
    Opens,
    /// On this connection, whose other end is this.
    Connected(SocketAddr),
}

impl LocalBase {
    /// Where a pair of this base and a remote candidate leads, if the two make one: RFC 8445
    /// §6.1.2.2, RFC 6544 §6.2.
    pub(super) fn destination(
        &self,
        candidate: &Candidate,
        address: SocketAddr,
    ) -> Option<SocketAddr> {
        let is_tcp = candidate.protocol == Protocol::Tcp;
        let fits = match self.reach {
            Reach::Datagrams => !is_tcp,
            Reach::Opens => is_tcp && candidate.tcp_type == Some(TcpType::Passive),
            Reach::Connected(to) => is_tcp && same_address(to, address),
        };
        destination(self.address, address).filter(|_| fits)
    }

    /// What the peer sends from, as seen from here: RFC 8445 §7.3.1.3, RFC 6544 §7.2.
    pub(super) fn seen(&self, source: SocketAddr) -> Candidate {
        match self.reach {
            Reach::Datagrams => Candidate::udp(source),
            Reach::Opens | Reach::Connected(_) => Candidate::tcp(source, TcpType::Active),
        }
    }

    /// The link of a pair with this base.
    pub(super) fn link(&self) -> Link {
        match self.reach {
            Reach::Datagrams => Link::Datagrams,
            Reach::Opens => Link::ToOpen,
            Reach::Connected(_) => Link::Open,
        }
    }
}
