//! Which loss is a sign of congestion (draft §5.5.10), and what may be under way after it.
//!
//! The draft takes any two lost packets of a hundred for congestion. A radio link may lose more for
//! hours, whatever the rate. So the loss of rounds without a queue, in which nothing more was tried,
//! is taken for the path's own, up to [`MOST_OWN`]; what counts is loss beyond that, and beyond what
//! chance explains. How far such rounds scatter says how much that is.

use time::{Duration, Instant};

use super::ceiling::Ceiling;
use super::cycle::Phase;
use crate::sctp::congestion::Ack;
use crate::sctp::congestion::hystart::{MAX_RTT_THRESH, MIN_RTT_THRESH, N_RTT_SAMPLE};

/// The share beyond the path's own loss that is a sign of congestion (draft §2.7 LossThresh).
const THRESHOLD: f64 = 0.02;
/// How much beyond that may be chance, in standard deviations.
const CHANCE: f64 = 4.0;
/// With a queue and no loss of the path's own, one packet is enough: it is all that others lose.
const LEAST: f64 = 0.06;
/// The most that is taken for the path's own loss.
const MOST_OWN: f64 = 0.1;
/// The most that are lost in one go by the path itself.
const MOST_CLUSTERED: f64 = 32.0;
/// A round that lost more is no measure of it: something has just filled up.
const HEAVY: f64 = 0.2;
/// Draft §2.7.
pub(super) const BETA: f64 = 0.7;
const HEADROOM: f64 = 0.15;

/// Loss of this round, bounds that follow from earlier ones.
#[derive(Debug, Default)]
pub(super) struct Losses {
    lost: u64,
    delivered: u64,
    samples: u32,
    least_rtt: Option<Duration>,
    /// The most of this round: bytes a second, bytes.
    rate: f64,
    inflight: u64,
    was_heavy: bool,
    was_queued: bool,
    /// Lost and delivered bytes of rounds without a queue; old ones count ever less.
    own: (f64, f64),
    /// In packets: squares of how far such rounds were from what was expected, and what was.
    spread: (f64, f64),
    bounds: Bounds,
    /// The bounds before the last event.
    before: Option<Bounds>,
}

/// Draft §2.10.
#[derive(Debug, Default, Clone, Copy)]
struct Bounds {
    /// `inflight_longterm`.
    ceiling: Option<Ceiling>,
    /// `bw_shortterm`, `inflight_shortterm`: until more is tried again.
    rate_now: Option<f64>,
    inflight_now: Option<usize>,
}

impl Losses {
    pub(super) fn on_ack(&mut self, ack: &Ack) {
        self.delivered += ack.bytes as u64;
        if let Some(rtt) = ack.rtt {
            self.least_rtt = Some(self.least_rtt.map_or(rtt, |least| least.min(rtt)));
            self.samples += 1;
        }
    }

    pub(super) fn on_loss(&mut self, bytes: usize) {
        self.lost += bytes as u64;
    }

    pub(super) fn on_sample(&mut self, rate: f64, delivered: u64) {
        self.rate = self.rate.max(rate);
        self.inflight = self.inflight.max(delivered);
    }

    /// The share of this round.
    fn share(&self) -> f64 {
        self.lost as f64 / (self.lost + self.delivered).max(1) as f64
    }

    /// The path's own share.
    fn own_share(&self) -> f64 {
        let (lost, all) = self.own;
        (lost / all.max(1.0)).min(MOST_OWN)
    }

    /// How many packets the path loses in one go, more or less: the variance of how many a round
    /// loses, by their mean.
    fn clustering(&self) -> f64 {
        let (squares, sum) = self.spread;
        if sum < 1.0 { 1.0 } else { (squares / sum).clamp(1.0, MOST_CLUSTERED) }
    }

    /// Whether this round lost more than the path does by itself, and more than by chance.
    pub(super) fn is_excessive(&self, queued: bool, mtu: usize) -> bool {
        let packets = (self.lost + self.delivered) as f64 / mtu as f64;
        // While there is a queue, it may have overflowed: then any loss beyond the path's own counts.
        let (threshold, least) = if queued { (0.0, LEAST) } else { (THRESHOLD, 1.0) };
        let expected = packets * (self.own_share() + threshold);
        self.lost as f64 / mtu as f64
            > expected + CHANCE * (self.clustering() * expected).max(least).sqrt()
    }

