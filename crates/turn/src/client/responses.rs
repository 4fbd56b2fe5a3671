//! Responses: which are believed, and what they mean.

use stun_types::message::{Message, MessageClass};
use time::{Instant, later};

use super::Client;
use super::requests::{Operation, Request};
use crate::alternate;
use crate::auth::{self, Challenge};
use crate::error::{ErrorResponse, ServerError};
use crate::event::{AlternateServer, Event, State};
use crate::stun;

/// Most effort for one operation with other nonces. A refusal of the newest nonce costs 4, so there
/// are five of them. Requests in flight together may use up each other's nonces, so a refusal of an
/// older one costs only 1.
const MAX_EFFORT: u8 = 20;
const NEWEST_REFUSED: u8 = 4;
const OLDER_REFUSED: u8 = 1;

impl Client {
    /// Takes a message that carries no packet of a peer.
    pub(super) fn on_message(&mut self, now: Instant, packet: &[u8]) {
        let Some(message) = stun::parse(packet) else {
            tracing::debug!(len = packet.len(), "not a STUN message");
            return;
        };
        if !message.is_response() {
            // A server has nothing to ask. So no forged request gets an answer.
            tracing::debug!("request or indication of the server");
            return;
        }
        let (id, method) = (message.transaction_id(), message.method());
        let asked = |r: &Request| r.transaction.id == id && r.operation.method() == method;
        if let Some(index) = self.requests.iter().position(asked) {
            self.on_response(now, index, &message);
        } else {
            tracing::trace!("response to nothing");
        }
    }

    fn on_response(&mut self, now: Instant, index: usize, message: &Message<'_>) {
        let error = match message.class() {
            MessageClass::Error => match stun::error_code(message) {
                Some(error) => Some(error),
                None => return,
            },
            _ => None,
        };
        match error {
            Some(error) if error.code == 401 => self.on_unauthorized(now, index, message, error),
            Some(error) if error.code == 438 => self.on_stale_nonce(now, index, message, error),
            error => self.on_answer(now, index, message, error),
        }
    }

    /// RFC 8489 §9.2.5, except that an error without integrity may count. coturn sends 437 and 441
    /// that way, and they are believed; others wait one RTO for something better. Only somebody who
    /// sees the request could forge them, and could suppress the answer as well.
    fn on_answer(
        &mut self,
        now: Instant,
        index: usize,
        message: &Message<'_>,
        error: Option<ErrorResponse>,
    ) {
        let Some(request) = self.requests.get_mut(index) else { return };
        let signed = request.serial != 0
            && self.challenge.as_ref().is_some_and(|c| c.authenticates(message));
        let wrong = request.serial != 0 && !signed && auth::has_integrity(message);
        if auth::is_bid_down(message) {
            tracing::debug!("PASSWORD-ALGORITHMS was removed on the way");
            return;
        }
        match error {
            Some(error) if request.serial == 0 || signed => {
                let request = self.requests.swap_remove(index);
                self.proven |= signed;
                self.on_final_error(now, request.operation, message, error, signed);
            }
            Some(error) if !wrong && matches!(error.code, 437 | 441) => {
                let request = self.requests.swap_remove(index);
                self.on_final_error(now, request.operation, message, error, false);
            }
            Some(error) if !wrong => {
                tracing::debug!(code = error.code, "error without integrity");
                request.doubt.get_or_insert(error);
                request.transaction.conclude(later(now, self.config.rto));
            }
            None if request.serial == 0 || signed => {
                let request = self.requests.swap_remove(index);
                self.proven |= signed;
                self.on_success(now, request.operation, message);
            }
            _ => {
                tracing::debug!("the integrity of a response is wrong");
                request.forged = true;
                // "If the request was sent over a reliable transport, the response MUST be
                // discarded, and the layer MUST immediately end the transaction".
                if self.five_tuple.protocol.is_stream() {
                    request.transaction.conclude(now);
                }
            }
        }
    }

    fn on_success(&mut self, now: Instant, operation: Operation, message: &Message<'_>) {
        match operation {
            Operation::Allocate => self.on_allocated(now, message),
            Operation::Refresh => self.on_refreshed(now, message),
            Operation::Release => self.finish(),
            Operation::Permission(peer) => self.on_permitted(now, peer),
            Operation::Channel(peer) => self.on_bound(now, peer),
        }
    }

