//! What fails with another stack for reasons of its own; `spec-notes/interop.md` tells more of each.

use crate::peer::Stack::{self, *};

/// A case that fails with a stack, in the version that [`Stack::release`] gives.
pub(crate) struct Expectation {
    pub(crate) stack: Stack,
    /// The name of the test's function.
    pub(crate) case: &'static str,
    /// What the failure says.
    pub(crate) seen: &'static str,
    /// Why it is theirs.
    pub(crate) reason: &'static str,
}

pub(crate) const EXPECTATIONS: &[Expectation] = &[
    Expectation {
        stack: Werift,
        case: "messages_of_every_size_come_back",
        seen: "0 of 2 messages came back",
        reason: "an empty message that it sends blocks everything behind it",
    },
    Expectation {
        stack: Werift,
        case: "the_peer_hangs_up",
        seen: "not within 20s: the channel is closed",
        reason: "its close() says nothing to the peer",
    },
    Expectation {
        stack: NodeDatachannel,
        case: "the_peer_offers_audio_and_video",
        seen: "is sendrecv, which does not answer recvonly",
        reason: "it answers recvonly with sendrecv",
    },
    Expectation {
        stack: NodeDatachannel,
        case: "our_last_word_arrives",
        seen: "message of the peer's last words",
        reason: "an ABORT right behind a message makes it forget the message",
    },
    Expectation {
        stack: NodeDatachannel,
        case: "we_restart_ice",
        seen: "Invalid ICE settings from remote SDP",
        reason: "it has no ICE restart",
    },
    Expectation {
        stack: NodeDatachannel,
        case: "the_peer_restarts_ice",
        seen: "there is no ICE restart",
        reason: "it has no ICE restart",
    },
    Expectation {
        stack: Aiortc,
        case: "we_restart_ice",
        seen: "the offer restarts ICE, the answer does not",
        reason: "it has no ICE restart, and answers with the credentials it had",
    },
    Expectation {
        stack: Aiortc,
        case: "the_peer_restarts_ice",
        seen: "there is no ICE restart",
        reason: "it has no ICE restart",
    },
    Expectation {
        stack: Pion,
        case: "the_peer_offers_audio_and_video",
        seen: "a=setup contradicts the DTLS connection",
        reason: "it answers every offer with a=setup:active, also as the server of a connection that goes on",
    },
    Expectation {
        stack: Webrtcbin,
        case: "we_restart_ice",
        seen: "the offer restarts ICE, the answer does not",
        reason: "it has no ICE restart, and answers with the credentials it had",
    },
    Expectation {
        stack: Webrtcbin,
        case: "the_peer_restarts_ice",
        seen: "new ufrags",
        reason: "it has no ICE restart, and offers the credentials it had",
    },
];

/// What fails, and is ours and not mended yet, or not known yet to be theirs: of this stack, the cases
/// whose name contains this, and what is seen.
const OPEN: &[(Stack, &str, &str)] = &[
    (NodeDatachannel, "channels_that", "the last word before a close is not always told"),
    (Webrtcbin, "audio_and_video", "a=ice-ufrag stands in one section of the bundle only"),
    (Webrtcbin, "every_size", "empty messages do not come back"),
    (Webrtcbin, "channels_that", "not every channel is told to be open, nor closed"),
    (Webrtcbin, "hang", "neither side sees the end of the other's channels"),
    (Webrtcbin, "killed", "failed takes more than 45 s without the end of candidates"),
];

pub(crate) fn open(stack: Stack, case: &str) -> Option<&'static str> {
    let open = OPEN.iter().find(|(of, name, _)| *of == stack && case.contains(name));
    open.map(|(_, _, reason)| *reason)
}

pub(crate) fn expected(stack: Stack, case: &str) -> Option<&'static Expectation> {
    EXPECTATIONS.iter().find(|expected| expected.stack == stack && expected.case == case)
}
