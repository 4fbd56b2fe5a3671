//! Reads a recording, line by line and within bounds: it may come from anybody.

use std::collections::VecDeque;
use std::io::{BufRead, Read};

use super::ReplayError;
use crate::recording::format::{End, Header, Input, Line, VERSION};

/// The longest line. The longest message that a channel sends has 16 MiB, which base64 makes
/// a third longer.
const LINE: u64 = 24 << 20;
/// How much of one step is kept in memory.
const STEP: u64 = 4 * LINE;

/// What was put in, with all lines that tell what came of it.
pub(super) struct Recorded {
    /// The number of its line; the first line has 1.
    pub(super) line: u64,
    /// Nanoseconds since the beginning.
    pub(super) at: u64,
    pub(super) input: Input,
    pub(super) lines: VecDeque<Line>,
}

/// How a recording ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// With its connection.
    Gone,
    /// With the limit of the recording. What came of the last input is not known.
    Full,
    /// In the middle: the process that recorded was killed, or the file was cut. What came of the
    /// last input is not known.
    CutOff,
}

pub(super) struct Reader<R> {
    source: R,
    /// The number of the last line that was read.
    line: u64,
    /// A line that begins the next step.
    next: Option<(u64, u64, Input)>,
    ending: Option<Ending>,
    octets: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line.
    pub(super) fn new(source: R) -> Result<(Self, Header), ReplayError> {
        let mut reader = Self { source, line: 0, next: None, ending: None, octets: Vec::new() };
        if !reader.read_line()? {
            return Err(ReplayError::NotARecording);
        }
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(&reader.octets) else {
            return Err(ReplayError::NotARecording);
        };
        match value.get("peerconnectionRecording").map(serde_json::Value::as_u64) {
            None => return Err(ReplayError::NotARecording),
            Some(version) if version != Some(u64::from(VERSION)) => {
                return Err(ReplayError::Version(value["peerconnectionRecording"].to_string()));
            }
            Some(_) => {}
        }
        let header = serde_json::from_value(value)
            .map_err(|error| ReplayError::Malformed { line: 1, reason: error.to_string() })?;
        match reader.next_line()? {
            Some(Line::In(at, input)) => reader.next = Some((reader.line, at, input)),
            Some(Line::End(end)) => reader.ending = Some(ending(end)),
            Some(_) => return Err(reader.malformed("nothing was put in before")),
            None => reader.ending = Some(Ending::CutOff),
        }
        Ok((reader, header))
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// The next step of which everything is known.
    pub(super) fn next_step(&mut self) -> Result<Option<Recorded>, ReplayError> {
        let Some((line, at, input)) = self.next.take() else { return Ok(None) };
        let (mut lines, mut size) = (VecDeque::new(), 0);
        loop {
            let Some(next) = self.next_line()? else {
                self.ending = Some(Ending::CutOff);
                return Ok(None);
            };
            size += self.octets.len() as u64;
            if size > STEP {
                return Err(ReplayError::TooLong { line: self.line });
            }
            match next {
                Line::In(at, input) => {
                    self.next = Some((self.line, at, input));
                    break;
                }
                Line::End(end) => {
                    self.ending = Some(ending(end));
                    if end == End::Full {
                        return Ok(None);
                    }
                    break;
                }
                line => lines.push_back(line),
            }
        }
        Ok(Some(Recorded { line, at, input, lines }))
    }

    fn next_line(&mut self) -> Result<Option<Line>, ReplayError> {
        if !self.read_line()? {
            return Ok(None);
        }
        match serde_json::from_slice(&self.octets) {
            Ok(line) => Ok(Some(line)),
            // What was written last is not whole.
            Err(_) if !self.octets.ends_with(b"\n") => Ok(None),
            Err(error) => Err(self.malformed(&error.to_string())),
        }
    }

    fn malformed(&self, reason: &str) -> ReplayError {
        ReplayError::Malformed { line: self.line, reason: reason.to_owned() }
    }

    /// Reads a line; `false` at the end.
    fn read_line(&mut self) -> Result<bool, ReplayError> {
        self.octets.clear();
        let mut bounded = (&mut self.source).take(LINE);
        let length = bounded.read_until(b'\n', &mut self.octets).map_err(ReplayError::Io)?;
        self.line += 1;
        if length as u64 == LINE {
            return Err(ReplayError::TooLong { line: self.line });
        }
        Ok(length > 0)
    }
}

fn ending(end: End) -> Ending {
    match end {
        End::Gone => Ending::Gone,
        End::Full => Ending::Full,
    }
}
