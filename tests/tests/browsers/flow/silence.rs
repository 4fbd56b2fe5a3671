//! Sound that a page does not send for a while. Browsers do it in their own ways: see each scenario.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use peerconnection::{MediaKind, MediaStreamTrack, RTCInboundRtpStreamStats};
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use super::mid_call::{Echo, track};
use crate::call::Call;

in_each_browser! {
    sound_whose_clock_stands_still_without_a_track_goes_on,
    sound_that_is_not_active_disturbs_nothing_and_goes_on,
}

/// How long the page sends no sound.
const PAUSE: Duration = Duration::from_secs(3);
/// Of the clock of Opus.
const TICKS_IN_A_SECOND: f64 = 48_000.0;

/// The packets of a track: when each came, its number, its timestamp.
struct Sequence(Arc<Mutex<Vec<(Instant, u16, u32)>>>);

impl Sequence {
    fn of(track: &MediaStreamTrack) -> Self {
        let list = Arc::<Mutex<Vec<_>>>::default();
        let (mut packets, seen) = (track.packets(), list.clone());
        tokio::spawn(async move {
            while let Some(packet) = packets.next().await {
                let entry = (Instant::now(), packet.sequence_number(), packet.timestamp());
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
            }
        });
        Self(list)
    }

    fn take(&self) -> Vec<(Instant, u16, u32)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the statistics here say of the sound that comes.
async fn inbound(call: &Call) -> RTCInboundRtpStreamStats {
    let report = call.rust.get_stats(None).await.expect("an open connection");
    let found: Vec<_> = report.inbound_rtp().filter(|of| of.kind == MediaKind::Audio).collect();
    let [only] = found[..] else { panic!("{report}") };
    only.clone()
}

/// How much of the sound that goes back was lost, once the page has reported.
async fn lost_there(call: &Call) -> Option<i64> {
    let report = call.rust.get_stats(None).await.expect("an open connection");
    let mut found = report.remote_inbound_rtp().filter(|of| of.kind == MediaKind::Audio);
    found.next().map(|of| of.packets_lost)
}

/// After `replaceTrack(null)` and back, the sequence numbers of sound go on, and so do the timestamps:
/// the pause is not in them. The page gets it back like that, and plays it.
async fn sound_whose_clock_stands_still_without_a_track_goes_on(browser: Browser) {
    let echo = Echo::begin(browser).await;
    let sequence = Sequence::of(&track(&echo.call, "0"));
    echo.audio.flow().await;
    let remove = "
        const [sender] = pc.getSenders();
        kept.sound = sender.track;
        await sender.replaceTrack(null);
    ";
    echo.call.page.run(remove).await;
    tokio::time::sleep(PAUSE).await;
    echo.video.flow().await;
    let paused = inbound(&echo.call).await;
    assert!(!track(&echo.call, "0").muted(), "no browser mutes for silence");
    echo.call.page.run("await pc.getSenders()[0].replaceTrack(kept.sound)").await;
    echo.goes_on("lime").await;
    echo.call.page.run("return sounds(received('0'), 440)").await;

    let packets = sequence.take();
    let mut longest = Duration::ZERO;
    for two in packets.windows(2) {
        let [before, after] = two else { unreachable!() };
        assert_eq!(after.1.wrapping_sub(before.1), 1, "{before:?}, then {after:?}");
        let (time, ticks) = (after.0 - before.0, after.2.wrapping_sub(before.2));
        longest = longest.max(time);
        // The clock stood still: that is what this is about.
        assert!(f64::from(ticks) < TICKS_IN_A_SECOND, "{before:?}, then {after:?}");
    }
    assert!(longest > PAUSE.mul_f64(0.8), "{longest:?}");

    let inbound = inbound(&echo.call).await;
    assert_eq!((&inbound.id, inbound.packets_lost), (&paused.id, 0));
    assert!(inbound.packets_received > paused.packets_received);
    // The page reports on sound each 5 s or so.
    let reported = async {
        loop {
            match lost_there(&echo.call).await {
                Some(lost) => return lost,
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let lost = tokio::time::timeout(Duration::from_secs(20), reported).await;
    assert_eq!(lost.expect("the page reports"), 0);
    assert_eq!(echo.lost_for_page().await, 0);
}

/// At `active: false` Chromium is silent, with a clock that runs on; Firefox sends its sound on.
async fn sound_that_is_not_active_disturbs_nothing_and_goes_on(browser: Browser) {
    const SET_ACTIVE: &str = "
        const [sender] = pc.getSenders();
        const parameters = sender.getParameters();
        parameters.encodings[0].active = args;
        await sender.setParameters(parameters);
    ";
    let echo = Echo::begin(browser).await;
    let sequence = Sequence::of(&track(&echo.call, "0"));
    echo.audio.flow().await;
    for colour in ["lime", "blue"] {
        echo.call.page.run_with(SET_ACTIVE, json!(false)).await;
        // What was on its way has come.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = echo.audio.packets();
        tokio::time::sleep(PAUSE).await;
        let came = echo.audio.packets() - before;
        match browser {
            Browser::Firefox => assert!(came > 100, "{came}"),
            _ => assert_eq!(came, 0),
        }
        // Pictures go on, and nobody takes the silence for a loss or for the end.
        echo.video.flow().await;
        assert!(!track(&echo.call, "0").muted());
        assert_eq!(track(&echo.call, "0").ready_state().as_str(), "live");
        echo.call.page.run_with(SET_ACTIVE, json!(true)).await;
        echo.goes_on(colour).await;
        echo.call.page.run("return sounds(received('0'), 440)").await;
    }
    let packets = sequence.take();
    for two in packets.windows(2) {
        let [before, after] = two else { unreachable!() };
        assert_eq!(after.1.wrapping_sub(before.1), 1, "{before:?}, then {after:?}");
        // The clock runs: whoever plays this knows how long the silence was.
        let time = (after.0 - before.0).as_secs_f64();
        let played = f64::from(after.2.wrapping_sub(before.2)) / TICKS_IN_A_SECOND;
        assert!((time - played).abs() < 1.0, "{before:?}, then {after:?}");
    }
    let inbound = inbound(&echo.call).await;
    assert_eq!(inbound.packets_lost, 0);
    // Half a second would be a jitter that nobody can play.
    assert!(inbound.jitter < 0.5, "{}", inbound.jitter);
    assert_eq!(echo.lost_for_page().await, 0);
}