    /// Whether even the shortest round trip of this round was longer than the path.
    pub(super) fn saw_queue(&self, min_rtt: Option<Duration>) -> bool {
        match (self.least_rtt, min_rtt) {
            (Some(least), Some(min)) if self.samples >= N_RTT_SAMPLE => {
                least > min + (min / 8).clamp(MIN_RTT_THRESH, MAX_RTT_THRESH)
            }
            _ => false,
        }
    }

    /// The same, or what the last round showed if this one has just begun.
    pub(super) fn sees_queue(&self, min_rtt: Option<Duration>) -> bool {
        if self.samples < N_RTT_SAMPLE { self.was_queued } else { self.saw_queue(min_rtt) }
    }

    /// The last round lost so much that more must not be sent.
    pub(super) fn was_heavy(&self) -> bool {
        self.was_heavy
    }

    /// Draft §5.5.10.3: a round that is not meant to find the bounds, and lost too much, lowers them.
    pub(super) fn end_round(
        &mut self,
        queued: bool,
        phase: Phase,
        bandwidth: f64,
        window: usize,
        mtu: usize,
    ) {
        let excessive = self.is_excessive(queued, mtu);
        let many = self.lost as f64 / mtu as f64 > CHANCE;
        self.was_heavy = excessive && (queued && many || self.share() > HEAVY);
        self.was_queued = queued;
        if excessive && !phase.probes() {
            let Bounds { rate_now, inflight_now, .. } = &mut self.bounds;
            let rate = BETA * rate_now.unwrap_or(bandwidth);
            *rate_now = Some(rate.max(self.rate));
            let inflight = (BETA * inflight_now.unwrap_or(window) as f64) as usize;
            *inflight_now = Some(inflight.max(self.inflight as usize));
        }
        if !queued && phase != Phase::ProbeUp && self.share() < HEAVY {
            let expected = self.own_share() * (self.lost + self.delivered) as f64 / mtu as f64;
            let (squares, sum) = &mut self.spread;
            *squares = *squares * 0.97 + (self.lost as f64 / mtu as f64 - expected).powi(2);
            *sum = *sum * 0.97 + expected;
            let (lost, all) = &mut self.own;
            *lost = *lost * 0.9 + self.lost as f64;
            *all = *all * 0.9 + (self.lost + self.delivered) as f64;
        }
        (self.lost, self.delivered, self.samples, self.least_rtt) = (0, 0, 0, None);
        (self.rate, self.inflight) = (0.0, 0);
    }

    pub(super) fn bandwidth_bound(&self) -> Option<f64> {
        self.bounds.rate_now
    }

    /// Draft §5.6.4.7.
    pub(super) fn inflight_bound(&self, phase: Phase, now: Instant) -> Option<usize> {
        let long = self.bounds.ceiling.map(|ceiling| match phase {
            // Others need room to grow.
            Phase::Cruise | Phase::ProbeRtt => ((1.0 - HEADROOM) * ceiling.at(now) as f64) as usize,
            _ => ceiling.at(now),
        });
        match (long, self.bounds.inflight_now) {
            (Some(long), Some(now)) => Some(long.min(now)),
            (long, now) => long.or(now),
        }
    }

    pub(super) fn ceiling(&self) -> Option<Ceiling> {
        self.bounds.ceiling
    }

    pub(super) fn set_ceiling(&mut self, ceiling: Ceiling) {
        self.bounds.ceiling = Some(ceiling);
    }

    /// More is tried again.
    pub(super) fn lift_bounds_of_now(&mut self) {
        self.bounds.rate_now = None;
        self.bounds.inflight_now = None;
    }

    pub(super) fn save(&mut self) {
        self.before = Some(self.bounds);
    }

    /// The loss was none.
    pub(super) fn restore(&mut self) {
        if let Some(before) = self.before.take() {
            self.bounds = before;
        }
    }
}
