//! Messages of DATA (RFC 9260 §6.9): fragments of one message carry consecutive numbers and messages
//! are not interleaved, so a message grows by the fragment that follows its last one, whatever its
//! stream.

use std::collections::BTreeMap;

use bytes::Bytes;
use tracing::debug;

use super::{Delivery, Message, OVERHEAD};
use crate::sctp::data::{Data, Skip};
use crate::sctp::serial;
use crate::sctp::wire::{FLAG_BEGIN, FLAG_END, FLAG_UNORDERED};

/// A message whose first fragments are there.
#[derive(Debug)]
struct Assembly {
    stream: u16,
    ssn: u16,
    ppid: u32,
    unordered: bool,
    too_large: bool,
    bytes: Vec<u8>,
}

/// A fragment whose predecessor is not there yet.
#[derive(Debug)]
struct Fragment {
    flags: u8,
    stream: u16,
    payload: Bytes,
}

/// The order of one stream.
#[derive(Debug)]
struct Incoming {
    next_ssn: u64,
    /// Complete messages that wait for an earlier one.
    waiting: BTreeMap<u64, Message>,
    /// The length of the last message: the next is likely to be as long.
    last_len: usize,
}

impl Default for Incoming {
    fn default() -> Self {
        Self { next_ssn: serial::FIRST_TURN, waiting: BTreeMap::new(), last_len: 0 }
    }
}

/// Everything that was received and is not delivered.
#[derive(Debug)]
pub(in crate::sctp) struct Consecutive {
    max_message_size: usize,
    /// The message that grew last, by the number of the fragment it waits for.
    current: Option<(u64, Assembly)>,
    /// The others.
    assemblies: BTreeMap<u64, Assembly>,
    fragments: BTreeMap<u64, Fragment>,
    /// Boxed: a node of the map reserves room for eleven.
    streams: BTreeMap<u16, Box<Incoming>>,
    /// Bytes held here, with [`OVERHEAD`].
    held: usize,
}

