//! The queue of a connection's tasks. It has its own lock, so that an event loop beside the network
//! does not wait, at each message, until the engine has decrypted what it is receiving.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Task, Waiting};
use crate::api::{ChannelObject, MessageData};

/// A message, and the channel to which it has come.
pub(crate) type ReceivedMessage = (Arc<ChannelObject>, MessageData);

/// The tasks that wait, in the order in which they were queued.
#[derive(Default)]
pub(crate) struct TaskQueue(Mutex<State>);

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    /// The bytes of the messages in the tasks.
    bytes: usize,
    /// How many of the tasks an event loop knows of and has not run.
    announced: usize,
    /// Whether one of the tasks that came since it was last asked closes a channel.
    #[cfg(feature = "tokio")]
    closes_channel: bool,
}

impl TaskQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, task: Task) {
        let mut state = self.state();
        state.bytes += task.message_size();
        #[cfg(feature = "tokio")]
        {
            state.closes_channel |= matches!(task, Task::StreamClosed(_));
        }
        state.tasks.push_back(task);
    }

    /// Takes the next task that the host knows of; `None` if closing the connection has removed it.
    pub(super) fn pop(&self) -> Option<Task> {
        let mut state = self.state();
        // Both under one lock: in between the task would be announced again.
        state.announced = state.announced.saturating_sub(1);
        let task = state.tasks.pop_front()?;
        state.bytes -= task.message_size();
        Some(task)
    }

    /// Whether the next task is such a one.
    pub(super) fn is_next(&self, is_such: impl FnOnce(&Task) -> bool) -> bool {
        self.state().tasks.front().is_some_and(is_such)
    }

    pub(crate) fn waiting(&self) -> Waiting {
        let state = self.state();
        Waiting { tasks: state.tasks.len(), bytes: state.bytes }
    }

    /// Gives back the memory of tasks that were run.
    pub(super) fn rest(&self) {
        self.state().tasks.shrink_to_fit();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().tasks.is_empty()
    }

    /// Takes the tasks that do not outlive the connection, which is closed.
    pub(super) fn abandon(&self) -> VecDeque<Task> {
        let mut state = self.state();
        let tasks = std::mem::take(&mut state.tasks).into_iter();
        let (left, abandoned) = tasks.partition(Task::outlives_the_connection);
        state.tasks = left;
        // No message outlives it.
        state.bytes = 0;
        abandoned
    }

    /// Returns how many tasks the host does not know of, and counts them as known from now on.
    pub(crate) fn take_announcement(&self) -> usize {
        let mut state = self.state();
        let new = state.tasks.len().saturating_sub(state.announced);
        state.announced += new;
        new
    }

    /// Whether a task has been queued that closes a channel whose stream the peer has reset: what
    /// answers the peer is to be sent first. Asking again gives `false` until there is another.
    #[cfg(feature = "tokio")]
    pub(crate) fn take_closing(&self) -> bool {
        std::mem::take(&mut self.state().closes_channel)
    }

    /// Takes up to `limit` messages from the front. Each is one task that the host knows of, and
    /// counts as begun.
    pub(crate) fn take_messages(&self, limit: usize, messages: &mut VecDeque<ReceivedMessage>) {
        let mut state = self.state();
        let limit = limit.min(state.announced);
        while messages.len() < limit
            && let Some(Task::ChannelMessage(..)) = state.tasks.front()
            && let Some(Task::ChannelMessage(object, message)) = state.tasks.pop_front()
        {
            state.bytes -= message.len();
            messages.push_back((object, message));
        }
        state.announced -= messages.len();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::engine::testing::channel;

    fn message(text: &str) -> Task {
        Task::ChannelMessage(Arc::new(channel(1)), text.into())
    }

    fn taken(queue: &TaskQueue, limit: usize) -> Vec<String> {
        let mut messages = VecDeque::new();
        queue.take_messages(limit, &mut messages);
        let text = |(_, message): ReceivedMessage| message.as_str().unwrap().to_owned();
        messages.into_iter().map(text).collect()
    }

    #[test]
    fn only_messages_that_the_host_was_told_of_are_taken_ahead() {
        let queue = TaskQueue::default();
        queue.push(message("a"));
        assert_eq!(taken(&queue, 9), [""; 0]);
        assert_eq!(queue.take_announcement(), 1);
        queue.push(message("b"));
        assert_eq!(taken(&queue, 9), ["a"]);
        assert_eq!(queue.take_announcement(), 1, "the task of the first one runs");
        queue.push(message("c"));
        queue.push(message("d"));
        assert_eq!(queue.take_announcement(), 2);
        assert_eq!(taken(&queue, 2), ["b", "c"]);
        assert_eq!(taken(&queue, 2), ["d"]);
    }

    #[test]
    fn messages_do_not_overtake_other_tasks() {
        let queue = TaskQueue::default();
        queue.push(message("a"));
        queue.push(Task::StreamMessage(2, transport::MessageKind::Binary, Bytes::from("?")));
        queue.push(message("b"));
        assert_eq!(queue.take_announcement(), 3);
        assert_eq!(taken(&queue, 9), ["a"]);
        assert_eq!(taken(&queue, 9), [""; 0]);
        assert!(matches!(queue.pop(), Some(Task::StreamMessage(..))));
        assert_eq!(taken(&queue, 9), ["b"]);
        assert_eq!((queue.take_announcement(), queue.is_empty()), (0, true));
    }

    #[test]
    fn what_waits_is_counted_in_tasks_and_bytes() {
        let queue = TaskQueue::default();
        queue.push(message("four"));
        queue.push(Task::SctpDiscarded);
        queue.push(Task::StreamMessage(2, transport::MessageKind::Binary, Bytes::from("fives")));
        let all = Waiting { tasks: 3, bytes: 9 };
        assert_eq!(queue.waiting(), all);
        assert!(!all.exceeds(all));
        assert!(
            all.exceeds(Waiting { tasks: 2, ..all }) && all.exceeds(Waiting { bytes: 8, ..all })
        );
        assert_eq!(queue.take_announcement(), 3);
        assert_eq!(taken(&queue, 9), ["four"]);
        assert_eq!(queue.waiting(), Waiting { tasks: 2, bytes: 5 });
        assert_eq!(queue.abandon().len(), 2);
        assert_eq!(queue.waiting(), Waiting { tasks: 0, bytes: 0 });
    }
}
