use std::sync::OnceLock;

use crate::line::{Line, RawLine};
use crate::lines::{Lines, attribute, attribute_name};

/// The lines of one part of a description, in order: the session part, or one media section with
/// its `m=` line.
///
/// Names of attributes are compared exactly. An attribute that is a flag (`a=rtcp-mux`) has the
/// value `""`. Characters that cannot stand in a line (NUL, CR, LF) are left out of what is
/// written.
///
/// ```
/// # use peerconnection_sdp::Description;
/// let mut description = Description::new(1, 1);
/// description.session_mut().push_attribute("ice-lite", None);
/// description.session_mut().set_attribute("ice-options", Some("trickle"));
/// assert_eq!(description.session().attribute("ice-lite"), Some(""));
/// assert_eq!(description.session().attribute("ice-options"), Some("trickle"));
/// assert!(description.to_string().ends_with("a=ice-lite\r\na=ice-options:trickle\r\n"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Section {
    lines: Lines,
    /// Where the first `a=mid` is, so that sections are found by mid without reading their lines.
    mid: Option<usize>,
    attributes: AttributeIndex,
}

/// Where the attributes are, sorted by their names and then by their places, for a section that is
/// long enough to be worth it. Every media section asks the session part again, so thousands of
/// lines in both would otherwise take a time that grows with their product.
#[derive(Debug, Default)]
struct AttributeIndex(OnceLock<Box<[u32]>>);

/// From this many lines on there is an [`AttributeIndex`].
const INDEXED_LINES: usize = 64;

/// A copy is made to be changed, so it begins without an index.
impl Clone for AttributeIndex {
    fn clone(&self) -> AttributeIndex {
        AttributeIndex::default()
    }
}

impl PartialEq for Section {
    fn eq(&self, other: &Section) -> bool {
        self.lines == other.lines
    }
}

impl Eq for Section {}

impl Section {
    /// The lines, to be changed.
    fn lines_mut(&mut self) -> &mut Lines {
        self.attributes = AttributeIndex::default();
        &mut self.lines
    }

    /// The attribute name of the line at a place of the index.
    fn name_at(&self, at: u32) -> &str {
        attribute_name(self.lines.get(place(at))).unwrap_or_default()
    }

    /// Where the attributes `name` are, unless the lines are few.
    fn attribute_positions(&self, name: &str) -> Option<&[u32]> {
        if self.lines.len() < INDEXED_LINES {
            return None;
        }
        let index = self.attributes.0.get_or_init(|| {
            let names = self.lines.iter().map(attribute_name).zip(0..);
            let mut names: Vec<(&str, u32)> =
                names.filter_map(|(name, at)| Some((name?, at))).collect();
            names.sort_unstable();
            names.into_iter().map(|(_, at)| at).collect()
        });
        let start = index.partition_point(|at| self.name_at(*at) < name);
        let found = index.get(start..).unwrap_or_default();
        found.get(..found.partition_point(|at| self.name_at(*at) == name))
    }

    /// Adds a line as the last one.
    pub(crate) fn push(&mut self, kind: char, value: &str) {
        self.lines_mut().push(kind, value);
        self.note_mid();
    }

    /// Adds a line that was read as the last one.
    pub(crate) fn push_raw(&mut self, line: &RawLine<'_>) {
        self.lines_mut().push_raw(line);
        self.note_mid();
    }

    /// All lines with their endings.
    pub(crate) fn text(&self) -> &str {
        self.lines.text()
    }

