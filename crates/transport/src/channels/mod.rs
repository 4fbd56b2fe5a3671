//! The data channels over one SCTP association (RFC 8831 §6, RFC 8832 §6).

mod events;
mod incoming;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use dtls::{DtlsRole, DtlsState};
use time::{Duration, Instant};

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

/// What is over DTLS.
#[derive(Debug)]
pub(crate) struct Channels {
    parameters: Option<SctpParameters>,
    association: Option<Box<Association>>,
    /// The ABORT of an association that was stopped.
    parting: Option<Vec<u8>>,
    associations: u32,
    is_client: bool,
    /// They have come from another DTLS transport, where the roles may have been the other way
    /// round: ids of either parity may be under way from the peer.
    has_moved: bool,
    early: VecDeque<Vec<u8>>,
    channels: BTreeMap<u16, Channel>,
    /// Streams that are being reset although there is no channel on them.
    refused: BTreeMap<u16, Refused>,
    /// What came on streams without a channel, or before their old channel was over.
    unclaimed: BTreeMap<u16, VecDeque<Unclaimed>>,
    unclaimed_cost: usize,
    /// Bytes of labels and protocols of the peer's channels.
    announced: usize,
    limits: Limits,
    events: VecDeque<Event>,
    paused: BTreeSet<u16>,
    /// What happened on paused channels from their first message on.
    held: BTreeMap<u16, VecDeque<Event>>,
    /// Channels of which bytes were sent since their last event.
    dirty: Vec<u16>,
}

/// What is not held beyond, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Messages on streams without a channel.
    max_unclaimed: usize,
    /// Labels and protocols of the peer's channels.
    max_announced: usize,
    /// What waits in one channel to be sent; 0 is no limit.
    max_buffered: u64,
}

impl Limits {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            max_unclaimed: config.max_unclaimed,
            max_announced: config.max_announced,
            max_buffered: config.max_buffered_amount,
        }
    }
}

/// Something for a channel to come.
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

/// What an association is made of besides the description.
pub(crate) struct Surroundings {
    pub(crate) role: DtlsRole,
    pub(crate) packet_size: usize,
    pub(crate) window: u32,
    pub(crate) tag: u32,
    pub(crate) initial_tsn: u32,
}

impl Channels {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
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
            limits,
            events: VecDeque::new(),
            paused: BTreeSet::new(),
            held: BTreeMap::new(),
            dirty: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> Option<SctpState> {
        match &self.association {
            Some(association) => Some(association.state()),
            None => self.parameters.map(|_| SctpState::Connecting),
        }
    }

    pub(crate) fn associations(&self) -> u32 {
        self.associations
    }

    pub(crate) fn association(&self) -> Option<&Association> {
        self.association.as_deref()
    }

    pub(crate) fn max_channels(&self) -> Option<u16> {
        self.association.as_ref()?.max_channels()
    }

    fn is_connected(&self) -> bool {
        self.state() == Some(SctpState::Connected)
    }

    pub(crate) fn set_parameters(&mut self, parameters: SctpParameters) {
        match self.parameters {
            Some(_) => self.set_max_message_size_send(parameters.max_message_size_send),
            None => self.parameters = Some(parameters),
        }
    }

    pub(crate) fn set_max_message_size_send(&mut self, size: u64) {
        if let Some(parameters) = &mut self.parameters {
            parameters.max_message_size_send = size;
        }
    }

    /// Whether an association is wanted and there is none.
    pub(crate) fn wants_association(&self) -> bool {
        self.parameters.is_some() && self.association.is_none()
    }

