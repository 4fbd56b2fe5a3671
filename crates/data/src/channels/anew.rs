//! The peer begins DTLS anew under the association, as browsers do when the section that describes
//! the transport is rejected. One that keeps the association goes on with it (RFC 8841 §10.5, as
//! Firefox). One that ends it with an ABORT may keep the channels, and send on them over another
//! association without announcing them again (as Chromium).

use super::{Channels, State};
use crate::channel::ChannelState;
use crate::error::ChannelError;
use crate::event::Event;
use crate::sctp::{Association, SctpError, SctpState};

impl Channels {
    /// Whether DTLS may begin anew. An association that the peer ends then is replaced by another,
    /// see [`dtls_begins_anew`](Self::dtls_begins_anew). If nothing has begun when this is taken
    /// back, the association is closed after all.
    pub fn expect_anew(&mut self, expects: bool) {
        self.expects_anew = expects;
        if !expects && self.is_interrupted() {
            if let Some(association) = &mut self.association {
                association.transport_closed();
            }
            self.state = State::Usual;
            self.handle_association_events();
        }
    }

    /// DTLS begins anew. If the peer has kept the association, that goes on once
    /// [resumed](Self::resume); else another one [begins](Self::begin).
    pub fn dtls_begins_anew(&mut self) {
        // The DTLS roles may be the other way round now.
        self.has_moved = true;
        match self.state {
            State::Interrupted => self.state = State::BeginsAnew,
            // The peer's ABORT may have been lost: then its INIT says the same.
            _ => self.may_restart = self.association.is_some(),
        }
    }

    /// The peer has ended the association, or has begun another one. Returns whether the channels
    /// go on over the next one.
    pub(super) fn is_to_be_replaced(&mut self, error: &SctpError) -> bool {
        match error {
            SctpError::Restarted if std::mem::take(&mut self.may_restart) => {
                self.interrupt(error);
                self.state = State::BeginsAnew;
            }
            SctpError::Aborted { .. } | SctpError::Restarted if self.expects_anew => {
                self.interrupt(error);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn is_interrupted(&self) -> bool {
        matches!(self.state, State::Interrupted)
    }

    /// The peer has ended the association. Channels on which nothing is under way, in either
    /// direction, go on over the next one. The others have lost something, and close.
    fn interrupt(&mut self, error: &SctpError) {
        let Some(association) = &mut self.association else { return };
        let broken = association.take_broken_streams();
        let settings = association.settings_of_next();
        self.association = Some(Box::new(Association::new(settings)));
        self.state = State::Interrupted;
        self.tell(Event::SctpStateChange(SctpState::Connecting, Some(error.clone())));
        for id in self.channels.keys().copied().collect::<Vec<_>>() {
            self.report_sent(id);
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            let is_whole = !broken.contains(&id) && channel.buffered == 0;
            match channel.state {
                ChannelState::Connecting => {
                    channel.announced = false;
                    continue;
                }
                ChannelState::Open if is_whole => {
                    channel.open_unacknowledged = false;
                    continue;
                }
                ChannelState::Open => {
                    let error = ChannelError::Interrupted;
                    self.tell(Event::ChannelError { id, error });
                }
                ChannelState::Closing => {}
            }
            self.channels.remove(&id);
            self.left_over.insert(id);
            self.tell(Event::ChannelClosed { id });
        }
        self.refused.clear();
        self.unclaimed.clear();
        self.unclaimed_cost = 0;
    }

    /// The next association takes over what has waited for it.
    pub(super) fn carry_over(&mut self, next: &mut Association) {
        if let Some(before) = self.association.take().filter(|_| self.begins_anew()) {
            next.take_queue_of(*before);
        }
        self.state = State::Usual;
    }

    pub(super) fn begins_anew(&self) -> bool {
        matches!(self.state, State::BeginsAnew)
    }

    /// The peer may have kept channels that have closed here: their streams are reset.
    pub(super) fn reset_left_over(&mut self) {
        for id in std::mem::take(&mut self.left_over) {
            if !self.channels.contains_key(&id) {
                self.refuse(id, false);
            }
        }
    }
}
