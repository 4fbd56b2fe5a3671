use std::collections::HashMap;
use std::sync::OnceLock;

use crate::line::{Line, StoredLine};

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
    lines: Vec<StoredLine>,
    /// Where the first `a=mid` is, so that sections are found by mid without reading their lines.
    mid: Option<usize>,
    attributes: AttributeIndex,
}

/// Where the attributes of each name are, for a section that is long enough to be worth it. Every
/// media section asks the session part again, so thousands of lines in both would otherwise take a
/// time that grows with their product.
#[derive(Debug, Default)]
struct AttributeIndex(OnceLock<HashMap<Box<str>, Vec<usize>>>);

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
    fn lines_mut(&mut self) -> &mut Vec<StoredLine> {
        self.attributes = AttributeIndex::default();
        &mut self.lines
    }

    /// Where the attributes `name` are, unless the lines are few.
    fn attribute_positions(&self, name: &str) -> Option<&[usize]> {
        if self.lines.len() < INDEXED_LINES {
            return None;
        }
        let index = self.attributes.0.get_or_init(|| {
            let mut index: HashMap<Box<str>, Vec<usize>> = HashMap::new();
            for (position, line) in self.lines.iter().enumerate().filter(|(_, l)| l.kind == 'a') {
                let name = line.value.split(':').next().unwrap_or_default();
                match index.get_mut(name) {
                    Some(positions) => positions.push(position),
                    None => {
                        index.insert(name.into(), vec![position]);
                    }
                }
            }
            index
        });
        Some(index.get(name).map_or(&[], Vec::as_slice))
    }

    pub(crate) fn push(&mut self, line: StoredLine) {
        if self.mid.is_none() && line.attribute("mid").is_some() {
            self.mid = Some(self.lines.len());
        }
        self.lines_mut().push(line);
    }

    pub(crate) fn stored_lines(&self) -> &[StoredLine] {
        &self.lines
    }

    pub(crate) fn mid(&self) -> Option<&str> {
        self.lines.get(self.mid?)?.attribute("mid")
    }

    fn find_mid(&mut self) {
        self.mid = self.lines.iter().position(|line| line.attribute("mid").is_some());
    }

    /// Every line, in order.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = Line<'_>> + ExactSizeIterator {
        self.lines.iter().map(StoredLine::view)
    }

    /// The value of the first line with the type letter `kind`.
    pub fn line(&self, kind: char) -> Option<&str> {
        self.lines.iter().find(|line| line.kind == kind).map(|line| &*line.value)
    }

    /// Replaces the first line with the type letter `kind`, or inserts it behind the leading lines
    /// whose type letters are in `before`.
    pub(crate) fn set_line(&mut self, kind: char, value: &str, before: &[char]) {
        if let Some(line) = self.lines_mut().iter_mut().find(|line| line.kind == kind) {
            line.set_value(value);
            return;
        }
        let at = self.lines.iter().take_while(|line| before.contains(&line.kind)).count();
        self.lines_mut().insert(at, StoredLine::new(kind, value));
        self.find_mid();
    }

    /// The value of the first attribute `name`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes(name).next()
    }

    /// The values of all attributes `name`, in order.
    pub fn attributes(&self, name: &str) -> impl Iterator<Item = &str> {
        let positions = self.attribute_positions(name);
        let scanned = if positions.is_none() { self.lines.as_slice() } else { &[] };
        let found = positions.into_iter().flatten().filter_map(move |at| self.lines.get(*at));
        found.chain(scanned).filter_map(move |line| line.attribute(name))
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
        self.lines.iter().find(|line| line.attribute(name).is_some())?.view().number
    }

    /// Adds `a=name` or `a=name:value` as the last line.
    pub fn push_attribute(&mut self, name: &str, value: Option<&str>) {
        self.push(StoredLine::new('a', &attribute_text(name, value)));
    }

    /// Adds all lines of `other` as the last ones. Their text is shared, not copied, which makes
    /// this the way to write the same lines into many sections.
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
        self.lines_mut().extend_from_slice(&other.lines);
    }

    /// Replaces the first attribute `name` where it stands, or adds it as the last line.
    pub fn set_attribute(&mut self, name: &str, value: Option<&str>) {
        match self.lines_mut().iter_mut().find(|line| line.attribute(name).is_some()) {
            Some(line) => line.set_value(&attribute_text(name, value)),
            None => self.push_attribute(name, value),
        }
    }

    /// Turns the flag `name` into the flag `to` where it stands.
    pub(crate) fn rename_flag(&mut self, name: &str, to: &str) {
        if let Some(line) = self.lines_mut().iter_mut().find(|line| line.attribute(name).is_some())
        {
            line.set_value(to);
        }
    }

    /// Removes every attribute `name`; says whether there was one.
    pub fn remove_attributes(&mut self, name: &str) -> bool {
        let before = self.lines.len();
        self.lines_mut().retain(|line| line.attribute(name).is_none());
        self.find_mid();
        self.lines.len() < before
    }

    /// Puts `value` in the place of the first attribute `name` whose value `matches`, or last, and
    /// removes all others that match.
    pub(crate) fn replace_attributes_where(
        &mut self,
        name: &str,
        mut value: Option<&str>,
        matches: impl Fn(&str) -> bool,
    ) {
        self.lines_mut().retain_mut(|line| {
            if !line.attribute(name).is_some_and(&matches) {
                return true;
            }
            let replacement = value.take();
            if let Some(value) = replacement {
                line.set_value(&attribute_text(name, Some(value)));
            }
            replacement.is_some()
        });
        self.find_mid();
        if value.is_some() {
            self.push_attribute(name, value);
        }
    }
}

fn attribute_text(name: &str, value: Option<&str>) -> String {
    match value {
        // One allocation: this is most lines of every description that is made.
        Some(value) => [name, ":", value].concat(),
        None => name.to_owned(),
    }
}
