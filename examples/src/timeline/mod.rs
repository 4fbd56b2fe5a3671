//! What connections went through, as a drawing: states, pairs, candidates, restarts, throughput and
//! gaps along one axis of time.
//!
//! - `model`: what there is to draw
//! - `dump`: reads the file that `RTCPeerConnection::dump()` and `chrome://webrtc-internals` make
//! - `lines`: reads the lines that `tracing-subscriber` writes as JSON
//! - `candidate`: what a candidate's line says
//! - `date`: dates as RFC 3339 writes them
//! - `svg`: draws

mod candidate;
mod date;
mod dump;
mod lines;
mod model;
mod svg;

pub use model::{Bar, Curve, Lane, Mark, MarkKind, Peer, Scale, Timeline};
pub use svg::draw;

/// The longest time that can be drawn, in milliseconds: a year.
const LONGEST: f64 = 366.0 * 86_400_000.0;

/// Why a file cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is neither.
    #[error(
        "this is neither a dump of RTCPeerConnection::dump() or chrome://webrtc-internals, nor \
         lines that tracing-subscriber wrote as JSON: {0}"
    )]
    Format(String),
    /// The lines of the log have no times that can be read.
    #[error("the log of the dump has no timestamps: an old Chromium wrote it")]
    NoTimes,
    /// There is nothing to draw.
    #[error("no connection is in it")]
    Empty,
    /// The times cannot be right.
    #[error("it spans more than a year")]
    TooLong,
}

/// Reads a dump, or the lines of a log.
///
/// ```
/// let line = r#"{"timestamp":"2026-11-30T12:00:00.5Z","level":"DEBUG",
///     "fields":{"message":"connectionstatechange","state":"connecting"},
///     "target":"peerconnection::event","spans":[{"name":"connection","id":1}]}"#.replace('\n', "");
/// let timeline = examples::timeline::read(&line)?;
/// assert_eq!(timeline.peers[0].lanes[0].bars[0].value, "connecting");
/// assert!(examples::timeline::draw(&timeline).starts_with("<svg"));
/// # Ok::<(), examples::timeline::Unreadable>(())
/// ```
///
/// # Errors
/// If it is neither, has no connection in it, or no times.
pub fn read(text: &str) -> Result<Timeline, Unreadable> {
    let mut timeline = match serde_json::from_str(text) {
        Ok(dump) if dump::is_dump(&dump) => dump::read(&dump)?,
        _ => lines::read(text)?,
    };
    for peer in &mut timeline.peers {
        peer.lanes.retain(|lane| !lane.bars.is_empty());
    }
    timeline.peers.retain(|peer| !peer.is_empty());
    timeline.begin_at_zero();
    if timeline.peers.is_empty() {
        return Err(Unreadable::Empty);
    }
    if timeline.end() > LONGEST {
        return Err(Unreadable::TooLong);
    }
    Ok(timeline)
}
