//! Every promise is settled once, in the order of the chain (webrtc-pc §4.4.1.2).

use std::collections::BTreeSet;

use super::check::{Check, Verdict, ensure};
use super::operation::Call;
use crate::{Effect, Error, OperationId, Session};

#[derive(Default)]
pub(super) struct Chain {
    settled: BTreeSet<OperationId>,
    last: Option<OperationId>,
    /// How many promises there were when the connection was closed.
    closed_at: Option<u64>,
}

impl Check for Chain {
    fn name(&self) -> &'static str {
        "every promise is settled once, in the order of the chain"
    }

    fn calling(&mut self, session: &Session, call: &Call) {
        if *call == Call::Close {
            self.closed_at.get_or_insert(session.operation_count());
        }
    }

    fn effect(&mut self, _session: &Session, effect: &Effect) -> Verdict {
        let Effect::Settle { operation, result } = effect else {
            return ensure(self.closed_at.is_none(), || format!("after close(): {effect:?}"));
        };
        ensure(self.settled.insert(*operation), || format!("{operation:?} is settled twice"))?;
        if let Some(closed_at) = self.closed_at {
            let refused = operation.0 >= closed_at
                && matches!(result, Err(Error::InvalidStateError(_) | Error::TypeError(_)));
            return ensure(refused, || format!("after close(): {effect:?}"));
        }
        // A TypeError comes before anything is chained.
        if !matches!(result, Err(Error::TypeError(_))) {
            let in_order = self.last.is_none_or(|last| last < *operation);
            ensure(in_order, || format!("{operation:?} is settled after {:?}", self.last))?;
            self.last = Some(*operation);
        }
        Ok(())
    }

    fn settled(&mut self, session: &Session) -> Verdict {
        let first = match self.closed_at {
            Some(closed_at) => closed_at,
            None => {
                let left = session.operations.len();
                ensure(left == 0, || format!("{left} operations are left on the chain"))?;
                0
            }
        };
        let pending: Vec<u64> = (first..session.operation_count())
            .filter(|operation| !self.settled.contains(&OperationId(*operation)))
            .collect();
        ensure(pending.is_empty(), || format!("promises {pending:?} are not settled"))?;
        let left = session.outputs.len();
        ensure(left == 0, || "something is left in a queue".to_owned())
    }
}