    /// Gives back the memory for lines that have not come.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.lines.shrink_to_fit();
    }

    pub(crate) fn mid(&self) -> Option<&str> {
        attribute(self.lines.get(self.mid?), "mid")
    }

    /// Takes note of the last line if it is the first `a=mid`.
    fn note_mid(&mut self) {
        let last = self.lines.len().saturating_sub(1);
        if self.mid.is_none() && attribute(self.lines.get(last), "mid").is_some() {
            self.mid = Some(last);
        }
    }

    fn find_mid(&mut self) {
        self.mid = self.position("mid");
    }

    /// Where the first attribute `name` is.
    fn position(&self, name: &str) -> Option<usize> {
        self.lines.wholes(self.lines.len()).position(|line| attribute(line, name).is_some())
    }

    /// Every line, in order.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = Line<'_>> + ExactSizeIterator {
        (0..self.lines.len()).map(|at| self.lines.view(at))
    }

    /// The value of the first line with the type letter `kind`.
    pub fn line(&self, kind: char) -> Option<&str> {
        self.lines().find(|line| line.kind == kind).map(|line| line.value)
    }

    /// Replaces the first line with the type letter `kind`, or inserts it behind the leading lines
    /// whose type letters are in `before`.
    pub(crate) fn set_line(&mut self, kind: char, value: &str, before: &[char]) {
        let found = self.lines().position(|line| line.kind == kind);
        if let Some(at) = found {
            self.lines_mut().set_value(at, value);
            return;
        }
        let at = self.lines().take_while(|line| before.contains(&line.kind)).count();
        self.lines_mut().insert(at, kind, value);
        self.find_mid();
    }

    /// The value of the first attribute `name`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes(name).next()
    }

    /// The values of all attributes `name`, in order.
    pub fn attributes(&self, name: &str) -> impl Iterator<Item = &str> {
        let positions = self.attribute_positions(name);
        let scanned = if positions.is_none() { self.lines.len() } else { 0 };
        let found = positions.into_iter().flatten().map(|at| place(*at));
        let found = found.map(|at| self.lines.whole(at)).chain(self.lines.wholes(scanned));
        found.filter_map(move |line| attribute(line, name))
    }

    /// Whether there is an attribute `name`.
    pub fn has_attribute(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// Whether `a=ice-options` of this part has `option` (RFC 8839 §5.6).
    pub fn has_ice_option(&self, option: &str) -> bool {
        let mut options = self.attributes("ice-options").flat_map(|options| options.split(' '));
        options.any(|known| known == option)
    }

    /// The number of the line, in the text that was read, of the first attribute `name`.
    pub fn attribute_line(&self, name: &str) -> Option<usize> {
        self.lines.view(self.position(name)?).number
    }

    /// Adds `a=name` or `a=name:value` as the last line.
    pub fn push_attribute(&mut self, name: &str, value: Option<&str>) {
        self.lines_mut().push_attribute(name, value);
        self.note_mid();
    }

    /// Adds all lines of `other` as the last ones. They are copied in one piece, which makes this
    /// the way to write the same lines into many sections.
    ///
    /// ```
    /// # use peerconnection_sdp::{Media, Section};
    /// let mut codec = Section::default();
    /// codec.push_attribute("rtpmap", Some("0 PCMU/8000"));
    /// let mut media = Media::new("audio", 9, "UDP/TLS/RTP/SAVPF", &["0"]);
    /// media.push_all(&codec);
    /// assert_eq!(media.attribute("rtpmap"), Some("0 PCMU/8000"));
    /// ```
    pub fn push_all(&mut self, other: &Section) {
        if self.mid.is_none()
            && let Some(mid) = other.mid
        {
            self.mid = Some(self.lines.len().saturating_add(mid));
        }
        self.lines_mut().push_all(&other.lines);
    }

    /// Replaces the first attribute `name` where it stands, or adds it as the last line.
    pub fn set_attribute(&mut self, name: &str, value: Option<&str>) {
        match self.position(name) {
            Some(at) => self.lines_mut().set_value(at, &attribute_text(name, value)),
            None => self.push_attribute(name, value),
        }
    }

    /// Turns the flag `name` into the flag `to` where it stands.
    pub(crate) fn rename_flag(&mut self, name: &str, to: &str) {
        if let Some(at) = self.position(name) {
            self.lines_mut().set_value(at, to);
        }
    }

    /// Removes every attribute `name`; says whether there was one.
    pub fn remove_attributes(&mut self, name: &str) -> bool {
        let before = self.lines.len();
        self.lines_mut().retain(|line| attribute(line, name).is_none());
        self.find_mid();
        self.lines.len() < before
    }

    /// Puts `value` in the place of the first attribute `name` whose value `matches`, or last, and
    /// removes all others that match.
    pub(crate) fn replace_attributes_where(
        &mut self,
        name: &str,
        value: Option<&str>,
        matches: impl Fn(&str) -> bool,
    ) {
        let is_it = |line: &str| attribute(line, name).is_some_and(&matches);
        let first = self.lines.iter().position(is_it).filter(|_| value.is_some());
        let mut at = 0..;
        self.lines_mut().retain(|line| at.next() == first || !is_it(line));
        self.find_mid();
        match (first, value) {
            (Some(at), Some(_)) => self.lines_mut().set_value(at, &attribute_text(name, value)),
            (None, Some(_)) => self.push_attribute(name, value),
            (_, None) => {}
        }
    }
}

/// A place in an [`AttributeIndex`].
fn place(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn attribute_text(name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => [name, ":", value].concat(),
        None => name.to_owned(),
    }
}
