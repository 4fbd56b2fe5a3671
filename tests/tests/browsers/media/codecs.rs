//! The negotiation of codecs.

use std::collections::{BTreeMap, BTreeSet};

use peerconnection::{
    MediaKind, MediaStreamTrack, RTCRtpCodec, RTCRtpReceiver, RTCSessionDescriptionInit,
};
use serde_json::json;
use tests::browser::Browser;
use tests::in_each_browser;

use crate::call::Call;

in_each_browser! {
    every_codec_that_both_sides_know_is_negotiated,
    codecs_preferred_by_rust_are_those_negotiated,
    codecs_preferred_by_the_browser_are_those_negotiated,
}

/// What tells codecs apart: name, clock rate and channels, and for some a parameter.
type Key = String;

fn key(codec: &RTCRtpCodec) -> Key {
    let name = codec.mime_type.to_ascii_lowercase();
    let fmtp = codec.sdp_fmtp_line.clone().unwrap_or_default();
    let parameter = |name: &str, default: &str| {
        let values = fmtp.split(';').filter_map(|pair| pair.trim().split_once('='));
        let value =
            values.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next();
        value.unwrap_or_else(|| default.to_owned())
    };
    let detail = match name.as_str() {
        "video/h264" => {
            let profile = parameter("profile-level-id", "420010").to_ascii_lowercase();
            // The profile and its constraints: 42c0 is 42e0, the constrained baseline.
            let profile = profile.get(..4).unwrap_or_default().replace("42c0", "42e0");
            format!(" {profile} {}", parameter("packetization-mode", "0"))
        }
        "video/vp9" => format!(" {}", parameter("profile-id", "0")),
        "video/av1" => format!(" {}", parameter("profile", "0")),
        "video/h265" => format!(" {}", parameter("profile-id", "1")),
        _ => String::new(),
    };
    format!("{name}/{}/{}{detail}", codec.clock_rate, codec.channels.unwrap_or(1))
}

/// The codecs of a section of a description by payload type, each `rtx` with the codec it repairs.
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

fn keys<'a>(codecs: impl IntoIterator<Item = &'a RTCRtpCodec>) -> BTreeSet<Key> {
    codecs.into_iter().map(key).collect()
}

async fn every_codec_that_both_sides_know_is_negotiated(browser: Browser) {
    for by_page in [false, true] {
        let call = Call::new(browser).await;
        for kind in [MediaKind::Audio, MediaKind::Video] {
            call.rust.add_track(MediaStreamTrack::new(kind), &[]).expect("a sender");
            call.page.run_with("pc.addTrack(trackOf(args))", json!(kind)).await;
        }
        let (_, answer) = match by_page {
            true => call.page_offers().await,
            false => call.rust_offers().await,
        };
        call.agree().await;
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let script = "
                const both = [RTCRtpReceiver, RTCRtpSender];
                return both.map((object) => object.getCapabilities(args).codecs);
            ";
            let theirs = call.page.run_with(script, json!(kind)).await;
            let [receives, sends]: [Vec<RTCRtpCodec>; 2] =
                serde_json::from_value(theirs).expect("codecs");
            let ours = RTCRtpReceiver::get_capabilities(kind).codecs;
            let theirs = &keys(&receives) & &keys(&sends);
            let common = &keys(&ours) & &theirs;
            let negotiated = formats(&answer, kind.as_str());
            assert_eq!(keys(negotiated.values()), common, "{kind} offered by the page: {by_page}");
            for codec in negotiated.values().filter(|codec| codec.mime_type.ends_with("/rtx")) {
                let apt = codec.sdp_fmtp_line.as_deref().and_then(|fmtp| fmtp.strip_prefix("apt="));
                let repaired = apt.and_then(|apt| negotiated.get(&apt.parse().ok()?));
                let repaired = repaired.unwrap_or_else(|| panic!("{codec:?} repairs nothing"));
                assert!(!repaired.mime_type.ends_with("/rtx"));
            }
        }
        // Both sides agree on the codecs that they may send.
        let theirs = call.transceivers_of_page().await;
        for (ours, theirs) in call.transceivers().iter().zip(&theirs) {
            let codecs = |transceiver: &serde_json::Value| -> BTreeSet<(u64, String)> {
                let codecs = transceiver["codecs"].as_array().cloned().unwrap_or_default();
                let entry = |codec: &serde_json::Value| {
                    let mime = codec["mimeType"].as_str()?.to_ascii_lowercase();
                    Some((codec["payloadType"].as_u64()?, mime))
                };
                codecs.iter().filter_map(entry).collect()
            };
            // Chromium also lists codecs that its answer has left out.
            let theirs = codecs(theirs);
            assert!(codecs(ours).is_subset(&theirs), "{ours:#} {theirs:?}");
        }
    }
}

/// VP9 before VP8, and no other codec that encodes.
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
    // The page offers all its codecs, the preferred ones first.
    let (offer, answer) = call.page_offers().await;
    call.agree().await;
    assert_eq!(order(&offer)[..2], ["video/vp9", "video/vp8"]);
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
