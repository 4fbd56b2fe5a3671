//! webrtc-pc §8.4 `RTCStats`: the statistics of one object.

use crate::w3c_enum;
use serde::{Deserialize, Serialize};

use super::{
    RTCCertificateStats, RTCCodecStats, RTCDataChannelStats, RTCIceCandidatePairStats,
    RTCIceCandidateStats, RTCInboundRtpStreamStats, RTCMediaSourceStats, RTCOutboundRtpStreamStats,
    RTCPeerConnectionStats, RTCRemoteInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats,
    RTCTransportStats,
};

w3c_enum! {
    /// webrtc-stats `RTCStatsType`: which object the statistics are about.
    pub enum RTCStatsType {
        /// [`RTCCodecStats`]
        Codec = "codec",
        /// [`RTCInboundRtpStreamStats`]
        InboundRtp = "inbound-rtp",
        /// [`RTCOutboundRtpStreamStats`]
        OutboundRtp = "outbound-rtp",
        /// [`RTCRemoteInboundRtpStreamStats`]
        RemoteInboundRtp = "remote-inbound-rtp",
        /// [`RTCRemoteOutboundRtpStreamStats`]
        RemoteOutboundRtp = "remote-outbound-rtp",
        /// [`RTCMediaSourceStats`]
        MediaSource = "media-source",
        /// [`RTCPeerConnectionStats`]
        PeerConnection = "peer-connection",
        /// [`RTCDataChannelStats`]
        DataChannel = "data-channel",
        /// [`RTCTransportStats`]
        Transport = "transport",
        /// [`RTCIceCandidatePairStats`]
        CandidatePair = "candidate-pair",
        /// [`RTCIceCandidateStats`] of a local candidate
        LocalCandidate = "local-candidate",
        /// [`RTCIceCandidateStats`] of a remote candidate
        RemoteCandidate = "remote-candidate",
        /// [`RTCCertificateStats`]
        Certificate = "certificate",
    }
}

/// webrtc-pc §8.4 `RTCStats`: the statistics of one object, by its type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RTCStats {
    /// `codec`
    Codec(RTCCodecStats),
    /// `inbound-rtp`
    InboundRtp(RTCInboundRtpStreamStats),
    /// `outbound-rtp`
    OutboundRtp(RTCOutboundRtpStreamStats),
    /// `remote-inbound-rtp`
    RemoteInboundRtp(RTCRemoteInboundRtpStreamStats),
    /// `remote-outbound-rtp`
    RemoteOutboundRtp(RTCRemoteOutboundRtpStreamStats),
    /// `media-source`
    MediaSource(RTCMediaSourceStats),
    /// `peer-connection`
    PeerConnection(RTCPeerConnectionStats),
    /// `data-channel`
    DataChannel(RTCDataChannelStats),
    /// `transport`
    Transport(RTCTransportStats),
    /// `candidate-pair`
    CandidatePair(RTCIceCandidatePairStats),
    /// `local-candidate`
    LocalCandidate(RTCIceCandidateStats),
    /// `remote-candidate`
    RemoteCandidate(RTCIceCandidateStats),
    /// `certificate`
    Certificate(RTCCertificateStats),
}

impl RTCStats {
    /// When the statistics were taken, in milliseconds since the Unix epoch. The clock of a
    /// connection never goes back, and differences stay exact if the machine's date is changed.
    pub fn timestamp(&self) -> f64 {
        match self {
            Self::Codec(stats) => stats.timestamp,
            Self::InboundRtp(stats) => stats.timestamp,
            Self::OutboundRtp(stats) => stats.timestamp,
            Self::RemoteInboundRtp(stats) => stats.timestamp,
            Self::RemoteOutboundRtp(stats) => stats.timestamp,
            Self::MediaSource(stats) => stats.timestamp(),
            Self::PeerConnection(stats) => stats.timestamp,
            Self::DataChannel(stats) => stats.timestamp,
            Self::Transport(stats) => stats.timestamp,
            Self::CandidatePair(stats) => stats.timestamp,
            Self::LocalCandidate(stats) | Self::RemoteCandidate(stats) => stats.timestamp,
            Self::Certificate(stats) => stats.timestamp,
        }
    }

