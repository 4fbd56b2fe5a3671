//! The links that the machine is on, as far as a connection uses them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use if_addrs::{IfAddr, Interface};
use mdns::Link;

/// An address of an interface, with its network.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    link: Link,
    /// What the system calls the interface in the scope of IPv6 addresses.
    index: Option<u32>,
    address: IfAddr,
}

/// How messages leave by an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    V4(Ipv4Addr),
    V6(u32),
}

/// Links, each with the networks that its interface is in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Links(Vec<Place>);

impl Links {
    pub(super) fn of(interfaces: &[Interface]) -> Self {
        let place = |interface: &Interface| Place {
            link: link_of(interface),
            index: interface.index,
            address: interface.addr.clone(),
        };
        Self(interfaces.iter().map(place).collect())
    }

    /// RFC 6762 §11: the links on which this is a neighbour, or the machine itself. There are
    /// several if two interfaces are in one network.
    pub(super) fn to(&self, source: SocketAddr) -> Vec<Link> {
        let mut links = Vec::new();
        for place in &self.0 {
            let is_near = match (&place.address, source) {
                (IfAddr::V4(own), SocketAddr::V4(source)) => {
                    own.ip & own.netmask == *source.ip() & own.netmask
                }
                (IfAddr::V6(own), SocketAddr::V6(source)) => {
                    if source.ip().is_unicast_link_local() {
                        place.index.is_none_or(|index| [0, index].contains(&source.scope_id()))
                    } else {
                        own.ip & own.netmask == *source.ip() & own.netmask
                    }
                }
                _ => false,
            };
            if is_near && !links.contains(&place.link) {
                links.push(place.link);
            }
        }
        links
    }

    /// The link on which the machine has this address.
    pub(super) fn with(&self, address: IpAddr) -> Option<Link> {
        self.0.iter().find(|place| place.address.ip() == address).map(|place| place.link)
    }

    /// How to reach each link over one family.
    pub(super) fn ways(&self, is_v4: bool) -> Vec<(Link, Via)> {
        let mut ways: Vec<(Link, Via)> = Vec::new();
        for place in &self.0 {
            let via = match place.address.ip() {
                IpAddr::V4(ip) if is_v4 => Some(Via::V4(ip)),
                IpAddr::V6(_) if !is_v4 => place.index.map(Via::V6),
                _ => None,
            };
            // One is enough: a group is joined once on an interface, however many addresses it has.
            if let Some(via) = via.filter(|_| ways.iter().all(|(link, _)| *link != place.link)) {
                ways.push((place.link, via));
            }
        }
        ways
    }
}

fn link_of(interface: &Interface) -> Link {
    Link(interface.index.unwrap_or_else(|| {
        let mut hasher = DefaultHasher::new();
        interface.name.hash(&mut hasher);
        hasher.finish() as u32
    }))
}

#[cfg(test)]
mod tests {
    use if_addrs::{Ifv4Addr, Ifv6Addr};

    use super::*;

    fn v4(link: u32, ip: [u8; 4], bits: u32) -> Place {
        let address = IfAddr::V4(Ifv4Addr {
            ip: ip.into(),
            netmask: Ipv4Addr::from(u32::MAX << (32 - bits)),
            prefixlen: bits as u8,
            broadcast: None,
        });
        Place { link: Link(link), index: Some(link), address }
    }

    fn v6(link: u32, ip: &str) -> Place {
        let address = IfAddr::V6(Ifv6Addr {
            ip: ip.parse().unwrap(),
            netmask: "ffff:ffff:ffff:ffff::".parse().unwrap(),
            prefixlen: 64,
            broadcast: None,
        });
        Place { link: Link(link), index: Some(link), address }
    }

    /// A cable, and two more interfaces in one network.
    fn links() -> Links {
        Links(vec![
            v4(2, [192, 0, 2, 1], 25),
            v6(2, "2001:db8::1"),
            v6(2, "fe80::2"),
            v4(3, [198, 51, 100, 3], 24),
            v4(4, [198, 51, 100, 4], 24),
            v4(4, [198, 51, 100, 5], 24),
        ])
    }

    #[test]
    fn neighbours_are_on_the_link_and_nobody_else_is() {
        let cases: [(&str, &[u32]); 11] = [
            ("192.0.2.1:5353", &[2]),
            ("192.0.2.127:5353", &[2]),
            ("192.0.2.128:5353", &[]),
            ("203.0.113.1:5353", &[]),
            ("198.51.100.77:5353", &[3, 4]),
            ("[2001:db8::ffff]:5353", &[2]),
            ("[2001:db8:0:1::1]:5353", &[]),
            ("[::1]:5353", &[]),
            ("[fe80::1]:5353", &[2]),
            ("[fe80::1%2]:5353", &[2]),
            ("[fe80::1%3]:5353", &[]),
        ];
        for (source, expected) in cases {
            let near: Vec<u32> = links().to(source.parse().unwrap()).iter().map(|l| l.0).collect();
            assert_eq!(near, expected, "{source}");
        }
    }

    #[test]
    fn an_address_of_the_machine_is_on_the_link_of_its_interface() {
        let with = |address: &str| links().with(address.parse().unwrap()).map(|link| link.0);
        assert_eq!(with("192.0.2.1"), Some(2));
        assert_eq!(with("198.51.100.5"), Some(4));
        assert_eq!(with("198.51.100.6"), None);
    }

    #[test]
    fn each_link_is_reached_once_over_each_family() {
        let v4 = [([192, 0, 2, 1], 2), ([198, 51, 100, 3], 3), ([198, 51, 100, 4], 4)];
        let v4 = v4.map(|(ip, link)| (Link(link), Via::V4(ip.into())));
        assert_eq!(links().ways(true), v4);
        assert_eq!(links().ways(false), [(Link(2), Via::V6(2))]);
    }
}
