//! STUN and TURN servers, and what may be gathered from them.

use std::net::{IpAddr, SocketAddr};

use turn::{Credentials, Protocol};

/// One URL of an `RTCIceServer`: what [`Agent::set_servers`](crate::Agent::set_servers) takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// As the application wrote it: it comes back in candidates and errors.
    pub url: String,
    /// A name, or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How it is reached. A STUN server is asked over UDP alone: what it sees of a TCP connection
    /// is of no use to UDP candidates.
    pub protocol: Protocol,
    /// The credentials at a TURN server; a STUN server has none.
    pub credentials: Option<Credentials>,
}

impl Server {
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok().map(|ip: IpAddr| ip.to_canonical())
    }
}

/// `RTCIceTransportPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TransportPolicy {
    /// Every candidate may be used.
    #[default]
    All,
    /// Relayed candidates alone (RFC 9429 §3.5.3). Nobody learns a host address, and nothing is
    /// sent from one but to the servers.
    Relay,
}

/// The server that a candidate was gathered from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CandidateServer {
    /// `RTCIceCandidate.url`.
    pub url: String,
    /// `RTCIceCandidate.relayProtocol`; for relayed candidates alone.
    pub relay_protocol: Option<turn::Protocol>,
}

/// A server gave no candidate: `RTCPeerConnectionIceErrorEvent` (webrtc-pc §4.8.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CandidateError {
    /// `address` and `port`: the host candidate that asked the server. `None` if no socket asked,
    /// or if it is hidden.
    pub local: Option<SocketAddr>,
    /// `url`.
    pub url: String,
    /// `errorCode`: 300 to 699 of STUN; 701 if the server could not be reached.
    pub code: u16,
    /// `errorText`.
    pub text: String,
}
