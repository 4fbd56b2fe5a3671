//! Our own addresses behind names: real sockets ask for them, and answer.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Instant;

use peerconnection::host::TokioOptions;
use peerconnection::{
    AnyEvent, RTCConfiguration, RTCDataChannelState, RTCPeerConnection, RTCSessionDescriptionInit,
};

use super::{ADDRESS, GROUP, PATIENCE, bind, on_wire};

/// A, IN.
const FOR_A: [u8; 4] = [0, 1, 0, 1];

fn hiding(addresses: &[Ipv4Addr]) -> RTCPeerConnection {
    let mut options = TokioOptions::default().with_hidden_addresses(true);
    options.addresses = Some(addresses.iter().map(|address| (*address).into()).collect());
    RTCPeerConnection::with_options(RTCConfiguration::default(), options).unwrap()
}

/// All that an application was shown of a connection.
#[derive(Default)]
struct Shown(Vec<String>);

impl Shown {
    /// Applies a description of its own, and returns it with all candidates.
    async fn describe(&mut self, pc: &RTCPeerConnection) -> RTCSessionDescriptionInit {
        let mut events = pc.events();
        pc.set_local_description(None).await.unwrap();
        loop {
            match events.next().await.unwrap().unwrap() {
                AnyEvent::IceCandidate(None) => break,
                event => self.0.push(format!("{event:?}")),
            }
        }
        pc.local_description().unwrap().into()
    }

    async fn look(&mut self, pc: &RTCPeerConnection) {
        for description in [pc.local_description(), pc.remote_description()].into_iter().flatten() {
            // The origin says nothing: it has 127.0.0.1 wherever the machine is.
            let lines = description.sdp().lines().filter(|line| !line.starts_with("o="));
            self.0.extend(lines.map(str::to_owned));
        }
        let ice = pc.sctp().unwrap().transport().unwrap().ice_transport();
        self.0.push(format!("{:?}", ice.get_local_candidates()));
        self.0.push(format!("{:?}", ice.get_selected_candidate_pair()));
        self.0.push(format!("{:?}", pc.get_stats(None).await.unwrap()));
    }

