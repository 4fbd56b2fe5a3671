//! webrtc-pc §5.6: from the ICE agent's indications to the slots of RTCIceTransport.

use negotiation::TransportId;

use super::convert::to_sdp;
use super::{Action, Engine, Task};
use crate::api::{
    AnyEvent, IceTransportSlots, RTCIceCandidate, RTCIceCandidatePair, RTCIceGathererState,
    RTCIceGatheringState, RTCIceRole, RTCIceServerTransportProtocol, RTCIceTransport,
    RTCIceTransportState, RTCLocalIceCandidateInit, RTCPeerConnectionIceErrorEventInit,
    TransportStates,
};

impl IceTransportSlots {
    /// Adds a signalled remote candidate. If ICE had learnt it for the selected pair before, the
    /// pair shows the signalled candidate from now on.
    pub(super) fn add_remote_candidate(
        &mut self,
        candidate: &sdp::Candidate,
        init: RTCLocalIceCandidateInit,
    ) {
        let same = |known: &RTCIceCandidate| {
            known.has_address_of(candidate)
                && known.username_fragment() == init.username_fragment.as_deref()
        };
        if self.remote_candidates.iter().any(same) {
            return;
        }
        let pair = self.selected_candidate_pair.as_ref();
        let pair = pair.filter(|pair| pair.remote().address().is_none() && same(pair.remote()));
        let local = pair.map(|pair| pair.local().clone());
        let candidate = candidate.to_string();
        let signalled = RTCIceCandidate::create(RTCLocalIceCandidateInit { candidate, ..init });
        self.remote_candidates.push(signalled.clone());
        if let Some(local) = local {
            self.selected_candidate_pair = Some(RTCIceCandidatePair::new(local, signalled));
        }
    }

    /// A pair of the candidate objects that the application knows. Candidates that nobody has
    /// signalled get new objects, with the section of the others.
    fn candidate_pair(&self, pair: &ice::CandidatePair) -> RTCIceCandidatePair {
        let of = |username_fragment: &str| {
            let username_fragment = username_fragment.to_owned();
            move |c: &&RTCIceCandidate| c.username_fragment() == Some(&username_fragment)
        };
        let init = |known: Option<&RTCIceCandidate>, username_fragment: &String| {
            RTCLocalIceCandidateInit {
                username_fragment: Some(username_fragment.clone()),
                ..known.map(RTCIceCandidate::without_candidate).unwrap_or_default()
            }
        };
        let local = to_sdp(&pair.local, None);
        let mut locals = self.local_candidates.iter().filter(of(&pair.local_username_fragment));
        let section = locals.clone().next();
        let local = locals.find(|c| c.has_address_of(&local)).cloned().unwrap_or_else(|| {
            let init = init(section, &pair.local_username_fragment);
            let candidate = local.to_string();
            RTCIceCandidate::create(RTCLocalIceCandidateInit { candidate, ..init })
        });
        let remote = to_sdp(&pair.remote, None);
        let mut remotes = self.remote_candidates.iter().filter(of(&pair.remote_username_fragment));
        let section = remotes.clone().next().or(section);
        let remote = remotes.find(|c| c.has_address_of(&remote)).cloned().unwrap_or_else(|| {
            let init = init(section, &pair.remote_username_fragment);
            match pair.remote.kind {
                ice::CandidateKind::PeerReflexive => {
                    RTCIceCandidate::peer_reflexive_remote(remote, init)
                }
                _ => RTCIceCandidate::create(RTCLocalIceCandidateInit {
                    candidate: remote.to_string(),
                    ..init
                }),
            }
        });
        RTCIceCandidatePair::new(local, remote)
    }
}

/// A change of the selected pair, of the state, or of both at once.
pub(super) struct Change {
    pub(super) selected_pair: Option<Option<Box<ice::CandidatePair>>>,
    pub(super) state: Option<RTCIceTransportState>,
}

impl Engine {
    pub(crate) fn ice_transport_slots(
        &self,
        transport: TransportId,
    ) -> Option<(TransportStates, &IceTransportSlots)> {
        self.transport_slots(transport).map(|slots| (slots.states(), &slots.ice))
    }

