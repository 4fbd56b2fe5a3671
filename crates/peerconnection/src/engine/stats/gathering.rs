//! The dictionaries of one report.

use std::collections::HashSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use negotiation::TransportId;
use time::Instant;

use super::super::convert::to_sdp;
use super::super::ice_transport::relay_protocol_of;
use super::super::transports::Transport;
use super::ids::Ids;
use super::{Clock, RTCStats};
use crate::api::{
    ChannelObject, RTCCertificateStats, RTCDataChannelStats, RTCDtlsRole, RTCDtlsTransportState,
    RTCIceCandidate, RTCIceCandidatePairStats, RTCIceCandidateStats, RTCIceTransportState,
    RTCLocalIceCandidateInit, RTCPeerConnectionStats, RTCStatsIceCandidatePairState, RTCStatsType,
    RTCTransportStats,
};

pub(super) struct Gathering {
    pub(super) ids: Ids,
    pub(super) clock: Clock,
    pub(super) timestamp: f64,
    pub(super) stats: Vec<RTCStats>,
    /// The ids of the certificates that were added.
    certificates: HashSet<String>,
}

impl Gathering {
    pub(super) fn new(ids: Ids, clock: Clock, now: Instant) -> Self {
        Self {
            ids,
            clock,
            timestamp: clock.timestamp(now),
            stats: Vec::new(),
            certificates: HashSet::new(),
        }
    }

    pub(super) fn stats(self) -> Vec<RTCStats> {
        self.stats
    }

    /// Adds statistics that were gathered before.
    pub(super) fn append(&mut self, stats: &[RTCStats]) {
        for stats in stats {
            let is_new = match stats {
                RTCStats::Certificate(stats) => self.certificates.insert(stats.id.clone()),
                _ => true,
            };
            if is_new {
                self.stats.push(stats.clone());
            }
        }
    }

    pub(super) fn peer_connection(&mut self, opened: u32, closed: u32) {
        self.stats.push(RTCStats::PeerConnection(RTCPeerConnectionStats {
            timestamp: self.timestamp,
            id: self.ids.id(RTCStatsType::PeerConnection, ()),
            data_channels_opened: opened,
            data_channels_closed: closed,
        }));
    }

    pub(super) fn data_channel(&mut self, object: &ChannelObject) {
        let (attributes, slots) = (&object.attributes, &object.slots);
        let (sent, received) = (slots.sent.get(), slots.received.get());
        self.stats.push(RTCStats::DataChannel(RTCDataChannelStats {
            timestamp: self.timestamp,
            id: self.ids.id(RTCStatsType::DataChannel, object.channel),
            label: attributes.label.clone(),
            protocol: attributes.protocol.clone(),
            data_channel_identifier: slots.id.get().copied(),
            state: slots.ready_state(),
            messages_sent: sent.messages,
            bytes_sent: sent.bytes,
            messages_received: received.messages,
            bytes_received: received.bytes,
        }));
    }

    /// A transport with its certificates, candidates and pairs.
    pub(super) fn transport(&mut self, id: TransportId, transport: &Transport) {
        let (slots, counters) = (&transport.slots, &transport.counters);
        let chain = slots.remote_certificates.iter().rev();
        let remote = chain.fold(None, |issuer, der| Some(self.certificate(der, issuer)));
        let stats = RTCTransportStats {
            timestamp: self.timestamp,
            id: self.ids.id(RTCStatsType::Transport, id),
            packets_sent: counters.sent.packets,
            packets_received: counters.received.packets,
            bytes_sent: counters.sent.bytes,
            bytes_received: counters.received.bytes,
            ice_role: slots.ice.role,
            ice_local_username_fragment: slots
                .ice
                .local_parameters
                .as_ref()
                .and_then(|parameters| parameters.username_fragment.clone()),
            dtls_state: slots.states().dtls,
            ice_state: slots.states().ice,
            selected_candidate_pair_id: None,
            selected_candidate_pair_changes: counters.selected_candidate_pair_changes,
            local_certificate_id: Some(self.certificate(transport.stack.certificate().der(), None)),
            remote_certificate_id: remote,
            tls_version: slots.tls_version.map(str::to_owned),
            dtls_cipher: slots.dtls_cipher.map(str::to_owned),
            tls_group: slots.tls_group.map(str::to_owned),
            srtp_cipher: slots.srtp_cipher.map(str::to_owned),
            dtls_role: match transport.stack.dtls_role() {
                Some(transport::DtlsRole::Client) => RTCDtlsRole::Client,
                Some(transport::DtlsRole::Server) => RTCDtlsRole::Server,
                None => RTCDtlsRole::Unknown,
            },
        };
        let at = self.stats.len();
        self.stats.push(RTCStats::Transport(stats));
        let selected = self.ice(id, &transport.agent);
        if let Some(RTCStats::Transport(stats)) = self.stats.get_mut(at) {
            stats.selected_candidate_pair_id = selected;
        }
    }

    /// The same for a transport that is closed now.
    pub(super) fn closed_transport(&mut self, id: TransportId, transport: &Transport) {
        self.transport(id, transport);
        for stats in &mut self.stats {
            if let RTCStats::Transport(stats) = stats {
                stats.dtls_state = RTCDtlsTransportState::Closed;
                stats.ice_state = RTCIceTransportState::Closed;
                if stats.selected_candidate_pair_id.take().is_some() {
                    stats.selected_candidate_pair_changes += 1;
                }
            }
        }
    }

