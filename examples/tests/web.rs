//! A page with the program of the native side, in Chromium. `cargo xtask web` makes the page.
#![cfg(unix)]

use std::path::Path;
use std::time::Duration;

use examples::chat_anywhere::{Summary, serve};
use peerconnection::RTCIceCandidateType;
use tests::browser::Browser;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The browser's start included.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
#[ignore = "needs Chromium and the page"]
async fn one_program_chats_with_itself_in_a_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/web");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("it has one"));
    let (chats, mut chatted) = mpsc::unbounded_channel();
    let serving = tokio::spawn(serve(folder, listener, chats));
    let browser = Browser::Chromium.open(&url);
    let chat = tokio::time::timeout(LIMIT, chatted.recv()).await;
    let chat = chat.unwrap_or_else(|_| panic!("no chat within {LIMIT:?}\n{}", browser.output()));
    let chat = chat.unwrap_or_else(|| panic!("the page cannot be served"));
    serving.abort();

    let native = chat.native.unwrap_or_else(|error| panic!("{error}; the page: {}", chat.page));
    let page: Summary = serde_json::from_str(&chat.page)
        .unwrap_or_else(|_| panic!("{}\n{}", chat.page, browser.output()));
    let messages = |hello: &str| [hello, "still here after the restart", "bye"].map(str::to_owned);
    assert_eq!(native.messages, messages("hello from the impolite side"));
    assert_eq!(page.messages, messages("hello from the polite side"));
    for side in [&native, &page] {
        assert!(side.binary && side.restarted, "{side:?}");
        // The greeting, the text after the restart and the octets; the farewell may have come, too.
        assert!(matches!(side.counted, Some(3 | 4)) && side.transports == 1, "{side:?}");
        assert_eq!(side.refusal, "InvalidStateError");
    }
    let (local, remote) = page.path.expect("Chromium shows the pair");
    assert_eq!(local, RTCIceCandidateType::Host);
    assert!(matches!(remote, RTCIceCandidateType::Host | RTCIceCandidateType::Prflx));
}
