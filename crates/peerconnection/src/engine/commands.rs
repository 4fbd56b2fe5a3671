//! The negotiation's commands to the transports.

use std::sync::Arc;

use negotiation::{TransportCommand, TransportId};
use time::Instant;

use super::convert::from_sdp;
use super::ice_transport::role_of;
use super::servers::agent_servers;
use super::transports::TransportSlots;
use super::{Engine, Task, Transport};
use crate::api::{
    ClosedIceTransport, DtlsTransportObject, IceTransportObject, RTCDtlsTransportState,
    RTCIceCandidate, RTCIceParameters, RTCIceTransportState, RTCLocalIceCandidateInit,
    RTCPeerConnectionState, TransportStates,
};

impl Engine {
    pub(super) fn run_command(&mut self, now: Instant, command: TransportCommand) {
        match command {
            TransportCommand::Create { transport } => self.create_transport(transport),
            TransportCommand::Destroy { transport } => {
                self.discard_transport(now, transport);
            }
            TransportCommand::SetRole { transport, controlling } => {
                let Some(transport) = self.transports.get_mut(&transport) else { return };
                let role = if controlling { ice::Role::Controlling } else { ice::Role::Controlled };
                let _entered = transport.span.enter();
                transport.agent.set_role(role);
                transport.slots.ice.role = role_of(role);
            }
            TransportCommand::SetLocalParameters { transport, ice, dtls_in_stun } => {
                let Some(transport) = self.transports.get_mut(&transport) else { return };
                transport.slots.ice.local_parameters = Some(parameters(&ice));
                transport.set_in_stun(now, dtls_in_stun);
                let _entered = transport.span.enter();
                transport.agent.set_local_parameters(now, agent_parameters(ice));
            }
            TransportCommand::SetRemoteParameters { transport, ice, ice_lite } => {
                let Some(transport) = self.transports.get_mut(&transport) else { return };
                let new = Some(parameters(&ice));
                if transport.slots.ice.remote_parameters != new {
                    transport.slots.ice.remote_parameters = new;
                    transport.slots.ice.remote_candidates.clear();
                }
                let entered = transport.span.enter();
                transport.agent.set_remote_parameters(now, agent_parameters(ice), ice_lite);
                drop(entered);
                transport.take_enclosures(now);
            }
            TransportCommand::StartDtls { transport, client, fingerprints } => {
                self.hand_over_if_started(now, transport);
                let Some(transport) = self.transports.get_mut(&transport) else { return };
                let role = dtls_role(client);
                let fingerprints = fingerprints
                    .into_iter()
                    .map(|f| transport::Fingerprint { algorithm: f.algorithm, value: f.value })
                    .collect();
                transport.stack.start_dtls(now, role, fingerprints);
            }
            TransportCommand::ExpectDtls { transport, client } => {
                let Some(transport) = self.transports.get_mut(&transport) else { return };
                transport.stack.expect_dtls(now, client.map(dtls_role));
            }
            TransportCommand::StopExpectingDtls { transport } => {
                let Some(transport) = self.transports.get_mut(&transport) else { return };
                transport.stack.stop_expecting_dtls(now);
            }
            TransportCommand::Commit { transport } => {
                if let Some(transport) = self.transports.get_mut(&transport) {
                    let entered = transport.span.enter();
                    transport.agent.commit(now);
                    drop(entered);
                    transport.take_enclosures(now);
                }
                self.empty_pool(now);
            }
            TransportCommand::Rollback { transport } => self.roll_back_transport(now, transport),
            TransportCommand::AddRemoteCandidate {
                transport,
                username_fragment,
                sdp_mid,
                sdp_mline_index,
                candidate,
            } => {
                let init = RTCLocalIceCandidateInit {
                    sdp_mid,
                    sdp_mline_index,
                    username_fragment,
                    ..RTCLocalIceCandidateInit::default()
                };
                self.add_remote_candidate(now, transport, init, &candidate);
            }
            TransportCommand::EndOfRemoteCandidates { transport, username_fragment } => {
                let Some(transport) = self.transports.get_mut(&transport) else { return };
                let username_fragment = username_fragment.as_deref();
                if let Err(error) = transport.agent.add_end_of_candidates(now, username_fragment) {
                    tracing::debug!(%error, "end of candidates of an unknown generation");
                }
            }
            TransportCommand::CreateSctp { transport } => self.create_sctp(transport),
            TransportCommand::StartSctp {
                transport,
                local_port,
                remote_port,
                max_message_size,
                max_buffer_size,
                inits,
            } => {
                self.update_max_message_size(max_message_size, max_buffer_size);
                self.start_sctp(now, transport, local_port, remote_port, inits);
            }
            TransportCommand::MoveSctp { transport } => self.move_sctp(now, transport),
            TransportCommand::UpdateMaxMessageSize { max_message_size, max_buffer_size } => {
                // Messages sent before were measured by the old sizes.
                self.take_outbox(now);
                self.update_max_message_size(max_message_size, max_buffer_size);
            }
            TransportCommand::DestroySctp => self.destroy_sctp(now),
        }
    }

