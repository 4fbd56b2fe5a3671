//! ICE over TCP on real sockets.

use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use peerconnection::host::TokioOptions;
use peerconnection::{
    AnyEvent, MessageData, RTCConfiguration, RTCIceProtocol, RTCIceTcpCandidateType,
    RTCPeerConnection, RTCSessionDescriptionInit,
};

/// Bytes of each message that is sent.
const SIZES: [usize; 6] = [1, 100, 1_200, 20_000, 65_536, 200_000];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_connect_over_tcp_where_there_is_nothing_else_and_all_messages_pass() {
    let (a, b) = (on_loopback(), on_loopback());
    let sender = a.create_data_channel("tcp", None).unwrap();
    let (received, mut messages) = mpsc::unbounded();
    b.on_datachannel(move |event| {
        let (channel, received) = (event.channel().clone(), received.clone());
        let echo = channel.clone();
        channel.on_message(move |event| {
            let data = event.into_data();
            echo.send(data.clone()).unwrap();
            received.unbounded_send(data).unwrap();
        });
    });
    let (returned, mut echoes) = mpsc::unbounded();
    sender.on_message(move |event| returned.unbounded_send(event.into_data()).unwrap());
    sender.on_open(|event| {
        for size in SIZES {
            event.target().send(bytes(size)).unwrap();
        }
    });
    gathered(&a).await;
    b.set_remote_description(over_tcp(&a)).await.unwrap();
    gathered(&b).await;
    a.set_remote_description(over_tcp(&b)).await.unwrap();
    let within = Duration::from_secs(30);
    for size in SIZES {
        for stream in [&mut messages, &mut echoes] {
            let message = tokio::time::timeout(within, stream.next()).await.expect("a message");
            let MessageData::Binary(message) = message.unwrap() else { panic!("text") };
            assert!(message == bytes(size), "{size} bytes became {}", message.len());
        }
    }
    for pc in [&a, &b] {
        let ice = pc.sctp().unwrap().transport().unwrap().ice_transport();
        let pair = ice.get_selected_candidate_pair().unwrap();
        assert_eq!(pair.local().protocol(), Some(RTCIceProtocol::Tcp));
        let types: Vec<_> = ice.get_local_candidates().iter().map(|c| c.tcp_type()).collect();
        let (active, passive) = (RTCIceTcpCandidateType::Active, RTCIceTcpCandidateType::Passive);
        assert_eq!(types, [None, Some(active), Some(passive)]);
        assert!(types.contains(&pair.local().tcp_type()));
    }
}

fn on_loopback() -> RTCPeerConnection {
    RTCPeerConnection::with_options(RTCConfiguration::default(), TokioOptions::loopback()).unwrap()
}

fn bytes(size: usize) -> Vec<u8> {
    (0..=250).cycle().take(size).collect()
}

/// Applies a local description and waits for the end of gathering.
async fn gathered(pc: &RTCPeerConnection) {
    let mut events = pc.events();
    pc.set_local_description(None).await.unwrap();
    while !matches!(events.next().await.unwrap().unwrap(), AnyEvent::IceCandidate(None)) {}
}

/// The local description without the candidates over UDP.
fn over_tcp(pc: &RTCPeerConnection) -> RTCSessionDescriptionInit {
    let description = pc.local_description().unwrap();
    let is_udp = |line: &&str| line.starts_with("a=candidate:") && line.contains(" udp ");
    let lines = description.sdp().split_inclusive("\r\n");
    let sdp: String = lines.filter(|line| !is_udp(line)).collect();
    assert_eq!(sdp.matches("a=candidate:").count(), 2, "{sdp}");
    RTCSessionDescriptionInit { type_: description.type_(), sdp }
}
