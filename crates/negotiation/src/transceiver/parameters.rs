//! webrtc-pc §5.2 `getParameters()` and `setParameters()`.

use super::TransceiverId;
use crate::effect::{OperationId, Outcome};
use crate::rtp;
use crate::session::Session;
use crate::task::TaskKind;
use idl::Error;
use idl::{RTCRtcpParameters, RTCRtpParameters, RTCRtpSendParameters};

impl Session {
    /// webrtc-pc §5.2 getParameters
    pub fn get_parameters(&mut self, id: TransceiverId) -> RTCRtpSendParameters {
        // Step 2
        let last =
            self.transceivers.get(id).and_then(|t| t.sender.last_returned_parameters.clone());
        if let Some(last) = last {
            return last;
        }
        // Step 3
        let transaction_id = self.identifiers.make_unique();
        let cname = Some(self.identifiers.cname());
        let Some(transceiver) = self.transceivers.get_mut(id) else {
            let parameters = RTCRtpParameters::default();
            return RTCRtpSendParameters { parameters, transaction_id, encodings: Vec::new() };
        };
        let sender = &mut transceiver.sender;
        let result = RTCRtpSendParameters {
            transaction_id,
            encodings: sender.send_encodings.clone(),
            parameters: RTCRtpParameters {
                header_extensions: sender.header_extensions.to_vec(),
                codecs: sender.send_codecs.to_vec(),
                rtcp: RTCRtcpParameters { cname, reduced_size: Some(sender.reduced_size_rtcp) },
            },
        };
        // Step 4
        sender.last_returned_parameters = Some(result.clone());
        // Step 5
        self.outputs.queue_task(TaskKind::ForgetReturnedParameters { transceiver: id });
        // Step 6
        result
    }

    /// The task of step 5.
    pub(crate) fn forget_returned_parameters(&mut self, id: TransceiverId) {
        if let Some(transceiver) = self.transceivers.get_mut(id) {
            transceiver.sender.last_returned_parameters = None;
        }
    }

    /// webrtc-pc §5.2 setParameters; it is not on the operations chain. Resolves with
    /// [`Outcome::Undefined`].
    ///
    /// # Errors
    /// `InvalidStateError` if the transceiver is stopping or `getParameters()` was not called in
    /// the same task; `InvalidModificationError` if a read-only parameter was changed or a codec
    /// cannot be chosen; `RangeError` for a scale below 1 or a negative frame rate.
    pub fn set_parameters(
        &mut self,
        id: TransceiverId,
        parameters: RTCRtpSendParameters,
    ) -> OperationId {
        let operation = self.operations.make_id();
        match self.check_parameters(id, parameters) {
            Err(error) => self.outputs.settle(operation, Err(error)),
            // Step 8
            Ok(encodings) => {
                self.operations.begin_set_parameters();
                let task = TaskKind::ApplyParameters { operation, transceiver: id, encodings };
                self.outputs.queue_task(task);
            }
        }
        operation
    }

    /// Steps 4 to 6.
    fn check_parameters(
        &self,
        id: TransceiverId,
        parameters: RTCRtpSendParameters,
    ) -> Result<Vec<crate::RTCRtpEncodingParameters>, Error> {
        let transceiver = self.transceivers.get(id);
        // Step 4
        let Some(transceiver) = transceiver.filter(|transceiver| !transceiver.stopping) else {
            return Err(Error::InvalidStateError("the transceiver is stopped".into()));
        };
        // Step 5
        let Some(last_returned) = &transceiver.sender.last_returned_parameters else {
            let message = "getParameters() was not called in this task";
            return Err(Error::InvalidStateError(message.into()));
        };
        // Step 6
        rtp::validate_parameters(transceiver.kind, parameters, last_returned)
    }

    /// Step 8.1
    pub(crate) fn apply_parameters(
        &mut self,
        operation: OperationId,
        id: TransceiverId,
        encodings: Vec<crate::RTCRtpEncodingParameters>,
    ) {
        self.operations.end_set_parameters();
        if let Some(transceiver) = self.transceivers.get_mut(id) {
            // Step 8.1.1
            transceiver.sender.last_returned_parameters = None;
            // Step 8.1.2
            transceiver.sender.send_encodings = encodings;
        }
        self.update_media();
        // Step 8.1.3
        self.outputs.settle(operation, Ok(Outcome::Undefined));
    }
}
