//! A model of the path instead of a reaction to each loss, after BBRv3 (draft-ietf-ccwg-bbr).
//!
//! The model is the most that the path delivers, `bandwidth`, and the shortest round trip,
//! `min_rtt`. Their product is what the path holds without a queue. Packets leave at the bandwidth,
//! and the window is twice that product, so that delayed acknowledgements stop nothing. Now and then
//! the sender looks whether there is more, for as long as no queue and no loss answer.
//!
//! | module | what |
//! |---|---|
//! | `filter` | the model's maxima over time |
//! | `cycle` | the phases: when to look for more, when to let a queue drain |
//! | `ceiling` | what may be under way after a queue overflowed |
//! | `loss` | which loss is one of congestion, and what follows from it |
//!
//! What differs from the draft, and why, is in `spec-notes/decisions.md`.

mod ceiling;
mod cycle;
mod filter;
mod loss;

use time::{Duration, Instant};

use self::ceiling::Ceiling;
use self::cycle::{Cycle, Phase};
use self::filter::{Aggregation, Bandwidth, MinRtt};
use self::loss::Losses;
use super::super::outstanding::Loss;
use super::super::rate::Sample;
use super::{Ack, INITIAL_PACKETS};

/// Draft §2.7: the least window.
const MIN_PACKETS: usize = 4;
/// A host needs this long to wake up. On a path that is shorter the product of bandwidth and round
/// trip is less than what is on its way through the two hosts, and a queue of this length harms
/// nobody.
const WAKING: Duration = Duration::from_millis(5);
/// After this time without data the model is not that of the path any more.
const FORGETTING: Duration = Duration::from_secs(10);
/// A burst may leave at once (draft §5.6.3).
const BURST: Duration = Duration::from_millis(1);

/// The share of the path that is kept when a queue overflows, however short the queue is.
const PATH_SHARE: f64 = 0.85;

/// The controller.
#[derive(Debug)]
pub(in super::super) struct Bbr {
    mtu: usize,
    window: usize,
    bandwidth: Bandwidth,
    min_rtt: MinRtt,
    aggregation: Aggregation,
    round: Round,
    cycle: Cycle,
    losses: Losses,
    /// The window before the round trip was measured or a timeout.
    prior_window: usize,
    /// Losses of what was sent before this number are one event.
    recovery_until: Option<u64>,
    /// The same for losses that were answered.
    cut_until: Option<u64>,
}

/// Round trips, counted by what was delivered (draft §5.5.1).
#[derive(Debug, Default)]
struct Round {
    count: u64,
    /// The round ends when something is acknowledged that was sent after so much was delivered.
    ends: u64,
    /// This acknowledgement begins a round.
    begins: bool,
}

impl Bbr {
    pub(super) fn new(mtu: usize, seed: u32) -> Self {
        Self {
            mtu,
            window: mtu * INITIAL_PACKETS,
            bandwidth: Bandwidth::default(),
            min_rtt: MinRtt::default(),
            aggregation: Aggregation::default(),
            round: Round::default(),
            cycle: Cycle::new(seed),
            losses: Losses::default(),
            prior_window: 0,
            recovery_until: None,
            cut_until: None,
        }
    }

    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// Bytes that a round trip carries, as far as is known.
    pub(super) fn per_round_trip(&self, smoothed: Duration) -> usize {
        let carried = (self.usable_bandwidth() * smoothed.as_secs_f64()) as usize;
        if self.cycle.is_full() { carried.clamp(self.mtu, self.window) } else { self.window }
    }

    /// Bytes a second.
    pub(super) fn pacing_rate(&self, smoothed: f64) -> f64 {
        let gain = self.cycle.pacing_gain();
        let rate = gain * self.usable_bandwidth();
        if self.cycle.is_full() {
            // However wrong the model is, a few packets each round trip go on.
            return rate.max(self.least_window() as f64 / smoothed);
        }
        // Draft §5.6.2: as long as little is known, the window says how much there may be.
        rate.max(gain * self.window.min(self.mtu * INITIAL_PACKETS) as f64 / smoothed)
    }

    /// The bandwidth, or less if that led to loss.
    fn usable_bandwidth(&self) -> f64 {
        self.losses
            .bandwidth_bound()
            .map_or(self.bandwidth.get(), |bound| bound.min(self.bandwidth.get()))
    }

    /// Bytes that fill the path `gain` times (draft §5.6.4.2).
    fn product(&self, bandwidth: f64, gain: f64) -> usize {
        let Some(min_rtt) = self.min_rtt.get() else { return self.mtu * INITIAL_PACKETS };
        (gain * bandwidth * min_rtt.max(WAKING).as_secs_f64()) as usize
    }

    fn least_window(&self) -> usize {
        MIN_PACKETS * self.mtu
    }

    /// What may be under way to have `gain` times the product on the path in spite of bursts.
    fn inflight(&self, gain: f64) -> usize {
        let burst = (self.usable_bandwidth() * BURST.as_secs_f64()) as usize;
        let product = self.product(self.usable_bandwidth(), gain);
        (product + burst.max(2 * self.mtu)).max(self.least_window())
    }

