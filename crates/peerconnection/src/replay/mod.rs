//! What a [recording](crate::recording) has happens again: the same calls, the same datagrams and
//! the same timers, at the same times by a clock that runs as fast as it can, without a socket.
//! [The manual](crate::manual::recording) has the story; the program `peerconnection-replay` is made
//! of this.
//!
//! The replay runs the code of *this* version of the crate. If that does something else than the
//! recording has, the replay says where it first differs: be it that the file was changed, or that
//! the code was.
//!
//! A recording may come from anybody. Reading one takes bounded memory, and gives an error where it
//! makes no sense.

mod machine;
mod packets;
mod reader;
mod redact;
mod shown;

use std::io::{self, BufRead};

use idl::Error;
use time::Duration;

use machine::{Machine, Refusal};
use reader::{Reader, Recorded};

pub use reader::Ending;
pub use redact::redact;
pub use shown::Step;

/// Why a replay cannot go on. Lines are those of the recording; the first has 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The recording cannot be read.
    #[error("the recording cannot be read: {0}")]
    Io(#[source] io::Error),
    /// The file is something else.
    #[error("the file is no recording of a connection")]
    NotARecording,
    /// The format has another version than 1.
    #[error("the recording has the format {0}, and only 1 is known")]
    Version(String),
    /// A line makes no sense.
    #[error("line {line}: {reason}")]
    Malformed {
        /// Which line.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A line has 24 MiB or more, or one step more than 96 MiB.
    #[error("line {line}: too long")]
    TooLong {
        /// Which line.
        line: u64,
    },
    /// The connection cannot be made as it was.
    #[error("the connection cannot be made: {0}")]
    Refused(#[source] Error),
    /// No copy can be made that has no secrets and replays to the same.
    #[error("line {line}: the secrets cannot be taken out: {why}")]
    NotRedactable {
        /// Which line.
        line: u64,
        /// Why not.
        why: String,
    },
    /// Something else happened than the recording has.
    #[error(
        "line {line}, at {seconds:.6} s: the replay differs\n  recorded: {recorded}\n  replayed: {replayed}",
        seconds = at.as_secs_f64()
    )]
    Differs {
        /// The line of what was put in before.
        line: u64,
        /// When, since the connection was made.
        at: Duration,
        /// What the recording has, as it stands there, or `nothing`.
        recorded: String,
        /// What happened instead, or `nothing`.
        replayed: String,
    },
}

/// A replay, step by step. It ends with the recording, or with an error.
///
/// ```
/// use std::io::BufReader;
/// use peerconnection::replay::{Replay, ReplayError};
///
/// # fn read(file: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let mut replay = Replay::new(BufReader::new(std::fs::File::open(file)?))?;
/// for step in &mut replay {
///     print!("{}", step?);
/// }
/// println!("{:?}, {}", replay.ending(), replay.connection_state());
/// # Ok(())
/// # }
/// assert!(matches!(Replay::new(&b"{}\n"[..]), Err(ReplayError::NotARecording)));
/// ```
pub struct Replay<R> {
    reader: Reader<R>,
    machine: Machine,
    has_failed: bool,
}

impl<R: BufRead> Replay<R> {
    /// Reads the first line, and makes the connection.
    ///
    /// # Errors
    /// Any [`ReplayError`] but [`Differs`](ReplayError::Differs).
    pub fn new(recording: R) -> Result<Self, ReplayError> {
        let (reader, header) = Reader::new(recording)?;
        let machine = Machine::new(&header, false)?;
        Ok(Self { reader, machine, has_failed: false })
    }

    /// How the recording ends, once its last step was replayed.
    pub fn ending(&self) -> Option<Ending> {
        self.reader.ending()
    }

    /// The `connectionState` at the present step.
    pub fn connection_state(&self) -> crate::RTCPeerConnectionState {
        self.machine.pc().connection_state()
    }

    /// The `signalingState` at the present step.
    pub fn signaling_state(&self) -> crate::RTCSignalingState {
        self.machine.pc().signaling_state()
    }

    /// What `getStats()` of the recorded connection would have given at the present step, with the
    /// same ids and times. What tracks count before they give packets to a connection is not known:
    /// media sources have no counters, and other ids.
    ///
    /// ```
    /// # use std::io::BufRead;
    /// use peerconnection::RTCStats;
    /// use peerconnection::replay::{Replay, ReplayError};
    ///
    /// # fn example(mut replay: Replay<impl BufRead>) -> Result<(), ReplayError> {
    /// while let Some(step) = replay.next() {
    ///     step?;
    /// }
    /// for stats in replay.statistics().values() {
    ///     if let RTCStats::OutboundRtp(stream) = stats {
    ///         println!("{} packets were sent", stream.sent.packets_sent);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn statistics(&self) -> crate::RTCStatsReport {
        self.machine.statistics()
    }

    fn step(&mut self) -> Result<Option<Step>, ReplayError> {
        let Some(recorded) = self.reader.next_step()? else { return Ok(None) };
        let (line, at) = (recorded.line, Duration::from_nanos(recorded.at));
        let input = shown::input(&recorded.input);
        let lines = run(&mut self.machine, recorded)?;
        let outputs = lines.iter().filter_map(shown::output).collect();
        Ok(Some(Step { line, at, input, outputs }))
    }
}

/// Does a step. Returns what came of it.
fn run(
    machine: &mut Machine,
    recorded: Recorded,
) -> Result<Vec<crate::recording::format::Line>, ReplayError> {
    let Recorded { line, at, input, lines } = recorded;
    let differs = |recorded: Option<String>, replayed: Option<String>| {
        let text = |line: Option<String>| line.unwrap_or_else(|| "nothing".to_owned());
        let at = Duration::from_nanos(at);
        ReplayError::Differs { line, at, recorded: text(recorded), replayed: text(replayed) }
    };
    match machine.run(at, input, lines) {
        Ok(outcome) => match outcome.difference {
            Some(difference) => Err(differs(difference.recorded, difference.replayed)),
            None => Ok(outcome.lines),
        },
        Err(Refusal::Malformed(reason)) => {
            Err(ReplayError::Malformed { line, reason: reason.to_owned() })
        }
        Err(Refusal::Refused(error)) => {
            Err(differs(Some("a call that succeeds".to_owned()), Some(error.to_string())))
        }
    }
}

impl<R: BufRead> Iterator for Replay<R> {
    type Item = Result<Step, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let step = self.step().transpose();
        self.has_failed = matches!(step, Some(Err(_)));
        step
    }
}

impl<R> std::fmt::Debug for Replay<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay").finish_non_exhaustive()
    }
}
