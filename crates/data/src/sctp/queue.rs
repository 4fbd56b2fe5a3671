//! Messages that wait to be sent: one queue per stream, and whose turn it is (RFC 8831 §6.4,
//! RFC 8260 §3.6).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use time::Instant;

use super::serial;

/// A message of so many bytes is sent in one packet, or nearly.
const SHORT: usize = 1024;

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

/// A piece of a message, to be sent as one chunk.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    pub(super) stream: u16,
    /// The number of the message among the ordered or the unordered ones of its stream: a message
    /// identifier. Its lower half is the stream sequence number of an ordered message.
    pub(super) message: u32,
    /// The number of the fragment in its message.
    pub(super) fsn: u32,
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
    /// Bytes and fragments that were taken from the first message. The message has only the rest.
    taken: usize,
    fragments: u32,
    /// The numbers of the next message: they rise apart (RFC 8260 §2.1).
    next_ordered: u64,
    next_unordered: u64,
    weight: u16,
    /// The virtual time at which it is next.
    turn: u64,
}

impl Stream {
    fn next_number(&mut self, ordered: bool) -> &mut u64 {
        if ordered { &mut self.next_ordered } else { &mut self.next_unordered }
    }
}

/// Messages of different streams that are sent in turns, a fragment each.
#[derive(Debug)]
struct Interleaving {
    /// Bytes of all messages that are sent in part.
    begun: usize,
    /// How many that may be. The peer holds them until they are whole: if they filled its window,
    /// none would ever be. One message alone may have any size.
    most: usize,
}

/// All streams.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    /// Boxed: a node of the map reserves room for eleven.
    streams: BTreeMap<u16, Box<Stream>>,
    /// Streams with messages, by their turn.
    ready: BTreeSet<(u64, u16)>,
    /// Those whose next message adds to the messages that are sent in part.
    long: BTreeSet<(u64, u16)>,
    /// The stream from whose message a part was taken last, with its turn. It is in no list. Without
    /// interleaving the message is finished first.
    current: Option<(u64, u16)>,
    virtual_time: u64,
    interleaving: Option<Interleaving>,
}

impl SendQueue {
    /// Sets the weight of a stream; 256 is the normal one.
    pub(super) fn set_weight(&mut self, stream: u16, weight: u16) {
        self.stream(stream).weight = weight.max(1);
    }

    /// Interleaves messages, if there is a `window`: that of the peer. Nothing has been taken yet.
    pub(super) fn interleave(&mut self, window: Option<u32>) {
        // The other half of the window is for messages that are sent whole and have a gap.
        let most = window.map(|window| window as usize / 2);
        self.interleaving = most.map(|most| Interleaving { begun: 0, most });
        for (_, id) in
            std::mem::take(&mut self.ready).into_iter().chain(std::mem::take(&mut self.long))
        {
            self.enlist(id);
        }
    }

