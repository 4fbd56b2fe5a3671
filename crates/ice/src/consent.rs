//! Consent to send: RFC 7675 §5.1. The checks are the keepalives of RFC 8445 §11 too.

use std::time::{Duration, Instant};

use rand::RngExt;
use smallvec::SmallVec;
use stun_types::message::TransactionId;

use crate::config::Config;
use crate::state::Role;
use crate::timing::later;

/// Enough for `consent_expiry` with the shortest intervals.
const OUTSTANDING: usize = 8;

/// Consent of the peer to be sent to on one pair.
#[derive(Debug)]
pub(crate) struct Consent {
    next: Instant,
    last_response: Instant,
    outstanding: SmallVec<[Sent; 2]>,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    id: TransactionId,
    at: Instant,
    role: Role,
}

impl Consent {
    /// Consent given by the response that arrived just now.
    pub(crate) fn new(now: Instant, config: &Config, rng: &mut impl rand::Rng) -> Self {
        let mut consent = Self { next: now, last_response: now, outstanding: SmallVec::new() };
        consent.schedule(now, config, rng);
        consent
    }

    /// §5.1: "each interval MUST be randomized from between 0.8 and 1.2 times the basic period".
    fn schedule(&mut self, now: Instant, config: &Config, rng: &mut impl rand::Rng) {
        let factor = rng.random_range(0.8..1.2);
        self.next = later(now, config.consent_interval.mul_f64(factor));
    }

    /// Whether it is time for a check. The next is due whether or not this one is answered.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now >= self.next
    }

    /// A check has been sent, and once only.
    pub(crate) fn on_sent(
        &mut self,
        id: TransactionId,
        role: Role,
        now: Instant,
        config: &Config,
        rng: &mut impl rand::Rng,
    ) {
        self.schedule(now, config, rng);
        if self.outstanding.len() >= OUTSTANDING {
            // Not the first: its age tells how long the path has been silent.
            self.outstanding.remove(1);
        }
        self.outstanding.push(Sent { id, at: now, role });
    }

    /// Whether a check with this id awaits its answer, and our role in it.
    pub(crate) fn awaits(&self, id: TransactionId) -> Option<Role> {
        self.outstanding.iter().find(|sent| sent.id == id).map(|sent| sent.role)
    }

    /// A valid response: gives the round trip time.
    pub(crate) fn on_response(&mut self, id: TransactionId, now: Instant) -> Option<Duration> {
        let sent = *self.outstanding.iter().find(|sent| sent.id == id)?;
        // Those before are lost, and need not be missed any more.
        self.outstanding.retain(|other| other.at > sent.at);
        self.last_response = now;
        Some(now.saturating_duration_since(sent.at))
    }

    /// A valid response to a connectivity check on the same pair.
    pub(crate) fn refresh(&mut self, now: Instant) {
        self.outstanding.clear();
        self.last_response = now;
    }

    /// When consent is lost.
    pub(crate) fn expires(&self, config: &Config) -> Instant {
        later(self.last_response, config.consent_expiry)
    }

    /// When connectivity counts as lost, if no response comes.
    pub(crate) fn in_trouble_at(&self, config: &Config) -> Option<Instant> {
        self.outstanding.first().map(|sent| later(sent.at, config.disconnected_timeout))
    }

    /// Whether connectivity counts as lost.
    pub(crate) fn is_in_trouble(&self, now: Instant, config: &Config) -> bool {
        self.in_trouble_at(config).is_some_and(|at| now >= at)
    }

    /// The next moment at which anything here changes.
    pub(crate) fn deadline(&self, now: Instant, config: &Config) -> Instant {
        let mut deadline = self.next.min(self.expires(config));
        if let Some(at) = self.in_trouble_at(config)
            && at > now
        {
            deadline = deadline.min(at);
        }
        deadline
    }

    /// Time of the last valid response.
    pub(crate) fn last_response(&self) -> Instant {
        self.last_response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn checks_go_on_at_random_intervals_of_4_to_6_seconds_though_none_is_answered() {
        let (config, mut rng) = (Config::default(), StdRng::from_seed([1; 32]));
        let start = Instant::now();
        let mut consent = Consent::new(start, &config, &mut rng);
        let mut last = start;
        let mut intervals = Vec::new();
        for id in 0..20u128 {
            let now = consent.next;
            assert!(consent.is_due(now));
            intervals.push((now - last).as_millis());
            consent.on_sent(id.into(), Role::Controlling, now, &config, &mut rng);
            last = now;
        }
        assert!(intervals.iter().all(|ms| (4_000..=6_000).contains(ms)), "{intervals:?}");
        intervals.dedup();
        assert!(intervals.len() > 10, "not random: {intervals:?}");
        assert_eq!(consent.expires(&config), start + Duration::from_secs(30));
    }

    #[test]
    fn one_unanswered_check_is_no_trouble_two_in_a_row_are() {
        let (config, mut rng) = (Config::default(), StdRng::from_seed([2; 32]));
        let start = Instant::now();
        let mut consent = Consent::new(start, &config, &mut rng);
        let first = consent.next;
        consent.on_sent(1.into(), Role::Controlled, first, &config, &mut rng);
        let second = consent.next;
        consent.on_sent(2.into(), Role::Controlled, second, &config, &mut rng);
        assert!(!consent.is_in_trouble(second + Duration::from_millis(900), &config));
        assert!(consent.is_in_trouble(first + Duration::from_secs(7), &config));
        // A late answer to the first leaves the second unanswered, which is younger.
        assert!(consent.on_response(1.into(), second).is_some());
        assert!(!consent.is_in_trouble(first + Duration::from_secs(7), &config));
        assert!(consent.on_response(1.into(), second).is_none(), "answered twice");
    }
}