    fn on_final_error(
        &mut self,
        now: Instant,
        operation: Operation,
        message: &Message<'_>,
        error: ErrorResponse,
        authenticated: bool,
    ) {
        if operation == Operation::Allocate && error.code == 300 && self.state == State::Allocating
        {
            self.on_try_alternate(message, error, authenticated);
        } else {
            self.on_error(now, operation, error);
        }
    }

    /// An operation has failed.
    pub(super) fn on_error(&mut self, now: Instant, operation: Operation, error: ErrorResponse) {
        tracing::debug!(?operation, code = error.code, reason = error.reason, "refused");
        match operation {
            Operation::Allocate => self.on_allocate_error(now, error),
            Operation::Refresh => self.on_refresh_error(now, error),
            Operation::Release => self.on_release_error(),
            Operation::Permission(peer) => self.on_permission_error(now, peer, error),
            Operation::Channel(peer) => self.on_channel_error(now, peer, error),
        }
    }

    /// 300: RFC 8489 §10.
    fn on_try_alternate(
        &mut self,
        message: &Message<'_>,
        error: ErrorResponse,
        authenticated: bool,
    ) {
        match alternate::read(message, self.five_tuple.server, self.config.max_redirects) {
            Ok((server, domain)) => {
                self.fail();
                self.events.push_back(Event::AlternateServer(AlternateServer {
                    server,
                    domain,
                    max_redirects: self.config.max_redirects.saturating_sub(1),
                    authenticated,
                }));
            }
            Err(why) => {
                tracing::debug!(%why, "alternate server not followed");
                self.give_up(error);
            }
        }
    }

    /// Unauthorized (401). If the server has never accepted the credentials, they are wrong: the
    /// error is final at once, whatever its nonce. Later a 401 may stand for 438.
    fn on_unauthorized(
        &mut self,
        now: Instant,
        index: usize,
        message: &Message<'_>,
        error: ErrorResponse,
    ) {
        let Some(request) = self.requests.get(index) else { return };
        let again = request.serial == 0
            || (self.proven
                && request.effort < MAX_EFFORT
                && !self.is_repeated_nonce(request, message));
        self.answer_or_give_up(now, index, message, error, again);
    }

    /// Stale Nonce (438): answered once for each nonce, and not for ever.
    fn on_stale_nonce(
        &mut self,
        now: Instant,
        index: usize,
        message: &Message<'_>,
        error: ErrorResponse,
    ) {
        let Some(request) = self.requests.get(index) else { return };
        let again = request.effort < MAX_EFFORT && !self.is_repeated_nonce(request, message);
        self.answer_or_give_up(now, index, message, error, again);
    }

    /// Whether the nonce is the one that the request had.
    fn is_repeated_nonce(&self, request: &Request, message: &Message<'_>) -> bool {
        let nonce = stun::value(message, stun::NONCE);
        let same = |c: &Challenge| nonce.is_some_and(|nonce| c.has_nonce(nonce));
        request.serial == self.serial && self.challenge.as_ref().is_some_and(same)
    }

    fn answer_or_give_up(
        &mut self,
        now: Instant,
        index: usize,
        message: &Message<'_>,
        error: ErrorResponse,
        again: bool,
    ) {
        let request = self.requests.swap_remove(index);
        // Whoever closes wants no allocation.
        if !again || (self.state == State::Closing && request.operation == Operation::Allocate) {
            self.on_error(now, request.operation, error);
            return;
        }
        match Challenge::read(message, &self.credentials, self.challenge.as_ref()) {
            Ok(challenge) => {
                let newest = request.serial == self.serial;
                let cost = if newest { NEWEST_REFUSED } else { OLDER_REFUSED };
                self.challenge = Some(challenge);
                self.serial = self.serial.wrapping_add(1).max(1);
                self.start(now, request.operation, request.effort.saturating_add(cost));
            }
            Err(why) => {
                let reason = format!("{} ({why})", error.reason);
                self.on_error(now, request.operation, ErrorResponse { reason, ..error });
            }
        }
    }

    /// 443, as the server would say it.
    pub(super) fn family_mismatch(&self) -> ServerError {
        self.server_error(ErrorResponse::new(443, "Peer Address Family Mismatch"))
    }
}
