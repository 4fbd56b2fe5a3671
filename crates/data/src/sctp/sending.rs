//! Packets to send: what goes into them, what an acknowledgement changes, what a timeout changes
//! (RFC 9260 §6.1, §6.2.1, §6.3.3, §7.2.4).

use time::{Duration, Instant};
use tracing::{debug, trace};

use super::association::{Association, Forwarded, State};
use super::congestion::Ack;
use super::data::Skip;
use super::outstanding::Loss;
use super::pacing::Pacer;
use super::queue::Fragment;
use super::serial;
use super::wire::{self, Reader, Writer};

/// What keeps data from being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Obstacle {
    /// There are none.
    Application,
    /// The peer's window, or the numbers that it can report.
    Peer,
    Congestion,
    Pace,
}

/// A packet with less room is not filled with a part of a long message.
const MIN_FRAGMENT: usize = 256;
/// Probes before everything under way is taken for lost.
const MAX_PROBES: u32 = 3;

impl Association {
    /// Writes the next packet into `buffer`. False when there is nothing to send.
    pub(crate) fn write_packet(&mut self, now: Instant, buffer: &mut Vec<u8>) -> bool {
        if self.write_alone(buffer) {
            return true;
        }
        let Some(peer) = &self.peer else { return false };
        let (local, remote) = (self.settings.local_port, self.settings.remote_port);
        let zero_checksum = peer.zero_checksum;
        let mut writer = Writer::new(buffer, local, remote, peer.tag);
        match self.state {
            // RFC 9260 §5.1 C: nothing before the cookie, but data may travel with it.
            State::CookieEchoed if self.echoes_cookie() => {
                self.write_control(&mut writer);
                self.write_data(now, &mut writer);
            }
            // RFC 9260 §6.10: control chunks first. A stream that this packet drains is reset by
            // the next one, so that its last message is there before.
            State::Established => {
                self.write_control(&mut writer);
                self.write_sack(now, &mut writer);
                self.write_forward_tsn(now, &mut writer);
                self.write_resets(now, &mut writer);
                self.write_data(now, &mut writer);
            }
            State::Idle | State::CookieWait | State::CookieEchoed | State::Closed => return false,
        }
        if writer.is_empty() {
            return false;
        }
        // RFC 9653 §5.2: never with the cookie.
        if self.state == State::Established && zero_checksum {
            writer.finish_with_zero();
        } else {
            writer.finish();
        }
        true
    }

    pub(super) fn room(&self, writer: &Writer<'_>) -> usize {
        self.settings.packet_size.saturating_sub(writer.len())
    }

    fn write_sack(&mut self, now: Instant, writer: &mut Writer<'_>) {
        let Some(peer) = &self.peer else { return };
        let (is_due, is_pending) = (peer.received.is_due(), peer.received.is_pending());
        // Data takes the acknowledgement along even when it could wait.
        if is_due || (is_pending && self.may_send(now)) {
            let (window, room) = (self.window(), self.room(writer));
            let Some(peer) = &mut self.peer else { return };
            peer.received.write(window, room, writer);
        }
    }

    fn write_resets(&mut self, now: Instant, writer: &mut Writer<'_>) {
        self.finish_unsupported_resets();
        let (last_assigned, room) = (self.last_assigned(), self.room(writer));
        let Some(peer) = &mut self.peer else { return };
        let (queue, rtt) = (&self.queue, &self.rtt);
        peer.resets.prepare(now, last_assigned, || rtt.rto(0), |id| queue.is_stream_empty(id));
        let mut left = room;
        while peer.resets.is_due() {
            let length = peer.resets.length();
            if length > left {
                break;
            }
            left -= length;
            peer.resets.write(writer);
        }
    }

    /// RFC 3758 §3.5 C4, F1; RFC 8260 §2.3.1.
    fn write_forward_tsn(&mut self, now: Instant, writer: &mut Writer<'_>) {
        if !self.outstanding.has_advanced() {
            self.forward_due = false;
            return;
        }
        let under_way = self.forwarded.filter(|told| told.tsn > self.outstanding.cumulative());
        // What did not fit is told once this is acknowledged.
        let is_told = under_way
            .is_some_and(|told| !told.is_all || !self.outstanding.is_abandoned(told.tsn + 1));
        if is_told && !self.forward_due {
            return;
        }
        let interleaves = self.interleaves();
        let Some(room) = self.room(writer).checked_sub(wire::CHUNK_HEADER + 4) else { return };
        let Some(advance) = self.outstanding.advance(room / Skip::length(interleaves)) else {
            return;
        };
        writer.begin(if interleaves { wire::I_FORWARD_TSN } else { wire::FORWARD_TSN }, 0);
        writer.u32(serial::low(advance.tsn));
        for skip in advance.skips {
            skip.write(interleaves, writer);
        }
        writer.end();
        self.forward_due = false;
        let (tsn, is_all) = (advance.tsn, advance.is_all);
        self.forwarded = Some(Forwarded { tsn, at: now, is_all });
        self.arm_t3(now);
    }

