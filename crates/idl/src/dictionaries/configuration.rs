use serde::{Deserialize, Deserializer, Serialize};

use crate::w3c_enum;

w3c_enum! {
    /// webrtc-pc §4.2.3: which candidates ICE may use.
    #[derive(Default)]
    pub enum RTCIceTransportPolicy {
        /// Relay candidates only.
        Relay = "relay",
        /// Candidates of any type.
        #[default]
        All = "all",
    }
}

w3c_enum! {
    /// webrtc-pc §4.2.4: which transports are offered to a peer without BUNDLE.
    #[derive(Default)]
    pub enum RTCBundlePolicy {
        /// A transport for each kind of media.
        #[default]
        Balanced = "balanced",
        /// A transport for each m= section.
        MaxCompat = "max-compat",
        /// One transport.
        MaxBundle = "max-bundle",
    }
}

w3c_enum! {
    /// webrtc-pc §4.2.5: how RTCP is carried. There is only one way.
    #[derive(Default)]
    pub enum RTCRtcpMuxPolicy {
        /// Multiplexed with RTP. The description of a peer that cannot do this is refused.
        #[default]
        Require = "require",
    }
}

/// webrtc-pc §4.2.2: STUN or TURN servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RTCIceServer {
    /// URLs of the server, at least one: `stun:`, `stuns:`, `turn:` or `turns:`, host and port, with
    /// a query for the transport behind the latter two (RFC 7064 §3, RFC 7065 §3). In JSON one string
    /// or a list of them.
    #[serde(deserialize_with = "string_or_list")]
    pub urls: Vec<String>,
    /// The user name for TURN, at most 508 bytes; required there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The long-term password for TURN; required there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

fn string_or_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum StringOrList {
        String(String),
        List(Vec<String>),
    }
    Ok(match StringOrList::deserialize(deserializer)? {
        StringOrList::String(url) => vec![url],
        StringOrList::List(urls) => urls,
    })
}
