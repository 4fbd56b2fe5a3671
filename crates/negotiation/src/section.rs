//! RFC 9429 §5.2.1 and §5.3.1: the parts of the descriptions that this implementation writes.

use sdp::{
    Direction, IceParameters, Media, Rid, RidDirection, Section, Setup, Simulcast, SimulcastId,
};

use crate::candidate::set_default_candidate;
use crate::rtp::Written;
use crate::transceiver::Sources;

/// The SCTP port of this side. Each DTLS connection has its own port space, so any port will do.
/// Browsers use this one.
pub(crate) const SCTP_PORT: u16 = 5000;
/// RFC 8285 §6: header extensions of both lengths in one stream. An answer has the attribute only
/// if the offer does.
pub(crate) const EXTMAP_ALLOW_MIXED: &str = "extmap-allow-mixed";
/// RFC 8840 §4.1.1: the address of a section that has no candidates yet.
pub(crate) const NO_ADDRESS: &str = "IN IP4 0.0.0.0";
/// RFC 8840 §4.1.1: the port of a section that has no candidates yet (Discard).
const NO_PORT: u16 = 9;

/// Where the transport of a section is described.
pub(crate) enum Placement<'a> {
    /// In this section: it has an address of its own, or is the tagged one of its BUNDLE group.
    Here(TransportAttributes<'a>),
    /// In the tagged section of the BUNDLE group, which has these attributes.
    Bundled(BundledTransport),
    /// In the tagged section, too. Without BUNDLE this section is not used at all (RFC 9143 §6).
    BundleOnly(BundledTransport),
}

/// What the sections of a BUNDLE group repeat from the tagged one.
///
/// RFC 9143 §7.1.3 and RFC 9429 §5.2.1 put these attributes into the tagged section alone, and
/// receivers take them from there. But GStreamer refuses a section without `a=setup`, whatever the
/// session part says, and a section with other credentials than the tagged one. Browsers write all
/// three into every section.
#[derive(Clone)]
pub(crate) struct BundledTransport {
    pub(crate) ice: IceParameters,
    pub(crate) setup: Setup,
}

impl BundledTransport {
    fn write(&self, section: &mut Section, fingerprints: &[String]) {
        section.push_attribute("ice-ufrag", Some(&self.ice.username_fragment));
        section.push_attribute("ice-pwd", Some(&self.ice.password));
        for fingerprint in fingerprints {
            section.push_attribute("fingerprint", Some(fingerprint));
        }
        section.push_attribute("setup", Some(self.setup.as_str()));
    }
}

impl Placement<'_> {
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::BundleOnly(_) => 0,
            _ => NO_PORT,
        }
    }

    pub(crate) fn write(&self, media: &mut Media) {
        match self {
            Self::Here(attributes) => attributes.write(media),
            Self::Bundled(transport) => transport.write(media, &[]),
            Self::BundleOnly(transport) => {
                media.push_attribute("bundle-only", None);
                transport.write(media, &[]);
            }
        }
    }
}

/// The attributes of category TRANSPORT, and the fingerprints.
pub(crate) struct TransportAttributes<'a> {
    pub(crate) shared: BundledTransport,
    pub(crate) fingerprints: &'a [String],
    /// The section that has the candidates for the same credentials.
    pub(crate) gathered: Option<&'a Media>,
}

impl TransportAttributes<'_> {
    fn write(&self, media: &mut Media) {
        if let Some(gathered) = self.gathered {
            // RFC 9429 §5.2.2, §5.3.2: the candidates of the most recent gathering phase
            for candidate in gathered.attributes("candidate") {
                media.push_attribute("candidate", Some(candidate));
            }
            media.set_end_of_candidates(gathered.end_of_candidates());
            set_default_candidate(media);
        }
        self.shared.write(media, self.fingerprints);
    }
}

/// What the session part says about the transport of bundled sections and of rejected ones.
///
/// RFC 9429 §5.2.1 keeps these attributes out of such sections, but allows them in the session
/// part. Without them Chromium rejects a bundled section, which has no fingerprint. aiortc refuses
/// a description if any section, even a rejected one, has no credentials.
pub(crate) struct TransportDefaults<'a> {
    pub(crate) shared: BundledTransport,
    pub(crate) fingerprints: &'a [String],
}

impl TransportDefaults<'_> {
    fn write(&self, session: &mut Section) {
        self.shared.write(session, self.fingerprints);
    }
}

/// A section for the media of a transceiver.
pub(crate) struct RtpSection<'a> {
    pub(crate) kind: &'a str,
    pub(crate) mid: Option<&'a str>,
    pub(crate) protocol: &'a str,
    pub(crate) placement: Placement<'a>,
    /// RFC 9429 §5.2.1: whether the section has `a=rtcp-mux-only`, as an offer has for a new
    /// transport.
    pub(crate) rtcp_mux_only: bool,
    /// RFC 8285 §6: whether the section itself has `a=extmap-allow-mixed`, as an answer has to one
    /// that Firefox offers.
    pub(crate) extmap_allow_mixed: bool,
    pub(crate) formats: &'a Written,
    pub(crate) direction: Direction,
    /// The streams of the sender, if the transceiver sends.
    pub(crate) msid: Option<SentMsid<'a>>,
    /// The sources of the sender, if it sends or has sent.
    pub(crate) sources: Option<&'a Sources>,
    /// The CNAME of the connection.
    pub(crate) cname: &'a str,
    /// The rids of the encodings to send. A lone encoding has none.
    pub(crate) send_rids: Vec<&'a str>,
    /// The rids of the encodings that the peer sends.
    pub(crate) receive_rids: Vec<&'a str>,
}

