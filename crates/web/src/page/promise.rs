//! Promises as futures.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use idl::Error;
use js_sys::futures::spawn_local;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsValue;

use super::convert;

/// The result of a method that returns a promise in the specification.
///
/// The operation has started when the method returns, whether or not the future is polled:
/// operations take effect in the order in which they were called. **Dropping the future does not
/// cancel the operation**; only its outcome is lost.
///
/// Where a browser leaves a promise pending for ever because the connection was closed, the future
/// completes with [`Error::InvalidStateError`].
#[must_use = "the operation runs anyway, but its error would go unseen"]
pub struct Promise<T> {
    shared: SendWrapper<Rc<Shared<T>>>,
}

type Reaction<T> = Box<dyn FnOnce(Result<T, Error>)>;

struct Shared<T>(RefCell<State<T>>);

enum State<T> {
    Pending,
    Polled(Waker),
    Reacting(Reaction<T>),
    Settled(Result<T, Error>),
    Taken,
}

impl<T> Shared<T> {
    fn replace(&self, state: State<T>) -> State<T> {
        self.0.replace(state)
    }

    fn settle(&self, result: Result<T, Error>) {
        match self.replace(State::Taken) {
            State::Pending => drop(self.replace(State::Settled(result))),
            State::Polled(waker) => {
                self.replace(State::Settled(result));
                waker.wake();
            }
            State::Reacting(reaction) => reaction(result),
            settled @ (State::Settled(_) | State::Taken) => drop(self.replace(settled)),
        }
    }
}

/// A promise that a closing connection rejects.
trait Reject {
    fn reject(&self);
}

impl<T> Reject for Shared<T> {
    fn reject(&self) {
        self.settle(Err(closed()));
    }
}

/// The promises of a connection that are pending.
#[derive(Default)]
pub(crate) struct PendingPromises(RefCell<Vec<Weak<dyn Reject>>>);

impl PendingPromises {
    fn add(&self, promise: Weak<dyn Reject>) {
        let mut promises = self.0.borrow_mut();
        // Settled ones stay only as long as somebody holds them.
        if promises.len() == promises.capacity() {
            promises.retain(|promise| promise.strong_count() > 0);
        }
        promises.push(promise);
    }

    /// The connection was closed.
    pub(crate) fn reject(&self) {
        let promises = self.0.take();
        promises.iter().filter_map(Weak::upgrade).for_each(|promise| promise.reject());
    }
}

impl<T: 'static> Promise<T> {
    /// The promise of the page. `convert` makes what it is fulfilled with.
    pub(crate) fn new(
        called: Result<js_sys::Promise, JsValue>,
        pending: Option<&PendingPromises>,
        convert: impl FnOnce(JsValue) -> Result<T, Error> + 'static,
    ) -> Self {
        let promise = match called {
            Ok(promise) => promise,
            Err(thrown) => return Self::rejected(convert::error(thrown)),
        };
        let shared = Rc::new(Shared(RefCell::new(State::Pending)));
        if let Some(pending) = pending {
            let weak: Weak<dyn Reject> = Rc::<Shared<T>>::downgrade(&shared);
            pending.add(weak);
        }
        let settles = shared.clone();
        spawn_local(async move {
            settles.settle(match promise.await {
                Ok(value) => convert(value),
                Err(thrown) => Err(convert::error(thrown)),
            });
        });
        Self { shared: SendWrapper::new(shared) }
    }

    pub(crate) fn rejected(error: Error) -> Self {
        let shared = Shared(RefCell::new(State::Settled(Err(error))));
        Self { shared: SendWrapper::new(Rc::new(shared)) }
    }

    /// Runs `reaction` when the promise is settled, before the next task of the page. If it is
    /// settled already, `reaction` runs within this call.
    pub fn then(self, reaction: impl FnOnce(Result<T, Error>) + 'static) {
        match self.shared.replace(State::Taken) {
            State::Settled(result) => reaction(result),
            State::Pending | State::Polled(_) => {
                self.shared.replace(State::Reacting(Box::new(reaction)));
            }
            other @ (State::Reacting(_) | State::Taken) => drop(self.shared.replace(other)),
        }
    }
}

impl<T> Future for Promise<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.shared.replace(State::Taken) {
            State::Settled(result) => Poll::Ready(result),
            State::Taken => Poll::Ready(Err(closed())),
            State::Pending | State::Polled(_) | State::Reacting(_) => {
                self.shared.replace(State::Polled(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl<T> std::fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match *self.shared.0.borrow() {
            State::Pending | State::Polled(_) | State::Reacting(_) => "Promise(pending)",
            State::Settled(_) | State::Taken => "Promise(settled)",
        })
    }
}

/// `Promise<undefined>`.
pub(crate) fn undefined(_: JsValue) -> Result<(), Error> {
    Ok(())
}

pub(crate) fn closed() -> Error {
    Error::InvalidStateError("the connection is closed".to_owned())
}
