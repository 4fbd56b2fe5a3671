//! Names of servers: the resolver of the system, on real sockets, since they are the subject.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use peerconnection::host::TokioOptions;
use peerconnection::{
    AnyEvent, RTCConfiguration, RTCIceCandidate, RTCIceCandidateType, RTCIceServer,
    RTCPeerConnection, RTCPeerConnectionIceErrorEventInit,
};
use turn::testing::{PASSWORD, Server, USER};

/// Far beyond what gathering may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A TURN server on loopback. Its relayed addresses lead nowhere.
struct Loopback {
    port: u16,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let port = socket.local_addr().unwrap().port();
        let ends = Arc::new(AtomicBool::new(false));
        let of_thread = ends.clone();
        let thread = std::thread::spawn(move || {
            let mut server = Server::new(Instant::now());
            let mut buffer = [0; 2048];
            while !of_thread.load(Ordering::Relaxed) {
                let Ok((length, source)) = socket.recv_from(&mut buffer) else { continue };
                let answer = server.handle(Instant::now(), source, &buffer[..length]);
                if let Some(answer) = answer {
                    socket.send_to(&answer, source).unwrap();
                }
            }
        });
        Self { port, ends, thread: Some(thread) }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is gathered with these URLs.
async fn gather(
    urls: &[String],
) -> (Vec<RTCIceCandidate>, Vec<RTCPeerConnectionIceErrorEventInit>) {
    let server = RTCIceServer {
        urls: urls.to_vec(),
        username: Some(USER.to_owned()),
        credential: Some(PASSWORD.to_owned()),
    };
    let configuration = RTCConfiguration { ice_servers: vec![server], ..Default::default() };
    let pc = RTCPeerConnection::with_options(configuration, TokioOptions::loopback()).unwrap();
    pc.create_data_channel("x", None).unwrap();
    let mut events = pc.events();
    pc.set_local_description(None).await.unwrap();
    let (mut candidates, mut errors) = (Vec::new(), Vec::new());
    let gathered = async {
        loop {
            match events.next().await.unwrap().unwrap() {
                AnyEvent::IceCandidate(None) => return,
                AnyEvent::IceCandidate(Some(candidate)) => candidates.push(candidate),
                AnyEvent::IceCandidateError(error) => errors.push(error),
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, gathered).await.expect("gathering ends");
    (candidates, errors)
}

#[tokio::test]
async fn a_literal_address_and_a_name_of_this_machine_lead_to_the_server() {
    let server = Loopback::new();
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost"] {
        let url = format!("turn:{host}:{}", server.port);
        let (candidates, errors) = gather(std::slice::from_ref(&url)).await;
        assert_eq!(errors, [], "{host}");
        let relay = |c: &&RTCIceCandidate| c.type_() == Some(RTCIceCandidateType::Relay);
        let relay = candidates.iter().find(relay).expect("a relayed candidate");
        assert_eq!(relay.address(), Some("203.0.113.1"));
        assert_eq!(relay.url(), Some(url.as_str()));
    }
}

#[tokio::test]
async fn a_name_that_is_not_resolved_is_one_error_for_each_url() {
    // Longer than a label can be (RFC 1035 §2.3.4), so that no DNS server need be asked.
    let name = "x".repeat(64);
    let urls = [format!("stun:{name}.example"), format!("turn:{name}.example:5")];
    let (candidates, errors) = gather(&urls).await;
    assert!(candidates.iter().all(|c| c.type_() != Some(RTCIceCandidateType::Relay)));
    let told: Vec<_> = errors.iter().map(|error| (error.error_code, error.url.as_str())).collect();
    assert_eq!(told, [(701, urls[0].as_str()), (701, urls[1].as_str())]);
    for error in errors {
        assert!(error.error_text.starts_with("host lookup of xxx"), "{}", error.error_text);
        assert_eq!((error.address, error.port), (None, None));
    }
}
