//! One DTLS connection (RFC 8261 under RFC 8827): an engine does the protocol, this module decides
//! when it may run, what it hears, and whom it believes.

#[cfg(test)]
pub(crate) mod tests;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use time::{Duration, Floor, Instant};
use tracing::{debug, trace};

use crate::certificate::{self, Fingerprint};
use crate::config::{Config, DATAGRAM_SIZES, DtlsVersion};
use crate::datagram::Datagram;
use crate::engine::{Ended, Engine, MOST_OVERHEAD, Recipe, Said};
use crate::error::DtlsError;
use crate::srtp::SrtpKeys;

/// Shorter than any timer of DTLS; the shortest is a quarter of the first retransmission.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
/// Datagrams kept until the handshake may start.
const MAX_EARLY: usize = 8;
/// An engine may say so for "never".
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Datagrams of a ClientHello that are kept to be repeated.
const MAX_HELLO: usize = 4;
/// What one pass of sending may allocate at once.
const MAX_BLOCK: usize = 64 * 1024;

/// The side of the handshake (`a=setup`: active is the client).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DtlsRole {
    /// Sends the first message.
    Client,
    /// Waits for it.
    Server,
}

/// `RTCDtlsTransportState` (webrtc-pc §5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DtlsState {
    /// The handshake has not started.
    New,
    /// The handshake runs.
    Connecting,
    /// The handshake succeeded, and the fingerprint of the peer was verified.
    Connected,
    /// Either side closed the transport.
    Closed,
    /// An error ended it.
    Failed,
}

/// What a call has brought about. The calls of [`Connection`] hand it to their `sink`, in order.
pub enum Output<'a> {
    /// The state, unless it is `Failed`.
    State(DtlsState),
    /// The state is `Failed`, for this reason.
    Failed(DtlsError),
    /// What one record of the peer carries.
    Data(&'a [u8]),
}

/// One connection: a handshake, then records both ways.
///
/// After calls that take a `sink`, take every datagram out of
/// [`poll_transmit`](Self::poll_transmit), call [`end_pass`](Self::end_pass), then wait until
/// [`poll_timeout`](Self::poll_timeout).
///
/// ```
/// use std::time::{Instant, SystemTime};
/// use peerconnection_dtls::{Certificate, Config, Connection, DtlsRole, DtlsState, Output};
///
/// let now = Instant::now();
/// let certificates =
///     [Certificate::generate(SystemTime::now())?, Certificate::generate(SystemTime::now())?];
/// let mut peers = certificates.clone().map(|own| Connection::new(&Config::new(own)));
/// for (i, role) in [DtlsRole::Client, DtlsRole::Server].into_iter().enumerate() {
///     peers[i].set_writable(now, true, &mut |_| {});
///     peers[i].start(now, role, certificates[1 - i].fingerprints(), &mut |_| {});
/// }
/// while peers.iter().any(|peer| peer.state() != DtlsState::Connected) {
///     for i in 0..2 {
///         while let Some(datagram) = peers[i].poll_transmit() {
///             peers[1 - i].handle_datagram(now, &datagram, &mut |_| {});
///         }
///     }
/// }
/// peers[0].send(b"hello", &mut |_| {});
/// let mut heard = Vec::new();
/// while let Some(datagram) = peers[0].poll_transmit() {
///     peers[1].handle_datagram(now, &datagram, &mut |output| {
///         if let Output::Data(data) = output {
///             heard.extend_from_slice(data);
///         }
///     });
/// }
/// assert_eq!(heard, b"hello");
/// assert_eq!(peers[0].srtp_keys(), peers[1].srtp_keys());
/// # Ok::<(), peerconnection_dtls::CertificateError>(())
/// ```
pub struct Connection {
    recipe: Recipe,
    engine: Option<Box<dyn Engine>>,
    state: DtlsState,
    role: Option<DtlsRole>,
    remote_fingerprints: Vec<Fingerprint>,
    remote_certificate: Option<Bytes>,
    srtp: Option<SrtpKeys>,
    /// What arrived before it could be used, oldest first.
    early: VecDeque<Vec<u8>>,
    /// The ClientHello, while nothing has come from the server.
    hello: Vec<Vec<u8>>,
    writable: bool,
    /// What was said last and may not have arrived, if the owner brings it to the peer in another
    /// way, too.
    ahead: Option<Vec<Bytes>>,
    deadline: Option<Instant>,
    floor: Floor,
    outgoing: VecDeque<Datagram>,
    block: BytesMut,
    block_size: usize,
    datagram_size: usize,
    /// Room in front of datagrams with data, and behind them.
    headroom: usize,
    tailroom: usize,
}

