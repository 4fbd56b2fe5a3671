//! How much may be under way, and how fast it is sent: the controllers.
//!
//! | module | what |
//! |---|---|
//! | `newreno` | additive increase, halving (RFC 9260 §7.2) |
//! | `cubic` | growth by the time since the last loss (RFC 9438) |
//! | `hystart` | the end of slow start before it overflows the queue, for these two (RFC 9406) |
//! | `bbr` | a model of the path: bandwidth, round trip, loss (draft-ietf-ccwg-bbr) |
//!
//! All of them count bytes of payload.

mod bbr;
mod cubic;
mod hystart;
mod newreno;

use time::{Duration, Instant};

use self::bbr::Bbr;
use self::cubic::Cubic;
use self::newreno::NewReno;
use super::outstanding::Loss;
use super::rate::Sample;
use crate::config::CongestionControl;

/// The window in packets to start with (RFC 6928).
const INITIAL_PACKETS: usize = 10;

/// What an acknowledgement says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ack {
    pub(super) now: Instant,
    /// Bytes acknowledged for the first time.
    pub(super) bytes: usize,
    /// Bytes still under way.
    pub(super) in_flight: usize,
    /// The window, or the pace, held the sender back since the last acknowledgement.
    pub(super) limited: bool,
    /// The cumulative acknowledgement, whether it rose, and the last number that was assigned.
    pub(super) cumulative: u64,
    pub(super) advanced: bool,
    pub(super) last_assigned: u64,
    pub(super) sample: Option<Sample>,
    /// The round trip that it shows.
    pub(super) rtt: Option<Duration>,
    pub(super) smoothed: Duration,
    /// All bytes delivered so far.
    pub(super) delivered: u64,
}

#[derive(Debug)]
enum Controller {
    NewReno(NewReno),
    Cubic(Cubic),
    Bbr(Box<Bbr>),
}

/// The controller of an association.
#[derive(Debug)]
pub(super) struct Congestion {
    mtu: usize,
    controller: Controller,
}

impl Congestion {
    /// `seed` is random: it keeps flows from probing in step.
    pub(super) fn new(kind: CongestionControl, mtu: usize, seed: u32) -> Self {
        let controller = match kind {
            CongestionControl::NewReno => Controller::NewReno(NewReno::new(mtu)),
            CongestionControl::Cubic => Controller::Cubic(Cubic::new(mtu)),
            CongestionControl::Bbr => Controller::Bbr(Box::new(Bbr::new(mtu, seed))),
        };
        Self { mtu, controller }
    }

    /// The congestion window.
    pub(super) fn window(&self) -> usize {
        match &self.controller {
            Controller::NewReno(newreno) => newreno.window(),
            Controller::Cubic(cubic) => cubic.window(),
            Controller::Bbr(bbr) => bbr.window(),
        }
    }

    /// Bytes a second; `None` before anything is known.
    pub(super) fn pacing_rate(&self, smoothed: Option<Duration>) -> Option<f64> {
        let smoothed = smoothed?.as_secs_f64().max(1e-6);
        match &self.controller {
            // A window that doubles each round trip needs twice its rate; one that grows slowly
            // needs a little more than its rate, so that it is used.
            Controller::NewReno(newreno) => {
                let gain = if newreno.is_in_slow_start() { 2.0 } else { 1.2 };
                Some(gain * newreno.window() as f64 / smoothed)
            }
            Controller::Cubic(cubic) => {
                let gain = if cubic.is_in_slow_start() { 2.0 } else { 1.2 };
                Some(gain * cubic.window() as f64 / smoothed)
            }
            Controller::Bbr(bbr) => Some(bbr.pacing_rate(smoothed)),
        }
    }

    /// Bytes that a round trip carries.
    pub(super) fn per_round_trip(&self, smoothed: Duration) -> usize {
        match &self.controller {
            Controller::NewReno(_) | Controller::Cubic(_) => self.window(),
            Controller::Bbr(bbr) => bbr.per_round_trip(smoothed),
        }
    }

    /// Something is sent while nothing is under way, `idle` after the last.
    pub(super) fn on_restart(&mut self, now: Instant, idle: Duration, rto: Duration) {
        match &mut self.controller {
            Controller::NewReno(newreno) if idle > rto => newreno.on_idle(self.mtu),
            Controller::Cubic(cubic) if idle > rto => cubic.on_idle(now, self.mtu),
            Controller::Bbr(bbr) => bbr.on_restart_from_idle(now, idle),
            Controller::NewReno(_) | Controller::Cubic(_) => {}
        }
    }

    pub(super) fn on_ack(&mut self, ack: &Ack) {
        match &mut self.controller {
            Controller::NewReno(newreno) => newreno.on_ack(ack, self.mtu),
            Controller::Cubic(cubic) => cubic.on_ack(ack, self.mtu),
            Controller::Bbr(bbr) => bbr.on_ack(ack),
        }
    }

    /// Something was lost that was sent before `next`. True if this is a new event, and no part of one that was answered already.
    pub(super) fn on_loss(&mut self, now: Instant, next: u64, loss: &Loss) -> bool {
        match &mut self.controller {
            Controller::NewReno(newreno) => newreno.on_loss(next, self.mtu),
            Controller::Cubic(cubic) => cubic.on_loss(now, next, self.mtu),
            Controller::Bbr(bbr) => bbr.on_loss(now, next, loss),
        }
    }

    /// Everything that was lost in the last event has arrived after all (RFC 9438 §4.9).
    pub(super) fn on_spurious_loss(&mut self) {
        match &mut self.controller {
            Controller::NewReno(newreno) => newreno.undo(),
            Controller::Cubic(cubic) => cubic.undo(),
            Controller::Bbr(bbr) => bbr.undo(),
        }
    }

    /// Nothing was heard for a retransmission timeout (RFC 9260 §7.2.3).
    pub(super) fn on_timeout(&mut self) {
        match &mut self.controller {
            Controller::NewReno(newreno) => newreno.on_timeout(self.mtu),
            Controller::Cubic(cubic) => cubic.on_timeout(self.mtu),
            Controller::Bbr(bbr) => bbr.on_timeout(),
        }
    }

    pub(super) fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
        if let Controller::Bbr(bbr) = &mut self.controller {
            bbr.set_mtu(mtu);
        }
    }

    /// Another path: the window begins anew.
    pub(super) fn on_path_change(&mut self) {
        match &mut self.controller {
            Controller::NewReno(newreno) => newreno.on_path_change(self.mtu),
            Controller::Cubic(cubic) => cubic.on_path_change(self.mtu),
            Controller::Bbr(bbr) => bbr.on_path_change(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An acknowledgement of `bytes`, up to `cumulative` of `last_assigned`, by a window that was
    /// used.
    pub(in super::super) fn ack(now: Instant, bytes: usize, cumulative: u64, rtt: u64) -> Ack {
        Ack {
            now,
            bytes,
            in_flight: 0,
            limited: true,
            cumulative,
            advanced: true,
            last_assigned: cumulative + 10,
            sample: None,
            rtt: Some(Duration::from_millis(rtt)),
            smoothed: Duration::from_millis(rtt),
            delivered: 0,
        }
    }
}
