//! The driver, with which a host moves a connection.

use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;

use negotiation::{Error, TransportId};
use time::{Duration, Instant};

use super::CongestionControl;
use crate::api::{DumpOptions, RTCCertificate, RTCConfiguration, RTCPeerConnection};
use crate::connection::{Connection, Host};
use crate::engine::{
    Action, Clock, ConnectionId, Engine, GenerationId, NameOf, Randomness, Shortcut, SocketId,
    Transmit, Waiting, recorded_configuration,
};
use crate::recording::format::{Certificate, Header, Seed, VERSION};
use crate::recording::{Recorder, Recording};

/// Drives one connection; the [module](super) says how.
///
/// Dropping the driver, be it in a panic, closes the connection and settles its pending promises:
/// nothing else moves them.
pub struct Driver {
    connection: Arc<Connection>,
}

impl Driver {
    /// Sets how long to wait for more candidates before `failed`, if the peer never signals their
    /// end. [`TokioOptions`](super::TokioOptions::end_of_candidates_timeout) has the details and
    /// the default. Only transports made later have the new value, so call this before the first
    /// description is set.
    pub fn set_end_of_candidates_timeout(&self, timeout: Option<Duration>) {
        self.engine().set_end_of_candidates_timeout(self.now(), timeout);
    }

    /// Sets how soon a path that does not work any more is `disconnected`.
    /// [`TokioOptions`](super::TokioOptions::disconnected_timeout) has the details and the default.
    /// Only transports made later have the new value.
    pub fn set_disconnected_timeout(&self, timeout: Duration) {
        self.engine().set_disconnected_timeout(self.now(), timeout);
    }

    /// Sets how data channels share the network.
    /// [`TokioOptions`](super::TokioOptions::congestion_control) has the details and the default.
    /// Only transports made later have the new value.
    pub fn set_congestion_control(&self, control: CongestionControl) {
        self.engine().set_congestion_control(self.now(), control);
    }

    /// Sets whether to offer that messages of different data channels are interleaved.
    /// [`TokioOptions`](super::TokioOptions::message_interleaving) has the details and the default.
    /// Only transports made later have the new value.
    pub fn set_message_interleaving(&self, interleaving: bool) {
        self.engine().set_message_interleaving(self.now(), interleaving);
    }

    /// Remembers calls, events and statistics from now on, for
    /// [`dump`](crate::RTCPeerConnection::dump). Call this before the connection is used: what
    /// happened before is not in the dump.
    pub fn set_dump(&self, options: DumpOptions) {
        self.engine().set_dump(self.now(), options);
    }

    /// Sets whether descriptions have SCTP's parameters, so that data channels open a round trip
    /// earlier. [`TokioOptions`](super::TokioOptions::sctp_init) has the details and the default.
    /// Only descriptions that are created later follow it, so call this before the first.
    pub fn set_sctp_init(&self, shortcut: Shortcut) {
        self.engine().set_sctp_init(self.now(), shortcut);
    }

    /// Sets whether the DTLS handshake is in STUN messages, too, so that it takes no round trip of
    /// its own. [`TokioOptions`](super::TokioOptions::dtls_in_stun) has the details and the
    /// default. Only descriptions that are created later follow it, so call this before the first.
    pub fn set_dtls_in_stun(&self, shortcut: Shortcut) {
        self.engine().set_dtls_in_stun(self.now(), shortcut);
    }

    /// Calls the engine with an input, and collects the outputs.
    fn input(&self, call: impl FnOnce(&mut Engine, Instant)) {
        let now = self.now();
        let mut engine = self.engine();
        call(&mut engine, now);
        engine.collect(now);
    }

