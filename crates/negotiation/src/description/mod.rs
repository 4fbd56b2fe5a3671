//! webrtc-pc §4.4.1.4: set a session description.

mod applied;
mod edited;
mod local;
mod media;
mod remote;
mod simulcast;
mod validate;

use std::collections::HashSet;

use crate::dictionaries::RTCSdpType::{self, Answer, Offer, Pranswer, Rollback};
use crate::dictionaries::{RTCSessionDescriptionInit, RTCSignalingState};
use crate::effect::{Effect, Event, OperationId, Outcome};
use crate::error::{Error, RTCError};
use crate::section::Created;
use crate::session::Session;
use crate::signaling::Side;
use crate::task::TaskKind;
use crate::transceiver::{TrackEvents, Transceiver, TransceiverId};

pub(crate) use applied::{Description, is_data_channel_section, media_kind};
pub(crate) use simulcast::SimulcastRids;

/// A description on its way into its slot.
#[derive(Debug)]
pub(crate) struct Applying {
    description: Description,
    side: Side,
    /// Those that the sections of a local description were created for.
    transceivers: Vec<Option<TransceiverId>>,
}

impl Session {
    /// Sets a local session description, which is one that was created; `None` for a rollback.
    pub(crate) fn set_a_local_session_description(
        &mut self,
        operation: OperationId,
        init: RTCSessionDescriptionInit,
        created: Option<Created>,
    ) {
        self.set_a_session_description(operation, init, created, Side::Local);
    }

    /// Sets a remote session description.
    pub(crate) fn set_a_remote_session_description(
        &mut self,
        operation: OperationId,
        init: RTCSessionDescriptionInit,
    ) {
        self.set_a_session_description(operation, init, None, Side::Remote);
    }

    /// webrtc-pc §4.4.1.4: set a session description.
    fn set_a_session_description(
        &mut self,
        operation: OperationId,
        init: RTCSessionDescriptionInit,
        created: Option<Created>,
        side: Side,
    ) {
        if init.type_ == Rollback {
            return self.roll_back(operation, side, None);
        }
        // Step 4: the process that runs in parallel only reads; it is done when the task runs.
        // Step 3: so the set of transceivers is the one there is then.
        let task = match self.process_to_apply(&init, created, side) {
            // Step 4.6
            Err(error) => TaskKind::DescriptionFailed { operation, error },
            // Step 4.7
            Ok(applying) => {
                TaskKind::DescriptionApplied { operation, applying: Box::new(applying) }
            }
        };
        self.queue_a_task(task);
        // Step 5: the promise is the operation's.
    }

    /// Step 4: what is refused is refused for the first of the reasons of step 4.6.
    fn process_to_apply(
        &self,
        init: &RTCSessionDescriptionInit,
        created: Option<Created>,
        side: Side,
    ) -> Result<Applying, Error> {
        // Step 4.6.2
        self.signaling_state.after(side, init.type_)?;
        // Step 4.6.3
        let created = match created {
            Some(created) => created,
            None => Created::foreign(sdp::Description::parse(&init.sdp).map_err(RTCError::from)?),
        };
        let Created { description, transceivers, has_own_transport, formats, unedited, .. } =
            created;
        // A section without a mid gets none that another of the same description has.
        let own: HashSet<String> =
            description.media().iter().filter_map(|media| media.mid()).map(str::to_owned).collect();
        let mut mids = self.mid_generator();
        let mid_for = |index| {
            let before = self.mid_of_section(side, init.type_, index);
            before.filter(|mid| !own.contains(mid)).unwrap_or_else(|| mids.generate(&own))
        };
        let description = Description::new(init.type_, description, &has_own_transport, mid_for);
        let description = description.with_formats(formats).with_unedited(unedited);
        // Steps 4.6.4 to 4.6.7
        match side {
            Side::Local => self.validate_local(&description, &transceivers)?,
            Side::Remote => self.validate_remote(&description)?,
        }
        Ok(Applying { description, side, transceivers })
    }

    /// The mid of a section of a description that does not say it: that of the offer it answers, or
    /// the one that was given to the section before.
    fn mid_of_section(&self, side: Side, type_: RTCSdpType, index: usize) -> Option<String> {
        let before = match (side, type_) {
            (Side::Remote, Offer) | (Side::Local, _) => self.remote(),
            (Side::Remote, _) => self.local(),
        };
        let before = before.filter(|before| type_ != Offer || !before.is_rejected(index))?;
        before.mid(index).map(str::to_owned)
    }

