//! The formats, and what a packet says about its frame.

use super::{av1, h264, opus, vp8, vp9};

/// How a codec's frames go into packets.
///
/// ```
/// # use peerconnection_media as peerconnection;
/// use peerconnection::payload::Format;
///
/// assert_eq!(Format::of("video/VP8"), Some(Format::Vp8));
/// // A VP8 packet with the first partition of a frame that depends on no other.
/// assert!(Format::Vp8.begins_key_frame(&[0x10, 0x90, 0x01, 0x00]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// RFC 7587
    Opus,
    /// RFC 7741
    Vp8,
    /// RFC 6184; frames are byte streams (H.264 Annex B).
    H264,
    /// RFC 9628; frames are pictures, of one layer or with all of their layers.
    Vp9,
    /// RTP Payload Format For AV1; frames are temporal units (AV1 §5.2).
    Av1,
}

impl Format {
    /// The format of a MIME type such as `video/VP8`, whose case does not matter. `None` for those
    /// that this module does not know.
    pub fn of(mime_type: &str) -> Option<Self> {
        let known = [
            ("audio/opus", Self::Opus),
            ("video/VP8", Self::Vp8),
            ("video/H264", Self::H264),
            ("video/VP9", Self::Vp9),
            ("video/AV1", Self::Av1),
        ];
        known
            .into_iter()
            .find_map(|(name, format)| mime_type.eq_ignore_ascii_case(name).then_some(format))
    }

    /// Whether a payload may be the first one of a frame. Formats that do not mark it say yes to
    /// each payload that begins a part of a frame.
    pub fn begins_frame(self, payload: &[u8]) -> bool {
        match self {
            Self::Opus => opus::begins_frame(payload),
            Self::Vp8 => vp8::begins_frame(payload),
            Self::H264 => h264::begins_frame(payload),
            Self::Vp9 => vp9::begins_frame(payload),
            Self::Av1 => av1::begins_frame(payload),
        }
    }

    /// Whether a payload shows that its frame is a key frame: one that depends on no other. Not
    /// every packet of a key frame does; the first one does, as browsers send them.
    pub fn begins_key_frame(self, payload: &[u8]) -> bool {
        match self {
            Self::Opus => opus::begins_frame(payload),
            Self::Vp8 => vp8::begins_key_frame(payload),
            Self::H264 => h264::begins_key_frame(payload),
            Self::Vp9 => vp9::begins_key_frame(payload),
            Self::Av1 => av1::begins_key_frame(payload),
        }
    }

    /// Whether a whole frame is a key frame. Every frame of sound is one.
    pub fn is_key_frame(self, frame: &[u8]) -> bool {
        match self {
            Self::Opus => !frame.is_empty(),
            Self::Vp8 => vp8::is_key_frame(frame),
            Self::H264 => h264::is_key_frame(frame),
            Self::Vp9 => vp9::is_key_frame(frame),
            Self::Av1 => av1::is_key_frame(frame),
        }
    }
}

/// A payload is none of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It ends within what describes it, or has nothing behind that.
    #[error("the payload ends too early")]
    Truncated,
    /// Its kind is reserved, or belongs to a mode that is not negotiated here.
    #[error("a payload of kind {0}, which is not supported")]
    Kind(u8),
    /// It goes on with a part of a frame that has not begun, or begins one within another.
    #[error("the parts of the frame are out of order")]
    Order,
}
