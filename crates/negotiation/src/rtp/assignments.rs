//! Which payload type stands for which codec, and which id for which header extension.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::codec_match::{referenced, same_format};
use super::formats::Formats;
use super::write::Written;
use crate::RTCRtpTransceiverDirection::{Inactive, Recvonly, Sendonly, Sendrecv};
use crate::{MediaKind, RTCRtpCodec, RTCRtpTransceiverDirection};

/// RFC 5761 §4: with RTCP on the same port 64 to 95 are out of use; the lower ones that RFC 3551
/// leaves unassigned come last, as in browsers.
fn dynamic_payload_types() -> impl Iterator<Item = u8> {
    (96..=127).chain(35..=63)
}

/// RFC 8285 §4.2: what one-byte headers can say.
pub(super) const EXTENSION_IDS: std::ops::RangeInclusive<u8> = 1..=14;

/// How many results are remembered. Each kind of media and each direction has its own.
const MAX_MEMORY: usize = 16;

/// The payload types and extension ids of all m= sections of a session. In a BUNDLE group each has
/// one meaning (RFC 9143 §9.1, RFC 8285 §6). So a new section takes those of the others, and none
/// that was in use gets another meaning.
///
/// [`offer`](super::offer) assigns new ones: pass a copy, since the offer may never be applied.
/// A copy shares everything until it changes: most offers assign nothing new.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assignments {
    payload_types: Arc<BTreeMap<u8, Arc<RTCRtpCodec>>>,
    extension_ids: Arc<BTreeMap<u8, Cow<'static, str>>>,
    memory: Arc<Vec<(Question, Option<Arc<Written>>)>>,
}

/// What determines the formats of a section, besides the assignments.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) is_offer: bool,
    pub(super) kind: MediaKind,
    pub(super) direction: RTCRtpTransceiverDirection,
    pub(super) preferred: Vec<RTCRtpCodec>,
    /// For an offer the formats of the section before, for an answer the offered ones.
    pub(super) given: Option<Formats>,
}

impl Assignments {
    /// A copy for an offer that may never be applied. For the first offer of a session it has the
    /// assignments of all first offers, which are made once for the process.
    pub(crate) fn draft(&self) -> Self {
        static FIRST: OnceLock<Assignments> = OnceLock::new();
        if self.payload_types.is_empty() && self.extension_ids.is_empty() {
            FIRST.get_or_init(Self::for_first_offers).clone()
        } else {
            self.clone()
        }
    }

    fn for_first_offers() -> Self {
        let mut assignments = Self::default();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            for direction in [Sendrecv, Sendonly, Recvonly, Inactive] {
                super::offer(kind, direction, &[], None, &mut assignments);
            }
        }
        assignments
    }

    /// Learns from a description of either side that is applied. If it contradicts what was known,
    /// it wins, since it is in use.
    pub(crate) fn learn(&mut self, formats: &Formats) {
        for format in formats.codecs() {
            let known = self.payload_types.get(&format.payload_type);
            if known.is_none_or(|known| !same_configuration(known, &format.codec)) {
                let payload_types = Arc::make_mut(&mut self.payload_types);
                payload_types.insert(format.payload_type, format.codec.clone());
                self.memory = Arc::default();
            }
        }
        for extension in formats.header_extensions() {
            if self.extension_ids.get(&extension.id) != Some(&extension.uri) {
                let extension_ids = Arc::make_mut(&mut self.extension_ids);
                extension_ids.insert(extension.id, extension.uri.clone());
                self.memory = Arc::default();
            }
        }
    }

    /// The payload type of `codec`: the assigned one, else `default`, else any that is free. `None`
    /// if none is free. It is never one that is `excluded`.
    pub(super) fn payload_type(
        &mut self,
        codec: &Arc<RTCRtpCodec>,
        default: Option<u8>,
        excluded: impl Fn(u8) -> bool,
    ) -> Option<u8> {
        let is_it = |known: Option<&Arc<RTCRtpCodec>>| {
            known.is_some_and(|known| same_configuration(known, codec))
        };
        let assigned = default
            .filter(|default| is_it(self.payload_types.get(default)) && !excluded(*default))
            .or_else(|| {
                let mut known = self.payload_types.iter();
                let found = known.find(|(number, known)| is_it(Some(known)) && !excluded(**number));
                found.map(|(number, _)| *number)
            });
        if assigned.is_some() {
            return assigned;
        }
        let mut candidates = default.into_iter().chain(dynamic_payload_types());
        let free = candidates
            .find(|number| !self.payload_types.contains_key(number) && !excluded(*number))?;
        Arc::make_mut(&mut self.payload_types).insert(free, codec.clone());
        Some(free)
    }

    /// The id of the extension `uri`; `None` if none is left.
    pub(super) fn extension_id(
        &mut self,
        uri: &'static str,
        excluded: impl Fn(u8) -> bool,
    ) -> Option<u8> {
        let assigned =
            self.extension_ids.iter().find(|(id, known)| *known == uri && !excluded(**id));
        if let Some((id, _)) = assigned {
            return Some(*id);
        }
        let free = EXTENSION_IDS
            .into_iter()
            .find(|id| !self.extension_ids.contains_key(id) && !excluded(*id))?;
        Arc::make_mut(&mut self.extension_ids).insert(free, Cow::Borrowed(uri));
        Some(free)
    }

    /// The earlier result for the same question. Hundreds of sections may ask the same.
    pub(super) fn recall(
        &self,
        is_offer: bool,
        kind: MediaKind,
        direction: RTCRtpTransceiverDirection,
        preferred: &[RTCRtpCodec],
        given: Option<&Formats>,
    ) -> Option<Option<Arc<Written>>> {
        let same = |question: &Question| {
            question.is_offer == is_offer
                && question.kind == kind
                && question.direction == direction
                && question.preferred == preferred
                && question.given.as_ref() == given
        };
        let found = self.memory.iter().find(|(question, _)| same(question))?;
        Some(found.1.clone())
    }

    pub(super) fn remember(&mut self, question: Question, formats: Option<Arc<Written>>) {
        let memory = Arc::make_mut(&mut self.memory);
        if memory.len() >= MAX_MEMORY {
            memory.remove(0);
        }
        memory.push((question, formats));
    }
}

/// RFC 9143 §9.1.1: whether two uses of a payload type mean the same.
pub(super) fn same_configuration(first: &RTCRtpCodec, second: &RTCRtpCodec) -> bool {
    first == second || same_format(first, second) && referenced(first) == referenced(second)
}
