//! Cases that fail through faults of another stack; `spec-notes/interop.md` explains each.

use HowOften::*;

use crate::peer::Stack::{self, *};

/// A case that fails with a stack, in the version that [`Stack::release`] gives.
pub(crate) struct Expectation {
    pub(crate) stack: Stack,
    /// The name of the test's function.
    pub(crate) case: &'static str,
    /// What the failure says.
    pub(crate) seen: &'static str,
    /// Why the fault is the other stack's.
    pub(crate) reason: &'static str,
    pub(crate) how_often: HowOften,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HowOften {
    Always,
    /// A race within the stack, which either side of it can win.
    Sometimes,
}

pub(crate) const EXPECTATIONS: &[Expectation] = &[
    Expectation {
        stack: Werift,
        case: "empty_messages_come_back",
        seen: "0 of 1 messages came back",
        reason: "an empty message that it sends blocks everything behind it",
        how_often: Always,
    },
    Expectation {
        stack: Werift,
        case: "the_peer_hangs_up",
        seen: "not within 20s: the channel is closed",
        reason: "its close() says nothing to the peer",
        how_often: Always,
    },
    Expectation {
        stack: Werift,
        case: "we_stop_a_transceiver",
        seen: "the answer bundles what was not offered as a group",
        reason: "it answers a section that is not used any more, in the BUNDLE group",
        how_often: Always,
    },
    Expectation {
        stack: NodeDatachannel,
        case: "the_peer_offers_audio_and_video",
        seen: "is sendrecv, which does not answer recvonly",
        reason: "it answers recvonly with sendrecv",
        how_often: Always,
    },
    Expectation {
        stack: NodeDatachannel,
        case: "our_last_word_arrives",
        seen: "message of the peer's last words",
        reason: "an ABORT right behind a message can make it forget the message",
        how_often: Sometimes,
    },
    Expectation {
        stack: NodeDatachannel,
        case: "we_restart_ice",
        seen: "Invalid ICE settings from remote SDP",
        reason: "it has no ICE restart",
        how_often: Always,
    },
    Expectation {
        stack: NodeDatachannel,
        case: "the_peer_restarts_ice",
        seen: "there is no ICE restart",
        reason: "it has no ICE restart",
        how_often: Always,
    },
    Expectation {
        stack: NodeDatachannel,
        case: "channels_that_we_open_are_closed_by_either_side",
        seen: " closes ",
        reason: "the last word before a close is lost once in some thousand times",
        how_often: Sometimes,
    },
    Expectation {
        stack: NodeDatachannel,
        case: "channels_that_the_peer_opens_are_closed_by_either_side",
        seen: " closes ",
        reason: "the last word before a close is lost once in some thousand times",
        how_often: Sometimes,
    },
    Expectation {
        stack: NodeDatachannel,
        case: "we_stop_a_transceiver",
        seen: "m= section 1 was not offered",
        reason: "it answers a section that is not used any more with a port",
        how_often: Always,
    },
    Expectation {
        stack: Aiortc,
        case: "we_restart_ice",
        seen: "the offer restarts ICE, the answer does not",
        reason: "it has no ICE restart, and answers with the credentials it had",
        how_often: Always,
    },
    Expectation {
        stack: Aiortc,
        case: "the_peer_restarts_ice",
        seen: "there is no ICE restart",
        reason: "it has no ICE restart",
        how_often: Always,
    },
    Expectation {
        stack: Aiortc,
        case: "we_stop_a_transceiver",
        seen: "m= section 1 was not offered",
        reason: "it answers a section that is not used any more with a port",
        how_often: Always,
    },
    Expectation {
        stack: Pion,
        case: "the_peer_offers_audio_and_video",
        seen: "a=setup contradicts the DTLS connection",
        reason: "it answers every offer with a=setup:active, also as the server of a live connection",
        how_often: Always,
    },
    Expectation {
        stack: Pion,
        case: "we_stop_a_transceiver",
        seen: "m= section 1 was not offered",
        reason: "it answers a section that is not used any more with a port",
        how_often: Always,
    },
    Expectation {
        stack: PionLite,
        case: "the_peer_offers_audio_and_video",
        seen: "a=setup contradicts the DTLS connection",
        reason: "it answers every offer with a=setup:active, also as the server of a live connection",
        how_often: Always,
    },
    Expectation {
        stack: PionLite,
        case: "we_stop_a_transceiver",
        seen: "m= section 1 was not offered",
        reason: "it answers a section that is not used any more with a port",
        how_often: Always,
    },
    Expectation {
        stack: Webrtcbin,
        case: "we_restart_ice",
        seen: "the offer restarts ICE, the answer does not",
        reason: "it has no ICE restart, and answers with the credentials it had",
        how_often: Always,
    },
    Expectation {
        stack: Webrtcbin,
        case: "the_peer_restarts_ice",
        seen: "new ufrags",
        reason: "it has no ICE restart, and offers the credentials it had",
        how_often: Always,
    },
    Expectation {
        stack: Webrtcbin,
        case: "the_peer_offers_audio_and_video",
        seen: "a=setup contradicts the DTLS connection",
        reason: "it answers every offer with a=setup:active, also as the server of a live connection",
        how_often: Always,
    },
    Expectation {
        stack: Webrtcbin,
        case: "empty_messages_come_back",
        seen: "0 of 2 messages came back",
        reason: "an empty message that it sends closes its channel",
        how_often: Always,
    },
    Expectation {
        stack: Webrtcbin,
        case: "channels_that_we_open_are_closed_by_either_side",
        seen: " closes ",
        reason: "a close overtakes what was sent or has come right before it",
        how_often: Sometimes,
    },
    Expectation {
        stack: Webrtcbin,
        case: "channels_that_the_peer_opens_are_closed_by_either_side",
        seen: " closes ",
        reason: "a close overtakes what was sent or has come right before it",
        how_often: Sometimes,
    },
    Expectation {
        stack: Webrtcbin,
        case: "we_stop_a_transceiver",
        seen: "m= section 1 was not offered",
        reason: "it answers a section that is not used any more with a port",
        how_often: Always,
    },
    Expectation {
        stack: Webrtcbin,
        case: "the_peer_hangs_up",
        seen: "not within 20s: the channel is closed",
        reason: "its end says nothing to the peer",
        how_often: Always,
    },
    Expectation {
        stack: Webrtcbin,
        case: "we_hang_up",
        seen: "not within 20s: close of the peer's echo",
        reason: "it does not tell its channels that the association was aborted",
        how_often: Always,
    },
];

pub(crate) fn expected(stack: Stack, case: &str) -> Option<&'static Expectation> {
    EXPECTATIONS.iter().find(|expected| expected.stack == stack && expected.case == case)
}
