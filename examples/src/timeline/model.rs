//! What there is to draw. Times are milliseconds, from the beginning of the drawing.

/// Some connections along one axis of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// One below the other.
    pub peers: Vec<Peer>,
}

/// One connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Its states, one below the other.
    pub lanes: Vec<Lane>,
    /// What happened at one moment.
    pub marks: Vec<Mark>,
    /// What was measured.
    pub curves: Vec<Curve>,
}

/// A state through time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// The name of the attribute.
    pub name: String,
    /// The values, in the order of time.
    pub bars: Vec<Bar>,
}

/// A value of a state, from when it was taken on until the next one.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// When it was taken on.
    pub from: f64,
    /// The value; an empty one is not drawn.
    pub value: String,
    /// What is said of it where there is room or the pointer rests; the value if it is empty.
    pub detail: String,
}

/// Something that happened at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// When.
    pub at: f64,
    /// What.
    pub kind: MarkKind,
    /// A few words.
    pub text: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// The application called.
    Call,
    /// ICE restarts.
    Restart,
    /// Something failed.
    Failure,
    /// An event was fired.
    Event,
    /// A candidate of its own.
    LocalCandidate,
    /// A candidate of the peer.
    RemoteCandidate,
}

/// Numbers through time.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What they are.
    pub name: String,
    /// Which scale they have.
    pub scale: Scale,
    /// Times and numbers, in the order of time; `NaN` interrupts the line.
    pub points: Vec<(f64, f64)>,
}

/// The scale of a curve. Curves that follow one another and have the same are drawn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Milliseconds between two messages, logarithmic from 1 ms to 10 s.
    Gap,
    /// Bits a second, from 0.
    Rate,
}

impl Peer {
    /// Whether nothing is known of it.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| lane.bars.is_empty()) && self.marks.is_empty()
    }

    /// The lane of this name, which is made if there is none.
    pub fn lane(&mut self, name: &str) -> &mut Lane {
        let at = self.lanes.iter().position(|lane| lane.name == name).unwrap_or_else(|| {
            self.lanes.push(Lane { name: name.to_owned(), bars: Vec::new() });
            self.lanes.len() - 1
        });
        &mut self.lanes[at]
    }

    /// Adds a moment.
    pub fn mark(&mut self, at: f64, kind: MarkKind, text: impl Into<String>) {
        self.marks.push(Mark { at, kind, text: text.into() });
    }

    fn times(&mut self) -> impl Iterator<Item = &mut f64> {
        let bars = self.lanes.iter_mut().flat_map(|lane| &mut lane.bars).map(|bar| &mut bar.from);
        let marks = self.marks.iter_mut().map(|mark| &mut mark.at);
        let points = self.curves.iter_mut().flat_map(|curve| &mut curve.points);
        bars.chain(marks).chain(points.map(|(at, _)| at))
    }
}

impl Lane {
    /// Takes on a value, unless it is the present one.
    pub fn becomes(&mut self, from: f64, value: impl Into<String>, detail: impl Into<String>) {
        let bar = Bar { from, value: value.into(), detail: detail.into() };
        let same = |last: &Bar| (&last.value, &last.detail) == (&bar.value, &bar.detail);
        if !self.bars.last().is_some_and(same) {
            self.bars.push(bar);
        }
    }
}

impl Timeline {
    /// The last moment.
    pub fn end(&self) -> f64 {
        let mut peers = self.peers.clone();
        let times = peers.iter_mut().flat_map(Peer::times);
        times.map(|at| *at).fold(0.0, f64::max)
    }

    /// Moves all times, so that the first one is 0.
    pub(super) fn begin_at_zero(&mut self) {
        let times = self.peers.iter_mut().flat_map(Peer::times);
        let first = times.map(|at| *at).fold(f64::INFINITY, f64::min);
        if first.is_finite() {
            self.peers.iter_mut().flat_map(Peer::times).for_each(|at| *at -= first);
        }
    }
}
