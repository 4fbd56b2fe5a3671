//! The peer is told that a connection is closed, even if the runtime ends at once. The tests use
//! real sockets and runtimes, since their end is the subject.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use peerconnection::host::TokioOptions;
use peerconnection::{
    RTCConfiguration, RTCDataChannel, RTCDataChannelInit, RTCPeerConnection,
    RTCSessionDescriptionInit, UdpMux,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Connections of each kind: without the farewell a part of them would be lucky.
const TIMES: usize = 20;
/// Silence says nothing for ten times as long.
const LIMIT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(50);

/// What the application does at the end. It can wait until the channel of the peer is closed.
type End = fn(Runtime, RTCPeerConnection, RTCDataChannel, mpsc::Receiver<()>);

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn peer(options: TokioOptions) -> (RTCPeerConnection, RTCDataChannel) {
    let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options).unwrap();
    let init = RTCDataChannelInit { negotiated: true, id: Some(0), ..Default::default() };
    let channel = pc.create_data_channel("channel", init).unwrap();
    (pc, channel)
}

async fn described(pc: &RTCPeerConnection) -> RTCSessionDescriptionInit {
    pc.set_local_description(None).await.unwrap();
    pc.gathering_complete().await.unwrap();
    pc.local_description().unwrap().into()
}

/// One peer lives here, and another one in a runtime that ends as `end` has it. The channel of the
/// first one closes.
async fn is_told(runtime: fn() -> Runtime, shares_port: bool, end: End) {
    let (offer, offered) = oneshot::channel();
    let (answer, answered) = oneshot::channel();
    let (open, both_open) = oneshot::channel::<()>();
    let (closes, peer_closed) = mpsc::channel();
    // A port has to last as long as its connections.
    let port = UdpMux::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let leaving = std::thread::spawn(move || {
        let runtime = runtime();
        let (pc, channel) = runtime.block_on(async move {
            let mut options = TokioOptions::loopback();
            if shares_port {
                options = options.with_udp_mux(&port);
            }
            let (pc, channel) = peer(options);
            offer.send(described(&pc).await).unwrap();
            pc.set_remote_description(answered.await.unwrap()).await.unwrap();
            channel.opened().await.unwrap();
            both_open.await.unwrap();
            (pc, channel)
        });
        end(runtime, pc, channel, peer_closed);
    });
    let (pc, channel) = peer(TokioOptions::loopback().with_disconnected_timeout(SILENCE));
    let closed = Arc::new(tokio::sync::Notify::new());
    let notify = closed.clone();
    channel.on_close(move |_| notify.notify_one());
    pc.set_remote_description(offered.await.unwrap()).await.unwrap();
    answer.send(described(&pc).await).unwrap();
    channel.opened().await.unwrap();
    open.send(()).unwrap();
    tokio::time::timeout(LIMIT, closed.notified())
        .await
        .unwrap_or_else(|_| panic!("the peer was not told; shared port: {shares_port}"));
    closes.send(()).unwrap_or_default();
    leaving.join().unwrap();
}

async fn all_are_told(end: End) {
    for runtime in [current_thread, multi_thread] {
        for time in 0..TIMES {
            is_told(runtime, time % 4 == 3, end).await;
        }
    }
}

#[tokio::test]
async fn close_is_the_last_thing_that_the_runtime_does() {
    all_are_told(|runtime, pc, _, _| {
        runtime.block_on(async move { pc.close() });
        drop(runtime);
    })
    .await;
}

#[tokio::test]
async fn close_is_called_from_outside_and_the_runtime_dropped() {
    all_are_told(|runtime, pc, _, _| {
        pc.close();
        drop(runtime);
    })
    .await;
}

#[tokio::test]
async fn the_last_handle_is_dropped_and_then_the_runtime() {
    all_are_told(|runtime, pc, _, _| {
        drop(pc);
        drop(runtime);
    })
    .await;
}

#[tokio::test]
async fn the_runtime_ends_with_the_connection_open() {
    all_are_told(|runtime, pc, _, _| {
        drop(runtime);
        drop(pc);
    })
    .await;
}

/// Whoever hears `close` may end the process at once. Here the handler keeps the task of the
/// connection from sending anything more.
#[tokio::test]
async fn when_close_is_fired_the_peer_has_been_sent_what_closes_its_end() {
    let end: End = |runtime, _pc, channel, peer_closed| {
        channel.on_close(move |_| {
            peer_closed.recv_timeout(2 * LIMIT).expect("the peer has the answer");
        });
        channel.close();
        runtime.block_on(channel.closed());
    };
    is_told(current_thread, false, end).await;
    is_told(multi_thread, true, end).await;
}
