//! RFC 9429 §5.3.1: which sections of an offer are accepted.

use std::collections::HashMap;
use std::sync::Arc;

use crate::description::{Description, is_data_channel_section, media_kind};
use crate::rtp::{self, Formats, Written};
use crate::session::Session;
use crate::signaling::Side;
use crate::transceiver::TransceiverId;
use idl::RTCBundlePolicy;

/// What an answer does with a section.
pub(super) enum Accepted {
    /// It rejects the section, although that may have a transceiver.
    Rejected(Option<TransceiverId>),
    /// It accepts the section for data channels.
    Data,
    /// It accepts the section for the media of this transceiver.
    Rtp(TransceiverId, Arc<Written>),
}

impl Accepted {
    pub(super) fn into_formats(self) -> Option<Arc<Formats>> {
        match self {
            Self::Rtp(_, written) => Some(written.formats()),
            Self::Rejected(_) | Self::Data => None,
        }
    }

    pub(super) fn transceiver(&self) -> Option<TransceiverId> {
        match self {
            Self::Rtp(id, _) => Some(*id),
            Self::Rejected(id) => *id,
            Self::Data => None,
        }
    }
}

impl Session {
    /// Decides about each section of the offer. RFC 9429 §5.3.1 rejects a whole BUNDLE group
    /// together with its tagged section. The other sections are useful without it, so here, as in
    /// browsers, the first accepted section becomes the tagged one.
    pub(super) fn accept_sections(&mut self) -> Option<Vec<Accepted>> {
        let offer = self.descriptions.pending(Side::Remote)?;
        let may_bundle = check_bundle_policy(offer, self.configuration().bundle_policy);
        let by_mid = self.transceivers.by_mid();
        let mut assignments = self.assignments.clone();
        let mut has_data = false;
        let sections = offer.sdp.media().iter().zip(may_bundle).enumerate();
        let accept = |(index, (media, may_bundle)): (usize, (&sdp::Media, bool))| {
            let id = offer.mid(index).and_then(|mid| by_mid.get(mid)).copied();
            let usable = may_bundle && !media.is_rejected();
            if let Some(kind) = media_kind(media) {
                let transceiver = id.and_then(|id| self.transceivers.get(id));
                // A transceiver that is only stopping is answered as usual (webrtc-pc §5.4 stop).
                let transceiver = transceiver.filter(|t| usable && !t.stopped && t.kind == kind);
                let offered = offer.formats(index);
                let formats = transceiver.zip(offered).and_then(|(transceiver, offered)| {
                    rtp::answer(
                        kind,
                        transceiver.direction,
                        &transceiver.preferred_codecs,
                        offered,
                        &mut assignments,
                    )
                });
                return match (id, formats) {
                    (Some(id), Some(formats)) => Accepted::Rtp(id, formats),
                    _ => Accepted::Rejected(id),
                };
            }
            // There is one SCTP association.
            let is_data = is_data_channel_section(media);
            if usable && is_data && !std::mem::replace(&mut has_data, true) {
                Accepted::Data
            } else {
                Accepted::Rejected(None)
            }
        };
        Some(sections.map(accept).collect())
    }
}

/// For each section, whether the BUNDLE policy allows it to be accepted. Sections that the offer
/// rejects do not count as the first one.
fn check_bundle_policy(offer: &Description, policy: RTCBundlePolicy) -> Vec<bool> {
    let group = |index: usize| offer.bundle_group(index);
    let mut first_of_kind: HashMap<&str, usize> = HashMap::new();
    let sections = offer.sdp.media().iter().enumerate();
    sections
        .map(|(index, media)| {
            let first = match policy {
                _ if media.is_rejected() => return false,
                RTCBundlePolicy::MaxBundle => *first_of_kind.entry("").or_insert(index),
                RTCBundlePolicy::Balanced => *first_of_kind.entry(media.kind()).or_insert(index),
                RTCBundlePolicy::MaxCompat => return true,
            };
            index == first || group(index).is_some() && group(index) == group(first)
        })
        .collect()
}
