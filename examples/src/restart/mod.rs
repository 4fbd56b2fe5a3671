//! The story that the example `restart_ice` tells, apart from where it is told: over real sockets
//! in the example, over a simulated network in the tests.
//!
//! - `scenario`: two peers, five restarts, one after another
//! - `traffic`: numbered messages both ways, and what became of them
//! - `log`: the events of both peers as they happen
//! - `signalling`: the way to the peer
//! - `report`: the summary
//! - `timeline`: the same as a drawing

mod log;
mod report;
mod scenario;
mod signalling;
mod timeline;
mod traffic;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

pub use log::{Entry, Log, States};
pub use report::{Report, Restart};
pub use scenario::{Failure, Peers, Settings, run};
pub use signalling::Signalling;
pub use timeline::draw;
pub use traffic::{Arrival, Traffic};

/// A future that a [`Stage`] runs.
pub type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Which of the two peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Made the first offer; impolite.
    Caller,
    /// Polite.
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

/// Where the story is told: a clock, a place to run futures, a network with a weak spot.
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
