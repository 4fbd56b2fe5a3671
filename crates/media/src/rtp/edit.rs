//! A packet that is changed where it lies.

use super::extension::{ExtensionIds, Extensions, Form};
use super::packet::{Malformed, Packet, extension_at, extension_octets, fixed};

/// A packet whose header is changed in place. Nothing moves, so the length stays.
///
/// ```
/// use peerconnection_media::rtp::{Packet, PacketMut};
///
/// let mut octets = [0x80, 96, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3];
/// let mut packet = PacketMut::parse(&mut octets)?;
/// packet.set_payload_type(100);
/// packet.set_ssrc(9);
/// let packet = Packet::parse(&octets)?;
/// assert_eq!((packet.payload_type(), packet.ssrc(), packet.sequence_number()), (100, 9, 7));
/// # Ok::<(), peerconnection_media::rtp::Malformed>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct PacketMut<'a> {
    data: &'a mut [u8],
}

/// An element cannot get its new id in place, since the one-byte form ends at 14. Nothing was
/// changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("id {0} does not fit the one-byte form")]
pub struct DoesNotFit(pub u8);

impl<'a> PacketMut<'a> {
    /// Reads a packet.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(data: &'a mut [u8]) -> Result<Self, Malformed> {
        Packet::parse(data)?;
        Ok(Self { data })
    }

    fn put(&mut self, at: usize, octets: &[u8]) {
        let place = self.data.get_mut(at..at + octets.len());
        place.into_iter().for_each(|place| place.copy_from_slice(octets));
    }

    /// Sets the marker bit.
    pub fn set_marker(&mut self, marker: bool) {
        let octet = self.data.get(1).map_or(0, |octet| octet & 0x7f);
        self.put(1, &[octet | u8::from(marker) << 7]);
    }

    /// Sets the payload type; its highest bit, which is none of it, is ignored.
    pub fn set_payload_type(&mut self, payload_type: u8) {
        let octet = self.data.get(1).map_or(0, |octet| octet & 0x80);
        self.put(1, &[octet | payload_type & 0x7f]);
    }

    /// Sets the sequence number.
    pub fn set_sequence_number(&mut self, sequence_number: u16) {
        self.put(2, &sequence_number.to_be_bytes());
    }

    /// Sets the timestamp.
    pub fn set_timestamp(&mut self, timestamp: u32) {
        self.put(4, &timestamp.to_be_bytes());
    }

    /// Sets the synchronization source.
    pub fn set_ssrc(&mut self, ssrc: u32) {
        self.put(8, &ssrc.to_be_bytes());
    }

    /// Gives the elements of the extension new ids. Those that are not kept become padding. An
    /// extension that is no list of elements is left as it is.
    ///
    /// # Errors
    /// [`DoesNotFit`].
    pub fn map_extension_ids(&mut self, ids: &ExtensionIds) -> Result<(), DoesNotFit> {
        let Some((form, start, end)) =
            fixed(self.data).ok().and_then(|f| extension_at(self.data, f))
        else {
            return Ok(());
        };
        let Some(octets) = self.data.get_mut(start..end) else { return Ok(()) };
        if form == Form::OneByte {
            let new = Extensions::new(form, octets).filter_map(|element| ids.get(element.id));
            if let Some(id) = new.filter(|id| *id > 14).max() {
                return Err(DoesNotFit(id));
            }
        }
        let mut offset = 0;
        loop {
            let rest = octets.get(offset..).unwrap_or_default();
            let Some((at, element)) = Extensions::new(form, rest).next_at() else { return Ok(()) };
            let (from, data) = (offset + at, element.data.len());
            let to = from + form.head() + data;
            let new = ids.get(element.id);
            let Some(place) = octets.get_mut(from..to) else { return Ok(()) };
            match (new, place.first_mut()) {
                (Some(id), Some(first)) if form == Form::OneByte => *first = id << 4 | *first & 0xf,
                (Some(id), Some(first)) => *first = id,
                _ => place.fill(0),
            }
            offset = to;
        }
    }
}

/// Writes zeros over what elements of the header extension carry, except those whose id is kept.
/// The packet may be protected or not. Of an extension that is no list of elements nothing stays.
///
/// ```
/// use peerconnection_media::rtp::{Form, Header, Packet, blank_elements};
///
/// let header = Header {
///     marker: false, payload_type: 96, sequence_number: 7, timestamp: 0, ssrc: 1,
/// };
/// let mut octets = Vec::new();
/// header.write(&[], &[(1, b"0".as_slice()), (3, b"loud")], Form::OneByte, &mut octets)?;
/// blank_elements(&mut octets, |id| id == 1);
/// let extensions = Packet::parse(&octets)?.extensions();
/// assert_eq!((extensions.get(1), extensions.get(3)), (Some(&b"0"[..]), Some(&[0; 4][..])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn blank_elements(packet: &mut [u8], mut is_kept: impl FnMut(u8) -> bool) {
    let Ok(fixed) = fixed(packet) else { return };
    let Some((form, start, end)) = extension_at(packet, fixed) else {
        let octets = extension_octets(fixed).and_then(|range| packet.get_mut(range));
        octets.into_iter().for_each(|octets| octets.fill(0));
        return;
    };
    let Some(mut octets) = packet.get_mut(start..end) else { return };
    while let Some((at, element)) = Extensions::new(form, octets).next_at() {
        let (is_kept, data) = (is_kept(element.id), element.data.len());
        let from = at + form.head();
        let Some((element, behind)) = octets.split_at_mut_checked(from + data) else { return };
        if !is_kept {
            element.get_mut(from..).into_iter().for_each(|data| data.fill(0));
        }
        octets = behind;
    }
    octets.fill(0);
}
