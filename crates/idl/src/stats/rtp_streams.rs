//! The dictionaries of webrtc-stats for RTP streams, and for the codecs that they use.
//!
//! They have the members that can be known without decoding: this crate carries packets, the
//! application has the codecs. Members of one dictionary that inherits from another are fields of
//! both, by `Deref`.

use crate::{MediaKind, inherits};
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::{RTCMediaSourceStats, RTCStats, RTCTransportStats};

/// webrtc-stats: a codec that an RTP stream uses. There is one object for each payload type of a
/// transport, and two if the parameters to send and to receive differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCCodecStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// The RTP payload type, 0 to 127.
    pub payload_type: u8,
    /// The [transport](RTCTransportStats).
    pub transport_id: String,
    /// `audio/` or `video/` and the name of the codec.
    pub mime_type: String,
    /// The rate of RTP timestamps, in hertz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_rate: Option<u32>,
    /// The number of channels; audio only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u16>,
    /// The parameters as `a=fmtp` has them, without the payload type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_fmtp_line: Option<String>,
}

/// webrtc-stats: an RTP stream, whichever side sends it and whichever side counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCRtpStreamStats {
    /// [`RTCStats::timestamp`]
    pub timestamp: f64,
    /// [`RTCStats::id`]
    pub id: String,
    /// The synchronization source of the stream (RFC 3550 §3), never that of its retransmissions.
    pub ssrc: u32,
    /// `MediaStreamTrack.kind`
    pub kind: MediaKind,
    /// The [transport](RTCTransportStats).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_id: Option<String>,
    /// The [codec](RTCCodecStats) of the last packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec_id: Option<String>,
}

/// webrtc-stats: what the side that receives a stream counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCReceivedRtpStreamStats {
    /// The stream; its members are members of this dictionary.
    #[serde(flatten)]
    pub rtp_stream: RTCRtpStreamStats,
    /// Packets received, retransmissions too. Of the peer's reports this is an estimate: the
    /// highest sequence number received less the first one sent, plus one, less the packets lost.
    pub packets_received: u64,
    /// Packets expected less packets received (RFC 3550 §6.4.1). Negative if the network duplicates
    /// more than it loses.
    pub packets_lost: i64,
    /// How irregularly packets arrive (RFC 3550 §6.4.1), in seconds.
    pub jitter: f64,
}

inherits!(RTCReceivedRtpStreamStats from RTCRtpStreamStats as rtp_stream);

/// webrtc-stats: a stream that this side receives. It begins with its first packet.
///
/// ```
/// use peerconnection::{RTCInboundRtpStreamStats, RTCStats, RTCStatsReport};
///
/// /// Bits per second that a stream brought between two reports.
/// fn bitrate(earlier: &RTCInboundRtpStreamStats, later: &RTCInboundRtpStreamStats) -> f64 {
///     let octets = later.bytes_received - earlier.bytes_received;
///     8.0 * octets as f64 / ((later.timestamp - earlier.timestamp) / 1000.0)
/// }
///
/// /// The streams that a report has in common with an earlier one.
/// fn bitrates(earlier: &RTCStatsReport, later: &RTCStatsReport) -> Vec<(u32, f64)> {
///     let both = later.iter().filter_map(|(id, stats)| match (earlier.get(id), stats) {
///         (Some(RTCStats::InboundRtp(earlier)), RTCStats::InboundRtp(later)) => {
///             Some((later.ssrc, bitrate(earlier, later)))
///         }
///         _ => None,
///     });
///     both.collect()
/// }
/// # assert!(bitrates(&RTCStatsReport::default(), &RTCStatsReport::default()).is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCInboundRtpStreamStats {
    /// What every receiving side counts; its members are members of this dictionary.
    #[serde(flatten)]
    pub received: RTCReceivedRtpStreamStats,
    /// `MediaStreamTrack.id`
    pub track_identifier: String,
    /// `RTCRtpTransceiver.mid`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// The [stream as the peer counts it](RTCRemoteOutboundRtpStreamStats), once it has sent a
    /// report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// When the last packet was received, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_packet_received_timestamp: Option<f64>,
    /// Bytes of headers and padding received.
    pub header_bytes_received: u64,
    /// Bytes of payloads received, retransmissions too.
    pub bytes_received: u64,
    /// NACK messages sent (RFC 4585 §6.2.1).
    pub nack_count: u32,
    /// FIR messages sent (RFC 5104 §4.3.1); video only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fir_count: Option<u32>,
    /// PLI messages sent (RFC 4585 §6.3.1); video only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pli_count: Option<u32>,
    /// Complete frames received; video only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_received: Option<u32>,
    /// How loud the sender says that the last packet is (RFC 6464), 0 to 1, linear, where 1 is
    /// 0 dBov; audio only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_level: Option<f64>,
    /// Retransmissions received; absent if RTX is not negotiated (RFC 4588).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retransmitted_packets_received: Option<u64>,
    /// Bytes of payloads in retransmissions; absent if RTX is not negotiated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retransmitted_bytes_received: Option<u64>,
    /// The synchronization source of the retransmissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtx_ssrc: Option<u32>,
}

