//! RFC 9429 §3.2 and §4.1.10: the signaling state. Its edges are declared once, here.
//!
//! ```text
//!                         setRemote(OFFER)               setLocal(PRANSWER)
//!                             /-----\                               /-----\
//!                             |     |                               |     |
//!                             v     |                               v     |
//!              +---------------+    |                +---------------+    |
//!              |               |----/                |               |----/
//!              |  have-        | setLocal(PRANSWER)  | have-         |
//!              |  remote-offer |------------------->| local-pranswer|
//!              |               |                     |               |
//!              +---------------+                     +---------------+
//!                   ^   | setLocal(ANSWER) or               |
//!  setRemote(OFFER) |   | rollback        setLocal(ANSWER)  |
//!                   |   v                                   |
//!              +---------------+                            |
//!              |               |<---------------------------/
//!              |    stable     |
//!              |               |<---------------------------\
//!              +---------------+                            |
//!                   |   ^ setRemote(ANSWER) or              |
//!   setLocal(OFFER) |   | rollback        setRemote(ANSWER) |
//!                   v   |                                   |
//!              +---------------+                     +---------------+
//!              |               | setRemote(PRANSWER) |               |
//!              |  have-        |------------------->| have-         |
//!              |  local-offer  |                     | remote-       |
//!              |               |----\                | pranswer      |----\
//!              +---------------+    |                +---------------+    |
//!                             ^     |                               ^     |
//!                             \-----/                               \-----/
//!                         setLocal(OFFER)               setRemote(PRANSWER)
//! ```
//!
//! A rollback through either method has the same edges (RFC 9429 §5.7). JSEP lets a provisional
//! answer be rolled back, webrtc-pc does not (§4.4.1.4 step 2, §4.6.1); webrtc-pc decides.

use crate::effect::Event;
use crate::session::Session;
use idl::Error;
use idl::RTCSdpType::{self, Answer, Offer, Pranswer, Rollback};
use idl::RTCSignalingState::{
    self, HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable,
};

/// The method that sets a description, and so the side that it describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Local,
    Remote,
}

macro_rules! edges {
    ($($side:ident($type_:ident): $($from:ident)|+ => $to:ident;)+) => {
        /// The state to which the edge leads. A state without an edge refuses the description.
        fn edge(from: RTCSignalingState, side: Side, type_: RTCSdpType) -> Option<RTCSignalingState> {
            match (side, type_, from) {
                $((Side::$side, $type_, $($from)|+) => Some($to),)+
                _ => None,
            }
        }
    };
}

edges! {
    Local(Offer):     Stable | HaveLocalOffer => HaveLocalOffer;
    Local(Pranswer):  HaveRemoteOffer | HaveLocalPranswer => HaveLocalPranswer;
    Local(Answer):    HaveRemoteOffer | HaveLocalPranswer => Stable;
    Local(Rollback):  HaveLocalOffer | HaveRemoteOffer => Stable;
    Remote(Offer):    Stable | HaveRemoteOffer => HaveRemoteOffer;
    Remote(Pranswer): HaveLocalOffer | HaveRemotePranswer => HaveRemotePranswer;
    Remote(Answer):   HaveLocalOffer | HaveRemotePranswer => Stable;
    Remote(Rollback): HaveLocalOffer | HaveRemoteOffer => Stable;
}

/// The state after a description of this type has been set through this method.
///
/// # Errors
/// `InvalidStateError` if there is no such edge.
pub(crate) fn state_after(
    state: RTCSignalingState,
    side: Side,
    type_: RTCSdpType,
) -> Result<RTCSignalingState, Error> {
    edge(state, side, type_).ok_or_else(|| {
        let method = match side {
            Side::Local => "setLocalDescription",
            Side::Remote => "setRemoteDescription",
        };
        Error::InvalidStateError(format!("{method}({type_}) is not possible in {state}"))
    })
}

/// `[[IsClosed]]` and `[[SignalingState]]`. The state is "closed" if and only if `[[IsClosed]]` is
/// true; both are final then.
#[derive(Debug, Default)]
pub(crate) struct Signaling {
    /// `[[IsClosed]]`
    is_closed: bool,
    /// `[[SignalingState]]`
    signaling_state: RTCSignalingState,
}

impl Signaling {
    pub(crate) fn state(&self) -> RTCSignalingState {
        self.signaling_state
    }

    /// Sets `[[SignalingState]]`; returns whether it changed.
    pub(crate) fn set(&mut self, state: RTCSignalingState) -> bool {
        let changed = self.signaling_state != state;
        if changed {
            tracing::debug!(from = %self.signaling_state, to = %state, "signaling state");
        }
        self.signaling_state = state;
        changed
    }

    /// webrtc-pc §4.4.2 close, steps 1 to 3 of closing the connection; returns whether it was open.
    pub(crate) fn close(&mut self) -> bool {
        // Step 1
        if self.is_closed {
            return false;
        }
        // Step 2
        self.is_closed = true;
        // Step 3
        self.signaling_state = RTCSignalingState::Closed;
        true
    }
}

impl Session {
    /// `signalingState`
    pub fn signaling_state(&self) -> RTCSignalingState {
        self.signaling.state()
    }

    /// `[[IsClosed]]`
    pub fn is_closed(&self) -> bool {
        self.signaling.is_closed
    }

    /// webrtc-pc §4.4.1.4 step 4.7.15
    pub(crate) fn fire_signaling_state_change(&mut self) {
        self.outputs.push_effect(Event::SignalingStateChange(self.signaling.state()));
    }
}
