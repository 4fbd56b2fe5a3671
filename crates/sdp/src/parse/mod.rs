//! RFC 9429 §5.8: a text becomes a description, line by line.

use std::collections::BTreeSet;

use crate::description::bundle_tags;
use crate::grammar::{is_token, is_word, saturating_number};
use crate::limits::{MAX_LENGTH, MAX_LINE_LENGTH, MAX_LINES, MAX_MEDIA};
use crate::line::{RawLine, raw_lines};
use crate::media::{MediaLine, Use};
use crate::{Description, Direction, Error, Media, Origin, Section, attribute};

pub(crate) fn description(text: &str) -> Result<Description, Error> {
    if text.len() > MAX_LENGTH {
        return Err(Error::new(format!("longer than {MAX_LENGTH} bytes")));
    }
    if let Some(message) = detect_wrapping(text) {
        return Err(Error::new(message).on_line(1));
    }
    let mut reader = Reader::default();
    let mut end = 0;
    let mut blank: Option<RawLine<'_>> = None;
    for line in raw_lines(text) {
        if line.text.is_empty() {
            blank.get_or_insert(line);
            continue;
        }
        if let Some(blank) = blank {
            return Err(Error::new("a line cannot be blank").on_line(blank.number));
        }
        end = line.number;
        reader.line(&line).map_err(|error| error.on_line(line.number))?;
    }
    let trailer = blank.and_then(|blank| text.get(blank.offset..)).unwrap_or_default();
    reader.finish(end.saturating_add(1), trailer)
}

/// A frequent mistake: the text that a description was sent in is taken for the description.
fn detect_wrapping(text: &str) -> Option<&'static str> {
    let start = text.trim_start();
    if start.starts_with("[object ") {
        return Some("this is what an object becomes as a string; SDP is in its member sdp");
    }
    if start.starts_with(['{', '[', '"']) {
        return Some("this is JSON and not SDP, which is the string in its member sdp");
    }
    let first = start.lines().next().unwrap_or_default();
    (first.starts_with("v=0\\r") || first.starts_with("v=0\\n"))
        .then_some("the line ends are escaped: this is from inside of a JSON string")
}

