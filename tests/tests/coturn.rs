//! Connections through Debian's coturn, on loopback, over UDP, TCP and TLS.
//!
//! `cargo test -p tests --test coturn -- --ignored`, with `turnserver` and `openssl` on the path.

use std::time::{Duration, Instant};

use peerconnection::host::TokioOptions;
use peerconnection::{
    AnyEvent, Events, RTCConfiguration, RTCDataChannel, RTCDataChannelState, RTCIceCandidateType,
    RTCIceServer, RTCIceServerTransportProtocol, RTCIceTransportPolicy, RTCPeerConnection,
    RTCPeerConnectionIceErrorEventInit, RTCPeerConnectionState, UdpMux,
};
use tests::coturn::{Coturn, PASSWORD, USER, WAYS, Way};

/// Far beyond what anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What coturn counts as one allocation more for a second after its release, and a little more.
const RELEASED: Duration = Duration::from_millis(1_500);

/// What a peer needs.
trait Peers {
    fn trusted(&self) -> TokioOptions;
    fn peer(&self, way: Way, password: &str) -> Peer;
    fn peer_with(&self, url: String, password: &str, options: TokioOptions) -> Peer;
}

impl Peers for Coturn {
    /// Options of a peer that trusts the authority of this coturn.
    fn trusted(&self) -> TokioOptions {
        let authority = std::fs::read(self.authority()).unwrap();
        TokioOptions::loopback().with_authorities(&authority).unwrap()
    }

    /// A connection that may use nothing else, with a channel that both sides know.
    fn peer(&self, way: Way, password: &str) -> Peer {
        self.peer_with(self.url(way), password, self.trusted())
    }

    fn peer_with(&self, url: String, password: &str, options: TokioOptions) -> Peer {
        let server = RTCIceServer {
            urls: vec![url],
            username: Some(USER.to_owned()),
            credential: Some(password.to_owned()),
        };
        let configuration = RTCConfiguration {
            ice_servers: vec![server],
            ice_transport_policy: RTCIceTransportPolicy::Relay,
            ..Default::default()
        };
        let pc = RTCPeerConnection::with_options(configuration, options).unwrap();
        let init = peerconnection::RTCDataChannelInit {
            negotiated: true,
            id: Some(0),
            ..Default::default()
        };
        let channel = pc.create_data_channel("channel", init).unwrap();
        let events = pc.events();
        Peer { pc, channel, events, errors: Vec::new() }
    }
}

struct Peer {
    pc: RTCPeerConnection,
    channel: RTCDataChannel,
    events: Events,
    errors: Vec<RTCPeerConnectionIceErrorEventInit>,
}

