//! `on…` attributes and listeners of events, called without any lock held.

mod listener;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::WeakConnection;

pub use listener::{EventListener, EventListenerGuard};

type Function<E> = Box<dyn FnMut(E) + Send>;

/// A call that is made later, as a task. One delivers the events that a handler has missed.
pub(crate) type Call = Box<dyn FnOnce() + Send>;

/// An event as its listeners get it: a target and a payload. The two are apart because an event that
/// waits for its first listener must not keep its target alive.
pub(crate) trait Fired: Clone {
    type Target;
    type Payload: Clone;
    /// How many events wait for the first listener; the oldest make room. Events without a payload
    /// say "look at the target", so one says as much as several.
    const REMEMBERED: usize;

    fn create(target: Self::Target, payload: Self::Payload) -> Self;
}

/// [`Fired::REMEMBERED`] of events with a payload.
pub(crate) const REMEMBERED: usize = 256;

/// A listener in the sense of DOM §2.7: the attribute's handler, once it is set, or one that was
/// added.
struct Listener<E: Fired> {
    /// Grows from one listener of the list to the next.
    id: u64,
    /// Counts how often the attribute was set, so that a handler that replaces itself while it runs
    /// is not put back over its successor.
    setting: u64,
    /// `None` while it runs.
    function: Option<Function<E>>,
    /// Events that were fired before this listener was there, and are not delivered yet.
    behind: VecDeque<E::Payload>,
    /// The last call of [`Handler::call`] whose event went behind.
    put_behind: u64,
}

/// The event listener list of one type of event.
struct List<E: Fired> {
    listeners: Vec<Listener<E>>,
    next_id: u64,
    /// The attribute's listener. HTML §8.1.8.1 activates it, at the end of the list, when the
    /// attribute gets a value, and deactivates it when the attribute becomes null.
    attribute: Option<u64>,
    /// The attribute has never been set.
    is_fresh: bool,
    /// No listener was ever added.
    has_no_history: bool,
    /// Events that were fired before the attribute was set for the first time.
    missed: VecDeque<E::Payload>,
    /// Counts the calls of [`Handler::call`].
    calls: u64,
    /// Nothing will be fired any more. A listener that comes from then on is kept only until it has
    /// got the missed events.
    over: bool,
}

/// One event handler IDL attribute, and the listeners beside it.
///
/// JavaScript sets a handler in the same task in which it got the object, and no event can be
/// fired in between. Here the event loop may run on another thread. So an event that is fired
/// before the attribute was ever set is remembered, and a task delivers it when a handler is set.
/// The first listener that is added gets what is remembered too, and takes nothing from the
/// attribute: whether somebody else listens makes no difference to a program.
pub(crate) struct Handler<E: Fired> {
    name: &'static str,
    /// Made when it is first needed: nobody ever uses most attributes of most objects.
    list: OnceLock<Box<Mutex<List<E>>>>,
}

/// Remembers an event. Returns what makes room for it, to be dropped with nothing locked.
fn remember<E: Fired>(queue: &mut VecDeque<E::Payload>, payload: E::Payload) -> Option<E::Payload> {
    queue.push_back(payload);
    if queue.len() > E::REMEMBERED { queue.pop_front() } else { None }
}

impl<E: Fired> List<E> {
    fn new() -> Self {
        Self {
            listeners: Vec::new(),
            next_id: 0,
            attribute: None,
            is_fresh: true,
            has_no_history: true,
            missed: VecDeque::new(),
            calls: 0,
            over: false,
        }
    }

    fn find(&mut self, id: u64) -> Option<&mut Listener<E>> {
        let at = self.listeners.binary_search_by_key(&id, |listener| listener.id).ok()?;
        self.listeners.get_mut(at)
    }

    fn append(&mut self, function: Function<E>, behind: VecDeque<E::Payload>) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let function = Some(function);
        if self.listeners.is_empty() {
            // Most lists never have another one.
            self.listeners.reserve_exact(1);
        }
        self.listeners.push(Listener { id, setting: 0, function, behind, put_behind: 0 });
        id
    }

    #[must_use = "drop it with nothing locked"]
    fn take(&mut self, id: u64) -> Option<Listener<E>> {
        let at = self.listeners.binary_search_by_key(&id, |listener| listener.id).ok()?;
        Some(self.listeners.remove(at))
    }
}

