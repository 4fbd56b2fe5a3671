//! Consent to send: RFC 7675 §5.1. The checks are the keepalives of RFC 8445 §11 too.
//!
//! Consent checks go out every four to six seconds, each only once. If one has no answer within the
//! time that the path has needed so far, that proves nothing yet: connectivity checks follow, each
//! a transaction of its own, until one is answered. So a lost packet costs a few more, and a dead
//! path shows [`Config::disconnected_timeout`] after the first check without an answer. When a peer
//! that was sending falls silent, that first check goes out early.

use rand::RngExt;
use smallvec::SmallVec;
use stun_types::message::TransactionId;
use time::{Duration, Instant, later};

use crate::config::Config;
use crate::state::Role;
use crate::timing::RoundTrip;

/// How many checks are remembered, so that a late answer is recognised.
const OUTSTANDING: usize = 32;
/// Time between the checks that follow a missed one.
const FOLLOW_UP: Duration = Duration::from_millis(150);
/// The same, once connectivity counts as lost, and on a connection: TCP brings every check, if
/// late.
const SLOW_FOLLOW_UP: Duration = Duration::from_secs(1);
/// When a peer that was sending has been silent for this long, a check goes out at once.
const SILENCE: Duration = Duration::from_millis(1_500);

/// Why a check is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// §5.1, every four to six seconds.
    Consent,
    /// RFC 8445 §7.2: the last check has no answer, or the peer has fallen silent.
    Connectivity,
}

/// The peer's consent to receive on one pair.
#[derive(Debug)]
pub(crate) struct Consent {
    next: Instant,
    last_response: Instant,
    last_sent: Option<Instant>,
    /// When the first unanswered check was sent. An answer to a later check counts for it too.
    unanswered_since: Option<Instant>,
    outstanding: SmallVec<[Sent; 2]>,
    round_trip: RoundTrip,
    /// The peer may fall silent once between two consent checks.
    may_ask_early: bool,
    is_tcp: bool,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    id: TransactionId,
    at: Instant,
    role: Role,
}

impl Consent {
    /// Consent given by the response that arrived just now.
    pub(crate) fn new(
        now: Instant,
        round_trip: Option<Duration>,
        is_tcp: bool,
        config: &Config,
        rng: &mut impl rand::Rng,
    ) -> Self {
        let mut consent = Self {
            next: now,
            last_response: now,
            last_sent: None,
            unanswered_since: None,
            outstanding: SmallVec::new(),
            round_trip: RoundTrip::default(),
            may_ask_early: true,
            is_tcp,
        };
        if let Some(time) = round_trip {
            consent.round_trip.add_measurement(time);
        }
        consent.schedule(now, config, rng);
        consent
    }

    /// §5.1: "each interval MUST be randomized from between 0.8 and 1.2 times the basic period".
    fn schedule(&mut self, now: Instant, config: &Config, rng: &mut impl rand::Rng) {
        let factor = rng.random_range(0.8..1.2);
        self.next = later(now, config.consent_interval.mul_f64(factor));
    }

    /// Whether it is time for a check. `heard` is when data of the peer came last. Nothing here has
    /// authenticated that data, so it may bring a check forward, but never delays one.
    pub(crate) fn due(&self, now: Instant, heard: Option<Instant>, config: &Config) -> Option<Due> {
        if now >= self.next {
            Some(Due::Consent)
        } else if self.connectivity_at(heard, config).is_some_and(|at| now >= at) {
            Some(Due::Connectivity)
        } else {
            None
        }
    }

    /// When a connectivity check is due.
    fn connectivity_at(&self, heard: Option<Instant>, config: &Config) -> Option<Instant> {
        match (self.unanswered_since, self.last_sent) {
            (Some(since), Some(last)) if last > since => {
                let lost = last >= self.lost_at(since, config);
                let pause = if lost || self.is_tcp { SLOW_FOLLOW_UP } else { FOLLOW_UP };
                Some(later(last, pause))
            }
            (Some(since), _) if self.is_tcp => Some(later(since, SLOW_FOLLOW_UP)),
            (Some(since), _) => Some(later(since, self.round_trip.patience())),
            (None, last) => {
                // Data that came long before the last check says nothing new.
                let sending = |heard: &Instant| last.is_none_or(|at| later(*heard, SILENCE) > at);
                let heard = heard.filter(sending).filter(|_| self.may_ask_early)?;
                Some(later(heard.max(self.last_response), SILENCE))
            }
        }
    }