impl Peer {
    /// Takes events until it is there.
    async fn until(&mut self, what: &str, wanted: impl Fn(&AnyEvent) -> bool) {
        let Self { events, errors, .. } = self;
        let found = async {
            loop {
                let event = events.next().await.unwrap().unwrap();
                if let AnyEvent::IceCandidateError(error) = &event {
                    errors.push(error.clone());
                }
                if wanted(&event) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect(what);
    }

    async fn state(&mut self, state: RTCPeerConnectionState) {
        if self.pc.connection_state() != state {
            let changed =
                |e: &AnyEvent| matches!(e, AnyEvent::ConnectionStateChange(to) if *to == state);
            self.until(state.as_str(), changed).await;
        }
    }

    async fn open(&mut self) {
        while self.channel.ready_state() != RTCDataChannelState::Open {
            self.until("the channel opens", |_| true).await;
        }
    }

    /// Applies a local description, and waits for all its candidates.
    async fn gather(&mut self) -> Duration {
        let start = Instant::now();
        self.pc.set_local_description(None).await.unwrap();
        self.until("gathered", |event| matches!(event, AnyEvent::IceCandidate(None))).await;
        start.elapsed()
    }

    fn errors(&self) -> Vec<(u16, &str)> {
        self.errors.iter().map(|e| (e.error_code, e.error_text.as_str())).collect()
    }
}

/// Offer and answer with all candidates.
async fn negotiate(a: &mut Peer, b: &mut Peer) {
    a.gather().await;
    b.pc.set_remote_description(a.pc.local_description()).await.unwrap();
    b.gather().await;
    a.pc.set_remote_description(b.pc.local_description()).await.unwrap();
}

async fn connected(coturn: &Coturn, way: Way) -> [Peer; 2] {
    let [mut a, mut b] = [(); 2].map(|()| coturn.peer(way, PASSWORD));
    negotiate(&mut a, &mut b).await;
    for peer in [&mut a, &mut b] {
        peer.state(RTCPeerConnectionState::Connected).await;
        peer.open().await;
    }
    [a, b]
}

/// A message of this size comes across, each way.
async fn exchange(a: &Peer, b: &Peer, size: usize) {
    for (from, to) in [(a, b), (b, a)] {
        let (told, arrives) = tokio::sync::oneshot::channel();
        let told = std::sync::Mutex::new(Some(told));
        to.channel.on_message(move |event| {
            if let Some(told) = told.lock().unwrap().take() {
                let _ = told.send(event.into_data());
            }
        });
        let sent = vec![9; size];
        from.channel.send(sent.clone()).unwrap();
        let arrived = tokio::time::timeout(PATIENCE, arrives).await.expect("a message").unwrap();
        assert_eq!(arrived, peerconnection::MessageData::from(sent));
    }
}

/// What the selected pair says of the relay.
fn relay_of(peer: &Peer) -> (Option<String>, Option<RTCIceServerTransportProtocol>) {
    let ice = peer.pc.sctp().unwrap().transport().unwrap().ice_transport();
    let pair = ice.get_selected_candidate_pair().unwrap();
    let local = pair.local();
    assert_eq!(local.type_(), Some(RTCIceCandidateType::Relay));
    (local.url().map(str::to_owned), local.relay_protocol())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn peers_connect_through_coturn_and_give_back_what_they_had() {
    for way in WAYS {
        // As many as two peers need: so the second pair gets none unless the first has released its
        // own. By then the nonce is stale.
        let options = ["--allow-loopback-peers", "--user-quota=2", "--stale-nonce=2"];
        let coturn = Coturn::new(&options);
        for _ in 0..2 {
            let [a, b] = connected(&coturn, way).await;
            for size in [1, 10, 1_000, 200_000] {
                exchange(&a, &b, size).await;
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
            let protocol = match way {
                Way::Udp => RTCIceServerTransportProtocol::Udp,
                Way::Tcp => RTCIceServerTransportProtocol::Tcp,
                Way::Tls => RTCIceServerTransportProtocol::Tls,
            };
            for peer in [&a, &b] {
                assert_eq!(relay_of(peer), (Some(coturn.url(way)), Some(protocol)));
                assert_eq!(peer.errors(), []);
                peer.pc.close();
            }
            tokio::time::sleep(RELEASED).await;
        }
    }
}

/// Of one port a server has one allocation.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn peers_that_share_a_port_have_relays_all_the_same() {
    for way in WAYS {
        let coturn = Coturn::new(&["--allow-loopback-peers"]);
        let port = UdpMux::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let options = coturn.trusted().with_udp_mux(&port);
        let [mut a, mut b] =
            [(); 2].map(|()| coturn.peer_with(coturn.url(way), PASSWORD, options.clone()));
        negotiate(&mut a, &mut b).await;
        for peer in [&mut a, &mut b] {
            peer.state(RTCPeerConnectionState::Connected).await;
            peer.open().await;
        }
        exchange(&a, &b, 10_000).await;
        for peer in [&a, &b] {
            assert_eq!(relay_of(peer).0, Some(coturn.url(way)));
            assert_eq!(peer.errors(), []);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn what_is_closed_while_coturn_allocates_is_given_back_as_well() {
    for way in WAYS {
        let coturn = Coturn::new(&["--user-quota=1"]);
        for after in 0..20 {
            let peer = coturn.peer(way, PASSWORD);
            peer.pc.set_local_description(None).await.unwrap();
            // At every moment of the exchange.
            tokio::time::sleep(Duration::from_micros(after * 150)).await;
            peer.pc.close();
        }
        tokio::time::sleep(RELEASED).await;
        let mut peer = coturn.peer(way, PASSWORD);
        peer.gather().await;
        assert_eq!(peer.errors(), [], "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn what_coturn_refuses_is_told_within_a_second() {
    for way in WAYS {
        let coturn = Coturn::new(&["--user-quota=1"]);
        let mut wrong = coturn.peer(way, "wrong");
        let took = wrong.gather().await;
        println!("{way:?}: 401 after {took:?}");
        assert_eq!(wrong.errors(), [(401, "Unauthorized")]);
        assert_eq!(wrong.errors[0].url, coturn.url(way));
        assert!(took < Duration::from_secs(1), "{took:?}");

        let mut first = coturn.peer(way, PASSWORD);
        first.gather().await;
        assert_eq!(first.errors(), []);
        let mut second = coturn.peer(way, PASSWORD);
        let took = second.gather().await;
        println!("{way:?}: 486 after {took:?}");
        assert_eq!(second.errors(), [(486, "Allocation Quota Reached")]);
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn a_redirect_to_loopback_is_told_and_not_followed() {
    let other = Coturn::new(&[]);
    for way in WAYS {
        let port = if way == Way::Tls { other.tls_port } else { other.port };
        let alternate = if way == Way::Tls { "tls-alternate-server" } else { "alternate-server" };
        let coturn = Coturn::new(&[&format!("--{alternate}=127.0.0.1:{port}")]);
        let mut peer = coturn.peer(way, PASSWORD);
        let took = peer.gather().await;
        println!("{way:?}: {:?} after {took:?}", peer.errors());
        assert_eq!(peer.errors(), [(300, "Try Alternate")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn a_certificate_that_nobody_vouches_for_is_701_within_a_second() {
    let coturn = Coturn::new(&[]);
    // An authority that is not the server's, and a name that is not in the certificate.
    let other = Coturn::new(&[]);
    let by_address = format!("turns:127.0.0.1:{}", coturn.tls_port);
    for (url, options, text) in [
        (coturn.url(Way::Tls), other.trusted(), "UnknownIssuer"),
        (by_address, coturn.trusted(), "not valid for name"),
        (coturn.url(Way::Tls), TokioOptions::loopback(), ""),
    ] {
        let mut peer = coturn.peer_with(url, PASSWORD, options);
        let took = peer.gather().await;
        println!("{:?} after {took:?}", peer.errors());
        let [error] = &peer.errors[..] else { panic!("{:?}", peer.errors) };
        assert!(error.error_code == 701 && error.error_text.contains(text), "{error:?}");
        assert_eq!((&error.address, error.port), (&None, None));
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn, to know that it is not there"]
async fn where_nobody_listens_it_is_701_at_once() {
    let mut coturn = Coturn::new(&[]);
    coturn.kill();
    for way in [Way::Tcp, Way::Tls] {
        let mut peer = coturn.peer(way, PASSWORD);
        let took = peer.gather().await;
        println!("{way:?}: {:?} after {took:?}", peer.errors());
        let [error] = &peer.errors[..] else { panic!("{:?}", peer.errors) };
        assert!(error.error_code == 701 && error.error_text.contains("refused"), "{error:?}");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn peers_that_coturn_forbids_fail_at_once() {
    for way in WAYS {
        let coturn = Coturn::new(&[]);
        let [mut a, mut b] = [(); 2].map(|()| coturn.peer(way, PASSWORD));
        negotiate(&mut a, &mut b).await;
        let end = Instant::now() + Duration::from_secs(2);
        loop {
            let statistics = format!("{:?}", a.pc.get_stats(None).await.unwrap());
            if statistics.contains("state: Failed") {
                break;
            }
            assert!(Instant::now() < end, "{statistics}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_ne!(a.pc.connection_state(), RTCPeerConnectionState::Connected);
        assert_eq!(a.errors(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn, and takes 20 s"]
async fn a_restart_heals_what_coturn_forgets_when_it_is_killed() {
    for way in WAYS {
        let mut coturn = Coturn::new(&["--allow-loopback-peers"]);
        let [mut a, mut b] = connected(&coturn, way).await;
        exchange(&a, &b, 1_000).await;
        coturn.kill();
        let killed = Instant::now();
        a.state(RTCPeerConnectionState::Disconnected).await;
        // Over a connection it shows at once.
        println!("{way:?}: disconnected after {:?}", killed.elapsed());
        assert!(way == Way::Udp || killed.elapsed() < Duration::from_secs(1));
        coturn.start_again();
        a.pc.restart_ice();
        let restarted = Instant::now();
        negotiate(&mut a, &mut b).await;
        a.state(RTCPeerConnectionState::Connected).await;
        exchange(&a, &b, 1_000).await;
        println!("{way:?}: healed after {:?}", restarted.elapsed());
        assert_eq!(a.errors(), []);
    }
}