impl Connection {
    /// A connection that has not begun.
    pub fn new(config: &Config) -> Self {
        let config = config.clone().clamp();
        Self {
            recipe: Recipe::new(&config),
            engine: None,
            state: DtlsState::New,
            role: None,
            remote_fingerprints: Vec::new(),
            remote_certificate: None,
            srtp: None,
            early: VecDeque::new(),
            hello: Vec::new(),
            writable: false,
            ahead: None,
            deadline: None,
            floor: Floor::new(SHORTEST_PAUSE),
            outgoing: VecDeque::new(),
            block: BytesMut::new(),
            block_size: 0,
            datagram_size: config.max_datagram_size,
            headroom: config.headroom,
            tailroom: config.tailroom,
        }
    }

    /// The largest datagram from now on, in place of
    /// [`Config::max_datagram_size`](crate::Config::max_datagram_size): another path, say, takes
    /// less. A handshake that has begun goes on as it began.
    pub fn set_max_datagram_size(&mut self, size: usize) {
        let size = size.clamp(*DATAGRAM_SIZES.start(), *DATAGRAM_SIZES.end());
        if self.engine.is_none() && size != self.datagram_size {
            self.recipe = self.recipe.resized(size);
            self.datagram_size = size;
        }
    }

    /// `RTCDtlsTransport.state`.
    pub fn state(&self) -> DtlsState {
        self.state
    }

    /// The local role in the handshake, once [`start`](Self::start) has set it.
    pub fn role(&self) -> Option<DtlsRole> {
        self.role
    }

    /// The certificate of the peer in DER, once it was received.
    pub fn remote_certificate(&self) -> Option<&Bytes> {
        self.remote_certificate.as_ref()
    }

    /// What was negotiated for SRTP; `None` before the handshake has succeeded, and with a peer
    /// that has no profile in common.
    pub fn srtp_keys(&self) -> Option<&SrtpKeys> {
        self.srtp.as_ref()
    }

    /// The version, once it is negotiated.
    pub fn version(&self) -> Option<DtlsVersion> {
        self.engine.as_ref()?.negotiated().map(|negotiated| negotiated.version)
    }

    /// The cipher suite, once it is negotiated: its number in IANA's registry of TLS.
    pub fn cipher_suite(&self) -> Option<u16> {
        self.engine.as_ref()?.negotiated()?.suite
    }

    /// The group of the key exchange, once it is negotiated: its number in IANA's registry of TLS.
    pub fn group(&self) -> Option<u16> {
        self.engine.as_ref()?.negotiated()?.group
    }

    /// What a record adds to its content, in bytes. It is exact once the version is known.
    pub fn overhead(&self) -> usize {
        match self.version() {
            // RFC 9147 §4: the unified header with two bytes of sequence number and the length,
            // the inner content type and the tag.
            Some(DtlsVersion::Dtls13) => 5 + 1 + 16,
            // RFC 6347 §4.1, RFC 5288 §3: header, explicit nonce and tag.
            _ => 13 + 8 + 16,
        }
    }

