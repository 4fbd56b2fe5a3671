//! What colours, short labels, ticks and curves mean: those that were drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::states::Mood;
use super::text::{self, Class};
use super::{Drawing, LEFT, RIGHT, WIDTH};

/// What ticks of a class are.
const TICKS: [(&str, &str); 6] = [
    ("call", "call of the application"),
    ("restart", "ICE restart"),
    ("fault", "failure"),
    ("tick", "event"),
    ("local", "candidate"),
    ("remote", "candidate of the peer"),
];

/// What was drawn.
#[derive(Debug, Default)]
pub(super) struct Legend {
    moods: BTreeSet<Mood>,
    shorts: BTreeMap<String, String>,
    ticks: BTreeSet<&'static str>,
    curves: BTreeMap<&'static str, String>,
    gap: bool,
}

impl Legend {
    pub(super) fn see_mood(&mut self, mood: Mood) {
        self.moods.insert(mood);
    }

    pub(super) fn see_short(&mut self, short: String, state: String) {
        self.shorts.insert(short, state);
    }

    pub(super) fn see_tick(&mut self, class: &'static str) {
        self.ticks.insert(class);
    }

    pub(super) fn see_curve(&mut self, class: &'static str, name: &str) {
        self.curves.insert(class, name.to_owned());
    }

    pub(super) fn see_gap(&mut self) {
        self.gap = true;
    }

    /// Each sample, as SVG beside its origin, with its width and its meaning.
    fn entries(&self) -> Vec<(String, f64, String)> {
        const SAMPLE: f64 = 16.0;
        let square =
            |class: &str| format!("<rect y=\"-9\" width=\"10\" height=\"10\" class=\"{class}\"/>");
        let upright = |class: &str| {
            format!("<line x1=\"5\" x2=\"5\" y1=\"-10\" y2=\"2\" class=\"{class}\"/>")
        };
        let moods = self.moods.iter().map(|mood| {
            let meaning = match mood {
                Mood::Good => "works",
                Mood::Busy => "under way",
                Mood::Lost => "disconnected",
                Mood::Bad => "failed or closed",
                Mood::Other => "value",
            };
            (square(mood.class()), SAMPLE, meaning.to_owned())
        });
        let ticks = TICKS.iter().filter(|(class, _)| self.ticks.contains(class));
        let ticks = ticks.map(|(class, meaning)| (upright(class), SAMPLE, (*meaning).to_owned()));
        let curves = self.curves.iter().map(|(class, name)| {
            let line = format!("<polyline points=\"0,-4 12,-4\" class=\"{class}\"/>");
            (line, SAMPLE, name.clone())
        });
        let gap = self.gap.then(|| (square("gap"), SAMPLE, "nothing received".to_owned()));
        let shorts = self.shorts.iter().map(|(short, state)| {
            let sample = format!("<text class=\"plain\">{}</text>", text::escaped(short));
            (sample, text::width(short) + 6.0, state.clone())
        });
        moods.chain(ticks).chain(curves).chain(gap).chain(shorts).collect()
    }
}

impl Drawing {
    pub(super) fn draw_legend(&mut self) {
        self.name(self.y, "legend");
        let mut x = LEFT;
        for (sample, indent, meaning) in self.legend.entries() {
            let width = indent + text::width(&meaning) + 16.0;
            if x + width > WIDTH - RIGHT {
                (x, self.y) = (LEFT, self.y + 18.0);
            }
            let y = self.y;
            let _ = writeln!(
                self.body,
                "<g class=\"legend\" transform=\"translate({x:.1} {y:.1})\">{sample}</g>"
            );
            self.text(x + indent, self.y, Class::Plain, &meaning);
            x += width;
        }
    }
}
