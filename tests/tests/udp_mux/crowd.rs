//! A hundred connections on one port.

use std::time::Duration;

use peerconnection::{
    RTCConfiguration, RTCIceConnectionState, RTCPeerConnection, TokioOptions, UdpMuxDropped,
};

use super::{Peer, connected, hosts, port, shares, talk};

const CONNECTIONS: usize = 100;
/// Messages each way of each connection, while ICE is restarted twice.
const MESSAGES: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_connections_talk_over_one_port_while_both_sides_restart_ice() {
    let port = port();
    let mut stories = Vec::new();
    for number in 0..CONNECTIONS {
        let port = port.clone();
        stories.push(tokio::spawn(async move {
            let (mut client, mut server) = connected(&port).await;
            assert_eq!(server.local_port(), port.local_addr().port());
            let [to_server, to_client] = [&client, &server].map(|from| from.channel.clone());
            let stream = tokio::spawn(async move {
                for message in 0..MESSAGES {
                    to_server.send(format!("{number} up {message}")).unwrap();
                    to_client.send(format!("{number} down {message}")).unwrap();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
            let first = client.pair();
            client.pc.restart_ice();
            client.negotiate_with(&server).await;
            server.pc.restart_ice();
            server.negotiate_with(&client).await;
            for message in 0..MESSAGES {
                assert_eq!(server.hears().await, format!("{number} up {message}"));
                assert_eq!(client.hears().await, format!("{number} down {message}"));
            }
            stream.await.unwrap();
            // The client has another socket since, and the server the same port.
            let moved = async {
                while client.pair() == first || server.pair().remote() == first.local() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            super::in_time("the new pair", moved).await;
            assert_eq!(server.local_port(), port.local_addr().port());
            talk(&mut client, &mut server).await;
            (client, server)
        }));
    }
    let mut peers = Vec::new();
    for story in stories {
        peers.push(story.await.unwrap());
    }
    assert_eq!(port.dropped().overflowed, 0);
    // Half of them leave; the others do not notice.
    for (_, server) in peers.iter().step_by(2) {
        server.pc.close();
    }
    for (client, server) in peers.iter_mut().skip(1).step_by(2) {
        talk(client, server).await;
    }
}

#[tokio::test]
async fn a_port_is_closed_with_the_last_who_uses_it() {
    let port = port();
    let address = port.local_addr();
    let (mut client, mut server) = connected(&port).await;
    drop(port);
    talk(&mut client, &mut server).await;
    server.pc.close();
    let free = async {
        while std::net::UdpSocket::bind(address).is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    super::in_time("the end of the port", free).await;
}

#[tokio::test]
async fn a_port_whose_runtime_ends_is_as_an_interface_that_goes_away() {
    let elsewhere = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let port = runtime.block_on(async { port() });
        (runtime, port)
    });
    let (runtime, port) = elsewhere.join().unwrap();
    let (client, server) = connected(&port).await;
    let mut events = server.pc.events();
    runtime.shutdown_background();
    let disconnected = async {
        while server.pc.ice_connection_state() != RTCIceConnectionState::Disconnected {
            events.next().await.unwrap().unwrap();
        }
    };
    super::in_time("a state", disconnected).await;
    client.pc.close();
    // Another connection finds no port to gather on.
    let late = Peer::new(shares(&port));
    assert_eq!(hosts(&late.describe().await), []);
}

#[tokio::test]
async fn a_connection_that_gathers_ahead_has_the_port_too() {
    let port = port();
    let configuration =
        RTCConfiguration { ice_candidate_pool_size: 1, ..RTCConfiguration::default() };
    let pc = RTCPeerConnection::with_options(configuration, shares(&port)).unwrap();
    let channel = pc.create_data_channel("", None).unwrap();
    let messages = channel.messages();
    let ahead = Peer { pc, channel, messages };
    // Until there is a description nothing shows whether the pool has gathered.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let offer = ahead.describe().await;
    assert_eq!(hosts(&offer), [port.local_addr()]);
    let client = Peer::new(TokioOptions::loopback());
    client.hear(offer).await;
    ahead.hear(client.describe().await).await;
    super::in_time("a connection", ahead.pc.connected()).await.unwrap();
    super::in_time("a connection", client.pc.connected()).await.unwrap();
    assert_eq!(port.dropped(), UdpMuxDropped::default());
}
