//! The events of a connection as a stream.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use futures::stream::Next;
use futures::{Stream, StreamExt};
use send_wrapper::SendWrapper;

use super::AnyEvent;

/// How many events a subscriber may leave unread before it loses the oldest.
const CAPACITY: usize = 1024;

/// A [`Stream`] of the events of a connection and its children; see
/// [`RTCPeerConnection::events`](super::RTCPeerConnection::events).
///
/// The stream ends when the connection is closed and every event before that has been read.
/// Dropping the stream ends the subscription.
pub struct Events {
    queue: SendWrapper<Rc<Queue>>,
}

/// A subscriber did not read fast enough, and the connection dropped this many of the oldest
/// events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} events were not read in time and are lost")]
pub struct Lagged(pub u64);

#[derive(Default)]
struct Queue(RefCell<State>);

#[derive(Default)]
struct State {
    events: VecDeque<AnyEvent>,
    lost: u64,
    waker: Option<Waker>,
    ended: bool,
}

impl Queue {
    fn wake(&self) {
        let waker = self.0.borrow_mut().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Events {
    /// The next event, or how many were lost before it; `None` after the end. Dropping the future
    /// loses nothing.
    #[expect(clippy::should_implement_trait, reason = "the `next` of a stream, not of an iterator")]
    pub fn next(&mut self) -> Next<'_, Self> {
        StreamExt::next(self)
    }
}

impl Stream for Events {
    type Item = Result<AnyEvent, Lagged>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.queue.0.borrow_mut();
        if state.lost > 0 {
            return Poll::Ready(Some(Err(Lagged(std::mem::take(&mut state.lost)))));
        }
        if let Some(event) = state.events.pop_front() {
            return Poll::Ready(Some(Ok(event)));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

/// The subscribers of one connection.
#[derive(Default)]
pub(crate) struct Subscribers(RefCell<Subscriptions>);

#[derive(Default)]
struct Subscriptions {
    queues: Vec<Weak<Queue>>,
    ended: bool,
}

impl Subscribers {
    pub(crate) fn subscribe(&self) -> Events {
        let queue = Rc::new(Queue::default());
        let mut subscriptions = self.0.borrow_mut();
        queue.0.borrow_mut().ended = subscriptions.ended;
        subscriptions.queues.push(Rc::downgrade(&queue));
        Events { queue: SendWrapper::new(queue) }
    }

    /// Gives an event to every subscriber. Without a subscriber no event is made.
    pub(crate) fn publish(&self, event: impl FnOnce() -> AnyEvent) {
        let queues: Vec<_> = {
            let mut subscriptions = self.0.borrow_mut();
            subscriptions.queues.retain(|queue| queue.strong_count() > 0);
            subscriptions.queues.iter().filter_map(Weak::upgrade).collect()
        };
        if queues.is_empty() {
            return;
        }
        let event = event();
        for queue in queues {
            let lost = {
                let mut state = queue.0.borrow_mut();
                let lost =
                    if state.events.len() == CAPACITY { state.events.pop_front() } else { None };
                state.lost += u64::from(lost.is_some());
                state.events.push_back(event.clone());
                lost
            };
            // Dropped while nothing is borrowed: a handle in an event may be the last one.
            drop(lost);
            queue.wake();
        }
    }

    /// The connection is closed: the streams end after what they hold.
    pub(crate) fn end(&self) {
        let queues = {
            let mut subscriptions = self.0.borrow_mut();
            subscriptions.ended = true;
            std::mem::take(&mut subscriptions.queues)
        };
        for queue in queues.iter().filter_map(Weak::upgrade) {
            queue.0.borrow_mut().ended = true;
            queue.wake();
        }
    }
}
