//! Datagrams, timers, and requests to the host.

use std::net::{IpAddr, SocketAddr};

use negotiation::{RTCError, RTCErrorDetailType, RTCErrorInit, TransportId};
use time::Instant;
use transport::{Protocol, data};

use super::{
    Action, ConnectionId, Engine, GenerationId, NameOf, SocketId, Task, Transmit, recorded,
};
use crate::recording::format::{Input, Octets};

impl Engine {
    /// Passes a datagram to the agent or to the stack, or drops it. Returns whether it was a message
    /// of STUN with which the peer has proven itself, so that its data is taken from there now.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        socket: SocketId,
        source: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        self.record(now, || recorded::datagram(socket, source, datagram));
        self.take_datagram(now, socket, source, datagram)
    }

    fn take_datagram(
        &mut self,
        now: Instant,
        socket: SocketId,
        source: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        let Some(transport) = self.sockets.get(&socket).and_then(|id| self.transports.get_mut(id))
        else {
            tracing::trace!(?socket, %source, "a datagram for a transport that is gone");
            self.departing.receive(now, socket, source, datagram);
            return false;
        };
        let Some(datagram) = transport.agent.handle_datagram(now, socket, source, datagram) else {
            return false;
        };
        let ice::Datagram { base, source, payload } = datagram;
        match Protocol::of(payload) {
            Some(Protocol::Stun) => {
                let entered = transport.span.enter();
                let is_authentic = transport.agent.handle_stun(now, base, source, payload);
                drop(entered);
                transport.take_enclosures(now);
                return is_authentic && transport.agent.accepts_data(base, source);
            }
            Some(protocol)
                if transport::Transport::understands(protocol)
                    && transport.accept_datagram(now, base, source, payload.len()) =>
            {
                if protocol == Protocol::Dtls {
                    self.rest.stir(now);
                }
                match transport.stack_on(socket) {
                    Some(stack) => stack.handle_datagram(now, payload),
                    None => tracing::trace!(%source, "a datagram for a replaced stack is dropped"),
                }
            }
            _ => tracing::trace!(%source, length = payload.len(), "a stray datagram is dropped"),
        }
        false
    }

    /// Passes on a datagram that is not STUN and has come to a shared port: to the first of these
    /// sockets, all of one transport, from which it is taken. While another peer takes over, both
    /// the old stack and the new one may have the address, and each drops what is the other's.
    #[cfg(feature = "tokio")]
    pub(crate) fn handle_shared_datagram(
        &mut self,
        now: Instant,
        sockets: &[SocketId],
        source: SocketAddr,
        datagram: &[u8],
    ) {
        if let [socket] = sockets {
            self.handle_datagram(now, *socket, source, datagram);
            return;
        }
        let transport = sockets.first().and_then(|socket| self.sockets.get(socket));
        let Some(transport) = transport.and_then(|id| self.transports.peek(id)) else { return };
        for socket in transport.takers(sockets, source).into_iter().flatten() {
            self.handle_datagram(now, socket, source, datagram);
        }
    }

    /// The local username fragment of the generation of a socket, once it has one.
    #[cfg(feature = "tokio")]
    pub(crate) fn username_fragment_of(&self, socket: SocketId) -> Option<&str> {
        let transport = self.transports.peek(self.sockets.get(&socket)?)?;
        transport.agent.username_fragment_of_socket(socket)
    }

    /// Whether a generation asks TURN servers over UDP.
    #[cfg(feature = "tokio")]
    pub(crate) fn wants_relays_over_udp(
        &self,
        transport: TransportId,
        generation: GenerationId,
    ) -> bool {
        let transport = self.transports.peek(&transport);
        transport.is_some_and(|transport| transport.agent.wants_relays_over_udp(generation))
    }

    /// Takes the outputs of the transports, and makes tasks and actions of them.
    pub(crate) fn collect(&mut self, now: Instant) {
        self.record(now, || Input::Collect);
        self.collect_outputs(now);
    }

    pub(super) fn collect_outputs(&mut self, now: Instant) {
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
        if transport.runs_ahead() {
            // The state of ICE is "checking" until a pair is selected. What comes of the path
            // before is told behind it: applications know the states in this order. The stack
            // keeps its events within bounds.
            return any;
        }
        any |= self.collect_predecessor(now, id);
        while let Some(event) = self.transports.output(id).and_then(|t| t.stack.poll_event()) {
            any = true;
            let task = match event {
                transport::Event::DtlsStateChange(state) => {
                    if state != transport::DtlsState::Connecting {
                        self.retire_predecessor(now, id);
                    }
                    Task::DtlsState(id, state)
                }
                transport::Event::DtlsFailed(error) => {
                    self.retire_predecessor(now, id);
                    Task::DtlsFailed(id, error)
                }
                transport::Event::DtlsBeginsAnew => {
                    if let Some(transport) = self.transports.get_mut(&id) {
                        transport.agent.peer_began_anew(now);
                    }
                    continue;
                }
                transport::Event::Data(event) => match self.task_of(event) {
                    Some(task) => task,
                    None => continue,
                },
                transport::Event::Media(event) => {
                    self.media_event(event);
                    continue;
                }
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
                    data::SctpState::Connecting => Task::SctpInterrupted(object),
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
    fn collect_predecessor(&mut self, now: Instant, id: TransportId) -> bool {
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
                | transport::Event::DtlsBeginsAnew
                | transport::Event::DtlsFailed(_)
                | transport::Event::Data(data::Event::SctpStateChange(
                    data::SctpState::Closed,
                    _,
                )) => {
                    self.retire_predecessor(now, id);
                    continue;
                }
                transport::Event::Media(event) => {
                    self.media_event(event);
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
    pub(super) fn retire_predecessor(&mut self, now: Instant, id: TransportId) {
        let Some(transport) = self.transports.output(id) else { return };
        let Some(streams) = transport.retire_predecessor(now) else { return };
        self.rtp.meet_another_peer(id);
        self.close_streams(&streams);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.record(now, || Input::Timeout);
        for id in self.transports.due(now) {
            let Some(transport) = self.transports.get_mut(&id) else { continue };
            let span = transport.span.clone();
            let _entered = span.enter();
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
        self.handle_sample_timeout(now);
        self.rest_if_quiet(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let timers = [
            self.transports.poll_timeout(),
            self.departing.poll_timeout(),
            self.dtmf_timeout(),
            self.alarms.poll_timeout(),
            self.sample_timeout(),
            self.rest.poll_timeout(),
        ];
        timers.into_iter().flatten().min()
    }

    /// Whether there are sockets to be bound.
    #[cfg(feature = "tokio")]
    pub(crate) fn wants_sockets(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Gather { .. }))
    }

    pub(crate) fn poll_action(&mut self, now: Instant) -> Option<Action> {
        if self.actions.is_empty() {
            return None;
        }
        self.record(now, || Input::PollAction);
        while let Some(action) = self.actions.pop_front() {
            match action {
                Action::Gather { transport, .. }
                | Action::Resolve { transport, .. }
                | Action::Connect { transport, .. }
                    if !self.transports.contains_key(&transport) => {}
                action => {
                    self.record_output(|| recorded::action(&action));
                    return Some(action);
                }
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
        self.record(now, || Input::PollTransmit);
        self.take_outbox(now);
        let transmit = self.next_transmit(now);
        match &transmit {
            Some(transmit) => self.record_output(|| recorded::transmit(transmit)),
            None => self.collect_outputs(now),
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
            if let Some(transmit) = transport.next_of_agent() {
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
        good_for: ice::SocketUse,
    ) {
        self.record(now, || Input::SocketBound {
            transport: transport.0,
            generation: generation.0,
            socket: socket.0,
            local,
            good_for: good_for.into(),
        });
        let Some(slot) = self.transports.get_mut(&transport) else {
            // The transport was discarded in the meantime.
            self.actions.push_back(Action::CloseSocket(socket));
            return;
        };
        self.sockets.insert(socket, transport);
        slot.agent.add_socket_for(now, generation, socket, local, good_for);
    }

    pub(crate) fn listening(
        &mut self,
        now: Instant,
        transport: TransportId,
        generation: GenerationId,
        listener: SocketId,
        local: SocketAddr,
    ) {
        self.record(now, || Input::Listening {
            transport: transport.0,
            generation: generation.0,
            socket: listener.0,
            local,
        });
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
        self.record(now, || Input::Accepted { listener: listener.0, socket: connection.0, remote });
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
        self.record(now, || Input::GatheringDone {
            transport: transport.0,
            generation: generation.0,
        });
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
        self.record(now, || Input::Resolved {
            transport: transport.0,
            generation: generation.0,
            of: of.into(),
            host: host.to_owned(),
            addresses: addresses.map(<[IpAddr]>::to_vec).map_err(str::to_owned),
        });
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
        self.record(now, || Input::Connected {
            transport: transport.0,
            generation: generation.0,
            connection: connection.0,
            opened: opened.map(|(socket, local)| (socket.0, local)).map_err(str::to_owned),
        });
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
        self.record(now, || Input::Stream { socket: socket.0, octets: Octets::copy(bytes) });
        match self.sockets.get(&socket).and_then(|id| self.transports.get_mut(id)) {
            Some(transport) => transport.agent.handle_stream(socket, bytes),
            None => self.departing.handle_stream(now, socket, bytes),
        }
        while let Some(transport) =
            self.sockets.get(&socket).and_then(|id| self.transports.get_mut(id))
            && let Some((source, message)) = transport.agent.next_message(now, socket)
        {
            self.take_datagram(now, socket, source, &message);
        }
    }

    pub(crate) fn resumed(&mut self, now: Instant) {
        self.record(now, || Input::Resumed);
        for id in self.transports.ids_with_pool() {
            if let Some(transport) = self.transports.get_mut(&id) {
                transport.agent.resumed(now);
            }
        }
    }

    pub(crate) fn interface_changed(&mut self, now: Instant, socket: SocketId, is_up: bool) {
        self.record(now, || Input::InterfaceChanged { socket: socket.0, is_up });
        if let Some(transport) =
            self.sockets.get(&socket).and_then(|id| self.transports.get_mut(id))
        {
            transport.agent.interface_changed(now, socket, is_up);
        }
    }

    pub(crate) fn socket_failed(&mut self, now: Instant, socket: SocketId) {
        self.record(now, || Input::SocketFailed { socket: socket.0 });
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
        data::SctpError::AbortedHere { code, .. } => Some(i32::from(*code)),
        data::SctpError::Restarted => None,
        data::SctpError::Shutdown | data::SctpError::TransportClosed | data::SctpError::Local => {
            return None;
        }
    };
    let init =
        RTCErrorInit { sctp_cause_code, ..RTCErrorInit::new(RTCErrorDetailType::SctpFailure) };
    Some(RTCError::new(init, cause.to_string()))
}