    /// Draft §5.2.1.
    pub(super) fn on_ack(&mut self, ack: &Ack) {
        self.round.begins = false;
        if let Some(until) = self.recovery_until
            && ack.cumulative >= until
        {
            self.recovery_until = None;
        }
        if self.cut_until.is_some_and(|until| ack.cumulative >= until) {
            self.cut_until = None;
        }
        let refreshed = self.min_rtt.update(ack.now, ack.rtt);
        if let Some(sample) = &ack.sample {
            self.update_round(ack, sample);
            if let Some(rate) = sample.rate() {
                self.losses.on_sample(rate, sample.delivered);
                if !sample.app_limited || rate > self.bandwidth.get() {
                    self.bandwidth.update(rate);
                }
            }
            if self.round.begins {
                self.end_round(sample.app_limited || !ack.limited);
            }
        }
        self.losses.on_ack(ack);
        if ack.limited && ack.sample.is_some_and(|sample| !sample.app_limited) {
            self.cycle.look_for_queue(self.losses.saw_queue(self.min_rtt.get()));
        }
        self.aggregation.update(ack.now, ack.bytes, self.bandwidth.get(), self.window);
        self.advance(ack, refreshed);
        self.set_window(ack);
    }

    fn update_round(&mut self, ack: &Ack, sample: &Sample) {
        if sample.prior_delivered >= self.round.ends {
            self.round.ends = ack.delivered;
            self.round.count += 1;
            self.round.begins = true;
        }
    }

    fn end_round(&mut self, app_limited: bool) {
        let queued = self.losses.saw_queue(self.min_rtt.get());
        let (phase, bandwidth) = (self.cycle.phase(), self.bandwidth.get());
        self.losses.end_round(queued, phase, bandwidth, self.window, self.mtu);
        self.aggregation.end_round();
        if !app_limited {
            self.cycle.look_for_plateau(self.bandwidth.get(), self.losses.was_heavy());
        }
    }

    /// Draft §5.6.4.
    fn set_window(&mut self, ack: &Ack) {
        let target = self.inflight(self.cycle.window_gain()) + self.aggregation.extra();
        if self.cycle.is_full() {
            self.window = (self.window + ack.bytes).min(target);
        } else if self.window < target || ack.delivered < (INITIAL_PACKETS * self.mtu) as u64 {
            self.window += ack.bytes;
        }
        if let Some(bound) = self.losses.inflight_bound(self.cycle.phase(), ack.now) {
            self.window = self.window.min(bound);
        }
        if self.cycle.phase() == Phase::ProbeRtt {
            self.window = self.window.min(self.probe_rtt_window());
        }
        self.window = self.window.max(self.least_window());
    }

    fn probe_rtt_window(&self) -> usize {
        self.product(self.bandwidth.get(), 0.5).max(self.least_window())
    }

    /// The round trip was measured, or the timeout is over.
    fn restore_window(&mut self) {
        self.window = self.window.max(self.prior_window);
    }

    pub(super) fn on_loss(&mut self, now: Instant, next: u64, loss: &Loss) -> bool {
        self.losses.on_loss(loss.bytes);
        let is_new = self.recovery_until.is_none();
        if is_new {
            self.recovery_until = Some(next);
            self.losses.save();
        }
        if self.cut_until.is_none() && self.is_too_much(loss.in_flight) {
            self.cut_until = Some(next);
            self.on_inflight_too_high(now, loss.in_flight);
        }
        is_new
    }

    /// Whether losses of what was sent while so much was under way show that a queue has overflowed.
    fn is_too_much(&self, in_flight: usize) -> bool {
        let queued = self.losses.sees_queue(self.min_rtt.get());
        let sign = match self.cycle.phase() {
            // What was too much already goes.
            Phase::Startup | Phase::Drain => false,
            // A queue that is too short to be seen overflows only if there is more than the path
            // holds.
            Phase::ProbeUp => queued || in_flight > self.product(self.bandwidth.get(), 1.0),
            // Whoever fills the queue loses no more than a few packets, and gives way.
            Phase::ProbeDown | Phase::Cruise | Phase::Refill | Phase::ProbeRtt => queued,
        };
        sign && self.losses.is_excessive(queued, self.mtu)
    }

    /// Draft §5.5.10.2: the path does not hold what was under way. What is given up is the queue
    /// rather than the path.
    fn on_inflight_too_high(&mut self, now: Instant, in_flight: usize) {
        let highest = in_flight.max(self.least_window());
        let path = self.product(self.bandwidth.get(), PATH_SHARE);
        let lowest = ((loss::BETA * highest as f64) as usize).max(path);
        let lowest = lowest.clamp(self.least_window(), highest);
        let round_trip = self.min_rtt.get().unwrap_or_default();
        self.losses.set_ceiling(Ceiling::new(now, highest, lowest, self.mtu, round_trip));
        if self.cycle.phase() == Phase::ProbeUp {
            self.start_probe_down(now);
        }
    }

    pub(super) fn undo(&mut self) {
        self.losses.restore();
    }

    pub(super) fn on_timeout(&mut self) {
        self.prior_window = self.window.max(self.prior_window);
        self.window = self.mtu;
        self.recovery_until = None;
    }

    /// Draft §5.4.1: nothing was sent, so nothing is known of the queue, and little of the round trip.
    pub(super) fn on_restart_from_idle(&mut self, now: Instant, idle: Duration) {
        self.aggregation.restart(now);
        self.min_rtt.refresh(now);
        if idle > FORGETTING {
            self.forget();
        }
    }

    pub(super) fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
    }

    /// The first flight leaves at the pace of the old path; what it shows replaces the old model.
    pub(super) fn on_path_change(&mut self) {
        self.min_rtt = MinRtt::default();
        self.forget();
    }

    /// The model begins anew. The old bandwidth stays until there is a sample.
    fn forget(&mut self) {
        self.window = self.mtu * INITIAL_PACKETS;
        self.bandwidth.replace_at_next();
        self.aggregation = Aggregation::default();
        self.losses = Losses::default();
        self.cycle.restart();
        self.prior_window = 0;
        self.recovery_until = None;
        self.cut_until = None;
    }
}
