//! webrtc-pc §6.1.1 `RTCSctpTransport`.

use std::sync::{Arc, OnceLock};

use idl::MaxMessageSize;
use negotiation::TransportId;

use super::handler::{self, Handler, handlers};
use super::{DtlsTransportObject, Event, RTCDtlsTransport, RTCSctpTransportState, WeakConnection};

/// webrtc-pc §6.1.1: the SCTP association of a connection's data channels.
#[derive(Clone)]
pub struct RTCSctpTransport {
    pub(crate) object: Arc<SctpTransportObject>,
}

pub(crate) struct SctpTransportObject {
    pub(crate) connection: WeakConnection,
    pub(crate) statechange: Handler<Event<RTCSctpTransport>>,
    /// What the transport shows once it is closed with its connection.
    closed: OnceLock<ClosedSctpTransport>,
}

/// What is left of an SCTP transport that is closed with its connection.
pub(crate) struct ClosedSctpTransport {
    pub(crate) transport: Option<Arc<DtlsTransportObject>>,
    pub(crate) max_message_size: Option<MaxMessageSize>,
    pub(crate) max_channels: Option<u16>,
}

/// The internal slots of the RTCSctpTransport.
pub(crate) struct SctpTransportSlots {
    pub(crate) object: Arc<SctpTransportObject>,
    pub(crate) transport: Option<TransportId>,
    /// `[[SctpTransportState]]`
    pub(crate) state: RTCSctpTransportState,
    /// `[[MaxMessageSize]]`
    pub(crate) max_message_size: Option<MaxMessageSize>,
    /// `[[MaxMessageSize]]` in bytes, for comparing.
    pub(crate) largest_message: u64,
    /// `[[MaxChannels]]`
    pub(crate) max_channels: Option<u16>,
}

impl SctpTransportObject {
    pub(crate) fn new(connection: WeakConnection) -> Self {
        Self { connection, statechange: Handler::new("statechange"), closed: OnceLock::new() }
    }

    /// Keeps what the transport shows from now on: its connection is closed.
    pub(crate) fn keep(&self, closed: ClosedSctpTransport) {
        // A connection closes only once.
        let _ = self.closed.set(closed);
    }
}

impl RTCSctpTransport {
    fn slot<T>(&self, read: impl FnOnce(&SctpTransportSlots) -> T) -> Option<T> {
        let connection = self.object.connection.upgrade()?;
        let engine = connection.engine();
        engine.sctp_slots_of(&self.object).map(read)
    }

    /// The DTLS transport below; `None` before an answer is applied, and after a rollback. (The
    /// type in the specification will become nullable, webrtc-pc issue 3112.)
    #[doc(alias("RTCSctpTransport.transport"))]
    pub fn transport(&self) -> Option<RTCDtlsTransport> {
        if let Some(closed) = self.object.closed.get() {
            return closed.transport.clone().map(|object| RTCDtlsTransport { object });
        }
        let connection = self.object.connection.upgrade()?;
        let mut engine = connection.engine();
        let transport = engine.sctp_slots_of(&self.object)?.transport?;
        engine.dtls_transport(transport)
    }

    /// The state of the association.
    #[doc(alias("RTCSctpTransport.state"))]
    pub fn state(&self) -> RTCSctpTransportState {
        self.slot(|slots| slots.state).unwrap_or(RTCSctpTransportState::Closed)
    }

    /// The largest message that [`send`](super::RTCDataChannel::send) takes; `None` until an answer
    /// was applied.
    #[doc(alias = "maxMessageSize")]
    pub fn max_message_size(&self) -> Option<MaxMessageSize> {
        match self.object.closed.get() {
            Some(closed) => closed.max_message_size,
            None => self.slot(|slots| slots.max_message_size).flatten(),
        }
    }

    /// How many channels can be open at a time; `None` until the association is up.
    #[doc(alias = "maxChannels")]
    pub fn max_channels(&self) -> Option<u16> {
        match self.object.closed.get() {
            Some(closed) => closed.max_channels,
            None => self.slot(|slots| slots.max_channels).flatten(),
        }
    }

    fn queue_delivery(&self, deliver: fn(&Self)) {
        handler::queue_delivery(&self.object.connection, self, deliver);
    }

    handlers! {
        /// `statechange`: [`state`](Self::state) has changed.
        #[doc(alias = "onstatechange")]
        on_statechange / clear_on_statechange / add_statechange_listener: Event<RTCSctpTransport> => object.statechange;
    }
}

super::identity!(RTCSctpTransport);
