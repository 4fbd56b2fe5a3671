use std::borrow::Cow;
use std::fmt;

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

impl<'a> Line<'a> {
    /// The value of this line if it is the attribute `name`; `""` for a flag.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a str> {
        let rest = self.value.strip_prefix(name).filter(|_| self.kind == 'a')?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix(':') }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, self.value)
    }
}

/// What would end a line cannot be inside one: a value that carries it must not become two lines.
pub(crate) fn strip_line_ends(value: &str) -> Cow<'_, str> {
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
    /// The line with its ending.
    pub(crate) whole: &'a str,
    /// Where in the text the line begins.
    pub(crate) offset: usize,
}

/// Lines end in CRLF or LF; the very last one may have no ending.
pub(crate) fn without_ending(whole: &str) -> &str {
    whole.strip_suffix("\r\n").or_else(|| whole.strip_suffix('\n')).unwrap_or(whole)
}

/// Splits a text into lines; joining them again gives the text.
pub(crate) fn raw_lines(text: &str) -> impl Iterator<Item = RawLine<'_>> {
    let mut offset = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, whole)| {
        let text = without_ending(whole);
        let line = RawLine { number: index.saturating_add(1), text, whole, offset };
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
