//! Messages on their way from `send()` to the association. The outbox has its own lock, so that a
//! sender does not wait while the engine encrypts or receives under its lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use negotiation::{Error, TransceiverId};

use crate::api::{ChannelObject, RTCDataChannelState, RtpPacket};

/// How many messages the list keeps room for between two takings.
pub(crate) const CAPACITY: usize = 256;

/// How many packets of media wait at most. The oldest make room for more.
const PACKETS: usize = 4096;

/// A message on its way to the association.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// The id of the channel.
    pub(crate) stream: u16,
    pub(crate) kind: transport::MessageKind,
    pub(crate) data: Bytes,
}

/// The messages of all channels of one connection, in the order of `send()`, and the packets of its
/// senders.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Whether there is a message.
    filled: AtomicBool,
    /// Whether the ICE transport under the association has failed.
    path_failed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Outgoing>,
    packets: VecDeque<(TransceiverId, RtpPacket)>,
    /// `[[MaxMessageSize]]`, bytes
    max_message_size: u64,
    /// `[[MaxBufferSize]]`, bytes
    max_buffer_size: u64,
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the slots of the RTCSctpTransport that `send()` reads.
    pub(crate) fn set_limits(&self, max_message_size: u64, max_buffer_size: u64) {
        let mut state = self.state();
        state.max_message_size = max_message_size;
        state.max_buffer_size = max_buffer_size;
    }

    /// Sets whether the ICE transport under the association has failed. Returns whether that is
    /// new.
    pub(crate) fn set_path_failed(&self, failed: bool) -> bool {
        self.path_failed.swap(failed, Ordering::AcqRel) != failed
    }

    /// Whether ICE has failed: nothing gets through until an ICE restart mends the path.
    pub(crate) fn has_failed_path(&self) -> bool {
        self.path_failed.load(Ordering::Acquire)
    }

    /// webrtc-pc §6.2 send(), from step 3 on.
    pub(crate) fn send(
        &self,
        channel: &ChannelObject,
        kind: transport::MessageKind,
        data: Bytes,
    ) -> Result<(), Error> {
        let size = data.len();
        let mut state = self.state();
        state.check_send(channel, size as u64, 0)?;
        let Some(&stream) = channel.slots.id.get() else {
            return Err(Error::InvalidStateError("the data channel has no id".to_owned()));
        };
        // Steps 7 and 8
        channel.slots.buffered_amount.fetch_add(size as u64, Ordering::AcqRel);
        channel.slots.sent.add(size);
        state.messages.push(Outgoing { stream, kind, data });
        self.filled.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Steps 3 to 6 of `send()` for a message of `size` bytes, if `waiting` more bytes were queued.
    pub(crate) fn check_send(
        &self,
        channel: &ChannelObject,
        size: u64,
        waiting: u64,
    ) -> Result<(), Error> {
        self.state().check_send(channel, size, waiting)
    }

    /// Adds a packet of a track for a sender.
    pub(crate) fn send_packet(&self, sender: TransceiverId, packet: RtpPacket) {
        let mut state = self.state();
        let dropped = if state.packets.len() >= PACKETS { state.packets.pop_front() } else { None };
        state.packets.push_back((sender, packet));
        self.filled.store(true, Ordering::SeqCst);
        drop(state);
        if dropped.is_some() {
            tracing::debug!("the network is behind: the oldest packet is dropped");
        }
    }

    /// Swaps all packets into `list`, which must be empty. Call it before [`take`](Self::take).
    pub(crate) fn take_packets(&self, list: &mut VecDeque<(TransceiverId, RtpPacket)>) {
        debug_assert!(list.is_empty());
        std::mem::swap(&mut self.state().packets, list);
    }

    /// Whether there is something to take.
    pub(crate) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::SeqCst)
    }

    /// Gives back the memory of what was taken.
    pub(crate) fn rest(&self) {
        let mut state = self.state();
        state.messages.shrink_to_fit();
        state.packets.shrink_to_fit();
    }

    /// Swaps all messages into `list`, which must be empty.
    pub(crate) fn take(&self, list: &mut Vec<Outgoing>) {
        debug_assert!(list.is_empty());
        let mut state = self.state();
        std::mem::swap(&mut state.messages, list);
        self.filled.store(false, Ordering::SeqCst);
    }
}

impl State {
    fn check_send(&self, channel: &ChannelObject, size: u64, waiting: u64) -> Result<(), Error> {
        // Step 3
        if channel.slots.ready_state() != RTCDataChannelState::Open {
            return Err(Error::InvalidStateError("the data channel is not open".to_owned()));
        }
        // Step 5
        if size > self.max_message_size {
            return Err(Error::TypeError(format!(
                "a message of {size} bytes exceeds maxMessageSize, {}",
                self.max_message_size
            )));
        }
        // Step 6
        let buffered_amount = channel.slots.buffered_amount.load(Ordering::Acquire);
        let all = buffered_amount.saturating_add(size).saturating_add(waiting);
        if all > self.max_buffer_size {
            return Err(Error::OperationError("the send queue is full".to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::channel;

    const BINARY: transport::MessageKind = transport::MessageKind::Binary;

    fn open(id: u16) -> ChannelObject {
        let channel = channel(id);
        channel.slots.set_ready_state(RTCDataChannelState::Open);
        channel
    }

    #[test]
    fn messages_are_taken_in_the_order_of_send_whatever_their_channel() {
        let outbox = Outbox::default();
        outbox.set_limits(10, 10);
        let [a, b] = [1, 2].map(open);
        for (channel, text) in [(&a, "one"), (&b, "two"), (&a, "three")] {
            outbox.send(channel, BINARY, Bytes::from(text)).unwrap();
        }
        assert!(outbox.is_filled());
        assert_eq!(a.slots.buffered_amount.load(Ordering::Relaxed), 8);
        let mut messages = Vec::new();
        outbox.take(&mut messages);
        let taken: Vec<_> = messages.iter().map(|m| (m.stream, &*m.data)).collect();
        assert_eq!(taken, [(1, &b"one"[..]), (2, b"two"), (1, b"three")]);
        assert!(!outbox.is_filled());
    }

    /// webrtc-pc §6.2 send(), steps 3, 5 and 6.
    #[test]
    fn what_cannot_be_sent_is_refused_and_changes_nothing() {
        let outbox = Outbox::default();
        outbox.set_limits(4, 6);
        let refused = |channel: &ChannelObject, text: &'static str| {
            outbox.send(channel, BINARY, Bytes::from(text)).unwrap_err().name()
        };
        assert_eq!(refused(&channel(1), "one"), "InvalidStateError");
        let channel = open(1);
        assert_eq!(refused(&channel, "three"), "TypeError");
        outbox.send(&channel, BINARY, Bytes::from("one")).unwrap();
        assert_eq!(refused(&channel, "four"), "OperationError");
        assert_eq!(outbox.check_send(&channel, 2, 2).unwrap_err().name(), "OperationError");
        outbox.check_send(&channel, 2, 1).unwrap();
        outbox.send(&channel, BINARY, Bytes::from("two")).unwrap();
        assert_eq!(channel.slots.buffered_amount.load(Ordering::Relaxed), 6);
    }
}
