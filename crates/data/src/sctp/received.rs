//! Which transmission sequence numbers have arrived, and when to say so (RFC 9260 §6.2).

use std::collections::VecDeque;

use time::{Duration, Instant};

use super::serial;
use super::wire::{self, Writer};

/// How long an acknowledgement may wait for a second packet or for data to travel with.
const DELAY: Duration = Duration::from_millis(20);
/// Most gaps that are remembered: a chunk that would make another is dropped.
const MAX_RANGES: usize = 512;
/// Duplicates reported in one acknowledgement.
const MAX_DUPLICATES: usize = 16;

/// When to acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ack {
    Idle,
    /// One packet arrived; wait for a second one.
    Delayed(Instant),
    Now,
}

/// The receiving side of the sequence.
#[derive(Debug)]
pub(super) struct Received {
    /// Everything up to this number has arrived.
    cumulative: u64,
    /// What arrived above it: disjoint, rising, inclusive.
    ranges: VecDeque<(u64, u64)>,
    duplicates: Vec<u32>,
    /// Whether any DATA has arrived.
    begun: bool,
    ack: Ack,
    /// The window that the peer was told last.
    advertised: u32,
}

impl Received {
    pub(super) fn new(initial_tsn: u32, window: u32) -> Self {
        Self {
            cumulative: serial::first(initial_tsn) - 1,
            ranges: VecDeque::new(),
            duplicates: Vec::new(),
            begun: false,
            ack: Ack::Idle,
            advertised: window,
        }
    }

    pub(super) fn cumulative(&self) -> u64 {
        self.cumulative
    }

    pub(super) fn expand(&self, tsn: u32) -> u64 {
        serial::expand(self.cumulative, tsn)
    }

    /// Whether a number is new and may be recorded.
    pub(super) fn is_new(&self, tsn: u64) -> bool {
        if tsn <= self.cumulative {
            return false;
        }
        let index = self.ranges.partition_point(|&(_, end)| end < tsn);
        if self.ranges.get(index).is_some_and(|&(start, _)| start <= tsn) {
            return false;
        }
        // Gap blocks count in 16 bits from the cumulative number.
        tsn - self.cumulative < 0xffff
            && (self.ranges.len() < MAX_RANGES || tsn == self.cumulative + 1)
    }

    /// Whether a number fills a gap below one that has arrived.
    pub(super) fn fills_gap(&self, tsn: u64) -> bool {
        self.ranges.back().is_some_and(|&(_, end)| tsn < end)
    }

    pub(super) fn record_duplicate(&mut self, tsn: u32) {
        if self.duplicates.len() < MAX_DUPLICATES {
            self.duplicates.push(tsn);
        }
        // RFC 9260 §6.2: at once, for the last acknowledgement may be lost.
        self.ack = Ack::Now;
    }

    /// Records a number that [`is_new`](Self::is_new).
    pub(super) fn record(&mut self, tsn: u64) {
        if !self.begun {
            // RFC 9260 §5.1: the first DATA chunk of an association is acknowledged at once.
            self.begun = true;
            self.ack = Ack::Now;
        }
        if tsn == self.cumulative + 1 {
            self.cumulative = tsn;
            self.absorb();
            return;
        }
        let index = self.ranges.partition_point(|&(_, end)| end < tsn);
        let joins_next = self.ranges.get(index).is_some_and(|&(start, _)| start == tsn + 1);
        let joins_previous = index
            .checked_sub(1)
            .and_then(|previous| self.ranges.get(previous))
            .is_some_and(|&(_, end)| end + 1 == tsn);
        match (joins_previous, joins_next) {
            (true, true) => {
                if let Some((_, end)) = self.ranges.remove(index)
                    && let Some(previous) = self.ranges.get_mut(index - 1)
                {
                    previous.1 = end;
                }
            }
            (true, false) => {
                if let Some(previous) = self.ranges.get_mut(index - 1) {
                    previous.1 = tsn;
                }
            }
            (false, true) => {
                if let Some(next) = self.ranges.get_mut(index) {
                    next.0 = tsn;
                }
            }
            (false, false) => self.ranges.insert(index, (tsn, tsn)),
        }
    }

    /// The peer gave up everything up to `tsn` (RFC 3758 §3.6).
    pub(super) fn skip_to(&mut self, tsn: u64) {
        if tsn > self.cumulative {
            self.cumulative = tsn;
            self.absorb();
        }
    }

    /// Moves the cumulative number over ranges it has reached.
    fn absorb(&mut self) {
        while let Some(&(start, end)) = self.ranges.front() {
            if start > self.cumulative + 1 {
                break;
            }
            self.cumulative = self.cumulative.max(end);
            self.ranges.pop_front();
        }
    }

    /// A packet with DATA was handled.
    pub(super) fn on_packet(&mut self, now: Instant, immediate: bool) {
        self.ack = match self.ack {
            _ if immediate || !self.ranges.is_empty() => Ack::Now,
            Ack::Idle => Ack::Delayed(now + DELAY),
            Ack::Delayed(_) | Ack::Now => Ack::Now,
        };
    }