    fn create_transport(&mut self, id: TransportId) {
        let pooled = self.transports.remove_pooled(&id);
        let Some(transport) = pooled.or_else(|| self.new_transport(id)) else { return };
        self.transports.insert(id, transport);
        if self.connection_state() != RTCPeerConnectionState::New {
            self.queue(Task::TransportCreated);
        }
    }

    pub(super) fn new_transport(&mut self, id: TransportId) -> Option<Transport> {
        let ice_object = Arc::new(IceTransportObject::new(self.connection.clone(), id));
        let dtls_object = Arc::new(DtlsTransportObject::new(ice_object.clone()));
        let mut agent = ice::Agent::new(self.ice_config.clone(), self.random_seed());
        let (servers, policy) = agent_servers(&self.configuration);
        agent.set_servers(servers, policy);
        agent.number_generations_from(ice::GenerationId(self.agents_made.wrapping_shl(16)));
        self.agents_made = self.agents_made.wrapping_add(1);
        for (address, name) in &self.hidden_addresses {
            agent.hide_address(*address, name);
        }
        let stack = self.new_stack()?;
        Some(Transport::new(agent, stack, ice_object, dtls_object))
    }

    fn new_stack(&mut self) -> Option<transport::Transport> {
        let certificate = self.certificates.first()?;
        let config = transport::Config {
            deterministic: self.deterministic,
            // What a relay's header takes, so that ICE copies nothing.
            headroom: ice::HEADROOM,
            tailroom: ice::TAILROOM,
            cname: self.session.cname(),
            wall: Some(self.statistics.wall()),
            tape: self.recording.clone().map(|recorder| recorder as Arc<dyn transport::Tape>),
            media_tape: self
                .recording
                .clone()
                .map(|recorder| recorder as Arc<dyn transport::media::Tape>),
            data: transport::data::Config {
                congestion_control: self.congestion_control,
                interleaving: self.message_interleaving,
                ..transport::data::Config::default()
            },
            ..transport::Config::new(certificate.certificate.clone())
        };
        Some(transport::Transport::new(config, self.random_seed()))
    }

    /// RFC 9429 §5.11, RFC 8842 §5.5: the peer's identity has changed with an ICE restart. That
    /// needs a new DTLS association, and with it a new SCTP association. The old ones go on until
    /// the new DTLS association is connected.
    fn hand_over_if_started(&mut self, now: Instant, id: TransportId) {
        let started = |transport: &Transport| transport.stack.dtls_role().is_some();
        if !self.transports.get(&id).is_some_and(started) {
            return;
        }
        let streams = self.open_streams(id);
        let Some(stack) = self.new_stack() else { return };
        let Some(transport) = self.transports.get_mut(&id) else { return };
        let over = transport.hand_over(now, stack, streams);
        if transport.predecessor().is_none() {
            self.rtp.meet_another_peer(id);
        }
        self.close_streams(&over);
        self.update_media(now);
    }

    /// Ends a transport at once: sends SCTP ABORT and DTLS close_notify, and releases its sockets.
    pub(super) fn shut_transport(&mut self, now: Instant, id: TransportId) {
        if let Some(transport) = self.transports.get_mut(&id) {
            transport.stack.close(now);
            if let Some(stack) = transport.predecessor() {
                stack.close(now);
            }
        }
        self.queue_farewell(now, id);
        self.keep_transport_statistics(now, id);
        if let Some(slots) = self.stop_transport(now, id) {
            self.transport_closed(id, slots);
        }
    }

