use serde::{Deserialize, Serialize};

use crate::w3c_enum;

w3c_enum! {
    /// webrtc-priority §3.1: how much of the network something gets beside others. Each value gets
    /// twice as much as the one before (RFC 8835 §4.1, RFC 8831 §6.4).
    #[derive(Default)]
    pub enum RTCPriorityType {
        /// Half of the usual share.
        VeryLow = "very-low",
        /// The usual share.
        #[default]
        Low = "low",
        /// Twice the usual share.
        Medium = "medium",
        /// Four times the usual share.
        High = "high",
    }
}

/// webrtc-pc §6.2: the options of a data channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCDataChannelInit {
    /// Whether messages arrive in the order they were sent; `true` by default.
    pub ordered: bool,
    /// For how many milliseconds a message is sent and retransmitted, from the call of `send()`: one
    /// that has waited longer is not sent at all. Excludes `max_retransmits`.
    #[doc(alias = "maxPacketLifeTime")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_packet_life_time: Option<u16>,
    /// How often a message is retransmitted at most, however long it has waited to be sent. Excludes
    /// `max_packet_life_time`.
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
    /// webrtc-priority §4: how much of the network the channel gets beside the other channels of the
    /// connection, when all of them together would send more than it carries.
    pub priority: RTCPriorityType,
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
            priority: RTCPriorityType::Low,
        }
    }
}
