//! webrtc-pc §6.1.1: from the SCTP association to the slots of RTCSctpTransport.

use std::collections::BTreeSet;
use std::sync::Arc;

use negotiation::{ChannelId, RTCError, SctpInitSource, SctpInits, TransportId};
use time::Instant;

use super::{Engine, Shortcut, Task};
use crate::api::{
    AnyEvent, Broken, ChannelObject, ClosedSctpTransport, MaxMessageSize, RTCDataChannelState,
    RTCSctpTransport, RTCSctpTransportState, SctpTransportObject, SctpTransportSlots,
};
use crate::recording::format::Input;

/// The largest message that this side receives, as `a=max-message-size` says.
const CAN_RECEIVE_SIZE: u64 = 262_144;

/// The INIT chunk of this side for a description.
fn make_init<const INTERLEAVING: bool>(tag: u32, initial_tsn: u32) -> Option<sdp::SctpInit> {
    let config = transport::data::Config {
        interleaving: INTERLEAVING,
        ..transport::data::Config::default()
    };
    let chunk = transport::data::Channels::init_chunk(&config, tag, initial_tsn);
    sdp::SctpInit::new(chunk).ok()
}

fn agreed_inits(inits: SctpInits) -> Option<transport::Inits> {
    let SctpInits { tag, initial_tsn, peer } = inits;
    let peer = transport::SctpInit::read(peer.chunk())?;
    Some(transport::Inits { tag, initial_tsn, peer })
}

impl Engine {
    /// Sets whether descriptions that are created from now on have SCTP's INIT chunk.
    pub(crate) fn set_sctp_init(&mut self, now: Instant, shortcut: Shortcut) {
        self.record(now, || Input::SctpInit(shortcut.into()));
        self.sctp_init = shortcut;
        self.set_sctp_init_source();
    }

    /// Sets whether associations that begin from now on offer to interleave messages.
    pub(crate) fn set_message_interleaving(&mut self, now: Instant, interleaving: bool) {
        self.record(now, || Input::MessageInterleaving(interleaving));
        self.message_interleaving = interleaving;
        self.set_sctp_init_source();
    }

    pub(super) fn set_sctp_init_source(&mut self) {
        let make = if self.message_interleaving { make_init::<true> } else { make_init::<false> };
        let source = |offers| Some(SctpInitSource { offers, make });
        self.session.set_sctp_init_source(match self.sctp_init {
            Shortcut::Off => None,
            Shortcut::Automatic => source(false),
            Shortcut::On => source(true),
        });
    }

    pub(crate) fn sctp_transport_slots(&self) -> Option<&SctpTransportSlots> {
        self.sctp.as_ref()
    }

    /// The slots of one of the connection's SCTP transports; `None` if it is closed for ever, or
    /// its creation was rolled back.
    pub(crate) fn sctp_slots_of(
        &self,
        object: &SctpTransportObject,
    ) -> Option<&SctpTransportSlots> {
        let mut all = self.sctp.iter().chain(&self.discarded_sctp_transports);
        all.find(|slots| std::ptr::eq(&*slots.object, object))
    }

    /// The largest message that can be sent, if it fits the machine.
    pub(crate) fn max_message_size(&self) -> Option<usize> {
        self.sctp.as_ref().and_then(|sctp| usize::try_from(sctp.largest_message).ok())
    }

    /// §6.1.1.1 "create an RTCSctpTransport"; if there is one already, sets its DTLS transport.
    pub(super) fn create_sctp(&mut self, transport: Option<TransportId>) {
        match &mut self.sctp {
            Some(sctp) if sctp.state != RTCSctpTransportState::Closed => {
                sctp.transport = transport.or(sctp.transport);
            }
            _ => {
                self.sctp = Some(SctpTransportSlots {
                    object: Arc::new(SctpTransportObject::new(self.connection.clone())),
                    transport,
                    state: RTCSctpTransportState::Connecting,
                    max_message_size: None,
                    largest_message: 0,
                    max_channels: None,
                });
            }
        }
    }

