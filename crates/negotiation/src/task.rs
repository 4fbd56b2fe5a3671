//! The tasks a session queues.

use crate::candidate::RemoteCandidate;
use crate::description::Description;
use crate::effect::{MediaCommand, OperationId, Outcome};
use crate::session::Session;
use crate::signaling::Side;
use crate::transceiver::{TrackId, TransceiverId};
use idl::Error;
use idl::{RTCOfferOptions, RTCRtpEncodingParameters, RTCSdpType, RTCSessionDescriptionInit};

/// Work for which the specification queues a task. The host appends it to its own queue, and runs
/// it with [`Session::run_task`] when its turn comes.
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
    RefuseDescription { operation: OperationId, error: Error },
    /// webrtc-pc §4.4.1.4 step 4.7
    ApplyDescription { operation: OperationId, side: Side, description: Box<Description> },
    /// webrtc-pc §4.4.1.4 step 4.7 for a rollback
    ApplyRollback { operation: OperationId, then_set: Option<Box<RTCSessionDescriptionInit>> },
    /// webrtc-pc §4.4.2 addIceCandidate step 4.7.1
    RefuseCandidate { operation: OperationId, error: Error },
    /// webrtc-pc §4.4.2 addIceCandidate step 4.7.2
    ApplyCandidate { operation: OperationId, candidate: Box<RemoteCandidate> },
    /// webrtc-pc §5.2 replaceTrack step 6.4.4
    ApplyReplacedTrack {
        operation: OperationId,
        transceiver: TransceiverId,
        with_track: Option<TrackId>,
    },
    /// Resolves a promise in a task of its own.
    Resolve { operation: OperationId },
    /// webrtc-pc §5.2 setParameters step 8.1
    ApplyParameters {
        operation: OperationId,
        transceiver: TransceiverId,
        encodings: Vec<RTCRtpEncodingParameters>,
    },
    /// webrtc-pc §5.2 getParameters step 5
    ForgetReturnedParameters { transceiver: TransceiverId },
    /// mediacapture-main §4.3.1: the track of the receiver ends.
    EndTrack { transceiver: TransceiverId },
}

/// What happens to a description once it is created.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// The promise resolves with it.
    Resolve,
    /// It is set as the local description, with this type.
    SetLocalDescription(RTCSdpType),
}

impl Session {
    /// Runs a task, when its turn comes in the host's queue. Not to be called within another
    /// method.
    pub fn run_task(&mut self, task: Task) {
        if self.is_closed() {
            return;
        }
        match task.0 {
            TaskKind::UpdateTheNegotiationNeededFlag => {
                self.run_update_the_negotiation_needed_flag();
            }
            TaskKind::FinalStepsToCreateAnOffer { operation, options, then } => {
                self.final_steps_to_create_an_offer(operation, &options, then);
            }
            TaskKind::FinalStepsToCreateAnAnswer { operation, then } => {
                self.final_steps_to_create_an_answer(operation, then);
            }
            TaskKind::RefuseDescription { operation, error }
            | TaskKind::RefuseCandidate { operation, error } => {
                // Both algorithms: if connection.[[IsClosed]] is true, abort these steps.
                self.settle_operation(operation, Err(error));
            }
            TaskKind::ApplyDescription { operation, side, description } => {
                self.apply_description(operation, side, description);
            }
            TaskKind::ApplyRollback { operation, then_set } => {
                self.apply_rollback(operation, then_set);
            }
            TaskKind::ApplyCandidate { operation, candidate } => {
                self.apply_candidate(operation, *candidate);
            }
            TaskKind::ApplyReplacedTrack { operation, transceiver, with_track } => {
                self.apply_replaced_track(operation, transceiver, with_track);
            }
            TaskKind::Resolve { operation } => {
                self.settle_operation(operation, Ok(Outcome::Undefined));
            }
            TaskKind::ApplyParameters { operation, transceiver, encodings } => {
                self.apply_parameters(operation, transceiver, encodings);
            }
            TaskKind::ForgetReturnedParameters { transceiver } => {
                self.forget_returned_parameters(transceiver);
            }
            TaskKind::EndTrack { transceiver } => {
                self.outputs.push_effect(MediaCommand::EndTrack { transceiver });
            }
        }
    }
}
