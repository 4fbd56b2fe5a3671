//! The uncompressed header of a frame (VP9 Bitstream & Decoding Process Specification §6.2), as far
//! as the size of a key frame.

/// frame_sync_code
const SYNC: [u32; 3] = [0x49, 0x83, 0x42];
/// CS_RGB of color_space
const RGB: u32 = 7;

/// Whether a frame, the first of its picture, is a key frame. Its beginning suffices.
pub fn is_key_frame(frame: &[u8]) -> bool {
    begin(&mut Bits { octets: frame, at: 0 }).is_some()
}

/// The width and height of a key frame, in pixels. `None` for other frames.
pub fn size(frame: &[u8]) -> Option<(u16, u16)> {
    let mut bits = Bits { octets: frame, at: 0 };
    let profile = begin(&mut bits)?;
    // error_resilient_mode
    bits.take(1)?;
    for octet in SYNC {
        (bits.take(8)? == octet).then_some(())?;
    }
    // color_config(), §6.2.2
    if profile >= 2 {
        bits.take(1)?;
    }
    let has_subsampling = profile & 1 == 1;
    if bits.take(3)? != RGB {
        bits.take(if has_subsampling { 4 } else { 1 })?;
    } else if has_subsampling {
        bits.take(1)?;
    }
    // frame_size(), §6.2.3. A length of 65,536 does not fit into a descriptor.
    let mut length = || u16::try_from(bits.take(16)? + 1).ok();
    Some((length()?, length()?))
}

/// Reads up to show_frame. Returns the profile of a key frame that is no repetition.
fn begin(bits: &mut Bits<'_>) -> Option<u32> {
    // frame_marker
    (bits.take(2)? == 2).then_some(())?;
    let profile = bits.take(1)? | bits.take(1)? << 1;
    if profile == 3 {
        bits.take(1)?;
    }
    // show_existing_frame, frame_type: 0 is KEY_FRAME
    (bits.take(2)? == 0).then_some(())?;
    // show_frame
    bits.take(1)?;
    Some(profile)
}

/// Bits from the highest to the lowest.
struct Bits<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next 1 to 16 bits.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let octet = self.octets.get(self.at / 8)?;
            value = value << 1 | u32::from(octet >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}
