//! New sections of a connection join its transport.

use peerconnection::MediaKind;
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;
use crate::numbers::Numbers;

in_each_browser! {
    audio_joins_a_connection_with_data,
    data_joins_a_connection_with_audio,
}

/// Checks that all sections are in one bundle, on both sides.
async fn all_in_one(call: &Call) {
    for transceiver in [call.transceivers(), call.transceivers_of_page().await].concat() {
        assert_eq!(transceiver["bundled"], true, "{transceiver:#}");
    }
}

async fn audio_joins_a_connection_with_data(browser: Browser) {
    let call = Call::new(browser).await;
    let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
    let mut numbers = Numbers::on(channel);
    call.rust_offers().await;
    call.connected().await;
    numbers.flow(&call).await;
    let transport = call.rust.sctp().and_then(|sctp| sctp.transport());

    call.rust.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
    call.rust_offers().await;
    call.agree().await;
    all_in_one(&call).await;
    numbers.flow(&call).await;

    call.page.run("pc.addTransceiver(videoTrack())").await;
    call.page_offers().await;
    call.agree().await;
    all_in_one(&call).await;
    numbers.flow(&call).await;
    assert_eq!(call.rust.get_transceivers().len(), 2);
    assert!(call.rust.sctp().and_then(|sctp| sctp.transport()) == transport);
    numbers.finish(&call).await;
}

async fn data_joins_a_connection_with_audio(browser: Browser) {
    for by_page in [false, true] {
        let call = Call::new(browser).await;
        call.rust.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
        call.page.run("pc.addTrack(audioTrack())").await;
        call.rust_offers().await;
        call.agree().await;
        call.connected().await;
        let transport = call.rust.get_transceivers()[0].sender().transport();

        let mut numbers = if by_page {
            let (channel, opened) = tokio::sync::oneshot::channel();
            let mut channel = Some(channel);
            call.rust.on_datachannel(move |event| {
                let channel = channel.take().expect("one channel");
                let _ = channel.send(Numbers::on(event.channel().clone()));
            });
            call.page.run("kept.numbers = new Numbers(pc.createDataChannel('numbers'))").await;
            call.page_offers().await;
            opened.await.expect("the channel comes")
        } else {
            let channel = call.rust.create_data_channel("numbers", None).expect("a channel");
            let numbers = Numbers::on(channel);
            call.rust_offers().await;
            call.page.run("while (!kept.numbers) await new Promise((r) => setTimeout(r, 5))").await;
            numbers
        };
        call.agree().await;
        all_in_one(&call).await;
        numbers.flow(&call).await;
        assert!(call.rust.sctp().and_then(|sctp| sctp.transport()) == transport);
        numbers.finish(&call).await;
    }
}
