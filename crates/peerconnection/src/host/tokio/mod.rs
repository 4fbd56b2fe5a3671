//! The host on tokio: one driver task a connection, with its sockets and its timer.

mod connection_driver;
mod interfaces;
mod listener;
mod multicast;
mod network_watch;
mod socket;
mod stream;
mod tls;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::task::AtomicWaker;
use negotiation::Error;
use tokio::task::AbortHandle;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::{
    ConnectionId, Driver, EventLoop, GenerationId, Host, TaskRunner, TransportId, Waiting,
};
use crate::api::{RTCConfiguration, RTCPeerConnection};
use connection_driver::ConnectionDriver;
use stream::Stream;
use time::{Duration, Instant};

/// How much may wait for an event loop. Beyond this the driver receives nothing, and data of a fast
/// peer waits in the socket. The amount keeps both busy while they wait for each other.
const BACKLOG: Waiting = Waiting { tasks: 1536, bytes: 8 << 20 };
/// The driver receives again once no more than this is left.
const RESUMED: Waiting = Waiting { tasks: BACKLOG.tasks / 2, bytes: BACKLOG.bytes / 2 };

/// How a connection uses the machine: for
/// [`RTCPeerConnection::with_options`](crate::RTCPeerConnection::with_options).
///
/// The system chooses the ports of sockets. Host candidates show the addresses to which sockets are
/// bound. An address that cannot be bound is left out, and `tracing` reports it at debug level.
/// [The manual](crate::manual::networks) has more.
///
/// ```
/// use std::time::Duration;
/// use peerconnection::host::TokioOptions;
///
/// let mut options = TokioOptions::default();
/// // `failed` comes 10 s sooner than by default when the peer does not end its candidates.
/// options.end_of_candidates_timeout = Some(Duration::from_secs(20));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokioOptions {
    /// The local addresses to use: for host candidates, and to ask servers from. `None` stands for
    /// the addresses of all interfaces that are up at each gathering, without loopback and
    /// link-local addresses; if there are no others, loopback is used.
    ///
    /// On the same interfaces multicast DNS is asked, from port 5353, for names behind which the
    /// peer hides its addresses.
    pub addresses: Option<Vec<IpAddr>>,
    /// A handle with which the application, for example a test, takes sockets away.
    pub sockets: Option<SocketControl>,
    /// Whether to call [`restart_ice`](crate::RTCPeerConnection::restart_ice) when an address comes
    /// or goes on which the connection gathers: an extension of the W3C's API. Then
    /// `negotiationneeded` is fired, and the next offer has candidates of the new network, while
    /// data flow on as long as the old path works. Default false: an application listens for
    /// `iceconnectionstatechange` and restarts when it sees fit, as in a browser.
    ///
    /// Without it, too, a connection whose interface goes down is `disconnected` at once, and tries
    /// its other paths.
    pub restart_on_network_change: bool,
    /// How long after the first unanswered check a path is `disconnected`, if none of the checks
    /// that follow every 150 ms is answered either. Then other pairs are tried. Default 3 s, 100 ms
    /// to one day; a slow path gets two round trips in any case. A path that carries data is
    /// checked 1.5 s after the peer has fallen silent, an idle one every 4 to 6 s (RFC 7675 §5.1).
    pub disconnected_timeout: Duration,
    /// Whether host addresses hide behind names, as those of a page do that may not use the
    /// microphone: an extension of the W3C's API. Default false.
    ///
    /// Host candidates then have a name such as `1f4712db-ea17-4bcf-a596-105139dfd8bf.local`
    /// (draft-ietf-mmusic-mdns-ice-candidates), which multicast DNS resolves on the link of the
    /// address, from UDP port 5353, until the connection closes. Each connection has its own names.
    /// Neither candidates nor descriptions nor statistics show the address. Where multicast DNS does
    /// not work, nobody can resolve the name, and the address stays hidden.
    /// [The manual](crate::manual::networks#hiding-addresses) has more.
    pub hidden_addresses: bool,
    /// The certificates, each in DER, of the authorities that may vouch for TURN servers over TLS
    /// (`turns:`). `None` stands for those that the system trusts, or that the environment
    /// variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    /// [`with_authorities`](Self::with_authorities) takes PEM.
    pub authorities: Option<Vec<Vec<u8>>>,
    /// How long to wait for more candidates before `failed`, if the peer never signals their end.
    /// Default 30 s, at most one day; `None` waits for ever, as the text of webrtc-pc does.
    ///
    /// A peer that does not signal the null candidate never signals the end. The time counts while
    /// no pair is usable. It begins with the latest of these: the last candidate; the loss of
    /// consent; if nothing has ever connected, 39.5 s after the credentials of both sides were
    /// known. A later candidate does not revive the transport; an ICE restart does.
    pub end_of_candidates_timeout: Option<Duration>,
}

impl Default for TokioOptions {
    fn default() -> Self {
        Self {
            addresses: None,
            sockets: None,
            restart_on_network_change: false,
            disconnected_timeout: ice::Config::default().disconnected_timeout,
            hidden_addresses: false,
            authorities: None,
            end_of_candidates_timeout: ice::Config::default().end_of_candidates_timeout,
        }
    }
}

