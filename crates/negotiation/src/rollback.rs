//! webrtc-pc §4.4.1.4 for descriptions of type rollback; RFC 9429 §5.7.

use crate::dictionaries::{RTCSdpType, RTCSessionDescriptionInit, RTCSignalingState};
use crate::effect::{Effect, OperationId, Outcome, TransportCommand};
use crate::operations::Microtask;
use crate::session::Session;
use crate::signaling::Side;
use crate::task::TaskKind;

impl Session {
    /// Sets a description of type rollback, and then, if `setRemoteDescription()` rolls back for
    /// it, the offer that caused it. The content of the rollback is not looked at.
    pub(crate) fn roll_back(
        &mut self,
        operation: OperationId,
        side: Side,
        then_set: Option<RTCSessionDescriptionInit>,
    ) {
        // Step 2: refused at once in stable and after a provisional answer.
        if let Err(error) = self.signaling_state.after(side, RTCSdpType::Rollback) {
            return self.operation_settled(operation, Err(error));
        }
        // Step 4.7
        self.queue_a_task(TaskKind::RolledBack { operation, then_set: then_set.map(Box::new) });
    }

    /// Step 4.7 for a rollback.
    pub(crate) fn rolled_back(
        &mut self,
        operation: OperationId,
        then_set: Option<Box<RTCSessionDescriptionInit>>,
    ) {
        // Step 4.7.1
        if self.is_closed {
            return;
        }
        // Step 4.7.12.1 is for transceivers.
        // Step 4.7.12.2
        let last_stable = self.last_stable_state_sctp_transport.clone();
        if self.sctp_transport.is_some() && last_stable.is_none() {
            self.effects.push_back(Effect::Transport(TransportCommand::DestroySctp));
        }
        self.sctp_transport = last_stable;
        // RFC 9429 §5.7: what was allocated for the abandoned description is discarded.
        self.transports.roll_back(&mut self.effects);
        self.needs_ice_restart |= self.last_stable_state_needs_ice_restart;
        // Step 4.7.12.3 is for transceivers.
        // Step 4.7.12.4
        self.pending_local_description = None;
        self.pending_remote_description = None;
        let changed = self.set_signaling_state(RTCSignalingState::Stable);
        self.system_state_changed();
        // Step 4.7.14
        self.entered_stable();
        // Step 4.7.15
        if changed {
            self.fire_signaling_state_change();
        }
        // Step 4.7.21
        match then_set {
            None => self.operation_settled(operation, Ok(Outcome::Undefined)),
            // webrtc-pc §4.4.2 setRemoteDescription step 3.1.2
            Some(description) => self.microtasks.push_back(Microtask::SetRemoteDescription {
                operation,
                description: *description,
            }),
        }
    }
}
