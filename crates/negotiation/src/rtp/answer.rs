//! RFC 9429 §5.3.1: what an answer says of RTP.

use std::sync::Arc;

use super::assignments::{Assignments, Question};
use super::capabilities::{Implemented, implemented_header_extensions, usable_codecs};
use super::codec_match::{Role, referenced, role, same_format, subtype};
use super::formats::{Format, Formats, HeaderExtension};
use super::h264;
use super::preferences::filtered_codecs;
use crate::{MediaKind, RTCRtpCodec, RTCRtpTransceiverDirection};

/// The formats of an m= section that answers one that offers `offered`; `None` if the section is to
/// be rejected, as no codec for media is common to both.
///
/// `preferred` is `[[PreferredCodecs]]`. Payload types and ids are the offer's; so is the order,
/// unless there are preferences.
pub(crate) fn answer(
    kind: MediaKind,
    direction: RTCRtpTransceiverDirection,
    preferred: &[RTCRtpCodec],
    offered: &Formats,
    assignments: &mut Assignments,
) -> Option<Arc<Formats>> {
    if let Some(known) = assignments.remembered(false, kind, direction, preferred, Some(offered)) {
        return known;
    }
    let preferences = filtered_codecs(kind, direction, preferred);
    let codecs = answered_codecs(kind, direction, preferences.as_deref(), offered);
    let formats = codecs.iter().any(|format| role(&format.codec) == Role::Media).then(|| {
        let extensions = answered_header_extensions(kind, offered);
        Arc::new(Formats::new(codecs, extensions, offered.reduced_size_rtcp()))
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

/// A codec that is answered, and where it stands: by preference, then as it was offered.
struct Accepted {
    place: (usize, usize),
    format: Format,
}

fn answered_codecs(
    kind: MediaKind,
    direction: RTCRtpTransceiverDirection,
    preferences: Option<&[&'static Implemented]>,
    offered: &Formats,
) -> Vec<Format> {
    let usable = usable_codecs(kind, direction);
    // Which of our codecs it is, and its place in the preferences.
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
    // What refers to another payload type comes after that: `red` to media, `rtx` to both.
    let passes: [fn(Role) -> bool; 3] = [
        |role| !matches!(role, Role::Red | Role::Rtx),
        |role| role == Role::Red,
        |role| role == Role::Rtx,
    ];
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
                // It goes where the codec is that it repairs; without one it is of no use.
                let Some(repaired) = references.first().and_then(accepted_as) else { continue };
                preference = repaired.place.0;
            }
            let format = answered_format(format, implemented);
            accepted.push(Accepted { place: (preference, index), format });
        }
    }
    accepted.sort_by_key(|accepted| accepted.place);
    accepted.into_iter().map(|accepted| accepted.format).collect()
}

/// RFC 3264 §6.1: the offer's payload type; what is ours to say of the format, or what was said of
/// it if we say nothing; the feedback that both sides have.
fn answered_format(offered: &Format, implemented: &Implemented) -> Format {
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
    Format {
        payload_type: offered.payload_type,
        codec: RTCRtpCodec { sdp_fmtp_line, ..implemented.codec.clone() },
        feedback: offered.feedback.iter().filter(is_ours).cloned().collect(),
    }
}

/// RFC 8285 §6: those that both sides have, each way in which the offerer wants them.
fn answered_header_extensions(kind: MediaKind, offered: &Formats) -> Vec<HeaderExtension> {
    let implemented = implemented_header_extensions(kind);
    let known = offered
        .header_extensions()
        .iter()
        .filter(|extension| implemented.contains(&extension.uri.as_str()));
    known
        .map(|extension| HeaderExtension {
            id: extension.id,
            uri: extension.uri.clone(),
            direction: extension.direction.map(sdp::Direction::reversed),
            attributes: None,
        })
        .collect()
}