    /// What keeps data from being sent.
    fn obstacle(&self, now: Instant) -> Option<Obstacle> {
        let in_flight = self.outstanding.in_flight();
        if self.outstanding.has_lost() {
            let window = if self.probes_window { 1 } else { self.congestion.window() };
            return match () {
                () if self.credit => None,
                () if in_flight >= window => Some(Obstacle::Congestion),
                () if !self.pacer.is_open(now) => Some(Obstacle::Pace),
                () => None,
            };
        }
        match () {
            () if self.queue.is_empty() => Some(Obstacle::Application),
            () if self.outstanding.is_full() => Some(Obstacle::Peer),
            () if in_flight >= self.remote_window && in_flight > 0 => Some(Obstacle::Peer),
            () if self.credit => None,
            () if in_flight >= self.congestion.window() => Some(Obstacle::Congestion),
            () if !self.pacer.is_open(now) => Some(Obstacle::Pace),
            () => None,
        }
    }

    fn may_send(&self, now: Instant) -> bool {
        self.obstacle(now).is_none()
    }

    /// Notes what ended a burst: for the timer, and for what acknowledgements will show.
    fn note_obstacle(&mut self, now: Instant) {
        match self.obstacle(now) {
            Some(Obstacle::Application | Obstacle::Peer) => {
                self.limited = false;
                self.outstanding.on_app_limited();
            }
            Some(Obstacle::Pace) => {
                self.limited = true;
                self.pacer.wait();
            }
            Some(Obstacle::Congestion) => self.limited = true,
            None => {}
        }
    }

    fn write_data(&mut self, now: Instant, writer: &mut Writer<'_>) {
        self.outstanding.abandon_expired(now);
        self.finish_abandoned(now);
        if !self.may_send(now) {
            self.note_obstacle(now);
            return;
        }
        let last_sent = self.last_sent.replace(now);
        if self.outstanding.in_flight() == 0 {
            let idle = last_sent.map(|last| now.saturating_duration_since(last));
            self.congestion.on_restart(now, idle.unwrap_or_default(), self.rtt.rto(0));
        }
        let mut bytes = 0;
        let interleaves = self.interleaves();
        let header = if interleaves { wire::I_DATA_HEADER } else { wire::DATA_HEADER };
        let headers = wire::COMMON_HEADER + header;
        let largest = self.settings.packet_size.saturating_sub(headers) & !3;
        // It was asked above, for what comes first.
        let (mut wrote, mut asked) = (false, true);
        loop {
            let room = self.room(writer).saturating_sub(header) & !3;
            let may_send = std::mem::take(&mut asked) || self.may_send(now);
            if room == 0 || !(may_send || (wrote && self.credit)) {
                break;
            }
            if let Some(length) = self.outstanding.peek_lost().filter(|_| !self.begins_with_new()) {
                // A fragment that was cut when packets were larger goes alone.
                if length > room && !writer.is_empty() {
                    break;
                }
                if !wrote {
                    self.outstanding.next_packet(now);
                    wrote = true;
                }
                let Some(chunk) = self.outstanding.take_lost(now) else { break };
                bytes += chunk.fragment.data.len();
                write_chunk(writer, chunk.tsn, &chunk.fragment, interleaves, false);
                continue;
            }
            let Some((rest, begun)) = self.queue.peek() else { break };
            if self.is_in_vain(now, rest, begun) {
                self.drop_next(now);
                continue;
            }
            let length = if rest <= room {
                rest
            } else if rest > largest && room >= MIN_FRAGMENT.min(largest) {
                room
            } else {
                break;
            };
            let in_flight = self.outstanding.in_flight();
            if in_flight >= self.congestion.window() && !self.credit {
                break;
            }
            // RFC 9260 §6.1 A: one packet may probe a window that is too small.
            if in_flight + length > self.remote_window && in_flight > 0 {
                break;
            }
            let Some(fragment) = self.queue.take(length) else { break };
            bytes += length;
            if !wrote {
                self.outstanding.next_packet(now);
                wrote = true;
            }
            self.note_sent(fragment.stream, fragment.counted);
            let burst_ends = self.queue.is_empty() && in_flight > 4 * self.settings.packet_size;
            let tsn = self.outstanding.push(now, fragment.clone());
            write_chunk(writer, tsn, &fragment, interleaves, burst_ends);
        }
        if wrote {
            let smoothed = self.rtt.smoothed();
            let rate = Pacer::applies(smoothed).then(|| self.congestion.pacing_rate(smoothed));
            self.pacer.on_send(now, bytes, self.settings.packet_size, rate.flatten());
            self.credit = false;
            if self.state == State::Established {
                self.arm_t3(now);
            }
        }
    }

