//! STUN messages: which generation they are for, and role conflicts.

use std::net::SocketAddr;

use rand::RngExt;
use stun_types::message::{Message, MessageClass};
use time::Instant;

use super::Agent;
use crate::event::Base;
use crate::generation::Outcome;
use crate::state::{Role, State};
use crate::stun::{self, Request};

impl Agent {
    /// Takes a message whose first byte is 0 to 3 (RFC 7983) and that came from `source` to `base`.
    /// Drops one that is malformed, forged, replayed or for somebody else. Returns whether it was an
    /// authentic request, or the authentic answer to one of ours.
    pub fn handle_stun(
        &mut self,
        now: Instant,
        base: impl Into<Base>,
        source: SocketAddr,
        packet: &[u8],
    ) -> bool {
        let base = base.into();
        if self.state == State::Closed || source.port() == 0 {
            tracing::trace!(%source, "a packet for nobody, or from port 0");
            return false;
        }
        let covered = stun::covered(packet);
        let Some(message) = covered.as_deref().and_then(stun::parse) else {
            tracing::trace!(%source, len = packet.len(), "not a Binding message");
            return false;
        };
        // A base belongs to one generation, so its messages do.
        let Some(index) = self.generations.iter().position(|g| g.has_base(base)) else {
            tracing::debug!(?base, "packet on an unknown base");
            return false;
        };
        let changed = match message.class() {
            MessageClass::Request => self.on_request(now, index, base, source, &message),
            MessageClass::Success | MessageClass::Error => {
                self.on_response(now, index, base, source, &message)
            }
            // RFC 8445 §11: keepalives of others.
            MessageClass::Indication => {
                tracing::trace!(%source, "a keepalive of the peer");
                false
            }
        };
        // What is not for us costs no more than it took to see that.
        if changed {
            self.drive(now);
        }
        changed
    }

    /// Whether the request was for us.
    fn on_request(
        &mut self,
        now: Instant,
        index: usize,
        base: Base,
        source: SocketAddr,
        message: &Message<'_>,
    ) -> bool {
        let Some(generation) = self.generations.get_mut(index) else { return false };
        let Some(local) = &generation.local else { return false };
        // RFC 8489 §9.1.3 answers strangers with 400 and 401. Silence tells them less, and no peer
        // needs these errors: it has the parameters. RFC 8445 §7.3 asks for our half of USERNAME
        // only: before the answer their half is not known, and an offer may have several
        // provisional answers. After the answer, another half belongs to a peer that was not
        // chosen, or to one that is ahead of its own offer. Neither may send data from there, so
        // both are better off without a response.
        let Some((ours, theirs)) = stun::username(message) else {
            tracing::debug!(%source, "check without username");
            return false;
        };
        let forked = generation.remote.as_ref().is_some_and(|r| r.username_fragment() != theirs);
        if ours != local.username_fragment() || (forked && generation.committed) {
            tracing::debug!(%source, "check with another username");
            return false;
        }
        if !stun::is_authentic(message, &local.key) {
            tracing::debug!(%source, "check that is not authentic");
            return false;
        }
        let request = Request::read(message);
        if !request.unknown.is_empty() {
            // RFC 8489 §6.3.1.1
            tracing::debug!(%source, unknown = ?request.unknown, "check not understood");
            let payload = stun::error(request.id, 420, &request.unknown, &local.key);
            self.respond(base, source, payload);
            return true;
        }
        // RFC 8445 §7.3.1.1, in generations that still check.
        if generation.retire_at.is_none()
            && !forked
            && let (Some(role), Some((theirs, tie_breaker))) = (self.ctx.role, request.role)
            && role == theirs
        {
            let stays = match role {
                Role::Controlling => self.ctx.tie_breaker >= tie_breaker,
                Role::Controlled => self.ctx.tie_breaker < tie_breaker,
            };
            if stays || generation.lite {
                let payload = stun::error(request.id, 487, &[], &local.key);
                self.respond(base, source, payload);
                return true;
            }
            self.switch_role(role.opposite());
        }
        if let Some(generation) = self.generations.get_mut(index) {
            let enclosure = self.ctx.enclosures.are_on().then(|| stun::enclosure(message));
            let ctx = &mut self.ctx;
            generation.on_request(ctx, now, base, source, &theirs, &request, enclosure);
        }
        true
    }

    fn respond(&mut self, base: Base, destination: SocketAddr, payload: Option<bytes::Bytes>) {
        if let Some(payload) = payload {
            self.ctx.transmit(base, destination, payload);
        }
    }

    /// Whether the response was to a request of ours.
    fn on_response(
        &mut self,
        now: Instant,
        index: usize,
        base: Base,
        source: SocketAddr,
        message: &Message<'_>,
    ) -> bool {
        let Some(generation) = self.generations.get_mut(index) else { return false };
        let outcome = generation.on_response(&mut self.ctx, now, base, source, message);
        let lite = generation.lite;
        if let Outcome::RoleConflict { role, pair } = outcome {
            // RFC 8445 §7.2.5.1. If the role has changed since the request, this is the answer
            // to the change, and not another conflict. A lite peer is never controlling.
            if self.ctx.role == Some(role) && !lite {
                // §7.1.3: "unless it has received a 487 response, in which case it MUST change".
                self.ctx.tie_breaker = self.ctx.rng.random();
                self.switch_role(role.opposite());
            }
            if let Some(generation) = self.generations.get_mut(index)
                && let Some(pair) = pair
            {
                generation.list.trigger(pair, false);
            }
        }
        outcome != Outcome::Stray
    }
}
