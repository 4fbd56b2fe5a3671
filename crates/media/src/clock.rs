//! NTP time (RFC 3550 §4) of instants, and ticks of RTP clocks.

use time::{Duration, Instant};

/// The NTP time of one instant. From it that of all others follows, so that our reports do not jump
/// when somebody sets the clock.
///
/// ```
/// use std::time::Instant;
/// use peerconnection_media::Wall;
///
/// // 1 January 2026, in seconds since 1900 with 32 bits of fraction.
/// let wall = Wall { at: Instant::now(), ntp: 3_976_214_400 << 32 };
/// # assert_ne!(wall.ntp, 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// The instant.
    pub at: Instant,
    /// Its time, in seconds since 1900 with 32 bits of fraction.
    pub ntp: u64,
}

impl Wall {
    /// The NTP time of an instant.
    pub(crate) fn ntp(&self, now: Instant) -> u64 {
        match now.checked_duration_since(self.at) {
            Some(since) => self.ntp.wrapping_add(fixed_point(since)),
            None => self.ntp.wrapping_sub(fixed_point(self.at.saturating_duration_since(now))),
        }
    }

    /// Its middle 32 bits, which reports give back.
    pub(crate) fn compact(&self, now: Instant) -> u32 {
        compact(self.ntp(now))
    }
}

/// The middle 32 bits of an NTP time (RFC 3550 §6.4.1).
pub(crate) fn compact(ntp: u64) -> u32 {
    ((ntp >> 16) & 0xffff_ffff) as u32
}

/// A duration, in seconds with 32 bits of fraction.
fn fixed_point(duration: Duration) -> u64 {
    let fraction = (u64::from(duration.subsec_nanos()) << 32) / 1_000_000_000;
    duration.as_secs() << 32 | fraction
}

/// A duration in units of 1/65,536 s, as DLSR has it; at most what 32 bits hold, 18 hours.
pub(crate) fn delay(duration: Duration) -> u32 {
    u32::try_from(fixed_point(duration) >> 16).unwrap_or(u32::MAX)
}

/// Ticks of a clock, modulo 2³².
pub(crate) fn ticks(duration: Duration, clock_rate: u32) -> u32 {
    let ticks = duration.as_nanos() * u128::from(clock_rate) / 1_000_000_000;
    (ticks & 0xffff_ffff) as u32
}

/// Round trips longer than this are none: a report of another connection, or a wrong clock.
const LONGEST: Duration = Duration::from_secs(30);
/// Clocks are read twice, so a path within one machine may seem to take less than nothing.
const SLACK: u32 = 65_536 / 100;

/// The round trip that a report tells (RFC 3550 §6.4.1): it came at `now`, `last` is the time of
/// our report that the peer has heard, and `delay` how long it kept that. All are compact NTP times of
/// our own clock, so that the peer's clock does not matter. `None` if it can be none.
pub(crate) fn round_trip(now: u32, last: u32, delay: u32) -> Option<Duration> {
    if last == 0 {
        return None;
    }
    let units = now.wrapping_sub(last).wrapping_sub(delay);
    if units.wrapping_neg() <= SLACK {
        return Some(Duration::ZERO);
    }
    let round_trip = Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16);
    (round_trip <= LONGEST).then_some(round_trip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_on_both_sides_of_the_known_one() {
        let at = Instant::now() + Duration::from_secs(100);
        let wall = Wall { at, ntp: 5 << 32 };
        assert_eq!(wall.ntp(at + Duration::from_millis(1_500)), 6 << 32 | 1 << 31);
        assert_eq!(wall.ntp(at - Duration::from_millis(500)), 4 << 32 | 1 << 31);
        assert_eq!(wall.compact(at + Duration::from_millis(250)), 5 << 16 | 1 << 14);
        // Before 1900 the time wraps, as in 2036.
        assert_eq!(wall.ntp(at - Duration::from_secs(6)), u64::MAX << 32);
    }

    /// The example of RFC 3550 §6.4.1, figure 2.
    #[test]
    fn the_example_of_the_rfc() {
        let expected = Duration::from_nanos((0x6_2000 * 1_000_000_000_u64) >> 16);
        assert_eq!(round_trip(0xb710_8000, 0xb705_2000, 0x0005_4000), Some(expected));
        assert_eq!(expected, Duration::from_millis(6_125));
    }

    #[test]
    fn round_trips_that_can_be_none() {
        assert_eq!(round_trip(1 << 20, 0, 0), None, "the peer has heard no report");
        assert_eq!(round_trip(1 << 20, (1 << 20) + 10, 0), Some(Duration::ZERO));
        assert_eq!(round_trip(1 << 20, 1 << 20, 65_536), None, "a second before it was sent");
        assert_eq!(round_trip(32 << 16, 1 << 16, 0), None, "31 s");
        // Across the wrap of the compact time, every 18 hours.
        assert_eq!(round_trip(0x4000, 0xffff_c000, 0), Some(Duration::from_millis(500)));
    }

    #[test]
    fn ticks_do_not_overflow() {
        assert_eq!(ticks(Duration::from_millis(20), 48_000), 960);
        assert_eq!(
            ticks(Duration::from_secs(100_000), 90_000),
            (9_000_000_000_u64 % (1 << 32)) as u32
        );
        assert_eq!(delay(Duration::from_secs(1)), 65_536);
        assert_eq!(delay(Duration::from_secs(100_000)), u32::MAX);
    }
}
