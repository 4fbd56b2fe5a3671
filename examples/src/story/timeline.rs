//! The story as a drawing: a lane for each state, events as ticks, the message gap as a curve.

use std::fmt::Write;
use std::time::{Duration, Instant};

use testkit::Side;

use super::{Entry, States, Traffic};

const WIDTH: f64 = 1600.0;
const LEFT: f64 = 150.0;
const LANE: f64 = 26.0;
const CURVE: f64 = 120.0;

type Lane = (&'static str, fn(&States) -> &String);

/// The lanes of one peer.
const LANES: [Lane; 4] = [
    ("signalingState", |states| &states.signaling),
    ("iceConnectionState", |states| &states.ice_connection),
    ("iceGatheringState", |states| &states.ice_gathering),
    ("selected pair", |states| &states.selected_pair),
];

/// Draws what both peers went through since `start` as an SVG document.
pub fn draw(start: Instant, entries: &[Entry], traffic: &[Traffic; 2]) -> String {
    let arrivals = traffic.iter().flat_map(Traffic::gaps);
    let end = entries
        .iter()
        .map(|entry| entry.at)
        .chain(arrivals.map(|arrival| arrival.at.saturating_duration_since(start)))
        .max()
        .unwrap_or_default();
    let scale = (WIDTH - LEFT - 20.0) / end.as_secs_f64().max(0.001);
    let x = |at: Duration| LEFT + at.as_secs_f64() * scale;
    let mut body = String::new();
    let mut y = 30.0;
    for (side, received) in Side::BOTH.into_iter().zip([&traffic[1], &traffic[0]]) {
        let own: Vec<&Entry> = entries.iter().filter(|entry| entry.side == side).collect();
        text(&mut body, 10.0, y, "peer", side.name());
        y += 10.0;
        for (name, state) in LANES {
            lane(&mut body, y, name, &own, state, end, &x);
            y += LANE;
        }
        ticks(&mut body, y, &own, &x);
        y += LANE + 11.0;
        curve(&mut body, y, start, received, &x);
        y += CURVE + 40.0;
    }
    axis(&mut body, y, end, &x);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}</svg>\n",
        height = y + 30.0,
    )
}

const STYLE: &str = ".peer{font-size:16px;font-weight:bold}.name{fill:#555}.state{fill:#fff}\
.event{stroke:#999}.ask{stroke:#c00;stroke-width:2}.asked{fill:#c00}.gap{fill:none;stroke:#06c}\
.axis{stroke:#ccc}";

/// One lane: a bar for each value, from when it was taken on.
fn lane(
    body: &mut String,
    y: f64,
    name: &str,
    entries: &[&Entry],
    state: fn(&States) -> &String,
    end: Duration,
    x: &impl Fn(Duration) -> f64,
) {
    text(body, 10.0, y + 15.0, "name", name);
    let mut bars: Vec<(Duration, &str)> = Vec::new();
    for entry in entries {
        let value = state(&entry.states).as_str();
        if bars.last().is_none_or(|(_, last)| *last != value) {
            bars.push((entry.at, value));
        }
    }
    for (index, (from, value)) in bars.iter().enumerate() {
        let until = bars.get(index + 1).map_or(end, |(at, _)| *at);
        if value.is_empty() {
            continue;
        }
        let (left, width) = (x(*from), (x(until) - x(*from)).max(1.0));
        let fill = colour(value);
        let _ = writeln!(
            body,
            "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"20\" \
             fill=\"{fill}\"><title>{value}</title></rect>"
        );
        if width > 7.0 * value.len() as f64 {
            text(body, left + 4.0, y + 14.0, "state", value);
        }
    }
}

fn colour(state: &str) -> &'static str {
    match state {
        "stable" | "connected" | "completed" | "complete" => "#2a8a4a",
        "checking" | "gathering" | "have-local-offer" | "have-remote-offer" => "#c98a1a",
        "disconnected" => "#c9501a",
        "failed" => "#b01020",
        _ => "#4a6a9a",
    }
}

/// A tick for each event; what the application asked for stands out.
fn ticks(body: &mut String, y: f64, entries: &[&Entry], x: &impl Fn(Duration) -> f64) {
    text(body, 10.0, y + 15.0, "name", "events");
    let (mut free, mut row) = (0.0, 0.0);
    for entry in entries {
        let at = x(entry.at);
        let class = if entry.event.is_none() { "ask" } else { "event" };
        let title = escaped(&entry.text);
        let _ = writeln!(
            body,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{y:.1}\" y2=\"{bottom:.1}\" \
             class=\"{class}\"><title>{title}</title></line>",
            bottom = y + 18.0,
        );
        if entry.event.is_none() {
            // A word that would stand on the one before goes below it.
            row = if at < free { row + 11.0 } else { 0.0 };
            free = at + 7.0 * entry.text.len() as f64;
            text(body, at + 3.0, y + 30.0 + row, "asked", &entry.text);
        }
    }
}

/// The time since the message before, at each arrival, on a logarithmic scale from 1 ms to 10 s.
fn curve(
    body: &mut String,
    y: f64,
    start: Instant,
    traffic: &Traffic,
    x: &impl Fn(Duration) -> f64,
) {
    let top = y + 15.0;
    text(body, 10.0, top + 15.0, "name", "message gap");
    for (label, milliseconds) in [("1 ms", 1.0), ("10 ms", 10.0), ("100 ms", 100.0), ("1 s", 1e3)] {
        let height = level(milliseconds, top);
        let _ = writeln!(
            body,
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{height:.1}\" y2=\"{height:.1}\" \
             class=\"axis\"/>"
        );
        text(body, LEFT - 45.0, height + 4.0, "name", label);
    }
    let mut points = String::new();
    let mut last: Option<(i64, f64)> = None;
    for arrival in traffic.gaps() {
        let at = x(arrival.at.saturating_duration_since(start));
        let height = level(arrival.gap.as_secs_f64() * 1e3, top);
        // One point a column is all that can be seen: the highest.
        match &mut last {
            Some((column, highest)) if *column == at as i64 => *highest = highest.min(height),
            _ => {
                flush(&mut points, last);
                last = Some((at as i64, height));
            }
        }
    }
    flush(&mut points, last);
    let _ = writeln!(body, "<polyline points=\"{points}\" class=\"gap\"/>");
}

fn flush(points: &mut String, point: Option<(i64, f64)>) {
    if let Some((x, y)) = point {
        let _ = write!(points, "{x},{y:.1} ");
    }
}

fn level(milliseconds: f64, top: f64) -> f64 {
    let share = (milliseconds.clamp(1.0, 10_000.0).log10()) / 4.0;
    top + CURVE * (1.0 - share)
}

fn axis(body: &mut String, y: f64, end: Duration, x: &impl Fn(Duration) -> f64) {
    for second in 0..=end.as_secs() {
        let at = x(Duration::from_secs(second));
        text(body, at, y, "name", &format!("{second} s"));
    }
}

fn text(body: &mut String, x: f64, y: f64, class: &str, content: &str) {
    let content = escaped(content);
    let _ = writeln!(body, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{content}</text>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
