//! After every input: what is due, and when next.

use stun_types::message::{BINDING, MessageClass};
use time::{Instant, earlier};

use super::Client;
use crate::stun;

impl Client {
    /// Brings everything to `now`.
    pub(super) fn drive(&mut self, now: Instant) {
        self.drive_requests(now);
        self.drive_allocation(now);
        self.drive_peers(now);
        self.keep_alive(now);
        self.timeout = self.deadline(now);
    }

    /// Sends a Binding indication: NATs on the way see a packet, and nobody answers.
    fn keep_alive(&mut self, now: Instant) {
        if self.keepalive_at().is_some_and(|at| now >= at) {
            let id = self.transaction_id();
            if let Some(payload) = stun::write(MessageClass::Indication, BINDING, id, &[], None) {
                self.transmit(now, payload);
            }
        }
    }

    fn deadline(&self, now: Instant) -> Option<Instant> {
        let mut deadline = self.keepalive_at();
        for request in &self.requests {
            earlier(&mut deadline, Some(request.transaction.deadline()));
        }
        earlier(&mut deadline, self.allocation_deadline());
        earlier(&mut deadline, self.retry_at);
        earlier(&mut deadline, self.peers_deadline(now));
        deadline
    }
}
