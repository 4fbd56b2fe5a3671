//! Which codecs are negotiated.

use std::collections::BTreeMap;

use peerconnection::{MediaKind, RTCRtpCodec, RTCRtpReceiver, RTCSessionDescriptionInit};
use serde_json::json;

use crate::browser::Browser;
use crate::call::Call;
use crate::in_each_browser;

in_each_browser! {
    codecs_preferred_by_rust_are_those_negotiated,
    codecs_preferred_by_the_browser_are_those_negotiated,
}

/// The codecs of a section of a description, by payload type, and what each `rtx` repairs.
fn formats(description: &RTCSessionDescriptionInit, kind: &str) -> BTreeMap<u8, RTCRtpCodec> {
    let sections = description.sdp.split("\nm=");
    let section =
        sections.into_iter().find(|section| section.starts_with(kind)).expect("a section");
    let pairs = |prefix: &'static str| {
        section.lines().filter_map(move |line| {
            let (payload_type, value) = line.trim().strip_prefix(prefix)?.split_once(' ')?;
            Some((payload_type.parse::<u8>().ok()?, value.to_owned()))
        })
    };
    let fmtp: BTreeMap<_, _> = pairs("a=fmtp:").collect();
    pairs("a=rtpmap:")
        .map(|(payload_type, map)| {
            let mut words = map.split('/');
            let name = words.next().unwrap_or_default();
            let codec = RTCRtpCodec {
                mime_type: format!("{kind}/{name}"),
                clock_rate: words.next().and_then(|rate| rate.parse().ok()).unwrap_or_default(),
                channels: words.next().and_then(|channels| channels.parse().ok()),
                sdp_fmtp_line: fmtp.get(&payload_type).cloned(),
            };
            (payload_type, codec)
        })
        .collect()
}

/// VP9 before VP8, and nothing else that encodes.
fn preferences(codecs: Vec<RTCRtpCodec>) -> Vec<RTCRtpCodec> {
    let named = |name: &'static str| {
        codecs.iter().filter(move |codec| codec.mime_type.eq_ignore_ascii_case(name)).take(1)
    };
    named("video/vp9").chain(named("video/vp8")).chain(named("video/rtx")).cloned().collect()
}

/// The codecs of the m= line, in order, without `rtx`.
fn order(description: &RTCSessionDescriptionInit) -> Vec<String> {
    let formats = formats(description, "video");
    let line = description.sdp.lines().find(|line| line.starts_with("m=video")).expect("video");
    let payload_types = line.split(' ').skip(3).filter_map(|word| word.trim().parse::<u8>().ok());
    let names = payload_types.filter_map(|payload_type| formats.get(&payload_type));
    names
        .map(|codec| codec.mime_type.to_ascii_lowercase())
        .filter(|name| name != "video/rtx")
        .collect()
}

async fn codecs_preferred_by_rust_are_those_negotiated(browser: Browser) {
    let call = Call::new(browser).await;
    let transceiver = call.rust.add_transceiver(MediaKind::Video, None).expect("a transceiver");
    let preferred = preferences(RTCRtpReceiver::get_capabilities(MediaKind::Video).codecs);
    transceiver.set_codec_preferences(preferred).expect("known codecs");
    let (offer, answer) = call.rust_offers().await;
    call.agree().await;
    assert_eq!(order(&offer), ["video/vp9", "video/vp8"]);
    assert_eq!(order(&answer), ["video/vp9", "video/vp8"]);
    let (offer, answer) = call.page_offers().await;
    call.agree().await;
    println!("{browser} re-offers {:?}", order(&offer));
    assert_eq!(order(&answer), ["video/vp9", "video/vp8"]);
}

async fn codecs_preferred_by_the_browser_are_those_negotiated(browser: Browser) {
    let call = Call::new(browser).await;
    let capabilities = call.page.run("return RTCRtpReceiver.getCapabilities('video').codecs").await;
    let preferred = preferences(serde_json::from_value(capabilities).expect("codecs"));
    let add = "pc.addTransceiver('video').setCodecPreferences(args)";
    call.page.run_with(add, json!(preferred)).await;
    let (offer, answer) = call.page_offers().await;
    call.agree().await;
    assert_eq!(order(&offer), ["video/vp9", "video/vp8"]);
    assert_eq!(order(&answer), ["video/vp9", "video/vp8"]);
    let (_, answer) = call.rust_offers().await;
    call.agree().await;
    assert_eq!(order(&answer), ["video/vp9", "video/vp8"]);
}
