//! What of a source has come, and how evenly (RFC 3550 appendix A).

use time::{Duration, Instant};

use crate::clock::ticks;

/// Numbers that a packet may be behind: what SRTP lets through. One further behind is ahead.
const LATEST: u16 = 1_984;
/// A gap that is longer is a source that began anew, and no loss (RFC 3550 §A.1, `MAX_DROPOUT`).
const LONGEST_GAP: u64 = 3_000;
/// A distance between two timestamps that is longer says nothing of the path.
const LONGEST_TRANSIT: Duration = Duration::from_secs(5);
/// One turn of the sequence number. The first packet is of the turn 1, for others to be behind it.
const TURN: u64 = 1 << 16;

/// The sequence of one source.
#[derive(Debug)]
pub(crate) struct Reception {
    /// The first number that counts, and the highest, with turns in the upper bits.
    base: u64,
    highest: u64,
    received: u64,
    /// Both at the last report.
    expected_before: u64,
    received_before: u64,
    /// When the first packet of the last timestamp came.
    last: Option<Arrival>,
    /// In 1/16 of a tick (§A.8).
    jitter: u32,
}

#[derive(Debug, Clone, Copy)]
struct Arrival {
    at: Instant,
    timestamp: u32,
    clock_rate: u32,
}

/// What a report block says of losses (RFC 3550 §A.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) fraction: u8,
    pub(crate) cumulative: i32,
}

impl Reception {
    /// Before the first packet, which has this number. It is taken at once: RFC 3550 §A.1 waits for
    /// a second one, since nobody has authenticated it.
    pub(crate) fn new(number: u16) -> Self {
        let first = TURN + u64::from(number);
        Self {
            base: first,
            highest: first,
            received: 0,
            expected_before: 0,
            received_before: 0,
            last: None,
            jitter: 0,
        }
    }

    /// The number of a packet with its turns.
    pub(crate) fn extend(&self, number: u16) -> u64 {
        let highest = (self.highest & 0xffff) as u16;
        let behind = highest.wrapping_sub(number);
        match self.highest.checked_sub(behind.into()) {
            Some(late) if behind < LATEST => late,
            _ => self.highest + u64::from(number.wrapping_sub(highest)),
        }
    }

    /// The highest number.
    pub(crate) fn highest(&self) -> u64 {
        self.highest
    }

    /// Counts a packet. Returns whether it is the first of a new timestamp, in order.
    pub(crate) fn count(&mut self, now: Instant, number: u64, timestamp: u32, rate: u32) -> bool {
        self.received += 1;
        if number > self.highest {
            let gap = number - self.highest;
            if gap > LONGEST_GAP {
                // What lies between was never sent.
                self.base += gap - 1;
            }
            self.highest = number;
        } else if number < self.base {
            self.base = number;
        }
        let is_newest = number == self.highest;
        if !is_newest || self.last.is_some_and(|last| last.timestamp == timestamp) {
            return false;
        }
        let arrival = Arrival { at: now, timestamp, clock_rate: rate };
        if let Some(last) = self.last.replace(arrival).filter(|last| last.clock_rate == rate) {
            self.count_jitter(last, arrival);
        }
        true
    }

    /// §A.8. Only the first packet of a timestamp counts, as in browsers: the others of a picture
    /// are held back by the sender, not by the path.
    fn count_jitter(&mut self, last: Arrival, new: Arrival) {
        let longest = i64::from(ticks(LONGEST_TRANSIT, new.clock_rate));
        let sent = i64::from(new.timestamp.wrapping_sub(last.timestamp).cast_signed());
        let since = new.at.saturating_duration_since(last.at);
        if since > LONGEST_TRANSIT || sent.abs() > longest {
            return;
        }
        let transit = (i64::from(ticks(since, new.clock_rate)) - sent).unsigned_abs();
        let transit = u32::try_from(transit).unwrap_or(u32::MAX >> 5);
        self.jitter = self.jitter.saturating_add(transit).saturating_sub((self.jitter + 8) >> 4);
    }

    /// The jitter, in ticks.
    pub(crate) fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    /// The jitter, in seconds.
    pub(crate) fn jitter_seconds(&self) -> f64 {
        let rate = self.last.map_or(0, |last| last.clock_rate);
        if rate == 0 { 0.0 } else { f64::from(self.jitter) / 16.0 / f64::from(rate) }
    }

    fn expected(&self) -> u64 {
        self.highest - self.base + 1
    }