    /// Whether data that were not sent before go first, so that the path is measured by them.
    fn begins_with_new(&self) -> bool {
        self.outstanding.wants_new
            && !self.queue.is_empty()
            && !self.outstanding.is_full()
            && self.outstanding.in_flight() + self.settings.packet_size <= self.remote_window
    }

    fn note_sent(&mut self, stream: u16, bytes: usize) {
        if bytes == 0 {
            return;
        }
        match self.sent.last_mut() {
            Some((last, sum)) if *last == stream => *sum += bytes as u64,
            _ => self.sent.push((stream, bytes as u64)),
        }
    }

    /// Whether the next message, with `rest` bytes left, is not worth sending. What was sent of it
    /// is for nothing unless its end follows in time, and a queue of old messages would have each
    /// of them cut off.
    fn is_in_vain(&self, now: Instant, rest: usize, begun: bool) -> bool {
        let Some((expires, is_last)) = self.queue.expiry().filter(|_| self.outstanding.may_abandon)
        else {
            return false;
        };
        let smoothed = self.rtt.smoothed().unwrap_or_default();
        let window = self.congestion.per_round_trip(smoothed);
        if begun {
            // A message that is almost through is finished.
            return expires <= now && rest > 2 * window;
        }
        // A message that cannot be sent whole in its time gives way to a younger one.
        let beyond = (rest + self.outstanding.in_flight()).saturating_sub(window);
        let rounds = u32::try_from(beyond.div_ceil(window.max(1))).unwrap_or(u32::MAX);
        let needed = smoothed.saturating_mul(rounds);
        expires <= now || (!is_last && expires.saturating_duration_since(now) < needed)
    }

    /// Drops the next message, which is over.
    fn drop_next(&mut self, now: Instant) {
        let Some((stream, counted, end)) = self.queue.drop_next() else { return };
        trace!(stream, "a message was not sent within its life time");
        self.note_sent(stream, counted);
        if let Some(end) = end {
            self.outstanding.push_abandoned(now, end);
        }
    }

    /// Messages were given up: drops the parts of them that were not sent.
    pub(super) fn finish_abandoned(&mut self, now: Instant) {
        while let Some(stream) = self.outstanding.take_cut_off() {
            let Some((counted, end)) = self.queue.drop_begun(stream) else { continue };
            trace!(stream, "the rest of a message is not sent, a part of which was given up");
            self.note_sent(stream, counted);
            self.outstanding.push_abandoned(now, end);
        }
    }

    /// RFC 9260 §6.3.2 R1: starts the timer if it does not run.
    pub(super) fn arm_t3(&mut self, now: Instant) {
        if self.t3.is_none() && !self.outstanding.is_empty() {
            self.t3 = Some(now + self.patience());
        }
    }

    /// How long to wait for an acknowledgement. First come a few probes, each after twice the time,
    /// as in RFC 9002 §6.2.1 (RFC 8985 §7.3 allows one). Then it is RFC 9260's retransmission
    /// timeout.
    fn patience(&self) -> Duration {
        let rto = self.rtt.rto(self.backoff);
        if self.probes >= MAX_PROBES {
            return rto;
        }
        let alone = self.outstanding.in_flight() <= self.settings.packet_size;
        (self.rtt.probe_timeout(alone) * (1 << self.probes)).min(rto)
    }

