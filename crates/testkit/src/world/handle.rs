//! The clock, what sleeps by it, and what is to run beside the story.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures::channel::oneshot;
use peerconnection::host::Host;

use crate::{Job, Side, Stage};

/// What stories know of the world while they run: [`World::handle`](crate::World::handle). Cheap to
/// clone.
///
/// ```
/// use std::time::Duration;
/// use testkit::{Conditions, World};
///
/// let mut world = World::new(1, Conditions::default());
/// let handle = world.handle();
/// let slept = world.run(async move {
///     handle.sleep(Duration::from_secs(5)).await;
///     handle.elapsed()
/// });
/// assert_eq!(slept, Duration::from_secs(5));
/// ```
#[derive(Clone)]
pub struct WorldHandle {
    shared: Arc<Shared>,
}

struct Shared {
    start: Instant,
    clock: Mutex<Clock>,
}

struct Clock {
    now: Instant,
    /// What sleeps, by the time at which it wakes and the order in which it fell asleep.
    sleepers: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
    slept: u64,
    jobs: Vec<Job>,
    /// Sockets to be taken away.
    closing: Vec<(usize, SocketAddr)>,
}

impl WorldHandle {
    pub(super) fn new() -> Self {
        let start = Instant::now();
        let clock = Clock {
            now: start,
            sleepers: BTreeMap::new(),
            slept: 0,
            jobs: Vec::new(),
            closing: Vec::new(),
        };
        Self { shared: Arc::new(Shared { start, clock: Mutex::new(clock) }) }
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.shared.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The virtual time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// let before = world.handle().now();
    /// world.run_for(Duration::from_secs(1));
    /// assert_eq!(world.handle().now() - before, Duration::from_secs(1));
    /// ```
    pub fn now(&self) -> Instant {
        self.clock().now
    }

    /// Virtual time since the beginning.
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// assert!(World::new(1, Conditions::default()).handle().elapsed().is_zero());
    /// ```
    pub fn elapsed(&self) -> Duration {
        self.now() - self.shared.start
    }

    /// Completes when `duration` of virtual time has passed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// let sleep = world.handle().sleep(Duration::from_secs(60));
    /// world.run(sleep);
    /// ```
    pub fn sleep(&self, duration: Duration) -> Job {
        let (wake, sleep) = oneshot::channel();
        let mut clock = self.clock();
        clock.slept += 1;
        let key = (clock.now + duration, clock.slept);
        clock.sleepers.insert(key, wake);
        Box::pin(async move {
            // A sleeper that is never woken belongs to a world that has ended.
            let _ = sleep.await;
        })
    }

    /// Runs a future beside the story.
    ///
    /// ```
    /// use futures::channel::oneshot;
    /// use testkit::{Conditions, World};
    ///
    /// let mut world = World::new(1, Conditions::default());
    /// let (done, result) = oneshot::channel();
    /// world.handle().spawn(async move { done.send(42).unwrap() });
    /// assert_eq!(world.run(result), Ok(42));
    /// ```
    pub fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.clock().jobs.push(Box::pin(job));
    }

    /// Takes the socket bound to `local` away from a peer, as a host does whose interface is gone:
    /// the peer is told. Peers are numbered from 0, in the order in which they were added.
    ///
    /// ```
    /// let (mut pair, ..) = testkit::Pair::connected(1);
    /// let local = pair.world.sockets(0)[0];
    /// pair.handle().close_socket(0, local);
    /// pair.world.settle();
    /// assert_eq!(pair.a.ice_connection_state().as_str(), "disconnected");
    /// ```
    pub fn close_socket(&self, peer: usize, local: SocketAddr) {
        self.clock().closing.push((peer, local));
    }

    /// The world as a [`Stage`], on which its first peer is the caller and its second the callee.
    ///
    /// ```
    /// use testkit::{Conditions, World};
    ///
    /// let world = World::new(1, Conditions::default());
    /// assert_eq!(world.handle().stage().now(), world.handle().now());
    /// ```
    pub fn stage(&self) -> Arc<dyn Stage> {
        Arc::new(self.clone())
    }

    pub(super) fn take_jobs(&self) -> Vec<Job> {
        std::mem::take(&mut self.clock().jobs)
    }

    pub(super) fn take_closing(&self) -> Vec<(usize, SocketAddr)> {
        std::mem::take(&mut self.clock().closing)
    }

    /// When the next sleeper wakes.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.clock().sleepers.keys().next().map(|(at, _)| *at)
    }

    /// Sets the clock, never back; the time that it shows.
    pub(super) fn advance_to(&self, time: Instant) -> Instant {
        let mut clock = self.clock();
        clock.now = clock.now.max(time);
        clock.now
    }

    /// Wakes the next sleeper whose time has come; `false` if there is none.
    pub(super) fn wake_next(&self) -> bool {
        let mut clock = self.clock();
        let now = clock.now;
        let Some(sleeper) = clock.sleepers.first_entry().filter(|first| first.key().0 <= now)
        else {
            return false;
        };
        let wake = sleeper.remove();
        // Whoever wakes may look at the clock.
        drop(clock);
        let _ = wake.send(());
        true
    }
}

impl Stage for WorldHandle {
    fn now(&self) -> Instant {
        WorldHandle::now(self)
    }

    fn sleep(&self, duration: Duration) -> Job {
        WorldHandle::sleep(self, duration)
    }

    fn spawn(&self, job: Job) {
        WorldHandle::spawn(self, job);
    }

    fn close_socket(&self, side: Side, local: SocketAddr) {
        let peer = match side {
            Side::Caller => 0,
            Side::Callee => 1,
        };
        WorldHandle::close_socket(self, peer, local);
    }
}

impl Host for WorldHandle {
    fn now(&self) -> Instant {
        WorldHandle::now(self)
    }

    fn system_time(&self) -> SystemTime {
        // Certificates are valid for days; stories take minutes.
        SystemTime::now()
    }

    fn is_deterministic(&self) -> bool {
        true
    }

    // Every peer is looked at whenever anything happens.
    fn wake(&self) {}
}
