//! The host on tokio: one driver task a connection, with its sockets and its timer.

mod byte_stream;
mod connection_driver;
mod interfaces;
mod listener;
#[cfg_attr(not(feature = "mdns"), path = "no_multicast.rs")]
mod multicast;
mod network_watch;
mod socket;
mod stream;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod udp_mux;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures::task::AtomicWaker;
use negotiation::Error;
use tokio::task::{AbortHandle, coop};

use super::{
    CongestionControl, ConnectionId, Driver, EventLoop, GenerationId, Host, Shortcut, TaskRunner,
    TransportId, Waiting,
};
use crate::api::{DumpOptions, RTCConfiguration, RTCPeerConnection};
use crate::recording::Recording;
use connection_driver::ConnectionDriver;
use stream::Stream;
use time::{Duration, Instant};
pub use udp_mux::{UdpMux, UdpMuxDropped};

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
/// use peerconnection::TokioOptions;
///
/// let options = TokioOptions::default()
///     // The machine's other addresses are not for this.
///     .with_addresses(["192.0.2.7".parse()?])
///     .with_restart_on_network_change(true)
///     .with_disconnected_timeout(Duration::from_secs(5))
///     // `failed` comes 10 s sooner than by default when the peer does not end its candidates.
///     .with_end_of_candidates_timeout(Duration::from_secs(20));
/// assert!(options.restart_on_network_change);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokioOptions {
    /// The local addresses to use: for host candidates, and to ask servers from. `None` stands for
    /// the addresses of all interfaces that are up at each gathering, without loopback and
    /// link-local addresses; if there are no others, loopback is used.
    ///
    /// On the same interfaces multicast DNS is asked, from port 5353, for names behind which the
    /// peer hides its addresses, if there is the feature `mdns`.
    pub addresses: Option<Vec<IpAddr>>,
    /// The UDP ports to share with other connections. Empty, as by default, stands for ports of this
    /// connection alone, which the system chooses. [`with_udp_mux`](Self::with_udp_mux) adds one.
    pub udp_muxes: Vec<UdpMux>,
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
    /// How data channels share the network with other traffic: an extension of the W3C's API. The
    /// peer need not know of it. Default [`CongestionControl::Bbr`], a model of the path;
    /// [`CongestionControl`] says what each value is good for.
    pub congestion_control: CongestionControl,
    /// Whether to offer the peer that messages of different data channels are interleaved (RFC 8260):
    /// an extension of the W3C's API. Default true. A message that does not fit a packet then takes
    /// turns with those of other channels, by their [`priority`](crate::RTCDataChannelInit::priority).
    /// With a peer that does not offer it, as Chromium, a message that has begun is sent to its end
    /// first, whatever waits on other channels.
    pub message_interleaving: bool,
    /// What to remember for [`dump`](crate::RTCPeerConnection::dump), from which the tools of
    /// `chrome://webrtc-internals` draw: an extension of the W3C's API. Default `None`: nothing,
    /// and it costs nothing.
    pub dump: Option<DumpOptions>,
    /// Whether descriptions have SCTP's INIT chunk, in a line `a=sctp-init`
    /// (draft-hancke-tsvwg-snap): an extension of the W3C's API. With a peer that has one, too, the
    /// association is there as soon as DTLS is connected, and channels open a round trip earlier.
    /// Default [`Shortcut::Automatic`]: offers have none, and an answer has one if the offer has.
    /// Chromium has the line only if a switch tells it to.
    pub sctp_init: Shortcut,
    /// Whether the DTLS handshake is in STUN messages, too (draft-hancke-webrtc-sped): an extension
    /// of the W3C's API. With a peer that does the same, it runs while paths are being checked, and
    /// channels open a round trip earlier. Descriptions say so in `a=ice-options` (`sped`,
    /// `googspedv1`). Default [`Shortcut::Automatic`]: offers do not, and an answer does if the
    /// offer does. Chromium has it only if a switch tells it to.
    pub dtls_in_stun: Shortcut,
    /// Whether host addresses hide behind names, as those of a page do that may not use the
    /// microphone: an extension of the W3C's API. Default false.
    ///
    /// Host candidates then have a name such as `1f4712db-ea17-4bcf-a596-105139dfd8bf.local`
    /// (draft-ietf-mmusic-mdns-ice-candidates), which multicast DNS resolves on the link of the
    /// address, from UDP port 5353, until the connection closes. Each connection has its own names.
    /// Neither candidates nor descriptions nor statistics show the address. Where multicast DNS does
    /// not work, nobody can resolve the name, and the address stays hidden.
    /// [The manual](crate::manual::networks#hiding-addresses) has more.
    ///
    /// Only with the feature `mdns`, which is on by default.
    #[cfg(feature = "mdns")]
    pub hidden_addresses: bool,
    /// The certificates, each in DER, of the authorities that may vouch for TURN servers over TLS
    /// (`turns:`). `None` stands for those that the system trusts, or that the environment
    /// variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    /// [`with_authorities`](Self::with_authorities) takes PEM.
    ///
    /// Only with the feature `tls`, which is on by default.
    #[cfg(feature = "tls")]
    pub authorities: Option<Vec<Vec<u8>>>,
    /// How long to wait for more candidates before `failed`, if the peer never signals their end.
    /// Default 30 s, at most one day; `None` waits for ever, as the text of webrtc-pc does.
    ///
    /// A peer that does not signal the null candidate never signals the end. The time counts while
    /// no pair is usable. It begins with the latest of these: the last candidate; the loss of
    /// consent; if nothing has ever connected, 39.5 s after the credentials of both sides were
    /// known. A later candidate does not revive the transport; an ICE restart does.
    pub end_of_candidates_timeout: Option<Duration>,
    /// Where to write down all that the connection does, so that it can be
    /// [replayed](crate::replay): an extension of the W3C's API. Default `None`, which costs nothing.
    /// Each connection needs a recording of its own.
    pub recording: Option<Recording>,
}

