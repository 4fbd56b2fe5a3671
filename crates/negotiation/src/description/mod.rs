//! webrtc-pc §4.4.1.4: set a session description.

mod applied;
mod created;
mod edited;
mod local;
mod media;
mod remote;
mod simulcast;
mod slots;
mod validate;

use std::collections::HashSet;

use crate::effect::{OperationId, Outcome};
use crate::session::Session;
use crate::signaling::{Side, state_after};
use crate::task::TaskKind;
use crate::transceiver::{TrackEvents, Transceiver};
use idl::RTCSdpType::{self, Answer, Offer, Pranswer};
use idl::RTCSignalingState;
use idl::{Error, RTCError, RTCErrorDetailType, RTCErrorInit};

pub(crate) use applied::{Description, is_data_channel_section, media_kind};
pub(crate) use created::{Background, Created, LastCreated};
pub(crate) use simulcast::SimulcastRids;
pub(crate) use slots::Descriptions;

/// Where a description comes from when it is set.
pub(crate) enum Source {
    /// This side created it: `setLocalDescription()`.
    Created(Box<Created>),
    /// The peer sent this text: `setRemoteDescription()`.
    Peer(String),
}

impl Source {
    fn side(&self) -> Side {
        match self {
            Self::Created(_) => Side::Local,
            Self::Peer(_) => Side::Remote,
        }
    }
}

impl Session {
    /// webrtc-pc §4.4.1.4: set a session description. For the type rollback that is
    /// [`roll_back`](Self::roll_back).
    pub(crate) fn set_a_session_description(
        &mut self,
        operation: OperationId,
        type_: RTCSdpType,
        source: Source,
    ) {
        let side = source.side();
        // Step 4: the parallel process only reads, so it is over before the task runs.
        // Step 3: the task reads the set of transceivers when it runs.
        let task = match self.process_to_apply(type_, source) {
            // Step 4.6
            Err(error) => TaskKind::RefuseDescription { operation, error },
            // Step 4.7
            Ok(description) => {
                let description = Box::new(description);
                TaskKind::ApplyDescription { operation, side, description }
            }
        };
        self.outputs.queue_task(task);
        // Step 5: the promise is the operation's.
    }

    /// Step 4. The error is the first of the reasons of step 4.6 that applies.
    fn process_to_apply(&self, type_: RTCSdpType, source: Source) -> Result<Description, Error> {
        let side = source.side();
        // Step 4.6.2
        state_after(self.signaling.state(), side, type_)?;
        // Step 4.6.3
        let (sdp, background) = match source {
            Source::Created(created) => (created.description, created.background),
            Source::Peer(text) => {
                let sdp = sdp::Description::parse(&text).map_err(sdp_syntax_error)?;
                (sdp, Background::default())
            }
        };
        // The mid that is made for a section differs from all mids of the description.
        let own: HashSet<String> =
            sdp.media().iter().filter_map(|media| media.mid()).map(str::to_owned).collect();
        let mut mids = self.mid_generator();
        let mid_for = |index| {
            let before = self.find_mid(side, type_, index);
            before.filter(|mid| !own.contains(mid)).unwrap_or_else(|| mids.generate(&own))
        };
        let description = Description::new(type_, sdp, background, mid_for);
        // Steps 4.6.4 to 4.6.7
        match side {
            Side::Local => self.validate_local(&description)?,
            Side::Remote => self.validate_remote(&description)?,
        }
        Ok(description)
    }

    /// The mid of a section without `a=mid`: the one that the section has in the offer that it
    /// answers, or the one that it was given before.
    fn find_mid(&self, side: Side, type_: RTCSdpType, index: usize) -> Option<String> {
        let before = match (side, type_) {
            (Side::Remote, Offer) | (Side::Local, _) => self.remote(),
            (Side::Remote, _) => self.local(),
        };
        let before = before.filter(|before| type_ != Offer || !before.is_rejected(index))?;
        before.mid(index).map(str::to_owned)
    }

