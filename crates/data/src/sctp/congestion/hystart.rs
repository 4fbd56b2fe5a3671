//! Slow start that ends before it overflows the queue: HyStart++ (RFC 9406 §4.2).

use time::Duration;

/// RFC 9406 §4.3.
pub(super) const MIN_RTT_THRESH: Duration = Duration::from_millis(4);
pub(super) const MAX_RTT_THRESH: Duration = Duration::from_millis(16);
const MIN_RTT_DIVISOR: u32 = 8;
pub(super) const N_RTT_SAMPLE: u32 = 8;
const CSS_GROWTH_DIVISOR: usize = 4;
const CSS_ROUNDS: u32 = 5;

/// The rounds of a slow start.
#[derive(Debug, Clone, Default)]
pub(super) struct HyStart {
    /// The round ends when this number is acknowledged.
    window_end: u64,
    last_round: Option<Duration>,
    this_round: Option<Duration>,
    samples: u32,
    /// Conservative slow start: the round trip at its beginning, and its rounds so far.
    conservative: Option<(Duration, u32)>,
}

/// What becomes of slow start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The window grows by this much.
    Grow(usize),
    /// Congestion avoidance begins.
    End,
}

impl HyStart {
    /// `bytes` were acknowledged in slow start.
    pub(super) fn on_ack(
        &mut self,
        bytes: usize,
        cumulative: u64,
        last_assigned: u64,
        rtt: Option<Duration>,
    ) -> Verdict {
        if cumulative >= self.window_end {
            self.window_end = last_assigned;
            self.last_round = self.this_round.take();
            self.samples = 0;
            if let Some((_, rounds)) = &mut self.conservative {
                *rounds += 1;
                if *rounds >= CSS_ROUNDS {
                    return Verdict::End;
                }
            }
        }
        if let Some(rtt) = rtt {
            self.this_round = Some(self.this_round.map_or(rtt, |least| least.min(rtt)));
            self.samples += 1;
        }
        if self.samples >= N_RTT_SAMPLE
            && let (Some(this), Some(last)) = (self.this_round, self.last_round)
        {
            match self.conservative {
                None => {
                    let threshold = (last / MIN_RTT_DIVISOR).clamp(MIN_RTT_THRESH, MAX_RTT_THRESH);
                    if this >= last + threshold {
                        self.conservative = Some((this, 0));
                    }
                }
                // The delay was not the queue's.
                Some((baseline, _)) if this < baseline => self.conservative = None,
                Some(_) => {}
            }
        }
        Verdict::Grow(if self.conservative.is_some() { bytes / CSS_GROWTH_DIVISOR } else { bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acknowledges rounds of ten packets with these round trips, until the end of slow start.
    fn growth(rounds: &[u64]) -> (usize, bool) {
        let (mut hystart, mut window, mut number) = (HyStart::default(), 0, 0);
        for &rtt in rounds {
            for _ in 0..10 {
                number += 1;
                let rtt = Some(Duration::from_millis(rtt));
                match hystart.on_ack(1000, number, number + 10, rtt) {
                    Verdict::Grow(bytes) => window += bytes,
                    Verdict::End => return (window, true),
                }
            }
        }
        (window, false)
    }

    #[test]
    fn a_queue_that_grows_slows_the_growth_and_ends_it_after_five_rounds() {
        assert_eq!(growth(&[50; 6]), (60_000, false));
        // From the eighth sample of the third round on, a quarter.
        assert_eq!(growth(&[50, 50, 70]), (27_750, false));
        let (_, ended) = growth(&[50, 50, 70, 80, 80, 80, 80, 80, 80]);
        assert!(ended);
    }

    #[test]
    fn a_delay_that_goes_away_was_no_queue() {
        assert_eq!(growth(&[50, 50, 70, 50, 50]), (27_750 + 1750 + 3000 + 10_000, false));
    }
}
