//! Which addresses a port has, and to whom those of peers belong.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use peerconnection::{RTCConfiguration, RTCIceCandidateInit, RTCIceServer, TokioOptions, UdpMux};
use tokio::net::UdpSocket;

use super::{Peer, hosts, port, shares, talk, with_candidates};

#[tokio::test]
async fn a_port_of_all_interfaces_answers_from_the_address_that_was_asked() {
    let port = UdpMux::bind("0.0.0.0:0".parse().unwrap()).unwrap();
    let addresses: [IpAddr; 2] = ["127.0.0.1", "127.0.0.9"].map(|text| text.parse().unwrap());
    let at = |ip| SocketAddr::new(ip, port.local_addr().port());
    for address in addresses {
        let mut server = Peer::new(shares(&port).with_addresses(addresses));
        let mut client = Peer::new(TokioOptions::loopback());
        let offer = server.describe().await;
        assert_eq!(hosts(&offer), addresses.map(at));
        client.hear(with_candidates(offer, &format!(" {address} "))).await;
        // The server does not try by itself, from the first of its addresses.
        server.hear(with_candidates(client.describe().await, "none")).await;
        client.opened().await;
        talk(&mut client, &mut server).await;
        let remote = client.pair().remote().address().map(str::to_owned);
        assert_eq!(remote, Some(address.to_string()));
    }
}

