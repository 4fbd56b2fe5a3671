//! webrtc-pc §5.5: from the DTLS association to the slots of RTCDtlsTransport.

use std::sync::Arc;

use bytes::Bytes;
use negotiation::{RTCError, RTCErrorDetailType, RTCErrorInit, TransportId};

use super::{Core, Task};
use crate::api::{
    AnyEvent, DtlsTransportObject, IceTransportObject, RTCDtlsTransport, RTCDtlsTransportState,
};

impl Core {
    /// The object of a transport; also of one that was destroyed, which is closed for ever.
    pub(crate) fn dtls_transport(&mut self, id: TransportId) -> Option<RTCDtlsTransport> {
        let object = match self.transports.get(&id) {
            Some(transport) => transport.dtls_object.clone(),
            None => self.closed_transport(id)?,
        };
        Some(RTCDtlsTransport { object })
    }

    fn closed_transport(&mut self, id: TransportId) -> Option<Arc<DtlsTransportObject>> {
        if let Some(object) = self.closed_transports.get(&id) {
            return Some(object);
        }
        // Nobody has looked at it since it was destroyed: a new object is as good.
        let ice_object = Arc::new(IceTransportObject::new(self.connection.clone(), id));
        let object = Arc::new(DtlsTransportObject::new(ice_object));
        self.closed_transports.insert(id, &object);
        Some(object)
    }

    pub(crate) fn dtls_state(&self, id: TransportId) -> Option<RTCDtlsTransportState> {
        self.transports.get(&id).map(|t| t.dtls_state)
    }

    pub(crate) fn remote_certificates(&self, id: TransportId) -> Vec<Bytes> {
        match self.transports.get(&id) {
            // §5.5: set when the state becomes connected, empty before.
            Some(t)
                if t.dtls_state != RTCDtlsTransportState::New
                    && t.dtls_state != RTCDtlsTransportState::Connecting =>
            {
                t.stack.remote_certificates().into_iter().map(Bytes::from).collect()
            }
            _ => Vec::new(),
        }
    }

    /// §5.5: "When the underlying DTLS transport needs to update the state".
    pub(super) fn dtls_state_changed(&mut self, id: TransportId, state: transport::DtlsState) {
        let Some(transport) = self.transports.get_mut(&id) else { return };
        let state = match state {
            transport::DtlsState::New => RTCDtlsTransportState::New,
            transport::DtlsState::Connecting => RTCDtlsTransportState::Connecting,
            transport::DtlsState::Connected => RTCDtlsTransportState::Connected,
            transport::DtlsState::Closed => RTCDtlsTransportState::Closed,
            transport::DtlsState::Failed => RTCDtlsTransportState::Failed,
        };
        if transport.dtls_state == state {
            return;
        }
        transport.dtls_state = state;
        let target = RTCDtlsTransport { object: transport.dtls_object.clone() };
        self.fire(AnyEvent::DtlsTransportStateChange(target, state));
        self.queue(Task::ConnectionState);
    }

    /// §5.5: "When the underlying DTLS transport experiences an error".
    pub(super) fn dtls_failed(&mut self, id: TransportId, error: transport::DtlsError) {
        // Step 1
        let Some(transport) = self.transports.get_mut(&id) else { return };
        // Step 2
        if transport.dtls_state == RTCDtlsTransportState::Failed {
            return;
        }
        // Step 3
        transport.dtls_state = RTCDtlsTransportState::Failed;
        let target = RTCDtlsTransport { object: transport.dtls_object.clone() };
        // Step 4
        let detail = match &error {
            transport::DtlsError::FingerprintMismatch => RTCErrorDetailType::FingerprintFailure,
            _ => RTCErrorDetailType::DtlsFailure,
        };
        let received_alert = match &error {
            transport::DtlsError::AlertReceived(alert) => Some(u32::from(*alert)),
            _ => None,
        };
        let init = RTCErrorInit { received_alert, ..RTCErrorInit::new(detail) };
        let error = RTCError::new(init, error.to_string());
        self.fire(AnyEvent::DtlsTransportError(target.clone(), error));
        // Step 5
        self.fire(AnyEvent::DtlsTransportStateChange(target, RTCDtlsTransportState::Failed));
        self.queue(Task::ConnectionState);
    }
}
