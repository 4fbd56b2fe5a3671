//! The events of a connection as a stream.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures::stream::Next;
use futures::{Stream, StreamExt};

use super::AnyEvent;

/// How many events a subscriber may leave unread before it loses the oldest.
const CAPACITY: usize = 1024;

/// A [`Stream`] of every event of a connection and its children, in the order of the
/// specification; see [`RTCPeerConnection::events`](super::RTCPeerConnection::events).
///
/// The stream ends when the connection is closed and every event before that has been read.
/// Dropping the stream ends the subscription.
#[derive(Debug)]
pub struct Events {
    queue: Arc<Queue>,
}

/// A subscriber did not read fast enough, and the connection dropped this many of the oldest
/// events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} events were not read in time and are lost")]
pub struct Lagged(pub u64);

#[derive(Debug, Default)]
struct Queue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    events: VecDeque<AnyEvent>,
    lost: u64,
    waker: Option<Waker>,
    ended: bool,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut state = self.queue.state();
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

/// The subscribers of one connection.
#[derive(Debug, Default)]
pub(crate) struct Subscribers(Mutex<Subscriptions>);

#[derive(Debug, Default)]
struct Subscriptions {
    queues: Vec<Weak<Queue>>,
    ended: bool,
}

impl Subscribers {
    fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self) -> Events {
        let queue = Arc::new(Queue::default());
        let mut subscriptions = self.subscriptions();
        queue.state().ended = subscriptions.ended;
        subscriptions.queues.push(Arc::downgrade(&queue));
        Events { queue }
    }

    /// Whether nobody has subscribed, or all have left without any event since.
    pub(crate) fn are_none(&self) -> bool {
        self.subscriptions().queues.is_empty()
    }

    /// Gives an event to every subscriber. Without a subscriber no event is made.
    pub(crate) fn publish(&self, event: impl FnOnce() -> Option<AnyEvent>) {
        // Dropped with nothing locked: a handle in an event may be the last one.
        let mut lost = Vec::new();
        let mut subscriptions = self.subscriptions();
        if subscriptions.queues.is_empty() {
            return;
        }
        let Some(event) = event() else { return };
        subscriptions.queues.retain(|queue| {
            let Some(queue) = queue.upgrade() else { return false };
            let mut state = queue.state();
            if state.events.len() == CAPACITY {
                lost.extend(state.events.pop_front());
                state.lost += 1;
            }
            state.events.push_back(event.clone());
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
            true
        });
    }

    /// The connection is closed: the streams end after what they hold.
    pub(crate) fn end(&self) {
        let queues = {
            let mut subscriptions = self.subscriptions();
            subscriptions.ended = true;
            std::mem::take(&mut subscriptions.queues)
        };
        for queue in queues.iter().filter_map(Weak::upgrade) {
            let mut state = queue.state();
            state.ended = true;
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    #[test]
    fn a_slow_reader_loses_the_oldest_events_and_is_told_how_many() {
        let subscribers = Subscribers::default();
        let mut events = subscribers.subscribe();
        for _ in 0..CAPACITY + 3 {
            subscribers.publish(|| Some(AnyEvent::NegotiationNeeded));
        }
        subscribers.end();
        assert_eq!(block_on(events.next()).and_then(Result::err), Some(Lagged(3)));
        assert_eq!(block_on(events.count()), CAPACITY);
    }

    #[test]
    fn a_stream_made_after_the_end_is_empty() {
        let subscribers = Subscribers::default();
        subscribers.end();
        assert_eq!(block_on(subscribers.subscribe().count()), 0);
    }
}
