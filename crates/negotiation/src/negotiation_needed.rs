//! webrtc-pc §4.7.3: updating the negotiation-needed flag.

use crate::description::Description;
use crate::dictionaries::{RTCRtpTransceiverDirection, RTCSdpType, RTCSignalingState};
use crate::effect::{Effect, Event};
use crate::session::Session;
use crate::task::TaskKind;
use crate::transceiver::Transceiver;

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
        // Steps 5 and 6
        self.transceivers.iter().any(|(_, transceiver)| self.is_to_be_negotiated(transceiver))
    }

    /// Step 5
    fn is_to_be_negotiated(&self, transceiver: &Transceiver) -> bool {
        // Step 5.1
        if transceiver.stopping && !transceiver.stopped {
            return true;
        }
        let description = self.current_local_description.as_ref();
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
                let remote = self.current_remote_description.as_ref();
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
            // What an application writes there instead has no effect on the sender. It would ask for
            // negotiation for ever.
            let media = description.created_media(index).unwrap_or(media);
            let mut msids: Vec<String> =
                media.msids().filter_map(|msid| msid.stream().map(str::to_owned)).collect();
            msids.dedup();
            let same = msids.len() == ids.len() && msids.iter().all(|msid| ids.contains(msid));
            if !media.has_attribute("msid") || !same {
                return true;
            }
        }
        let local = RTCRtpTransceiverDirection::from(description.sdp.direction(index));
        let remote = self.current_remote_description.as_ref();
        let remote = remote
            .map(|remote| RTCRtpTransceiverDirection::from(remote.sdp.direction(index).reversed()));
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
