//! What a connection knows of its host.

use std::time::SystemTime;

use time::Instant;

use crate::engine::Waiting;

/// What a connection needs of its host at any moment.
pub trait Host: Send + Sync {
    /// The present time. May not go back.
    fn now(&self) -> Instant;

    /// The present date, for certificates.
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Whether everything random comes from the seed, that of DTLS hellos too, so that a
    /// simulation repeats itself. For tests alone: hellos become predictable.
    fn is_deterministic(&self) -> bool {
        false
    }

    /// The connection has work for its driver. Called from any thread, also while the driver
    /// runs; not called again until the driver has looked.
    fn wake(&self);

    /// Whether tasks are run elsewhere than where the network is moved. [`wake`](Self::wake) is then
    /// called for work of the network alone.
    fn runs_tasks_elsewhere(&self) -> bool {
        false
    }

    /// So many tasks more are there to run. Called from any thread; for hosts that run tasks
    /// elsewhere than where they move the network.
    fn tasks_were_queued(&self, count: usize) {
        let _ = count;
    }

    /// The [`TaskRunner`](crate::host::TaskRunner) has taken tasks, and these are left: a host that
    /// has let the network wait may go on. Called from the thread that runs the tasks; for hosts
    /// that run tasks elsewhere than where they move the network.
    fn tasks_are_left(&self, left: Waiting) {
        let _ = left;
    }
}
