//! The tasks a session queues.

use crate::candidate::RemoteCandidate;
use crate::description::Description;
use crate::dictionaries::RTCOfferOptions;
use crate::effect::OperationId;
use crate::error::Error;
use crate::session::Session;
use crate::signaling::Side;

/// Work that the specification queues a task for. The host keeps it in its queue, behind what is
/// in there already, and runs it with [`Session::run_task`].
#[derive(Debug)]
pub struct Task(pub(crate) TaskKind);

#[derive(Debug)]
pub(crate) enum TaskKind {
    /// webrtc-pc §4.7.3 step 2
    UpdateTheNegotiationNeededFlag,
    /// webrtc-pc §4.4.2 createOffer: in-parallel steps, step 4
    FinalStepsToCreateAnOffer { operation: OperationId, options: RTCOfferOptions, then: Then },
    /// webrtc-pc §4.4.2 createAnswer: in-parallel steps, step 4
    FinalStepsToCreateAnAnswer { operation: OperationId, then: Then },
    /// webrtc-pc §4.4.1.4 step 4.6
    DescriptionFailed { operation: OperationId, error: Error },
    /// webrtc-pc §4.4.1.4 step 4.7
    DescriptionApplied { operation: OperationId, description: Box<Description>, side: Side },
    /// webrtc-pc §4.4.1.4 step 4.7 for a rollback
    RolledBack { operation: OperationId, then_set: Option<Box<crate::RTCSessionDescriptionInit>> },
    /// webrtc-pc §4.4.2 addIceCandidate step 4.7.1
    CandidateFailed { operation: OperationId, error: Error },
    /// webrtc-pc §4.4.2 addIceCandidate step 4.7.2
    CandidateApplied { operation: OperationId, candidate: Box<RemoteCandidate> },
}

/// What becomes of a description that was created.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// It is what the promise resolves with.
    Resolve,
    /// It is set as the local description, as this type.
    SetLocalDescription(crate::RTCSdpType),
}

impl Session {
    pub(crate) fn queue_a_task(&mut self, task: TaskKind) {
        self.tasks.push_back(Task(task));
    }

    pub(crate) fn run(&mut self, task: TaskKind) {
        match task {
            TaskKind::UpdateTheNegotiationNeededFlag => {
                self.run_update_the_negotiation_needed_flag();
            }
            TaskKind::FinalStepsToCreateAnOffer { operation, options, then } => {
                self.final_steps_to_create_an_offer(operation, &options, then);
            }
            TaskKind::FinalStepsToCreateAnAnswer { operation, then } => {
                self.final_steps_to_create_an_answer(operation, then);
            }
            TaskKind::DescriptionFailed { operation, error }
            | TaskKind::CandidateFailed { operation, error } => {
                // Both algorithms: if connection.[[IsClosed]] is true, abort these steps.
                self.operation_settled(operation, Err(error));
            }
            TaskKind::DescriptionApplied { operation, description, side } => {
                self.description_applied(operation, *description, side);
            }
            TaskKind::RolledBack { operation, then_set } => self.rolled_back(operation, then_set),
            TaskKind::CandidateApplied { operation, candidate } => {
                self.candidate_applied(operation, *candidate);
            }
        }
    }
}
