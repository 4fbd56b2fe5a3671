//! Draws a timeline as an SVG document, for light and dark screens, without fonts or scripts from
//! elsewhere.
//!
//! - `states`: lanes of bars, with labels as long as there is room
//! - `moments`: ticks, with words that do not overlap
//! - `curves`: numbers
//! - `legend`: what colours, short labels and ticks mean
//! - `text`: how wide words are, and how they are written

mod curves;
mod legend;
mod moments;
mod states;
mod text;

use std::fmt::Write;

use super::model::{MarkKind, Peer, Timeline};
use legend::Legend;
use text::Class;

const WIDTH: f64 = 1600.0;
/// Where the drawing begins: names are to the left.
const LEFT: f64 = 170.0;
const RIGHT: f64 = 24.0;

/// White words are readable on every bar, and every bar is visible on both grounds.
const STYLE: &str = "svg{--ground:#fff;--text:#1c1d1f;--muted:#55585e;--line:#d9d9d2;--tick:#8a8d93;\
--call:#9a3412;--restart:#7c3aed;--local:#1d4ed8;--remote:#0f766e;--fault:#b91c1c;--gap:#fde2e2}\
@media(prefers-color-scheme:dark){svg{--ground:#141517;--text:#e9e9e6;--muted:#a3a6ad;\
--line:#36393f;--tick:#7b7f87;--call:#fdba74;--restart:#c4b5fd;--local:#93b4fd;--remote:#5eead4;\
--fault:#fca5a5;--gap:#4a2020}}\
.ground{fill:var(--ground)}text{fill:var(--text)}.title{font-size:15px;font-weight:600}\
.name{fill:var(--muted)}.state{fill:#fff}.call{fill:var(--call)}.restart{fill:var(--restart)}\
.fault{fill:var(--fault)}.good{fill:#217a3c}.busy{fill:#8a5a08}.bad{fill:#b3202a}\
.lost{fill:#b0451a}.other{fill:#456595}line.axis{stroke:var(--line)}line.tick{stroke:var(--tick)}\
line.call{stroke:var(--call);stroke-width:2}line.fault{stroke:var(--fault);stroke-width:2}\
line.restart{stroke:var(--restart);stroke-dasharray:4 3}line.local{stroke:var(--local);\
stroke-width:2}line.remote{stroke:var(--remote);stroke-width:2}polyline{fill:none;\
stroke-width:1.5}polyline.first{stroke:var(--local)}polyline.second{stroke:var(--remote);\
stroke-dasharray:6 2}rect.gap{fill:var(--gap)}";

/// A document in the making.
struct Drawing {
    body: String,
    /// How far down it is.
    y: f64,
    /// The last moment, in milliseconds.
    end: f64,
    legend: Legend,
}

/// Draws it.
///
/// ```
/// use examples::timeline::{Peer, Timeline, draw};
///
/// let mut peer = Peer { name: "alice".to_owned(), ..Peer::default() };
/// peer.lane("signalingState").becomes(0.0, "stable", "");
/// let svg = draw(&Timeline { peers: vec![peer] });
/// assert!(svg.contains(">alice</text>") && svg.contains(">stable</text>"));
/// ```
pub fn draw(timeline: &Timeline) -> String {
    let mut drawing = Drawing {
        body: String::new(),
        y: 26.0,
        end: timeline.end().max(1.0),
        legend: Legend::default(),
    };
    for peer in &timeline.peers {
        drawing.peer(peer);
    }
    drawing.axis();
    drawing.draw_legend();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"11\">\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" class=\"ground\"/>\n{body}</svg>\n",
        height = drawing.y + 16.0,
        body = drawing.body,
    )
}

impl Drawing {
    /// Where a time is.
    fn x(&self, at: f64) -> f64 {
        LEFT + at / self.end * (WIDTH - LEFT - RIGHT)
    }

    fn peer(&mut self, peer: &Peer) {
        self.text(10.0, self.y, Class::Title, &text::fitting(&peer.name, WIDTH - 20.0));
        let top = self.y + 6.0;
        self.y += 10.0;
        for lane in peer.lanes.iter().filter(|lane| !lane.bars.is_empty()) {
            self.lane(lane);
        }
        self.candidates(&peer.marks);
        self.moments(&peer.marks);
        for curves in peer.curves.chunk_by(|one, next| one.scale == next.scale) {
            self.curves(curves);
        }
        let restarts: Vec<_> =
            peer.marks.iter().filter(|mark| mark.kind == MarkKind::Restart).collect();
        for restart in restarts {
            self.upright("restart", restart.at, [top, self.y], &restart.text);
        }
        self.y += 34.0;
    }

    /// An upright line at a time, which says something where the pointer rests.
    fn upright(&mut self, class: &str, at: f64, [from, to]: [f64; 2], title: &str) {
        let (x, title) = (self.x(at), text::escaped(title));
        let _ = writeln!(
            self.body,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{from:.1}\" y2=\"{to:.1}\" class=\"{class}\">\
             <title>{title}</title></line>"
        );
    }

    /// The name of a row, in the margin.
    fn name(&mut self, y: f64, name: &str) {
        let fitting = text::fitting(name, LEFT - 20.0);
        self.text(10.0, y, Class::Name, &fitting);
    }

    fn text(&mut self, x: f64, y: f64, class: Class, content: &str) {
        let (class, content) = (class.name(), text::escaped(content));
        let _ = writeln!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{content}</text>"
        );
    }

    /// The times, at steps that people count in.
    fn axis(&mut self) {
        const STEPS: [f64; 5] = [1.0, 2.0, 5.0, 10.0, 20.0];
        const LONG_STEPS: [f64; 11] =
            [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];
        let least = self.end / 16.0;
        let short = [1.0, 10.0, 100.0].into_iter().flat_map(|unit| STEPS.map(|step| step * unit));
        let long = LONG_STEPS.map(|step| step * 1000.0);
        let step = short.filter(|step| *step < 1000.0).chain(long).find(|step| *step >= least);
        let step = step.unwrap_or((least / 3_600_000.0).ceil() * 3_600_000.0);
        self.y -= 8.0;
        for number in 0..=(self.end / step) as u32 {
            let at = f64::from(number) * step;
            let x = self.x(at);
            let _ = writeln!(
                self.body,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" class=\"tick\"/>",
                self.y - 12.0,
                self.y - 6.0
            );
            self.text(x, self.y + 6.0, Class::Name, &text::time(at, step));
        }
        self.y += 34.0;
    }
}
