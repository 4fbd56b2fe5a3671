//! The operations, in the words of the parity traces.

use serde::{Deserialize, Serialize};

use crate::{MediaKind, RTCBundlePolicy, RTCRtpTransceiverDirection};

/// One of the two peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Pc {
    A,
    B,
}

impl Pc {
    pub(super) const BOTH: [Self; 2] = [Self::A, Self::B];

    pub(super) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

/// A call on one of the peers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Op {
    pub(super) pc: Pc,
    #[serde(flatten)]
    pub(super) call: Call,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase")]
pub(super) enum Call {
    AddTransceiver {
        kind: MediaKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        track: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        direction: Option<RTCRtpTransceiverDirection>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        streams: Vec<String>,
    },
    AddTrack {
        track: String,
        kind: MediaKind,
        #[serde(default)]
        streams: Vec<String>,
    },
    RemoveTrack {
        sender: usize,
    },
    SetDirection {
        transceiver: usize,
        direction: RTCRtpTransceiverDirection,
    },
    Stop {
        transceiver: usize,
    },
    ReplaceTrack {
        sender: usize,
        track: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<MediaKind>,
    },
    SetStreams {
        sender: usize,
        #[serde(default)]
        streams: Vec<String>,
    },
    CreateDataChannel {
        label: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u16>,
    },
    RestartIce,
    Close,
    CreateOffer {
        #[serde(rename = "iceRestart", default)]
        ice_restart: bool,
    },
    CreateAnswer,
    SetLocal {
        what: Local,
    },
    SetRemote {
        what: Remote,
    },
    AddIceCandidate {
        candidate: CandidateKind,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Local {
    Implicit,
    LastOffer,
    LastAnswer,
    LastAnswerAsPranswer,
    Rollback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Remote {
    PeerLocal,
    PeerLocalAsPranswer,
    Rollback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum CandidateKind {
    Valid,
    ByIndex,
    End,
    Null,
    BadMid,
    BadIndex,
    NoMid,
    BadUfrag,
    Garbage,
}

/// What a sequence consists of.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Calls that are issued one after another, before anything settles.
    Ops(Vec<Op>),
    /// What is pending is brought to an end, and who needs negotiation, or is named, offers.
    Round { polite: Pc, offerer: Option<Pc> },
}

/// A sequence.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) bundle_policy: RTCBundlePolicy,
    pub(super) steps: Vec<Step>,
}
