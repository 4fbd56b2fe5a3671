//! The examples about servers, with Debian's coturn on loopback, over UDP, TCP and TLS.
//!
//! `cargo test -p examples --test coturn -- --ignored`, with `turnserver` and `openssl` on the path.

use std::sync::Arc;
use std::time::{Duration, Instant};

use examples::RealStage;
use examples::samples::{Report as _, Transcript, relay_only, trickle_ice};
use peerconnection::TokioOptions;
use peerconnection::{
    RTCConfiguration, RTCIceCandidateType, RTCIceServer, RTCIceServerTransportProtocol,
    RTCIceTransportPolicy, RTCPeerConnection,
};
use tests::coturn::{Coturn, PASSWORD, USER, WAYS, Way};

/// Far beyond what anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn protocol(way: Way) -> RTCIceServerTransportProtocol {
    match way {
        Way::Udp => RTCIceServerTransportProtocol::Udp,
        Way::Tcp => RTCIceServerTransportProtocol::Tcp,
        Way::Tls => RTCIceServerTransportProtocol::Tls,
    }
}

/// A connection that knows these URLs of coturn, with one password for all.
fn connection(
    coturn: &Coturn,
    urls: Vec<String>,
    password: &str,
    policy: RTCIceTransportPolicy,
) -> RTCPeerConnection {
    let authority = std::fs::read(coturn.authority()).unwrap();
    let server = RTCIceServer {
        urls,
        username: Some(USER.to_owned()),
        credential: Some(password.to_owned()),
    };
    let configuration = RTCConfiguration {
        ice_servers: vec![server],
        ice_transport_policy: policy,
        ..Default::default()
    };
    let options = TokioOptions::loopback().with_authorities(&authority).unwrap();
    RTCPeerConnection::with_options(configuration, options).unwrap()
}

async fn gathered(pc: RTCPeerConnection) -> trickle_ice::Report {
    let gathering = trickle_ice::run(pc, Instant::now, |line| println!("{line}"));
    tokio::time::timeout(PATIENCE, gathering).await.expect("gathered").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn trickle_ice_shows_a_relay_of_each_kind_and_what_each_is_worth() {
    let coturn = Coturn::new(&[]);
    let urls = WAYS.map(|way| coturn.url(way)).to_vec();
    let all = RTCIceTransportPolicy::All;
    let report = gathered(connection(&coturn, urls, PASSWORD, all)).await;
    assert!(report.is_success(), "{report:?}");
    let host = &report.candidates[0];
    assert_eq!(host.type_, Some(RTCIceCandidateType::Host));
    assert_eq!(host.priority.unwrap().type_preference, 126);
    // Nothing is in between: the server sees the host candidate, which is there already.
    let is_host = |found: &&trickle_ice::Found| found.type_ == Some(RTCIceCandidateType::Host);
    let hosts = report.candidates.iter().filter(is_host).count();
    assert_eq!(report.candidates.len(), hosts + WAYS.len(), "{report:?}");
    for (way, preference) in WAYS.into_iter().zip([3, 1, 0]) {
        let is_it = |found: &&trickle_ice::Found| found.url == Some(coturn.url(way));
        let found = report.candidates.iter().find(is_it).unwrap();
        assert_eq!(found.type_, Some(RTCIceCandidateType::Relay));
        assert_eq!(found.relay_protocol, Some(protocol(way)));
        assert_eq!(found.priority.unwrap().type_preference, preference);
        assert!(found.seconds <= report.done);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn trickle_ice_shows_why_a_server_gives_nothing() {
    let coturn = Coturn::new(&[]);
    for way in WAYS {
        let relay = RTCIceTransportPolicy::Relay;
        let report = gathered(connection(&coturn, vec![coturn.url(way)], "wrong", relay)).await;
        assert!(!report.is_success());
        assert_eq!(report.servers[0].errors, [401]);
        let told = report.to_string();
        let line = format!("{}: 401 Unauthorized (address and port null)", coturn.url(way));
        assert!(told.lines().any(|told| told == line), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn"]
async fn peers_talk_through_coturn_alone_and_show_no_other_address() {
    for way in WAYS {
        let coturn = Coturn::new(&["--allow-loopback-peers"]);
        let relay = RTCIceTransportPolicy::Relay;
        let pair = [(); 2].map(|()| connection(&coturn, vec![coturn.url(way)], PASSWORD, relay));
        let transcript = Transcript::new(|line| println!("{line:?}"));
        let measured = Duration::from_millis(500);
        let call = relay_only::run(pair, measured, Arc::new(RealStage::default()), transcript);
        let report = tokio::time::timeout(PATIENCE, call).await.expect("a call").unwrap();
        println!("{way:?}\n{report}");
        assert!(report.is_success(), "{report:?}");
        for end in [&report.pc1, &report.pc2] {
            let [local, _] = end.pair.as_ref().unwrap();
            assert_eq!(local.url, Some(coturn.url(way)));
            assert_eq!(local.relay_protocol, Some(protocol(way)));
        }
    }
}
