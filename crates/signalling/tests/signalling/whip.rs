//! WHIP and WHEP over HTTP: two connections, and requests by hand as another stack writes them.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::*;
use peerconnection::{
    PerfectNegotiation, RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSdpType,
    RTCSessionDescriptionInit, SignalingChannel, SignalingMessage,
};
use peerconnection_signalling::{
    WhipClient, WhipClientOptions, WhipServer, WhipServerOptions, WhipSessions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn whip_server(options: WhipServerOptions) -> (WhipSessions, SocketAddr) {
    let (server, sessions) = WhipServer::new(options);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener));
    (sessions, address)
}

fn bundled() -> RTCPeerConnection {
    let configuration =
        RTCConfiguration { bundle_policy: RTCBundlePolicy::MaxBundle, ..Default::default() };
    RTCPeerConnection::new(configuration).unwrap()
}

fn ufrag(sdp: &str) -> String {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap().to_owned()
}

#[tokio::test]
async fn two_connections_negotiate_restart_and_end() {
    let (mut sessions, address) = whip_server(WhipServerOptions::default()).await;
    let url = format!("http://{address}/whip/studio");
    let client = bundled();
    let channel = client.create_data_channel("chat", None).unwrap();
    let signaling = WhipClient::new(&url, WhipClientOptions::default()).unwrap();
    let negotiated = tokio::spawn(PerfectNegotiation::new(&client, false).run(signaling));

    let session = soon("the session", sessions.next()).await.unwrap();
    assert_eq!(session.path(), "/whip/studio");
    let server = bundled();
    let at_server = arriving(&server);
    let serving = tokio::spawn(PerfectNegotiation::new(&server, true).run(session));
    opened(&channel).await;
    assert_eq!(at_server.await.label(), "chat");
    let answer = client.current_remote_description().unwrap();
    assert!(answer.sdp().contains("a=candidate:"), "the answer has all candidates");
    assert!(answer.sdp().contains("a=end-of-candidates"));

    let before = (ufrag(client.local_description().unwrap().sdp()), ufrag(answer.sdp()));
    let mut events = client.events();
    client.restart_ice();
    soon("the restart", async {
        loop {
            let (local, remote) =
                (client.current_local_description(), client.current_remote_description());
            let (local, remote) = (ufrag(local.unwrap().sdp()), ufrag(remote.unwrap().sdp()));
            if local != before.0 && remote != before.1 {
                break;
            }
            events.next().await;
        }
    })
    .await;
    let new = ufrag(client.current_local_description().unwrap().sdp());
    assert_eq!(ufrag(server.current_remote_description().unwrap().sdp()), new);
    assert!(channel.send("still there").is_ok());

    // The end of the client's connection is that of the session.
    client.close();
    soon("the client's end", negotiated).await.unwrap().unwrap();
    soon("the server's end", serving).await.unwrap().unwrap();
    server.close();
}

#[tokio::test]
async fn what_is_no_restart_is_refused_by_the_client_itself() {
    let (mut sessions, address) = whip_server(WhipServerOptions::default()).await;
    let client = bundled();
    let channel = client.create_data_channel("chat", None).unwrap();
    let url = format!("http://{address}/whip");
    let signaling = WhipClient::new(&url, WhipClientOptions::default()).unwrap();
    let negotiated = tokio::spawn(PerfectNegotiation::new(&client, false).run(signaling));
    let session = soon("the session", sessions.next()).await.unwrap();
    let server = bundled();
    tokio::spawn(PerfectNegotiation::new(&server, true).run(session));
    opened(&channel).await;
    client.add_transceiver(peerconnection::MediaKind::Audio, None).unwrap();
    let error = soon("the error", negotiated).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    client.close();
    server.close();
}

#[tokio::test]
async fn a_token_opens_the_door() {
    let options = WhipServerOptions::default().authorize(|request| request.token == Some("secret"));
    let (mut sessions, address) = whip_server(options).await;
    let url = format!("http://{address}/whip");
    let offer = SignalingMessage::Description(RTCSessionDescriptionInit {
        type_: RTCSdpType::Offer,
        sdp: OFFER.to_owned(),
    });
    let mut stranger = WhipClient::new(&url, WhipClientOptions::default()).unwrap();
    let error = soon("the refusal", stranger.send(offer.clone())).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    let options = WhipClientOptions::default().token("secret").unwrap();
    let mut friend = WhipClient::new(&url, options).unwrap();
    let asking = tokio::spawn(async move {
        friend.send(offer).await.unwrap();
        friend
    });
    let mut session = soon("the session", sessions.next()).await.unwrap();
    answer(&mut session).await;
    let mut friend = soon("the answer", asking).await.unwrap();
    let received = soon("the answer", friend.receive()).await.unwrap().unwrap();
    let SignalingMessage::Description(description) = received else { panic!("{received:?}") };
    assert_eq!(description.type_, RTCSdpType::Answer);
    soon("the end", friend.close()).await.unwrap();
    assert_eq!(soon("the end", session.receive()).await.unwrap(), None);
}

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
    a=ice-ufrag:aaaa\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\na=setup:actpass\r\na=sctp-port:5000\r\n";

