use super::*;
use crate::{Error, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpSendParameters};

fn encoding(rid: Option<&str>) -> RTCRtpEncodingParameters {
    let coding = RTCRtpCodingParameters { rid: rid.map(str::to_owned) };
    RTCRtpEncodingParameters { coding, ..Default::default() }
}

fn scaled(by: f64) -> RTCRtpEncodingParameters {
    RTCRtpEncodingParameters { scale_resolution_down_by: Some(by), ..Default::default() }
}

fn video(encodings: Vec<RTCRtpEncodingParameters>) -> Result<Vec<RTCRtpEncodingParameters>, Error> {
    validate_send_encodings(MediaKind::Video, encodings)
}

fn error_name<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().name()
}

fn scales(encodings: &[RTCRtpEncodingParameters]) -> Vec<Option<f64>> {
    encodings.iter().map(|encoding| encoding.scale_resolution_down_by).collect()
}

#[test]
fn rids_are_of_their_grammar_and_unique_and_on_all_encodings_or_none() {
    let long = "a".repeat(17);
    for rid in ["", "@Invalid!", "é", "a b", long.as_str()] {
        assert_eq!(error_name(video(vec![encoding(Some(rid))])), "TypeError", "{rid}");
    }
    let mixed = vec![encoding(Some("a")), encoding(None)];
    assert_eq!(error_name(video(mixed)), "TypeError");
    let twice = vec![encoding(Some("a")), encoding(Some("a"))];
    assert_eq!(error_name(video(twice)), "TypeError");
    let valid = video(vec![encoding(Some("q-1")), encoding(Some("h_2"))]).unwrap();
    assert_eq!(valid[1].rid.as_deref(), Some("h_2"));
    assert_eq!(video(Vec::new()), Ok(Vec::new()));
}

#[test]
fn a_lone_encoding_loses_its_rid() {
    assert_eq!(video(vec![encoding(Some("a"))]).unwrap()[0].rid, None);
}

#[test]
fn numbers_that_are_none_are_type_errors() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(error_name(video(vec![scaled(number)])), "TypeError");
        let rate = RTCRtpEncodingParameters { max_framerate: Some(number), ..Default::default() };
        let audio = validate_send_encodings(MediaKind::Audio, vec![rate]);
        assert_eq!(error_name(audio), "TypeError");
    }
}

#[test]
fn scales_below_1_and_frame_rates_of_0_are_range_errors() {
    assert_eq!(error_name(video(vec![scaled(0.5)])), "RangeError");
    let rate = |rate| RTCRtpEncodingParameters { max_framerate: Some(rate), ..Default::default() };
    assert_eq!(error_name(video(vec![rate(0.0)])), "RangeError");
    assert_eq!(error_name(video(vec![rate(-1.0)])), "RangeError");
    assert_eq!(video(vec![rate(0.1)]).unwrap()[0].max_framerate, Some(0.1));
}

#[test]
fn audio_has_one_encoding_without_the_members_of_video() {
    let mut first = scaled(0.5);
    first.max_framerate = Some(-3.0);
    first.max_bitrate = Some(7);
    let valid = validate_send_encodings(MediaKind::Audio, vec![first, encoding(None)]).unwrap();
    let expected = RTCRtpEncodingParameters { max_bitrate: Some(7), ..Default::default() };
    assert_eq!(valid, [expected]);
}

#[test]
fn codecs_are_those_that_can_be_sent() {
    let chosen = |codec| RTCRtpEncodingParameters { codec: Some(codec), ..Default::default() };
    let vp8 = capability(MediaKind::Video, "VP8");
    assert_eq!(video(vec![chosen(vp8.clone())]).unwrap()[0].codec, Some(vp8));
    let opus = capability(MediaKind::Audio, "opus");
    assert_eq!(error_name(video(vec![chosen(opus)])), "OperationError");
}

#[test]
fn scales_are_halved_towards_the_last_encoding_if_none_is_given() {
    let three = vec![encoding(Some("q")), encoding(Some("h")), encoding(Some("f"))];
    assert_eq!(scales(&video(three).unwrap()), [Some(4.0), Some(2.0), Some(1.0)]);
}

#[test]
fn scales_are_1_where_only_others_are_given() {
    let valid = video(vec![encoding(None), scaled(3.0)]).unwrap();
    assert_eq!(scales(&valid), [Some(1.0), Some(3.0)]);
}

