//! Writes a recording, or compares what a replay does with one.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::Instant;
use transport::{dtls, media};

use super::format::{Asked, End, Header, Input, Line, Opened, Output, Word};
use super::words::{offset, time_at};

/// What is left for the last line.
const LAST_LINE: u64 = 64;

/// Writes down what goes into an engine and comes out of it; or, in a replay, says again what DTLS
/// has said, and compares the rest.
///
/// An engine is only used under the lock of its connection, so the lines have one order. For the lock
/// in here nobody waits but who flushes the recording.
pub(crate) struct Recorder {
    start: Instant,
    plays: bool,
    state: Mutex<State>,
}

enum State {
    Writing(Writer),
    Playing(Player),
    /// Nothing more is written.
    Over,
}

struct Writer {
    sink: Box<dyn Write + Send>,
    /// Bytes that may still be written.
    left: u64,
    line: Vec<u8>,
    connections: u64,
}

/// The state of a replay.
struct Player {
    /// What came of the present step, and has not come again.
    expected: VecDeque<Line>,
    /// What has come of it.
    produced: Vec<Line>,
    /// Whether outputs may differ: those of a recording whose secrets were replaced do.
    is_lenient: bool,
    difference: Option<Difference>,
    connections: u64,
}

/// Where a replay first differs: what the recording has, and what came instead. `None` is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) recorded: Option<String>,
    pub(crate) replayed: Option<String>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("plays", &self.plays).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Begins to write, with the first line. `limit` is in bytes.
    pub(crate) fn writing(
        start: Instant,
        header: &Header,
        mut sink: Box<dyn Write + Send>,
        limit: u64,
    ) -> io::Result<Self> {
        let mut line = serde_json::to_vec(header)?;
        line.push(b'\n');
        sink.write_all(&line)?;
        let left = limit.saturating_sub(line.len() as u64);
        let writer = Writer { sink, left, line, connections: 0 };
        Ok(Self { start, plays: false, state: Mutex::new(State::Writing(writer)) })
    }

    /// For a replay.
    pub(crate) fn playing(start: Instant, is_lenient: bool) -> Self {
        let player = Player {
            expected: VecDeque::new(),
            produced: Vec::new(),
            is_lenient,
            difference: None,
            connections: 0,
        };
        Self { start, plays: true, state: Mutex::new(State::Playing(player)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is put in. A replay knows.
    pub(crate) fn input(&self, now: Instant, input: impl FnOnce() -> Input) {
        if self.plays {
            return;
        }
        let mut state = self.state();
        let State::Writing(writer) = &mut *state else { return };
        if !writer.write(&Line::In(offset(self.start, now), input())) {
            *state = State::Over;
        }
    }

    /// Notes what comes out.
    pub(crate) fn output(&self, output: impl FnOnce() -> Output) {
        let mut state = self.state();
        match &mut *state {
            State::Writing(writer) => {
                if !writer.write(&Line::Out(output())) {
                    *state = State::Over;
                }
            }
            State::Playing(player) => player.output(Line::Out(output())),
            State::Over => {}
        }
    }

    /// Writes out what waits in memory.
    pub(crate) fn flush(&self) -> io::Result<()> {
        match &mut *self.state() {
            State::Writing(writer) => writer.sink.flush(),
            State::Playing(_) | State::Over => Ok(()),
        }
    }

    /// Ends the recording in order.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        if let State::Writing(writer) = &mut *state {
            writer.end(End::Gone);
            *state = State::Over;
        }
    }

    /// Begins a step of a replay, of which the recording has these lines.
    pub(crate) fn begin_step(&self, expected: VecDeque<Line>) {
        if let State::Playing(player) = &mut *self.state() {
            player.expected = expected;
            player.produced.clear();
        }
    }

    /// Ends it. Returns what has come of it, and how that differs.
    pub(crate) fn end_step(&self) -> (Vec<Line>, Option<Difference>) {
        let State::Playing(player) = &mut *self.state() else { return (Vec::new(), None) };
        if !player.is_lenient
            && let Some(missing) = player.expected.pop_front()
        {
            player.differ(Some(missing), None);
        }
        player.expected.clear();
        (std::mem::take(&mut player.produced), player.difference.take())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end();
    }
}

