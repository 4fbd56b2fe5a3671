//! webrtc-pc §5.6 `RTCIceTransport`.

use std::sync::{Arc, OnceLock};

use negotiation::TransportId;

use super::handler::{self, Handler, handlers};
use super::{
    Event, RTCDtlsTransportState, RTCIceCandidate, RTCIceCandidatePair, RTCIceComponent,
    RTCIceGathererState, RTCIceParameters, RTCIceRole, RTCIceTransportState, WeakConnection,
};

/// webrtc-pc §5.6: the ICE transport over which a connection's packets travel. The object stays
/// the same across ICE restarts.
#[derive(Clone)]
pub struct RTCIceTransport {
    pub(crate) object: Arc<IceTransportObject>,
}

pub(crate) struct IceTransportObject {
    pub(crate) connection: WeakConnection,
    pub(crate) id: TransportId,
    pub(crate) statechange: Handler<Event<RTCIceTransport>>,
    pub(crate) gatheringstatechange: Handler<Event<RTCIceTransport>>,
    pub(crate) selectedcandidatepairchange: Handler<Event<RTCIceTransport>>,
    /// What the transport shows once it is closed.
    closed: OnceLock<ClosedIceTransport>,
}

/// The states of one transport.
#[derive(Clone, Copy)]
pub(crate) struct TransportStates {
    /// `[[IceTransportState]]`
    pub(crate) ice: RTCIceTransportState,
    /// `[[IceGathererState]]`
    pub(crate) gatherer: RTCIceGathererState,
    /// `[[DtlsTransportState]]`
    pub(crate) dtls: RTCDtlsTransportState,
}

/// The internal slots of an RTCIceTransport, but for its [states](TransportStates).
pub(crate) struct IceTransportSlots {
    /// `[[SelectedCandidatePair]]`
    pub(crate) selected_candidate_pair: Option<RTCIceCandidatePair>,
    /// `[[IceRole]]`
    pub(crate) role: RTCIceRole,
    pub(crate) local_candidates: Vec<RTCIceCandidate>,
    pub(crate) remote_candidates: Vec<RTCIceCandidate>,
    pub(crate) local_parameters: Option<RTCIceParameters>,
    pub(crate) remote_parameters: Option<RTCIceParameters>,
}

impl IceTransportSlots {
    pub(crate) fn new() -> Self {
        Self {
            selected_candidate_pair: None,
            role: RTCIceRole::Unknown,
            local_candidates: Vec::new(),
            remote_candidates: Vec::new(),
            local_parameters: None,
            remote_parameters: None,
        }
    }
}

/// What is left of an RTCIceTransport that is closed.
pub(crate) struct ClosedIceTransport {
    pub(crate) states: TransportStates,
    pub(crate) slots: IceTransportSlots,
}

impl IceTransportObject {
    pub(crate) fn new(connection: WeakConnection, id: TransportId) -> Self {
        Self {
            connection,
            id,
            statechange: Handler::new("statechange"),
            gatheringstatechange: Handler::new("gatheringstatechange"),
            selectedcandidatepairchange: Handler::new("selectedcandidatepairchange"),
            closed: OnceLock::new(),
        }
    }

    /// Keeps what the transport shows from now on: it is closed for ever.
    pub(crate) fn keep(&self, closed: ClosedIceTransport) {
        // A transport closes only once.
        let _ = self.closed.set(closed);
    }

    /// Nothing will be fired at the transport any more.
    pub(crate) fn end_handlers(&self) {
        self.statechange.end();
        self.gatheringstatechange.end();
        self.selectedcandidatepairchange.end();
    }
}

impl RTCIceTransport {
    /// Reads a slot; `None` if the transport was discarded before anybody looked at it.
    fn slot<T>(&self, read: impl FnOnce(&IceTransportSlots) -> T) -> Option<T> {
        self.slots(|_, slots| read(slots))
    }

    fn slots<T>(&self, read: impl FnOnce(TransportStates, &IceTransportSlots) -> T) -> Option<T> {
        if let Some(connection) = self.object.connection.upgrade()
            && let Some((states, slots)) = connection.engine().ice_transport_slots(self.object.id)
        {
            return Some(read(states, slots));
        }
        self.object.closed.get().map(|closed| read(closed.states, &closed.slots))
    }

