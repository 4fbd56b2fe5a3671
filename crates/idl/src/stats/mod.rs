//! webrtc-pc §8, webrtc-stats: statistics.

mod dictionaries;
mod display;
mod media_sources;
mod object;
mod report;
mod rtp_streams;

pub use dictionaries::{
    RTCCertificateStats, RTCDataChannelStats, RTCDtlsRole, RTCIceCandidatePairStats,
    RTCIceCandidateStats, RTCPeerConnectionStats, RTCStatsIceCandidatePairState, RTCTransportStats,
};
pub use media_sources::{RTCAudioSourceStats, RTCMediaSourceStats, RTCVideoSourceStats};
pub use object::{RTCStats, RTCStatsType};
pub use report::RTCStatsReport;
pub use rtp_streams::{
    RTCCodecStats, RTCInboundRtpStreamStats, RTCOutboundRtpStreamStats, RTCReceivedRtpStreamStats,
    RTCRemoteInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats, RTCRtpStreamStats,
    RTCSentRtpStreamStats,
};

#[cfg(test)]
mod tests;
