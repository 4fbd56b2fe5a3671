//! The sequence numbers and timestamps of a source of ours.

use time::{Duration, Instant};

use crate::clock::ticks;

/// Numbers that an origin may skip, or be late by. A longer way is a new beginning: receivers take
/// it for one (RFC 3550 §A.1, `MAX_DROPOUT`).
const LONGEST_GAP: u64 = 3_000;

/// Makes one sequence of whatever is sent with one SSRC.
///
/// Packets of one origin keep their distances, so that a receiver sees which of them were lost
/// before they came here. Another origin goes on with the next number, and with the timestamp
/// that the time since then makes. No number goes out twice or goes back to an older origin, which
/// makes receivers stand still.
#[derive(Debug)]
pub(crate) struct Numbers {
    first_number: u16,
    first_timestamp: u32,
    newest: Option<Newest>,
    /// Nothing was sent for a while: what comes next goes on, whatever its origin.
    is_interrupted: bool,
}

/// The packet with the highest number.
#[derive(Debug, Clone, Copy)]
struct Newest {
    origin: u64,
    /// Its number at its origin, and ours, which counts turns.
    number_there: u16,
    number: u64,
    /// The lowest number that belongs to the origin.
    lowest: u64,
    /// The highest number that went out.
    sent: u64,
    /// What is added to the timestamps of the origin.
    offset: u32,
    timestamp: u32,
    clock: Clock,
}

/// Which timestamp was when.
#[derive(Debug, Clone, Copy)]
struct Clock {
    timestamp: u32,
    at: Instant,
    rate: u32,
}

impl Clock {
    fn at(&self, now: Instant) -> u32 {
        let since = now.saturating_duration_since(self.at);
        self.timestamp.wrapping_add(ticks(since, self.rate))
    }
}

/// What a packet has been given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// The sequence number, with turns in the upper bits.
    pub(crate) number: u64,
    pub(crate) timestamp: u32,
    /// It is the first packet of its timestamp.
    pub(crate) begins_frame: bool,
}

/// Where a packet stands at its origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) origin: u64,
    pub(crate) number: u16,
    pub(crate) timestamp: u32,
    pub(crate) clock_rate: u32,
}

impl Numbers {
    /// The first packet gets these. Receivers take the first number that they see for one of the
    /// first turn (RFC 3711 §3.3.1), so it is below 2¹⁵.
    pub(crate) fn new(first_number: u16, first_timestamp: u32) -> Self {
        Self {
            first_number: first_number & 0x7fff,
            first_timestamp,
            newest: None,
            is_interrupted: false,
        }
    }

    /// The origin may go on, and none of what it has until it may again will be sent. That is no
    /// loss which a receiver should ask for.
    pub(crate) fn interrupt(&mut self) {
        self.is_interrupted = true;
    }

    /// Numbers a packet. `None` if its number may be that of another one: it comes too late. If the
    /// packet does not go out, `is_sent` is false.
    pub(crate) fn give(&mut self, now: Instant, place: Place, is_sent: bool) -> Option<Numbered> {
        let Some(newest) = self.newest else {
            let (number, timestamp) = (u64::from(self.first_number), self.first_timestamp);
            if is_sent {
                // What comes late may have come before this one.
                self.begin(now, place, number, timestamp, 0);
            }
            return Some(Numbered { number, timestamp, begins_frame: true });
        };
        let ahead = u64::from(place.number.wrapping_sub(newest.number_there));
        let behind = u64::from(newest.number_there.wrapping_sub(place.number));
        let is_interrupted = std::mem::take(&mut self.is_interrupted);
        if is_interrupted || place.origin != newest.origin || ahead.min(behind) > LONGEST_GAP {
            let since = ticks(now.saturating_duration_since(newest.clock.at), place.clock_rate);
            let timestamp = newest.clock.timestamp.wrapping_add(since.max(1));
            let number = newest.sent + 1;
            self.begin(now, place, number, timestamp, number);
            self.newest.iter_mut().for_each(|new| new.sent = newest.sent);
            self.count_sent(number, is_sent);
            return Some(Numbered { number, timestamp, begins_frame: true });
        }
        let timestamp = place.timestamp.wrapping_add(newest.offset);
        if ahead == 0 || ahead > LONGEST_GAP {
            let number = newest.number.checked_sub(behind).filter(|n| *n >= newest.lowest)?;
            self.count_sent(number, is_sent);
            return Some(Numbered { number, timestamp, begins_frame: false });
        }
        let mut number = newest.number + ahead;
        let mut lowest = newest.lowest;
        // After a long time in which nothing could be sent, the gap would confuse the counting of
        // turns.
        if is_sent && number - newest.sent > LONGEST_GAP {
            (number, lowest) = (newest.sent + 1, newest.sent + 1);
        }
        let begins_frame = timestamp != newest.timestamp;
        let clock = clock(newest.clock, now, timestamp, place.clock_rate);
        let (sent, number_there) = (if is_sent { number } else { newest.sent }, place.number);
        self.newest =
            Some(Newest { number_there, number, lowest, sent, timestamp, clock, ..newest });
        Some(Numbered { number, timestamp, begins_frame })
    }

