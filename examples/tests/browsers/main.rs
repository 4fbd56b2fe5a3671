//! A real browser on the page of the example `browser`: Chromium and Firefox, without a window.
//!
//! ```text
//! cargo test -p examples --test browsers -- --ignored [firefox]
//! ```
//!
//! Each test here is half of a scenario, in one of the browsers; `examples/browser/autotest.js` has
//! the page's half, under the name given to [`scenario`]. The pages of other examples are in `pages`
//! and `recording`. Browsers are run with a shell, so the tests run only where there is one.
#![cfg(unix)]

mod example;
mod frames;
mod pages;
mod recording;
mod scenario;

use std::time::Duration;

use bytes::Bytes;
use peerconnection::{
    AnyEvent, MaxMessageSize, MessageData, RTCDataChannel, RTCDataChannelState, RTCDtlsTransport,
    RTCDtlsTransportState, RTCPeerConnection, RTCPeerConnectionState, RTCSignalingState,
};
use tests::browser::Browser;
use tests::in_each_browser;
use tokio::time::MissedTickBehavior;

use scenario::{RustHalf, scenario};

in_each_browser! {
    strings_and_octets_of_every_size_arrive_both_ways,
    files_arrive_whole_both_ways_at_once,
    nothing_is_lost_when_the_browser_restarts_ice,
    nothing_is_lost_when_rust_restarts_ice,
    a_close_by_the_browser_is_seen_here,
    a_close_by_rust_is_seen_by_the_browser,
}

async fn strings_and_octets_of_every_size_arrive_both_ways(browser: Browser) {
    let report = scenario(browser, "data", async |rust| {
        let channel = rust.channel("test").await;
        let mut messages = channel.messages();
        for message in samples("rust") {
            channel.send(message).expect("the channel is open");
        }
        for expected in samples("page") {
            let message = messages.next().await.expect("a message before the end");
            assert!(
                message == expected,
                "expected {}, got {}",
                outline(&expected),
                outline(&message)
            );
        }
        let sctp = rust.connection.sctp().expect("there is a channel");
        let taken = MaxMessageSize::Bytes(max_message_size_in(rust).min(SEND_BUFFER));
        assert_eq!(sctp.max_message_size(), Some(taken), "what the browser takes");
    })
    .await;
    assert_eq!(report["maxMessageSize"], 262_144, "what this side takes");
}

async fn files_arrive_whole_both_ways_at_once(browser: Browser) {
    let report = scenario(browser, "files", async |rust| {
        let file = rust.files.recv().await.expect("a file");
        assert_eq!(file.name, "from-page.bin");
        assert_eq!(file.content.len(), 3_000_001);
        assert!(file.content == pattern(3_000_001, 5), "what came is not what the page sent");
    })
    .await;
    // The page has compared every line.
    assert_eq!(report["name"], "from-rust.txt");
    let size = report["size"].as_u64().expect("a size");
    assert!((8_388_000..=8_388_608).contains(&size), "{size} bytes are not about 8 MiB");
}

async fn nothing_is_lost_when_the_browser_restarts_ice(browser: Browser) {
    let report = scenario(browser, "restart-by-page", async |rust| {
        numbers_flow_through_a_restart(rust, |_| {}).await;
    })
    .await;
    println!("longest gap at the page: {} ms", report["longestGap"]);
}

async fn nothing_is_lost_when_rust_restarts_ice(browser: Browser) {
    let report = scenario(browser, "restart-by-rust", async |rust| {
        numbers_flow_through_a_restart(rust, RTCPeerConnection::restart_ice).await;
    })
    .await;
    println!("longest gap at the page: {} ms", report["longestGap"]);
}

async fn a_close_by_the_browser_is_seen_here(browser: Browser) {
    let report = scenario(browser, "close-by-page", async |rust| {
        let chat = rust.channel("chat").await;
        chat.send("close now").expect("the channel is open");
        // The example closes its connection when the chat is closed.
        rust.closed().await;
        assert_eq!(chat.ready_state(), RTCDataChannelState::Closed);
        assert_eq!(rust.connection.connection_state(), RTCPeerConnectionState::Closed);
        let told = rust.seen.iter().any(|event| {
            matches!(event, AnyEvent::DataChannelStateChange(channel, RTCDataChannelState::Closed)
                if *channel == chat)
        });
        assert!(told, "the chat did not fire close: {:?}", rust.seen);
    })
    .await;
    assert_eq!(report["connectionState"], "closed");
}

async fn a_close_by_rust_is_seen_by_the_browser(browser: Browser) {
    let report = scenario(browser, "close-by-rust", async |rust| {
        let chat = rust.channel("chat").await;
        rust.channel("ready").await;
        rust.connection.close();
        assert_eq!(chat.ready_state(), RTCDataChannelState::Closed);
        assert_eq!(rust.connection.signaling_state(), RTCSignalingState::Closed);
    })
    .await;
    assert_eq!(report["chat"], "closed");
    assert_eq!(report["connectionState"], "closed");
}

