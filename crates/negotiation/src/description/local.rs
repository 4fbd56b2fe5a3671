//! `setLocalDescription()` (webrtc-pc §4.4.2).

use super::Source;
use crate::effect::OperationId;
use crate::operations::Method;
use crate::session::Session;
use crate::signaling::Side;
use crate::task::Then;
use idl::RTCSdpType::{Answer, Offer, Rollback};
use idl::RTCSignalingState::{HaveLocalOffer, HaveRemotePranswer, Stable};
use idl::{RTCLocalSessionDescriptionInit, RTCOfferOptions};

impl Session {
    /// webrtc-pc §4.4.2 setLocalDescription. `None` leaves everything to be inferred.
    ///
    /// # Errors
    /// `InvalidModificationError` if `sdp` is not what `createOffer()` or `createAnswer()` made
    /// last, nor an edit of it that is [accepted](Self::set_accepts_edited_descriptions);
    /// `InvalidStateError` if the connection is closed or the type does not fit `signalingState`;
    /// `InvalidAccessError` if the description was made for another state of the negotiation.
    pub fn set_local_description(
        &mut self,
        description: Option<RTCLocalSessionDescriptionInit>,
    ) -> OperationId {
        self.configuration.note_set_local_description();
        let description = description.unwrap_or_default();
        self.chain_an_asynchronous_operation(Method::SetLocalDescription(description))
    }

    /// webrtc-pc §4.4.2 setLocalDescription step 4: what is chained.
    pub(crate) fn run_set_local_description(
        &mut self,
        operation: OperationId,
        init: RTCLocalSessionDescriptionInit,
    ) {
        // Step 3
        let sdp = init.sdp;
        // Step 4.1
        let type_ = init.type_.unwrap_or(match self.signaling.state() {
            Stable | HaveLocalOffer | HaveRemotePranswer => Offer,
            _ => Answer,
        });
        if type_ == Rollback {
            // Step 4.6
            return self.roll_back(operation, Side::Local, None);
        }
        // Steps 4.2 to 4.5
        match self.last_created.find(type_, &sdp) {
            Err(error) => self.settle_operation(operation, Err(error)),
            // Step 4.6
            Ok(Some(created)) => {
                self.set_a_session_description(
                    operation,
                    type_,
                    Source::Created(Box::new(created)),
                );
            }
            // Steps 4.4.2 and 4.5.2
            Ok(None) => {
                let then = Then::SetLocalDescription(type_);
                match type_ {
                    Offer => self.create_an_offer(operation, RTCOfferOptions::default(), then),
                    _ => self.create_an_answer(operation, then),
                }
            }
        }
    }
}
