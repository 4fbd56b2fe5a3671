//! RFC 9429 §5.3.1: what an answer says about RTP.

use std::sync::Arc;

use super::assignments::{Assignments, Question};
use super::capabilities::{Implemented, implemented_header_extensions, known_codec, usable_codecs};
use super::codec_match::{Role, referenced, role, same_format, subtype};
use super::formats::{Format, Formats, HeaderExtension};
use super::h264;
use super::preferences::filter_preferred_codecs;
use super::write::Written;
use crate::{MediaKind, RTCRtpCodec, RTCRtpTransceiverDirection};

/// The formats that answer the formats `offered` of an m= section. `None` rejects the section: both
/// sides have no codec for media in common.
///
/// `preferred` is `[[PreferredCodecs]]`. Payload types, ids and order come from the offer; but
/// preferences, if there are any, decide the order.
pub(crate) fn answer(
    kind: MediaKind,
    direction: RTCRtpTransceiverDirection,
    preferred: &[RTCRtpCodec],
    offered: &Formats,
    assignments: &mut Assignments,
) -> Option<Arc<Written>> {
    if let Some(known) = assignments.recall(false, kind, direction, preferred, Some(offered)) {
        return known;
    }
    let preferences = filter_preferred_codecs(kind, direction, preferred);
    let codecs = answer_codecs(kind, direction, preferences.as_deref(), offered);
    let formats = codecs.iter().any(|format| role(&format.codec) == Role::Media).then(|| {
        let extensions = answer_header_extensions(kind, offered);
        Written::new(Formats::new(codecs, extensions, offered.reduced_size_rtcp()))
    });
    let question = Question {
        is_offer: false,
        kind,
        direction,
        preferred: preferred.to_vec(),
        given: Some(offered.clone()),
    };
    assignments.remember(question, formats.clone());
    formats
}

/// A codec of the answer, and its place: first by preference, then by the order of the offer.
struct Accepted {
    place: (usize, usize),
    format: Format,
}

fn answer_codecs(
    kind: MediaKind,
    direction: RTCRtpTransceiverDirection,
    preferences: Option<&[&'static Implemented]>,
    offered: &Formats,
) -> Vec<Format> {
    let usable = usable_codecs(kind, direction);
    // The codec of this side that is the same, and its place in the preferences.
    let ours = |codec: &RTCRtpCodec| -> Option<(usize, &'static Implemented)> {
        match preferences {
            None => {
                usable.iter().find(|known| same_format(&known.codec, codec)).map(|known| (0, known))
            }
            Some(preferences) => preferences
                .iter()
                .copied()
                .enumerate()
                .find(|(_, known)| same_format(&known.codec, codec)),
        }
    };
    let mut accepted: Vec<Accepted> = Vec::new();
    // `rtx` refers to another codec, so it comes in the later pass.
    let passes: [fn(Role) -> bool; 2] = [|role| role != Role::Rtx, |role| role == Role::Rtx];
    for in_this_pass in passes {
        for (index, format) in offered.codecs().iter().enumerate() {
            let role = role(&format.codec);
            if !in_this_pass(role) {
                continue;
            }
            let Some((mut preference, implemented)) = ours(&format.codec) else { continue };
            let references = referenced(&format.codec);
            let accepted_as = |number: &u8| {
                accepted.iter().find(|accepted| accepted.format.payload_type == *number)
            };
            if !references.iter().all(|number| accepted_as(number).is_some()) {
                continue;
            }
            if role == Role::Rtx {
                // It stands behind the codec that it repairs. Without that codec it has no use.
                let Some(repaired) = references.first().and_then(accepted_as) else { continue };
                preference = repaired.place.0;
            }
            let feedback = accepted.last().map(|last| &last.format.feedback);
            let format = answer_format(format, implemented, feedback);
            accepted.push(Accepted { place: (preference, index), format });
        }
    }
    accepted.sort_by_key(|accepted| accepted.place);
    accepted.into_iter().map(|accepted| accepted.format).collect()
}

/// RFC 3264 §6.1: the payload type of the offer, the parameters of this side, or those of the offer
/// if this side has none, and the feedback that both sides have. Mostly that is the feedback of the
/// format `before`.
fn answer_format(
    offered: &Format,
    implemented: &Implemented,
    before: Option<&Arc<[String]>>,
) -> Format {
    let theirs = &offered.codec.sdp_fmtp_line;
    let sdp_fmtp_line = match &implemented.codec.sdp_fmtp_line {
        Some(ours) if subtype(&implemented.codec) == "H264" => {
            Some(h264::answer(ours, theirs.as_deref()))
        }
        Some(ours) => Some(ours.clone()),
        None => theirs.clone(),
    };
    let is_ours = |feedback: &&String| {
        implemented.feedback.iter().any(|known| known.eq_ignore_ascii_case(feedback))
    };
    let codec = RTCRtpCodec { sdp_fmtp_line, ..implemented.codec.as_ref().clone() };
    let common = || offered.feedback.iter().filter(is_ours);
    let before = before.filter(|before| before.iter().eq(common()));
    Format {
        payload_type: offered.payload_type,
        codec: known_codec(codec),
        feedback: before.map_or_else(|| common().cloned().collect(), Arc::clone),
    }
}

/// RFC 8285 §6: the extensions that both sides have, in the directions of the offer.
fn answer_header_extensions(kind: MediaKind, offered: &Formats) -> Vec<HeaderExtension> {
    let implemented = implemented_header_extensions(kind);
    let known = offered
        .header_extensions()
        .iter()
        .filter(|extension| implemented.contains(&extension.uri.as_ref()));
    known
        .map(|extension| HeaderExtension {
            id: extension.id,
            uri: extension.uri.clone(),
            direction: extension.direction.map(sdp::Direction::reversed),
            attributes: None,
        })
        .collect()
}
