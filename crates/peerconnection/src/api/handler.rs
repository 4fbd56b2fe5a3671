//! `on…` attributes: one handler each, called without any lock held.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

type Function<E> = Box<dyn FnMut(E) + Send>;

struct Slot<E> {
    /// Counts the settings of the attribute, so that a handler that replaces itself while it
    /// runs is not put back over its successor.
    setting: u64,
    function: Option<Function<E>>,
}

/// One event handler IDL attribute.
pub(crate) struct Handler<E>(Mutex<Slot<E>>);

impl<E> Default for Handler<E> {
    fn default() -> Self {
        Self(Mutex::new(Slot { setting: 0, function: None }))
    }
}

impl<E> Handler<E> {
    /// Sets, replaces or clears the attribute.
    pub(crate) fn set(&self, function: Option<Function<E>>) {
        let old = {
            let mut slot = self.slot();
            slot.setting += 1;
            std::mem::replace(&mut slot.function, function)
        };
        // What a handler captured may call back when it is dropped: not under the lock.
        drop(old);
    }

    /// Calls the handler, if there is one. A panic in it is reported and goes no further.
    pub(crate) fn call(&self, name: &'static str, event: impl FnOnce() -> Option<E>) {
        let (mut function, setting) = {
            let mut slot = self.slot();
            match slot.function.take() {
                Some(function) => (function, slot.setting),
                None => return,
            }
        };
        if let Some(event) = event()
            && catch_unwind(AssertUnwindSafe(|| function(event))).is_err()
        {
            tracing::error!(handler = name, "an event handler panicked");
        }
        let mut slot = self.slot();
        if slot.setting == setting {
            slot.function = Some(function);
        } else {
            drop(slot);
            drop(function);
        }
    }

    /// Whether a handler is set.
    pub(crate) fn is_set(&self) -> bool {
        self.slot().function.is_some()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Slot<E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Declares the setter and the clearer of an event handler attribute.
macro_rules! handlers {
    ($($(#[$meta:meta])* $set:ident / $clear:ident: $event:ty => $($path:ident).+;)*) => {
        $(
            $(#[$meta])*
            ///
            /// Replaces the handler set before. It is called on the connection's event loop,
            /// without any lock held, and may call every method of every object; it should not
            /// block. If it panics the panic is caught and reported with `tracing`.
            pub fn $set(&self, handler: impl FnMut($event) + Send + 'static) {
                self.$($path).+.set(Some(Box::new(handler)));
            }

            #[doc = concat!("Clears the handler set by [`", stringify!($set), "`](Self::", stringify!($set), ").")]
            pub fn $clear(&self) {
                self.$($path).+.set(None);
            }
        )*
    };
}
pub(crate) use handlers;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_handler_may_replace_itself_while_it_runs() {
        let handler = Arc::new(Handler::<()>::default());
        let calls = Arc::new(AtomicU32::new(0));
        let (inner, count) = (handler.clone(), calls.clone());
        handler.set(Some(Box::new(move |()| {
            let count = count.clone();
            inner.set(Some(Box::new(move |()| {
                count.fetch_add(10, Ordering::Relaxed);
            })));
        })));
        handler.call("test", || Some(()));
        handler.call("test", || Some(()));
        handler.call("test", || Some(()));
        assert_eq!(calls.load(Ordering::Relaxed), 20);
    }

    #[test]
    fn a_panic_in_a_handler_goes_no_further_and_the_handler_stays() {
        let handler = Handler::<u32>::default();
        let calls = Arc::new(AtomicU32::new(0));
        let count = calls.clone();
        handler.set(Some(Box::new(move |event| {
            count.fetch_add(1, Ordering::Relaxed);
            assert_ne!(event, 1, "the panic that this test is about");
        })));
        handler.call("test", || Some(1));
        handler.call("test", || Some(2));
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }
}
