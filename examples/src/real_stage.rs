//! A story on real sockets, in real time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use peerconnection::host::SocketControl;
use testkit::{Job, Side, Stage};

/// The stage of tokio and the system's network.
#[derive(Debug, Default)]
pub struct RealStage {
    /// Of the caller and the callee. Those that no connection was given take nothing away.
    pub sockets: [SocketControl; 2],
}

impl Stage for RealStage {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) -> Job {
        Box::pin(tokio::time::sleep(duration))
    }

    fn spawn(&self, job: Job) {
        tokio::spawn(job);
    }

    fn close_socket(&self, side: Side, local: SocketAddr) {
        match side {
            Side::Caller => self.sockets[0].close(local),
            Side::Callee => self.sockets[1].close(local),
        }
    }
}
