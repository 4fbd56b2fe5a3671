//! What relays need to carry checks and data: permissions (RFC 8656 §9) and channels (§12).

use std::net::IpAddr;

use smallvec::SmallVec;
use time::{Instant, Schedule, later};

use super::server_client::ClientKind;
use super::{Context, Generation};
use crate::event::RelayId;
use crate::pair::{Pair, PairState};

/// A relay that has yet to be asked to let a peer's packets pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unasked {
    relay: RelayId,
    peer: IpAddr,
}

/// Whether packets of the pair are to pass its relay.
fn needs_permission(pair: &Pair) -> bool {
    !pair.dead && (pair.state != PairState::Failed || pair.triggered.is_some())
}

impl Generation {
    /// After every input: what the pairs have come to since, their relays are told. Permissions of
    /// pairs that have failed are refreshed no more, and the pair that carries the data has a
    /// channel.
    pub(crate) fn serve_pairs(&mut self, now: Instant) {
        if self.servers.clients.is_empty() {
            return;
        }
        let carrying = self.selected.as_ref().map(|selected| selected.pair);
        let selected = self.path().filter(|_| self.retire_at.is_none());
        let list = &mut self.list;
        for client in &mut self.servers.clients {
            let ClientKind::Relay(relay) = &mut client.kind else { continue };
            let relay_id = Some(relay.id);
            let mut needed: SmallVec<[IpAddr; 8]> = SmallVec::new();
            for (id, pair) in list.iter_mut().filter(|(_, pair)| pair.base.relay == relay_id) {
                let peer = pair.destination.ip().to_canonical();
                pair.permitted = relay.client.is_permitted(now, peer);
                if needs_permission(pair) || carrying == Some(id) {
                    needed.push(peer);
                }
            }
            let idle = relay.client.peers().filter(|peer| !needed.contains(peer));
            for peer in idle.collect::<SmallVec<[IpAddr; 8]>>() {
                relay.client.release_permission(now, peer);
            }
            if self.retire_at.is_some() {
                continue;
            }
            let peer = selected.filter(|path| path.base.relay == relay_id);
            let peer = peer.map(|path| path.remote);
            if peer == relay.channel {
                continue;
            }
            if let Some(before) = std::mem::replace(&mut relay.channel, peer) {
                relay.client.release_channel(now, before);
            }
            if let Some(peer) = peer
                && let Err(error) = relay.client.bind_channel(now, peer)
            {
                tracing::debug!(%peer, %error, "no channel is asked for");
            }
        }
    }

    /// The permission to be asked for next: that of the best pair without one.
    pub(crate) fn next_permission(&self, ctx: &Context) -> Option<Unasked> {
        if self.servers.clients.is_empty() || !self.is_running(ctx) {
            return None;
        }
        let best = self.list.best(|_, pair| {
            let waits = !pair.permitted && needs_permission(pair);
            waits && self.relay_of(pair).is_some_and(|relay| !knows(relay, pair))
        });
        let pair = self.list.get(best?)?;
        Some(Unasked { relay: pair.base.relay?, peer: pair.destination.ip().to_canonical() })
    }

    /// RFC 8656 §9: a permission for each peer, before its checks. One that is there already, for
    /// another port of the peer, is not asked for.
    pub(crate) fn ask_permission(&mut self, now: Instant, unasked: Unasked) {
        let Unasked { relay, peer } = unasked;
        let Some(client) = self.relay_mut(relay) else { return };
        let ClientKind::Relay(of_client) = &mut client.kind else { return };
        if let Err(error) = of_client.client.create_permission(now, peer) {
            tracing::debug!(%peer, %error, "no permission is asked for");
            self.on_denied(relay, peer);
        }
    }

    fn relay_of(&self, pair: &Pair) -> Option<&turn::Client> {
        self.servers.clients.iter().find_map(|client| match &client.kind {
            ClientKind::Relay(relay) if pair.base.relay == Some(relay.id) => Some(&relay.client),
            _ => None,
        })
    }

    fn pairs_through(&mut self, relay: RelayId, peer: IpAddr) -> impl Iterator<Item = &mut Pair> {
        self.list.iter_mut().map(|(_, pair)| pair).filter(move |pair| {
            pair.base.relay == Some(relay) && pair.destination.ip().to_canonical() == peer
        })
    }

    pub(super) fn on_permitted(&mut self, relay: RelayId, peer: IpAddr) {
        self.pairs_through(relay, peer).for_each(|pair| pair.permitted = true);
    }

    /// The server relays nothing to this peer.
    pub(super) fn on_denied(&mut self, relay: RelayId, peer: IpAddr) {
        self.pairs_through(relay, peer).for_each(Pair::kill);
    }

    /// Consent is lost. The pairs that were tried meanwhile fail if they still wait for a relay: it
    /// has had as long as the checks of the others have. A candidate that came lately may need
    /// more.
    pub(super) fn give_up_permissions(&mut self, ctx: &Context, now: Instant) {
        let patience = Schedule::short(ctx.config.rto).whole();
        if self.candidate_at.is_some_and(|at| now < later(at, patience)) {
            return;
        }
        for (_, pair) in self.list.iter_mut().filter(|(_, pair)| !pair.permitted) {
            pair.state = PairState::Failed;
            pair.triggered = None;
        }
    }

    /// The allocation is gone: so are its pairs.
    pub(super) fn relay_lost(&mut self, id: RelayId) {
        self.bases.retain(|base| base.id.relay != Some(id));
        for (_, pair) in self.list.iter_mut().filter(|(_, pair)| pair.base.relay == Some(id)) {
            pair.kill();
        }
    }
}

/// Whether the permission is there or asked for.
fn knows(relay: &turn::Client, pair: &Pair) -> bool {
    let peer = pair.destination.ip().to_canonical();
    relay.peers().any(|known| known == peer)
}