    /// Takes what the descriptions say. The handshake runs once datagrams reach the peer, too. A
    /// later call keeps the role and verifies the certificate of the peer against the new
    /// fingerprints.
    pub fn start(
        &mut self,
        now: Instant,
        role: DtlsRole,
        fingerprints: Vec<Fingerprint>,
        sink: &mut dyn FnMut(Output<'_>),
    ) {
        self.remote_fingerprints = fingerprints;
        if self.role.is_none() {
            self.role = Some(role);
        }
        if let Some(certificate) = &self.remote_certificate
            && matches!(self.state, DtlsState::Connecting | DtlsState::Connected)
            && !certificate::verify(certificate, &self.remote_fingerprints)
        {
            self.shut(now);
            self.fail(DtlsError::FingerprintMismatch, sink);
            return;
        }
        self.begin(now, sink);
    }

    /// Whether datagrams reach the peer. While they do not, no timer runs.
    pub fn set_writable(&mut self, now: Instant, writable: bool, sink: &mut dyn FnMut(Output<'_>)) {
        let returns = writable && !self.writable;
        self.writable = writable;
        if writable {
            self.begin(now, sink);
            // The time of a flight may have come while there was no path.
            self.handle_timeout(now, sink);
        }
        if returns {
            if self.outgoing.is_empty() {
                self.send_ahead();
            }
            if self.state == DtlsState::Connecting {
                self.replay_early(now, sink);
            }
        }
    }

    /// Whether the handshake runs though no datagram reaches the peer yet, since the owner has
    /// another way to bring what is [ahead](Self::ahead). Timers wait for a path all the same.
    /// Default false. What is ahead when this ends, and was not sent yet, is sent once there is a
    /// path.
    pub fn set_ahead(&mut self, now: Instant, ahead: bool, sink: &mut dyn FnMut(Output<'_>)) {
        if ahead {
            self.ahead.get_or_insert_default();
            self.begin(now, sink);
        } else {
            if !self.writable {
                self.send_ahead();
            }
            self.ahead = None;
        }
    }

    /// The datagrams of the handshake that were said last, those alone that nobody has
    /// [dropped](Self::retain_ahead). They are also in [`poll_transmit`](Self::poll_transmit) as
    /// soon as there is a path.
    pub fn ahead(&self) -> &[Bytes] {
        self.ahead.as_deref().unwrap_or_default()
    }

    /// Drops what has arrived, and what is not worth repeating.
    pub fn retain_ahead(&mut self, keeps: impl FnMut(&Bytes) -> bool) {
        if let Some(ahead) = &mut self.ahead {
            ahead.retain(keeps);
        }
    }

    fn send_ahead(&mut self) {
        let ahead = self.ahead.iter().flatten();
        self.outgoing.extend(ahead.map(|datagram| Datagram::from(&datagram[..])));
    }

    /// Starts the handshake when everything it needs is there: a ClientHello sent into the void
    /// would cost a retransmission timeout.
    fn begin(&mut self, now: Instant, sink: &mut dyn FnMut(Output<'_>)) {
        if self.state != DtlsState::New || !(self.writable || self.ahead.is_some()) {
            return;
        }
        let Some(role) = self.role else { return };
        match self.recipe.engine(now, role) {
            Ok(engine) => self.engine = Some(engine),
            Err(error) => return self.fail(error, sink),
        }
        self.set_state(DtlsState::Connecting, sink);
        if self.advance(now, sink) {
            if role == DtlsRole::Client {
                self.hello = match &self.ahead {
                    Some(ahead) => {
                        ahead.iter().take(MAX_HELLO).map(|hello| hello.to_vec()).collect()
                    }
                    None => {
                        self.outgoing.iter().take(MAX_HELLO).map(|hello| hello.to_vec()).collect()
                    }
                };
            }
            self.replay_early(now, sink);
        }
    }

    /// Handles a datagram whose first byte is 20..=63 (RFC 7983). What cannot be used is dropped;
    /// what comes too early is kept, within a bound.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: &[u8],
        sink: &mut dyn FnMut(Output<'_>),
    ) {
        match self.state {
            DtlsState::New => return self.keep_early(datagram),
            DtlsState::Connecting if !self.writable && self.ahead.is_none() => {
                return self.keep_early(datagram);
            }
            DtlsState::Connecting | DtlsState::Connected => {}
            DtlsState::Closed | DtlsState::Failed => {
                trace!(len = datagram.len(), "dropping a datagram after the end of DTLS");
                return;
            }
        }
        if !self.advance(now, sink) {
            return;
        }
        self.floor.heard();
        self.feed(datagram, sink);
    }

    fn keep_early(&mut self, datagram: &[u8]) {
        if self.early.len() >= MAX_EARLY || datagram.len() > self.datagram_size.max(2048) {
            trace!(len = datagram.len(), "dropping an early DTLS datagram");
            return;
        }
        self.early.push_back(datagram.to_vec());
    }

    fn replay_early(&mut self, now: Instant, sink: &mut dyn FnMut(Output<'_>)) {
        for datagram in std::mem::take(&mut self.early) {
            self.handle_datagram(now, &datagram, sink);
        }
    }

    /// Sends the ClientHello again, if nothing has come from the server. One that came before the
    /// server could take it may have been dropped there, and the next timer is far away.
    pub fn repeat_hello(&mut self) {
        if self.state == DtlsState::Connecting && self.outgoing.is_empty() {
            self.outgoing.extend(self.hello.iter().map(|hello| Datagram::from(hello.as_slice())));
        }
    }

    fn feed(&mut self, datagram: &[u8], sink: &mut dyn FnMut(Output<'_>)) {
        self.hello = Vec::new();
        let Some(engine) = &mut self.engine else { return };
        let handled = engine.handle_datagram(datagram);
        self.drain(sink);
        if let (Err(error), Some(_)) = (handled, &self.engine) {
            self.end(error, sink);
        }
    }

    /// Tells the engine the time, unless its timer must wait for the floor. Returns false if that
    /// was the engine's end.
    fn advance(&mut self, now: Instant, sink: &mut dyn FnMut(Output<'_>)) -> bool {
        let Some(engine) = &mut self.engine else { return false };
        if let Some(deadline) = self.deadline.filter(|deadline| *deadline <= now)
            && !self.floor.admit(deadline, now)
        {
            return true;
        }
        match engine.handle_timeout(now) {
            Ok(()) => self.drain(sink),
            Err(error) => self.end(error, sink),
        }
        self.engine.is_some()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), however far away that is.
    fn next_timeout(&self) -> Option<Instant> {
        self.deadline.filter(|_| self.writable).map(|deadline| self.floor.raise(deadline))
    }

    /// Does what is due. Calls at other times are harmless.
    pub fn handle_timeout(&mut self, now: Instant, sink: &mut dyn FnMut(Output<'_>)) {
        if self.writable && self.deadline.is_some_and(|deadline| deadline <= now) {
            self.advance(now, sink);
        }
    }

    /// Takes everything the engine has to say.
    fn drain(&mut self, sink: &mut dyn FnMut(Output<'_>)) {
        let mut mismatch = false;
        let mut closed = false;
        let mut is_first = true;
        while let Some(engine) = &mut self.engine {
            match engine.poll_output() {
                Said::Datagram(datagram) => {
                    if let Some(ahead) = &mut self.ahead {
                        // What is said now answers what has come, or says all of it again.
                        if std::mem::take(&mut is_first) {
                            ahead.clear();
                        }
                        ahead.push(Bytes::copy_from_slice(&datagram));
                    }
                    if self.writable || self.ahead.is_none() {
                        self.outgoing.push_back(Datagram::from(datagram.as_slice()));
                    }
                }
                Said::Timeout(at) => {
                    self.deadline = at;
                    break;
                }
                Said::PeerCertificate(certificate) => {
                    // RFC 8827 §6.5: this comes before anything of the peer is believed.
                    mismatch = !certificate::verify(&certificate, &self.remote_fingerprints);
                    self.remote_certificate = Some(certificate.into());
                    if mismatch {
                        break;
                    }
                }
                Said::Connected => {
                    if self.remote_certificate.is_none() {
                        mismatch = true;
                        break;
                    }
                    if self.state != DtlsState::Connected {
                        self.state = DtlsState::Connected;
                        sink(Output::State(DtlsState::Connected));
                    }
                }
                Said::Data(data) if self.state == DtlsState::Connected => {
                    sink(Output::Data(data));
                }
                Said::KeyingMaterial(keys) => self.srtp = Some(keys),
                Said::CloseNotify => closed = true,
                Said::Data(_) => {}
            }
        }
        if mismatch {
            if let Some(engine) = self.engine.take() {
                let last = engine.refuse_certificate();
                self.outgoing
                    .extend(last.iter().map(|datagram| Datagram::from(datagram.as_slice())));
            }
            self.fail(DtlsError::FingerprintMismatch, sink);
        } else if closed {
            debug!("the peer closed the DTLS association");
            self.engine = None;
            self.deadline = None;
            self.set_state(DtlsState::Closed, sink);
        }
    }

    /// Protects `data` as one record, which [`poll_transmit`](Self::poll_transmit) yields then.
    /// Does nothing unless connected.
    pub fn send(&mut self, data: &[u8], sink: &mut dyn FnMut(Output<'_>)) {
        let Some(engine) = &mut self.engine else { return };
        if self.state != DtlsState::Connected {
            return;
        }
        let room = data.len() + MOST_OVERHEAD;
        let whole = self.headroom + room + self.tailroom;
        if self.block.capacity() < whole {
            // One allocation carries the datagrams of a whole pass.
            self.block_size = (self.block_size * 4).clamp(whole, MAX_BLOCK.max(whole));
            self.block = BytesMut::with_capacity(self.block_size);
        }
        if self.block.len() < whole {
            self.block.resize(whole, 0);
        }
        let place = self.block.get_mut(self.headroom..self.headroom + room).unwrap_or_default();
        match engine.seal(data, place) {
            Ok(length) => {
                let end = self.headroom + length;
                // The tailroom becomes spare capacity.
                let mut buffer = self.block.split_to(end + self.tailroom);
                buffer.truncate(end);
                self.outgoing.push_back(Datagram::new(buffer, self.headroom));
                // There may be new keys to announce.
                self.drain(sink);
            }
            Err(error) => self.end(error, sink),
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Datagram> {
        self.outgoing.pop_front()
    }

    /// Ends a pass of sending, and gives back its memory.
    pub fn end_pass(&mut self) {
        self.block = BytesMut::new();
        self.block_size = 0;
        if self.outgoing.is_empty() && self.outgoing.capacity() > 4 {
            self.outgoing = VecDeque::new();
        }
    }

    /// Gives back the memory that a pause does not need, such as schedules of keys. Call it when
    /// nothing has come or gone for a while: what comes next makes them again, within microseconds.
    ///
    /// ```
    /// # use std::time::SystemTime;
    /// # use peerconnection_dtls::{Certificate, Config, Connection, DtlsState};
    /// let mut connection = Connection::new(&Config::new(Certificate::generate(SystemTime::now())?));
    /// connection.rest();
    /// assert_eq!(connection.state(), DtlsState::New);
    /// # Ok::<(), peerconnection_dtls::CertificateError>(())
    /// ```
    pub fn rest(&mut self) {
        if let Some(engine) = &mut self.engine {
            engine.rest();
        }
        self.outgoing.shrink_to_fit();
        self.early.shrink_to_fit();
    }

    /// Ends the connection with a close_notify, if there is a key for one.
    pub fn close(&mut self, now: Instant, sink: &mut dyn FnMut(Output<'_>)) {
        if matches!(self.state, DtlsState::Closed | DtlsState::Failed) {
            return;
        }
        self.shut(now);
        self.set_state(DtlsState::Closed, sink);
    }

    /// Queues a close_notify, if there is a key for it, and ends the engine's part.
    fn shut(&mut self, now: Instant) {
        self.early.clear();
        self.hello = Vec::new();
        self.retain_ahead(|_| false);
        self.deadline = None;
        let Some(mut engine) = self.engine.take() else { return };
        if self.state != DtlsState::Connected
            || engine.handle_timeout(now).is_err()
            || engine.close().is_err()
        {
            return;
        }
        while let Said::Datagram(datagram) = engine.poll_output() {
            self.outgoing.push_back(Datagram::from(datagram.as_slice()));
        }
    }

    fn end(&mut self, ended: Ended, sink: &mut dyn FnMut(Output<'_>)) {
        let error = match ended {
            Ended::Closed => {
                debug!("the DTLS association was closed");
                self.engine = None;
                self.deadline = None;
                return self.set_state(DtlsState::Closed, sink);
            }
            Ended::Alert(description) => DtlsError::AlertReceived(description),
            Ended::Timeout => DtlsError::Timeout,
            Ended::Refused(alert, reason) => DtlsError::AlertSent(alert, reason),
            Ended::Protocol(reason) => DtlsError::Protocol(reason),
        };
        debug!(%error, "the DTLS association failed");
        self.fail(error, sink);
    }

    fn fail(&mut self, error: DtlsError, sink: &mut dyn FnMut(Output<'_>)) {
        if let Some(engine) = self.engine.take() {
            let last = engine.last_datagrams();
            self.outgoing.extend(last.iter().map(|datagram| Datagram::from(datagram.as_slice())));
        }
        self.deadline = None;
        self.early.clear();
        self.hello = Vec::new();
        self.retain_ahead(|_| false);
        if self.state != DtlsState::Failed {
            self.state = DtlsState::Failed;
            // webrtc-pc §5.5: state and error are one thing.
            sink(Output::Failed(error));
        }
    }

    fn set_state(&mut self, state: DtlsState, sink: &mut dyn FnMut(Output<'_>)) {
        if self.state != state {
            self.state = state;
            sink(Output::State(state));
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if there is anything to wait for.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.next_timeout().filter(|at| at.saturating_duration_since(now) < NEVER)
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("state", &self.state)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