impl Default for TokioOptions {
    fn default() -> Self {
        Self {
            addresses: None,
            udp_muxes: Vec::new(),
            sockets: None,
            restart_on_network_change: false,
            disconnected_timeout: ice::Config::default().disconnected_timeout,
            congestion_control: CongestionControl::default(),
            message_interleaving: transport::data::Config::default().interleaving,
            dump: None,
            sctp_init: Shortcut::default(),
            dtls_in_stun: Shortcut::default(),
            #[cfg(feature = "mdns")]
            hidden_addresses: false,
            #[cfg(feature = "tls")]
            authorities: None,
            end_of_candidates_timeout: ice::Config::default().end_of_candidates_timeout,
            recording: None,
        }
    }
}

impl TokioOptions {
    /// Gathers on the loopback address only: for peers on one machine.
    pub fn loopback() -> Self {
        Self { addresses: Some(vec![IpAddr::from([127, 0, 0, 1])]), ..Self::default() }
    }

    /// Uses only these local [addresses](Self::addresses).
    #[must_use]
    pub fn with_addresses(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.addresses = Some(addresses.into_iter().collect());
        self
    }

    /// Shares this UDP port with other connections, and has no sockets of its own but for TURN
    /// servers. More than one port, for example one of IPv4 and one of IPv6, is fine: the first is
    /// preferred. [`UdpMux`] says what is different on a shared port.
    #[must_use]
    pub fn with_udp_mux(mut self, port: &UdpMux) -> Self {
        self.udp_muxes.push(port.clone());
        self
    }

    /// Restarts ICE when the network changes, or leaves that to the application:
    /// [`restart_on_network_change`](Self::restart_on_network_change).
    #[must_use]
    pub fn with_restart_on_network_change(mut self, restart: bool) -> Self {
        self.restart_on_network_change = restart;
        self
    }

    /// Sets after how long without an answer a path is `disconnected`:
    /// [`disconnected_timeout`](Self::disconnected_timeout).
    #[must_use]
    pub fn with_disconnected_timeout(mut self, timeout: Duration) -> Self {
        self.disconnected_timeout = timeout;
        self
    }

    /// Sets how data channels share the network: [`congestion_control`](Self::congestion_control).
    ///
    /// ```
    /// use peerconnection::host::{CongestionControl, TokioOptions};
    ///
    /// let options = TokioOptions::default().with_congestion_control(CongestionControl::Cubic);
    /// assert_eq!(options.congestion_control, CongestionControl::Cubic);
    /// ```
    #[must_use]
    pub fn with_congestion_control(mut self, control: CongestionControl) -> Self {
        self.congestion_control = control;
        self
    }

