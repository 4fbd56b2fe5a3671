//! `setRemoteDescription()` (webrtc-pc §4.4.2) and the slots of a remote description.

use super::Description;
use crate::dictionaries::RTCSdpType::{Answer, Offer, Pranswer, Rollback};
use crate::dictionaries::RTCSessionDescriptionInit;
use crate::effect::OperationId;
use crate::session::Session;
use crate::signaling::Side;

impl Session {
    /// webrtc-pc §4.4.2 setRemoteDescription step 3: what is chained.
    pub(crate) fn set_remote_description_operation(
        &mut self,
        operation: OperationId,
        init: RTCSessionDescriptionInit,
    ) {
        // Step 3.1
        if init.type_ == Offer && !self.remote_type_is_valid(Offer) {
            // Steps 3.1.1 and 3.1.2
            return self.roll_back(operation, Side::Local, Some(init));
        }
        // Step 3.2
        self.set_a_remote_session_description(operation, init);
    }

    /// webrtc-pc §4.4.1.4 step 4.7.6
    pub(super) fn set_remote_slots(&mut self, description: Description) {
        match description.type_ {
            // Steps 4.7.6.1 and 4.7.6.3
            Offer | Pranswer => self.pending_remote_description = Some(description),
            // Step 4.7.6.2
            Answer | Rollback => {
                self.current_local_description = self.pending_local_description.take();
                self.current_remote_description = Some(description);
                self.exchange_completed();
            }
        }
    }
}