    /// Step 4.7: the description is applied successfully.
    pub(crate) fn description_applied(&mut self, operation: OperationId, applying: Box<Applying>) {
        // Step 4.7.1
        if self.is_closed {
            return;
        }
        // Step 4.7.2: what addTrack() has added is in the set, with nothing to start over.
        // Step 4.7.3: their tasks are in the queue before this one.
        if self.unsettled_set_parameters > 0 {
            return self.queue_a_task(TaskKind::DescriptionApplied { operation, applying });
        }
        let Applying { description, side, transceivers } = *applying;
        let type_ = description.type_;
        let state = match self.signaling_state.after(side, type_) {
            Ok(state) => state,
            // Nothing but the chain changes the state, and this is its first operation.
            Err(error) => return self.operation_settled(operation, Err(error)),
        };
        // Step 4.7.4
        if type_ == Offer && self.signaling_state == RTCSignalingState::Stable {
            self.enter_negotiation();
        }
        self.note_mids(&description);
        self.learn_formats(&description);
        // Steps 4.7.5 and 4.7.6
        match side {
            Side::Local => self.set_local_slots(description),
            Side::Remote => self.set_remote_slots(description),
        }
        let changed = self.set_signaling_state(state);
        self.system_state_changed();
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
        // Step 4.7.11; step 4.7.12 is `rolled_back`.
        let mut events = TrackEvents::default();
        match side {
            Side::Local => self.apply_local_media(type_, &transceivers, &mut events),
            Side::Remote => self.apply_remote_media(type_, &mut events),
        }
        // Step 4.7.13
        let removed =
            if type_ == Answer { self.remove_rejected_transceivers() } else { Vec::new() };
        // Step 4.7.14
        if self.signaling_state == RTCSignalingState::Stable {
            self.entered_stable();
        }
        // Step 4.7.15
        if changed {
            self.fire_signaling_state_change();
        }
        // Step 4.7.16
        self.fire_errors_at_channels(error_list);
        // Steps 4.7.17 to 4.7.20
        self.fire_track_events(events);
        self.removed(&removed);
        // Step 4.7.21
        self.operation_settled(operation, Ok(Outcome::Undefined));
    }

    /// Step 4.7.4
    fn enter_negotiation(&mut self) {
        // Step 4.7.4.1
        self.last_stable_state_sctp_transport = self.sctp_transport.clone();
        // RFC 9429 §3.5.1: the bit is lost when new credentials are applied; a rollback brings
        // back that they are needed.
        self.last_stable_state_needs_ice_restart = self.needs_ice_restart;
        self.transports.enter_negotiation();
        // Step 4.7.4.2
        self.transceivers.for_each_mut(Transceiver::enter_negotiation);
        // A section may be recycled whose transceiver has left the set.
        for transceiver in self.transceivers.all_mut() {
            transceiver.last_stable_state_mid.clone_from(&transceiver.jsep_mid);
        }
    }

    /// Step 4.7.14
    pub(crate) fn entered_stable(&mut self) {
        // Step 4.7.14.1
        self.transports.close_unused(&mut self.effects);
        // Step 4.7.14.2
        self.transceivers.for_each_mut(|transceiver| {
            transceiver.created_by_pending = false;
            transceiver.remove_codecs_not_negotiated();
        });
        // Step 4.7.14.3
        self.negotiation_needed = false;
        self.update_the_negotiation_needed_flag();
    }

    /// Sets `[[SignalingState]]`; says whether it changed.
    pub(crate) fn set_signaling_state(&mut self, state: RTCSignalingState) -> bool {
        let changed = self.signaling_state != state;
        if changed {
            tracing::debug!(from = %self.signaling_state, to = %state, "signaling state");
        }
        self.signaling_state = state;
        changed
    }

    pub(crate) fn fire_signaling_state_change(&mut self) {
        let event = Event::SignalingStateChange(self.signaling_state);
        self.effects.push_back(Effect::Fire(event));
    }

    /// `remoteDescription`: what is pending, else what is current.
    pub(crate) fn remote(&self) -> Option<&Description> {
        self.pending_remote_description.as_ref().or(self.current_remote_description.as_ref())
    }

    /// `localDescription`: what is pending, else what is current.
    pub(crate) fn local(&self) -> Option<&Description> {
        self.pending_local_description.as_ref().or(self.current_local_description.as_ref())
    }

    /// Whether `[[SignalingState]]` lets a remote description of this type be set.
    pub(crate) fn remote_type_is_valid(&self, type_: RTCSdpType) -> bool {
        self.signaling_state.after(Side::Remote, type_).is_ok()
    }
}
