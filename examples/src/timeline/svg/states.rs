//! Lanes of bars: a bar for each value of a state, from when it was taken on.

use std::fmt::Write;

use super::super::model::Lane;
use super::Drawing;
use super::text::{self, Class};

/// The height of a lane.
const LANE: f64 = 24.0;
const BAR: f64 = 18.0;
/// What is left free on a bar, left and right together.
const MARGIN: f64 = 8.0;

/// Values that have a shorter label, for where there is little room.
const SHORT: [(&str, &str); 19] = [
    ("stable", "st"),
    ("have-local-offer", "lo"),
    ("have-remote-offer", "ro"),
    ("have-local-pranswer", "lp"),
    ("have-remote-pranswer", "rp"),
    ("new", "n"),
    ("checking", "chk"),
    ("connecting", "cg"),
    ("connected", "cd"),
    ("completed", "cp"),
    ("disconnected", "dis"),
    ("failed", "fail"),
    ("closed", "x"),
    ("gathering", "g"),
    ("complete", "all"),
    ("open", "o"),
    ("closing", "xg"),
    ("disconnecting", "dg"),
    ("idle", "i"),
];

/// What a colour says of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mood {
    Good,
    Busy,
    Lost,
    Bad,
    Other,
}

impl Mood {
    pub(super) fn of(state: &str) -> Self {
        match state {
            "stable" | "connected" | "completed" | "complete" | "open" => Self::Good,
            "new" | "connecting" | "checking" | "gathering" | "closing" => Self::Busy,
            offered if offered.starts_with("have-") => Self::Busy,
            "disconnected" => Self::Lost,
            "failed" | "closed" => Self::Bad,
            _ => Self::Other,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Lost => "lost",
            Self::Bad => "bad",
            Self::Other => "other",
        }
    }
}

/// The longest label of a value that has room: its detail, itself, or the short one. Whether it is
/// the short one.
fn label(value: &str, detail: &str, room: f64) -> Option<(String, bool)> {
    let short = SHORT.iter().find(|(state, _)| *state == value).map(|(_, short)| *short);
    let long = [detail, value].into_iter().filter(|text| !text.is_empty());
    let labels = long.map(|text| (text, false)).chain(short.map(|text| (text, true)));
    let mut fitting = labels.filter(|(text, _)| text::width(text) <= room);
    fitting.next().map(|(text, is_short)| (text.to_owned(), is_short))
}

impl Drawing {
    pub(super) fn lane(&mut self, lane: &Lane) {
        let y = self.y;
        self.name(y + 13.0, &lane.name);
        for (index, bar) in lane.bars.iter().enumerate() {
            if bar.value.is_empty() {
                continue;
            }
            let until = lane.bars.get(index + 1).map_or(self.end, |next| next.from);
            let left = self.x(bar.from);
            let width = (self.x(until) - left).max(1.0);
            let mood = Mood::of(&bar.value);
            self.legend.see_mood(mood);
            let what = if bar.detail.is_empty() { &bar.value } else { &bar.detail };
            let title = format!("{}: {what}, {}", lane.name, text::duration(until - bar.from));
            let _ = writeln!(
                self.body,
                "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" \
                 class=\"{}\"><title>{}</title></rect>",
                mood.class(),
                text::escaped(&title)
            );
            if let Some((label, is_short)) = label(&bar.value, &bar.detail, width - MARGIN) {
                self.text(left + MARGIN / 2.0, y + 13.0, Class::State, &label);
                if is_short {
                    self.legend.see_short(label, bar.value.clone());
                }
            }
        }
        self.y += LANE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_as_long_as_there_is_room() {
        let shown = |room| label("1–2", "10.0.0.1:1 – 10.0.0.2:2", room).map(|(text, _)| text);
        assert_eq!(shown(200.0).as_deref(), Some("10.0.0.1:1 – 10.0.0.2:2"));
        assert_eq!(shown(50.0).as_deref(), Some("1–2"));
        assert_eq!(shown(10.0), None);
        assert_eq!(label("have-local-offer", "", 50.0), Some(("lo".to_owned(), true)));
        assert_eq!(label("have-local-offer", "", 500.0), Some(("have-local-offer".into(), false)));
    }

    #[test]
    fn short_labels_differ_and_are_short() {
        for (index, (state, short)) in SHORT.iter().enumerate() {
            assert!(short.len() < state.len(), "{state}");
            assert!(SHORT[index + 1..].iter().all(|(_, other)| other != short), "{short}");
        }
    }
}