impl TokioOptions {
    /// Gathers on the loopback address only: for peers on one machine.
    pub fn loopback() -> Self {
        Self { addresses: Some(vec![IpAddr::from([127, 0, 0, 1])]), ..Self::default() }
    }

    /// Trusts only these authorities, in PEM, to vouch for TURN servers over TLS.
    ///
    /// ```
    /// use std::error::Error;
    /// use peerconnection::host::TokioOptions;
    ///
    /// fn options(file: &str) -> Result<TokioOptions, Box<dyn Error>> {
    ///     Ok(TokioOptions::default().with_authorities(&std::fs::read(file)?)?)
    /// }
    /// # assert!(options("no such file").is_err());
    /// let no_certificate = TokioOptions::default().with_authorities(b"PEM").unwrap_err();
    /// assert_eq!(no_certificate.name(), "SyntaxError");
    /// ```
    ///
    /// # Errors
    ///
    /// `SyntaxError` if there is no certificate in it, or one that is malformed.
    pub fn with_authorities(mut self, pem: &[u8]) -> Result<Self, Error> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem)
            .map(|certificate| certificate.map(|certificate| certificate.to_vec()))
            .collect();
        let certificates = certificates.map_err(|error| Error::SyntaxError(error.to_string()))?;
        if certificates.is_empty() {
            return Err(Error::SyntaxError("no certificate in the PEM".to_owned()));
        }
        self.authorities = Some(certificates);
        Ok(self)
    }

    /// Hides the host addresses behind names, or shows them:
    /// [`hidden_addresses`](Self::hidden_addresses).
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), peerconnection::Error> {
    /// use peerconnection::host::TokioOptions;
    /// use peerconnection::{RTCConfiguration, RTCPeerConnection};
    ///
    /// let options = TokioOptions::default().with_hidden_addresses(true);
    /// let pc = RTCPeerConnection::with_options(RTCConfiguration::default(), options)?;
    /// pc.on_icecandidate(|event| {
    ///     // `…-….local`, if it is a host candidate.
    ///     println!("{:?}", event.candidate().and_then(|candidate| candidate.address()));
    /// });
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_hidden_addresses(mut self, hidden: bool) -> Self {
        self.hidden_addresses = hidden;
        self
    }

    /// Lets `control` take sockets of the connection away.
    #[must_use]
    pub fn with_sockets(mut self, control: &SocketControl) -> Self {
        self.sockets = Some(control.clone());
        self
    }
}

/// Takes sockets away from the connection that has it, as an operating system does when an
/// interface goes down.
#[derive(Clone, Debug, Default)]
pub struct SocketControl {
    host: Arc<Mutex<Weak<TokioHost>>>,
}

impl SocketControl {
    /// Closes the UDP socket bound to `local`, and the TCP listener that was bound beside it,
    /// without asking the ICE agent.
    pub fn close(&self, local: SocketAddr) {
        let host = self.host.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(host) = host {
            host.tell_driver(Notice::Close(local));
        }
    }
}

/// The host of a connection: what it shares with its driver task.
#[derive(Default)]
pub(super) struct TokioHost {
    waker: AtomicWaker,
    /// Notices for the driver task, which locks them once in each round.
    notices: Mutex<Notices>,
    /// The event loop that runs the tasks, if the driver task does not.
    event_loop: Option<Arc<dyn EventLoop>>,
    /// The driver receives nothing until the event loop has caught up.
    behind: AtomicBool,
}

#[derive(Default)]
struct Notices {
    waiting: Vec<Notice>,
    /// The addresses of the machine that are up, if they may be others now.
    up: Option<Arc<[IpAddr]>>,
    /// The driver task has ended: what comes now is dropped, connections too.
    are_over: bool,
}

/// What other tasks tell the driver task.
enum Notice {
    /// Close the socket bound to this address, and the listener beside it, without asking the ICE
    /// agent.
    Close(SocketAddr),
    /// The network has not changed for a while since this change.
    NetworkSettled(u64),
    /// The addresses of a name, or why there are none.
    Resolved {
        transport: TransportId,
        generation: GenerationId,
        host: String,
        addresses: Result<Vec<IpAddr>, String>,
    },
    /// A connection to a server, or why there is none.
    Connected {
        transport: TransportId,
        generation: GenerationId,
        connection: ConnectionId,
        opened: Result<Stream, String>,
    },
}

impl TokioHost {
    fn tell_driver(&self, notice: Notice) {
        let mut notices = self.notices();
        if !notices.are_over {
            notices.waiting.push(notice);
            drop(notices);
            self.waker.wake();
        }
    }

    fn notices(&self) -> MutexGuard<'_, Notices> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver task has ended.
    fn end_notices(&self) {
        let waiting = {
            let mut notices = self.notices();
            notices.are_over = true;
            std::mem::take(&mut notices.waiting)
        };
        drop(waiting);
    }

    /// These addresses of the machine are up now.
    fn network_changed(&self, up: Arc<[IpAddr]>) {
        let mut notices = self.notices();
        if !notices.are_over {
            notices.up = Some(up);
            drop(notices);
            self.waker.wake();
        }
    }

