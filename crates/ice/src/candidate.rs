//! Candidates: RFC 8445 §5.1, RFC 8839 §5.1.

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use crate::server::CandidateServer;

/// The transport protocol of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP (RFC 6544). Such candidates are kept, but make no pair yet.
    Tcp,
}

/// How a TCP candidate gets its connection: RFC 6544 §4.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TcpType {
    /// Opens connections.
    Active,
    /// Accepts connections.
    Passive,
    /// Opens a connection at the same time as the peer.
    SimultaneousOpen,
}

/// Where a candidate comes from: RFC 8445 §5.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CandidateKind {
    /// An address of an interface.
    Host,
    /// What a STUN server saw.
    ServerReflexive,
    /// What the peer saw in a check.
    PeerReflexive,
    /// An address on a TURN server.
    Relayed,
}

impl CandidateKind {
    /// RFC 8445 §5.1.2.2, the recommended type preferences.
    pub(crate) fn preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }
}

/// The connection address of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CandidateAddress {
    /// An IP address.
    Ip(IpAddr),
    /// A name, such as the `.local` ones that browsers hide host addresses behind. A remote
    /// candidate makes pairs once its name is resolved, and keeps the name: the application does
    /// not see the address. Names of other kinds are not resolved.
    Name(String),
}

impl fmt::Display for CandidateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A candidate, local or remote: the fields of `a=candidate` (RFC 8839 §5.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// The same for candidates that are likely to work or fail together (RFC 8445 §5.1.1.3).
    pub foundation: String,
    /// 1 for RTP and everything multiplexed with it. Remote candidates of another component make
    /// no pair.
    pub component: u16,
    /// UDP or TCP.
    pub protocol: Protocol,
    /// 1 to 2^31 - 1, larger is better (RFC 8445 §5.1.2).
    pub priority: u32,
    /// The address to send to.
    pub address: CandidateAddress,
    /// The port to send to.
    pub port: u16,
    /// Where it comes from.
    pub kind: CandidateKind,
    /// Base or mapped address for diagnostics (`raddr`, `rport`).
    pub related: Option<(IpAddr, u16)>,
    /// For TCP candidates only.
    pub tcp_type: Option<TcpType>,
    /// For local candidates from a server only.
    pub server: Option<CandidateServer>,
}

impl Candidate {
    /// A host candidate over UDP, to be completed.
    pub(crate) fn udp(address: SocketAddr) -> Self {
        Self {
            foundation: String::new(),
            component: 1,
            protocol: Protocol::Udp,
            priority: 0,
            address: CandidateAddress::Ip(address.ip().to_canonical()),
            port: address.port(),
            kind: CandidateKind::Host,
            related: None,
            tcp_type: None,
            server: None,
        }
    }

    /// Address and port, when the address is an IP address.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.address {
            CandidateAddress::Ip(ip) => Some(SocketAddr::new(ip, self.port)),
            CandidateAddress::Name(_) => None,
        }
    }

    /// The address when checks may be sent to it.
    pub(crate) fn checkable(&self) -> Option<SocketAddr> {
        self.checkable_at(self.socket_addr()?.ip())
    }

    /// The same for an address of its name.
    pub(crate) fn checkable_at(&self, ip: IpAddr) -> Option<SocketAddr> {
        let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        (self.is_checked() && !ip.is_unspecified() && !ip.is_multicast() && !broadcast)
            .then_some(SocketAddr::new(ip, self.port))
    }

    /// Whether checks go to such candidates.
    fn is_checked(&self) -> bool {
        self.protocol == Protocol::Udp && self.component == 1 && self.port != 0
    }

    /// The name in lower case, if checks go to the candidate once multicast DNS has given its
    /// address. Such a name ends with ".local" and contains no other dot
    /// (draft-ietf-mmusic-mdns-ice-candidates §3.2.1).
    pub(crate) fn multicast_name(&self) -> Option<String> {
        let CandidateAddress::Name(name) = &self.address else { return None };
        if !self.is_checked() {
            return None;
        }
        let name = name.to_ascii_lowercase();
        let label = name.strip_suffix(".local")?;
        (!label.is_empty() && !label.contains('.')).then_some(name)
    }

    /// RFC 8838 §9 (by way of RFC 8445 §5.1.3): the same transport address twice says nothing
    /// new.
    pub(crate) fn is_redundant_with(&self, other: &Self) -> bool {
        self.address == other.address
            && self.port == other.port
            && self.protocol == other.protocol
            && self.component == other.component
            && self.tcp_type == other.tcp_type
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            CandidateKind::Host => "host",
            CandidateKind::ServerReflexive => "srflx",
            CandidateKind::PeerReflexive => "prflx",
            CandidateKind::Relayed => "relay",
        };
        write!(f, "{kind} {} {}", self.address, self.port)
    }
}

/// RFC 8445 §5.1.2.1.
pub(crate) fn priority(kind: CandidateKind, local_preference: u16, component: u16) -> u32 {
    (kind.preference() << 24)
        | (u32::from(local_preference) << 8)
        | (256u32.saturating_sub(u32::from(component)) & 0xff)
}

