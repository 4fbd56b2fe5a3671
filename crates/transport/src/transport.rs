//! DTLS and what runs over it, put together.

use std::collections::VecDeque;

use bytes::Bytes;
use data::{
    Beginning, ChannelConfig, ChannelError, Channels, MessageKind, SctpParameters, SctpState,
};
use dtls::{Datagram, DtlsRole, DtlsState, DtlsVersion, Fingerprint, SrtpKeys};
use media::{Media, Section, SectionId};
use time::{Duration, Instant, earlier, later};

use crate::config::Config;
use crate::demultiplexing::Protocol;
use crate::event::Event;
use crate::in_stun::{self, Running};
use crate::keyed::Keyed;
use crate::renewal::Renewal;

/// How long after the selection of a pair an answer to the ClientHello may be on its way behind the
/// nomination.
const REPEAT_HELLO: Duration = Duration::from_millis(5);

/// One DTLS connection, at most one SCTP association over it, and media with keys from it.
///
/// It does no IO and reads no clock. After calls of methods that take `now`, take everything out of
/// [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event) in turn, until
/// neither has anything: each event that is taken makes room, and the peer learns of it. Then wait
/// until [`poll_timeout`](Self::poll_timeout). Packets are made in `poll_transmit`. So messages
/// that were sent before it share packets, and one acknowledgement answers all packets that were
/// received before it.
///
/// ```
/// use std::time::{Instant, SystemTime};
/// # use peerconnection_transport as transport;
/// use transport::{
///     Certificate, ChannelConfig, Config, DtlsRole, Event, MessageKind, SctpParameters, Transport,
///     data,
/// };
///
/// let now = Instant::now();
/// let mut peers = Vec::new();
/// for seed in [1, 2] {
///     let certificate = Certificate::generate(SystemTime::now())?;
///     peers.push(Transport::new(Config::new(certificate), [seed; 32]));
/// }
/// let fingerprints: Vec<_> = peers.iter().map(|p| p.certificate().fingerprints()).collect();
/// for (i, role) in [DtlsRole::Client, DtlsRole::Server].into_iter().enumerate() {
///     peers[i].start_dtls(now, role, fingerprints[1 - i].clone());
///     peers[i].start_sctp(now, SctpParameters::default());
///     peers[i].set_writable(now, true);
/// }
/// peers[0].open_channel(now, 0, ChannelConfig::default())?;
///
/// let mut received = None;
/// while received.is_none() {
///     for i in 0..2 {
///         while let Some(datagram) = peers[i].poll_transmit() {
///             peers[1 - i].handle_datagram(now, &datagram);
///         }
///         while let Some(event) = peers[i].poll_event() {
///             match event {
///                 Event::Data(data::Event::ChannelOpen { id }) if i == 0 => {
///                     peers[0].send(now, id, MessageKind::String, "hello".into())?;
///                 }
///                 Event::Data(data::Event::Message { data, .. }) => received = Some(data),
///                 _ => {}
///             }
///         }
///     }
/// }
/// assert_eq!(received.as_deref(), Some(b"hello".as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Transport {
    pub(crate) config: Config,
    seed: [u8; 32],
    pub(crate) dtls: dtls::Connection,
    /// Those of the peer, as the description has them.
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// The peer may begin DTLS anew.
    pub(crate) renewal: Option<Box<Renewal>>,
    pub(crate) renewals: u32,
    pub(crate) over: OverDtls,
    /// The handshake runs in messages of the owner, too.
    pub(crate) in_stun: Option<Box<Running>>,
    pub(crate) media: Keyed,
    /// The association of SCTP waits for DTLS.
    pub(crate) resumes: bool,
    pub(crate) writable: bool,
    /// What the path adds to each datagram, in bytes.
    path_overhead: usize,
    /// When to send a ClientHello again that nobody has answered.
    repeat_hello_at: Option<Instant>,
    /// The time of the last call.
    pub(crate) now: Option<Instant>,
    packet: Vec<u8>,
}

