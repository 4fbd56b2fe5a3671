//! What goes into [`Media`](crate::Media) and what comes out.

use std::sync::Arc;

use bytes::Bytes;

use crate::demux::Unroutable;
use crate::section::SectionId;
use crate::srtp::{Refused, Unsendable};
use crate::{rtcp, rtp};

/// A packet to send.
///
/// `origin`, `sequence_number` and `timestamp` say how packets belong together. They are not what
/// goes out: all that is sent as one encoding is one sequence there.
///
/// ```
/// use peerconnection_media::Outgoing;
///
/// let packet = Outgoing {
///     origin: 1,
///     payload_type: 111,
///     marker: false,
///     sequence_number: 7,
///     timestamp: 960,
///     csrcs: &[],
///     elements: &[(1, &[0x80 | 30])],
///     payload: b"sound",
/// };
/// # assert_eq!(packet.payload.len(), 5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// Where the packet comes from. Packets of one origin keep their distances, so that gaps stay
    /// gaps and what comes late goes where it belongs. Another origin (another source, another
    /// layer, a source that began anew) goes on with the next number, and with the timestamp that
    /// the time since the last packet makes. So does a jump of more than 3,000 numbers.
    pub origin: u64,
    /// One of the section's codecs that do not repair.
    pub payload_type: u8,
    /// The marker bit.
    pub marker: bool,
    /// The number of the packet at its origin.
    pub sequence_number: u16,
    /// The timestamp at its origin, in ticks of the codec's clock.
    pub timestamp: u32,
    /// Contributing sources, at most 15.
    pub csrcs: &'a [u32],
    /// Elements of the header extension, with the ids of [`Send::extensions`](crate::Send). Those
    /// that this crate writes itself (mid, rid, time of sending) are left out, and so are those
    /// that were not negotiated or do not fit.
    pub elements: &'a [(u8, &'a [u8])],
    /// The payload, without padding.
    pub payload: &'a [u8],
}

/// What has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A packet of RTP.
    Packet(Incoming),
    /// The peer needs a key frame: PLI, FIR, or a NACK of a packet that is not kept any more. For one
    /// encoding these are at least 300 ms apart, however often the peer asks.
    KeyFrameRequested {
        /// The section.
        section: SectionId,
        /// The place of the encoding in [`Send::encodings`](crate::Send::encodings).
        encoding: usize,
    },
    /// REMB: what the peer takes of some of our sources together. It holds until the next one.
    MaximumBitrate {
        /// Bits a second.
        bits_per_second: u64,
        /// The sources, as the peer names them: at most 255.
        ssrcs: Vec<u32>,
    },
    /// BYE. The source may go on all the same.
    Goodbye {
        /// Its section.
        section: SectionId,
        /// The source.
        ssrc: u32,
    },
}

/// A packet of RTP that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Its section.
    pub section: SectionId,
    /// The source. RTX is undone: this is the source that it repairs.
    pub ssrc: u32,
    /// The rid of the source, if it has said one.
    pub rid: Option<Arc<str>>,
    /// The whole packet in plain, for [`rtp::Packet::parse`]. RTX is undone: number, payload type
    /// and SSRC are those of the packet that was lost; elements are those of the repair. A packet
    /// of padding alone has an empty payload.
    pub octets: Bytes,
    /// It came by RTX.
    pub is_retransmission: bool,
    /// It is the first packet of its source in this section. A video receiver asks for a key frame.
    pub is_new_source: bool,
}

/// Why a datagram has brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// There are no keys or no descriptions yet. It is kept until there are.
    #[error("there are no keys yet")]
    Early,
    /// There are no keys or no descriptions yet, and too much is kept.
    #[error("there are no keys yet, and too much is kept")]
    TooEarly,
    /// It is not authentic, or not new.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is authentic, and no RTP.
    #[error(transparent)]
    Rtp(#[from] rtp::Malformed),
    /// It is authentic, and no RTCP.
    #[error(transparent)]
    Rtcp(#[from] rtcp::Malformed),
    /// Nobody gets it.
    #[error(transparent)]
    Unroutable(#[from] Unroutable),
    /// It repairs a packet that has come, or is too far ahead of all that has.
    #[error("nobody misses the packet")]
    Needless,
    /// It is a repair, and nothing tells of which source.
    #[error("nothing tells what SSRC {0:#x} repairs")]
    Unrepaired(u32),
    /// Too many events wait to be taken.
    #[error("too many events wait")]
    Full,
}

/// Why a packet was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// There are no keys yet.
    #[error("there are no keys yet")]
    NoKeys,
    /// No path carries it: see [`Media::set_writable`](crate::Media::set_writable).
    #[error("there is no path")]
    Unwritable,
    /// BYE was said.
    #[error("the sources are closed")]
    Closed,
    /// No section sends with this id, or it has no such encoding.
    #[error("there is no such encoding")]
    NoEncoding,
    /// The encoding is not active.
    #[error("the encoding is not active")]
    Inactive,
    /// The section does not send the payload type.
    #[error("the section does not send payload type {0}")]
    PayloadType(u8),
    /// It comes so late that its number may belong to another packet.
    #[error("the packet comes too late")]
    Late,
    /// It is longer than 65,000 octets.
    #[error("the packet is too large")]
    TooLarge,
    /// 4 MiB wait to be taken.
    #[error("too much waits to be sent")]
    Full,
    /// Its header cannot be written.
    #[error(transparent)]
    Header(#[from] rtp::Unwritable),
    /// It cannot be protected.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
}