/// Takes an offer and answers it, without a connection.
async fn answer(session: &mut peerconnection_signalling::WhipSession) {
    let offer = soon("the offer", session.receive()).await.unwrap().unwrap();
    let SignalingMessage::Description(offer) = offer else { panic!("{offer:?}") };
    assert_eq!(offer.type_, RTCSdpType::Offer);
    let sdp = offer.sdp.replace("actpass", "active").replace("aaaa", "bbbb");
    let answer = RTCSessionDescriptionInit { type_: RTCSdpType::Answer, sdp };
    session.send(SignalingMessage::Description(answer)).await.unwrap();
    session.send(SignalingMessage::Candidate(None)).await.unwrap();
}

/// A request by hand: status, head, body.
async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in fields {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("Content-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let mut reply = Vec::new();
    let _ = soon("the reply", stream.read_to_end(&mut reply)).await;
    let reply = String::from_utf8(reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").expect("a reply");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

fn field(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

const SDP: (&str, &str) = ("Content-Type", "application/sdp");
const FRAGMENT: (&str, &str) = ("Content-Type", "application/trickle-ice-sdpfrag");

#[tokio::test]
async fn the_server_answers_as_rfc_9725_says() {
    let (mut sessions, address) = whip_server(WhipServerOptions::default().sessions(1)).await;
    let taking = tokio::spawn(async move {
        let mut session = sessions.next().await.unwrap();
        answer(&mut session).await;
        (session, sessions)
    });
    let (status, head, body) = request(address, "POST", "/whip/studio", &[SDP], OFFER).await;
    let (mut session, sessions) = soon("the session", taking).await.unwrap();
    assert_eq!(status, 201, "{head}");
    assert_eq!(field(&head, "content-type").as_deref(), Some("application/sdp"));
    assert!(body.contains("a=ice-ufrag:bbbb") && body.contains("a=end-of-candidates"), "{body}");
    let url = field(&head, "location").unwrap();
    assert!(url.starts_with("/whip/studio/"), "{url}");
    let tag = field(&head, "etag").unwrap();
    assert_eq!(field(&head, "accept-patch").as_deref(), Some(FRAGMENT.1));

    // Candidates of the client.
    let fragment = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=ice-ufrag:aaaa\r\n\
        a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\n\
        a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n";
    let patch = |tag: String, text: String, media_type: (&'static str, &'static str)| {
        let url = url.clone();
        async move {
            let fields = [media_type, ("If-Match", tag.as_str())];
            request(address, "PATCH", &url, &fields, &text).await
        }
    };
    assert_eq!(patch(tag.clone(), fragment.into(), FRAGMENT).await.0, 204);
    let received = soon("a candidate", session.receive()).await.unwrap();
    let Some(SignalingMessage::Candidate(Some(candidate))) = received else {
        panic!("{received:?}")
    };
    assert_eq!(candidate.candidate, "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host");
    assert_eq!(candidate.sdp_mid.as_deref(), Some("0"));
    let end = soon("the end of candidates", session.receive()).await.unwrap();
    assert_eq!(end, Some(SignalingMessage::Candidate(None)));

    // What is refused.
    let fields = [FRAGMENT];
    assert_eq!(request(address, "PATCH", &url, &fields, fragment).await.0, 428);
    assert_eq!(patch("\"old\"".into(), fragment.into(), FRAGMENT).await.0, 412);
    assert_eq!(patch(tag.clone(), "nonsense".into(), FRAGMENT).await.0, 400);
    assert_eq!(patch(tag.clone(), fragment.into(), SDP).await.0, 415);
    let restart = fragment.replace("aaaa", "cccc");
    assert_eq!(patch(tag.clone(), restart.clone(), FRAGMENT).await.0, 422);
    for method in ["GET", "HEAD", "PUT", "POST"] {
        assert_eq!(request(address, method, &url, &[SDP], "").await.0, 405, "{method}");
        if method != "POST" {
            assert_eq!(
                request(address, method, "/whip/studio", &[SDP], "").await.0,
                405,
                "{method}"
            );
        }
    }
    assert_eq!(request(address, "POST", "/whip", &[FRAGMENT], OFFER).await.0, 415);
    assert_eq!(request(address, "POST", "/whip", &[SDP], "nonsense").await.0, 400);
    assert_eq!(request(address, "POST", "/whip", &[SDP], &"x".repeat(300_000)).await.0, 413);
    let (status, head, _) = request(address, "POST", "/whip", &[SDP], OFFER).await;
    assert_eq!((status, field(&head, "retry-after").as_deref()), (503, Some("1")), "one session");
    assert_eq!(request(address, "PATCH", "/whip/x", &[FRAGMENT], "").await.0, 404);
    let (status, head, _) = request(address, "OPTIONS", "/whip", &[], "").await;
    assert_eq!((status, field(&head, "accept-post").as_deref()), (204, Some("application/sdp")));
    assert_eq!(field(&head, "access-control-allow-origin"), None);

    // A restart.
    let answering = tokio::spawn(async move {
        answer(&mut session).await;
        session
    });
    let (status, head, body) = patch("*".into(), restart, FRAGMENT).await;
    let mut session = soon("the restart", answering).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(field(&head, "content-type").as_deref(), Some(FRAGMENT.1));
    assert!(body.contains("a=ice-ufrag:cccc"), "the peer of this test answers with it: {body}");
    assert!(!body.contains("v=0"), "{body}");
    let new = field(&head, "etag").unwrap();
    assert_ne!(new, tag);
    assert_eq!(patch(tag, fragment.into(), FRAGMENT).await.0, 412, "it is of the time before");

    assert_eq!(request(address, "DELETE", &url, &[], "").await.0, 200);
    assert_eq!(request(address, "DELETE", &url, &[], "").await.0, 404);
    assert_eq!(soon("the end", session.receive()).await.unwrap(), None);
    drop(sessions);
}

#[tokio::test]
async fn an_application_that_does_not_answer_costs_the_client_no_more_than_its_patience() {
    let options = WhipServerOptions::default().patience(Duration::from_millis(300));
    let (mut sessions, address) = whip_server(options).await;
    let keeping = tokio::spawn(async move {
        // The first is let go, the second is kept and never answered.
        drop(sessions.next().await);
        let kept = sessions.next().await;
        std::future::pending::<()>().await;
        drop(kept);
    });
    for _ in 0..2 {
        assert_eq!(request(address, "POST", "/whip", &[SDP], OFFER).await.0, 406);
    }
    keeping.abort();
}

/// What a client sees when its server is another one: it trickles, or does not, and redirects.
#[tokio::test]
async fn a_client_follows_redirections_and_does_without_trickling() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = OFFER.replace("actpass", "active").replace("aaaa", "bbbb");
    let serving = tokio::spawn(async move {
        let mut seen = Vec::new();
        let replies = [
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: /there\r\nContent-Length: 0\r\n"
                .to_owned(),
            format!(
                "HTTP/1.1 201 Created\r\nLocation: session/1\r\nETag: \"x\"\r\nContent-Length: {}\r\n\
                 Content-Type: application/sdp\r\n",
                answer.len()
            ),
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n".to_owned(),
        ];
        for reply in replies {
            // One connection for each: the client has to do without keep-alive.
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut octets = vec![0; 65536];
            let length = stream.read(&mut octets).await.unwrap();
            let line =
                String::from_utf8_lossy(&octets[..length]).lines().next().unwrap().to_owned();
            seen.push(line);
            let body = if reply.contains("201") { &*answer } else { "" };
            let text = format!("{reply}Connection: close\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).await.unwrap();
        }
        seen
    });
    let url = format!("http://{address}/here/whip");
    let mut client = WhipClient::new(&url, WhipClientOptions::default()).unwrap();
    let init = RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp: OFFER.to_owned() };
    soon("the answer", client.send(SignalingMessage::Description(init))).await.unwrap();
    soon("a candidate", client.send(numbered(1))).await.unwrap();
    soon("another", client.send(numbered(2))).await.unwrap();
    soon("the end", client.close()).await.unwrap();
    let seen = soon("the server", serving).await.unwrap();
    assert_eq!(
        seen,
        [
            "POST /here/whip HTTP/1.1",
            "POST /there HTTP/1.1",
            "PATCH /session/1 HTTP/1.1",
            "DELETE /session/1 HTTP/1.1",
        ]
    );
}

/// A client that outlives its runtime's end finds nobody who would tell the server.
#[test]
fn the_end_of_the_runtime_ends_a_client_that_has_a_session() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut sessions, address) = whip_server(WhipServerOptions::default()).await;
        let url = format!("http://{address}/whip");
        let mut client = WhipClient::new(&url, WhipClientOptions::default()).unwrap();
        let init = RTCSessionDescriptionInit { type_: RTCSdpType::Offer, sdp: OFFER.to_owned() };
        let offering = tokio::spawn(async move {
            client.send(SignalingMessage::Description(init)).await.unwrap();
            client
        });
        let mut session = soon("the session", sessions.next()).await.unwrap();
        answer(&mut session).await;
        let client = soon("the answer", offering).await.unwrap();
        tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(client);
        });
        tokio::task::yield_now().await;
    });
    drop(runtime);
}
