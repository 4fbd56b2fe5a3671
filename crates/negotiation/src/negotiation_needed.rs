//! webrtc-pc §4.7.3: updating the negotiation-needed flag.

use crate::dictionaries::RTCSignalingState;
use crate::effect::{Effect, Event};
use crate::session::Session;
use crate::task::TaskKind;

impl Session {
    /// webrtc-pc §4.7.3: update the negotiation-needed flag.
    pub(crate) fn update_the_negotiation_needed_flag(&mut self) {
        // Step 1
        if self.operations.len() != 0 {
            self.update_negotiation_needed_flag_on_empty_chain = true;
            return;
        }
        // Step 2
        self.queue_a_task(TaskKind::UpdateTheNegotiationNeededFlag);
    }

    /// Takes back a `negotiationneeded` that nobody has heard: it is fired again, if it is still
    /// due.
    pub fn renew_negotiation_needed(&mut self) {
        self.negotiation_needed = false;
        self.update_the_negotiation_needed_flag();
    }

    /// Steps 2.1 to 2.7.
    pub(crate) fn run_update_the_negotiation_needed_flag(&mut self) {
        // Step 2.1
        if self.is_closed {
            return;
        }
        // Step 2.2
        if self.operations.len() != 0 {
            self.update_negotiation_needed_flag_on_empty_chain = true;
            return;
        }
        // Step 2.3
        if self.signaling_state != RTCSignalingState::Stable {
            return;
        }
        // Step 2.4
        if !self.check_if_negotiation_is_needed() {
            self.negotiation_needed = false;
            return;
        }
        // Step 2.5
        if self.negotiation_needed {
            return;
        }
        // Step 2.6
        self.negotiation_needed = true;
        // Step 2.7
        self.effects.push_back(Effect::Fire(Event::NegotiationNeeded));
    }

    /// webrtc-pc §4.7.3: check if negotiation is needed.
    pub(crate) fn check_if_negotiation_is_needed(&self) -> bool {
        // Step 1: nothing in this implementation needs negotiation by itself. A changed list of
        // ICE servers does not (RFC 9429 §4.1.18): it affects the next offer there is.
        // Step 2
        if !self.local_ice_credentials_to_replace.is_empty() {
            return true;
        }
        // Step 3
        let description = self.current_local_description.as_ref();
        // Step 4: a section that was negotiated and rejected by the peer still counts, as in
        // browsers; an application that offers whatever the event asks for would never stop.
        if self.data_channels.any_created()
            && description.is_none_or(|description| description.data_section().is_none())
        {
            return true;
        }
        // Step 5 is for transceivers.
        // Step 6
        false
    }
}
