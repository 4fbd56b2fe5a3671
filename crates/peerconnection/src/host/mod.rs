//! What moves a connection: sockets, time and a place to run its tasks.
//!
//! [`RTCPeerConnection::new`](crate::RTCPeerConnection::new) uses the host of this crate that runs
//! on tokio. Another event loop, or a test with a clock and a network of its own, implements
//! [`Host`], makes its connections with
//! [`RTCPeerConnection::with_host`](crate::RTCPeerConnection::with_host), and moves each with the [`Driver`] it gets:
//!
//! 1. Give the driver what has come: [`handle_datagram`](Driver::handle_datagram),
//!    [`handle_timeout`](Driver::handle_timeout).
//! 2. Run its tasks, [`run_task`](Driver::run_task), until there is none. They call the
//!    application's handlers.
//! 3. Do what it asks: [`poll_transmit`](Driver::poll_transmit), then
//!    [`poll_action`](Driver::poll_action). If there was anything, go back to 2.
//! 4. Wait for a datagram, for [`poll_timeout`](Driver::poll_timeout), or for
//!    [`Host::wake`].
//!
//! An application that has an event loop of its own, and an event dispatch, needs no network of its
//! own: with [`RTCPeerConnection::with_event_loop`](crate::RTCPeerConnection::with_event_loop)
//! tokio moves the datagrams and the timers, and the application runs the tasks, with a
//! [`TaskRunner`].

mod driver;
mod event_loop;
mod tokio;

use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

pub use self::driver::Driver;
pub use self::event_loop::{Dispatch, EventLoop, TaskRunner};
pub use self::tokio::{SocketControl, TokioOptions};
pub(crate) use self::tokio::{spawn, spawn_network};
pub use ice::{GenerationId, SocketId};
pub use negotiation::TransportId;

/// What a connection needs to know of its host at any moment.
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
}

/// What a host is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Bind UDP sockets on the interfaces to be used, report each with
    /// [`Driver::socket_bound`], then call [`Driver::gathering_done`].
    Gather {
        /// For this transport
        transport: TransportId,
        /// and this generation of candidates.
        generation: GenerationId,
    },
    /// Close the socket; everything for it has been polled.
    CloseSocket(SocketId),
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// From this socket
    pub socket: SocketId,
    /// to this address.
    pub destination: SocketAddr,
    /// The datagram.
    pub payload: Bytes,
}

impl From<ice::Transmit> for Transmit {
    fn from(transmit: ice::Transmit) -> Self {
        Self {
            socket: transmit.socket,
            destination: transmit.destination,
            payload: transmit.payload,
        }
    }
}

/// The date, where no host is at hand.
pub(crate) fn system_time() -> SystemTime {
    SystemTime::now()
}
