use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use crate::lines::LINE_END;
use crate::media::{END_OF_CANDIDATES, direction_of};
use crate::{Direction, Error, Fingerprint, IceParameters, Media, Origin, Section, Setup, parse};

/// A session description (RFC 8866) as WebRTC uses it (RFC 9429): the session part and the media
/// sections, every line in its place.
///
/// Writing a description with `to_string` gives the text that was read, byte for byte, except where
/// it was changed since; what is added ends in CRLF. Two descriptions are equal if they have the
/// same lines, whatever those end in.
///
/// Methods that take the index of a media section answer for the session part if there is no such
/// section.
///
/// ```
/// use peerconnection_sdp::{Description, Setup};
///
/// let text = "v=0\r\no=- 46117317 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
///             a=setup:actpass\r\na=x-unknown\r\n\
///             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n";
/// let mut description = Description::parse(text)?;
/// assert_eq!(description.to_string(), text);
/// assert_eq!(description.origin().session_version, 2);
/// assert_eq!(description.media()[0].mid(), Some("0"));
/// assert_eq!(description.setup(0), Some(Setup::ActPass));
///
/// let error = Description::parse("v=0\r\nnonsense\r\n").unwrap_err();
/// assert_eq!(error.line(), Some(2));
/// # Ok::<(), peerconnection_sdp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Description {
    pub(crate) session: Section,
    pub(crate) media: Vec<Media>,
    /// What the `o=` line says.
    pub(crate) origin: Origin,
    /// Blank lines at the end of the text that was read.
    pub(crate) trailer: Box<str>,
}

impl PartialEq for Description {
    fn eq(&self, other: &Description) -> bool {
        self.session == other.session && self.media == other.media
    }
}

impl Eq for Description {}

impl Description {
    /// Gives back the memory for lines and sections that have not come.
    pub fn shrink_to_fit(&mut self) {
        self.session.shrink_to_fit();
        self.media.iter_mut().for_each(|media| media.shrink_to_fit());
        self.media.shrink_to_fit();
    }

    /// Reads a description.
    ///
    /// Lines end in CRLF or LF. Every line has to follow its grammar, whether it means anything to
    /// WebRTC or not (RFC 9429 §5.8); unknown attributes, protocols, formats, groups, candidate
    /// types and extensions follow it. The session part has its lines in the order of RFC 8866 §5
    /// and at least `v=`, `o=`, `s=` and `t=`. Furthermore: mids are unique, and a mid is in at
    /// most one BUNDLE group; ICE credentials have the lengths of RFC 8839 §5.4; a section has one
    /// direction.
    ///
    /// Where browsers accept what the grammar does not, so does this: a last line without an
    /// ending, blank lines at the end, an empty name (`s=`), a missing `c=`, any order of lines in
    /// a media section, session attributes that belong to media sections, a BUNDLE group with a mid
    /// of no section. A candidate whose address is of an unknown form is not used (RFC 8839 §5.1).
    ///
    /// Reads at most [`MAX_LENGTH`](crate::MAX_LENGTH) bytes in
    /// [`MAX_LINES`](crate::MAX_LINES) lines of [`MAX_LINE_LENGTH`](crate::MAX_LINE_LENGTH) bytes
    /// and [`MAX_MEDIA`](crate::MAX_MEDIA) media sections, in a time that grows linearly with the
    /// length.
    ///
    /// # Errors
    /// The first line that does not follow the grammar, else the first line that contradicts
    /// another. A line that is missing at the end is reported behind the last line.
    pub fn parse(text: &str) -> Result<Description, Error> {
        parse::description(text)
    }

    /// A description without media: `v=`, `o=`, `s=-` and `t=0 0`, as in RFC 9429 §5.2.1.
    pub fn new(session_id: u64, session_version: u64) -> Description {
        let origin = Origin::new(session_id, session_version);
        let mut session = Section::default();
        session.push('v', "0");
        session.push('o', &origin.to_string());
        session.push('s', "-");
        session.push('t', "0 0");
        Description { session, media: Vec::new(), origin, trailer: Box::default() }
    }

    /// The `o=` line.
    pub fn origin(&self) -> Origin {
        self.origin.clone()
    }

    /// Replaces the `o=` line.
    pub fn set_origin(&mut self, origin: Origin) {
        self.session.set_line('o', &origin.to_string(), &['v']);
        self.origin = origin;
    }

    /// The lines before the first media section.
    pub fn session(&self) -> &Section {
        &self.session
    }

    /// The lines before the first media section, to be changed.
    pub fn session_mut(&mut self) -> &mut Section {
        &mut self.session
    }

