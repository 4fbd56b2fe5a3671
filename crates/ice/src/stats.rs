//! What `getStats()` reports about candidates and pairs.

use time::{Duration, Instant};

use crate::candidate::Candidate;
use crate::event::{CandidatePair, GenerationId, Path};
use crate::pair::PairState;

/// What `getStats()` reports; see [`Agent::statistics`](crate::Agent::statistics).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentStats {
    /// Candidate pairs.
    pub pairs: Vec<PairStats>,
    /// Local candidates, peer-reflexive ones among them.
    pub local_candidates: Vec<CandidateStats>,
    /// Remote candidates, peer-reflexive ones among them.
    pub remote_candidates: Vec<CandidateStats>,
}

/// Packets in one direction that are not STUN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How many.
    pub packets: u64,
    /// UDP payload, in bytes.
    pub bytes: u64,
    /// When the last one went by.
    pub last: Option<Instant>,
}

impl Traffic {
    /// Counts one more packet.
    pub fn add(&mut self, now: Instant, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
        self.last = Some(now);
    }
}

/// One candidate: `RTCIceCandidateStats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateStats {
    /// Whose candidate it is.
    pub generation: GenerationId,
    /// Unique among the local, or the remote, ones of its generation, and never used again.
    pub id: u64,
    /// The candidate.
    pub candidate: Candidate,
    /// The remote or local username fragment of its generation.
    pub username_fragment: Option<String>,
    /// Whether signalling brought it; false for every local candidate.
    pub signalled: bool,
}

/// One candidate pair: `RTCIceCandidatePairStats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairStats {
    /// Whose pair it is.
    pub generation: GenerationId,
    /// Unique in its generation, and never used again.
    pub id: u64,
    /// The candidates.
    pub pair: CandidatePair,
    /// [`CandidateStats::id`] of the local one.
    pub local: u64,
    /// [`CandidateStats::id`] of the remote one.
    pub remote: u64,
    /// Base and remote address.
    pub path: Path,
    /// RFC 8445 §6.1.2.3.
    pub priority: u64,
    /// `state`.
    pub state: PairState,
    /// `nominated`.
    pub nominated: bool,
    /// Whether data goes over this pair now.
    pub selected: bool,
    /// `packetsSent`, `bytesSent`, `lastPacketSentTimestamp`: by
    /// [`Agent::send`](crate::Agent::send).
    pub sent: Traffic,
    /// `packetsReceived`, `bytesReceived`, `lastPacketReceivedTimestamp`: by
    /// [`Agent::data_received`](crate::Agent::data_received).
    pub received: Traffic,
    /// `requestsSent`: consent checks included, retransmissions not.
    pub requests_sent: u64,
    /// `requestsReceived`, retransmissions included.
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
