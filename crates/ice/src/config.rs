//! Timing and limits.

use time::Duration;

/// Timing and limits of an [`Agent`](crate::Agent).
///
/// The defaults are the RFCs' own where they give any. [`Agent::new`](crate::Agent::new) replaces
/// values that an RFC forbids with the nearest one it allows, and limits every duration to one day.
///
/// ```
/// use std::time::Duration;
/// use peerconnection_ice as ice;
///
/// let config = ice::Config { ta: Duration::from_millis(50), ..ice::Config::default() };
/// let agent = ice::Agent::new(config, [7; 32]);
/// assert_eq!(agent.state(), ice::State::New);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Ta, the pace of checks: the time between the first transmissions of any two checks,
    /// ordinary, triggered or nominating (RFC 8445 §6.1.4.2, §14.2). The first nomination of a
    /// generation, by either side, does not wait for it. Consent checks have a schedule of their
    /// own. Default 20 ms, at least 5 ms.
    pub ta: Duration,
    /// Smallest RTO, the time to the first retransmission of a check; each further one takes
    /// twice as long (RFC 8445 §14.3). Default 500 ms, which is also the smallest allowed.
    pub rto: Duration,
    /// Rc, how often a check is sent before it is given up (RFC 8489 §6.2.1). Default 7, which
    /// with an RTO of 500 ms gives up after 39.5 s. 1 to 10.
    pub max_transmissions: u32,
    /// Mean time between two consent checks of the selected pair; each is drawn from 0.8 to 1.2
    /// times this (RFC 7675 §5.1). They are the keepalives too. Default 5 s, at least 5 s.
    pub consent_interval: Duration,
    /// Time after the last valid response at which consent is lost and nothing may be sent on
    /// the pair any more (RFC 7675 §5.1). Default 30 s, at most 30 s.
    pub consent_expiry: Duration,
    /// How long after the first unanswered check the state becomes
    /// [`State::Disconnected`](crate::State::Disconnected), if none of the checks that follow
    /// every 150 ms is answered either. Default 3 s. While the peer sends data, the agent notices
    /// a dead path 1.5 s later than this. Without data, up to 1.2 times
    /// [`consent_interval`](Self::consent_interval) may pass before the first check meets the dead
    /// path.
    pub disconnected_timeout: Duration,
    /// The Patiently Awaiting Connectivity timer: no generation fails until this long after its
    /// parameters are known on both sides (RFC 8863 §4). Default 39.5 s.
    pub pac: Duration,
    /// How long the agent waits for more candidates while no pair is usable and the peer has not
    /// announced their end. The time counts from the end of [`pac`](Self::pac), from the loss of
    /// consent or from the peer's last candidate, whichever is latest. Then the agent assumes the
    /// end of candidates, and [`State::Failed`](crate::State::Failed) follows under its other
    /// conditions. Default 30 s; `None` waits for ever, as the text of webrtc-pc does.
    pub end_of_candidates_timeout: Option<Duration>,
    /// Longest time a controlling agent waits with a valid pair for better ones that are still
    /// being checked. It waits twice the round trip of the valid pair, but at least
    /// [`nomination_wait_min`](Self::nomination_wait_min) and at most this. Default 200 ms.
    pub nomination_wait_max: Duration,
    /// See [`nomination_wait_max`](Self::nomination_wait_max). Default 5 ms.
    pub nomination_wait_min: Duration,
    /// How long a controlling agent that has only a valid pair over TCP waits for pairs over UDP
    /// that are still being checked. Default 1 s, in which a check over UDP is sent twice.
    pub nomination_wait_tcp: Duration,
    /// How long after the selection of a pair the state becomes
    /// [`State::Completed`](crate::State::Completed) at the earliest. Until then both sides go on
    /// checking better pairs, also those of candidates that come only now, and one that works takes
    /// over. Each selection begins the time anew, and so does each candidate of the peer that makes a
    /// better pair before the state is completed. Default 3 s, the
    /// time for which RFC 8445 §8.3.1 keeps the other candidates.
    pub conclusion_wait: Duration,
    /// How long an older generation still accepts packets and answers checks once a newer one
    /// carries the data. Then its sockets are released. This covers packets in flight and a peer
    /// that needs three retransmissions (3.5 s) to switch. Whenever the peer sends there, the time
    /// begins anew, up to [`consent_expiry`](Self::consent_expiry) in all. Default 5 s.
    pub linger: Duration,
    /// Most remote candidates of one generation, for signalled and peer-reflexive ones each.
    /// Default 100.
    pub max_candidates: usize,
    /// Most candidate pairs of one generation (RFC 8445 §6.1.2.5). Default 100.
    pub max_pairs: usize,
    /// Most generations held at once; before one more begins, the oldest that does not carry
    /// the data is released. Default 4, at least 3.
    pub max_generations: usize,
    /// How the agent asks servers. Gathering ends at the latest
    /// [`deadline`](turn::Config::deadline) after the agent asked the last of them; a server
    /// without an answer by then gives an error of code 701. The host has the same time to resolve
    /// a name.
    pub servers: turn::Config,
    /// Most questions to servers in one generation: each socket asks each server. Default 64.
    pub max_server_clients: usize,
    /// Most checks that are kept while the peer's parameters are not known yet (RFC 8445 §7.3.1.4).
    /// Default 16.
    pub max_early_checks: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ta: Duration::from_millis(20),
            rto: Duration::from_millis(500),
            max_transmissions: 7,
            consent_interval: Duration::from_secs(5),
            consent_expiry: Duration::from_secs(30),
            disconnected_timeout: Duration::from_secs(3),
            pac: Duration::from_millis(39_500),
            end_of_candidates_timeout: Some(Duration::from_secs(30)),
            nomination_wait_max: Duration::from_millis(200),
            nomination_wait_min: Duration::from_millis(5),
            nomination_wait_tcp: Duration::from_secs(1),
            conclusion_wait: Duration::from_secs(3),
            linger: Duration::from_secs(5),
            max_candidates: 100,
            max_pairs: 100,
            max_generations: 4,
            max_early_checks: 16,
            // See `normalise`.
            servers: turn::Config { replaces_lost_allocation: false, ..turn::Config::default() },
            max_server_clients: 64,
        }
    }
}

