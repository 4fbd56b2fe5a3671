//! Two transports of one connection with the same credentials, on one port: a section has taken the
//! place of the first one of its BUNDLE group (RFC 9143 §7.4).

use std::time::Duration;

use peerconnection::{MediaKind, RTCDtlsTransport, TokioOptions};

use super::{Peer, port, shares, talk};

/// How long the answer is on its way: long enough for ICE and for DTLS.
const SIGNALLING: Duration = Duration::from_secs(1);

fn transport(peer: &Peer) -> RTCDtlsTransport {
    peer.pc.sctp().unwrap().transport().unwrap()
}

/// The first section is stopped, and another one takes its place. The answerer has its new transport
/// as soon as it has answered, the offerer has both until it hears of that.
async fn recycle(offerer: &mut Peer, answerer: &mut Peer) {
    offerer.pc.add_transceiver(MediaKind::Audio, None).unwrap();
    offerer.negotiate_with(answerer).await;
    offerer.opened().await;
    answerer.opened().await;
    talk(offerer, answerer).await;

    offerer.pc.get_transceivers()[0].stop().unwrap();
    offerer.negotiate_with(answerer).await;
    talk(offerer, answerer).await;

    offerer.pc.add_transceiver(MediaKind::Audio, None).unwrap();
    let before = transport(offerer);
    answerer.hear(offerer.describe().await).await;
    let answer = answerer.describe().await;
    tokio::time::sleep(SIGNALLING).await;
    offerer.hear(answer).await;
    assert_ne!(transport(offerer), before);
    talk(offerer, answerer).await;
}

#[tokio::test]
async fn a_transport_takes_over_from_one_on_the_same_port() {
    for shared in [(true, true), (true, false), (false, true)] {
        let options = |shares_port: bool| match shares_port {
            true => shares(&port()),
            false => TokioOptions::loopback(),
        };
        let [mut offerer, mut answerer] = [shared.0, shared.1].map(|of| Peer::new(options(of)));
        recycle(&mut offerer, &mut answerer).await;
    }
}
