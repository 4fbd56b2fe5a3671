use serde::{Deserialize, Serialize};

use crate::{Error, w3c_enum};

w3c_enum! {
    /// webrtc-pc §4.6.1: the type of a session description.
    pub enum RTCSdpType {
        /// An offer.
        Offer = "offer",
        /// A provisional answer: a later answer may replace it.
        Pranswer = "pranswer",
        /// The final answer.
        Answer = "answer",
        /// Undoes the offer that is being negotiated.
        Rollback = "rollback",
    }
}

/// webrtc-pc §4.6.2: a session description as it travels between applications.
///
/// ```
/// # use peerconnection_idl as peerconnection;
/// use peerconnection::{RTCSdpType, RTCSessionDescriptionInit};
///
/// let init: RTCSessionDescriptionInit =
///     serde_json::from_str(r#"{"type":"offer","sdp":"v=0\r\n"}"#)?;
/// assert_eq!(init.type_, RTCSdpType::Offer);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RTCSessionDescriptionInit {
    /// The type of the description.
    #[serde(rename = "type")]
    #[doc(alias = "type")]
    pub type_: RTCSdpType,
    /// The SDP; not used for a rollback.
    #[serde(default)]
    pub sdp: String,
}

/// webrtc-pc §4.6.2: the argument of `setLocalDescription()`. Both members may be left out. Then
/// the type follows from the signaling state, and an empty `sdp` stands for the last offer or
/// answer that was created, or for a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RTCLocalSessionDescriptionInit {
    /// The type of the description; inferred if absent.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[doc(alias = "type")]
    pub type_: Option<RTCSdpType>,
    /// The SDP, unchanged from `createOffer()` or `createAnswer()`, or empty.
    #[serde(default)]
    pub sdp: String,
}

impl From<RTCSessionDescriptionInit> for RTCLocalSessionDescriptionInit {
    fn from(init: RTCSessionDescriptionInit) -> Self {
        Self { type_: Some(init.type_), sdp: init.sdp }
    }
}

/// webrtc-pc §4.6.2: a description that has been applied, with the candidates that were added to
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RTCSessionDescription {
    #[serde(rename = "type")]
    type_: RTCSdpType,
    #[serde(default)]
    sdp: String,
}

impl RTCSessionDescription {
    /// The constructor. The specification deprecates it: an `RTCSessionDescriptionInit` will do.
    pub fn new(init: RTCSessionDescriptionInit) -> Self {
        Self { type_: init.type_, sdp: init.sdp }
    }

    /// The type of the description.
    #[doc(alias = "type")]
    pub fn type_(&self) -> RTCSdpType {
        self.type_
    }

    /// The SDP.
    #[doc(alias("RTCSessionDescription.sdp"))]
    pub fn sdp(&self) -> &str {
        &self.sdp
    }

    /// A dictionary with the same content.
    #[doc(alias = "toJSON")]
    pub fn to_json(&self) -> RTCSessionDescriptionInit {
        RTCSessionDescriptionInit { type_: self.type_, sdp: self.sdp.clone() }
    }
}

impl From<RTCSessionDescriptionInit> for RTCSessionDescription {
    fn from(init: RTCSessionDescriptionInit) -> Self {
        Self::new(init)
    }
}

impl From<RTCSessionDescription> for RTCSessionDescriptionInit {
    fn from(description: RTCSessionDescription) -> Self {
        Self { type_: description.type_, sdp: description.sdp }
    }
}

impl From<&RTCSessionDescription> for RTCSessionDescriptionInit {
    fn from(description: &RTCSessionDescription) -> Self {
        description.to_json()
    }
}

impl From<&Self> for RTCSessionDescriptionInit {
    fn from(init: &Self) -> Self {
        init.clone()
    }
}

/// What an attribute such as `localDescription` shows. `null` is an error, as it is in JavaScript:
/// Web IDL makes a dictionary of it that lacks the required `type`.
impl TryFrom<Option<RTCSessionDescription>> for RTCSessionDescriptionInit {
    type Error = Error;

    fn try_from(description: Option<RTCSessionDescription>) -> Result<Self, Error> {
        let no_type = || Error::TypeError("there is no description: `type` is missing".to_owned());
        description.map(Self::from).ok_or_else(no_type)
    }
}

impl From<RTCSessionDescription> for RTCLocalSessionDescriptionInit {
    fn from(description: RTCSessionDescription) -> Self {
        Self { type_: Some(description.type_), sdp: description.sdp }
    }
}

/// For `setLocalDescription()`, whose argument may be left out.
macro_rules! as_optional_argument {
    ($($given:ty),*) => {
        $(
            impl From<$given> for Option<RTCLocalSessionDescriptionInit> {
                fn from(given: $given) -> Self {
                    Some(RTCSessionDescriptionInit::from(given).into())
                }
            }
        )*
    };
}

as_optional_argument!(
    RTCSessionDescriptionInit,
    &RTCSessionDescriptionInit,
    RTCSessionDescription,
    &RTCSessionDescription
);

/// webrtc-pc §4.2.6: options of an offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[doc(alias = "RTCOfferAnswerOptions")]
pub struct RTCOfferOptions {
    /// Whether applying the offer restarts ICE.
    #[doc(alias = "iceRestart")]
    pub ice_restart: bool,
    /// webrtc-pc §4.4.3.2, legacy: whether audio is to be received.
    #[doc(alias = "offerToReceiveAudio")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_to_receive_audio: Option<bool>,
    /// webrtc-pc §4.4.3.2, legacy: whether video is to be received.
    #[doc(alias = "offerToReceiveVideo")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_to_receive_video: Option<bool>,
}

/// webrtc-pc §4.2.6: options of an answer. The specification has none yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[doc(alias = "RTCOfferAnswerOptions")]
pub struct RTCAnswerOptions {}
