//! One peer with its event loop, watched by every property of one peer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::chain::Chain;
use super::check::Check;
use super::exchange::Exchange;
use super::needed::Needed;
use super::restart::Restart;
use super::rollback::Rollback;
use super::transports::TransportCommands;
use crate::tests::configuration;
use crate::{
    Configuration, Effect, Error, Event, MediaCommand, OperationId, Outcome, RTCBundlePolicy,
    RTCSdpType, RTCSessionDescriptionInit, Session, Task, TransceiverId,
};

/// More tasks than this in one step will never end.
const MAX_TASKS: usize = 1000;

/// Which property does not hold, and how.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) property: &'static str,
    pub(super) message: String,
}

#[derive(Default)]
pub(super) struct Checks {
    chain: Chain,
    needed: Needed,
    transports: TransportCommands,
    pub(super) restart: Restart,
    pub(super) rollback: Rollback,
    pub(super) exchange: Exchange,
}

impl Checks {
    /// Calls `ask` with each, until one does not hold.
    pub(super) fn all(
        &mut self,
        mut ask: impl FnMut(&mut dyn Check) -> super::check::Verdict,
    ) -> Result<(), Broken> {
        let Self { chain, needed, transports, restart, rollback, exchange } = self;
        let checks: [&mut dyn Check; 6] = [chain, needed, transports, restart, rollback, exchange];
        for check in checks {
            ask(check).map_err(|message| Broken { property: check.name(), message })?;
        }
        Ok(())
    }
}

pub(super) struct Side {
    pub(super) session: Session,
    queue: VecDeque<Task>,
    pub(super) checks: Checks,
    /// What happened in this step.
    pub(super) log: Vec<Value>,
    /// The promises of this step, with the index of the operation.
    pub(super) promises: BTreeMap<OperationId, usize>,
    /// Promises that must be fulfilled.
    pub(super) due: BTreeSet<OperationId>,
    /// Promises for remote descriptions that may be refused.
    pub(super) undue: BTreeSet<OperationId>,
    pub(super) last_offer: Option<RTCSessionDescriptionInit>,
    pub(super) last_answer: Option<RTCSessionDescriptionInit>,
    /// Receivers that `track` was fired for, and those whose track has ended.
    seen: BTreeSet<TransceiverId>,
    pub(super) ended: BTreeSet<TransceiverId>,
    pub(super) channels: Vec<String>,
}

impl Side {
    pub(super) fn new(seed: u8, bundle_policy: RTCBundlePolicy) -> Self {
        let configuration = Configuration { bundle_policy, ..configuration(seed) };
        let session = Session::new(configuration, [seed; 32]);
        Self {
            session: session.expect("a valid configuration"),
            queue: VecDeque::new(),
            checks: Checks::default(),
            log: Vec::new(),
            promises: BTreeMap::new(),
            due: BTreeSet::new(),
            undue: BTreeSet::new(),
            last_offer: None,
            last_answer: None,
            seen: BTreeSet::new(),
            ended: BTreeSet::new(),
            channels: Vec::new(),
        }
    }

    /// Runs until nothing is left to do.
    pub(super) fn settle(&mut self) -> Result<(), Broken> {
        self.checkpoint()?;
        for _ in 0..MAX_TASKS {
            let Some(task) = self.queue.pop_front() else {
                let session = &self.session;
                return self.checks.all(|check| check.settled(session));
            };
            let session = &self.session;
            self.checks.all(|check| {
                check.before(session, &task.0);
                Ok(())
            })?;
            self.session.run_task(task);
            self.checkpoint()?;
            let session = &self.session;
            self.checks.all(|check| check.after(session))?;
        }
        Err(Broken { property: "everything settles", message: "there is always a task".to_owned() })
    }

    fn checkpoint(&mut self) -> Result<(), Broken> {
        loop {
            while let Some(effect) = self.session.poll_effect() {
                let session = &self.session;
                self.checks.all(|check| check.effect(session, &effect))?;
                self.deliver(effect)?;
            }
            self.queue.extend(std::iter::from_fn(|| self.session.poll_task()));
            if !self.session.run_microtask() {
                return Ok(());
            }
        }
    }

    fn deliver(&mut self, effect: Effect) -> Result<(), Broken> {
        match effect {
            Effect::Fire(Event::NegotiationNeeded) => {
                self.log.push(json!({"event": "negotiationneeded"}));
            }
            Effect::Fire(Event::SignalingStateChange(state)) => {
                let event = "signalingstatechange";
                self.log.push(json!({"event": event, "signalingState": state}));
            }
            Effect::Fire(Event::Track { transceiver, streams }) => {
                self.seen.insert(transceiver);
                if let Some(of) = self.session.transceiver(transceiver) {
                    let mid = of.mid().map(|mid| format!("@m{mid}"));
                    let (event, kind) = ("track", of.kind());
                    self.log.push(
                        json!({"event": event, "kind": kind, "mid": mid, "streams": streams}),
                    );
                }
            }
            Effect::Media(MediaCommand::EndTrack { transceiver }) => {
                if self.ended.insert(transceiver)
                    && self.seen.contains(&transceiver)
                    && let Some(of) = self.session.transceiver(transceiver)
                {
                    self.log.push(json!({"event": "ended", "kind": of.kind()}));
                }
            }
            Effect::Settle { operation, result } => {
                let name = result.as_ref().map_or_else(Error::name, |_| "ok");
                if let Some(index) = self.promises.get(&operation) {
                    self.log.push(json!({"op": index, "settled": name}));
                }
                match result {
                    Ok(Outcome::Description(description)) => match description.type_ {
                        RTCSdpType::Offer => self.last_offer = Some(description),
                        _ => self.last_answer = Some(description),
                    },
                    Err(error) if self.due.contains(&operation) => {
                        let property = "the peer takes every description that is meant for it";
                        return Err(Broken { property, message: format!("{name}: {error}") });
                    }
                    Ok(Outcome::Undefined) if self.undue.contains(&operation) => {
                        self.checks.exchange.stale = true;
                    }
                    _ => {}
                }
            }
            Effect::Media(_) | Effect::Transport(_) | Effect::Channel(_) => {}
        }
        Ok(())
    }
}
