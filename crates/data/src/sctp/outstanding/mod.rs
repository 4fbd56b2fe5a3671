//! What was sent and is not acknowledged: acknowledgements, loss, giving up
//! (RFC 9260 §6.2.1, §6.3.3, §7.2.4; RFC 3758 §3.5).

mod given_up;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use time::{Duration, Instant};

use crate::sctp::queue::Fragment;
use crate::sctp::rack::Packets;
use crate::sctp::ranges::Ranges;
use crate::sctp::rate::{Rate, Sample};
use crate::sctp::rtt::Rtt;
use crate::sctp::serial;

/// Gap blocks count in 16 bits.
pub(super) const MAX_CHUNKS: usize = 30_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    InFlight,
    /// To be sent again.
    Lost,
    /// The peer has it, but not all before it.
    Acked,
    /// Given up.
    Abandoned,
}

/// A DATA chunk under way.
#[derive(Debug)]
struct Chunk {
    fragment: Fragment,
    state: State,
    sent: Instant,
    /// Which packet carried it last.
    packet: u64,
    transmissions: u32,
    /// It was found lost, not only repeated for a guess.
    counted_lost: bool,
    /// It was sent on another path before, where it may have arrived.
    repeated: bool,
    /// How many numbers lie between this fragment and those of its message before and behind it. 0 if
    /// there is none, or none that was sent.
    previous: u32,
    next: u32,
}

/// What matters of a chunk when it arrives.
struct Status {
    state: State,
    sent: Instant,
    packet: u64,
    transmissions: u32,
    counted_lost: bool,
    repeated: bool,
    length: usize,
}

impl Chunk {
    fn status(&self) -> Status {
        let Self { state, sent, packet, transmissions, counted_lost, repeated, .. } = *self;
        let length = self.fragment.data.len();
        Status { state, sent, packet, transmissions, counted_lost, repeated, length }
    }
}

/// What one acknowledgement reports for the first time.
#[derive(Debug, Default)]
struct Arrivals {
    bytes: usize,
    /// The latest packet of which a chunk was sent once, and when.
    sample: Option<(u64, Instant)>,
    /// The shortest round trip so far.
    minimum: Duration,
    /// Chunks that were taken for lost.
    spurious: usize,
}

/// What an acknowledgement brought.
#[derive(Debug, Default)]
pub(super) struct Acked {
    /// Bytes acknowledged for the first time.
    pub(super) bytes: usize,
    /// The cumulative number rose.
    pub(super) advanced: bool,
    /// The round trip that it shows.
    pub(super) rtt: Option<Duration>,
    pub(super) sample: Option<Sample>,
    pub(super) loss: Loss,
    /// All that was taken for lost in the last event has arrived.
    pub(super) spurious: bool,
}

/// What was found lost.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Loss {
    pub(super) bytes: usize,
    pub(super) chunks: usize,
    /// The most bytes that were under way when something of it was sent.
    pub(super) in_flight: usize,
}

impl Acked {
    pub(super) fn progress(&self) -> bool {
        self.advanced || self.bytes > 0
    }
}

/// A chunk to be written into a packet.
pub(super) struct ToSend {
    pub(super) tsn: u64,
    pub(super) fragment: Fragment,
}

/// Everything sent above the cumulative acknowledgement.
#[derive(Debug)]
pub(super) struct Outstanding {
    /// The number of the first chunk.
    first: u64,
    chunks: VecDeque<Chunk>,
    lost: BTreeSet<u64>,
    /// Bytes in flight.
    in_flight: usize,
    packets: Packets,
    rate: Rate,
    /// What gap blocks have reported.
    reported: Ranges,
    /// The path is another one, and nothing has come back that was sent on it alone. Until then, or
    /// until this time, an acknowledgement may be one of what was sent on the last path.
    measures_until: Option<Instant>,
    /// A chunk that was not sent before is to be the first on the path, so that it is measured.
    pub(super) wants_new: bool,
    /// How many chunks the last event of loss has, and how many of them have arrived after all.
    event: (usize, usize),
    /// The peer understands FORWARD TSN; without it nothing can be given up.
    pub(super) may_abandon: bool,
    /// Fragments of different messages take turns.
    pub(super) interleaves: bool,
    /// Of each message that was sent in part, by its stream, the number of the last fragment.
    unfinished: BTreeMap<u16, u64>,
    /// The streams of messages that were sent in part and are given up.
    cut_off: Vec<u16>,
}

