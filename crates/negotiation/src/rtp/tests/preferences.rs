use super::*;
use crate::Error;

fn error_name<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().name()
}

/// webrtc-pc §5.4
#[test]
fn preferences_are_codecs_that_are_supported_each_once() {
    let check = |codecs| check_codec_preferences(MediaKind::Audio, codecs);
    let all = send_capabilities(MediaKind::Audio).codecs;
    assert_eq!(check(all.iter().chain(&all).cloned().collect()), Ok(all.clone()));
    assert_eq!(check(Vec::new()), Ok(Vec::new()));
    let video = send_capabilities(MediaKind::Video).codecs;
    assert_eq!(error_name(check(video)), "InvalidModificationError");
    let changes: [fn(&mut RTCRtpCodec); 4] = [
        |codec| codec.clock_rate /= 2,
        |codec| codec.channels = Some(13),
        |codec| codec.sdp_fmtp_line = Some("modifiedparameter=1".into()),
        |codec| codec.mime_type = "data".into(),
    ];
    for change in changes {
        let mut codecs = all.clone();
        change(&mut codecs[0]);
        assert_eq!(error_name(check(codecs)), "InvalidModificationError");
    }
}

#[test]
fn preferences_without_media_are_refused() {
    let check = |kind, names: &[&str]| {
        check_codec_preferences(kind, names.iter().map(|name| capability(kind, name)).collect())
    };
    let name = |kind, names| error_name(check(kind, names));
    assert_eq!(name(MediaKind::Video, &["rtx"]), "InvalidModificationError");
    assert_eq!(name(MediaKind::Audio, &["CN"]), "InvalidModificationError");
    assert!(check(MediaKind::Audio, &["telephone-event"]).is_ok());
    assert!(check(MediaKind::Video, &["rtx", "VP8"]).is_ok());
}
