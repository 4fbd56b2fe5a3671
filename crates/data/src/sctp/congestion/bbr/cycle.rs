//! The phases (draft §5.3, §5.4).
//!
//! ```text
//! Startup → Drain → ProbeDown → Cruise → Refill → ProbeUp → ProbeDown …
//!                   any phase → ProbeRtt → Cruise, or Startup
//! ```

use time::{Duration, Instant};

use super::super::Ack;
use super::Bbr;

/// Draft §2.4, §5.6.1.
const STARTUP_GAIN: f64 = 2.77;
const DRAIN_GAIN: f64 = 0.5;
const DRAIN_ROUNDS: u64 = 5;
const UP_GAIN: f64 = 1.25;
const DOWN_GAIN: f64 = 0.9;
const WINDOW_GAIN: f64 = 2.0;
const UP_WINDOW_GAIN: f64 = 2.25;
/// Draft §5.3.1.2: three rounds without a quarter more.
const FULL_GROWTH: f64 = 1.25;
const FULL_ROUNDS: u32 = 3;
/// Draft §5.3.3.5: from one attempt to the next, plus a random part of a second, or as many rounds
/// as Reno needs to grow by a half.
const PROBE_WAIT: Duration = Duration::from_secs(2);
const RENO_ROUNDS: u64 = 63;
/// Draft §5.3.4.
const PROBE_RTT_DURATION: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Startup,
    Drain,
    ProbeDown,
    Cruise,
    Refill,
    ProbeUp,
    ProbeRtt,
}

impl Phase {
    /// Whether it is meant to find out how much the path can.
    pub(super) fn probes(self) -> bool {
        matches!(self, Self::Startup | Self::Refill | Self::ProbeUp)
    }
}

/// Where in the phases the sender is.
#[derive(Debug)]
pub(super) struct Cycle {
    phase: Phase,
    /// The path's bandwidth was reached once.
    full: bool,
    full_bandwidth: f64,
    full_rounds: u32,
    /// When this phase began, and in which round.
    since: Option<Instant>,
    since_round: u64,
    /// When the last attempt at more ended, and in which round.
    probed: Option<Instant>,
    probed_round: u64,
    wait: Duration,
    random: u32,
    /// How fast the bound of what is under way rises: packets a round, and bytes still to count.
    up_rounds: u32,
    up_acked: usize,
    /// In `ProbeRtt`, when it may end, and the shortest round trip so far.
    measured_until: Option<(Instant, u64)>,
    measured: Option<Duration>,
}

impl Cycle {
    pub(super) fn new(seed: u32) -> Self {
        Self {
            phase: Phase::Startup,
            full: false,
            full_bandwidth: 0.0,
            full_rounds: 0,
            since: None,
            since_round: 0,
            probed: None,
            probed_round: 0,
            wait: PROBE_WAIT,
            random: seed,
            up_rounds: 0,
            up_acked: 0,
            measured_until: None,
            measured: None,
        }
    }

    pub(super) fn restart(&mut self) {
        *self = Self::new(self.random);
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn pacing_gain(&self) -> f64 {
        match self.phase {
            Phase::Startup => STARTUP_GAIN,
            Phase::Drain => DRAIN_GAIN,
            Phase::ProbeDown => DOWN_GAIN,
            Phase::ProbeUp => UP_GAIN,
            Phase::Cruise | Phase::Refill | Phase::ProbeRtt => 1.0,
        }
    }

    pub(super) fn window_gain(&self) -> f64 {
        if self.phase == Phase::ProbeUp { UP_WINDOW_GAIN } else { WINDOW_GAIN }
    }

    /// A queue ends startup before it overflows, as in HyStart++, once the last round brought no
    /// quarter more. (The queue may be that of others, who have to make room.)
    pub(super) fn look_for_queue(&mut self, queued: bool) {
        self.full |= queued && self.full_rounds > 0;
    }

    /// Draft §5.3.1.2, §5.3.1.3.
    pub(super) fn look_for_plateau(&mut self, bandwidth: f64, heavy_loss: bool) {
        if self.full {
            return;
        }
        if bandwidth >= self.full_bandwidth * FULL_GROWTH {
            self.full_bandwidth = bandwidth;
            self.full_rounds = 0;
        } else {
            self.full_rounds += 1;
        }
        self.full = self.full_rounds >= FULL_ROUNDS || heavy_loss;
    }

    fn enter(&mut self, phase: Phase, now: Instant, round: u64) {
        tracing::trace!(?phase, "congestion control");
        self.phase = phase;
        self.since = Some(now);
        self.since_round = round;
    }

    /// xorshift32: no secret, only so that flows do not look for more in step.
    fn next_random(&mut self) -> u32 {
        let mut x = self.random.max(1);
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.random = x;
        x
    }
}

impl Bbr {
    /// Goes on to the next phase if it is time.
    pub(super) fn advance(&mut self, ack: &Ack, refreshed: bool) {
        let (now, round) = (ack.now, self.round.count);
        match self.cycle.phase {
            Phase::Startup if self.cycle.full => self.cycle.enter(Phase::Drain, now, round),
            Phase::Startup => {}
            Phase::Drain => {
                // The model may be wrong about what the path holds.
                let enough = round > self.cycle.since_round + DRAIN_ROUNDS;
                if enough || ack.in_flight <= self.inflight(1.0) {
                    self.cycle.enter(Phase::ProbeDown, now, round);
                    self.pick_wait(now);
                }
            }
            Phase::ProbeDown => {
                if self.is_time_to_probe(now) {
                    self.start_refill(now);
                } else if self.is_drained(now, ack.in_flight) {
                    self.cycle.enter(Phase::Cruise, now, round);
                }
            }
            Phase::Cruise => {
                if self.is_time_to_probe(now) {
                    self.start_refill(now);
                }
            }
            Phase::Refill => {
                if self.round.begins && round > self.cycle.since_round {
                    self.cycle.up_rounds = 0;
                    self.cycle.up_acked = 0;
                    self.cycle.enter(Phase::ProbeUp, now, round);
                }
            }
            Phase::ProbeUp => self.probe_up(ack),
            Phase::ProbeRtt => self.probe_rtt(ack),
        }
        let idle = refreshed || self.cycle.phase == Phase::ProbeRtt;
        if !idle && self.min_rtt.is_stale(now) {
            self.prior_window = self.window;
            self.cycle.measured_until = None;
            self.cycle.measured = None;
            self.cycle.enter(Phase::ProbeRtt, now, round);
        }
    }

