//! What nobody has asked for.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use peerconnection::host::{EventLoop, TaskRunner};
use peerconnection::{
    RTCConfiguration, RTCDataChannelInit, RTCPeerConnection, TokioOptions, UdpMux,
};

use super::{Peer, connected, in_time, port, shares, talk};

/// A Binding request with this USERNAME and a MESSAGE-INTEGRITY of zeros.
fn forged_check(username: &str) -> Vec<u8> {
    let mut attributes = vec![0, 6, 0, u8::try_from(username.len()).unwrap()];
    attributes.extend_from_slice(username.as_bytes());
    attributes.resize(attributes.len().next_multiple_of(4), 0);
    attributes.extend_from_slice(&[0, 8, 0, 20]);
    attributes.extend_from_slice(&[0; 20]);
    let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
    let header = [&[0, 1][..], &length, &[0x21, 0x12, 0xa4, 0x42], &[7; 12]].concat();
    [header, attributes].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_strangers_send_is_dropped_and_disturbs_nobody() {
    let port = port();
    let (mut client, mut server) = connected(&port).await;
    let ice = server.pc.sctp().unwrap().transport().unwrap().ice_transport();
    let ours = ice.get_local_parameters().unwrap().username_fragment.unwrap();
    let theirs = ice.get_remote_parameters().unwrap().username_fragment.unwrap();
    let before = port.dropped();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let garbage: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        vec![22; 1200],
        vec![0x80; 100],
        vec![1; 65_000],
        vec![0, 1, 0xff, 0xff, 0x21, 0x12, 0xa4, 0x42],
        // An attribute that ends behind the message.
        [&[0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42][..], &[0; 12], &[0, 6, 0xff, 0xff, b'a', b':']]
            .concat(),
        forged_check("nobody:else"),
        // An answer to nothing.
        [&[1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[9; 12]].concat(),
    ];
    for datagram in &garbage {
        stranger.send_to(datagram, port.local_addr()).unwrap();
    }
    let dropped = async {
        while port.dropped().unclaimed < before.unclaimed + garbage.len() as u64 - 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time("the end of the garbage", dropped).await;
    // A check with the right names and the wrong key, and data behind it.
    for _ in 0..1000 {
        stranger.send_to(&forged_check(&format!("{ours}:{theirs}")), port.local_addr()).unwrap();
        stranger.send_to(&[22, 254, 253, 0, 0], port.local_addr()).unwrap();
    }
    talk(&mut client, &mut server).await;
    let answer = stranger.recv_from(&mut [0; 100]);
    assert!(answer.is_err(), "nobody answers a stranger: {answer:?}");
    assert_eq!(server.pair().remote().port(), client.pair().local().port());
}

/// An event loop that runs no task.
struct Stuck;

impl EventLoop for Stuck {
    fn tasks_were_queued(&self, _: usize) {}

    fn network_ended(&self) {}
}

/// A connection on the port that takes no message from its queue once it is open.
async fn stuck(port: &UdpMux, client: &Peer) -> (RTCPeerConnection, TaskRunner) {
    let runtime = tokio::runtime::Handle::current();
    let (pc, tasks) = RTCPeerConnection::with_event_loop(
        RTCConfiguration::default(),
        shares(port),
        &runtime,
        Arc::new(Stuck),
    )
    .unwrap();
    let init =
        RTCDataChannelInit { negotiated: true, id: Some(0), ..RTCDataChannelInit::default() };
    let _ = pc.create_data_channel("", init).unwrap();
    let run = |tasks: &TaskRunner| {
        while tasks.next_dispatch().is_some() || tasks.run_microtask() || tasks.run_task() {}
    };
    drop(pc.set_remote_description(client.describe().await));
    let mut asked = false;
    let answered = async {
        loop {
            run(&tasks);
            if pc.current_local_description().is_some_and(|it| it.sdp().contains("end-of-")) {
                return;
            }
            if !asked && pc.pending_remote_description().is_some() {
                asked = true;
                drop(pc.set_local_description(None));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time("an answer", answered).await;
    client.hear(pc.local_description().unwrap()).await;
    (pc, tasks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_takes_nothing_does_not_hold_up_the_others() {
    let port = port();
    let (mut client, mut server) = connected(&port).await;
    let flooding = Peer::new(TokioOptions::loopback());
    let (_pc, _tasks) = stuck(&port, &flooding).await;
    flooding.opened().await;
    // More than the event loop may leave undone, the queue of the connection, and its socket.
    for _ in 0..64 {
        flooding.channel.send(vec![7; 256 << 10]).unwrap();
    }
    for _ in 0..20 {
        talk(&mut client, &mut server).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(flooding.channel.buffered_amount() > 0);
}
