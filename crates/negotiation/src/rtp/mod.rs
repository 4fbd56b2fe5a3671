//! Codecs, header extensions and parameters of RTP: what is implemented, what a description says,
//! and what two descriptions negotiate. Nothing here knows about transceivers.

// webrtc-pc §5.2, §5.4
mod capabilities;
mod codec_match;
mod encodings;
mod preferences;

// RFC 9429: what an m= section says
mod answer;
mod assignments;
mod formats;
mod h264;
mod negotiated;
mod offer;
mod write;

pub use capabilities::{receive_capabilities, send_capabilities};
pub use codec_match::{repaired_payload_type, same_format};

pub(crate) use answer::answer;
pub(crate) use assignments::Assignments;
pub(crate) use codec_match::{codec_dictionary_match, is_rtx};
pub(crate) use encodings::{max_encodings, validate_parameters, validate_send_encodings};
pub(crate) use formats::{Formats, check_left_codecs};
pub(crate) use negotiated::{
    negotiate_receive_codecs, negotiate_receive_extensions, negotiate_send_codecs,
    negotiate_send_extensions,
};
pub(crate) use offer::offer;
pub(crate) use preferences::check_codec_preferences;
pub(crate) use write::Written;

#[cfg(test)]
mod tests;
