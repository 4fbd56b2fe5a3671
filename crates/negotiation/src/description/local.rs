//! `setLocalDescription()` (webrtc-pc §4.4.2) and the slots of a local description.

use super::Description;
use crate::dictionaries::RTCSdpType::{self, Answer, Offer, Pranswer, Rollback};
use crate::dictionaries::RTCSignalingState::{HaveLocalOffer, HaveRemotePranswer, Stable};
use crate::dictionaries::{
    RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCSessionDescriptionInit,
};
use crate::effect::OperationId;
use crate::error::Error;
use crate::section::Created;
use crate::session::Session;
use crate::task::Then;

impl Session {
    /// webrtc-pc §4.4.2 setLocalDescription step 4: what is chained.
    pub(crate) fn set_local_description_operation(
        &mut self,
        operation: OperationId,
        init: RTCLocalSessionDescriptionInit,
    ) {
        // Step 3
        let sdp = init.sdp;
        // Step 4.1
        let type_ = init.type_.unwrap_or(match self.signaling_state {
            Stable | HaveLocalOffer | HaveRemotePranswer => Offer,
            _ => Answer,
        });
        let last_created = match type_ {
            Offer => self.last_created_offer.as_ref(),
            Answer | Pranswer => self.last_created_answer.as_ref(),
            Rollback => {
                // Step 4.6
                let init = RTCSessionDescriptionInit { type_, sdp };
                return self.set_a_local_session_description(operation, init, None);
            }
        };
        // Steps 4.2 and 4.3
        if !sdp.is_empty() && last_created.is_none_or(|created| created.sdp != sdp) {
            return match self.edited(type_, last_created, &sdp) {
                Ok(created) => {
                    let init = RTCSessionDescriptionInit { type_, sdp };
                    self.set_a_local_session_description(operation, init, Some(created));
                }
                Err(error) => self.operation_settled(operation, Err(error)),
            };
        }
        // Steps 4.4 and 4.5
        let created = last_created
            .filter(|created| !sdp.is_empty() || created.system_state == self.system_state);
        let Some(created) = created else {
            // Steps 4.4.2 and 4.5.2
            let then = Then::SetLocalDescription(type_);
            return match type_ {
                Offer => self.create_an_offer(operation, RTCOfferOptions::default(), then),
                _ => self.create_an_answer(operation, then),
            };
        };
        // Steps 4.4.1, 4.5.1 and 4.6
        let init = RTCSessionDescriptionInit { type_, sdp: created.sdp.clone() };
        let created = created.clone();
        self.set_a_local_session_description(operation, init, Some(created));
    }

    /// What was created, as the application has edited it, if it may.
    fn edited(
        &self,
        type_: RTCSdpType,
        last_created: Option<&Created>,
        sdp: &str,
    ) -> Result<Created, Error> {
        let refused = |why: String| {
            let message = format!("the {type_} is not the last one that was created{why}");
            Error::InvalidModificationError(message)
        };
        match last_created.filter(|_| self.accepts_edited_descriptions) {
            Some(created) => created.edited(sdp).map_err(|what| refused(format!(": {what}"))),
            None => Err(refused(String::new())),
        }
    }

    /// webrtc-pc §4.4.1.4 step 4.7.5
    ///
    /// Releasing early candidates is part of it, and there are none: a generation is gathered
    /// because of a description that has been set, so `[[EarlyCandidates]]` is always empty.
    pub(super) fn set_local_slots(&mut self, description: Description) {
        match description.type_ {
            // Steps 4.7.5.1 and 4.7.5.3
            Offer | Pranswer => self.pending_local_description = Some(description),
            // Step 4.7.5.2
            Answer | Rollback => {
                self.current_remote_description = self.pending_remote_description.take();
                self.current_local_description = Some(description);
                self.exchange_completed();
            }
        }
    }

    /// What steps 4.7.5.2 and 4.7.6.2 have in common, once the current slots are set.
    pub(super) fn exchange_completed(&mut self) {
        self.pending_local_description = None;
        self.pending_remote_description = None;
        self.last_created_offer = None;
        self.last_created_answer = None;
        self.empty_local_ice_credentials_to_replace();
    }
}