impl<E: Fired> Handler<E> {
    /// The attribute for events of this name, not set.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, list: OnceLock::new() }
    }

    /// Sets or replaces the attribute. Returns whether there are events that it has missed.
    #[must_use = "missed events wait for `deliver_missed` or `forget`"]
    pub(crate) fn set(&self, function: Function<E>) -> bool {
        let mut function = Some(function);
        // Dropped without the lock: what a handler captured may call back.
        let (_old, misses) = {
            let mut list = self.list();
            let misses = match list.attribute.and_then(|id| list.find(id)) {
                Some(listener) => {
                    listener.setting += 1;
                    std::mem::swap(&mut listener.function, &mut function);
                    !listener.behind.is_empty()
                }
                None => {
                    let behind = std::mem::take(&mut list.missed);
                    let misses = !behind.is_empty();
                    if let Some(function) = function.take_if(|_| misses || !list.over) {
                        list.attribute = Some(list.append(function, behind));
                    }
                    misses
                }
            };
            list.is_fresh = false;
            (function, misses)
        };
        misses
    }

    /// Clears the attribute, and forgets the events that it has missed.
    pub(crate) fn clear(&self) {
        let _dropped_without_the_lock = {
            let mut list = self.list();
            list.is_fresh = false;
            let missed = std::mem::take(&mut list.missed);
            (list.attribute.take().and_then(|id| list.take(id)), missed)
        };
    }

    /// Adds a listener behind those that there are. Returns the number to remove it by, and whether
    /// there are events that it has missed.
    #[must_use = "missed events wait for `deliver_missed` or `forget`"]
    pub(crate) fn add(&self, function: Function<E>) -> (u64, bool) {
        let mut list = self.list();
        let behind = if list.has_no_history { list.missed.clone() } else { VecDeque::new() };
        list.has_no_history = false;
        let misses = !behind.is_empty();
        if list.over && !misses {
            let id = list.next_id;
            drop(list);
            drop(function);
            return (id, false);
        }
        (list.append(function, behind), misses)
    }

    /// Removes a listener that was added. One that runs just now is not called again.
    pub(crate) fn remove(&self, id: u64) {
        let removed = self.made().and_then(|mut list| list.take(id));
        // Dropped without the lock.
        drop(removed);
    }

    /// Calls the listeners; remembers the event for an attribute that was never set.
    pub(crate) fn call(&self, target: impl FnOnce() -> Option<E::Target>, payload: E::Payload) {
        let mut forgotten = Vec::new();
        let call = {
            let mut list = self.list();
            if list.listeners.is_empty() {
                if list.is_fresh {
                    forgotten.extend(remember::<E>(&mut list.missed, payload));
                }
                return;
            }
            list.calls += 1;
            let call = list.calls;
            // As long as missed events wait for a listener, this one waits behind them.
            for listener in list.listeners.iter_mut().filter(|one| !one.behind.is_empty()) {
                listener.put_behind = call;
                forgotten.extend(remember::<E>(&mut listener.behind, payload.clone()));
            }
            if list.is_fresh {
                forgotten.extend(remember::<E>(&mut list.missed, payload.clone()));
            }
            call
        };
        drop(forgotten);
        self.dispatch(call, target, payload);
    }

    /// Does what [`call`](Self::call) does, if nobody listens. Returns whether that was so. Then no
    /// code of the application has run.
    pub(crate) fn miss(&self, payload: E::Payload) -> bool
    where
        E::Payload: Copy,
    {
        let mut list = self.list();
        if !list.listeners.is_empty() {
            return false;
        }
        if list.is_fresh {
            remember::<E>(&mut list.missed, payload);
        }
        true
    }

    /// Calls the listeners; gives the payload back if there is none.
    pub(crate) fn offer(
        &self,
        target: impl FnOnce() -> Option<E::Target>,
        payload: E::Payload,
    ) -> Option<E::Payload> {
        // No listener has put an event of this number behind.
        self.dispatch(u64::MAX, target, payload)
    }

    /// DOM §2.9 "inner invoke": calls the listeners in order, except those added or removed
    /// meanwhile. A panic in one is reported and goes no further.
    fn dispatch(
        &self,
        call: u64,
        target: impl FnOnce() -> Option<E::Target>,
        payload: E::Payload,
    ) -> Option<E::Payload> {
        let mut at_first = Some((target, payload));
        let mut event = None;
        let (mut from, mut until) = (0, u64::MAX);
        loop {
            let (id, setting, mut function, is_last) = {
                let Some(mut list) = self.made() else { break };
                until = until.min(list.next_id);
                let mut ready = list.listeners.iter_mut().filter(|listener| {
                    (from..until).contains(&listener.id)
                        && listener.put_behind != call
                        && listener.function.is_some()
                });
                let Some(listener) = ready.next() else { break };
                let Some(function) = listener.function.take() else { break };
                (listener.id, listener.setting, function, ready.next().is_none())
            };
            from = id + 1;
            if let Some((target, payload)) = at_first.take() {
                event = target().map(|target| E::create(target, payload));
            }
            let given = if is_last { event.take() } else { event.clone() };
            let goes_on = given.is_some() && !is_last;
            if let Some(event) = given {
                self.run(&mut function, event);
            }
            self.put_back(id, setting, function);
            if !goes_on {
                break;
            }
        }
        at_first.map(|(_, payload)| payload)
    }

    fn run(&self, function: &mut Function<E>, event: E) {
        if catch_unwind(AssertUnwindSafe(|| function(event))).is_err() {
            tracing::error!(handler = self.name, "an event handler panicked");
        }
    }

    /// Puts back a function that has run, unless it was replaced or removed meanwhile.
    fn put_back(&self, id: u64, setting: u64, function: Function<E>) {
        let mut function = Some(function);
        {
            let mut list = self.list();
            if let Some(listener) = list.find(id).filter(|one| one.setting == setting) {
                std::mem::swap(&mut listener.function, &mut function);
            }
        }
        // Dropped without the lock.
        drop(function);
    }

    /// Delivers the events that were missed, to each listener in order.
    pub(crate) fn deliver_missed(&self, target: impl Fn() -> Option<E::Target>) {
        loop {
            let (id, setting, mut function, payload) = {
                let Some(mut list) = self.made() else { break };
                let mut late = list.listeners.iter_mut().filter(|one| one.function.is_some());
                let Some(listener) = late.find(|one| !one.behind.is_empty()) else { break };
                let Some(payload) = listener.behind.pop_front() else { break };
                let Some(function) = listener.function.take() else { break };
                (listener.id, listener.setting, function, payload)
            };
            if let Some(target) = target() {
                self.run(&mut function, E::create(target, payload));
            }
            self.put_back(id, setting, function);
        }
        if self.made().is_some_and(|list| list.over) {
            self.retire();
        }
    }

    /// Forgets the events that were missed. Returns whether there were any.
    pub(crate) fn forget(&self) -> bool {
        self.drop_missed(|_| false)
    }

    /// Keeps the missed events for which `worth` is true, and forgets the others.
    pub(crate) fn retain_missed(&self, worth: impl Fn(&E::Payload) -> bool) {
        self.drop_missed(worth);
    }

    fn drop_missed(&self, worth: impl Fn(&E::Payload) -> bool) -> bool {
        let mut spent = Vec::new();
        if let Some(mut list) = self.made() {
            let List { missed, listeners, .. } = &mut *list;
            let behind = listeners.iter_mut().map(|listener| &mut listener.behind);
            for queue in [missed].into_iter().chain(behind).filter(|queue| !queue.is_empty()) {
                let (kept, gone): (VecDeque<_>, VecDeque<_>) =
                    std::mem::take(queue).into_iter().partition(&worth);
                *queue = kept;
                spent.extend(gone);
            }
        }
        // Dropped without the lock, as in `set`.
        !spent.is_empty()
    }

    /// Nothing will be fired any more. Drops the listeners, except those that have missed events
    /// still to get. One that comes later is not kept either.
    pub(crate) fn retire(&self) {
        let _dropped_without_the_lock: Vec<_> = {
            let mut list = self.list();
            list.over = true;
            // A function that runs just now is not put back.
            list.listeners.extract_if(.., |listener| listener.behind.is_empty()).collect()
        };
    }

    /// Retires the attribute, and forgets the missed events: nothing will deliver them.
    pub(crate) fn end(&self) {
        self.forget();
        self.clear();
        self.retire();
    }

    /// Whether somebody listens.
    pub(crate) fn is_set(&self) -> bool {
        self.made().is_some_and(|list| !list.listeners.is_empty())
    }

    fn list(&self) -> MutexGuard<'_, List<E>> {
        let list = self.list.get_or_init(|| Box::new(Mutex::new(List::new())));
        list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The list, if anything has ever needed it.
    fn made(&self) -> Option<MutexGuard<'_, List<E>>> {
        self.list.get().map(|list| list.lock().unwrap_or_else(PoisonError::into_inner))
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
        connection.api(|engine, now| engine.queue_call(now, late));
    }
}