    /// Offers the peer that messages of different data channels are interleaved, or does not:
    /// [`message_interleaving`](Self::message_interleaving).
    ///
    /// ```
    /// use peerconnection::TokioOptions;
    ///
    /// assert!(TokioOptions::default().message_interleaving);
    /// assert!(!TokioOptions::default().with_message_interleaving(false).message_interleaving);
    /// ```
    #[must_use]
    pub fn with_message_interleaving(mut self, interleaving: bool) -> Self {
        self.message_interleaving = interleaving;
        self
    }

    /// Remembers what a [`dump`](crate::RTCPeerConnection::dump) shows: [`dump`](Self::dump).
    #[must_use]
    pub fn with_dump(mut self, options: DumpOptions) -> Self {
        self.dump = Some(options);
        self
    }

    /// Sets whether the DTLS handshake is in STUN messages, too:
    /// [`dtls_in_stun`](Self::dtls_in_stun).
    #[must_use]
    pub fn with_dtls_in_stun(mut self, shortcut: Shortcut) -> Self {
        self.dtls_in_stun = shortcut;
        self
    }

    /// Sets whether descriptions have SCTP's INIT chunk: [`sctp_init`](Self::sctp_init).
    #[must_use]
    pub fn with_sctp_init(mut self, shortcut: Shortcut) -> Self {
        self.sctp_init = shortcut;
        self
    }

    /// Sets how long to wait for more candidates before `failed`, or, with `None`, to wait for ever:
    /// [`end_of_candidates_timeout`](Self::end_of_candidates_timeout).
    #[must_use]
    pub fn with_end_of_candidates_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.end_of_candidates_timeout = timeout.into();
        self
    }

    /// Trusts only these authorities, in PEM, to vouch for TURN servers over TLS.
    ///
    /// ```
    /// use std::error::Error;
    /// use peerconnection::TokioOptions;
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
    #[cfg(feature = "tls")]
    pub fn with_authorities(mut self, pem: &[u8]) -> Result<Self, Error> {
        let certificates = tls::certificates_of(pem).map_err(Error::SyntaxError)?;
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
    /// use peerconnection::TokioOptions;
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
    #[cfg(feature = "mdns")]
    #[must_use]
    pub fn with_hidden_addresses(mut self, hidden: bool) -> Self {
        self.hidden_addresses = hidden;
        self
    }

    /// Writes down all that the connection does: [`recording`](Self::recording).
    #[must_use]
    pub fn with_recording(mut self, recording: &Recording) -> Self {
        self.recording = Some(recording.clone());
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

    fn hastens_promises(&self) -> bool {
        // A task that has had its share waits for the driver, so that others get their turn. Whoever
        // waits is woken by the promise.
        let mut unheard = Context::from_waker(Waker::noop());
        self.event_loop.is_none()
            && match coop::poll_proceed(&mut unheard) {
                Poll::Ready(share) => {
                    share.made_progress();
                    true
                }
                Poll::Pending => false,
            }
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
    driver.set_congestion_control(options.congestion_control);
    driver.set_message_interleaving(options.message_interleaving);
    if let Some(dump) = options.dump {
        driver.set_dump(dump);
    }
    driver.set_sctp_init(options.sctp_init);
    driver.set_dtls_in_stun(options.dtls_in_stun);
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
    /// As [`new`](Self::new); `InvalidStateError` for a [recording](TokioOptions::recording) that
    /// another connection has, and `OperationError` if its first line cannot be written.
    pub fn with_options(
        configuration: RTCConfiguration,
        options: TokioOptions,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| Error::InvalidStateError(error.to_string()))?;
        check(&runtime)?;
        let host = Arc::new(TokioHost::default());
        let recording = options.recording.as_ref();
        let (pc, driver) = Self::make(configuration, host.clone(), rand::random(), recording)?;
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
        let recording = options.recording.as_ref();
        let (pc, driver) = Self::make(configuration, host.clone(), rand::random(), recording)?;
        let tasks = TaskRunner::new(&driver);
        spawn(runtime, driver, host, options);
        Ok((pc, tasks))
    }
}