inherits!(RTCInboundRtpStreamStats from RTCReceivedRtpStreamStats as received);

/// webrtc-stats: a stream that this side sends, as the peer counts it. The timestamp is when the
/// peer's last report came (RFC 3550 §6.4.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCRemoteInboundRtpStreamStats {
    /// What every receiving side counts; its members are members of this dictionary.
    #[serde(flatten)]
    pub received: RTCReceivedRtpStreamStats,
    /// The [stream as this side counts it](RTCOutboundRtpStreamStats).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_id: Option<String>,
    /// The last round-trip time measured, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_time: Option<f64>,
    /// The sum of all round-trip times measured, in seconds.
    pub total_round_trip_time: f64,
    /// The part of the packets since the report before that was lost, 0 to 1.
    pub fraction_lost: f64,
    /// How often the round-trip time was measured.
    pub round_trip_time_measurements: u64,
}

inherits!(RTCRemoteInboundRtpStreamStats from RTCReceivedRtpStreamStats as received);

/// webrtc-stats: what the side that sends a stream counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCSentRtpStreamStats {
    /// The stream; its members are members of this dictionary.
    #[serde(flatten)]
    pub rtp_stream: RTCRtpStreamStats,
    /// Packets sent, retransmissions too.
    pub packets_sent: u64,
    /// Bytes of payloads sent, retransmissions too.
    pub bytes_sent: u64,
}

inherits!(RTCSentRtpStreamStats from RTCRtpStreamStats as rtp_stream);

/// webrtc-stats: a stream that this side sends, one for each encoding of a sender. It begins with
/// the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCOutboundRtpStreamStats {
    /// What every sending side counts; its members are members of this dictionary.
    #[serde(flatten)]
    pub sent: RTCSentRtpStreamStats,
    /// `RTCRtpTransceiver.mid`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// The [source](RTCMediaSourceStats): the track of the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_source_id: Option<String>,
    /// The [stream as the peer counts it](RTCRemoteInboundRtpStreamStats), once it has sent a
    /// report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// `RTCRtpCodingParameters.rid`; video only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    /// Which of `RTCRtpSendParameters.encodings` it is; video only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_index: Option<u32>,
    /// Bytes of headers and padding sent.
    pub header_bytes_sent: u64,
    /// Retransmissions sent.
    pub retransmitted_packets_sent: u64,
    /// Bytes of payloads in retransmissions.
    pub retransmitted_bytes_sent: u64,
    /// The synchronization source of the retransmissions (RFC 4588).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtx_ssrc: Option<u32>,
    /// Frames sent; video only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_sent: Option<u32>,
    /// NACK messages received (RFC 4585 §6.2.1).
    pub nack_count: u32,
    /// FIR messages received (RFC 5104 §4.3.1); video only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fir_count: Option<u32>,
    /// PLI messages received (RFC 4585 §6.3.1); video only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pli_count: Option<u32>,
    /// `RTCRtpEncodingParameters.active`
    pub active: bool,
}

inherits!(RTCOutboundRtpStreamStats from RTCSentRtpStreamStats as sent);

/// webrtc-stats: a stream that this side receives, as the peer counts it. The timestamp is when
/// the peer's last report came (RFC 3550 §6.4.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RTCRemoteOutboundRtpStreamStats {
    /// What every sending side counts; its members are members of this dictionary.
    #[serde(flatten)]
    pub sent: RTCSentRtpStreamStats,
    /// The [stream as this side counts it](RTCInboundRtpStreamStats).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_id: Option<String>,
    /// When the peer sent the report, in milliseconds since the Unix epoch by the peer's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_timestamp: Option<f64>,
    /// Reports received of those that the peer has sent about the stream.
    pub reports_sent: u64,
    /// The last round-trip time measured, in seconds; needs DLRR blocks (RFC 3611 §4.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_time: Option<f64>,
    /// The sum of all round-trip times measured, in seconds.
    pub total_round_trip_time: f64,
    /// How often the round-trip time was measured.
    pub round_trip_time_measurements: u64,
}

inherits!(RTCRemoteOutboundRtpStreamStats from RTCSentRtpStreamStats as sent);