    /// Draft §5.3.3.1: the queue of the last attempt is gone, and room for others is there.
    fn is_drained(&self, now: Instant, in_flight: usize) -> bool {
        let bound = self.losses.inflight_bound(Phase::Cruise, now);
        in_flight <= bound.unwrap_or(usize::MAX).min(self.inflight(1.0))
    }

    fn pick_wait(&mut self, now: Instant) {
        let random = self.cycle.next_random();
        self.cycle.probed = Some(now);
        self.cycle.probed_round = self.round.count + u64::from(random & 1);
        self.cycle.wait = PROBE_WAIT + Duration::from_millis(u64::from(random >> 8) % 1000);
    }

    fn is_time_to_probe(&self, now: Instant) -> bool {
        let Some(probed) = self.cycle.probed else { return true };
        let packets = self.product(self.bandwidth.get(), 1.0) / self.mtu.max(1);
        let rounds = RENO_ROUNDS.min(packets as u64);
        now.saturating_duration_since(probed) >= self.cycle.wait
            || self.round.count >= self.cycle.probed_round + rounds.max(1)
    }

    fn start_refill(&mut self, now: Instant) {
        self.losses.lift_bounds_of_now();
        self.cycle.enter(Phase::Refill, now, self.round.count);
    }

    /// Draft §5.3.3.3, §5.3.3.4.
    fn probe_up(&mut self, ack: &Ack) {
        let is_held_back = self.raise_ceiling(ack);
        let since = self.cycle.since.unwrap_or(ack.now);
        let round_trip = self.min_rtt.get().unwrap_or_default();
        let long_enough = ack.now.saturating_duration_since(since) > round_trip;
        if long_enough && (is_held_back || ack.in_flight >= self.inflight(UP_GAIN)) {
            self.start_probe_down(ack.now);
        }
    }

    /// Draft §5.3.3.4: what may be under way rises by one packet in the first round, by two in the
    /// next, and so on, as long as it is what holds the sender back. True if it must not rise yet.
    fn raise_ceiling(&mut self, ack: &Ack) -> bool {
        let Some(mut ceiling) = self.losses.ceiling() else { return false };
        let limit = ceiling.at(ack.now);
        let is_limit = ack.limited && self.window >= limit;
        if !ceiling.is_reached(ack.now) {
            return is_limit;
        }
        if is_limit {
            self.cycle.up_acked += ack.bytes;
            let step = (self.window >> self.cycle.up_rounds.min(30)).max(1);
            let packets = self.cycle.up_acked / step;
            self.cycle.up_acked -= packets * step;
            ceiling.raise(limit + packets * self.mtu);
            self.losses.set_ceiling(ceiling);
        }
        if self.round.begins {
            self.cycle.up_rounds += 1;
        }
        false
    }

    /// The attempt is over.
    pub(super) fn start_probe_down(&mut self, now: Instant) {
        self.bandwidth.advance();
        self.cycle.enter(Phase::ProbeDown, now, self.round.count);
        self.pick_wait(now);
    }

    /// Draft §5.3.4.
    fn probe_rtt(&mut self, ack: &Ack) {
        if let Some(rtt) = ack.rtt {
            self.cycle.measured = Some(self.cycle.measured.map_or(rtt, |least| least.min(rtt)));
        }
        match self.cycle.measured_until {
            None => {
                if ack.in_flight <= self.probe_rtt_window() {
                    self.cycle.measured = None;
                    let until = ack.now + PROBE_RTT_DURATION;
                    self.cycle.measured_until = Some((until, self.round.count + 1));
                }
            }
            Some((until, round)) if ack.now >= until && self.round.count >= round => {
                self.min_rtt.measured(ack.now, self.cycle.measured);
                self.restore_window();
                self.losses.lift_bounds_of_now();
                let next = if self.cycle.full { Phase::Cruise } else { Phase::Startup };
                self.cycle.enter(next, ack.now, self.round.count);
                self.pick_wait(ack.now);
            }
            Some(_) => {}
        }
    }
}
