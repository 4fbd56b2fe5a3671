//! Which packets were sent, in their order, and which of them are lost (RFC 8985, RFC 9002 §6.1).
//!
//! A packet is lost if one that was sent later has arrived and either three more have been sent in
//! between, or it is late by a part of the round trip. Once packets are seen to overtake each other
//! on this path, only time counts. The window for that grows when a loss turns out to be none.
//!
//! The record is kept by packet and not by chunk: a packet may have many small chunks. It is looked
//! at from its oldest packet on, as far as there are losses, so the work for an acknowledgement does
//! not grow with what is under way.

use std::collections::VecDeque;

use time::{Duration, Instant};

use super::rate::Snapshot;
use super::rtt::Rtt;

/// Packets sent later that must be acknowledged before one counts as lost (RFC 8985 §6.2).
const THRESHOLD: u64 = 3;
/// The most quarters of a round trip to wait for what may have been overtaken.
const MAX_QUARTERS: u32 = 8;
/// Timers are no finer.
const GRANULARITY: Duration = Duration::from_millis(1);

/// A packet with DATA.
#[derive(Debug)]
struct Sent {
    at: Snapshot,
    /// Its chunks are among these numbers.
    first: u64,
    last: u64,
    /// How many of them are under way in this packet.
    in_flight: u32,
}

/// A packet that is lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct LostPacket {
    pub(super) number: u64,
    /// Its chunks are among these numbers.
    pub(super) first: u64,
    pub(super) last: u64,
    /// Bytes that were under way when it was sent.
    pub(super) in_flight: usize,
}

/// What was sent, by packet.
#[derive(Debug)]
pub(super) struct Packets {
    /// The number of the first packet here.
    first: u64,
    sent: VecDeque<Sent>,
    /// The packet sent last among those that arrived.
    newest: Option<u64>,
    /// The highest number of a chunk that arrived.
    highest: u64,
    /// How many quarters of the shortest round trip a packet may be late; `None` as long as none
    /// was seen to be overtaken.
    quarters: Option<u32>,
    /// When the next packet will be late enough.
    late_at: Option<Instant>,
}

impl Packets {
    pub(super) fn new() -> Self {
        Self {
            first: 1,
            sent: VecDeque::new(),
            newest: None,
            highest: 0,
            quarters: None,
            late_at: None,
        }
    }

    /// Begins a packet.
    #[inline]
    pub(super) fn begin(&mut self, at: Snapshot) {
        self.trim();
        self.sent.push_back(Sent { at, first: u64::MAX, last: 0, in_flight: 0 });
    }

    /// The number of the packet that is being written.
    pub(super) fn current(&self) -> u64 {
        (self.first + self.sent.len() as u64).saturating_sub(1)
    }

    /// A chunk goes into the packet that is being written; then so much is under way.
    pub(super) fn add(&mut self, tsn: u64, in_flight: usize) {
        if let Some(packet) = self.sent.back_mut() {
            packet.first = packet.first.min(tsn);
            packet.last = packet.last.max(tsn);
            packet.in_flight += 1;
            packet.at.in_flight = in_flight;
        }
    }

    fn get(&self, number: u64) -> Option<&Sent> {
        self.sent.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    pub(super) fn snapshot(&self, number: u64) -> Option<Snapshot> {
        self.get(number).map(|packet| packet.at)
    }

    /// A chunk of this packet is not under way any more.
    pub(super) fn leave(&mut self, number: u64) {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(packet) = index.and_then(|index| self.sent.get_mut(index)) {
            packet.in_flight = packet.in_flight.saturating_sub(1);
        }
    }

    /// Forgets the oldest packets of which nothing is under way.
    fn trim(&mut self) {
        while self.sent.front().is_some_and(|packet| packet.in_flight == 0) {
            self.sent.pop_front();
            self.first += 1;
        }
    }

    /// Gives back the memory of packets of which nothing is under way.
    pub(super) fn rest(&mut self) {
        self.trim();
        self.sent.shrink_to_fit();
    }

    /// A chunk arrived in this packet; `once` if it was sent in no other.
    #[inline]
    pub(super) fn on_arrival(&mut self, number: u64, tsn: u64, once: bool) {
        // RFC 8985 §6.2 step 3.
        if once && tsn < self.highest && self.quarters.is_none() {
            self.quarters = Some(1);
        }
        self.highest = self.highest.max(tsn);
        self.newest = self.newest.max(Some(number));
    }

    /// A loss was none: the window grows.
    pub(super) fn on_spurious(&mut self) {
        let quarters = self.quarters.map_or(1, |quarters| quarters + 1);
        self.quarters = Some(quarters.min(MAX_QUARTERS));
    }

    /// Another path may not let packets overtake each other.
    pub(super) fn on_path_change(&mut self) {
        self.quarters = None;
    }

    pub(super) fn late_at(&self) -> Option<Instant> {
        self.late_at
    }

    pub(super) fn stop_timer(&mut self) {
        self.late_at = None;
    }

    /// RFC 8985 §6.2 steps 4 and 5: takes out the next packet that is lost. After the last one,
    /// [`late_at`](Self::late_at) says when to look again.
    pub(super) fn next_lost(&mut self, now: Instant, rtt: &Rtt) -> Option<LostPacket> {
        self.late_at = None;
        self.trim();
        let newest = self.newest.filter(|newest| self.first < *newest)?;
        let quarter = rtt.minimum() / 4;
        let window = (quarter * self.quarters.unwrap_or(1)).min(rtt.smoothed().unwrap_or(quarter));
        let delay = rtt.latest() + window.max(GRANULARITY);
        for (number, packet) in (self.first..newest).zip(&mut self.sent) {
            if packet.in_flight == 0 {
                continue;
            }
            let late = packet.at.sent + delay;
            if late > now && (self.quarters.is_some() || newest - number < THRESHOLD) {
                self.late_at = Some(late);
                return None;
            }
            // Whoever takes it out of the books finds nothing left here.
            packet.in_flight = 0;
            let (first, last, in_flight) = (packet.first, packet.last, packet.at.in_flight);
            return Some(LostPacket { number, first, last, in_flight });
        }
        None
    }

    /// Gives back memory that a burst took.
    pub(super) fn shrink(&mut self) {
        self.trim();
        if self.sent.is_empty() && self.sent.capacity() > 64 {
            self.sent = VecDeque::new();
        }
    }
}
