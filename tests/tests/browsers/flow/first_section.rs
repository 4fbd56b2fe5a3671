//! The first section of the bundle is stopped. It describes the transport, so browsers begin another
//! one, with another DTLS association ("Browsers" in `spec-notes/deviations.md`): pictures and data
//! go on over that.

use std::time::Duration;

use peerconnection::{
    MediaKind, MessageData, RTCDataChannel, RTCDataChannelInit, RTCDtlsTransportState,
    RTCSctpTransportState,
};
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use super::watch::Watch;
use crate::call::{Call, description};

in_each_browser! {
    a_page_that_has_called_stops_its_first_transceiver,
    a_page_that_was_called_stops_its_first_transceiver,
    rust_stops_its_first_transceiver_when_it_was_called,
    rust_stops_its_first_transceiver_when_it_has_called,
    the_page_recycles_the_first_section_and_pictures_go_on,
    rust_recycles_the_first_section_and_pictures_go_on,
}

async fn a_page_that_has_called_stops_its_first_transceiver(browser: Browser) {
    stop_the_first(browser, true, true).await;
}

async fn a_page_that_was_called_stops_its_first_transceiver(browser: Browser) {
    stop_the_first(browser, false, true).await;
}

async fn rust_stops_its_first_transceiver_when_it_was_called(browser: Browser) {
    stop_the_first(browser, true, false).await;
}

async fn rust_stops_its_first_transceiver_when_it_has_called(browser: Browser) {
    stop_the_first(browser, false, false).await;
}

async fn the_page_recycles_the_first_section_and_pictures_go_on(browser: Browser) {
    recycle_the_first(browser, true).await;
}

async fn rust_recycles_the_first_section_and_pictures_go_on(browser: Browser) {
    recycle_the_first(browser, false).await;
}

/// What the page has, whoever calls. What it gets on the channel goes back.
const ADD: &str = "
    kept.painting = new Painting('red');
    pc.addTrack(await tone());
    pc.addTrack(kept.painting.track);
    kept.echo = pc.createDataChannel('echo', { negotiated: true, id: 100 });
    kept.echo.onmessage = ({ data }) => kept.echo.send(data);
";

/// A tone, pictures and a channel, in this order in one bundle. The page's pictures come back.
async fn call_with_everything(browser: Browser, page_calls: bool) -> (Call, Watch, RTCDataChannel) {
    let call = Call::new(browser).await;
    let channel = call.rust.create_data_channel("echo", negotiated()).expect("a channel");
    if page_calls {
        call.rust.on_track(|event| {
            event.target().add_track(event.track(), &[]).expect("an open connection");
        });
        call.page.run(ADD).await;
        call.page_offers().await;
    } else {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            call.rust.add_transceiver(kind, None).expect("a transceiver");
        }
        let offer = call.offer().await;
        let answer = format!(
            "await pc.setRemoteDescription(args);{ADD}
            await pc.setLocalDescription();
            return gathered();"
        );
        call.accept(description(call.page.run_with(&answer, json!(offer)).await)).await;
        for transceiver in call.rust.get_transceivers() {
            let track = transceiver.receiver().track();
            transceiver.sender().replace_track(track).await.expect("not stopped");
        }
    }
    call.connected().await;
    let video = Watch::of(&call.transceiver("1").receiver().track());
    video.flow().await;
    call.page.run("return shows(received('1'), 'red')").await;
    (call, video, channel)
}

fn negotiated() -> RTCDataChannelInit {
    RTCDataChannelInit { negotiated: true, id: Some(100), ..RTCDataChannelInit::default() }
}

/// Sends a text, which comes back.
async fn echo(channel: &RTCDataChannel, text: &str) {
    channel.send(text).expect("the channel is open");
    let mut messages = channel.messages();
    let message = tokio::time::timeout(Duration::from_secs(20), messages.next()).await;
    assert_eq!(message.expect("an echo"), Some(MessageData::from(text)));
}

/// How often a story is told until Firefox sends on.
const ATTEMPTS: usize = 6;

/// Firefox 153 counts packets of the pictures as sent, and its transport sends none of them, for as
/// long as the transport lasts ("Browsers" in `spec-notes/deviations.md`).
struct SendsNothing;

/// Waits until pictures come again.
async fn pictures_go_on(call: &Call, video: &Watch) -> Result<(), SendsNothing> {
    if call.page.browser() != Browser::Firefox {
        video.flow().await;
        return Ok(());
    }
    if tokio::time::timeout(Duration::from_secs(8), video.flow()).await.is_ok() {
        return Ok(());
    }
    // What the transport sends beside sound. A packet of RTP has 12 bytes at least, and SRTP adds 16.
    // ICE sends some messages meanwhile.
    let look = "
        const count = async () => {
            const all = await statistics();
            const of = kind => all.filter(s => s.type === 'outbound-rtp' && s.kind === kind);
            const sum = (list, size) => list.reduce((sum, s) => sum + size(s), 0);
            const pairs = sum(all.filter(s => s.type === 'candidate-pair'), s => s.bytesSent);
            const sound = s => s.bytesSent + s.headerBytesSent + 16 * s.packetsSent;
            return [sum(of('video'), s => s.packetsSent), pairs - sum(of('audio'), sound)];
        };
        const [packets, bytes] = await count();
        await new Promise(resolve => setTimeout(resolve, 4000));
        const [packetsLater, bytesLater] = await count();
        return [packetsLater - packets, bytesLater - bytes];
    ";
    let [packets, bytes]: [i64; 2] =
        serde_json::from_value(call.page.run(look).await).expect("two numbers");
    assert!(packets >= 20 && bytes < packets * 12, "{packets} packets were sent, {bytes} bytes");
    eprintln!("Firefox has sent none of {packets} packets");
    Err(SendsNothing)
}

