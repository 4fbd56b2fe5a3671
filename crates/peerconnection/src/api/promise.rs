//! Promises as futures.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use negotiation::{Error, Outcome};

use super::{RTCStatsReport, WeakConnection};

/// What a promise is fulfilled with.
pub(crate) enum Value {
    /// The outcome of an operation of the negotiation.
    Outcome(Outcome),
    /// What `getStats()` has gathered.
    Stats(RTCStatsReport),
}

/// What `Promise<undefined>` resolves with.
pub(crate) fn undefined(value: Value) -> Option<()> {
    matches!(value, Value::Outcome(Outcome::Undefined)).then_some(())
}

/// The result of a method that returns a promise in the specification.
///
/// The operation has started when the method returns, whether or not the future is polled:
/// operations take effect in the order in which they were called. **Dropping the future does not
/// cancel the operation**; only its outcome is lost. Everything that the specification fires
/// before it settles the promise has been delivered to handlers and streams when the future
/// completes.
///
/// Code that awaits the promise goes on later, when other tasks of the connection may have run:
/// candidates may have been fired before that code sends the description they belong to. Where this
/// matters, react with [`then`](Self::then) in a [task](crate::RTCPeerConnection::queue_task).
///
/// Where the specification leaves a promise pending for ever because the connection was closed,
/// the future completes with [`Error::InvalidStateError`].
#[must_use = "the operation runs anyway, but its error would go unseen"]
pub struct Promise<T> {
    shared: Arc<Shared>,
    convert: fn(Value) -> Option<T>,
    /// The connection whose tasks settle the promise, if whoever waits may run them.
    connection: WeakConnection,
}

type Reaction = Box<dyn FnOnce(Result<Value, Error>) + Send>;

#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Pending,
    Polled(Waker),
    Reacting(Reaction),
    Settled(Result<Value, Error>),
    Taken,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, result: Result<Value, Error>) {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Pending => *state = State::Settled(result),
            State::Polled(waker) => {
                *state = State::Settled(result);
                drop(state);
                waker.wake();
            }
            State::Reacting(reaction) => {
                drop(state);
                // Whatever the application does, the connection goes on, as with handlers.
                if catch_unwind(AssertUnwindSafe(|| reaction(result))).is_err() {
                    tracing::error!("the reaction of a promise panicked");
                }
            }
            settled @ (State::Settled(_) | State::Taken) => *state = settled,
        }
    }
}

/// The end of a [`Promise`] that the connection keeps. Dropping it rejects the promise: the
/// connection was closed.
pub(crate) struct Settle(Arc<Shared>);

impl Settle {
    /// Settles the promise; its reaction, if it has one, runs within the call.
    pub(crate) fn settle(self, result: Result<Value, Error>) {
        self.0.settle(result);
    }

    /// Whether this is the end of the promise that is being polled.
    pub(crate) fn is_of(&self, polled: &Polled<'_>) -> bool {
        Arc::ptr_eq(&self.0, polled.0)
    }
}

/// A promise while it is polled: nothing reacts to it, and nothing is to be woken for it.
pub(crate) struct Polled<'a>(&'a Arc<Shared>);

impl Drop for Settle {
    fn drop(&mut self) {
        self.0.settle(Err(closed()));
    }
}

impl<T> Promise<T> {
    pub(crate) fn new(convert: fn(Value) -> Option<T>) -> (Settle, Self) {
        let shared = Arc::new(Shared::default());
        (Settle(shared.clone()), Self { shared, convert, connection: WeakConnection::new() })
    }

    /// Whoever waits for the promise may run the tasks of this connection that settle it.
    pub(crate) fn of(self, connection: &WeakConnection) -> Self {
        Self { connection: connection.clone(), ..self }
    }

    /// Runs the tasks that settle the promise, as far as they are nobody else's business.
    fn hasten(&self) {
        {
            let mut state = self.shared.state();
            match &*state {
                State::Pending => {}
                // Nothing is to be woken while it runs.
                State::Polled(_) => *state = State::Pending,
                State::Reacting(_) | State::Settled(_) | State::Taken => return,
            }
        }
        if let Some(connection) = self.connection.upgrade() {
            connection.hasten(&Polled(&self.shared));
        }
    }

    /// Why the promise was rejected, if that has happened and nobody has seen it yet.
    pub(crate) fn rejection(&self) -> Option<String> {
        match &*self.shared.state() {
            State::Settled(Err(error)) => Some(error.to_string()),
            _ => None,
        }
    }

    pub(crate) fn rejected(error: Error) -> Self {
        let shared = Arc::new(Shared(Mutex::new(State::Settled(Err(error)))));
        Self { shared, convert: |_| None, connection: WeakConnection::new() }
    }
}

impl Promise<RTCStatsReport> {
    /// The promise of `getStats()`.
    pub(crate) fn of_stats() -> (Settle, Self) {
        Self::new(|value| match value {
            Value::Stats(report) => Some(report),
            Value::Outcome(_) => None,
        })
    }
}

fn converted<T>(result: Result<Value, Error>, convert: fn(Value) -> Option<T>) -> Result<T, Error> {
    convert(result?).ok_or_else(|| Error::OperationError("an outcome of another kind".to_owned()))
}

impl<T: 'static> Promise<T> {
    /// Runs `reaction` when the promise is settled: on the connection's event loop, before its
    /// next task, as a browser runs a promise's reaction.
    ///
    /// **If the promise is settled already, `reaction` runs within this call**, on this thread.
    /// That happens to a promise that was rejected at once. It can happen to any promise if `then`
    /// is called outside the connection's tasks, and other tasks may have run in between. Call the
    /// method and `then` within one
    /// [`RTCPeerConnection::queue_task`](crate::RTCPeerConnection::queue_task) to avoid both.
    ///
    /// A panic in `reaction` is caught and reported with `tracing`. `then` returns no promise; a
    /// reaction that has to wait for another promise calls that one's `then`.
    pub fn then(self, reaction: impl FnOnce(Result<T, Error>) + Send + 'static) {
        let convert = self.convert;
        let reaction = move |result| reaction(converted(result, convert));
        let mut state = self.shared.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Settled(result) => {
                drop(state);
                reaction(result);
            }
            State::Pending | State::Polled(_) => *state = State::Reacting(Box::new(reaction)),
            other @ (State::Reacting(_) | State::Taken) => *state = other,
        }
    }
}

impl<T> Future for Promise<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.hasten();
        let mut state = self.shared.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Settled(result) => Poll::Ready(converted(result, self.convert)),
            State::Taken => Poll::Ready(Err(closed())),
            State::Pending | State::Polled(_) | State::Reacting(_) => {
                *state = State::Polled(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> std::fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match *self.shared.state() {
            State::Pending | State::Polled(_) | State::Reacting(_) => "Promise(pending)",
            State::Settled(_) | State::Taken => "Promise(settled)",
        })
    }
}

pub(crate) fn closed() -> Error {
    Error::InvalidStateError("the connection is closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_reaction_runs_within_the_settling() {
        let (settle, promise) = Promise::new(undefined);
        let (sender, receiver) = mpsc::channel();
        promise.then(move |result| sender.send(result).unwrap());
        assert!(receiver.try_recv().is_err());
        settle.settle(Ok(Value::Outcome(Outcome::Undefined)));
        assert_eq!(receiver.try_recv().unwrap(), Ok(()));
    }

    #[test]
    fn a_promise_that_will_never_settle_is_rejected() {
        let (settle, promise) = Promise::new(undefined);
        drop(settle);
        let error = futures::executor::block_on(promise).unwrap_err();
        assert_eq!(error.name(), "InvalidStateError");
    }
}
