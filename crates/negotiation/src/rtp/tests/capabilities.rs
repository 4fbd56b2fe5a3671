use std::collections::HashSet;

use super::*;
use crate::rtp::capabilities::list_of_implemented_send_codecs;
use crate::rtp::codec_match::same_format;

#[test]
fn what_rfc_7742_and_7874_make_mandatory_is_there() {
    for name in ["VP8", "H264"] {
        assert_eq!(capability(MediaKind::Video, name).clock_rate, 90_000);
    }
    for name in ["opus", "PCMU", "PCMA", "telephone-event"] {
        assert!(capability(MediaKind::Audio, name).channels.is_some());
    }
    let constrained_baseline = |codec: &RTCRtpCodec| {
        codec.sdp_fmtp_line.as_ref().is_some_and(|fmtp| fmtp.contains("profile-level-id=42e01f"))
    };
    assert!(send_capabilities(MediaKind::Video).codecs.iter().any(constrained_baseline));
}

/// Each of them makes a browser send something else, or stop sending, once it is accepted.
#[test]
fn what_the_transport_does_not_understand_yet_is_not_there() {
    for kind in [MediaKind::Audio, MediaKind::Video] {
        for implemented in list_of_implemented_send_codecs(kind) {
            let name = implemented.codec.mime_type.split_once('/').unwrap().1;
            assert!(!["red", "ulpfec", "flexfec-03"].contains(&name), "{name}");
            assert!(!implemented.feedback.iter().any(|known| known == "transport-cc"), "{name}");
        }
        for capability in receive_capabilities(kind).header_extensions {
            for declined in ["transport-wide-cc", "dependency-descriptor", "video-timing"] {
                assert!(!capability.uri.contains(declined), "{}", capability.uri);
            }
        }
    }
}

/// webrtc-pc §5.2.10
#[test]
fn there_is_one_entry_for_retransmission_without_parameters() {
    for capabilities in [send_capabilities, receive_capabilities] {
        let codecs = capabilities(MediaKind::Video).codecs;
        let rtx: Vec<_> = codecs.iter().filter(|codec| codec.mime_type == "video/rtx").collect();
        assert_eq!(rtx, [&codec("video/rtx", 90_000, None)]);
    }
}

/// webrtc-pc §5.2.10: only combinations with payload types of their own.
#[test]
fn no_two_entries_are_the_same_format() {
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let codecs = send_capabilities(kind).codecs;
        for (index, first) in codecs.iter().enumerate() {
            for second in &codecs[index + 1..] {
                assert!(!same_format(first, second), "{first:?} {second:?}");
            }
        }
    }
}

#[test]
fn default_payload_types_are_distinct_over_both_kinds_and_allowed_with_rtcp_mux() {
    let mut seen = HashSet::new();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        for implemented in list_of_implemented_send_codecs(kind) {
            for number in implemented.payload_type.into_iter().chain(implemented.rtx_payload_type) {
                assert!(seen.insert(number), "{number} is used twice");
                assert!(number < 64 || (96..128).contains(&number), "{number}");
            }
        }
    }
}

#[test]
fn header_extensions_of_both_kinds_fit_one_byte_headers() {
    let uris: HashSet<String> = [MediaKind::Audio, MediaKind::Video]
        .into_iter()
        .flat_map(|kind| receive_capabilities(kind).header_extensions)
        .map(|capability| capability.uri)
        .collect();
    assert!(uris.len() <= 14, "{uris:?}");
    assert!(uris.contains("urn:ietf:params:rtp-hdrext:sdes:mid"));
}
