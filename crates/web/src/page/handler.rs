//! `on…` attributes and the listeners beside them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use send_wrapper::SendWrapper;

/// An event as its handler gets it: a target and a payload. The two are apart because an event that
/// waits for its first handler must not keep its target alive.
pub(crate) trait Fired: Clone + 'static {
    type Target;
    type Payload: Clone;
    /// How many events wait for the first handler; the oldest make room. Events without a payload
    /// say "look at the target", so one says as much as several.
    const REMEMBERED: usize;

    fn create(target: Self::Target, payload: Self::Payload) -> Self;
}

/// [`Fired::REMEMBERED`] of events with a payload.
pub(crate) const REMEMBERED: usize = 256;

type Function<E> = Rc<RefCell<dyn FnMut(E)>>;

/// One event handler IDL attribute, and its event's listeners.
///
/// JavaScript sets a handler in the same task in which it got the object. In Rust, code behind an
/// `.await` often gets the object, and events may have been fired by then. So an event that is fired
/// before anybody ever listened is remembered, and a task delivers it to the first listener.
pub(crate) struct Handler<E: Fired> {
    list: RefCell<List<E>>,
}

struct List<E: Fired> {
    next: u64,
    /// The listener that the attribute holds.
    attribute: Option<u64>,
    listeners: Vec<(u64, Function<E>)>,
    /// Nobody has listened yet.
    is_fresh: bool,
    missed: VecDeque<E::Payload>,
    /// Nothing will be fired any more.
    is_over: bool,
}

impl<E: Fired> Default for Handler<E> {
    fn default() -> Self {
        Self {
            list: RefCell::new(List {
                next: 0,
                attribute: None,
                listeners: Vec::new(),
                is_fresh: true,
                missed: VecDeque::new(),
                is_over: false,
            }),
        }
    }
}

impl<E: Fired> Handler<E> {
    /// Sets or replaces the attribute. Returns whether there are events that it has missed.
    pub(crate) fn set(&self, function: impl FnMut(E) + 'static) -> bool {
        let function: Function<E> = Rc::new(RefCell::new(function));
        let (replaced, missed) = {
            let mut list = self.list.borrow_mut();
            let at = list.attribute.and_then(|id| list.position(id));
            // HTML §8.1.8.1: the attribute keeps its place among the listeners.
            let replaced = match at.and_then(|at| list.listeners.get_mut(at)) {
                Some((_, place)) => Some(std::mem::replace(place, function)),
                None => {
                    list.attribute = list.add(function);
                    None
                }
            };
            (replaced, list.begin())
        };
        // Dropped while nothing is borrowed: what a handler captured may call back.
        drop(replaced);
        missed
    }

    /// Adds a listener: its number, and whether there are events that it has missed.
    pub(crate) fn add(&self, function: impl FnMut(E) + 'static) -> (Option<u64>, bool) {
        let function: Function<E> = Rc::new(RefCell::new(function));
        let mut list = self.list.borrow_mut();
        (list.add(function), list.begin())
    }

    /// Clears the attribute.
    pub(crate) fn clear(&self) {
        let id = self.list.borrow_mut().attribute.take();
        if let Some(id) = id {
            self.remove(id);
        }
    }

    /// Removes a listener.
    pub(crate) fn remove(&self, id: u64) {
        let removed = {
            let mut list = self.list.borrow_mut();
            list.position(id).map(|at| list.listeners.remove(at))
        };
        drop(removed);
    }

    /// Calls the listeners; remembers the event if nobody has ever listened.
    pub(crate) fn fire(&self, target: impl FnOnce() -> Option<E::Target>, payload: E::Payload) {
        {
            let mut list = self.list.borrow_mut();
            // As long as missed events wait, this one waits behind them.
            if list.is_fresh || !list.missed.is_empty() {
                list.missed.push_back(payload);
                let forgotten =
                    (list.missed.len() > E::REMEMBERED).then(|| list.missed.pop_front());
                drop(list);
                drop(forgotten);
                return;
            }
        }
        self.dispatch(target, payload);
    }