impl Consecutive {
    pub(super) fn new(max_message_size: usize) -> Self {
        Self {
            max_message_size,
            current: None,
            assemblies: BTreeMap::new(),
            fragments: BTreeMap::new(),
            streams: BTreeMap::new(),
            held: 0,
        }
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Takes a DATA chunk with the number `tsn`, which was not taken before.
    pub(super) fn push(&mut self, tsn: u64, data: &Data<'_>, ready: &mut Vec<Delivery>) {
        let ssn = serial::low16(data.message.into());
        const WHOLE: u8 = FLAG_BEGIN | FLAG_END;
        if data.flags & WHOLE == WHOLE {
            let message = Message {
                stream: data.stream,
                ppid: data.ppid,
                data: Bytes::copy_from_slice(data.payload),
            };
            let unordered = data.flags & FLAG_UNORDERED != 0;
            if message.data.len() > self.max_message_size {
                self.skip(data.stream, ssn, unordered, ready);
                ready.push(Delivery::TooLarge(data.stream));
                return;
            }
            return self.complete(message, ssn, unordered, ready);
        }

        let mut assembly = if data.flags & FLAG_BEGIN != 0 {
            // A correct peer finishes a message before it begins another; for one that does not,
            // nothing is reserved.
            let alone = self.current.is_none() && self.assemblies.is_empty();
            let stream = self.streams.get(&data.stream).filter(|_| alone);
            let likely = stream.map_or(0, |stream| stream.last_len);
            let mut bytes = Vec::with_capacity(likely.max(data.payload.len() * 4));
            bytes.extend_from_slice(data.payload);
            self.held += data.payload.len() + OVERHEAD;
            Assembly {
                stream: data.stream,
                ssn,
                ppid: data.ppid,
                unordered: data.flags & FLAG_UNORDERED != 0,
                too_large: false,
                bytes,
            }
        } else if let Some(assembly) = self.take_assembly(tsn) {
            let mut assembly = assembly;
            if !self.append(&mut assembly, data.stream, data.payload) {
                return;
            }
            assembly
        } else {
            self.held += data.payload.len() + OVERHEAD;
            self.fragments.insert(
                tsn,
                Fragment {
                    flags: data.flags,
                    stream: data.stream,
                    payload: Bytes::copy_from_slice(data.payload),
                },
            );
            return;
        };

        let mut next = tsn + 1;
        let mut done = data.flags & FLAG_END != 0;
        while !done
            && let Some(fragment) = self.fragments.get(&next)
            && fragment.flags & FLAG_BEGIN == 0
        {
            let Some(fragment) = self.fragments.remove(&next) else { break };
            self.held = self.held.saturating_sub(fragment.payload.len() + OVERHEAD);
            if !self.append(&mut assembly, fragment.stream, &fragment.payload) {
                return;
            }
            next += 1;
            done = fragment.flags & FLAG_END != 0;
        }
        if done {
            self.finish(assembly, ready);
        } else {
            self.put_assembly(next, assembly);
        }
    }

    fn take_assembly(&mut self, tsn: u64) -> Option<Assembly> {
        match self.current.take() {
            Some((next, assembly)) if next == tsn => Some(assembly),
            other => {
                self.current = other;
                self.assemblies.remove(&tsn)
            }
        }
    }

    fn put_assembly(&mut self, next: u64, assembly: Assembly) {
        if let Some((next, assembly)) = self.current.replace((next, assembly)) {
            self.assemblies.insert(next, assembly);
        }
    }

    /// False when the fragment belongs to no message that a correct peer would send.
    fn append(&mut self, assembly: &mut Assembly, stream: u16, payload: &[u8]) -> bool {
        if assembly.stream != stream {
            debug!(stream, "a fragment continues a message of another stream");
            self.held = self.held.saturating_sub(assembly.bytes.len() + OVERHEAD);
            return false;
        }
        if assembly.too_large || assembly.bytes.len() + payload.len() > self.max_message_size {
            self.held = self.held.saturating_sub(assembly.bytes.len());
            assembly.bytes = Vec::new();
            assembly.too_large = true;
            return true;
        }
        assembly.bytes.extend_from_slice(payload);
        self.held += payload.len();
        true
    }

    fn finish(&mut self, assembly: Assembly, ready: &mut Vec<Delivery>) {
        self.held = self.held.saturating_sub(assembly.bytes.len() + OVERHEAD);
        let Assembly { stream, ssn, ppid, unordered, too_large, bytes } = assembly;
        if too_large {
            self.skip(stream, ssn, unordered, ready);
            ready.push(Delivery::TooLarge(stream));
            return;
        }
        self.streams.entry(stream).or_default().last_len = bytes.len();
        let message = Message { stream, ppid, data: bytes.into() };
        self.complete(message, ssn, unordered, ready);
    }

    fn complete(&mut self, message: Message, ssn: u16, unordered: bool, ready: &mut Vec<Delivery>) {
        if unordered {
            ready.push(Delivery::Message(message));
            return;
        }
        let stream = self.streams.entry(message.stream).or_default();
        let ssn = serial::expand16(stream.next_ssn, ssn);
        if ssn == stream.next_ssn {
            stream.next_ssn += 1;
            ready.push(Delivery::Message(message));
            self.held = self.held.saturating_sub(stream.release(ready));
        } else if ssn > stream.next_ssn {
            self.held += message.cost();
            if let Some(old) = stream.waiting.insert(ssn, message) {
                self.held = self.held.saturating_sub(old.cost());
            }
        } else {
            debug!(stream = message.stream, "an ordered message comes a second time");
        }
    }

    /// An ordered message will not come; the messages behind it must not wait for it.
    fn skip(&mut self, stream: u16, ssn: u16, unordered: bool, ready: &mut Vec<Delivery>) {
        if !unordered {
            self.skip_to(stream, ssn, ready);
        }
    }

    /// RFC 3758 §3.6: everything up to `ssn` has been given up or has arrived.
    fn skip_to(&mut self, stream: u16, ssn: u16, ready: &mut Vec<Delivery>) {
        let stream = self.streams.entry(stream).or_default();
        let ssn = serial::expand16(stream.next_ssn, ssn);
        if ssn < stream.next_ssn {
            return;
        }
        stream.next_ssn = ssn + 1;
        let mut freed = 0;
        while let Some(entry) = stream.waiting.first_entry()
            && *entry.key() <= ssn
        {
            let message = entry.remove();
            freed += message.cost();
            ready.push(Delivery::Message(message));
        }
        freed += stream.release(ready);
        self.held = self.held.saturating_sub(freed);
    }

    /// The peer gave up what is missing up to the number `tsn` (RFC 3758 §3.6).
    pub(super) fn forward(
        &mut self,
        tsn: u64,
        skips: impl Iterator<Item = Skip>,
        ready: &mut Vec<Delivery>,
    ) {
        let mut freed = 0;
        if let Some((next, assembly)) = self.current.take() {
            if next <= tsn + 1 {
                freed += assembly.bytes.len() + OVERHEAD;
            } else {
                self.current = Some((next, assembly));
            }
        }
        while let Some(entry) = self.assemblies.first_entry()
            && *entry.key() <= tsn + 1
        {
            freed += entry.remove().bytes.len() + OVERHEAD;
        }
        while let Some(entry) = self.fragments.first_entry()
            && *entry.key() <= tsn
        {
            freed += entry.remove().payload.len() + OVERHEAD;
        }
        self.held = self.held.saturating_sub(freed);
        for Skip { stream, message, .. } in skips {
            self.skip_to(stream, serial::low16(message.into()), ready);
        }
    }

    /// The peer starts the stream anew (RFC 6525 §5.2.2).
    pub(super) fn reset(&mut self, stream: u16) {
        if let Some(stream) = self.streams.remove(&stream) {
            let freed: usize = stream.waiting.values().map(Message::cost).sum();
            self.held = self.held.saturating_sub(freed);
        }
    }

    /// The streams on which something has come that cannot be delivered yet.
    /// Gives back the memory of messages that were delivered: an empty map keeps its last node.
    pub(super) fn rest(&mut self) {
        if self.assemblies.is_empty() {
            self.assemblies = BTreeMap::new();
        }
        if self.fragments.is_empty() {
            self.fragments = BTreeMap::new();
        }
        for incoming in self.streams.values_mut() {
            if incoming.waiting.is_empty() {
                incoming.waiting = BTreeMap::new();
            }
        }
    }

    pub(super) fn unfinished(&self) -> impl Iterator<Item = u16> {
        let current = self.current.iter().map(|(_, assembly)| assembly);
        let begun = current.chain(self.assemblies.values()).map(|assembly| assembly.stream);
        let loose = self.fragments.values().map(|fragment| fragment.stream);
        let waits = |incoming: &Incoming| !incoming.waiting.is_empty();
        let waiting = self.streams.iter().filter(move |(_, incoming)| waits(incoming));
        begun.chain(loose).chain(waiting.map(|(id, _)| *id))
    }

    /// The streams on which anything has arrived.
    pub(super) fn streams(&self) -> impl Iterator<Item = u16> {
        self.streams.keys().copied()
    }
}

impl Incoming {
    /// Delivers what is next in order; returns what it cost.
    fn release(&mut self, ready: &mut Vec<Delivery>) -> usize {
        let mut freed = 0;
        while let Some(entry) = self.waiting.first_entry()
            && *entry.key() == self.next_ssn
        {
            let message = entry.remove();
            self.next_ssn += 1;
            freed += message.cost();
            ready.push(Delivery::Message(message));
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: u64 = serial::FIRST_TURN + 100;

    fn data(flags: u8, ssn: u16, payload: &[u8]) -> Data<'_> {
        Data { flags, tsn: 0, stream: 1, message: ssn.into(), fsn: 0, ppid: 53, payload }
    }

    fn texts(ready: &[Delivery]) -> Vec<String> {
        ready
            .iter()
            .map(|delivery| match delivery {
                Delivery::Message(message) => String::from_utf8_lossy(&message.data).into_owned(),
                Delivery::TooLarge(_) => "too large".to_owned(),
            })
            .collect()
    }

    #[test]
    fn fragments_in_any_order_make_the_message() {
        let parts = [(FLAG_BEGIN, "a"), (0, "b"), (0, "c"), (FLAG_END, "d")];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
            for unordered in [0, FLAG_UNORDERED] {
                let mut reassembly = Consecutive::new(100);
                let mut ready = Vec::new();
                for i in order {
                    let (flags, text) = parts[i];
                    reassembly.push(
                        BASE + i as u64,
                        &data(flags | unordered, 0, text.as_bytes()),
                        &mut ready,
                    );
                }
                assert_eq!(texts(&ready), ["abcd"], "{order:?}");
                assert_eq!(reassembly.held(), 0);
            }
        }
    }

