//! The data channels over one SCTP association (RFC 8831 §6, RFC 8832 §6).

mod events;
mod incoming;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use time::{Duration, Floor, Instant};

use crate::channel::{Channel, ChannelConfig, ChannelState, MessageKind};
use crate::config::Config;
use crate::dcep::{self, Message as Dcep};
use crate::error::ChannelError;
use crate::event::Event;
use crate::sctp::{
    Association, Event as SctpEvent, Message, Outgoing, SctpError, SctpState, Settings,
};

/// Packets kept until a description says that there is an association: the last ones.
const MAX_EARLY: usize = 16;
/// How long a DTLS server leaves the beginning of the association to the client.
const PATIENCE: Duration = Duration::from_millis(50);
/// A channel below this id may be announced before the number of streams is known.
const SURELY_NEGOTIATED: u16 = 256;
/// Shorter than any timer of SCTP.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// What a description says about the association (RFC 8841).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SctpParameters {
    /// `a=sctp-port` of the local description.
    pub local_port: u16,
    /// `a=sctp-port` of the remote description.
    pub remote_port: u16,
    /// `a=max-message-size` of the remote description in bytes; 0 is no limit.
    pub max_message_size_send: u64,
    /// `a=max-message-size` of the local description in bytes; 0 is the receive window.
    pub max_message_size_receive: u64,
}

impl Default for SctpParameters {
    fn default() -> Self {
        Self {
            local_port: 5000,
            remote_port: 5000,
            max_message_size_send: 65_536,
            max_message_size_receive: 262_144,
        }
    }
}

/// At most one SCTP association and the data channels over it.
///
/// After calls, take everything out of [`write_packet`](Self::write_packet) and
/// [`poll_event`](Self::poll_event) in turn, until neither has anything: each event that is taken
/// makes room, and the peer learns of it. Then wait until [`poll_timeout`](Self::poll_timeout).
/// Packets are made in `write_packet`. So messages that were sent before it share packets, and one
/// acknowledgement answers all packets that were received before it.
///
/// ```
/// use std::time::Instant;
/// use peerconnection_data::{
///     Beginning, ChannelConfig, Channels, Config, Event, MessageKind, SctpParameters,
/// };
///
/// let now = Instant::now();
/// let mut peers = [1, 2].map(|tag| {
///     let mut peer = Channels::new(Config::default());
///     peer.set_parameters(SctpParameters::default());
///     let beginning = Beginning { is_client: tag == 1, packet_size: 1160, tag, initial_tsn: tag };
///     peer.begin(now, &beginning);
///     peer
/// });
/// peers[0].open(0, ChannelConfig::default())?;
///
/// let (mut packet, mut received) = (Vec::new(), None);
/// while received.is_none() {
///     for i in 0..2 {
///         while peers[i].write_packet(now, &mut packet) {
///             peers[1 - i].handle_packet(now, &packet);
///         }
///         while let Some(output) = peers[i].poll_event() {
///             match output {
///                 Event::ChannelOpen { id } if i == 0 => {
///                     peers[0].send(now, id, MessageKind::String, "hello".into())?;
///                 }
///                 Event::Message { data, .. } => received = Some(data),
///                 _ => {}
///             }
///         }
///     }
/// }
/// assert_eq!(received.as_deref(), Some(b"hello".as_slice()));
/// # Ok::<(), peerconnection_data::ChannelError>(())
/// ```
#[derive(Debug)]
pub struct Channels {
    config: Config,
    parameters: Option<SctpParameters>,
    association: Option<Box<Association>>,
    /// The ABORT of an association that was stopped.
    parting: Option<Vec<u8>>,
    associations: u32,
    is_client: bool,
    /// The channels have come from another DTLS transport. The roles may have been the other way
    /// round there, so ids of either parity may be under way from the peer.
    has_moved: bool,
    early: VecDeque<Vec<u8>>,
    /// Boxed: a node of the map reserves room for eleven, and most connections have few.
    channels: BTreeMap<u16, Box<Channel>>,
    /// Streams that are being reset although there is no channel on them.
    refused: BTreeMap<u16, Refused>,
    /// What came on streams without a channel, or before their old channel was over.
    unclaimed: BTreeMap<u16, VecDeque<Unclaimed>>,
    unclaimed_cost: usize,
    /// Bytes of labels and protocols of the peer's channels.
    announced: usize,
    /// What has happened, in order; `None` is a mark.
    events: VecDeque<Option<Event>>,
    paused: BTreeSet<u16>,
    /// Events of paused channels, from their first message on.
    held: BTreeMap<u16, VecDeque<Event>>,
    /// Channels that have sent bytes since their last event.
    dirty: Vec<u16>,
    /// The floor under the association's deadlines.
    floor: Floor,
}

