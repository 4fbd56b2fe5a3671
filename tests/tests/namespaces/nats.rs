//! NATs and firewalls, with a STUN and TURN server beyond them. Both peers have the same private
//! address, as in life.

use std::time::Duration;

use peerconnection::{RTCConfiguration, RTCIceServer, RTCIceTransportPolicy};
use tests::namespaced::{Setup, What};

use crate::call::{Call, Peer};
use crate::lab::Namespace;
use crate::server::{self, Server};

/// Two networks behind NATs, and the internet between them.
struct Internet {
    a: Namespace,
    b: Namespace,
    _nats: [Namespace; 2],
    server: Server,
    _internet: [Namespace; 2],
}

/// How a NAT maps a socket. All let in only what answers a packet from within.
#[derive(Clone, Copy, Debug)]
enum Nat {
    /// One port for all destinations.
    PortRestricted,
    /// A random port for each destination.
    Symmetric,
}

/// What a NAT lets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Firewall {
    Open,
    /// TCP alone.
    Tcp,
    /// TCP to port 443 alone.
    Https,
}

impl Internet {
    fn new(nats: [Nat; 2], firewall: Firewall) -> Self {
        let internet = Namespace::router("net");
        internet.address("lo", &format!("{}/32", server::ADDRESS));
        // What has no way is lost there, and no error to who sends it: coturn would end an allocation.
        let nowhere = Namespace::new("nowhere");
        internet.link(("rest", "198.18.0.1/24"), &nowhere, ("rest", "198.18.0.2/24"));
        internet.ip("route add default via 198.18.0.2");
        let [(a, nat_a), (b, nat_b)] =
            [("a", nats[0], 1), ("b", nats[1], 2)].map(|(role, kind, number)| {
                let peer = Namespace::new(role);
                let nat = Namespace::router(&format!("nat-{role}"));
                peer.link(("eth0", "192.168.1.2/24"), &nat, ("lan", "192.168.1.1/24"));
                peer.ip("route add default via 192.168.1.1");
                let outside = format!("203.0.{number}.2/24");
                let inside = format!("203.0.{number}.1/24");
                let interface = format!("to-{role}");
                nat.link(("wan", &outside), &internet, (&interface, &inside));
                nat.ip(&format!("route add default via 203.0.{number}.1"));
                nat.rules(&kind.rules(firewall));
                (peer, nat)
            });
        let server = Server::start(&internet);
        Self { a, b, _nats: [nat_a, nat_b], server, _internet: [internet, nowhere] }
    }

    fn setup(&self, ice_servers: Vec<RTCIceServer>) -> Setup {
        let configuration = RTCConfiguration { ice_servers, ..RTCConfiguration::default() };
        Setup { configuration, authorities: Some(self.server.authority()), ..Setup::default() }
    }

    fn call(&self, setup: Setup) -> Call {
        Call::start((&self.a, setup.clone()), (&self.b, setup))
    }
}