impl Writer {
    /// Writes a line. Returns whether there may be another one.
    fn write(&mut self, line: &Line) -> bool {
        self.line.clear();
        let written = match serde_json::to_writer(&mut self.line, line) {
            Ok(()) => {
                self.line.push(b'\n');
                if self.line.len() as u64 > self.left.saturating_sub(LAST_LINE) {
                    tracing::warn!("the recording stops: its limit is reached");
                    self.end(End::Full);
                    return false;
                }
                self.left -= self.line.len() as u64;
                self.sink.write_all(&self.line)
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = &written {
            tracing::warn!(%error, "the recording stops: it cannot be written");
        }
        written.is_ok()
    }

    fn end(&mut self, end: End) {
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, &Line::End(end))
            .map_err(io::Error::from)
            .and_then(|()| {
                self.line.push(b'\n');
                self.sink.write_all(&self.line)?;
                self.sink.flush()
            });
        if let Err(error) = written {
            tracing::warn!(%error, "the end of a recording cannot be written");
        }
    }
}

/// A line as a difference shows it.
fn shown(line: &Line) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

impl Player {
    fn differ(&mut self, recorded: Option<Line>, replayed: Option<&Line>) {
        if self.difference.is_none() {
            self.difference = Some(Difference {
                recorded: recorded.as_ref().map(shown),
                replayed: replayed.map(shown),
            });
        }
    }

    fn output(&mut self, line: Line) {
        if !self.is_lenient {
            let recorded = self.expected.pop_front();
            if recorded.as_ref() != Some(&line) {
                self.differ(recorded, Some(&line));
            }
        }
        self.produced.push(line);
    }

    /// If outputs may differ, leaves out those before the next word.
    fn skip_outputs(&mut self) {
        if self.is_lenient {
            while let Some(Line::Out(_)) = self.expected.front() {
                self.expected.pop_front();
            }
        }
    }

    /// What the recording has of the next packet of media.
    fn open(&mut self, sealed: media::Sealed) -> Option<Opened> {
        self.skip_outputs();
        match self.expected.pop_front() {
            Some(Line::Srtp(opened)) if opened.fits(sealed) => {
                self.produced.push(Line::Srtp(opened.clone()));
                Some(opened)
            }
            recorded => {
                // The lengths differ, or another thing: there is no such line.
                self.differ(recorded, None);
                None
            }
        }
    }

    /// The next word of DTLS that the recording has.
    fn play(&mut self, connection: u64, asked: Option<Asked>) -> Option<Word> {
        self.skip_outputs();
        let fits = match (self.expected.front(), &asked) {
            (Some(Line::Dtls(of, Word::Answered { asked: recorded, .. })), Some(asked)) => {
                let is_same = match (recorded, asked) {
                    (Asked::Send { .. }, Asked::Send { .. }) if self.is_lenient => true,
                    _ => recorded == asked,
                };
                *of == connection && is_same
            }
            (Some(Line::Dtls(_, Word::Answered { .. })), None) | (_, Some(_)) => false,
            (Some(Line::Dtls(of, _)), None) => *of == connection,
            (_, None) => false,
        };
        let recorded = self.expected.pop_front();
        if !fits {
            let replayed = asked.map(|asked| {
                let (negotiated, ended, lengths) = (None, None, Vec::new());
                Line::Dtls(connection, Word::Answered { asked, negotiated, ended, lengths })
            });
            self.differ(recorded, replayed.as_ref());
            return None;
        }
        let Some(Line::Dtls(_, mut word)) = recorded else { return None };
        if let (Word::Answered { asked: recorded, .. }, Some(asked)) = (&mut word, asked) {
            *recorded = asked;
        }
        self.produced.push(Line::Dtls(connection, word.clone()));
        Some(word)
    }
}

impl dtls::Tape for Recorder {
    fn plays(&self) -> bool {
        self.plays
    }

    fn begin(&self) -> u64 {
        let mut state = self.state();
        let connections = match &mut *state {
            State::Writing(writer) => &mut writer.connections,
            State::Playing(player) => &mut player.connections,
            State::Over => return u64::MAX,
        };
        *connections += 1;
        *connections - 1
    }

    fn record(&self, connection: u64, word: dtls::Word) {
        let mut state = self.state();
        if let State::Writing(writer) = &mut *state
            && !writer.write(&Line::Dtls(connection, Word::of(self.start, connection, word)))
        {
            *state = State::Over;
        }
    }

    fn play(&self, connection: u64, asked: Option<&dtls::Asked>) -> Option<dtls::Word> {
        let mut state = self.state();
        let State::Playing(player) = &mut *state else { return None };
        let word = player.play(connection, asked.map(Asked::of))?;
        Some(word.restore(self.start))
    }
}

impl media::Tape for Recorder {
    fn plays(&self) -> bool {
        self.plays
    }

    fn record(&self, opened: media::Opened) {
        let mut state = self.state();
        if let State::Writing(writer) = &mut *state
            && !writer.write(&Line::Srtp(Opened::of(opened)))
        {
            *state = State::Over;
        }
    }

    fn play(&self, sealed: media::Sealed) -> Option<media::Opened> {
        let mut state = self.state();
        let State::Playing(player) = &mut *state else { return None };
        player.open(sealed).map(media::Opened::from)
    }
}

/// The time of a line of a replay that begins at `start`, if there is one.
pub(crate) fn replay_time(start: Instant, nanoseconds: u64) -> Option<Instant> {
    time_at(start, nanoseconds)
}
