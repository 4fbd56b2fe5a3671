//! Host addresses that nobody is to see: draft-ietf-mmusic-mdns-ice-candidates §3.1.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::candidate::{Candidate, CandidateAddress, CandidateKind};

/// RFC 8839 §5.1: the port beside an address that is not told.
const DISCARD: u16 = 9;

/// The names that addresses hide behind. Most agents have none, so they take no more room there.
#[derive(Debug, Default)]
pub(crate) struct HiddenAddresses(Option<Box<Names>>);

#[derive(Debug, Default)]
struct Names {
    of: Vec<(IpAddr, String)>,
}

impl HiddenAddresses {
    pub(crate) fn hide(&mut self, address: IpAddr, name: &str) {
        let address = address.to_canonical();
        let names = self.0.get_or_insert_default();
        names.of.retain(|(hidden, _)| *hidden != address);
        names.of.push((address, name.to_owned()));
    }

    pub(crate) fn name_of(&self, address: IpAddr) -> Option<&str> {
        let (names, address) = (self.0.as_ref()?, address.to_canonical());
        let known = names.of.iter().find(|(hidden, _)| *hidden == address);
        known.map(|(_, name)| name.as_str())
    }

    /// Whether a server-reflexive candidate may have this address. One that the world sees is not
    /// hidden by hiding it (§3.1.2.2). A server in a private network sees what must not be told.
    pub(crate) fn may_be_reflexive(&self, address: IpAddr) -> bool {
        self.name_of(address).is_none() || is_public(address)
    }

    /// The candidate as it leaves the agent.
    pub(crate) fn shown(&self, candidate: Candidate) -> Candidate {
        if self.0.is_none() {
            return candidate;
        }
        let related_name = candidate.related.and_then(|(related, _)| self.name_of(related));
        let own_name = candidate.socket_addr().and_then(|own| self.name_of(own.ip()));
        // §3.1.2.4. What a peer saw behind a NAT is another address of this machine, which nobody
        // has told: it has the name of its base.
        let name = match candidate.kind {
            CandidateKind::Host => own_name,
            CandidateKind::PeerReflexive => own_name.or(related_name),
            CandidateKind::ServerReflexive | CandidateKind::Relayed => None,
        };
        // §3.1.2.2
        let related = match candidate.related {
            Some((related, _)) if related_name.is_some() => Some((unspecified(related), DISCARD)),
            related => related,
        };
        let address = name.map(|name| CandidateAddress::Name(name.to_owned()));
        let address = address.unwrap_or_else(|| candidate.address.clone());
        Candidate { address, related, ..candidate }
    }

    /// webrtc-pc §4.8.3: an address that no candidate exposes is null.
    pub(crate) fn shown_local(&self, local: Option<SocketAddr>) -> Option<SocketAddr> {
        local.filter(|local| self.name_of(local.ip()).is_none())
    }
}

/// In the place of an address that is not told: RFC 8839 §5.1.
pub(crate) fn unspecified(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Whether the address can be that of a machine on the Internet: RFC 6890, RFC 6598, RFC 4193.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let is_shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !ip.is_private() && !ip.is_loopback() && !ip.is_link_local() && !is_shared
        }
        IpAddr::V6(ip) => !ip.is_unique_local() && !ip.is_loopback() && !ip.is_unicast_link_local(),
    }
}