#[tokio::test]
async fn a_port_of_each_family_may_have_the_same_number() {
    let v4 = UdpMux::bind("0.0.0.0:0".parse().unwrap()).unwrap();
    let number = v4.local_addr().port();
    let Ok(v6) = UdpMux::bind(format!("[::]:{number}").parse().unwrap()) else {
        // Not every machine has IPv6, nor this port free in both.
        return;
    };
    let both: [IpAddr; 2] = ["127.0.0.1", "::1"].map(|text| text.parse().unwrap());
    let options = TokioOptions::default().with_addresses(both).with_udp_mux(&v6).with_udp_mux(&v4);
    let mut server = Peer::new(options);
    let mut client = Peer::new(TokioOptions::default().with_addresses(["::1".parse().unwrap()]));
    let offer = server.describe().await;
    let expected = ["[::1]", "127.0.0.1"].map(|ip| format!("{ip}:{number}").parse().unwrap());
    assert_eq!(hosts(&offer), expected);
    client.hear(offer).await;
    server.hear(client.describe().await).await;
    client.opened().await;
    talk(&mut client, &mut server).await;
    assert_eq!(server.pair().local().address(), Some("::1"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let port = port();
    let error = UdpMux::bind(port.local_addr()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let error = UdpMux::bind("224.0.0.251:5353".parse().unwrap()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

/// Both peers of both connections share ports, so that nothing but the checks tells them apart.
#[tokio::test]
async fn of_two_connections_with_the_same_addresses_the_first_has_them_until_it_is_closed() {
    let (here, there) = (port(), port());
    let mut pairs = [(); 2].map(|()| (Peer::new(shares(&here)), Peer::new(shares(&there))));
    let [first, second] = &mut pairs;
    first.0.negotiate_with(&first.1).await;
    first.0.opened().await;
    talk(&mut first.0, &mut first.1).await;
    second.0.negotiate_with(&second.1).await;
    for _ in 0..20 {
        talk(&mut first.0, &mut first.1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let opened = tokio::time::timeout(Duration::from_millis(1), second.0.channel.opened()).await;
    assert!(opened.is_err(), "the addresses belong to the first");
    first.0.pc.close();
    first.1.pc.close();
    second.0.opened().await;
    talk(&mut second.0, &mut second.1).await;
}

/// A server that sees everybody at this address.
async fn stun_server(mapped: [u8; 4], port: u16) -> SocketAddr {
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(async move {
        let mut request = [0; 2048];
        while let Ok((length, source)) = server.recv_from(&mut request).await {
            assert!(length >= 20 && request[..2] == [0, 1], "a Binding request");
            let mut response =
                [&[1, 1, 0, 12][..], &request[4..20], &[0, 0x20, 0, 8, 0, 1]].concat();
            let [a, b] = port.to_be_bytes();
            response.extend_from_slice(&[a ^ COOKIE[0], b ^ COOKIE[1]]);
            response.extend((0..4).map(|index| mapped[index] ^ COOKIE[index]));
            server.send_to(&response, source).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn every_connection_hears_what_it_has_asked_a_stun_server() {
    let port = port();
    let server = stun_server([203, 0, 113, 5], 4242).await;
    for _ in 0..3 {
        let configuration = RTCConfiguration {
            ice_servers: vec![RTCIceServer {
                urls: vec![format!("stun:{server}")],
                ..RTCIceServer::default()
            }],
            ..RTCConfiguration::default()
        };
        let peer = Peer::with(configuration, shares(&port));
        let offer = peer.describe().await;
        let seen = offer.sdp.lines().filter(|line| line.contains(" typ srflx"));
        let seen: Vec<_> = seen.filter(|line| line.contains(" 203.0.113.5 4242 typ ")).collect();
        assert_eq!(seen.len(), 1, "{}", offer.sdp);
    }
}

/// A NAT in front of a client: what comes to `inner` leaves by one of the `outer` sockets.
struct Nat {
    inner: UdpSocket,
    outer: [UdpSocket; 2],
    server: SocketAddr,
}

impl Nat {
    async fn new(server: SocketAddr) -> Self {
        let bind = || async { UdpSocket::bind("127.0.0.1:0").await.unwrap() };
        Self { inner: bind().await, outer: [bind().await, bind().await], server }
    }

    /// Passes datagrams both ways until the channel says so. Its mapping changes after that.
    async fn run(&self, mut until: tokio::sync::oneshot::Receiver<()>) {
        let mut which = 0;
        let mut client = None;
        let (mut up, mut down) = ([0; 2048], [0; 2048]);
        loop {
            tokio::select! {
                received = self.inner.recv_from(&mut up) => {
                    let (length, source) = received.unwrap();
                    client = Some(source);
                    self.outer[which].send_to(&up[..length], self.server).await.unwrap();
                }
                received = self.outer[which].recv_from(&mut down) => {
                    let (length, _) = received.unwrap();
                    if let Some(client) = client {
                        self.inner.send_to(&down[..length], client).await.unwrap();
                    }
                }
                _ = &mut until, if which == 0 => which = 1,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_behind_a_nat_that_forgets_it_is_recognised_and_loses_nothing() {
    let port = port();
    let nat = Nat::new(port.local_addr()).await;
    let inner = nat.inner.local_addr().unwrap();
    let mapped = [0, 1].map(|index| nat.outer[index].local_addr().unwrap().port());
    let (forget, until) = tokio::sync::oneshot::channel();
    let nat = tokio::spawn(async move { nat.run(until).await });
    let (mut client, mut server) = (Peer::new(TokioOptions::loopback()), Peer::new(shares(&port)));
    // Each sees nothing of the other but the NAT.
    server.hear(with_candidates(client.describe().await, "none")).await;
    client.hear(with_candidates(server.describe().await, "none")).await;
    let candidate = format!("candidate:1 1 udp 2122260223 127.0.0.1 {} typ host", inner.port());
    let candidate = RTCIceCandidateInit {
        candidate,
        sdp_mline_index: Some(0),
        ..RTCIceCandidateInit::default()
    };
    client.pc.add_ice_candidate(candidate).await.unwrap();
    client.opened().await;
    talk(&mut client, &mut server).await;
    assert_eq!(server.pair().remote().port(), Some(mapped[0]));
    forget.send(()).unwrap();
    for number in 0..100 {
        client.says(&format!("up {number}"));
        server.says(&format!("down {number}"));
    }
    for number in 0..100 {
        assert_eq!(server.hears().await, format!("up {number}"));
        assert_eq!(client.hears().await, format!("down {number}"));
    }
    assert_eq!(server.pair().remote().port(), Some(mapped[1]));
    nat.abort();
}