/// Something for a channel that is to come.
#[derive(Debug)]
enum Unclaimed {
    Message(Message),
    /// The peer has closed it already.
    Reset,
}

/// Which directions of a stream without a channel are reset.
#[derive(Debug, Default)]
struct Refused {
    incoming: bool,
    outgoing: bool,
}

/// What an association begins with besides [`SctpParameters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// Whether this is the DTLS client: it begins at once, and opens channels on even ids (RFC 8832
    /// §6). The other side waits a little for its peer to begin.
    pub is_client: bool,
    /// Most bytes of a packet.
    pub packet_size: usize,
    /// The initiate tag, random; 0 counts as 1 (RFC 9260 §5.3.1).
    pub tag: u32,
    /// The initial TSN, random.
    pub initial_tsn: u32,
}

impl Channels {
    /// Channels without an association.
    pub fn new(config: Config) -> Self {
        Self {
            config: config.clamp(),
            parameters: None,
            association: None,
            parting: None,
            associations: 0,
            is_client: false,
            has_moved: false,
            early: VecDeque::new(),
            channels: BTreeMap::new(),
            refused: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            unclaimed_cost: 0,
            announced: 0,
            events: VecDeque::new(),
            paused: BTreeSet::new(),
            held: BTreeMap::new(),
            dirty: Vec::new(),
            floor: Floor::new(SHORTEST_PAUSE),
        }
    }

    /// `RTCSctpTransport.state`; `None` before [`set_parameters`](Self::set_parameters) and after
    /// [`stop`](Self::stop).
    pub fn state(&self) -> Option<SctpState> {
        match &self.association {
            Some(association) => Some(association.state()),
            None => self.parameters.map(|_| SctpState::Connecting),
        }
    }

    /// How many associations were begun.
    pub fn associations(&self) -> u32 {
        self.associations
    }

    /// The smoothed round-trip time that SCTP measured.
    pub fn smoothed_round_trip_time(&self) -> Option<Duration> {
        self.association.as_ref()?.smoothed_rtt()
    }

    /// The congestion window in bytes (`RTCSctpTransportStats.congestionWindow`).
    pub fn congestion_window(&self) -> Option<usize> {
        self.association.as_ref().map(|association| association.congestion_window())
    }

    /// The receive window that the peer advertised last, in bytes
    /// (`RTCSctpTransportStats.receiverWindow`).
    pub fn receiver_window(&self) -> Option<usize> {
        self.association.as_ref().map(|association| association.remote_window())
    }

    /// `RTCSctpTransport.maxChannels`: ids below it can be used. `None` until connected.
    pub fn max_channels(&self) -> Option<u16> {
        self.association.as_ref()?.max_channels()
    }

    fn is_connected(&self) -> bool {
        self.state() == Some(SctpState::Connected)
    }

    /// Sets what the descriptions say. A later call changes `max_message_size_send` alone, unless
    /// [`stop`](Self::stop) came in between.
    pub fn set_parameters(&mut self, parameters: SctpParameters) {
        match self.parameters {
            Some(_) => self.set_max_message_size_send(parameters.max_message_size_send),
            None => self.parameters = Some(parameters),
        }
    }

