//! How fast this side sends to a browser over a link that loses one packet in a hundred. CI leaves
//! it out, since a machine with other work says nothing:
//!
//! ```text
//! cargo test --release -p tests --test browsers -- --ignored --nocapture over_a_link
//! ```

use std::time::{Duration, Instant};

use bytes::Bytes;
use peerconnection::{RTCDataChannelInit, RTCSessionDescriptionInit};
use serde_json::json;
use tests::browser::Browser;
use tests::link::{Conditions, Link};

use crate::call::Call;

const MESSAGE: usize = 16 << 10;
/// The sender fills `bufferedAmount` up to this many bytes.
const HIGH: u64 = 2 << 20;
const TIME: Duration = Duration::from_secs(8);
/// Mbit/s of messages. NewReno sends 2 to 3 over such a link, whoever receives.
const TARGET: f64 = 50.0;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and a quiet machine"]
async fn chromium_receives_at_the_rate_of_the_link() {
    receives_at_the_rate_of_the_link(Browser::Chromium).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Firefox and a quiet machine"]
async fn firefox_receives_at_the_rate_of_the_link() {
    receives_at_the_rate_of_the_link(Browser::Firefox).await;
}

async fn receives_at_the_rate_of_the_link(browser: Browser) {
    let link = Link::new(Conditions::new(50.0, 1.0, 100.0, 100.0), 1);
    let call = Call::new(browser).await;
    call.page
        .run(
            r#"
            kept.bytes = 0;
            const channel = pc.createDataChannel("", { negotiated: true, id: 0 });
            channel.binaryType = "arraybuffer";
            channel.onmessage = ({ data }) => { kept.bytes += data.byteLength; };
            "#,
        )
        .await;
    let init = RTCDataChannelInit { negotiated: true, id: Some(0), ..Default::default() };
    let channel = call.rust.create_data_channel("", init).expect("a channel");
    let across = |description: RTCSessionDescriptionInit| {
        let sdp = link.description(&description.sdp).expect("sockets for the link");
        RTCSessionDescriptionInit { sdp, ..description }
    };
    let answer = call.answer_by_page(&across(call.offer().await)).await;
    call.accept(across(answer)).await;
    call.connected().await;
    channel.opened().await.expect("an open channel");

    let message = Bytes::from(vec![7; MESSAGE]);
    let began = Instant::now();
    let mut rates = Vec::new();
    let mut before = 0;
    for part in 1..=2 {
        while began.elapsed() < TIME * part {
            while channel.buffered_amount() < HIGH {
                channel.send(message.clone()).expect("room");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let bytes = call.page.run("return kept.bytes").await.as_u64().expect("a number");
        rates.push((bytes - before) as f64 * 8.0 / 1e6 / TIME.as_secs_f64());
        before = bytes;
    }
    let counts = link.counts();
    println!(
        "{}",
        json!({ "browser": browser.to_string(), "mbit_s": rates, "datagrams": counts.sent,
        "lost": counts.lost, "overflowed": counts.overflowed })
    );
    assert!(counts.lost * 150 > counts.sent, "the link loses packets: {counts:?}");
    assert!(rates.iter().all(|rate| *rate >= TARGET), "{rates:?} Mbit/s, not {TARGET}");
}