impl Outstanding {
    pub(super) fn new(initial_tsn: u32) -> Self {
        Self {
            first: serial::first(initial_tsn),
            chunks: VecDeque::new(),
            lost: BTreeSet::new(),
            in_flight: 0,
            packets: Packets::new(),
            rate: Rate::default(),
            reported: Ranges::default(),
            measures_until: None,
            wants_new: false,
            event: (0, 0),
            may_abandon: false,
            interleaves: false,
            unfinished: BTreeMap::new(),
            cut_off: Vec::new(),
        }
    }

    pub(super) fn cumulative(&self) -> u64 {
        self.first - 1
    }

    /// Gives back the memory of what was acknowledged.
    pub(super) fn rest(&mut self) {
        self.chunks.shrink_to_fit();
        self.packets.rest();
        self.reported.rest();
        self.cut_off.shrink_to_fit();
        // Empty maps and sets keep their last node.
        if self.lost.is_empty() {
            self.lost = BTreeSet::new();
        }
        if self.unfinished.is_empty() {
            self.unfinished = BTreeMap::new();
        }
    }

    /// The last number that was assigned.
    pub(super) fn last_assigned(&self) -> u64 {
        self.first - 1 + self.chunks.len() as u64
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The streams of what is not acknowledged; some may be already, out of order.
    pub(super) fn streams(&self) -> impl Iterator<Item = u16> {
        self.chunks.iter().map(|chunk| chunk.fragment.stream)
    }

    pub(super) fn is_full(&self) -> bool {
        self.chunks.len() >= MAX_CHUNKS
    }

    pub(super) fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    pub(super) fn loss_time(&self) -> Option<Instant> {
        self.packets.late_at()
    }

    /// All bytes that were delivered so far.
    pub(super) fn delivered(&self) -> u64 {
        self.rate.delivered()
    }

    /// Something other than the path holds the sender back.
    pub(super) fn on_app_limited(&mut self) {
        self.rate.on_app_limited(self.in_flight);
    }

    /// A new event of loss begins.
    pub(super) fn begin_event(&mut self, chunks: usize) {
        self.event = (chunks, 0);
    }

    /// A packet with DATA is being written.
    pub(super) fn next_packet(&mut self, now: Instant) {
        let snapshot = self.rate.on_send(now, self.in_flight);
        self.packets.begin(snapshot);
    }

    fn get_mut(&mut self, tsn: u64) -> Option<&mut Chunk> {
        let index = usize::try_from(tsn.checked_sub(self.first)?).ok()?;
        self.chunks.get_mut(index)
    }

    fn get(&self, tsn: u64) -> Option<&Chunk> {
        let index = usize::try_from(tsn.checked_sub(self.first)?).ok()?;
        self.chunks.get(index)
    }

    /// Assigns the next number to a fragment that is being sent.
    pub(super) fn push(&mut self, now: Instant, fragment: Fragment) -> u64 {
        self.in_flight += fragment.data.len();
        let tsn = self.last_assigned() + 1;
        self.wants_new = false;
        let previous = self.link(tsn, &fragment);
        self.chunks.push_back(Chunk {
            fragment,
            state: State::InFlight,
            sent: now,
            packet: self.packets.current(),
            transmissions: 1,
            counted_lost: false,
            repeated: false,
            previous,
            next: 0,
        });
        self.packets.add(tsn, self.in_flight);
        tsn
    }

    /// The length of the first chunk to be sent again.
    pub(super) fn peek_lost(&self) -> Option<usize> {
        self.get(*self.lost.first()?).map(|chunk| chunk.fragment.data.len())
    }

    /// Takes the first chunk to be sent again.
    pub(super) fn take_lost(&mut self, now: Instant) -> Option<ToSend> {
        let tsn = self.lost.pop_first()?;
        let packet = self.packets.current();
        let chunk = self.get_mut(tsn)?;
        chunk.state = State::InFlight;
        chunk.sent = now;
        chunk.packet = packet;
        chunk.transmissions += 1;
        let fragment = chunk.fragment.clone();
        self.in_flight += fragment.data.len();
        self.packets.add(tsn, self.in_flight);
        Some(ToSend { tsn, fragment })
    }

    /// Removes a chunk from the books of its state.
    fn leave(&mut self, tsn: u64, state: State, packet: u64, length: usize) {
        match state {
            State::InFlight => {
                self.in_flight = self.in_flight.saturating_sub(length);
                self.packets.leave(packet);
            }
            State::Lost => {
                self.lost.remove(&tsn);
            }
            State::Acked | State::Abandoned => {}
        }
    }

    /// Handles a SACK (RFC 9260 §6.2.1). `gaps` are offsets from `cumulative`. `None` when it
    /// acknowledges what was not sent.
    pub(super) fn on_sack(
        &mut self,
        now: Instant,
        cumulative: u64,
        gaps: impl Iterator<Item = (u16, u16)>,
        rtt: &mut Rtt,
    ) -> Option<Acked> {
        if cumulative > self.last_assigned() {
            return None;
        }
        let mut arrivals = Arrivals { minimum: rtt.minimum(), ..Arrivals::default() };
        let mut acked = Acked::default();
        while self.first <= cumulative {
            let Some(chunk) = self.chunks.pop_front() else { break };
            let tsn = self.first;
            let length = chunk.fragment.data.len();
            self.first += 1;
            acked.advanced = true;
            if matches!(chunk.state, State::InFlight | State::Lost) {
                arrivals.bytes += length;
                self.arrive(now, tsn, &chunk.status(), &mut arrivals);
            }
            self.leave(tsn, chunk.state, chunk.packet, length);
        }
        if acked.advanced {
            self.reported.forget(cumulative);
        }
        let mut reported = std::mem::take(&mut self.reported);
        let mut last_end = 0;
        for (start, end) in gaps {
            // Blocks rise (RFC 9260 §3.3.4). The rest is not looked at, so that the work is bounded
            // by what was sent.
            let (from, to) = (cumulative + u64::from(start), cumulative + u64::from(end));
            if start <= last_end || end < start || from > self.last_assigned() {
                break;
            }
            last_end = end;
            reported.add(from, to.min(self.last_assigned()), |tsn| {
                self.report(now, tsn, &mut arrivals);
            });
        }
        self.reported = reported;

        acked.bytes = arrivals.bytes;
        if let Some((_, sent)) = arrivals.sample {
            let sample = now.saturating_duration_since(sent);
            rtt.sample(sample);
            acked.rtt = Some(sample);
        }
        if acked.progress() {
            let packets = &self.packets;
            acked.sample = self.rate.finish(now, rtt.minimum(), |number| packets.snapshot(number));
            acked.loss = self.detect_loss(now, rtt);
        }
        if arrivals.spurious > 0 {
            self.packets.on_spurious();
            self.event.1 += arrivals.spurious;
            acked.spurious = self.event.1 >= self.event.0 && acked.loss.bytes == 0;
            if acked.spurious {
                self.event = (0, 0);
            }
        }
        if self.in_flight == 0 {
            self.packets.stop_timer();
        }
        Some(acked)
    }

    /// A gap block reports a chunk for the first time.
    fn report(&mut self, now: Instant, tsn: u64, arrivals: &mut Arrivals) {
        let Some(chunk) = self.get_mut(tsn) else { return };
        if !matches!(chunk.state, State::InFlight | State::Lost) {
            return;
        }
        let (status, length) = (chunk.status(), chunk.fragment.data.len());
        chunk.state = State::Acked;
        arrivals.bytes += length;
        self.arrive(now, tsn, &status, arrivals);
        self.leave(tsn, status.state, status.packet, length);
    }

    /// A chunk is acknowledged for the first time.
    #[inline]
    fn arrive(&mut self, now: Instant, tsn: u64, chunk: &Status, arrivals: &mut Arrivals) {
        let once = chunk.transmissions == 1;
        // RFC 8985 §6.2 step 2: this acknowledges an earlier transmission.
        let is_ambiguous = chunk.repeated && self.measures_until.is_some_and(|until| now < until);
        let is_early = || now.saturating_duration_since(chunk.sent) < arrivals.minimum;
        let is_earlier = is_ambiguous || (!once || chunk.repeated) && is_early();
        if chunk.counted_lost && (is_earlier || chunk.state == State::Lost) {
            arrivals.spurious += 1;
        }
        if !is_ambiguous {
            let is_sample = !is_earlier && chunk.state == State::InFlight;
            self.rate.on_delivered(chunk.length, is_sample.then_some(chunk.packet));
        }
        if is_earlier {
            return;
        }
        // The sample is the chunk in the latest packet, among the chunks that were sent once.
        if once && !chunk.repeated {
            // This was sent on the present path alone, or there is no other.
            self.measures_until = None;
        }
        if once && arrivals.sample.is_none_or(|(packet, _)| packet < chunk.packet) {
            arrivals.sample = Some((chunk.packet, chunk.sent));
        }
        self.packets.on_arrival(chunk.packet, tsn, once && chunk.state == State::InFlight);
    }

    /// Finds chunks that are lost.
    pub(super) fn detect_loss(&mut self, now: Instant, rtt: &Rtt) -> Loss {
        let mut loss = Loss::default();
        while let Some(packet) = self.packets.next_lost(now, rtt) {
            loss.in_flight = loss.in_flight.max(packet.in_flight);
            for tsn in packet.first.max(self.first)..=packet.last {
                let Some(chunk) = self.get_mut(tsn) else { break };
                if chunk.packet != packet.number || chunk.state != State::InFlight {
                    continue;
                }
                chunk.counted_lost = true;
                let length = chunk.fragment.data.len();
                loss.bytes += length;
                loss.chunks += 1;
                self.event.0 += 1;
                self.mark_lost(now, tsn);
            }
        }
        loss
    }

    /// Marks a chunk in flight for retransmission, or gives its message up.
    fn mark_lost(&mut self, now: Instant, tsn: u64) {
        let may_abandon = self.may_abandon;
        let Some(chunk) = self.get_mut(tsn) else { return };
        if chunk.state != State::InFlight {
            return;
        }
        let exhausted = chunk
            .fragment
            .max_retransmits
            .is_some_and(|limit| chunk.transmissions > u32::from(limit));
        let expired = chunk.fragment.expires.is_some_and(|expires| expires <= now);
        if may_abandon && (exhausted || expired) {
            return self.abandon(tsn);
        }
        let (packet, length) = (chunk.packet, chunk.fragment.data.len());
        chunk.state = State::Lost;
        self.leave(tsn, State::InFlight, packet, length);
        self.lost.insert(tsn);
    }

    /// Marks the first chunk in flight for retransmission, as a probe of the path. False when
    /// there is none that may be sent again.
    pub(super) fn probe(&mut self, now: Instant) -> bool {
        let Some(index) = self.chunks.iter().position(|chunk| chunk.state == State::InFlight)
        else {
            return false;
        };
        let Some(chunk) = self.chunks.get(index) else { return false };
        let limited = chunk.fragment.max_retransmits.is_some()
            || chunk.fragment.expires.is_some_and(|expires| expires <= now);
        if limited && self.may_abandon {
            // A probe is a guess; a message is not given up for a guess.
            return false;
        }
        self.mark_lost(now, self.first + index as u64);
        true
    }

    /// Another path: what was known of the last says nothing.
    pub(super) fn on_path_change(&mut self, now: Instant, rtt: &Rtt) {
        self.packets.on_path_change();
        self.event = (0, 0);
        self.measures_until = Some(now + rtt.rto(0) * 2);
        self.wants_new = true;
        self.repeat(now);
    }

    /// Marks chunks in flight for retransmission without a sign of their loss, except chunks that
    /// may not be repeated at will.
    fn repeat(&mut self, now: Instant) {
        self.packets.stop_timer();
        let may_abandon = self.may_abandon;
        let free = |chunk: &Chunk| {
            chunk.state == State::InFlight
                && !(may_abandon
                    && (chunk.fragment.max_retransmits.is_some()
                        || chunk.fragment.expires.is_some_and(|expires| expires <= now)))
        };
        let in_flight: Vec<u64> = (self.first..)
            .zip(&self.chunks)
            .filter(|(_, chunk)| free(chunk))
            .map(|(tsn, _)| tsn)
            .collect();
        for tsn in in_flight {
            self.mark_lost(now, tsn);
            if let Some(chunk) = self.get_mut(tsn) {
                // The next transmission is the first on its path.
                chunk.transmissions = 0;
                chunk.repeated = true;
            }
        }
    }

    /// RFC 9260 §6.3.3 E3: everything in flight is lost.
    pub(super) fn on_timeout(&mut self, now: Instant) {
        self.packets.stop_timer();
        // The peer dropped what it had reported (RFC 9260 §6.2.1): the cumulative number would
        // cover the first chunk if it still had it.
        if self.chunks.front().is_some_and(|chunk| chunk.state == State::Acked) {
            for chunk in self.chunks.iter_mut().filter(|chunk| chunk.state == State::Acked) {
                chunk.state = State::InFlight;
                self.in_flight += chunk.fragment.data.len();
            }
            self.reported.clear();
        }
        let in_flight: Vec<u64> = (self.first..)
            .zip(&self.chunks)
            .filter(|(_, chunk)| chunk.state == State::InFlight)
            .map(|(tsn, _)| tsn)
            .collect();
        for tsn in in_flight {
            self.mark_lost(now, tsn);
        }
    }

    /// Gives back memory that a burst took.
    pub(super) fn shrink(&mut self) {
        if self.chunks.is_empty() && self.chunks.capacity() > 64 {
            self.chunks = VecDeque::new();
        }
        self.packets.shrink();
    }
}
