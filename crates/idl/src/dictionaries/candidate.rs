use serde::{Deserialize, Serialize};

/// webrtc-pc §4.8.1: an ICE candidate as it travels between applications.
///
/// The empty `candidate` means that no more candidates of its generation will come: for the m=
/// section that is named, or for all sections if none is.
///
/// ```
/// # use peerconnection_idl as peerconnection;
/// use peerconnection::RTCIceCandidateInit;
///
/// let end = RTCIceCandidateInit::default();
/// assert_eq!(
///     serde_json::to_string(&end)?,
///     r#"{"candidate":"","sdpMid":null,"sdpMLineIndex":null,"usernameFragment":null}"#
/// );
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCIceCandidateInit {
    /// The `candidate-attribute` of RFC 8839 §5.1, or empty.
    pub candidate: String,
    /// The mid of the m= section the candidate belongs to.
    #[doc(alias = "sdpMid")]
    pub sdp_mid: Option<String>,
    /// The index, from 0, of the m= section; ignored if `sdp_mid` is there.
    #[doc(alias = "sdpMLineIndex")]
    #[serde(rename = "sdpMLineIndex")]
    pub sdp_mline_index: Option<u16>,
    /// The `ice-ufrag` of the generation the candidate belongs to; the newest if it is absent.
    #[doc(alias = "usernameFragment")]
    pub username_fragment: Option<String>,
}
