//! What is on the wire: RTCP of browsers is read whole, and header extensions of both forms.

use std::fmt;
use std::sync::{Mutex, Once, PoisonError};

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::in_each_browser;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::call::Call;

in_each_browser! {
    all_rtcp_of_the_browser_is_read,
}

/// What was said of RTCP that cannot be read, in all tests.
static UNREAD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps what the library says of RTCP that it cannot read.
struct OfRtcp;

impl Subscriber for OfRtcp {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("peerconnection_media")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        if text.0.contains("RTCP") {
            UNREAD.lock().unwrap_or_else(PoisonError::into_inner).push(text.0);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!("{field}: {value:?}; ");
    }
}

async fn all_rtcp_of_the_browser_is_read(browser: Browser) {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        tracing::subscriber::set_global_default(OfRtcp).expect("there is no other one");
    });
    let call = Call::new(browser).await;
    call.rust.on_track(|event| {
        event.target().add_track(event.track(), &[]).expect("an open connection");
    });
    let add = "
        kept.painting = new Painting('red');
        pc.addTrack(kept.painting.track);
        pc.addTrack(await tone());
    ";
    call.page.run(add).await;
    call.page_offers().await;
    call.connected().await;
    call.page.run("return shows(received('0'), 'red')").await;
    // Sender and receiver reports of both kinds, and a request for a key frame.
    let reported = async {
        loop {
            let report = call.rust.get_stats(None).await.expect("an open connection");
            let report = serde_json::to_value(report).expect("JSON");
            let of = |kind: &str| {
                let all = report.as_object().into_iter().flat_map(|report| report.values());
                all.filter(|stats| stats["type"] == kind).cloned().collect::<Vec<Value>>()
            };
            let has_round_trip = |stats: &Value| stats["roundTripTime"].is_number();
            let received = of("remote-inbound-rtp").iter().filter(|s| has_round_trip(s)).count();
            let asked = of("outbound-rtp").iter().any(|stats| stats["pliCount"] != json!(0));
            if of("remote-outbound-rtp").len() == 2 && received == 2 && asked {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let reported = tokio::time::timeout(std::time::Duration::from_secs(20), reported).await;
    reported.expect("the browser reports what it sends and receives");
    assert_eq!(*UNREAD.lock().unwrap_or_else(PoisonError::into_inner), [""; 0]);
}

/// Firefox has no ids above 14: it says that it waits for others.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium"]
async fn chromium_sends_and_receives_extensions_with_large_ids() {
    const LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    let call = Call::new(Browser::Chromium).await;
    call.rust.on_track(|event| {
        event.target().add_track(event.track(), &[]).expect("an open connection");
    });
    // With everything that there is for pictures, no small ids are left for sound.
    let add = "
        kept.painting = new Painting('red');
        const video = pc.addTransceiver(kept.painting.track);
        const all = video.getHeaderExtensionsToNegotiate();
        all.forEach(extension => (extension.direction = 'sendrecv'));
        video.setHeaderExtensionsToNegotiate(all);
        pc.addTransceiver(await tone());
    ";
    call.page.run(add).await;
    let (_, answer) = call.page_offers().await;
    call.connected().await;
    let receiver = call.transceiver("1").receiver();
    let extensions = receiver.get_parameters().header_extensions;
    let id = extensions.iter().find(|extension| extension.uri == LEVEL).map(|level| level.id);
    assert!(id.is_some_and(|id| id > 14), "{id:?} in {}", answer.sdp);
    let mut packets = receiver.track().packets();
    let packet = tokio::time::timeout(std::time::Duration::from_secs(20), packets.next()).await;
    let packet = packet.expect("sound comes").expect("the track is there");
    // RFC 8285 §4.3: the profile behind a header without contributing sources.
    let octets = packet.octets().expect("it was received");
    assert_eq!(octets.get(12..14), Some(&[0x10, 0][..]));
    assert!(packet.audio_level().is_some_and(|level| level > 0.0), "{packet:?}");
    // We send the form, too.
    call.page.run("return shows(received('0'), 'red')").await;
    call.page.run("return sounds(received('1'), 440)").await;
}
