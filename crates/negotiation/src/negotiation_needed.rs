//! webrtc-pc §4.7.3: updating the negotiation-needed flag.

use crate::description::Description;
use crate::effect::Event;
use crate::session::Session;
use crate::signaling::Side;
use crate::task::TaskKind;
use crate::transceiver::{Transceiver, direction_in};
use idl::{RTCRtpTransceiverDirection, RTCSdpType, RTCSignalingState};

/// The negotiation-needed flag, and whether it waits for the operations chain to become empty.
#[derive(Debug, Default)]
pub(crate) struct NegotiationNeeded {
    /// `[[NegotiationNeeded]]`
    negotiation_needed: bool,
    /// `[[UpdateNegotiationNeededFlagOnEmptyChain]]`
    update_negotiation_needed_flag_on_empty_chain: bool,
}

impl NegotiationNeeded {
    /// webrtc-pc §4.4.1.2 steps 7.4.4 and 7.4.5: takes the note that the flag waits for an empty
    /// chain.
    pub(crate) fn take_update_on_empty_chain(&mut self) -> bool {
        std::mem::take(&mut self.update_negotiation_needed_flag_on_empty_chain)
    }

    #[cfg(test)]
    pub(crate) fn is_set(&self) -> bool {
        self.negotiation_needed
    }
}

impl Session {
    /// webrtc-pc §4.7.3: update the negotiation-needed flag.
    pub(crate) fn update_the_negotiation_needed_flag(&mut self) {
        // Step 1
        if self.operations.len() != 0 {
            self.negotiation_needed.update_negotiation_needed_flag_on_empty_chain = true;
            return;
        }
        // Step 2
        self.outputs.queue_task(TaskKind::UpdateTheNegotiationNeededFlag);
    }

    /// Clears the flag and updates it: webrtc-pc §4.4.1.4 step 4.7.14.3. A host calls this when
    /// nobody has heard `negotiationneeded`: it is fired again, if it is still due.
    pub fn renew_negotiation_needed(&mut self) {
        self.negotiation_needed.negotiation_needed = false;
        self.update_the_negotiation_needed_flag();
    }

    /// Steps 2.1 to 2.7.
    pub(crate) fn run_update_the_negotiation_needed_flag(&mut self) {
        // Step 2.1
        if self.is_closed() {
            return;
        }
        // Step 2.2
        if self.operations.len() != 0 {
            self.negotiation_needed.update_negotiation_needed_flag_on_empty_chain = true;
            return;
        }
        // Step 2.3
        if self.signaling.state() != RTCSignalingState::Stable {
            return;
        }
        // Step 2.4
        let is_needed = self.check_if_negotiation_is_needed();
        // Step 2.6
        let was_set = std::mem::replace(&mut self.negotiation_needed.negotiation_needed, is_needed);
        // Steps 2.5 and 2.7
        if is_needed && !was_set {
            self.outputs.push_effect(Event::NegotiationNeeded);
        }
    }

    /// webrtc-pc §4.7.3: check if negotiation is needed.
    pub(crate) fn check_if_negotiation_is_needed(&self) -> bool {
        // Step 1: nothing in this implementation needs negotiation by itself. Other ICE servers do
        // not (RFC 9429 §4.1.18): they take effect with the next offer, whenever that comes.
        // Step 2
        if !self.ice_restart.local_ice_credentials_to_replace().is_empty() {
            return true;
        }
        // Step 3
        let description = self.descriptions.current(Side::Local);
        // Step 4: as in browsers, a section that the peer rejected still counts. Otherwise an
        // application that offers on each event would never stop.
        if self.data_channels.any_created()
            && description.is_none_or(|description| description.data_section().is_none())
        {
            return true;
        }
        // Steps 5 and 6
        self.transceivers.iter().any(|(_, transceiver)| self.is_to_be_negotiated(transceiver))
    }

    /// Step 5
    fn is_to_be_negotiated(&self, transceiver: &Transceiver) -> bool {
        // Step 5.1
        if transceiver.stopping && !transceiver.stopped {
            return true;
        }
        let description = self.descriptions.current(Side::Local);
        let associated = transceiver.jsep_mid.as_deref().and_then(|mid| {
            let description = description?;
            Some((description, description.index_of_mid(mid)?))
        });
        match associated {
            // Step 5.2
            None => !transceiver.stopped,
            // Step 5.3
            Some((description, index)) if !transceiver.stopped => {
                self.differs(transceiver, description, index)
            }
            // Step 5.4
            Some((description, index)) => {
                let remote = self.descriptions.current(Side::Remote);
                !description.is_rejected(index)
                    && remote.is_some_and(|remote| !remote.is_rejected(index))
            }
        }
    }

    /// Step 5.3
    fn differs(&self, transceiver: &Transceiver, description: &Description, index: usize) -> bool {
        let Some(media) = description.media(index) else { return true };
        // Step 5.3.1
        if transceiver.direction.sends() {
            let ids = &transceiver.sender.associated_media_stream_ids;
            // The application may have written other streams into the section. They have no effect
            // on the sender, so comparing with them would ask for negotiation for ever.
            let media = description.created_media(index).unwrap_or(media);
            let mut msids: Vec<String> =
                media.msids().filter_map(|msid| msid.stream().map(str::to_owned)).collect();
            msids.dedup();
            let same = msids.len() == ids.len() && msids.iter().all(|msid| ids.contains(msid));
            if !media.has_attribute("msid") || !same {
                return true;
            }
        }
        let local = direction_in(description.sdp.direction(index));
        let remote = self.descriptions.current(Side::Remote);
        let remote = remote.map(|remote| direction_in(remote.sdp.direction(index).reversed()));
        match description.type_ {
            // Step 5.3.2
            RTCSdpType::Offer => {
                local != transceiver.direction && remote != Some(transceiver.direction)
            }
            // Step 5.3.3
            _ => {
                let offered = remote.unwrap_or(RTCRtpTransceiverDirection::Inactive);
                local != transceiver.direction.intersection(offered)
            }
        }
    }
}
