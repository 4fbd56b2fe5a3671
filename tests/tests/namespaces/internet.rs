//! Two peers behind NATs and firewalls, and a STUN and TURN server beyond them. Both peers have the
//! same private address, as in life.

use peerconnection::{RTCConfiguration, RTCIceServer};
use tests::namespaced::Setup;

use crate::call::Call;
use crate::lab::Namespace;
use crate::server::{self, Server};

/// Two networks behind NATs, and the internet between them.
pub(crate) struct Internet {
    pub(crate) a: Namespace,
    pub(crate) b: Namespace,
    _nats: [Option<Namespace>; 2],
    pub(crate) server: Server,
    pub(crate) internet: Namespace,
    _nowhere: Namespace,
}

/// How a NAT maps a socket. All let in only what answers a packet from within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nat {
    /// There is none: a public address.
    Missing,
    /// One port for all destinations.
    PortRestricted,
    /// A random port for each destination.
    Symmetric,
}

/// What a NAT lets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Firewall {
    Open,
    /// TCP alone.
    Tcp,
    /// TCP to port 443 alone.
    Https,
}

impl Internet {
    pub(crate) fn new(nats: [Nat; 2], firewall: Firewall) -> Self {
        let internet = Namespace::router("net");
        internet.address("lo", &format!("{}/32", server::ADDRESS));
        // What has no way is lost there, and no error to who sends it: coturn would end an
        // allocation.
        let nowhere = Namespace::new("nowhere");
        internet.link(("rest", "198.18.0.1/24"), &nowhere, ("rest", "198.18.0.2/24"));
        internet.ip("route add default via 198.18.0.2");
        let [(a, nat_a), (b, nat_b)] =
            [("a", nats[0], 1), ("b", nats[1], 2)].map(|(role, kind, number)| {
                let peer = Namespace::new(role);
                let outside = format!("203.0.{number}.2/24");
                let inside = format!("203.0.{number}.1/24");
                let interface = format!("to-{role}");
                let next = format!("route add default via 203.0.{number}.1");
                if kind == Nat::Missing {
                    peer.link(("eth0", &outside), &internet, (&interface, &inside));
                    peer.ip(&next);
                    return (peer, None);
                }
                let nat = Namespace::router(&format!("nat-{role}"));
                peer.link(("eth0", "192.168.1.2/24"), &nat, ("lan", "192.168.1.1/24"));
                peer.ip("route add default via 192.168.1.1");
                nat.link(("wan", &outside), &internet, (&interface, &inside));
                nat.ip(&next);
                nat.rules(&kind.rules(firewall));
                (peer, Some(nat))
            });
        let server = Server::start(&internet, server::ADDRESS);
        Self { a, b, _nats: [nat_a, nat_b], server, internet, _nowhere: nowhere }
    }

    pub(crate) fn setup(&self, ice_servers: Vec<RTCIceServer>) -> Setup {
        let configuration = RTCConfiguration { ice_servers, ..RTCConfiguration::default() };
        Setup { configuration, authorities: Some(self.server.authority()), ..Setup::default() }
    }

    pub(crate) fn call(&self, setup: Setup) -> Call {
        Call::start((&self.a, setup.clone()), (&self.b, setup))
    }
}

impl Nat {
    fn rules(self, firewall: Firewall) -> String {
        let mapping = match self {
            Self::Missing | Self::PortRestricted => "masquerade",
            Self::Symmetric => "masquerade fully-random",
        };
        let forbidden = match firewall {
            Firewall::Open => "",
            Firewall::Tcp => "iifname lan meta l4proto != tcp drop",
            Firewall::Https => {
                "iifname lan tcp dport != 443 drop\n iifname lan meta l4proto != tcp drop"
            }
        };
        // What comes from outside unasked must not get as far as a mapping of its own, or it would
        // take the port of the one that a peer needs.
        format!(
            "table ip nat {{
                chain postrouting {{
                    type nat hook postrouting priority srcnat
                    oifname wan {mapping}
                }}
            }}
            table ip filter {{
                chain input {{
                    type filter hook input priority filter
                    iifname wan ct state new drop
                }}
                chain forward {{
                    type filter hook forward priority filter
                    iifname wan ct state new drop
                    {forbidden}
                }}
            }}\n"
        )
    }
}
