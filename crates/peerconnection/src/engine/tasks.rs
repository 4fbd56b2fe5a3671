//! The connection's task queue: webrtc-pc's "queue a task", and what each task does.

use std::sync::Arc;

use bytes::Bytes;
use negotiation::{ChannelId, Effect, Error, TransceiverId, TransportId};
use time::Instant;

use super::{Delivery, Engine, TaskQueue, recorded};
use crate::api::{
    AnyEvent, Call, ChannelObject, MediaStreamTrack, MessageData, RTCSctpTransport,
    RTCSctpTransportState, RTCStatsReport, SctpTransportObject, Settle, Value,
};
use crate::recording::format::Input;

/// A task of the networking task source.
pub(super) enum Task {
    /// A task of the negotiation.
    Negotiation(negotiation::Task),
    /// §5.6: the agent began to gather a generation.
    GatheringBegan(TransportId),
    /// §5.6: a candidate is available.
    Candidate(TransportId, String, Box<(sdp::Candidate, Option<ice::CandidateServer>)>),
    /// §4.8.3: a server gave no candidate.
    CandidateError(TransportId, String, Box<ice::CandidateError>),
    /// §5.6: a generation's gathering is finished, first task.
    GenerationGathered(TransportId, String),
    /// §5.6: a generation's gathering is finished and no other is being gathered, second task.
    GatheringFinished(TransportId),
    /// §5.6: change the selected candidate pair and state.
    IceStateChange(TransportId, super::ice_transport::Change),
    /// §5.6: the ICE role changed by a conflict.
    IceRole(TransportId, ice::Role),
    /// §5.6: a transport that no section uses any more has closed.
    TransportDiscarded(TransportId),
    /// §5.5: the DTLS state changed, but not to failed.
    DtlsState(TransportId, transport::DtlsState),
    /// §5.5: an error of the DTLS transport.
    DtlsFailed(TransportId, transport::DtlsError),
    /// §4.4.1.3: update the connection state.
    ConnectionState,
    /// §4.4.1.3, §4.3.4: update the connection and ICE states, since there is a new transport.
    TransportCreated,
    /// mediacapture-main §4.3.1: a track has ended with its connection.
    EndTrack(MediaStreamTrack),
    /// §6.1.2: the association was closed with its connection.
    SctpClosedWithConnection(RTCSctpTransport),
    /// §8.2: resolve a promise with statistics.
    Statistics(Settle, RTCStatsReport),
    /// §7.2: the DTMF playout task steps.
    Dtmf(TransceiverId),
    /// Packets were received for tracks.
    PacketsReceived,
    /// The sources of a receiver have said BYE.
    SourcesLeft(TransceiverId),
    /// The peer needs a key frame of an encoding.
    KeyFrameRequested(TransceiverId, usize),
    /// §6.1.1: connected procedure.
    SctpConnected(Arc<SctpTransportObject>),
    /// §6.1.2: the peer has ended the association, and another one is connecting.
    SctpInterrupted(Arc<SctpTransportObject>),
    /// §6.1.1: the association is gone; with an error, if it ended with one.
    SctpClosed(Arc<SctpTransportObject>, Option<negotiation::RTCError>),
    /// §6.1.2: an association that a description has closed is gone.
    SctpDiscarded,
    /// §6.2: announcing a data channel instance.
    ChannelAnnounced(u16, transport::ChannelConfig),
    /// §6.2: announcing the peer's data channel as open.
    StreamOpen(u16),
    /// §6.2: announcing a data channel as open.
    ChannelOpen(ChannelId),
    /// §6.2: error on creating data channels.
    ChannelFailed(ChannelId, Error),
    /// §6.2: receiving messages on a data channel that is open, or that the task before this one
    /// opens.
    ChannelMessage(Arc<ChannelObject>, MessageData),
    /// The same for a channel that earlier tasks make or open.
    StreamMessage(u16, transport::MessageKind, Bytes),
    /// A handler was set while messages waited.
    WaitingMessages(Arc<ChannelObject>),
    /// A call that was queued from outside: it delivers events that a handler has missed, or is a
    /// task of the application.
    Call(Call),
    /// §6.2: some of the queue was sent.
    BufferedAmount(u16, u64),
    /// §6.2: the peer began the closing procedure.
    ChannelClosing(u16),
    /// §6.2: announcing a data channel as closed; with an error, if it was closed with one.
    ChannelClosed(ChannelId, Option<negotiation::RTCError>),
    /// §6.2: the stream of a channel was closed.
    StreamClosed(u16),
    /// §6.2: an SCTP-level error on a channel.
    StreamError(u16, transport::ChannelError),
}

