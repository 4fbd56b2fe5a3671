//! RTCP of ours: reports at their times, requests for key frames, BYE.

use rand::RngExt;
use time::{Duration, Instant, earlier, later};

use super::sections::Sending;
use super::{Keys, Media};
use crate::clock::delay;
use crate::rtcp::{Dlrr, SdesItem, SenderInfo, TooLarge, Writer};
use crate::section::{Kind, SectionId};
use crate::srtp::Unsendable;
use crate::streams::incoming::{BETWEEN_KEY_FRAMES, Role};
use crate::streams::outgoing::OutgoingStream;

/// Blocks of one report, and sources of one BYE (RFC 3550 §6.4.1).
const BLOCKS: usize = 31;
/// Peers whose reference times are answered.
const REFERENCE_TIMES: usize = 31;
/// The first report on a source comes about this soon: until then no peer can play sound and
/// pictures together.
const FIRST: Duration = Duration::from_millis(500);

/// How long it is from one report to the next, on average, as in browsers.
fn interval(kind: Kind) -> Duration {
    match kind {
        Kind::Audio => Duration::from_secs(5),
        Kind::Video => Duration::from_secs(1),
    }
}

/// When reports are due, and what they answer.
#[derive(Debug, Default)]
pub(super) struct Reports {
    audio: Schedule,
    video: Schedule,
    reference_times: Vec<ReferenceTime>,
}

#[derive(Debug, Default)]
struct Schedule {
    /// `None` while there is nothing to say.
    due: Option<Instant>,
    /// The last source of the peer that was reported on.
    last: u32,
}

/// When the time of a receiver came (RFC 3611 §4.4).
#[derive(Debug, Clone, Copy)]
struct ReferenceTime {
    ssrc: u32,
    time: u32,
    came: Instant,
}

impl Reports {
    fn schedule(&mut self, kind: Kind) -> &mut Schedule {
        match kind {
            Kind::Audio => &mut self.audio,
            Kind::Video => &mut self.video,
        }
    }

    /// The next time.
    pub(super) fn due(&self) -> Option<Instant> {
        let mut due = self.audio.due;
        earlier(&mut due, self.video.due);
        due
    }

    /// A source has sent, of ours or of the peer's, and perhaps for the first time.
    pub(super) fn have_news(
        &mut self,
        kind: Kind,
        now: Instant,
        is_first: bool,
        random: &mut impl rand::Rng,
    ) {
        let due = &mut self.schedule(kind).due;
        if is_first {
            earlier(due, Some(some_time_after(now, FIRST, random)));
        } else if due.is_none() {
            *due = Some(some_time_after(now, interval(kind), random));
        }
    }

    /// The peer has told its time.
    pub(super) fn reference_time(&mut self, came: Instant, ssrc: u32, time: u32) {
        self.reference_times.retain(|known| known.ssrc != ssrc);
        if self.reference_times.len() >= REFERENCE_TIMES {
            self.reference_times.remove(0);
        }
        self.reference_times.push(ReferenceTime { ssrc, time, came });
        if self.due().is_none() {
            self.video.due = Some(later(came, interval(Kind::Video)));
        }
    }
}

/// RFC 3550 §6.3.1: half to one and a half of the time, so that peers do not report in step.
fn some_time_after(now: Instant, time: Duration, random: &mut impl rand::Rng) -> Instant {
    later(now, time.mul_f64(random.random_range(0.5..1.5)))
}

impl Media {
    /// Sends the reports that are due.
    pub(super) fn send_reports(&mut self, now: Instant) {
        for kind in [Kind::Audio, Kind::Video] {
            if self.reports.schedule(kind).due.is_none_or(|due| due > now) {
                continue;
            }
            let has_sent = self.send_sender_reports(now, kind);
            let has_received = self.send_receiver_report(now, kind);
            let next = some_time_after(now, interval(kind), &mut self.random);
            self.reports.schedule(kind).due = Some(next).filter(|_| has_sent || has_received);
        }
    }

