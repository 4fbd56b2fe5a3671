//! The JSON messages on the WebSocket between the page and its Rust peer.
//!
//! Two kinds share it. Signaling is what any two peers need: `{"description": …}` and
//! `{"candidate": …}`, from either side. The rest makes the page a remote control for the Rust
//! peer: `{"command": …}` towards it, `{"state": …}`, `{"event": …}` and `{"chat": …}` back.

use peerconnection::{
    RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState, RTCSignalingState,
    SignalingMessage,
};
use serde::{Deserialize, Serialize};

/// A message from the page.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum FromPage {
    Signaling(SignalingMessage),
    Control(Control),
}

/// What the page says besides signaling.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Control {
    /// A button or field of the Rust side was used.
    Command(Command),
    /// How an automatic test went.
    Report(serde_json::Value),
    /// A line of the page's log, during an automatic test.
    Log(String),
}

/// What the page can ask the Rust peer to do.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Command {
    /// `restartIce()`
    RestartIce,
    /// `close()`
    Close,
    /// Send the file that the Rust peer offers.
    SendFile,
    /// Send this text in the chat.
    Say(String),
}

/// A message to the page.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ToPage {
    Signaling(SignalingMessage),
    Notice(Notice),
}

/// What the page is told besides signaling.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Notice {
    /// The states of the Rust peer have changed.
    State(PeerState),
    /// Something happened at the Rust peer.
    Event(PeerEvent),
    /// The Rust peer has received this text in the chat.
    Chat(String),
}

/// The live states that the page shows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PeerState {
    pub(super) signaling_state: RTCSignalingState,
    pub(super) ice_gathering_state: RTCIceGatheringState,
    pub(super) ice_connection_state: RTCIceConnectionState,
    pub(super) connection_state: RTCPeerConnectionState,
    /// The ufrag of the local description: it names the generation of ICE.
    pub(super) username_fragment: Option<String>,
    pub(super) selected_pair: Option<String>,
}

/// A line of the event log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PeerEvent {
    /// Milliseconds since the WebSocket was opened.
    pub(super) time: f64,
    /// The event as the specification names it, or what happened.
    pub(super) name: String,
    /// The state it brought, the candidate, and so on.
    pub(super) detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(json: &str) -> Control {
        match serde_json::from_str(json) {
            Ok(FromPage::Control(control)) => control,
            other => panic!("{json} was read as {other:?}"),
        }
    }

    #[test]
    fn the_page_speaks_signaling_and_commands_on_one_websocket() {
        assert_eq!(control(r#"{"command":"restartIce"}"#), Control::Command(Command::RestartIce));
        assert_eq!(
            control(r#"{"command":{"say":"hello"}}"#),
            Control::Command(Command::Say("hello".to_owned()))
        );
        for signaling in [
            r#"{"description":{"type":"offer","sdp":"v=0\r\n"}}"#,
            r#"{"candidate":{"candidate":"","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"a"}}"#,
            r#"{"candidate":null}"#,
        ] {
            let message = serde_json::from_str(signaling);
            assert!(matches!(message, Ok(FromPage::Signaling(_))), "{signaling}: {message:?}");
        }
    }

    #[test]
    fn what_is_neither_is_an_error() {
        for json in ["", "{}", "[]", r#"{"command":"format"}"#, r#"{"description":null}"#] {
            assert!(serde_json::from_str::<FromPage>(json).is_err(), "{json}");
        }
    }
}
