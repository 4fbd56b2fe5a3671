//! What is counted of each stream, as webrtc-stats wants it.

use std::sync::Arc;

use time::{Duration, Instant};

use crate::section::{Kind, SectionId};

/// One source of the peer (webrtc-stats §8.5, `RTCInboundRtpStreamStats`).
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// Its section.
    pub section: SectionId,
    /// What the section carries.
    pub kind: Kind,
    /// The source.
    pub ssrc: u32,
    /// Which peer of several in a row it is of: [`Media::succeed`](crate::Media::succeed). An SSRC
    /// of one peer has nothing to do with that of another.
    pub peer: u32,
    /// The source that repairs it, once that has been heard or a description names it.
    pub rtx_ssrc: Option<u32>,
    /// Its rid, if it has said one.
    pub rid: Option<Arc<str>>,
    /// The payload type of its last packet.
    pub payload_type: Option<u8>,
    /// Packets that came, with those that were sent again.
    pub packets_received: u64,
    /// Packets that were sent with this SSRC and did not come (RFC 3550 §6.4.1). It is negative
    /// if more came than were sent. What RTX repairs stays lost here.
    pub packets_lost: i64,
    /// The jitter in seconds (RFC 3550 §6.4.1).
    pub jitter: f64,
    /// Octets of payload, without headers and padding.
    pub bytes_received: u64,
    /// Octets of headers and padding.
    pub header_bytes_received: u64,
    /// Packets that came by RTX and had been lost.
    pub retransmitted_packets_received: u64,
    /// Octets of their payload.
    pub retransmitted_bytes_received: u64,
    /// Packets that came, although they had come before by RTX or otherwise. They are not
    /// delivered.
    pub packets_duplicated: u64,
    /// When the last packet came.
    pub last_packet_received: Option<Instant>,
    /// Generic NACKs that were sent.
    pub nack_count: u32,
    /// PLIs that were sent.
    pub pli_count: u32,
    /// FIRs that were sent.
    pub fir_count: u32,
    /// Frames of which something came, by timestamps. 0 for audio.
    pub frames_received: u32,
    /// What the peer's sender reports say; `None` before the first.
    pub remote: Option<RemoteOutbound>,
}

/// What the peer reports of a source of its own (webrtc-stats §8.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteOutbound {
    /// When its last report came.
    pub at: Instant,
    /// The NTP time in it, of the peer's clock, in seconds since 1900 with 32 bits of fraction.
    pub ntp: u64,
    /// The timestamp that belongs to that time. The newest pair counts, even when it jumps.
    pub rtp_timestamp: u32,
    /// Packets that it has sent, modulo 2³².
    pub packets_sent: u64,
    /// Octets of payload that it has sent, modulo 2³².
    pub bytes_sent: u64,
    /// Reports that came.
    pub reports_sent: u64,
    /// The last round trip, by the peer's answers to our receiver reference times (RFC 3611 §4.5).
    pub round_trip_time: Option<Duration>,
    /// The sum of all round trips.
    pub total_round_trip_time: Duration,
    /// How many there were.
    pub round_trip_time_measurements: u64,
}

/// One encoding of ours (webrtc-stats §8.7, `RTCOutboundRtpStreamStats`).
#[derive(Debug, Clone, PartialEq)]
pub struct Outbound {
    /// Its section.
    pub section: SectionId,
    /// What the section carries.
    pub kind: Kind,
    /// Its place in [`Send::encodings`](crate::Send::encodings).
    pub encoding: usize,
    /// The source.
    pub ssrc: u32,
    /// The source that repairs it.
    pub rtx_ssrc: Option<u32>,
    /// Its rid.
    pub rid: Option<Arc<str>>,
    /// Whether it may send.
    pub active: bool,
    /// The payload type of its last packet.
    pub payload_type: Option<u8>,
    /// Packets that were sent, with those that were sent again by either source.
    pub packets_sent: u64,
    /// Octets of their payload.
    pub bytes_sent: u64,
    /// Octets of their headers.
    pub header_bytes_sent: u64,
    /// Packets that were sent again.
    pub retransmitted_packets_sent: u64,
    /// Octets of their payload.
    pub retransmitted_bytes_sent: u64,
    /// Generic NACKs that came.
    pub nack_count: u32,
    /// PLIs that came.
    pub pli_count: u32,
    /// FIRs that came, without repetitions.
    pub fir_count: u32,
    /// Frames, by timestamps. 0 for audio.
    pub frames_sent: u32,
    /// When the last packet was sent.
    pub last_packet_sent: Option<Instant>,
    /// What the peer's reports say; `None` before the first.
    pub remote: Option<RemoteInbound>,
}

/// What the peer reports of an encoding of ours (webrtc-stats §8.6).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RemoteInbound {
    /// When its last report came.
    pub at: Instant,
    /// Packets that came there: the highest number that it has seen less the first one that was
    /// sent, plus one, less the packets lost. Of several peers in a row, the sum.
    pub packets_received: u64,
    /// Packets that did not come there; 24 bits with a sign.
    pub packets_lost: i64,
    /// The fraction of packets that did not come between the last two reports, from 0 to 1.
    pub fraction_lost: f64,
    /// The jitter there, in seconds.
    pub jitter: f64,
    /// The last round trip.
    pub round_trip_time: Option<Duration>,
    /// The sum of all round trips.
    pub total_round_trip_time: Duration,
    /// How many there were.
    pub round_trip_time_measurements: u64,
}