    #[track_caller]
    fn assert_hides(&self, address: Ipv4Addr) {
        assert!(self.0.len() > 10);
        let address = address.to_string();
        let told: Vec<_> = self.0.iter().filter(|text| text.contains(&address)).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}

/// Connects them. Returns what the application of each was shown, and the name of `a`.
async fn connect(a: &RTCPeerConnection, b: &RTCPeerConnection) -> ([Shown; 2], String) {
    let channel = a.create_data_channel("x", None).unwrap();
    let mut events = a.events();
    let mut shown = [Shown::default(), Shown::default()];
    let offer = shown[0].describe(a).await;
    let sdp = offer.sdp.clone();
    assert!(
        sdp.contains("\r\nm=application 9 ") && sdp.contains("\r\nc=IN IP4 0.0.0.0\r\n"),
        "{sdp}"
    );
    b.set_remote_description(offer).await.unwrap();
    let answer = shown[1].describe(b).await;
    a.set_remote_description(answer).await.unwrap();
    let opened = async {
        while channel.ready_state() != RTCDataChannelState::Open {
            let event = events.next().await.unwrap().unwrap();
            shown[0].0.push(format!("{event:?}"));
        }
    };
    tokio::time::timeout(PATIENCE, opened).await.expect("the channel opens");
    for (shown, pc) in shown.iter_mut().zip([a, b]) {
        shown.look(pc).await;
    }
    (shown, name_in(&sdp))
}

/// The one name that all candidates of a description have.
fn name_in(sdp: &str) -> String {
    let candidates = sdp.lines().filter(|line| line.starts_with("a=candidate:"));
    let mut names: Vec<_> = candidates.map(|line| line.split(' ').nth(4).unwrap()).collect();
    // Over UDP, and two over TCP.
    assert_eq!(names.len(), 3, "{sdp}");
    names.dedup();
    let [name] = names[..] else { panic!("one address has one name: {names:?}") };
    assert!(name.ends_with(".local") && name.len() == 42, "{name}");
    name.to_owned()
}

#[tokio::test]
async fn two_peers_that_hide_connect_and_neither_application_sees_an_address() {
    let [a, b] = [hiding(&[ADDRESS]), hiding(&[ADDRESS])];
    let (shown, name) = connect(&a, &b).await;
    shown.iter().for_each(|shown| shown.assert_hides(ADDRESS));
    assert!(shown[1].0.iter().any(|text| text.contains(&name)));
    let (_, other) = connect(&hiding(&[ADDRESS]), &hiding(&[ADDRESS])).await;
    assert_ne!(name, other, "nobody can tell that it is the same machine");
    let ice = a.sctp().unwrap().transport().unwrap().ice_transport();
    let pair = ice.get_selected_candidate_pair().unwrap();
    assert_eq!(pair.local().address(), Some(name.as_str()));

    // An ICE restart goes by the same name.
    a.restart_ice();
    let mut after = Shown::default();
    let offer = after.describe(&a).await;
    assert_eq!(name_in(&offer.sdp), name);
    after.look(&a).await;
    after.assert_hides(ADDRESS);
}

/// No interface has this address, so there is nowhere to answer for the name. The peer, which hides
/// nothing, is reached all the same.
#[tokio::test]
async fn an_address_stays_hidden_where_nobody_can_resolve_it() {
    const NOWHERE: Ipv4Addr = Ipv4Addr::new(127, 77, 66, 55);
    let a = hiding(&[NOWHERE]);
    let options = TokioOptions::loopback();
    let b = RTCPeerConnection::with_options(RTCConfiguration::default(), options).unwrap();
    let ([shown, _], _) = connect(&a, &b).await;
    shown.assert_hides(NOWHERE);
}

/// Waits for a message that has all of these.
fn hear(socket: &UdpSocket, parts: &[&[u8]]) -> (Vec<u8>, SocketAddr) {
    let (mut buffer, until) = ([0; 2048], Instant::now() + PATIENCE);
    while Instant::now() < until {
        let Ok((length, source)) = socket.recv_from(&mut buffer) else { continue };
        let message = &buffer[..length];
        let has = |part: &&[u8]| message.windows(part.len()).any(|window| window == *part);
        // Responses have the first bit of the third octet.
        if message[2] & 0x80 != 0 && parts.iter().all(has) {
            return (message.to_vec(), source);
        }
    }
    panic!("nobody answers");
}

/// Asks as others do, on the wire: a member of the group, and a resolver that knows no multicast.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_answered_for_until_the_connection_closes_and_then_is_taken_back() {
    let pc = hiding(&[ADDRESS]);
    pc.create_data_channel("x", None).unwrap();
    let name = on_wire(&name_in(&Shown::default().describe(&pc).await.sdp));
    let question = [&[0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], &name[..], &FOR_A].concat();
    let record = |flush: u8, seconds: u8| {
        [&[0, 1, flush, 1, 0, 0, 0, seconds, 0, 4], &ADDRESS.octets()[..]].concat()
    };

    let member = bind().unwrap();
    member.send_to(&question, GROUP).unwrap();
    let (message, source) = hear(&member, &[&name, &record(0x80, 120)]);
    assert_eq!((&message[..2], source), (&[0, 0][..], SocketAddr::from((ADDRESS, 5353))));

    let legacy = UdpSocket::bind((ADDRESS, 0)).unwrap();
    legacy.set_read_timeout(member.read_timeout().unwrap()).unwrap();
    socket2::SockRef::from(&legacy).set_multicast_if_v4(&ADDRESS).unwrap();
    legacy.send_to(&question, GROUP).unwrap();
    let (message, source) = hear(&legacy, &[&name, &record(0, 10)]);
    assert_eq!((&message[..2], source.port()), (&[0x12, 0x34][..], 5353));

    pc.close();
    hear(&member, &[&name, &record(0x80, 0)]);
}