/// Step 9 comes before 10: the encoding that is trimmed gave the others their scale.
#[test]
fn what_exceeds_the_maximum_is_trimmed_from_the_tail() {
    let many = vec![encoding(None); 5000];
    assert_eq!(scales(&video(many).unwrap()), [Some(4.0), Some(2.0), Some(1.0)]);
    let mut many = vec![encoding(None); max_encodings(MediaKind::Video)];
    many.push(scaled(2.0));
    assert_eq!(scales(&video(many).unwrap()), [Some(1.0); 3]);
}

fn last_returned() -> RTCRtpSendParameters {
    RTCRtpSendParameters {
        parameters: crate::RTCRtpParameters {
            codecs: negotiate_receive_codecs(&formats(FIREFOX_VIDEO), None).to_vec(),
            ..Default::default()
        },
        transaction_id: "1".into(),
        encodings: vec![encoding(Some("a")), encoding(Some("b"))],
    }
}

fn set(
    change: impl FnOnce(&mut RTCRtpSendParameters),
) -> Result<Vec<RTCRtpEncodingParameters>, Error> {
    let mut parameters = last_returned();
    change(&mut parameters);
    validate_parameters(MediaKind::Video, parameters, &last_returned())
}

#[test]
fn nothing_read_only_can_be_changed() {
    let changes: [fn(&mut RTCRtpSendParameters); 10] = [
        |parameters| parameters.transaction_id.push('2'),
        |parameters| parameters.encodings.push(encoding(Some("c"))),
        |parameters| parameters.encodings.clear(),
        |parameters| parameters.encodings.reverse(),
        |parameters| parameters.encodings[0].rid = None,
        |parameters| parameters.rtcp.cname = Some("other".into()),
        |parameters| parameters.codecs[0].payload_type += 1,
        |parameters| parameters.codecs.swap(0, 1),
        |parameters| parameters.codecs.clear(),
        |parameters| parameters.header_extensions.push(Default::default()),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(error_name(set(change)), "InvalidModificationError", "change {index}");
    }
}

#[test]
fn what_can_be_changed_is_taken_over() {
    let valid = set(|parameters| {
        parameters.encodings[0].active = false;
        parameters.encodings[0].max_bitrate = Some(0);
        parameters.encodings[1].max_framerate = Some(0.0);
        parameters.encodings[1].scale_resolution_down_by = Some(2.5);
    })
    .unwrap();
    assert!(!valid[0].active && valid[1].active);
    assert_eq!((valid[0].max_bitrate, valid[1].max_framerate), (Some(0), Some(0.0)));
    assert_eq!(scales(&valid), [Some(1.0), Some(2.5)]);
}

#[test]
fn changed_numbers_are_checked() {
    let scale = |by| {
        set(move |parameters| {
            parameters.encodings[0] = RTCRtpEncodingParameters {
                coding: parameters.encodings[0].coding.clone(),
                ..scaled(by)
            }
        })
    };
    assert_eq!(error_name(scale(0.9)), "RangeError");
    assert_eq!(error_name(scale(f64::NAN)), "TypeError");
    let rate = set(|parameters| parameters.encodings[0].max_framerate = Some(-0.1));
    assert_eq!(error_name(rate), "RangeError");
}

#[test]
fn a_chosen_codec_was_negotiated_or_nothing_was_yet() {
    let vp9 = || capability(MediaKind::Video, "VP9");
    // Firefox gives VP8 and VP9 parameters, which the capabilities do not have or not so.
    let negotiated = last_returned().codecs[0].codec.clone();
    assert!(set(|parameters| parameters.encodings[0].codec = Some(negotiated)).is_ok());
    let h264 = capability(MediaKind::Video, "H264");
    let refused = set(|parameters| parameters.encodings[0].codec = Some(h264.clone()));
    assert_eq!(error_name(refused), "InvalidModificationError");
    let mut before = last_returned();
    before.codecs.clear();
    let mut parameters = before.clone();
    parameters.encodings[0].codec = Some(vp9());
    parameters.encodings[1].codec = Some(h264);
    let valid = validate_parameters(MediaKind::Video, parameters, &before).unwrap();
    assert_eq!(valid[0].codec, Some(vp9()));
}
