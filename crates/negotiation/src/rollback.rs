//! webrtc-pc §4.4.1.4 for descriptions of type rollback; RFC 9429 §5.7.

use crate::dictionaries::{RTCSdpType, RTCSessionDescriptionInit, RTCSignalingState};
use crate::effect::{Effect, MediaCommand, OperationId, Outcome, TransportCommand};
use crate::operations::Microtask;
use crate::session::Session;
use crate::signaling::Side;
use crate::task::TaskKind;
use crate::transceiver::{TrackEvents, Transceiver, TransceiverId};

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
        // Step 4.7.12.1: what it says is known from the state before.
        // Step 4.7.12.2
        let last_stable = self.last_stable_state_sctp_transport.clone();
        if self.sctp_transport.is_some() && last_stable.is_none() {
            self.effects.push_back(Effect::Transport(TransportCommand::DestroySctp));
        }
        self.sctp_transport = last_stable;
        // RFC 9429 §5.7: what was allocated for the abandoned description is discarded.
        self.transports.roll_back(&mut self.effects);
        self.needs_ice_restart |= self.last_stable_state_needs_ice_restart;
        // Step 4.7.12.3
        let mut events = TrackEvents::default();
        let removed = self.roll_back_transceivers(&mut events);
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
        // Steps 4.7.17 to 4.7.20
        self.fire_track_events(events);
        self.removed(&removed);
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

    /// Step 4.7.12.3; those that have left the set.
    fn roll_back_transceivers(&mut self, events: &mut TrackEvents) -> Vec<TransceiverId> {
        // RFC 9429 §5.7: a section that the abandoned description recycled is that of the
        // transceiver before, which has left the set.
        for transceiver in self.transceivers.all_mut().filter(|t| t.stopped) {
            transceiver.jsep_mid.clone_from(&transceiver.last_stable_state_mid);
            transceiver.mid.clone_from(&transceiver.last_stable_state_mid);
        }
        let was_remote_offer = self.signaling_state == RTCSignalingState::HaveRemoteOffer;
        for id in self.transceivers.ids().to_vec() {
            let Some(transceiver) = self.transceivers.get_mut(id) else { continue };
            transceiver.roll_back();
            // Step 4.7.12.3.6
            if was_remote_offer {
                // Step 4.7.12.3.6.1
                let receiver = &transceiver.receiver;
                let msids = receiver.last_stable_state_associated_remote_media_streams.clone();
                // Step 4.7.12.3.6.2
                let direction = transceiver.current_direction;
                transceiver.process_remote_tracks(id, direction, msids, events);
                // w3c/webrtc-pc#3081: what the rolled back description changed.
                transceiver.receptive =
                    direction.is_some_and(crate::RTCRtpTransceiverDirection::receives);
            }
            // Step 4.7.12.3.7
            if transceiver.created_by_pending {
                if transceiver.track_attached {
                    // It is found for the next offer of the peer as if addTrack() had made it.
                    transceiver.created_by_pending = false;
                    transceiver.added_by_add_track = true;
                } else {
                    self.stop_the_transceiver(id, false);
                }
            }
        }
        self.transceivers.remove_where(|transceiver| transceiver.created_by_pending)
    }

    /// They have left the set of transceivers, and nothing more happens to their tracks in this
    /// task: the host may forget them.
    pub(crate) fn removed(&mut self, transceivers: &[TransceiverId]) {
        for transceiver in transceivers {
            let command = MediaCommand::Removed { transceiver: *transceiver };
            self.effects.push_back(Effect::Media(command));
        }
    }

    /// Step 4.7.13; those that have left the set.
    pub(crate) fn remove_rejected_transceivers(&mut self) -> Vec<TransceiverId> {
        let descriptions = [&self.current_local_description, &self.current_remote_description];
        self.transceivers.remove_where(|transceiver| {
            let Some(mid) = transceiver.jsep_mid.as_deref().filter(|_| transceiver.stopped) else {
                return false;
            };
            let media = descriptions.into_iter().flatten().filter_map(|d| d.media_of_mid(mid));
            media.into_iter().any(sdp::Media::is_rejected)
        })
    }
}

impl Transceiver {
    /// Step 4.7.4.2
    pub(crate) fn enter_negotiation(&mut self) {
        let (sender, receiver) = (&mut self.sender, &mut self.receiver);
        // Step 4.7.4.2.1
        sender.last_stable_state_sender_transport = sender.sender_transport;
        // Step 4.7.4.2.2
        sender.last_stable_ridless_send_encodings = sender.ridless_send_encodings().cloned();
        // Step 4.7.4.2.3
        receiver.last_stable_state_receiver_transport = receiver.receiver_transport;
        // Step 4.7.4.2.4
        receiver
            .last_stable_state_associated_remote_media_streams
            .clone_from(&receiver.associated_remote_media_streams);
        // Step 4.7.4.2.5
        receiver.last_stable_state_receive_codecs.clone_from(&receiver.receive_codecs);
        receiver.last_stable_state_header_extensions.clone_from(&receiver.header_extensions);
        receiver.last_stable_state_reduced_size_rtcp = receiver.reduced_size_rtcp;
    }

    /// Steps 4.7.12.3.1 to 4.7.12.3.5
    fn roll_back(&mut self) {
        // Step 4.7.12.3.1
        if self.last_stable_state_mid.is_none() {
            self.jsep_mid = None;
            self.mid = None;
        }
        let (sender, receiver) = (&mut self.sender, &mut self.receiver);
        // Step 4.7.12.3.2
        sender.sender_transport = sender.last_stable_state_sender_transport;
        // Step 4.7.12.3.3
        if let Some(ridless) = &sender.last_stable_ridless_send_encodings
            && sender.send_encodings.iter().any(|encoding| encoding.rid.is_some())
        {
            sender.send_encodings.clone_from(ridless);
            sender.last_returned_parameters = None;
        }
        // Step 4.7.12.3.4
        receiver.receiver_transport = receiver.last_stable_state_receiver_transport;
        // Step 4.7.12.3.5
        receiver.receive_codecs.clone_from(&receiver.last_stable_state_receive_codecs);
        receiver.header_extensions.clone_from(&receiver.last_stable_state_header_extensions);
        receiver.reduced_size_rtcp = receiver.last_stable_state_reduced_size_rtcp;
    }
}
