//! CUBIC (RFC 9438): after a loss the window grows back to where it was, first fast, then slowly,
//! then fast again, by the time that has passed and not by the round trip.

use time::{Duration, Instant};

use super::hystart::{HyStart, Verdict};
use super::{Ack, INITIAL_PACKETS};

/// RFC 9438 §5.
const C: f64 = 0.4;
/// §4.6.
const BETA: f64 = 0.7;
/// §4.3: as fast as Reno would be.
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

/// How long CUBIC takes to get so many packets back after a loss, where it is not slower than Reno
/// would be (§4.2, §4.3).
pub(super) fn time_to_return(packets: f64, round_trip: Duration) -> Duration {
    let renos = packets / ALPHA * round_trip.as_secs_f64();
    Duration::from_secs_f64((packets / C).max(0.0).cbrt().min(renos))
}

/// The window, with what it was before its last change. Windows are in packets, as in the text.
#[derive(Debug, Clone)]
struct State {
    window: f64,
    threshold: f64,
    w_max: f64,
    /// When the present growth began, from which window, and when it reaches `w_max`.
    epoch: Option<Epoch>,
}

#[derive(Debug, Clone)]
struct Epoch {
    start: Instant,
    k: f64,
    /// What Reno's window would be.
    w_est: f64,
}

/// The controller.
#[derive(Debug)]
pub(super) struct Cubic {
    mtu: f64,
    now: State,
    before: Option<State>,
    hystart: HyStart,
    recovery_until: Option<u64>,
}

impl Cubic {
    pub(super) fn new(mtu: usize) -> Self {
        let now = State {
            window: INITIAL_PACKETS as f64,
            threshold: f64::INFINITY,
            w_max: 0.0,
            epoch: None,
        };
        let hystart = HyStart::default();
        Self { mtu: mtu as f64, now, before: None, hystart, recovery_until: None }
    }

    pub(super) fn window(&self) -> usize {
        (self.now.window * self.mtu) as usize
    }

    pub(super) fn is_in_slow_start(&self) -> bool {
        self.now.window < self.now.threshold
    }

    /// Keeps the window in bytes when packets have another size.
    fn set_mtu(&mut self, mtu: usize) {
        let mtu = mtu as f64;
        if mtu != self.mtu {
            let factor = self.mtu / mtu;
            self.now.window *= factor;
            self.now.threshold *= factor;
            self.now.w_max *= factor;
            self.now.epoch = None;
            self.before = None;
            self.mtu = mtu;
        }
    }

    /// RFC 9438 §4.2: time without sending is no time of growth.
    pub(super) fn on_idle(&mut self, now: Instant, mtu: usize) {
        self.set_mtu(mtu);
        if let Some(epoch) = &mut self.now.epoch {
            epoch.start = now;
        }
        let initial = (INITIAL_PACKETS as f64).min(self.now.window);
        self.now.window = (self.now.window / 2.0).max(initial);
        self.now.epoch = None;
    }

    pub(super) fn on_ack(&mut self, ack: &Ack, mtu: usize) {
        self.set_mtu(mtu);
        if let Some(until) = self.recovery_until {
            if ack.cumulative < until {
                return;
            }
            self.recovery_until = None;
        }
        if !ack.advanced || !ack.limited {
            return;
        }
        if self.is_in_slow_start() {
            let Ack { bytes, cumulative, last_assigned, rtt, .. } = *ack;
            match self.hystart.on_ack(bytes, cumulative, last_assigned, rtt) {
                Verdict::Grow(bytes) => self.now.window += bytes as f64 / self.mtu,
                Verdict::End => {
                    self.now.threshold = self.now.window;
                    self.now.w_max = self.now.window;
                }
            }
            return;
        }
        self.grow(ack.now, ack.bytes as f64 / self.mtu, ack.smoothed);
    }

    /// RFC 9438 §4.2 to §4.5.
    fn grow(&mut self, now: Instant, acked: f64, rtt: Duration) {
        let State { window, w_max, epoch, .. } = &mut self.now;
        let epoch = epoch.get_or_insert_with(|| {
            // Without a loss before, this is where the growth begins.
            *w_max = w_max.max(*window);
            Epoch { start: now, k: ((*w_max - *window) / C).cbrt(), w_est: *window }
        });
        let cubic = |time: Duration| C * (time.as_secs_f64() - epoch.k).powi(3) + *w_max;
        let time = now.saturating_duration_since(epoch.start);
        let (present, target) = (cubic(time), cubic(time + rtt).clamp(*window, 1.5 * *window));
        let alpha = if epoch.w_est < *w_max { ALPHA } else { 1.0 };
        epoch.w_est += alpha * acked / *window;
        if present < epoch.w_est {
            *window = window.max(epoch.w_est);
        } else {
            *window += (target - *window) / *window * acked;
        }
    }

