//! One source of the peer.

use std::sync::Arc;

use time::{Duration, Instant};

use super::reception::Reception;
use crate::clock;
use crate::rtcp::{ReportBlock, SenderInfo};
use crate::section::{Kind, SectionId};
use crate::srtp::window::{Seen, Window};
use crate::statistics::{Inbound, RemoteOutbound};

/// A packet by RTX may be this far ahead of all that came with the source itself. It would else
/// shut out what comes there later.
const AHEAD: u64 = 1_000;
/// PLIs for one source are at least so far apart. Browsers drop one that comes less than 300 ms after
/// another, and the network may bring two nearer together.
pub(crate) const BETWEEN_KEY_FRAMES: Duration = Duration::from_millis(350);

/// One source of the peer.
#[derive(Debug)]
pub(crate) struct IncomingStream {
    pub(crate) section: SectionId,
    /// Which peer of several in a row it is of.
    pub(crate) peer: u32,
    pub(crate) kind: Kind,
    pub(crate) rid: Option<Arc<str>>,
    pub(crate) role: Role,
    pub(crate) reception: Reception,
    /// Which numbers came, by whichever source.
    seen: Window,
    pub(crate) counters: Counters,
    /// It was heard since the last report.
    pub(crate) has_news: bool,
    /// It has said BYE.
    pub(crate) has_ended: bool,
    /// When its last packet came.
    pub(crate) last: Instant,
    pub(crate) remote: Option<RemoteOutbound>,
    pub(crate) key_frame: KeyFrame,
}

/// What a source carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Media,
    /// It repairs another source, once it is known which.
    Repair(Option<u32>),
}

/// Requests for a key frame.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeyFrame {
    /// When the last one went out, or was told to the host.
    pub(crate) asked: Option<Instant>,
    /// When the next one is due.
    pub(crate) due: Option<Instant>,
}

/// What came.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) payload_type: Option<u8>,
    pub(crate) packets: u64,
    pub(crate) octets: u64,
    pub(crate) header_octets: u64,
    pub(crate) repaired: u64,
    pub(crate) repaired_octets: u64,
    pub(crate) duplicates: u64,
    pub(crate) frames: u32,
    pub(crate) picture_losses: u32,
}

/// The part of a packet that is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    pub(crate) number: u16,
    pub(crate) timestamp: u32,
    pub(crate) payload_type: u8,
    pub(crate) clock_rate: u32,
    /// Octets of payload, and of everything else.
    pub(crate) payload: usize,
    pub(crate) rest: usize,
}

impl IncomingStream {
    /// Before the first packet, which has this number.
    pub(crate) fn new(
        now: Instant,
        section: SectionId,
        kind: Kind,
        role: Role,
        first: u16,
    ) -> Self {
        Self {
            section,
            peer: 0,
            kind,
            rid: None,
            role,
            reception: Reception::new(first),
            // No packet has this number: the first one is of the turn 1.
            seen: Window::new(0),
            counters: Counters::default(),
            has_news: false,
            has_ended: false,
            last: now,
            remote: None,
            key_frame: KeyFrame::default(),
        }
    }

    /// Counts a packet that came with the source's own SSRC. Returns whether it is new: it may have
    /// come by RTX.
    pub(crate) fn arrive(&mut self, now: Instant, packet: Arrived) -> bool {
        let number = self.reception.extend(packet.number);
        let starts = self.reception.count(now, number, packet.timestamp, packet.clock_rate);
        (self.last, self.has_news, self.has_ended) = (now, true, false);
        let counters = &mut self.counters;
        counters.payload_type = Some(packet.payload_type);
        if self.seen.look(number) != Seen::Not {
            counters.duplicates += 1;
            return false;
        }
        self.seen.mark(number);
        counters.packets += 1;
        counters.octets += packet.payload as u64;
        counters.header_octets += packet.rest as u64;
        if self.kind == Kind::Video && starts && packet.payload > 0 {
            counters.frames = counters.frames.wrapping_add(1);
        }
        true
    }

    /// Counts a packet that RTX has brought. Returns whether it is new.
    pub(crate) fn repair(&mut self, now: Instant, packet: Arrived) -> bool {
        let number = self.reception.extend(packet.number);
        if number > self.reception.highest() + AHEAD {
            return false;
        }
        self.last = now;
        let counters = &mut self.counters;
        if self.seen.look(number) != Seen::Not {
            counters.duplicates += 1;
            return false;
        }
        self.seen.mark(number);
        counters.packets += 1;
        counters.octets += packet.payload as u64;
        counters.header_octets += packet.rest as u64;
        counters.repaired += 1;
        counters.repaired_octets += packet.payload as u64;
        true
    }

    /// Takes what the source reports of itself. The newest report counts, even if its clock jumps:
    /// browsers go by it.
    pub(crate) fn sender_report(&mut self, now: Instant, info: &SenderInfo) {
        let remote = self.remote.get_or_insert(RemoteOutbound {
            at: now,
            ntp: 0,
            rtp_timestamp: 0,
            packets_sent: 0,
            bytes_sent: 0,
            reports_sent: 0,
            round_trip_time: None,
            total_round_trip_time: Duration::ZERO,
            round_trip_time_measurements: 0,
        });
        (remote.at, remote.ntp, remote.rtp_timestamp) = (now, info.ntp, info.rtp_timestamp);
        (remote.packets_sent, remote.bytes_sent) = (info.packets.into(), info.octets.into());
        remote.reports_sent += 1;
    }

    /// Takes a round trip that the source's DLRR tells.
    pub(crate) fn round_trip(&mut self, round_trip: Duration) {
        let Some(remote) = &mut self.remote else { return };
        remote.round_trip_time = Some(round_trip);
        remote.total_round_trip_time = remote.total_round_trip_time.saturating_add(round_trip);
        remote.round_trip_time_measurements += 1;
    }

    /// The report on it.
    pub(crate) fn report(&mut self, now: Instant, ssrc: u32) -> ReportBlock {
        self.has_news = false;
        let losses = self.reception.report();
        let (last_sr, delay) = self.remote.map_or((0, 0), |remote| {
            let since = now.saturating_duration_since(remote.at);
            (clock::compact(remote.ntp), clock::delay(since))
        });
        ReportBlock {
            ssrc,
            fraction_lost: losses.fraction,
            cumulative_lost: losses.cumulative,
            extended_highest: self.reception.extended_highest(),
            jitter: self.reception.jitter(),
            last_sr,
            delay_since_last_sr: delay,
        }
    }

    /// Its statistics.
    pub(crate) fn statistics(&self, ssrc: u32, rtx_ssrc: Option<u32>) -> Inbound {
        let counters = &self.counters;
        Inbound {
            section: self.section,
            kind: self.kind,
            ssrc,
            peer: self.peer,
            rtx_ssrc,
            rid: self.rid.clone(),
            payload_type: counters.payload_type,
            packets_received: counters.packets,
            packets_lost: self.reception.lost(),
            jitter: self.reception.jitter_seconds(),
            bytes_received: counters.octets,
            header_bytes_received: counters.header_octets,
            retransmitted_packets_received: counters.repaired,
            retransmitted_bytes_received: counters.repaired_octets,
            packets_duplicated: counters.duplicates,
            last_packet_received: Some(self.last),
            nack_count: 0,
            pli_count: counters.picture_losses,
            fir_count: 0,
            frames_received: counters.frames,
            remote: self.remote,
        }
    }
}