    pub(super) fn on_t3(&mut self, now: Instant) {
        self.t3 = None;
        if self.outstanding.is_empty() {
            return;
        }
        if self.assumed {
            return self.doubt_assumption(now);
        }
        if self.probes < MAX_PROBES {
            // RFC 9002 §6.2.4 leaves open what a probe carries; in RFC 8985 §7.3 it is new data or
            // the last chunk. Here it is the first missing chunk, before all are taken for lost.
            // When none may be repeated at will, a packet of new data serves as well.
            self.probes += 1;
            self.forward_due = true;
            self.outstanding.probe(now);
            self.credit = true;
            self.t3 = Some(now + self.patience());
            return;
        }
        debug!(backoff = self.backoff, "a retransmission timeout");
        // RFC 9260 §6.1 A: the peer may drop what probes its closed window. That says nothing about
        // the path.
        self.probes_window = self.remote_window < self.settings.packet_size;
        if !self.probes_window {
            self.congestion.on_timeout();
        }
        self.backoff = (self.backoff + 1).min(10);
        self.outstanding.on_timeout(now);
        self.finish_abandoned(now);
        self.credit = true;
        self.forward_due = true;
        self.t3 = Some(now + self.rtt.rto(self.backoff));
    }

    pub(super) fn on_loss(&mut self, now: Instant, loss: Loss) {
        if loss.bytes > 0 {
            if self.congestion.on_loss(now, self.last_assigned(), &loss) {
                self.outstanding.begin_event(loss.chunks);
            }
            self.credit = true;
        }
        self.finish_abandoned(now);
    }

    /// RFC 9260 §6.2.1.
    pub(super) fn on_sack(&mut self, now: Instant, value: &[u8]) {
        let mut reader = Reader(value);
        let header = (|| Some((reader.u32()?, reader.u32()?, reader.u16()?, reader.u16()?)))();
        let Some((cumulative, window, gaps, _duplicates)) = header else { return };
        let cumulative = serial::expand(self.outstanding.cumulative(), cumulative);
        if cumulative < self.outstanding.cumulative() {
            // A later acknowledgement has overtaken this one.
            return;
        }
        let gaps = (0..gaps).map_while(|_| Some((reader.u16()?, reader.u16()?)));
        let Some(acked) = self.outstanding.on_sack(now, cumulative, gaps, &mut self.rtt) else {
            debug!("ignoring an acknowledgement of what was not sent");
            return;
        };
        if acked.progress() {
            self.congestion.on_ack(&Ack {
                now,
                bytes: acked.bytes,
                in_flight: self.outstanding.in_flight(),
                limited: self.limited,
                cumulative,
                advanced: acked.advanced,
                last_assigned: self.outstanding.last_assigned(),
                sample: acked.sample,
                rtt: acked.rtt,
                smoothed: self.rtt.smoothed().unwrap_or_default(),
                delivered: self.outstanding.delivered(),
            });
        }
        self.on_loss(now, acked.loss);
        if acked.spurious {
            self.congestion.on_spurious_loss();
        }

        let was_closed = self.remote_window < self.settings.packet_size;
        self.remote_window = window as usize;
        if acked.progress() || self.remote_window >= self.settings.packet_size {
            self.probes_window = false;
        }
        if acked.progress() {
            self.backoff = 0;
            self.probes = 0;
            self.t3 = None;
            self.arm_t3(now);
        } else if was_closed && self.remote_window >= self.settings.packet_size {
            // What probed the closed window was dropped.
            if self.outstanding.probe(now) {
                self.credit = true;
            }
        }
        if self.outstanding.has_advanced() {
            // The FORWARD TSN may be lost.
            let round_trip = self.rtt.smoothed().unwrap_or_default();
            self.forward_due |= self
                .forwarded
                .is_none_or(|told| now.saturating_duration_since(told.at) > round_trip);
        }
        if let Some(peer) = &mut self.peer {
            peer.resets.on_acknowledged(cumulative);
        }
        if self.queue.is_empty() {
            self.outstanding.shrink();
        }
    }
}

fn write_chunk(
    writer: &mut Writer<'_>,
    tsn: u64,
    fragment: &Fragment,
    interleaves: bool,
    immediate: bool,
) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags = flag(fragment.begins, wire::FLAG_BEGIN)
        | flag(fragment.ends, wire::FLAG_END)
        | flag(!fragment.ordered, wire::FLAG_UNORDERED)
        | flag(immediate, wire::FLAG_IMMEDIATE);
    writer.begin(if interleaves { wire::I_DATA } else { wire::DATA }, flags);
    writer.u32(serial::low(tsn));
    writer.u16(fragment.stream);
    if interleaves {
        writer.u16(0);
        writer.u32(fragment.message);
        writer.u32(if fragment.begins { fragment.ppid } else { fragment.fsn });
    } else {
        // RFC 9260 §3.3.1: of unordered data nobody looks at the number.
        writer.u16(if fragment.ordered { serial::low16(fragment.message.into()) } else { 0 });
        writer.u32(fragment.ppid);
    }
    writer.bytes(&fragment.data);
    writer.end();
}
