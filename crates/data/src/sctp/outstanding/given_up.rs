//! Messages that are given up: all of their fragments, and how far the peer need not wait
//! (RFC 3758 §3.5, RFC 8260 §2.3.1).

use std::collections::BTreeMap;

use bytes::Bytes;
use time::Instant;

use super::{Chunk, Outstanding, State};
use crate::sctp::data::Skip;
use crate::sctp::queue::Fragment;

/// Up to where everything was given up.
#[derive(Debug)]
pub(in crate::sctp) struct Advance {
    pub(in crate::sctp) tsn: u64,
    pub(in crate::sctp) skips: Vec<Skip>,
    /// Nothing that was given up is behind it.
    pub(in crate::sctp) is_all: bool,
}

impl Outstanding {
    /// Links a fragment with the one before it in its message. Returns how far behind that is.
    pub(super) fn link(&mut self, tsn: u64, fragment: &Fragment) -> u32 {
        if fragment.begins && fragment.ends {
            return 0;
        }
        let last = match (fragment.begins, self.interleaves) {
            (true, _) => None,
            (false, false) => Some(tsn - 1),
            (false, true) => self.unfinished.get(&fragment.stream).copied(),
        };
        if self.interleaves && fragment.ends {
            self.unfinished.remove(&fragment.stream);
        } else if self.interleaves {
            self.unfinished.insert(fragment.stream, tsn);
        }
        let Some(last) = last else { return 0 };
        // One that is acknowledged already is not there any more, nor are those before it.
        let Some(chunk) = self.get_mut(last) else { return 0 };
        chunk.next = u32::try_from(tsn - last).unwrap_or(0);
        chunk.next
    }

    /// Gives up what expired while it waited to be sent again.
    pub(in crate::sctp) fn abandon_expired(&mut self, now: Instant) {
        while self.may_abandon
            && let Some(&tsn) = self.lost.first()
            && self
                .get(tsn)
                .is_some_and(|chunk| chunk.fragment.expires.is_some_and(|expires| expires <= now))
        {
            self.abandon(tsn);
        }
    }

    /// RFC 3758 §3.5 A3: gives up every fragment of a message that was sent.
    pub(super) fn abandon(&mut self, tsn: u64) {
        let mut at = tsn;
        while let Some(chunk) = self.get(at)
            && chunk.previous > 0
            && at - u64::from(chunk.previous) >= self.first
        {
            at -= u64::from(chunk.previous);
        }
        while let Some(chunk) = self.get_mut(at) {
            let (state, packet, next) = (chunk.state, chunk.packet, chunk.next);
            let (stream, ends) = (chunk.fragment.stream, chunk.fragment.ends);
            let length = chunk.fragment.data.len();
            chunk.state = State::Abandoned;
            chunk.fragment.data = Bytes::new();
            self.leave(at, state, packet, length);
            if next == 0 {
                if !ends {
                    self.cut_off.push(stream);
                }
                break;
            }
            at += u64::from(next);
        }
    }

    /// A stream whose message was given up before all of it was sent.
    pub(in crate::sctp) fn take_cut_off(&mut self) -> Option<u16> {
        self.cut_off.pop()
    }

    /// Assigns a number to the end of a message that was given up unfinished. The end is never
    /// sent: the peer may have everything before it, and must still learn that the message is over.
    pub(in crate::sctp) fn push_abandoned(&mut self, now: Instant, mut fragment: Fragment) {
        fragment.data = Bytes::new();
        let tsn = self.last_assigned() + 1;
        let previous = self.link(tsn, &fragment);
        self.chunks.push_back(Chunk {
            fragment,
            state: State::Abandoned,
            sent: now,
            packet: 0,
            transmissions: 1,
            counted_lost: false,
            repeated: false,
            previous,
            next: 0,
        });
        // The fragments before it, if any are left, are given up with it.
        self.abandon(tsn);
    }

    /// RFC 3758 §3.5 C1, C2: whether something was given up right behind the cumulative
    /// acknowledgement.
    pub(in crate::sctp) fn has_advanced(&self) -> bool {
        self.chunks.front().is_some_and(|chunk| chunk.state == State::Abandoned)
    }

    pub(in crate::sctp) fn is_abandoned(&self, tsn: u64) -> bool {
        self.get(tsn).is_some_and(|chunk| chunk.state == State::Abandoned)
    }

    /// RFC 3758 §3.5 C1 to C4, RFC 8260 §2.3.1: up to where everything was given up, if that is
    /// beyond the cumulative acknowledgement, and the last message of each stream among that. If
    /// there are more than `most` streams, it is not as far (RFC 3758 §3.5 C4).
    pub(in crate::sctp) fn advance(&self, most: usize) -> Option<Advance> {
        let mut skips: BTreeMap<(u16, bool), u32> = BTreeMap::new();
        let (mut given_up, mut is_all) = (0, true);
        for chunk in self.chunks.iter().take_while(|chunk| chunk.state == State::Abandoned) {
            let Fragment { stream, message, ordered, .. } = chunk.fragment;
            if ordered || self.interleaves {
                let key = (stream, !ordered);
                if skips.len() >= most && !skips.contains_key(&key) {
                    is_all = false;
                    break;
                }
                // Numbers of one stream rise with the transmission sequence numbers.
                skips.insert(key, message);
            }
            given_up += 1;
        }
        let skips = skips.into_iter().map(|((stream, unordered), message)| Skip {
            stream,
            unordered,
            message,
        });
        let tsn = self.cumulative() + given_up;
        (given_up > 0).then(|| Advance { tsn, skips: skips.collect(), is_all })
    }
}