impl Transport {
    /// A transport that has not begun. `seed` must be random: tags and numbers of SCTP come from
    /// it. (Keys come from the system.)
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let config = config.clamp();
        Self {
            dtls: dtls::Connection::new(&config.dtls(word(&seed, 0))),
            fingerprints: Vec::new(),
            renewal: None,
            renewals: 0,
            over: OverDtls {
                channels: Channels::new(config.data),
                dtls_events: VecDeque::new(),
                expects_anew: false,
                has_ended: false,
            },
            in_stun: None,
            media: Keyed::default(),
            config,
            seed,
            resumes: false,
            writable: false,
            path_overhead: 0,
            repeat_hello_at: None,
            now: None,
            packet: Vec::new(),
        }
    }

    pub(crate) fn dtls_seed(&self) -> u64 {
        word(&self.seed, 0)
    }

    /// The certificate that is shown to the peer.
    pub fn certificate(&self) -> &dtls::Certificate {
        &self.config.certificate
    }

    /// Sets role and fingerprints from the descriptions. The handshake runs once the transport is
    /// writable too, and then uses what the peer sent before. A later call keeps the role and
    /// verifies the certificate of the peer against the new fingerprints.
    pub fn start_dtls(
        &mut self,
        now: Instant,
        role: DtlsRole,
        remote_fingerprints: Vec<Fingerprint>,
    ) {
        self.now = Some(now);
        self.fingerprints = remote_fingerprints.clone();
        let Self { dtls, over, .. } = self;
        dtls.start(now, role, remote_fingerprints, &mut |output| over.on_dtls(now, output));
        self.settle(now);
    }

    /// Whether ICE has a pair to send on. While it has none, nothing is sent and no timer runs.
    /// When it has one again, the transport sends again at once what may be lost.
    pub fn set_writable(&mut self, now: Instant, writable: bool) {
        self.now = Some(now);
        let returns = writable && !self.writable;
        self.writable = writable;
        let Self { dtls, over, .. } = self;
        dtls.set_writable(now, writable, &mut |output| over.on_dtls(now, output));
        self.set_beside_writable(now, writable);
        if returns && self.carries() {
            self.over.channels.on_path_change(now);
        }
        if let Some(media) = self.media.get_mut() {
            media.set_writable(now, writable);
        }
        self.settle(now);
    }

    /// Says how many bytes the selected path adds to each datagram, since there is a relay on it.
    /// Datagrams become smaller by as many, but never smaller than [`Config::max_datagram_size`] can
    /// be. Call it before [`set_writable`](Self::set_writable) and
    /// [`path_changed`](Self::path_changed). A handshake that has begun goes on as it began.
    pub fn set_path_overhead(&mut self, overhead: usize) {
        if std::mem::replace(&mut self.path_overhead, overhead) != overhead {
            self.dtls.set_max_datagram_size(self.handshake_datagram_size());
            self.over.channels.set_packet_size(self.packet_size());
        }
    }

    pub(crate) fn datagram_size(&self) -> usize {
        let least = *dtls::DATAGRAM_SIZES.start();
        self.config.max_datagram_size.saturating_sub(self.path_overhead).max(least)
    }

    /// The same for a handshake that begins now.
    pub(crate) fn handshake_datagram_size(&self) -> usize {
        let most = self.in_stun.as_ref().map_or(usize::MAX, |_| in_stun::DATAGRAM_SIZE);
        self.datagram_size().min(most)
    }

    /// Bytes of a packet of SCTP.
    fn packet_size(&self) -> usize {
        self.datagram_size().saturating_sub(self.dtls.overhead()) & !3
    }

    /// ICE selected another pair. What was under way on the last one may be lost, so it is sent
    /// again at once, and the congestion window begins anew.
    pub fn path_changed(&mut self, now: Instant) {
        self.now = Some(now);
        self.offer_anew(now);
        if self.carries() {
            self.over.channels.on_path_change(now);
        }
    }

    /// ICE has selected the pair that has been in use so far. Before, the peer may have dropped what
    /// came to it, as some stacks do until they are connected. So a ClientHello that has no answer
    /// shortly after this is sent again.
    pub fn path_selected(&mut self, now: Instant) {
        self.now = Some(now);
        if self.dtls.state() == DtlsState::Connecting {
            self.repeat_hello_at = Some(later(now, REPEAT_HELLO));
        }
    }

    /// The path answers again after a while in which it did not. What was lost meanwhile and waits
    /// for a long timeout is sent again at once.
    pub fn path_returned(&mut self, now: Instant) {
        self.now = Some(now);
        if self.carries() {
            self.over.channels.on_path_return(now);
        }
    }

    /// Whether datagrams of a protocol are for [`handle_datagram`](Self::handle_datagram).
    pub fn understands(protocol: Protocol) -> bool {
        match protocol {
            Protocol::Dtls | Protocol::Rtp => true,
            Protocol::Stun | Protocol::Zrtp | Protocol::TurnChannel => false,
        }
    }

    /// Handles a datagram from a valid pair. Drops one of a protocol that is not
    /// [understood](Self::understands).
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) {
        self.now = Some(now);
        match (Protocol::of(datagram), self.media.get_mut()) {
            (Some(Protocol::Dtls), _) => {}
            (Some(Protocol::Rtp), Some(media)) => {
                if let Err(dropped) = media.handle_datagram(now, datagram) {
                    tracing::trace!(%dropped, length = datagram.len(), "a packet is dropped");
                }
                return;
            }
            _ => {
                tracing::trace!(length = datagram.len(), "a stray datagram is dropped");
                return;
            }
        }
        if self.in_stun.is_some() {
            self.handle_dtls_on_path(now, datagram);
        } else {
            let Self { dtls, over, .. } = self;
            dtls.handle_datagram(now, datagram, &mut |output| over.on_dtls(now, output));
        }
        self.settle(now);
        if self.renewal.is_some() {
            self.handle_beside(now, datagram);
        }
    }

    /// Sets what the descriptions say about SCTP. The association is established once DTLS is
    /// connected. A later call changes `max_message_size_send` alone, unless
    /// [`stop_sctp`](Self::stop_sctp) came in between.
    pub fn start_sctp(&mut self, now: Instant, parameters: SctpParameters) {
        self.now = Some(now);
        self.over.channels.set_parameters(parameters);
        self.settle(now);
    }

    /// Changes the largest message, in bytes, that [`send`](Self::send) takes; 0 for any. Does
    /// nothing before [`start_sctp`](Self::start_sctp).
    pub fn set_max_message_size_send(&mut self, size: u64) {
        self.over.channels.set_max_message_size_send(size);
    }

    /// Ends the SCTP association with an ABORT, e.g. because its m= section was rejected. It
    /// forgets the channels and reports no event of them; take the events that there are first.
    /// After another [`start_sctp`](Self::start_sctp) a fresh association begins, on the same ports
    /// or on others.
    pub fn stop_sctp(&mut self, now: Instant) {
        self.now = Some(now);
        self.over.channels.stop(now);
    }

    /// Takes over the SCTP association of `other` with its channels, for instance because its
    /// section was bundled into another one (RFC 9143 §7.4). The peer does the same at about that
    /// time. If the association has not begun, its parameters and channels come all the same.
    ///
    /// Nothing is lost and no event is fired. Until DTLS is connected here, data waits and no timer
    /// of SCTP runs. Then SCTP sends again what the peer has not acknowledged. If DTLS fails here,
    /// or has failed, the association is closed as any other would be.
    ///
    /// `other` has no association afterwards and says nothing to the peer's association. Events of
    /// its channels that were not taken yet come from this transport. This transport must have no
    /// association of its own, for that would be forgotten.
    ///
    /// Drop `other`, and do not [close](Self::close) it, while the peer may not have moved yet: a
    /// close_notify would end the association there.
    pub fn take_channels_of(&mut self, now: Instant, other: &mut Self) {
        self.now = Some(now);
        self.over.channels.take(now, &mut other.over.channels);
        other.resumes = false;
        self.resumes = true;
        match self.dtls.state() {
            DtlsState::New | DtlsState::Connecting | DtlsState::Connected => self.settle(now),
            DtlsState::Closed | DtlsState::Failed => self.over.channels.on_transport_closed(),
        }
    }

    /// Whether what SCTP sends reaches the peer.
    fn carries(&self) -> bool {
        self.writable && self.dtls.state() == DtlsState::Connected
    }

    /// Gives media its keys when there are any. Begins the association when it can begin, or resumes
    /// one that waits.
    pub(crate) fn settle(&mut self, now: Instant) {
        if std::mem::take(&mut self.over.has_ended) {
            self.begin_anew(now);
        }
        if self.in_stun.is_some() {
            self.settle_in_stun(now);
        }
        if self.dtls.state() != DtlsState::Connected {
            return;
        }
        self.repeat_hello_at = None;
        // One renewal for each description that allows it.
        if self.renewal.as_ref().is_some_and(|renewal| renewal.has_ended()) {
            self.renewal = None;
        }
        self.media.settle(self.dtls.role(), self.dtls.srtp_keys());
        let packet_size = self.packet_size();
        if std::mem::take(&mut self.resumes) {
            self.over.channels.resume(now, packet_size);
        }
        if !self.over.channels.wants_association() {
            return;
        }
        let Some(role) = self.dtls.role() else { return };
        // The side that ends the handshake begins the association behind its last flight. In DTLS
        // 1.3 that is the client (RFC 9147 §5). In DTLS 1.2 it is the server, which is connected
        // half a round trip before the client (RFC 6347 §4.2.4); a client of another stack may
        // count on itself all the same.
        let is_last = role == DtlsRole::Client || self.dtls.version() == Some(DtlsVersion::Dtls12);
        let random = word(&self.seed, 1).wrapping_add(u64::from(self.over.channels.associations()));
        self.over.channels.begin(
            now,
            &Beginning {
                is_client: role == DtlsRole::Client,
                waits: !is_last,
                packet_size,
                tag: (random & 0xffff_ffff) as u32,
                initial_tsn: (random >> 32) as u32,
            },
        );
    }

    /// The next datagram for the selected pair. Take them all: the `None` at the end gives back the
    /// memory of a pass.
    pub fn poll_transmit(&mut self) -> Option<Datagram> {
        if !self.writable {
            return None;
        }
        // Before the records, so that a BYE does not come after the end of DTLS.
        if let Some((buffer, start)) = self.media.get_mut().and_then(Media::poll_transmit) {
            return Some(Datagram::new(buffer, start));
        }
        if let Some(datagram) = self.renewal.as_mut().and_then(|renewal| renewal.poll_transmit()) {
            return Some(datagram);
        }
        loop {
            if let Some(datagram) = self.dtls.poll_transmit() {
                return Some(datagram);
            }
            let now = self.now?;
            if self.dtls.state() != DtlsState::Connected
                || !self.over.channels.write_packet(now, &mut self.packet)
            {
                self.dtls.end_pass();
                return None;
            }
            self.protect(now);
        }
    }

    /// Protects all packets that SCTP has to send now.
    fn protect_packets(&mut self, now: Instant) {
        while self.dtls.state() == DtlsState::Connected
            && self.over.channels.write_packet(now, &mut self.packet)
        {
            self.protect(now);
        }
    }

    fn protect(&mut self, now: Instant) {
        let Self { dtls, over, packet, .. } = self;
        dtls.send(packet, &mut |output| over.on_dtls(now, output));
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        if !self.writable {
            return None;
        }
        let mut dtls = self.now.and_then(|now| self.dtls.poll_timeout(now));
        earlier(&mut dtls, self.repeat_hello_at);
        if let (Some(renewal), Some(now)) = (&self.renewal, self.now) {
            earlier(&mut dtls, renewal.poll_timeout(now));
        }
        if !self.carries() {
            return dtls;
        }
        let media = self.media.get().and_then(Media::poll_timeout);
        [dtls, self.over.channels.poll_timeout(), media].into_iter().flatten().min()
    }

    /// Does what is due. Calls at other times are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = Some(now);
        if !self.writable {
            return;
        }
        if self.repeat_hello_at.is_some_and(|at| now >= at) {
            self.repeat_hello_at = None;
            self.dtls.repeat_hello();
        }
        let Self { dtls, over, .. } = self;
        dtls.handle_timeout(now, &mut |output| over.on_dtls(now, output));
        if self.renewal.is_some() {
            self.handle_renewal_timeout(now);
        }
        if self.carries() {
            self.over.channels.handle_timeout(now);
            if let Some(media) = self.media.get_mut() {
                media.handle_timeout(now);
            }
        }
        self.settle(now);
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        let OverDtls { channels, dtls_events, .. } = &mut self.over;
        match channels.poll_event() {
            Some(event) => Some(Event::Data(event)),
            None if channels.pass_mark() => dtls_events.pop_front(),
            None => self.media.get_mut()?.poll_event().map(Event::Media),
        }
    }

    /// Gives back the memory that a pause does not need, such as schedules of keys. Call it when
    /// nothing has come or gone for a while: what comes next makes them again, within microseconds.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// # use peerconnection_transport as transport;
    /// use transport::{Certificate, Config, Transport};
    ///
    /// let certificate = Certificate::generate(SystemTime::now())?;
    /// let mut transport = Transport::new(Config::new(certificate), [1; 32]);
    /// transport.rest();
    /// assert!(transport.poll_event().is_none());
    /// # Ok::<(), transport::CertificateError>(())
    /// ```
    pub fn rest(&mut self) {
        self.dtls.rest();
        self.over.channels.rest();
        self.over.dtls_events.shrink_to_fit();
        self.packet = Vec::new();
    }

    /// Ends both associations. [`poll_transmit`](Self::poll_transmit) still yields queued data as
    /// far as the windows allow, an ABORT and a close_notify. Channels are forgotten without events
    /// (webrtc-pc §4.4.2 `close()` fires none).
    pub fn close(&mut self, now: Instant) {
        self.now = Some(now);
        self.renewal = None;
        self.in_stun = None;
        self.over.expects_anew = false;
        // A browser's `send()` sends at once, so that a last message arrives there.
        if self.writable {
            self.protect_packets(now);
        }
        self.over.channels.stop(now);
        self.protect_packets(now);
        if self.carries()
            && let Some(media) = self.media.get_mut()
        {
            media.close(now);
        }
        let Self { dtls, over, .. } = self;
        dtls.close(now, &mut |output| over.on_dtls(now, output));
    }

    /// Sets what the descriptions say of media: see [`Media::set_sections`].
    pub fn set_media(&mut self, now: Instant, sections: Vec<Section>) {
        self.now = Some(now);
        let seed = self.media_seed();
        self.media.set_sections(now, sections, &self.config, seed, self.writable);
        self.settle(now);
    }

    /// Takes over the streams of some sections of media of another path: see [`Media::adopt`]. Call
    /// it before [`set_media`](Self::set_media) of either.
    pub fn take_media_of(&mut self, now: Instant, other: &mut Self, sections: &[SectionId]) {
        self.now = Some(now);
        let (seed, writable) = (self.media_seed(), self.writable);
        self.media.take(now, &mut other.media, sections, &self.config, seed, writable);
    }

    /// Another peer takes over, and `last` was for the one before: see [`Media::succeed`].
    pub fn succeed_media_of(&mut self, now: Instant, last: &mut Self) {
        self.now = Some(now);
        let (seed, writable) = (self.media_seed(), self.writable);
        self.media.succeed(now, &mut last.media, &self.config, seed, writable);
    }

    /// Another purpose, other numbers.
    fn media_seed(&self) -> [u8; 32] {
        self.seed.map(|octet| octet ^ 0xa5)
    }

    /// Media, once there is a section of it: its statistics.
    pub fn media(&self) -> Option<&Media> {
        self.media.get()
    }

    /// Media, once there is a section of it: to send packets. Use no other of its methods.
    pub fn media_mut(&mut self) -> Option<&mut Media> {
        self.media.get_mut()
    }

    /// `RTCDtlsTransport.state`.
    pub fn dtls_state(&self) -> DtlsState {
        self.dtls.state()
    }

    /// The local role in the handshake, once a description has set it.
    pub fn dtls_role(&self) -> Option<DtlsRole> {
        self.dtls.role()
    }

    /// The version of DTLS, once it is negotiated.
    pub fn dtls_version(&self) -> Option<DtlsVersion> {
        self.dtls.version()
    }

    /// The cipher suite of DTLS, once it is negotiated: its number in IANA's registry of TLS.
    pub fn dtls_cipher_suite(&self) -> Option<u16> {
        self.dtls.cipher_suite()
    }

    /// The group of the key exchange of DTLS, once it is negotiated: its number in IANA's registry
    /// of TLS.
    pub fn dtls_group(&self) -> Option<u16> {
        self.dtls.group()
    }

    /// `RTCSctpTransport.state`; `None` before [`start_sctp`](Self::start_sctp) and after
    /// [`stop_sctp`](Self::stop_sctp) and [`close`](Self::close).
    pub fn sctp_state(&self) -> Option<SctpState> {
        self.over.channels.state()
    }

    /// The certificate of the peer in DER, leaf first; empty before it was received.
    pub fn remote_certificates(&self) -> Vec<Bytes> {
        self.dtls.remote_certificate().cloned().into_iter().collect()
    }

    /// What DTLS has agreed on for SRTP; `None` before DTLS is connected, and with a peer that has
    /// no profile in common.
    pub fn srtp_keys(&self) -> Option<&SrtpKeys> {
        self.dtls.srtp_keys()
    }

    /// The smoothed round-trip time that SCTP measured.
    pub fn smoothed_round_trip_time(&self) -> Option<Duration> {
        self.over.channels.smoothed_round_trip_time()
    }

    /// The congestion window of SCTP in bytes (`RTCSctpTransportStats.congestionWindow`).
    pub fn congestion_window(&self) -> Option<usize> {
        self.over.channels.congestion_window()
    }

    /// The receive window that the peer advertised last, in bytes
    /// (`RTCSctpTransportStats.receiverWindow`).
    pub fn receiver_window(&self) -> Option<usize> {
        self.over.channels.receiver_window()
    }

    /// `RTCSctpTransport.maxChannels`: ids below it can be used. `None` until SCTP is connected.
    pub fn max_channels(&self) -> Option<u16> {
        self.over.channels.max_channels()
    }

    /// Opens a channel on stream `id`. Before SCTP is connected the channel waits for that;
    /// [`data::Event::ChannelOpen`] reports when it can be used. Unless it is `negotiated`,
    /// DATA_CHANNEL_OPEN announces it to the peer; the channel does not wait for the
    /// acknowledgement.
    ///
    /// # Errors
    /// [`ChannelError::IdInUse`], [`ChannelError::IdOutOfRange`], [`ChannelError::LabelTooLong`],
    /// [`ChannelError::ProtocolTooLong`]; [`ChannelError::NotOpen`] when SCTP is closed.
    pub fn open_channel(
        &mut self,
        now: Instant,
        id: u16,
        config: ChannelConfig,
    ) -> Result<(), ChannelError> {
        self.now = Some(now);
        self.over.channels.open(id, config)
    }

    /// Queues a message. It never blocks.
    ///
    /// # Errors
    /// [`ChannelError::Unknown`], [`ChannelError::NotOpen`], [`ChannelError::TooLarge`],
    /// [`ChannelError::BufferFull`].
    pub fn send(
        &mut self,
        now: Instant,
        id: u16,
        kind: MessageKind,
        data: Bytes,
    ) -> Result<(), ChannelError> {
        self.now = Some(now);
        self.over.channels.send(now, id, kind, data)
    }

    /// Bytes given to [`send`](Self::send) that are not yet handed to the network.
    pub fn buffered_amount(&self, id: u16) -> u64 {
        self.over.channels.buffered_amount(id)
    }

    /// Sets the threshold of [`data::Event::BufferedAmountLow`] in bytes; it is 0 at first.
    pub fn set_buffered_amount_low_threshold(&mut self, id: u16, threshold: u64) {
        self.over.channels.set_low_threshold(id, threshold);
    }

    /// Stops and resumes [`data::Event::Message`] of a channel. Messages that are not read take up
    /// the receive window, so the peer stops sending when it is full. No message is lost.
    pub fn set_receive_paused(&mut self, now: Instant, id: u16, paused: bool) {
        self.now = Some(now);
        self.over.channels.set_paused(id, paused);
    }

    /// Closes a channel: what was queued is sent, then its stream is reset.
    /// [`data::Event::ChannelClosed`] reports that the peer has done the same. Messages that arrive
    /// meanwhile are discarded.
    pub fn close_channel(&mut self, now: Instant, id: u16) {
        self.now = Some(now);
        self.over.channels.close(id);
    }
}

