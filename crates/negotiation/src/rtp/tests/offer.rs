use std::collections::HashSet;

use super::*;

fn offered(kind: MediaKind, preferred: &[RTCRtpCodec], assignments: &mut Assignments) -> Formats {
    (*offer(kind, SENDRECV, preferred, None, assignments)).clone()
}

fn first_offer(kind: MediaKind) -> Formats {
    offered(kind, &[], &mut Assignments::default())
}

fn fmtp(formats: &Formats, payload_type: u8) -> &str {
    formats.codec(payload_type).unwrap().codec.sdp_fmtp_line.as_deref().unwrap_or_default()
}

#[test]
fn audio_is_offered_as_chromium_does_without_what_is_not_implemented() {
    let audio = first_offer(MediaKind::Audio);
    assert_eq!(
        written(&audio, "audio"),
        [
            "m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 13 110 126",
            "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=rtcp-rsize",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 minptime=10;useinbandfec=1",
            "a=rtpmap:9 G722/8000",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:13 CN/8000",
            "a=rtpmap:110 telephone-event/48000",
            "a=rtpmap:126 telephone-event/8000",
        ]
    );
}

#[test]
fn each_video_codec_is_followed_by_its_retransmission() {
    let video = first_offer(MediaKind::Video);
    assert_eq!(names(&video)[..4], ["96 VP8", "97 rtx", "98 VP9", "99 rtx"]);
    let repaired: Vec<_> =
        video.codecs().windows(2).filter(|pair| pair[1].codec.mime_type == "video/rtx").collect();
    assert!(repaired.len() > 10);
    for pair in repaired {
        let apt = format!("apt={}", pair[0].payload_type);
        assert_eq!(pair[1].codec.sdp_fmtp_line, Some(apt));
    }
    assert_eq!(*video.codec(96).unwrap().feedback, ["goog-remb", "ccm fir", "nack", "nack pli"]);
}

#[test]
fn payload_types_and_ids_have_one_meaning_in_all_sections() {
    let mut assignments = Assignments::default();
    let audio = offered(MediaKind::Audio, &[], &mut assignments);
    let video = offered(MediaKind::Video, &[], &mut assignments);
    let mut seen = HashSet::new();
    for format in audio.codecs().iter().chain(video.codecs()) {
        assert!(seen.insert(format.payload_type), "{format:?}");
    }
    for extension in audio.header_extensions() {
        let same =
            |known: &&HeaderExtension| (known.id == extension.id) || (known.uri == extension.uri);
        for known in video.header_extensions().iter().filter(same) {
            assert_eq!((known.id, &known.uri), (extension.id, &extension.uri));
        }
    }
    assert!(video.header_extensions().iter().all(|extension| extension.id <= 14));
    assert_eq!(video, offered(MediaKind::Video, &[], &mut assignments));
}

#[test]
fn preferences_give_order_and_exclude_the_rest() {
    let vp9 = capability(MediaKind::Video, "VP9");
    let rtx = capability(MediaKind::Video, "rtx");
    let vp8 = capability(MediaKind::Video, "VP8");
    let mut assignments = Assignments::default();
    let with = offered(MediaKind::Video, &[rtx, vp9.clone(), vp8.clone()], &mut assignments);
    assert_eq!(names(&with), ["98 VP9", "99 rtx", "96 VP8", "97 rtx"]);
    let without = offered(MediaKind::Video, &[vp8, vp9], &mut assignments);
    assert_eq!(names(&without), ["96 VP8", "98 VP9"]);
}

#[test]
fn preferences_are_written_as_the_capabilities_spell_them() {
    let mut opus = capability(MediaKind::Audio, "opus");
    opus.mime_type.make_ascii_uppercase();
    let audio = offered(MediaKind::Audio, &[opus], &mut Assignments::default());
    assert_eq!(names(&audio), ["111 opus"]);
}