    /// DOM §2.9 "inner invoke": calls the listeners in order, except those added or removed
    /// meanwhile.
    pub(crate) fn dispatch(&self, target: impl FnOnce() -> Option<E::Target>, payload: E::Payload) {
        let ids: Vec<u64> = self.list.borrow().listeners.iter().map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return;
        }
        let Some(target) = target() else { return };
        let event = E::create(target, payload);
        for id in ids {
            let function = {
                let list = self.list.borrow();
                let at = list.position(id);
                at.and_then(|at| list.listeners.get(at)).map(|(_, function)| function.clone())
            };
            // A handler is busy only if it has the page fire the same event within itself.
            if let Some(function) = function
                && let Ok(mut function) = function.try_borrow_mut()
            {
                function(event.clone());
            }
        }
    }

    /// Delivers the events that were missed, in order.
    pub(crate) fn deliver_missed(&self, target: impl Fn() -> Option<E::Target>) {
        loop {
            let missed = self.list.borrow_mut().missed.pop_front();
            let Some(payload) = missed else { break };
            self.dispatch(&target, payload);
        }
    }

    /// Forgets the events that were missed.
    pub(crate) fn forget(&self) {
        let missed = std::mem::take(&mut self.list.borrow_mut().missed);
        drop(missed);
    }

    /// Whether somebody listens.
    pub(crate) fn is_set(&self) -> bool {
        !self.list.borrow().listeners.is_empty()
    }

    /// Nothing will be fired any more. Drops the listeners, unless there are missed events for those
    /// that come.
    pub(crate) fn retire(&self) {
        if self.list.borrow().missed.is_empty() {
            self.end();
        }
    }

    /// Nothing will be fired any more: drops the listeners, and those that come later at once.
    pub(crate) fn end(&self) {
        let ended = {
            let mut list = self.list.borrow_mut();
            list.is_over = true;
            list.attribute = None;
            (std::mem::take(&mut list.listeners), std::mem::take(&mut list.missed))
        };
        drop(ended);
    }
}

impl<E: Fired> List<E> {
    fn position(&self, id: u64) -> Option<usize> {
        self.listeners.iter().position(|(other, _)| *other == id)
    }

    fn add(&mut self, function: Function<E>) -> Option<u64> {
        if self.is_over {
            return None;
        }
        let id = self.next;
        self.next += 1;
        self.listeners.push((id, function));
        Some(id)
    }

    /// Somebody listens from now on. Returns whether this is the first one, and has missed events.
    fn begin(&mut self) -> bool {
        std::mem::take(&mut self.is_fresh) && !self.missed.is_empty()
    }
}

/// A listener that was added beside the `on…` attribute. It stays until it is
/// [removed](Self::remove): dropping this handle changes nothing. The handle keeps no object alive.
#[must_use = "dropping the handle leaves the listener where it is; say so with `let _ =`"]
pub struct EventListener {
    remove: SendWrapper<Box<dyn Fn()>>,
}

impl EventListener {
    pub(crate) fn new(remove: impl Fn() + 'static) -> Self {
        Self { remove: SendWrapper::new(Box::new(remove)) }
    }

    /// Removes the listener, and drops what it captured, unless it runs just now: then it is dropped
    /// when it returns.
    #[doc(alias = "removeEventListener")]
    pub fn remove(self) {
        (self.remove)();
    }

    /// Removes the listener when the guard is dropped.
    pub fn guard(self) -> EventListenerGuard {
        EventListenerGuard { listener: self }
    }
}

/// Removes a listener when it is dropped; see [`EventListener::guard`].
#[must_use = "the listener is removed when the guard is dropped"]
#[derive(Debug)]
pub struct EventListenerGuard {
    listener: EventListener,
}

impl Drop for EventListenerGuard {
    fn drop(&mut self) {
        (self.listener.remove)();
    }
}

impl std::fmt::Debug for EventListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventListener")
    }
}

/// Declares the setter and the clearer of event handler attributes, and what adds a listener. The
/// type must have a method `weak_object()` for [`EventListener`], and `queue_delivery()`, which
/// queues a task for missed events.
macro_rules! handlers {
    ($($(#[$meta:meta])* $set:ident / $clear:ident / $add:ident: $event:ty => $($path:ident).+;)*) => {
        $(
            $(#[$meta])*
            ///
            /// Replaces the handler set before. `handler` may call every method of every object.
            /// Events fired before anybody listened are not lost: the first handler soon gets them,
            /// in one call if they have no content.
            pub fn $set(&self, handler: impl FnMut($event) + 'static) {
                if self.object.$($path).+.set(handler) {
                    self.queue_delivery(|target| {
                        target.object.$($path).+.deliver_missed(|| Some(target.clone()));
                    });
                }
            }

            #[doc = concat!("Clears the handler set by [`", stringify!($set), "`](Self::",
                stringify!($set), "); later events are lost to it until one is set again.")]
            pub fn $clear(&self) {
                self.object.$($path).+.clear();
            }

            #[doc = concat!("Adds a listener beside the handler of [`", stringify!($set),
                "`](Self::", stringify!($set), "), as `addEventListener()` does.")]
            #[doc(alias = "addEventListener")]
            pub fn $add(
                &self,
                listener: impl FnMut($event) + 'static,
            ) -> $crate::page::EventListener {
                let (id, misses) = self.object.$($path).+.add(listener);
                if misses {
                    self.queue_delivery(|target| {
                        target.object.$($path).+.deliver_missed(|| Some(target.clone()));
                    });
                }
                let weak = self.weak_object();
                $crate::page::EventListener::new(move || {
                    if let Some((object, id)) = weak.upgrade().zip(id) {
                        object.$($path).+.remove(id);
                    }
                })
            }
        )*
    };
}
pub(crate) use handlers;
