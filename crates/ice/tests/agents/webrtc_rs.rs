//! webrtc-rs's agent, the crate `rtc-ice`.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use peerconnection_ice::Parameters;
use rtc_ice::Agent;
use rtc_ice::agent::agent_config::AgentConfig;
use rtc_ice::candidate::candidate_host::CandidateHostConfig;
use rtc_ice::candidate::{CandidateConfig, CandidateType, unmarshal_candidate};
use rtc_ice::state::ConnectionState;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sansio::Protocol;
use time::Instant;

use crate::foreign::{Foreign, Packet, Setup};

pub(crate) struct WebrtcRs {
    agent: Agent,
    addresses: Vec<SocketAddr>,
    has_remote: bool,
}

impl WebrtcRs {
    pub(crate) fn new(now: Instant, setup: Setup) -> Self {
        let config = AgentConfig {
            is_controlling: setup.is_controlling,
            lite: setup.is_lite,
            candidate_types: vec![CandidateType::Host],
            ..AgentConfig::default()
        };
        let crypto = rtc_ice::crypto::default_provider().unwrap();
        let agent = Agent::new(now, Arc::new(config), crypto).unwrap();
        Self { agent, addresses: setup.addresses, has_remote: false }
    }

    fn gather(&mut self) {
        for address in &self.addresses {
            let base_config = CandidateConfig {
                network: "udp".to_owned(),
                address: address.ip().to_string(),
                port: address.port(),
                component: 1,
                ..CandidateConfig::default()
            };
            let host = CandidateHostConfig { base_config, ..CandidateHostConfig::default() };
            self.agent.add_local_candidate(host.new_candidate_host().unwrap()).unwrap();
        }
    }
}

fn transport(packet: &Packet) -> TransportContext {
    TransportContext {
        local_addr: packet.to,
        peer_addr: packet.from,
        transport_protocol: TransportProtocol::UDP,
        ecn: None,
    }
}

impl Foreign for WebrtcRs {
    fn set_local(&mut self, now: Instant, parameters: &Parameters) {
        let Parameters { username_fragment, password } = parameters.clone();
        self.agent.restart(now, username_fragment, password, false).unwrap();
        self.gather();
    }

    fn set_remote(&mut self, now: Instant, parameters: &Parameters) {
        let Parameters { username_fragment, password } = parameters.clone();
        if std::mem::replace(&mut self.has_remote, true) {
            self.agent.set_remote_credentials(username_fragment, password).unwrap();
            return;
        }
        let is_controlling = self.agent.role();
        let begins = &mut self.agent;
        begins.start_connectivity_checks(now, is_controlling, username_fragment, password).unwrap();
    }

    fn candidates(&self) -> Vec<String> {
        self.agent.get_local_candidates().iter().map(|candidate| candidate.marshal()).collect()
    }

    fn add_remote_candidate(&mut self, _now: Instant, candidate: &str) {
        self.agent.add_remote_candidate(unmarshal_candidate(candidate).unwrap()).unwrap();
    }

    fn handle_stun(&mut self, now: Instant, packet: &Packet) {
        let message = BytesMut::from(packet.payload.as_slice());
        // An error is one line of its log: there it drops the packet, too.
        let transport = transport(packet);
        let _ = self.agent.handle_read(TaggedBytesMut { now, transport, message });
    }

    fn accepts_data(&mut self, now: Instant, packet: &Packet) -> bool {
        self.agent.is_valid_non_stun_traffic(now, transport(packet))
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        let message = self.agent.poll_write()?;
        let TransportContext { local_addr: from, peer_addr: to, .. } = message.transport;
        Some(Packet { from, to, payload: message.message.to_vec() })
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.agent.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now).unwrap();
    }

    fn is_controlling(&self) -> bool {
        self.agent.role()
    }

    fn is_connected(&self) -> bool {
        matches!(self.agent.state(), ConnectionState::Connected | ConnectionState::Completed)
    }

    fn path(&self) -> Option<(SocketAddr, SocketAddr)> {
        let (local, remote) = self.agent.get_selected_candidate_pair()?;
        Some((local.base_addr(), remote.addr()))
    }
}
