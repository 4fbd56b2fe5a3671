//! Resetting streams, which is how data channels close (RFC 6525, RFC 8831 §6.7).

use std::collections::BTreeSet;

use time::{Duration, Instant};
use tracing::debug;

use super::rtt::RTO_MAX;
use super::serial;
use super::wire::{self, Parameters, Reader, Writer};

/// Streams named in one request, so that it fits a packet.
const MAX_STREAMS: usize = 200;
/// Answers that wait to be sent.
const MAX_RESPONSES: usize = 8;

/// RFC 6525 §4.4.
const NOTHING_TO_DO: u32 = 0;
const PERFORMED: u32 = 1;
const DENIED: u32 = 2;
const BAD_SEQUENCE_NUMBER: u32 = 5;
const IN_PROGRESS: u32 = 6;

/// Our request that waits for its answer: there is at most one (RFC 6525 §5.1.1).
#[derive(Debug)]
struct Request {
    sequence: u32,
    last_tsn: u64,
    streams: Vec<u16>,
    /// Whether it goes into the next packet.
    due: bool,
    retry: Instant,
    retries: u32,
    /// The peer waits for data up to `last_tsn`.
    waits: bool,
}

/// A request of the peer that has to wait for data.
#[derive(Debug)]
struct Deferred {
    last_tsn: u64,
    streams: Vec<u16>,
}

/// What a RE-CONFIG chunk brought about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The peer has reset its side of these streams; an empty list is all of them.
    Incoming(Vec<u16>),
    /// The peer confirmed the reset of our side; false when it refused.
    Outgoing(Vec<u16>, bool),
}

/// Both directions of stream reconfiguration.
#[derive(Debug)]
pub(super) struct Resets {
    /// Streams whose last message is to be sent before they are reset.
    pending: BTreeSet<u16>,
    request: Option<Request>,
    next_sequence: u32,
    expected_sequence: u32,
    last_result: u32,
    deferred: Option<Deferred>,
    responses: Vec<(u32, u32)>,
}

impl Resets {
    /// RFC 6525 §4.1: the first sequence numbers are the initial TSNs.
    pub(super) fn new(local_tsn: u32, remote_tsn: u32) -> Self {
        Self {
            pending: BTreeSet::new(),
            request: None,
            next_sequence: local_tsn,
            expected_sequence: remote_tsn,
            last_result: NOTHING_TO_DO,
            deferred: None,
            responses: Vec::new(),
        }
    }

    /// The same resets to ask for, in an association with other initial TSNs.
    pub(super) fn anew(self, local_tsn: u32, remote_tsn: u32) -> Self {
        let mut pending = self.pending;
        pending.extend(self.request.into_iter().flat_map(|request| request.streams));
        Self { pending, ..Self::new(local_tsn, remote_tsn) }
    }

    /// Resets a stream as soon as everything queued for it was sent.
    pub(super) fn request(&mut self, stream: u16) {
        self.pending.insert(stream);
    }

    pub(super) fn pending(&self) -> impl Iterator<Item = u16> {
        self.pending.iter().copied()
    }

    pub(super) fn forget_pending(&mut self, stream: u16) {
        self.pending.remove(&stream);
    }

    /// Makes a request of the streams that `is_drained`, if none is under way.
    pub(super) fn prepare(
        &mut self,
        now: Instant,
        last_tsn: u64,
        rto: impl FnOnce() -> Duration,
        is_drained: impl Fn(u16) -> bool,
    ) {
        if self.request.is_some() || self.pending.is_empty() {
            return;
        }
        let streams: Vec<u16> =
            self.pending.iter().copied().filter(|&id| is_drained(id)).take(MAX_STREAMS).collect();
        if streams.is_empty() {
            return;
        }
        for stream in &streams {
            self.pending.remove(stream);
        }
        self.request = Some(Request {
            sequence: self.next_sequence,
            last_tsn,
            streams,
            due: true,
            retry: now + rto(),
            retries: 0,
            waits: false,
        });
        self.next_sequence = self.next_sequence.wrapping_add(1);
    }

    pub(super) fn is_due(&self) -> bool {
        !self.responses.is_empty() || self.request.as_ref().is_some_and(|request| request.due)
    }

    /// Bytes that the next RE-CONFIG chunk takes.
    pub(super) fn length(&self) -> usize {
        match (self.responses.first(), &self.request) {
            (None, Some(request)) if request.due => {
                wire::CHUNK_HEADER + wire::padded(16 + 2 * request.streams.len())
            }
            (None, _) => 0,
            (Some(_), _) => wire::CHUNK_HEADER + 12,
        }
    }