    /// Begins the association; DTLS is connected.
    pub(crate) fn begin(&mut self, now: Instant, with: &Surroundings) {
        let Some(parameters) = self.parameters else { return };
        let limit = match usize::try_from(parameters.max_message_size_receive) {
            Ok(0) | Err(_) => with.window as usize,
            Ok(limit) => limit.min(with.window as usize),
        };
        let mut association = Box::new(Association::new(Settings {
            local_port: parameters.local_port,
            remote_port: parameters.remote_port,
            packet_size: with.packet_size,
            window: with.window,
            max_message_size: limit,
            tag: with.tag,
            initial_tsn: with.initial_tsn,
        }));
        self.is_client = with.role == DtlsRole::Client;
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
            self.handle_packet(now, &packet);
        }
    }

    /// Ends the association with an ABORT and forgets its channels, without events. Another may
    /// begin.
    pub(crate) fn stop(&mut self, now: Instant) {
        self.parameters = None;
        self.has_moved = false;
        self.early.clear();
        self.forget_channels();
        self.events.retain(Event::is_of_dtls);
        if let Some(mut association) = self.association.take() {
            association.abort();
            let mut packet = Vec::new();
            self.parting = association.write_packet(now, &mut packet).then_some(packet);
        }
    }

    /// Becomes `other`, which is as new afterwards. What each has to tell of its DTLS it keeps.
    pub(crate) fn take(&mut self, now: Instant, other: &mut Self) {
        let early = std::mem::take(&mut self.early);
        let own = std::mem::take(&mut self.events);
        *self = std::mem::replace(other, Self::new(other.limits));
        let (of_other, moving): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.events).into_iter().partition(Event::is_of_dtls);
        other.events = of_other;
        self.events = own.into_iter().filter(Event::is_of_dtls).chain(moving).collect();
        self.has_moved = true;
        if self.association.is_some() {
            // The peer was the first to move.
            for packet in early {
                self.handle_packet(now, &packet);
            }
        } else {
            self.early = early;
        }
    }

    /// The DTLS transport to which the association came is connected.
    pub(crate) fn resume(&mut self, now: Instant, packet_size: usize) {
        if let Some(association) = &mut self.association {
            association.set_packet_size(packet_size);
            association.on_path_change(now);
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

    pub(crate) fn on_dtls(&mut self, now: Instant, output: dtls::Output<'_>) {
        match output {
            dtls::Output::Data(data) => {
                if self.association.is_some() {
                    self.handle_packet(now, data);
                } else if data.len() <= 2048 {
                    // What comes first may be of an association that was stopped.
                    if self.early.len() == MAX_EARLY {
                        self.early.pop_front();
                    }
                    self.early.push_back(data.to_vec());
                }
            }
            dtls::Output::State(state) => {
                self.events.push_back(Event::DtlsStateChange(state));
                if state == DtlsState::Closed {
                    self.on_transport_closed();
                }
            }
            dtls::Output::Failed(error) => {
                self.events.push_back(Event::DtlsFailed(error));
                self.on_transport_closed();
            }
        }
    }

    /// webrtc-pc §6.1.2: without DTLS there is no association.
    pub(crate) fn on_transport_closed(&mut self) {
        self.early.clear();
        self.parting = None;
        match &mut self.association {
            Some(association) => association.transport_closed(),
            None if self.parameters.is_some() => self.on_closed(SctpError::TransportClosed),
            None => {}
        }
        self.handle_association_events();
    }

    fn handle_packet(&mut self, now: Instant, packet: &[u8]) {
        if let Some(association) = &mut self.association {
            association.handle_packet(now, packet);
        }
        self.handle_association_events();
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.association.as_ref()?.poll_timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(association) = &mut self.association {
            association.handle_timeout(now);
        }
        self.handle_association_events();
    }

    pub(crate) fn on_path_change(&mut self, now: Instant) {
        if let Some(association) = &mut self.association {
            association.on_path_change(now);
        }
    }

    /// Writes the next SCTP packet. False when there is none.
    pub(crate) fn write_packet(&mut self, now: Instant, buffer: &mut Vec<u8>) -> bool {
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
        self.events.push_back(Event::SctpStateChange(SctpState::Connected, None));
        let limit = self.max_channels().unwrap_or(0);
        for id in self.channels.keys().copied().collect::<Vec<_>>() {
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            match channel.state {
                ChannelState::Connecting if id >= limit => {
                    self.channels.remove(&id);
                    let error = ChannelError::IdOutOfRange { id, limit };
                    self.events.push_back(Event::ChannelError { id, error });
                    self.events.push_back(Event::ChannelClosed { id });
                }
                ChannelState::Connecting => {
                    channel.state = ChannelState::Open;
                    self.announce(id);
                    self.events.push_back(Event::ChannelOpen { id });
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
        self.events.push_back(Event::SctpStateChange(SctpState::Closed, Some(error.clone())));
        for id in self.channels.keys().copied().collect::<Vec<_>>() {
            self.report_sent(id);
            if failed {
                let error = ChannelError::Sctp(error.clone());
                self.events.push_back(Event::ChannelError { id, error });
            }
            self.events.push_back(Event::ChannelClosed { id });
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
        if self.channels.get(&id).is_some_and(Channel::is_finished) {
            self.report_sent(id);
            if let Some(channel) = self.channels.remove(&id) {
                self.announced = self.announced.saturating_sub(channel.announced_bytes);
            }
            self.events.push_back(Event::ChannelClosed { id });
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

    pub(crate) fn open(&mut self, id: u16, config: ChannelConfig) -> Result<(), ChannelError> {
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
        self.channels.insert(id, Channel::new(config, state));
        if connected || id < SURELY_NEGOTIATED {
            self.announce(id);
        }
        if connected {
            self.events.push_back(Event::ChannelOpen { id });
            self.claim(id);
        }
        Ok(())
    }

    pub(crate) fn send(
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
        let max_buffered = self.limits.max_buffered;
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

    pub(crate) fn buffered_amount(&self, id: u16) -> u64 {
        self.channels.get(&id).map_or(0, |channel| channel.buffered)
    }

    pub(crate) fn set_low_threshold(&mut self, id: u16, threshold: u64) {
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.low_threshold = threshold;
        }
    }

    /// The closing procedure (webrtc-pc §6.2.4), begun here.
    pub(crate) fn close(&mut self, id: u16) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        match channel.state {
            ChannelState::Closing => return,
            ChannelState::Connecting if !channel.announced => {
                self.channels.remove(&id);
                self.events.push_back(Event::ChannelClosed { id });
                return;
            }
            ChannelState::Connecting | ChannelState::Open => {}
        }
        channel.state = ChannelState::Closing;
        channel.closed_here = true;
        // Nobody reads them any more.
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
