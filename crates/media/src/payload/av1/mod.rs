//! AV1 (RTP Payload Format For AV1, version 1.0.0): OBUs, several in a packet or divided.
//!
//! Frames are temporal units in the low-overhead format (AV1 §5.2), as encoders write and decoders
//! read them: each OBU says its size. Packets leave sizes out, and the temporal delimiter too.
//!
//! - `obu`: OBUs and their sizes
//! - `write`: payloads of a temporal unit
//! - `read`: the temporal unit of payloads

mod obu;
mod read;
mod write;

pub(super) use read::Assembly;
pub(super) use write::Packets;

use obu::{Obus, SEQUENCE_HEADER};

/// Z of the aggregation header (§4.4): the first element goes on with an OBU.
const CONTINUES: u8 = 0x80;
/// Y: the last element is not the end of its OBU.
const IS_CONTINUED: u8 = 0x40;
/// N: the packet is the first of a coded video sequence.
const BEGINS_SEQUENCE: u8 = 0x08;

/// Whether a payload may be the first one of a temporal unit: it begins with an OBU.
pub fn begins_frame(payload: &[u8]) -> bool {
    matches!(payload, [header, _, ..] if header & CONTINUES == 0)
}

/// Whether a payload is the first one of a coded video sequence (§4.4, N), which begins with a key
/// frame.
pub fn begins_key_frame(payload: &[u8]) -> bool {
    begins_frame(payload) && payload.first().is_some_and(|header| header & BEGINS_SEQUENCE != 0)
}

/// Whether a temporal unit begins a coded video sequence: it has a sequence header, as each one
/// with a key frame has.
pub fn is_key_frame(frame: &[u8]) -> bool {
    Obus::new(frame).flatten().any(|obu| obu.type_() == SEQUENCE_HEADER)
}
