//! Changes in the middle of a call: no packet is lost that the network has not lost.

use peerconnection::{MediaStreamTrack, RTCRtpSender, RTCRtpTransceiverDirection};
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use super::source::Film;
use super::watch::Watch;
use crate::call::Call;
use crate::page::Page;

in_each_browser! {
    restarts_of_ice_lose_nothing,
    what_the_page_pauses_and_replaces_goes_on_without_a_gap,
    what_rust_pauses_and_replaces_goes_on_without_a_gap,
    directions_and_recycled_sections_lose_nothing,
    another_page_takes_over_and_media_flows_with_it,
}

/// A page that sends a tone and pictures, and gets them back.
pub(super) struct Echo {
    pub(super) call: Call,
    pub(super) video: Watch,
    pub(super) audio: Watch,
}

/// The page's script.
const ADD: &str = "
    pc.addTrack(await tone());
    kept.painting = new Painting('red');
    pc.addTrack(kept.painting.track);
";

impl Echo {
    pub(super) async fn begin(browser: Browser) -> Self {
        let call = Call::new(browser).await;
        call.page.run(ADD).await;
        call.rust.on_track(|event| {
            // The event comes again when the page sends again.
            if event.transceiver().sender().track().is_none() {
                event.target().add_track(event.track(), &[]).expect("an open connection");
            }
        });
        call.page_offers().await;
        call.connected().await;
        let [audio, video] = ["0", "1"].map(|mid| Watch::of(&track(&call, mid)));
        let echo = Self { call, video, audio };
        echo.goes_on("red").await;
        echo
    }

    /// Waits until more of both has come here and back, in this colour.
    pub(super) async fn goes_on(&self, colour: &str) {
        self.video.flow().await;
        self.audio.flow().await;
        let look = "
            kept.painting.colour = args;
            await shows(received('1'), args);
            const count = async () => {
                const streams = (await statistics()).filter(s => s.type === 'inbound-rtp');
                return streams.map(({ packetsReceived }) => packetsReceived);
            };
            const before = await count();
            await until(async () => {
                const now = await count();
                return { is: now.every((n, i) => n > before[i] + 5), seen: `${now}; ${before}` };
            });
        ";
        self.call.page.run_with(look, json!(colour)).await;
        assert_eq!(self.audio.missing(), 0, "{:#?}", self.audio.streams());
        assert_eq!(self.video.missing(), 0, "{:#?}", self.video.streams());
    }

    /// Packets that the page misses.
    pub(super) async fn lost_for_page(&self) -> i64 {
        let lost = "
            return (await statistics()).filter(s => s.type === 'inbound-rtp')
                .reduce((lost, { packetsLost }) => lost + packetsLost, 0)";
        self.call.page.run(lost).await.as_i64().expect("a number")
    }
}

pub(super) fn track(call: &Call, mid: &str) -> MediaStreamTrack {
    call.transceiver(mid).receiver().track()
}

async fn restarts_of_ice_lose_nothing(browser: Browser) {
    let echo = Echo::begin(browser).await;
    let before = echo.video.streams();
    let restarts = [(false, "lime"), (true, "blue"), (true, "red"), (false, "lime")];
    for (by_page, colour) in restarts {
        if by_page {
            echo.call.page.run("pc.restartIce()").await;
            echo.call.page_offers().await;
        } else {
            echo.call.rust.restart_ice();
            echo.call.rust_offers().await;
        }
        echo.goes_on(colour).await;
    }
    // Firefox leaves the old path at once: a packet that is on its way there is gone.
    let on_their_way = if browser == Browser::Firefox { restarts.len() } else { 0 };
    let lost = echo.lost_for_page().await;
    assert!(usize::try_from(lost).is_ok_and(|lost| lost <= on_their_way), "{lost}");
    // The sources have stayed the same.
    let after = echo.video.streams();
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_eq!(before[0].ssrc, after[0].ssrc);
}

async fn what_the_page_pauses_and_replaces_goes_on_without_a_gap(browser: Browser) {
    let echo = Echo::begin(browser).await;
    let page = &echo.call.page;
    let replace = "
        kept.painting = new Painting('blue', 160, 120);
        await pc.getSenders()[1].replaceTrack(kept.painting.track);
    ";
    page.run(replace).await;
    echo.goes_on("blue").await;

    for active in [false, true, false, true] {
        let set = "
            const [, sender] = pc.getSenders();
            const parameters = sender.getParameters();
            parameters.encodings[0].active = args;
            await sender.setParameters(parameters);
            // What was on its way has gone when the counter stands still.
            const sent = async () => {
                const streams = [...(await sender.getStats()).values()];
                return streams.find(s => s.type === 'outbound-rtp').packetsSent;
            };
            let last;
            if (!args) await until(async () => {
                const before = last;
                last = await sent();
                await new Promise(resolve => setTimeout(resolve, 200));
                return { is: last === before, seen: last };
            });
        ";
        page.run_with(set, json!(active)).await;
        if active {
            echo.goes_on("lime").await;
        } else {
            let before = echo.video.packets();
            echo.audio.flow().await;
            assert_eq!(echo.video.packets(), before);
        }
    }

    page.run("await pc.getSenders()[1].replaceTrack(null)").await;
    echo.audio.flow().await;
    page.run("await pc.getSenders()[1].replaceTrack(kept.painting.track)").await;
    echo.goes_on("red").await;
    assert_eq!(echo.video.streams().len(), 1, "the source has stayed the same");
    assert_eq!(echo.lost_for_page().await, 0);
}