    /// The next check is due now.
    pub(crate) fn hasten(&mut self, now: Instant) {
        self.next = self.next.min(now);
    }

    /// A check has been sent, and once only.
    pub(crate) fn on_sent(
        &mut self,
        due: Due,
        id: TransactionId,
        role: Role,
        now: Instant,
        config: &Config,
        rng: &mut impl rand::Rng,
    ) {
        match due {
            Due::Consent => {
                self.schedule(now, config, rng);
                self.may_ask_early = true;
            }
            Due::Connectivity => self.may_ask_early &= self.unanswered_since.is_some(),
        }
        if self.outstanding.len() >= OUTSTANDING {
            self.outstanding.remove(0);
        }
        self.outstanding.push(Sent { id, at: now, role });
        self.last_sent = Some(now);
        self.unanswered_since.get_or_insert(now);
    }

    /// Whether a check with this id awaits its answer, and our role in it.
    pub(crate) fn awaits(&self, id: TransactionId) -> Option<Role> {
        self.outstanding.iter().find(|sent| sent.id == id).map(|sent| sent.role)
    }

    /// A valid response: gives the round trip time.
    pub(crate) fn on_response(&mut self, id: TransactionId, now: Instant) -> Option<Duration> {
        let sent = *self.outstanding.iter().find(|sent| sent.id == id)?;
        // Earlier checks are lost, and nobody waits for their answers any more.
        self.outstanding.retain(|other| other.at > sent.at);
        self.unanswered_since = self.outstanding.first().map(|sent| sent.at);
        self.last_response = now;
        let time = now.saturating_duration_since(sent.at);
        self.round_trip.add_measurement(time);
        Some(time)
    }

    /// A valid response to a connectivity check on the same pair.
    pub(crate) fn refresh(&mut self, now: Instant) {
        self.outstanding.clear();
        self.unanswered_since = None;
        self.last_response = now;
    }

    /// When consent is lost.
    pub(crate) fn expires(&self, config: &Config) -> Instant {
        later(self.last_response, config.consent_expiry)
    }

    /// When connectivity counts as lost. A slow path gets two round trips, however long they are.
    fn lost_at(&self, since: Instant, config: &Config) -> Instant {
        later(since, config.disconnected_timeout.max(self.round_trip.estimate().saturating_mul(2)))
    }

    /// When connectivity counts as lost, if no response comes.
    pub(crate) fn in_trouble_at(&self, config: &Config) -> Option<Instant> {
        self.unanswered_since.map(|since| self.lost_at(since, config))
    }

    /// Whether connectivity counts as lost.
    pub(crate) fn is_in_trouble(&self, now: Instant, config: &Config) -> bool {
        self.in_trouble_at(config).is_some_and(|at| now >= at)
    }

    /// The next moment at which anything here changes.
    pub(crate) fn deadline(
        &self,
        now: Instant,
        heard: Option<Instant>,
        config: &Config,
    ) -> Instant {
        let mut deadline = self.next.min(self.expires(config));
        let others = [self.connectivity_at(heard, config), self.in_trouble_at(config)];
        for at in others.into_iter().flatten().filter(|at| *at > now) {
            deadline = deadline.min(at);
        }
        deadline
    }

