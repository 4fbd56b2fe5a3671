use serde::{Deserialize, Serialize};

/// webrtc-pc §6.2: the options of a data channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCDataChannelInit {
    /// Whether messages arrive in the order they were sent; `true` by default.
    pub ordered: bool,
    /// For how many milliseconds a message is sent and retransmitted; excludes `max_retransmits`.
    #[doc(alias = "maxPacketLifeTime")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_packet_life_time: Option<u16>,
    /// How often a message is retransmitted at most; excludes `max_packet_life_time`.
    #[doc(alias = "maxRetransmits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retransmits: Option<u16>,
    /// The name of the sub-protocol; at most 65535 bytes.
    pub protocol: String,
    /// Whether both applications create the channel with the same `id`. Otherwise the peer learns
    /// about the channel in-band.
    pub negotiated: bool,
    /// The id, 0 to 65534, if `negotiated`; ignored otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u16>,
}

impl Default for RTCDataChannelInit {
    fn default() -> Self {
        Self {
            ordered: true,
            max_packet_life_time: None,
            max_retransmits: None,
            protocol: String::new(),
            negotiated: false,
            id: None,
        }
    }
}
