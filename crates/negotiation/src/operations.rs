//! webrtc-pc §4.4.1.2: the operations chain.

use std::collections::VecDeque;

use crate::description::{Created, Source};
use crate::effect::{OperationId, Outcome};
use crate::session::Session;
use crate::task::Then;
use crate::transceiver::{TrackId, TransceiverId};
use idl::Error;
use idl::{
    RTCIceCandidateInit, RTCLocalSessionDescriptionInit, RTCOfferOptions, RTCSdpType,
    RTCSessionDescriptionInit,
};

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

/// The promises of a session: those on the operations chain, and those of `setParameters()`.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    /// `[[Operations]]`: the first is executing and has given its method away. The others wait with
    /// their method for their turn.
    chain: VecDeque<(OperationId, Option<Method>)>,
    /// "promises from setParameters methods [that] are not settled" (webrtc-pc §4.4.1.4 step 4.7.3)
    unsettled_set_parameters: usize,
    next: u64,
}

impl Operations {
    /// The length of the chain.
    pub(crate) fn len(&self) -> usize {
        self.chain.len()
    }

    /// Gives back the memory for more operations.
    pub(crate) fn rest(&mut self) {
        self.chain.shrink_to_fit();
    }

    /// Makes the id of a promise.
    pub(crate) fn make_id(&mut self) -> OperationId {
        let operation = OperationId(self.next);
        self.next = self.next.wrapping_add(1);
        operation
    }

    pub(crate) fn begin_set_parameters(&mut self) {
        self.unsettled_set_parameters = self.unsettled_set_parameters.saturating_add(1);
    }

    pub(crate) fn end_set_parameters(&mut self) {
        self.unsettled_set_parameters = self.unsettled_set_parameters.saturating_sub(1);
    }

    pub(crate) fn has_unsettled_set_parameters(&self) -> bool {
        self.unsettled_set_parameters > 0
    }
}

/// What reacts to a promise that was settled. It runs once the effects before it have been
/// delivered.
#[derive(Debug)]
pub(crate) enum Microtask {
    /// Step 7.4: the promise of the first operation is settled.
    OperationSettled,
    /// `setLocalDescription()` had to create an offer or an answer first: the fulfillment step of
    /// that promise.
    SetLocalDescription { operation: OperationId, type_: RTCSdpType, created: Box<Created> },
    /// `setRemoteDescription()` had to roll back first: the fulfillment step of that promise.
    SetRemoteDescription { operation: OperationId, description: RTCSessionDescriptionInit },
}

impl Session {
    /// webrtc-pc §4.4.1.2: chain an operation.
    pub(crate) fn chain_an_asynchronous_operation(&mut self, method: Method) -> OperationId {
        let operation = self.operations.make_id();
        // Step 2
        if self.is_closed() {
            let error = Error::InvalidStateError("the connection is closed".into());
            self.outputs.settle(operation, Err(error));
            return operation;
        }
        // Steps 3 to 5
        self.operations.chain.push_back((operation, Some(method)));
        // Step 6
        if self.operations.len() == 1 {
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
                self.create_an_offer(operation, options, Then::Resolve);
            }
            Some(Method::CreateAnswer) => self.create_an_answer(operation, Then::Resolve),
            Some(Method::SetLocalDescription(description)) => {
                self.run_set_local_description(operation, description);
            }
            Some(Method::SetRemoteDescription(description)) => {
                self.run_set_remote_description(operation, description);
            }
            Some(Method::AddIceCandidate(candidate)) => {
                self.run_add_ice_candidate(operation, candidate);
            }
            Some(Method::ReplaceTrack { transceiver, with_track }) => {
                self.run_replace_track(operation, transceiver, with_track);
            }
            None => {}
        }
    }

    /// Step 7: settles the promise of the first operation.
    pub(crate) fn settle_operation(
        &mut self,
        operation: OperationId,
        result: Result<Outcome, Error>,
    ) {
        // Step 7.1
        if self.is_closed() {
            return;
        }
        // Steps 7.2, 7.3
        self.outputs.settle(operation, result);
        // Step 7.4 runs behind the reactions that the application registered for the promise.
        self.outputs.queue_microtask(Microtask::OperationSettled);
    }

    /// Runs a promise reaction and returns `true`, or returns `false` if none is due. The host
    /// calls this after every method and every task, when it has delivered the effects, until it
    /// returns `false`.
    pub fn run_microtask(&mut self) -> bool {
        let Some(microtask) = self.outputs.take_microtask() else { return false };
        match microtask {
            Microtask::OperationSettled => self.continue_chain(),
            Microtask::SetLocalDescription { operation, type_, created } => {
                self.set_a_session_description(operation, type_, Source::Created(created));
            }
            Microtask::SetRemoteDescription { operation, description } => {
                let RTCSessionDescriptionInit { type_, sdp } = description;
                self.set_a_session_description(operation, type_, Source::Peer(sdp));
            }
        }
        true
    }

    /// Step 7.4
    fn continue_chain(&mut self) {
        // Step 7.4.1
        if self.is_closed() {
            return;
        }
        // Step 7.4.2
        self.operations.chain.pop_front();
        if self.operations.chain.is_empty() {
            // An empty chain keeps no memory.
            self.operations.chain = VecDeque::new();
        }
        // Step 7.4.3
        if self.operations.len() != 0 {
            self.execute_first_operation();
            return;
        }
        // Steps 7.4.4 and 7.4.5
        if self.negotiation_needed.take_update_on_empty_chain() {
            // Step 7.4.6
            self.update_the_negotiation_needed_flag();
        }
    }
}

#[cfg(test)]
impl Session {
    /// How many promises have been returned.
    pub(crate) fn operation_count(&self) -> u64 {
        self.operations.next
    }
}
