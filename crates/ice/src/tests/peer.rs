//! A peer of the simulated network: an agent, its host, and what is seen of them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use time::Instant;

use crate::{Agent, Candidate, CandidateError, Enclosure, SocketId};

/// A peer with its host.
pub(super) struct Peer {
    pub(super) agent: Agent,
    /// The addresses of its interfaces, best first.
    pub(super) addresses: Vec<IpAddr>,
    pub(super) sockets: BTreeMap<SocketId, SocketAddr>,
    /// States, pairs, gathering states and roles as they are announced.
    pub(super) trace: Vec<String>,
    /// Its host candidates are signalled with this name in the place of the address.
    pub(super) hides_behind: Option<String>,
    /// Candidates are kept here instead of being signalled.
    pub(super) holds_candidates: bool,
    pub(super) held: Vec<(String, Option<Candidate>)>,
    /// All that were announced.
    pub(super) candidates: Vec<Candidate>,
    /// Errors of servers, with the milliseconds since the start.
    pub(super) errors: Vec<(u128, CandidateError)>,
    /// Packets of data that were taken, and that were refused.
    pub(super) accepted: usize,
    pub(super) refused: usize,
    pub(super) sent: usize,
    /// Times at which there was no path to send data on.
    pub(super) stuck: usize,
    pub(super) stun_sent: usize,
    /// What came over the wire and was taken, if it is to be kept.
    pub(super) inbox: Option<Vec<Vec<u8>>>,
    /// When the descriptions of both sides were applied first, on the peer's clock, and whether the
    /// other side has announced the end of its candidates.
    pub(super) described: Option<Instant>,
    pub(super) is_told_all: bool,
    /// Millionths by which its clock runs fast.
    pub(super) drift: i64,
    /// Times at which the agent's timer went off.
    pub(super) wakes: usize,
    pub(super) credentials: u32,
    pub(super) next_socket: u64,
    /// What its checks and answers carry, and what those of the other side have carried.
    pub(super) enclosure: Enclosure,
    pub(super) enclosures: Vec<Enclosure>,
}

impl Peer {
    pub(super) fn states(&self) -> String {
        let states: Vec<_> = self.trace.iter().filter_map(|t| t.strip_prefix("state ")).collect();
        states.join(" ")
    }

    pub(super) fn new_socket(&mut self, ip: IpAddr) -> (SocketId, SocketAddr) {
        self.next_socket += 1;
        let socket = SocketId(self.next_socket);
        let port = 10_000 + u16::try_from(self.next_socket).unwrap();
        let address = SocketAddr::new(ip, port);
        self.sockets.insert(socket, address);
        (socket, address)
    }

    pub(super) fn count(&self, what: &str) -> usize {
        self.trace.iter().filter(|line| *line == what).count()
    }
}
