//! str0m's agent, the crate `is`.

use std::net::SocketAddr;

use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceCreds, Protocol};
use peerconnection_ice::Parameters;
use time::Instant;

use crate::foreign::{Foreign, Packet, Setup};

pub(crate) struct Str0m {
    agent: IceAgent,
    has_begun: bool,
    path: Option<(SocketAddr, SocketAddr)>,
}

impl Str0m {
    pub(crate) fn new(now: Instant, setup: Setup) -> Self {
        let mut agent = IceAgent::new(IceCreds::new());
        agent.set_ice_lite(setup.is_lite);
        agent.set_controlling(setup.is_controlling);
        for address in setup.addresses {
            agent.add_local_candidate(Candidate::host(address, "udp").unwrap());
        }
        agent.handle_timeout(now);
        Self { agent, has_begun: false, path: None }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.agent.poll_event() {
            if let IceAgentEvent::NominatedSend { source, destination, .. } = event {
                self.path = Some((source, destination));
            }
        }
    }
}

fn credentials(parameters: &Parameters) -> IceCreds {
    IceCreds { ufrag: parameters.username_fragment.clone(), pass: parameters.password.clone() }
}

impl Foreign for Str0m {
    fn set_local(&mut self, now: Instant, parameters: &Parameters) {
        if std::mem::replace(&mut self.has_begun, true) {
            self.agent.ice_restart(credentials(parameters), true);
        } else {
            self.agent.set_local_credentials(credentials(parameters));
        }
        self.handle_timeout(now);
    }

    fn set_remote(&mut self, now: Instant, parameters: &Parameters) {
        self.agent.set_remote_credentials(credentials(parameters));
        self.handle_timeout(now);
    }

    fn candidates(&self) -> Vec<String> {
        let text = |candidate: Candidate| {
            candidate.to_sdp_string().strip_prefix("candidate:").unwrap().to_owned()
        };
        self.agent.local_candidates().map(text).collect()
    }

    fn add_remote_candidate(&mut self, now: Instant, candidate: &str) {
        let candidate = Candidate::from_sdp_string(&format!("candidate:{candidate}")).unwrap();
        self.agent.add_remote_candidate(candidate);
        self.handle_timeout(now);
    }

    fn handle_stun(&mut self, now: Instant, packet: &Packet) {
        let message = StunMessage::parse(&packet.payload).expect("a message that it can read");
        let (source, destination) = (packet.from, packet.to);
        let packet = StunPacket { proto: Protocol::Udp, source, destination, message };
        self.agent.handle_packet(now, packet);
        self.take_events();
    }

    /// It leaves the choice to who uses it, and str0m leaves it to DTLS and SRTP.
    fn accepts_data(&mut self, _now: Instant, _packet: &Packet) -> bool {
        true
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        let transmit = self.agent.poll_transmit()?;
        let payload = transmit.contents.to_vec();
        Some(Packet { from: transmit.source, to: transmit.destination, payload })
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.agent.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        self.take_events();
    }

    fn is_controlling(&self) -> bool {
        self.agent.controlling()
    }

    fn is_connected(&self) -> bool {
        self.agent.state().is_connected()
    }

    fn path(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.path
    }
}
