//! How frames of codecs go into RTP packets and come out again.
//!
//! | module | codec | specification |
//! |---|---|---|
//! | [`opus`] | Opus | RFC 7587 |
//! | [`vp8`] | VP8 | RFC 7741 |
//! | [`h264`] | H.264 | RFC 6184 |
//! | [`vp9`] | VP9 | RFC 9628 |
//! | [`av1`] | AV1 | RTP Payload Format For AV1, 1.0.0 |
//! | [`packetizer`](Packetizer) | of any of them: frames to payloads | |
//! | [`depacketizer`](Depacketizer) | of any of them: packets to frames | |
//!
//! Nothing here encodes or decodes. A frame is what an encoder gives at a time and what a decoder
//! takes at a time: all that is shown at one moment, and all packets with one timestamp.

pub mod av1;
mod depacketizer;
mod format;
pub mod h264;
pub mod opus;
mod packetizer;
mod pieces;
pub mod vp8;
pub mod vp9;

pub use depacketizer::{Depacketizer, Fragment, Frame, Incomplete, MAXIMUM_FRAME};
pub use format::{Format, Malformed};
pub use packetizer::{Packetizer, Packets, Unfit};

#[cfg(test)]
mod tests;
