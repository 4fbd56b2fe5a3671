//! Curves: numbers through time.

use std::fmt::Write;

use super::super::model::{Curve, Scale};
use super::text::{self, Class};
use super::{Drawing, LEFT, RIGHT, WIDTH};

const HEIGHT: f64 = 100.0;
const CLASSES: [&str; 2] = ["first", "second"];
/// Milliseconds of gaps that have a line, with their names; the last one is the top.
const GAPS: [(f64, &str); 5] =
    [(1.0, "1 ms"), (10.0, "10 ms"), (100.0, "100 ms"), (1000.0, "1 s"), (10_000.0, "10 s")];

/// The least number of the form 1, 2 or 5 times a power of ten that is no less.
fn round_up(number: f64) -> f64 {
    let unit = 10f64.powf(number.max(1.0).log10().floor());
    let multiple = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * unit >= number);
    multiple.unwrap_or(10.0) * unit
}

fn bits(rate: f64) -> String {
    let units = [(1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")];
    match units.iter().find(|(unit, _)| rate >= *unit) {
        Some((unit, name)) => format!("{} {name}", rate / unit),
        None => format!("{rate} bit/s"),
    }
}

/// From when to when nothing flowed between two times at which something did. Samples say how it was
/// since the one before. Checks and acknowledgements go on: less than a hundredth of the most is
/// nothing.
fn gaps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let nothing = points.iter().map(|(_, rate)| *rate).fold(0.0, f64::max) / 100.0;
    let mut gaps = Vec::new();
    let mut last_flow = None;
    let mut is_in_gap = false;
    for (at, rate) in points {
        if *rate > nothing {
            if let (true, Some(from)) = (is_in_gap, last_flow) {
                gaps.push((from, *at));
            }
            (last_flow, is_in_gap) = (Some(*at), false);
        } else {
            is_in_gap = last_flow.is_some();
        }
    }
    gaps
}

impl Drawing {
    /// Curves of one scale.
    pub(super) fn curves(&mut self, curves: &[Curve]) {
        let Some(scale) = curves.first().map(|curve| curve.scale) else { return };
        let top = self.y + 20.0;
        let numbers = curves.iter().flat_map(|curve| &curve.points).map(|(_, number)| *number);
        let most = round_up(numbers.fold(0.0, f64::max));
        let share = |number: f64| match scale {
            Scale::Gap => number.clamp(1.0, 10_000.0).log10() / 4.0,
            Scale::Rate => (number / most).clamp(0.0, 1.0),
        };
        let height = |number: f64| top + HEIGHT * (1.0 - share(number));
        let (name, lines) = match scale {
            Scale::Gap => {
                ("time between messages", GAPS.map(|(n, name)| (n, name.into())).to_vec())
            }
            Scale::Rate => (
                "throughput",
                [0.0, most / 2.0, most].map(|number| (number, bits(number))).to_vec(),
            ),
        };
        self.name(top - 10.0, name);
        if scale == Scale::Rate {
            let received = curves.iter().find(|curve| curve.name == "received");
            self.shade(top, &received.map(|curve| gaps(&curve.points)).unwrap_or_default());
        }
        let right = WIDTH - RIGHT;
        for (number, label) in lines {
            let y = height(number);
            let _ = writeln!(
                self.body,
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"axis\"/>"
            );
            let x = LEFT - 6.0 - text::width(&label);
            self.text(x, y + 4.0, Class::Name, &label);
        }
        for (curve, class) in curves.iter().zip(CLASSES.into_iter().cycle()) {
            self.curve(curve, class, &height);
            if scale == Scale::Rate {
                self.legend.see_curve(class, &curve.name);
            }
        }
        self.y = top + HEIGHT + 12.0;
    }

    /// Times in which nothing was received.
    fn shade(&mut self, y: f64, gaps: &[(f64, f64)]) {
        for (from, to) in gaps {
            let (left, width) = (self.x(*from), self.x(*to) - self.x(*from));
            let title = format!("nothing received for about {}", text::duration(to - from));
            let _ = writeln!(
                self.body,
                "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" \
                 class=\"gap\"><title>{title}</title></rect>"
            );
            self.legend.see_gap();
        }
    }

    /// One line. No more than one point a column can be seen: the highest.
    fn curve(&mut self, curve: &Curve, class: &str, height: &impl Fn(f64) -> f64) {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (at, number) in &curve.points {
            let (x, y) = (self.x(*at), height(*number));
            match points.last_mut() {
                Some((last, highest)) if last.round() == x.round() => *highest = highest.min(y),
                _ => points.push((x, y)),
            }
        }
        let points: String = points.iter().map(|(x, y)| format!("{x:.1},{y:.1} ")).collect();
        let _ = writeln!(self.body, "<polyline points=\"{}\" class=\"{class}\"/>", points.trim());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        for (number, expected) in
            [(0.0, 1.0), (1.0, 1.0), (3.0, 5.0), (1_678_738.0, 2e6), (5e6, 5e6), (7e9, 1e10)]
        {
            assert_eq!(round_up(number), expected, "{number}");
        }
        assert_eq!([bits(2e6), bits(500.0)], ["2 Mbit/s", "500 bit/s"]);
    }

    #[test]
    fn a_gap_is_between_two_flows() {
        let points = [0.0, 500.0, 0.0, 4.0, 300.0, 0.0].into_iter().enumerate();
        let points: Vec<_> = points.map(|(at, rate)| (at as f64 * 1000.0, rate)).collect();
        // Nothing flows before the first second or after the fourth: that is no gap.
        assert_eq!(gaps(&points), [(1000.0, 4000.0)]);
        assert!(gaps(&points[..4]).is_empty());
    }
}
