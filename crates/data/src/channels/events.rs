//! What the application hears, and when it does not want to hear.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Channels;
use crate::event::Event;
use crate::sctp;

impl Channels {
    /// Stops and resumes [`Event::Message`] of a channel. Messages that are not read take up the
    /// receive window, so the peer stops sending when it is full. No message is lost.
    pub fn set_paused(&mut self, id: u16, paused: bool) {
        if paused {
            self.paused.insert(id);
            return;
        }
        self.paused.remove(&id);
        self.unhold(id, |_| true);
    }

    /// Puts the events that were held for a channel before all others.
    pub(super) fn unhold(&mut self, id: u16, keep: impl Fn(&Event) -> bool) {
        let Some(held) = self.held.remove(&id) else { return };
        for event in held.into_iter().rev() {
            if keep(&event) {
                self.events.push_front(Some(event));
            } else if let Event::Message { data, .. } = event {
                self.release(message_cost(&data));
            }
        }
    }

    /// The next event. There is none behind a [mark](Self::mark) until it is
    /// [passed](Self::pass_mark).
    pub fn poll_event(&mut self) -> Option<Event> {
        while let Some(told) = self.events.pop_front() {
            let Some(event) = told else {
                self.events.push_front(None);
                return None;
            };
            let id = event.ordered_with();
            if let Some(id) = id
                && self.must_wait(id, &event)
            {
                self.held.entry(id).or_default().push_back(event);
                continue;
            }
            match &event {
                Event::Message { id, data, .. } => {
                    let cost = message_cost(data);
                    self.release(cost);
                    if self.channels.get(id).is_some_and(|channel| channel.closed_here) {
                        continue;
                    }
                }
                Event::ChannelClosed { id } => {
                    self.paused.remove(id);
                }
                _ => {}
            }
            return Some(event);
        }
        if self.events.capacity() > 64 {
            self.events = VecDeque::new();
        }
        while self.events.is_empty()
            && let Some(id) = self.dirty.pop()
        {
            self.report_sent(id);
        }
        self.events.pop_front().flatten()
    }

    /// Puts a mark behind what has happened so far. So the user can tell at its place what
    /// happens below the association.
    pub fn mark(&mut self) {
        self.events.push_back(None);
    }

    /// Whether a mark comes next; it is behind us then.
    pub fn pass_mark(&mut self) -> bool {
        let is_next = matches!(self.events.front(), Some(None));
        if is_next {
            self.events.pop_front();
        }
        is_next
    }

    /// Whether an event waits until the channel is read again.
    fn must_wait(&self, id: u16, event: &Event) -> bool {
        self.held.contains_key(&id)
            || (self.paused.contains(&id) && matches!(event, Event::Message { .. }))
    }

    /// Reports the bytes that left a channel.
    pub(super) fn report_sent(&mut self, id: u16) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let sent = std::mem::take(&mut channel.unreported);
        if sent == 0 {
            return;
        }
        let (now, threshold) = (channel.buffered, channel.low_threshold);
        self.tell(Event::BufferedAmount { id, sent });
        // webrtc-pc §6.2: "decreases from above this threshold to equal or below it".
        if now <= threshold && now + sent > threshold {
            self.tell(Event::BufferedAmountLow { id });
        }
    }
}

/// How much of the receive window a message takes up until it is read.
pub(super) fn message_cost(data: &Bytes) -> usize {
    // An empty message came as one byte.
    sctp::cost(data.len().max(1))
}
