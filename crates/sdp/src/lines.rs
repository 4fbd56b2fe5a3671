//! The lines of a section, in one piece of text.

use std::num::NonZeroU32;
use std::ops::Range;

use crate::line::{Line, RawLine, strip_line_ends, without_ending};

/// How a line ends that was not read.
pub(crate) const LINE_END: &str = "\r\n";

/// Lines as they are written, one behind the other. An allocation for each of them would take more
/// memory than the lines do, and a copy more time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    text: String,
    places: Vec<Place>,
}

/// Where a line is. It begins where the one before it ends.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Where it ends in the text, with its ending.
    end: u32,
    /// Its number in the text it was read from.
    number: Option<NonZeroU32>,
}

/// Lines are equal if they say the same, wherever they stand and however they end.
impl PartialEq for Lines {
    fn eq(&self, other: &Lines) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Lines {}

impl Lines {
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// All lines with their endings.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// A line of the form `<type>=<value>`, without its ending; `""` if there is none.
    pub(crate) fn get(&self, at: usize) -> &str {
        without_ending(self.whole(at))
    }

    /// A line with its ending; `""` if there is none.
    pub(crate) fn whole(&self, at: usize) -> &str {
        self.text.get(self.range(at)).unwrap_or_default()
    }

    /// Every line without its ending, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.wholes(self.len()).map(without_ending)
    }

    /// The first lines with their endings, in order.
    pub(crate) fn wholes(&self, count: usize) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.places.iter().take(count).map(move |place| {
            let range = start..place.end();
            start = range.end;
            self.text.get(range).unwrap_or_default()
        })
    }

    pub(crate) fn view(&self, at: usize) -> Line<'_> {
        let line = self.get(at);
        Line {
            kind: line.chars().next().unwrap_or_default(),
            value: value_of(line),
            number: self.places.get(at).and_then(|place| usize::try_from(place.number?.get()).ok()),
        }
    }

    /// Where a line is in the text, with its ending. Behind the last line it is empty.
    fn range(&self, at: usize) -> Range<usize> {
        let end = |at: usize| self.places.get(at).map_or(self.text.len(), Place::end);
        let start = at.checked_sub(1).map_or(0, end);
        start..end(at)
    }

    /// Adds a line as the last one.
    pub(crate) fn push(&mut self, kind: char, value: &str) {
        self.insert(self.len(), kind, value);
    }

    /// Adds `a=name` or `a=name:value` as the last line.
    pub(crate) fn push_attribute(&mut self, name: &str, value: Option<&str>) {
        let (name, value) = (strip_line_ends(name), value.map(strip_line_ends));
        let (colon, value) = match &value {
            Some(value) => (":", value.as_ref()),
            None => ("", ""),
        };
        let parts = ["a=", &name, colon, value, LINE_END];
        if self.make_room(1, parts.iter().map(|part| part.len()).sum()) {
            self.end_last();
            self.text.extend(parts);
            self.places.push(Place::new(self.text.len(), None));
        }
    }

    /// Adds a line that was read as the last one.
    pub(crate) fn push_raw(&mut self, line: &RawLine<'_>) {
        if self.make_room(1, line.whole.len()) {
            self.end_last();
            self.text.push_str(line.whole);
            self.places.push(Place::new(self.text.len(), Some(line.number)));
        }
    }

    /// Adds all lines of `other` as the last ones.
    pub(crate) fn push_all(&mut self, other: &Lines) {
        if self.make_room(other.len(), other.text.len()) {
            self.end_last();
            let start = self.text.len();
            self.text.push_str(&other.text);
            let moved = |place: &Place| Place { end: narrow(start + place.end()), ..*place };
            self.places.extend(other.places.iter().map(moved));
        }
    }

    /// Puts a line before the one at `at`.
    pub(crate) fn insert(&mut self, at: usize, kind: char, value: &str) {
        let line = format!("{kind}={}{LINE_END}", strip_line_ends(value));
        if self.make_room(1, line.len()) {
            if at == self.len() {
                self.end_last();
            }
            let start = self.range(at).start;
            self.text.insert_str(start, &line);
            self.places.insert(at, Place::new(start, None));
            self.shift(at, |end| end + line.len());
        }
    }

    /// Gives a line another value. Its number and its ending stay.
    pub(crate) fn set_value(&mut self, at: usize, value: &str) {
        let value = strip_line_ends(value);
        let start = self.range(at).start;
        let (from, to) = (start + KIND, start + self.get(at).len());
        if from <= to && self.make_room(0, value.len()) {
            self.text.replace_range(from..to, &value);
            self.shift(at, |end| end - (to - from) + value.len());
        }
    }

    /// Keeps the lines that `keeps` wants.
    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(&str) -> bool) {
        let Some(first) = (0..self.len()).find(|at| !keeps(self.get(*at))) else { return };
        let mut kept = self.text.get(..self.range(first).start).unwrap_or_default().to_owned();
        let mut places = self.places.get(..first).unwrap_or_default().to_vec();
        for (at, place) in self.places.iter().enumerate().skip(first + 1) {
            if keeps(self.get(at)) {
                kept.push_str(self.text.get(self.range(at)).unwrap_or_default());
                places.push(Place { end: narrow(kept.len()), ..*place });
            }
        }
        *self = Lines { text: kept, places };
    }

    /// Gives back the memory for lines that have not come.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.text.shrink_to_fit();
        self.places.shrink_to_fit();
    }

    /// Makes room for more lines with so many bytes of text, and for few more than that: most
    /// sections never change, and what changes is little beside the rest. Returns `false` if they
    /// are too many. What is read never comes near.
    fn make_room(&mut self, lines: usize, octets: usize) -> bool {
        if self.text.len().saturating_add(octets) > MOST {
            tracing::warn!("a section cannot have more than {MOST} bytes: lines are left out");
            return false;
        }
        // With an ending for the line before.
        let octets = octets + LINE_END.len();
        if self.text.capacity() - self.text.len() < octets {
            self.text.reserve_exact(octets.max(self.text.len() / 8).max(128));
        }
        if self.places.capacity() - self.places.len() < lines {
            self.places.reserve_exact(lines.max(self.places.len() / 8).max(4));
        }
        true
    }

    /// Ends the last line, which may have no ending if it was the last of what was read.
    fn end_last(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push_str(LINE_END);
            let end = narrow(self.text.len());
            self.places.iter_mut().next_back().into_iter().for_each(|place| place.end = end);
        }
    }

    /// Moves the ends of the lines from `at` on.
    fn shift(&mut self, at: usize, to: impl Fn(usize) -> usize) {
        self.places.iter_mut().skip(at).for_each(|place| place.end = narrow(to(place.end())));
    }
}

