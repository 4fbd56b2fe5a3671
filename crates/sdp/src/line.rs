use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::Error;

/// One `<type>=<value>` line (RFC 8866 §5), without its line ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The type letter, `a` for an attribute.
    pub kind: char,
    /// Everything after the `=`.
    pub value: &'a str,
    /// The line's number in the text it was read from, from 1; `None` if it was added since.
    pub number: Option<usize>,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, self.value)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    CrLf,
    Lf,
    /// Only the very last line of a text can lack an ending.
    Missing,
}

impl Ending {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Ending::CrLf => "\r\n",
            Ending::Lf => "\n",
            Ending::Missing => "",
        }
    }
}

/// A line as a section keeps it. Two are equal if they say the same, wherever they stand and
/// however they end.
#[derive(Clone, Debug)]
pub(crate) struct StoredLine {
    pub(crate) kind: char,
    /// Shared: a description is copied more often than a line is changed.
    pub(crate) value: Arc<str>,
    pub(crate) number: Option<u32>,
    pub(crate) ending: Ending,
}

impl PartialEq for StoredLine {
    fn eq(&self, other: &StoredLine) -> bool {
        self.kind == other.kind && self.value == other.value
    }
}

impl Eq for StoredLine {}

impl StoredLine {
    pub(crate) fn new(kind: char, value: &str) -> StoredLine {
        let value = strip_line_ends(value).into();
        StoredLine { kind, value, number: None, ending: Ending::CrLf }
    }

    pub(crate) fn set_value(&mut self, value: &str) {
        self.value = strip_line_ends(value).into();
    }

    pub(crate) fn view(&self) -> Line<'_> {
        Line {
            kind: self.kind,
            value: &self.value,
            number: self.number.and_then(|number| usize::try_from(number).ok()),
        }
    }

    /// The value of this line if it is the attribute `name`; `""` for a flag.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        if self.kind != 'a' {
            return None;
        }
        let rest = self.value.strip_prefix(name)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix(':') }
    }
}

/// What would end a line cannot be inside one: a value that carries it must not become two lines.
fn strip_line_ends(value: &str) -> Cow<'_, str> {
    // Without an early end the processor looks at many bytes at once.
    if value.bytes().fold(false, |found, byte| found | ends_line(byte)) {
        tracing::debug!("left out characters that cannot stand in a line");
        Cow::Owned(value.replace(['\0', '\r', '\n'], ""))
    } else {
        Cow::Borrowed(value)
    }
}

/// RFC 8866 §9, `byte-string`: any byte except NUL, CR and LF.
fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\0' | b'\r' | b'\n')
}

/// A line of a text that is being read.
pub(crate) struct RawLine<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
    pub(crate) ending: Ending,
    /// Where in the text the line begins.
    pub(crate) offset: usize,
}

/// Splits a text into lines; joining them again gives the text.
pub(crate) fn raw_lines(text: &str) -> impl Iterator<Item = RawLine<'_>> {
    let mut offset = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, whole)| {
        let (text, ending) = if let Some(text) = whole.strip_suffix("\r\n") {
            (text, Ending::CrLf)
        } else if let Some(text) = whole.strip_suffix('\n') {
            (text, Ending::Lf)
        } else {
            (whole, Ending::Missing)
        };
        let line = RawLine { number: index.saturating_add(1), text, ending, offset };
        offset = offset.saturating_add(whole.len());
        line
    })
}

impl<'a> RawLine<'a> {
    /// RFC 8866 §5: a lower-case letter, `=` with no white space on either side, a value.
    pub(crate) fn split(&self) -> Result<(char, &'a str), Error> {
        if self.text.bytes().any(ends_line) {
            return Err(Error::new("a line cannot contain NUL or a carriage return"));
        }
        let (kind, value) = self
            .text
            .split_once('=')
            .ok_or_else(|| Error::new("a line has to be of the form <type>=<value>"))?;
        let mut letters = kind.chars();
        let (Some(kind), None) = (letters.next(), letters.next()) else {
            return Err(Error::new("the type of a line is a single letter"));
        };
        if !"vosiuepcbtrzkam".contains(kind) {
            return Err(Error::new("the type of the line is unknown"));
        }
        // Free text may be empty or begin with a space; `s=` and `s= ` are common for "no name".
        let free_text = matches!(kind, 's' | 'i');
        if !free_text && (value.is_empty() || value.starts_with([' ', '\t'])) {
            return Err(Error::new("a value has to follow the = at once"));
        }
        Ok((kind, value))
    }
}
