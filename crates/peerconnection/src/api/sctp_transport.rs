//! webrtc-pc §6.1.1 `RTCSctpTransport`.

use std::sync::{Arc, Weak};

use super::handler::{self, Handler, handlers};
use super::{Event, RTCDtlsTransport, RTCSctpTransportState};
use crate::connection::Connection;
use crate::core::SctpTransportSlots;

/// webrtc-pc §6.1.1: the SCTP association of a connection's data channels.
#[derive(Clone)]
pub struct RTCSctpTransport {
    pub(crate) object: Arc<SctpTransportObject>,
}

pub(crate) struct SctpTransportObject {
    pub(crate) connection: Weak<Connection>,
    pub(crate) statechange: Handler<Event<RTCSctpTransport>>,
}

impl SctpTransportObject {
    pub(crate) fn new(connection: Weak<Connection>) -> Self {
        Self { connection, statechange: Handler::new("statechange") }
    }
}

impl RTCSctpTransport {
    fn slot<T>(&self, read: impl FnOnce(&SctpTransportSlots) -> T) -> Option<T> {
        let connection = self.object.connection.upgrade()?;
        let core = connection.core();
        core.sctp_slots_of(&self.object).map(read)
    }

    /// The DTLS transport below; `None` while there is none yet, before an answer is applied, and
    /// after a rollback (the specification's type will become nullable, webrtc-pc issue 3112).
    #[doc(alias("RTCSctpTransport.transport"))]
    pub fn transport(&self) -> Option<RTCDtlsTransport> {
        let connection = self.object.connection.upgrade()?;
        let mut core = connection.core();
        let transport = core.sctp_slots_of(&self.object)?.transport?;
        core.dtls_transport(transport)
    }

    /// The state of the association.
    #[doc(alias("RTCSctpTransport.state"))]
    pub fn state(&self) -> RTCSctpTransportState {
        self.slot(|slots| slots.state).unwrap_or(RTCSctpTransportState::Closed)
    }

    /// The largest message, in bytes, that [`send`](super::RTCDataChannel::send) takes;
    /// infinite if any size will do, `None` until an answer was applied.
    #[doc(alias = "maxMessageSize")]
    pub fn max_message_size(&self) -> Option<f64> {
        self.slot(|slots| slots.max_message_size).flatten()
    }

    /// How many channels can be open at a time; `None` until the association is up.
    #[doc(alias = "maxChannels")]
    pub fn max_channels(&self) -> Option<u16> {
        self.slot(|slots| slots.max_channels).flatten()
    }

    fn later(&self, deliver: fn(&Self)) {
        handler::later(&self.object.connection, self, deliver);
    }

    handlers! {
        /// `statechange`: [`state`](Self::state) has changed.
        #[doc(alias = "onstatechange")]
        on_statechange / clear_on_statechange: Event<RTCSctpTransport> => object.statechange;
    }
}

super::identity!(RTCSctpTransport);
