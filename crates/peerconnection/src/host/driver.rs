//! The driver: what a host moves a connection with.

use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard};

use negotiation::{Error, TransportId};
use time::{Duration, Instant};

use crate::api::{RTCCertificate, RTCConfiguration, RTCPeerConnection};
use crate::connection::{Connection, Host};
use crate::engine::{Action, Clock, Engine, GenerationId, SocketId, Transmit, Waiting};

/// Moves one connection; see the [module](super) for how.
///
/// Nothing moves the connection once it is dropped, be it in a panic: the connection is closed with
/// it, and promises that are pending are settled.
pub struct Driver {
    connection: Arc<Connection>,
}

impl Driver {
    /// How long a peer that never says that it has no more candidates may send some, when nothing
    /// connects or the connection is lost; the default, and what it means, are those of
    /// [`TokioOptions`](super::TokioOptions::end_of_candidates_timeout). For transports that do not
    /// exist yet, so to be called before the first description is set.
    pub fn set_end_of_candidates_timeout(&self, timeout: Option<Duration>) {
        self.engine().set_end_of_candidates_timeout(timeout);
    }

    /// The engine, with what the last call made of it collected when `call` returns.
    fn input(&self, call: impl FnOnce(&mut Engine, Instant)) {
        let now = self.connection.host.now();
        let mut engine = self.engine();
        call(&mut engine, now);
        engine.collect(now);
    }

    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.connection.engine()
    }

    /// A datagram has come on a socket of this connection. Anything may be in it.
    pub fn handle_datagram(&self, socket: SocketId, source: SocketAddr, datagram: &[u8]) {
        self.input(|engine, now| engine.handle_datagram(now, socket, source, datagram));
    }

    /// The time that [`poll_timeout`](Self::poll_timeout) named has come.
    pub fn handle_timeout(&self) {
        self.input(|engine, now| engine.handle_timeout(now));
    }

    /// Runs the next task of the connection's event loop: its events are fired, its promises
    /// settled. `false` if there was nothing to do.
    pub fn run_task(&self) -> bool {
        self.connection.set_host_awake(false);
        self.connection.run_task()
    }

    /// Leaves the tasks to the [`TaskRunner`](super::TaskRunner), for a host that does not call
    /// [`run_task`](Self::run_task): tells it with [`Host::tasks_were_queued`] how many have come.
    /// Returns what waits altogether. While that is much, the host had better receive nothing, so
    /// that a fast peer is held back; [`Host::tasks_are_left`] says when to go on.
    pub fn leave_tasks(&self) -> Waiting {
        self.connection.set_host_awake(false);
        self.announce_tasks()
    }

    /// The same for a host that is awake, and stays so until it has looked again.
    pub(crate) fn announce_tasks(&self) -> Waiting {
        let queue = self.connection.tasks();
        let tasks = queue.take_announcement();
        if tasks > 0 {
            self.connection.host.tasks_were_queued(tasks);
        }
        queue.waiting()
    }

    /// The next datagram to send. When there is none left, there may be tasks to run again.
    pub fn poll_transmit(&self) -> Option<Transmit> {
        let now = self.connection.host.now();
        self.engine().poll_transmit(now)
    }

    /// The next thing to do, once all datagrams have been polled.
    pub fn poll_action(&self) -> Option<Action> {
        self.engine().poll_action()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.engine().poll_timeout()
    }

    /// A socket was bound for [`Action::Gather`], under an id that the host chooses, once for
    /// each socket of the connection.
    pub fn socket_bound(
        &self,
        transport: TransportId,
        generation: GenerationId,
        socket: SocketId,
        local: SocketAddr,
    ) {
        self.input(|engine, now| engine.socket_bound(now, transport, generation, socket, local));
    }

    /// No more sockets will be bound for this [`Action::Gather`].
    pub fn gathering_done(&self, transport: TransportId, generation: GenerationId) {
        self.input(|engine, now| engine.gathering_done(now, transport, generation));
    }

    /// The addresses of the name in an [`Action::Resolve`], or why there are none, for people.
    pub fn resolved(
        &self,
        transport: TransportId,
        generation: GenerationId,
        host: &str,
        addresses: Result<&[IpAddr], &str>,
    ) {
        self.input(|engine, now| engine.resolved(now, transport, generation, host, addresses));
    }

    /// A socket is dead: its interface has gone, or it failed for good.
    pub fn socket_failed(&self, socket: SocketId) {
        self.input(|engine, now| engine.socket_failed(now, socket));
    }

    /// Whether the connection is closed. Once it is, and everything has been polled, the driver
    /// has nothing more to do.
    pub fn is_closed(&self) -> bool {
        self.engine().is_closed()
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// The host ends, and with it all that moves the connection.
    pub(crate) fn end(&self) {
        let connection = &self.connection;
        let was_held = !self.is_closed() && connection.is_held();
        // Perhaps while a panic unwinds: a second one would end the process.
        let guarded = |step: &dyn Fn()| {
            if catch_unwind(AssertUnwindSafe(step)).is_err() {
                tracing::error!("a panic while a connection was closed with its host");
            }
        };
        guarded(&|| connection.close());
        // Those of a connection whose closing failed, too.
        guarded(&|| {
            let operations = connection.engine().take_operations();
            // Reactions may call the connection: not under its lock.
            drop(operations);
        });
        if was_held && !connection.is_held() {
            tracing::warn!(
                "a connection was open until its host ended, and only handlers held it: they \
                 capture its handle, or those of two connections capture each other's. \
                 `RTCPeerConnection::weakly()` captures without holding"
            );
        }
        if !connection.host.runs_tasks_elsewhere() {
            // What `close()` still has to tell: that tracks have ended, and statistics.
            guarded(&|| {
                loop {
                    while self.run_task() {}
                    if self.engine().end_tasks() {
                        return;
                    }
                }
            });
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Driver")
    }
}

impl RTCPeerConnection {
    /// Makes a connection for a host of the caller's: the same object, and the [`Driver`] with
    /// which the host moves it. `seed` is all the randomness it takes; use each seed once.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_host(
        configuration: RTCConfiguration,
        host: Arc<dyn Host>,
        seed: [u8; 32],
    ) -> Result<(Self, Driver), Error> {
        // webrtc-pc §4.4.1.1 Constructor, step 5
        let today = host.system_time();
        for certificate in &configuration.certificates {
            if certificate.certificate.expires() < today {
                return Err(Error::InvalidAccessError("a certificate has expired".to_owned()));
            }
        }
        // Step 6
        let generated = if configuration.certificates.is_empty() {
            vec![RTCCertificate::generate(today)?]
        } else {
            Vec::new()
        };
        // Only now, the first key of a process takes tens of milliseconds; and with nothing between.
        let (now, system_time) = (host.now(), host.system_time());
        let clock = Clock::new(now, system_time);
        let engine = Engine::new(configuration, generated, clock, seed, host.is_deterministic())?;
        let (connection, handle) = Connection::new(engine, host);
        Ok((handle, Driver { connection }))
    }
}