/// Bytes of the text of a section.
const MOST: usize = 1 << 30;
/// Bytes of the type of a line and of the `=`.
const KIND: usize = 2;

impl Place {
    fn new(end: usize, number: Option<usize>) -> Place {
        let number = number.and_then(|number| NonZeroU32::new(u32::try_from(number).ok()?));
        Place { end: narrow(end), number }
    }

    fn end(&self) -> usize {
        usize::try_from(self.end).unwrap_or(usize::MAX)
    }
}

/// A place in a text of at most [`MOST`] bytes.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn value_of(line: &str) -> &str {
    line.get(KIND..).unwrap_or_default()
}

/// The value of a line, with or without its ending, if it is the attribute `name`; `""` for a flag.
pub(crate) fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    // Most lines are another attribute, so the ending comes last.
    let rest = without_ending(line.strip_prefix("a=")?.strip_prefix(name)?);
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(':') }
}

/// The name of an attribute; `None` for another line.
pub(crate) fn attribute_name(line: &str) -> Option<&str> {
    line.strip_prefix("a=")?.split(':').next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::line::raw_lines;

    #[test]
    fn a_last_line_without_an_ending_gets_one_when_another_follows() {
        let mut lines = Lines::default();
        raw_lines("a=mid:0\na=x").for_each(|line| lines.push_raw(&line));
        assert_eq!(lines.text(), "a=mid:0\na=x");
        lines.set_value(0, "mid:longer");
        assert_eq!(lines.text(), "a=mid:longer\na=x");
        lines.push_attribute("y", Some("1\r\n2"));
        assert_eq!(lines.text(), "a=mid:longer\na=x\r\na=y:12\r\n");
        assert_eq!([0, 1, 2].map(|at| lines.view(at).number), [Some(1), Some(2), None]);
        assert_eq!((lines.get(3), attribute(lines.whole(1), "x")), ("", Some("")));
    }

    #[derive(Clone, Debug)]
    enum Change {
        Push(String),
        Insert(usize, String),
        Set(usize, String),
        Remove(char),
        PushAll(Vec<String>),
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let value = || "[a-cä]{0,9}";
        let change = prop_oneof![
            value().prop_map(Change::Push),
            (any::<usize>(), value()).prop_map(|(at, value)| Change::Insert(at, value)),
            (any::<usize>(), value()).prop_map(|(at, value)| Change::Set(at, value)),
            prop::sample::select(vec!['a', 'b', 'ä']).prop_map(Change::Remove),
            prop::collection::vec(value(), 0..4).prop_map(Change::PushAll),
        ];
        prop::collection::vec(change, 0..40)
    }

    proptest! {
        /// One text says what a list of lines says.
        #[test]
        fn it_agrees_with_a_list(changes in changes()) {
            let (mut lines, mut list) = (Lines::default(), Vec::<String>::new());
            for change in changes {
                match change {
                    Change::Push(value) => {
                        lines.push('a', &value);
                        list.push(value);
                    }
                    Change::Insert(at, value) => {
                        let at = at % (list.len() + 1);
                        lines.insert(at, 'a', &value);
                        list.insert(at, value);
                    }
                    Change::Set(at, value) if !list.is_empty() => {
                        let at = at % list.len();
                        lines.set_value(at, &value);
                        list[at] = value;
                    }
                    Change::Set(..) => {}
                    Change::Remove(letter) => {
                        lines.retain(|line| !line[KIND..].starts_with(letter));
                        list.retain(|value| !value.starts_with(letter));
                    }
                    Change::PushAll(values) => {
                        let mut other = Lines::default();
                        values.iter().for_each(|value| other.push('a', value));
                        lines.push_all(&other);
                        list.extend(values);
                    }
                }
                let written: Vec<String> = list.iter().map(|value| format!("a={value}")).collect();
                prop_assert_eq!(lines.iter().collect::<Vec<_>>(), &written[..]);
                let text: String = written.iter().map(|line| format!("{line}\r\n")).collect();
                prop_assert_eq!(lines.text(), text);
                prop_assert_eq!(lines.get(list.len()), "");
            }
        }
    }
}
