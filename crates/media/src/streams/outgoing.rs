//! One encoding of ours, with what repairs it.

use std::sync::Arc;

use time::{Duration, Instant};

use super::history::History;
use super::incoming::KeyFrame;
use super::numbers::Numbers;
use crate::rtcp::ReportBlock;
use crate::section::{Encoding, Kind, SectionId};
use crate::statistics::{Outbound, RemoteInbound};

/// Octets that may be sent again before anything was sent.
const FIRST_CREDIT: usize = 1 << 16;
/// Octets that may be sent again at once. What was sent first is not sent again more than once on
/// average, so whoever asks for everything all the time does but double what we send.
const MOST_CREDIT: usize = 1 << 20;
/// A packet is not sent again sooner than this, or than a round trip if that is known.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
/// Round trips that are longer do not hold back what is lost.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// One encoding of ours.
#[derive(Debug)]
pub(crate) struct OutgoingStream {
    pub(crate) section: SectionId,
    pub(crate) encoding: Encoding,
    pub(crate) rid: Option<Arc<str>>,
    pub(crate) numbers: Numbers,
    /// The number of the first packet that the peer was sent.
    first: Option<u16>,
    pub(crate) history: History,
    pub(crate) repair: Option<Repair>,
    /// The peer has reported on the source, so that it knows whose it is.
    pub(crate) is_acknowledged: bool,
    /// It has sent since the last report.
    pub(crate) has_news: bool,
    /// It has ever sent.
    pub(crate) has_sent: bool,
    pub(crate) counters: Counters,
    pub(crate) remote: Option<RemoteInbound>,
    /// Packets of which earlier peers have reported that they came, and that they did not.
    earlier: (u64, i64),
    pub(crate) credit: Credit,
    /// The mid and rid that its packets name it by.
    mid: Arc<str>,
    /// The last request for a key frame with a number (RFC 5104 §4.3.1): who, and which.
    full_intra_request: Option<(u32, u8)>,
    /// Requests for a key frame of which the host was told, or is to be.
    pub(crate) key_frame: KeyFrame,
}

/// The source of what is sent again (RFC 4588 §4).
#[derive(Debug)]
pub(crate) struct Repair {
    pub(crate) ssrc: u32,
    /// The next number, with turns in the upper bits.
    pub(crate) next: u64,
    pub(crate) is_acknowledged: bool,
}

impl Repair {
    fn new(ssrc: u32, random: &mut impl FnMut() -> u32) -> Self {
        Self { ssrc, next: u64::from(random() & 0x7fff), is_acknowledged: false }
    }
}

/// Octets that may be sent again.
#[derive(Debug)]
pub(crate) struct Credit(usize);

impl Credit {
    fn earn(&mut self, octets: usize) {
        self.0 = (self.0 + octets).min(MOST_CREDIT);
    }

    /// False if there is not enough.
    pub(crate) fn spend(&mut self, octets: usize) -> bool {
        let rest = self.0.checked_sub(octets);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}

/// What was sent, and what came back.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) payload_type: Option<u8>,
    /// With the SSRC itself, modulo 2³² in reports.
    pub(crate) packets: u64,
    pub(crate) octets: u64,
    pub(crate) header_octets: u64,
    /// Sent again, with either SSRC; `repaired` of them with that of RTX.
    pub(crate) resent: u64,
    pub(crate) resent_octets: u64,
    pub(crate) repaired: u64,
    pub(crate) repaired_octets: u64,
    pub(crate) frames: u32,
    pub(crate) nacks: u32,
    pub(crate) picture_losses: u32,
    pub(crate) full_intra_requests: u32,
    pub(crate) last: Option<Instant>,
}

impl OutgoingStream {
    /// `random` makes the first numbers.
    pub(crate) fn new(
        section: SectionId,
        encoding: Encoding,
        mid: &Arc<str>,
        random: &mut impl FnMut() -> u32,
    ) -> Self {
        let first = (random() & 0x7fff) as u16;
        let numbers = Numbers::new(first, random());
        Self {
            section,
            rid: encoding.rid.as_deref().map(Arc::from),
            repair: encoding.rtx_ssrc.map(|ssrc| Repair::new(ssrc, random)),
            encoding,
            numbers,
            first: None,
            history: History::default(),
            is_acknowledged: false,
            has_news: false,
            has_sent: false,
            counters: Counters::default(),
            remote: None,
            earlier: (0, 0),
            credit: Credit(FIRST_CREDIT),
            mid: mid.clone(),
            full_intra_request: None,
            key_frame: KeyFrame::default(),
        }
    }

    /// Sets what the description says. Another source of RTX begins anew; under another name the
    /// source says again whose it is.
    pub(crate) fn set(
        &mut self,
        section: SectionId,
        encoding: Encoding,
        mid: &Arc<str>,
        random: &mut impl FnMut() -> u32,
    ) {
        if self.repair.as_ref().map(|repair| repair.ssrc) != encoding.rtx_ssrc {
            self.repair = encoding.rtx_ssrc.map(|ssrc| Repair::new(ssrc, random));
        }
        if self.mid != *mid || self.encoding.rid != encoding.rid {
            self.mid = mid.clone();
            self.rid = encoding.rid.as_deref().map(Arc::from);
            self.say_whose_it_is();
        }
        self.section = section;
        self.encoding = encoding;
    }

