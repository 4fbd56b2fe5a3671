//! NewReno: slow start, additive increase, halving (RFC 9260 §7.2).

use super::hystart::{HyStart, Verdict};
use super::{Ack, INITIAL_PACKETS};

/// The window.
#[derive(Debug)]
pub(super) struct NewReno {
    window: usize,
    threshold: usize,
    partial: usize,
    hystart: HyStart,
    /// Losses of what was sent before this number are one event (RFC 9260 §7.2.4).
    recovery_until: Option<u64>,
    /// Window and threshold before the last event.
    before: Option<(usize, usize)>,
}

impl NewReno {
    pub(super) fn new(mtu: usize) -> Self {
        Self {
            window: mtu * INITIAL_PACKETS,
            threshold: usize::MAX,
            partial: 0,
            hystart: HyStart::default(),
            recovery_until: None,
            before: None,
        }
    }

    pub(super) fn window(&self) -> usize {
        self.window
    }

    pub(super) fn is_in_slow_start(&self) -> bool {
        self.window < self.threshold
    }

    /// After an idle time the network has forgotten us (RFC 9260 §7.2.1).
    pub(super) fn on_idle(&mut self, mtu: usize) {
        self.window = (self.window / 2).max((mtu * INITIAL_PACKETS).min(self.window));
    }

    pub(super) fn on_ack(&mut self, ack: &Ack, mtu: usize) {
        if let Some(until) = self.recovery_until {
            if ack.cumulative < until {
                return;
            }
            self.recovery_until = None;
        }
        // A window that was not used says nothing about the network.
        if !ack.advanced || !ack.limited {
            return;
        }
        if self.is_in_slow_start() {
            let Ack { bytes, cumulative, last_assigned, rtt, .. } = *ack;
            match self.hystart.on_ack(bytes, cumulative, last_assigned, rtt) {
                Verdict::Grow(bytes) => self.window = self.window.saturating_add(bytes),
                Verdict::End => self.threshold = self.window,
            }
            return;
        }
        self.partial += ack.bytes;
        if self.partial >= self.window {
            self.partial -= self.window;
            self.window = self.window.saturating_add(mtu);
        }
    }

    pub(super) fn on_loss(&mut self, next: u64, mtu: usize) -> bool {
        if self.recovery_until.is_some() {
            return false;
        }
        self.recovery_until = Some(next);
        self.before = Some((self.window, self.threshold));
        self.threshold = (self.window / 2).max(4 * mtu);
        self.window = self.threshold;
        self.partial = 0;
        true
    }

    pub(super) fn undo(&mut self) {
        if let Some((window, threshold)) = self.before.take() {
            self.window = self.window.max(window);
            self.threshold = self.threshold.max(threshold);
            self.recovery_until = None;
        }
    }

    pub(super) fn on_timeout(&mut self, mtu: usize) {
        if self.recovery_until.is_none() || self.window > mtu {
            self.threshold = (self.window / 2).max(4 * mtu);
        }
        self.window = mtu;
        self.partial = 0;
        self.recovery_until = None;
        self.before = None;
    }

    /// The threshold stays, since the last path carried that.
    pub(super) fn on_path_change(&mut self, mtu: usize) {
        self.window = mtu * INITIAL_PACKETS;
        self.partial = 0;
        self.hystart = HyStart::default();
        self.recovery_until = None;
        self.before = None;
    }
}

#[cfg(test)]
mod tests {
    use time::Instant;

    use super::super::tests::ack;
    use super::*;

    #[test]
    fn the_window_doubles_each_round_until_loss_halves_it_once() {
        let (now, mut cc) = (Instant::now(), NewReno::new(1000));
        assert_eq!(cc.window(), 10_000);
        cc.on_ack(&ack(now, 10_000, 10, 50), 1000);
        assert_eq!(cc.window(), 20_000);
        assert!(cc.on_loss(50, 1000));
        assert!(!cc.on_loss(50, 1000));
        assert_eq!(cc.window(), 10_000);
        cc.on_ack(&ack(now, 10_000, 49, 50), 1000);
        assert_eq!(cc.window(), 10_000, "in recovery");
        cc.on_ack(&ack(now, 10_000, 50, 50), 1000);
        assert_eq!(cc.window(), 11_000, "one packet per window");
    }

    #[test]
    fn a_window_that_is_not_used_does_not_grow() {
        let mut cc = NewReno::new(1000);
        cc.on_ack(&Ack { limited: false, ..ack(Instant::now(), 1000, 1, 50) }, 1000);
        assert_eq!(cc.window(), 10_000);
    }

    #[test]
    fn a_timeout_leaves_one_packet() {
        let mut cc = NewReno::new(1000);
        cc.on_timeout(1000);
        assert_eq!(cc.window(), 1000);
    }

    #[test]
    fn a_loss_that_was_none_changes_nothing() {
        let mut cc = NewReno::new(1000);
        cc.on_loss(50, 1000);
        assert_eq!(cc.window(), 5000);
        cc.undo();
        assert_eq!((cc.window(), cc.threshold), (10_000, usize::MAX));
    }
}