/// The streams of a sender, and the name of its track.
pub(crate) struct SentMsid<'a> {
    pub(crate) streams: &'a [String],
    /// The `appdata` of RFC 8830 §2. RFC 9429 §5.2.1 omits it and ignores it. Browsers write it,
    /// and libwebrtc before 2021 refuses a section without it.
    pub(crate) appdata: &'a str,
}

impl SentMsid<'_> {
    fn write(&self, media: &mut Media) {
        let mut write = |stream: &str| {
            media.push_attribute("msid", Some(&format!("{stream} {}", self.appdata)));
        };
        self.streams.iter().for_each(|stream| write(stream));
        // RFC 8830 §2: `-` stands for no stream.
        if self.streams.is_empty() {
            write("-");
        }
    }
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
        if self.extmap_allow_mixed {
            media.push_attribute(EXTMAP_ALLOW_MIXED, None);
        }
        media.push_attribute(self.direction.as_str(), None);
        if let Some(msid) = &self.msid {
            msid.write(&mut media);
        }
        // In bundled sections, too: it is of category IDENTICAL, and Chromium refuses a bundled
        // section without it.
        media.push_attribute("rtcp-mux", None);
        if self.rtcp_mux_only && matches!(self.placement, Placement::Here(_)) {
            media.push_attribute("rtcp-mux-only", None);
        }
        self.formats.write_codecs(&mut media);
        self.write_rids(&mut media);
        self.write_source(&mut media);
        media
    }

    /// As in browsers, a section with simulcast announces no source: there the rid tells the layers
    /// apart. A section that sends no more goes on announcing them: if Chromium 156 finds a source
    /// gone and later back, it decodes its pictures and shows none of them.
    fn write_source(&self, media: &mut Media) {
        let Some(sources) = self.sources.filter(|_| self.send_rids.len() <= 1) else { return };
        let msid = self.msid.as_ref().filter(|_| self.direction.sends());
        sources.write(self.cname, msid, self.formats.has_rtx(), media);
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

/// RFC 9429 §5.3.1: a section with which an answer rejects the section `offered`. `setup` is the
/// value of the used sections: Chromium writes the attribute into rejected sections, too, and
/// GStreamer refuses a section without it.
pub(crate) fn write_rejected_section(offered: &Media, setup: Setup) -> Media {
    let mut media = Media::new(offered.kind(), 0, offered.protocol(), &offered.formats());
    media.set_connection(NO_ADDRESS);
    if let Some(mid) = offered.mid() {
        media.push_attribute("mid", Some(mid));
    }
    media.push_attribute("setup", Some(setup.as_str()));
    if offered.is_rtp() {
        media.push_attribute("inactive", None);
    }
    media
}

/// Attributes that a section has only while it has a transport and a track.
const ONLY_IN_USED_SECTIONS: [&str; 14] = [
    "msid",
    "bundle-only",
    "candidate",
    "end-of-candidates",
    "ice-ufrag",
    "ice-pwd",
    "ice-options",
    "fingerprint",
    "setup",
    "tls-id",
    "rtcp",
    "rtcp-mux-only",
    "ssrc",
    "ssrc-group",
];

/// RFC 9429 §5.2.2: a section that an offer does not use any more has the port 0 and no `a=msid`.
/// Otherwise it stays as it was `before`, without its transport. `a=setup` has the value that it
/// has in the whole offer; see [`write_rejected_section`].
pub(crate) fn write_unused_section(before: &Media) -> Media {
    let mut media = before.clone();
    media.set_port(0);
    media.set_connection(NO_ADDRESS);
    for name in ONLY_IN_USED_SECTIONS {
        media.remove_attributes(name);
    }
    media.push_attribute("setup", Some(Setup::ActPass.as_str()));
    if media.is_rtp() {
        media.set_direction(Direction::Inactive);
    }
    media
}

/// RFC 9429 §5.2.1: what this side is capable of (RFC 8840 §4.1.1, RFC 8445 §10).
pub(crate) const ICE_OPTIONS: [&str; 2] = ["trickle", "ice2"];

/// Completes the session part with the lines that all browsers write.
pub(crate) fn finish_session_part(
    description: &mut sdp::Description,
    bundle: &[&str],
    ice_options: &[&str],
    defaults: Option<TransportDefaults<'_>>,
    extmap_allow_mixed: bool,
) {
    description.set_bundle_group(bundle);
    let session = description.session_mut();
    if !ice_options.is_empty() {
        session.push_attribute("ice-options", Some(&ice_options.join(" ")));
    }
    if let Some(defaults) = defaults {
        defaults.write(session);
    }
    if extmap_allow_mixed {
        session.push_attribute(EXTMAP_ALLOW_MIXED, None);
    }
    session.push_attribute("msid-semantic", Some(" WMS"));
}
