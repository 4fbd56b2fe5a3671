//! The exceptions of `spec-notes/parity-exceptions.md`.

use std::collections::HashMap;

const NOTES: &str = include_str!("../../../spec-notes/parity-exceptions.md");

/// The step of each trace in which browsers begin to contradict the specification.
pub(crate) struct Exceptions(HashMap<u64, usize>);

impl Exceptions {
    /// The rows `| seed | step | section | ...` of the notes.
    pub(crate) fn read() -> Self {
        let row = |line: &str| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let (seed, step) = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
            let section = cells.next()?;
            assert!(section.contains('§'), "no section: {line}");
            Some((seed, step))
        };
        let steps: HashMap<_, _> = NOTES.lines().filter_map(row).collect();
        assert!(steps.len() <= 10, "{} exceptions are too many", steps.len());
        Self(steps)
    }

    pub(crate) fn step(&self, seed: u64) -> Option<usize> {
        self.0.get(&seed).copied()
    }
}