    /// Adds candidates and pairs. Returns the id of the pair in use.
    fn ice(&mut self, transport: TransportId, agent: &ice::Agent) -> Option<String> {
        let statistics = agent.statistics();
        let signalled: HashSet<_> = statistics
            .remote_candidates
            .iter()
            .filter(|remote| remote.signalled)
            .map(|remote| remote.candidate.address.clone())
            .collect();
        let mut selected = None;
        for pair in &statistics.pairs {
            let stats = self.pair(transport, pair);
            if pair.selected {
                selected = Some(stats.id.clone());
            }
            self.stats.push(RTCStats::CandidatePair(stats));
        }
        for candidate in &statistics.local_candidates {
            let stats = self.candidate(RTCStatsType::LocalCandidate, transport, candidate);
            self.stats.extend(stats.map(RTCStats::LocalCandidate));
        }
        for candidate in &statistics.remote_candidates {
            let stats = self.candidate(RTCStatsType::RemoteCandidate, transport, candidate);
            self.stats.extend(stats.map(|mut stats| {
                // "the user agent MUST leave the address member as null" until signalling has
                // brought the address.
                if !signalled.contains(&candidate.candidate.address) {
                    stats.address = None;
                }
                RTCStats::RemoteCandidate(stats)
            }));
        }
        selected
    }

    fn pair(&self, transport: TransportId, pair: &ice::PairStats) -> RTCIceCandidatePairStats {
        let id = |of, id: u64| self.ids.id(of, (transport, pair.generation, id));
        let timestamp = |at: Option<Instant>| at.map(|at| self.clock.timestamp(at));
        RTCIceCandidatePairStats {
            timestamp: self.timestamp,
            id: id(RTCStatsType::CandidatePair, pair.id),
            transport_id: self.ids.id(RTCStatsType::Transport, transport),
            local_candidate_id: id(RTCStatsType::LocalCandidate, pair.local),
            remote_candidate_id: id(RTCStatsType::RemoteCandidate, pair.remote),
            state: match pair.state {
                ice::PairState::Frozen => RTCStatsIceCandidatePairState::Frozen,
                ice::PairState::Waiting => RTCStatsIceCandidatePairState::Waiting,
                ice::PairState::InProgress => RTCStatsIceCandidatePairState::InProgress,
                ice::PairState::Succeeded => RTCStatsIceCandidatePairState::Succeeded,
                ice::PairState::Failed => RTCStatsIceCandidatePairState::Failed,
            },
            nominated: pair.nominated,
            packets_sent: pair.sent.packets,
            packets_received: pair.received.packets,
            bytes_sent: pair.sent.bytes,
            bytes_received: pair.received.bytes,
            last_packet_sent_timestamp: timestamp(pair.sent.last),
            last_packet_received_timestamp: timestamp(pair.received.last),
            total_round_trip_time: pair.total_round_trip_time.as_secs_f64(),
            current_round_trip_time: pair.current_round_trip_time.map(|time| time.as_secs_f64()),
            requests_received: pair.requests_received,
            requests_sent: pair.requests_sent,
            responses_received: pair.responses_received,
            responses_sent: pair.responses_sent,
            consent_requests_sent: pair.consent_requests_sent,
        }
    }

    /// The statistics of a candidate, with the members of an `RTCIceCandidate`.
    fn candidate(
        &self,
        of: RTCStatsType,
        transport: TransportId,
        stats: &ice::CandidateStats,
    ) -> Option<RTCIceCandidateStats> {
        let candidate = RTCIceCandidate::create(RTCLocalIceCandidateInit {
            candidate: to_sdp(&stats.candidate, None).to_string(),
            ..RTCLocalIceCandidateInit::default()
        });
        let server = stats.candidate.server.as_ref();
        Some(RTCIceCandidateStats {
            timestamp: self.timestamp,
            id: self.ids.id(of, (transport, stats.generation, stats.id)),
            transport_id: self.ids.id(RTCStatsType::Transport, transport),
            address: candidate.address().map(str::to_owned),
            port: candidate.port()?,
            protocol: candidate.protocol()?,
            candidate_type: candidate.type_()?,
            priority: candidate.priority()?,
            url: server.map(|server| server.url.clone()),
            relay_protocol: server.and_then(relay_protocol_of),
            foundation: candidate.foundation()?.to_owned(),
            related_address: candidate.related_address().map(str::to_owned),
            related_port: candidate.related_port(),
            username_fragment: stats.username_fragment.clone(),
            tcp_type: candidate.tcp_type(),
        })
    }

    /// Adds a certificate, unless it is there already. Returns its id.
    fn certificate(&mut self, der: &[u8], issuer: Option<String>) -> String {
        let fingerprint = transport::Fingerprint::sha256(der);
        let id = self.ids.id(RTCStatsType::Certificate, &fingerprint.value);
        if self.certificates.insert(id.clone()) {
            let octets: Vec<_> = fingerprint.value.iter().map(|o| format!("{o:02X}")).collect();
            self.stats.push(RTCStats::Certificate(RTCCertificateStats {
                timestamp: self.timestamp,
                id: id.clone(),
                fingerprint: octets.join(":"),
                fingerprint_algorithm: fingerprint.algorithm,
                base64_certificate: BASE64_STANDARD.encode(der),
                issuer_certificate_id: issuer,
            }));
        }
        id
    }
}
