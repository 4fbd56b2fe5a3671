use super::*;

fn answered(kind: MediaKind, preferred: &[RTCRtpCodec], offered: &Formats) -> Option<Formats> {
    let formats = answer(kind, SENDRECV, preferred, offered, &mut Assignments::default())?;
    Some((*formats).clone())
}

fn video(section: &str) -> Option<Formats> {
    answered(MediaKind::Video, &[], &formats(section))
}

fn fmtp(formats: &Formats, payload_type: u8) -> Option<&str> {
    formats.codec(payload_type).unwrap().codec.sdp_fmtp_line.as_deref()
}

#[test]
fn firefox_is_answered_with_its_payload_types_in_its_order() {
    let offered = formats(FIREFOX_VIDEO);
    let answered = answered(MediaKind::Video, &[], &offered).unwrap();
    assert_eq!(
        names(&answered),
        ["120 VP8", "124 rtx", "121 VP9", "125 rtx", "99 AV1", "100 rtx"],
        "without red, which would wrap every packet, its retransmission and ulpfec"
    );
    assert!(answered.reduced_size_rtcp());
    assert_eq!(fmtp(&answered, 121), Some("profile-id=0"));
    assert_eq!(fmtp(&answered, 99), Some("level-idx=5;profile=0;tier=0"));
    assert_eq!(fmtp(&answered, 124), Some("apt=120"));
    // WPT, protocol/vp8-fmtp
    assert_eq!(fmtp(&answered, 120), Some("max-fs=12288;max-fr=60"));
}

#[test]
fn only_feedback_of_both_sides_is_answered() {
    let answered = video(FIREFOX_VIDEO).unwrap();
    let feedback = &answered.codec(120).unwrap().feedback;
    assert_eq!(**feedback, ["nack", "nack pli", "ccm fir", "goog-remb"], "without transport-cc");
    let audio = answered_audio();
    assert_eq!(*audio.codec(109).unwrap().feedback, [""; 0]);
    assert_eq!(*audio.codec(0).unwrap().feedback, [""; 0]);
}

#[test]
fn opus_is_answered_with_what_we_say_and_events_with_what_was_said() {
    let audio = answered_audio();
    assert_eq!(fmtp(&audio, 109), Some("minptime=10;useinbandfec=1"));
    assert_eq!(fmtp(&audio, 101), Some("0-15"));
    assert!(!audio.reduced_size_rtcp());
}

/// RFC 8285 §6
#[test]
fn header_extensions_keep_their_ids_and_turn_their_direction() {
    let answered = video(FIREFOX_VIDEO).unwrap();
    let lines = written(&answered, "video");
    let extensions: Vec<_> = lines.iter().filter(|line| line.contains("extmap")).collect();
    assert_eq!(
        extensions,
        [
            "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=extmap:5 urn:ietf:params:rtp-hdrext:toffset",
            "a=extmap:6/sendonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
        ]
    );
    let audio = answered_audio();
    assert_eq!(audio.header_extensions().len(), 2, "csrc-audio-level is not supported");
}

#[test]
fn what_is_not_supported_is_left_out_with_its_retransmission() {
    let answered = video(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 35 36\n\
         a=rtpmap:96 future/90000\na=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n\
         a=rtpmap:98 vp8/90000\na=rtpmap:99 rtx/90000\na=fmtp:99 apt=98\n\
         a=rtpmap:35 AV1/90000\na=fmtp:35 profile=1\na=rtpmap:36 rtx/90000\na=fmtp:36 apt=35\n",
    );
    assert_eq!(names(&answered.unwrap()), ["98 VP8", "99 rtx"]);
}

#[test]
fn retransmission_of_nothing_is_left_out() {
    let answered = video(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99\na=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\n\
         a=fmtp:97 apt=100\na=rtpmap:98 rtx/90000\na=rtpmap:99 rtx/90000\na=fmtp:99 apt=99\n",
    );
    assert_eq!(names(&answered.unwrap()), ["96 VP8"]);
}

#[test]
fn retransmission_can_come_before_what_it_repairs() {
    let answered = video(
        "m=video 9 UDP/TLS/RTP/SAVPF 97 98 99 96\na=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\n\
         a=fmtp:97 apt=96\na=rtpmap:98 VP9/90000\na=rtpmap:99 rtx/90000\na=fmtp:99 apt=98\n",
    );
    assert_eq!(names(&answered.unwrap()), ["97 rtx", "98 VP9", "99 rtx", "96 VP8"]);
}

#[test]
fn a_section_without_media_is_rejected() {
    assert!(video("m=video 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 future/90000\n").is_none());
    assert!(video("m=video 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 red/90000\n").is_none());
    let helpers = "m=audio 9 UDP/TLS/RTP/SAVPF 13 101\na=rtpmap:101 telephone-event/8000\n";
    assert!(answered(MediaKind::Audio, &[], &formats(helpers)).is_none());
    assert!(video("m=video 9 UDP/TLS/RTP/SAVPF 96\na=rtpmap:96 VP8/8000\n").is_none());
}

#[test]
fn h264_is_answered_profile_by_profile() {
    let answered = video(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99\n\
         a=rtpmap:96 H264/90000\na=fmtp:96 profile-level-id=42e033;packetization-mode=1\n\
         a=rtpmap:97 H264/90000\na=fmtp:97 profile-level-id=640015;packetization-mode=1;level-asymmetry-allowed=1\n\
         a=rtpmap:98 H264/90000\na=fmtp:98 profile-level-id=f4001f;packetization-mode=1\n\
         a=rtpmap:99 H264/90000\na=fmtp:99 profile-level-id=42e01f;packetization-mode=2\n",
    )
    .unwrap();
    assert_eq!(names(&answered), ["96 H264", "97 H264"]);
    assert_eq!(fmtp(&answered, 96), Some("packetization-mode=1;profile-level-id=42e01f"));
    assert_eq!(
        fmtp(&answered, 97),
        Some("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f")
    );
}

#[test]
fn preferences_give_order_and_exclude_the_rest() {
    let offered = formats(FIREFOX_VIDEO);
    let preferred = ["AV1", "VP8", "rtx"].map(|name| capability(MediaKind::Video, name));
    let with = answered(MediaKind::Video, &preferred, &offered).unwrap();
    assert_eq!(names(&with), ["99 AV1", "100 rtx", "120 VP8", "124 rtx"]);
    let without = answered(MediaKind::Video, &preferred[..2], &offered).unwrap();
    assert_eq!(names(&without), ["99 AV1", "120 VP8"]);
    let h264 = capability(MediaKind::Video, "H264");
    assert!(answered(MediaKind::Video, &[h264], &offered).is_none());
}

#[test]
fn answers_to_the_same_offer_are_one() {
    let mut assignments = Assignments::default();
    let offered = formats(FIREFOX_VIDEO);
    let mut ask = |preferred: &[RTCRtpCodec]| {
        answer(MediaKind::Video, SENDRECV, preferred, &offered, &mut assignments).unwrap()
    };
    let (first, second) = (ask(&[]), ask(&[]));
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    let other = ask(&[capability(MediaKind::Video, "VP8")]);
    assert_eq!(names(&other), ["120 VP8"]);
}
