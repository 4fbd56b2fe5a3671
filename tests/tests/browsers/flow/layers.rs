//! Simulcast of a page: each layer comes as a stream of its own, and one of them goes on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use peerconnection::payload::vp8::begins_key_frame;
use peerconnection::{MediaKind, MediaStreamTrack, TrackSource};
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use super::watch::{Seen, Watch};
use crate::call::Call;

in_each_browser! {
    layers_come_as_streams_and_the_one_that_is_chosen_goes_on,
}

/// Forwards one layer of a track, and another one from its next key frame on.
struct Selection {
    source: TrackSource,
    wanted: Arc<Mutex<&'static str>>,
}

impl Selection {
    fn of(track: MediaStreamTrack, rid: &'static str) -> Self {
        let (source, wanted) = (TrackSource::new(MediaKind::Video), Arc::new(Mutex::new(rid)));
        let asked = track.clone();
        source.on_key_frame_request(move |_| asked.request_key_frame());
        let (mut packets, choice, output) = (track.packets(), wanted.clone(), source.clone());
        let asking = track.clone();
        tokio::spawn(async move {
            let (mut current, mut asked) = (rid, Instant::now());
            while let Some(packet) = packets.next().await {
                let wanted = *choice.lock().unwrap_or_else(PoisonError::into_inner);
                if packet.rid() == Some(wanted) && begins_key_frame(packet.payload()) {
                    current = wanted;
                }
                // Chromium ignores a request that comes less than 300 ms after another one.
                if current != wanted && asked.elapsed() > Duration::from_millis(400) {
                    asked = Instant::now();
                    asking.request_key_frame();
                }
                if packet.rid() == Some(current) {
                    output.send(&packet);
                }
            }
        });
        Self { source, wanted }
    }

    fn turn_to(&self, rid: &'static str) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = rid;
    }
}

async fn layers_come_as_streams_and_the_one_that_is_chosen_goes_on(browser: Browser) {
    let sender = Call::new(browser).await;
    // Chromium sends three layers of no smaller picture, and each as soon as the bitrates of all up
    // to it fit its estimate, which begins with 300 kbit/s.
    let add = "
        kept.painting = new Painting('red', 960, 540);
        const sendEncodings = [
            { rid: 'lo', scaleResolutionDownBy: 4, maxBitrate: 50_000 },
            { rid: 'mid', scaleResolutionDownBy: 2, maxBitrate: 80_000 },
            { rid: 'hi', maxBitrate: 120_000 },
        ];
        pc.addTransceiver(kept.painting.track, { sendEncodings, direction: 'sendonly' });
    ";
    sender.page.run(add).await;
    sender.page_offers().await;
    sender.connected().await;
    let track = sender.transceiver("0").receiver().track();
    let layers = Watch::of(&track);
    let all_come = |packets: u64| {
        move |streams: &[Seen]| {
            ["lo", "mid", "hi"].iter().all(|rid| {
                let of_layer = |seen: &&Seen| seen.stream.rid() == Some(rid);
                streams.iter().find(of_layer).is_some_and(|seen| seen.packets >= packets)
            })
        }
    };
    layers.until("all layers come", all_come(5)).await;
    // By now the page knows that its rids are known, and says them no more.
    let streams = layers.until("all layers go on", all_come(60)).await;
    let ssrcs: BTreeSet<_> = streams.iter().map(|seen| seen.ssrc).collect();
    assert_eq!((streams.len(), ssrcs.len()), (3, 3), "{streams:#?}");

    let selection = Selection::of(track, "lo");
    let viewer = Call::new(browser).await;
    viewer.rust.add_track(selection.source.track(), &[]).expect("an open connection");
    viewer.rust_offers().await;
    viewer.connected().await;
    for (rid, colour, width) in [("lo", "red", 240), ("hi", "lime", 960), ("mid", "blue", 480)] {
        selection.turn_to(rid);
        sender.page.run_with("kept.painting.colour = args", json!(colour)).await;
        let look = "return shows(received('0'), args.colour, args.width)";
        viewer.page.run_with(look, json!({ "colour": colour, "width": width })).await;
    }
}
