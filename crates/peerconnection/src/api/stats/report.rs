//! webrtc-pc §8.3 `RTCStatsReport`.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::RTCStats;

/// webrtc-pc §8.3: statistics by the ids of their objects. A report is a snapshot, which later
/// changes do not reach. Cheap to clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), peerconnection::Error> {
/// use peerconnection::{RTCConfiguration, RTCPeerConnection, RTCStats, RTCStatsReport};
///
/// /// The addresses between which data goes, and how long it takes, in seconds.
/// fn path(report: &RTCStatsReport) -> Option<(String, String, Option<f64>)> {
///     let selected = report.values().find_map(|stats| match stats {
///         RTCStats::Transport(transport) => transport.selected_candidate_pair_id.as_deref(),
///         _ => None,
///     })?;
///     let RTCStats::CandidatePair(pair) = report.get(selected)? else { return None };
///     let address = |id: &str| match report.get(id)? {
///         RTCStats::LocalCandidate(candidate) | RTCStats::RemoteCandidate(candidate) => {
///             Some(format!("{:?}:{}", candidate.address, candidate.port))
///         }
///         _ => None,
///     };
///     let (local, remote) = (&pair.local_candidate_id, &pair.remote_candidate_id);
///     Some((address(local)?, address(remote)?, pair.current_round_trip_time))
/// }
///
/// let pc = RTCPeerConnection::new(RTCConfiguration::default())?;
/// let report = pc.get_stats(None).await?;
/// assert_eq!(report.len(), 1, "only the connection, nothing is negotiated yet");
/// assert_eq!(path(&report), None);
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
    /// A report of objects, whose ids must all differ.
    pub(crate) fn new(stats: Vec<RTCStats>) -> Self {
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

/// A map from ids to dictionaries, as `Object.fromEntries(report)` is in JavaScript.
impl Serialize for RTCStatsReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