impl Task {
    /// The bytes of the message in the task.
    pub(super) fn message_size(&self) -> usize {
        match self {
            Self::ChannelMessage(_, message) => message.len(),
            Self::StreamMessage(_, _, raw_data) => raw_data.len(),
            Self::ChannelAnnounced(_, config) => config.label.len() + config.protocol.len(),
            _ => 0,
        }
    }
}

impl Engine {
    pub(super) fn queue(&mut self, task: Task) {
        // After the end nothing runs the task.
        if !self.is_closed {
            self.tasks.push(task);
        }
    }

    pub(crate) fn queue_call(&mut self, now: Instant, call: Call) {
        self.record(now, || Input::QueueTask);
        self.queue(Task::Call(call));
    }

    /// Moves the negotiation's tasks to the end of the connection's queue.
    pub(super) fn collect_negotiation(&mut self) {
        while let Some(task) = self.session.poll_task() {
            self.tasks.push(Task::Negotiation(task));
        }
    }

    /// The next delivery of the present task; `None` when everything has been delivered.
    pub(crate) fn next_delivery(&mut self, now: Instant) -> Option<Delivery> {
        self.record(now, || Input::Delivery);
        let delivery = if self.prepare_delivery(now) { self.take_effect(now) } else { None };
        self.is_delivering = delivery.is_some();
        delivery
    }

    /// Runs effects and reactions until there is something to deliver. `false` if there is nothing.
    fn prepare_delivery(&mut self, now: Instant) -> bool {
        while !self.prepare_effect(now) {
            if !self.run_reaction(now) {
                return false;
            }
        }
        true
    }

    /// Whether there is something for [`hastened_delivery`](Self::hastened_delivery).
    pub(crate) fn can_hasten(&self) -> bool {
        // What the driver is delivering comes first.
        let is_idle = !self.is_delivering && !self.is_closed;
        is_idle && (self.has_effects() || self.tasks.is_next(Self::is_of_negotiation))
    }

    /// Runs tasks of the negotiation until there is something to deliver. `None` if the next task
    /// is another one.
    pub(crate) fn hastened_delivery(&mut self, now: Instant) -> Option<&Delivery> {
        while !self.prepare_delivery(now) {
            if !self.tasks.is_next(Self::is_of_negotiation) || !self.run_next_task(now) {
                return None;
            }
        }
        self.deliveries.front()
    }

    fn is_of_negotiation(task: &Task) -> bool {
        matches!(task, Task::Negotiation(_))
    }

    /// The next delivery before the next reaction of a promise.
    pub(crate) fn next_effect(&mut self, now: Instant) -> Option<Delivery> {
        self.record(now, || Input::Effect);
        self.take_effect(now)
    }

    /// Takes the effects of the session until one is to be delivered. `false` if none is.
    fn prepare_effect(&mut self, now: Instant) -> bool {
        while self.deliveries.is_empty() {
            let Some(effect) = self.session.poll_effect() else { return false };
            self.run_effect(now, effect);
        }
        true
    }

    /// Takes the next delivery before the next reaction.
    pub(crate) fn take_effect(&mut self, now: Instant) -> Option<Delivery> {
        if !self.prepare_effect(now) {
            return None;
        }
        let delivery = self.deliveries.pop_front()?;
        self.note_delivery(now, &delivery);
        self.record_output(|| recorded::delivery(&delivery));
        Some(delivery)
    }

    /// Runs a reaction of a promise, once all effects have been delivered. `false` if there is
    /// none.
    pub(crate) fn run_microtask(&mut self, now: Instant) -> bool {
        self.record(now, || Input::Microtask);
        self.run_reaction(now)
    }

    fn run_reaction(&mut self, now: Instant) -> bool {
        let ran = self.session.run_microtask();
        if !ran {
            self.collect_outputs(now);
        }
        ran
    }

    /// Whether the present task, or a call outside of tasks, has left something to deliver or run.
    pub(crate) fn has_effects(&self) -> bool {
        !self.deliveries.is_empty() || self.session.has_effects() || self.session.has_microtasks()
    }

    pub(crate) fn tasks(&self) -> &Arc<TaskQueue> {
        &self.tasks
    }

    /// Whether something is under way: tasks, pending promises, a transport that gathers, checks or
    /// is connected.
    pub(crate) fn is_busy(&self) -> bool {
        !self.tasks.is_empty()
            || self.has_effects()
            || !self.operations.is_empty()
            || self.transports.are_busy()
    }

    /// Runs the next task; its effects wait to be delivered. `false` if there is none.
    pub(crate) fn run_next_task(&mut self, now: Instant) -> bool {
        let Some(task) = self.tasks.pop() else { return false };
        self.record(now, || Input::Task);
        if !self.is_closed {
            self.rest.stir(now);
        }
        if !self.is_closed || task.outlives_the_connection() {
            self.run_task(now, task);
        }
        true
    }

