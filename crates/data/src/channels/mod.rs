//! The data channels over one SCTP association (RFC 8831 §6, RFC 8832 §6).

mod anew;
mod events;
mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use time::{Duration, Floor, Instant};

use crate::channel::{Channel, ChannelState};
use crate::config::Config;
use crate::error::ChannelError;
use crate::event::Event;
use crate::sctp::{
    Association, Event as SctpEvent, Inits, Message, SctpError, SctpState, Settings,
};

/// Packets kept until a description says that there is an association: the last ones.
const MAX_EARLY: usize = 16;
/// How long a side that waits leaves the beginning of the association to the other.
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
    /// `a=sctp-init` of both descriptions: the first association needs no handshake then. `None` if
    /// either has none.
    pub inits: Option<Inits>,
}

impl Default for SctpParameters {
    fn default() -> Self {
        Self {
            local_port: 5000,
            remote_port: 5000,
            max_message_size_send: 65_536,
            max_message_size_receive: 262_144,
            inits: None,
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
///     let is_client = tag == 1;
///     let beginning =
///         Beginning { is_client, waits: !is_client, packet_size: 1160, tag, initial_tsn: tag };
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
    /// DTLS may begin anew under the association.
    expects_anew: bool,
    /// DTLS has begun anew, and the peer may begin another association.
    may_restart: bool,
    state: State,
    /// Streams of channels that have closed with an association, to be reset in the next one.
    left_over: BTreeSet<u16>,
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

/// Whether the association is one.
#[derive(Debug)]
enum State {
    /// It is, or there is none.
    Usual,
    /// The peer has ended it. One that has not begun keeps what is sent meanwhile.
    Interrupted,
    /// The same, and the next one may begin.
    BeginsAnew,
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
    /// Whether this is the DTLS client, which opens channels on even ids (RFC 8832 §6).
    pub is_client: bool,
    /// Whether to wait a little for the peer to begin. Where both begin at once, twice as much is
    /// sent.
    pub waits: bool,
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
            expects_anew: false,
            may_restart: false,
            state: State::Usual,
            left_over: BTreeSet::new(),
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
        self.parameters.is_some() && (self.association.is_none() || self.begins_anew())
    }

    /// Begins the association; packets can be protected now. Does nothing unless
    /// [`wants_association`](Self::wants_association).
    pub fn begin(&mut self, now: Instant, with: &Beginning) {
        let Some(parameters) = self.parameters.filter(|_| self.wants_association()) else {
            return;
        };
        // What the descriptions say is of the first association: the peer, too, begins the next one
        // with a handshake.
        let inits = parameters.inits.filter(|_| self.associations == 0);
        let (tag, initial_tsn) =
            inits.map_or((with.tag, with.initial_tsn), |inits| (inits.tag, inits.initial_tsn));
        let with = Beginning { tag, initial_tsn, ..*with };
        let mut association =
            Box::new(Association::new(settings(&self.config, &parameters, &with)));
        self.is_client = with.is_client;
        self.carry_over(&mut association);
        match inits {
            Some(inits) => association.assume(now, &inits.peer),
            None if with.waits => association.expect(now, PATIENCE),
            None => association.connect(now),
        }
        self.associations += 1;
        for (id, channel) in self.channels.iter().filter(|(_, channel)| channel.announced) {
            association.open(*id, channel.config.weight());
        }
        self.association = Some(association);
        let early_ids: Vec<u16> =
            self.channels.keys().copied().filter(|&id| id < SURELY_NEGOTIATED).collect();
        for id in early_ids {
            self.announce(id);
        }
        for packet in std::mem::take(&mut self.early) {
            self.deliver(now, &packet);
        }
        self.handle_association_events();
    }

    /// The INIT chunk of an association with this configuration, initiate tag (which is not 0) and
    /// initial TSN, as a description has it: with its header, without padding behind it.
    pub fn init_chunk(config: &Config, tag: u32, initial_tsn: u32) -> Vec<u8> {
        let with = Beginning { is_client: true, waits: true, packet_size: 0, tag, initial_tsn };
        let settings = settings(&config.clamp(), &SctpParameters::default(), &with);
        Association::new(settings).init_chunk()
    }

    /// Ends the association with an ABORT, which [`write_packet`](Self::write_packet) yields.
    /// Forgets the channels without events; take the events that there are first. Another
    /// association may begin.
    pub fn stop(&mut self, now: Instant) {
        self.parameters = None;
        self.has_moved = false;
        self.may_restart = false;
        self.state = State::Usual;
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
        std::mem::swap(&mut self.expects_anew, &mut other.expects_anew);
        let Self { floor, early, events: own, .. } =
            std::mem::replace(other, Self::new(other.config));
        other.floor = floor;
        let is_mark = Option::<Event>::is_none;
        let (of_other, moving): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.events).into_iter().partition(is_mark);
        other.events = of_other;
        self.events = own.into_iter().filter(is_mark).chain(moving).collect();
        self.has_moved = true;
        if self.is_interrupted() {
            self.state = State::BeginsAnew;
        }
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

    /// Gives back the memory that a pause does not need. Call it when nothing has come or gone for a
    /// while: what comes next takes what it needs.
    ///
    /// ```
    /// # use peerconnection_data::{Channels, Config};
    /// let mut channels = Channels::new(Config::default());
    /// channels.rest();
    /// assert_eq!(channels.poll_event(), None);
    /// ```
    pub fn rest(&mut self) {
        self.early.shrink_to_fit();
        self.events.shrink_to_fit();
        self.dirty.shrink_to_fit();
        if let Some(association) = &mut self.association {
            association.rest();
        }
    }

    fn forget_channels(&mut self) {
        self.channels.clear();
        self.refused.clear();
        self.left_over.clear();
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
        self.expects_anew = false;
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
                SctpEvent::Closed(error) if self.is_to_be_replaced(&error) => {}
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
        self.reset_left_over();
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
        let failed = matches!(
            error,
            SctpError::Aborted { .. } | SctpError::AbortedHere { .. } | SctpError::Restarted
        );
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
        self.left_over.clear();
        self.state = State::Usual;
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
}

/// What an association is set up with.
fn settings(config: &Config, parameters: &SctpParameters, with: &Beginning) -> Settings {
    let window = config.receive_window;
    let limit = match usize::try_from(parameters.max_message_size_receive) {
        Ok(0) | Err(_) => window as usize,
        Ok(limit) => limit.min(window as usize),
    };
    Settings {
        local_port: parameters.local_port,
        remote_port: parameters.remote_port,
        packet_size: with.packet_size,
        window,
        max_window: config.max_receive_window,
        max_message_size: limit,
        tag: with.tag.max(1),
        initial_tsn: with.initial_tsn,
        congestion_control: config.congestion_control,
        zero_checksum: config.zero_checksum,
        interleaving: config.interleaving,
        max_partial: config.max_partial as usize,
    }
}
