use std::ops::{Deref, DerefMut};

use crate::grammar::{is_token, is_word, number, payload_type};
use crate::line::RawLine;
use crate::{
    Candidate, Direction, Error, ExtMap, Fmtp, Msid, Rid, RtcpFb, RtpMap, SctpInit, Section,
    Simulcast, Ssrc, SsrcGroup,
};

/// A media section: an `m=` line and what follows it (RFC 8866 §5.14).
///
/// It is a [`Section`] and has all of its methods. The accessors for typed values leave out lines
/// that do not parse. The RTP sections of a description that was read have no such lines, except
/// for `a=rid`, as RFC 8851 §6 wants.
///
/// ```
/// use peerconnection_sdp::Media;
///
/// let mut media = Media::new("application", 9, "UDP/DTLS/SCTP", &["webrtc-datachannel"]);
/// media.set_connection("IN IP4 0.0.0.0");
/// media.push_attribute("mid", Some("0"));
/// media.push_attribute("sctp-port", Some("5000"));
/// assert_eq!(media.mid(), Some("0"));
/// assert_eq!(media.sctp_port(), Some(5000));
/// assert!(media.is_data_channel() && !media.is_rejected());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Its first line is the `m=` line.
    section: Section,
}

impl Deref for Media {
    type Target = Section;

    fn deref(&self) -> &Section {
        &self.section
    }
}

impl DerefMut for Media {
    fn deref_mut(&mut self) -> &mut Section {
        &mut self.section
    }
}

/// The value of an `m=` line: `<media> <port>[/<count>] <proto> <fmt> ...`.
#[derive(Clone, Copy, Default)]
pub(crate) struct MediaLine<'a> {
    kind: &'a str,
    port: u16,
    protocol: &'a str,
    formats: &'a str,
}

/// What the attributes of a section are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Rtp,
    DataChannel,
    Unknown,
}

