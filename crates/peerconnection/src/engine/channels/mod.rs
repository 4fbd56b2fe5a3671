//! webrtc-pc §6.2: data channels.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use negotiation::{
    ChannelCommand, ChannelId, Error, RTCDataChannelInit, RTCError, RTCErrorDetailType,
    RTCErrorInit,
};
use time::Instant;

use super::convert::{dcep_priority, priority_type};
use super::outbox::{CAPACITY, Outbox, Outgoing};
use super::{Delivery, Engine, Task, Transport};
use crate::api::{
    AnyEvent, Broken, ChannelAttributes, ChannelObject, MessageData, RTCDataChannel,
    RTCDataChannelState, RTCSctpTransportState, SctpTransportSlots,
};
use crate::recording::format::Input;

impl Engine {
    /// §6.1 createDataChannel. The session does the checks and chooses the id.
    pub(crate) fn create_data_channel(
        &mut self,
        now: Instant,
        label: &str,
        init: RTCDataChannelInit,
    ) -> Result<RTCDataChannel, Error> {
        self.record(now, || Input::CreateDataChannel {
            label: label.to_owned(),
            init: init.clone(),
        });
        let (channel, id) = self.session.create_data_channel(label, &init)?;
        let attributes = ChannelAttributes {
            label: label.to_owned(),
            ordered: init.ordered,
            max_packet_life_time: init.max_packet_life_time,
            max_retransmits: init.max_retransmits,
            protocol: init.protocol,
            negotiated: init.negotiated,
            priority: init.priority,
        };
        let object = Arc::new(ChannelObject::new(self.connection.clone(), channel, id, attributes));
        self.channels.insert(channel, object.clone());
        if let Some(id) = id {
            self.streams.insert(id, channel);
            self.open_stream(now, &object);
            if self.sctp_is_connected() {
                self.queue(Task::ChannelOpen(channel));
            }
        }
        Ok(RTCDataChannel { object })
    }

    fn sctp_is_connected(&self) -> bool {
        self.sctp.as_ref().is_some_and(|s| s.state == RTCSctpTransportState::Connected)
    }

    fn channel_transport(&mut self) -> Option<&mut Transport> {
        let id = self.sctp.as_ref()?.transport?;
        self.transports.get_mut(&id)
    }

    /// The stack that carries the channels.
    pub(super) fn channel_stack(&mut self) -> Option<&mut transport::Transport> {
        self.channel_transport().map(|transport| &mut transport.stack)
    }

    /// The stack that carries one channel. It is another one only while a new peer takes over.
    fn stack_of(&mut self, stream: u16) -> Option<&mut transport::Transport> {
        self.channel_transport().map(|transport| transport.stack_of(stream))
    }

    pub(super) fn run_channel_command(&mut self, now: Instant, command: ChannelCommand) {
        match command {
            ChannelCommand::AssignId { channel, id } => {
                let Some(object) = self.channels.get(&channel).cloned() else { return };
                let _ = object.slots.id.set(id);
                self.streams.insert(id, channel);
                self.open_stream(now, &object);
            }
            ChannelCommand::Close { channel } => {
                if let Some(object) = self.channels.get(&channel).cloned() {
                    self.set_channel_state(&object, RTCDataChannelState::Closed);
                    object.writer.wake();
                }
            }
            ChannelCommand::FireError { channel, error } => {
                if let Some(object) = self.forget_channel(channel) {
                    object.break_off(Broken::Here);
                    self.fire_channel_failure(&object, &error);
                    self.deliveries.push_back(Delivery::End(object));
                }
            }
            ChannelCommand::AnnounceAsOpen { channel } => {
                // A channel that goes on over another association was announced before.
                let is_open = |object: &Arc<ChannelObject>| {
                    object.slots.ready_state() == RTCDataChannelState::Open
                };
                if !self.channels.get(&channel).is_some_and(is_open) {
                    self.queue(Task::ChannelOpen(channel));
                }
            }
            ChannelCommand::Fail { channel, error } => {
                self.queue(Task::ChannelFailed(channel, error));
            }
        }
    }

