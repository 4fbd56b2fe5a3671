//! What was sent and is not acknowledged: acknowledgements, loss, giving up
//! (RFC 9260 §6.2.1, §6.3.3, §7.2.4; RFC 3758 §3.5; loss detection after RFC 9002 §6.1).

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use time::Instant;

use super::congestion::Rtt;
use super::queue::Fragment;
use super::serial;

/// Packets sent later that must be acknowledged before one counts as lost (RFC 9002 §6.1.1).
const PACKET_THRESHOLD: u64 = 3;
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
}

/// What an acknowledgement brought.
#[derive(Debug, Default)]
pub(super) struct Acked {
    /// Bytes acknowledged for the first time.
    pub(super) bytes: usize,
    /// The cumulative number rose.
    pub(super) advanced: bool,
    /// Something was found lost.
    pub(super) lost: bool,
    /// Something was given up.
    pub(super) abandoned: bool,
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
    next_packet: u64,
    largest_acked: Option<u64>,
    /// How many chunks in flight are retransmissions.
    retransmitted: usize,
    /// When something will be late enough to count as lost.
    loss_time: Option<Instant>,
    /// The peer understands FORWARD TSN; without it nothing can be given up.
    pub(super) may_abandon: bool,
}

impl Outstanding {
    pub(super) fn new(initial_tsn: u32) -> Self {
        Self {
            first: serial::first(initial_tsn),
            chunks: VecDeque::new(),
            lost: BTreeSet::new(),
            in_flight: 0,
            next_packet: 0,
            largest_acked: None,
            retransmitted: 0,
            loss_time: None,
            may_abandon: false,
        }
    }