    fn run_task(&mut self, now: Instant, task: Task) {
        match task {
            Task::Negotiation(task) => self.session.run_task(task),
            Task::GatheringBegan(transport) => self.gathering_began(transport),
            Task::Candidate(transport, username_fragment, candidate) => {
                let (candidate, server) = *candidate;
                self.surface_the_candidate(transport, &username_fragment, &candidate, server);
            }
            Task::CandidateError(transport, username_fragment, error) => {
                self.candidate_failed(transport, &username_fragment, *error);
            }
            Task::GenerationGathered(transport, username_fragment) => {
                self.generation_gathered(transport, &username_fragment);
            }
            Task::GatheringFinished(transport) => self.gathering_finished(transport),
            Task::IceStateChange(transport, change) => {
                self.change_the_selected_candidate_pair_and_state(transport, change);
            }
            Task::IceRole(transport, role) => self.ice_role_changed(transport, role),
            Task::TransportDiscarded(transport) => self.transport_discarded(transport),
            Task::DtlsState(transport, state) => self.dtls_state_changed(transport, state),
            Task::DtlsFailed(transport, error) => self.dtls_failed(transport, error),
            Task::ConnectionState => self.update_the_connection_state(),
            Task::TransportCreated => self.transport_created(),
            Task::EndTrack(track) => self.end_track(track),
            Task::SctpClosedWithConnection(target) => {
                let state = RTCSctpTransportState::Closed;
                self.fire(AnyEvent::SctpTransportStateChange(target, state));
            }
            Task::Statistics(settle, report) => self.resolve_stats(settle, report),
            Task::Dtmf(sender) => self.dtmf_playout(now, sender),
            Task::PacketsReceived => self.packets_received(now),
            Task::SourcesLeft(receiver) => self.sources_left(receiver),
            Task::KeyFrameRequested(sender, encoding) => self.key_frame_requested(sender, encoding),
            Task::SctpConnected(of) => self.sctp_connected(&of),
            Task::SctpInterrupted(of) => self.sctp_interrupted(&of),
            Task::SctpClosed(of, error) => self.sctp_closed(&of, error),
            Task::SctpDiscarded => self.sctp_discarded(),
            Task::ChannelAnnounced(stream, config) => {
                self.announce_a_data_channel_instance(now, stream, config);
            }
            Task::StreamOpen(stream) => {
                if let Some(&channel) = self.streams.get(&stream) {
                    self.announce_the_channel_as_open(channel);
                }
            }
            Task::ChannelOpen(channel) => self.announce_the_channel_as_open(channel),
            Task::ChannelFailed(channel, error) => self.unable_to_create(now, channel, &error),
            Task::ChannelMessage(channel, message) => {
                self.receive_channel_message(channel, message);
            }
            Task::StreamMessage(stream, kind, raw_data) => {
                self.receive_message(stream, kind, raw_data);
            }
            Task::WaitingMessages(channel) => {
                self.deliveries.push_back(Delivery::Message(channel, None));
            }
            Task::Call(call) => self.deliveries.push_back(Delivery::Call(call)),
            Task::BufferedAmount(stream, sent) => self.reduce_buffered_amount(stream, sent),
            Task::ChannelClosing(stream) => self.peer_closes_channel(now, stream),
            Task::ChannelClosed(channel, error) => {
                self.announce_the_channel_as_closed(channel, error);
            }
            Task::StreamClosed(stream) => self.stream_closed(stream),
            Task::StreamError(stream, error) => self.channel_error(stream, &error),
        }
    }

    fn run_effect(&mut self, now: Instant, effect: Effect) {
        if self.is_closed {
            return;
        }
        match effect {
            Effect::Fire(negotiation::Event::NegotiationNeeded) => {
                self.fire(AnyEvent::NegotiationNeeded);
            }
            Effect::Fire(negotiation::Event::SignalingStateChange(state)) => {
                self.fire(AnyEvent::SignalingStateChange(state));
            }
            Effect::Fire(negotiation::Event::Track { transceiver, streams }) => {
                self.fire_track(transceiver, &streams);
            }
            Effect::Settle { operation, result } => {
                self.note_outcome(now, operation, &result);
                if let Some(settle) = self.operations.remove(&operation) {
                    let result = result.map(Value::Outcome);
                    self.deliveries.push_back(Delivery::Settle(settle, result));
                }
                self.operation_settled(now, operation);
            }
            Effect::Transport(command) => self.run_command(now, command),
            Effect::Channel(command) => self.run_channel_command(now, command),
            Effect::Media(command) => self.run_media_command(now, command),
        }
    }

    /// Delivers a message to a channel.
    pub(super) fn deliver_message(&mut self, channel: Arc<ChannelObject>, message: MessageData) {
        channel.slots.received.add(message.len());
        self.deliveries.push_back(Delivery::Message(channel, Some(message)));
    }
}
