//! Moments: a tick for each. Words stand beside those that the application asked for and those that
//! went wrong, and never on one another.

use super::super::model::{Mark, MarkKind};
use super::Drawing;
use super::text::{self, Class};

/// The height of a row of ticks.
const ROW: f64 = 22.0;
const TICK: f64 = 16.0;
/// The height of a line of words.
const LINE: f64 = 12.0;
/// Lines of words; what does not fit into them is in the ticks' titles.
const LINES: usize = 5;

/// The longest words, in pixels.
const LONGEST: f64 = 340.0;

/// Puts words beside one another, in as few lines as they need.
#[derive(Default)]
struct Lines {
    /// Up to where each line is taken.
    taken: Vec<f64>,
}

impl Lines {
    /// The line on which words of this width have room at `x`.
    fn place(&mut self, x: f64, width: f64) -> Option<usize> {
        let free = self.taken.iter().position(|taken| *taken <= x);
        let line = match free {
            Some(line) => line,
            None if self.taken.len() < LINES => {
                self.taken.push(0.0);
                self.taken.len() - 1
            }
            None => return None,
        };
        self.taken[line] = x + width;
        Some(line)
    }
}

impl Drawing {
    /// Candidates: our own above, those of the peer below.
    pub(super) fn candidates(&mut self, marks: &[Mark]) {
        let kinds = [(MarkKind::LocalCandidate, "local"), (MarkKind::RemoteCandidate, "remote")];
        if !marks.iter().any(|mark| kinds.iter().any(|(kind, _)| *kind == mark.kind)) {
            return;
        }
        let y = self.y;
        self.name(y + 13.0, "candidates");
        let half = TICK / 2.0;
        for mark in marks {
            let Some(of) = kinds.iter().position(|(kind, _)| *kind == mark.kind) else { continue };
            let class = kinds[of].1;
            let top = y + half * of as f64;
            let title = format!("{class} candidate: {}", mark.text);
            self.upright(class, mark.at, [top, top + half - 1.0], &title);
            self.legend.see_tick(class);
        }
        self.y += ROW;
    }

    /// Everything else.
    pub(super) fn moments(&mut self, marks: &[Mark]) {
        let class = |kind| match kind {
            MarkKind::Call => Some(("call", Some(Class::Call))),
            MarkKind::Restart => Some(("restart", Some(Class::Restart))),
            MarkKind::Failure => Some(("fault", Some(Class::Fault))),
            MarkKind::Event => Some(("tick", None)),
            MarkKind::LocalCandidate | MarkKind::RemoteCandidate => None,
        };
        let y = self.y;
        self.name(y + 13.0, "calls and events");
        let mut lines = Lines::default();
        for mark in marks {
            let Some((class, words)) = class(mark.kind) else { continue };
            self.upright(class, mark.at, [y, y + TICK], &mark.text);
            self.legend.see_tick(class);
            let Some(words) = words else { continue };
            // At the right end there is less room than the words need.
            let shown = text::fitting(&mark.text, LONGEST);
            let x = (self.x(mark.at) + 2.0).min(super::WIDTH - text::width(&shown) - 4.0);
            if let Some(line) = lines.place(x, text::width(&shown) + 6.0) {
                let below = y + TICK + LINE * (line + 1) as f64 - 2.0;
                self.text(x, below, words, &shown);
            }
        }
        self.y += ROW + LINE * lines.taken.len() as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_to_a_line_of_their_own_before_they_overlap() {
        let mut lines = Lines::default();
        assert_eq!(lines.place(0.0, 50.0), Some(0));
        assert_eq!(lines.place(10.0, 50.0), Some(1));
        assert_eq!(lines.place(50.0, 50.0), Some(0));
        for line in 2..LINES {
            assert_eq!(lines.place(59.0, 50.0), Some(line));
        }
        assert_eq!(lines.place(59.0, 50.0), None);
        assert_eq!(lines.place(60.0, 50.0), Some(1));
    }
}