    /// Step 4.7: applies a description.
    pub(crate) fn apply_description(
        &mut self,
        operation: OperationId,
        side: Side,
        description: Box<Description>,
    ) {
        // Step 4.7.1
        if self.is_closed() {
            return;
        }
        // Step 4.7.2: this task sees the transceivers of addTrack(), so it need not start over.
        // Step 4.7.3: behind the tasks that settle these promises.
        if self.operations.has_unsettled_set_parameters() {
            let task = TaskKind::ApplyDescription { operation, side, description };
            return self.outputs.queue_task(task);
        }
        let type_ = description.type_;
        let state = match state_after(self.signaling.state(), side, type_) {
            Ok(state) => state,
            // Nothing but the chain changes the state, and this is its first operation.
            Err(error) => return self.settle_operation(operation, Err(error)),
        };
        // Step 4.7.4
        if type_ == Offer && self.signaling.state() == RTCSignalingState::Stable {
            self.enter_negotiation();
        }
        self.mids.reserve(&description);
        self.learn_formats(&description);
        // Steps 4.7.5 and 4.7.6
        self.set_slots(side, description);
        let changed = self.signaling.set(state);
        self.last_created.system_state_changed();
        self.apply_to_transports(side, type_);
        // Step 4.7.7
        if type_ == Offer {
            self.create_sctp_transport_if_described(side);
        }
        // Step 4.7.8
        if type_ == Answer {
            self.close_sctp_association_if_described();
        }
        // Step 4.7.9
        let mut error_list = Vec::new();
        // Step 4.7.10
        if matches!(type_, Answer | Pranswer) {
            // Step 4.7.10.1
            self.establish_sctp_association();
            // Step 4.7.10.2
            self.give_ids_to_channels(&mut error_list);
        }
        // Step 4.7.11; step 4.7.12 is `apply_rollback`.
        let mut events = TrackEvents::default();
        match side {
            Side::Local => self.apply_local_media(type_, &mut events),
            Side::Remote => self.apply_remote_media(type_, &mut events),
        }
        if type_ == Offer {
            // For an answer the transports say it, before DTLS starts.
            self.update_media();
        }
        // Step 4.7.13
        let removed =
            if type_ == Answer { self.remove_rejected_transceivers() } else { Vec::new() };
        // Step 4.7.14
        if self.signaling.state() == RTCSignalingState::Stable {
            self.return_to_stable();
        }
        // Step 4.7.15
        if changed {
            self.fire_signaling_state_change();
        }
        // Step 4.7.16
        self.fire_errors_at_channels(error_list);
        // Steps 4.7.17 to 4.7.20
        self.fire_track_events(events);
        self.announce_removed(&removed);
        // Step 4.7.21
        self.settle_operation(operation, Ok(Outcome::Undefined));
    }

    /// Steps 4.7.5 and 4.7.6
    ///
    /// Step 4.7.5 also releases early candidates. `[[EarlyCandidates]]` is always empty, since only
    /// a description that has been set begins the gathering.
    fn set_slots(&mut self, side: Side, description: Box<Description>) {
        let completes_exchange = description.type_ == Answer;
        self.descriptions.set(side, description);
        // Steps 4.7.5.2 and 4.7.6.2
        if completes_exchange {
            self.last_created.clear();
            if let Some(current) = self.descriptions.current(Side::Local) {
                self.ice_restart.complete(current);
            }
        }
    }

    /// Keeps which payload types and ids an applied description gives to codecs and header
    /// extensions.
    fn learn_formats(&mut self, description: &Description) {
        for (index, media) in description.sdp.media().iter().enumerate() {
            if let (Some(_), false) = (media_kind(media), media.is_rejected())
                && let Some(formats) = description.formats(index)
            {
                self.assignments.learn(formats);
            }
        }
    }

    /// Step 4.7.4
    fn enter_negotiation(&mut self) {
        // Step 4.7.4.1
        self.sctp.enter_negotiation();
        self.ice_restart.enter_negotiation();
        self.transports.enter_negotiation();
        // Step 4.7.4.2
        self.transceivers.for_each_mut(Transceiver::enter_negotiation);
        // All of them: a description may recycle the section of a transceiver that left the set.
        for transceiver in self.transceivers.all_mut() {
            transceiver.last_stable_state_mid.clone_from(&transceiver.jsep_mid);
        }
    }

    /// Step 4.7.14
    pub(crate) fn return_to_stable(&mut self) {
        // Step 4.7.14.1
        self.transports.close_unused(&mut self.outputs);
        // Step 4.7.14.2
        self.transceivers.for_each_mut(|transceiver| {
            transceiver.created_by_pending = false;
            transceiver.remove_codecs_not_negotiated();
        });
        // Step 4.7.14.3
        self.renew_negotiation_needed();
    }
}

/// webrtc-pc §4.4.1.4 step 4.6.3.
fn sdp_syntax_error(error: sdp::Error) -> RTCError {
    let init = RTCErrorInit {
        sdp_line_number: error.line().map(|line| i32::try_from(line).unwrap_or(i32::MAX)),
        ..RTCErrorInit::new(RTCErrorDetailType::SdpSyntaxError)
    };
    // The message names the line, too.
    RTCError::new(init, error.to_string())
}