/// Declares the setter and the clearer of event handler attributes, and what adds a listener. The
/// type must have a method `queue_delivery` that queues a task for the missed events. Attributes
/// whose events are not [remembered](Fired::REMEMBERED) come behind `in time:`.
macro_rules! handlers {
    (in time: $($(#[$meta:meta])* $set:ident / $clear:ident / $add:ident:
        $event:ty => object.$($path:ident).+;)*) => {
        $(
            $(#[$meta])*
            ///
            /// Replaces the handler set before. `handler` is called on the connection's event
            /// loop, without any lock held. It may call every method of every object, and should
            /// not block: [asynchronous work](crate#events) goes into a task of its own. A panic in
            /// it is caught and reported with `tracing`. If it captures a handle of a connection,
            /// that connection stays open: see [`weakly`](crate::RTCPeerConnection::weakly).
            ///
            /// Events fired before a handler was set are lost.
            pub fn $set(&self, handler: impl FnMut($event) + Send + 'static) {
                // `false`: these events are never remembered.
                let _ = self.object.$($path).+.set(Box::new(handler));
            }

            $crate::api::handler::clearer! {
                $set / $clear: object.$($path).+, "."
            }

            $crate::api::handler::adder! {
                $set / $add: $event => object.$($path).+,
                "Events fired before are not for it.",
                |_: &Self, _| {}
            }
        )*
    };
    ($($(#[$meta:meta])* $set:ident / $clear:ident / $add:ident:
        $event:ty => object.$($path:ident).+;)*) => {
        $(
            $(#[$meta])*
            ///
            /// Replaces the handler set before. `handler` is called on the connection's event
            /// loop, without any lock held. It may call every method of every object, and should
            /// not block: [asynchronous work](crate#events) goes into a task of its own. A panic in
            /// it is caught and reported with `tracing`. If it captures a handle of a connection,
            /// that connection stays open: see [`weakly`](crate::RTCPeerConnection::weakly).
            ///
            /// Events fired before a handler was set for the first time are not lost: the event
            /// loop soon calls the first handler for them. It calls once for several events
            /// without content.
            pub fn $set(&self, handler: impl FnMut($event) + Send + 'static) {
                if self.object.$($path).+.set(Box::new(handler)) {
                    self.queue_delivery(|target| {
                        target.object.$($path).+.deliver_missed(|| Some(target.clone()));
                    });
                }
            }

            $crate::api::handler::clearer! {
                $set / $clear: object.$($path).+,
                "; later events are lost to it until one is set again."
            }

            $crate::api::handler::adder! {
                $set / $add: $event => object.$($path).+,
                "The first listener gets the events, too, that were fired before, unless a handler \
                 has got them.",
                |target: &Self, misses| if misses {
                    target.queue_delivery(|target| {
                        target.object.$($path).+.deliver_missed(|| Some(target.clone()));
                    });
                }
            }
        )*
    };
}

/// Declares what clears an attribute.
macro_rules! clearer {
    ($set:ident / $clear:ident: object.$($path:ident).+, $end:literal) => {
        #[doc = concat!(
            "Clears the handler set by [`", stringify!($set), "`](Self::", stringify!($set), ")",
            $end,
        )]
        pub fn $clear(&self) {
            self.object.$($path).+.clear();
        }
    };
}

/// Declares what adds a listener; `then` gets the object, and whether the listener has missed events.
macro_rules! adder {
    ($set:ident / $add:ident: $event:ty => object.$($path:ident).+, $early:literal, $then:expr) => {
        #[doc = concat!(
            "Adds a listener beside [`", stringify!($set), "`](Self::", stringify!($set), "), ",
            "which is called as that is.",
        )]
        ///
        /// Listeners are called in the order in which they were added; the handler counts from when
        /// it was set first or, if it was cleared, set again. Each call adds another listener.
        #[doc = $early]
        /// [`EventListener`](crate::EventListener) removes it.
        #[doc(alias = "addEventListener")]
        pub fn $add(&self, listener: impl FnMut($event) + Send + 'static) -> $crate::EventListener {
            let (id, misses) = self.object.$($path).+.add(Box::new(listener));
            ($then)(self, misses);
            let weak = std::sync::Arc::downgrade(&self.object);
            $crate::EventListener::new(move || {
                if let Some(object) = weak.upgrade() {
                    object.$($path).+.remove(id);
                }
            })
        }
    };
}
pub(crate) use {adder, clearer, handlers};
