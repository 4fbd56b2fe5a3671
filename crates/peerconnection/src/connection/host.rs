//! The host, as a connection sees it.

use std::time::SystemTime;

use time::Instant;

use crate::engine::Waiting;

/// What a connection needs of its host at any moment.
pub trait Host: Send + Sync {
    /// The present time. Must not go back.
    fn now(&self) -> Instant;

    /// The present date, for certificates.
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Whether all randomness comes from the seed, including that of DTLS hellos, so that a
    /// simulation repeats itself. Return `true` in tests only: hellos become predictable.
    fn is_deterministic(&self) -> bool {
        false
    }

    /// Learns that the connection has work for its driver. May be called from any thread, also
    /// while the driver runs. The next call comes only after the driver has looked for work.
    fn wake(&self);

    /// Whether tasks run in another place than the driver. Then [`wake`](Self::wake) is called for
    /// work of the network only.
    fn runs_tasks_elsewhere(&self) -> bool {
        false
    }

    /// Whether code that waits for a promise may run the tasks of the negotiation that settle it,
    /// instead of waiting for the driver to do so, if nobody listens to their events. Whatever of
    /// the application's is to be called waits for the driver. Default false.
    fn hastens_promises(&self) -> bool {
        false
    }

    /// Learns that `count` more tasks wait to be run. May be called from any thread. This is for
    /// hosts that [run tasks elsewhere](Self::runs_tasks_elsewhere).
    fn tasks_were_queued(&self, count: usize) {
        let _ = count;
    }

    /// Learns what is left after the [`TaskRunner`](crate::host::TaskRunner) has taken tasks: a
    /// host that has let the network wait may go on. The thread that runs the tasks calls this. It
    /// is for hosts that [run tasks elsewhere](Self::runs_tasks_elsewhere).
    fn tasks_are_left(&self, left: Waiting) {
        let _ = left;
    }
}
