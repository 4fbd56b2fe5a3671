//! Media that an application has encoded, shown by a page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use peerconnection::{
    MediaKind, RTCRtpSender, RTCRtpTransceiverDirection, RtpHeader, RtpStream, TrackSource,
};
use tests::browser::Browser;
use tests::in_each_browser;
use tokio::task::JoinHandle;

use super::clips;
use crate::call::Call;

in_each_browser! {
    a_page_shows_and_plays_what_the_application_has_encoded,
}

fn stream(kind: MediaKind, name: &str) -> RtpStream {
    let codecs = RTCRtpSender::get_capabilities(kind).codecs;
    let named = codecs.into_iter().find(|codec| codec.mime_type.eq_ignore_ascii_case(name));
    RtpStream::new(named.expect("a codec"))
}

/// Plays the colours, ten pictures a second, until it is dropped.
pub(super) struct Film {
    pub(super) source: TrackSource,
    blue: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
    player: JoinHandle<()>,
}

impl Film {
    pub(super) fn play() -> Self {
        let source = TrackSource::new(MediaKind::Video);
        let (blue, requests) = (Arc::new(AtomicBool::new(false)), Arc::<AtomicUsize>::default());
        let asked = requests.clone();
        source.on_key_frame_request(move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
        });
        let (screen, colour, asked) = (source.clone(), blue.clone(), requests.clone());
        let player = tokio::spawn(async move {
            let (frames, stream) = (clips::lime_then_blue(), stream(MediaKind::Video, "video/VP8"));
            let mut pace = tokio::time::interval(Duration::from_millis(100));
            let (mut at, mut answered) = (0, 0);
            for number in 0_u16.. {
                pace.tick().await;
                let first = if colour.load(Ordering::Relaxed) { 10 } else { 0 };
                let asked = asked.load(Ordering::Relaxed);
                // Another colour, a request and the end of the clip need the key frame.
                let goes_on = (first + 1..first + 10).contains(&at) && asked == answered;
                if !goes_on {
                    (at, answered) = (first, asked);
                }
                // RFC 7741 §4.2: one payload, the start of partition 0.
                let payload = [&[0x10], &frames[at][..]].concat();
                let timestamp = u32::from(number).wrapping_mul(9000);
                let header = RtpHeader { sequence_number: number, timestamp, marker: true };
                screen.send(stream.packet(header, payload));
                at += 1;
            }
        });
        Self { source, blue, requests, player }
    }

    pub(super) fn turn_blue(&self) {
        self.blue.store(true, Ordering::Relaxed);
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        self.player.abort();
    }
}

/// Plays the tone until it is dropped.
pub(super) struct Music {
    pub(super) source: TrackSource,
    player: JoinHandle<()>,
}

impl Music {
    pub(super) fn play() -> Self {
        let source = TrackSource::new(MediaKind::Audio);
        let microphone = source.clone();
        let player = tokio::spawn(async move {
            let stream = stream(MediaKind::Audio, "audio/opus");
            let packets = clips::tone_of_880_hertz();
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            for (number, payload) in (0_u16..=u16::MAX).zip(packets.iter().cycle()) {
                pace.tick().await;
                let timestamp = u32::from(number).wrapping_mul(960);
                let header = RtpHeader { sequence_number: number, timestamp, marker: number == 0 };
                microphone.send(stream.packet(header, payload.clone()));
            }
        });
        Self { source, player }
    }
}

impl Drop for Music {
    fn drop(&mut self) {
        self.player.abort();
    }
}

async fn a_page_shows_and_plays_what_the_application_has_encoded(browser: Browser) {
    let call = Call::new(browser).await;
    let (film, music) = (Film::play(), Music::play());
    call.rust.add_track(film.source.track(), &[]).expect("an open connection");
    call.rust.add_track(music.source.track(), &[]).expect("an open connection");
    call.rust_offers().await;
    call.connected().await;
    call.page.run("return shows(received('0'), 'lime')").await;
    call.page.run("return sounds(received('1'), 880)").await;
    // The film had begun before the page could see it.
    assert!(film.requests.load(Ordering::Relaxed) > 0);
    film.turn_blue();
    call.page.run("return shows(received('0'), 'blue')").await;

    // Muted by one negotiation, and unmuted after another by what comes.
    let is_muted = "return until(() => ({ is: received('0').muted === args,
        seen: received('0').muted }))";
    let transceiver = call.transceiver("0");
    assert_eq!(call.page.run("return received('0').muted").await, false);
    transceiver.set_direction(RTCRtpTransceiverDirection::Inactive).expect("not stopped");
    call.rust_offers().await;
    call.page.run_with(is_muted, true.into()).await;
    transceiver.set_direction(RTCRtpTransceiverDirection::Sendonly).expect("not stopped");
    call.rust_offers().await;
    call.page.run_with(is_muted, false.into()).await;
    call.page.run("return shows(received('0'), 'blue')").await;
}
