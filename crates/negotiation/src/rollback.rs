//! webrtc-pc §4.4.1.4 for descriptions of type rollback; RFC 9429 §5.7.

use crate::effect::{MediaCommand, OperationId, Outcome};
use crate::operations::Microtask;
use crate::session::Session;
use crate::signaling::{Side, state_after};
use crate::task::TaskKind;
use crate::transceiver::{TrackEvents, Transceiver, TransceiverId};
use idl::{RTCRtpTransceiverDirection, RTCSdpType, RTCSessionDescriptionInit, RTCSignalingState};

impl Session {
    /// Sets a description of type rollback, whatever its content. `then_set` is the offer for which
    /// `setRemoteDescription()` rolls back; it is set afterwards.
    pub(crate) fn roll_back(
        &mut self,
        operation: OperationId,
        side: Side,
        then_set: Option<RTCSessionDescriptionInit>,
    ) {
        // Step 2: refused at once in stable and after a provisional answer.
        if let Err(error) = state_after(self.signaling.state(), side, RTCSdpType::Rollback) {
            return self.settle_operation(operation, Err(error));
        }
        // Step 4.7
        let then_set = then_set.map(Box::new);
        self.outputs.queue_task(TaskKind::ApplyRollback { operation, then_set });
    }

    /// Step 4.7 for a rollback.
    pub(crate) fn apply_rollback(
        &mut self,
        operation: OperationId,
        then_set: Option<Box<RTCSessionDescriptionInit>>,
    ) {
        // Step 4.7.1
        if self.is_closed() {
            return;
        }
        // Step 4.7.12.1: the signaling state tells which description is pending.
        // Step 4.7.12.2
        self.sctp.roll_back(&mut self.outputs);
        self.transports.roll_back(&mut self.outputs);
        self.ice_restart.roll_back();
        // Step 4.7.12.3
        let mut events = TrackEvents::default();
        self.update_media();
        let removed = self.roll_back_transceivers(&mut events);
        // Step 4.7.12.4
        self.descriptions.roll_back();
        let changed = self.signaling.set(RTCSignalingState::Stable);
        self.last_created.system_state_changed();
        // Step 4.7.14
        self.return_to_stable();
        // Step 4.7.15
        if changed {
            self.fire_signaling_state_change();
        }
        // Steps 4.7.17 to 4.7.20
        self.fire_track_events(events);
        self.announce_removed(&removed);
        // Step 4.7.21
        match then_set {
            None => self.settle_operation(operation, Ok(Outcome::Undefined)),
            // webrtc-pc §4.4.2 setRemoteDescription step 3.1.2
            Some(description) => self.outputs.queue_microtask(Microtask::SetRemoteDescription {
                operation,
                description: *description,
            }),
        }
    }

    /// Step 4.7.12.3; returns the transceivers that left the set.
    fn roll_back_transceivers(&mut self, events: &mut TrackEvents) -> Vec<TransceiverId> {
        // RFC 9429 §5.7: the abandoned description may have recycled a section. It belongs again to
        // its transceiver of before, which has left the set.
        for transceiver in self.transceivers.all_mut().filter(|t| t.stopped) {
            transceiver.jsep_mid.clone_from(&transceiver.last_stable_state_mid);
            transceiver.mid.clone_from(&transceiver.last_stable_state_mid);
        }
        let was_remote_offer = self.signaling.state() == RTCSignalingState::HaveRemoteOffer;
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
            }
            // w3c/webrtc-pc#3081: undo what the abandoned description of either side changed.
            transceiver.receptive =
                transceiver.current_direction.is_some_and(RTCRtpTransceiverDirection::receives);
            // Step 4.7.12.3.7
            if transceiver.created_by_pending {
                if transceiver.track_attached {
                    // The next offer of the peer finds it as if addTrack() had made it.
                    transceiver.created_by_pending = false;
                    transceiver.added_by_add_track = true;
                } else {
                    self.stop_the_transceiver(id, false);
                }
            }
        }
        self.transceivers.remove_where(|transceiver| transceiver.created_by_pending)
    }

    /// Tells the host which transceivers have left the set. Nothing more happens to their tracks in
    /// this task, so the host may forget them.
    pub(crate) fn announce_removed(&mut self, transceivers: &[TransceiverId]) {
        for transceiver in transceivers {
            self.outputs.push_effect(MediaCommand::Removed { transceiver: *transceiver });
        }
    }

    /// Step 4.7.13; returns the transceivers that left the set.
    pub(crate) fn remove_rejected_transceivers(&mut self) -> Vec<TransceiverId> {
        let descriptions = self.descriptions.both_current();
        self.transceivers.remove_where(|transceiver| {
            let Some(mid) = transceiver.jsep_mid.as_deref().filter(|_| transceiver.stopped) else {
                return false;
            };
            descriptions.clone().filter_map(|d| d.media_of_mid(mid)).any(sdp::Media::is_rejected)
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
        receiver.last_stable_state_receive_codecs = receiver.receive_codecs.clone();
        receiver.last_stable_state_header_extensions = receiver.header_extensions.clone();
        receiver.last_stable_state_reduced_size_rtcp = receiver.reduced_size_rtcp;
    }

    /// Steps 4.7.12.3.1 to 4.7.12.3.5
    fn roll_back(&mut self) {
        // Step 4.7.12.3.1
        if self.last_stable_state_mid.is_none() {
            self.disassociate();
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
        receiver.receive_codecs = receiver.last_stable_state_receive_codecs.clone();
        receiver.header_extensions = receiver.last_stable_state_header_extensions.clone();
        receiver.reduced_size_rtcp = receiver.last_stable_state_reduced_size_rtcp;
    }
}
