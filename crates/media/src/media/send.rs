//! Packets of ours, the first time and again.

use time::Instant;

use super::sections::{Own, Sending};
use super::{Keys, Media};
use crate::event::{Outgoing, Unsent};
use crate::rtp::{self, Form, Header, Packet};
use crate::section::{Kind, SectionId, codec_of, repair_of};
use crate::streams::history::{self, Found};
use crate::streams::numbers::Place;
use crate::streams::outgoing::{OutgoingStream, Repair};

/// Octets of a packet, at most: what UDP carries, less what protection and relays add.
const LONGEST: usize = 65_000;

impl Media {
    /// Sends a packet as one encoding of a section. The encoding is a place in
    /// [`Send::encodings`](crate::Send::encodings).
    ///
    /// The packet gets the SSRC of the encoding, a number and a timestamp (see
    /// [`Outgoing::origin`]), the elements that name the section until the peer knows it, and the
    /// time of sending. It is kept for a while, for a peer that loses it.
    ///
    /// # Errors
    /// [`Unsent`].
    pub fn send(
        &mut self,
        now: Instant,
        section: SectionId,
        encoding: usize,
        packet: &Outgoing<'_>,
    ) -> Result<(), Unsent> {
        let can_send = self.can_send();
        if self.is_closed {
            return Err(Unsent::Closed);
        }
        let place = self.by_id.get(&section).ok_or(Unsent::NoEncoding)?;
        let sending = self.sending.get_mut(*place).ok_or(Unsent::NoEncoding)?;
        let Sending { kind, mid, codecs, ids, allow_mixed, encodings, .. } = sending;
        let stream = encodings.get_mut(encoding).ok_or(Unsent::NoEncoding)?;
        if !stream.encoding.active {
            stream.numbers.interrupt();
            return Err(Unsent::Inactive);
        }
        let codec = codec_of(codecs, packet.payload_type).filter(|codec| codec.repairs.is_none());
        let codec = codec.ok_or(Unsent::PayloadType(packet.payload_type))?;
        if packet.payload.len() > LONGEST {
            return Err(Unsent::TooLarge);
        }
        if self.transmit.is_full() {
            return Err(Unsent::Full);
        }
        let place = Place {
            origin: packet.origin,
            number: packet.sequence_number,
            timestamp: packet.timestamp,
            clock_rate: codec.clock_rate,
        };
        let numbered = stream.numbers.give(now, place, can_send).ok_or(Unsent::Late)?;
        let Keys { sender, .. } = self.keys.as_mut().ok_or(Unsent::NoKeys)?;
        if !can_send {
            return Err(Unsent::Unwritable);
        }

        let header = Header {
            marker: packet.marker,
            payload_type: packet.payload_type,
            sequence_number: (numbered.number & 0xffff) as u16,
            timestamp: numbered.timestamp,
            ssrc: stream.encoding.ssrc,
        };
        let time = abs_send_time(self.wall.ntp(now));
        let is_named = stream.is_acknowledged;
        let own = [
            (ids.mid.filter(|_| !is_named), Some(mid.as_bytes())),
            (ids.rid.filter(|_| !is_named), stream.rid.as_deref().map(str::as_bytes)),
            (ids.abs_send_time, Some(time.as_slice())),
        ];
        let own = own.into_iter().filter_map(|(id, data)| Some((id?, data?)));
        let carried = packet.elements.iter().filter(|(id, _)| ids.carried.contains(id));
        let elements = own.chain(carried.copied());
        self.scratch.clear();
        write(&header, packet.csrcs, elements, *allow_mixed, &mut self.scratch)?;
        if self.scratch.len() + packet.payload.len() > LONGEST {
            return Err(Unsent::TooLarge);
        }

        let parts = [self.scratch.as_slice(), packet.payload];
        let overhead = sender.profile().rtp_overhead();
        let protect = |octets: &mut [u8]| sender.protect_rtp(octets);
        let protected = self.transmit.push(&parts, overhead, protect)?;
        // By RTX the packet goes within another one; without RTX, none but the same octets may have
        // its index.
        let has_repair = stream.repair.is_some() && repair_of(codecs, codec.payload_type).is_some();
        let history = &mut stream.history;
        if has_repair {
            history.keep(now, numbered.number, history::Form::Plain, parts);
        } else {
            history.keep(now, numbered.number, history::Form::Protected, [protected, &[]]);
        }
        let is_first = stream.begin(header.sequence_number);
        self.reports.have_news(*kind, now, is_first, &mut self.random);
        stream.counters.payload_type = Some(packet.payload_type);
        let is_frame = *kind == Kind::Video && numbered.begins_frame;
        stream.count(now, self.scratch.len(), packet.payload.len(), is_frame);
        Ok(())
    }

