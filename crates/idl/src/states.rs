//! The enumerations of the states of objects.

use crate::w3c_enum;

w3c_enum! {
    /// webrtc-pc §4.3.2: the aggregated gathering state of a connection's transports.
    pub enum RTCIceGatheringState {
        /// Some transport has not begun, none is gathering, or there is no transport.
        New = "new",
        /// Some transport is gathering.
        Gathering = "gathering",
        /// Every transport has finished.
        Complete = "complete",
    }
}

w3c_enum! {
    /// webrtc-pc §4.3.3: the aggregated state of a connection's ICE and DTLS transports.
    pub enum RTCPeerConnectionState {
        /// The connection is closed.
        Closed = "closed",
        /// ICE or DTLS of some transport failed.
        Failed = "failed",
        /// ICE of some transport is disconnected.
        Disconnected = "disconnected",
        /// Nothing has begun, or there is no transport.
        New = "new",
        /// None of the other states.
        Connecting = "connecting",
        /// ICE and DTLS of every transport are connected.
        Connected = "connected",
    }
}

w3c_enum! {
    /// webrtc-pc §4.3.4: the aggregated state of a connection's ICE transports.
    pub enum RTCIceConnectionState {
        /// The connection is closed.
        Closed = "closed",
        /// Some transport is failed.
        Failed = "failed",
        /// Some transport is disconnected.
        Disconnected = "disconnected",
        /// Every transport is new or closed, or there is none.
        New = "new",
        /// Some transport is new or checking.
        Checking = "checking",
        /// Every transport is completed or closed.
        Completed = "completed",
        /// Every transport is connected, completed or closed.
        Connected = "connected",
    }
}

w3c_enum! {
    /// webrtc-pc §5.6.3: what one ICE transport has gathered.
    pub enum RTCIceGathererState {
        /// Gathering has not begun.
        New = "new",
        /// Candidates are being gathered.
        Gathering = "gathering",
        /// Gathering is done; the end-of-candidates indication has been sent.
        Complete = "complete",
    }
}

w3c_enum! {
    /// webrtc-pc §5.6.4: the state of one ICE transport.
    pub enum RTCIceTransportState {
        /// Shut down; it answers no STUN requests any more.
        Closed = "closed",
        /// Gathering is done, the peer has indicated the end of its candidates, every pair was
        /// checked, and none works or has consent. Only an ICE restart leaves this state.
        Failed = "failed",
        /// Connectivity is lost for now; this may resolve itself.
        Disconnected = "disconnected",
        /// Gathering, or waiting for remote candidates; no check has begun.
        New = "new",
        /// Checking pairs; no usable one has been found yet.
        Checking = "checking",
        /// Gathering is done, the peer has indicated the end of its candidates, every pair was
        /// checked and one is in use. The controlled side enters this state three seconds later,
        /// since the peer may still choose another pair.
        Completed = "completed",
        /// A usable pair was found; others may still be checked.
        Connected = "connected",
    }
}

w3c_enum! {
    /// webrtc-pc §5.6.5: the role of an ICE agent.
    pub enum RTCIceRole {
        /// Not determined yet.
        Unknown = "unknown",
        /// The agent nominates pairs.
        Controlling = "controlling",
        /// The agent follows the peer's nomination.
        Controlled = "controlled",
    }
}

w3c_enum! {
    /// webrtc-pc §5.5.1: the state of a DTLS transport.
    pub enum RTCDtlsTransportState {
        /// The handshake has not begun.
        New = "new",
        /// The handshake is running and the fingerprint is being verified.
        Connecting = "connecting",
        /// The handshake is done and the fingerprint verified.
        Connected = "connected",
        /// Closed by either side.
        Closed = "closed",
        /// The handshake failed, a fatal alert came or the fingerprint did not match.
        Failed = "failed",
    }
}

w3c_enum! {
    /// webrtc-pc §6.1.2: the state of an SCTP transport.
    pub enum RTCSctpTransportState {
        /// The association is being negotiated.
        Connecting = "connecting",
        /// The association is up.
        Connected = "connected",
        /// The association is gone.
        Closed = "closed",
    }
}

w3c_enum! {
    /// webrtc-pc §6.2: the state of a data channel.
    pub enum RTCDataChannelState {
        /// Being established; the initial state.
        Connecting = "connecting",
        /// Ready to send.
        Open = "open",
        /// Being closed; queued messages are still sent.
        Closing = "closing",
        /// Closed, or it could not be established.
        Closed = "closed",
    }
}

w3c_enum! {
    /// The type of `RTCDataChannel.binaryType`, from the WebSockets standard.
    pub enum BinaryType {
        /// As `Blob`s.
        Blob = "blob",
        /// As `ArrayBuffer`s.
        Arraybuffer = "arraybuffer",
    }
}

w3c_enum! {
    /// mediacapture-main §4.3.3: whether a track can still give media.
    pub enum MediaStreamTrackState {
        /// The source may give media at any time.
        Live = "live",
        /// The track never gives media again.
        Ended = "ended",
    }
}