    /// The media sections, in order.
    pub fn media(&self) -> &[Media] {
        &self.media
    }

    /// The media sections, to be changed.
    pub fn media_mut(&mut self) -> &mut [Media] {
        &mut self.media
    }

    /// Adds a media section.
    pub fn push_media(&mut self, media: Media) {
        self.media.push(media);
    }

    /// The media section with this mid, and its index.
    pub fn media_by_mid(&self, mid: &str) -> Option<(usize, &Media)> {
        self.media.iter().enumerate().find(|(_, media)| media.mid() == Some(mid))
    }

    /// The mids of each BUNDLE group (RFC 9143 §5), without mids that no section has.
    pub fn bundle_groups(&self) -> Vec<Vec<String>> {
        let mids: HashSet<&str> = self.media.iter().filter_map(Media::mid).collect();
        let groups = self.session.attributes("group").filter_map(bundle_tags);
        groups
            .map(|tags| tags.filter(|mid| mids.contains(mid)).map(str::to_owned).collect())
            .collect()
    }

    /// Makes `mids` the only BUNDLE group, in the place of the first one or as the last line of the
    /// session part. Without mids, there is no group.
    pub fn set_bundle_group(&mut self, mids: &[&str]) {
        let value = format!("BUNDLE {}", mids.join(" "));
        let value = Some(value.as_str()).filter(|_| !mids.is_empty());
        self.session.replace_attributes_where("group", value, |group| bundle_tags(group).is_some());
    }

    /// Whether the writer is an ICE-lite implementation (RFC 8839 §5.3).
    pub fn ice_lite(&self) -> bool {
        self.session.has_attribute("ice-lite")
    }

    /// Whether `a=ice-options` of the section, or of the session, has `option` (RFC 8839 §5.6).
    pub fn has_ice_option(&self, index: usize, option: &str) -> bool {
        self.sections(index).any(|section| section.has_ice_option(option))
    }

    /// The ICE credentials of a section, else of the session (RFC 8839 §5.4). `None` if either is
    /// missing.
    pub fn ice_parameters(&self, index: usize) -> Option<IceParameters> {
        Some(IceParameters {
            username_fragment: self.inherited(index, "ice-ufrag")?.to_owned(),
            password: self.inherited(index, "ice-pwd")?.to_owned(),
        })
    }

    /// The DTLS role of a section, else of the session (RFC 8842 §5).
    pub fn setup(&self, index: usize) -> Option<Setup> {
        self.inherited(index, "setup")?.parse().ok()
    }

    /// The fingerprints of a section; those of the session if it has none (RFC 8122 §5).
    pub fn fingerprints(&self, index: usize) -> Vec<Fingerprint> {
        let of = |section: &Section| -> Vec<Fingerprint> {
            section.attributes("fingerprint").filter_map(|value| value.parse().ok()).collect()
        };
        self.sections(index)
            .map(of)
            .find(|fingerprints| !fingerprints.is_empty())
            .unwrap_or_default()
    }

    /// The direction of a section, else of the session, else `sendrecv` (RFC 8866 §6.7).
    pub fn direction(&self, index: usize) -> Direction {
        self.sections(index).find_map(direction_of).unwrap_or_default()
    }

    /// Whether a section, or the session, says that no candidates follow (RFC 8840 §8.2).
    pub fn end_of_candidates(&self, index: usize) -> bool {
        self.inherited(index, END_OF_CANDIDATES).is_some()
    }

    /// The media section, if there is one, and the session part behind it.
    fn sections(&self, index: usize) -> impl Iterator<Item = &Section> {
        self.media.get(index).map(Media::section).into_iter().chain([&self.session])
    }

    fn inherited<'a>(&'a self, index: usize, name: &str) -> Option<&'a str> {
        self.sections(index).find_map(|section| section.attribute(name))
    }
}

/// The mids of a group if it is a BUNDLE group.
pub(crate) fn bundle_tags(group: &str) -> Option<impl Iterator<Item = &str>> {
    let mut words = group.split_ascii_whitespace();
    (words.next() == Some("BUNDLE")).then_some(words)
}

impl FromStr for Description {
    type Err = Error;

    fn from_str(text: &str) -> Result<Description, Error> {
        Description::parse(text)
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let media = self.media.iter().map(Media::section);
        let mut sections = std::iter::once(&self.session).chain(media).peekable();
        while let Some(section) = sections.next() {
            f.write_str(section.text())?;
            // It was the last when it was read and is not any more.
            if sections.peek().is_some() && !section.text().ends_with('\n') {
                f.write_str(LINE_END)?;
            }
        }
        f.write_str(&self.trailer)
    }
}

#[cfg(test)]
mod tests;
