//! What a session hands to its host: tasks, promise reactions and effects, each in order.

use std::collections::VecDeque;

use crate::effect::{Effect, OperationId, Outcome};
use crate::operations::Microtask;
use crate::session::Session;
use crate::task::{Task, TaskKind};
use idl::Error;

/// The three queues. Algorithms append to them; the host alone takes out of them.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    tasks: VecDeque<Task>,
    microtasks: VecDeque<Microtask>,
    effects: VecDeque<Effect>,
}

impl Outputs {
    pub(crate) fn queue_task(&mut self, task: TaskKind) {
        self.tasks.push_back(Task(task));
    }

    pub(crate) fn queue_microtask(&mut self, microtask: Microtask) {
        self.microtasks.push_back(microtask);
    }

    pub(crate) fn push_effect(&mut self, effect: impl Into<Effect>) {
        self.effects.push_back(effect.into());
    }

    /// Settles a promise.
    pub(crate) fn settle(&mut self, operation: OperationId, result: Result<Outcome, Error>) {
        self.push_effect(Effect::Settle { operation, result });
    }

    pub(crate) fn take_microtask(&mut self) -> Option<Microtask> {
        take(&mut self.microtasks)
    }

    /// webrtc-pc §4.4.2 close: nothing that waits is done any more.
    pub(crate) fn clear(&mut self) {
        self.tasks.clear();
        self.microtasks.clear();
        self.effects.clear();
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.tasks.len() + self.microtasks.len() + self.effects.len()
    }
}

impl Session {
    /// Gives back the memory that a pause does not need. Call it when nothing has happened for a
    /// while: what happens next takes what it needs.
    ///
    /// ```
    /// # use peerconnection_negotiation::{Certificate, Configuration, Session};
    /// let certificates = vec![Certificate::default()];
    /// let configuration = Configuration { certificates, ..Configuration::default() };
    /// let mut session = Session::new(configuration, [1; 32])?;
    /// session.rest();
    /// assert!(session.poll_task().is_none());
    /// # Ok::<(), peerconnection_negotiation::Error>(())
    /// ```
    pub fn rest(&mut self) {
        let Outputs { tasks, microtasks, effects } = &mut self.outputs;
        tasks.shrink_to_fit();
        microtasks.shrink_to_fit();
        effects.shrink_to_fit();
        self.operations.rest();
        self.descriptions.rest();
    }

    /// The next task that was queued since the last call. The host appends it to its own queue.
    pub fn poll_task(&mut self) -> Option<Task> {
        take(&mut self.outputs.tasks)
    }

    /// The next thing the host has to do. Effects come out in the order of the specification.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        take(&mut self.outputs.effects)
    }

    /// Whether there is a promise reaction for [`run_microtask`](Self::run_microtask).
    pub fn has_microtasks(&self) -> bool {
        !self.outputs.microtasks.is_empty()
    }

    /// Whether there is something for [`poll_effect`](Self::poll_effect).
    pub fn has_effects(&self) -> bool {
        !self.outputs.effects.is_empty()
    }

    /// Takes the rejection of `operation` out of the effects, if the call that began the operation
    /// rejected it at once. A host uses this when its promises are rejected before they are
    /// returned. It has to ask right after that call.
    pub fn take_rejection(&mut self, operation: OperationId) -> Option<Error> {
        match self.outputs.effects.pop_back() {
            Some(Effect::Settle { operation: settled, result: Err(error) })
                if settled == operation =>
            {
                Some(error)
            }
            other => {
                self.outputs.effects.extend(other);
                None
            }
        }
    }
}

/// The next one. An empty queue keeps no memory: most sessions are idle most of the time.
fn take<T>(queue: &mut VecDeque<T>) -> Option<T> {
    let next = queue.pop_front();
    if queue.is_empty() && queue.capacity() > 0 {
        *queue = VecDeque::new();
    }
    next
}
