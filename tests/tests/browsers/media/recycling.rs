//! Sections that are stopped, and others that take their place.
//!
//! A channel goes on meanwhile. If another section takes the place of the first one, browsers begin
//! another transport (see "Browsers" in `spec-notes/deviations.md`). `flow/first_section.rs` has
//! what happens when the first one is stopped.

use peerconnection::MediaKind;
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;
use crate::numbers::Numbers;

in_each_browser! {
    a_section_is_stopped_and_recycled_by_rust_while_a_channel_goes_on,
    a_section_is_stopped_and_recycled_by_the_browser_while_a_channel_goes_on,
    a_section_stopped_by_one_side_is_recycled_by_the_other,
    the_first_section_is_stopped_and_recycled_and_both_sides_agree,
}

/// Sections for audio, video and data in one bundle, in this order, with numbers both ways.
async fn audio_video_data(browser: Browser) -> (Call, Numbers) {
    let call = Call::new(browser).await;
    for kind in [MediaKind::Audio, MediaKind::Video] {
        call.rust.add_transceiver(kind, None).expect("a transceiver");
    }
    let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
    let mut numbers = Numbers::on(channel);
    call.rust_offers().await;
    call.agree().await;
    call.connected().await;
    call.page.run("while (!kept.numbers) await new Promise((r) => setTimeout(r, 5))").await;
    numbers.flow(&call).await;
    (call, numbers)
}

/// Negotiates with an offer of one side, and checks the numbers of sections and of transceivers
/// afterwards.
async fn negotiate(call: &Call, by_page: bool, sections: usize, transceivers: usize) {
    let (_, answer) = match by_page {
        true => call.page_offers().await,
        false => call.rust_offers().await,
    };
    call.agree().await;
    assert_eq!(answer.sdp.matches("\nm=").count(), sections, "{}", answer.sdp);
    assert_eq!(call.rust.get_transceivers().len(), transceivers);
}

async fn a_section_is_stopped_and_recycled_by_rust_while_a_channel_goes_on(browser: Browser) {
    let (call, mut numbers) = audio_video_data(browser).await;
    for kind in [MediaKind::Video, MediaKind::Audio] {
        call.rust.get_transceivers()[1].stop().expect("open");
        negotiate(&call, false, 3, 1).await;
        numbers.flow(&call).await;
        call.rust.add_transceiver(kind, None).expect("a transceiver");
        negotiate(&call, false, 3, 2).await;
        numbers.flow(&call).await;
    }
    negotiate(&call, true, 3, 2).await;
    numbers.finish(&call).await;
}

async fn a_section_is_stopped_and_recycled_by_the_browser_while_a_channel_goes_on(
    browser: Browser,
) {
    let (call, mut numbers) = audio_video_data(browser).await;
    call.page.run("transceiver('1').stop()").await;
    negotiate(&call, true, 3, 1).await;
    numbers.flow(&call).await;
    call.page.run("pc.addTransceiver('audio')").await;
    // Firefox recycles a section only for the same kind; RFC 9429 §5.2.2 does so for any kind.
    let sections = if browser == Browser::Firefox { 4 } else { 3 };
    negotiate(&call, true, sections, 2).await;
    numbers.flow(&call).await;
    negotiate(&call, false, sections, 2).await;
    numbers.finish(&call).await;
}

async fn a_section_stopped_by_one_side_is_recycled_by_the_other(browser: Browser) {
    let (call, mut numbers) = audio_video_data(browser).await;
    call.transceiver("1").stop().expect("open");
    negotiate(&call, false, 3, 1).await;
    call.page.run("pc.addTransceiver('video')").await;
    negotiate(&call, true, 3, 2).await;
    numbers.flow(&call).await;

    call.page.run("pc.getTransceivers().at(-1).stop()").await;
    negotiate(&call, true, 3, 1).await;
    call.rust.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
    negotiate(&call, false, 3, 2).await;
    numbers.flow(&call).await;
    numbers.finish(&call).await;
}

async fn the_first_section_is_stopped_and_recycled_and_both_sides_agree(browser: Browser) {
    let call = Call::new(browser).await;
    for kind in [MediaKind::Audio, MediaKind::Video] {
        call.rust.add_transceiver(kind, None).expect("a transceiver");
    }
    negotiate_first(&call).await;
    call.transceiver("0").stop().expect("open");
    negotiate(&call, false, 2, 1).await;
    call.rust.add_transceiver(MediaKind::Video, None).expect("a transceiver");
    negotiate(&call, false, 2, 2).await;
    call.page.run("pc.getTransceivers().forEach((transceiver) => transceiver.stop())").await;
    negotiate(&call, true, 2, 0).await;
    call.rust.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
    negotiate(&call, false, 2, 1).await;
    negotiate(&call, true, 2, 1).await;
}

async fn negotiate_first(call: &Call) {
    negotiate(call, false, 2, 2).await;
    call.connected().await;
}