/// RFC 9429 §5.2.2
#[test]
fn a_renegotiation_keeps_payload_types_ids_and_order_of_the_answer() {
    let previous = formats(FIREFOX_VIDEO);
    let mut assignments = Assignments::default();
    offered(MediaKind::Video, &[], &mut assignments);
    assignments.learn(&previous);
    let next = offer(MediaKind::Video, SENDRECV, &[], Some(&previous), &mut assignments);
    let mut expected = names(&previous);
    // An answer of ours never has these.
    expected.retain(|name| !["123 ulpfec", "122 red", "119 rtx"].contains(&name.as_str()));
    assert_eq!(names(&next)[..expected.len()], expected);
    assert_eq!(fmtp(&next, 124), "apt=120");
    let mut seen = HashSet::new();
    assert!(next.codecs().iter().all(|format| seen.insert(format.payload_type)));
    assert!(names(&next).iter().any(|name| name.ends_with("H264")));
    let id = |uri: &str| {
        next.header_extensions().iter().find(|known| known.uri == uri).map(|known| known.id)
    };
    assert_eq!(id("urn:ietf:params:rtp-hdrext:sdes:mid"), Some(3));
    assert_eq!(id("urn:ietf:params:rtp-hdrext:toffset"), Some(5));
    let mut ids = HashSet::new();
    assert!(next.header_extensions().iter().all(|extension| ids.insert(extension.id)));
}

#[test]
fn reduced_size_rtcp_is_not_offered_again_once_it_was_refused() {
    let mut assignments = Assignments::default();
    let previous = formats(FIREFOX_AUDIO);
    let next = offer(MediaKind::Audio, SENDRECV, &[], Some(&previous), &mut assignments);
    assert!(!next.reduced_size_rtcp());
    assert!(first_offer(MediaKind::Audio).reduced_size_rtcp());
}

#[test]
fn a_new_section_takes_what_the_peer_uses_and_nothing_that_is_taken() {
    let mut assignments = Assignments::default();
    let before = offered(MediaKind::Video, &[], &mut assignments);
    assert_eq!(before.codec(99).unwrap().codec.mime_type, "video/rtx");
    // 99 is AV1 there.
    let peer = formats(FIREFOX_VIDEO);
    let mut learned = Assignments::default();
    learned.learn(&peer);
    let after = offered(MediaKind::Video, &[], &mut learned);
    assert_eq!(names(&after)[0], "120 VP8");
    assert_eq!(fmtp(&after, 124), "apt=120");
    assignments.learn(&peer);
    let after = offered(MediaKind::Video, &[], &mut assignments);
    assert_eq!(after.codec(99), None);
    let rtx_of_vp9 = after
        .codecs()
        .iter()
        .find(|format| format.codec.sdp_fmtp_line.as_deref() == Some("apt=98"));
    assert!(peer.codec(rtx_of_vp9.unwrap().payload_type).is_none());
}

#[test]
fn what_finds_no_payload_type_is_left_out() {
    let mut section = "m=video 9 UDP/TLS/RTP/SAVPF".to_owned();
    for number in (35..64).chain(96..128).filter(|number| *number != 100) {
        section.push_str(&format!(" {number}"));
    }
    for number in 35..128 {
        section.push_str(&format!("\na=rtpmap:{number} future{number}/90000"));
    }
    for id in 1..14 {
        section.push_str(&format!("\na=extmap:{id} urn:future:{id}"));
    }
    section.push('\n');
    let mut assignments = Assignments::default();
    assignments.learn(&formats(&section));
    let video = offered(MediaKind::Video, &[], &mut assignments);
    assert_eq!(names(&video), ["100 VP8"]);
    assert_eq!(video.header_extensions().len(), 1);
    assert_eq!(video.header_extensions()[0].id, 14);
}

#[test]
fn a_description_that_changes_a_meaning_is_heeded_at_once() {
    let mut assignments = Assignments::default();
    assert_eq!(offered(MediaKind::Audio, &[], &mut assignments).codecs()[0].payload_type, 111);
    assignments.learn(&formats("m=audio 9 UDP/TLS/RTP/SAVPF 111\na=rtpmap:111 future/8000\n"));
    assert_ne!(offered(MediaKind::Audio, &[], &mut assignments).codecs()[0].payload_type, 111);
}
