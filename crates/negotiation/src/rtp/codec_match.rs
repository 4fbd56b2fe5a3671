//! Whether two codecs are the same: the codec dictionary match algorithm of webrtc-pc §5.4, and the
//! narrower question whether two descriptions mean the same format.

use std::collections::BTreeMap;

use super::h264::Profile;
use crate::RTCRtpCodec;

/// The purpose of a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Sound or pictures.
    Media,
    /// Retransmission (RFC 4588), of the format that `apt` names.
    Rtx,
    /// Redundancy (RFC 2198), for audio of the formats that its parameters name.
    Red,
    /// Forward error correction.
    Fec,
    /// Comfort noise (RFC 3389).
    ComfortNoise,
    /// DTMF (RFC 4733).
    TelephoneEvent,
}

/// The name of the codec without the kind of media.
pub(super) fn subtype(codec: &RTCRtpCodec) -> &str {
    codec.mime_type.split_once('/').map_or("", |(_, name)| name)
}

pub(super) fn role(codec: &RTCRtpCodec) -> Role {
    const ROLES: [(&str, Role); 7] = [
        ("rtx", Role::Rtx),
        ("red", Role::Red),
        ("ulpfec", Role::Fec),
        ("flexfec", Role::Fec),
        ("flexfec-03", Role::Fec),
        ("CN", Role::ComfortNoise),
        ("telephone-event", Role::TelephoneEvent),
    ];
    let name = subtype(codec);
    let known = ROLES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map_or(Role::Media, |(_, role)| *role)
}

/// Whether packets in this format are retransmissions.
pub(crate) fn is_rtx(codec: &RTCRtpCodec) -> bool {
    role(codec) == Role::Rtx
}

/// The payload types that a format refers to, each once. `rtx` refers to the format that it
/// repairs, audio `red` to the formats that it carries.
pub(super) fn referenced(codec: &RTCRtpCodec) -> Vec<u8> {
    let Some(fmtp) = codec.sdp_fmtp_line.as_deref() else { return Vec::new() };
    let number = |text: &str| text.trim().parse().ok();
    let mut numbers: Vec<u8> = match role(codec) {
        Role::Rtx => parameter(fmtp, "apt").and_then(number).into_iter().collect(),
        Role::Red => fmtp.split('/').filter_map(number).collect(),
        _ => Vec::new(),
    };
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// RFC 4588 §8.1: the payload type that a codec of retransmission repairs; `None` for other codecs.
///
/// ```
/// use peerconnection_negotiation::{RTCRtpCodec, repaired_payload_type};
///
/// let codec = |mime_type: &str| RTCRtpCodec {
///     mime_type: mime_type.into(),
///     clock_rate: 90_000,
///     sdp_fmtp_line: Some("apt=96".into()),
///     ..Default::default()
/// };
/// assert_eq!(repaired_payload_type(&codec("video/rtx")), Some(96));
/// assert_eq!(repaired_payload_type(&codec("video/VP8")), None);
/// ```
pub fn repaired_payload_type(codec: &RTCRtpCodec) -> Option<u8> {
    if is_rtx(codec) { referenced(codec).first().copied() } else { None }
}

/// A parameter of `a=fmtp` that is part of the media format. If it is absent, it has a default
/// value.
struct Parameter {
    name: &'static str,
    default: &'static str,
    /// Whether both sides must have the same value.
    symmetric: bool,
    /// Whether another value means another format, which has a payload type of its own.
    identifies: bool,
}

const fn symmetric(name: &'static str, default: &'static str) -> Parameter {
    Parameter { name, default, symmetric: true, identifies: true }
}

const fn asymmetric(name: &'static str, default: &'static str) -> Parameter {
    Parameter { name, default, symmetric: false, identifies: false }
}

/// RFC 6184 §8.1, §8.2.2
const H264: &[Parameter] = &[
    symmetric("packetization-mode", "0"),
    // Only the profile has to be the same, see `compatible`.
    symmetric(PROFILE_LEVEL_ID, "42000a"),
    asymmetric("level-asymmetry-allowed", "0"),
];
/// RFC 7798 §7.1, §7.2.2
const H265: &[Parameter] = &[
    symmetric("profile-space", "0"),
    symmetric("profile-id", "1"),
    symmetric("tier-flag", "0"),
    symmetric("tx-mode", "SRST"),
    asymmetric("level-id", "93"),
];
/// RFC 9628 §6
const VP9: &[Parameter] = &[symmetric("profile-id", "0")];
/// RTP Payload Format For AV1 §7.2. webrtc-pc §5.4 calls all three asymmetrical, but browsers give
/// each profile its own payload type.
const AV1: &[Parameter] = &[
    Parameter { name: "profile", default: "0", symmetric: false, identifies: true },
    asymmetric("level-idx", "5"),
    asymmetric("tier", "0"),
];
/// RFC 7587 §6.1
const OPUS: &[Parameter] = &[
    asymmetric("maxplaybackrate", "48000"),
    asymmetric("sprop-maxcapturerate", "48000"),
    asymmetric("stereo", "0"),
    asymmetric("sprop-stereo", "0"),
    asymmetric("cbr", "0"),
    asymmetric("useinbandfec", "0"),
    asymmetric("usedtx", "0"),
];
/// RFC 4588 §8.6
const RTX: &[Parameter] =
    &[Parameter { name: "apt", default: "", symmetric: true, identifies: false }];

const PROFILE_LEVEL_ID: &str = "profile-level-id";

fn parameters(codec: &RTCRtpCodec) -> &'static [Parameter] {
    let known: [(&str, &[Parameter]); 6] =
        [("H264", H264), ("H265", H265), ("VP9", VP9), ("AV1", AV1), ("opus", OPUS), ("rtx", RTX)];
    let name = subtype(codec);
    known
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map_or(&[], |(_, list)| list)
}