    /// SR and SDES of each source that has sent since the last time. As in browsers, they have no
    /// blocks, and each source has a datagram of its own.
    fn send_sender_reports(&mut self, now: Instant, kind: Kind) -> bool {
        let mut has_sent = false;
        let ntp = self.wall.ntp(now);
        for section in 0..self.sending.len() {
            for encoding in 0.. {
                let Some(sending) = self.sending.get_mut(section).filter(|s| s.kind == kind) else {
                    break;
                };
                let Some(stream) = sending.encodings.get_mut(encoding) else { break };
                if !std::mem::take(&mut stream.has_news) {
                    continue;
                }
                let Some(rtp_timestamp) = stream.numbers.timestamp_at(now) else { continue };
                let ssrc = stream.encoding.ssrc;
                let info = SenderInfo {
                    ssrc,
                    ntp,
                    rtp_timestamp,
                    packets: (stream.counters.packets & 0xffff_ffff) as u32,
                    octets: (stream.counters.octets & 0xffff_ffff) as u32,
                };
                has_sent = true;
                self.send_rtcp(|writer, cname| {
                    writer.sender_report(&info, &[])?;
                    writer.source_description(ssrc, &[cname])
                });
            }
        }
        has_sent
    }

    /// RR of the sources that were heard since the last time, SDES, and XR: our time, and when the
    /// peer's came. Of more than 31 sources the others have the next turn.
    fn send_receiver_report(&mut self, now: Instant, kind: Kind) -> bool {
        let last = self.reports.schedule(kind).last;
        let is_due = |(_, stream): &(&u32, &mut crate::streams::incoming::IncomingStream)| {
            stream.kind == kind && stream.has_news && !stream.has_ended
        };
        let mut due: Vec<_> = self.sources.iter_mut().filter(is_due).collect();
        due.sort_unstable_by_key(|(ssrc, _)| (**ssrc <= last, **ssrc));
        due.truncate(BLOCKS);
        let blocks: Vec<_> =
            due.into_iter().map(|(ssrc, stream)| stream.report(now, *ssrc)).collect();
        if let Some(block) = blocks.last() {
            self.reports.schedule(kind).last = block.ssrc;
        }
        let times = std::mem::take(&mut self.reports.reference_times);
        if blocks.is_empty() && times.is_empty() {
            return false;
        }
        let answers: Vec<_> = times
            .iter()
            .map(|known| Dlrr {
                ssrc: known.ssrc,
                last_rr: known.time,
                delay_since_last_rr: delay(now.saturating_duration_since(known.came)),
            })
            .collect();
        let (ssrc, ntp) = (self.reporter_of(kind), self.wall.ntp(now));
        self.send_rtcp(|writer, cname| {
            writer.receiver_report(ssrc, &blocks)?;
            writer.source_description(ssrc, &[cname])?;
            if !blocks.is_empty() {
                writer.receiver_reference_time(ssrc, ntp);
            }
            if !answers.is_empty() {
                writer.delay_since_last_receiver_report(ssrc, &answers)?;
            }
            Ok(())
        });
        !blocks.is_empty()
    }

    /// Who reports on sources of a kind: a source of ours, as in browsers.
    fn reporter_of(&self, kind: Kind) -> u32 {
        let mut sending = self.sending.iter().filter(|sending| sending.kind == kind);
        let first = sending.find_map(|sending| sending.encodings.first());
        first.map_or(self.reporter, |stream| stream.encoding.ssrc)
    }

    /// Writes a datagram of RTCP and sends it. `write` is given the item that names us.
    pub(super) fn send_rtcp(
        &mut self,
        write: impl FnOnce(&mut Writer<'_>, SdesItem<'_>) -> Result<(), TooLarge>,
    ) {
        let Some(Keys { sender, .. }) = &mut self.keys else { return };
        self.scratch.clear();
        let cname = SdesItem { kind: SdesItem::CNAME, text: self.cname.as_bytes() };
        if let Err(error) = write(&mut Writer::new(&mut self.scratch), cname) {
            return tracing::warn!(%error, "a packet of RTCP cannot be written");
        }
        let overhead = sender.profile().rtcp_overhead();
        let protect = |octets: &mut [u8]| -> Result<(), Unsendable> { sender.protect_rtcp(octets) };
        if let Err(error) = self.transmit.push(&[&self.scratch], overhead, protect) {
            tracing::warn!(%error, "a packet of RTCP cannot be sent");
        }
    }

