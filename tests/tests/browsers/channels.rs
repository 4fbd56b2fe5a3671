//! Messages of two data channels at once: Firefox interleaves them (RFC 8260), Chromium does not.

use peerconnection::{RTCConfiguration, RTCDataChannelInit};
use serde_json::{Value, json};
use tests::browser::Browser;

use crate::call::Call;
use crate::page::Page;

mod chromium {
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Chromium"]
    async fn both_messages_arrive_one_after_the_other() {
        // Its page hears of two channels in either order, whatever came first.
        let [_, here] = super::order(super::Browser::Chromium).await;
        assert_eq!(here, ["long", "short"]);
    }
}

mod firefox {
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs Firefox"]
    async fn a_short_message_passes_a_long_one_in_both_directions() {
        let order = [["short", "long"]; 2];
        assert_eq!(super::order(super::Browser::Firefox).await, order);
    }
}

/// Both sides send a long message on one channel and, at once, a short one on another. Returns the
/// order in which they come at the page, and the order in which they come here.
async fn order(browser: Browser) -> [[&'static str; 2]; 2] {
    const LABELS: [&str; 2] = ["long", "short"];
    let page = Page::open(browser).await;
    page.run(
        r#"
        connect();
        kept.arrived = [];
        for (const [id, label] of ["long", "short"].entries()) {
            const channel = pc.createDataChannel(label, { negotiated: true, id });
            channel.onmessage = ({ data }) => kept.arrived.push([label, data.length]);
            kept[label] = channel;
        }
        "#,
    )
    .await;
    let call = Call::on(page, RTCConfiguration::default());
    let (told, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let channels = [0, 1].map(|id: u16| {
        let init = RTCDataChannelInit { negotiated: true, id: Some(id), ..Default::default() };
        let label = LABELS[usize::from(id)];
        let channel = call.rust.create_data_channel(label, init).expect("a channel");
        let told = told.clone();
        channel.on_message(move |event| {
            let _ = told.send((label, event.data().len()));
        });
        channel
    });
    let offer = call.offer_by_page().await;
    let answer = call.answer(offer).await;
    call.accept_by_page(&answer).await;
    call.connected().await;
    let all = [("long", 250_000), ("short", 5)];
    for channel in &channels {
        channel.opened().await.expect("an open channel");
    }

    channels[0].send("x".repeat(250_000)).expect("room");
    channels[1].send("short").expect("room");
    let there = call
        .page
        .run(
            r#"
            while (kept.arrived.length < 2) await new Promise(resolve => setTimeout(resolve, 10));
            kept.long.send("x".repeat(250_000));
            kept.short.send("short");
            return kept.arrived;
            "#,
        )
        .await;
    let here = [arrivals.recv().await, arrivals.recv().await].map(|told| told.expect("a message"));
    let there: Vec<Value> = there.as_array().expect("a list").clone();
    let there = [0, 1].map(|at| {
        let found = all.iter().find(|(label, length)| there[at] == json!([label, length]));
        *found.expect("one of the two messages")
    });
    assert!(here.iter().all(|one| all.contains(one)), "{here:?}");
    [there, here].map(|both| both.map(|(label, _)| label))
}
