//! Peers that hide their addresses behind names. The tests use real multicast, since it is the
//! subject.

mod hidden;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use peerconnection::host::TokioOptions;
use peerconnection::{
    AnyEvent, RTCConfiguration, RTCDataChannelState, RTCPeerConnection, RTCSessionDescriptionInit,
    RTCStats,
};
use socket2::{Domain, Protocol, Socket, Type};

const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 0, 251), 5353);
/// Where the peers are.
const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Far beyond the second after which a lost question is asked again.
const PATIENCE: Duration = Duration::from_secs(30);

/// A name that no other run uses.
fn fresh_name() -> String {
    format!("{:032x}.local", rand::random::<u128>())
}

/// The name on the wire: RFC 1035 §3.1.
fn on_wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    labels.chain([vec![0]]).flatten().collect()
}

/// Answers for names as Chromium does: multicast to multicast, from and to port 5353.
struct Responder {
    ends: Arc<AtomicBool>,
    questions: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    fn new(names: &[String], ignores_first: bool) -> Self {
        let socket = bind().unwrap();
        let names: Vec<_> = names.iter().map(|name| on_wire(name)).collect();
        let (ends, questions) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (of_thread, counter) = (ends.clone(), questions.clone());
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            let mut ignored = Vec::new();
            while !of_thread.load(Ordering::Relaxed) {
                let Ok((length, source)) = socket.recv_from(&mut buffer) else { continue };
                let question = &buffer[..length];
                let asks =
                    |name: &&Vec<u8>| question.windows(name.len()).any(|part| part == **name);
                // Responses have the first bit of the third octet.
                let is_question = question.get(2).is_some_and(|flags| flags & 0x80 == 0);
                let Some(name) = names.iter().find(asks).filter(|_| is_question) else { continue };
                assert_eq!(source, SocketAddr::from((ADDRESS, 5353)));
                counter.fetch_add(1, Ordering::Relaxed);
                if ignores_first && !ignored.contains(name) {
                    ignored.push(name.clone());
                    continue;
                }
                socket.send_to(&answer(name), GROUP).unwrap();
            }
        });
        Self { ends, questions, thread: Some(thread) }
    }

    fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A member of the group on the loopback interface.
fn bind() -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, GROUP.port())).into())?;
    socket.join_multicast_v4(GROUP.ip(), &ADDRESS)?;
    socket.set_multicast_if_v4(&ADDRESS)?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    Ok(socket.into())
}

/// A response with one A record: cache-flush and IN, 120 s (RFC 6762 §18, §10.2).
fn answer(name: &[u8]) -> Vec<u8> {
    let header = [0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let fields = [0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4];
    [&header[..], name, &fields, &ADDRESS.octets()].concat()
}

fn connection() -> RTCPeerConnection {
    RTCPeerConnection::with_options(RTCConfiguration::default(), TokioOptions::loopback()).unwrap()
}

/// The local description with all candidates, whose addresses hide behind the name.
async fn hidden(pc: &RTCPeerConnection, name: &str) -> RTCSessionDescriptionInit {
    let mut events = pc.events();
    pc.set_local_description(None).await.unwrap();
    while !matches!(events.next().await.unwrap().unwrap(), AnyEvent::IceCandidate(None)) {}
    let description = pc.local_description().unwrap();
    let address = ADDRESS.to_string();
    let hide = |line: &str| {
        let is_candidate = line.starts_with("a=candidate:");
        if is_candidate { line.replace(&address, name) } else { line.to_owned() }
    };
    let sdp: String = description.sdp().split_inclusive("\r\n").map(hide).collect();
    assert!(sdp.contains(&format!(" {name} ")), "{sdp}");
    RTCSessionDescriptionInit { type_: description.type_(), sdp }
}

/// Two peers that know each other by these names only, with an open channel.
async fn connected(names: &[String]) -> [RTCPeerConnection; 2] {
    let (a, b) = (connection(), connection());
    let channel = a.create_data_channel("x", None).unwrap();
    let mut events = a.events();
    b.set_remote_description(hidden(&a, &names[0]).await).await.unwrap();
    a.set_remote_description(hidden(&b, &names[1]).await).await.unwrap();
    let opened = async {
        while channel.ready_state() != RTCDataChannelState::Open {
            events.next().await.unwrap().unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, opened).await.expect("the channel opens");
    [a, b]
}

/// What the application sees of the peer has the name in the place of the address.
async fn assert_hidden(pc: &RTCPeerConnection, name: &str) {
    let ice = pc.sctp().unwrap().transport().unwrap().ice_transport();
    let remote = ice.get_remote_candidates();
    assert!(!remote.is_empty());
    assert!(remote.iter().all(|candidate| candidate.address() == Some(name)), "{remote:?}");
    let selected = ice.get_selected_candidate_pair().unwrap();
    let seen = selected.remote();
    // Peer-reflexive until the name is resolved.
    assert!([None, Some(name)].contains(&seen.address()), "{seen:?}");
    let report = pc.get_stats(None).await.unwrap();
    let mut count = 0;
    for stats in report.values() {
        if let RTCStats::RemoteCandidate(candidate) = stats {
            count += 1;
            let address = candidate.address.as_deref();
            assert!([None, Some(name)].contains(&address), "{candidate:?}");
        }
    }
    assert!(count > 0);
}

#[tokio::test]
async fn two_peers_that_hide_their_addresses_connect_and_see_names_only() {
    let names = [fresh_name(), fresh_name()];
    let responder = Responder::new(&names, false);
    let [a, b] = connected(&names).await;
    assert!(responder.questions() > 0);
    assert_hidden(&a, &names[1]).await;
    assert_hidden(&b, &names[0]).await;
}

#[tokio::test]
async fn a_question_without_an_answer_is_asked_again() {
    let names = [fresh_name(), fresh_name()];
    let responder = Responder::new(&names, true);
    connected(&names).await;
    // One for each name, and another one.
    assert!(responder.questions() > 2, "{}", responder.questions());
}