    fn now(&self) -> Instant {
        self.connection.host.now()
    }

    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.connection.engine()
    }

    /// Takes a datagram that came on a socket of this connection. Anything may be in it.
    pub fn handle_datagram(&self, socket: SocketId, source: SocketAddr, datagram: &[u8]) {
        self.input(|engine, now| {
            engine.handle_datagram(now, socket, source, datagram);
        });
    }

    /// Learns that an address of the machine has come or gone: candidates that were gathered ahead
    /// (`iceCandidatePoolSize`) are gathered anew.
    pub fn network_changed(&self) {
        self.input(|engine, now| engine.network_changed(now));
    }

    /// Learns that the time has come that [`poll_timeout`](Self::poll_timeout) named.
    pub fn handle_timeout(&self) {
        self.input(|engine, now| engine.handle_timeout(now));
    }

    /// Runs the next task of the connection's event loop: fires its events and settles its
    /// promises. `false` if there was nothing to do.
    pub fn run_task(&self) -> bool {
        self.connection.set_host_awake(false);
        self.connection.run_task()
    }

    /// Leaves the tasks to the [`TaskRunner`](super::TaskRunner), for a host that does not call
    /// [`run_task`](Self::run_task). [`Host::tasks_were_queued`] gets the number of new tasks.
    /// Returns everything that waits. While that is much, the host should receive nothing, so that
    /// a fast peer is held back; [`Host::tasks_are_left`] says when to go on.
    pub fn leave_tasks(&self) -> Waiting {
        self.connection.set_host_awake(false);
        self.announce_tasks()
    }

    /// The same for a host that stays awake until it has looked for work again.
    pub(crate) fn announce_tasks(&self) -> Waiting {
        let queue = self.connection.tasks();
        let tasks = queue.take_announcement();
        if tasks > 0 {
            self.connection.host.tasks_were_queued(tasks);
        }
        queue.waiting()
    }

    /// The next datagram to send. Sending can queue tasks: run them after the last datagram.
    pub fn poll_transmit(&self) -> Option<Transmit> {
        let now = self.now();
        self.engine().poll_transmit(now)
    }

    /// The next thing to do, once all datagrams have been polled.
    pub fn poll_action(&self) -> Option<Action> {
        self.engine().poll_action(self.now())
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.engine().poll_timeout()
    }

    /// Hides an address of this machine behind a name, in all transports and from now on. Candidates,
    /// descriptions, statistics and errors of servers have the name, or nothing, in its place. A
    /// host that hides an address calls this before it reports a socket or a listener there, and
    /// answers for the name by multicast DNS: one name for one address, and another one in each
    /// connection (draft-ietf-mmusic-mdns-ice-candidates §3.1, §3.3.3).
    pub fn hide_address(&self, address: IpAddr, name: &str) {
        self.engine().hide_address(self.now(), address, name);
    }

    /// Takes a socket that was bound for [`Action::Gather`]. The host chooses its id, another one
    /// for each socket of the connection.
    pub fn socket_bound(
        &self,
        transport: TransportId,
        generation: GenerationId,
        socket: SocketId,
        local: SocketAddr,
    ) {
        let good_for = ice::SocketUse::Everything;
        self.socket_bound_for(transport, generation, socket, local, good_for);
    }

    /// The same for a socket that is not good for everything.
    pub(crate) fn socket_bound_for(
        &self,
        transport: TransportId,
        generation: GenerationId,
        socket: SocketId,
        local: SocketAddr,
        good_for: ice::SocketUse,
    ) {
        self.input(|engine, now| {
            engine.socket_bound(now, transport, generation, socket, local, good_for);
        });
    }

    /// Takes a TCP listener that was bound for [`Action::Gather`]. The host chooses its id, another
    /// one for each socket, listener and connection.
    pub fn listening(
        &self,
        transport: TransportId,
        generation: GenerationId,
        listener: SocketId,
        local: SocketAddr,
    ) {
        self.input(|engine, now| engine.listening(now, transport, generation, listener, local));
    }

    /// Takes a connection that was accepted from a listener, with the address of the other end. Who
    /// that is will show: the connection comes back in [`Action::CloseSocket`] if no peer speaks on
    /// it.
    pub fn accepted(&self, listener: SocketId, connection: SocketId, remote: SocketAddr) {
        self.input(|engine, now| engine.accepted(now, listener, connection, remote));
    }

    /// Learns that no more sockets or listeners will be bound for this [`Action::Gather`].
    pub fn gathering_done(&self, transport: TransportId, generation: GenerationId) {
        self.input(|engine, now| engine.gathering_done(now, transport, generation));
    }

    /// Takes the addresses of the name in an [`Action::Resolve`], or a text that says why there are
    /// none.
    pub fn resolved(
        &self,
        transport: TransportId,
        generation: GenerationId,
        of: NameOf,
        host: &str,
        addresses: Result<&[IpAddr], &str>,
    ) {
        self.input(|engine, now| engine.resolved(now, transport, generation, of, host, addresses));
    }

    /// Takes the TCP connection of an [`Action::Connect`] with its local address, or a text that
    /// says why there is none. The host chooses the id, another one for each socket and connection.
    pub fn connected(
        &self,
        transport: TransportId,
        generation: GenerationId,
        connection: ConnectionId,
        opened: Result<(SocketId, SocketAddr), &str>,
    ) {
        self.input(|engine, now| engine.connected(now, transport, generation, connection, opened));
    }

    /// Takes bytes that have come on a TCP connection. Anything may be in them, cut anywhere.
    pub fn handle_stream(&self, socket: SocketId, bytes: &[u8]) {
        self.input(|engine, now| engine.handle_stream(now, socket, bytes));
    }

    /// Learns that a socket or a listener is dead: its interface has gone, or it failed for good;
    /// or that a TCP connection has ended.
    pub fn socket_failed(&self, socket: SocketId) {
        self.input(|engine, now| engine.socket_failed(now, socket));
    }

    /// Learns that the interface of a socket has gone down, or come back up. A connection that uses
    /// it is `disconnected` at once and tries other paths. The socket is kept: it may work again.
    pub fn interface_changed(&self, socket: SocketId, is_up: bool) {
        self.input(|engine, now| engine.interface_changed(now, socket, is_up));
    }

    /// Learns that more time has passed than [`Host::now`] says: its clock stands still while the
    /// machine is suspended. The connection asks peer and servers at once whether they are still
    /// there.
    pub fn resumed(&self) {
        self.input(Engine::resumed);
    }

    /// Calls `restartIce()`: for a host that sees that the network has changed.
    pub fn restart_ice(&self) {
        self.connection.api(|engine, now| engine.restart_ice(now));
    }

    /// Whether the connection is closed and its allocations at TURN servers are deleted, which
    /// takes a round trip, or 10 s where the server does not answer. Once it is, and everything has
    /// been polled, the driver has nothing more to do.
    pub fn is_closed(&self) -> bool {
        self.engine().has_left()
    }

    /// The span in which `tracing` shows what this connection does. A host enters it for a round of
    /// work, not for each datagram. Calls of the application's are in it by themselves.
    pub fn span(&self) -> tracing::Span {
        self.connection.span().clone()
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Closes the connection, because the host ends and nothing will move it any more.
    pub(crate) fn end(&self) {
        let connection = &self.connection;
        let _entered = connection.span().enter();
        let was_held = !self.engine().is_closed() && connection.is_held();
        // A panic may be unwinding: a second one would end the process.
        let guarded = |step: &dyn Fn()| {
            if catch_unwind(AssertUnwindSafe(step)).is_err() {
                tracing::error!("a panic while a connection was closed with its host");
            }
        };
        guarded(&|| connection.close());
        // Pending promises are settled even if closing has failed.
        guarded(&|| {
            let operations = connection.engine().take_operations();
            // Dropped without the connection's lock: reactions may call the connection.
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
            // These tasks are left after `close()`: `ended` events of tracks, and statistics.
            guarded(&|| {
                loop {
                    while self.run_task() {}
                    if self.engine().end_tasks() {
                        return;
                    }
                }
            });
            if let Some(recorder) = connection.recorder() {
                guarded(&|| recorder.end());
            }
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
    /// Makes a connection for the caller's own host. Returns it with the [`Driver`] that moves it.
    /// All randomness of the connection comes from `seed`; use each seed once.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_host(
        configuration: RTCConfiguration,
        host: Arc<dyn Host>,
        seed: [u8; 32],
    ) -> Result<(Self, Driver), Error> {
        Self::make(configuration, host, seed, None)
    }

    /// Like [`with_host`](Self::with_host), with a [recording](crate::recording) of all that the
    /// connection does. What is random is not what it is without a recording.
    ///
    /// # Errors
    /// As [`new`](Self::new); `InvalidStateError` if another connection has the recording, and
    /// `OperationError` if its first line cannot be written.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Instant;
    /// use peerconnection::host::Host;
    /// use peerconnection::recording::Recording;
    /// use peerconnection::{RTCConfiguration, RTCPeerConnection};
    ///
    /// struct Idle;
    ///
    /// impl Host for Idle {
    ///     fn now(&self) -> Instant {
    ///         Instant::now()
    ///     }
    ///     fn wake(&self) {}
    /// }
    ///
    /// let recording = Recording::new(std::io::sink());
    /// let make = || {
    ///     let (configuration, host) = (RTCConfiguration::default(), Arc::new(Idle));
    ///     RTCPeerConnection::with_recorded_host(configuration, host, [7; 32], &recording)
    /// };
    /// let (_pc, _driver) = make()?;
    /// assert_eq!(make().unwrap_err().name(), "InvalidStateError");
    /// # Ok::<(), peerconnection::Error>(())
    /// ```
    pub fn with_recorded_host(
        configuration: RTCConfiguration,
        host: Arc<dyn Host>,
        seed: [u8; 32],
        recording: &Recording,
    ) -> Result<(Self, Driver), Error> {
        Self::make(configuration, host, seed, Some(recording))
    }

    pub(crate) fn make(
        configuration: RTCConfiguration,
        host: Arc<dyn Host>,
        seed: [u8; 32],
        recording: Option<&Recording>,
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
        // Read only now, since the first key of a process takes tens of milliseconds, and both at
        // once, since timestamps relate them.
        let (now, system_time) = (host.now(), host.system_time());
        let clock = Clock::new(now, system_time);
        let is_deterministic = host.is_deterministic();
        let Some(recording) = recording else {
            let random = Randomness::of(seed);
            let engine = Engine::new(configuration, generated, clock, random, is_deterministic)?;
            return Ok(Self::with_engine(engine, host));
        };
        let seeds = Randomness::recorded(seed);
        let header = Header {
            peerconnection_recording: VERSION,
            crate_version: env!("CARGO_PKG_VERSION").to_owned(),
            date: system_time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
            session_seed: Seed(seeds[0]),
            engine_seed: Seed(seeds[1]),
            configuration: recorded_configuration(&configuration),
            generated: generated.iter().map(|own| Certificate::of(&own.certificate)).collect(),
        };
        // What the engine refuses is no connection, and takes no recording.
        let random = Randomness::of_recorded(seeds);
        let mut engine = Engine::new(configuration, generated, clock, random, is_deterministic)?;
        engine.set_recording(recording.begin(now, &header)?);
        Ok(Self::with_engine(engine, host))
    }

    /// Makes a connection of which everything is known that it will be told.
    pub(crate) fn replayed(
        configuration: RTCConfiguration,
        generated: Vec<RTCCertificate>,
        host: Arc<dyn Host>,
        seeds: [[u8; 32]; 2],
        recorder: Arc<Recorder>,
    ) -> Result<(Self, Driver), Error> {
        let clock = Clock::new(host.now(), host.system_time());
        let random = Randomness::of_recorded(seeds);
        let mut engine = Engine::new(configuration, generated, clock, random, false)?;
        engine.set_recording(recorder);
        Ok(Self::with_engine(engine, host))
    }

    fn with_engine(engine: Engine, host: Arc<dyn Host>) -> (Self, Driver) {
        let (connection, handle) = Connection::new(engine, host);
        (handle, Driver { connection })
    }
}
