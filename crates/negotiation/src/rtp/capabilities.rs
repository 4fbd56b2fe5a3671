//! webrtc-pc §5.2, §5.3: the implemented codecs and header extensions.
//!
//! The application encodes and decodes frames, so a codec is implemented if its frames can be
//! described and carried. The lists contain what browsers offer, in Chromium's order and with its
//! payload types, except what the transport would have to understand and does not yet:
//! `spec-notes/deviations.md` names it. A header extension that tells the receiving application
//! something, and the transport nothing, is carried as it is.

use std::sync::{Arc, LazyLock};

use crate::{
    MediaKind, RTCRtpCapabilities, RTCRtpCodec, RTCRtpHeaderExtensionCapability,
    RTCRtpTransceiverDirection,
};

/// A codec as it is offered.
#[derive(Debug)]
pub(super) struct Implemented {
    pub(super) codec: Arc<RTCRtpCodec>,
    pub(super) feedback: Arc<[String]>,
    /// Its payload type, unless another codec has that already; `None` for `rtx`, whose payload
    /// type depends on the codec that it repairs.
    pub(super) payload_type: Option<u8>,
    /// The payload type of the `rtx` that repairs it; `None` if it is not repaired.
    pub(super) rtx_payload_type: Option<u8>,
}

static PICTURES: LazyLock<Arc<[String]>> =
    LazyLock::new(|| ["goog-remb", "ccm fir", "nack", "nack pli"].map(str::to_owned).into());

const H264: [(u8, u8, &str); 8] = [
    (102, 103, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"),
    (104, 107, "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f"),
    (108, 109, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    (114, 115, "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"),
    (116, 117, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f"),
    (39, 40, "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=4d001f"),
    (112, 113, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f"),
    (50, 51, "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=64001f"),
];

static AUDIO: LazyLock<Vec<Implemented>> = LazyLock::new(|| {
    let opus = "minptime=10;useinbandfec=1";
    vec![
        audio("opus", 48_000, 2, 111).with_fmtp(opus),
        audio("G722", 8_000, 1, 9),
        audio("PCMU", 8_000, 1, 0),
        audio("PCMA", 8_000, 1, 8),
        audio("CN", 8_000, 1, 13),
        audio("telephone-event", 48_000, 1, 110),
        audio("telephone-event", 8_000, 1, 126),
    ]
});

static VIDEO: LazyLock<Vec<Implemented>> = LazyLock::new(|| {
    let h264 = H264.map(|(payload_type, rtx, fmtp)| {
        picture("H264", payload_type).with_fmtp(fmtp).with_rtx(rtx)
    });
    let mut list = vec![
        picture("VP8", 96).with_rtx(97),
        picture("VP9", 98).with_fmtp("profile-id=0").with_rtx(99),
        picture("VP9", 100).with_fmtp("profile-id=2").with_rtx(101),
    ];
    list.extend(h264);
    list.extend([
        picture("AV1", 45).with_fmtp("level-idx=5;profile=0;tier=0").with_rtx(46),
        picture("H265", 52)
            .with_fmtp("level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST")
            .with_rtx(53),
        Implemented { payload_type: None, ..video("rtx", 0) },
    ]);
    list
});

const AUDIO_EXTENSIONS: &[&str] = &[
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "urn:ietf:params:rtp-hdrext:sdes:mid",
];

const VIDEO_EXTENSIONS: &[&str] = &[
    "urn:ietf:params:rtp-hdrext:toffset",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "urn:3gpp:video-orientation",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
    "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
];

fn audio(name: &str, clock_rate: u32, channels: u16, payload_type: u8) -> Implemented {
    let codec = RTCRtpCodec {
        mime_type: format!("audio/{name}"),
        clock_rate,
        channels: Some(channels),
        sdp_fmtp_line: None,
    };
    Implemented {
        codec: Arc::new(codec),
        feedback: Arc::default(),
        payload_type: Some(payload_type),
        rtx_payload_type: None,
    }
}

fn video(name: &str, payload_type: u8) -> Implemented {
    let codec = RTCRtpCodec {
        mime_type: format!("video/{name}"),
        clock_rate: 90_000,
        channels: None,
        sdp_fmtp_line: None,
    };
    Implemented {
        codec: Arc::new(codec),
        feedback: Arc::default(),
        payload_type: Some(payload_type),
        rtx_payload_type: None,
    }
}

fn picture(name: &str, payload_type: u8) -> Implemented {
    video(name, payload_type).with_feedback(&PICTURES)
}

impl Implemented {
    fn with_fmtp(mut self, fmtp: &str) -> Self {
        Arc::make_mut(&mut self.codec).sdp_fmtp_line = Some(fmtp.to_owned());
        self
    }

    fn with_feedback(mut self, feedback: &Arc<[String]>) -> Self {
        self.feedback.clone_from(feedback);
        self
    }

    fn with_rtx(mut self, payload_type: u8) -> Self {
        self.rtx_payload_type = Some(payload_type);
        self
    }
}

/// RFC 4588 §8.6: the codec that repairs a payload type of pictures.
pub(super) fn rtx(payload_type: u8) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: "video/rtx".to_owned(),
        clock_rate: 90_000,
        channels: None,
        sdp_fmtp_line: Some(format!("apt={payload_type}")),
    }
}

/// The codecs of this side as it offers them, and what repairs them.
static KNOWN: LazyLock<Vec<Arc<RTCRtpCodec>>> = LazyLock::new(|| {
    let codecs = AUDIO.iter().chain(VIDEO.iter()).map(|known| known.codec.clone());
    let repaired = VIDEO.iter().filter(|known| known.rtx_payload_type.is_some());
    let repairs = repaired.filter_map(|known| Some(Arc::new(rtx(known.payload_type?))));
    codecs.chain(repairs).collect()
});

/// A codec to be kept. If it is one of this side's, as most are, all descriptions of the process
/// share it.
pub(super) fn known_codec(codec: RTCRtpCodec) -> Arc<RTCRtpCodec> {
    let known = KNOWN.iter().find(|known| ***known == codec);
    known.map_or_else(|| Arc::new(codec), Arc::clone)
}

/// webrtc-pc §5.2: the list of implemented send codecs.
pub(super) fn list_of_implemented_send_codecs(kind: MediaKind) -> &'static [Implemented] {
    match kind {
        MediaKind::Audio => &AUDIO,
        MediaKind::Video => &VIDEO,
    }
}

/// webrtc-pc §5.3: the list of implemented receive codecs. It is the same list.
pub(super) fn list_of_implemented_receive_codecs(kind: MediaKind) -> &'static [Implemented] {
    list_of_implemented_send_codecs(kind)
}

