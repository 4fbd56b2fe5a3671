//! webrtc-pc §5.1 `addTrack()`, `removeTrack()` and `addTransceiver()`; the legacy options of
//! §4.4.3.4.

use super::{
    LocalTrack, Receiver, Sender, TrackOrKind, Transceiver, TransceiverId, TransceiverInit,
};
use crate::rtp;
use crate::session::Session;
use idl::Error;
use idl::RTCRtpTransceiverDirection::{Inactive, Recvonly, Sendonly, Sendrecv};
use idl::{MediaKind, RTCOfferOptions, RTCRtpEncodingParameters};

fn closed() -> Error {
    Error::InvalidStateError("the connection is closed".into())
}

impl Session {
    /// webrtc-pc §5.1 addTrack. Returns the transceiver of the sender.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed, `InvalidAccessError` if a sender has the
    /// track already.
    pub fn add_track(
        &mut self,
        track: LocalTrack,
        streams: &[String],
    ) -> Result<TransceiverId, Error> {
        // Step 5
        if self.is_closed() {
            return Err(closed());
        }
        // Step 6
        let senders = || self.transceivers.iter().filter(|(_, transceiver)| !transceiver.stopped);
        if senders().any(|(_, transceiver)| transceiver.sender.sender_track == Some(track.id)) {
            return Err(Error::InvalidAccessError("a sender has this track already".into()));
        }
        // Step 7
        let reusable = senders()
            .find(|(_, transceiver)| {
                transceiver.sender.sender_track.is_none()
                    && transceiver.kind == track.kind
                    && !transceiver.stopping
                    && !transceiver.has_sent
            })
            .map(|(id, _)| id);
        let id = match reusable {
            // Step 8
            Some(id) => {
                if let Some(transceiver) = self.transceivers.get_mut(id) {
                    transceiver.reuse_for(track, streams);
                }
                id
            }
            // Step 9
            None => {
                let sender = Sender::new(Some(track.id), track.kind, streams, Vec::new());
                let mut transceiver =
                    Transceiver::new(track.kind, sender, Receiver::default(), Sendrecv);
                transceiver.added_by_add_track = true;
                transceiver.track_attached = true;
                self.transceivers.add(transceiver)
            }
        };
        self.last_created.system_state_changed();
        // Step 11
        self.update_the_negotiation_needed_flag();
        // Step 12
        Ok(id)
    }

    /// webrtc-pc §5.1 removeTrack, for a sender of this connection.
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed.
    pub fn remove_track(&mut self, sender: TransceiverId) -> Result<(), Error> {
        // Step 3
        if self.is_closed() {
            return Err(closed());
        }
        // Steps 4 and 5: the host refuses the senders of other connections.
        let in_set = self.transceivers.contains(sender);
        let Some(transceiver) = self.transceivers.get_mut(sender) else { return Ok(()) };
        // Step 6
        if transceiver.stopping {
            return Ok(());
        }
        // Steps 7 and 8
        if !in_set || transceiver.stopped {
            return Ok(());
        }
        // Steps 9 and 10
        if transceiver.sender.sender_track.take().is_none() {
            return Ok(());
        }
        // Steps 11 and 12
        match transceiver.direction {
            Sendrecv => transceiver.direction = Recvonly,
            Sendonly => transceiver.direction = Inactive,
            _ => {}
        }
        self.last_created.system_state_changed();
        // Step 13
        self.update_the_negotiation_needed_flag();
        Ok(())
    }

    /// webrtc-pc §5.1 addTransceiver
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed; `TypeError` for the direction `stopped`
    /// and for rids that are malformed, the same twice or not on all encodings; `RangeError` for a
    /// scale below 1 or a frame rate that is not positive; `OperationError` for a codec that is not
    /// among the capabilities.
    pub fn add_transceiver(
        &mut self,
        track_or_kind: TrackOrKind,
        init: TransceiverInit,
    ) -> Result<TransceiverId, Error> {
        // Steps 5 and 6
        let (track, kind) = match track_or_kind {
            TrackOrKind::Track(track) => (Some(track.id), track.kind),
            TrackOrKind::Kind(kind) => (None, kind),
        };
        // As in browsers; the setter of `direction` refuses it, too.
        if init.direction == crate::RTCRtpTransceiverDirection::Stopped {
            return Err(Error::TypeError("a transceiver cannot begin stopped".into()));
        }
        // Step 7
        if self.is_closed() {
            return Err(closed());
        }
        // Step 8
        let send_encodings = rtp::validate_send_encodings(kind, init.send_encodings)?;
        let send_encodings = add_rids(send_encodings);
        // Steps 9 to 12
        let sender = Sender::new(track, kind, &init.streams, send_encodings);
        let transceiver = Transceiver::new(kind, sender, Receiver::default(), init.direction);
        let id = self.transceivers.add(transceiver);
        self.last_created.system_state_changed();
        // Step 13
        self.update_the_negotiation_needed_flag();
        // Step 14
        Ok(id)
    }

    /// webrtc-pc §4.4.3.4: applies the legacy options, before the offer is created.
    pub(crate) fn offer_to_receive(&mut self, options: &RTCOfferOptions) {
        // Step 3
        let kinds = [
            (MediaKind::Audio, options.offer_to_receive_audio),
            (MediaKind::Video, options.offer_to_receive_video),
        ];
        for (kind, offer) in kinds {
            match offer {
                None => {}
                // Step 3.1
                Some(false) => self.transceivers.for_each_mut(|transceiver| {
                    if transceiver.kind == kind && !transceiver.stopping {
                        match transceiver.direction {
                            Sendrecv => transceiver.direction = Sendonly,
                            Recvonly => transceiver.direction = Inactive,
                            _ => {}
                        }
                    }
                }),
                Some(true) => {
                    // Step 3.2
                    let receives = self.transceivers.iter().any(|(_, transceiver)| {
                        transceiver.kind == kind
                            && !transceiver.stopping
                            && transceiver.direction.receives()
                    });
                    if !receives {
                        // Steps 3.3 to 3.5
                        let sender = Sender::new(None, kind, &[], Vec::new());
                        let receiver = Receiver::default();
                        self.transceivers.add(Transceiver::new(kind, sender, receiver, Recvonly));
                    }
                }
            }
        }
        self.last_created.system_state_changed();
    }
}

/// RFC 9429 §5.2.1: gives rids to several encodings if the application has not named them.
fn add_rids(mut encodings: Vec<RTCRtpEncodingParameters>) -> Vec<RTCRtpEncodingParameters> {
    if encodings.len() > 1 && encodings.iter().all(|encoding| encoding.rid.is_none()) {
        for (number, encoding) in encodings.iter_mut().enumerate() {
            encoding.rid = Some(number.to_string());
        }
    }
    encodings
}

impl Transceiver {
    /// webrtc-pc §5.1 addTrack step 8.
    fn reuse_for(&mut self, track: LocalTrack, streams: &[String]) {
        // Step 8.1
        self.sender.sender_track = Some(track.id);
        // Steps 8.2 and 8.3
        self.sender.set_streams(streams);
        // Steps 8.5 and 8.6
        match self.direction {
            Recvonly => self.direction = Sendrecv,
            Inactive => self.direction = Sendonly,
            _ => {}
        }
        self.track_attached = true;
    }
}