/// The part that hears DTLS.
#[derive(Debug)]
pub(crate) struct OverDtls {
    channels: Channels,
    /// Events of DTLS. Each has its mark among the events of the channels.
    dtls_events: VecDeque<Event>,
    /// The peer may begin DTLS anew, so its close_notify is not the end.
    expects_anew: bool,
    /// That close_notify has come.
    has_ended: bool,
}

impl OverDtls {
    pub(crate) fn expect_anew(&mut self, expects: bool) {
        self.expects_anew = expects;
        self.channels.expect_anew(expects);
    }

    /// DTLS begins anew.
    pub(crate) fn begin_anew(&mut self) {
        self.dtls_events.push_back(Event::DtlsBeginsAnew);
        self.channels.mark();
        self.channels.dtls_begins_anew();
        self.expect_anew(false);
    }

    pub(crate) fn on_dtls(&mut self, now: Instant, output: dtls::Output<'_>) {
        let (event, is_over) = match output {
            dtls::Output::Data(packet) => return self.channels.handle_packet(now, packet),
            dtls::Output::State(DtlsState::Closed) if self.expects_anew => {
                self.has_ended = true;
                return;
            }
            dtls::Output::State(state) => {
                (Event::DtlsStateChange(state), state == DtlsState::Closed)
            }
            dtls::Output::Failed(error) => (Event::DtlsFailed(error), true),
        };
        self.dtls_events.push_back(event);
        self.channels.mark();
        if is_over {
            self.channels.on_transport_closed();
        }
    }
}

/// The `index`th of the four words of a seed.
fn word(seed: &[u8; 32], index: usize) -> u64 {
    let (words, _) = seed.as_chunks::<8>();
    words.get(index).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
