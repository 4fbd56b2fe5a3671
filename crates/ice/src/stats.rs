//! What `getStats()` wants to know of the pairs.

use std::time::Duration;

use crate::event::{CandidatePair, GenerationId, Path};
use crate::pair::PairState;

/// One candidate pair: the part of `RTCIceCandidatePairStats` that STUN tells. Bytes and packets
/// are counted by the caller, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairStats {
    /// Whose pair it is.
    pub generation: GenerationId,
    /// Unique in its generation while the pair exists.
    pub id: usize,
    /// The candidates.
    pub pair: CandidatePair,
    /// Socket and remote address.
    pub path: Path,
    /// RFC 8445 §6.1.2.3.
    pub priority: u64,
    /// `state`.
    pub state: PairState,
    /// `nominated`.
    pub nominated: bool,
    /// Whether data goes over this pair now.
    pub selected: bool,
    /// `requestsSent`, retransmissions and consent checks included.
    pub requests_sent: u64,
    /// `requestsReceived`.
    pub requests_received: u64,
    /// `responsesSent`.
    pub responses_sent: u64,
    /// `responsesReceived`.
    pub responses_received: u64,
    /// `consentRequestsSent`.
    pub consent_requests_sent: u64,
    /// `currentRoundTripTime`.
    pub current_round_trip_time: Option<Duration>,
    /// `totalRoundTripTime`.
    pub total_round_trip_time: Duration,
}
