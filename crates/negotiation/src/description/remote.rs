//! `setRemoteDescription()` (webrtc-pc §4.4.2).

use super::Source;
use crate::effect::OperationId;
use crate::operations::Method;
use crate::session::Session;
use crate::signaling::{Side, state_after};
use idl::RTCSdpType::{Offer, Rollback};
use idl::RTCSessionDescriptionInit;

impl Session {
    /// webrtc-pc §4.4.2 setRemoteDescription. An offer rolls back a local offer.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed or the type does not fit
    /// `signalingState`; [`Error::RTCError`] with `sdp-syntax-error` and the line;
    /// `InvalidAccessError` if the description contradicts itself, its offer or the session;
    /// `OperationError` if it asks for more transports than a connection may have.
    ///
    /// [`Error::RTCError`]: crate::Error::RTCError
    pub fn set_remote_description(
        &mut self,
        description: RTCSessionDescriptionInit,
    ) -> OperationId {
        self.chain_an_asynchronous_operation(Method::SetRemoteDescription(description))
    }

    /// webrtc-pc §4.4.2 setRemoteDescription step 3: what is chained.
    pub(crate) fn run_set_remote_description(
        &mut self,
        operation: OperationId,
        init: RTCSessionDescriptionInit,
    ) {
        // Step 3.1
        if init.type_ == Offer && state_after(self.signaling.state(), Side::Remote, Offer).is_err()
        {
            // Steps 3.1.1 and 3.1.2
            return self.roll_back(operation, Side::Local, Some(init));
        }
        // Step 3.2
        match init.type_ {
            Rollback => self.roll_back(operation, Side::Remote, None),
            type_ => self.set_a_session_description(operation, type_, Source::Peer(init.sdp)),
        }
    }

    /// `canTrickleIceCandidates`: whether the remote description indicates that the peer takes
    /// trickled candidates; `None` without a remote description.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        self.remote().map(|remote| remote.indicates("trickle"))
    }
}
