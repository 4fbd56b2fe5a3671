//! RFC 9429 §5.2.1 and §5.2.2: what an offer says about RTP.

use std::borrow::Cow;
use std::sync::Arc;

use super::assignments::{Assignments, Question, same_configuration};
use super::capabilities::{
    Implemented, implemented_header_extensions, known_codec, rtx, usable_codecs,
};
use super::codec_match::{Role, role};
use super::formats::{Format, Formats, HeaderExtension};
use super::preferences::filter_preferred_codecs;
use super::write::Written;
use crate::{MediaKind, RTCRtpCodec, RTCRtpTransceiverDirection};

/// The formats of an m= section of an offer.
///
/// `preferred` is `[[PreferredCodecs]]`. `previous` are the formats of the section in the most
/// recent answer, if any: payload types, ids and order come from them. A codec or an extension is
/// not offered if no payload type or id is left for it.
pub(crate) fn offer(
    kind: MediaKind,
    direction: RTCRtpTransceiverDirection,
    preferred: &[RTCRtpCodec],
    previous: Option<&Formats>,
    assignments: &mut Assignments,
) -> Arc<Written> {
    if let Some(Some(known)) = assignments.recall(true, kind, direction, preferred, previous) {
        return known;
    }
    let preferences = filter_preferred_codecs(kind, direction, preferred);
    let keeps_order = preferences.is_none();
    let wanted = preferences.unwrap_or_else(|| usable_codecs(kind, direction).iter().collect());
    let mut section = Section { previous, assignments, codecs: Vec::new() };
    section.add_codecs(&wanted);
    let mut codecs = section.codecs;
    codecs.sort_by_key(|(place, _)| *place);
    let mut codecs: Vec<Format> = codecs.into_iter().map(|(_, format)| format).collect();
    if keeps_order && let Some(previous) = previous {
        // RFC 9429 §5.2.2: first the codecs of the most recent answer in its order, then the rest.
        let place = |format: &Format| {
            let mut codecs = previous.codecs().iter();
            codecs.position(|known| known.payload_type == format.payload_type).unwrap_or(usize::MAX)
        };
        codecs.sort_by_key(place);
    }
    let header_extensions = offer_header_extensions(kind, previous, assignments);
    // RFC 9429 §5.2.2: no longer, if the most recent answer does not have it.
    let reduced_size_rtcp = previous.is_none_or(Formats::reduced_size_rtcp);
    let formats = Written::new(Formats::new(codecs, header_extensions, reduced_size_rtcp));
    let question = Question {
        is_offer: true,
        kind,
        direction,
        preferred: preferred.to_vec(),
        given: previous.cloned(),
    };
    assignments.remember(question, Some(formats.clone()));
    formats
}

/// A section, while its codecs get their payload types.
struct Section<'a> {
    previous: Option<&'a Formats>,
    assignments: &'a mut Assignments,
    /// Each codec with its place.
    codecs: Vec<((usize, u8), Format)>,
}

impl Section<'_> {
    fn add_codecs(&mut self, wanted: &[&Implemented]) {
        let wants_rtx = wanted.iter().any(|implemented| role(&implemented.codec) == Role::Rtx);
        for (place, implemented) in wanted.iter().enumerate() {
            if role(&implemented.codec) != Role::Rtx {
                self.add_codec(place, implemented, wants_rtx);
            }
        }
    }

    fn add_codec(&mut self, place: usize, implemented: &Implemented, wants_rtx: bool) {
        let codec = implemented.codec.clone();
        let Some(payload_type) =
            self.add(place, 0, codec, implemented.payload_type, implemented.feedback.clone())
        else {
            return;
        };
        if !wants_rtx || implemented.rtx_payload_type.is_none() {
            return;
        }
        let rtx = known_codec(rtx(payload_type));
        self.add(place, 1, rtx, implemented.rtx_payload_type, Arc::default());
    }

    fn add(
        &mut self,
        place: usize,
        behind: u8,
        codec: Arc<RTCRtpCodec>,
        default: Option<u8>,
        feedback: Arc<[String]>,
    ) -> Option<u8> {
        let is_taken = |payload_type: u8| {
            self.codecs.iter().any(|(_, format)| format.payload_type == payload_type)
        };
        let in_previous = |payload_type: u8| {
            self.previous.is_some_and(|previous| previous.codec(payload_type).is_some())
        };
        let previous = self.previous.and_then(|previous| {
            previous.codecs().iter().find(|known| {
                same_configuration(&known.codec, &codec) && !is_taken(known.payload_type)
            })
        });
        let payload_type = match previous {
            Some(known) => Some(known.payload_type),
            None => self.assignments.payload_type(&codec, default, |payload_type| {
                is_taken(payload_type) || in_previous(payload_type)
            }),
        };
        let Some(payload_type) = payload_type else {
            tracing::debug!(codec = codec.mime_type, "no payload type is left");
            return None;
        };
        self.codecs.push(((place, behind), Format { payload_type, codec, feedback }));
        Some(payload_type)
    }
}

fn offer_header_extensions(
    kind: MediaKind,
    previous: Option<&Formats>,
    assignments: &mut Assignments,
) -> Vec<HeaderExtension> {
    let previous = previous.map_or(&[][..], Formats::header_extensions);
    let mut extensions: Vec<HeaderExtension> = Vec::new();
    for uri in implemented_header_extensions(kind) {
        let before = previous.iter().find(|known| known.uri == *uri).map(|known| known.id);
        let id = before.or_else(|| {
            assignments.extension_id(uri, |id| previous.iter().any(|known| known.id == id))
        });
        match id {
            Some(id) => extensions.push(HeaderExtension {
                id,
                uri: Cow::Borrowed(uri),
                direction: None,
                attributes: None,
            }),
            None => tracing::debug!(uri, "no extension id is left"),
        }
    }
    extensions
}