    /// When the peer's silence brings a check forward, if the silence begins now.
    pub(crate) fn silence_at(&self, now: Instant) -> Option<Instant> {
        (self.may_ask_early && self.unanswered_since.is_none()).then(|| later(now, SILENCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    const ROUND_TRIP: Duration = Duration::from_millis(40);

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    struct Path {
        consent: Consent,
        start: Instant,
        config: Config,
        rng: StdRng,
        sent: u128,
    }

    impl Path {
        fn new(seed: u8) -> Self {
            // Nobody here stops when consent has expired.
            let config =
                Config { consent_expiry: Duration::from_secs(86_400), ..Config::default() };
            let mut rng = StdRng::from_seed([seed; 32]);
            let start = Instant::now();
            let consent = Consent::new(start, Some(ROUND_TRIP), false, &config, &mut rng);
            Self { consent, start, config, rng, sent: 0 }
        }

        /// The next check: when, and why.
        fn check(&mut self, now: &mut Instant, heard: Option<Instant>) -> Due {
            loop {
                if let Some(due) = self.consent.due(*now, heard, &self.config) {
                    self.sent += 1;
                    let (config, rng) = (&self.config, &mut self.rng);
                    let id = self.sent.into();
                    self.consent.on_sent(due, id, Role::Controlling, *now, config, rng);
                    return due;
                }
                *now = self.consent.deadline(*now, heard, &self.config);
            }
        }

        fn answer(&mut self, now: Instant) {
            let answered = self.consent.on_response(self.sent.into(), now + ROUND_TRIP);
            assert_eq!(answered, Some(ROUND_TRIP));
        }
    }

    #[test]
    fn consent_checks_go_on_at_random_intervals_of_4_to_6_seconds_answered_or_not() {
        for answered in [true, false] {
            let mut path = Path::new(1);
            let (mut now, mut last) = (path.start, path.start);
            let mut intervals = Vec::new();
            while intervals.len() < 20 {
                if path.check(&mut now, None) == Due::Consent {
                    intervals.push((now - last).as_millis());
                    last = now;
                }
                if answered {
                    path.answer(now);
                }
            }
            assert!(intervals.iter().all(|ms| (4_000..=6_000).contains(ms)), "{intervals:?}");
            intervals.dedup();
            assert!(intervals.len() > 10, "not random: {intervals:?}");
        }
    }

    #[test]
    fn a_check_without_answer_is_followed_by_others_until_one_is_answered() {
        let mut path = Path::new(2);
        let mut now = path.start;
        path.check(&mut now, None);
        let missed = now;
        let mut after = Vec::new();
        for _ in 0..4 {
            assert_eq!(path.check(&mut now, None), Due::Connectivity);
            after.push((now - missed).as_millis());
        }
        // Two hundred milliseconds is more than a path of 40 ms needs.
        assert_eq!(after, [200, 350, 500, 650]);
        assert!(!path.consent.is_in_trouble(missed + ms(2_999), &path.config));
        assert!(path.consent.is_in_trouble(missed + ms(3_000), &path.config));
        path.answer(now);
        assert!(!path.consent.is_in_trouble(missed + ms(3_000), &path.config));
        assert_eq!(path.check(&mut now, None), Due::Consent);
        assert!(now - missed >= ms(4_000));
    }

    #[test]
    fn a_dead_path_is_asked_less_often_once_it_counts_as_dead_and_expires_after_30_seconds() {
        let mut path = Path::new(3);
        let mut now = path.start;
        let mut times = Vec::new();
        while now < path.start + ms(30_000) {
            path.check(&mut now, None);
            times.push(now);
        }
        let first = times[0];
        let soon = times.iter().filter(|at| **at < first + ms(3_000)).count();
        assert!((15..=21).contains(&soon), "{soon}");
        let rest = times.len() - soon;
        assert!((20..=32).contains(&rest), "{rest}");
        assert_eq!(path.consent.expires(&Config::default()), path.start + ms(30_000));
    }

    #[test]
    fn a_peer_that_was_sending_and_falls_silent_is_asked_at_once_but_not_again_and_again() {
        let mut path = Path::new(4);
        let mut now = path.start;
        let heard = path.start + ms(1_000);
        assert_eq!(path.check(&mut now, Some(heard)), Due::Connectivity);
        assert_eq!(now, heard + ms(1_500));
        path.answer(now);
        // It sends a little every two seconds: the next check is that of the schedule.
        let heard = now + ms(1_000);
        assert_eq!(path.check(&mut now, Some(heard)), Due::Consent);
        assert!(now - path.start >= ms(4_000));
        path.answer(now);
        // What came long before the last check says nothing new.
        assert_eq!(path.check(&mut now, Some(heard)), Due::Consent);
    }

    #[test]
    fn on_a_connection_checks_follow_every_second() {
        let mut path = Path::new(6);
        path.consent.is_tcp = true;
        let mut now = path.start;
        path.check(&mut now, None);
        let missed = now;
        let mut after = Vec::new();
        for _ in 0..3 {
            path.check(&mut now, None);
            after.push((now - missed).as_millis());
        }
        assert_eq!(after, [1000, 2000, 3000]);
        assert!(path.consent.is_in_trouble(missed + ms(3_000), &path.config));
    }

    #[test]
    fn an_answer_leaves_the_younger_checks_unanswered() {
        let mut path = Path::new(5);
        let mut now = path.start;
        path.check(&mut now, None);
        let first = now;
        path.check(&mut now, None);
        assert!(path.consent.on_response(1.into(), first + ms(210)).is_some());
        assert_eq!(path.consent.in_trouble_at(&path.config), Some(now + ms(3_000)));
        assert!(path.consent.on_response(1.into(), now).is_none(), "answered twice");
    }
}
