//! The summary.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// What came of it all.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Restarts that the application asked for.
    pub restarts_asked: usize,
    /// Those that led to a new pair on both sides.
    pub restarts_completed: usize,
    /// How many times `negotiationneeded` fired, on both sides.
    pub negotiationneeded: usize,
    /// Messages sent, both ways.
    pub sent: u64,
    /// Different messages received.
    pub received: u64,
    /// Messages that never came.
    pub lost: u64,
    /// Messages that came again.
    pub duplicated: u64,
    /// The longest time without a message, milliseconds. Without a path, signalling has to go
    /// there and back before anything can come.
    pub longest_gap_ms: f64,
    /// How often DTLS was established again after the first time.
    pub dtls_handshakes: usize,
    /// How often SCTP was established again after the first time.
    pub sctp_associations: usize,
    /// One by one.
    #[serde(skip)]
    pub restarts: Vec<Restart>,
}

/// One restart that completed.
#[derive(Clone, Debug, PartialEq)]
pub struct Restart {
    /// How it came about.
    pub how: String,
    /// From the asking to the new pair on both sides.
    pub took: Duration,
    /// The longest time without a message meanwhile.
    pub longest_gap: Duration,
}

impl crate::samples::Report for Report {
    /// Whether nothing was lost or disturbed and every restart completed.
    fn is_success(&self) -> bool {
        self.restarts_completed == self.restarts_asked
            && self.lost == 0
            && self.duplicated == 0
            && self.dtls_handshakes == 0
            && self.sctp_associations == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Restart { how, took, longest_gap } in &self.restarts {
            let [took, gap] = [took, longest_gap].map(|time| time.as_secs_f64() * 1e3);
            writeln!(f, "restart {how:<24} took {took:>6.1} ms, longest gap {gap:>6.1} ms")?;
        }
        writeln!(f, "restarts asked          {:>9}", self.restarts_asked)?;
        writeln!(f, "restarts completed      {:>9}", self.restarts_completed)?;
        writeln!(f, "negotiationneeded fired {:>9}", self.negotiationneeded)?;
        writeln!(f, "messages sent           {:>9}", self.sent)?;
        writeln!(f, "messages received       {:>9}", self.received)?;
        writeln!(f, "messages lost           {:>9}", self.lost)?;
        writeln!(f, "messages duplicated     {:>9}", self.duplicated)?;
        writeln!(f, "longest gap             {:>9.1} ms", self.longest_gap_ms)?;
        writeln!(f, "DTLS established again  {:>9}", self.dtls_handshakes)?;
        write!(f, "SCTP established again  {:>9}", self.sctp_associations)
    }
}
