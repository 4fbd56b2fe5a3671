//! The 5-tuple, the credentials, timing and limits.

use std::net::SocketAddr;

use time::Duration;

/// How the server is reached: `RTCIceServerTransportProtocol`, and the scheme of its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// One message in each datagram.
    Udp,
    /// A stream of messages: `turn:` with `?transport=tcp`.
    Tcp,
    /// The same within TLS: `turns:`. The client sees plain bytes; the host does TLS.
    Tls,
}

impl Protocol {
    /// Whether messages follow one another in a stream: no retransmission, and ChannelData is
    /// padded to 4 bytes (RFC 8656 §12.5).
    pub fn is_stream(self) -> bool {
        self != Self::Udp
    }
}

/// What an allocation belongs to (RFC 8656 §3.2): the local address, the server's, and the protocol
/// between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FiveTuple {
    /// The local address of the socket: reported in [`ServerError`](crate::ServerError), and used
    /// for nothing else.
    pub local: SocketAddr,
    /// The address of the server, after DNS.
    pub server: SocketAddr,
    /// How it is reached.
    pub protocol: Protocol,
}

/// `RTCIceServer.username` and `.credential`: long-term credentials (RFC 8489 §9.2).
///
/// They are used as given, as browsers do: no preparation by RFC 8265.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// At most 508 bytes (RFC 8489 §14.3).
    pub username: String,
    /// Any length.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Which relayed addresses are asked for (RFC 8656 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Families {
    /// An IPv4 address. The request names no family, so that servers before RFC 6156 understand it.
    #[default]
    V4,
    /// An IPv6 address: REQUESTED-ADDRESS-FAMILY.
    V6,
    /// Both, by ADDITIONAL-ADDRESS-FAMILY. A server may give IPv4 alone, and coturn 4.6.1 does
    /// so without a reason.
    Both,
}

/// Timing and limits of a [`Client`](crate::Client) or a [`Binding`](crate::Binding).
///
/// The constructors limit every duration to what the RFCs allow and to one day.
///
/// ```
/// use std::time::Duration;
/// use peerconnection_turn as turn;
///
/// let config = turn::Config { deadline: Duration::from_secs(5), ..turn::Config::default() };
/// assert_eq!(config.lifetime, Duration::from_secs(600));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// RTO, the time to the first retransmission over UDP; each further one takes twice as long
    /// (RFC 8489 §6.2.1). Default 500 ms, at least 100 ms.
    pub rto: Duration,
    /// Rc, how often a request is sent over UDP. It is given up 16 RTO after the last transmission
    /// (RFC 8489 §6.2.1). Default 7, which with an RTO of 500 ms gives up after 39.5 s. 1 to 10.
    pub max_transmissions: u32,
    /// Longest time from the first request to the server-reflexive or relayed address, retries
    /// included. After it, gathering from this server ends with error 701. Default 10 s, in which
    /// five transmissions fit.
    pub deadline: Duration,
    /// LIFETIME that is asked for, in whole seconds. It is short, so that the server soon forgets a
    /// client that was killed; the server gives 600 s at least (RFC 8656 §7.2). Default 600 s.
    pub lifetime: Duration,
    /// Time after which a mapping of a NAT is refreshed if nothing was sent over UDP. RFC 8445
    /// §11 allows 15 s and more; Linux forgets one-way flows after 30 s. Default 15 s, at least
    /// 1 s.
    pub keepalive: Duration,
    /// Most peer IP addresses with a permission. Default 100.
    pub max_permissions: usize,
    /// Most channels, including channels that are being forgotten. Default 32, at most 4096.
    pub max_channels: usize,
    /// Whether a lost allocation is asked for again. Its address may differ then. If not, the client is
    /// [`State::Failed`](crate::State::Failed) once the allocation is lost. Default true.
    pub replaces_lost_allocation: bool,
    /// How many more servers may be tried because a server names them (300, ALTERNATE-SERVER). The
    /// client of such a server gets the number from [`Event::AlternateServer`](crate::Event).
    /// Default 3.
    pub max_redirects: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rto: Duration::from_millis(500),
            max_transmissions: 7,
            deadline: Duration::from_secs(10),
            lifetime: Duration::from_secs(600),
            keepalive: Duration::from_secs(15),
            max_permissions: 100,
            max_channels: 32,
            replaces_lost_allocation: true,
            max_redirects: 3,
        }
    }
}

impl Config {
    /// The configuration within what the RFCs allow and what cannot overflow a clock.
    pub(crate) fn normalise(self) -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            rto: self.rto.clamp(Duration::from_millis(100), DAY),
            max_transmissions: self.max_transmissions.clamp(1, 10),
            deadline: self.deadline.clamp(Duration::from_millis(100), DAY),
            lifetime: self.lifetime.clamp(Duration::from_secs(1), DAY),
            keepalive: self.keepalive.clamp(Duration::from_secs(1), DAY),
            max_permissions: self.max_permissions.max(1),
            max_channels: self.max_channels.clamp(1, 4096),
            replaces_lost_allocation: self.replaces_lost_allocation,
            max_redirects: self.max_redirects,
        }
    }
}
