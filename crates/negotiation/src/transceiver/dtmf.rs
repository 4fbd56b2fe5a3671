//! webrtc-pc §7.3: whether telephone tones can be sent.

use super::TransceiverId;
use crate::session::Session;

impl Session {
    /// webrtc-pc §7.3: determine if DTMF can be sent, without step 4: the host knows whether the
    /// connection is connected.
    pub fn can_insert_dtmf(&self, id: TransceiverId) -> bool {
        self.transceivers.get(id).is_some_and(|transceiver| {
            let sender = &transceiver.sender;
            // Step 5
            !transceiver.stopping
                // Step 6
                && sender.sender_track.is_some()
                // Step 7
                && transceiver.current_direction.is_some_and(|direction| direction.sends())
                // Step 8
                && sender.send_encodings.first().is_some_and(|encoding| encoding.active)
                // Step 9
                && sender.send_codecs.iter().any(|codec| {
                    codec.mime_type.eq_ignore_ascii_case("audio/telephone-event")
                })
        })
    }
}
