//! Messages that wait to be sent: one queue per stream, and whose turn it is (RFC 8831 §6.4,
//! RFC 8260 §3.6).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use time::Instant;

use super::serial;

/// A message to send.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) ppid: u32,
    /// At least one byte.
    pub(crate) data: Bytes,
    /// Whether the bytes are the application's, for `bufferedAmount`.
    pub(crate) counted: bool,
    pub(crate) ordered: bool,
    /// Give it up after this many retransmissions.
    pub(crate) max_retransmits: Option<u16>,
    /// Give it up after this time.
    pub(crate) expires: Option<Instant>,
}

/// A piece of a message, to be sent as one DATA chunk.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    pub(super) stream: u16,
    pub(super) ssn: u16,
    pub(super) ppid: u32,
    pub(super) begins: bool,
    pub(super) ends: bool,
    pub(super) ordered: bool,
    pub(super) data: Bytes,
    pub(super) max_retransmits: Option<u16>,
    pub(super) expires: Option<Instant>,
    /// Bytes that leave `bufferedAmount`.
    pub(super) counted: usize,
}

/// The sending half of a stream.
#[derive(Debug)]
struct Stream {
    queue: VecDeque<Outgoing>,
    /// Bytes that were taken from the first message. The message has only the rest.
    taken: usize,
    next_ssn: u64,
    weight: u16,
    /// The virtual time at which its next message is due.
    turn: u64,
}

/// All streams.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    /// Boxed: a node of the map reserves room for eleven.
    streams: BTreeMap<u16, Box<Stream>>,
    /// Streams with messages, by their turn.
    ready: BTreeSet<(u64, u16)>,
    /// The stream whose message is partly taken: without interleaving it is finished first.
    current: Option<u16>,
    virtual_time: u64,
}

impl SendQueue {
    /// Sets the weight of a stream; 256 is the normal one.
    pub(super) fn set_weight(&mut self, stream: u16, weight: u16) {
        self.stream(stream).weight = weight.max(1);
    }

    fn stream(&mut self, stream: u16) -> &mut Stream {
        let turn = self.virtual_time;
        self.streams.entry(stream).or_insert_with(|| {
            Box::new(Stream {
                queue: VecDeque::new(),
                taken: 0,
                next_ssn: serial::FIRST_TURN,
                weight: 256,
                turn,
            })
        })
    }