    fn stream(&mut self, stream: u16) -> &mut Stream {
        let turn = self.virtual_time;
        self.streams.entry(stream).or_insert_with(|| {
            Box::new(Stream {
                queue: VecDeque::new(),
                taken: 0,
                fragments: 0,
                next_ordered: serial::FIRST_TURN,
                next_unordered: serial::FIRST_TURN,
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
            self.enlist(id);
        }
    }

    /// Puts a stream where it waits for its turn, if it has something to send.
    fn enlist(&mut self, id: u16) {
        let Some(stream) = self.streams.get(&id) else { return };
        let Some(message) = stream.queue.front() else { return };
        let adds = self.interleaving.is_some() && stream.taken == 0 && message.data.len() > SHORT;
        let list = if adds { &mut self.long } else { &mut self.ready };
        list.insert((stream.turn, id));
    }

    /// Gives back the memory of what does not wait any more.
    pub(super) fn rest(&mut self) {
        for set in [&mut self.ready, &mut self.long] {
            if set.is_empty() {
                // An empty set keeps its last node.
                *set = BTreeSet::new();
            }
        }
        self.streams.values_mut().for_each(|stream| stream.queue.shrink_to_fit());
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.long.is_empty() && self.current.is_none()
    }

    /// Whether nothing waits on a stream.
    pub(super) fn is_stream_empty(&self, stream: u16) -> bool {
        self.streams.get(&stream).is_none_or(|stream| stream.queue.is_empty())
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = u16> {
        self.streams.keys().copied()
    }

    /// Whose turn it is. There is one unless nothing waits: as long as no message is sent in part,
    /// any may begin.
    fn next_stream(&self) -> Option<u16> {
        let current = self.current.as_ref();
        if current.is_some() && self.interleaving.is_none() {
            return current.map(|&(_, id)| id);
        }
        let long = self.long.first().filter(|&&(_, id)| self.may_begin(id));
        [current, self.ready.first(), long].into_iter().flatten().min().map(|&(_, id)| id)
    }

    fn may_begin(&self, id: u16) -> bool {
        let Some(Interleaving { begun, most }) = self.interleaving else { return true };
        let message = self.streams.get(&id).and_then(|stream| stream.queue.front());
        begun == 0 || message.is_some_and(|message| begun + message.data.len() <= most)
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
        let begun = stream.taken > 0;
        let fragment = self.take_from(id, usize::MAX)?;
        let counted = fragment.counted;
        if !begun && let Some(stream) = self.streams.get_mut(&id) {
            // Nobody has seen its number.
            *stream.next_number(fragment.ordered) -= 1;
        }
        Some((id, counted, begun.then_some(fragment)))
    }

    /// Drops the rest of the message that a stream has sent in part, if there is one. Returns the
    /// bytes that leave `bufferedAmount`, and its end as a fragment.
    pub(super) fn drop_begun(&mut self, id: u16) -> Option<(usize, Fragment)> {
        self.streams.get(&id).filter(|stream| stream.taken > 0)?;
        let fragment = self.take_from(id, usize::MAX)?;
        Some((fragment.counted, fragment))
    }

    /// Takes at most `limit` bytes of the next message.
    pub(super) fn take(&mut self, limit: usize) -> Option<Fragment> {
        self.take_from(self.next_stream()?, limit)
    }

    fn take_from(&mut self, id: u16, limit: usize) -> Option<Fragment> {
        let was_current = self.current.is_some_and(|(_, current)| current == id);
        if !was_current && let Some((_, other)) = self.current.take() {
            self.enlist(other);
        }
        let stream = self.streams.get_mut(&id)?;
        let message = stream.queue.front_mut()?;
        let whole = message.data.len();
        let length = limit.min(whole);
        let begins = stream.taken == 0;
        let data = message.data.split_to(length);
        let ends = message.data.is_empty();
        let ordered = message.ordered;
        let fragment = Fragment {
            stream: id,
            ppid: message.ppid,
            fsn: stream.fragments,
            begins,
            ends,
            ordered,
            max_retransmits: message.max_retransmits,
            expires: message.expires,
            counted: if message.counted { data.len() } else { 0 },
            data,
            message: serial::low(*stream.next_number(ordered)),
        };
        stream.taken += length;
        stream.fragments = stream.fragments.wrapping_add(1);
        if !was_current {
            let listed = (stream.turn, id);
            let _ = (begins && self.long.remove(&listed)) || self.ready.remove(&listed);
        }
        self.virtual_time = self.virtual_time.max(stream.turn);
        // Who pays for what: a fragment if others may come between it and the next one.
        let (total, mut served) = (stream.taken, Some(length));
        match &mut self.interleaving {
            Some(interleaving) if begins && !ends => interleaving.begun += whole,
            Some(interleaving) if ends && !begins => {
                interleaving.begun = interleaving.begun.saturating_sub(total);
            }
            Some(_) => {}
            None => served = ends.then_some(total),
        }
        if let Some(served) = served {
            // RFC 8260 §3.6: weighted fair queueing.
            let cost = (served as u64).saturating_mul(256) / u64::from(stream.weight);
            stream.turn = self.virtual_time.saturating_add(cost).saturating_add(1);
        }
        self.current = (!ends).then_some((stream.turn, id));
        if ends {
            *stream.next_number(ordered) += 1;
            stream.taken = 0;
            stream.fragments = 0;
            stream.queue.pop_front();
            if stream.queue.is_empty() && stream.queue.capacity() > 64 {
                stream.queue = VecDeque::new();
            }
            self.enlist(id);
        }
        Some(fragment)
    }

    /// The stream was reset: it starts with number zero (RFC 6525 §5.2.2, RFC 8260 §2.3.2).
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
    fn interleaved_streams_take_turns_by_their_weights_with_each_fragment() {
        let mut queue = SendQueue::default();
        queue.interleave(Some(1 << 20));
        queue.set_weight(2, 512);
        let long = || Outgoing { data: vec![b'x'; 3000].into(), ..message("") };
        for stream in [1, 2] {
            queue.push(stream, long());
        }
        let mut order = Vec::new();
        for _ in 0..3 {
            order.push(queue.take(1000).unwrap().stream);
        }
        // A short one is next, whatever was begun.
        queue.push(3, message("short"));
        while let Some(fragment) = queue.take(1000) {
            order.push(fragment.stream);
        }
        assert_eq!(order, [1, 2, 2, 3, 1, 2, 1]);
        assert!(queue.is_empty());
    }

    #[test]
    fn long_messages_are_begun_as_far_as_the_window_of_the_peer_goes() {
        let mut queue = SendQueue::default();
        let sized = |size: usize| Outgoing { data: vec![b'x'; size].into(), ..message("") };
        // Queued before the peer is known.
        for stream in 1..=4 {
            queue.push(stream, sized(4000));
        }
        queue.interleave(Some(20_000));
        let begun = |queue: &mut SendQueue, count| {
            let streams: BTreeSet<u16> =
                (0..count).filter_map(|_| queue.take(1000)).map(|f| f.stream).collect();
            streams.into_iter().collect::<Vec<_>>()
        };
        // Two of 4,000 bytes are within the half of 20,000, three are not.
        assert_eq!(begun(&mut queue, 7), [1, 2]);
        // The end of the first makes room for the third, and a message that is given up as well.
        assert_eq!(begun(&mut queue, 2), [2, 3]);
        assert!(queue.drop_begun(3).is_some() && queue.drop_begun(3).is_none());
        assert_eq!(begun(&mut queue, 4), [4]);
        assert!(queue.is_empty());
        // One alone may have any size.
        queue.push(1, sized(100_000));
        queue.push(2, sized(4000));
        assert_eq!(begun(&mut queue, 100), [1]);
        assert_eq!(begun(&mut queue, 100), [2]);
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
        assert_eq!((fragment.message, fragment.begins, fragment.ends), (0, true, true));

        queue.push(1, message("half"));
        queue.take(2);
        let (_, counted, end) = queue.drop_next().unwrap();
        assert_eq!(counted, 2);
        assert!(end.is_some_and(|end| end.message == 1 && end.ends && !end.begins));
    }
}