#[derive(Default)]
struct Reader<'a> {
    session: Section,
    media: Vec<Media>,
    origin: Option<Origin>,
    lines: usize,
    /// The type of the session line before this one.
    previous: Option<char>,
    has_timing: bool,
    /// What the media section that is being read is for; `None` in the session part.
    section: Option<Use>,
    /// The direction of the section that is being read.
    direction: Option<Direction>,
    has_mid: bool,
    mids: BTreeSet<&'a str>,
    groups: Vec<(usize, &'a str)>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &RawLine<'a>) -> Result<(), Error> {
        self.lines = self.lines.saturating_add(1);
        if self.lines > MAX_LINES {
            return Err(Error::new(format!("more than {MAX_LINES} lines")));
        }
        if line.text.len() > MAX_LINE_LENGTH {
            return Err(Error::new(format!("a line longer than {MAX_LINE_LENGTH} bytes")));
        }
        let (kind, value) = line.split()?;

        if kind == 'm' {
            self.require_session_lines()?;
            let media_line = MediaLine::parse(value)?;
            if self.media.len() == MAX_MEDIA {
                return Err(Error::new(format!("more than {MAX_MEDIA} media sections")));
            }
            self.section = Some(media_line.used_for());
            self.direction = None;
            self.has_mid = false;
            self.current().shrink_to_fit();
            self.media.push(Media::from_line(line));
            return Ok(());
        }

        if self.section.is_none() {
            self.check_session_order(kind)?;
        } else if !"icbka".contains(kind) {
            return Err(Error::new(format!("{kind}= cannot be in a media section")));
        }
        match kind {
            'v' if value != "0" => return Err(Error::new("the version is not 0")),
            'o' => self.origin = Some(value.parse()?),
            't' => timing(value)?,
            'c' => connection(value)?,
            'b' => bandwidth(value)?,
            'a' => self.attribute(line.number, value)?,
            _ => {}
        }
        self.current().push_raw(line);
        Ok(())
    }

    /// The section that is being read.
    fn current(&mut self) -> &mut Section {
        match self.media.last_mut() {
            Some(media) => media.section_mut(),
            None => &mut self.session,
        }
    }

    /// RFC 8866 §9, `session-description`.
    fn check_session_order(&mut self, kind: char) -> Result<(), Error> {
        let first = match self.previous {
            None => Some('v'),
            Some('v') => Some('o'),
            Some('o') => Some('s'),
            Some(_) => None,
        };
        if let Some(expected) = first
            && kind != expected
        {
            return Err(Error::new(format!("{expected}= has to stand here")));
        }
        if let Some(previous) = self.previous
            && first.is_none()
            && (rank(kind) < rank(previous) || matches!(kind, 'v' | 'o' | 's'))
        {
            return Err(Error::new(format!("{kind}= cannot stand behind {previous}=")));
        }
        match kind {
            't' => self.has_timing = true,
            'r' | 'z' | 'k' | 'a' => self.require_session_lines()?,
            _ => {}
        }
        self.previous = Some(kind);
        Ok(())
    }

    fn require_session_lines(&self) -> Result<(), Error> {
        let missing = match self.previous {
            None => 'v',
            Some('v') => 'o',
            Some('o') => 's',
            Some(_) if !self.has_timing => 't',
            Some(_) => return Ok(()),
        };
        Err(Error::new(format!("{missing}= has to stand here")))
    }

    fn attribute(&mut self, number: usize, attribute: &'a str) -> Result<(), Error> {
        let (name, value) = match attribute.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (attribute, None),
        };
        if !is_token(name) {
            return Err(Error::new("the name of the attribute is not a token"));
        }
        // RFC 8866 §6.7: at most one of them.
        if value.is_none()
            && let Ok(direction) = name.parse::<Direction>()
            && self.direction.replace(direction).is_some_and(|earlier| earlier != direction)
        {
            return Err(Error::new("the section has two directions"));
        }
        let value = value.unwrap_or_default();
        attribute::check(self.section, name, value)?;
        match (name, self.section) {
            ("group", None) => self.groups.push((number, value)),
            ("mid", Some(_)) => {
                if self.has_mid {
                    return Err(Error::new("the section has two mids"));
                }
                self.has_mid = true;
                if !self.mids.insert(value) {
                    return Err(Error::new("the mid is that of another section"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `end` is the number of the line behind the last.
    fn finish(mut self, end: usize, trailer: &str) -> Result<Description, Error> {
        self.require_session_lines().map_err(|error| error.on_line(end))?;
        let origin = self.origin.take();
        let origin = origin.ok_or_else(|| Error::new("o= has to stand here").on_line(end))?;
        let mut bundled = BTreeSet::new();
        for (number, group) in &self.groups {
            let Some(tags) = bundle_tags(group) else { continue };
            for mid in tags {
                if !self.mids.contains(mid) {
                    tracing::debug!(mid, "the BUNDLE group has a mid of no section");
                } else if !bundled.insert(mid) {
                    return Err(Error::new("a mid is in BUNDLE groups twice").on_line(*number));
                }
            }
        }
        self.current().shrink_to_fit();
        self.media.shrink_to_fit();
        Ok(Description {
            session: self.session,
            media: self.media,
            origin,
            trailer: trailer.into(),
        })
    }
}

/// The place of a line in the session part. In RFC 8866 §9, lines of one rank repeat and mix.
fn rank(kind: char) -> usize {
    let order: [&[char]; 11] = [
        &['v'],
        &['o'],
        &['s'],
        &['i'],
        &['u'],
        &['e', 'p'],
        &['c'],
        &['b'],
        &['t', 'r', 'z'],
        &['k'],
        &['a'],
    ];
    order.iter().position(|kinds| kinds.contains(&kind)).unwrap_or(order.len())
}

/// RFC 8866 §5.9
fn timing(value: &str) -> Result<(), Error> {
    let is_timing = value.split_once(' ').is_some_and(|(start, stop)| {
        saturating_number(start).is_some() && saturating_number(stop).is_some()
    });
    if is_timing { Ok(()) } else { Err(Error::new("the timing is not two numbers")) }
}

/// RFC 8866 §5.7; address types other than IP4 and IP6 are left to whoever uses them.
fn connection(value: &str) -> Result<(), Error> {
    let fields: Vec<&str> = value.splitn(4, ' ').collect();
    let is_connection = fields.len() == 3 && fields.iter().all(|field| is_word(field));
    if is_connection {
        Ok(())
    } else {
        Err(Error::new("the connection does not have three fields"))
    }
}

/// RFC 8866 §5.8; browsers take a negative bandwidth for none.
fn bandwidth(value: &str) -> Result<(), Error> {
    let is_bandwidth = value.split_once(':').is_some_and(|(kind, bandwidth)| {
        let bandwidth = bandwidth.strip_prefix('-').unwrap_or(bandwidth);
        is_token(kind) && saturating_number(bandwidth).is_some()
    });
    if is_bandwidth { Ok(()) } else { Err(Error::new("the bandwidth is not <type>:<number>")) }
}

#[cfg(test)]
mod tests;
