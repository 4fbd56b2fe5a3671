//! What the tests of this module share: sections as browsers write them, and short ways to ask.

mod answer;
mod capabilities;
mod codec_match;
mod encodings;
mod formats;
mod negotiated;
mod offer;
mod preferences;

use sdp::{Description, Media};

use super::formats::{Format, HeaderExtension};
use super::*;
use crate::{MediaKind, RTCRtpCodec, RTCRtpTransceiverDirection};

pub(super) const SENDRECV: RTCRtpTransceiverDirection = RTCRtpTransceiverDirection::Sendrecv;

/// What Firefox offers to receive, shortened.
pub(super) const FIREFOX_VIDEO: &str = "\
m=video 9 UDP/TLS/RTP/SAVPF 120 124 121 125 99 100 123 122 119
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:5 urn:ietf:params:rtp-hdrext:toffset
a=extmap:6/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
a=fmtp:120 max-fs=12288;max-fr=60
a=fmtp:124 apt=120
a=fmtp:121 max-fs=12288;max-fr=60
a=fmtp:125 apt=121
a=fmtp:100 apt=99
a=fmtp:119 apt=122
a=rtcp-fb:120 nack
a=rtcp-fb:120 nack pli
a=rtcp-fb:120 ccm fir
a=rtcp-fb:120 goog-remb
a=rtcp-fb:120 transport-cc
a=rtcp-rsize
a=rtpmap:120 VP8/90000
a=rtpmap:124 rtx/90000
a=rtpmap:121 VP9/90000
a=rtpmap:125 rtx/90000
a=rtpmap:99 AV1/90000
a=rtpmap:100 rtx/90000
a=rtpmap:123 ulpfec/90000
a=rtpmap:122 red/90000
a=rtpmap:119 rtx/90000
";

/// What Firefox offers, shortened.
pub(super) const FIREFOX_AUDIO: &str = "\
m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:101 0-15
a=rtcp-fb:109 transport-cc
a=rtcp-fb:0 transport-cc
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:101 telephone-event/8000
";

pub(super) fn media(section: &str) -> Media {
    let session = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\n";
    Description::parse(&format!("{session}{section}")).unwrap().media()[0].clone()
}

pub(super) fn formats(section: &str) -> Formats {
    Formats::read(&media(section), true)
}

/// The lines that `formats` makes of an empty section.
pub(super) fn written(formats: &Formats, kind: &str) -> Vec<String> {
    let mut media = Media::new(kind, 9, "UDP/TLS/RTP/SAVPF", &[]);
    let formats = Written::new(formats.clone());
    formats.write_header_extensions(&mut media);
    formats.write_codecs(&mut media);
    media.lines().map(|line| line.to_string()).collect()
}

/// `payload type name` of each codec.
pub(super) fn names(formats: &Formats) -> Vec<String> {
    let name = |format: &Format| {
        let (_, name) = format.codec.mime_type.split_once('/').unwrap();
        format!("{} {name}", format.payload_type)
    };
    formats.codecs().iter().map(name).collect()
}

pub(super) fn codec(mime_type: &str, clock_rate: u32, fmtp: Option<&str>) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate,
        channels: mime_type.to_ascii_lowercase().starts_with("audio/").then_some(1),
        sdp_fmtp_line: fmtp.map(str::to_owned),
    }
}

/// The implemented codec of this name, or the first of them.
pub(super) fn capability(kind: MediaKind, name: &str) -> RTCRtpCodec {
    let mime_type = format!("{kind}/{name}");
    let codecs = send_capabilities(kind).codecs;
    codecs.into_iter().find(|codec| codec.mime_type == mime_type).unwrap()
}

/// The answer to [`FIREFOX_AUDIO`].
pub(super) fn answered_audio() -> Formats {
    let offered = formats(FIREFOX_AUDIO);
    let mut assignments = Assignments::default();
    (*answer(MediaKind::Audio, SENDRECV, &[], &offered, &mut assignments).unwrap()).clone()
}
