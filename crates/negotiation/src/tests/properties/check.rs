//! What a property sees of one peer.

use super::operation::Call;
use crate::task::TaskKind;
use crate::{Effect, Session, TransceiverId};

/// What is wrong, if anything.
pub(super) type Verdict = Result<(), String>;

/// `Ok` if it holds.
pub(super) fn ensure(holds: bool, message: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(message()) }
}

/// A property of one peer, watched while it runs.
pub(super) trait Check {
    /// What is to hold.
    fn name(&self) -> &'static str;

    /// A method is about to be called.
    fn calling(&mut self, _session: &Session, _call: &Call) {}

    /// A method has returned, perhaps a transceiver.
    fn called(&mut self, _session: &Session, _call: &Call, _returned: Option<TransceiverId>) {}

    /// A task is about to run.
    fn before(&mut self, _session: &Session, _task: &TaskKind) {}

    /// An effect has come out.
    fn effect(&mut self, _session: &Session, _effect: &Effect) -> Verdict {
        Ok(())
    }

    /// A task has run, and its effects have come out.
    fn after(&mut self, _session: &Session) -> Verdict {
        Ok(())
    }

    /// Nothing is left to do.
    fn settled(&mut self, _session: &Session) -> Verdict {
        Ok(())
    }
}
