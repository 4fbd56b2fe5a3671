//! webrtc-pc §5.4: `direction`, `stop()` and `setCodecPreferences()`.

use super::{Transceiver, TransceiverId};
use crate::rtp;
use crate::session::Session;
use crate::task::TaskKind;
use idl::Error;
use idl::{RTCRtpCodec, RTCRtpTransceiverDirection};

impl Session {
    /// webrtc-pc §5.4, on setting `direction`.
    ///
    /// # Errors
    /// `InvalidStateError` if the transceiver is stopping, `TypeError` for `stopped`.
    pub fn set_direction(
        &mut self,
        id: TransceiverId,
        new_direction: RTCRtpTransceiverDirection,
    ) -> Result<(), Error> {
        // Step 3
        let transceiver = self.transceivers.get_mut(id).filter(|t| !t.stopping);
        let Some(transceiver) = transceiver else {
            return Err(Error::InvalidStateError("the transceiver is stopped".into()));
        };
        // Step 5
        if new_direction == transceiver.direction {
            return Ok(());
        }
        // Step 6
        if new_direction == RTCRtpTransceiverDirection::Stopped {
            return Err(Error::TypeError("stop() stops a transceiver".into()));
        }
        // Step 7
        transceiver.direction = new_direction;
        self.last_created.system_state_changed();
        // Step 8
        self.update_the_negotiation_needed_flag();
        Ok(())
    }

    /// webrtc-pc §5.4 stop
    ///
    /// # Errors
    /// `InvalidStateError` if the connection is closed.
    pub fn stop(&mut self, id: TransceiverId) -> Result<(), Error> {
        // Step 3
        if self.is_closed() {
            return Err(Error::InvalidStateError("the connection is closed".into()));
        }
        // Step 4
        if self.transceivers.get(id).is_none_or(|transceiver| transceiver.stopping) {
            return Ok(());
        }
        // Step 5
        self.stop_sending_and_receiving(id, false);
        self.update_media();
        self.last_created.system_state_changed();
        // Step 6
        self.update_the_negotiation_needed_flag();
        Ok(())
    }

    /// webrtc-pc §5.4: stop sending and receiving.
    fn stop_sending_and_receiving(&mut self, id: TransceiverId, disappear: bool) {
        // Step 5: mediacapture-main §4.3.1, a track that ends for any reason but its own stop()
        // ends in a task.
        if !disappear {
            self.outputs.queue_task(TaskKind::EndTrack { transceiver: id });
        }
        if let Some(transceiver) = self.transceivers.get_mut(id) {
            // Step 6
            transceiver.direction = RTCRtpTransceiverDirection::Inactive;
            // Step 7
            transceiver.stopping = true;
        }
    }

    /// webrtc-pc §5.4: stop the RTCRtpTransceiver.
    pub(crate) fn stop_the_transceiver(&mut self, id: TransceiverId, disappear: bool) {
        // Step 2
        if self.transceivers.get(id).is_some_and(|transceiver| !transceiver.stopping) {
            self.stop_sending_and_receiving(id, disappear);
        }
        if let Some(transceiver) = self.transceivers.get_mut(id) {
            transceiver.set_stopped();
        }
    }

    /// webrtc-pc §5.4 setCodecPreferences
    ///
    /// # Errors
    /// `InvalidModificationError` for a codec that is not among the capabilities, or if there is
    /// nothing but RTX, RED, FEC and comfort noise.
    pub fn set_codec_preferences(
        &mut self,
        id: TransceiverId,
        codecs: Vec<RTCRtpCodec>,
    ) -> Result<(), Error> {
        let Some(transceiver) = self.transceivers.get_mut(id) else { return Ok(()) };
        // Steps 3 to 8
        let codecs = rtp::check_codec_preferences(transceiver.kind, codecs)?;
        // Step 9
        transceiver.preferred_codecs = codecs;
        self.last_created.system_state_changed();
        Ok(())
    }
}

impl Transceiver {
    /// webrtc-pc §5.4, stop the RTCRtpTransceiver: steps 3 to 7.
    fn set_stopped(&mut self) {
        // Step 3
        self.stopped = true;
        // Step 4
        self.receptive = false;
        // Step 5
        self.current_direction = None;
        // Step 6
        self.receiver.associated_remote_media_streams.clear();
        // Step 7
        self.receiver.last_stable_state_associated_remote_media_streams.clear();
    }
}
