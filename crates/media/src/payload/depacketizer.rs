//! Packets to frames.

use super::{Format, Malformed, av1, h264, opus, vp8, vp9};
use crate::rtp::Packet;

/// The longest frame that is put together, in octets. A key frame in 4K has less than a tenth of
/// that.
pub const MAXIMUM_FRAME: usize = 16 * 1024 * 1024;

/// What the depacketizer needs of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// The sequence number.
    pub sequence_number: u16,
    /// The timestamp, the same for all packets of a frame.
    pub timestamp: u32,
    /// The marker bit: the packet is the last of its frame, if it is video.
    pub marker: bool,
    /// The payload, without padding.
    pub payload: &'a [u8],
}

impl<'a> From<&Packet<'a>> for Fragment<'a> {
    fn from(packet: &Packet<'a>) -> Self {
        Self {
            sequence_number: packet.sequence_number(),
            timestamp: packet.timestamp(),
            marker: packet.marker(),
            payload: packet.payload(),
        }
    }
}

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The timestamp of its packets.
    pub timestamp: u32,
    /// As a decoder takes it.
    pub octets: Vec<u8>,
    /// It depends on no other frame.
    pub is_key_frame: bool,
    /// No packet is missing between the frame before and this one. If one is, a decoder needs a
    /// key frame, unless the missing frame was one on which none depends.
    pub follows: bool,
}

/// Why a frame is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// Its beginning, or something within it, did not come.
    #[error("packets of the frame are missing")]
    Missing,
    /// A payload is none of its format.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is longer than [`MAXIMUM_FRAME`].
    #[error("the frame is too long")]
    TooLong,
}

/// Puts frames together. It takes packets in order: what brings them back into it comes before.
///
/// ```
/// # use peerconnection_media as peerconnection;
/// use peerconnection::payload::{Depacketizer, Format, Fragment};
///
/// let mut depacketizer = Depacketizer::new(Format::Vp8);
/// let mut push = |sequence_number, marker, payload: &[u8]| {
///     depacketizer.push(Fragment { sequence_number, timestamp: 900, marker, payload })
/// };
/// // The first packet begins the frame (S), the second ends it (marker).
/// assert_eq!(push(1, false, &[0x10, 0x90, 1])?, None);
/// let frame = push(2, true, &[0x00, 2])?.expect("a frame");
/// assert_eq!((frame.octets.as_slice(), frame.is_key_frame), ([0x90, 1, 2].as_slice(), true));
/// # Ok::<(), peerconnection::payload::Incomplete>(())
/// ```
#[derive(Debug)]
pub struct Depacketizer {
    format: Format,
    assembly: Assembly,
    state: State,
    frame: Vec<u8>,
    /// The timestamp of the frame that is put together or given up.
    timestamp: u32,
    /// The sequence number of the next packet.
    next: Option<u16>,
    /// Nothing is missing since the last whole frame.
    follows: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next packet begins a frame.
    Between,
    /// Some packets of the frame have come.
    Within,
    /// The frame cannot become whole.
    GivenUp,
}

/// What a format must know of the payloads before.
#[derive(Debug)]
enum Assembly {
    Opus,
    Vp8,
    H264(h264::Assembly),
    Vp9(vp9::Assembly),
    Av1(av1::Assembly),
}

impl Assembly {
    fn new(format: Format) -> Self {
        match format {
            Format::Opus => Self::Opus,
            Format::Vp8 => Self::Vp8,
            Format::H264 => Self::H264(h264::Assembly::default()),
            Format::Vp9 => Self::Vp9(vp9::Assembly::default()),
            Format::Av1 => Self::Av1(av1::Assembly::default()),
        }
    }

    fn append(&mut self, payload: &[u8], frame: &mut Vec<u8>) -> Result<(), Malformed> {
        match self {
            Self::Opus => opus::append(payload, frame),
            Self::Vp8 => vp8::append(payload, frame),
            Self::H264(assembly) => assembly.append(payload, frame),
            Self::Vp9(assembly) => assembly.append(payload, frame),
            Self::Av1(assembly) => assembly.append(payload, frame),
        }
    }

    /// Octets that are kept besides the frame.
    fn kept(&self) -> usize {
        if let Self::Av1(assembly) = self { assembly.kept() } else { 0 }
    }

    fn end(&mut self, frame: &[u8]) -> Result<(), Malformed> {
        match self {
            Self::Opus | Self::Vp8 => Ok(()),
            Self::H264(assembly) => assembly.end(),
            Self::Vp9(assembly) => assembly.end(),
            Self::Av1(assembly) => assembly.end(frame),
        }
    }
}

impl Depacketizer {
    /// One for the packets of a stream.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            assembly: Assembly::new(format),
            state: State::Between,
            frame: Vec::new(),
            timestamp: 0,
            next: None,
            follows: false,
        }
    }

    /// Takes the next packet. Returns the frame that it completes. Packets without payload carry
    /// nothing but their number.
    ///
    /// # Errors
    /// [`Incomplete`], once for a frame: the frame of this packet is given up. If the one before
    /// ends without its last packet, no error says so, but the next frame does not
    /// [follow](Frame::follows).
    pub fn push(&mut self, fragment: Fragment<'_>) -> Result<Option<Frame>, Incomplete> {
        let Fragment { sequence_number, timestamp, marker, payload } = fragment;
        let is_next = self.next.is_none_or(|next| next == sequence_number);
        self.next = Some(sequence_number.wrapping_add(1));
        self.follows &= is_next;
        // Packets of padding come where the sender likes.
        if payload.is_empty() {
            return Ok(None);
        }
        if self.state != State::Between && self.timestamp != timestamp {
            // The frame before has not ended.
            self.state = State::Between;
            self.follows = false;
        }
        let result = match self.state {
            State::GivenUp => Ok(None),
            State::Within if !is_next => Err(Incomplete::Missing),
            State::Between if !self.format.begins_frame(payload) => Err(Incomplete::Missing),
            State::Between | State::Within => self.take(timestamp, payload, self.ends(marker)),
        };
        if result.is_err() {
            self.state = State::GivenUp;
            self.timestamp = timestamp;
            self.follows = false;
        }
        if self.ends(marker) {
            self.state = State::Between;
        }
        result
    }

    /// Whether a packet with this marker is the last of its frame. A packet of sound is a frame.
    fn ends(&self, marker: bool) -> bool {
        marker || self.format == Format::Opus
    }

    /// Adds a payload to the frame.
    fn take(
        &mut self,
        timestamp: u32,
        payload: &[u8],
        is_last: bool,
    ) -> Result<Option<Frame>, Incomplete> {
        if self.state == State::Between {
            self.frame.clear();
            self.assembly = Assembly::new(self.format);
            self.state = State::Within;
            self.timestamp = timestamp;
        }
        let kept = self.frame.len().saturating_add(self.assembly.kept());
        if kept.saturating_add(payload.len()) > MAXIMUM_FRAME {
            self.frame = Vec::new();
            self.assembly = Assembly::new(self.format);
            return Err(Incomplete::TooLong);
        }
        self.assembly.append(payload, &mut self.frame)?;
        if !is_last {
            return Ok(None);
        }
        self.assembly.end(&self.frame)?;
        let octets = std::mem::take(&mut self.frame);
        let is_key_frame = self.format.is_key_frame(&octets);
        let follows = std::mem::replace(&mut self.follows, true);
        Ok(Some(Frame { timestamp, octets, is_key_frame, follows }))
    }
}