/// Messages each side sends in the restart scenarios, 200 a second.
const NUMBERS: usize = 1000;
/// The time between two messages.
const INTERVAL: Duration = Duration::from_millis(5);
/// After how many messages the restart is asked.
const RESTART_AT: usize = 300;

/// The Rust half of both restart scenarios: numbers flow both ways, and `restart` is called among
/// them. No number may be lost, doubled or reordered, and DTLS must not notice.
async fn numbers_flow_through_a_restart(
    rust: &mut RustHalf,
    restart: impl FnOnce(&RTCPeerConnection),
) {
    let channel = rust.channel("numbers").await;
    let before = Snapshot::of(&rust.connection);
    rust.catch_up();
    rust.seen.clear();

    let mut restart = Some(restart);
    let receive = async {
        let mut messages = channel.messages();
        for expected in 0..NUMBERS {
            let message = messages.next().await.expect("a number before the end");
            assert_eq!(message.as_str(), Some(expected.to_string().as_str()));
            if expected == RESTART_AT
                && let Some(restart) = restart.take()
            {
                restart(&rust.connection);
            }
        }
    };
    tokio::join!(send_numbers(&channel), receive);

    let after = Snapshot::of(&rust.connection);
    assert_ne!(after.local_ufrag, before.local_ufrag, "this side's ufrag");
    assert_ne!(after.remote_ufrag, before.remote_ufrag, "the page's ufrag");
    assert_eq!(rust.connection.signaling_state(), RTCSignalingState::Stable);
    assert!(after.dtls == before.dtls, "the DTLS transport is another");
    assert_eq!(after.dtls.state(), RTCDtlsTransportState::Connected);
    assert!(!before.certificates.is_empty());
    assert_eq!(after.certificates, before.certificates, "the page's certificate");

    rust.catch_up();
    let dtls_changed =
        rust.seen.iter().any(|event| matches!(event, AnyEvent::DtlsTransportStateChange(..)));
    assert!(!dtls_changed, "DTLS has noticed the restart: {:?}", rust.seen);
    let pair_changed =
        rust.seen.iter().any(|event| matches!(event, AnyEvent::SelectedCandidatePairChange(..)));
    assert!(pair_changed, "no pair was selected after the restart: {:?}", rust.seen);
}

async fn send_numbers(channel: &RTCDataChannel) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..NUMBERS {
        interval.tick().await;
        channel.send(number.to_string()).expect("the channel is open");
    }
}

/// Values that a restart changes, and values that it must not change.
struct Snapshot {
    local_ufrag: Option<String>,
    remote_ufrag: Option<String>,
    dtls: RTCDtlsTransport,
    certificates: Vec<Bytes>,
}

impl Snapshot {
    fn of(pc: &RTCPeerConnection) -> Self {
        let dtls = pc.sctp().and_then(|sctp| sctp.transport()).expect("a DTLS transport");
        let ice = dtls.ice_transport();
        Self {
            local_ufrag: ice.get_local_parameters().and_then(|p| p.username_fragment),
            remote_ufrag: ice.get_remote_parameters().and_then(|p| p.username_fragment),
            certificates: dtls.get_remote_certificates(),
            dtls,
        }
    }
}

/// The most that this side can queue, and thus send at once, in bytes.
const SEND_BUFFER: u64 = 16_777_216;

/// The `a=max-message-size` of the page's description.
fn max_message_size_in(rust: &RustHalf) -> u64 {
    let description = rust.connection.remote_description().expect("there is one");
    let mut lines = description.sdp().lines();
    let size = lines.find_map(|line| line.strip_prefix("a=max-message-size:"));
    size.expect("browsers say what they take").trim().parse().expect("a number")
}

/// The messages of each side in the scenario `data`, as in `autotest.js`.
fn samples(side: &str) -> Vec<MessageData> {
    let seed = if side == "page" { 1 } else { 2 };
    vec![
        "".into(),
        format!("hello from {side}").into(),
        "Grüße, 世界 🎉".into(),
        Bytes::new().into(),
        pattern(1, seed).into(),
        pattern(1200, seed).into(),
        pattern(65_536, seed).into(),
        pattern(262_144, seed).into(),
        side.repeat(65_536).into(),
        "end".into(),
    ]
}

/// Octets with a long period, as in `autotest.js`.
fn pattern(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

fn outline(message: &MessageData) -> String {
    match message {
        MessageData::String(text) => {
            format!("text of {}: {}", text.len(), text.chars().take(40).collect::<String>())
        }
        MessageData::Binary(octets) => format!("{} octets", octets.len()),
    }
}