    /// Changes the largest message, in bytes, that [`send`](Self::send) takes; 0 for any. Does
    /// nothing before [`set_parameters`](Self::set_parameters).
    pub fn set_max_message_size_send(&mut self, size: u64) {
        if let Some(parameters) = &mut self.parameters {
            parameters.max_message_size_send = size;
        }
    }

    /// Whether an association is wanted and there is none.
    pub fn wants_association(&self) -> bool {
        self.parameters.is_some() && self.association.is_none()
    }

    /// Begins the association; packets can be protected now. Does nothing unless
    /// [`wants_association`](Self::wants_association).
    pub fn begin(&mut self, now: Instant, with: &Beginning) {
        let Some(parameters) = self.parameters.filter(|_| self.association.is_none()) else {
            return;
        };
        let window = self.config.receive_window;
        let limit = match usize::try_from(parameters.max_message_size_receive) {
            Ok(0) | Err(_) => window as usize,
            Ok(limit) => limit.min(window as usize),
        };
        let mut association = Box::new(Association::new(Settings {
            local_port: parameters.local_port,
            remote_port: parameters.remote_port,
            packet_size: with.packet_size,
            window,
            max_message_size: limit,
            tag: with.tag.max(1),
            initial_tsn: with.initial_tsn,
        }));
        self.is_client = with.is_client;
        if self.is_client {
            association.connect(now);
        } else {
            association.expect(now, PATIENCE);
        }
        self.associations += 1;
        self.association = Some(association);
        let early_ids: Vec<u16> =
            self.channels.keys().copied().filter(|&id| id < SURELY_NEGOTIATED).collect();
        for id in early_ids {
            self.announce(id);
        }
        for packet in std::mem::take(&mut self.early) {
            self.deliver(now, &packet);
        }
    }

    /// Ends the association with an ABORT, which [`write_packet`](Self::write_packet) yields.
    /// Forgets the channels without events; take the events that there are first. Another
    /// association may begin.
    pub fn stop(&mut self, now: Instant) {
        self.parameters = None;
        self.has_moved = false;
        self.early.clear();
        self.forget_channels();
        self.events.retain(Option::is_none);
        if let Some(mut association) = self.association.take() {
            association.abort();
            let mut packet = Vec::new();
            self.parting = association.write_packet(now, &mut packet).then_some(packet);
        }
    }

