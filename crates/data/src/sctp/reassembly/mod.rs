//! Fragments to messages, messages to their order (RFC 9260 §6.5, §6.6, §6.9; RFC 8260 §2.2.3).

mod consecutive;
mod interleaved;

use bytes::Bytes;

use self::consecutive::Consecutive;
use self::interleaved::Interleaved;
use super::data::{Data, Skip};

/// What remembering a message or fragment costs beyond its bytes.
const OVERHEAD: usize = 64;

/// A message that may be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) stream: u16,
    pub(crate) ppid: u32,
    pub(crate) data: Bytes,
}

impl Message {
    /// How much of the receive window it takes up until it is read.
    pub(crate) fn cost(&self) -> usize {
        cost(self.data.len())
    }
}

/// How much of the receive window a message of `length` bytes takes up until it is read.
pub(crate) fn cost(length: usize) -> usize {
    length + OVERHEAD
}

/// What became ready.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Message(Message),
    /// A message on this stream exceeded the limit; it was discarded.
    TooLarge(u16),
}

/// Everything that was received and is not delivered.
#[derive(Debug)]
pub(super) enum Reassembly {
    /// Of DATA.
    Consecutive(Consecutive),
    /// Of I-DATA.
    Interleaved(Interleaved),
}

impl Reassembly {
    pub(super) fn new(max_message_size: usize, interleaves: bool) -> Self {
        if interleaves {
            Self::Interleaved(Interleaved::new(max_message_size))
        } else {
            Self::Consecutive(Consecutive::new(max_message_size))
        }
    }

    /// Bytes held here, with [`OVERHEAD`].
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Consecutive(fragments) => fragments.held(),
            Self::Interleaved(fragments) => fragments.held(),
        }
    }

    /// Takes a chunk with the number `tsn`, which was not taken before.
    pub(super) fn push(&mut self, tsn: u64, data: &Data<'_>, ready: &mut Vec<Delivery>) {
        match self {
            Self::Consecutive(fragments) => fragments.push(tsn, data, ready),
            Self::Interleaved(fragments) => fragments.push(data, ready),
        }
    }

    /// The peer gave up what is missing up to the number `tsn` (RFC 3758 §3.6, RFC 8260 §2.3.1).
    pub(super) fn forward(
        &mut self,
        tsn: u64,
        skips: impl Iterator<Item = Skip>,
        ready: &mut Vec<Delivery>,
    ) {
        match self {
            Self::Consecutive(fragments) => fragments.forward(tsn, skips, ready),
            Self::Interleaved(fragments) => fragments.forward(skips, ready),
        }
    }

    /// The peer starts the stream anew (RFC 6525 §5.2.2).
    pub(super) fn reset(&mut self, stream: u16) {
        match self {
            Self::Consecutive(fragments) => fragments.reset(stream),
            Self::Interleaved(fragments) => fragments.reset(stream),
        }
    }

    /// Gives back the memory of messages that were delivered.
    pub(super) fn rest(&mut self) {
        match self {
            Self::Consecutive(fragments) => fragments.rest(),
            Self::Interleaved(fragments) => fragments.rest(),
        }
    }

    /// The streams on which something has come that cannot be delivered yet.
    pub(super) fn unfinished(&self) -> Vec<u16> {
        match self {
            Self::Consecutive(fragments) => fragments.unfinished().collect(),
            Self::Interleaved(fragments) => fragments.unfinished().collect(),
        }
    }

    /// The streams on which anything has arrived.
    pub(super) fn streams(&self) -> Vec<u16> {
        match self {
            Self::Consecutive(fragments) => fragments.streams().collect(),
            Self::Interleaved(fragments) => fragments.streams().collect(),
        }
    }
}
