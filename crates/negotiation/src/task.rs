//! The tasks a session queues.

use crate::candidate::RemoteCandidate;
use crate::description::Applying;
use crate::dictionaries::{RTCOfferOptions, RTCRtpEncodingParameters};
use crate::effect::{Effect, MediaCommand, OperationId, Outcome};
use crate::error::Error;
use crate::session::Session;
use crate::transceiver::{TrackId, TransceiverId};

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
    DescriptionApplied { operation: OperationId, applying: Box<Applying> },
    /// webrtc-pc §4.4.1.4 step 4.7 for a rollback
    RolledBack { operation: OperationId, then_set: Option<Box<crate::RTCSessionDescriptionInit>> },
    /// webrtc-pc §4.4.2 addIceCandidate step 4.7.1
    CandidateFailed { operation: OperationId, error: Error },
    /// webrtc-pc §4.4.2 addIceCandidate step 4.7.2
    CandidateApplied { operation: OperationId, candidate: Box<RemoteCandidate> },
    /// webrtc-pc §5.2 replaceTrack step 6.4.4
    TrackReplaced {
        operation: OperationId,
        transceiver: TransceiverId,
        with_track: Option<TrackId>,
    },
    /// A promise that is resolved in a task of its own.
    Resolve { operation: OperationId },
    /// webrtc-pc §5.2 setParameters step 8.1
    ParametersSet {
        operation: OperationId,
        transceiver: TransceiverId,
        encodings: Vec<RTCRtpEncodingParameters>,
    },
    /// webrtc-pc §5.2 getParameters step 5
    ForgetReturnedParameters { transceiver: TransceiverId },
    /// mediacapture-main §4.3.1: the track of the receiver ends.
    EndTrack { transceiver: TransceiverId },
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
            TaskKind::DescriptionApplied { operation, applying } => {
                self.description_applied(operation, applying);
            }
            TaskKind::RolledBack { operation, then_set } => self.rolled_back(operation, then_set),
            TaskKind::CandidateApplied { operation, candidate } => {
                self.candidate_applied(operation, *candidate);
            }
            TaskKind::TrackReplaced { operation, transceiver, with_track } => {
                self.track_replaced(operation, transceiver, with_track);
            }
            TaskKind::Resolve { operation } => {
                self.operation_settled(operation, Ok(Outcome::Undefined));
            }
            TaskKind::ParametersSet { operation, transceiver, encodings } => {
                self.parameters_set(operation, transceiver, encodings);
            }
            TaskKind::ForgetReturnedParameters { transceiver } => {
                self.forget_returned_parameters(transceiver);
            }
            TaskKind::EndTrack { transceiver } => {
                let command = MediaCommand::EndTrack { transceiver };
                self.effects.push_back(Effect::Media(command));
            }
        }
    }
}
