//! `on…` attributes: one handler each, called without any lock held.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::WeakConnection;

type Function<E> = Box<dyn FnMut(E) + Send>;

/// A call that is made later, as a task. One delivers the events that a handler has missed.
pub(crate) type Call = Box<dyn FnOnce() + Send>;

/// An event as its handler gets it: a target and a payload. The two are apart because an event that
/// waits for its first handler must not keep its target alive.
pub(crate) trait Fired {
    type Target;
    type Payload;
    /// How many events wait for the first handler; the oldest make room. Events without a payload
    /// say "look at the target", so one says as much as several.
    const REMEMBERED: usize;

    fn create(target: Self::Target, payload: Self::Payload) -> Self;
}

/// [`Fired::REMEMBERED`] of events with a payload.
pub(crate) const REMEMBERED: usize = 256;

struct Slot<E: Fired> {
    /// Counts how often the attribute was set, so that a handler that replaces itself while it
    /// runs is not put back over its successor.
    setting: u64,
    function: Option<Function<E>>,
    /// Events that were fired before the attribute was set for the first time, and are not
    /// delivered yet.
    missed: VecDeque<E::Payload>,
    /// Nothing will be fired any more. A handler set from then on is kept only until it has got
    /// the missed events.
    over: bool,
}

/// One event handler IDL attribute.
///
/// JavaScript sets a handler in the same task in which it got the object, and no event can be
/// fired in between. Here the event loop may run on another thread. So an event that is fired
/// before the attribute was ever set is remembered, and a task delivers it when a handler is set.
pub(crate) struct Handler<E: Fired> {
    name: &'static str,
    slot: Mutex<Slot<E>>,
}

impl<E: Fired> Handler<E> {
    /// The attribute for events of this name, not set.
    pub(crate) fn new(name: &'static str) -> Self {
        let slot = Slot { setting: 0, function: None, missed: VecDeque::new(), over: false };
        Self { name, slot: Mutex::new(slot) }
    }

    /// Sets, replaces or clears the attribute. Returns whether there are events that it has missed.
    #[must_use = "missed events wait for `deliver_missed` or `forget`"]
    pub(crate) fn set(&self, function: Option<Function<E>>) -> bool {
        let mut function = function;
        let (old, forgotten, missed) = {
            let mut slot = self.slot();
            slot.setting += 1;
            let forgotten = match function {
                Some(_) => VecDeque::new(),
                None => std::mem::take(&mut slot.missed),
            };
            let missed = !slot.missed.is_empty();
            let old = if slot.over && !missed {
                slot.function.take()
            } else {
                std::mem::replace(&mut slot.function, function.take())
            };
            (old, forgotten, missed)
        };
        // Dropped without the lock: what a handler captured may call back.
        drop((old, forgotten, function));
        missed
    }

    /// Clears the attribute.
    pub(crate) fn clear(&self) {
        // `false`: clearing has forgotten the missed events.
        let _ = self.set(None);
    }

    /// Calls the handler; remembers the event if there has never been one.
    pub(crate) fn call(&self, target: impl FnOnce() -> Option<E::Target>, payload: E::Payload) {
        let forgotten = {
            let mut slot = self.slot();
            // As long as missed events wait, this one waits behind them.
            let waits = slot.setting == 0 || !slot.missed.is_empty();
            if !waits {
                drop(slot);
                self.offer(target, payload);
                return;
            }
            slot.missed.push_back(payload);
            (slot.missed.len() > E::REMEMBERED).then(|| slot.missed.pop_front())
        };
        drop(forgotten);
    }

    /// Calls the handler; gives the payload back if there is none. A panic in the handler is
    /// reported and goes no further.
    pub(crate) fn offer(
        &self,
        target: impl FnOnce() -> Option<E::Target>,
        payload: E::Payload,
    ) -> Option<E::Payload> {
        let (mut function, setting) = {
            let mut slot = self.slot();
            match slot.function.take() {
                Some(function) => (function, slot.setting),
                None => return Some(payload),
            }
        };
        if let Some(target) = target()
            && catch_unwind(AssertUnwindSafe(|| function(E::create(target, payload)))).is_err()
        {
            tracing::error!(handler = self.name, "an event handler panicked");
        }
        let mut slot = self.slot();
        if slot.setting == setting {
            slot.function = Some(function);
        } else {
            drop(slot);
            drop(function);
        }
        None
    }

    /// Delivers the events that were missed, in order.
    pub(crate) fn deliver_missed(&self, target: impl Fn() -> Option<E::Target>) {
        loop {
            let missed = self.slot().missed.pop_front();
            let Some(payload) = missed else { break };
            if self.offer(&target, payload).is_some() {
                // The handler was cleared again, and the others were forgotten with it.
                break;
            }
        }
        if self.slot().over {
            self.retire();
        }
    }

    /// Forgets the events that were missed. Returns whether there were any.
    pub(crate) fn forget(&self) -> bool {
        !std::mem::take(&mut self.slot().missed).is_empty()
    }