    pub(super) fn cumulative(&self) -> u64 {
        self.first - 1
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

    pub(super) fn is_full(&self) -> bool {
        self.chunks.len() >= MAX_CHUNKS
    }

    pub(super) fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    pub(super) fn loss_time(&self) -> Option<Instant> {
        self.loss_time
    }

    /// A packet with DATA is being written.
    pub(super) fn next_packet(&mut self) {
        self.next_packet += 1;
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
        self.chunks.push_back(Chunk {
            fragment,
            state: State::InFlight,
            sent: now,
            packet: self.next_packet,
            transmissions: 1,
        });
        tsn
    }

    /// The length of the first chunk to be sent again.
    pub(super) fn peek_lost(&self) -> Option<usize> {
        self.get(*self.lost.first()?).map(|chunk| chunk.fragment.data.len())
    }

    /// Takes the first chunk to be sent again.
    pub(super) fn take_lost(&mut self, now: Instant) -> Option<ToSend> {
        let tsn = self.lost.pop_first()?;
        let packet = self.next_packet;
        let chunk = self.get_mut(tsn)?;
        chunk.state = State::InFlight;
        chunk.sent = now;
        chunk.packet = packet;
        chunk.transmissions += 1;
        let fragment = chunk.fragment.clone();
        self.in_flight += fragment.data.len();
        self.retransmitted += 1;
        Some(ToSend { tsn, fragment })
    }

    /// Removes a chunk from the books of its state.
    fn leave(&mut self, tsn: u64, state: State, transmissions: u32, length: usize) {
        match state {
            State::InFlight => {
                self.in_flight = self.in_flight.saturating_sub(length);
                if transmissions > 1 {
                    self.retransmitted = self.retransmitted.saturating_sub(1);
                }
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
        let mut acked = Acked::default();
        // The sample is the chunk in the latest packet, among the chunks that were sent once.
        let mut sample: Option<(u64, Instant)> = None;
        let mut newest = None;
        let minimum = rtt.minimum();
        let mut note = |chunk: &Chunk| {
            if chunk.transmissions == 1 {
                if sample.is_none_or(|(packet, _)| packet < chunk.packet) {
                    sample = Some((chunk.packet, chunk.sent));
                }
            } else if now.saturating_duration_since(chunk.sent) < minimum {
                // RFC 8985 §6.2 step 2: this acknowledges an earlier transmission.
                return;
            }
            newest = newest.max(Some(chunk.packet));
        };

        while self.first <= cumulative {
            let Some(chunk) = self.chunks.pop_front() else { break };
            let tsn = self.first;
            let length = chunk.fragment.data.len();
            self.first += 1;
            acked.advanced = true;
            if matches!(chunk.state, State::InFlight | State::Lost) {
                acked.bytes += length;
                note(&chunk);
            }
            self.leave(tsn, chunk.state, chunk.transmissions, length);
        }

        let mut has_gaps = false;
        let mut last_end = 0;
        for (start, end) in gaps {
            // Blocks rise (RFC 9260 §3.3.4). The rest is not looked at, so that the work is bounded
            // by what was sent.
            if start <= last_end || end < start {
                break;
            }
            last_end = end;
            has_gaps = true;
            for offset in start..=end {
                let tsn = cumulative + u64::from(offset);
                let Some(chunk) = self.get_mut(tsn) else { break };
                if !matches!(chunk.state, State::InFlight | State::Lost) {
                    continue;
                }
                let (state, transmissions) = (chunk.state, chunk.transmissions);
                let length = chunk.fragment.data.len();
                chunk.state = State::Acked;
                acked.bytes += length;
                note(chunk);
                self.leave(tsn, state, transmissions, length);
            }
        }

        if let Some((_, sent)) = sample {
            rtt.sample(now.saturating_duration_since(sent));
        }
        self.largest_acked = self.largest_acked.max(newest);
        // Without gaps and retransmissions everything left was sent after what was acknowledged.
        if acked.progress() && (has_gaps || self.retransmitted > 0) {
            let (lost, abandoned) = self.detect_loss(now, rtt);
            acked.lost = lost;
            acked.abandoned = abandoned;
        }
        if self.in_flight == 0 {
            self.loss_time = None;
        }
        Some(acked)
    }

    /// Finds chunks that are lost; says whether some are, and whether some were given up.
    pub(super) fn detect_loss(&mut self, now: Instant, rtt: &Rtt) -> (bool, bool) {
        self.loss_time = None;
        let Some(largest) = self.largest_acked else { return (false, false) };
        let delay = rtt.loss_delay();
        let mut found = Vec::new();
        for (index, chunk) in self.chunks.iter().enumerate() {
            if chunk.state != State::InFlight || chunk.packet >= largest {
                continue;
            }
            let late = chunk.sent + delay;
            if largest - chunk.packet >= PACKET_THRESHOLD || late <= now {
                found.push(self.first + index as u64);
            } else {
                self.loss_time = Some(self.loss_time.map_or(late, |at| at.min(late)));
            }
        }
        let mut abandoned = false;
        for &tsn in &found {
            abandoned |= self.mark_lost(now, tsn);
        }
        (!found.is_empty(), abandoned)
    }

    /// Marks a chunk in flight for retransmission, or gives its message up; true for the latter.
    fn mark_lost(&mut self, now: Instant, tsn: u64) -> bool {
        let may_abandon = self.may_abandon;
        let Some(chunk) = self.get_mut(tsn) else { return false };
        if chunk.state != State::InFlight {
            return false;
        }
        let exhausted = chunk
            .fragment
            .max_retransmits
            .is_some_and(|limit| chunk.transmissions > u32::from(limit));
        let expired = chunk.fragment.expires.is_some_and(|expires| expires <= now);
        if may_abandon && (exhausted || expired) {
            self.abandon(tsn);
            return true;
        }
        let (transmissions, length) = (chunk.transmissions, chunk.fragment.data.len());
        chunk.state = State::Lost;
        self.leave(tsn, State::InFlight, transmissions, length);
        self.lost.insert(tsn);
        false
    }

    /// Gives up what expired while it waited to be sent again; true when there was something.
    pub(super) fn abandon_expired(&mut self, now: Instant) -> bool {
        let mut any = false;
        while self.may_abandon
            && let Some(&tsn) = self.lost.first()
            && self
                .get(tsn)
                .is_some_and(|chunk| chunk.fragment.expires.is_some_and(|expires| expires <= now))
        {
            self.abandon(tsn);
            any = true;
        }
        any
    }

    /// RFC 3758 §3.5 A3: gives up every fragment of a message that was sent.
    fn abandon(&mut self, tsn: u64) {
        let mut from = tsn;
        while self.get(from).is_some_and(|chunk| !chunk.fragment.begins) && from > self.first {
            from -= 1;
        }
        let mut at = from;
        while let Some(chunk) = self.get_mut(at) {
            let ends = chunk.fragment.ends;
            let (state, transmissions) = (chunk.state, chunk.transmissions);
            let length = chunk.fragment.data.len();
            chunk.state = State::Abandoned;
            chunk.fragment.data = Bytes::new();
            self.leave(at, state, transmissions, length);
            at += 1;
            if ends {
                break;
            }
        }
    }

    /// Whether the message that was sent last was given up before all of it was sent.
    pub(super) fn is_last_abandoned_unfinished(&self) -> bool {
        self.chunks
            .back()
            .is_some_and(|chunk| chunk.state == State::Abandoned && !chunk.fragment.ends)
    }

    /// Assigns a number to the end of a message that was given up unfinished. The end is never
    /// sent: the peer may have everything before it, and must still learn that the message is over.
    pub(super) fn push_abandoned(&mut self, now: Instant, mut fragment: Fragment) {
        fragment.data = Bytes::new();
        // The fragments before it, if any are left, are given up with it.
        self.chunks.push_back(Chunk {
            fragment,
            state: State::Abandoned,
            sent: now,
            packet: self.next_packet,
            transmissions: 1,
        });
        let last = self.last_assigned();
        if let Some(previous) = last.checked_sub(1)
            && self.get(previous).is_some_and(|chunk| !chunk.fragment.ends)
        {
            self.abandon(previous);
        }
    }

    /// RFC 3758 §3.5 C1, C2: up to where everything was given up, if that is beyond the
    /// cumulative acknowledgement.
    pub(super) fn advanced(&self) -> Option<u64> {
        let given_up =
            self.chunks.iter().take_while(|chunk| chunk.state == State::Abandoned).count();
        (given_up > 0).then(|| self.cumulative() + given_up as u64)
    }

    /// RFC 3758 §3.5 C4: the last number of each ordered stream among the chunks that were given
    /// up.
    pub(super) fn advanced_streams(&self) -> Vec<(u16, u16)> {
        let mut streams: Vec<(u16, u16)> = Vec::new();
        for chunk in self.chunks.iter().take_while(|chunk| chunk.state == State::Abandoned) {
            let Fragment { stream, ssn, ordered, .. } = chunk.fragment;
            if !ordered {
                continue;
            }
            // Numbers of one stream rise with the transmission sequence numbers.
            match streams.iter_mut().find(|(id, _)| *id == stream) {
                Some(entry) => entry.1 = ssn,
                None => streams.push((stream, ssn)),
            }
        }
        streams
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

    /// Marks chunks in flight for retransmission without a sign of their loss, except chunks that
    /// may not be repeated at will.
    pub(super) fn repeat(&mut self, now: Instant) {
        self.loss_time = None;
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
        }
    }

    /// RFC 9260 §6.3.3 E3: everything in flight is lost. True when something was given up.
    pub(super) fn on_timeout(&mut self, now: Instant) -> bool {
        self.loss_time = None;
        // The peer dropped what it had reported (RFC 9260 §6.2.1): the cumulative number would
        // cover the first chunk if it still had it.
        if self.chunks.front().is_some_and(|chunk| chunk.state == State::Acked) {
            for chunk in self.chunks.iter_mut().filter(|chunk| chunk.state == State::Acked) {
                chunk.state = State::InFlight;
                self.in_flight += chunk.fragment.data.len();
                if chunk.transmissions > 1 {
                    self.retransmitted += 1;
                }
            }
        }
        let in_flight: Vec<u64> = (self.first..)
            .zip(&self.chunks)
            .filter(|(_, chunk)| chunk.state == State::InFlight)
            .map(|(tsn, _)| tsn)
            .collect();
        let mut abandoned = false;
        for tsn in in_flight {
            abandoned |= self.mark_lost(now, tsn);
        }
        abandoned
    }

    /// Gives back memory that a burst took.
    pub(super) fn shrink(&mut self) {
        if self.chunks.is_empty() && self.chunks.capacity() > 64 {
            self.chunks = VecDeque::new();
        }
    }
}