    pub(super) fn on_loss(&mut self, now: Instant, next: u64, mtu: usize) -> bool {
        self.set_mtu(mtu);
        if self.recovery_until.is_some() {
            return false;
        }
        self.recovery_until = Some(next);
        self.before = Some(self.now.clone());
        self.decrease();
        let State { window, w_max, .. } = self.now;
        let k = ((w_max - window).max(0.0) / C).cbrt();
        self.now.epoch = Some(Epoch { start: now, k, w_est: window });
        true
    }

    /// RFC 9438 §4.6, §4.7.
    fn decrease(&mut self) {
        let State { window, threshold, w_max, epoch } = &mut self.now;
        // Fast convergence: a window that gets smaller from loss to loss leaves room to others.
        *w_max = if *window < *w_max { *window * (1.0 + BETA) / 2.0 } else { *window };
        *threshold = (*window * BETA).max(2.0);
        *window = *threshold;
        *epoch = None;
    }

    pub(super) fn undo(&mut self) {
        if let Some(before) = self.before.take()
            && before.window > self.now.window
        {
            self.now = before;
            self.recovery_until = None;
        }
    }

    pub(super) fn on_timeout(&mut self, mtu: usize) {
        self.set_mtu(mtu);
        if self.now.window > 1.0 {
            self.decrease();
        }
        self.now.window = 1.0;
        self.recovery_until = None;
        self.before = None;
    }

    /// The threshold stays, since the last path carried that.
    pub(super) fn on_path_change(&mut self, mtu: usize) {
        self.set_mtu(mtu);
        self.now.window = INITIAL_PACKETS as f64;
        self.now.epoch = None;
        self.hystart = HyStart::default();
        self.recovery_until = None;
        self.before = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ack;
    use super::*;

    /// Acknowledges a window each round trip of 100 ms for so many seconds.
    fn seconds(cubic: &mut Cubic, now: &mut Instant, seconds: u32) {
        for _ in 0..seconds * 10 {
            *now += Duration::from_millis(100);
            let window = cubic.window();
            cubic.on_ack(&ack(*now, window, 1000, 100), 1000);
        }
    }

    #[test]
    fn the_window_is_back_after_k_seconds_and_lingers_there() {
        let (mut now, mut cubic) = (Instant::now(), Cubic::new(1000));
        cubic.now.window = 1000.0;
        assert!(cubic.on_loss(now, 10, 1000));
        assert_eq!(cubic.window(), 700_000);
        // K = cbrt(300 / 0.4) = 9.09 s: RFC 9438 §4.2.
        seconds(&mut cubic, &mut now, 5);
        let after_5 = cubic.window();
        assert!((940_000..1_000_000).contains(&after_5), "{after_5}");
        seconds(&mut cubic, &mut now, 4);
        let after_9 = cubic.window();
        assert!((995_000..1_005_000).contains(&after_9), "{after_9}");
        seconds(&mut cubic, &mut now, 9);
        assert!(cubic.window() > 1_200_000, "{}", cubic.window());
    }

    #[test]
    fn a_small_window_grows_as_renos_would() {
        let (mut now, mut cubic) = (Instant::now(), Cubic::new(1000));
        cubic.now.window = 20.0;
        cubic.on_loss(now, 10, 1000);
        assert_eq!(cubic.window(), 14_000);
        // RFC 9438 §4.3: 0.53 packets a round trip, until the window is where it was.
        seconds(&mut cubic, &mut now, 1);
        assert!((18_500..20_500).contains(&cubic.window()), "{}", cubic.window());
    }

    #[test]
    fn a_loss_that_was_none_changes_nothing() {
        let mut cubic = Cubic::new(1000);
        cubic.on_loss(Instant::now(), 10, 1000);
        assert_eq!(cubic.window(), 7000);
        cubic.undo();
        assert!(cubic.is_in_slow_start());
        assert_eq!(cubic.window(), 10_000);
    }
}
