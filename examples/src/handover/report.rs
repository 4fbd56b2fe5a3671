//! The summary.

use std::fmt;

use serde::Serialize;

/// What came of it all.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// One after another.
    pub handovers: Vec<Handover>,
    /// How many there should have been.
    pub expected: usize,
    /// Messages sent, both ways.
    pub sent: u64,
    /// Messages that never came.
    pub lost: u64,
    /// Messages that came again.
    pub duplicated: u64,
}

/// A path that took over.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Handover {
    /// What was lost.
    pub lost: String,
    /// Addresses of the pair that took over, of the caller and the callee.
    pub onto: [String; 2],
    /// Whether ICE had to be restarted for that.
    pub restarted: bool,
    /// Milliseconds from the loss until both peers have selected the pair.
    pub took_ms: f64,
    /// The longest time without a message meanwhile, milliseconds.
    pub longest_gap_ms: f64,
}

impl crate::samples::Report for Report {
    /// Whether another path took over each time, without a restart as long as there was one, and
    /// nothing was lost.
    fn is_success(&self) -> bool {
        let restarts = self.handovers.iter().filter(|handover| handover.restarted);
        self.handovers.len() == self.expected
            && restarts.count() == 1
            && (self.lost, self.duplicated) == (0, 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Handover { lost, onto: [caller, callee], restarted, took_ms, longest_gap_ms } in
            &self.handovers
        {
            let restarted = if *restarted { ", after a restart" } else { "" };
            writeln!(
                f,
                "{lost:<42} onto {caller} – {callee} after {took_ms:.1} ms, longest gap \
                 {longest_gap_ms:.1} ms{restarted}"
            )?;
        }
        writeln!(f, "messages sent       {:>9}", self.sent)?;
        writeln!(f, "messages lost       {:>9}", self.lost)?;
        write!(f, "messages duplicated {:>9}", self.duplicated)
    }
}
