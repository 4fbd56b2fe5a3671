//! Messages of I-DATA (RFC 8260 §2.2.3): each fragment says of which message it is, and which one of
//! it. Ordered and unordered messages of a stream have numbers of their own.

use std::collections::BTreeMap;

use bytes::Bytes;
use tracing::debug;

use super::{Delivery, Message, OVERHEAD};
use crate::sctp::data::{Data, Skip};
use crate::sctp::serial;
use crate::sctp::wire::{FLAG_BEGIN, FLAG_END, FLAG_UNORDERED};

/// As long as no more messages are there in part, room is made for as much as their last one had.
const FEW: usize = 8;

/// Everything that was received and is not delivered.
#[derive(Debug)]
pub(in crate::sctp) struct Interleaved {
    max_message_size: usize,
    /// Boxed: a node of the map reserves room for eleven.
    streams: BTreeMap<u16, Box<Incoming>>,
    /// Messages that have come in part.
    begun: usize,
    /// Bytes held here, with [`OVERHEAD`].
    held: usize,
}

/// One stream.
#[derive(Debug)]
struct Incoming {
    /// The ordered message that is delivered next.
    next: u64,
    /// What has come in part, by the number of the message.
    ordered: BTreeMap<u64, Assembly>,
    /// What is whole and waits for an earlier message. Nothing is left of one that was too large.
    waiting: BTreeMap<u64, Option<Message>>,
    /// The highest number of an unordered message, to tell the others by, and the number below which
    /// all of them were whole or given up.
    latest: u64,
    over: u64,
    unordered: BTreeMap<u64, Assembly>,
    /// The length of the last message: the next is likely to be as long.
    last_len: usize,
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            next: serial::FIRST_TURN,
            ordered: BTreeMap::new(),
            waiting: BTreeMap::new(),
            latest: serial::FIRST_TURN,
            over: serial::FIRST_TURN,
            unordered: BTreeMap::new(),
            last_len: 0,
        }
    }
}

/// A message that has come in part.
#[derive(Debug, Default)]
struct Assembly {
    ppid: u32,
    /// The fragments without a gap, and how many they are.
    bytes: Vec<u8>,
    joined: u64,
    /// Fragments behind a gap, by their numbers.
    loose: BTreeMap<u64, Bytes>,
    loose_bytes: usize,
    /// The number of the last fragment.
    last: Option<u64>,
    /// It exceeds the limit: nothing of it is kept, and `joined` counts what comes.
    too_large: bool,
}

impl Assembly {
    /// What it takes up.
    fn cost(&self) -> usize {
        self.bytes.len() + self.loose_bytes + (1 + self.loose.len()) * OVERHEAD
    }

    /// Takes a fragment; true when the message is whole.
    fn add(&mut self, data: &Data<'_>, limit: usize) -> bool {
        let number = u64::from(data.fsn);
        let ends = data.flags & FLAG_END != 0;
        let is_behind_the_end = self.last.is_some_and(|last| number > last);
        if is_behind_the_end || (ends && self.last.is_some()) {
            debug!(data.stream, "a fragment behind the end of its message");
            return false;
        }
        if ends {
            self.last = Some(number);
        }
        if data.flags & FLAG_BEGIN != 0 {
            self.ppid = data.ppid;
        }
        let length = self.bytes.len() + self.loose_bytes + data.payload.len();
        if !self.too_large && length > limit {
            self.too_large = true;
            self.joined += self.loose.len() as u64;
            self.bytes = Vec::new();
            self.loose = BTreeMap::new();
            self.loose_bytes = 0;
        }
        if self.too_large {
            self.joined += 1;
        } else if number == self.joined {
            self.bytes.extend_from_slice(data.payload);
            self.joined += 1;
            self.join();
        } else if number > self.joined && !self.loose.contains_key(&number) {
            self.loose_bytes += data.payload.len();
            self.loose.insert(number, Bytes::copy_from_slice(data.payload));
        } else {
            debug!(data.stream, "a fragment comes a second time");
        }
        self.last.is_some_and(|last| self.joined > last)
    }

    /// Joins what is behind a gap that was closed.
    fn join(&mut self) {
        while let Some(payload) = self.loose.remove(&self.joined) {
            self.loose_bytes -= payload.len();
            self.bytes.extend_from_slice(&payload);
            self.joined += 1;
        }
    }
}