impl Nat {
    fn rules(self, firewall: Firewall) -> String {
        let mapping = match self {
            Self::PortRestricted => "masquerade",
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

/// Where the local end of the selected pair is: its type, and the protocol to the TURN server.
fn local_end(peer: &Peer) -> (String, Option<String>) {
    let local = peer.pair().local;
    (local.type_, local.relay_protocol)
}

#[test]
#[ignore = "needs root, iproute2, nftables and coturn"]
fn port_restricted_nats_need_a_stun_server_alone() {
    let internet = Internet::new([Nat::PortRestricted; 2], Firewall::Open);
    let call = internet.call(internet.setup(vec![Server::stun()]));
    let took = call.connected();
    println!("port-restricted NATs: connected after {took:?}");
    assert!(took < Duration::from_secs(3), "{}", call.story());
    call.flow(Duration::from_secs(1));
    for peer in call.peers() {
        let pair = peer.pair();
        for end in [&pair.local, &pair.remote] {
            assert!(["srflx", "prflx"].contains(&&*end.type_), "{pair:?}");
            assert!(end.address.starts_with("203.0."), "{pair:?}");
        }
    }
    call.finish();
}

#[test]
#[ignore = "needs root, iproute2, nftables and coturn"]
fn a_symmetric_nat_needs_more_than_a_stun_server() {
    std::thread::scope(|scope| {
        for nats in [[Nat::Symmetric, Nat::PortRestricted], [Nat::Symmetric; 2]] {
            scope.spawn(move || {
                let internet = Internet::new(nats, Firewall::Open);
                let call = internet.call(internet.setup(vec![Server::stun()]));
                call.flow(Duration::from_secs(8));
                for peer in call.peers() {
                    let is_connected =
                        |what: &What| matches!(what, What::Ice(s) if s == "connected");
                    assert!(!peer.has(0, is_connected), "{nats:?}: {}", peer.story());
                    let is_checking = |what: &What| matches!(what, What::Ice(s) if s == "checking");
                    assert!(peer.has(0, is_checking), "{nats:?}: {}", peer.story());
                }
            });
        }
    });
}

/// Symmetric NATs, and an application that names a STUN server and all ways to a TURN server.
fn relayed(firewall: Firewall, protocol: Option<&str>) {
    for nats in [[Nat::Symmetric, Nat::PortRestricted], [Nat::Symmetric; 2]] {
        let internet = Internet::new(nats, firewall);
        let call = internet.call(internet.setup(vec![Server::stun(), Server::turn()]));
        let took = call.connected();
        println!("{nats:?}, {firewall:?}: connected after {took:?}");
        assert!(took < Duration::from_secs(3), "{}", call.story());
        call.flow(Duration::from_secs(2));
        let ends = call.peers().map(local_end);
        println!("{nats:?}, {firewall:?}: {ends:?}");
        let relay = |end: &&(String, Option<String>)| end.0 == "relay";
        assert!(ends.iter().any(|end| relay(&end)), "{}", call.story());
        if let Some(protocol) = protocol {
            let through = ("relay".to_owned(), Some(protocol.to_owned()));
            assert!(ends.iter().all(|end| *end == through), "{}", call.story());
        }
        call.finish();
    }
}

#[test]
#[ignore = "needs root, iproute2, nftables and coturn"]
fn symmetric_nats_need_a_turn_server() {
    relayed(Firewall::Open, None);
}

#[test]
#[ignore = "needs root, iproute2, nftables and coturn"]
fn where_udp_does_not_get_out_tcp_does() {
    relayed(Firewall::Tcp, Some("tcp"));
}

#[test]
#[ignore = "needs root, iproute2, nftables and coturn"]
fn where_only_https_gets_out_tls_does() {
    relayed(Firewall::Https, Some("tls"));
}

/// Counts what A sends by UDP and TCP to the server and to anybody else.
const COUNTERS: &str = "
    table inet count {
        counter server {
        }
        counter others {
        }
        chain output {
            type filter hook output priority filter
            meta l4proto { tcp, udp } jump counted
        }
        chain counted {
            ip daddr 192.0.2.1 counter name server return
            counter name others
        }
    }
";

fn counted(namespace: &Namespace, counter: &str) -> u64 {
    let listed = namespace.run("nft", &format!("-j list counter inet count {counter}"));
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let objects = listed["nftables"].as_array().expect("a list");
    let packets = objects.iter().find_map(|object| object["counter"]["packets"].as_u64());
    packets.expect("a counter")
}

#[test]
#[ignore = "needs root, iproute2, nftables and coturn"]
fn with_the_policy_relay_nobody_but_the_server_gets_a_packet() {
    for policy in [RTCIceTransportPolicy::Relay, RTCIceTransportPolicy::All] {
        let internet = Internet::new([Nat::PortRestricted; 2], Firewall::Open);
        internet.a.rules(COUNTERS);
        let mut setup = internet.setup(vec![Server::stun(), Server::turn()]);
        // The other peer says all it knows.
        let other = setup.clone();
        setup.configuration.ice_transport_policy = policy;
        let call = Call::start((&internet.a, setup), (&internet.b, other));
        call.connected();
        call.flow(Duration::from_secs(1));
        call.a.tell(&tests::namespaced::Command::Restart);
        call.flow(Duration::from_secs(1));
        call.finish();
        let [server, others] = ["server", "others"].map(|name| counted(&internet.a, name));
        println!("{policy:?}: {server} packets to the server, {others} to others");
        if policy == RTCIceTransportPolicy::Relay {
            assert!(server > 50 && others == 0);
        } else {
            // What is counted is what would have been seen.
            assert!(others > 50);
        }
    }
}
