//! What this side has said and the peer may not have heard (RFC 9147 §5.8, §7).

use std::collections::VecDeque;

use time::{Duration, Instant};

use super::record::Records;
use crate::engine::FLIGHT_START_RTO;
use crate::engine::common::alert::Fatal;
use crate::engine::common::content;
use crate::engine::common::reassembly::{self, HEADER};

/// RFC 9147 §5.8.2.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// Records that acknowledgements may name. Ever later repetitions do not fill it.
const MOST_RECORDS: usize = 512;
/// The least room for a part of a message: no fragments that are hardly longer than their headers.
const LEAST_PART: usize = 64;

/// A message of ours.
pub(super) struct Said {
    pub(super) kind: u8,
    pub(super) sequence: u16,
    pub(super) epoch: u64,
    pub(super) body: Vec<u8>,
}

/// What one record carries of a message.
struct Piece {
    message: usize,
    offset: usize,
    length: usize,
    has_arrived: bool,
}

/// Messages that the peer needs before it says more.
pub(super) struct Flight {
    pub(super) messages: Vec<Said>,
    pieces: Vec<Piece>,
    /// The epoch and the number of each record, and what was in it.
    records: VecDeque<((u64, u64), usize)>,
    sent: Option<Instant>,
    interval: Duration,
    repeats: Option<Instant>,
}

impl Flight {
    /// Cuts the messages so that they fill datagrams.
    pub(super) fn new(messages: Vec<Said>, datagram_size: usize) -> Self {
        let mut pieces = Vec::new();
        let mut used = 0;
        for (at, message) in messages.iter().enumerate() {
            let overhead = Records::overhead(message.epoch) + HEADER;
            let mut offset = 0;
            loop {
                let rest = message.body.len() - offset;
                if used > 0 && used + overhead + rest.min(LEAST_PART) > datagram_size {
                    used = 0;
                }
                let room = datagram_size.saturating_sub(used + overhead).max(1);
                let length = rest.min(room);
                pieces.push(Piece { message: at, offset, length, has_arrived: false });
                used += overhead + length;
                offset += length;
                if offset >= message.body.len() {
                    break;
                }
            }
        }
        Self {
            messages,
            pieces,
            records: VecDeque::new(),
            sent: None,
            interval: FLIGHT_START_RTO,
            repeats: None,
        }
    }

    /// Writes what has not arrived, in new records and in as few datagrams as possible.
    pub(super) fn write(
        &mut self,
        records: &mut Records,
        datagram_size: usize,
        now: Instant,
        mut send: impl FnMut(Vec<u8>),
    ) -> Result<(), Fatal> {
        self.sent = Some(now);
        let mut packet = Vec::new();
        let missing = self.pieces.iter().enumerate().filter(|(_, piece)| !piece.has_arrived);
        for (at, piece) in missing {
            let Some(message) = self.messages.get(piece.message) else { continue };
            let Said { kind, sequence, epoch, ref body } = *message;
            let part = body.get(piece.offset..piece.offset + piece.length).unwrap_or_default();
            let whole = Records::overhead(epoch) + HEADER + part.len();
            if !packet.is_empty() && packet.len() + whole > datagram_size {
                send(std::mem::take(&mut packet));
            }
            let start = packet.len();
            packet.resize(start + whole, 0);
            let place = packet.get_mut(start..).unwrap_or_default();
            let header = reassembly::header(kind, body.len(), sequence, piece.offset, part.len());
            let (number, _) = records.write(place, content::HANDSHAKE, epoch, &[&header, part])?;
            if self.records.len() == MOST_RECORDS {
                self.records.pop_front();
            }
            self.records.push_back(((epoch, number), at));
        }
        if !packet.is_empty() {
            send(packet);
        }
        Ok(())
    }

    /// Takes note that a record has arrived. Returns whether that is news.
    pub(super) fn acknowledge(&mut self, record: (u64, u64)) -> bool {
        let found = self.records.iter().find(|(sent, _)| *sent == record);
        let piece = found.and_then(|(_, at)| self.pieces.get_mut(*at));
        piece.is_some_and(|piece| !std::mem::replace(&mut piece.has_arrived, true))
    }

    pub(super) fn has_arrived(&self) -> bool {
        self.pieces.iter().all(|piece| piece.has_arrived)
    }

    /// Whether it was sent so long ago that somebody may ask for it again.
    pub(super) fn may_repeat(&self, now: Instant, pause: Duration) -> bool {
        self.sent.is_none_or(|sent| sent + pause <= now)
    }

    /// Sets the timer, or stops it if nothing is missing.
    pub(super) fn wait(&mut self, now: Instant) {
        self.repeats = (!self.has_arrived()).then(|| now + self.interval);
    }

    /// When the peer should have answered.
    pub(super) fn repeats(&self) -> Option<Instant> {
        self.repeats
    }

    /// The answer is late: the next one may take longer (RFC 9147 §5.8.2).
    pub(super) fn back_off(&mut self, now: Instant) {
        self.interval = (self.interval * 2).min(LONGEST_INTERVAL);
        self.wait(now);
    }
}
