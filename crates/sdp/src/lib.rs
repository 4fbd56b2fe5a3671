//! Session descriptions and ICE candidates: text to types and back, without loss.
//!
//! A [`Description`] keeps every line it read, known or not, in order and with its line ending, so
//! that writing it gives back the text. Values are read from lines when they are asked for:
//! [`Candidate`], [`Fingerprint`], [`RtpMap`] and the like each read and write themselves. Errors
//! carry the number of the line, which is the `sdpLineNumber` of webrtc-pc.
//!
//! The grammar is that of RFC 8866 (SDP), RFC 9429 §5.8 (the part that WebRTC reads), RFC 8839 and
//! 8840 (ICE, trickle ICE), RFC 8841 (data channels), RFC 9143 (BUNDLE), RFC 8830, 8851, 8853, 5576
//! (streams, encodings, sources), RFC 4585 (feedback) and RFC 8285 (header extensions).
#![forbid(unsafe_code)]

mod attribute;
mod candidate;
mod description;
mod error;
mod grammar;
mod limits;
mod line;
mod lines;
mod media;
mod parse;
mod section;
mod values;

pub use candidate::{Candidate, CandidateKind, TcpType};
pub use description::Description;
pub use error::Error;
pub use limits::{MAX_LENGTH, MAX_LINE_LENGTH, MAX_LINES, MAX_MEDIA};
pub use line::Line;
pub use media::Media;
pub use section::Section;
pub use values::{
    Direction, ExtMap, Fingerprint, Fmtp, IceParameters, Msid, Origin, Rid, RidDirection, RtcpFb,
    RtpMap, SctpInit, Setup, Simulcast, SimulcastId, Ssrc, SsrcGroup,
};
