//! The aggregated states, webrtc-pc §4.3.2 to §4.3.4.
//!
//! Only transports count that the set of transceivers and `[[SctpTransport]]` refer to: discarded
//! ones have left the map. The states change in the tasks that the specification queues when
//! something happens to a transport, not when the set changes.

use super::Engine;
use crate::api::{
    AnyEvent, RTCDtlsTransportState as Dtls, RTCIceConnectionState, RTCIceGathererState,
    RTCIceGatheringState, RTCIceTransportState as Ice, RTCPeerConnectionState,
};

impl Engine {
    pub(crate) fn ice_gathering_state(&self) -> RTCIceGatheringState {
        self.ice_gathering_state
    }

    pub(crate) fn ice_connection_state(&self) -> RTCIceConnectionState {
        self.ice_connection_state
    }

    pub(crate) fn connection_state(&self) -> RTCPeerConnectionState {
        self.connection_state
    }

    /// §4.3.2
    fn derive_ice_gathering_state(&self) -> RTCIceGatheringState {
        let gatherers = &self.transports.gatherer;
        if gatherers.any(RTCIceGathererState::Gathering) {
            RTCIceGatheringState::Gathering
        } else if !self.transports.is_empty() && gatherers.all(&[RTCIceGathererState::Complete]) {
            RTCIceGatheringState::Complete
        } else {
            RTCIceGatheringState::New
        }
    }

    /// §4.3.4
    fn derive_ice_connection_state(&self) -> RTCIceConnectionState {
        let transports = &self.transports.ice;
        if self.is_closed {
            RTCIceConnectionState::Closed
        } else if transports.any(Ice::Failed) {
            RTCIceConnectionState::Failed
        } else if transports.any(Ice::Disconnected) {
            RTCIceConnectionState::Disconnected
        } else if transports.all(&[Ice::New, Ice::Closed]) {
            RTCIceConnectionState::New
        } else if transports.any(Ice::New) || transports.any(Ice::Checking) {
            RTCIceConnectionState::Checking
        } else if transports.all(&[Ice::Completed, Ice::Closed]) {
            RTCIceConnectionState::Completed
        } else {
            RTCIceConnectionState::Connected
        }
    }

    /// §4.3.3
    fn derive_connection_state(&self) -> RTCPeerConnectionState {
        let ice = self.ice_connection_state;
        let transports = &self.transports.dtls;
        match ice {
            RTCIceConnectionState::Closed => RTCPeerConnectionState::Closed,
            _ if ice == RTCIceConnectionState::Failed || transports.any(Dtls::Failed) => {
                RTCPeerConnectionState::Failed
            }
            RTCIceConnectionState::Disconnected => RTCPeerConnectionState::Disconnected,
            _ if self.transports.is_empty()
                || ice == RTCIceConnectionState::New
                    && transports.all(&[Dtls::New, Dtls::Closed]) =>
            {
                RTCPeerConnectionState::New
            }
            // "connected" stands for "completed" too, as in every browser: otherwise a
            // connection that completes would fall back to connecting.
            RTCIceConnectionState::Connected | RTCIceConnectionState::Completed
                if transports.all(&[Dtls::Connected, Dtls::Closed]) =>
            {
                RTCPeerConnectionState::Connected
            }
            _ => RTCPeerConnectionState::Connecting,
        }
    }

    /// Sets `[[IceGatheringState]]` anew. Returns the event to fire if it changed.
    pub(super) fn update_ice_gathering_state(&mut self) -> Option<AnyEvent> {
        let state = self.derive_ice_gathering_state();
        let changed = state != std::mem::replace(&mut self.ice_gathering_state, state);
        changed.then_some(AnyEvent::IceGatheringStateChange(state))
    }

    /// Sets `[[IceConnectionState]]` anew. Returns the event to fire if it changed.
    pub(super) fn update_ice_connection_state(&mut self) -> Option<AnyEvent> {
        self.update_path_of_channels();
        let state = self.derive_ice_connection_state();
        let changed = state != std::mem::replace(&mut self.ice_connection_state, state);
        changed.then_some(AnyEvent::IceConnectionStateChange(state))
    }

    /// Tells streams over data channels that their path has failed, or works again.
    fn update_path_of_channels(&mut self) {
        let transport = self.sctp.as_ref().and_then(|sctp| sctp.transport);
        let state = transport.and_then(|id| self.transport_slots(id)).map(|t| t.states().ice);
        if self.outbox.set_path_failed(state == Some(Ice::Failed)) {
            for channel in self.channels.values() {
                channel.wake();
            }
        }
    }

    /// §4.4.1.3: derives the states anew, since a new transport has come into the set. The text has
    /// a task for each change of a transport's state and none for its first state. Both browsers go
    /// back to "connecting" with the description that makes the transport.
    pub(super) fn transport_created(&mut self) {
        let events = [self.update_ice_connection_state(), self.update_connection_state()];
        for event in events.into_iter().flatten() {
            self.fire(event);
        }
    }

    /// §4.4.1.3 Update the connection state, after the state of a DTLS transport has changed.
    pub(super) fn update_the_connection_state(&mut self) {
        // Steps 3 to 6
        if let Some(event) = self.update_connection_state() {
            self.fire(event);
        }
    }

    /// Sets `[[ConnectionState]]` anew. Returns the event to fire if it changed.
    pub(super) fn update_connection_state(&mut self) -> Option<AnyEvent> {
        let state = self.derive_connection_state();
        let changed = state != std::mem::replace(&mut self.connection_state, state);
        changed.then_some(AnyEvent::ConnectionStateChange(state))
    }
}
