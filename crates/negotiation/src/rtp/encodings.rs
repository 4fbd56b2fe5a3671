//! webrtc-pc §5.1, §5.2: the validation of encodings.

use std::collections::HashSet;

use super::capabilities::list_of_implemented_send_codecs;
use super::codec_match::codec_dictionary_match;
use crate::{Error, MediaKind, RTCRtpCodec, RTCRtpEncodingParameters, RTCRtpSendParameters};

/// How many simulcast encodings a video sender can have, as in browsers.
const MAX_VIDEO_ENCODINGS: usize = 3;
/// RFC 8285 §4.2: an element with a one-byte header can hold this much. Browsers have this limit,
/// too.
const MAX_RID_LENGTH: usize = 16;

/// "The maximum number of total simultaneous encodings the user agent may support for this kind"
/// (webrtc-pc §5.1).
pub(crate) fn max_encodings(kind: MediaKind) -> usize {
    match kind {
        MediaKind::Audio => 1,
        MediaKind::Video => MAX_VIDEO_ENCODINGS,
    }
}

/// webrtc-pc §5.1: the addTransceiver sendEncodings validation steps.
///
/// # Errors
/// `TypeError` for an invalid rid or a number that is not finite, `OperationError` for an unknown
/// codec, `RangeError` for a number out of range.
pub(crate) fn validate_send_encodings(
    kind: MediaKind,
    mut send_encodings: Vec<RTCRtpEncodingParameters>,
) -> Result<Vec<RTCRtpEncodingParameters>, Error> {
    require_finite(&send_encodings)?;
    // Step 1
    check_rids(&send_encodings)?;
    // Step 2: rid is the only read-only parameter.
    // Step 3
    let is_known = |codec: &RTCRtpCodec| {
        list_of_implemented_send_codecs(kind)
            .iter()
            .any(|implemented| codec_dictionary_match(codec, &implemented.codec, false))
    };
    for codec in send_encodings.iter().filter_map(|encoding| encoding.codec.as_ref()) {
        if !is_known(codec) {
            let message = format!("{} is not a codec that can be sent", codec.mime_type);
            return Err(Error::OperationError(message));
        }
    }
    // Step 4: the application encodes, so any codec can be changed.
    // Step 5
    if kind == MediaKind::Audio {
        remove_video_members(&mut send_encodings);
    }
    // Step 6
    check_scale_resolution_down_by(&send_encodings)?;
    // Step 7
    let positive = |rate: f64| rate > 0.0;
    if !send_encodings.iter().filter_map(|encoding| encoding.max_framerate).all(positive) {
        return Err(Error::RangeError("maxFramerate has to be greater than 0".into()));
    }
    // Step 8
    let max_n = max_encodings(kind);
    // Step 9
    if send_encodings.iter().any(|encoding| encoding.scale_resolution_down_by.is_some()) {
        for encoding in &mut send_encodings {
            encoding.scale_resolution_down_by.get_or_insert(1.0);
        }
    }
    // Step 10
    send_encodings.truncate(max_n);
    // Step 11
    if kind == MediaKind::Video
        && send_encodings.iter().all(|encoding| encoding.scale_resolution_down_by.is_none())
    {
        let mut scale = 1.0;
        for encoding in send_encodings.iter_mut().rev() {
            encoding.scale_resolution_down_by = Some(scale);
            scale *= 2.0;
        }
    }
    // Step 12
    if let [lone] = send_encodings.as_mut_slice() {
        lone.rid = None;
    }
    Ok(send_encodings)
}

