//! Payloads of a temporal unit.

use super::super::Unfit;
use super::obu::{Obu, Obus, SEQUENCE_HEADER, leb128_len, write_leb128};
use super::{BEGINS_SEQUENCE, CONTINUES, IS_CONTINUED};

/// Most elements that W counts. A packet with more would say the length of each.
const ELEMENTS: u8 = 3;
/// The shortest part of an OBU that is worth its place: what is behind its header says more.
const SHORTEST: usize = 4;

/// The payloads of one temporal unit.
#[derive(Debug, Clone)]
pub(in super::super) struct Packets<'f> {
    maximum: usize,
    obus: Obus<'f>,
    /// The OBU that comes next, and how much of it was written.
    next: Option<(Obu<'f>, usize)>,
    begins_sequence: bool,
}

impl<'f> Packets<'f> {
    pub(in super::super) fn new(frame: &'f [u8], maximum: usize) -> Result<Self, Unfit> {
        if maximum < 1 + SHORTEST {
            return Err(Unfit::Maximum);
        }
        let mut begins_sequence = false;
        for obu in Obus::new(frame) {
            let obu = obu.map_err(|_| Unfit::Malformed)?;
            begins_sequence |= obu.type_() == SEQUENCE_HEADER;
        }
        let mut packets = Self { maximum, obus: Obus::new(frame), next: None, begins_sequence };
        packets.next = packets.following().map(|obu| (obu, 0));
        if packets.next.is_none() {
            return Err(Unfit::Malformed);
        }
        Ok(packets)
    }

    /// The OBU behind the next one.
    fn following(&mut self) -> Option<Obu<'f>> {
        self.obus.by_ref().flatten().find(Obu::is_sent)
    }

    pub(in super::super) fn write_next(&mut self, payload: &mut Vec<u8>) -> Option<bool> {
        let (_, written) = self.next?;
        let mut header = if written > 0 { CONTINUES } else { 0 };
        if std::mem::take(&mut self.begins_sequence) {
            header |= BEGINS_SEQUENCE;
        }
        payload.push(0);
        let mut layer = None;
        for count in 1..=ELEMENTS {
            let (obu, from) = self.next?;
            layer = layer.or(obu.extension);
            let room = self.maximum.saturating_sub(payload.len());
            let left = obu.len().saturating_sub(from);
            header = header & !0x30 | count << 4;
            if left > room {
                obu.write_part(from, room, payload);
                self.next = Some((obu, from + room));
                header |= IS_CONTINUED;
                break;
            }
            self.next = self.following().map(|obu| (obu, 0));
            // OBUs of different layers may not share a packet (§5).
            let is_followed = count < ELEMENTS
                && left + leb128_len(left) + SHORTEST <= room
                && self.next.is_some_and(|(next, _)| {
                    next.extension.is_none_or(|other| layer.is_none_or(|layer| layer == other))
                });
            if is_followed {
                write_leb128(left, payload);
            }
            obu.write_part(from, left, payload);
            if !is_followed {
                break;
            }
        }
        if let Some(first) = payload.first_mut() {
            *first = header;
        }
        Some(self.next.is_none())
    }
}