    /// Removes the SCTP transport. Either its creation was rolled back, and its channels go on
    /// waiting, or an answer has closed the association and its channels with it.
    pub(super) fn destroy_sctp(&mut self, now: Instant) {
        let started = self.channel_stack().is_some_and(|stack| stack.sctp_state().is_some());
        if started && let Some(id) = self.sctp.as_ref().and_then(|sctp| sctp.transport) {
            // Data that has arrived is delivered first.
            self.take_outbox(now);
            self.collect_stack(now, id);
            if let Some(stack) = self.channel_stack() {
                stack.stop_sctp(now);
            }
        }
        let Some(sctp) = self.sctp.take() else { return };
        if !started || sctp.state == RTCSctpTransportState::Closed {
            self.release(sctp.object);
            return;
        }
        // §6.1.2: "A task is queued to update the [[SctpTransportState]] slot".
        self.discarded_sctp_transports.push_back(sctp);
        self.queue(Task::SctpDiscarded);
        self.close_all_channels(None, Broken::Here);
    }

    /// Fires `closed` at the SCTP transport that was discarded first.
    pub(super) fn sctp_discarded(&mut self) {
        let Some(sctp) = self.discarded_sctp_transports.pop_front() else { return };
        let target = RTCSctpTransport { object: sctp.object };
        self.fire(AnyEvent::SctpTransportStateChange(target, RTCSctpTransportState::Closed));
    }

    /// Keeps what the SCTP transport shows besides its state, since its connection is closed.
    pub(super) fn keep_sctp_transport(&mut self) {
        let transport = self.sctp.as_ref().and_then(|sctp| sctp.transport);
        let transport = transport.and_then(|id| self.dtls_transport(id));
        if let Some(sctp) = &self.sctp {
            sctp.object.keep(ClosedSctpTransport {
                transport: transport.map(|transport| transport.object),
                max_message_size: sctp.max_message_size,
                max_channels: sctp.max_channels,
            });
        }
    }

    /// Closes the channels with their association. They get `error`, unless the peer had closed
    /// them in order: such a channel has received everything, and the peer would have discarded
    /// whatever came.
    fn close_all_channels(&mut self, error: Option<&RTCError>, why: Broken) {
        let close = |(channel, object): (&ChannelId, &Arc<ChannelObject>)| {
            object.break_off(why);
            let error = error.filter(|_| !object.has_peer_finished());
            (*channel, error.cloned())
        };
        let channels: Vec<_> = self.channels.iter().map(close).collect();
        for (channel, error) in channels {
            self.ended_channels.insert(channel);
            self.queue(Task::ChannelClosed(channel, error));
        }
    }

    /// §6.1.1.2 "update the data max message size". The negotiation has computed the size.
    pub(super) fn update_max_message_size(&mut self, max_message_size: u64, max_buffer_size: u64) {
        let Some(sctp) = &mut self.sctp else { return };
        sctp.max_message_size = Some(MaxMessageSize::of_bytes(max_message_size));
        sctp.largest_message = max_message_size;
        self.outbox.set_limits(max_message_size, max_buffer_size);
        if let Some(stack) = self.channel_stack() {
            stack.set_max_message_size_send(max_message_size);
        }
    }

    pub(super) fn start_sctp(
        &mut self,
        now: Instant,
        id: TransportId,
        local_port: u16,
        remote_port: u16,
        inits: Option<SctpInits>,
    ) {
        self.begin_sctp_again(id);
        let Some(sctp) = &mut self.sctp else { return };
        sctp.transport = Some(id);
        let max_message_size_send = sctp.largest_message;
        if let Some(transport) = self.transports.get_mut(&id) {
            transport.stack.start_sctp(
                now,
                transport::SctpParameters {
                    local_port,
                    remote_port,
                    max_message_size_send,
                    max_message_size_receive: CAN_RECEIVE_SIZE,
                    inits: inits.and_then(agreed_inits),
                },
            );
        }
        // Opens the channels that were waiting for the transport.
        let waiting: Vec<_> = self.channels.values().cloned().collect();
        for channel in waiting {
            if channel.slots.ready_state() == RTCDataChannelState::Connecting {
                self.open_stream(now, &channel);
            }
        }
    }

    /// Another peer takes over, with a new association: the transport connects again (§6.1.2). If
    /// the last peer has closed it, a new transport is created.
    fn begin_sctp_again(&mut self, id: TransportId) {
        match self.sctp.as_mut().map(|sctp| (sctp.state, sctp)) {
            Some((RTCSctpTransportState::Connected, sctp)) => {
                let object = sctp.object.clone();
                self.sctp_interrupted(&object);
            }
            Some((RTCSctpTransportState::Closed, _)) => self.create_sctp(Some(id)),
            _ => {}
        }
    }

