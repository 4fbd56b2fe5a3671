//! NATs and firewalls, with a STUN and TURN server beyond them.

use std::time::Duration;

use peerconnection::RTCIceTransportPolicy;
use tests::namespaced::What;

use crate::call::{Call, Peer};
use crate::internet::{Firewall, Internet, Nat};
use crate::lab::Namespace;
use crate::server::Server;

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