    /// Sends packets of an encoding again that the peer has lost. Returns false if one of them is
    /// not kept any more.
    pub(super) fn resend(
        &mut self,
        now: Instant,
        own: Own,
        numbers: impl Iterator<Item = u16>,
    ) -> bool {
        if !self.can_send() {
            return true;
        }
        let Some(Keys { sender, .. }) = &mut self.keys else { return true };
        let Some(sending) = self.sending.get_mut(own.section) else { return true };
        let Sending { mid, codecs, ids, allow_mixed, encodings, .. } = sending;
        let Some(stream) = encodings.get_mut(own.encoding) else { return true };
        if !stream.has_sent {
            return true;
        }
        let (pause, overhead) = (stream.pause(), sender.profile().rtp_overhead());
        let mut is_complete = true;
        for number in numbers {
            let OutgoingStream { history, credit, repair, rid, .. } = &mut *stream;
            let (form, octets) = match history.find(now, number, pause) {
                Found::Packet(form, octets) => (form, octets),
                Found::Gone => {
                    is_complete = false;
                    continue;
                }
                Found::Recent | Found::Unsent => continue,
            };
            if self.transmit.is_full() || !credit.spend(octets.len()) {
                return is_complete;
            }
            if form == history::Form::Protected {
                let header = rtp::fixed(octets).map_or(0, |fixed| fixed.header);
                let payload = octets.len().saturating_sub(header + overhead);
                if self.transmit.push(&[octets], 0, |_| Ok(())).is_ok() {
                    stream.count_again(now, header, payload, false);
                }
                continue;
            }
            let packet = Packet::parse(octets).ok();
            let codec = packet.and_then(|packet| repair_of(codecs, packet.payload_type()));
            let (Some(packet), Some(codec), Some(repair)) = (packet, codec, repair.as_mut()) else {
                // RTX was negotiated when it was sent, and is not now.
                is_complete = false;
                continue;
            };
            let time = abs_send_time(self.wall.ntp(now));
            let is_named = repair.is_acknowledged;
            let own = [
                (ids.mid.filter(|_| !is_named), Some(mid.as_bytes())),
                (ids.repaired_rid.filter(|_| !is_named), rid.as_deref().map(str::as_bytes)),
                (ids.abs_send_time, Some(time.as_slice())),
            ];
            let own = own.into_iter().filter_map(|(id, data)| Some((id?, data?)));
            let carried = packet.extensions().filter(|element| ids.carried.contains(&element.id));
            let elements = own.chain(carried.map(|element| (element.id, element.data)));
            let header = header_of(repair, &packet.head(), codec.payload_type);
            self.scratch.clear();
            let (mut csrcs, mut count) = ([0; 15], 0);
            for (place, csrc) in csrcs.iter_mut().zip(packet.csrcs()) {
                (*place, count) = (csrc, count + 1);
            }
            let csrcs = csrcs.get(..count).unwrap_or_default();
            if write(&header, csrcs, elements, *allow_mixed, &mut self.scratch).is_err() {
                continue;
            }
            // RFC 4588 §4: the number of the lost packet, then its payload.
            let lost = packet.sequence_number().to_be_bytes();
            let parts = [self.scratch.as_slice(), &lost, packet.payload()];
            let payload = packet.payload().len();
            let protect = |octets: &mut [u8]| sender.protect_rtp(octets);
            match self.transmit.push(&parts, overhead, protect) {
                Ok(_) => stream.count_again(now, self.scratch.len(), payload, true),
                Err(error) => tracing::warn!(%error, "a packet cannot be sent again"),
            }
        }
        is_complete
    }
}

/// The header of a packet of RTX (RFC 4588 §4), which gets the next number of its source.
fn header_of(repair: &mut Repair, lost: &Header, payload_type: u8) -> Header {
    let sequence_number = (repair.next & 0xffff) as u16;
    repair.next += 1;
    Header { payload_type, sequence_number, ssrc: repair.ssrc, ..*lost }
}

/// Writes a header with the elements that fit: in the one-byte form, if all do or if there may be
/// no other.
fn write<'e>(
    header: &Header,
    csrcs: &[u32],
    elements: impl Iterator<Item = (u8, &'e [u8])> + Clone,
    allow_mixed: bool,
    into: &mut Vec<u8>,
) -> Result<(), rtp::Unwritable> {
    let needs_two =
        |(id, data): (u8, &[u8])| Form::for_element(id, data.len()) == Some(Form::TwoByte);
    let is_mixed = allow_mixed && elements.clone().any(needs_two);
    let form = if is_mixed { Form::TwoByte } else { Form::OneByte };
    header.write_fitting(csrcs, elements, form, into)
}

/// The time of sending: 24 bits, 18 of them fraction (abs-send-time).
fn abs_send_time(ntp: u64) -> [u8; 3] {
    let [_, t0, t1, t2] = ((ntp >> 14 & 0xff_ffff) as u32).to_be_bytes();
    [t0, t1, t2]
}
