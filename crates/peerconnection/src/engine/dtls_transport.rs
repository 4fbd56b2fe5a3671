//! webrtc-pc §5.5: from the DTLS association to the slots of RTCDtlsTransport.

use std::sync::Arc;

use bytes::Bytes;
use negotiation::{RTCError, RTCErrorDetailType, RTCErrorInit, TransportId};

use super::transports::TransportSlots;
use super::{Engine, Task};
use crate::api::{
    AnyEvent, DtlsTransportObject, IceTransportObject, RTCDtlsTransport, RTCDtlsTransportState,
    TransportStates,
};

impl Engine {
    /// The slots of a transport, until it is closed because no section uses it any more.
    pub(super) fn transport_slots(&self, id: TransportId) -> Option<&TransportSlots> {
        let used = self.transports.get(&id).map(|transport| &transport.slots);
        used.or_else(|| self.discarded_transports.get(&id))
    }

    pub(super) fn transport_slots_mut(&mut self, id: TransportId) -> Option<&mut TransportSlots> {
        match self.transports.get_mut(&id) {
            Some(transport) => Some(&mut transport.slots),
            None => self.discarded_transports.get_mut(&id),
        }
    }

    /// Changes the states of a transport.
    pub(super) fn change_states(
        &mut self,
        id: TransportId,
        change: impl FnOnce(&mut TransportStates),
    ) {
        match self.discarded_transports.get_mut(&id) {
            Some(slots) => slots.change(change),
            None => self.transports.change(id, change),
        }
    }

    /// The object of a transport, also of a destroyed one, which is closed for ever.
    pub(crate) fn dtls_transport(&mut self, id: TransportId) -> Option<RTCDtlsTransport> {
        let object = match self.transport_slots(id) {
            Some(slots) => slots.dtls_object.clone(),
            None => self.closed_transport(id)?,
        };
        Some(RTCDtlsTransport { object })
    }

    fn closed_transport(&mut self, id: TransportId) -> Option<Arc<DtlsTransportObject>> {
        if let Some(object) = self.closed_transports.get(&id) {
            return Some(object);
        }
        // Nobody has looked at the transport since it was destroyed: a new object is as good.
        let ice_object = Arc::new(IceTransportObject::new(self.connection.clone(), id));
        let object = Arc::new(DtlsTransportObject::new(ice_object));
        self.closed_transports.insert(id, &object);
        Some(object)
    }

    pub(crate) fn dtls_state(&self, id: TransportId) -> Option<RTCDtlsTransportState> {
        self.transport_slots(id).map(|slots| slots.states().dtls)
    }

    /// The peer's certificates; `None` for a closed transport, whose object keeps them.
    pub(crate) fn remote_certificates(&self, id: TransportId) -> Option<Vec<Bytes>> {
        self.transport_slots(id).map(|slots| slots.remote_certificates.clone())
    }

    /// §5.5: "When the underlying DTLS transport needs to update the state [...] for any
    /// other reason".
    pub(super) fn dtls_state_changed(&mut self, id: TransportId, state: transport::DtlsState) {
        // Step 2
        let state = match state {
            transport::DtlsState::New => RTCDtlsTransportState::New,
            transport::DtlsState::Connecting => RTCDtlsTransportState::Connecting,
            transport::DtlsState::Connected => RTCDtlsTransportState::Connected,
            transport::DtlsState::Closed => RTCDtlsTransportState::Closed,
            transport::DtlsState::Failed => RTCDtlsTransportState::Failed,
        };
        let chain = match self.transports.get(&id) {
            Some(transport) if state == RTCDtlsTransportState::Connected => {
                let stack = &transport.stack;
                let profile = stack.srtp_keys().map(|keys| keys.profile());
                let agreed = (stack.dtls_version(), stack.dtls_cipher_suite(), stack.dtls_group());
                Some((stack.remote_certificates(), agreed, profile))
            }
            _ => None,
        };
        // Step 1
        let Some(slots) = self.transport_slots_mut(id) else { return };
        if slots.states().dtls == state {
            return;
        }
        // Step 4
        if let Some((chain, (version, suite, group), profile)) = chain {
            slots.tls_version = version.map(tls_version);
            slots.dtls_cipher = suite.and_then(dtls_cipher);
            slots.tls_group = group.and_then(tls_group);
            slots.srtp_cipher = profile.map(srtp_cipher);
            slots.remote_certificates = chain;
        }
        let target = RTCDtlsTransport { object: slots.dtls_object.clone() };
        // Step 3
        self.change_states(id, |states| states.dtls = state);
        // Step 5
        self.fire(AnyEvent::DtlsTransportStateChange(target, state));
        self.queue(Task::ConnectionState);
    }

    /// §5.5: "When the underlying DTLS transport experiences an error".
    pub(super) fn dtls_failed(&mut self, id: TransportId, error: transport::DtlsError) {
        // Step 1
        let Some(slots) = self.transport_slots(id) else { return };
        // Step 2
        if slots.states().dtls == RTCDtlsTransportState::Failed {
            return;
        }
        let target = RTCDtlsTransport { object: slots.dtls_object.clone() };
        // Step 3
        self.change_states(id, |states| states.dtls = RTCDtlsTransportState::Failed);
        // Step 4
        let detail = match &error {
            transport::DtlsError::FingerprintMismatch => RTCErrorDetailType::FingerprintFailure,
            _ => RTCErrorDetailType::DtlsFailure,
        };
        let received_alert = match &error {
            transport::DtlsError::AlertReceived(alert) => Some(u32::from(*alert)),
            _ => None,
        };
        let sent_alert = match &error {
            transport::DtlsError::AlertSent(alert, _) => Some(u32::from(*alert)),
            _ => None,
        };
        let init = RTCErrorInit { sent_alert, received_alert, ..RTCErrorInit::new(detail) };
        let error = RTCError::new(init, error.to_string());
        self.fire(AnyEvent::DtlsTransportError(target.clone(), error));
        // Step 5
        self.fire(AnyEvent::DtlsTransportStateChange(target, RTCDtlsTransportState::Failed));
        self.queue(Task::ConnectionState);
    }
}

/// webrtc-stats `tlsVersion`: the version as ServerHello has it (RFC 6347 §4.1, RFC 9147 §5.3).
fn tls_version(version: transport::DtlsVersion) -> &'static str {
    match version {
        transport::DtlsVersion::Dtls12 => "FEFD",
        transport::DtlsVersion::Dtls13 => "FEFC",
    }
}

/// webrtc-stats `dtlsCipher`: the name that IANA's registry has for the cipher suite.
fn dtls_cipher(suite: u16) -> Option<&'static str> {
    Some(match suite {
        0x1301 => "TLS_AES_128_GCM_SHA256",
        0x1302 => "TLS_AES_256_GCM_SHA384",
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
        0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xc02f => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        _ => return None,
    })
}

/// webrtc-stats `tlsGroup`: the name that IANA's registry has for the group.
fn tls_group(group: u16) -> Option<&'static str> {
    Some(match group {
        29 => "x25519",
        23 => "secp256r1",
        24 => "secp384r1",
        _ => return None,
    })
}

/// webrtc-stats `srtpCipher`: the name that IANA's registry has for the profile.
fn srtp_cipher(profile: transport::SrtpProfile) -> &'static str {
    match profile {
        transport::SrtpProfile::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
        transport::SrtpProfile::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
        transport::SrtpProfile::Aes128CmHmacSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
    }
}