    /// Tells the driver what a task of its own finds out. The task does not keep the host.
    fn tell_later(
        self: &Arc<Self>,
        notice: impl Future<Output = Notice> + Send + 'static,
    ) -> AbortHandle {
        let this = Arc::downgrade(self);
        let task = tokio::spawn(async move {
            let notice = notice.await;
            if let Some(this) = this.upgrade() {
                this.tell_driver(notice);
            }
        });
        task.abort_handle()
    }

    /// Asks the resolver of the system.
    fn resolve(self: &Arc<Self>, transport: TransportId, generation: GenerationId, host: String) {
        self.tell_later(async move {
            let addresses = match tokio::net::lookup_host((host.as_str(), 0)).await {
                Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
                Err(error) => Err(error.to_string()),
            };
            Notice::Resolved { transport, generation, host, addresses }
        });
    }
}

impl std::fmt::Debug for TokioHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokioHost")
    }
}

impl Host for TokioHost {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wake(&self) {
        self.waker.wake();
    }

    fn runs_tasks_elsewhere(&self) -> bool {
        self.event_loop.is_some()
    }

    fn tasks_were_queued(&self, count: usize) {
        if let Some(event_loop) = &self.event_loop {
            event_loop.tasks_were_queued(count);
        }
    }

    /// Wakes a waiting driver once little enough is left.
    fn tasks_are_left(&self, left: Waiting) {
        if !left.exceeds(RESUMED) && self.behind.swap(false, Ordering::SeqCst) {
            self.waker.wake();
        }
    }
}

/// Checks that the runtime has timers and sockets. Without them the driver's task would panic
/// later, far from the code that made the runtime.
///
/// tokio shows this only by panicking. The panic is caught here, and what the hook prints says the
/// same as the error. Where panics abort, at least this thread shows why.
fn check(runtime: &tokio::runtime::Handle) -> Result<(), Error> {
    let _context = runtime.enter();
    let has = |what, probe: fn()| {
        catch_unwind(probe).map_err(|_| {
            Error::InvalidStateError(format!(
                "the tokio runtime has no {what}: its builder needs `enable_all()`"
            ))
        })
    };
    has("timers", || drop(tokio::time::sleep(Duration::ZERO)))?;
    has("sockets", || {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .or_else(|_| std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)));
        if let Ok(socket) = socket
            && socket.set_nonblocking(true).is_ok()
        {
            // Only a panic counts here, not an error of the system.
            drop(tokio::net::UdpSocket::from_std(socket));
        }
    })
}

/// Spawns the driver of a connection that was just made.
fn spawn(
    runtime: &tokio::runtime::Handle,
    driver: Driver,
    host: Arc<TokioHost>,
    options: TokioOptions,
) {
    if let Some(control) = &options.sockets {
        *control.host.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&host);
    }
    driver.set_end_of_candidates_timeout(options.end_of_candidates_timeout);
    driver.set_disconnected_timeout(options.disconnected_timeout);
    network_watch::watch(&host);
    runtime.spawn(ConnectionDriver::new(driver, host, options));
}

impl RTCPeerConnection {
    /// Makes a connection that runs on the current tokio runtime.
    ///
    /// # Errors
    /// - `InvalidAccessError` for a certificate that has expired, and for a TURN server without
    ///   credentials, with empty ones or ones with control characters, or with a user name of more
    ///   than 508 bytes.
    /// - `SyntaxError` for a server without URLs, and for a URL that is malformed, has an unknown
    ///   scheme, or has a query behind `stun:`.
    /// - `InvalidStateError` if there is no current tokio runtime, or if that has no timers or no
    ///   sockets: its builder needs `enable_all()`.
    pub fn new(configuration: RTCConfiguration) -> Result<Self, Error> {
        Self::with_options(configuration, TokioOptions::default())
    }

    /// Like [`new`](Self::new), with options of the tokio host, such as the addresses to use.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_options(
        configuration: RTCConfiguration,
        options: TokioOptions,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| Error::InvalidStateError(error.to_string()))?;
        check(&runtime)?;
        let host = Arc::new(TokioHost::default());
        let (pc, driver) = Self::with_host(configuration, host.clone(), rand::random())?;
        spawn(&runtime, driver, host, options);
        Ok(pc)
    }

    /// Makes a connection whose tasks run on the caller's own event loop, which dispatches the
    /// events itself, while `runtime` moves the network. Returns it with the [`TaskRunner`] that
    /// runs its tasks.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_event_loop(
        configuration: RTCConfiguration,
        options: TokioOptions,
        runtime: &tokio::runtime::Handle,
        event_loop: Arc<dyn EventLoop>,
    ) -> Result<(Self, TaskRunner), Error> {
        check(runtime)?;
        let host = Arc::new(TokioHost { event_loop: Some(event_loop), ..TokioHost::default() });
        let (pc, driver) = Self::with_host(configuration, host.clone(), rand::random())?;
        let tasks = TaskRunner::new(&driver);
        spawn(runtime, driver, host, options);
        Ok((pc, tasks))
    }
}
