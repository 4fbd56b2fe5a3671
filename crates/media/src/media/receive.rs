//! Packets of the peer, and RTX undone.

use bytes::{Buf, Bytes, BytesMut};
use time::Instant;

use super::sections::Receiving;
use super::{Keys, Media};
use crate::demux::Route;
use crate::event::{Dropped, Event, Incoming};
use crate::rtcp;
use crate::rtp::{Packet, PacketMut};
use crate::section::codec_of;
use crate::streams::incoming::{Arrived, IncomingStream, Role};
use crate::tape::Taped;

/// How many of the first octets of a packet's payload change anything: of RTX the number of the
/// packet that was lost (RFC 4588 §4).
fn first_octets(receiving: &[Receiving], datagram: &[u8]) -> usize {
    const LOST: usize = 2;
    let payload_type = datagram.get(1).map_or(0, |octet| octet & 0x7f);
    let repairs = receiving.iter().any(|receiving| {
        codec_of(&receiving.codecs, payload_type).is_some_and(|codec| codec.repairs.is_some())
    });
    if repairs { LOST } else { 0 }
}

impl Media {
    /// Opens a datagram and handles what is in it. There are keys.
    pub(super) fn open(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Dropped> {
        let Some(Keys { receiver, .. }) = &mut self.keys else { return Err(Dropped::Early) };
        let buffer = self.arrivals.buffer(datagram.len());
        buffer.extend_from_slice(datagram);
        let tape = self.tape.as_deref();
        if rtcp::is_rtcp(datagram) {
            let taped = tape.map(|tape| Taped { tape, first: 0 });
            let length = receiver.unprotect_rtcp_on(buffer, taped)?;
            buffer.truncate(length);
            let octets = buffer.split().freeze();
            return self.handle_rtcp(now, &octets);
        }
        let taped = tape.map(|tape| Taped { tape, first: first_octets(&self.receiving, datagram) });
        let length = receiver.unprotect_rtp_on(buffer, taped)?;
        buffer.truncate(length);
        let octets = buffer.split();
        self.handle_rtp(now, octets)
    }

    fn handle_rtp(&mut self, now: Instant, octets: BytesMut) -> Result<(), Dropped> {
        let packet = Packet::parse(&octets)?;
        let route = self.demultiplexer.route(&packet)?;
        let (ssrc, payload) = (packet.ssrc(), packet.payload().len());
        let codec = self
            .receiving
            .get(route.section)
            .and_then(|receiving| codec_of(&receiving.codecs, packet.payload_type()));
        let arrived = Arrived {
            number: packet.sequence_number(),
            timestamp: packet.timestamp(),
            payload_type: packet.payload_type(),
            clock_rate: codec.map_or(0, |codec| codec.clock_rate),
            payload,
            rest: octets.len() - payload,
        };
        let role = if route.is_repair { Role::Repair(None) } else { Role::Media };
        let is_new_source = self.meet(now, ssrc, route, role, arrived.number);
        let Some(stream) = self.sources.get_mut(ssrc) else { return Ok(()) };
        self.reports.have_news(stream.kind, now, is_new_source, &mut self.random);
        let is_new = stream.arrive(now, arrived);
        if route.is_repair {
            return self.undo_rtx(now, route, arrived, octets);
        }
        if !is_new {
            return Err(Dropped::Needless);
        }
        self.deliver(ssrc, octets.freeze(), false, is_new_source);
        Ok(())
    }

    /// Makes the packet that was lost of the one that repairs it (RFC 4588 §4).
    fn undo_rtx(
        &mut self,
        now: Instant,
        route: Route,
        arrived: Arrived,
        mut octets: BytesMut,
    ) -> Result<(), Dropped> {
        let packet = Packet::parse(&octets)?;
        let (rtx_ssrc, header) = (packet.ssrc(), packet.payload_range().start);
        let repaired = self.repaired_by(rtx_ssrc, route);
        let Some((lost, rest)) = packet.payload().split_first_chunk::<2>() else {
            // Padding alone: a sender tries how much the path carries.
            let stream = repaired.and_then(|ssrc| self.sources.get_mut(ssrc));
            let octets = octets.len() as u64;
            stream.into_iter().for_each(|stream| stream.counters.header_octets += octets);
            return Ok(());
        };
        let ssrc = repaired.ok_or(Dropped::Unrepaired(rtx_ssrc))?;
        let receiving = self.receiving.get(route.section);
        let codec = receiving.and_then(|receiving| {
            let repairs = codec_of(&receiving.codecs, arrived.payload_type)?.repairs?;
            codec_of(&receiving.codecs, repairs).filter(|codec| codec.repairs.is_none())
        });
        let codec = codec.ok_or(Dropped::Unrepaired(rtx_ssrc))?;
        let lost = Arrived {
            number: u16::from_be_bytes(*lost),
            payload_type: codec.payload_type,
            clock_rate: codec.clock_rate,
            payload: rest.len(),
            ..arrived
        };
        let is_new_source = self.meet(now, ssrc, route, Role::Media, lost.number);
        if !self.sources.get_mut(ssrc).is_some_and(|stream| stream.repair(now, lost)) {
            return Err(Dropped::Needless);
        }
        // The number of the lost packet makes room for the header, which moves there.
        octets.copy_within(..header, 2);
        octets.advance(2);
        let mut packet = PacketMut::parse(&mut octets)?;
        packet.set_sequence_number(lost.number);
        packet.set_payload_type(lost.payload_type);
        packet.set_ssrc(ssrc);
        self.deliver(ssrc, octets.freeze(), true, is_new_source);
        Ok(())
    }

    /// The source that another one repairs: by the description's FID group, else by its rid, else
    /// because there is no other one.
    fn repaired_by(&mut self, rtx_ssrc: u32, route: Route) -> Option<u32> {
        let named = self.receiving.get(route.section)?.repaired_by(rtx_ssrc);
        let stream = self.sources.get(rtx_ssrc)?;
        let Role::Repair(known) = stream.role else { return None };
        let repaired = known.or(named).or_else(|| self.sources.repaired_by(stream))?;
        // A source that repairs a repair is none.
        let is_media = self.sources.get(repaired).is_none_or(|s| s.role == Role::Media);
        if repaired == rtx_ssrc || !is_media {
            return None;
        }
        if let Some(stream) = self.sources.get_mut(rtx_ssrc) {
            stream.role = Role::Repair(Some(repaired));
        }
        Some(repaired)
    }

    /// Sees to it that a source is known in its section. Returns whether it is new there.
    fn meet(&mut self, now: Instant, ssrc: u32, route: Route, role: Role, first: u16) -> bool {
        let Some(receiving) = self.receiving.get(route.section) else { return false };
        let rid = route.rid.and_then(|rid| receiving.rids.get(rid));
        if let Some(stream) = self.sources.get_mut(ssrc)
            && stream.section == receiving.id
            && (stream.role == Role::Media) == (role == Role::Media)
        {
            if stream.rid.as_ref() != rid {
                stream.rid = rid.cloned();
            }
            return false;
        }
        if self.own.contains_key(&ssrc) {
            // Each direction has its own keys and its own reports, so that nothing comes of it
            // (RFC 3550 §8.2 is about those that share a session).
            tracing::debug!(ssrc, "the peer has chosen an SSRC of ours");
        }
        let mut stream = IncomingStream::new(now, receiving.id, receiving.kind, role, first);
        (stream.rid, stream.peer) = (rid.cloned(), self.peer);
        self.sources.insert(ssrc, stream);
        true
    }

    fn deliver(&mut self, ssrc: u32, octets: Bytes, is_retransmission: bool, is_new_source: bool) {
        let Some(stream) = self.sources.get(ssrc) else { return };
        let (section, rid) = (stream.section, stream.rid.clone());
        self.events.push_back(Event::Packet(Incoming {
            section,
            ssrc,
            rid,
            octets,
            is_retransmission,
            is_new_source,
        }));
    }
}
