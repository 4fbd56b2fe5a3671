//! Sections that are stopped, and others that take their place, while a channel goes on.

use peerconnection::{MediaKind, RTCSessionDescriptionInit};
use serde_json::json;

use crate::browser::Browser;
use crate::call::Call;
use crate::in_each_browser;
use crate::numbers::Numbers;

in_each_browser! {
    the_first_section_is_stopped_and_recycled_by_rust_while_a_channel_goes_on,
    the_first_section_is_stopped_and_recycled_by_the_browser_while_a_channel_goes_on,
    a_section_stopped_by_one_side_is_recycled_by_the_other,
}

/// The group, and each section: kind, port (0 or not) and mid.
fn outline(description: &RTCSessionDescriptionInit) -> String {
    let mut outline = String::new();
    for line in description.sdp.lines() {
        if let Some(group) = line.strip_prefix("a=group:") {
            outline.push_str(group);
        } else if let Some(section) = line.strip_prefix("m=") {
            let mut words = section.split(' ');
            let kind = words.next().unwrap_or_default();
            let rejected = if words.next() == Some("0") { "(rejected)" } else { "" };
            outline.push_str(&format!(", {kind}{rejected}"));
        } else if let Some(mid) = line.strip_prefix("a=mid:") {
            outline.push_str(&format!(" {mid}"));
        }
    }
    outline
}

fn show(
    browser: Browser,
    what: &str,
    (offer, answer): &(RTCSessionDescriptionInit, RTCSessionDescriptionInit),
) {
    println!("{browser}: {what}\n  offer  {}\n  answer {}", outline(offer), outline(answer));
}

/// Audio, video and data in one bundle, in this order, with numbers both ways.
async fn audio_video_data(browser: Browser) -> (Call, Numbers) {
    let call = Call::new(browser).await;
    for kind in [MediaKind::Audio, MediaKind::Video] {
        call.rust.add_transceiver(kind, None).expect("a transceiver");
    }
    let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
    let mut numbers = Numbers::on(channel);
    show(browser, "first", &call.rust_offers().await);
    call.agree().await;
    call.connected().await;
    call.page.run("while (!kept.numbers) await new Promise((r) => setTimeout(r, 5))").await;
    numbers.flow(&call).await;
    (call, numbers)
}

async fn the_first_section_is_stopped_and_recycled_by_rust_while_a_channel_goes_on(
    browser: Browser,
) {
    let (call, mut numbers) = audio_video_data(browser).await;
    call.transceiver("0").stop().expect("open");
    show(browser, "Rust stops 0", &call.rust_offers().await);
    call.agree().await;
    assert_eq!(call.rust.get_transceivers().len(), 1);
    numbers.flow(&call).await;

    call.rust.add_transceiver(MediaKind::Video, None).expect("a transceiver");
    let recycled = call.rust_offers().await;
    show(browser, "Rust recycles 0", &recycled);
    call.agree().await;
    assert_eq!(recycled.1.sdp.matches("\nm=").count(), 3, "no section was added");
    assert_eq!(call.rust.get_transceivers().len(), 2);
    numbers.flow(&call).await;

    // Nothing but data, then all anew.
    for transceiver in call.rust.get_transceivers() {
        transceiver.stop().expect("open");
    }
    show(browser, "Rust stops 0, 1", &call.rust_offers().await);
    call.agree().await;
    numbers.flow(&call).await;
    call.rust.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
    call.rust.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
    show(browser, "Rust recycles 0, 1", &call.rust_offers().await);
    call.agree().await;
    numbers.flow(&call).await;
    show(browser, "the page offers", &call.page_offers().await);
    call.agree().await;
    numbers.flow(&call).await;
    numbers.finish(&call).await;
}

async fn the_first_section_is_stopped_and_recycled_by_the_browser_while_a_channel_goes_on(
    browser: Browser,
) {
    let (call, mut numbers) = audio_video_data(browser).await;
    call.page.run("transceiver('0').stop()").await;
    show(browser, "the page stops 0", &call.page_offers().await);
    call.agree().await;
    assert_eq!(call.rust.get_transceivers().len(), 1);
    numbers.flow(&call).await;

    call.page.run("pc.addTransceiver('video')").await;
    let recycled = call.page_offers().await;
    show(browser, "the page recycles 0", &recycled);
    call.agree().await;
    assert_eq!(call.rust.get_transceivers().len(), 2);
    assert_eq!(recycled.1.sdp.matches("\nm=").count(), 3, "no section was added");
    numbers.flow(&call).await;

    call.page.run("pc.getTransceivers().forEach((transceiver) => transceiver.stop())").await;
    show(browser, "the page stops 0, 1", &call.page_offers().await);
    call.agree().await;
    numbers.flow(&call).await;
    call.page.run("pc.addTransceiver('audio'); pc.addTransceiver('audio')").await;
    show(browser, "the page recycles 0, 1", &call.page_offers().await);
    call.agree().await;
    numbers.flow(&call).await;
    show(browser, "Rust offers", &call.rust_offers().await);
    call.agree().await;
    numbers.flow(&call).await;
    numbers.finish(&call).await;
}

async fn a_section_stopped_by_one_side_is_recycled_by_the_other(browser: Browser) {
    let (call, mut numbers) = audio_video_data(browser).await;
    call.transceiver("0").stop().expect("open");
    // What one side has stopped the other rejects in an offer of its own.
    show(browser, "Rust stops 0", &call.rust_offers().await);
    call.agree().await;
    call.page.run_with("pc.addTransceiver(args)", json!("video")).await;
    show(browser, "the page recycles 0", &call.page_offers().await);
    call.agree().await;
    numbers.flow(&call).await;

    call.page.run("transceiver('1').stop()").await;
    show(browser, "the page stops 1", &call.page_offers().await);
    call.agree().await;
    call.rust.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
    show(browser, "Rust recycles 1", &call.rust_offers().await);
    call.agree().await;
    assert_eq!(call.rust.get_transceivers().len(), 2);
    numbers.flow(&call).await;
    numbers.finish(&call).await;
}
