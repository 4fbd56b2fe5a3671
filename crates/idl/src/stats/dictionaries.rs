//! The dictionaries of webrtc-stats for the connection, its channels and its transports.
//!
//! A member that is `None` does not exist in JavaScript: its value is not known, or there is none.

use crate::w3c_enum;
use serde::{Deserialize, Serialize};

use crate::{
    RTCDataChannelState, RTCDtlsTransportState, RTCIceCandidateType, RTCIceProtocol, RTCIceRole,
    RTCIceServerTransportProtocol, RTCIceTcpCandidateType, RTCIceTransportState,
};

#[cfg(doc)]
use super::RTCStats;

w3c_enum! {
    /// webrtc-stats: the part of this side in the DTLS handshake.
    pub enum RTCDtlsRole {
        /// This side sends the first message.
        Client = "client",
        /// This side waits for the first message.
        Server = "server",
        /// No description has decided it yet.
        Unknown = "unknown",
    }
}

w3c_enum! {
    /// webrtc-stats: the state of a candidate pair, RFC 8445 §6.1.2.6.
    pub enum RTCStatsIceCandidatePairState {
        /// The pair waits for another pair of the same foundation.
        Frozen = "frozen",
        /// The pair waits for its turn.
        Waiting = "waiting",
        /// A check has been sent.
        InProgress = "in-progress",
        /// No check has been answered, or consent or the socket has been lost.
        Failed = "failed",
        /// A check has been answered.
        Succeeded = "succeeded",
    }
}

/// webrtc-stats: the connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCPeerConnectionStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// How many data channels have ever been open.
    pub data_channels_opened: u32,
    /// How many of them are not open any more.
    pub data_channels_closed: u32,
}

/// webrtc-stats: a data channel that is not closed, or that was closed with its connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCDataChannelStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// `RTCDataChannel.label`
    pub label: String,
    /// `RTCDataChannel.protocol`
    pub protocol: String,
    /// `RTCDataChannel.id`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_channel_identifier: Option<u16>,
    /// `RTCDataChannel.readyState`
    pub state: RTCDataChannelState,
    /// Messages given to `send()`.
    pub messages_sent: u32,
    /// Bytes given to `send()`; `bufferedAmount` of them still wait.
    pub bytes_sent: u64,
    /// Messages received.
    pub messages_received: u32,
    /// Bytes received in messages.
    pub bytes_received: u64,
}

/// webrtc-stats: a DTLS transport and the ICE transport below. STUN is not counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCTransportStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// Packets sent.
    pub packets_sent: u64,
    /// Packets received.
    pub packets_received: u64,
    /// UDP payload of the packets sent, in bytes.
    pub bytes_sent: u64,
    /// UDP payload of the packets received, in bytes.
    pub bytes_received: u64,
    /// `RTCIceTransport.role`
    pub ice_role: RTCIceRole,
    /// The username fragment of the newest local description. An ICE restart changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ice_local_username_fragment: Option<String>,
    /// `RTCDtlsTransport.state`
    pub dtls_state: RTCDtlsTransportState,
    /// `RTCIceTransport.state`
    pub ice_state: RTCIceTransportState,
    /// The [pair](RTCIceCandidatePairStats) that is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_candidate_pair_id: Option<String>,
    /// How often the pair in use changed, to another pair, to none, or from none.
    pub selected_candidate_pair_changes: u32,
    /// The local [certificate](RTCCertificateStats).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_certificate_id: Option<String>,
    /// The peer's [certificate](RTCCertificateStats), once it is verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_certificate_id: Option<String>,
    /// The version of DTLS that was negotiated: `FEFD` for 1.2, `FEFC` for 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_version: Option<String>,
    /// The cipher suite of DTLS that was negotiated, by its name in IANA's registry, for example
    /// `TLS_AES_128_GCM_SHA256`; `None` before DTLS is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtls_cipher: Option<String>,
    /// The group of the key exchange that was negotiated, by its name in IANA's registry, for
    /// example `x25519`; `None` before DTLS is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_group: Option<String>,
    /// The profile of SRTP that was negotiated, by its name in IANA's registry of protection
    /// profiles of DTLS-SRTP, for example `SRTP_AEAD_AES_128_GCM`; `None` before DTLS is connected,
    /// and if the two sides share none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srtp_cipher: Option<String>,
    /// The part of this side in the handshake.
    pub dtls_role: RTCDtlsRole,
}

/// webrtc-stats: a pair of candidates. An ICE restart removes the pairs that are not in use. The
/// pair in use follows when a new pair comes into use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCIceCandidatePairStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// The [transport](RTCTransportStats).
    pub transport_id: String,
    /// The local [candidate](RTCIceCandidateStats): the base, or the address at which the peer sees
    /// it.
    pub local_candidate_id: String,
    /// The remote [candidate](RTCIceCandidateStats).
    pub remote_candidate_id: String,
    /// How far the checks of the pair are.
    pub state: RTCStatsIceCandidatePairState,
    /// Whether it was nominated.
    pub nominated: bool,
    /// Packets sent, without STUN.
    pub packets_sent: u64,
    /// Packets received, without STUN.
    pub packets_received: u64,
    /// UDP payload of the packets sent, in bytes.
    pub bytes_sent: u64,
    /// UDP payload of the packets received, in bytes.
    pub bytes_received: u64,
    /// When the last packet was sent, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_packet_sent_timestamp: Option<f64>,
    /// When the last packet was received, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_packet_received_timestamp: Option<f64>,
    /// The sum of all round-trip times measured, in seconds.
    pub total_round_trip_time: f64,
    /// The last round-trip time measured, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_round_trip_time: Option<f64>,
    /// Checks received, including retransmissions.
    pub requests_received: u64,
    /// Checks sent, including checks for consent, without retransmissions.
    pub requests_sent: u64,
    /// Answers received.
    pub responses_received: u64,
    /// Answers sent.
    pub responses_sent: u64,
    /// Checks sent for consent.
    pub consent_requests_sent: u64,
}

/// webrtc-stats: a candidate, local or remote. An ICE restart removes the candidates that are in
/// none of the remaining pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCIceCandidateStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// The [transport](RTCTransportStats).
    pub transport_id: String,
    /// An IP address or a name; `None` for a remote address that signalling has not brought.
    pub address: Option<String>,
    /// The port.
    pub port: u16,
    /// UDP or TCP.
    pub protocol: RTCIceProtocol,
    /// Where the candidate comes from.
    pub candidate_type: RTCIceCandidateType,
    /// RFC 8445 §5.1.2; higher is preferred.
    pub priority: u32,
    /// For local candidates from a server, its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// For local relay candidates, the protocol towards the TURN server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay_protocol: Option<RTCIceServerTransportProtocol>,
    /// Equal for candidates that are likely to work or fail together.
    pub foundation: String,
    /// For candidates that derive from another, its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related_address: Option<String>,
    /// For candidates that derive from another, its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related_port: Option<u16>,
    /// The username fragment of the candidate's generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
    /// For TCP candidates, which side connects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_type: Option<RTCIceTcpCandidateType>,
}

/// webrtc-stats: a certificate, local or remote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCCertificateStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// The hash of the certificate: upper-case hexadecimal, octets separated by colons (RFC 4572
    /// §5).
    pub fingerprint: String,
    /// The hash function: `sha-256`.
    pub fingerprint_algorithm: String,
    /// The certificate in DER, in Base64.
    pub base64_certificate: String,
    /// The next [certificate](Self) of the chain; the last one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_certificate_id: Option<String>,
}
