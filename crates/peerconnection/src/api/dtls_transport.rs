//! webrtc-pc §5.5 `RTCDtlsTransport`.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use negotiation::TransportId;

use super::handler::{self, Handler, handlers};
use super::{
    Event, IceTransportObject, RTCDtlsTransportState, RTCErrorEvent, RTCIceTransport,
    WeakConnection,
};

/// webrtc-pc §5.5: the DTLS transport over which a connection's packets travel.
#[derive(Clone)]
pub struct RTCDtlsTransport {
    pub(crate) object: Arc<DtlsTransportObject>,
}

pub(crate) struct DtlsTransportObject {
    pub(crate) connection: WeakConnection,
    pub(crate) id: TransportId,
    pub(crate) ice_transport: Arc<IceTransportObject>,
    pub(crate) statechange: Handler<Event<RTCDtlsTransport>>,
    pub(crate) error: Handler<RTCErrorEvent<RTCDtlsTransport>>,
    /// `[[RemoteCertificates]]`, once the transport is closed.
    remote_certificates: OnceLock<Vec<Bytes>>,
}

impl DtlsTransportObject {
    pub(crate) fn new(ice_transport: Arc<IceTransportObject>) -> Self {
        Self {
            connection: ice_transport.connection.clone(),
            id: ice_transport.id,
            ice_transport,
            statechange: Handler::new("statechange"),
            error: Handler::new("error"),
            remote_certificates: OnceLock::new(),
        }
    }

    /// Keeps what the transport shows from now on: it is closed for ever.
    pub(crate) fn keep(&self, remote_certificates: Vec<Bytes>) {
        // A transport closes only once.
        let _ = self.remote_certificates.set(remote_certificates);
    }

    /// Nothing will be fired any more at this transport or at the ICE transport below.
    pub(crate) fn end_handlers(&self) {
        self.statechange.end();
        self.error.end();
        self.ice_transport.end_handlers();
    }
}

impl RTCDtlsTransport {
    /// The ICE transport below.
    #[doc(alias = "iceTransport")]
    pub fn ice_transport(&self) -> RTCIceTransport {
        RTCIceTransport { object: self.object.ice_transport.clone() }
    }

    /// The state of the transport.
    #[doc(alias("RTCDtlsTransport.state"))]
    pub fn state(&self) -> RTCDtlsTransportState {
        self.object
            .connection
            .upgrade()
            .and_then(|connection| connection.engine().dtls_state(self.object.id))
            .unwrap_or(RTCDtlsTransportState::Closed)
    }

    /// The peer's certificate chain, each certificate in DER; empty until the handshake is done.
    #[doc(alias = "getRemoteCertificates")]
    pub fn get_remote_certificates(&self) -> Vec<Bytes> {
        let connection = self.object.connection.upgrade();
        connection
            .and_then(|connection| connection.engine().remote_certificates(self.object.id))
            .or_else(|| self.object.remote_certificates.get().cloned())
            .unwrap_or_default()
    }

    fn queue_delivery(&self, deliver: fn(&Self)) {
        handler::queue_delivery(&self.object.connection, self, deliver);
    }

    handlers! {
        /// `statechange`: [`state`](Self::state) has changed.
        #[doc(alias = "onstatechange")]
        on_statechange / clear_on_statechange / add_statechange_listener: Event<RTCDtlsTransport> => object.statechange;
        /// `error`: the handshake failed, or either side sent a fatal alert.
        #[doc(alias = "onerror")]
        on_error / clear_on_error / add_error_listener: RTCErrorEvent<RTCDtlsTransport> => object.error;
    }
}

super::identity!(RTCDtlsTransport);
