//! Many connections on one UDP port: `UdpMux`. The tests use real sockets, for which socket a
//! datagram comes to is the subject.

mod addresses;
mod crowd;
mod moves;
mod strangers;

use std::net::SocketAddr;
use std::time::Duration;

use peerconnection::{
    Messages, RTCConfiguration, RTCDataChannel, RTCDataChannelInit, RTCIceCandidatePair,
    RTCPeerConnection, RTCSessionDescriptionInit, TokioOptions, UdpMux,
};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

async fn in_time<T>(what: &str, happens: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, happens).await {
        Ok(value) => value,
        Err(_) => panic!("too late: {what}"),
    }
}

/// A port on the loopback interface.
fn port() -> UdpMux {
    UdpMux::bind("127.0.0.1:0".parse().unwrap()).unwrap()
}

fn shares(port: &UdpMux) -> TokioOptions {
    TokioOptions::default().with_udp_mux(port)
}

/// One peer: a connection with a channel.
struct Peer {
    pc: RTCPeerConnection,
    channel: RTCDataChannel,
    messages: Messages,
}

impl Peer {
    fn new(options: TokioOptions) -> Self {
        Self::with(RTCConfiguration::default(), options)
    }

    fn with(configuration: RTCConfiguration, options: TokioOptions) -> Self {
        let pc = RTCPeerConnection::with_options(configuration, options).unwrap();
        let init =
            RTCDataChannelInit { negotiated: true, id: Some(0), ..RTCDataChannelInit::default() };
        let channel = pc.create_data_channel("", init).unwrap();
        let messages = channel.messages();
        Self { pc, channel, messages }
    }

    /// The description that is set, or is about to be, with all candidates.
    async fn describe(&self) -> RTCSessionDescriptionInit {
        self.pc.set_local_description(None).await.unwrap();
        in_time("candidates", self.pc.gathering_complete()).await.unwrap();
        self.pc.local_description().unwrap().into()
    }

    async fn hear(&self, description: impl Into<RTCSessionDescriptionInit>) {
        self.pc.set_remote_description(description.into()).await.unwrap();
    }

    /// Offers, and takes the answer.
    async fn negotiate_with(&self, other: &Self) {
        other.hear(self.describe().await).await;
        self.hear(other.describe().await).await;
    }

    async fn opened(&self) {
        in_time("a channel", self.channel.opened()).await.unwrap();
    }

    /// The next message.
    async fn hears(&mut self) -> String {
        let message = in_time("a message", futures::StreamExt::next(&mut self.messages)).await;
        message.expect("the channel stays open").as_str().unwrap().to_owned()
    }

    fn says(&self, text: &str) {
        self.channel.send(text).unwrap();
    }

    fn pair(&self) -> RTCIceCandidatePair {
        let dtls = self.pc.sctp().unwrap().transport().unwrap();
        dtls.ice_transport().get_selected_candidate_pair().unwrap()
    }

    /// The local port of the selected pair.
    fn local_port(&self) -> u16 {
        self.pair().local().port().unwrap()
    }
}

/// Says something each way.
async fn talk(one: &mut Peer, other: &mut Peer) {
    one.says("hello");
    assert_eq!(other.hears().await, "hello");
    other.says("and back");
    assert_eq!(one.hears().await, "and back");
}

/// A client with a socket of its own, connected to a server on a port that is shared.
async fn connected(port: &UdpMux) -> (Peer, Peer) {
    let (client, server) = (Peer::new(TokioOptions::loopback()), Peer::new(shares(port)));
    client.negotiate_with(&server).await;
    client.opened().await;
    server.opened().await;
    (client, server)
}

/// The description without the candidates that do not have this text.
fn with_candidates(
    description: RTCSessionDescriptionInit,
    with: &str,
) -> RTCSessionDescriptionInit {
    let keeps = |line: &&str| !line.starts_with("a=candidate:") || line.contains(with);
    let sdp = description.sdp.split_inclusive("\r\n").filter(keeps).collect();
    RTCSessionDescriptionInit { sdp, ..description }
}

/// The addresses of the host candidates in a description.
fn hosts(description: &RTCSessionDescriptionInit) -> Vec<SocketAddr> {
    let candidates = description.sdp.lines().filter(|line| line.contains(" typ host"));
    let address = |line: &str| {
        let mut words = line.split(' ').skip(4);
        SocketAddr::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?).into()
    };
    candidates.filter_map(address).collect()
}
