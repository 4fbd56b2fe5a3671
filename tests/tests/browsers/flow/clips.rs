//! Media that was encoded before, in the files beside this one.
//!
//! ```text
//! ffmpeg -f lavfi -i "color=0x00ff00:size=64x48:rate=10:duration=1[a];
//!     color=0x0000ff:size=64x48:rate=10:duration=1[b];[a][b]concat" \
//!     -c:v libvpx -b:v 30k -g 10 -auto-alt-ref 0 -lag-in-frames 0 lime_then_blue.ivf
//! ffmpeg -f lavfi -i sine=frequency=880:sample_rate=48000:duration=1 \
//!     -c:a libopus -b:a 16k 880_hertz.ogg
//! ```

/// The frames of VP8: ten of lime, ten of blue; the first one of each colour is a key frame.
pub(super) fn lime_then_blue() -> Vec<Vec<u8>> {
    let mut rest = &include_bytes!("lime_then_blue.ivf")[32..];
    let mut frames = Vec::new();
    // A frame has 4 octets of length and 8 of time before it.
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        frames.push(after[8..8 + length].to_vec());
        rest = &after[8 + length..];
    }
    frames
}

/// The packets of Opus, 20 ms each: a tone of 880 Hz.
pub(super) fn tone_of_880_hertz() -> Vec<Vec<u8>> {
    let mut rest = &include_bytes!("880_hertz.ogg")[..];
    let mut packets = Vec::new();
    let mut packet = Vec::new();
    // RFC 3533 §6: a page has 27 octets, the lengths of its segments, the segments. A segment of 255
    // octets goes on in the next one.
    while !rest.is_empty() {
        let segments = usize::from(rest[26]);
        let (lengths, mut body) = rest[27..].split_at(segments);
        for &length in lengths {
            packet.extend_from_slice(&body[..length.into()]);
            body = &body[length.into()..];
            if length < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
        rest = body;
    }
    // RFC 7845 §3: the first two are headers.
    packets.split_off(2)
}