    /// Begins an origin.
    fn begin(&mut self, at: Instant, place: Place, number: u64, timestamp: u32, lowest: u64) {
        self.newest = Some(Newest {
            origin: place.origin,
            number_there: place.number,
            number,
            lowest,
            sent: number,
            offset: timestamp.wrapping_sub(place.timestamp),
            timestamp,
            clock: Clock { timestamp, at, rate: place.clock_rate },
        });
    }

    fn count_sent(&mut self, number: u64, is_sent: bool) {
        let newest = self.newest.as_mut().filter(|_| is_sent);
        newest.into_iter().for_each(|newest| newest.sent = newest.sent.max(number));
    }

    /// The timestamp of an instant, which a sender report pairs with the NTP time; `None` if
    /// nothing was sent.
    pub(crate) fn timestamp_at(&self, now: Instant) -> Option<u32> {
        self.newest.map(|newest| newest.clock.at(now))
    }
}

/// What the clock is after a packet: the first packet of each new timestamp sets it. Timestamps of
/// pictures may go back a little (RFC 3550 §5.1), and such ones say nothing.
fn clock(known: Clock, now: Instant, timestamp: u32, rate: u32) -> Clock {
    let new = Clock { timestamp, at: now, rate };
    let difference = timestamp.wrapping_sub(known.timestamp).cast_signed();
    let is_reset =
        difference < 0 && u64::from(difference.unsigned_abs()) > u64::from(rate) * RESET.as_secs();
    if difference > 0 || is_reset || rate != known.rate { new } else { known }
}

/// A clock that goes back by more than this was set anew.
const RESET: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn place(origin: u64, number: u16, timestamp: u32) -> Place {
        Place { origin, number, timestamp, clock_rate: 90_000 }
    }

    /// The report pairs the NTP time with a timestamp of the same instant.
    #[test]
    fn the_clock_runs_on_between_packets() {
        let (now, mut numbers) = (Instant::now(), Numbers::new(7, 1_000));
        assert_eq!(numbers.timestamp_at(now), None);
        numbers.give(now, place(0, 0, 50), true);
        let after = |milliseconds| now + Duration::from_millis(milliseconds);
        assert_eq!(numbers.timestamp_at(after(10)), Some(1_900));
        // The rest of a picture, which the pacer holds back, sets no clock; nor does one that was
        // shown before it.
        numbers.give(after(40), place(0, 1, 50), true);
        numbers.give(after(40), place(0, 2, 50 - 30), true);
        assert_eq!(numbers.timestamp_at(after(40)), Some(4_600));
        // The source says that time passes faster; it knows best.
        numbers.give(after(40), place(0, 3, 50 + 9_000), true);
        assert_eq!(numbers.timestamp_at(after(50)), Some(10_900));
        // And it begins anew.
        numbers.give(after(60), place(0, 4, 50_u32.wrapping_sub(1_000_000)), true);
        assert_eq!(numbers.timestamp_at(after(70)), Some(1_900_u32.wrapping_sub(1_000_000)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// No number goes to two packets; packets of one origin keep their distances; another
        /// origin begins behind everything.
        #[test]
        fn any_origins(
            first: u16,
            start: u16,
            packets in prop::collection::vec(
                (prop::bool::weighted(0.1), -40..4_000_i32, 0..100_u64, prop::bool::weighted(0.9)),
                1..200,
            ),
        ) {
            let mut numbers = Numbers::new(first, 0);
            let (mut now, mut origin, mut there) = (Instant::now(), 0, start);
            let mut given = BTreeMap::<u64, (u64, u16, u32)>::new();
            let (mut has_gap, mut position) = (false, 100);
            for (is_other, step, time, is_sent) in packets {
                now += Duration::from_millis(time);
                if is_other {
                    (origin, there) = (origin + 1, there.wrapping_mul(31).wrapping_add(7));
                }
                // One step in a hundred is a leap.
                let step = if step.abs() < 3_960 { step / 20 } else { step };
                let number = there.wrapping_add((step & 0xffff) as u16);
                let timestamp = u32::try_from(position + step).unwrap() * 3_000;
                let highest = given.keys().next_back().copied();
                let numbered = numbers.give(now, place(origin, number, timestamp), is_sent);
                if step > 0 {
                    (there, position) = (number, position + step);
                }
                let Some(numbered) = numbered.filter(|_| is_sent) else {
                    has_gap = true;
                    continue;
                };
                let has_gap = std::mem::take(&mut has_gap);
                // The same packet once more, which SRTP refuses.
                if let Some((origin_before, number_before, _)) = given.get(&numbered.number) {
                    prop_assert_eq!((*origin_before, *number_before), (origin, number));
                    continue;
                }
                given.insert(numbered.number, (origin, number, numbered.timestamp));
                let Some(highest) = highest else { continue };
                prop_assert!(numbered.number <= highest + LONGEST_GAP);
                let (origin_before, number_before, timestamp_before) = given[&highest];
                if origin_before != origin {
                    // Its first packets may not have gone out.
                    prop_assert!(numbered.number > highest);
                    prop_assert!(has_gap || numbered.number == highest + 1);
                    prop_assert!(numbered.timestamp.wrapping_sub(timestamp_before) < 1 << 31);
                    prop_assert_ne!(numbered.timestamp, timestamp_before);
                } else if numbered.number < highest {
                    let distance = number_before.wrapping_sub(number);
                    prop_assert_eq!(highest - numbered.number, u64::from(distance));
                }
            }
        }
    }
}