    /// Takes over the association of `other` with its channels, for instance because its section
    /// was bundled into another one (RFC 9143 §7.4). If the association has not begun, its
    /// parameters and channels come all the same. `other` is like new afterwards; configurations
    /// and marks stay where they are. If `self` had an association, it is forgotten.
    pub fn take(&mut self, now: Instant, other: &mut Self) {
        std::mem::swap(self, other);
        // What does not belong to the association goes back.
        std::mem::swap(&mut self.config, &mut other.config);
        std::mem::swap(&mut self.floor, &mut other.floor);
        let Self { floor, early, events: own, .. } =
            std::mem::replace(other, Self::new(other.config));
        other.floor = floor;
        let is_mark = Option::<Event>::is_none;
        let (of_other, moving): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.events).into_iter().partition(is_mark);
        other.events = of_other;
        self.events = own.into_iter().filter(is_mark).chain(moving).collect();
        self.has_moved = true;
        if self.association.is_some() {
            // The peer was the first to move.
            for packet in early {
                self.deliver(now, &packet);
            }
        } else {
            self.early = early;
        }
    }

    /// Resumes an association that was [taken](Self::take): packets can be protected now, and may
    /// have this many bytes. Sends again what the peer has not acknowledged.
    pub fn resume(&mut self, now: Instant, packet_size: usize) {
        if let Some(association) = &mut self.association {
            association.set_packet_size(packet_size);
            association.on_path_change(now);
        }
    }

    /// Packets may have this many bytes from now on. What was cut for larger ones keeps its size.
    pub fn set_packet_size(&mut self, packet_size: usize) {
        if let Some(association) = &mut self.association {
            association.set_packet_size(packet_size);
        }
    }

    fn forget_channels(&mut self) {
        self.channels.clear();
        self.refused.clear();
        self.unclaimed.clear();
        self.unclaimed_cost = 0;
        self.announced = 0;
        self.paused.clear();
        self.held.clear();
        self.dirty.clear();
    }

    /// Handles a packet of the peer. Before an association begins, the last ones are kept, within a
    /// bound.
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        self.floor.heard();
        if self.association.is_some() {
            self.deliver(now, packet);
        } else if packet.len() > 2048 {
            tracing::trace!(length = packet.len(), "a large packet without an association");
        } else {
            // The first packets may belong to an association that was stopped.
            if self.early.len() == MAX_EARLY {
                self.early.pop_front();
            }
            self.early.push_back(packet.to_vec());
        }
    }

    /// Puts an event behind what has happened so far.
    fn tell(&mut self, event: Event) {
        self.events.push_back(Some(event));
    }

    /// Closes the association: the transport that protects its packets is closed or failed
    /// (webrtc-pc §6.1.2).
    pub fn on_transport_closed(&mut self) {
        self.early.clear();
        self.parting = None;
        match &mut self.association {
            Some(association) => association.transport_closed(),
            None if self.parameters.is_some() => self.on_closed(SctpError::TransportClosed),
            None => {}
        }
        self.handle_association_events();
    }

    fn deliver(&mut self, now: Instant, packet: &[u8]) {
        if let Some(association) = &mut self.association {
            association.handle_packet(now, packet);
        }
        self.handle_association_events();
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadline = self.association.as_ref()?.poll_timeout()?;
        Some(self.floor.raise(deadline))
    }

    /// Does what is due. Calls at other times are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(association) = &mut self.association
            && let Some(deadline) = association.poll_timeout()
            && self.floor.admit(deadline, now)
        {
            association.handle_timeout(now);
            self.handle_association_events();
        }
    }

    /// Packets take another path. What was under way on the last one may be lost, so it is sent
    /// again at once, and the congestion window begins anew.
    pub fn on_path_change(&mut self, now: Instant) {
        if let Some(association) = &mut self.association {
            association.on_path_change(now);
        }
    }

    /// The path answers again after a while in which it did not. What waits for a timeout that has
    /// grown meanwhile is sent again at once.
    pub fn on_path_return(&mut self, now: Instant) {
        if let Some(association) = &mut self.association {
            association.on_path_return(now);
        }
    }

    /// Writes the next packet over what is in `buffer`. False when there is none.
    pub fn write_packet(&mut self, now: Instant, buffer: &mut Vec<u8>) -> bool {
        if let Some(parting) = self.parting.take() {
            buffer.clone_from(&parting);
            return true;
        }
        let Some(association) = &mut self.association else { return false };
        let wrote = association.write_packet(now, buffer);
        for (id, bytes) in association.take_sent() {
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            channel.buffered = channel.buffered.saturating_sub(bytes);
            if channel.unreported == 0 {
                self.dirty.push(id);
            }
            channel.unreported += bytes;
        }
        // A reset that needs no answer may have ended.
        if !wrote {
            self.handle_association_events();
        }
        wrote
    }

    fn handle_association_events(&mut self) {
        while let Some(event) = self.association.as_mut().and_then(|a| a.poll_event()) {
            match event {
                SctpEvent::Connected => self.on_connected(),
                SctpEvent::Closed(error) => self.on_closed(error),
                SctpEvent::Message(message) => self.on_message(message),
                SctpEvent::TooLarge(id) => self.on_too_large(id),
                SctpEvent::IncomingReset(id) => self.on_incoming_reset(id),
                SctpEvent::OutgoingReset(id) => self.on_outgoing_reset(id),
            }
        }
    }

    /// webrtc-pc §6.1.1.3: the connected procedure.
    fn on_connected(&mut self) {
        self.tell(Event::SctpStateChange(SctpState::Connected, None));
        let limit = self.max_channels().unwrap_or(0);
        for id in self.channels.keys().copied().collect::<Vec<_>>() {
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            match channel.state {
                ChannelState::Connecting if id >= limit => {
                    self.channels.remove(&id);
                    let error = ChannelError::IdOutOfRange { id, limit };
                    self.tell(Event::ChannelError { id, error });
                    self.tell(Event::ChannelClosed { id });
                }
                ChannelState::Connecting => {
                    channel.state = ChannelState::Open;
                    self.announce(id);
                    self.tell(Event::ChannelOpen { id });
                    self.claim(id);
                }
                // Closed between its announcement and now.
                ChannelState::Closing => self.reset(id),
                ChannelState::Open => {}
            }
        }
    }

    fn on_closed(&mut self, error: SctpError) {
        let failed = matches!(error, SctpError::Aborted { .. } | SctpError::Restarted);
        self.tell(Event::SctpStateChange(SctpState::Closed, Some(error.clone())));
        for id in self.channels.keys().copied().collect::<Vec<_>>() {
            self.report_sent(id);
            // A channel that the peer had closed in order lacks nothing.
            let is_over = self.channels.get(&id).is_some_and(|channel| channel.incoming_reset);
            if failed && !is_over {
                let error = ChannelError::Sctp(error.clone());
                self.tell(Event::ChannelError { id, error });
            }
            self.tell(Event::ChannelClosed { id });
        }
        self.channels.clear();
        self.dirty.clear();
        self.unclaimed.clear();
        self.unclaimed_cost = 0;
        self.announced = 0;
        self.refused.clear();
    }

    fn release(&mut self, cost: usize) {
        if let Some(association) = &mut self.association {
            association.release(cost);
        }
    }

    fn reset(&mut self, id: u16) {
        if let Some(association) = &mut self.association {
            association.reset(id);
        }
    }

    fn finish_if_done(&mut self, id: u16) {
        if self.channels.get(&id).is_some_and(|channel| channel.is_finished()) {
            self.report_sent(id);
            if let Some(channel) = self.channels.remove(&id) {
                self.announced = self.announced.saturating_sub(channel.announced_bytes);
            }
            self.tell(Event::ChannelClosed { id });
            self.claim(id);
        }
    }

    /// Queues DATA_CHANNEL_OPEN, unless the application negotiates or it is queued already.
    fn announce(&mut self, id: u16) {
        let Some(association) = &mut self.association else { return };
        let Some(channel) = self.channels.get_mut(&id) else { return };
        if channel.announced {
            return;
        }
        channel.announced = true;
        association.open(id, channel.config.priority);
        if !channel.config.negotiated {
            channel.open_unacknowledged = true;
            association.send(id, dcep_message(&Dcep::Open(channel.config.clone())));
        }
    }

    /// Opens a channel on stream `id`. Before the association is connected the channel waits for
    /// that; [`Event::ChannelOpen`] reports when it can be used. Unless it is `negotiated`,
    /// DATA_CHANNEL_OPEN announces it to the peer; the channel does not wait for the
    /// acknowledgement.
    ///
    /// # Errors
    /// [`ChannelError::IdInUse`], [`ChannelError::IdOutOfRange`], [`ChannelError::LabelTooLong`],
    /// [`ChannelError::ProtocolTooLong`]; [`ChannelError::NotOpen`] when SCTP is closed.
    pub fn open(&mut self, id: u16, config: ChannelConfig) -> Result<(), ChannelError> {
        config.validate()?;
        // RFC 8831 §6.6: 65535 is no stream for data channels.
        let limit = self.max_channels().unwrap_or(u16::MAX);
        if id >= limit {
            return Err(ChannelError::IdOutOfRange { id, limit });
        }
        if self.state() == Some(SctpState::Closed) {
            return Err(ChannelError::NotOpen);
        }
        let taken = self.channels.contains_key(&id)
            || self.held.contains_key(&id)
            || self.refused.contains_key(&id);
        if taken {
            return Err(ChannelError::IdInUse(id));
        }
        let connected = self.is_connected();
        let state = if connected { ChannelState::Open } else { ChannelState::Connecting };
        self.channels.insert(id, Box::new(Channel::new(config, state)));
        if connected || id < SURELY_NEGOTIATED {
            self.announce(id);
        }
        if connected {
            self.tell(Event::ChannelOpen { id });
            self.claim(id);
        }
        Ok(())
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
        let channel = self.channels.get_mut(&id).ok_or(ChannelError::Unknown(id))?;
        let association = self.association.as_mut().ok_or(ChannelError::NotOpen)?;
        if channel.state != ChannelState::Open {
            return Err(ChannelError::NotOpen);
        }
        let size = data.len() as u64;
        let limit = self.parameters.map_or(0, |p| p.max_message_size_send);
        if limit != 0 && size > limit {
            return Err(ChannelError::TooLarge { size, limit });
        }
        let max_buffered = self.config.max_buffered_amount;
        if max_buffered != 0 && channel.buffered + size > max_buffered {
            return Err(ChannelError::BufferFull);
        }
        let empty = data.is_empty();
        let ppid = match (kind, empty) {
            (MessageKind::String, false) => dcep::PPID_STRING,
            (MessageKind::Binary, false) => dcep::PPID_BINARY,
            (MessageKind::String, true) => dcep::PPID_STRING_EMPTY,
            (MessageKind::Binary, true) => dcep::PPID_BINARY_EMPTY,
        };
        channel.buffered += size;
        let message = Outgoing {
            ppid,
            // RFC 8831 §6.6: one byte that means nothing.
            data: if empty { Bytes::from_static(&[0]) } else { data },
            counted: !empty,
            ordered: channel.config.ordered || channel.open_unacknowledged,
            max_retransmits: channel.config.max_retransmits(),
            expires: channel.config.expiry(now),
        };
        association.send(id, message);
        Ok(())
    }

    /// Bytes given to [`send`](Self::send) that are not yet in a packet.
    pub fn buffered_amount(&self, id: u16) -> u64 {
        self.channels.get(&id).map_or(0, |channel| channel.buffered)
    }

    /// Sets the threshold of [`Event::BufferedAmountLow`] in bytes; it is 0 at first.
    pub fn set_low_threshold(&mut self, id: u16, threshold: u64) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.low_threshold = threshold;
        }
    }

    /// Closes a channel (webrtc-pc §6.2.4): what was queued is sent, then its stream is reset.
    /// [`Event::ChannelClosed`] reports that the peer has done the same. Messages that arrive
    /// meanwhile are discarded.
    pub fn close(&mut self, id: u16) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        match channel.state {
            ChannelState::Closing => return,
            ChannelState::Connecting if !channel.announced => {
                self.channels.remove(&id);
                self.tell(Event::ChannelClosed { id });
                return;
            }
            ChannelState::Connecting | ChannelState::Open => {}
        }
        channel.state = ChannelState::Closing;
        channel.closed_here = true;
        // Nobody reads the messages any more.
        self.paused.remove(&id);
        self.unhold(id, |event| !matches!(event, Event::Message { .. }));
        if self.is_connected() {
            self.reset(id);
        }
    }
}

fn dcep_message(message: &Dcep) -> Outgoing {
    Outgoing {
        ppid: dcep::PPID_DCEP,
        data: message.write(),
        counted: false,
        ordered: true,
        max_retransmits: None,
        expires: None,
    }
}
