//! The ICE candidate pool: candidates that are gathered before a description asks for them. RFC 9429
//! §3.5.4.
//!
//! A transport of the pool is one that the first descriptions are going to create. Its agent
//! gathers and keeps to itself what it finds. Nothing else knows of it until it is created.

use std::collections::BTreeSet;

use negotiation::TransportId;
use time::Instant;

use super::Engine;
use crate::recording::format::Input;

/// The most transports that gather ahead. Each has sockets on all interfaces, and allocations at
/// all TURN servers.
const LARGEST: usize = 16;

impl Engine {
    /// Has the pool gather, or gather anew: the configuration may have changed.
    pub(super) fn request_pool(&mut self) {
        self.is_pool_due = true;
    }

    /// The addresses of the machine are others: what the pool has gathered is of no use.
    pub(crate) fn network_changed(&mut self, now: Instant) {
        self.record(now, || Input::NetworkChanged);
        if !self.transports.pooled().is_empty() {
            self.request_pool();
        }
    }

    /// webrtc-pc §4.4.1.5 steps 7 to 9: brings the pool to the size that is configured, and gathers
    /// with the servers and the policy that are.
    pub(super) fn update_pool(&mut self, now: Instant) {
        if !std::mem::take(&mut self.is_pool_due) {
            return;
        }
        let wanted: BTreeSet<TransportId> =
            self.session.pooled_transports().take(LARGEST).collect();
        // After setLocalDescription() the pool keeps what it has (RFC 9429 §4.1.18).
        if wanted.is_empty() && self.configuration.ice_candidate_pool_size > 0 {
            return;
        }
        for id in self.transports.pooled().into_iter().filter(|id| !wanted.contains(id)) {
            self.discard_pooled_transport(now, id);
        }
        for id in wanted {
            if !self.transports.is_pooled(&id) {
                let Some(transport) = self.new_transport(id) else { return };
                self.transports.insert_pooled(id, transport);
            }
            let Some(transport) = self.transports.get_mut(&id) else { return };
            transport.agent.gather_ahead(now);
        }
    }

    /// RFC 9429 §3.5.4: "This only occurs for the first offer/answer exchange, after which the
    /// candidate pool is emptied and no longer used."
    pub(super) fn empty_pool(&mut self, now: Instant) {
        for id in self.transports.pooled() {
            self.discard_pooled_transport(now, id);
        }
    }

    fn discard_pooled_transport(&mut self, now: Instant, id: TransportId) {
        self.close_agent(now, id);
        if let Some(transport) = self.transports.remove_pooled(&id) {
            self.depart(id, transport.agent);
        }
    }

    /// Closes the agent of a transport, and takes what it still has to say.
    pub(super) fn close_agent(&mut self, now: Instant, id: TransportId) {
        if let Some(transport) = self.transports.get_mut(&id) {
            transport.agent.close(now);
            while let Some(transmit) = transport.agent.poll_transmit() {
                self.farewells.push_back(transmit.into());
            }
        }
        self.collect_ice(id);
    }

    /// The agent of a transport that is gone releases its allocations at TURN servers.
    pub(super) fn depart(&mut self, id: TransportId, agent: ice::Agent) {
        self.sockets.retain(|_, of| *of != id);
        self.departing.add(agent);
    }
}
