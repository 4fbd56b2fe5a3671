//! webrtc-pc §8, webrtc-stats: statistics.

mod dictionaries;
mod report;

pub use dictionaries::{
    RTCCertificateStats, RTCDataChannelStats, RTCDtlsRole, RTCIceCandidatePairStats,
    RTCIceCandidateStats, RTCPeerConnectionStats, RTCStats, RTCStatsIceCandidatePairState,
    RTCStatsType, RTCTransportStats,
};
pub use report::RTCStatsReport;

#[cfg(test)]
mod tests;