    /// Writes one RE-CONFIG chunk (RFC 6525 §3.1).
    pub(super) fn write(&mut self, writer: &mut Writer<'_>) {
        if let Some((sequence, result)) = self.responses.pop() {
            writer.begin(wire::RE_CONFIG, 0);
            writer.parameter(wire::PARAM_RESPONSE, |w| {
                w.u32(sequence);
                w.u32(result);
            });
            writer.end();
            return;
        }
        let expected = self.expected_sequence;
        let Some(request) = self.request.as_mut().filter(|request| request.due) else { return };
        request.due = false;
        writer.begin(wire::RE_CONFIG, 0);
        writer.parameter(wire::PARAM_RESET_OUTGOING, |w| {
            w.u32(request.sequence);
            // This answers no request, so it names the last one that the peer could have made.
            w.u32(expected.wrapping_sub(1));
            w.u32(serial::low(request.last_tsn));
            for &stream in &request.streams {
                w.u16(stream);
            }
        });
        writer.end();
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.request.as_ref().map(|request| request.retry)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, rto: Duration) {
        if let Some(request) = &mut self.request
            && request.retry <= now
        {
            request.due = true;
            request.retries = request.retries.saturating_add(1);
            let wait = rto.saturating_mul(1 << request.retries.min(4)).min(RTO_MAX);
            request.retry = now + wait;
        }
    }

    /// The path is back.
    pub(super) fn retry_now(&mut self, now: Instant, rto: Duration) {
        if let Some(request) = &mut self.request {
            request.due = true;
            request.retry = now + rto;
        }
    }

    /// The peer has everything up to `cumulative`: what it waited for has come.
    pub(super) fn on_acknowledged(&mut self, cumulative: u64) {
        if let Some(request) = &mut self.request
            && request.waits
            && cumulative >= request.last_tsn
        {
            request.waits = false;
            request.due = true;
        }
    }

    /// This side has everything of the peer up to `cumulative`.
    pub(super) fn on_received(&mut self, cumulative: u64, outcomes: &mut Vec<Outcome>) {
        if self.deferred.as_ref().is_some_and(|deferred| deferred.last_tsn <= cumulative)
            && let Some(deferred) = self.deferred.take()
        {
            // With this answer the peer need not repeat its request after a timeout.
            self.perform(deferred.streams, outcomes);
        }
    }

    fn perform(&mut self, streams: Vec<u16>, outcomes: &mut Vec<Outcome>) {
        self.respond(self.expected_sequence, PERFORMED);
        self.expected_sequence = self.expected_sequence.wrapping_add(1);
        self.last_result = PERFORMED;
        outcomes.push(Outcome::Incoming(streams));
    }

    fn respond(&mut self, sequence: u32, result: u32) {
        self.responses.retain(|&(other, _)| other != sequence);
        if self.responses.len() < MAX_RESPONSES {
            self.responses.push((sequence, result));
        }
    }

    /// Handles a RE-CONFIG chunk; `cumulative` is what has been received.
    pub(super) fn handle(
        &mut self,
        now: Instant,
        value: &[u8],
        cumulative: u64,
        rto: Duration,
        outcomes: &mut Vec<Outcome>,
    ) {
        for (kind, value) in Parameters(Reader(value)) {
            let handled = match kind {
                wire::PARAM_RESET_OUTGOING => self.on_request(value, cumulative, outcomes),
                wire::PARAM_RESPONSE => self.on_response(now, value, rto, outcomes),
                wire::PARAM_RESET_INCOMING
                | wire::PARAM_RESET_TSN
                | wire::PARAM_ADD_OUTGOING
                | wire::PARAM_ADD_INCOMING => self.deny(value),
                _ => Some(()),
            };
            if handled.is_none() {
                debug!(kind, "a malformed RE-CONFIG parameter");
            }
        }
    }

    /// Data channels need none of the other requests.
    fn deny(&mut self, value: &[u8]) -> Option<()> {
        let sequence = Reader(value).u32()?;
        if sequence == self.expected_sequence && self.deferred.is_none() {
            self.expected_sequence = self.expected_sequence.wrapping_add(1);
            self.last_result = DENIED;
            self.respond(sequence, DENIED);
        } else {
            self.repeat_or_refuse(sequence);
        }
        Some(())
    }

    fn repeat_or_refuse(&mut self, sequence: u32) {
        if sequence == self.expected_sequence.wrapping_sub(1) {
            // Our answer was lost (RFC 6525 §5.2.1).
            self.respond(sequence, self.last_result);
        } else {
            self.respond(sequence, BAD_SEQUENCE_NUMBER);
        }
    }

