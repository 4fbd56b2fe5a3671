//! What a peer in a network namespace is told on its standard input, and what it tells on its
//! standard output: one JSON object a line.

use std::time::{Duration, SystemTime};

use peerconnection::{RTCConfiguration, SignalingMessage};
use serde::{Deserialize, Serialize};

/// What a peer is like: the first argument of its program.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Setup {
    /// Whether it gives way during glare. The other peer makes the channel, and the first offer.
    pub polite: bool,
    /// The configuration of the connection.
    pub configuration: RTCConfiguration,
    /// Whether the connection restarts by itself.
    pub restart_on_network_change: bool,
    /// Authorities that may vouch for TURN servers, in PEM.
    pub authorities: Option<String>,
}

/// What a peer is told to do. It ends with its standard input.
///
/// `namespaced_peer` is a peer of our own, `namespaced_browser` a browser.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Command {
    /// Make a connection, in place of the one that there is. For browsers alone: another peer is
    /// another process.
    Start(Box<Setup>),
    /// The other peer has sent this.
    Signal(SignalingMessage),
    /// Restart ICE.
    Restart,
    /// Send no more messages, and say how many there were.
    Stop,
    /// End at once.
    End,
}

/// What has happened to a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// When: see [`now`].
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// See [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// To be passed on to the other peer.
    Signal(SignalingMessage),
    /// The iceConnectionState.
    Ice(String),
    /// The connectionState.
    Connection(String),
    /// The selected pair.
    Pair(Option<Pair>),
    /// A candidate was gathered.
    Candidate(Candidate),
    /// There are no more.
    Gathered,
    /// A server has refused, or cannot be reached.
    ServerError {
        /// The URL of the server.
        url: String,
        /// Its errorCode.
        code: u16,
        /// Its errorText.
        text: String,
        /// The address that asked.
        address: Option<String>,
        /// The port that asked.
        port: Option<u16>,
    },
    /// The channel is open.
    Open,
    /// So many messages have come.
    Received(u64),
    /// A message has come after so many milliseconds without any.
    Silence(u64),
    /// So many messages were sent in all.
    Sent(u64),
    /// What must not happen.
    Fault(String),
}

/// The attributes of an RTCIceCandidate that the networks decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its type.
    #[serde(rename = "type")]
    pub type_: String,
    /// Its protocol.
    pub protocol: String,
    /// Its tcpType.
    pub tcp_type: Option<String>,
    /// Its relayProtocol.
    pub relay_protocol: Option<String>,
    /// The URL of the server.
    pub url: Option<String>,
    /// Its priority.
    pub priority: u32,
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// Its relatedAddress.
    pub related_address: Option<String>,
    /// Its relatedPort.
    pub related_port: Option<u16>,
}

/// A selected pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The local candidate.
    pub local: End,
    /// The remote candidate.
    pub remote: End,
}

/// One end of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The type of the candidate.
    #[serde(rename = "type")]
    pub type_: String,
    /// Its address.
    pub address: String,
    /// How a local peer reaches its TURN server.
    pub relay_protocol: Option<String>,
}

/// Microseconds since the epoch: a clock that all processes of the machine share.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// From one time to another; nothing if that was earlier.
pub fn between(from: u64, to: u64) -> Duration {
    Duration::from_micros(to.saturating_sub(from))
}