/// RFC 8445 §5.1.2.1 for a relay that is reached over this protocol. §5.1.2.2 recommends 0 for all;
/// here, as in libwebrtc, UDP is better than TCP, and TCP is better than TLS.
pub(crate) fn relayed_priority(protocol: turn::Protocol, local_preference: u16) -> u32 {
    let preference = match protocol {
        turn::Protocol::Udp => 3,
        turn::Protocol::Tcp => 1,
        turn::Protocol::Tls => 0,
    };
    (preference << 24) | priority(CandidateKind::Relayed, local_preference, 1)
}

/// RFC 8445 §7.1.1: the priority a peer-reflexive candidate with this base would have.
pub(crate) fn peer_reflexive_priority(base: u32) -> u32 {
    (CandidateKind::PeerReflexive.preference() << 24) | (base & 0x00ff_ffff)
}

/// RFC 8445 §5.1.1.3: candidates of the same type, base, protocol and server share a foundation.
/// The salt keeps it from showing an address to anyone who does not know the address.
pub(crate) fn foundation(kind: CandidateKind, base: IpAddr, salt: u32) -> String {
    foundation_at(kind, base, None, turn::Protocol::Udp, salt)
}

/// The foundation of a candidate from a server that was asked over this protocol.
pub(crate) fn foundation_at(
    kind: CandidateKind,
    base: IpAddr,
    server: Option<IpAddr>,
    protocol: turn::Protocol,
    salt: u32,
) -> String {
    // FNV-1a
    let mut hash = 0x811c_9dc5 ^ salt;
    let mut mix = |byte: u8| hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    mix(kind.preference() as u8);
    mix(protocol as u8);
    for ip in [Some(base), server].into_iter().flatten() {
        match ip.to_canonical() {
            IpAddr::V4(ip) => ip.octets().into_iter().for_each(&mut mix),
            IpAddr::V6(ip) => ip.octets().into_iter().for_each(&mut mix),
        }
    }
    hash.to_string()
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// Where packets from `base` to `remote` go; `None` when the two make no pair
/// (RFC 8445 §6.1.2.2: same family, IPv6 link-local with link-local only). A link-local
/// destination needs the scope of the interface. Loopback reaches loopback only.
pub(crate) fn destination(base: SocketAddr, remote: SocketAddr) -> Option<SocketAddr> {
    let (from, to) = (base.ip().to_canonical(), remote.ip().to_canonical());
    if from.is_ipv4() != to.is_ipv4()
        || is_link_local(from) != is_link_local(to)
        || from.is_loopback() != to.is_loopback()
    {
        return None;
    }
    match (base, remote) {
        (SocketAddr::V6(base), SocketAddr::V6(remote)) if is_link_local(to) => {
            let scope = base.scope_id();
            Some(SocketAddr::V6(SocketAddrV6::new(*remote.ip(), remote.port(), 0, scope)))
        }
        _ => Some(remote),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_host_candidate_has_the_priority_everyone_knows() {
        // 2^24 * 126 + 2^8 * 65535 + 255, the value in RFC 8839 §5.1 style examples.
        assert_eq!(priority(CandidateKind::Host, 65_535, 1), 2_130_706_431);
        assert_eq!(
            peer_reflexive_priority(2_130_706_431),
            priority(CandidateKind::PeerReflexive, 65_535, 1)
        );
    }

    #[test]
    fn only_addresses_that_can_reach_each_other_make_a_pair() {
        let pairs = |a: &str, b: &str| destination(addr(a), addr(b)).is_some();
        assert!(pairs("192.0.2.1:1", "198.51.100.1:2"));
        assert!(pairs("[2001:db8::1]:1", "[2001:db8::2]:2"));
        assert!(pairs("[fe80::1]:1", "[fe80::2]:2"));
        assert!(pairs("127.0.0.1:1", "127.0.0.1:2"));
        assert!(!pairs("192.0.2.1:1", "[2001:db8::2]:2"));
        assert!(!pairs("[fe80::1]:1", "[2001:db8::2]:2"));
        assert!(!pairs("[2001:db8::1]:1", "[fe80::2]:2"));
        assert!(!pairs("127.0.0.1:1", "192.0.2.1:2"));
    }

    #[test]
    fn a_link_local_destination_carries_the_scope_of_the_interface() {
        let base = SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 1, 0, 3));
        let Some(SocketAddr::V6(to)) = destination(base, addr("[fe80::2]:2")) else {
            panic!("no pair");
        };
        assert_eq!(to.scope_id(), 3);
    }

    #[test]
    fn foundations_group_by_base_and_tell_nothing_without_the_salt() {
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert_eq!(foundation(CandidateKind::Host, a, 1), foundation(CandidateKind::Host, a, 1));
        assert_ne!(foundation(CandidateKind::Host, a, 1), foundation(CandidateKind::Host, b, 1));
        assert_ne!(foundation(CandidateKind::Host, a, 1), foundation(CandidateKind::Host, a, 2));
    }
}