    /// Keeps the missed events for which `worth` is true, and forgets the others.
    pub(crate) fn retain_missed(&self, worth: impl Fn(&E::Payload) -> bool) {
        let spent = {
            let mut slot = self.slot();
            let missed = std::mem::take(&mut slot.missed);
            let (kept, spent): (_, VecDeque<_>) = missed.into_iter().partition(worth);
            slot.missed = kept;
            spent
        };
        // Dropped without the lock, as in `set`.
        drop(spent);
    }

    /// Nothing will be fired any more. Drops the handler, unless it has missed events still to get.
    /// A handler that is set later is not kept either.
    pub(crate) fn retire(&self) {
        let retired = {
            let mut slot = self.slot();
            slot.over = true;
            if !slot.missed.is_empty() {
                return;
            }
            // A handler that runs just now is not put back.
            slot.setting += 1;
            slot.function.take()
        };
        drop(retired);
    }

    /// Retires the attribute, and forgets the missed events: nothing will deliver them.
    pub(crate) fn end(&self) {
        self.clear();
        self.retire();
    }

    /// Whether a handler is set.
    pub(crate) fn is_set(&self) -> bool {
        self.slot().function.is_some()
    }

    fn slot(&self) -> MutexGuard<'_, Slot<E>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Queues a task that delivers missed events to `target`, a child of the connection.
pub(crate) fn queue_delivery<T: Clone + Send + 'static>(
    connection: &WeakConnection,
    target: &T,
    deliver: impl FnOnce(&T) + Send + 'static,
) {
    if let Some(connection) = connection.upgrade() {
        let target = target.clone();
        let late = Box::new(move || deliver(&target));
        connection.api(|engine, _| engine.queue_call(late));
    }
}