/// The names and values of `a=fmtp`, which `;` separates. A parameter without `=` has no value.
fn split(fmtp: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    fmtp.split(';').map(str::trim).filter(|parameter| !parameter.is_empty()).map(|parameter| {
        match parameter.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
            None => (parameter, None),
        }
    })
}

/// The value of a parameter; names are compared without case.
pub(super) fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    split(fmtp).find(|(known, _)| known.eq_ignore_ascii_case(name))?.1
}

impl Parameter {
    fn value<'a>(&self, fmtp: Option<&'a str>) -> &'a str {
        fmtp.and_then(|fmtp| parameter(fmtp, self.name)).unwrap_or(self.default)
    }

    /// Whether the values of two descriptions are compatible.
    fn compatible(&self, first: Option<&str>, second: Option<&str>) -> bool {
        let (first, second) = (self.value(first), self.value(second));
        if self.name == PROFILE_LEVEL_ID
            && let (Some(first), Some(second)) = (Profile::of(first), Profile::of(second))
        {
            return first == second;
        }
        first.eq_ignore_ascii_case(second)
    }
}

/// All parameters, with the inferred ones.
fn media_format(codec: &RTCRtpCodec, fmtp: &str) -> BTreeMap<String, String> {
    let inferred = parameters(codec)
        .iter()
        .map(|parameter| (parameter.name.to_owned(), parameter.default.to_owned()));
    let mut format: BTreeMap<String, String> = inferred.collect();
    for (name, value) in split(fmtp) {
        let name = name.to_ascii_lowercase();
        let mut value = value.unwrap_or_default().to_owned();
        if name == PROFILE_LEVEL_ID {
            value.make_ascii_lowercase();
        }
        format.insert(name, value);
    }
    format
}

/// webrtc-pc §5.4: the codec dictionary match algorithm.
pub(crate) fn codec_dictionary_match(
    first: &RTCRtpCodec,
    second: &RTCRtpCodec,
    ignore_asymmetrical_parameters: bool,
) -> bool {
    // Steps 1 to 3
    if !first.mime_type.eq_ignore_ascii_case(&second.mime_type)
        || first.clock_rate != second.clock_rate
        || first.channels != second.channels
    {
        return false;
    }
    let (first_fmtp, second_fmtp) = match (&first.sdp_fmtp_line, &second.sdp_fmtp_line) {
        (None, None) => return true,
        // Step 4
        (None, Some(_)) | (Some(_), None) => return false,
        (Some(first), Some(second)) => (first.as_str(), second.as_str()),
    };
    // Step 5.1
    let key_value = |fmtp| split(fmtp).all(|(_, value)| value.is_some());
    if !key_value(first_fmtp) || !key_value(second_fmtp) {
        return first_fmtp == second_fmtp;
    }
    // Step 5.3
    let compatible = parameters(first)
        .iter()
        .filter(|parameter| parameter.symmetric)
        .all(|parameter| parameter.compatible(Some(first_fmtp), Some(second_fmtp)));
    if !compatible {
        return false;
    }
    // Steps 5.2 and 5.4
    ignore_asymmetrical_parameters
        || media_format(first, first_fmtp) == media_format(second, second_fmtp)
}

/// RFC 3264 §6.1: whether two descriptions mean the same format. The payload type does not matter,
/// nor the parameters that each side declares for itself, nor what `rtx` and `red` refer to.
///
/// ```
/// use peerconnection_negotiation::{RTCRtpCodec, same_format};
///
/// let vp9 = |profile: &str| RTCRtpCodec {
///     mime_type: "video/VP9".into(),
///     clock_rate: 90_000,
///     sdp_fmtp_line: Some(format!("profile-id={profile}")),
///     ..Default::default()
/// };
/// assert!(same_format(&vp9("0"), &vp9("0")));
/// assert!(!same_format(&vp9("0"), &vp9("2")));
/// ```
pub fn same_format(first: &RTCRtpCodec, second: &RTCRtpCodec) -> bool {
    if !first.mime_type.eq_ignore_ascii_case(&second.mime_type)
        || first.clock_rate != second.clock_rate
        || first.channels != second.channels
    {
        return false;
    }
    let (first_fmtp, second_fmtp) =
        (first.sdp_fmtp_line.as_deref(), second.sdp_fmtp_line.as_deref());
    first_fmtp == second_fmtp
        || parameters(first)
            .iter()
            .filter(|parameter| parameter.identifies)
            .all(|parameter| parameter.compatible(first_fmtp, second_fmtp))
}
