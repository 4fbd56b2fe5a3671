//! RTCP: compound packets and packets of reduced size (RFC 3550 §6, RFC 5506), what of them WebRTC
//! needs, read where it lies and written without an allocation of its own.
//!
//! | module | what |
//! |---|---|
//! | `compound` | the packets in a datagram |
//! | `report` | SR and RR (RFC 3550 §6.4) |
//! | `description` | SDES and BYE (RFC 3550 §6.5 and §6.6) |
//! | `feedback` | NACK, PLI, FIR (RFC 4585, RFC 5104), REMB (draft-alvestrand-rmcat-remb) |
//! | `transport_wide` | feedback on each packet (draft-holmer-rmcat-transport-wide-cc-extensions) |
//! | `extended` | XR: RRTR and DLRR (RFC 3611) |
//! | `write` | all of these but the transport-wide feedback, written |

mod compound;
mod description;
mod extended;
mod feedback;
mod octets;
mod report;
mod transport_wide;
mod write;

#[cfg(test)]
mod tests;

pub use compound::{Compound, Malformed, Packet};
pub use description::{Chunk, Chunks, Goodbye, Items, SdesItem, SourceDescription};
pub use extended::{Block, Blocks, Dlrr, DlrrEntries, ExtendedReport};
pub use feedback::{FirEntries, FullIntraRequest, MaximumBitrate, Nack, Numbers};
pub use octets::Ssrcs;
pub use report::{ReceiverReport, ReportBlock, ReportBlocks, SenderInfo, SenderReport};
pub use transport_wide::{Statuses, TransportFeedback};
pub use write::{TooLarge, Writer};

/// Whether a datagram of RTP or RTCP on one path is RTCP (RFC 5761 §4), protected or not.
///
/// ```
/// use peerconnection_media::rtcp::is_rtcp;
///
/// assert!(is_rtcp(&[0x80, 200, 0, 6]));
/// assert!(!is_rtcp(&[0x80, 0x80 | 96, 0, 6]));
/// ```
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|packet_type| (192..=223).contains(packet_type))
}
