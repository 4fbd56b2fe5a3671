//! Candidates from servers: RFC 8445 §5.1.1.2, RFC 8656.

use std::net::SocketAddr;

use turn::{Protocol, canonical};

use super::server_client::ServerClient;
use super::{Context, Generation, LocalBase, Reach};
use crate::candidate::{Candidate, CandidateKind, foundation_at, priority, relayed_priority};
use crate::event::{Base, Event, RelayId};
use crate::hidden::unspecified;
use crate::server::{CandidateServer, TransportPolicy};
use crate::state::GatheringState;

/// Servers that have local preferences of their own: as many as one generation asks.
const SERVERS: usize = 256;
/// Candidates of one type that a socket gets from one server: an allocation may have an address of
/// each family.
const OF_ONE_SERVER: usize = 2;

impl Generation {
    /// RFC 8445 §5.1.1.2. Its base is the socket, so the candidate makes no pair of its own
    /// (§6.1.2.4).
    pub(super) fn add_server_reflexive(&mut self, ctx: &Context, index: usize, mapped: SocketAddr) {
        let Some(client) = self.servers.clients.get(index) else { return };
        let base = client.socket.address;
        let mapped = canonical(mapped);
        if mapped.ip().is_ipv4() != base.ip().to_canonical().is_ipv4() {
            tracing::debug!(%mapped, "a mapped address of the other family");
            return;
        }
        if !ctx.hidden.may_be_reflexive(mapped.ip()) {
            tracing::debug!("a server has seen an address that is hidden");
            return;
        }
        let kind = CandidateKind::ServerReflexive;
        let Some(server) = self.origin(client, None) else { return };
        let server_ip = Some(client.address.ip());
        let candidate = Candidate {
            foundation: foundation_at(kind, base.ip(), server_ip, Protocol::Udp, ctx.salt),
            priority: priority(kind, local_preference(client, 0), 1),
            kind,
            related: Some((base.ip().to_canonical(), base.port())),
            server: Some(server),
            ..Candidate::udp(mapped)
        };
        self.announce(ctx, candidate);
    }

    /// RFC 8445 §5.1.1.2 and RFC 8656: each relayed address is its own base.
    pub(super) fn add_relayed(
        &mut self,
        ctx: &Context,
        index: usize,
        id: RelayId,
        allocated: &turn::Allocated,
    ) {
        for (ordinal, relayed) in allocated.relayed.iter().enumerate() {
            let Some(client) = self.servers.clients.get(index) else { return };
            let (protocol, server_ip) = (client.question.protocol, Some(client.address.ip()));
            let Some(carrier) = client.carrier() else { return };
            let kind = CandidateKind::Relayed;
            let Some(server) = self.origin(client, Some(protocol)) else { return };
            // RFC 8839 §5.1 has the mapped address here. The policy `relay` hides it, as in
            // Chromium.
            let hidden = SocketAddr::new(unspecified(relayed.ip()), 0);
            let related = match self.servers.policy {
                TransportPolicy::All => allocated.mapped,
                TransportPolicy::Relay => hidden,
            };
            let candidate = Candidate {
                foundation: foundation_at(kind, relayed.ip(), server_ip, protocol, ctx.salt),
                priority: relayed_priority(protocol, local_preference(client, ordinal)),
                kind,
                related: Some((related.ip().to_canonical(), related.port())),
                server: Some(server),
                ..Candidate::udp(*relayed)
            };
            if let Some(local) = self.announce(ctx, candidate) {
                let base = Base { socket: carrier, relay: Some(id) };
                let (address, reach) = (*relayed, Reach::Datagrams);
                self.add_base(ctx, LocalBase { id: base, address, local, reach });
            }
        }
    }

    fn origin(
        &self,
        client: &ServerClient,
        relay_protocol: Option<Protocol>,
    ) -> Option<CandidateServer> {
        let url = self.servers.list.get(client.server)?.server.url.clone();
        Some(CandidateServer { url, relay_protocol })
    }

    /// Announces a candidate that is not redundant (RFC 8445 §5.1.3), while there is time.
    /// Returns its index.
    fn announce(&mut self, ctx: &Context, candidate: Candidate) -> Option<usize> {
        let learnt = |local: &Candidate| local.kind == CandidateKind::PeerReflexive;
        // draft-ietf-mmusic-mdns-ice-candidates §3.1.2.2: a host candidate with a name has another
        // address than what a server saw, if that is public.
        let is_named = |local: &Candidate| {
            let address = local.socket_addr().filter(|_| local.kind == CandidateKind::Host);
            address.is_some_and(|address| ctx.hidden.name_of(address.ip()).is_some())
        };
        let redundant = |local: &Candidate| {
            !learnt(local) && !is_named(local) && local.is_redundant_with(&candidate)
        };
        if self.gathering != GatheringState::Gathering || self.locals.iter().any(redundant) {
            tracing::debug!(%candidate, "redundant or late local candidate");
            return None;
        }
        let known = self.locals.iter().position(|l| learnt(l) && l.is_redundant_with(&candidate));
        let index = match known {
            // The peer has seen it before the server's answer came.
            Some(index) => {
                *self.locals.get_mut(index)? = candidate.clone();
                index
            }
            None if self.locals.len() >= ctx.config.max_candidates.saturating_mul(2) => {
                tracing::debug!(%candidate, "too many local candidates");
                return None;
            }
            None => {
                self.locals.push(candidate.clone());
                self.locals.len() - 1
            }
        };
        let username_fragment = self.username_fragment_of_candidates()?;
        self.events.push_back(Event::LocalCandidate { username_fragment, candidate });
        Some(index)
    }
}

/// RFC 8445 §5.1.2.1: unique among the candidates of a type. Better sockets come first, then what
/// the configuration names first.
fn local_preference(client: &ServerClient, ordinal: usize) -> u16 {
    let server = client.server.min(SERVERS - 1);
    let below = usize::from(client.socket.rank)
        .saturating_mul(SERVERS)
        .saturating_add(server)
        .saturating_mul(OF_ONE_SERVER)
        .saturating_add(ordinal.min(OF_ONE_SERVER - 1));
    u16::MAX.saturating_sub(u16::try_from(below).unwrap_or(u16::MAX))
}
