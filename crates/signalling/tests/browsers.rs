//! A real browser on the page of the example `server`, and a member of the same room in Rust:
//! `cargo test -p peerconnection-signalling --test browsers -- --ignored [firefox]`.
#![cfg(unix)]

use std::time::Duration;

use peerconnection::{PerfectNegotiation, RTCConfiguration, RTCDataChannelInit, RTCPeerConnection};
use peerconnection_signalling::{Room, RoomOptions, Server};
use tests::browser::Browser;
use tests::in_each_browser;
use tokio::net::TcpListener;

#[allow(dead_code, reason = "its main function is not for here")]
#[path = "../examples/server.rs"]
mod server;

in_each_browser! {
    the_page_speaks_the_protocol,
}

/// How long it may take, the browser's start included.
const LIMIT: Duration = Duration::from_secs(50);

async fn the_page_speaks_the_protocol(browser: Browser) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("the address of the server");
    tokio::spawn(server::serve(listener, Server::default()));

    // Who comes second offers; in Rust who comes first does, too.
    for is_page_first in [true, false] {
        let name = format!("#{is_page_first}");
        let page = format!("http://{address}/{name}");
        let running = is_page_first.then(|| browser.open(&page));
        let url = format!("ws://{address}/");
        let call = async {
            let mut room = Room::join(&url, &name, RoomOptions::default()).await.expect("a room");
            let running = running.unwrap_or_else(|| browser.open(&page));
            let peer = room.next_peer().await.expect("the page");
            let pc = RTCPeerConnection::new(RTCConfiguration::default()).expect("a connection");
            let same = RTCDataChannelInit { negotiated: true, id: Some(0), ..Default::default() };
            let channel = pc.create_data_channel("chat", Some(same)).expect("a channel");
            tokio::spawn(PerfectNegotiation::new(&pc, peer.is_polite()).run(peer));
            let mut messages = channel.messages();
            let heard = messages.next().await.expect("a word of the page");
            assert_eq!(heard.as_str(), Some("hello"));
            pc.close();
            drop(running);
        };
        tokio::time::timeout(LIMIT, call).await.expect("the page answers in time");
    }
}
