//! What the tests ask of an agent of somebody else, and of the host that it runs on.

use std::net::SocketAddr;

use peerconnection_ice::Parameters;
use time::Instant;

use crate::str0m::Str0m;
use crate::webrtc_rs::WebrtcRs;

/// A datagram on its way.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) payload: Vec<u8>,
}

/// An agent with its host, which keeps its sockets over restarts.
pub(crate) trait Foreign {
    /// Takes new parameters of its own, of a start or of a restart.
    fn set_local(&mut self, now: Instant, parameters: &Parameters);
    /// Takes the parameters of the peer.
    fn set_remote(&mut self, now: Instant, parameters: &Parameters);
    /// What follows `candidate:` in each of its candidates.
    fn candidates(&self) -> Vec<String>;
    /// Takes what follows `candidate:` in a candidate of the peer.
    fn add_remote_candidate(&mut self, now: Instant, candidate: &str);
    fn handle_stun(&mut self, now: Instant, packet: &Packet);
    /// Whether it takes data that came so.
    fn accepts_data(&mut self, now: Instant, packet: &Packet) -> bool;
    fn poll_transmit(&mut self) -> Option<Packet>;
    fn poll_timeout(&mut self) -> Option<Instant>;
    fn handle_timeout(&mut self, now: Instant);
    fn is_controlling(&self) -> bool;
    fn is_connected(&self) -> bool;
    /// From where data goes, and to where.
    fn path(&self) -> Option<(SocketAddr, SocketAddr)>;
}

/// Whose agent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stack {
    /// The crate `is`.
    Str0m,
    /// The crate `rtc-ice`.
    WebrtcRs,
}

/// How it begins.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) is_controlling: bool,
    pub(crate) is_lite: bool,
    /// Better ones first.
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Stack {
    pub(crate) const ALL: [Self; 2] = [Self::Str0m, Self::WebrtcRs];

    pub(crate) fn agent(self, now: Instant, setup: Setup) -> Box<dyn Foreign> {
        match self {
            Self::Str0m => Box::new(Str0m::new(now, setup)),
            Self::WebrtcRs => Box::new(WebrtcRs::new(now, setup)),
        }
    }
}
