//! What a page sends comes back to it.

use peerconnection::{MediaKind, RTCRtpTransceiverDirection};
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;

in_each_browser! {
    a_page_sees_and_hears_what_it_sends,
}

async fn a_page_sees_and_hears_what_it_sends(browser: Browser) {
    let call = Call::new(browser).await;
    // Both ways to send what is received: a sender for the track, or a track for the sender.
    call.rust.on_track(|event| match event.track().kind() {
        MediaKind::Video => {
            event.target().add_track(event.track(), &[]).expect("an open connection");
        }
        MediaKind::Audio => {
            let transceiver = event.transceiver();
            transceiver.set_direction(RTCRtpTransceiverDirection::Sendrecv).expect("not stopped");
            let replaced = transceiver.sender().replace_track(event.track().clone());
            tokio::spawn(async move { replaced.await.expect("not stopped") });
        }
    });
    let add = "
        kept.painting = new Painting('red');
        pc.addTrack(kept.painting.track);
        pc.addTrack(await tone());
    ";
    call.page.run(add).await;
    call.page_offers().await;
    call.agree().await;
    call.connected().await;
    for colour in ["red", "lime", "blue"] {
        let follow = "kept.painting.colour = args; return shows(received('0'), args)";
        call.page.run_with(follow, json!(colour)).await;
    }
    call.page.run("return sounds(received('1'), 440)").await;
}