    /// Tells the association of a channel whose id is known.
    pub(super) fn open_stream(&mut self, now: Instant, object: &ChannelObject) {
        let Some(&id) = object.slots.id.get() else { return };
        if self.ended_channels.contains(&object.channel) {
            return;
        }
        let attributes = &object.attributes;
        let config = transport::ChannelConfig {
            label: attributes.label.clone(),
            protocol: attributes.protocol.clone(),
            ordered: attributes.ordered,
            reliability: match (attributes.max_packet_life_time, attributes.max_retransmits) {
                (Some(time), _) => transport::Reliability::MaxPacketLifeTime(time),
                (None, Some(times)) => transport::Reliability::MaxRetransmits(times),
                (None, None) => transport::Reliability::Reliable,
            },
            negotiated: attributes.negotiated,
            priority: dcep_priority(attributes.priority),
        };
        let channel = object.channel;
        let Some(stack) = self.channel_stack() else { return };
        match stack.open_channel(now, id, config) {
            Ok(()) | Err(transport::ChannelError::IdInUse(_)) => {}
            Err(error) => {
                let error = Error::OperationError(error.to_string());
                self.queue(Task::ChannelFailed(channel, error));
            }
        }
    }

    /// §6.2.3 Announcing a data channel instance.
    pub(super) fn announce_a_data_channel_instance(
        &mut self,
        now: Instant,
        stream: u16,
        config: transport::ChannelConfig,
    ) {
        let channel = match self.session.add_remote_data_channel(stream) {
            Ok(channel) => channel,
            Err(error) => {
                // RFC 8832 §6: the id is in use, so the stream is closed.
                tracing::debug!(%error, stream, "the peer opened a channel in vain");
                if let Some(stack) = self.channel_stack() {
                    stack.close_channel(now, stream);
                }
                return;
            }
        };
        // Steps 3 to 6
        let (max_packet_life_time, max_retransmits) = match config.reliability {
            transport::Reliability::Reliable => (None, None),
            transport::Reliability::MaxRetransmits(times) => (None, Some(times)),
            transport::Reliability::MaxPacketLifeTime(time) => (Some(time), None),
        };
        let attributes = ChannelAttributes {
            label: config.label,
            ordered: config.ordered,
            max_packet_life_time,
            max_retransmits,
            protocol: config.protocol,
            negotiated: false,
            priority: priority_type(config.priority),
        };
        let object = Arc::new(ChannelObject::new(
            self.connection.clone(),
            channel,
            Some(stream),
            attributes,
        ));
        // Step 7
        self.channels.insert(channel, object.clone());
        self.streams.insert(stream, channel);
        // Step 8: messages can be sent from within the `datachannel` event.
        self.set_channel_state(&object, RTCDataChannelState::Open);
        // Step 9; the task behind this one is step 10.
        self.fire(AnyEvent::DataChannel(RTCDataChannel { object }));
    }

    /// §6.2.2 Announcing a data channel as open.
    pub(super) fn announce_the_channel_as_open(&mut self, channel: ChannelId) {
        // Step 2
        let Some(object) = self.channels.get(&channel).cloned() else { return };
        // Step 3
        match object.slots.ready_state() {
            RTCDataChannelState::Closing | RTCDataChannelState::Closed => return,
            RTCDataChannelState::Connecting | RTCDataChannelState::Open => {}
        }
        // Step 4
        self.set_channel_state(&object, RTCDataChannelState::Open);
        object.writer.wake();
        // Step 5
        self.fire_channel_state(&object, RTCDataChannelState::Open);
    }

    fn fire_channel_state(&mut self, object: &Arc<ChannelObject>, state: RTCDataChannelState) {
        let channel = RTCDataChannel { object: object.clone() };
        self.fire(AnyEvent::DataChannelStateChange(channel, state));
    }

    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Gives the association the messages of `send()`, and media the packets of senders.
    pub(super) fn take_outbox(&mut self, now: Instant) {
        if !self.outbox.is_filled() {
            return;
        }
        let mut messages = std::mem::take(&mut self.taken);
        self.outbox.take(&mut messages);
        self.send_packets(now);
        let mut transport = self.channel_transport();
        for Outgoing { stream, kind, data } in messages.drain(..) {
            let stack = transport.as_mut().map(|transport| transport.stack_of(stream));
            let taken = stack.map(|stack| stack.send(now, stream, kind, data));
            // §6.2 send() step 8: the channel or the association is closed, and a task will say so.
            if !matches!(taken, Some(Ok(()))) {
                tracing::debug!(stream, "a message was sent on a channel that is being closed");
            }
        }
        // Frees the memory after a flood of messages.
        messages.shrink_to(CAPACITY);
        self.taken = messages;
    }