    /// Asks the peer for a key frame (PLI, RFC 4585 §6.3.1), at once or 350 ms after the last time.
    /// Requests for one source in the meantime are one. A source that is not known, or is not of
    /// the section, or carries no pictures is not asked.
    pub fn request_key_frame(&mut self, now: Instant, section: SectionId, ssrc: u32) {
        let stream = self.sources.get_mut(ssrc).filter(|stream| {
            stream.section == section && stream.kind == Kind::Video && stream.role == Role::Media
        });
        let Some(stream) = stream else {
            return tracing::debug!(ssrc, "there is no such source to ask for a key frame");
        };
        let next = stream.key_frame.asked.map_or(now, |asked| later(asked, BETWEEN_KEY_FRAMES));
        let due = *stream.key_frame.due.get_or_insert(next.max(now));
        earlier(&mut self.key_frame_due, Some(due));
        if self.can_send() {
            self.send_key_frame_requests(now);
        }
    }

    /// Sends the requests that are due.
    pub(super) fn send_key_frame_requests(&mut self, now: Instant) {
        if self.key_frame_due.is_none_or(|due| due > now) {
            return;
        }
        self.key_frame_due = None;
        let mut asked = Vec::new();
        for (ssrc, stream) in self.sources.iter_mut() {
            if stream.key_frame.due.is_some_and(|due| due <= now) {
                stream.key_frame.due = None;
                stream.key_frame.asked = Some(now);
                stream.counters.picture_losses = stream.counters.picture_losses.wrapping_add(1);
                asked.push((*ssrc, stream.section));
            }
            earlier(&mut self.key_frame_due, stream.key_frame.due);
        }
        let sender_ssrc = self.reporter_of(Kind::Video);
        for (ssrc, section) in asked {
            let receiving = self.receiving.iter().find(|receiving| receiving.id == section);
            let is_alone = receiving.is_some_and(|receiving| receiving.reduced_size);
            self.send_rtcp(|writer, cname| {
                if !is_alone {
                    // RFC 3550 §6.1
                    writer.receiver_report(sender_ssrc, &[])?;
                    writer.source_description(sender_ssrc, &[cname])?;
                }
                writer.picture_loss_indication(sender_ssrc, ssrc);
                Ok(())
            });
        }
    }

    /// Says BYE for the sources of a section that have sent (RFC 3550 §6.3.7), if there is a path.
    pub fn say_goodbye(&mut self, section: SectionId) {
        let place = self.by_id.get(&section).copied();
        let Some(sending) = place.and_then(|place| self.sending.get(place)) else { return };
        self.goodbye(sent_by(&sending.encodings));
    }

    /// Sends the last sender reports, and BYE for all our sources that have sent, if there is a
    /// path. Nothing is sent afterwards.
    pub fn close(&mut self, now: Instant) {
        if self.can_send() {
            for kind in [Kind::Audio, Kind::Video] {
                self.send_sender_reports(now, kind);
            }
        }
        let streams = self.sending.iter().flat_map(|Sending { encodings, .. }| encodings);
        self.goodbye(sent_by(streams.chain(self.retired.values())));
        self.is_closed = true;
    }

    fn goodbye(&mut self, ssrcs: Vec<u32>) {
        if !self.can_send() {
            return;
        }
        for ssrcs in ssrcs.chunks(BLOCKS) {
            let Some(first) = ssrcs.first().copied() else { continue };
            self.send_rtcp(|writer, cname| {
                writer.receiver_report(first, &[])?;
                writer.source_description(first, &[cname])?;
                writer.goodbye(ssrcs, None)
            });
        }
    }
}

/// The sources with which streams have sent.
fn sent_by<'s>(streams: impl IntoIterator<Item = &'s OutgoingStream>) -> Vec<u32> {
    let mut ssrcs = Vec::new();
    for stream in streams.into_iter().filter(|stream| stream.has_sent) {
        ssrcs.push(stream.encoding.ssrc);
        let repair = stream.repair.as_ref().filter(|_| stream.counters.repaired > 0);
        ssrcs.extend(repair.map(|repair| repair.ssrc));
    }
    ssrcs
}