    /// Queues the specification's tasks for the agent's indications, and the agent's requests to
    /// the host.
    pub(super) fn collect_ice(&mut self, id: TransportId) {
        while let Some(event) = self.transports.output(id).and_then(|t| t.agent.poll_event()) {
            match event {
                ice::Event::Gather { generation } => {
                    self.actions.push_back(Action::Gather { transport: id, generation });
                }
                ice::Event::Resolve { generation, of, host } => {
                    self.actions.push_back(Action::Resolve { transport: id, generation, of, host });
                }
                ice::Event::Connect { generation, connection, local, remote, tls } => {
                    self.actions.push_back(Action::Connect {
                        transport: id,
                        generation,
                        connection,
                        local,
                        remote,
                        tls,
                    });
                }
                ice::Event::CandidateError { username_fragment, error } => {
                    self.queue(Task::CandidateError(id, username_fragment, Box::new(error)));
                }
                ice::Event::CloseSocket(socket) => {
                    self.sockets.remove(&socket);
                    self.actions.push_back(Action::CloseSocket(socket));
                }
                ice::Event::GatheringStateChange(ice::GatheringState::Gathering) => {
                    self.queue(Task::GatheringBegan(id));
                }
                ice::Event::GatheringStateChange(ice::GatheringState::Complete) => {
                    self.queue(Task::GatheringFinished(id));
                }
                ice::Event::GatheringStateChange(ice::GatheringState::New) => {}
                ice::Event::LocalCandidate { username_fragment, candidate } => {
                    let server = candidate.server.clone();
                    let candidate = to_sdp(&candidate, Some(&username_fragment));
                    let candidate = Box::new((candidate, server));
                    self.queue(Task::Candidate(id, username_fragment, candidate));
                }
                ice::Event::EndOfCandidates { username_fragment } => {
                    self.queue(Task::GenerationGathered(id, username_fragment));
                }
                ice::Event::StateChange { state, selected_pair } => {
                    if selected_pair.is_some()
                        && let Some(transport) = self.transports.output(id)
                    {
                        transport.counters.selected_candidate_pair_changes += 1;
                    }
                    let change = Change {
                        selected_pair: selected_pair.map(|pair| pair.map(Box::new)),
                        state: state.map(state_of),
                    };
                    self.queue(Task::IceStateChange(id, change));
                }
                ice::Event::RoleChange(role) => self.queue(Task::IceRole(id, role)),
            }
        }
    }

    /// §5.6: "When the ICE Agent indicates that it began gathering a generation".
    pub(super) fn gathering_began(&mut self, id: TransportId) {
        // Step 2
        if !self.transports.contains_key(&id) {
            return;
        }
        self.transports.change(id, |states| states.gatherer = RTCIceGathererState::Gathering);
        // Steps 3 and 4
        let changed = self.update_ice_gathering_state();
        // Steps 6 and 7
        self.fire_gathering_state_change(id, changed);
    }

    fn fire_gathering_state_change(&mut self, id: TransportId, connection: Option<AnyEvent>) {
        if let Some(transport) = self.transports.get(&id) {
            let target = RTCIceTransport { object: transport.slots.ice_object.clone() };
            let state = transport.slots.states().gatherer;
            self.fire(AnyEvent::IceTransportGatheringStateChange(target, state));
        }
        if let Some(event) = connection {
            self.fire(event);
        }
    }

    /// §5.6 "surface the candidate".
    pub(super) fn surface_the_candidate(
        &mut self,
        id: TransportId,
        username_fragment: &str,
        candidate: &sdp::Candidate,
        server: Option<ice::CandidateServer>,
    ) {
        // Steps 3 to 5; `None` if the generation was rolled back and no description has it.
        let init = self.session.surface_a_candidate(id, username_fragment, candidate);
        let Some(init) = init else {
            tracing::debug!(%candidate, "a candidate of a discarded generation");
            return;
        };
        let relay_protocol = server.as_ref().and_then(relay_protocol_of);
        let url = server.map(|server| server.url);
        let init = RTCLocalIceCandidateInit { relay_protocol, url, ..init.into() };
        let new_candidate = RTCIceCandidate::create(init);
        // Step 6
        if let Some(transport) = self.transports.get_mut(&id) {
            let candidates = &mut transport.slots.ice.local_candidates;
            if candidates.first().is_some_and(|c| c.username_fragment() != Some(username_fragment))
            {
                candidates.clear();
            }
            candidates.push(new_candidate.clone());
        }
        // Step 7
        self.fire(AnyEvent::IceCandidate(Some(new_candidate)));
    }

    /// §4.8.3: a server gave no candidate. An error of a generation that no description has any
    /// more is ignored, as "surface the candidate" ignores its candidates.
    pub(super) fn candidate_failed(
        &mut self,
        id: TransportId,
        username_fragment: &str,
        error: ice::CandidateError,
    ) {
        let Some(transport) = self.transports.get(&id) else { return };
        let newest = transport.agent.local_parameters();
        if newest.is_none_or(|newest| newest.username_fragment != username_fragment) {
            tracing::debug!(?error, "an error of a discarded generation");
            return;
        }
        let ice::CandidateError { local, url, code, text } = error;
        self.fire(AnyEvent::IceCandidateError(RTCPeerConnectionIceErrorEventInit {
            address: local.map(|local| local.ip().to_canonical().to_string()),
            port: local.map(|local| local.port()),
            url,
            error_code: code,
            error_text: text,
        }));
    }