    /// §6.2: "When the underlying data transport sends data from its queue".
    pub(super) fn reduce_buffered_amount(&mut self, stream: u16, sent: u64) {
        let Some(object) = self.channel_of(stream) else { return };
        let before = object.slots.take_buffered_amount(sent);
        let after = before.saturating_sub(sent);
        object.writer.wake();
        let threshold = object.slots.buffered_amount_low_threshold.load(Ordering::Acquire);
        if before > threshold && after <= threshold {
            self.fire(AnyEvent::BufferedAmountLow(RTCDataChannel { object }));
        }
    }

    fn channel_of(&self, stream: u16) -> Option<Arc<ChannelObject>> {
        self.channels.get(self.streams.get(&stream)?).cloned()
    }

    /// §6.2.8 Receiving messages on a data channel.
    pub(super) fn receive_message(
        &mut self,
        stream: u16,
        kind: transport::MessageKind,
        raw_data: Bytes,
    ) {
        // Step 1
        let Some(object) = self.channel_of(stream) else { return };
        let message = received_message(kind, raw_data);
        // Step 3
        match object.slots.ready_state() {
            // Steps 4 and 5
            RTCDataChannelState::Open => self.deliver_message(object, message),
            // The datagram that established the association brought the message, too. The task
            // before this one has queued the task that announces the channel as open.
            RTCDataChannelState::Connecting => {
                self.queue(Task::ChannelMessage(object, message));
            }
            RTCDataChannelState::Closing | RTCDataChannelState::Closed => {}
        }
    }

    /// Queues the task for a message. The task names an open channel by its object, and any other
    /// by its stream: an earlier task may still create or open it.
    pub(super) fn queue_message(
        &mut self,
        stream: u16,
        kind: transport::MessageKind,
        raw_data: Bytes,
    ) {
        let object = self.channel_of(stream);
        let is_open =
            |object: &Arc<ChannelObject>| object.slots.ready_state() == RTCDataChannelState::Open;
        self.queue(match object.filter(is_open) {
            Some(object) => Task::ChannelMessage(object, received_message(kind, raw_data)),
            None => Task::StreamMessage(stream, kind, raw_data),
        });
    }

    pub(super) fn receive_channel_message(
        &mut self,
        object: Arc<ChannelObject>,
        message: MessageData,
    ) {
        if object.slots.ready_state() == RTCDataChannelState::Open {
            self.deliver_message(object, message);
        }
    }

    /// A handler was set, or a reader went away, while messages waited.
    pub(crate) fn queue_waiting_messages(&mut self, now: Instant, object: &Arc<ChannelObject>) {
        self.record(now, || Input::DeliverWaiting { channel: object.channel.0 });
        self.queue(Task::WaitingMessages(object.clone()));
    }

    pub(crate) fn set_receive_paused(
        &mut self,
        now: Instant,
        object: &ChannelObject,
        paused: bool,
    ) {
        self.record(now, || Input::PauseChannel { channel: object.channel.0, paused });
        let Some(&id) = object.slots.id.get() else { return };
        if let Some(stack) = self.stack_of(id) {
            stack.set_receive_paused(now, id, paused);
        }
    }

    /// §6.2 close().
    pub(crate) fn close_channel(&mut self, now: Instant, object: &ChannelObject) {
        self.record(now, || Input::CloseChannel { channel: object.channel.0 });
        // Step 2
        match object.slots.ready_state() {
            RTCDataChannelState::Closing | RTCDataChannelState::Closed => return,
            RTCDataChannelState::Connecting | RTCDataChannelState::Open => {}
        }
        self.take_outbox(now);
        // Step 3
        self.set_channel_state(object, RTCDataChannelState::Closing);
        // Step 4
        self.close_stream(now, object);
    }

    /// §6.2.4 Closing procedure, step 5: what is queued is sent, then RFC 8831 §6.7.
    fn close_stream(&mut self, now: Instant, object: &ChannelObject) {
        let id = object.slots.id.get().copied();
        let connected = Some(transport::SctpState::Connected);
        match id.and_then(|id| Some((self.stack_of(id)?, id))) {
            Some((stack, id)) if stack.sctp_state() == connected => stack.close_channel(now, id),
            // Nothing has been sent yet, so the channel closes without a wait.
            stack => {
                if let Some((stack, id)) = stack {
                    stack.close_channel(now, id);
                }
                self.queue(Task::ChannelClosed(object.channel, None));
            }
        }
    }