    pub(super) fn push(&mut self, id: u16, message: Outgoing) {
        let virtual_time = self.virtual_time;
        let stream = self.stream(id);
        stream.queue.push_back(message);
        if stream.queue.len() == 1 {
            // Time spent with nothing to send earns nothing.
            stream.turn = stream.turn.max(virtual_time);
            let turn = stream.turn;
            self.ready.insert((turn, id));
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.current.is_none()
    }

    /// Whether nothing waits on a stream.
    pub(super) fn is_stream_empty(&self, stream: u16) -> bool {
        self.streams.get(&stream).is_none_or(|stream| stream.queue.is_empty())
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = u16> {
        self.streams.keys().copied()
    }

    fn next_stream(&self) -> Option<u16> {
        self.current.or_else(|| self.ready.first().map(|&(_, id)| id))
    }

    /// How many bytes remain of the next message, and whether it was begun.
    pub(super) fn peek(&self) -> Option<(usize, bool)> {
        let stream = self.streams.get(&self.next_stream()?)?;
        let message = stream.queue.front()?;
        Some((message.data.len(), stream.taken > 0))
    }

    /// When the next message expires, and whether it is the last of its stream.
    pub(super) fn expiry(&self) -> Option<(Instant, bool)> {
        let stream = self.streams.get(&self.next_stream()?)?;
        Some((stream.queue.front()?.expires?, stream.queue.len() == 1))
    }

    /// Drops the rest of the next message. Returns its stream, the bytes that leave
    /// `bufferedAmount`, and its end as a fragment if a part of it was taken.
    pub(super) fn drop_next(&mut self) -> Option<(u16, usize, Option<Fragment>)> {
        let id = self.next_stream()?;
        let stream = self.streams.get_mut(&id)?;
        let rest = stream.queue.front()?.data.len();
        let begun = stream.taken > 0;
        let fragment = self.take(rest)?;
        let counted = fragment.counted;
        if !begun && fragment.ordered {
            // Nobody has seen its number.
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.next_ssn -= 1;
            }
        }
        Some((id, counted, begun.then_some(fragment)))
    }

    /// Takes at most `limit` bytes of the next message.
    pub(super) fn take(&mut self, limit: usize) -> Option<Fragment> {
        let id = self.next_stream()?;
        let stream = self.streams.get_mut(&id)?;
        let message = stream.queue.front_mut()?;
        let length = limit.min(message.data.len());
        let begins = stream.taken == 0;
        let data = message.data.split_to(length);
        let ends = message.data.is_empty();
        let fragment = Fragment {
            stream: id,
            ssn: if message.ordered { serial::low16(stream.next_ssn) } else { 0 },
            ppid: message.ppid,
            begins,
            ends,
            ordered: message.ordered,
            max_retransmits: message.max_retransmits,
            expires: message.expires,
            counted: if message.counted { data.len() } else { 0 },
            data,
        };
        if begins {
            self.ready.remove(&(stream.turn, id));
            self.virtual_time = self.virtual_time.max(stream.turn);
            self.current = Some(id);
        }
        stream.taken += length;
        if ends {
            if message.ordered {
                stream.next_ssn += 1;
            }
            stream.turn = self
                .virtual_time
                .saturating_add(
                    (stream.taken as u64).saturating_mul(256) / u64::from(stream.weight),
                )
                .saturating_add(1);
            stream.taken = 0;
            stream.queue.pop_front();
            self.current = None;
            if stream.queue.is_empty() {
                if stream.queue.capacity() > 64 {
                    stream.queue = VecDeque::new();
                }
            } else {
                self.ready.insert((stream.turn, id));
            }
        }
        Some(fragment)
    }

    /// The stream was reset: it starts with number zero (RFC 6525 §5.2.2).
    pub(super) fn reset(&mut self, stream: u16) {
        if self.is_stream_empty(stream) {
            self.streams.remove(&stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &'static str) -> Outgoing {
        Outgoing {
            ppid: 51,
            data: Bytes::from_static(text.as_bytes()),
            counted: true,
            ordered: true,
            max_retransmits: None,
            expires: None,
        }
    }

    fn drain(queue: &mut SendQueue, limit: usize) -> Vec<(u16, String)> {
        std::iter::from_fn(|| queue.take(limit))
            .map(|f| (f.stream, String::from_utf8_lossy(&f.data).into_owned()))
            .collect()
    }

    #[test]
    fn streams_take_turns_and_messages_are_not_interleaved() {
        let mut queue = SendQueue::default();
        for text in ["aaaa", "bbbb"] {
            queue.push(1, message(text));
            queue.push(2, message(text));
        }
        let order: Vec<_> = drain(&mut queue, 2).into_iter().map(|(id, _)| id).collect();
        assert_eq!(order, [1, 1, 2, 2, 1, 1, 2, 2]);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_stream_of_four_times_the_weight_sends_four_times_as_much() {
        let mut queue = SendQueue::default();
        queue.set_weight(1, 1024);
        for _ in 0..40 {
            queue.push(1, message("0123456789"));
            queue.push(2, message("0123456789"));
        }
        let first: Vec<_> = drain(&mut queue, 100).into_iter().take(25).collect();
        let heavy = first.iter().filter(|(id, _)| *id == 1).count();
        assert!((18..=21).contains(&heavy), "{heavy}");
    }

    #[test]
    fn an_idle_stream_saves_no_turns_up() {
        let mut queue = SendQueue::default();
        queue.push(1, message("x"));
        for _ in 0..100 {
            queue.push(2, message("0123456789"));
        }
        drain(&mut queue, 100);
        for _ in 0..4 {
            queue.push(1, message("0123456789"));
            queue.push(2, message("0123456789"));
        }
        let order: Vec<_> = drain(&mut queue, 100).into_iter().map(|(id, _)| id).collect();
        assert!(order[..4].contains(&2), "{order:?}");
    }

    #[test]
    fn a_dropped_message_leaves_no_hole_in_the_order() {
        let mut queue = SendQueue::default();
        queue.push(1, message("gone"));
        queue.push(1, message("here"));
        assert!(matches!(queue.drop_next(), Some((1, 4, None))));
        let fragment = queue.take(10).unwrap();
        assert_eq!((fragment.ssn, fragment.begins, fragment.ends), (0, true, true));

        queue.push(1, message("half"));
        queue.take(2);
        let (_, counted, end) = queue.drop_next().unwrap();
        assert_eq!(counted, 2);
        assert!(end.is_some_and(|end| end.ssn == 1 && end.ends && !end.begins));
    }
}
