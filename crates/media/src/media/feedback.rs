//! RTCP of the peer.

use time::{Duration, Instant, earlier, later};

use super::Media;
use super::sections::Own;
use crate::clock::{compact, round_trip};
use crate::event::{Dropped, Event};
use crate::rtcp::{Block, Compound, ExtendedReport, Packet, ReportBlock};
use crate::section::{Kind, codec_of};

/// The host is asked for key frames of one encoding so far apart. Browsers drop a request that comes
/// sooner; here it waits, since the key frame between may be what was lost.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(300);

impl Media {
    /// Handles the packets of a datagram. Feedback counts whether it was negotiated or not:
    /// browsers send NACK, PLI and REMB to whoever has not said a word of them.
    pub(super) fn handle_rtcp(&mut self, now: Instant, octets: &[u8]) -> Result<(), Dropped> {
        for packet in Compound::parse(octets)? {
            let packet = match packet {
                Ok(packet) => packet,
                Err(malformed) => {
                    tracing::debug!(%malformed, "a packet of RTCP is dropped");
                    continue;
                }
            };
            match packet {
                Packet::SenderReport(report) => {
                    if let Some(stream) = self.sources.get_mut(report.info.ssrc) {
                        stream.sender_report(now, &report.info);
                    }
                    report.blocks.for_each(|block| self.handle_block(now, &block));
                }
                Packet::ReceiverReport(report) => {
                    report.blocks.for_each(|block| self.handle_block(now, &block));
                }
                Packet::SourceDescription(description) => {
                    description.chunks().for_each(|chunk| self.demultiplexer.describe(&chunk));
                }
                Packet::Goodbye(goodbye) => {
                    goodbye.ssrcs.for_each(|ssrc| self.handle_goodbye(ssrc));
                }
                Packet::Nack(nack) => {
                    self.handle_nack(now, nack.media_ssrc, nack.sequence_numbers);
                }
                Packet::PictureLossIndication { media_ssrc, .. } => {
                    if let Some(own) = self.media_of(media_ssrc) {
                        self.count(own, |counters| &mut counters.picture_losses);
                        self.request_from_host(now, own);
                    }
                }
                Packet::FullIntraRequest(request) => {
                    for (ssrc, number) in request.entries {
                        self.handle_full_intra_request(now, request.sender_ssrc, ssrc, number);
                    }
                }
                Packet::MaximumBitrate(maximum) => {
                    self.events.push_back(Event::MaximumBitrate {
                        bits_per_second: maximum.bitrate,
                        ssrcs: maximum.ssrcs.collect(),
                    });
                }
                Packet::ExtendedReport(report) => self.handle_extended_report(now, report),
                // What each packet of the transport has met is of use to nobody yet.
                Packet::TransportFeedback(_) | Packet::Other { .. } => {}
            }
        }
        Ok(())
    }

    /// An encoding of ours, by the SSRC of its media.
    fn media_of(&self, ssrc: u32) -> Option<Own> {
        self.own.get(&ssrc).copied().filter(|own| !own.is_repair)
    }

    fn handle_block(&mut self, now: Instant, block: &ReportBlock) {
        let Some(own) = self.own.get(&block.ssrc).copied() else { return };
        let Some(sending) = self.sending.get_mut(own.section) else { return };
        let Some(stream) = sending.encodings.get_mut(own.encoding) else { return };
        if own.is_repair {
            stream.repair.iter_mut().for_each(|repair| repair.is_acknowledged = true);
            return;
        }
        let payload_type = stream.counters.payload_type;
        let codec = payload_type.and_then(|number| codec_of(&sending.codecs, number));
        let clock_rate = codec.map_or(0, |codec| codec.clock_rate);
        let compact = self.wall.compact(now);
        let round_trip = round_trip(compact, block.last_sr, block.delay_since_last_sr);
        stream.report(now, block, clock_rate, round_trip);
    }

