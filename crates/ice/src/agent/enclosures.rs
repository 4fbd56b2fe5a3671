//! Enclosures: whoever is above adds them to messages as these go out, and takes those of the peer.

use super::Agent;
use crate::enclosure::{Enclosure, Open};
use crate::event::Transmit;
use crate::state::State;
use crate::stun;

impl Agent {
    /// Sets whether checks and their answers have [enclosures](Enclosure). Default false: then they
    /// are as RFC 8445 has them, and what the peer encloses is ignored.
    pub fn set_enclosing(&mut self, encloses: bool) {
        if self.ctx.enclosures.are_on() == encloses || self.state == State::Closed {
            return;
        }
        let open = self.ctx.enclosures.take_open();
        self.ctx.enclosures.switch(encloses);
        for Open { base, destination, payload, .. } in open {
            self.ctx.transmit(base, destination, payload);
        }
        if let Some(now) = self.clock {
            self.wrap_relayed(now);
        }
    }

    /// The next enclosure of the peer: of a request or a success response whose MESSAGE-INTEGRITY
    /// is right. One that has neither attribute counts, too. What came before the peer was known
    /// comes when it is. To be drained after every call that takes a message or parameters of the
    /// peer.
    pub fn poll_enclosure(&mut self) -> Option<Enclosure> {
        self.ctx.enclosures.pop_received()
    }

    /// [`poll_transmit`](Self::poll_transmit), with what `enclose` gives for each check and each
    /// answer to one. So an answer can have what came of the request.
    pub fn poll_transmit_with(
        &mut self,
        mut enclose: impl FnMut() -> Enclosure,
    ) -> Option<Transmit> {
        let open = self.ctx.enclosures.take_open();
        if !open.is_empty() {
            for open in open {
                let Open { base, destination, payload, key } = open;
                let enclosure = enclose();
                let payload = match enclosure == Enclosure::default() {
                    true => payload,
                    false => stun::enclose(&payload, &enclosure, &key).unwrap_or(payload),
                };
                self.ctx.transmit(base, destination, payload);
            }
            if let Some(now) = self.clock {
                self.wrap_relayed(now);
            }
        }
        self.ctx.transmits.pop_front()
    }
}
