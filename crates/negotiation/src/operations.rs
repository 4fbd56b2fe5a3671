//! webrtc-pc §4.4.1.2: the operations chain.

use std::collections::VecDeque;

use crate::dictionaries::{
    RTCIceCandidateInit, RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCSdpType,
    RTCSessionDescriptionInit,
};
use crate::effect::{Effect, OperationId, Outcome};
use crate::error::Error;
use crate::session::Session;
use crate::transceiver::{TrackId, TransceiverId};

/// A method that goes through the chain, with its arguments.
#[derive(Debug)]
pub(crate) enum Method {
    CreateOffer(RTCOfferOptions),
    CreateAnswer,
    SetLocalDescription(RTCLocalSessionDescriptionInit),
    SetRemoteDescription(RTCSessionDescriptionInit),
    AddIceCandidate(RTCIceCandidateInit),
    ReplaceTrack { transceiver: TransceiverId, with_track: Option<TrackId> },
}

/// `[[Operations]]`: the first is executing, the others wait for their turn with their method.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    chain: VecDeque<(OperationId, Option<Method>)>,
}

impl Operations {
    pub(crate) fn len(&self) -> usize {
        self.chain.len()
    }
}

/// What follows a promise that was settled; runs once the effects before it have been delivered.
#[derive(Debug)]
pub(crate) enum Microtask {
    /// Step 7.4: the promise of the first operation is settled.
    OperationSettled,
    /// The fulfillment step of the promise that `setLocalDescription()` created an offer or
    /// answer with.
    SetLocalDescription { operation: OperationId, description: RTCSessionDescriptionInit },
    /// The fulfillment step of the promise that `setRemoteDescription()` rolled back with.
    SetRemoteDescription { operation: OperationId, description: RTCSessionDescriptionInit },
}

impl Session {
    /// webrtc-pc §4.4.1.2: chain an operation.
    pub(crate) fn chain_an_asynchronous_operation(&mut self, method: Method) -> OperationId {
        let operation = self.next_operation_id();
        // Step 2
        if self.is_closed {
            self.reject(operation, Error::InvalidStateError("the connection is closed".into()));
            return operation;
        }
        // Steps 3 to 5
        self.operations.chain.push_back((operation, Some(method)));
        // Step 6
        if self.operations.chain.len() == 1 {
            self.execute_first_operation();
        }
        // Step 8
        operation
    }

    fn execute_first_operation(&mut self) {
        let Some((operation, method)) = self.operations.chain.front_mut() else { return };
        let operation = *operation;
        match method.take() {
            Some(Method::CreateOffer(options)) => {
                self.create_an_offer_operation(operation, options)
            }
            Some(Method::CreateAnswer) => self.create_an_answer_operation(operation),
            Some(Method::SetLocalDescription(description)) => {
                self.set_local_description_operation(operation, description);
            }
            Some(Method::SetRemoteDescription(description)) => {
                self.set_remote_description_operation(operation, description);
            }
            Some(Method::AddIceCandidate(candidate)) => {
                self.add_ice_candidate_operation(operation, candidate);
            }
            Some(Method::ReplaceTrack { transceiver, with_track }) => {
                self.replace_track_operation(operation, transceiver, with_track);
            }
            None => {}
        }
    }

    /// Step 7: the promise returned by the first operation is settled.
    pub(crate) fn operation_settled(
        &mut self,
        operation: OperationId,
        result: Result<Outcome, Error>,
    ) {
        // Step 7.1
        if self.is_closed {
            return;
        }
        // Steps 7.2, 7.3
        self.effects.push_back(Effect::Settle { operation, result });
        // Step 7.4 runs behind the reactions that the application registered for the promise.
        self.microtasks.push_back(Microtask::OperationSettled);
    }

    /// Rejects a promise that is not on the chain.
    pub(crate) fn reject(&mut self, operation: OperationId, error: Error) {
        self.effects.push_back(Effect::Settle { operation, result: Err(error) });
    }

    pub(crate) fn run_next_microtask(&mut self) -> bool {
        let Some(microtask) = self.microtasks.pop_front() else { return false };
        match microtask {
            Microtask::OperationSettled => self.continue_chain(),
            Microtask::SetLocalDescription { operation, description } => {
                let created = match description.type_ {
                    RTCSdpType::Offer => &self.last_created_offer,
                    _ => &self.last_created_answer,
                };
                // It was created just now.
                let created = created.clone().filter(|created| created.sdp == description.sdp);
                self.set_a_local_session_description(operation, description, created);
            }
            Microtask::SetRemoteDescription { operation, description } => {
                self.set_a_remote_session_description(operation, description);
            }
        }
        true
    }

    /// Step 7.4
    fn continue_chain(&mut self) {
        // Step 7.4.1
        if self.is_closed {
            return;
        }
        // Step 7.4.2
        self.operations.chain.pop_front();
        // Step 7.4.3
        if self.operations.len() != 0 {
            self.execute_first_operation();
            return;
        }
        // Step 7.4.4
        if !self.update_negotiation_needed_flag_on_empty_chain {
            return;
        }
        // Step 7.4.5
        self.update_negotiation_needed_flag_on_empty_chain = false;
        // Step 7.4.6
        self.update_the_negotiation_needed_flag();
    }
}
