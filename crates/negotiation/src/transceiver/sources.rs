//! The RTP sources of a sender. They live as long as it does: neither a restart nor a change of
//! direction gives it others, as in browsers.

use std::collections::HashSet;
use std::sync::OnceLock;

use sdp::{Media, Section};

use super::{Sender, Transceiver, TransceiverId};
use crate::section::SentMsid;
use crate::session::Session;
use crate::signaling::Side;
use idl::{MediaKind, RTCRtpTransceiverDirection};

/// The sources of one encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SentSource {
    pub(crate) ssrc: u32,
    /// The SSRC of its retransmissions (RFC 4588 §4); only video has them.
    pub(crate) rtx_ssrc: Option<u32>,
}

/// The sources of the encodings, in the order of `[[SendEncodings]]`, made when they are first
/// needed. There may be more of them than encodings: a rollback takes encodings away, and the same
/// offer may bring them back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    list: Vec<SentSource>,
    /// The lines that announce the first: without its retransmissions, and with them. They are
    /// the same in one description after the other.
    lines: [OnceLock<Section>; 2],
}

impl Sources {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &SentSource> {
        self.list.iter()
    }

    /// Keeps the sources of the encodings that are `kept`, and those beyond.
    pub(crate) fn retain(&mut self, kept: &[bool]) {
        let mut kept = kept.iter().copied();
        self.list.retain(|_| kept.next().unwrap_or(true));
        self.forget_lines();
    }

    /// The streams have changed, which the lines name.
    pub(super) fn forget_lines(&mut self) {
        self.lines = Default::default();
    }

    /// RFC 5576: announces the first source, with `a=ssrc-group:FID` (RFC 4588 §8.3) for its
    /// retransmissions, as Chromium does. Without `msid` it is not sent at present.
    pub(crate) fn write(
        &self,
        cname: &str,
        msid: Option<&SentMsid<'_>>,
        with_rtx: bool,
        media: &mut Media,
    ) {
        let Some(source) = self.list.first() else { return };
        match self.lines.get(usize::from(with_rtx)) {
            Some(lines) if msid.is_some() => {
                media.push_all(lines.get_or_init(|| source.to_lines(cname, msid, with_rtx)));
            }
            _ => media.push_all(&source.to_lines(cname, msid, with_rtx)),
        }
    }
}

impl SentSource {
    fn to_lines(self, cname: &str, msid: Option<&SentMsid<'_>>, with_rtx: bool) -> Section {
        let mut lines = Section::default();
        let rtx_ssrc = self.rtx_ssrc.filter(|_| with_rtx);
        if let Some(rtx_ssrc) = rtx_ssrc {
            let group = format!("FID {} {rtx_ssrc}", self.ssrc);
            lines.push_attribute("ssrc-group", Some(&group));
        }
        for ssrc in [Some(self.ssrc), rtx_ssrc].into_iter().flatten() {
            lines.push_attribute("ssrc", Some(&format!("{ssrc} cname:{cname}")));
            if let Some(msid) = msid {
                // Chromium names the first of several streams.
                let stream = msid.streams.first().map_or("-", String::as_str);
                let msid = format!("{ssrc} msid:{stream} {}", msid.appdata);
                lines.push_attribute("ssrc", Some(&msid));
            }
        }
        lines
    }
}

impl Sender {
    fn lacks_sources(&self) -> bool {
        self.sources.list.len() < self.send_encodings.len()
    }

    /// Gives each encoding its sources.
    fn name_sources(&mut self, kind: MediaKind, mut make_ssrc: impl FnMut() -> u32) {
        let missing = self.send_encodings.len().saturating_sub(self.sources.list.len());
        for _ in 0..missing {
            let ssrc = make_ssrc();
            let rtx_ssrc = (kind == MediaKind::Video).then(&mut make_ssrc);
            self.sources.list.push(SentSource { ssrc, rtx_ssrc });
        }
    }

    fn ssrcs(&self) -> impl Iterator<Item = u32> {
        self.sources.iter().flat_map(|source| [Some(source.ssrc), source.rtx_ssrc]).flatten()
    }
}

impl Transceiver {
    /// The sources that a section with this direction announces. Those of layers are not announced.
    pub(crate) fn sources_to_announce(&self, sends: bool) -> Option<&Sources> {
        let has_sent = self.has_sent && self.sender.send_encodings.len() <= 1;
        (sends || has_sent).then_some(&self.sender.sources)
    }

    /// Whether it sends, or will if a description is made now.
    fn needs_sources(&self) -> bool {
        self.direction.sends()
            || self.current_direction.is_some_and(RTCRtpTransceiverDirection::sends)
    }
}

impl Session {
    /// Makes the SSRCs of the senders that send or that a description will announce.
    pub(crate) fn name_sources(&mut self) {
        let lacking = |(_, transceiver): &(TransceiverId, &Transceiver)| {
            transceiver.needs_sources() && transceiver.sender.lacks_sources()
        };
        let lacking: Vec<TransceiverId> =
            self.transceivers.iter().filter(lacking).map(|(id, _)| id).collect();
        if lacking.is_empty() {
            return;
        }
        self.identifiers.make_cname();
        let mut used = self.used_ssrcs();
        for id in lacking {
            let Some(transceiver) = self.transceivers.get_mut(id) else { continue };
            let identifiers = &mut self.identifiers;
            let make_ssrc = || identifiers.make_ssrc(&mut used);
            transceiver.sender.name_sources(transceiver.kind, make_ssrc);
        }
    }

    /// RFC 3550 §8: the SSRCs that a new one must differ from, of both sides.
    fn used_ssrcs(&self) -> HashSet<u32> {
        let ours = self.transceivers.all().flat_map(|transceiver| transceiver.sender.ssrcs());
        let descriptions = self.descriptions.of(Side::Remote);
        let theirs = descriptions.flat_map(|description| description.sdp.media());
        ours.chain(theirs.flat_map(sdp::Media::ssrcs).map(|ssrc| ssrc.id)).collect()
    }
}