    #[test]
    fn ordered_messages_wait_for_earlier_ones_and_unordered_do_not() {
        let whole = FLAG_BEGIN | FLAG_END;
        let mut reassembly = Consecutive::new(100);
        let mut ready = Vec::new();
        reassembly.push(BASE + 2, &data(whole, 2, b"third"), &mut ready);
        reassembly.push(BASE + 3, &data(whole | FLAG_UNORDERED, 0, b"any"), &mut ready);
        reassembly.push(BASE + 1, &data(whole, 1, b"second"), &mut ready);
        assert_eq!(texts(&ready), ["any"]);
        assert!(reassembly.held() > 0);
        reassembly.push(BASE, &data(whole, 0, b"first"), &mut ready);
        assert_eq!(texts(&ready), ["any", "first", "second", "third"]);
        assert_eq!(reassembly.held(), 0);
    }

    #[test]
    fn given_up_messages_hold_nobody_back() {
        let whole = FLAG_BEGIN | FLAG_END;
        let mut reassembly = Consecutive::new(100);
        let mut ready = Vec::new();
        // Half of message 0, all of message 1; message 0 is given up.
        reassembly.push(BASE, &data(FLAG_BEGIN, 0, b"ha"), &mut ready);
        reassembly.push(BASE + 2, &data(0, 0, b"lf"), &mut ready);
        reassembly.push(BASE + 4, &data(whole, 1, b"next"), &mut ready);
        assert!(ready.is_empty());
        let skip = Skip { stream: 1, unordered: false, message: 0 };
        reassembly.forward(BASE + 3, [skip].into_iter(), &mut ready);
        assert_eq!(texts(&ready), ["next"]);
        assert_eq!(reassembly.held(), 0);
    }

    #[test]
    fn a_message_beyond_the_limit_is_dropped_and_told() {
        let mut reassembly = Consecutive::new(5);
        let mut ready = Vec::new();
        reassembly.push(BASE, &data(FLAG_BEGIN, 0, b"abc"), &mut ready);
        reassembly.push(BASE + 1, &data(0, 0, b"def"), &mut ready);
        assert!(reassembly.held() < 100);
        reassembly.push(BASE + 2, &data(FLAG_END, 0, b"g"), &mut ready);
        reassembly.push(BASE + 3, &data(FLAG_BEGIN | FLAG_END, 1, b"ok"), &mut ready);
        assert_eq!(texts(&ready), ["too large", "ok"]);
        assert_eq!(reassembly.held(), 0);
    }

    #[test]
    fn a_reset_stream_starts_with_zero() {
        let whole = FLAG_BEGIN | FLAG_END;
        let mut reassembly = Consecutive::new(100);
        let mut ready = Vec::new();
        reassembly.push(BASE, &data(whole, 0, b"one"), &mut ready);
        reassembly.reset(1);
        reassembly.push(BASE + 1, &data(whole, 0, b"two"), &mut ready);
        assert_eq!(texts(&ready), ["one", "two"]);
    }
}