async fn what_rust_pauses_and_replaces_goes_on_without_a_gap(browser: Browser) {
    let echo = Echo::begin(browser).await;
    let sender = echo.call.transceiver("1").sender();
    let film = Film::play();
    let red = sender.track().expect("the track of the page");
    for _ in 0..2 {
        sender.replace_track(film.source.track()).await.expect("not stopped");
        echo.call.page.run("return shows(received('1'), 'lime')").await;
        sender.replace_track(red.clone()).await.expect("not stopped");
        echo.goes_on("red").await;
    }
    let count = "
        const streams = [...(await pc.getReceivers()[1].getStats()).values()];
        return streams.find(s => s.type === 'inbound-rtp').packetsReceived;
    ";
    for active in [false, true] {
        set_active(&sender, active).await;
        if active {
            echo.goes_on("blue").await;
        } else {
            let before = echo.call.page.run(count).await;
            echo.video.flow().await;
            let after = echo.call.page.run(count).await;
            let [before, after] = [before, after].map(|count| count.as_u64().expect("a number"));
            // The last one may have been on its way.
            assert!(after <= before + 1, "{before}, {after}");
        }
    }
    assert_eq!(echo.lost_for_page().await, 0);
}

/// §5.2 setParameters fails if a task has run since getParameters: here others run.
async fn set_active(sender: &RTCRtpSender, active: bool) {
    for _ in 0..100 {
        let mut parameters = sender.get_parameters();
        parameters.encodings[0].active = active;
        if sender.set_parameters(parameters).await.is_ok() {
            return;
        }
    }
    panic!("a task has always run between");
}

async fn directions_and_recycled_sections_lose_nothing(browser: Browser) {
    use RTCRtpTransceiverDirection::{Inactive, Recvonly, Sendonly, Sendrecv};
    let echo = Echo::begin(browser).await;
    let transceiver = echo.call.transceiver("1");
    let ours = transceiver.receiver().track();
    // A page drops what comes after its answer for a receiver that the answer has stopped. This side
    // sends until it has the answer (webrtc-pc §4.4.1.4), no more than what comes to it.
    let mut dropped = 0;
    for direction in [Sendonly, Inactive, Recvonly] {
        transceiver.set_direction(direction).expect("not stopped");
        let before = echo.video.packets();
        echo.call.rust_offers().await;
        if direction != Sendonly {
            dropped += echo.video.packets() - before;
        }
        echo.call.agree().await;
        echo.audio.flow().await;
        assert_eq!(ours.muted(), direction != Recvonly, "{direction:?}");
        transceiver.set_direction(Sendrecv).expect("not stopped");
        echo.call.rust_offers().await;
        echo.goes_on("lime").await;
        echo.goes_on("blue").await;
        assert!(!ours.muted());
    }
    let lost = echo.lost_for_page().await;
    assert!(u64::try_from(lost).is_ok_and(|lost| lost <= dropped), "{lost} of {dropped}");

    // Another transceiver takes the section.
    let again = "
        transceiver('1').stop();
        pc.addTransceiver(kept.painting.track);
    ";
    echo.call.page.run(again).await;
    echo.call.page_offers().await;
    let mid = echo.call.page.run("return pc.getTransceivers().at(-1).mid").await;
    let mid = mid.as_str().expect("a mid");
    let recycled = Watch::of(&track(&echo.call, mid));
    recycled.flow().await;
    echo.audio.flow().await;
    let look = "kept.painting.colour = 'red'; return shows(received(args), 'red')";
    echo.call.page.run_with(look, json!(mid)).await;
    // Its first packets may have come before it was watched; none is missing since.
    assert_eq!((recycled.missing(), echo.audio.missing()), (0, 0));
}

/// RFC 9429 §5.11, RFC 8842 §5.5: a new DTLS identity comes with an ICE restart, as in the transfer
/// of a call.
async fn another_page_takes_over_and_media_flows_with_it(browser: Browser) {
    let Echo { call: before, video, audio } = Echo::begin(browser).await;
    let page = Page::open(browser).await;
    page.run("connect({})").await;
    let call = Call::between(page, before.rust.clone());
    call.page.run(ADD).await;
    call.page_offers().await;
    call.agree().await;
    call.page.run("await connected()").await;
    before.page.run("pc.close()").await;
    let echo = Echo { call, video, audio };
    for colour in ["red", "lime"] {
        echo.goes_on(colour).await;
    }
    echo.call.page.run("return sounds(received('0'), 440)").await;
    assert_eq!(echo.lost_for_page().await, 0);
    // The same tracks, with the sources of both pages.
    for watch in [&echo.audio, &echo.video] {
        let streams = watch.streams();
        assert_eq!(streams.len(), 2, "{streams:#?}");
        assert_ne!(streams[0].ssrc, streams[1].ssrc);
    }
}