    /// §6.1.2: one association has ended, and the next one is being negotiated.
    pub(super) fn sctp_interrupted(&mut self, of: &Arc<SctpTransportObject>) {
        let Some(sctp) = self.sctp.as_mut().filter(|sctp| Arc::ptr_eq(&sctp.object, of)) else {
            return;
        };
        if sctp.state != RTCSctpTransportState::Connected {
            return;
        }
        sctp.state = RTCSctpTransportState::Connecting;
        sctp.max_channels = None;
        let target = RTCSctpTransport { object: sctp.object.clone() };
        let state = RTCSctpTransportState::Connecting;
        self.fire(AnyEvent::SctpTransportStateChange(target, state));
    }

    /// The streams of the channels that are no longer connecting, if this transport carries them.
    pub(super) fn open_streams(&self, id: TransportId) -> BTreeSet<u16> {
        if self.sctp.as_ref().and_then(|sctp| sctp.transport) != Some(id) {
            return BTreeSet::new();
        }
        let is_open = |channel: &ChannelId| {
            self.channels
                .get(channel)
                .is_some_and(|object| object.slots.ready_state() != RTCDataChannelState::Connecting)
        };
        self.streams.iter().filter(|(_, channel)| is_open(channel)).map(|(id, _)| *id).collect()
    }

    /// Closes the channels of these streams, whose association is gone without an error.
    pub(super) fn close_streams(&mut self, streams: &BTreeSet<u16>) {
        for stream in streams {
            if let Some(channel) = self.streams.get(stream) {
                if let Some(object) = self.channels.get(channel) {
                    object.break_off(Broken::ByPeer);
                }
                self.queue(Task::ChannelClosed(*channel, None));
            }
        }
    }

    /// §6.1.1.3 Connected procedure.
    pub(super) fn sctp_connected(&mut self, of: &Arc<SctpTransportObject>) {
        // Step 1; a negotiation may have replaced the transport since.
        let Some(sctp) = self.sctp.as_mut().filter(|sctp| Arc::ptr_eq(&sctp.object, of)) else {
            return;
        };
        if sctp.state != RTCSctpTransportState::Connecting {
            return;
        }
        sctp.state = RTCSctpTransportState::Connected;
        // Step 3
        let max_channels = sctp
            .transport
            .and_then(|id| self.transports.get(&id))
            .and_then(|transport| transport.stack.max_channels())
            .unwrap_or(u16::MAX);
        sctp.max_channels = Some(max_channels);
        let target = RTCSctpTransport { object: sctp.object.clone() };
        // Step 4: the session goes through the channels, and its commands queue their tasks.
        self.session.handle_sctp_connected(max_channels);
        // Step 5
        self.fire(AnyEvent::SctpTransportStateChange(target, RTCSctpTransportState::Connected));
    }

    /// §6.1.2: SHUTDOWN or ABORT was received, the association was closed, or DTLS was.
    pub(super) fn sctp_closed(&mut self, of: &Arc<SctpTransportObject>, error: Option<RTCError>) {
        let Some(sctp) = self.sctp.as_mut().filter(|sctp| Arc::ptr_eq(&sctp.object, of)) else {
            return;
        };
        if sctp.state == RTCSctpTransportState::Closed {
            return;
        }
        sctp.state = RTCSctpTransportState::Closed;
        let target = RTCSctpTransport { object: sctp.object.clone() };
        self.fire(AnyEvent::SctpTransportStateChange(target, RTCSctpTransportState::Closed));
        self.close_all_channels(error.as_ref(), Broken::ByPeer);
    }

    /// RFC 9143 §7.4: the section was bundled into another one, and the association goes on over
    /// that one's transport. Neither its state nor the states of its channels change.
    pub(super) fn move_sctp(&mut self, now: Instant, id: TransportId) {
        let Some(sctp) = &mut self.sctp else { return };
        let Some(before) = sctp.transport.replace(id).filter(|before| *before != id) else {
            return;
        };
        self.retire_predecessor(now, before);
        // The old one leaves the map, so that both can be borrowed.
        let Some(mut old) = self.transports.remove(&before) else { return };
        if let Some(new) = self.transports.get_mut(&id) {
            new.stack.take_channels_of(now, &mut old.stack);
        }
        self.transports.insert(before, old);
    }
}
