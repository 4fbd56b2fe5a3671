//! H.264 (RFC 6184): NAL units, alone, several in a packet (STAP-A) or divided (FU-A).
//!
//! Frames are byte streams, as encoders write and decoders read them: each NAL unit after a start
//! code (H.264 Annex B).
//!
//! - `nal`: NAL units and where they begin
//! - `write`: payloads of a frame
//! - `read`: the frame of payloads

mod nal;
mod read;
mod write;

pub(super) use read::Assembly;
pub(super) use write::Packets;

use nal::{IDR, NalUnits, SPS, begins_access_unit, type_of};
use read::Payload;

/// `packetization-mode` (RFC 6184 §6): how NAL units may be put into packets.
///
/// Mode 2, interleaved, is not supported: nobody negotiates it for conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 0: each NAL unit is a packet. One that is too long cannot be sent.
    SingleNalUnit,
    /// 1: small NAL units share packets, and long ones are divided.
    NonInterleaved,
}

/// Whether a payload may be the first one of a frame: it begins with a NAL unit that begins an
/// access unit (H.264 §7.4.1.2.3). Several payloads of a frame may do so, such as one with
/// parameter sets and one with the picture behind them.
pub fn begins_frame(payload: &[u8]) -> bool {
    match Payload::parse(payload) {
        Ok(Payload::Single(unit)) => begins_access_unit(unit),
        Ok(Payload::Aggregate(mut units)) => units.next().is_some_and(begins_access_unit),
        Ok(Payload::Part { header, begins: true, octets, .. }) => {
            begins_access_unit(&[header, octets.first().copied().unwrap_or(0)])
        }
        Ok(Payload::Part { .. }) | Err(_) => false,
    }
}

/// Whether a payload has a slice of an IDR picture or its beginning, or the sequence parameter set
/// that comes before one: browsers send that in a packet ahead of the slices.
pub fn begins_key_frame(payload: &[u8]) -> bool {
    let is_key = |unit: &[u8]| matches!(type_of(unit), IDR | SPS);
    match Payload::parse(payload) {
        Ok(Payload::Single(unit)) => is_key(unit),
        Ok(Payload::Aggregate(mut units)) => units.any(is_key),
        Ok(Payload::Part { header, begins, .. }) => begins && is_key(&[header]),
        Err(_) => false,
    }
}

/// Whether a frame has an IDR picture (H.264 §7.4.1.2.4).
pub fn is_key_frame(frame: &[u8]) -> bool {
    NalUnits::new(frame).any(|unit| type_of(unit) == IDR)
}
