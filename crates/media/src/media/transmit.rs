//! Datagrams on their way out.

use std::collections::VecDeque;

use bytes::BytesMut;

use crate::arena::Arena;
use crate::srtp::Unsendable;

/// Octets that may wait to be taken.
const WAITING: usize = 4 << 20;

/// Datagrams that wait to be taken.
#[derive(Debug)]
pub(super) struct Transmit {
    arena: Arena,
    headroom: usize,
    tailroom: usize,
    waiting: VecDeque<BytesMut>,
    octets: usize,
}

impl Transmit {
    pub(super) fn new(headroom: usize, tailroom: usize) -> Self {
        let (arena, waiting) = (Arena::default(), VecDeque::new());
        Self { arena, headroom, tailroom, waiting, octets: 0 }
    }

    /// Nobody takes what is made.
    pub(super) fn is_full(&self) -> bool {
        self.octets >= WAITING
    }

    pub(super) fn pop(&mut self) -> Option<(BytesMut, usize)> {
        let buffer = self.waiting.pop_front()?;
        self.octets -= buffer.len();
        Some((buffer, self.headroom))
    }

    /// Makes a datagram of some parts, with room for `overhead` octets, and gives it to `protect`.
    /// Returns what that made of it.
    pub(super) fn push(
        &mut self,
        parts: &[&[u8]],
        overhead: usize,
        protect: impl FnOnce(&mut [u8]) -> Result<(), Unsendable>,
    ) -> Result<&[u8], Unsendable> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>() + overhead;
        let end = self.headroom + length;
        let buffer = self.arena.buffer(end + self.tailroom);
        buffer.resize(self.headroom, 0);
        parts.iter().for_each(|part| buffer.extend_from_slice(part));
        buffer.resize(end, 0);
        protect(buffer.get_mut(self.headroom..).unwrap_or_default())?;
        // The tailroom becomes spare capacity.
        buffer.resize(end + self.tailroom, 0);
        let mut datagram = buffer.split();
        datagram.truncate(end);
        self.octets += datagram.len();
        self.waiting.push_back(datagram);
        let pushed = self.waiting.back().and_then(|datagram| datagram.get(self.headroom..));
        Ok(pushed.unwrap_or_default())
    }
}
