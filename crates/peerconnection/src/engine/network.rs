//! Datagrams, timers, and requests to the host.

use std::net::{IpAddr, SocketAddr};

use negotiation::{RTCError, RTCErrorDetailType, RTCErrorInit, TransportId};
use time::Instant;
use transport::{Protocol, data};

use super::{Action, ConnectionId, Engine, GenerationId, NameOf, SocketId, Task, Transmit};

impl Engine {
    /// Passes a datagram to the agent or to the stack, or drops it.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        socket: SocketId,
        source: SocketAddr,
        datagram: &[u8],
    ) {
        let Some(transport) = self.sockets.get(&socket).and_then(|id| self.transports.get_mut(id))
        else {
            tracing::trace!(?socket, %source, "a datagram for a transport that is gone");
            self.departing.receive(now, socket, source, datagram);
            return;
        };
        let Some(datagram) = transport.agent.handle_datagram(now, socket, source, datagram) else {
            return;
        };
        let ice::Datagram { base, source, payload } = datagram;
        match Protocol::of(payload) {
            Some(Protocol::Stun) => transport.agent.handle_stun(now, base, source, payload),
            Some(protocol)
                if transport::Transport::understands(protocol)
                    && transport.accept_datagram(now, base, source, payload.len()) =>
            {
                match transport.stack_on(socket) {
                    Some(stack) => stack.handle_datagram(now, payload),
                    None => tracing::trace!(%source, "a datagram for a replaced stack is dropped"),
                }
            }
            _ => tracing::trace!(%source, length = payload.len(), "a stray datagram is dropped"),
        }
    }

    /// Takes the outputs of the transports, and makes tasks and actions of them.
    pub(crate) fn collect(&mut self, now: Instant) {
        self.take_outbox(now);
        self.update_pool(now);
        self.collect_negotiation();
        self.forget_transceivers();
        self.collect_departing();
        while let Some(id) = self.transports.next_touched() {
            self.collect_ice(id);
            let any = self.collect_stack(now, id);
            self.transports.settle(id, any);
        }
    }

    fn collect_departing(&mut self) {
        if !self.departing.is_empty() {
            let closed = self.departing.take_closed().into_iter();
            self.actions.extend(closed.map(Action::CloseSocket));
        }
    }

    /// Takes the outputs of a stack. Returns whether there were any: taking them may have made
    /// something to send.
    pub(super) fn collect_stack(&mut self, now: Instant, id: TransportId) -> bool {
        let Some(transport) = self.transports.output(id) else { return false };
        let mut any = transport.update_paths(now);
        any |= self.collect_predecessor(id);
        while let Some(event) = self.transports.output(id).and_then(|t| t.stack.poll_event()) {
            any = true;
            let task = match event {
                transport::Event::DtlsStateChange(state) => {
                    if state != transport::DtlsState::Connecting {
                        self.retire_predecessor(id);
                    }
                    Task::DtlsState(id, state)
                }
                transport::Event::DtlsFailed(error) => {
                    self.retire_predecessor(id);
                    Task::DtlsFailed(id, error)
                }
                transport::Event::Data(event) => match self.task_of(event) {
                    Some(task) => task,
                    None => continue,
                },
            };
            self.queue(task);
        }
        any
    }

    /// Turns an event of SCTP or of a data channel into a task. Some events need none.
    fn task_of(&mut self, event: data::Event) -> Option<Task> {
        Some(match event {
            data::Event::SctpStateChange(state, cause) => {
                let object = self.sctp.as_ref()?.object.clone();
                match state {
                    data::SctpState::Connecting => return None,
                    data::SctpState::Connected => Task::SctpConnected(object),
                    data::SctpState::Closed => {
                        Task::SctpClosed(object, cause.and_then(sctp_failure))
                    }
                }
            }
            data::Event::ChannelAnnounced { id, config } => {
                self.queue(Task::ChannelAnnounced(id, config));
                // Queued before the messages that came with the announcement.
                Task::StreamOpen(id)
            }
            data::Event::Message { id, kind, data } => {
                self.queue_message(id, kind, data);
                return None;
            }
            data::Event::BufferedAmount { id, sent } => Task::BufferedAmount(id, sent),
            data::Event::ChannelClosing { id } => Task::ChannelClosing(id),
            data::Event::ChannelClosed { id } => Task::StreamClosed(id),
            // The whole association has ended: `SctpClosed` closes the channels.
            data::Event::ChannelError { error: data::ChannelError::Sctp(_), .. } => return None,
            data::Event::ChannelError { id, error } => Task::StreamError(id, error),
            // The connected procedure announces a channel as open, or createDataChannel() does.
            data::Event::ChannelOpen { .. } | data::Event::BufferedAmountLow { .. } => return None,
        })
    }

    /// Takes the outputs of a stack whose successor is taking over. Its states are not told: the
    /// successor's are.
    fn collect_predecessor(&mut self, id: TransportId) -> bool {
        let mut any = false;
        loop {
            let Some(transport) = self.transports.output(id) else { return any };
            let Some(event) = transport.predecessor().and_then(|stack| stack.poll_event()) else {
                return any;
            };
            any = true;
            let task = match event {
                // The old peer has left.
                transport::Event::DtlsStateChange(_)
                | transport::Event::DtlsFailed(_)
                | transport::Event::Data(data::Event::SctpStateChange(
                    data::SctpState::Closed,
                    _,
                )) => {
                    self.retire_predecessor(id);
                    continue;
                }
                // The peer may still open channels there: nobody will hear of them.
                transport::Event::Data(event)
                    if !event.channel().is_some_and(|id| transport.is_of_predecessor(id)) =>
                {
                    continue;
                }
                transport::Event::Data(event) => match event {
                    data::Event::Message { id, kind, data } => {
                        self.queue_message(id, kind, data);
                        continue;
                    }
                    data::Event::BufferedAmount { id, sent } => Task::BufferedAmount(id, sent),
                    data::Event::ChannelClosing { id } => Task::ChannelClosing(id),
                    data::Event::ChannelClosed { id } => Task::StreamClosed(id),
                    data::Event::SctpStateChange(..)
                    | data::Event::ChannelAnnounced { .. }
                    | data::Event::ChannelOpen { .. }
                    | data::Event::ChannelError { .. }
                    | data::Event::BufferedAmountLow { .. } => continue,
                },
            };
            self.queue(task);
        }
    }

    /// Drops a stack whose successor has taken over, and closes its streams.
    pub(super) fn retire_predecessor(&mut self, id: TransportId) {
        let Some(transport) = self.transports.output(id) else { return };
        let streams = transport.retire_predecessor();
        self.close_streams(&streams);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for id in self.transports.due(now) {
            let Some(transport) = self.transports.get_mut(&id) else { continue };
            if transport.agent.poll_timeout().is_some_and(|at| at <= now) {
                transport.agent.handle_timeout(now);
            }
            if transport.stack.poll_timeout().is_some_and(|at| at <= now) {
                transport.stack.handle_timeout(now);
            }
            if let Some(stack) = transport.predecessor()
                && stack.poll_timeout().is_some_and(|at| at <= now)
            {
                stack.handle_timeout(now);
            }
        }
        self.departing.handle_timeout(now);
        self.handle_dtmf_timeout(now);
        self.alarms.handle_timeout(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let timers = [
            self.transports.poll_timeout(),
            self.departing.poll_timeout(),
            self.dtmf_timeout(),
            self.alarms.poll_timeout(),
        ];
        timers.into_iter().flatten().min()
    }

    pub(crate) fn poll_action(&mut self) -> Option<Action> {
        while let Some(action) = self.actions.pop_front() {
            match action {
                Action::Gather { transport, .. }
                | Action::Resolve { transport, .. }
                | Action::Connect { transport, .. }
                    if !self.transports.contains_key(&transport) => {}
                action => return Some(action),
            }
        }
        None
    }

    /// Whether a host that moves the network has to look for datagrams, actions or an earlier
    /// deadline. A call that makes something to send may also have made an earlier deadline.
    pub(crate) fn has_network_work(&self) -> bool {
        self.transports.sending().is_some()
            || self.outbox.is_filled()
            || !self.actions.is_empty()
            || !self.departing.is_empty()
            || self.is_closed
            || self.dtmf_timeout().is_some()
            || !self.alarms.is_empty()
    }

    /// The next datagram to send. After the last one the effects of sending wait as tasks, such as
    /// a `bufferedAmount` that has fallen.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        self.take_outbox(now);
        let transmit = self.next_transmit(now);
        if transmit.is_none() {
            self.collect(now);
        }
        transmit
    }

    fn next_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if let Some(transmit) =
            self.farewells.pop_front().or_else(|| self.departing.poll_transmit())
        {
            return Some(transmit);
        }
        while let Some(id) = self.transports.sending() {
            let transport = self.transports.output(id)?;
            if let Some(transmit) = transport.agent.poll_transmit() {
                return Some(transmit.into());
            }
            if let Some(transmit) = transport.next_datagram(now) {
                return Some(transmit);
            }
            self.transports.mark_sent(id);
        }
        None
    }

    /// Keeps the last datagrams of a transport that is about to go.
    pub(super) fn queue_farewell(&mut self, now: Instant, id: TransportId) {
        let Some(transport) = self.transports.get_mut(&id) else { return };
        while let Some(transmit) = transport.next_datagram(now) {
            self.farewells.push_back(transmit);
        }
    }

    pub(crate) fn socket_bound(
        &mut self,
        now: Instant,
        transport: TransportId,
        generation: GenerationId,
        socket: SocketId,
        local: SocketAddr,
    ) {
        let Some(slot) = self.transports.get_mut(&transport) else {
            // The transport was discarded in the meantime.
            self.actions.push_back(Action::CloseSocket(socket));
            return;
        };
        self.sockets.insert(socket, transport);
        slot.agent.add_socket(now, generation, socket, local);
    }

    pub(crate) fn listening(
        &mut self,
        now: Instant,
        transport: TransportId,
        generation: GenerationId,
        listener: SocketId,
        local: SocketAddr,
    ) {
        let Some(slot) = self.transports.get_mut(&transport) else {
            self.actions.push_back(Action::CloseSocket(listener));
            return;
        };
        self.sockets.insert(listener, transport);
        slot.agent.add_listener(now, generation, listener, local);
    }

    pub(crate) fn accepted(
        &mut self,
        now: Instant,
        listener: SocketId,
        connection: SocketId,
        remote: SocketAddr,
    ) {
        let Some(id) = self.sockets.get(&listener).copied() else {
            self.actions.push_back(Action::CloseSocket(connection));
            return;
        };
        let Some(transport) = self.transports.get_mut(&id) else { return };
        self.sockets.insert(connection, id);
        transport.agent.accepted(now, listener, connection, remote);
    }

    pub(crate) fn gathering_done(
        &mut self,
        now: Instant,
        transport: TransportId,
        generation: GenerationId,
    ) {
        match self.transports.get_mut(&transport) {
            Some(transport) => transport.agent.gathering_done(now, generation),
            None => tracing::trace!(?transport, "sockets of a transport that is gone"),
        }
    }

    pub(crate) fn resolved(
        &mut self,
        now: Instant,
        transport: TransportId,
        generation: GenerationId,
        of: NameOf,
        host: &str,
        addresses: Result<&[IpAddr], &str>,
    ) {
        match self.transports.get_mut(&transport) {
            Some(transport) => transport.agent.resolved(now, generation, of, host, addresses),
            None => tracing::trace!(?transport, host, "a name for a transport that is gone"),
        }
    }

    pub(crate) fn connected(
        &mut self,
        now: Instant,
        transport: TransportId,
        generation: GenerationId,
        connection: ConnectionId,
        opened: Result<(SocketId, SocketAddr), &str>,
    ) {
        let Some(slot) = self.transports.get_mut(&transport) else {
            tracing::trace!(?transport, "a connection for a transport that is gone");
            if let Ok((socket, _)) = opened {
                self.actions.push_back(Action::CloseSocket(socket));
            }
            return;
        };
        if let Ok((socket, _)) = opened {
            self.sockets.insert(socket, transport);
        }
        slot.agent.connected(now, generation, connection, opened);
    }

    /// Takes bytes of a TCP connection, and passes on the messages in them.
    pub(crate) fn handle_stream(&mut self, now: Instant, socket: SocketId, bytes: &[u8]) {
        match self.sockets.get(&socket).and_then(|id| self.transports.get_mut(id)) {
            Some(transport) => transport.agent.handle_stream(socket, bytes),
            None => self.departing.handle_stream(now, socket, bytes),
        }
        while let Some(transport) =
            self.sockets.get(&socket).and_then(|id| self.transports.get_mut(id))
            && let Some((source, message)) = transport.agent.next_message(now, socket)
        {
            self.handle_datagram(now, socket, source, &message);
        }
    }

    pub(crate) fn resumed(&mut self, now: Instant) {
        for id in self.transports.ids_with_pool() {
            if let Some(transport) = self.transports.get_mut(&id) {
                transport.agent.resumed(now);
            }
        }
    }

    pub(crate) fn interface_changed(&mut self, now: Instant, socket: SocketId, is_up: bool) {
        if let Some(transport) =
            self.sockets.get(&socket).and_then(|id| self.transports.get_mut(id))
        {
            transport.agent.interface_changed(now, socket, is_up);
        }
    }

    pub(crate) fn socket_failed(&mut self, now: Instant, socket: SocketId) {
        match self.sockets.remove(&socket).and_then(|id| self.transports.get_mut(&id)) {
            Some(transport) => transport.agent.socket_closed(now, socket),
            None => self.departing.socket_failed(now, socket),
        }
    }
}

/// The error with which the channels of an association close, if it ended with one
/// (webrtc-pc §6.2.5 step 5).
fn sctp_failure(cause: data::SctpError) -> Option<RTCError> {
    let sctp_cause_code = match &cause {
        data::SctpError::Aborted { code, .. } => code.map(i32::from),
        data::SctpError::Restarted => None,
        data::SctpError::Shutdown | data::SctpError::TransportClosed | data::SctpError::Local => {
            return None;
        }
    };
    let init =
        RTCErrorInit { sctp_cause_code, ..RTCErrorInit::new(RTCErrorDetailType::SctpFailure) };
    Some(RTCError::new(init, cause.to_string()))
}
