//! The payload descriptor (RFC 9628 §4.2).

use super::super::Malformed;

/// Most spatial layers that three bits count.
const LAYERS: usize = 8;

/// What a payload says of its part of a picture.
///
/// ```
/// # use peerconnection_media as peerconnection;
/// use peerconnection::payload::vp9::Descriptor;
///
/// // I, B and E; picture 17; a frame of three octets.
/// let (descriptor, data) = Descriptor::parse(&[0x8c, 0x11, 1, 2, 3])?;
/// assert_eq!((descriptor.picture_id, data), (Some(17), [1, 2, 3].as_slice()));
/// assert!(descriptor.begins_frame && descriptor.ends_frame);
/// # Ok::<(), peerconnection::payload::Malformed>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Descriptor {
    /// Picture ID, of 7 or 15 bits. It grows by one with each picture.
    pub picture_id: Option<u16>,
    /// P: the frame depends on frames of other pictures.
    pub is_inter_picture: bool,
    /// L: the layer.
    pub layer: Option<Layer>,
    /// F: the frame names what it depends on.
    pub is_flexible: bool,
    /// B: the packet is the first of its frame.
    pub begins_frame: bool,
    /// E: the packet is the last of its frame.
    pub ends_frame: bool,
    /// Z: no frame of an upper spatial layer of the picture depends on this one.
    pub is_not_reference: bool,
    /// P_DIFF: how many pictures before this one those are on which it depends, up to three, each 1
    /// to 127; flexible mode only. 0 behind the last.
    pub references: [u8; 3],
    /// V: the scalability structure.
    pub structure: Option<Structure>,
}

/// The layer of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layer {
    /// TID: the temporal layer, 0 to 7.
    pub temporal: u8,
    /// U: who decodes this frame may go on to the next temporal layer.
    pub is_switching_point: bool,
    /// SID: the spatial layer, 0 to 7.
    pub spatial: u8,
    /// D: the frame depends on the spatial layer below, in the same picture.
    pub is_inter_layer: bool,
    /// TL0PICIDX: grows by one with each picture of the lowest temporal layer; non-flexible mode
    /// only.
    pub base_layer_index: Option<u8>,
}

/// The scalability structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Structure {
    /// N_S + 1: how many spatial layers there are, 1 to 8.
    pub spatial_layers: u8,
    /// Y: the width and height of each spatial layer, in pixels. 0 behind the last.
    pub sizes: Option<[(u16, u16); LAYERS]>,
    /// N_G: how many pictures the group has whose dependencies are described; 0 if G is not set.
    pub group: u8,
}

impl Descriptor {
    /// Reads a payload. What is behind the descriptor is a part of the frame.
    ///
    /// # Errors
    /// [`Malformed::Truncated`].
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut rest = Octets(payload);
        let first = rest.octet()?;
        let is_flexible = first & 0x10 != 0;
        let mut descriptor = Self {
            is_inter_picture: first & 0x40 != 0,
            is_flexible,
            begins_frame: first & 0x08 != 0,
            ends_frame: first & 0x04 != 0,
            is_not_reference: first & 0x01 != 0,
            ..Self::default()
        };
        if first & 0x80 != 0 {
            let id = rest.octet()?;
            descriptor.picture_id = Some(match id & 0x80 {
                0 => id.into(),
                _ => u16::from_be_bytes([id & 0x7f, rest.octet()?]),
            });
        }
        if first & 0x20 != 0 {
            let octet = rest.octet()?;
            descriptor.layer = Some(Layer {
                temporal: octet >> 5,
                is_switching_point: octet & 0x10 != 0,
                spatial: octet >> 1 & 0x07,
                is_inter_layer: octet & 0x01 != 0,
                base_layer_index: if is_flexible { None } else { Some(rest.octet()?) },
            });
        }
        if is_flexible && descriptor.is_inter_picture {
            // N says that another one follows. More than three would be for nothing.
            for reference in &mut descriptor.references {
                let octet = rest.octet()?;
                *reference = octet >> 1;
                if octet & 1 == 0 {
                    break;
                }
            }
        }
        if first & 0x02 != 0 {
            descriptor.structure = Some(Structure::read(&mut rest)?);
        }
        if rest.0.is_empty() { Err(Malformed::Truncated) } else { Ok((descriptor, rest.0)) }
    }

    /// Whether the packet is the first one of a picture, as far as it tells.
    pub fn begins_picture(&self) -> bool {
        self.begins_frame && !self.layer.is_some_and(|layer| layer.is_inter_layer)
    }
}

impl Structure {
    fn read(rest: &mut Octets<'_>) -> Result<Self, Malformed> {
        let first = rest.octet()?;
        let spatial_layers = (first >> 5) + 1;
        let mut sizes = None;
        if first & 0x10 != 0 {
            let all: &mut [_; LAYERS] = sizes.insert([(0, 0); LAYERS]);
            for size in all.iter_mut().take(spatial_layers.into()) {
                *size = (rest.word()?, rest.word()?);
            }
        }
        let group = if first & 0x08 != 0 { rest.octet()? } else { 0 };
        for _ in 0..group {
            // R: how many pictures this one of the group depends on.
            for _ in 0..rest.octet()? >> 2 & 0x03 {
                rest.octet()?;
            }
        }
        Ok(Self { spatial_layers, sizes, group })
    }
}

struct Octets<'a>(&'a [u8]);

impl Octets<'_> {
    fn octet(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    fn word(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes([self.octet()?, self.octet()?]))
    }
}
