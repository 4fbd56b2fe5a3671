//! Where a story is told: in a world, or in life.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// A future that a [`Stage`] runs.
///
/// ```
/// use testkit::{Conditions, Job, World};
///
/// let world = World::new(1, Conditions::default());
/// let job: Job = Box::pin(async { println!("beside the story") });
/// world.handle().stage().spawn(job);
/// ```
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Which of two peers.
///
/// ```
/// use testkit::Side;
///
/// assert_eq!(Side::BOTH.map(Side::name), ["caller", "callee"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Makes the first offer, and is impolite. The first peer of a [`World`](crate::World).
    Caller,
    /// Is polite. The second peer of a [`World`](crate::World).
    Callee,
}

impl Side {
    /// Both, in the order in which they are shown.
    pub const BOTH: [Self; 2] = [Self::Caller, Self::Callee];

    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
        }
    }
}

/// What code needs of the place it runs in, so that the same code runs in a
/// [`World`](crate::World) and in life: a clock, a way to run futures, a network with a weak spot.
///
/// A world's is [`WorldHandle::stage`](crate::WorldHandle::stage). In life it is a few lines, on
/// tokio for example:
///
/// ```
/// use std::net::SocketAddr;
/// use std::sync::Arc;
/// use std::time::{Duration, Instant};
/// use testkit::{Conditions, Job, Side, Stage, World};
///
/// struct Life;
///
/// impl Stage for Life {
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
///
///     fn sleep(&self, duration: Duration) -> Job {
///         Box::pin(tokio::time::sleep(duration))
///     }
///
///     fn spawn(&self, job: Job) {
///         tokio::spawn(job);
///     }
///
///     // With `peerconnection::host::SocketControl`, if the story asks for it.
///     fn close_socket(&self, _: Side, _: SocketAddr) {}
/// }
///
/// /// The code under test: how long it takes to be patient.
/// async fn patience(stage: Arc<dyn Stage>, duration: Duration) -> Duration {
///     let before = stage.now();
///     stage.sleep(duration).await;
///     stage.now() - before
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let millisecond = Duration::from_millis(1);
/// assert!(patience(Arc::new(Life), millisecond).await >= millisecond);
///
/// let minute = Duration::from_secs(60);
/// let mut world = World::new(1, Conditions::default());
/// let stage = world.handle().stage();
/// assert_eq!(world.run(patience(stage, minute)), minute);
/// # }
/// ```
pub trait Stage: Send + Sync {
    /// The time.
    fn now(&self) -> Instant;
    /// Completes when `duration` has passed.
    fn sleep(&self, duration: Duration) -> Job;
    /// Runs a future beside the story.
    fn spawn(&self, job: Job);
    /// Takes the socket bound to `local` away from a peer.
    fn close_socket(&self, side: Side, local: SocketAddr);
}
