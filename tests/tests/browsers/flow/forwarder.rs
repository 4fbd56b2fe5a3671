//! What one page sends, others get.

use peerconnection::{MediaStreamTrack, RTCRtpHeaderExtensionParameters};
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use super::watch::Watch;
use crate::call::Call;

in_each_browser! {
    pages_get_what_another_one_sends_and_late_ones_soon,
}

async fn pages_get_what_another_one_sends_and_late_ones_soon(browser: Browser) {
    forward(browser, browser).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and Firefox"]
async fn firefox_gets_what_chromium_sends() {
    forward(Browser::Chromium, Browser::Firefox).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and Firefox"]
async fn chromium_gets_what_firefox_sends() {
    forward(Browser::Firefox, Browser::Chromium).await;
}

async fn forward(from: Browser, to: Browser) {
    let sender = Call::new(from).await;
    let add = "
        kept.painting = new Painting('red');
        pc.addTrack(kept.painting.track);
        pc.addTrack(await tone());
    ";
    sender.page.run(add).await;
    sender.page_offers().await;
    sender.connected().await;
    let tracks: Vec<_> =
        sender.rust.get_receivers().iter().map(|receiver| receiver.track()).collect();
    let video = Watch::of(&tracks[0]);
    video.flow().await;

    // Numbers of payload types and extensions are each connection's own.
    let viewer = view(to, &tracks).await;
    viewer.page.run("return shows(received('0'), 'red')").await;
    let ids = |extensions: Vec<RTCRtpHeaderExtensionParameters>| {
        let mut ids: Vec<_> = extensions.iter().map(|e| (e.uri.clone(), e.id)).collect();
        ids.sort();
        ids
    };
    let here = sender.transceiver("0").receiver().get_parameters();
    let there = viewer.transceiver("0").sender().get_parameters().parameters;
    assert_ne!(ids(here.header_extensions), ids(there.header_extensions));
    viewer.page.run("return sounds(received('1'), 440)").await;

    // Whoever comes later cannot wait for a key frame that comes by itself.
    let before = video.key_frames();
    let late = view(to, &tracks).await;
    late.page.run("return shows(received('0'), 'red')").await;
    assert!(video.key_frames() > before, "{before}, then {:#?}", video.streams());
    for colour in ["lime", "blue"] {
        sender.page.run_with("kept.painting.colour = args", json!(colour)).await;
        viewer.page.run_with("return shows(received('0'), args)", json!(colour)).await;
        late.page.run_with("return shows(received('0'), args)", json!(colour)).await;
    }
    // One that leaves takes nothing from the others.
    viewer.rust.close();
    sender.page.run("kept.painting.colour = 'red'").await;
    late.page.run("return shows(received('0'), 'red')").await;
    assert_eq!(video.missing(), 0, "{:#?}", video.streams());
}

/// Sends these tracks to another page.
async fn view(browser: Browser, tracks: &[MediaStreamTrack]) -> Call {
    let call = Call::new(browser).await;
    for track in tracks {
        call.rust.add_track(track, &[]).expect("an open connection");
    }
    call.rust_offers().await;
    call.connected().await;
    call
}