    /// §5.6: "When the ICE Agent is finished gathering a generation".
    pub(super) fn generation_gathered(&mut self, id: TransportId, username_fragment: &str) {
        // Steps 2 to 4
        if let Some(init) = self.session.finish_gathering(id, username_fragment) {
            // Step 5
            self.fire(AnyEvent::IceCandidate(Some(RTCIceCandidate::create(init.into()))));
        }
    }

    /// §5.6, the second task: "and no other generation of candidates is being gathered".
    pub(super) fn gathering_finished(&mut self, id: TransportId) {
        // Step 2
        if !self.transports.contains_key(&id) {
            return;
        }
        self.transports.change(id, |states| states.gatherer = RTCIceGathererState::Complete);
        // Steps 3 and 4
        let changed = self.update_ice_gathering_state();
        // Steps 6 and 7
        self.fire_gathering_state_change(id, changed);
        // Step 8, as §4.8.2 has it: "all RTCIceTransports have finished gathering candidates".
        if self.ice_gathering_state() == RTCIceGatheringState::Complete {
            self.fire(AnyEvent::IceCandidate(None));
        }
    }

    /// §5.6 "change the selected candidate pair and state".
    pub(super) fn change_the_selected_candidate_pair_and_state(
        &mut self,
        id: TransportId,
        change: Change,
    ) {
        // Step 3
        let Some(slots) = self.transport_slots_mut(id) else { return };
        let target = RTCIceTransport { object: slots.ice_object.clone() };
        let mut events: [Option<AnyEvent>; 4] = [None, None, None, None];
        // Step 8
        if let Some(pair) = change.selected_pair {
            let pair = pair.map(|pair| slots.ice.candidate_pair(&pair));
            slots.ice.selected_candidate_pair.clone_from(&pair);
            events[0] = Some(AnyEvent::SelectedCandidatePairChange(target.clone(), pair));
        }
        // Step 9
        if let Some(state) = change.state {
            self.change_states(id, |states| states.ice = state);
            events[1] = Some(AnyEvent::IceTransportStateChange(target, state));
            events[2] = self.update_ice_connection_state();
            events[3] = self.update_connection_state();
        }
        // Steps 10 to 13
        for event in events.into_iter().flatten() {
            self.fire(event);
        }
    }

    /// Closes a transport that no section uses any more.
    pub(super) fn transport_discarded(&mut self, id: TransportId) {
        let change = Change { selected_pair: None, state: Some(RTCIceTransportState::Closed) };
        self.change_the_selected_candidate_pair_and_state(id, change);
        // §4.3.2: the state changed with the set of transports; the event comes with the closing.
        if std::mem::take(&mut self.ice_gathering_state_changed) {
            self.fire(AnyEvent::IceGatheringStateChange(self.ice_gathering_state()));
            // §4.8.2: the closed transport may have been the last that was gathering.
            if self.ice_gathering_state() == RTCIceGatheringState::Complete {
                self.fire(AnyEvent::IceCandidate(None));
            }
        }
        if let Some(slots) = self.discarded_transports.remove(&id) {
            self.transport_closed(id, slots);
        }
    }

    /// §5.6: "When the ICE Agent signals that the ICE role has changed".
    pub(super) fn ice_role_changed(&mut self, id: TransportId, role: ice::Role) {
        if let Some(transport) = self.transports.get_mut(&id) {
            transport.slots.ice.role = role_of(role);
        }
    }
}

/// The protocol of a relayed candidate towards its TURN server.
pub(super) fn relay_protocol_of(
    server: &ice::CandidateServer,
) -> Option<RTCIceServerTransportProtocol> {
    Some(match server.relay_protocol? {
        ice::ServerProtocol::Udp => RTCIceServerTransportProtocol::Udp,
        ice::ServerProtocol::Tcp => RTCIceServerTransportProtocol::Tcp,
        ice::ServerProtocol::Tls => RTCIceServerTransportProtocol::Tls,
    })
}

pub(super) fn role_of(role: ice::Role) -> RTCIceRole {
    match role {
        ice::Role::Controlling => RTCIceRole::Controlling,
        ice::Role::Controlled => RTCIceRole::Controlled,
    }
}

fn state_of(state: ice::State) -> RTCIceTransportState {
    match state {
        ice::State::New => RTCIceTransportState::New,
        ice::State::Checking => RTCIceTransportState::Checking,
        ice::State::Connected => RTCIceTransportState::Connected,
        ice::State::Completed => RTCIceTransportState::Completed,
        ice::State::Disconnected => RTCIceTransportState::Disconnected,
        ice::State::Failed => RTCIceTransportState::Failed,
        ice::State::Closed => RTCIceTransportState::Closed,
    }
}