    /// §6.2.4 Closing procedure, begun by the peer.
    pub(super) fn peer_closes_channel(&mut self, now: Instant, stream: u16) {
        let Some(object) = self.channel_of(stream) else { return };
        object.note_that_peer_has_finished();
        // Step 4
        match object.slots.ready_state() {
            RTCDataChannelState::Closing | RTCDataChannelState::Closed => return,
            RTCDataChannelState::Connecting | RTCDataChannelState::Open => {}
        }
        self.set_channel_state(&object, RTCDataChannelState::Closing);
        object.writer.wake();
        self.fire_channel_state(&object, RTCDataChannelState::Closing);
        // Step 5
        if let Some(stack) = self.stack_of(stream) {
            stack.close_channel(now, stream);
        }
    }

    /// §6.2.5 Announcing a data channel as closed.
    pub(super) fn announce_the_channel_as_closed(
        &mut self,
        channel: ChannelId,
        error: Option<RTCError>,
    ) {
        // Steps 1, 2 and 4
        let Some(object) = self.forget_channel(channel) else { return };
        // Step 3
        self.set_channel_state(&object, RTCDataChannelState::Closed);
        // Step 5
        if let Some(error) = error {
            let channel = RTCDataChannel { object: object.clone() };
            self.fire(AnyEvent::DataChannelError(channel, error));
        }
        // Step 6
        self.fire_channel_state(&object, RTCDataChannelState::Closed);
        self.deliveries.push_back(Delivery::End(object));
    }

    /// Closes a channel whose stream was reset in both directions. If the whole association has
    /// ended, `sctp_closed` has queued the tasks instead.
    pub(super) fn stream_closed(&mut self, stream: u16) {
        let closed = |sctp: &SctpTransportSlots| sctp.state == RTCSctpTransportState::Closed;
        if let Some(&channel) = self.streams.get(&stream)
            && !self.sctp.as_ref().is_some_and(closed)
        {
            self.announce_the_channel_as_closed(channel, None);
        }
    }

    fn forget_channel(&mut self, channel: ChannelId) -> Option<Arc<ChannelObject>> {
        let object = self.channels.remove(&channel)?;
        self.ended_channels.remove(&channel);
        if let Some(id) = object.slots.id.get()
            && self.streams.get(id) == Some(&channel)
        {
            self.streams.remove(id);
        }
        self.session.remove_data_channel(channel);
        Some(object)
    }

    /// §6.2.7 Error on creating data channels.
    pub(super) fn unable_to_create(&mut self, now: Instant, channel: ChannelId, error: &Error) {
        // Step 1
        let Some(object) = self.forget_channel(channel) else { return };
        if let Some((stack, &id)) = self.channel_stack().zip(object.slots.id.get()) {
            stack.close_channel(now, id);
        }
        object.break_off(Broken::Here);
        // Step 2
        self.set_channel_state(&object, RTCDataChannelState::Closed);
        // Step 3
        self.fire_channel_failure(&object, error);
        // Step 4
        self.fire_channel_state(&object, RTCDataChannelState::Closed);
        self.deliveries.push_back(Delivery::End(object));
    }

    fn fire_channel_failure(&mut self, object: &Arc<ChannelObject>, error: &Error) {
        let detail = RTCErrorInit::new(RTCErrorDetailType::DataChannelFailure);
        let error = RTCError::new(detail, error.message());
        let target = RTCDataChannel { object: object.clone() };
        self.fire(AnyEvent::DataChannelError(target, error));
    }

    /// §6.2 send() step 7: an SCTP-level error.
    pub(super) fn channel_error(&mut self, stream: u16, error: &transport::ChannelError) {
        let Some(object) = self.channel_of(stream) else { return };
        let error =
            RTCError::new(RTCErrorInit::new(RTCErrorDetailType::SctpFailure), error.to_string());
        self.deliveries.push_back(Delivery::Fire(AnyEvent::DataChannelError(
            RTCDataChannel { object },
            error,
        )));
    }
}

/// §6.2 "receiving messages on a data channel" step 4.
fn received_message(kind: transport::MessageKind, raw_data: Bytes) -> MessageData {
    match kind {
        transport::MessageKind::String => {
            MessageData::String(match String::from_utf8(raw_data.into()) {
                Ok(text) => text,
                // "UTF-8 decode" replaces what is malformed.
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            })
        }
        transport::MessageKind::Binary => MessageData::Binary(raw_data),
    }
}

#[cfg(test)]
mod tests;
