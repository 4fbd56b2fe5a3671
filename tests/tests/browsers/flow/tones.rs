//! Telephone tones, in both directions.

use std::sync::{Arc, Mutex};

use peerconnection::RtpPacket;
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use super::watch::Watch;
use crate::call::Call;

in_each_browser! {
    tones_of_the_page_come_as_events,
    tones_of_rust_disturb_no_sound,
}

async fn tones_of_the_page_come_as_events(browser: Browser) {
    let call = Call::new(browser).await;
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    call.rust.on_track(move |event| {
        let sender = sender.clone();
        event.track().on_packet(move |packet: RtpPacket| {
            let name = packet.codec().map(|codec| codec.mime_type.to_ascii_lowercase());
            if name.as_deref() == Some("audio/telephone-event") {
                let _ = sender.send(packet);
            }
        });
    });
    call.page.run("pc.addTrack(await tone())").await;
    call.page_offers().await;
    call.connected().await;
    let insert = "
        const { dtmf } = pc.getSenders()[0];
        await until(() => ({ is: dtmf.canInsertDTMF, seen: 'no way to send tones' }));
        dtmf.insertDTMF('1#D', 100, 70);
    ";
    call.page.run(insert).await;
    // RFC 4733 §2.3: event, end and volume, duration. The end comes three times.
    let mut ended = Vec::new();
    let mut timestamps = Vec::new();
    while ended.len() < 3 {
        let packet = tokio::time::timeout(std::time::Duration::from_secs(20), events.recv()).await;
        let packet = packet.expect("tones come").expect("the track is there");
        let &[event, end_and_volume, ..] = packet.payload() else {
            panic!("{packet:?}");
        };
        assert_eq!(packet.payload().len(), 4);
        if end_and_volume & 0x80 != 0 && !timestamps.contains(&packet.timestamp()) {
            timestamps.push(packet.timestamp());
            ended.push(event);
        }
    }
    // §3.2: the digits, then * and #, then A to D.
    assert_eq!(ended, [1, 11, 15]);
}

async fn tones_of_rust_disturb_no_sound(browser: Browser) {
    let call = Call::new(browser).await;
    call.rust.on_track(|event| {
        event.target().add_track(event.track(), &[]).expect("an open connection");
    });
    call.page.run("pc.addTrack(await tone())").await;
    call.page_offers().await;
    call.connected().await;
    call.page.run("return sounds(received('0'), 440)").await;
    let watch = Watch::of(&call.transceiver("0").receiver().track());
    let sender = call.transceiver("0").sender();
    let dtmf = sender.dtmf().expect("a sender of sound");
    let tones = Arc::<Mutex<String>>::default();
    let (ended, end) = tokio::sync::oneshot::channel();
    let (played, mut ended) = (tones.clone(), Some(ended));
    dtmf.on_tonechange(move |event| {
        played.lock().expect("no panic").push_str(event.tone());
        if event.tone().is_empty() {
            let _ = ended.take().map(|ended| ended.send(()));
        }
    });
    dtmf.insert_dtmf("1#", Some(100), Some(70)).expect("the page takes tones");
    tokio::time::timeout(std::time::Duration::from_secs(20), end)
        .await
        .expect("the tones end")
        .expect("the handler is called");
    assert_eq!(*tones.lock().expect("no panic"), "1#");
    // The sound goes on behind them, and nothing was lost between.
    watch.flow().await;
    call.page.run("return sounds(received('0'), 440)").await;
    let lost = "
        const streams = (await statistics()).filter(s => s.type === 'inbound-rtp');
        return streams.map(({ packetsLost }) => packetsLost)";
    assert_eq!(call.page.run(lost).await, json!([0]));
}