impl Interleaved {
    pub(super) fn new(max_message_size: usize) -> Self {
        Self { max_message_size, streams: BTreeMap::new(), begun: 0, held: 0 }
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn push(&mut self, data: &Data<'_>, ready: &mut Vec<Delivery>) {
        const WHOLE: u8 = FLAG_BEGIN | FLAG_END;
        let begins = data.flags & FLAG_BEGIN != 0;
        if !begins && data.fsn == 0 {
            debug!(data.stream, "the first fragment of a message does not begin it");
            return;
        }
        let unordered = data.flags & FLAG_UNORDERED != 0;
        let incoming = self.streams.entry(data.stream).or_default();
        let reference = if unordered { incoming.latest } else { incoming.next };
        let number = serial::expand(reference, data.message);
        let is_over = if unordered {
            number < incoming.over
        } else {
            number < incoming.next || incoming.waiting.contains_key(&number)
        };
        if is_over {
            // A fragment that was given up may come behind the news of that.
            debug!(data.stream, "a fragment of a message that was whole or given up");
            return;
        }
        if unordered {
            incoming.latest = incoming.latest.max(number);
        }
        let (stream, ppid) = (data.stream, data.ppid);
        if data.flags & WHOLE == WHOLE {
            let fits = data.payload.len() <= self.max_message_size;
            let payload = fits.then(|| Bytes::copy_from_slice(data.payload));
            let message = payload.map(|data| Message { stream, ppid, data });
            return self.complete(stream, number, unordered, message, ready);
        }

        let assemblies = if unordered { &mut incoming.unordered } else { &mut incoming.ordered };
        let assembly = assemblies.entry(number).or_insert_with(|| {
            // For a peer that begins many and finishes none, nothing is reserved.
            let likely = if self.begun < FEW && begins { incoming.last_len } else { 0 };
            let bytes = Vec::with_capacity(likely.max(data.payload.len() * 4));
            self.begun += 1;
            self.held += OVERHEAD;
            Assembly { bytes, ..Assembly::default() }
        });
        let before = assembly.cost();
        let is_whole = assembly.add(data, self.max_message_size);
        self.held = (self.held + assembly.cost()).saturating_sub(before);
        if !is_whole {
            return;
        }
        let Some(assembly) = assemblies.remove(&number) else { return };
        self.begun = self.begun.saturating_sub(1);
        self.held = self.held.saturating_sub(assembly.cost());
        incoming.last_len = assembly.bytes.len();
        let Assembly { ppid, bytes, too_large, .. } = assembly;
        let message = (!too_large).then(|| Message { stream, ppid, data: bytes.into() });
        self.complete(stream, number, unordered, message, ready);
    }

    /// Delivers a message that is whole, or `None` that was too large, in its order.
    fn complete(
        &mut self,
        stream: u16,
        number: u64,
        unordered: bool,
        message: Option<Message>,
        ready: &mut Vec<Delivery>,
    ) {
        if message.is_none() {
            ready.push(Delivery::TooLarge(stream));
        }
        if unordered {
            return ready.extend(message.map(Delivery::Message));
        }
        let Some(incoming) = self.streams.get_mut(&stream) else { return };
        if number == incoming.next {
            incoming.next += 1;
            ready.extend(message.map(Delivery::Message));
            self.deliver_up_to(stream, number, ready);
        } else {
            self.held += waiting_cost(&message);
            incoming.waiting.insert(number, message);
        }
    }

    /// Everything up to the ordered message `number` has been delivered or given up.
    fn deliver_up_to(&mut self, stream: u16, number: u64, ready: &mut Vec<Delivery>) {
        let Some(incoming) = self.streams.get_mut(&stream) else { return };
        incoming.next = incoming.next.max(number + 1);
        while let Some(entry) = incoming.waiting.first_entry()
            && *entry.key() <= incoming.next
        {
            incoming.next = incoming.next.max(entry.key() + 1);
            let message = entry.remove();
            self.held = self.held.saturating_sub(waiting_cost(&message));
            ready.extend(message.map(Delivery::Message));
        }
        let next = incoming.next;
        discard_below(&mut incoming.ordered, next, &mut self.begun, &mut self.held);
    }

    /// RFC 8260 §2.3.1: parts of what the peer gave up are dropped.
    pub(super) fn forward(&mut self, skips: impl Iterator<Item = Skip>, ready: &mut Vec<Delivery>) {
        for Skip { stream, unordered, message } in skips {
            let incoming = self.streams.entry(stream).or_default();
            if unordered {
                let number = serial::expand(incoming.latest, message);
                incoming.latest = incoming.latest.max(number);
                incoming.over = incoming.over.max(number + 1);
                let below = incoming.over;
                discard_below(&mut incoming.unordered, below, &mut self.begun, &mut self.held);
                continue;
            }
            let number = serial::expand(incoming.next, message);
            if number >= incoming.next {
                self.deliver_up_to(stream, number, ready);
            }
        }
    }

    /// The peer starts the stream anew (RFC 8260 §2.3.2).
    pub(super) fn reset(&mut self, stream: u16) {
        let Some(mut incoming) = self.streams.remove(&stream) else { return };
        for assemblies in [&mut incoming.ordered, &mut incoming.unordered] {
            discard_below(assemblies, u64::MAX, &mut self.begun, &mut self.held);
        }
        let waiting: usize = incoming.waiting.values().map(waiting_cost).sum();
        self.held = self.held.saturating_sub(waiting);
    }

    /// Gives back the memory of messages that were delivered: an empty map keeps its last node.
    pub(super) fn rest(&mut self) {
        for incoming in self.streams.values_mut() {
            for assemblies in [&mut incoming.ordered, &mut incoming.unordered] {
                if assemblies.is_empty() {
                    *assemblies = BTreeMap::new();
                }
            }
            if incoming.waiting.is_empty() {
                incoming.waiting = BTreeMap::new();
            }
        }
    }

    pub(super) fn unfinished(&self) -> impl Iterator<Item = u16> {
        let is_unfinished = |incoming: &Incoming| {
            !(incoming.ordered.is_empty()
                && incoming.unordered.is_empty()
                && incoming.waiting.is_empty())
        };
        self.streams.iter().filter(move |(_, incoming)| is_unfinished(incoming)).map(|(id, _)| *id)
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = u16> {
        self.streams.keys().copied()
    }
}

/// What a message that waits takes up, be it that nothing is left of it.
fn waiting_cost(message: &Option<Message>) -> usize {
    message.as_ref().map_or(OVERHEAD, Message::cost)
}

/// Drops the parts of messages below a number.
fn discard_below(
    assemblies: &mut BTreeMap<u64, Assembly>,
    below: u64,
    begun: &mut usize,
    held: &mut usize,
) {
    while let Some(entry) = assemblies.first_entry()
        && *entry.key() < below
    {
        *held = held.saturating_sub(entry.remove().cost());
        *begun = begun.saturating_sub(1);
    }
}