/// Declares the setter and the clearer of event handler attributes. The type must have a method
/// `queue_delivery` that queues a task for the missed events. Attributes whose events are not
/// [remembered](Fired::REMEMBERED) come behind `in time:`.
macro_rules! handlers {
    (in time: $($(#[$meta:meta])* $set:ident / $clear:ident: $event:ty => $($path:ident).+;)*) => {
        $(
            $(#[$meta])*
            ///
            /// Replaces the handler set before. `handler` is called on the connection's event
            /// loop, without any lock held. It may call every method of every object, and should
            /// not block. A panic in it is caught and reported with `tracing`. If it captures a
            /// handle of a connection, that connection stays open: see
            /// [`weakly`](crate::RTCPeerConnection::weakly).
            ///
            /// Events fired before a handler was set are lost.
            pub fn $set(&self, handler: impl FnMut($event) + Send + 'static) {
                // `false`: these events are never remembered.
                let _ = self.$($path).+.set(Some(Box::new(handler)));
            }

            #[doc = concat!(
                "Clears the handler set by [`",
                stringify!($set),
                "`](Self::",
                stringify!($set),
                ").",
            )]
            pub fn $clear(&self) {
                self.$($path).+.clear();
            }
        )*
    };
    ($($(#[$meta:meta])* $set:ident / $clear:ident: $event:ty => $($path:ident).+;)*) => {
        $(
            $(#[$meta])*
            ///
            /// Replaces the handler set before. `handler` is called on the connection's event
            /// loop, without any lock held. It may call every method of every object, and should
            /// not block. A panic in it is caught and reported with `tracing`. If it captures a
            /// handle of a connection, that connection stays open: see
            /// [`weakly`](crate::RTCPeerConnection::weakly).
            ///
            /// Events fired before a handler was set for the first time are not lost: the event
            /// loop soon calls the first handler for them. It calls once for several events
            /// without content.
            pub fn $set(&self, handler: impl FnMut($event) + Send + 'static) {
                if self.$($path).+.set(Some(Box::new(handler))) {
                    self.queue_delivery(|target| {
                        target.$($path).+.deliver_missed(|| Some(target.clone()));
                    });
                }
            }

            #[doc = concat!(
                "Clears the handler set by [`",
                stringify!($set),
                "`](Self::",
                stringify!($set),
                "); later events are lost until one is set again.",
            )]
            pub fn $clear(&self) {
                self.$($path).+.clear();
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

    struct Number(u32);

    impl Fired for Number {
        type Target = ();
        type Payload = u32;
        const REMEMBERED: usize = 3;

        fn create((): (), payload: u32) -> Self {
            Self(payload)
        }
    }

    fn target() -> Option<()> {
        Some(())
    }

    /// A handler that writes down what it is called for.
    fn recorder() -> (Arc<Mutex<Vec<u32>>>, Function<Number>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = seen.clone();
        (seen, Box::new(move |Number(number)| record.lock().unwrap().push(number)))
    }

    #[test]
    fn what_is_set_when_nothing_will_be_fired_any_more_is_not_kept() {
        let captured = Arc::new(());
        let capturing = || -> Function<Number> {
            let captured = captured.clone();
            Box::new(move |_| drop(captured.clone()))
        };
        let handler = Handler::<Number>::new("test");
        assert!(!handler.set(Some(capturing())));
        assert_eq!(Arc::strong_count(&captured), 2);
        handler.retire();
        assert_eq!(Arc::strong_count(&captured), 1, "dropped at the end");
        assert!(!handler.set(Some(capturing())));
        assert_eq!(Arc::strong_count(&captured), 1, "dropped at once");

        // A missed event is delivered first.
        let handler = Handler::<Number>::new("test");
        handler.call(target, 1);
        handler.retire();
        let (seen, record) = recorder();
        let mut record = Some((record, captured.clone()));
        assert!(handler.set(Some(Box::new(move |event| {
            if let Some((record, _captured)) = &mut record {
                record(event);
            }
        }))));
        assert_eq!(Arc::strong_count(&captured), 2);
        handler.deliver_missed(target);
        assert_eq!(*seen.lock().unwrap(), [1]);
        assert_eq!(Arc::strong_count(&captured), 1);

        // After `end` nothing delivers a missed event.
        let handler = Handler::<Number>::new("test");
        handler.call(target, 1);
        handler.end();
        assert!(!handler.set(Some(capturing())));
        assert_eq!(Arc::strong_count(&captured), 1);
    }

    #[test]
    fn a_handler_may_replace_itself_while_it_runs() {
        let handler = Arc::new(Handler::<Number>::new("test"));
        let calls = Arc::new(AtomicU32::new(0));
        let (inner, count) = (handler.clone(), calls.clone());
        let missed = handler.set(Some(Box::new(move |_| {
            let count = count.clone();
            let missed = inner.set(Some(Box::new(move |_| {
                count.fetch_add(10, Ordering::Relaxed);
            })));
            assert!(!missed);
        })));
        assert!(!missed);
        handler.call(target, 1);
        handler.call(target, 2);
        handler.call(target, 3);
        assert_eq!(calls.load(Ordering::Relaxed), 20);
    }

    #[test]
    fn a_panic_in_a_handler_goes_no_further_and_the_handler_stays() {
        let handler = Handler::<Number>::new("test");
        let calls = Arc::new(AtomicU32::new(0));
        let count = calls.clone();
        let missed = handler.set(Some(Box::new(move |Number(number)| {
            count.fetch_add(1, Ordering::Relaxed);
            assert_ne!(number, 1, "the panic that this test is about");
        })));
        assert!(!missed);
        handler.call(target, 1);
        handler.call(target, 2);
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn the_first_handler_gets_the_latest_of_what_it_has_missed_in_order() {
        let handler = Handler::<Number>::new("test");
        for number in 1..=5 {
            handler.call(target, number);
        }
        let (seen, function) = recorder();
        assert!(handler.set(Some(function)));
        assert!(seen.lock().unwrap().is_empty(), "it is a task");
        // This event is fired before the task has run.
        handler.call(target, 6);
        handler.deliver_missed(target);
        handler.call(target, 7);
        assert_eq!(*seen.lock().unwrap(), [4, 5, 6, 7]);
    }

    #[test]
    fn a_handler_that_was_cleared_misses_what_is_fired() {
        let handler = Handler::<Number>::new("test");
        let (seen, function) = recorder();
        assert!(!handler.set(Some(function)));
        handler.clear();
        handler.call(target, 1);
        let (later, function) = recorder();
        assert!(!handler.set(Some(function)), "the event is gone, as in a browser");
        handler.call(target, 2);
        assert_eq!((seen.lock().unwrap().len(), later.lock().unwrap().len()), (0, 1));
    }

    #[test]
    fn a_retired_handler_is_dropped_once_it_has_got_what_it_has_missed() {
        let handler = Handler::<Number>::new("test");
        handler.call(target, 1);
        handler.retire();
        let (seen, function) = recorder();
        assert!(handler.set(Some(function)));
        handler.retire();
        handler.deliver_missed(target);
        assert_eq!(*seen.lock().unwrap(), [1]);
        handler.retire();
        assert_eq!(Arc::strong_count(&seen), 1);
    }

    /// Uses its handler when it is dropped, as the last handle of a connection does.
    struct Holds(Arc<Handler<Self>>);

    impl Drop for Holds {
        fn drop(&mut self) {
            self.0.clear();
        }
    }

    impl Fired for Holds {
        type Target = ();
        type Payload = Self;
        const REMEMBERED: usize = 3;

        fn create((): (), payload: Self) -> Self {
            payload
        }
    }

    #[test]
    fn what_is_not_worth_waiting_for_is_dropped_with_nothing_locked() {
        let (sender, done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let handler = Arc::new(Handler::<Holds>::new("test"));
            handler.call(target, Holds(handler.clone()));
            handler.retain_missed(|_| false);
            sender.send(handler.forget()).unwrap();
        });
        let waits = done.recv_timeout(time::Duration::from_secs(20));
        assert_eq!(waits, Ok(false), "no deadlock");
    }

    #[test]
    fn clearing_forgets_what_was_missed() {
        let handler = Handler::<Number>::new("test");
        handler.call(target, 1);
        let (seen, function) = recorder();
        assert!(handler.set(Some(function)));
        handler.clear();
        handler.deliver_missed(target);
        assert!(seen.lock().unwrap().is_empty());
        let (_, function) = recorder();
        assert!(!handler.set(Some(function)));
    }
}