    /// Its packets name the section and the layer again, until the peer has reported on them.
    pub(crate) fn say_whose_it_is(&mut self) {
        self.is_acknowledged = false;
        self.repair.iter_mut().for_each(|repair| repair.is_acknowledged = false);
    }

    /// Goes on as a stream that has sent with the same SSRC. What the description says stays.
    pub(crate) fn go_on_as(&mut self, mut before: Self, random: &mut impl FnMut() -> u32) {
        before.set(self.section, self.encoding.clone(), &self.mid, random);
        before.key_frame = self.key_frame;
        *self = before;
    }

    /// What is sent from now on is for another peer, which knows nothing of the source.
    pub(crate) fn meet_another_peer(&mut self) {
        self.rest();
        self.say_whose_it_is();
        (self.first, self.has_news, self.full_intra_request) = (None, false, None);
        if let Some(remote) = &mut self.remote {
            self.earlier = (remote.packets_received, remote.packets_lost);
            remote.round_trip_time = None;
        }
    }

    /// A packet goes out for the first time. Returns whether it is the first one for the peer.
    pub(crate) fn begin(&mut self, number: u16) -> bool {
        let is_first = self.first.is_none();
        self.first.get_or_insert(number);
        is_first
    }

    /// Nothing of it is sent for a while.
    pub(crate) fn rest(&mut self) {
        self.history.clear();
        self.numbers.interrupt();
        self.key_frame.due = None;
    }

    /// Counts a packet that goes out for the first time.
    pub(crate) fn count(&mut self, now: Instant, header: usize, payload: usize, is_frame: bool) {
        let counters = &mut self.counters;
        counters.packets += 1;
        counters.octets += payload as u64;
        counters.header_octets += header as u64;
        counters.frames = counters.frames.wrapping_add(is_frame.into());
        counters.last = Some(now);
        (self.has_news, self.has_sent) = (true, true);
        self.credit.earn(header + payload);
    }

    /// Counts a packet that is sent again, with its payload without the two octets of RTX.
    pub(crate) fn count_again(&mut self, now: Instant, header: usize, payload: usize, rtx: bool) {
        let counters = &mut self.counters;
        counters.resent += 1;
        counters.resent_octets += payload as u64;
        counters.header_octets += header as u64;
        if rtx {
            counters.repaired += 1;
            counters.repaired_octets += payload as u64;
        } else {
            counters.packets += 1;
            counters.octets += payload as u64;
            self.has_news = true;
        }
        counters.last = Some(now);
    }

    /// How long a packet that was sent again is not sent once more.
    pub(crate) fn pause(&self) -> Duration {
        let round_trip = self.remote.as_ref().and_then(|remote| remote.round_trip_time);
        round_trip.unwrap_or_default().clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
    }

    /// Whether a request with a number is a new one (RFC 5104 §4.3.1.2).
    pub(crate) fn is_new_request(&mut self, sender_ssrc: u32, number: u8) -> bool {
        self.full_intra_request.replace((sender_ssrc, number)) != Some((sender_ssrc, number))
    }

    /// Takes what the peer reports of the source, unless it was sent nothing of it.
    pub(crate) fn report(
        &mut self,
        now: Instant,
        block: &ReportBlock,
        clock_rate: u32,
        round_trip: Option<Duration>,
    ) {
        let Some(first) = self.first else { return };
        self.is_acknowledged = true;
        let remote = self.remote.get_or_insert(RemoteInbound {
            at: now,
            packets_received: 0,
            packets_lost: 0,
            fraction_lost: 0.0,
            jitter: 0.0,
            round_trip_time: None,
            total_round_trip_time: Duration::ZERO,
            round_trip_time_measurements: 0,
        });
        remote.at = now;
        let expected = i64::from(block.extended_highest) - i64::from(first) + 1;
        let lost = i64::from(block.cumulative_lost);
        let (received_earlier, lost_earlier) = self.earlier;
        let received = u64::try_from(expected.saturating_sub(lost)).unwrap_or(0);
        remote.packets_received = received_earlier.saturating_add(received);
        remote.packets_lost = lost_earlier.saturating_add(lost);
        remote.fraction_lost = f64::from(block.fraction_lost) / 256.0;
        remote.jitter = f64::from(block.jitter) / f64::from(clock_rate.max(1));
        if let Some(round_trip) = round_trip {
            remote.round_trip_time = Some(round_trip);
            remote.total_round_trip_time = remote.total_round_trip_time.saturating_add(round_trip);
            remote.round_trip_time_measurements += 1;
        }
    }

    /// Its statistics.
    pub(crate) fn statistics(&self, section: SectionId, kind: Kind, encoding: usize) -> Outbound {
        let counters = &self.counters;
        Outbound {
            section,
            kind,
            encoding,
            ssrc: self.encoding.ssrc,
            rtx_ssrc: self.encoding.rtx_ssrc,
            rid: self.rid.clone(),
            active: self.encoding.active,
            payload_type: counters.payload_type,
            packets_sent: counters.packets + counters.repaired,
            bytes_sent: counters.octets + counters.repaired_octets,
            header_bytes_sent: counters.header_octets,
            retransmitted_packets_sent: counters.resent,
            retransmitted_bytes_sent: counters.resent_octets,
            nack_count: counters.nacks,
            pli_count: counters.picture_losses,
            fir_count: counters.full_intra_requests,
            frames_sent: counters.frames,
            last_packet_sent: counters.last,
            remote: self.remote,
        }
    }
}