    pub(super) fn acknowledge_now(&mut self) {
        self.ack = Ack::Now;
    }

    /// Messages were read; a peer that waits for the window must hear of it.
    pub(super) fn on_window(&mut self, window: u32, mtu: u32, limit: u32) {
        let opened = window.saturating_sub(self.advertised);
        let was_closed = self.advertised < 4 * mtu && window >= 4 * mtu;
        if was_closed || opened >= limit / 2 {
            self.ack = Ack::Now;
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.ack {
            Ack::Delayed(at) => Some(at),
            _ => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.deadline().is_some_and(|at| at <= now) {
            self.ack = Ack::Now;
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.ack == Ack::Now
    }

    /// Whether there is an acknowledgement that data could take along.
    pub(super) fn is_pending(&self) -> bool {
        self.ack != Ack::Idle
    }

    /// Writes the acknowledgement (RFC 9260 §3.3.4), if `room` bytes are enough for one. What does
    /// not fit comes with a later one.
    pub(super) fn write(&mut self, window: u32, room: usize, writer: &mut Writer<'_>) {
        let Some(room) = room.checked_sub(wire::CHUNK_HEADER + 12) else { return };
        let blocks = self.ranges.len().min(room / 4);
        self.duplicates.truncate(room / 4 - blocks);
        writer.begin(wire::SACK, 0);
        writer.u32(serial::low(self.cumulative));
        writer.u32(window);
        writer.u16(blocks as u16);
        writer.u16(self.duplicates.len() as u16);
        for &(start, end) in self.ranges.iter().take(blocks) {
            writer.u16(serial::low16(start - self.cumulative));
            writer.u16(serial::low16(end - self.cumulative));
        }
        for tsn in self.duplicates.drain(..) {
            writer.u32(tsn);
        }
        writer.end();
        self.ack = Ack::Idle;
        self.advertised = window;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offsets of the gap blocks in the next acknowledgement, after its cumulative number.
    fn sack(received: &mut Received) -> (u32, Vec<(u16, u16)>) {
        let mut buffer = Vec::new();
        let mut writer = Writer::new(&mut buffer, 1, 1, 1);
        received.write(1000, 1000, &mut writer);
        writer.finish();
        let packet = wire::Packet::read(&buffer, true).unwrap();
        let mut reader = wire::Reader(packet.chunks().next().unwrap().value);
        let cumulative = reader.u32().unwrap();
        reader.u32().unwrap();
        let blocks = reader.u16().unwrap();
        reader.u16().unwrap();
        let gaps = (0..blocks).map(|_| (reader.u16().unwrap(), reader.u16().unwrap())).collect();
        (cumulative, gaps)
    }

    #[test]
    fn gaps_are_reported_until_they_are_filled_across_the_wrap() {
        let mut received = Received::new(u32::MAX - 1, 1000);
        let base = received.cumulative();
        for offset in [1, 3, 4, 6] {
            assert!(received.is_new(base + offset));
            received.record(base + offset);
        }
        assert_eq!(sack(&mut received), (u32::MAX - 1, vec![(2, 3), (5, 5)]));
        assert!(!received.is_new(base + 4));
        received.record(base + 5);
        received.record(base + 2);
        assert_eq!(sack(&mut received), (3, vec![]));
    }

    #[test]
    fn the_first_and_every_second_packet_is_acknowledged_at_once_and_one_alone_later() {
        let now = Instant::now();
        let mut received = Received::new(1, 1000);
        // Another chunk does not make the first DATA the second.
        received.acknowledge_now();
        sack(&mut received);
        received.record(serial::first(1));
        received.on_packet(now, false);
        assert!(received.is_due());
        sack(&mut received);
        received.record(serial::first(2));
        received.on_packet(now, false);
        assert!(!received.is_due());
        assert_eq!(received.deadline(), Some(now + DELAY));
        received.record(serial::first(3));
        received.on_packet(now, false);
        assert!(received.is_due());
        sack(&mut received);
        assert!(!received.is_pending());
        received.on_packet(now, true);
        assert!(received.is_due());
    }

    #[test]
    fn what_is_far_ahead_is_not_remembered() {
        let mut received = Received::new(1, 1000);
        assert!(!received.is_new(received.cumulative() + 0x1_0000));
        for i in 0..MAX_RANGES as u64 {
            received.record(received.cumulative() + 2 + 2 * i);
        }
        assert!(!received.is_new(received.cumulative() + 5000));
        assert!(received.is_new(received.cumulative() + 1));
    }

    #[test]
    fn a_window_that_opens_is_told() {
        let mut received = Received::new(1, 100_000);
        received.on_window(100_000, 1000, 100_000);
        assert!(!received.is_due(), "nothing new");
        sack(&mut received);
        received.on_window(3999, 1000, 100_000);
        assert!(!received.is_due(), "a little");
        received.on_window(4000, 1000, 100_000);
        assert!(received.is_due());
    }
}
