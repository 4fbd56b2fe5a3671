//! RFC 9429 §5.2.1 and §5.3.1: what the descriptions of this implementation consist of.

use std::collections::BTreeSet;

use sdp::{IceParameters, Media, Setup};

use crate::candidate::set_default_candidate;
use crate::description::Description;
use crate::session::Session;

/// The SCTP port of this side. All of the port space is a DTLS connection's own, so any will do;
/// this is the browsers'.
pub(crate) const SCTP_PORT: u16 = 5000;
/// The largest message this side receives, in bytes (RFC 8841 §6).
pub(crate) const MAX_MESSAGE_SIZE: u64 = 262_144;
/// RFC 8285 §6: header extensions of both lengths in one stream. An answer has it only if the offer
/// does.
pub(crate) const EXTMAP_ALLOW_MIXED: &str = "extmap-allow-mixed";
/// RFC 8840 §4.1.1: the address of a section that has no candidates yet.
const NO_ADDRESS: &str = "IN IP4 0.0.0.0";
/// RFC 8840 §4.1.1: the port of a section that has no candidates yet (Discard).
const NO_PORT: u16 = 9;

/// A section for data channels.
pub(crate) struct DataSection<'a> {
    pub(crate) mid: Option<&'a str>,
    pub(crate) protocol: &'a str,
    pub(crate) formats: &'a [&'a str],
    pub(crate) ice: &'a IceParameters,
    pub(crate) fingerprints: &'a [String],
    pub(crate) trickle: bool,
    pub(crate) setup: Setup,
    /// Where the candidates gathered for the same credentials are.
    pub(crate) gathered: Option<&'a Media>,
}

impl DataSection<'_> {
    pub(crate) fn to_media(&self) -> Media {
        let mut media = Media::new("application", NO_PORT, self.protocol, self.formats);
        media.set_connection(NO_ADDRESS);
        if let Some(gathered) = self.gathered {
            // RFC 9429 §5.2.2, §5.3.2: what was gathered in the most recent gathering phase
            for candidate in gathered.attributes("candidate") {
                media.push_attribute("candidate", Some(candidate));
            }
            media.set_end_of_candidates(gathered.end_of_candidates());
            set_default_candidate(&mut media);
        }
        media.push_attribute("ice-ufrag", Some(&self.ice.username_fragment));
        media.push_attribute("ice-pwd", Some(&self.ice.password));
        if self.trickle {
            media.push_attribute("ice-options", Some("trickle"));
        }
        for fingerprint in self.fingerprints {
            media.push_attribute("fingerprint", Some(fingerprint));
        }
        media.push_attribute("setup", Some(&self.setup.to_string()));
        if let Some(mid) = self.mid {
            media.push_attribute("mid", Some(mid));
        }
        media.push_attribute("sctp-port", Some(&SCTP_PORT.to_string()));
        media.push_attribute("max-message-size", Some(&MAX_MESSAGE_SIZE.to_string()));
        media
    }
}

/// RFC 3264 §6: a section that is not used, as far as `like` says what it is.
pub(crate) fn rejected_section(like: &Media) -> Media {
    let mut media = Media::new(like.kind(), 0, like.protocol(), &like.formats());
    media.set_connection(NO_ADDRESS);
    if let Some(mid) = like.mid() {
        media.push_attribute("mid", Some(mid));
    }
    if like.is_rtp() {
        media.push_attribute("inactive", None);
    }
    media
}

impl Session {
    /// A description of this session without sections (RFC 9429 §5.2.1). The version increments
    /// with every description that is created.
    pub(crate) fn new_description(&mut self) -> sdp::Description {
        self.session_version = self.session_version.wrapping_add(1);
        sdp::Description::new(self.session_id, self.session_version)
    }

    /// The mid for a new section: the smallest number that no description uses. A counter would
    /// be moved by an offer that is created and never applied.
    pub(crate) fn unused_mid(&self) -> String {
        let descriptions = [
            &self.current_local_description,
            &self.pending_local_description,
            &self.current_remote_description,
            &self.pending_remote_description,
        ];
        let used: BTreeSet<&str> = descriptions
            .into_iter()
            .flatten()
            .flat_map(|description| description.sdp.media())
            .filter_map(Media::mid)
            .collect();
        // One of the first numbers is free, as there are only so many sections.
        (0..=used.len())
            .map(|number| number.to_string())
            .find(|mid| !used.contains(mid.as_str()))
            .unwrap_or_default()
    }
}

/// The session part of browsers: the BUNDLE group and what they all write.
pub(crate) fn finish_session_part(
    description: &mut sdp::Description,
    bundle: &[&str],
    extmap_allow_mixed: bool,
) {
    description.set_bundle_group(bundle);
    let session = description.session_mut();
    if extmap_allow_mixed {
        session.push_attribute(EXTMAP_ALLOW_MIXED, None);
    }
    session.push_attribute("msid-semantic", Some(" WMS"));
}

/// A description that `createOffer()` or `createAnswer()` made, in `[[LastCreatedOffer]]` or
/// `[[LastCreatedAnswer]]`.
#[derive(Clone, Debug)]
pub(crate) struct Created {
    pub(crate) sdp: String,
    /// What `sdp` says.
    pub(crate) description: sdp::Description,
    /// The state it was made for: it accurately represents the system until that changes.
    pub(crate) system_state: u64,
}

/// The data section of the local description that `ice` has been gathered for.
pub(crate) fn gathered_for(local: Option<&Description>) -> Option<&Media> {
    let local = local?;
    local.sdp.media().get(local.data_section()?)
}