    /// Whether this agent nominates.
    #[doc(alias("RTCIceTransport.role"))]
    pub fn role(&self) -> RTCIceRole {
        self.slot(|slots| slots.role).unwrap_or(RTCIceRole::Unknown)
    }

    /// Always `rtp`: RTCP is multiplexed.
    #[doc(alias("RTCIceTransport.component"))]
    pub fn component(&self) -> RTCIceComponent {
        RTCIceComponent::Rtp
    }

    /// The state of the transport.
    #[doc(alias("RTCIceTransport.state"))]
    pub fn state(&self) -> RTCIceTransportState {
        self.slots(|states, _| states.ice).unwrap_or(RTCIceTransportState::Closed)
    }

    /// Whether the transport gathers candidates, or has gathered them.
    #[doc(alias = "gatheringState")]
    pub fn gathering_state(&self) -> RTCIceGathererState {
        self.slots(|states, _| states.gatherer).unwrap_or(RTCIceGathererState::New)
    }

    /// The local candidates of the newest generation that `icecandidate` has shown.
    #[doc(alias = "getLocalCandidates")]
    pub fn get_local_candidates(&self) -> Vec<RTCIceCandidate> {
        self.slot(|slots| slots.local_candidates.clone()).unwrap_or_default()
    }

    /// The remote candidates of the newest generation, from descriptions and `addIceCandidate`.
    /// Peer-reflexive ones are not among them.
    #[doc(alias = "getRemoteCandidates")]
    pub fn get_remote_candidates(&self) -> Vec<RTCIceCandidate> {
        self.slot(|slots| slots.remote_candidates.clone()).unwrap_or_default()
    }

    /// The pair on which packets are sent. This is the same object as long as the pair is the same,
    /// and it holds the objects that `icecandidate` and
    /// [`get_remote_candidates`](Self::get_remote_candidates) have shown. When signalling brings a
    /// remote candidate that ICE had learnt from the peer's checks, a new pair object holds it, and
    /// no event is fired.
    #[doc(alias = "getSelectedCandidatePair")]
    pub fn get_selected_candidate_pair(&self) -> Option<RTCIceCandidatePair> {
        self.slots(|states, slots| match states.ice {
            RTCIceTransportState::New | RTCIceTransportState::Closed => None,
            _ => slots.selected_candidate_pair.clone(),
        })
        .flatten()
    }

    /// The credentials of the local description.
    #[doc(alias = "getLocalParameters")]
    pub fn get_local_parameters(&self) -> Option<RTCIceParameters> {
        self.slot(|slots| slots.local_parameters.clone()).flatten()
    }

    /// The credentials of the remote description.
    #[doc(alias = "getRemoteParameters")]
    pub fn get_remote_parameters(&self) -> Option<RTCIceParameters> {
        self.slot(|slots| slots.remote_parameters.clone()).flatten()
    }

    fn queue_delivery(&self, deliver: fn(&Self)) {
        handler::queue_delivery(&self.object.connection, self, deliver);
    }

    handlers! {
        /// `statechange`: [`state`](Self::state) has changed.
        #[doc(alias = "onstatechange")]
        on_statechange / clear_on_statechange / add_statechange_listener: Event<RTCIceTransport> => object.statechange;
        /// `gatheringstatechange`: [`gathering_state`](Self::gathering_state) has changed.
        #[doc(alias = "ongatheringstatechange")]
        on_gatheringstatechange / clear_on_gatheringstatechange / add_gatheringstatechange_listener: Event<RTCIceTransport> =>
            object.gatheringstatechange;
        /// `selectedcandidatepairchange`: the pair in use has changed.
        #[doc(alias = "onselectedcandidatepairchange")]
        on_selectedcandidatepairchange / clear_on_selectedcandidatepairchange / add_selectedcandidatepairchange_listener:
            Event<RTCIceTransport> => object.selectedcandidatepairchange;
    }
}

super::identity!(RTCIceTransport);
