//! Two peers, what is done with them, and what must hold of both.

use std::collections::BTreeMap;

use serde_json::Value;

use super::agreement;
use super::coverage::Coverage;
use super::exchange;
use super::operation::{Case, Op, Pc, Step};
use super::perform::Returned;
use super::report::Report;
use super::side::{Broken, Side};
use crate::{LocalTrack, RTCBundlePolicy, RTCSdpType};

pub(super) struct Driver {
    sides: [Side; 2],
    /// Local tracks by name.
    pub(super) tracks: BTreeMap<String, LocalTrack>,
    /// What is written down, if it is wanted.
    report: Option<Report>,
    pub(super) coverage: Coverage,
}

impl Driver {
    pub(super) fn new(bundle_policy: RTCBundlePolicy) -> Self {
        Self {
            sides: [Side::new(1, bundle_policy), Side::new(2, bundle_policy)],
            tracks: BTreeMap::new(),
            report: None,
            coverage: Coverage::default(),
        }
    }

    /// One that writes down what happens.
    pub(super) fn recording(bundle_policy: RTCBundlePolicy) -> Self {
        let mut driver = Self::new(bundle_policy);
        driver.report = Some(Report::new(bundle_policy));
        driver
    }

    /// What has been written down, as a trace.
    pub(super) fn trace(&self) -> Value {
        self.report.as_ref().map(Report::trace).unwrap_or_default()
    }

    pub(super) fn side(&mut self, pc: Pc) -> &mut Side {
        let [a, b] = &mut self.sides;
        match pc {
            Pc::A => a,
            Pc::B => b,
        }
    }

    pub(super) fn sides(&self) -> [(Pc, &Side); 2] {
        let [a, b] = &self.sides;
        [(Pc::A, a), (Pc::B, b)]
    }

    /// One peer, and the other.
    pub(super) fn pair(&self, pc: Pc) -> (&Side, &Side) {
        let [a, b] = &self.sides;
        match pc {
            Pc::A => (a, b),
            Pc::B => (b, a),
        }
    }

    /// The whole sequence, and what must be possible from where it ends.
    pub(super) fn run(&mut self, case: &Case) -> Result<(), Broken> {
        for step in &case.steps {
            match step {
                Step::Ops(ops) => self.step(ops)?,
                Step::Round { polite, offerer } => self.round(*polite, *offerer)?,
            }
        }
        self.converge()
    }

    /// Issues the operations, lets everything settle, and looks at what must hold.
    pub(super) fn step(&mut self, ops: &[Op]) -> Result<(), Broken> {
        if let Some(report) = &mut self.report {
            report.begin(ops);
        }
        for (index, op) in ops.iter().enumerate() {
            let side = self.side(op.pc);
            let session = &side.session;
            side.checks.all(|check| {
                check.calling(session, &op.call);
                Ok(())
            })?;
            let returned = self.call(op);
            if let Some(report) = &mut self.report {
                report.returned(returned.name());
            }
            self.coverage.call(op, &returned);
            let side = self.side(op.pc);
            if let Returned::Promise(operation) = returned {
                side.promises.insert(operation, index);
            }
            let session = &side.session;
            side.checks.all(|check| {
                check.called(session, &op.call, returned.transceiver());
                Ok(())
            })?;
        }
        for pc in Pc::BOTH {
            let side = self.side(pc);
            side.settle()?;
            side.promises.clear();
            side.due.clear();
            side.undue.clear();
        }
        let mut report = self.report.take();
        if let Some(report) = &mut report {
            let names = self.tracks.iter().map(|(name, track)| (track.id, name.clone())).collect();
            let [a, b] = &mut self.sides;
            report.end([(Pc::A, a), (Pc::B, b)], &names);
        }
        self.report = report;
        for side in &mut self.sides {
            side.log.clear();
        }
        let [a, b] = &self.sides;
        self.coverage.settled(a, b);
        if exchange::agree(&a.session, &b.session) {
            agreement::check([a, b])
                .map_err(|message| Broken { property: agreement::NAME, message })?;
        }
        Ok(())
    }

    /// Whether the peer must take the other's local description as one of this type.
    pub(super) fn is_due(&self, pc: Pc, type_: RTCSdpType) -> bool {
        let (here, there) = self.pair(pc);
        let is_free = here.session.operations.len() == 0 && !here.session.is_closed();
        let Some(local) = there.session.local() else { return false };
        // An answer is as good a provisional answer; anything else is not what it was made for.
        let fits = local.type_ == type_
            || local.type_ == RTCSdpType::Answer && type_ == RTCSdpType::Pranswer;
        let is_due = |there: &Side| {
            here.checks.exchange.is_due(&here.session, &there.checks.exchange, &there.session)
        };
        is_free && fits && is_due(there)
    }

    /// Replays the steps of a trace.
    pub(super) fn replay(&mut self, steps: &[Vec<Op>]) -> Result<(), Broken> {
        for ops in steps {
            self.step(ops)?;
        }
        self.converge()
    }
}