    /// A source that has said BYE stays: browsers say it, and go on with the same SSRC. A BYE that is
    /// repeated says nothing new.
    fn handle_goodbye(&mut self, ssrc: u32) {
        let Some(stream) = self.sources.get_mut(ssrc) else { return };
        if !std::mem::replace(&mut stream.has_ended, true) {
            self.events.push_back(Event::Goodbye { section: stream.section, ssrc });
        }
    }

    fn handle_nack(&mut self, now: Instant, ssrc: u32, numbers: impl Iterator<Item = u16>) {
        let Some(own) = self.media_of(ssrc) else { return };
        self.count(own, |counters| &mut counters.nacks);
        if !self.resend(now, own, numbers) {
            self.request_from_host(now, own);
        }
    }

    fn handle_full_intra_request(&mut self, now: Instant, sender_ssrc: u32, ssrc: u32, number: u8) {
        let Some(own) = self.media_of(ssrc) else { return };
        let sending = self.sending.get_mut(own.section);
        let stream = sending.and_then(|sending| sending.encodings.get_mut(own.encoding));
        if stream.is_some_and(|stream| stream.is_new_request(sender_ssrc, number)) {
            self.count(own, |counters| &mut counters.full_intra_requests);
            self.request_from_host(now, own);
        }
    }

    fn count(
        &mut self,
        own: Own,
        counter: impl FnOnce(&mut crate::streams::outgoing::Counters) -> &mut u32,
    ) {
        let sending = self.sending.get_mut(own.section);
        let stream = sending.and_then(|sending| sending.encodings.get_mut(own.encoding));
        if let Some(stream) = stream {
            let counter = counter(&mut stream.counters);
            *counter = counter.wrapping_add(1);
        }
    }

    /// Asks the host for a key frame, at once or 300 ms after the last time: a datagram can ask a
    /// hundred times. Sound has no key frames.
    fn request_from_host(&mut self, now: Instant, own: Own) {
        let sending = self.sending.get_mut(own.section).filter(|s| s.kind == Kind::Video);
        let stream = sending.and_then(|sending| sending.encodings.get_mut(own.encoding));
        let Some(stream) = stream else { return };
        let last = stream.key_frame.asked;
        let next = last.map_or(now, |last| later(last, BETWEEN_REQUESTS));
        let due = *stream.key_frame.due.get_or_insert(next.max(now));
        earlier(&mut self.requests_due, Some(due));
        self.tell_requests(now);
    }

    /// Tells the host of the requests that are due.
    pub(super) fn tell_requests(&mut self, now: Instant) {
        if self.requests_due.is_none_or(|due| due > now) {
            return;
        }
        self.requests_due = None;
        for sending in &mut self.sending {
            for (encoding, stream) in sending.encodings.iter_mut().enumerate() {
                if stream.key_frame.due.take_if(|due| *due <= now).is_some() {
                    stream.key_frame.asked = Some(now);
                    let section = sending.id;
                    self.events.push_back(Event::KeyFrameRequested { section, encoding });
                }
                earlier(&mut self.requests_due, stream.key_frame.due);
            }
        }
    }

    fn handle_extended_report(&mut self, now: Instant, report: ExtendedReport<'_>) {
        for block in report.blocks {
            match block {
                Block::ReceiverReferenceTime { ntp } => {
                    self.reports.reference_time(now, report.ssrc, compact(ntp));
                }
                Block::DelaySinceLastReceiverReport(entries) => {
                    let own = |ssrc| ssrc == self.reporter || self.own.contains_key(&ssrc);
                    let Some(entry) = entries.into_iter().find(|entry| own(entry.ssrc)) else {
                        continue;
                    };
                    let compact = self.wall.compact(now);
                    let delay = entry.delay_since_last_rr;
                    if let Some(round_trip) = round_trip(compact, entry.last_rr, delay)
                        && let Some(stream) = self.sources.get_mut(report.ssrc)
                    {
                        stream.round_trip(round_trip);
                    }
                }
                Block::Other { .. } => {}
            }
        }
    }
}
