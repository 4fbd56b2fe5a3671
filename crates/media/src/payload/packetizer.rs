//! Frames to payloads.

use super::{Format, av1, h264, opus, vp8, vp9};

/// A frame cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is nothing in it.
    #[error("the frame is empty")]
    Empty,
    /// It, or a part that must not be divided, needs more than one packet.
    #[error("the frame does not fit into a packet")]
    TooLarge,
    /// It is no frame of its codec.
    #[error("the frame is malformed")]
    Malformed,
    /// Packets may not be long enough for what describes them.
    #[error("packets are too short")]
    Maximum,
}

/// Makes payloads of the frames of one source, one frame after the other.
///
/// ```
/// # use peerconnection_media as peerconnection;
/// use peerconnection::payload::{Format, Packetizer};
///
/// let mut packetizer = Packetizer::new(Format::Vp8, 7);
/// let frame = [0x90; 3000];
/// let mut packets = packetizer.packetize(&frame, 1100)?;
/// // One buffer serves for all packets.
/// let (mut payload, mut sizes) = (Vec::new(), Vec::new());
/// while let Some(marker) = packets.write_next(&mut payload) {
///     sizes.push((payload.len(), marker));
/// }
/// assert_eq!(sizes, [(1004, false), (1004, false), (1004, true)]);
/// # Ok::<(), peerconnection::payload::Unfit>(())
/// ```
#[derive(Debug, Clone)]
pub struct Packetizer {
    kind: Kind,
    /// Of the next frame, where the format has one. It uses the lowest 15 bits.
    picture_id: u16,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Opus,
    Vp8,
    H264(h264::Mode),
    Vp9,
    Av1,
}

impl Packetizer {
    /// For H.264 it aggregates and divides: packetization-mode 1. `picture_id` is that of the first
    /// frame of video: any number, which should be random (RFC 7741 §4.2).
    pub fn new(format: Format, picture_id: u16) -> Self {
        let kind = match format {
            Format::Opus => Kind::Opus,
            Format::Vp8 => Kind::Vp8,
            Format::H264 => Kind::H264(h264::Mode::NonInterleaved),
            Format::Vp9 => Kind::Vp9,
            Format::Av1 => Kind::Av1,
        };
        Self { kind, picture_id }
    }

    /// One for H.264 in a mode, as `packetization-mode` of the codec's parameters says.
    pub fn h264(mode: h264::Mode) -> Self {
        Self { kind: Kind::H264(mode), picture_id: 0 }
    }

    /// The payloads of the next frame, none longer than `maximum` octets. With 1,100 a packet fits
    /// everywhere: headers, SRTP and a relay take up to 100 of the 1,200 that networks pass.
    ///
    /// # Errors
    /// [`Unfit`]. Such a frame is as if it had never been.
    pub fn packetize<'f>(&mut self, frame: &'f [u8], maximum: usize) -> Result<Packets<'f>, Unfit> {
        if frame.is_empty() {
            return Err(Unfit::Empty);
        }
        let inner = match self.kind {
            Kind::Opus => Inner::Opus(opus::Packets::new(frame, maximum)?),
            Kind::Vp8 => Inner::Vp8(vp8::Packets::new(frame, self.picture_id, maximum)?),
            Kind::H264(mode) => Inner::H264(h264::Packets::new(frame, mode, maximum)?),
            Kind::Vp9 => Inner::Vp9(vp9::Packets::new(frame, self.picture_id, maximum)?),
            Kind::Av1 => Inner::Av1(av1::Packets::new(frame, maximum)?),
        };
        self.picture_id = self.picture_id.wrapping_add(1);
        Ok(Packets { inner })
    }
}

/// The payloads of one frame, from first to last.
#[derive(Debug, Clone)]
pub struct Packets<'f> {
    inner: Inner<'f>,
}

#[derive(Debug, Clone)]
enum Inner<'f> {
    Opus(opus::Packets<'f>),
    Vp8(vp8::Packets<'f>),
    H264(h264::Packets<'f>),
    Vp9(vp9::Packets<'f>),
    Av1(av1::Packets<'f>),
}

impl Packets<'_> {
    /// Replaces what is in `payload` by the next payload. Returns its marker bit, and `None` if
    /// there is no more. Opus has no marker here: only the sender knows where silence ends.
    pub fn write_next(&mut self, payload: &mut Vec<u8>) -> Option<bool> {
        payload.clear();
        match &mut self.inner {
            Inner::Opus(packets) => packets.write_next(payload),
            Inner::Vp8(packets) => packets.write_next(payload),
            Inner::H264(packets) => packets.write_next(payload),
            Inner::Vp9(packets) => packets.write_next(payload),
            Inner::Av1(packets) => packets.write_next(payload),
        }
    }
}