    fn on_request(
        &mut self,
        value: &[u8],
        cumulative: u64,
        outcomes: &mut Vec<Outcome>,
    ) -> Option<()> {
        let mut reader = Reader(value);
        let sequence = reader.u32()?;
        let _answers = reader.u32()?;
        let last_tsn = serial::expand(cumulative, reader.u32()?);
        if sequence != self.expected_sequence {
            self.repeat_or_refuse(sequence);
            return Some(());
        }
        let streams: Vec<u16> = std::iter::from_fn(|| reader.u16()).collect();
        if last_tsn > cumulative {
            // RFC 6525 §5.2.2 E2.
            self.respond(sequence, IN_PROGRESS);
            self.deferred = Some(Deferred { last_tsn, streams });
        } else {
            self.deferred = None;
            self.perform(streams, outcomes);
        }
        Some(())
    }

    fn on_response(
        &mut self,
        now: Instant,
        value: &[u8],
        rto: Duration,
        outcomes: &mut Vec<Outcome>,
    ) -> Option<()> {
        let mut reader = Reader(value);
        let (sequence, result) = (reader.u32()?, reader.u32()?);
        let request = self.request.as_mut().filter(|request| request.sequence == sequence)?;
        if result == IN_PROGRESS {
            request.waits = true;
            request.retry = now + rto;
            return Some(());
        }
        if let Some(request) = self.request.take() {
            let done = matches!(result, NOTHING_TO_DO | PERFORMED);
            if !done {
                debug!(result, streams = ?request.streams, "the peer refused a stream reset");
            }
            outcomes.push(Outcome::Outgoing(request.streams, done));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTO: Duration = Duration::from_millis(400);

    /// Moves everything one side has to say to the other.
    fn exchange(now: Instant, from: &mut Resets, to: &mut Resets, received: u64) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        while from.is_due() {
            let mut buffer = Vec::new();
            let length = from.length();
            let mut writer = Writer::new(&mut buffer, 1, 1, 1);
            from.write(&mut writer);
            assert_eq!(writer.len() - wire::COMMON_HEADER, length);
            writer.finish();
            let packet = wire::Packet::read(&buffer, true).unwrap();
            for chunk in packet.chunks() {
                to.handle(now, chunk.value, received, RTO, &mut outcomes);
            }
        }
        outcomes
    }

    #[test]
    fn a_reset_is_performed_and_confirmed() {
        let now = Instant::now();
        let (mut a, mut b) = (Resets::new(10, 20), Resets::new(20, 10));
        let last = serial::first(12);
        a.request(7);
        a.prepare(now, last, || RTO, |_| true);
        assert_eq!(exchange(now, &mut a, &mut b, last), [Outcome::Incoming(vec![7])]);
        assert_eq!(exchange(now, &mut b, &mut a, 0), [Outcome::Outgoing(vec![7], true)]);
        assert_eq!(a.deadline(), None);
    }

    #[test]
    fn data_before_the_reset_comes_first() {
        let now = Instant::now();
        let (mut a, mut b) = (Resets::new(10, 20), Resets::new(20, 10));
        let last = serial::first(12);
        a.request(7);
        a.prepare(now, last, || RTO, |_| true);
        assert_eq!(exchange(now, &mut a, &mut b, last - 1), []);
        assert_eq!(exchange(now, &mut b, &mut a, 0), []);
        let mut outcomes = Vec::new();
        b.on_received(last, &mut outcomes);
        assert_eq!(outcomes, [Outcome::Incoming(vec![7])]);
        assert_eq!(exchange(now, &mut b, &mut a, 0), [Outcome::Outgoing(vec![7], true)]);
    }

    #[test]
    fn a_repeated_request_is_answered_but_not_performed_again() {
        let now = Instant::now();
        let (mut a, mut b) = (Resets::new(10, 20), Resets::new(20, 10));
        let last = serial::first(12);
        a.request(7);
        a.prepare(now, last, || RTO, |_| true);
        exchange(now, &mut a, &mut b, last);
        // The answer is lost.
        b.responses.clear();
        a.handle_timeout(now + RTO, RTO);
        assert_eq!(exchange(now, &mut a, &mut b, last), []);
        assert_eq!(exchange(now, &mut b, &mut a, 0), [Outcome::Outgoing(vec![7], true)]);
    }

    #[test]
    fn streams_wait_for_their_last_message_and_for_each_other() {
        let now = Instant::now();
        let mut a = Resets::new(10, 20);
        a.request(1);
        a.request(2);
        a.prepare(now, 5, || RTO, |id| id == 2);
        a.prepare(now, 5, || RTO, |_| true);
        assert_eq!(a.request.as_ref().map(|r| r.streams.clone()), Some(vec![2]));
        assert_eq!(a.pending().collect::<Vec<_>>(), [1]);
    }
}