impl Config {
    /// The configuration within what the RFCs allow and what cannot overflow a clock.
    pub(crate) fn normalise(&self) -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            ta: self.ta.clamp(Duration::from_millis(5), DAY),
            rto: self.rto.clamp(Duration::from_millis(500), DAY),
            max_transmissions: self.max_transmissions.clamp(1, 10),
            consent_interval: self.consent_interval.clamp(Duration::from_secs(5), DAY),
            consent_expiry: self
                .consent_expiry
                .clamp(Duration::from_secs(1), Duration::from_secs(30)),
            disconnected_timeout: self.disconnected_timeout.clamp(Duration::from_millis(100), DAY),
            pac: self.pac.min(DAY),
            end_of_candidates_timeout: self.end_of_candidates_timeout.map(|time| time.min(DAY)),
            nomination_wait_max: self.nomination_wait_max.min(DAY),
            nomination_wait_min: self.nomination_wait_min.min(self.nomination_wait_max).min(DAY),
            nomination_wait_tcp: self.nomination_wait_tcp.min(DAY),
            conclusion_wait: self.conclusion_wait.min(DAY),
            linger: self.linger.min(DAY),
            max_candidates: self.max_candidates.max(1),
            max_pairs: self.max_pairs.max(1),
            max_generations: self.max_generations.max(3),
            max_early_checks: self.max_early_checks,
            servers: turn::Config {
                deadline: self.servers.deadline.clamp(Duration::from_millis(100), DAY),
                // Its address would be another candidate, and it is too late for that once
                // gathering has ended. No browser allocates again either.
                replaces_lost_allocation: false,
                ..self.servers
            },
            max_server_clients: self.max_server_clients.clamp(1, 1024),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So that all agents with it share it.
    #[test]
    fn the_default_is_used_as_it_is() {
        assert_eq!(Config::default().normalise(), Config::default());
    }

    #[test]
    fn values_the_rfcs_forbid_become_the_nearest_allowed() {
        let config = Config {
            ta: Duration::ZERO,
            rto: Duration::from_millis(1),
            consent_interval: Duration::from_secs(1),
            consent_expiry: Duration::from_secs(60),
            conclusion_wait: Duration::MAX,
            linger: Duration::MAX,
            ..Config::default()
        }
        .normalise();
        assert_eq!(config.ta, Duration::from_millis(5));
        assert_eq!(config.rto, Duration::from_millis(500));
        assert_eq!(config.consent_interval, Duration::from_secs(5));
        assert_eq!(config.consent_expiry, Duration::from_secs(30));
        assert_eq!(config.conclusion_wait, Duration::from_secs(86_400));
        assert_eq!(config.linger, Duration::from_secs(86_400));
    }
}