    /// Packets that did not come.
    pub(crate) fn lost(&self) -> i64 {
        if self.received == 0 {
            return 0;
        }
        self.expected().cast_signed() - self.received.cast_signed()
    }

    /// What a report says now, and what the next one counts from (§A.3).
    pub(crate) fn report(&mut self) -> Losses {
        let expected = self.expected().saturating_sub(self.expected_before);
        let received = self.received - self.received_before;
        (self.expected_before, self.received_before) = (self.expected(), self.received);
        let lost = expected.saturating_sub(received);
        let fraction = (lost << 8).checked_div(expected).unwrap_or(0);
        let cumulative = self.lost().clamp(-0x80_0000, 0x7f_ffff);
        Losses {
            fraction: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative: i32::try_from(cumulative).unwrap_or(0),
        }
    }

    /// The highest number as reports have it: turns since the first packet.
    pub(crate) fn extended_highest(&self) -> u32 {
        (self.highest.saturating_sub(TURN) & 0xffff_ffff) as u32
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The example of RFC 3550 §A.3: the fraction is that since the last report.
    #[test]
    fn losses_since_the_last_report() {
        let (now, mut reception) = (Instant::now(), Reception::new(65_530));
        let take = |reception: &mut Reception, number: u16| {
            let extended = reception.extend(number);
            reception.count(now, extended, 0, 90_000);
        };
        assert_eq!(reception.lost(), 0);
        [65_530, 65_531, 65_534, 1].into_iter().for_each(|number| take(&mut reception, number));
        let losses = reception.report();
        assert_eq!((losses.cumulative, losses.fraction), (4, 128));
        assert_eq!(reception.extended_highest(), 65_537);
        // One of them was late, and nothing was lost since.
        [0, 2].into_iter().for_each(|number| take(&mut reception, number));
        let losses = reception.report();
        assert_eq!((losses.cumulative, losses.fraction), (3, 0));
        // Packets that come twice make losses negative.
        [2, 2, 2, 2, 2].into_iter().for_each(|number| take(&mut reception, number));
        let losses = reception.report();
        assert_eq!((losses.cumulative, losses.fraction), (-2, 0));
    }

    /// RFC 3550 §A.8, by hand: J += (|D| - J) / 16.
    #[test]
    fn the_jitter_of_packets_that_come_unevenly() {
        let (began, mut reception) = (Instant::now(), Reception::new(0));
        let mut expected = 0.0_f64;
        for number in 0..200_u16 {
            let late = if number % 2 == 0 { 0 } else { 5 };
            let at = began + Duration::from_millis(20 * u64::from(number) + late);
            let extended = reception.extend(number);
            reception.count(at, extended, 160 * u32::from(number), 8_000);
            if number > 0 {
                expected += (40.0 - expected) / 16.0;
            }
        }
        let jitter = reception.jitter_seconds() * 8_000.0;
        assert!((jitter - expected).abs() < 1.0, "{jitter} {expected}");
        assert!((f64::from(reception.jitter()) - expected).abs() < 1.5);
        // A leap of the timestamp is no jitter of the path.
        let extended = reception.extend(200);
        reception.count(began + Duration::from_secs(4), extended, 1 << 30, 8_000);
        assert!(reception.jitter_seconds() * 8_000.0 <= jitter);
    }

    proptest! {
        /// Numbers are extended rightly, and what is lost is what did not come.
        #[test]
        fn any_network(
            first: u16,
            packets in prop::collection::vec(
                (1..50_u64, prop::bool::weighted(0.2), 0..20_usize),
                2..200,
            ),
        ) {
            let now = Instant::now();
            let mut number = u64::from(first);
            let mut arrivals = Vec::new();
            for (place, (step, is_lost, late)) in packets.into_iter().enumerate() {
                if !is_lost {
                    arrivals.push((place + late, number));
                }
                number += step;
            }
            arrivals.sort_by_key(|(at, _)| *at);
            let Some((_, first)) = arrivals.first().copied() else { return Ok(()) };
            let mut reception = Reception::new((first & 0xffff) as u16);
            let difference = TURN + (first & 0xffff);
            let mut came = BTreeSet::new();
            for (_, number) in arrivals {
                let extended = reception.extend((number & 0xffff) as u16);
                prop_assert_eq!(extended + first, number + difference);
                reception.count(now, extended, 0, 90_000);
                came.insert(number);
                let expected = came.last().unwrap() - came.first().unwrap() + 1;
                let lost = expected.cast_signed() - i64::try_from(came.len()).unwrap();
                prop_assert_eq!(reception.lost(), lost);
            }
        }
    }
}
