//! Opus (RFC 7587): a payload is one Opus packet (RFC 6716 §3).

use super::{Malformed, Unfit};

/// The rate of RTP timestamps, in hertz, whatever the sound was sampled at (RFC 7587 §4.1).
pub const CLOCK_RATE: u32 = 48_000;

/// The most that one packet lasts, in ticks: 120 ms (RFC 6716 §3.4, R5).
const LONGEST: u32 = 5760;

/// How long a packet's sound lasts, in ticks of [`CLOCK_RATE`]: by that much the next timestamp is
/// greater. `None` if it is no packet of Opus: it is empty, or would last more than 120 ms.
///
/// ```
/// # use peerconnection_media as peerconnection;
/// use peerconnection::payload::opus::duration;
///
/// // Configuration 31, CELT of 20 ms; code 0, one frame.
/// assert_eq!(duration(&[31 << 3, 1, 2, 3]), Some(960));
/// // Two such frames.
/// assert_eq!(duration(&[31 << 3 | 1, 1, 2]), Some(1920));
/// ```
pub fn duration(packet: &[u8]) -> Option<u32> {
    let (toc, rest) = packet.split_first()?;
    let configuration = toc >> 3;
    let step = u32::from(configuration & 3);
    // RFC 6716 §3.1, table 2
    let frame = match configuration {
        // SILK: 10, 20, 40 and 60 ms
        0..12 if step == 3 => 2880,
        0..12 => 480 << step,
        // Hybrid: 10 and 20 ms
        12..16 => 480 << (step & 1),
        // CELT: 2.5, 5, 10 and 20 ms
        _ => 120 << step,
    };
    // RFC 6716 §3.2
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(rest.first()? & 0x3f),
    };
    Some(frame * count).filter(|duration| (1..=LONGEST).contains(duration))
}

/// Whether a packet's sound has two channels (RFC 6716 §3.1).
pub fn is_stereo(packet: &[u8]) -> bool {
    packet.first().is_some_and(|toc| toc & 4 != 0)
}

/// Whether a payload is a packet of Opus: each one is a frame of its own.
pub fn begins_frame(payload: &[u8]) -> bool {
    duration(payload).is_some()
}

/// The only payload of one packet. The marker bit is for the first packet after silence (RFC 7587
/// §4.1, RFC 3551 §4.1), which this does not know.
#[derive(Debug, Clone)]
pub(super) struct Packets<'f> {
    packet: Option<&'f [u8]>,
}

impl<'f> Packets<'f> {
    pub(super) fn new(packet: &'f [u8], maximum: usize) -> Result<Self, Unfit> {
        if packet.len() > maximum {
            return Err(Unfit::TooLarge);
        }
        Ok(Self { packet: Some(packet) })
    }

    pub(super) fn write_next(&mut self, payload: &mut Vec<u8>) -> Option<bool> {
        payload.extend_from_slice(self.packet.take()?);
        Some(false)
    }
}

/// A payload is a frame.
pub(super) fn append(payload: &[u8], frame: &mut Vec<u8>) -> Result<(), Malformed> {
    if payload.is_empty() {
        return Err(Malformed::Truncated);
    }
    frame.extend_from_slice(payload);
    Ok(())
}
