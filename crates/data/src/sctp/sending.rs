//! Packets to send: what goes into them, what an acknowledgement changes, what a timeout changes
//! (RFC 9260 §6.1, §6.2.1, §6.3.3, §7.2.4).

use time::{Duration, Instant};
use tracing::{debug, trace};

use super::association::{Association, State};
use super::queue::Fragment;
use super::serial;
use super::wire::{self, Reader, Writer};

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
                self.write_sack(&mut writer);
                self.write_forward_tsn(now, &mut writer);
                self.write_resets(now, &mut writer);
                self.write_data(now, &mut writer);
            }
            State::Idle | State::CookieWait | State::CookieEchoed | State::Closed => return false,
        }
        if writer.is_empty() {
            return false;
        }
        writer.finish();
        true
    }

    pub(super) fn room(&self, writer: &Writer<'_>) -> usize {
        self.settings.packet_size.saturating_sub(writer.len())
    }

    fn write_sack(&mut self, writer: &mut Writer<'_>) {
        let (window, room) = (self.window(), self.room(writer));
        let sends = self.may_send();
        let Some(peer) = &mut self.peer else { return };
        // Data takes the acknowledgement along even when it could wait.
        if peer.received.is_due() || (sends && peer.received.is_pending()) {
            peer.received.write(window, room, writer);
        }
    }

    fn write_resets(&mut self, now: Instant, writer: &mut Writer<'_>) {
        self.finish_unsupported_resets();
        let (last_assigned, rto) = (self.last_assigned(), self.rtt.rto(0));
        let room = self.room(writer);
        let Some(peer) = &mut self.peer else { return };
        let queue = &self.queue;
        peer.resets.prepare(now, last_assigned, rto, |id| queue.is_stream_empty(id));
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

    /// RFC 3758 §3.5 C4, F1.
    fn write_forward_tsn(&mut self, now: Instant, writer: &mut Writer<'_>) {
        let Some(advanced) = self.outstanding.advanced() else {
            self.forward_due = false;
            return;
        };
        let told = self.forwarded.is_some_and(|(tsn, _)| tsn >= advanced);
        if told && !self.forward_due {
            return;
        }
        let Some(room) = self.room(writer).checked_sub(wire::CHUNK_HEADER + 4) else { return };
        let streams = self.outstanding.advanced_streams();
        writer.begin(wire::FORWARD_TSN, 0);
        writer.u32(serial::low(advanced));
        for &(stream, ssn) in streams.iter().take(room / 4) {
            writer.u16(stream);
            writer.u16(ssn);
        }
        writer.end();
        self.forward_due = false;
        self.forwarded = Some((advanced, now));
        self.arm_t3(now);
    }

    /// Whether the windows let data go.
    fn may_send(&self) -> bool {
        if self.outstanding.has_lost() {
            let in_flight = self.outstanding.in_flight();
            let window = if self.probes_window { 1 } else { self.congestion.window() };
            return self.credit || in_flight < window;
        }
        !self.queue.is_empty()
            && !self.outstanding.is_full()
            && (self.credit || self.outstanding.in_flight() < self.congestion.window())
            && (self.outstanding.in_flight() < self.remote_window
                || self.outstanding.in_flight() == 0)
    }

    fn write_data(&mut self, now: Instant, writer: &mut Writer<'_>) {
        if self.outstanding.abandon_expired(now) {
            self.finish_abandoned(now);
        }
        if !self.may_send() {
            return;
        }
        self.congestion.on_send(now, self.outstanding.in_flight(), self.rtt.rto(0));
        let headers = wire::COMMON_HEADER + wire::DATA_HEADER;
        let largest = self.settings.packet_size.saturating_sub(headers) & !3;
        let mut wrote = false;
        loop {
            let room = self.room(writer).saturating_sub(wire::DATA_HEADER) & !3;
            if room == 0 || !(self.may_send() || (wrote && self.credit)) {
                break;
            }
            if let Some(length) = self.outstanding.peek_lost() {
                // A fragment that was cut when packets were larger goes alone.
                if length > room && !writer.is_empty() {
                    break;
                }
                if !wrote {
                    self.outstanding.next_packet();
                    wrote = true;
                }
                let Some(chunk) = self.outstanding.take_lost(now) else { break };
                write_chunk(writer, chunk.tsn, &chunk.fragment, false);
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
            if !wrote {
                self.outstanding.next_packet();
                wrote = true;
            }
            self.note_sent(fragment.stream, fragment.counted);
            let burst_ends = self.queue.is_empty() && in_flight > 4 * self.settings.packet_size;
            let tsn = self.outstanding.push(now, fragment.clone());
            write_chunk(writer, tsn, &fragment, burst_ends);
        }
        if wrote {
            self.credit = false;
            if self.state == State::Established {
                self.arm_t3(now);
            }
        }
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
        let window = self.congestion.window();
        if begun {
            // A message that is almost through is finished.
            return expires <= now && rest > 2 * window;
        }
        // A message that cannot be sent whole in its time gives way to a younger one.
        let beyond = (rest + self.outstanding.in_flight()).saturating_sub(window);
        let rounds = u32::try_from(beyond.div_ceil(window.max(1))).unwrap_or(u32::MAX);
        let needed = self.rtt.smoothed().unwrap_or_default().saturating_mul(rounds);
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

    /// A message was given up: drops the part of it that was not sent.
    fn finish_abandoned(&mut self, now: Instant) {
        if self.outstanding.is_last_abandoned_unfinished()
            && self.queue.peek().is_some_and(|(_, begun)| begun)
        {
            self.drop_next(now);
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
        if self.outstanding.on_timeout(now) {
            self.finish_abandoned(now);
        }
        self.credit = true;
        self.forward_due = true;
        self.t3 = Some(now + self.rtt.rto(self.backoff));
    }

    pub(super) fn on_loss(&mut self, now: Instant, lost: bool, abandoned: bool) {
        if lost {
            self.congestion.on_loss(self.last_assigned());
            self.credit = true;
        }
        if abandoned {
            self.finish_abandoned(now);
        }
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
        let before = self.outstanding.in_flight();
        let gaps = (0..gaps).map_while(|_| Some((reader.u16()?, reader.u16()?)));
        let Some(acked) = self.outstanding.on_sack(now, cumulative, gaps, &mut self.rtt) else {
            debug!("ignoring an acknowledgement of what was not sent");
            return;
        };
        self.congestion.on_ack(acked.bytes, before, cumulative, acked.advanced);
        self.on_loss(now, acked.lost, acked.abandoned);

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
        if self.outstanding.advanced().is_some() {
            // The FORWARD TSN may be lost.
            let round_trip = self.rtt.smoothed().unwrap_or_default();
            self.forward_due |=
                self.forwarded.is_none_or(|(_, at)| now.saturating_duration_since(at) > round_trip);
        }
        if let Some(peer) = &mut self.peer {
            peer.resets.on_acknowledged(cumulative);
        }
        self.outstanding.shrink();
    }
}

fn write_chunk(writer: &mut Writer<'_>, tsn: u64, fragment: &Fragment, immediate: bool) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags = flag(fragment.begins, wire::FLAG_BEGIN)
        | flag(fragment.ends, wire::FLAG_END)
        | flag(!fragment.ordered, wire::FLAG_UNORDERED)
        | flag(immediate, wire::FLAG_IMMEDIATE);
    writer.begin(wire::DATA, flags);
    writer.u32(serial::low(tsn));
    writer.u16(fragment.stream);
    writer.u16(fragment.ssn);
    writer.u32(fragment.ppid);
    writer.bytes(&fragment.data);
    writer.end();
}
