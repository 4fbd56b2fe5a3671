//! webrtc-pc §8.3 `RTCStatsReport`.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{
    RTCCertificateStats, RTCCodecStats, RTCDataChannelStats, RTCIceCandidatePairStats,
    RTCIceCandidateStats, RTCInboundRtpStreamStats, RTCMediaSourceStats, RTCOutboundRtpStreamStats,
    RTCPeerConnectionStats, RTCRemoteInboundRtpStreamStats, RTCRemoteOutboundRtpStreamStats,
    RTCStats, RTCTransportStats,
};

/// webrtc-pc §8.3: statistics by the ids of their objects. A report is a snapshot, which later
/// changes do not reach. Cheap to clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), peerconnection::Error> {
/// use peerconnection::{RTCConfiguration, RTCPeerConnection, RTCStatsReport};
///
/// /// The addresses between which data goes, and how long it takes, in seconds.
/// fn path(report: &RTCStatsReport) -> Option<(String, String, Option<f64>)> {
///     let selected = report.transports().find_map(|t| t.selected_candidate_pair_id.as_deref())?;
///     let pair = report.get(selected)?.as_candidate_pair()?;
///     let local = report.get(&pair.local_candidate_id)?.as_local_candidate()?;
///     let remote = report.get(&pair.remote_candidate_id)?.as_remote_candidate()?;
///     let [local, remote] = [local, remote].map(|c| format!("{:?}:{}", c.address, c.port));
///     Some((local, remote, pair.current_round_trip_time))
/// }
///
/// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
/// let report = pc.get_stats(None).await?;
/// assert_eq!(report.len(), 1, "only the connection, nothing is negotiated yet");
/// assert_eq!(path(&report), None);
/// for (id, stats) in &report {
///     println!("{id} is a {}", stats.type_());
/// }
/// // One object a line, for people.
/// println!("{report}");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RTCStatsReport {
    inner: Arc<Inner>,
}

#[derive(Debug, Default, PartialEq)]
struct Inner {
    stats: Vec<RTCStats>,
    /// Positions, in the order of the ids.
    by_id: Vec<usize>,
}

impl RTCStatsReport {
    /// A report of objects, whose ids must all differ; for tests of an application.
    pub fn new(stats: Vec<RTCStats>) -> Self {
        let id = |at: &usize| stats.get(*at).map(RTCStats::id);
        let mut by_id: Vec<usize> = (0..stats.len()).collect();
        by_id.sort_by(|one, other| id(one).cmp(&id(other)));
        Self { inner: Arc::new(Inner { stats, by_id }) }
    }

    /// How many objects there are.
    #[doc(alias = "size")]
    pub fn len(&self) -> usize {
        self.inner.stats.len()
    }

    /// Whether there are no objects, as in the report of a sender that sends nothing.
    pub fn is_empty(&self) -> bool {
        self.inner.stats.is_empty()
    }

    /// The statistics of the object with this id.
    #[doc(alias("RTCStatsReport.get"))]
    pub fn get(&self, id: &str) -> Option<&RTCStats> {
        let Inner { stats, by_id } = &*self.inner;
        let found = by_id.binary_search_by(|at| stats.get(*at).map(RTCStats::id).cmp(&Some(id)));
        stats.get(*by_id.get(found.ok()?)?)
    }

    /// Whether there are statistics of an object with this id.
    #[doc(alias("RTCStatsReport.has"))]
    pub fn has(&self, id: &str) -> bool {
        self.get(id).is_some()
    }

    /// All objects, the connection first.
    #[doc(alias("RTCStatsReport.entries"))]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &RTCStats)> {
        self.inner.stats.iter().map(|stats| (stats.id(), stats))
    }

    /// The ids, in the order of [`iter`](Self::iter).
    #[doc(alias("RTCStatsReport.keys"))]
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inner.stats.iter().map(RTCStats::id)
    }

    /// The statistics, in the order of [`iter`](Self::iter).
    #[doc(alias("RTCStatsReport.values"))]
    pub fn values(&self) -> impl ExactSizeIterator<Item = &RTCStats> {
        self.inner.stats.iter()
    }
}

impl<'a> IntoIterator for &'a RTCStatsReport {
    type Item = (&'a str, &'a RTCStats);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, RTCStats>, fn(&'a RTCStats) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.inner.stats.iter().map(|stats| (stats.id(), stats))
    }
}

/// Declares what picks the statistics of one type out of a report, and out of one object.
macro_rules! types {
    ($($(#[$meta:meta])* $all:ident / $one:ident: $variant:ident($dictionary:ty);)*) => {
        /// The statistics of one type.
        impl RTCStatsReport {
            $(
                $(#[$meta])*
                pub fn $all(&self) -> impl Iterator<Item = &$dictionary> {
                    self.values().filter_map(RTCStats::$one)
                }
            )*
        }

        /// The dictionary, if the statistics are of its type.
        impl RTCStats {
            $(
                $(#[$meta])*
                pub fn $one(&self) -> Option<&$dictionary> {
                    match self {
                        Self::$variant(stats) => Some(stats),
                        _ => None,
                    }
                }
            )*
        }
    };
}

types! {
    /// `codec`
    codecs / as_codec: Codec(RTCCodecStats);
    /// `inbound-rtp`
    inbound_rtp / as_inbound_rtp: InboundRtp(RTCInboundRtpStreamStats);
    /// `outbound-rtp`
    outbound_rtp / as_outbound_rtp: OutboundRtp(RTCOutboundRtpStreamStats);
    /// `remote-inbound-rtp`
    remote_inbound_rtp / as_remote_inbound_rtp: RemoteInboundRtp(RTCRemoteInboundRtpStreamStats);
    /// `remote-outbound-rtp`
    remote_outbound_rtp / as_remote_outbound_rtp:
        RemoteOutboundRtp(RTCRemoteOutboundRtpStreamStats);
    /// `media-source`
    media_sources / as_media_source: MediaSource(RTCMediaSourceStats);
    /// `peer-connection`
    peer_connections / as_peer_connection: PeerConnection(RTCPeerConnectionStats);
    /// `data-channel`
    data_channels / as_data_channel: DataChannel(RTCDataChannelStats);
    /// `transport`
    transports / as_transport: Transport(RTCTransportStats);
    /// `candidate-pair`
    candidate_pairs / as_candidate_pair: CandidatePair(RTCIceCandidatePairStats);
    /// `local-candidate`
    local_candidates / as_local_candidate: LocalCandidate(RTCIceCandidateStats);
    /// `remote-candidate`
    remote_candidates / as_remote_candidate: RemoteCandidate(RTCIceCandidateStats);
    /// `certificate`
    certificates / as_certificate: Certificate(RTCCertificateStats);
}

/// A map from ids to dictionaries, as `Object.fromEntries(report)` is in JavaScript.
impl Serialize for RTCStatsReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
