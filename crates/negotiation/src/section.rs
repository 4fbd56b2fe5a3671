//! RFC 9429 §5.2.1 and §5.3.1: what the descriptions of this implementation consist of.

use std::sync::Arc;

use sdp::{
    Direction, IceParameters, Media, Rid, RidDirection, Section, Setup, Simulcast, SimulcastId,
};

use crate::candidate::set_default_candidate;
use crate::rtp::Formats;
use crate::session::Session;
use crate::transceiver::TransceiverId;

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

/// Where the transport of a section is described.
pub(crate) enum Placement<'a> {
    /// Here: the section has an address of its own, or is the tagged one of its BUNDLE group.
    Here(TransportAttributes<'a>),
    /// In the tagged section of the BUNDLE group.
    Bundled,
    /// There too, and without BUNDLE the section is not used at all (RFC 9143 §6).
    BundleOnly,
}

impl Placement<'_> {
    fn port(&self) -> u16 {
        match self {
            Self::BundleOnly => 0,
            _ => NO_PORT,
        }
    }

    fn write(&self, media: &mut Media) {
        match self {
            Self::Here(attributes) => attributes.write(media),
            Self::Bundled => {}
            Self::BundleOnly => media.push_attribute("bundle-only", None),
        }
    }
}

/// The attributes of category TRANSPORT, and the fingerprints.
pub(crate) struct TransportAttributes<'a> {
    pub(crate) ice: IceParameters,
    pub(crate) fingerprints: &'a [String],
    pub(crate) trickle: bool,
    pub(crate) setup: Setup,
    /// Where the candidates gathered for the same credentials are.
    pub(crate) gathered: Option<&'a Media>,
}

impl TransportAttributes<'_> {
    fn write(&self, media: &mut Media) {
        if let Some(gathered) = self.gathered {
            // RFC 9429 §5.2.2, §5.3.2: what was gathered in the most recent gathering phase
            for candidate in gathered.attributes("candidate") {
                media.push_attribute("candidate", Some(candidate));
            }
            media.set_end_of_candidates(gathered.end_of_candidates());
            set_default_candidate(media);
        }
        media.push_attribute("ice-ufrag", Some(&self.ice.username_fragment));
        media.push_attribute("ice-pwd", Some(&self.ice.password));
        if self.trickle {
            media.push_attribute("ice-options", Some("trickle"));
        }
        for fingerprint in self.fingerprints {
            media.push_attribute("fingerprint", Some(fingerprint));
        }
        media.push_attribute("setup", Some(self.setup.as_str()));
    }
}

/// What the session part says of a transport for the sections that are bundled into another.
///
/// RFC 9429 §5.2.1 keeps these attributes out of such sections, and lets them be in the session part.
/// Browsers cannot do without: Chromium rejects a section without a fingerprint, Firefox crashes
/// over it, and takes one without ICE credentials or role, or whose credentials come and go, for an
/// error.
pub(crate) struct TransportDefaults<'a> {
    pub(crate) ice: IceParameters,
    pub(crate) fingerprints: &'a [String],
    pub(crate) setup: Setup,
}

impl TransportDefaults<'_> {
    fn write(&self, session: &mut Section) {
        session.push_attribute("ice-ufrag", Some(&self.ice.username_fragment));
        session.push_attribute("ice-pwd", Some(&self.ice.password));
        for fingerprint in self.fingerprints {
            session.push_attribute("fingerprint", Some(fingerprint));
        }
        session.push_attribute("setup", Some(self.setup.as_str()));
    }
}

/// A section for data channels.
pub(crate) struct DataSection<'a> {
    pub(crate) mid: Option<&'a str>,
    pub(crate) protocol: &'a str,
    pub(crate) formats: &'a [&'a str],
    pub(crate) placement: Placement<'a>,
}

impl DataSection<'_> {
    pub(crate) fn to_media(&self) -> Media {
        let port = self.placement.port();
        let mut media = Media::new("application", port, self.protocol, self.formats);
        media.set_connection(NO_ADDRESS);
        self.placement.write(&mut media);
        if let Some(mid) = self.mid {
            media.push_attribute("mid", Some(mid));
        }
        media.push_attribute("sctp-port", Some(&SCTP_PORT.to_string()));
        media.push_attribute("max-message-size", Some(&MAX_MESSAGE_SIZE.to_string()));
        media
    }
}

