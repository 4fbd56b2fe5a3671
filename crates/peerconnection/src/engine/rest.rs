//! What a connection gives back when nothing happens on it.
//!
//! Most connections of a server are idle most of the time. Queues that a burst has filled and
//! schedules of keys take more memory than all that an idle connection has to remember. They are
//! given back a little after the last task and the last packet of DTLS, and are there again with the
//! next one. Checks of consent and reports of RTCP do not count, or no connection would ever be idle.
//! What is sent does not count either: it is answered.

use time::{Duration, Instant, later};

use super::Engine;

/// How long nothing happens until memory is given back. While something does, this is how often the
/// timer looks, so that no packet has to move it.
const PAUSE: Duration = Duration::from_millis(250);

/// When to give back memory.
#[derive(Debug, Default)]
pub(super) struct Rest {
    at: Option<Instant>,
    /// Something has happened since the time was set.
    is_stirred: bool,
}

impl Rest {
    /// Something happens.
    #[inline]
    pub(super) fn stir(&mut self, now: Instant) {
        match self.at {
            Some(_) => self.is_stirred = true,
            None => self.at = Some(later(now, PAUSE)),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.at
    }

    /// Whether it is time.
    fn is_due(&mut self, now: Instant) -> bool {
        if self.at.is_none_or(|at| at > now) {
            return false;
        }
        let is_quiet = !std::mem::take(&mut self.is_stirred);
        self.at = (!is_quiet).then(|| later(now, PAUSE));
        is_quiet
    }
}

impl Engine {
    /// Whether memory was given back, and nothing has happened since.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_resting(&self) -> bool {
        self.rest.at.is_none()
    }

    /// Gives back memory if nothing has happened for a while.
    pub(super) fn rest_if_quiet(&mut self, now: Instant) {
        if !self.rest.is_due(now) {
            return;
        }
        tracing::trace!("nothing happens: memory is given back");
        self.session.rest();
        self.transports.rest();
        self.outbox.rest();
        self.taken = Vec::new();
        self.tasks.rest();
        self.deliveries.shrink_to_fit();
        self.operations.shrink_to_fit();
        self.actions.shrink_to_fit();
        self.sockets.shrink_to_fit();
        self.streams.shrink_to_fit();
        self.farewells.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_time_when_nothing_has_happened_for_a_whole_pause() {
        let start = Instant::now();
        let at = |pauses: u32| start + PAUSE * pauses;
        let mut rest = Rest::default();
        assert!(!rest.is_due(at(9)), "nothing has ever happened");
        rest.stir(start);
        assert_eq!(rest.poll_timeout(), Some(at(1)));
        rest.stir(start + PAUSE / 2);
        assert!(!rest.is_due(start + PAUSE / 2));
        assert!(!rest.is_due(at(1)), "something has happened meanwhile");
        assert_eq!(rest.poll_timeout(), Some(at(2)));
        assert!(rest.is_due(at(2)));
        assert_eq!(rest.poll_timeout(), None, "no timer runs while nothing happens");
        rest.stir(at(5));
        assert_eq!(rest.poll_timeout(), Some(at(6)));
        assert!(rest.is_due(at(6)));
    }
}