    /// §4.4.1.4 step 4.7.14.1: closes a transport that no section uses any more. The peer learns
    /// this from the descriptions. No close_notify is sent: it could overtake them, and end at the
    /// peer what is about to move to another transport.
    fn discard_transport(&mut self, now: Instant, id: TransportId) {
        let Some(slots) = self.stop_transport(now, id) else { return };
        self.discarded_transports.insert(id, slots);
        // §4.3.2: the state follows the set of transports; no task of §5.6 fires the event.
        self.ice_gathering_state_changed |= self.update_ice_gathering_state().is_some();
        // "This results in events firing on these objects in a queued task."
        self.queue(Task::DtlsState(id, transport::DtlsState::Closed));
        self.queue(Task::TransportDiscarded(id));
    }

    /// Removes a transport. Returns its slots.
    fn stop_transport(&mut self, now: Instant, id: TransportId) -> Option<TransportSlots> {
        self.queue_farewell(now, id);
        self.close_agent(now, id);
        let Transport { agent, slots, .. } = self.transports.remove(&id)?;
        self.depart(id, agent);
        Some(slots)
    }

    /// Keeps the last slots in the objects of a closed transport, for everybody who holds them.
    /// webrtc-pc §4.4.2 "close the connection" steps 7 to 9 only change the states.
    pub(super) fn transport_closed(&mut self, id: TransportId, slots: TransportSlots) {
        let states = TransportStates {
            ice: RTCIceTransportState::Closed,
            dtls: RTCDtlsTransportState::Closed,
            gatherer: slots.states().gatherer,
        };
        let TransportSlots { mut ice, remote_certificates, ice_object, dtls_object, .. } = slots;
        ice.selected_candidate_pair = None;
        ice_object.keep(ClosedIceTransport { states, slots: ice });
        dtls_object.keep(remote_certificates);
        self.closed_transports.insert(id, &dtls_object);
        if self.is_closed {
            self.last_transports.push(dtls_object);
        } else {
            // Dropped later: what their handlers captured may call back.
            self.release((dtls_object, ice_object));
        }
    }

    /// webrtc-pc §4.4.1.4, rollback: drops the generation that was being negotiated.
    fn roll_back_transport(&mut self, now: Instant, id: TransportId) {
        let Some(transport) = self.transports.get_mut(&id) else { return };
        transport.agent.rollback(now);
        let of_agent = |p: Option<&ice::Parameters>| {
            p.map(|p| RTCIceParameters {
                username_fragment: Some(p.username_fragment.clone()),
                password: Some(p.password.clone()),
            })
        };
        transport.slots.ice.local_parameters = of_agent(transport.agent.local_parameters());
        transport.slots.ice.remote_parameters = of_agent(transport.agent.remote_parameters());
        let retain = |candidates: &mut Vec<RTCIceCandidate>, of: &Option<RTCIceParameters>| {
            let of = of.as_ref().and_then(|p| p.username_fragment.as_deref());
            candidates.retain(|c| c.username_fragment().is_none() || c.username_fragment() == of);
        };
        retain(&mut transport.slots.ice.local_candidates, &transport.slots.ice.local_parameters);
        retain(&mut transport.slots.ice.remote_candidates, &transport.slots.ice.remote_parameters);
    }

    fn add_remote_candidate(
        &mut self,
        now: Instant,
        id: TransportId,
        init: RTCLocalIceCandidateInit,
        candidate: &sdp::Candidate,
    ) {
        let Some(transport) = self.transports.get_mut(&id) else { return };
        let Some(of_agent) = from_sdp(candidate) else {
            tracing::debug!(%candidate, "a remote candidate of no use");
            return;
        };
        let username_fragment = init.username_fragment.as_deref();
        match transport.agent.add_remote_candidate(now, username_fragment, of_agent) {
            Ok(()) => transport.slots.ice.add_remote_candidate(candidate, init),
            Err(error) => tracing::debug!(%error, %candidate, "a remote candidate is refused"),
        }
    }
}

fn dtls_role(client: bool) -> transport::DtlsRole {
    if client { transport::DtlsRole::Client } else { transport::DtlsRole::Server }
}

fn parameters(ice: &sdp::IceParameters) -> RTCIceParameters {
    RTCIceParameters {
        username_fragment: Some(ice.username_fragment.clone()),
        password: Some(ice.password.clone()),
    }
}

fn agent_parameters(ice: sdp::IceParameters) -> ice::Parameters {
    ice::Parameters { username_fragment: ice.username_fragment, password: ice.password }
}