/// A section for the media of a transceiver.
pub(crate) struct RtpSection<'a> {
    pub(crate) kind: &'a str,
    pub(crate) mid: Option<&'a str>,
    pub(crate) protocol: &'a str,
    pub(crate) placement: Placement<'a>,
    /// RFC 9429 §5.2.1: an offer for a new transport says how RTCP would be multiplexed.
    pub(crate) rtcp_mux_only: bool,
    pub(crate) formats: &'a Formats,
    pub(crate) direction: Direction,
    /// The ids of the sender's streams, if the transceiver is to send.
    pub(crate) streams: Option<&'a [String]>,
    /// The rids of the encodings to send; none for one without a name.
    pub(crate) send_rids: Vec<&'a str>,
    /// The rids of the encodings that the peer sends.
    pub(crate) receive_rids: Vec<&'a str>,
}

impl RtpSection<'_> {
    pub(crate) fn to_media(&self) -> Media {
        let mut media = Media::new(self.kind, self.placement.port(), self.protocol, &[]);
        media.set_connection(NO_ADDRESS);
        if self.rtcp_mux_only && matches!(self.placement, Placement::Here(_)) {
            media.push_attribute("rtcp", Some("9 IN IP4 0.0.0.0"));
        }
        self.placement.write(&mut media);
        if let Some(mid) = self.mid {
            media.push_attribute("mid", Some(mid));
        }
        self.formats.write_header_extensions(&mut media);
        media.push_attribute(self.direction.as_str(), None);
        // RFC 8830 §2: `-` stands for no stream.
        for stream in self.streams.into_iter().flatten() {
            media.push_attribute("msid", Some(stream));
        }
        if self.streams.is_some_and(<[String]>::is_empty) {
            media.push_attribute("msid", Some("-"));
        }
        // Of category IDENTICAL; Chromium refuses a bundled section without it.
        media.push_attribute("rtcp-mux", None);
        if self.rtcp_mux_only && matches!(self.placement, Placement::Here(_)) {
            media.push_attribute("rtcp-mux-only", None);
        }
        self.formats.write_codecs(&mut media);
        self.write_rids(&mut media);
        media
    }

    fn write_rids(&self, media: &mut Media) {
        let rids =
            [(RidDirection::Send, &self.send_rids), (RidDirection::Recv, &self.receive_rids)];
        for (direction, rids) in rids {
            for rid in rids {
                let rid = Rid {
                    id: (*rid).to_owned(),
                    direction,
                    payload_types: Vec::new(),
                    restrictions: Vec::new(),
                };
                media.push_attribute("rid", Some(&rid.to_string()));
            }
        }
        let streams = |rids: &[&str]| -> Vec<Vec<SimulcastId>> {
            let id = |rid: &&str| vec![SimulcastId { rid: (*rid).to_owned(), paused: false }];
            rids.iter().map(id).collect()
        };
        let simulcast =
            Simulcast { send: streams(&self.send_rids), recv: streams(&self.receive_rids) };
        if self.send_rids.len() > 1 || !self.receive_rids.is_empty() {
            media.push_attribute("simulcast", Some(&simulcast.to_string()));
        }
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
}

/// The session part of browsers: the BUNDLE group and what they all write.
pub(crate) fn finish_session_part(
    description: &mut sdp::Description,
    bundle: &[&str],
    defaults: Option<TransportDefaults<'_>>,
    extmap_allow_mixed: bool,
) {
    description.set_bundle_group(bundle);
    let session = description.session_mut();
    if let Some(defaults) = defaults {
        defaults.write(session);
    }
    if extmap_allow_mixed {
        session.push_attribute(EXTMAP_ALLOW_MIXED, None);
    }
    session.push_attribute("msid-semantic", Some(" WMS"));
}

/// A description that is generated, and what it was made of.
pub(crate) struct Generated {
    pub(crate) description: sdp::Description,
    pub(crate) transceivers: Vec<Option<TransceiverId>>,
    pub(crate) formats: Vec<Option<Arc<Formats>>>,
}

/// A description that `createOffer()` or `createAnswer()` made, in `[[LastCreatedOffer]]` or
/// `[[LastCreatedAnswer]]`.
#[derive(Clone, Debug)]
pub(crate) struct Created {
    pub(crate) sdp: String,
    /// What `sdp` says.
    pub(crate) description: sdp::Description,
    /// "The RTCRtpTransceiver used to create the media description" (webrtc-pc §4.4.1.4 step
    /// 4.7.11.1.1.1), of each section.
    pub(crate) transceivers: Vec<Option<TransceiverId>>,
    /// The codecs and header extensions of each section, as `description` has them.
    pub(crate) formats: Vec<Option<Arc<Formats>>>,
    /// The state it was made for: it accurately represents the system until that changes.
    pub(crate) system_state: u64,
}
