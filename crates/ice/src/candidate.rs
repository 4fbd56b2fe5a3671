//! Candidates: RFC 8445 §5.1, RFC 8839 §5.1.

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::server::CandidateServer;

/// The transport protocol of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP (RFC 6544).
    Tcp,
}

/// How a TCP candidate gets its connection: RFC 6544 §4.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TcpType {
    /// Opens connections.
    Active,
    /// Accepts connections.
    Passive,
    /// Opens a connection at the same time as the peer. Such candidates are kept, but make no pair.
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

    /// A host candidate over TCP, to be completed.
    pub(crate) fn tcp(address: SocketAddr, tcp_type: TcpType) -> Self {
        Self { protocol: Protocol::Tcp, tcp_type: Some(tcp_type), ..Self::udp(address) }
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
        let address = SocketAddr::new(ip, self.port);
        let allowed = self.protocol == Protocol::Udp || may_be_connected_to(address);
        (self.is_checked() && allowed && !ip.is_unspecified() && !ip.is_multicast() && !broadcast)
            .then_some(address)
    }

    /// Whether checks go to such candidates: RFC 6544 §6.2 has active ones connect to passive ones.
    fn is_checked(&self) -> bool {
        let reached = match self.protocol {
            Protocol::Udp => true,
            Protocol::Tcp => self.tcp_type == Some(TcpType::Passive),
        };
        reached && self.component == 1 && self.port != 0
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

    /// Whether it is reached in the same way as another: over UDP, or over TCP by the same means.
    pub(crate) fn is_reached_like(&self, other: &Self) -> bool {
        self.protocol == other.protocol
            && (self.protocol == Protocol::Udp || self.tcp_type == other.tcp_type)
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

/// RFC 6544 §4.2 for a host candidate, with the type preference of libwebrtc: it keeps TCP below
/// every direct path over UDP. `rank` is how many listeners are better.
pub(crate) fn tcp_priority(tcp_type: TcpType, rank: u16) -> u32 {
    const HOST_TCP: u32 = 90;
    const OTHER: u16 = 13;
    let direction: u16 = match tcp_type {
        TcpType::Active => 6,
        TcpType::Passive => 4,
        TcpType::SimultaneousOpen => 2,
    };
    let other = (1 << OTHER) - 1;
    let local_preference = (direction << OTHER) | (other - rank.min(other));
    (HOST_TCP << 24) | (u32::from(local_preference) << 8) | 255
}

/// RFC 8445 §7.1.1: the priority a peer-reflexive candidate with this base would have.
pub(crate) fn peer_reflexive_priority(protocol: Protocol, base: u32) -> u32 {
    // As in libwebrtc.
    const PEER_REFLEXIVE_TCP: u32 = 80;
    let preference = match protocol {
        Protocol::Udp => CandidateKind::PeerReflexive.preference(),
        Protocol::Tcp => PEER_REFLEXIVE_TCP,
    };
    (preference << 24) | (base & 0x00ff_ffff)
}

/// Where the peer may make us open connections: not to services that somebody else runs there. The
/// rule is that of libwebrtc.
fn may_be_connected_to(address: SocketAddr) -> bool {
    let is_private = match address.ip().to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
    };
    match address.port() {
        80 | 443 => !is_private,
        port => port >= 1024,
    }
}

/// RFC 8445 §5.1.1.3: candidates of the same type, base, protocol and server share a foundation.
/// Whoever does not know the salt learns nothing of the addresses, however many foundations he has
/// seen: they are blocks of a stream cipher.
pub(crate) fn foundation(kind: CandidateKind, base: IpAddr, salt: [u8; 16]) -> String {
    foundation_at(kind, base, None, turn::Protocol::Udp, salt)
}

/// The foundation of a candidate from a server that was asked over this protocol.
pub(crate) fn foundation_at(
    kind: CandidateKind,
    base: IpAddr,
    server: Option<IpAddr>,
    protocol: turn::Protocol,
    salt: [u8; 16],
) -> String {
    let keyed = |key: [u8; 16], of: &[u8]| {
        let mut seed = [0; 32];
        seed.iter_mut().zip(key).for_each(|(seed, octet)| *seed = octet);
        seed.iter_mut().zip(of).for_each(|(seed, octet)| *seed ^= octet);
        StdRng::from_seed(seed)
    };
    let octets = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    };
    let way = [kind.preference() as u8, protocol as u8, u8::from(server.is_some())];
    let key = keyed(salt, &[&way[..], &octets(base)].concat()).random();
    let mut stream = keyed(key, &server.map(octets).unwrap_or_default());
    stream.random::<u32>().to_string()
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
            peer_reflexive_priority(Protocol::Udp, 2_130_706_431),
            priority(CandidateKind::PeerReflexive, 65_535, 1)
        );
    }

    #[test]
    fn tcp_ranks_below_udp_and_above_relays_and_active_before_passive() {
        let (active, passive) = (TcpType::Active, TcpType::Passive);
        assert_eq!(tcp_priority(active, 0), (90 << 24) | (57_343 << 8) | 255);
        assert_eq!(tcp_priority(passive, 0), (90 << 24) | (40_959 << 8) | 255);
        assert!(tcp_priority(active, 0) < priority(CandidateKind::ServerReflexive, 0, 1));
        assert!(tcp_priority(passive, u16::MAX) > relayed_priority(turn::Protocol::Udp, u16::MAX));
        let mut all: Vec<u32> = (0..100)
            .flat_map(|rank| [tcp_priority(active, rank), tcp_priority(passive, rank)])
            .collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 200);
    }

    #[test]
    fn connections_are_opened_to_passive_candidates_on_harmless_ports_only() {
        let reached =
            |address: &str, tcp_type| Candidate::tcp(addr(address), tcp_type).checkable().is_some();
        for address in ["192.0.2.1:1024", "192.0.2.1:443", "192.0.2.1:80", "[2001:db8::1]:443"] {
            assert!(reached(address, TcpType::Passive), "{address}");
        }
        for port in [0, 9, 22, 25, 81, 1023] {
            assert!(!reached(&format!("192.0.2.1:{port}"), TcpType::Passive), "{port}");
        }
        for address in ["10.0.0.1:443", "127.0.0.1:80", "[fe80::1]:443", "[fd00::1]:80"] {
            assert!(!reached(address, TcpType::Passive), "{address}");
        }
        assert!(!reached("192.0.2.1:5000", TcpType::Active));
        assert!(!reached("192.0.2.1:5000", TcpType::SimultaneousOpen));
        assert!(!reached("224.0.0.1:5000", TcpType::Passive));
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
        let (salt, other) = ([1; 16], [2; 16]);
        let host = |ip, salt| foundation(CandidateKind::Host, ip, salt);
        assert_eq!(host(a, salt), host(a, salt));
        assert_ne!(host(a, salt), host(b, salt));
        assert_ne!(host(a, salt), host(a, other));
        let kind = CandidateKind::Relayed;
        let relayed = |server, over| foundation_at(kind, a, server, over, salt);
        let known = [
            host(a, salt),
            relayed(None, turn::Protocol::Udp),
            relayed(Some(a), turn::Protocol::Udp),
            relayed(Some(b), turn::Protocol::Udp),
            relayed(Some(b), turn::Protocol::Tcp),
        ];
        assert!((1..known.len()).all(|index| !known[..index].contains(&known[index])));
    }
}
