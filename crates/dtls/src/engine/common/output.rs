//! What an engine has to say, in its order.

use std::collections::VecDeque;
use std::ops::Range;

use time::Instant;

use super::plaintext::Plaintext;
use crate::engine::Said;
use crate::srtp::SrtpKeys;

/// What [`Output::say`] will say.
pub(crate) enum Queued {
    Packet(Vec<u8>),
    Certificate(Vec<u8>),
    Connected,
    /// A part of what was opened.
    Data(Range<usize>),
    KeyingMaterial(SrtpKeys),
    CloseNotify,
}

#[derive(Default)]
pub(crate) struct Output {
    queue: VecDeque<Queued>,
    /// What was opened and is still to be told.
    pub(crate) opened: Plaintext,
}

impl Output {
    pub(crate) fn push(&mut self, queued: Queued) {
        self.queue.push_back(queued);
    }

    pub(crate) fn extend(&mut self, queued: impl IntoIterator<Item = Queued>) {
        self.queue.extend(queued);
    }

    /// Says what is next. When that is nothing, it says when `timers` are due.
    pub(crate) fn say(&mut self, timers: Option<Instant>) -> Said<'_> {
        match self.queue.pop_front() {
            Some(Queued::Packet(packet)) => Said::Datagram(packet),
            Some(Queued::Certificate(certificate)) => Said::PeerCertificate(certificate),
            Some(Queued::Connected) => Said::Connected,
            Some(Queued::Data(range)) => Said::Data(self.opened.get(range)),
            Some(Queued::KeyingMaterial(keys)) => Said::KeyingMaterial(keys),
            Some(Queued::CloseNotify) => Said::CloseNotify,
            None => {
                self.opened.clear();
                Said::Timeout(timers)
            }
        }
    }

    /// Gives back the memory of which nothing is used.
    pub(crate) fn rest(&mut self) {
        self.opened.rest();
        self.queue.shrink_to_fit();
    }

    /// Forgets what is queued.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    /// The datagrams that are still to be sent.
    pub(crate) fn into_datagrams(self) -> Vec<Vec<u8>> {
        let packets = self.queue.into_iter().filter_map(|queued| match queued {
            Queued::Packet(packet) => Some(packet),
            _ => None,
        });
        packets.collect()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.opened.used() == 0
    }
}
