//! webrtc-pc §4.8 and §5.6: what candidates, their events and ICE transports consist of.

use serde::{Deserialize, Serialize};

use crate::{RTCIceCandidateInit, w3c_enum};

w3c_enum! {
    /// webrtc-pc §4.8.1.3: the transport protocol of a candidate.
    pub enum RTCIceProtocol {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
    }
}

w3c_enum! {
    /// webrtc-pc §4.8.1.4: the kind of a TCP candidate.
    pub enum RTCIceTcpCandidateType {
        /// The agent opens the connection.
        Active = "active",
        /// The agent accepts the connection.
        Passive = "passive",
        /// Both agents open it at once.
        So = "so",
    }
}

w3c_enum! {
    /// webrtc-pc §4.8.1.5: where a candidate comes from.
    pub enum RTCIceCandidateType {
        /// An interface of the host.
        Host = "host",
        /// Seen by a STUN server.
        Srflx = "srflx",
        /// Seen by the peer.
        Prflx = "prflx",
        /// A TURN allocation.
        Relay = "relay",
    }
}

w3c_enum! {
    /// webrtc-pc §4.8.1.6: the protocol between client and server.
    pub enum RTCIceServerTransportProtocol {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
        /// TLS over TCP.
        Tls = "tls",
    }
}

w3c_enum! {
    /// webrtc-pc §5.6.6: the component of a candidate or transport.
    pub enum RTCIceComponent {
        /// RTP, or RTP and RTCP multiplexed, or data.
        Rtp = "rtp",
        /// RTCP.
        Rtcp = "rtcp",
    }
}

/// webrtc-pc §4.8.1 `RTCLocalIceCandidateInit`: what the constructor of `RTCIceCandidate` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCLocalIceCandidateInit {
    /// The `candidate-attribute`; empty for the end of candidates.
    pub candidate: String,
    /// The mid of the m= section.
    pub sdp_mid: Option<String>,
    /// The index of the m= section, from 0.
    #[serde(rename = "sdpMLineIndex")]
    pub sdp_mline_index: Option<u16>,
    /// The ufrag that names the generation.
    pub username_fragment: Option<String>,
    /// For relay candidates: the protocol towards the TURN server.
    pub relay_protocol: Option<RTCIceServerTransportProtocol>,
    /// For candidates from a server: its URL.
    pub url: Option<String>,
}

impl From<RTCIceCandidateInit> for RTCLocalIceCandidateInit {
    fn from(init: RTCIceCandidateInit) -> Self {
        Self {
            candidate: init.candidate,
            sdp_mid: init.sdp_mid,
            sdp_mline_index: init.sdp_mline_index,
            username_fragment: init.username_fragment,
            relay_protocol: None,
            url: None,
        }
    }
}

/// webrtc-pc §4.8.3: what an `RTCPeerConnectionIceErrorEvent` is made of. The specification
/// requires `error_code`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCPeerConnectionIceErrorEventInit {
    /// The local address used to reach the server; `None` if no local candidate has exposed it, and
    /// if the server was not even asked.
    pub address: Option<String>,
    /// The local port used to reach the server; `None` if `address` is.
    pub port: Option<u16>,
    /// The URL of the STUN or TURN server.
    pub url: String,
    /// The STUN error code, 300 to 699; or 701 if no host candidate could reach the server.
    #[doc(alias = "errorCode")]
    pub error_code: u16,
    /// The STUN reason text, or more about the failure.
    #[doc(alias = "errorText")]
    pub error_text: String,
}

/// webrtc-pc §5.6.1: ICE credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RTCIceParameters {
    /// `ice-ufrag`
    pub username_fragment: Option<String>,
    /// `ice-pwd`
    pub password: Option<String>,
}
