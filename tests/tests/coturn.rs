//! Connections through Debian's coturn, on loopback.
//!
//! `cargo test -p tests --test coturn -- --ignored`, with `turnserver` on the path.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::StreamExt;
use peerconnection::host::TokioOptions;
use peerconnection::{
    AnyEvent, Events, RTCConfiguration, RTCDataChannel, RTCDataChannelState, RTCIceCandidateType,
    RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection, RTCPeerConnectionIceErrorEventInit,
    RTCPeerConnectionState,
};
use turn::testing::{PASSWORD, USER};

/// Far beyond what anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What coturn counts as one allocation more for a second after its release, and a little more.
const RELEASED: Duration = Duration::from_millis(1_500);

/// A coturn of our own.
struct Coturn {
    child: Child,
    directory: PathBuf,
    port: u16,
    arguments: Vec<String>,
}

impl Coturn {
    fn new(arguments: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let directory = std::env::temp_dir().join(format!("coturn-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let child = Self::spawn(&directory, port, &arguments);
        Self { child, directory, port, arguments }
    }

    fn spawn(directory: &Path, port: u16, arguments: &[String]) -> Child {
        let child = Command::new("turnserver")
            .args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file=log.txt"])
            .args(["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--lt-cred-mech"])
            .args(["--realm=example.org", "--pidfile=pid.txt", "--userdb=users.db"])
            .arg(format!("--user={USER}:{PASSWORD}"))
            .arg(format!("--listening-port={port}"))
            .args(arguments)
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver");
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "coturn does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        child
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn start_again(&mut self) {
        self.child = Self::spawn(&self.directory, self.port, &self.arguments);
    }

    fn url(&self) -> String {
        format!("turn:127.0.0.1:{}", self.port)
    }

    /// A connection that may use nothing else, with a channel that both sides know.
    fn peer(&self, password: &str) -> Peer {
        let server = RTCIceServer {
            urls: vec![self.url()],
            username: Some(USER.to_owned()),
            credential: Some(password.to_owned()),
        };
        let configuration = RTCConfiguration {
            ice_servers: vec![server],
            ice_transport_policy: RTCIceTransportPolicy::Relay,
            ..Default::default()
        };
        let pc = RTCPeerConnection::with_options(configuration, TokioOptions::loopback()).unwrap();
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

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
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
    b.pc.set_remote_description(a.pc.local_description().unwrap().into()).await.unwrap();
    b.gather().await;
    a.pc.set_remote_description(b.pc.local_description().unwrap().into()).await.unwrap();
}

async fn connected(coturn: &Coturn) -> [Peer; 2] {
    let [mut a, mut b] = [(); 2].map(|()| coturn.peer(PASSWORD));
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

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn peers_connect_through_coturn_and_give_back_what_they_had() {
    // As many as two peers need: so the second pair gets none unless the first has released its own.
    let coturn = Coturn::new(&["--allow-loopback-peers", "--user-quota=2"]);
    for _ in 0..2 {
        let [a, b] = connected(&coturn).await;
        for size in [1, 1_000, 200_000] {
            exchange(&a, &b, size).await;
        }
        for peer in [&a, &b] {
            let ice = peer.pc.sctp().unwrap().transport().unwrap().ice_transport();
            let pair = ice.get_selected_candidate_pair().unwrap();
            assert_eq!(pair.local().type_(), Some(RTCIceCandidateType::Relay));
            assert_eq!(pair.local().url(), Some(coturn.url().as_str()));
            assert_eq!(peer.errors(), []);
            peer.pc.close();
        }
        tokio::time::sleep(RELEASED).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn what_is_closed_while_coturn_allocates_is_given_back_as_well() {
    let coturn = Coturn::new(&["--user-quota=1"]);
    for after in 0..20 {
        let peer = coturn.peer(PASSWORD);
        peer.pc.set_local_description(None).await.unwrap();
        // At every moment of the exchange.
        tokio::time::sleep(Duration::from_micros(after * 150)).await;
        peer.pc.close();
    }
    tokio::time::sleep(RELEASED).await;
    let mut peer = coturn.peer(PASSWORD);
    peer.gather().await;
    assert_eq!(peer.errors(), []);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn a_wrong_password_is_401_within_a_second() {
    let coturn = Coturn::new(&[]);
    let mut peer = coturn.peer("wrong");
    let took = peer.gather().await;
    println!("401 after {took:?}");
    assert_eq!(peer.errors(), [(401, "Unauthorized")]);
    assert_eq!(peer.errors[0].url, coturn.url());
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn a_full_quota_is_486_within_a_second() {
    let coturn = Coturn::new(&["--user-quota=1"]);
    let mut first = coturn.peer(PASSWORD);
    first.gather().await;
    assert_eq!(first.errors(), []);
    let mut second = coturn.peer(PASSWORD);
    let took = second.gather().await;
    println!("486 after {took:?}");
    assert_eq!(second.errors(), [(486, "Allocation Quota Reached")]);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn peers_that_coturn_forbids_fail_at_once() {
    let coturn = Coturn::new(&[]);
    let [mut a, mut b] = [(); 2].map(|()| coturn.peer(PASSWORD));
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

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn, and takes 20 s"]
async fn a_restart_heals_what_coturn_forgets_when_it_is_killed() {
    let mut coturn = Coturn::new(&["--allow-loopback-peers"]);
    let [mut a, mut b] = connected(&coturn).await;
    exchange(&a, &b, 1_000).await;
    coturn.kill();
    let killed = Instant::now();
    a.state(RTCPeerConnectionState::Disconnected).await;
    println!("disconnected after {:?}", killed.elapsed());
    coturn.start_again();
    a.pc.restart_ice();
    let restarted = Instant::now();
    negotiate(&mut a, &mut b).await;
    a.state(RTCPeerConnectionState::Connected).await;
    exchange(&a, &b, 1_000).await;
    println!("healed after {:?}", restarted.elapsed());
    assert_eq!(a.errors(), []);
}