impl<'a> MediaLine<'a> {
    /// The fields of a line that was checked before.
    fn split(value: &'a str) -> MediaLine<'a> {
        let mut fields = value.splitn(4, ' ');
        let mut next = || fields.next().unwrap_or_default();
        let kind = next();
        let port = next();
        let port = port.split_once('/').map_or(port, |(port, _)| port);
        let port = number(port).unwrap_or_default();
        MediaLine { kind, port, protocol: next(), formats: next() }
    }

    pub(crate) fn parse(value: &'a str) -> Result<MediaLine<'a>, Error> {
        let mut fields = value.splitn(4, ' ');
        if !fields.next().is_some_and(is_token) {
            return Err(Error::new("the kind of media is not a token"));
        }
        let port = fields.next().ok_or_else(|| Error::new("the port is missing"))?;
        let (port, count) = match port.split_once('/') {
            Some((port, count)) => (port, Some(count)),
            None => (port, None),
        };
        if number::<u16>(port).is_none() {
            return Err(Error::new("the port is not a number up to 65535"));
        }
        if count.is_some_and(|count| number::<u16>(count).is_none()) {
            return Err(Error::new("the number of ports is not a number up to 65535"));
        }
        if !fields.next().is_some_and(is_word) {
            return Err(Error::new("the protocol is missing"));
        }
        let line = MediaLine::split(value);
        let mut formats = line.formats.split_ascii_whitespace().peekable();
        if formats.peek().is_none() && line.port != 0 {
            return Err(Error::new("the section has no formats"));
        }
        if line.used_for() == Use::Rtp && formats.any(|format| payload_type(format).is_none()) {
            return Err(Error::new("a payload type is not a number up to 127"));
        }
        Ok(line)
    }

    /// RFC 9429 §5.1.2: RTP is every protocol made of `RTP/` and `AVP`, `SAVP`, `AVPF` or `SAVPF`;
    /// `DTLS/SCTP` was written for data channels before RFC 8841.
    pub(crate) fn used_for(&self) -> Use {
        let is_rtp = ["RTP/AVP", "RTP/SAVP", "RTP/AVPF", "RTP/SAVPF"].into_iter().any(|profile| {
            self.protocol
                .strip_suffix(profile)
                .is_some_and(|transport| transport.is_empty() || transport.ends_with('/'))
        });
        match self.protocol {
            _ if is_rtp => Use::Rtp,
            "UDP/DTLS/SCTP" | "TCP/DTLS/SCTP" | "DTLS/SCTP" if self.kind == "application" => {
                Use::DataChannel
            }
            _ => Use::Unknown,
        }
    }
}

impl Media {
    /// A section with nothing but its `m=` line.
    pub fn new(kind: &str, port: u16, protocol: &str, formats: &[&str]) -> Media {
        let mut section = Section::default();
        let formats = formats.join(" ");
        section.push('m', &format!("{kind} {port} {protocol} {formats}"));
        Media { section }
    }

    pub(crate) fn from_line(line: &RawLine<'_>) -> Media {
        let mut section = Section::default();
        section.push_raw(line);
        Media { section }
    }

    fn media_line(&self) -> MediaLine<'_> {
        self.section.line('m').map(MediaLine::split).unwrap_or_default()
    }

    fn set_media_line(&mut self, port: u16, formats: &str) {
        let MediaLine { kind, protocol, .. } = self.media_line();
        let value = format!("{kind} {port} {protocol} {formats}");
        self.section.set_line('m', &value, &[]);
    }

    /// The lines of the section; the first is the `m=` line.
    pub fn section(&self) -> &Section {
        &self.section
    }

    /// The lines of the section, to be changed.
    pub fn section_mut(&mut self) -> &mut Section {
        &mut self.section
    }

    /// The number of the `m=` line in the text that was read, from 1; 0 in a section of no text.
    pub fn line_number(&self) -> usize {
        self.section.lines().next().and_then(|line| line.number).unwrap_or_default()
    }

    /// `audio`, `video`, `application` or anything else.
    pub fn kind(&self) -> &str {
        self.media_line().kind
    }

    /// 0 for a section that is rejected or bundle-only, else 9 or the port of the default
    /// candidate.
    pub fn port(&self) -> u16 {
        self.media_line().port
    }

    /// Sets the port; a number of ports behind it is dropped.
    pub fn set_port(&mut self, port: u16) {
        let formats = self.media_line().formats.to_owned();
        self.set_media_line(port, &formats);
    }

    /// Such as `UDP/TLS/RTP/SAVPF`.
    pub fn protocol(&self) -> &str {
        self.media_line().protocol
    }

    /// Payload types, or `webrtc-datachannel`.
    pub fn formats(&self) -> Vec<&str> {
        self.media_line().formats.split_ascii_whitespace().collect()
    }

    /// Replaces the formats.
    pub fn set_formats(&mut self, formats: &[&str]) {
        let port = self.port();
        self.set_media_line(port, &formats.join(" "));
    }

    /// Whether the protocol is RTP in one of its profiles.
    pub fn is_rtp(&self) -> bool {
        self.media_line().used_for() == Use::Rtp
    }

    /// Whether the section is for data channels (RFC 8841).
    pub fn is_data_channel(&self) -> bool {
        self.media_line().used_for() == Use::DataChannel
    }

    /// The identification tag: `a=mid` (RFC 5888 §4).
    pub fn mid(&self) -> Option<&str> {
        self.section.mid()
    }

    /// Whether the section is to be used in a BUNDLE group or not at all (RFC 9143 §6).
    pub fn is_bundle_only(&self) -> bool {
        self.has_attribute("bundle-only")
    }

    /// Whether the section is refused or stopped: a port of 0 (RFC 3264 §6), unless the section is
    /// bundle-only (RFC 9143 §6).
    pub fn is_rejected(&self) -> bool {
        self.port() == 0 && !self.is_bundle_only()
    }

    /// The direction of the section itself; `sendrecv` if it has none.
    /// [`Description::direction`](crate::Description::direction) also looks at the session.
    pub fn direction(&self) -> Direction {
        self.explicit_direction().unwrap_or_default()
    }

    /// The direction of the section itself.
    pub fn explicit_direction(&self) -> Option<Direction> {
        direction_of(&self.section)
    }

    /// Sets the direction in the place of the one that is there, or as the last line.
    pub fn set_direction(&mut self, direction: Direction) {
        match self.explicit_direction() {
            Some(current) => {
                self.section.rename_flag(current.as_str(), direction.as_str());
            }
            None => self.push_attribute(direction.as_str(), None),
        }
    }

    /// The value of the `c=` line, such as `IN IP4 0.0.0.0` (RFC 8866 §5.7).
    pub fn connection(&self) -> Option<&str> {
        self.section.line('c')
    }

    /// Replaces the `c=` line, or adds it where RFC 8866 §5 wants it.
    pub fn set_connection(&mut self, value: &str) {
        self.section.set_line('c', value, &['m', 'i']);
    }

    /// The SCTP port: `a=sctp-port` (RFC 8841 §5), or that of `a=sctpmap` or of the format, which
    /// were written before RFC 8841. 0 stands for no association (RFC 8841 §10.3).
    pub fn sctp_port(&self) -> Option<u16> {
        match (self.attribute("sctp-port"), self.attribute("sctpmap")) {
            (Some(port), _) => number(port),
            (None, Some(map)) => sctpmap_port(map),
            (None, None) => number(self.media_line().formats.split_ascii_whitespace().next()?),
        }
    }

    /// The largest message the writer receives, in bytes; 0 for any: `a=max-message-size` (RFC 8841
    /// §6). If absent, 65536 is meant.
    pub fn max_message_size(&self) -> Option<u64> {
        number(self.attribute("max-message-size")?)
    }

    /// SCTP's INIT chunk: `a=sctp-init` (draft-hancke-tsvwg-snap-00). `None` if there is none, or
    /// none that is of use, or more than one.
    pub fn sctp_init(&self) -> Option<SctpInit> {
        let mut lines = self.attributes("sctp-init");
        let first = lines.next().filter(|_| lines.next().is_none())?;
        first.parse().ok()
    }

    /// Whether RTCP shares the port of RTP: `a=rtcp-mux` (RFC 5761 §5.1.1).
    pub fn rtcp_mux(&self) -> bool {
        self.has_attribute("rtcp-mux")
    }

    /// The streams of the section's track: `a=msid`.
    pub fn msids(&self) -> impl Iterator<Item = Msid> {
        self.values("msid")
    }

    /// The encodings of the section: `a=rid`. Lines that are malformed are left out.
    pub fn rids(&self) -> impl Iterator<Item = Rid> {
        self.values("rid")
    }

    /// The simulcast of the section: `a=simulcast`.
    pub fn simulcast(&self) -> Option<Simulcast> {
        self.values("simulcast").next()
    }

    /// The codecs of the section: `a=rtpmap`.
    pub fn rtpmaps(&self) -> impl Iterator<Item = RtpMap> {
        self.values("rtpmap")
    }

    /// The parameters of codecs: `a=fmtp`.
    pub fn fmtps(&self) -> impl Iterator<Item = Fmtp> {
        self.values("fmtp")
    }

    /// The RTCP feedback for codecs: `a=rtcp-fb`.
    pub fn rtcp_fbs(&self) -> impl Iterator<Item = RtcpFb> {
        self.values("rtcp-fb")
    }

    /// The header extensions of the section itself: `a=extmap`.
    pub fn extmaps(&self) -> impl Iterator<Item = ExtMap> {
        self.values("extmap")
    }

    /// The attributes of RTP sources: `a=ssrc`.
    pub fn ssrcs(&self) -> impl Iterator<Item = Ssrc> {
        self.values("ssrc")
    }

    /// The groups of RTP sources: `a=ssrc-group`.
    pub fn ssrc_groups(&self) -> impl Iterator<Item = SsrcGroup> {
        self.values("ssrc-group")
    }

    fn values<T: std::str::FromStr>(&self, name: &'static str) -> impl Iterator<Item = T> {
        self.attributes(name).filter_map(|value| value.parse().ok())
    }

    /// The candidates of the section: `a=candidate` (RFC 8839 §5.1). In a description that was
    /// read, an error stands for an address of an unknown form; the line is to be ignored.
    pub fn candidates(&self) -> impl Iterator<Item = Result<Candidate, Error>> {
        self.section.lines().filter_map(|line| {
            let candidate = line.attribute("candidate").map(Candidate::parse)?;
            Some(candidate.map_err(|error| match line.number {
                Some(number) => error.on_line(number),
                None => error,
            }))
        })
    }

    /// Adds a candidate, before `a=end-of-candidates` if that is the last line.
    pub fn push_candidate(&mut self, candidate: &Candidate) {
        let ended = self.lines().next_back().is_some_and(|line| line.value == END_OF_CANDIDATES)
            && self.remove_attributes(END_OF_CANDIDATES);
        let text = candidate.to_string();
        self.push_attribute("candidate", Some(text.strip_prefix("candidate:").unwrap_or(&text)));
        if ended {
            self.push_attribute(END_OF_CANDIDATES, None);
        }
    }

    /// Whether no candidates will follow: `a=end-of-candidates` (RFC 8840 §8.2).
    /// [`Description::end_of_candidates`](crate::Description::end_of_candidates) also looks at the
    /// session.
    pub fn end_of_candidates(&self) -> bool {
        self.has_attribute(END_OF_CANDIDATES)
    }

    /// Adds or removes `a=end-of-candidates`.
    pub fn set_end_of_candidates(&mut self, end: bool) {
        if end {
            self.set_attribute(END_OF_CANDIDATES, None);
        } else {
            self.remove_attributes(END_OF_CANDIDATES);
        }
    }
}

pub(crate) const END_OF_CANDIDATES: &str = "end-of-candidates";

pub(crate) fn direction_of(section: &Section) -> Option<Direction> {
    let has = |direction: &Direction| section.attributes(direction.as_str()).any(str::is_empty);
    Direction::ALL.into_iter().find(has)
}

/// `<port> <application> [<streams>]`
pub(crate) fn sctpmap_port(value: &str) -> Option<u16> {
    number(value.split_ascii_whitespace().next()?)
}

#[cfg(test)]
mod tests;
