//! Clients that want to do harm. A server stays within its bounds, and others notice nothing.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::*;
use futures::{SinkExt, StreamExt};
use peerconnection::SignalingChannel;
use peerconnection_signalling::{Room, RoomOptions, ServerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// A WebSocket used by hand.
struct Raw(WebSocketStream<TcpStream>);

impl Raw {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self(client_async(format!("ws://{address}/"), stream).await.unwrap().0)
    }

    async fn send(&mut self, text: impl Into<String>) {
        let _ = self.0.send(Message::Text(text.into().into())).await;
    }

    /// The next text; `None` when the connection has ended.
    async fn next(&mut self) -> Option<serde_json::Value> {
        loop {
            match soon("a message", self.0.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).ok(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Joins a room; who it is, and its token.
    async fn join(&mut self, room: &str) -> (String, String) {
        self.send(format!(r#"{{"join":{{"room":"{room}"}}}}"#)).await;
        let joined = self.next().await.expect("an answer");
        let text = |name: &str| joined["joined"][name].as_str().expect("a text").to_owned();
        (text("me"), text("session"))
    }

    /// The refusal that comes next, and the end after it.
    async fn refusal(&mut self) -> String {
        let mut refusal = String::new();
        while let Some(message) = self.next().await {
            if let Some(error) = message["error"].as_str() {
                error.clone_into(&mut refusal);
            }
        }
        refusal
    }
}

#[tokio::test]
async fn what_is_no_message_ends_the_session() {
    let options = ServerOptions::default().largest_message(10_000);
    let (server, address) = serve(options).await;
    let long = format!(r#"{{"n":1,"data":"{}"}}"#, "x".repeat(20_000));
    let deep = "[".repeat(9000);
    for text in ["", "nonsense", "{}", r#"{"n":1}"#, r#"{"ack":1}"#, &long, &deep] {
        let mut client = Raw::connect(address).await;
        client.join("r").await;
        client.send(text).await;
        assert_eq!(client.refusal().await, "malformed", "{}", &text[..text.len().min(20)]);
        let mut client = Raw::connect(address).await;
        client.send(text).await;
        assert_eq!(client.refusal().await, "malformed", "{}", &text[..text.len().min(20)]);
    }
    let mut client = Raw::connect(address).await;
    client.0.send(Message::Binary(vec![0; 100].into())).await.unwrap();
    assert_eq!(client.refusal().await, "malformed");
    assert_eq!(server.statistics().sessions, 0);
}

#[tokio::test]
async fn forged_tokens_open_nothing() {
    let (server, address) = serve(ServerOptions::default()).await;
    let mut victim = Raw::connect(address).await;
    let (me, token) = victim.join("r").await;
    for forged in [
        format!("{me}-{}", "0".repeat(32)),
        format!("{}-{}", "0".repeat(16), &token[17..]),
        token[..token.len() - 1].to_owned(),
        me.clone(),
        String::new(),
    ] {
        let mut thief = Raw::connect(address).await;
        thief.send(format!(r#"{{"resume":{{"session":"{forged}","received":0}}}}"#)).await;
        let refusal = thief.refusal().await;
        assert!(["unknownSession", "malformed"].contains(&&*refusal), "{forged}: {refusal}");
    }
    assert_eq!(server.statistics().connected, 1, "the victim has noticed nothing");
    // The real one takes over, and the connection before it is told.
    let mut again = Raw::connect(address).await;
    again.send(format!(r#"{{"resume":{{"session":"{token}","received":0}}}}"#)).await;
    assert_eq!(again.next().await.unwrap()["resumed"]["received"], 0);
    assert_eq!(victim.refusal().await, "replaced");
}

#[tokio::test]
async fn who_says_nothing_or_never_ends_is_cut() {
    let options = ServerOptions::default().patience(Duration::from_millis(300)).connections(20);
    let (_server, address) = serve(options).await;
    let mut silent = Vec::new();
    for request in ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    // A WebSocket without a first message.
    let mut idle = Raw::connect(address).await;
    for stream in &mut silent {
        let mut rest = Vec::new();
        let _ = soon("the end", stream.read_to_end(&mut rest)).await;
    }
    assert_eq!(idle.next().await, None);

    // A request that does not end.
    let mut endless = TcpStream::connect(address).await.unwrap();
    let _ = endless.write_all(b"GET / HTTP/1.1\r\n").await;
    let mut octets = 0;
    soon("the end", async {
        let line = format!("x: {}\r\n", "x".repeat(1000));
        while octets < 100_000_000 && endless.write_all(line.as_bytes()).await.is_ok() {
            octets += line.len();
        }
    })
    .await;
    assert!(octets < 100_000_000, "it was read for ever");
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_cut_and_its_session_ends() {
    let options = ServerOptions::default()
        .heartbeat(Duration::from_millis(200))
        .resume_within(Duration::from_secs(1));
    let (server, address) = serve(options).await;
    let url = format!("ws://{address}");
    let mut other = soon("joining", Room::join(&url, "r", RoomOptions::default())).await.unwrap();
    let mut dead = Raw::connect(address).await;
    dead.join("r").await;
    // Nobody reads the WebSocket, so nothing answers its pings.
    let mut of_dead = soon("the client", other.next_peer()).await.unwrap();
    assert_eq!(soon("the end", of_dead.receive()).await.unwrap(), None);
    assert_eq!(server.statistics().sessions, 1);
}

#[tokio::test]
async fn a_flood_is_read_at_the_rate_that_is_allowed() {
    let options = ServerOptions::default().rate(100.0, 10.0).waiting(100, 1 << 20);
    let (server, address) = serve(options).await;
    let url = format!("ws://{address}");
    let mut victim = soon("joining", Room::join(&url, "r", RoomOptions::default())).await.unwrap();
    let mut flooder = Raw::connect(address).await;
    flooder.join("r").await;
    let mut peer = soon("the flooder", victim.next_peer()).await.unwrap();
    let to = victim.me();
    let started = tokio::time::Instant::now();
    let flood = tokio::spawn(async move {
        for number in 1..200 {
            let data = format!(r#"{{"candidate":{{"candidate":"{number}"}}}}"#);
            flooder.send(format!(r#"{{"n":{number},"to":"{to}","data":{data}}}"#)).await;
        }
        flooder
    });
    for number in 1..200 {
        let message = soon("a message", peer.receive()).await.unwrap().expect("it is there");
        assert_eq!(number_of(&message), number);
    }
    // 199 messages, 11 of them (with the first) at once.
    let took = started.elapsed();
    assert!(took > Duration::from_millis(1700), "{took:?}");
    assert_eq!(server.statistics().sessions, 2);
    drop(flood);
}

#[tokio::test]
async fn pages_of_other_origins_are_kept_out() {
    let (_server, address) = serve(ServerOptions::default()).await;
    for (origin, allowed) in [
        (format!("http://{address}"), true),
        ("http://evil.example".to_owned(), false),
        ("null".to_owned(), false),
    ] {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut request = format!("ws://{address}/").into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        assert_eq!(client_async(request, stream).await.is_ok(), allowed, "{origin}");
    }
}