/// webrtc-pc §5.2: the setParameters validation steps. Returns the value for `[[SendEncodings]]`.
/// `last_returned` is `[[LastReturnedParameters]]`.
///
/// # Errors
/// `InvalidModificationError` if a read-only parameter was changed or a codec cannot be chosen,
/// `RangeError` for a number out of range, `TypeError` for a number that is not finite.
pub(crate) fn validate_parameters(
    kind: MediaKind,
    parameters: RTCRtpSendParameters,
    last_returned: &RTCRtpSendParameters,
) -> Result<Vec<RTCRtpEncodingParameters>, Error> {
    // Step 1
    let RTCRtpSendParameters { parameters, transaction_id, mut encodings } = parameters;
    require_finite(&encodings)?;
    // Steps 5 and 6. Whatever changes [[SendEncodings]] sets [[LastReturnedParameters]] to null, so
    // both have the same number of encodings, N.
    if encodings.len() != last_returned.encodings.len() {
        return Err(modified("the number of encodings"));
    }
    let rids = |encodings: &[RTCRtpEncodingParameters]| -> Vec<Option<String>> {
        encodings.iter().map(|encoding| encoding.rid.clone()).collect()
    };
    if rids(&encodings) != rids(&last_returned.encodings) {
        return Err(modified("the rid or the order of encodings"));
    }
    if parameters != last_returned.parameters {
        return Err(modified("a read-only parameter"));
    }
    if transaction_id != last_returned.transaction_id {
        return Err(modified("transactionId"));
    }
    // Steps 2 to 4
    let codecs = &parameters.codecs;
    let is_choosable = |chosen: &RTCRtpCodec| {
        if codecs.is_empty() {
            list_of_implemented_send_codecs(kind)
                .iter()
                .any(|implemented| codec_dictionary_match(chosen, &implemented.codec, true))
        } else {
            codecs.iter().any(|codec| codec_dictionary_match(chosen, codec, true))
        }
    };
    for codec in encodings.iter().filter_map(|encoding| encoding.codec.as_ref()) {
        if !is_choosable(codec) {
            let message = format!("{} was not negotiated for sending", codec.mime_type);
            return Err(Error::InvalidModificationError(message));
        }
    }
    match kind {
        // Step 7
        MediaKind::Audio => remove_video_members(&mut encodings),
        // Steps 8 and 9
        MediaKind::Video => {
            for encoding in &mut encodings {
                encoding.scale_resolution_down_by.get_or_insert(1.0);
            }
            check_scale_resolution_down_by(&encodings)?;
        }
    }
    // Step 10
    let not_negative = |rate: f64| rate >= 0.0;
    if !encodings.iter().filter_map(|encoding| encoding.max_framerate).all(not_negative) {
        return Err(Error::RangeError("maxFramerate cannot be negative".into()));
    }
    // Step 11: the application encodes, so it can mix codecs.
    Ok(encodings)
}

fn modified(what: &str) -> Error {
    Error::InvalidModificationError(format!("{what} was changed since getParameters()"))
}

/// Web IDL, `double`: neither infinite nor not a number.
fn require_finite(encodings: &[RTCRtpEncodingParameters]) -> Result<(), Error> {
    let mut numbers = encodings
        .iter()
        .flat_map(|encoding| [encoding.max_framerate, encoding.scale_resolution_down_by])
        .flatten();
    if numbers.all(f64::is_finite) {
        return Ok(());
    }
    Err(Error::TypeError("maxFramerate and scaleResolutionDownBy have to be finite".into()))
}

fn check_rids(encodings: &[RTCRtpEncodingParameters]) -> Result<(), Error> {
    let error = |message: &str| Err(Error::TypeError(message.into()));
    let mut seen = HashSet::new();
    for rid in encodings.iter().filter_map(|encoding| encoding.rid.as_deref()) {
        if !is_rid(rid) {
            return error("a rid has to be 1 to 16 letters, digits, - and _");
        }
        if !seen.insert(rid) {
            return error("two encodings have the same rid");
        }
    }
    if !seen.is_empty() && seen.len() < encodings.len() {
        return error("some encodings have a rid and some have none");
    }
    Ok(())
}

/// RFC 8851 §10
fn is_rid(rid: &str) -> bool {
    (1..=MAX_RID_LENGTH).contains(&rid.len())
        && rid.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn remove_video_members(encodings: &mut [RTCRtpEncodingParameters]) {
    for encoding in encodings {
        encoding.scale_resolution_down_by = None;
        encoding.max_framerate = None;
    }
}

fn check_scale_resolution_down_by(encodings: &[RTCRtpEncodingParameters]) -> Result<(), Error> {
    let scales = encodings.iter().filter_map(|encoding| encoding.scale_resolution_down_by);
    if scales.into_iter().all(|scale| scale >= 1.0) {
        return Ok(());
    }
    Err(Error::RangeError("scaleResolutionDownBy has to be at least 1".into()))
}
