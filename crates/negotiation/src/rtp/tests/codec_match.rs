use super::*;
use crate::rtp::codec_match::same_format;
use crate::rtp::h264::{self, Profile};

fn h264(fmtp: &str) -> RTCRtpCodec {
    codec("video/H264", 90_000, Some(fmtp))
}

#[test]
fn names_match_without_case_and_rates_and_channels_exactly() {
    let first = codec("audio/opus", 48_000, None);
    assert!(codec_dictionary_match(&first, &codec("AUDIO/Opus", 48_000, None), false));
    assert!(!codec_dictionary_match(&first, &codec("audio/G722", 48_000, None), false));
    assert!(!codec_dictionary_match(&first, &codec("audio/opus", 8_000, None), false));
    let stereo = RTCRtpCodec { channels: Some(2), ..first.clone() };
    let unsaid = RTCRtpCodec { channels: None, ..first.clone() };
    assert!(!codec_dictionary_match(&first, &stereo, false));
    assert!(!codec_dictionary_match(&first, &unsaid, false));
}

#[test]
fn parameters_of_one_side_only_do_not_match() {
    let without = codec("video/VP9", 90_000, None);
    let with = codec("video/VP9", 90_000, Some("profile-id=0"));
    assert!(!codec_dictionary_match(&without, &with, true));
    assert!(!codec_dictionary_match(&with, &without, true));
    assert!(same_format(&with, &without));
}

#[test]
fn parameters_that_are_no_pairs_match_if_they_are_equal() {
    let event = |fmtp| codec("audio/telephone-event", 8_000, Some(fmtp));
    assert!(codec_dictionary_match(&event("0-15"), &event("0-15"), false));
    assert!(!codec_dictionary_match(&event("0-15"), &event("0-16"), true));
    assert!(!codec_dictionary_match(&event("0-15"), &event("a=0-15"), true));
}

#[test]
fn order_case_of_names_and_spaces_of_parameters_do_not_matter() {
    let first = h264("packetization-mode=1;profile-level-id=42E01F");
    let second = h264("Profile-Level-Id=42e01f; packetization-mode = 1");
    assert!(codec_dictionary_match(&first, &second, false));
}

#[test]
fn parameters_that_are_left_out_are_inferred() {
    let vp9 = |fmtp| codec("video/VP9", 90_000, Some(fmtp));
    assert!(codec_dictionary_match(&vp9("profile-id=0"), &vp9(""), false));
    assert!(!codec_dictionary_match(&vp9("profile-id=2"), &vp9(""), true));
    let av1 = |fmtp| codec("video/AV1", 90_000, Some(fmtp));
    assert!(codec_dictionary_match(&av1("tier=0"), &av1("level-idx=5;profile=0"), false));
}

#[test]
fn asymmetrical_parameters_count_unless_they_are_ignored() {
    let level_31 = h264("packetization-mode=1;profile-level-id=42e01f");
    let level_51 = h264("packetization-mode=1;profile-level-id=42e033");
    assert!(codec_dictionary_match(&level_31, &level_51, true));
    assert!(!codec_dictionary_match(&level_31, &level_51, false));
    let av1 = |fmtp| codec("video/AV1", 90_000, Some(fmtp));
    assert!(codec_dictionary_match(&av1("profile=0"), &av1("profile=1"), true));
    assert!(!codec_dictionary_match(&av1("profile=0"), &av1("profile=1"), false));
    let h265 = |fmtp| codec("video/H265", 90_000, Some(fmtp));
    assert!(codec_dictionary_match(&h265("level-id=93"), &h265("level-id=180"), true));
    let opus = |fmtp| codec("audio/opus", 48_000, Some(fmtp));
    assert!(codec_dictionary_match(&opus("stereo=1"), &opus("useinbandfec=1"), true));
    assert!(!codec_dictionary_match(&opus("stereo=1"), &opus("stereo=1;x=2"), false));
}

#[test]
fn symmetrical_parameters_always_count() {
    let mode_1 = h264("packetization-mode=1;profile-level-id=42e01f");
    assert!(!codec_dictionary_match(&mode_1, &h264("profile-level-id=42e01f"), true));
    let main = h264("packetization-mode=1;profile-level-id=4d001f");
    assert!(!codec_dictionary_match(&mode_1, &main, true));
    let h265 = |fmtp| codec("video/H265", 90_000, Some(fmtp));
    assert!(!codec_dictionary_match(&h265("profile-id=1"), &h265("profile-id=2"), true));
    assert!(!codec_dictionary_match(&h265("tx-mode=MRST"), &h265("profile-id=1"), true));
    let rtx = |fmtp| codec("video/rtx", 90_000, Some(fmtp));
    assert!(!codec_dictionary_match(&rtx("apt=96"), &rtx("apt=98"), true));
}

/// Browsers give each AV1 profile a payload type; RFC 3264 §6.1 then keeps them apart.
#[test]
fn profiles_of_av1_are_formats_of_their_own() {
    let av1 = |fmtp| codec("video/AV1", 90_000, fmtp);
    assert!(same_format(&av1(None), &av1(Some("level-idx=8;profile=0;tier=1"))));
    assert!(!same_format(&av1(None), &av1(Some("profile=1"))));
}

/// RFC 6184 §8.1, table 5
#[test]
fn profiles_of_h264_have_several_spellings() {
    for text in ["42e01f", "42C01E", "42400a", "4d8015", "58c00b"] {
        assert_eq!(Profile::of(text), Some(Profile::ConstrainedBaseline), "{text}");
    }
    for text in ["42001f", "42a01f", "588015"] {
        assert_eq!(Profile::of(text), Some(Profile::Baseline), "{text}");
    }
    assert_eq!(Profile::of("4d001f"), Some(Profile::Main));
    assert_eq!(Profile::of("58001f"), Some(Profile::Extended));
    assert_ne!(Profile::of("64001f"), Profile::of("640c1f"));
    for text in ["", "42e0", "42e01f00", "+2e01f", "42é1f", "zzzzzz"] {
        assert_eq!(Profile::of(text), None, "{text}");
    }
}

#[test]
fn an_h264_format_without_parameters_is_baseline_in_mode_0() {
    let none = codec("video/H264", 90_000, None);
    assert!(same_format(&none, &h264("packetization-mode=0;profile-level-id=42001f")));
    assert!(!same_format(&none, &h264("profile-level-id=42e01f")));
}

const OURS: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";

#[test]
fn the_answered_level_is_ours_if_levels_may_differ() {
    let offered = "profile-level-id=42c033;packetization-mode=1;level-asymmetry-allowed=1";
    assert_eq!(
        h264::answer(OURS, Some(offered)),
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42c01f"
    );
}

#[test]
fn the_answered_level_is_else_the_lower_one() {
    let answer = |offered| h264::answer(OURS, Some(offered));
    let higher = "packetization-mode=1;profile-level-id=42e033";
    assert_eq!(answer(higher), "packetization-mode=1;profile-level-id=42e01f");
    let lower = "packetization-mode=1;profile-level-id=42e015";
    assert_eq!(answer(lower), lower);
    // Level 1b, which is below 1.1 and has the same number.
    let ours = "packetization-mode=1;profile-level-id=42e00b";
    let level_1b = "packetization-mode=1;profile-level-id=42f00b";
    assert_eq!(h264::answer(ours, Some(level_1b)), level_1b);
    assert_eq!(h264::answer(OURS, None), "packetization-mode=0;profile-level-id=42000a");
}

#[test]
fn level_1b_becomes_another_level_without_its_flag() {
    let offered = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42f00b";
    assert_eq!(h264::answer(OURS, Some(offered)), OURS);
}
