use crate::w3c_enum;

w3c_enum! {
    /// webrtc-pc §4.3.1: the state of the offer/answer exchange.
    ///
    /// The edges between the states are declared in this crate's `signaling` module.
    #[derive(Default)]
    pub enum RTCSignalingState {
        /// No exchange is in progress; the initial state.
        #[default]
        Stable = "stable",
        /// A local offer has been applied.
        HaveLocalOffer = "have-local-offer",
        /// A remote offer has been applied.
        HaveRemoteOffer = "have-remote-offer",
        /// A remote offer and a local provisional answer have been applied.
        HaveLocalPranswer = "have-local-pranswer",
        /// A local offer and a remote provisional answer have been applied.
        HaveRemotePranswer = "have-remote-pranswer",
        /// The connection is closed.
        Closed = "closed",
    }
}

w3c_enum! {
    /// webrtc-pc §5.4: the direction of a transceiver.
    pub enum RTCRtpTransceiverDirection {
        /// Sends and receives.
        Sendrecv = "sendrecv",
        /// Sends.
        Sendonly = "sendonly",
        /// Receives.
        Recvonly = "recvonly",
        /// Neither sends nor receives.
        Inactive = "inactive",
        /// Stopped for good.
        Stopped = "stopped",
    }
}

impl RTCRtpTransceiverDirection {
    /// Whether media goes to the peer.
    pub fn sends(self) -> bool {
        matches!(self, Self::Sendrecv | Self::Sendonly)
    }

    /// Whether media comes from the peer.
    pub fn receives(self) -> bool {
        matches!(self, Self::Sendrecv | Self::Recvonly)
    }

    /// What both directions allow, RFC 9429 §5.3.1.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The direction in which media goes to the peer, or comes from it, or both.
    pub fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::Sendrecv,
            (true, false) => Self::Sendonly,
            (false, true) => Self::Recvonly,
            (false, false) => Self::Inactive,
        }
    }
}
