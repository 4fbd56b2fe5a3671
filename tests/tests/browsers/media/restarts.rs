//! ICE restarts and rollbacks of connections with audio, video and data.

use crate::browser::Browser;
use crate::call::Call;
use crate::in_each_browser;
use crate::numbers::Numbers;

in_each_browser! {
    ice_is_restarted_by_either_side_with_everything_in_one_bundle,
}

async fn audio_video_data(browser: Browser) -> (Call, Numbers) {
    let call = Call::new(browser).await;
    call.page.run("pc.addTrack(audioTrack()); pc.addTrack(videoTrack())").await;
    let (channel, opened) = tokio::sync::oneshot::channel();
    let mut channel = Some(channel);
    call.rust.on_datachannel(move |event| {
        let channel = channel.take().expect("one channel");
        let _ = channel.send(Numbers::on(event.channel().clone()));
    });
    call.page.run("kept.numbers = new Numbers(pc.createDataChannel('numbers'))").await;
    call.page_offers().await;
    call.agree().await;
    call.connected().await;
    let mut numbers = opened.await.expect("the channel comes");
    numbers.flow(&call).await;
    (call, numbers)
}

/// The usernames of both sides.
fn generation(call: &Call) -> [Option<String>; 2] {
    let ice = call.rust.sctp().and_then(|sctp| sctp.transport()).expect("a transport");
    let ice = ice.ice_transport();
    [ice.get_local_parameters(), ice.get_remote_parameters()]
        .map(|parameters| parameters.and_then(|parameters| parameters.username_fragment))
}

async fn ice_is_restarted_by_either_side_with_everything_in_one_bundle(browser: Browser) {
    let (call, mut numbers) = audio_video_data(browser).await;
    for by_page in [false, true, true, false] {
        let before = generation(&call);
        if by_page {
            call.page.run("pc.restartIce()").await;
            call.page_offers().await;
        } else {
            call.rust.restart_ice();
            call.rust_offers().await;
        }
        call.agree().await;
        let after = generation(&call);
        assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{after:?}");
        numbers.flow(&call).await;
        call.connected().await;
        for transceiver in [call.transceivers(), call.transceivers_of_page().await].concat() {
            assert_eq!(transceiver["bundled"], true, "{transceiver:#}");
        }
    }
    numbers.finish(&call).await;
}
