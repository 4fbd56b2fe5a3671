//! What the tests share: a server, a way to it that can be cut, and numbered messages.

use std::net::SocketAddr;
use std::time::Duration;

use peerconnection::{
    RTCConfiguration, RTCDataChannel, RTCIceCandidateInit, RTCPeerConnection, SignalingChannel,
    SignalingMessage,
};
use peerconnection_signalling::{Peer, Server, ServerOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};

/// More than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Fails instead of waiting for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} takes too long"),
    }
}

/// Starts a server; its address.
pub(crate) async fn serve(options: ServerOptions) -> (Server, SocketAddr) {
    let server = Server::new(options);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.clone().serve(listener));
    (server, address)
}

/// TCP to a server, until it is cut.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    cut: broadcast::Sender<()>,
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let cut = broadcast::Sender::new(1);
        let cuts = cut.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut cut = cuts.subscribe();
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(server).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = cut.recv() => {
                            // What is on the way is lost: a reset, not an end in order.
                            let _ = client.set_zero_linger();
                            let _ = server.set_zero_linger();
                        }
                    }
                });
            }
        });
        Self { address, cut }
    }

    /// Cuts all connections.
    pub(crate) fn cut(&self) {
        let _ = self.cut.send(());
    }
}

pub(crate) fn numbered(number: u32) -> SignalingMessage {
    let candidate = RTCIceCandidateInit { candidate: number.to_string(), ..Default::default() };
    SignalingMessage::Candidate(Some(candidate))
}

pub(crate) fn number_of(message: &SignalingMessage) -> u32 {
    match message {
        SignalingMessage::Candidate(Some(candidate)) => candidate.candidate.parse().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Sends the numbers from 1 to `count`, and expects the same from the other side.
pub(crate) async fn count(mut peer: Peer, count: u32, mut pause: impl FnMut() -> Duration) -> Peer {
    let (mut sent, mut received) = (0, 0);
    let mut next = tokio::time::Instant::now();
    while sent < count || received < count {
        tokio::select! {
            () = tokio::time::sleep_until(next), if sent < count => {
                sent += 1;
                peer.send(numbered(sent)).await.unwrap();
                next = tokio::time::Instant::now() + pause();
            }
            message = peer.receive(), if received < count => {
                received += 1;
                let message = message.unwrap().expect("the other side is there");
                assert_eq!(number_of(&message), received);
            }
        }
    }
    peer
}

pub(crate) fn connection() -> RTCPeerConnection {
    RTCPeerConnection::new(RTCConfiguration::default()).unwrap()
}

/// Completes when the channel is open.
pub(crate) async fn opened(channel: &RTCDataChannel) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    channel.on_open(move |_| sender.send(()).unwrap_or_default());
    if channel.ready_state() != peerconnection::RTCDataChannelState::Open {
        soon("the channel", receiver.recv()).await.unwrap();
    }
}

/// The first channel that the other side opens.
pub(crate) fn arriving(pc: &RTCPeerConnection) -> impl Future<Output = RTCDataChannel> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    pc.on_datachannel(move |event| sender.send(event.channel().clone()).unwrap_or_default());
    async move { soon("the channel", receiver.recv()).await.unwrap() }
}