/// The codecs that a transceiver of this direction can use: it can send them if it sends, and
/// receive them if it receives.
pub(super) fn usable_codecs(
    kind: MediaKind,
    direction: RTCRtpTransceiverDirection,
) -> &'static [Implemented] {
    use RTCRtpTransceiverDirection::{Inactive, Recvonly, Sendonly, Sendrecv, Stopped};
    match direction {
        Sendonly => list_of_implemented_send_codecs(kind),
        Recvonly => list_of_implemented_receive_codecs(kind),
        // The codecs that are on both lists. The lists are the same.
        Sendrecv | Inactive | Stopped => list_of_implemented_send_codecs(kind),
    }
}

/// webrtc-pc §5.2, §5.3: the lists of implemented header extensions for sending and receiving.
pub(super) fn implemented_header_extensions(kind: MediaKind) -> &'static [&'static str] {
    match kind {
        MediaKind::Audio => AUDIO_EXTENSIONS,
        MediaKind::Video => VIDEO_EXTENSIONS,
    }
}

fn capabilities(kind: MediaKind, codecs: &[Implemented]) -> RTCRtpCapabilities {
    RTCRtpCapabilities {
        codecs: codecs.iter().map(|implemented| implemented.codec.as_ref().clone()).collect(),
        header_extensions: implemented_header_extensions(kind)
            .iter()
            .map(|uri| RTCRtpHeaderExtensionCapability { uri: (*uri).to_owned() })
            .collect(),
    }
}

/// webrtc-pc §5.2: what can be sent for a kind of media, `RTCRtpSender.getCapabilities()`.
///
/// ```
/// use peerconnection_negotiation::{MediaKind, send_capabilities};
///
/// let video = send_capabilities(MediaKind::Video);
/// assert_eq!(video.codecs.iter().filter(|codec| codec.mime_type == "video/rtx").count(), 1);
/// ```
pub fn send_capabilities(kind: MediaKind) -> RTCRtpCapabilities {
    capabilities(kind, list_of_implemented_send_codecs(kind))
}

/// webrtc-pc §5.3: what can be received for a kind of media, `RTCRtpReceiver.getCapabilities()`.
pub fn receive_capabilities(kind: MediaKind) -> RTCRtpCapabilities {
    capabilities(kind, list_of_implemented_receive_codecs(kind))
}