    /// The type of the object.
    #[doc(alias = "type")]
    pub fn type_(&self) -> RTCStatsType {
        match self {
            Self::Codec(_) => RTCStatsType::Codec,
            Self::InboundRtp(_) => RTCStatsType::InboundRtp,
            Self::OutboundRtp(_) => RTCStatsType::OutboundRtp,
            Self::RemoteInboundRtp(_) => RTCStatsType::RemoteInboundRtp,
            Self::RemoteOutboundRtp(_) => RTCStatsType::RemoteOutboundRtp,
            Self::MediaSource(_) => RTCStatsType::MediaSource,
            Self::PeerConnection(_) => RTCStatsType::PeerConnection,
            Self::DataChannel(_) => RTCStatsType::DataChannel,
            Self::Transport(_) => RTCStatsType::Transport,
            Self::CandidatePair(_) => RTCStatsType::CandidatePair,
            Self::LocalCandidate(_) => RTCStatsType::LocalCandidate,
            Self::RemoteCandidate(_) => RTCStatsType::RemoteCandidate,
            Self::Certificate(_) => RTCStatsType::Certificate,
        }
    }

    /// The ids of the objects that this one refers to.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        fn of_stream(stream: &super::RTCRtpStreamStats) -> [Option<&str>; 2] {
            [stream.transport_id.as_deref(), stream.codec_id.as_deref()]
        }
        let [first, second, third, fourth] = match self {
            Self::Codec(stats) => [Some(stats.transport_id.as_str()), None, None, None],
            Self::InboundRtp(stats) => {
                let [transport, codec] = of_stream(stats);
                [transport, codec, stats.remote_id.as_deref(), None]
            }
            Self::OutboundRtp(stats) => {
                let [transport, codec] = of_stream(stats);
                [transport, codec, stats.remote_id.as_deref(), stats.media_source_id.as_deref()]
            }
            Self::RemoteInboundRtp(stats) => {
                let [transport, codec] = of_stream(stats);
                [transport, codec, stats.local_id.as_deref(), None]
            }
            Self::RemoteOutboundRtp(stats) => {
                let [transport, codec] = of_stream(stats);
                [transport, codec, stats.local_id.as_deref(), None]
            }
            Self::Transport(stats) => [
                stats.selected_candidate_pair_id.as_deref(),
                stats.local_certificate_id.as_deref(),
                stats.remote_certificate_id.as_deref(),
                None,
            ],
            Self::CandidatePair(stats) => [
                Some(stats.transport_id.as_str()),
                Some(stats.local_candidate_id.as_str()),
                Some(stats.remote_candidate_id.as_str()),
                None,
            ],
            Self::LocalCandidate(stats) | Self::RemoteCandidate(stats) => {
                [Some(stats.transport_id.as_str()), None, None, None]
            }
            Self::Certificate(stats) => [stats.issuer_certificate_id.as_deref(), None, None, None],
            Self::MediaSource(_) | Self::PeerConnection(_) | Self::DataChannel(_) => [None; 4],
        };
        [first, second, third, fourth].into_iter().flatten()
    }

    /// The id of the object, the same in every report, and never that of another one. Opaque.
    pub fn id(&self) -> &str {
        match self {
            Self::Codec(stats) => &stats.id,
            Self::InboundRtp(stats) => &stats.id,
            Self::OutboundRtp(stats) => &stats.id,
            Self::RemoteInboundRtp(stats) => &stats.id,
            Self::RemoteOutboundRtp(stats) => &stats.id,
            Self::MediaSource(stats) => stats.id(),
            Self::PeerConnection(stats) => &stats.id,
            Self::DataChannel(stats) => &stats.id,
            Self::Transport(stats) => &stats.id,
            Self::CandidatePair(stats) => &stats.id,
            Self::LocalCandidate(stats) | Self::RemoteCandidate(stats) => &stats.id,
            Self::Certificate(stats) => &stats.id,
        }
    }
}