async fn stop_the_first(browser: Browser, page_calls: bool, page_stops: bool) {
    for _ in 0..ATTEMPTS {
        if try_to_stop_the_first(browser, page_calls, page_stops).await.is_ok() {
            return;
        }
    }
    panic!("no pictures in {ATTEMPTS} calls");
}

async fn try_to_stop_the_first(
    browser: Browser,
    page_calls: bool,
    page_stops: bool,
) -> Result<(), SendsNothing> {
    let (call, video, channel) = call_with_everything(browser, page_calls).await;
    echo(&channel, "before").await;
    let transport = call.rust.sctp().and_then(|sctp| sctp.transport()).expect("a transport");

    if page_stops {
        call.page.run("transceiver('0').stop()").await;
        call.page_offers().await;
    } else {
        call.transceiver("0").stop().expect("open");
        call.rust_offers().await;
    }
    // The page has another transport now, which is not connected yet.
    call.page.run("return become(pc.sctp.transport, 'state', 'connected')").await;
    call.connected().await;
    pictures_go_on(&call, &video).await?;
    let look = "kept.painting.colour = 'lime'; return shows(received('1'), 'lime')";
    call.page.run(look).await;
    call.agree().await;

    // Our objects are the same.
    let sctp = call.rust.sctp().expect("an SCTP transport");
    assert_eq!(sctp.transport(), Some(transport.clone()));
    assert_eq!(transport.state(), RTCDtlsTransportState::Connected);
    call.until("SCTP is connected", |pc| {
        pc.sctp().is_some_and(|sctp| sctp.state() == RTCSctpTransportState::Connected)
    })
    .await;
    echo(&channel, "after").await;
    assert_eq!(video.streams().len(), 1, "the source has stayed the same");

    // And so it is when the next one is stopped, and nothing but data is left.
    if page_stops {
        call.page.run("transceiver('1').stop()").await;
        call.page_offers().await;
    } else {
        call.transceiver("1").stop().expect("open");
        call.rust_offers().await;
    }
    call.page.run("return become(pc.sctp.transport, 'state', 'connected')").await;
    call.connected().await;
    echo(&channel, "at last").await;
    Ok(())
}

/// The section is stopped, and another one takes its place, again and again: it has a transport of
/// its own each time, and the pictures go on there with the numbers that they had.
async fn recycle_the_first(browser: Browser, by_page: bool) {
    for _ in 0..ATTEMPTS {
        if try_to_recycle_the_first(browser, by_page).await.is_ok() {
            return;
        }
    }
    panic!("no pictures in {ATTEMPTS} calls");
}

async fn try_to_recycle_the_first(browser: Browser, by_page: bool) -> Result<(), SendsNothing> {
    let (call, video, _) = call_with_everything(browser, true).await;
    let transport = |call: &Call| call.transceiver("1").sender().transport();
    for colour in ["lime", "blue", "red"] {
        let first = match by_page {
            true => "pc.getTransceivers().find(({ mid }) => mid !== '1').stop()",
            false => {
                let first = call.rust.get_transceivers().into_iter();
                let mut first =
                    first.filter(|transceiver| transceiver.mid().as_deref() != Some("1"));
                first.next().expect("a transceiver").stop().expect("open");
                "return null"
            }
        };
        call.page.run(first).await;
        negotiate(&call, by_page).await;
        let before = transport(&call);
        let add = match by_page {
            true => "pc.addTransceiver(await tone())",
            false => {
                call.rust.add_transceiver(MediaKind::Audio, None).expect("a transceiver");
                "return null"
            }
        };
        call.page.run(add).await;
        negotiate(&call, by_page).await;
        assert_ne!(transport(&call), before, "the section has moved");
        pictures_go_on(&call, &video).await?;
        let look = "kept.painting.colour = args; return shows(received('1'), args)";
        call.page.run_with(look, json!(colour)).await;
    }
    assert_eq!(video.streams().len(), 1, "the source has stayed the same");
    Ok(())
}

async fn negotiate(call: &Call, by_page: bool) {
    match by_page {
        true => call.page_offers().await,
        false => call.rust_offers().await,
    };
    let connect = "
        const { transport } = pc.getTransceivers().find(({ mid }) => mid === '1').sender;
        return become(transport, 'state', 'connected');
    ";
    call.page.run(connect).await;
    call.connected().await;
}
