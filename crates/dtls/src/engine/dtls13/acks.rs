//! Acknowledgements, and what is repeated for want of them (RFC 9147 §5.8, §7).

use time::{Duration, Instant};

use super::client::ClientStep;
use super::record::{DATA, HANDSHAKE, IN_THE_CLEAR, OVERHEAD};
use super::wire::{self, kind};
use super::{Dtls13, Step};
use crate::engine::FLIGHT_START_RTO;
use crate::engine::common::alert::Fatal;
use crate::engine::common::content;

/// The least time between two sendings of a flight because the peer repeats its own: copies of one
/// datagram need one answer.
const REPEAT_PAUSE: Duration = Duration::from_millis(50);
/// The same because the peer says what it lacks.
const ACK_PAUSE: Duration = Duration::from_millis(10);
/// RFC 9147 §7.1: a quarter of the peer's timer.
const ACK_DELAY: Duration = Duration::from_millis(FLIGHT_START_RTO.as_millis() as u64 / 4);
/// The most records that one acknowledgement names.
pub(super) const MOST_ACKS: usize = 64;

/// What the peer's records are acknowledged with (RFC 9147 §7).
#[derive(Default)]
pub(super) struct Acks {
    pub(super) records: Vec<(u64, u64)>,
    /// When to tell what has come of a flight that is not complete.
    pub(super) at: Option<Instant>,
    /// Whether to tell at the end of this datagram.
    pub(super) soon: bool,
}

impl Acks {
    /// Takes note of a record that was kept as a whole.
    pub(super) fn note(&mut self, record: (u64, u64), now: Instant) {
        self.at.get_or_insert(now + ACK_DELAY);
        if self.records.len() < MOST_ACKS && !self.records.contains(&record) {
            self.records.push(record);
        }
    }
}

impl Dtls13 {
    /// RFC 9147 §5.8.1, §7.1: the peer repeats what was read, so it has not heard what followed.
    pub(super) fn repeat_for(&mut self, epoch: u64, message: u8) -> Result<(), Fatal> {
        let now = self.now;
        let ends_flight = match self.step {
            Step::Client(ClientStep::ServerHello) => (IN_THE_CLEAR, kind::SERVER_HELLO),
            Step::Server(_) => (IN_THE_CLEAR, kind::CLIENT_HELLO),
            // The last flight of a client.
            Step::Connected if self.flight.is_some() && !self.is_updating => {
                (HANDSHAKE, kind::FINISHED)
            }
            Step::Connected => {
                // Our acknowledgement was lost.
                self.acks.soon |= epoch != IN_THE_CLEAR;
                return Ok(());
            }
            Step::Client(_) | Step::Ended | Step::Dtls12 => return Ok(()),
        };
        let may_repeat =
            self.flight.as_ref().is_some_and(|flight| flight.may_repeat(now, REPEAT_PAUSE));
        if ends_flight == (epoch, message) && may_repeat {
            self.write_flight()?;
        }
        Ok(())
    }

    /// Tells which records have come.
    pub(super) fn write_acks(&mut self) -> Result<(), Fatal> {
        let Acks { records, .. } = std::mem::take(&mut self.acks);
        let epoch = self.records.writing_epoch();
        // In the clear nobody would believe it.
        if epoch == IN_THE_CLEAR || records.is_empty() {
            return Ok(());
        }
        let room = self.datagram_size.saturating_sub(OVERHEAD + 2) / wire::ACKED;
        records
            .chunks(room.max(1))
            .try_for_each(|records| self.write_record(content::ACK, epoch, &wire::ack(records)))
    }

    pub(super) fn read_ack(&mut self, body: &[u8]) -> Result<(), Fatal> {
        let records = wire::read_ack(body).ok_or(Fatal::malformed())?;
        let Some(flight) = &mut self.flight else { return Ok(()) };
        let mut is_news = body.len() == 2;
        for record in records {
            is_news |= flight.acknowledge(record);
        }
        if flight.has_arrived() {
            return self.flight_has_arrived();
        }
        // RFC 9147 §7.2: the rest was lost. An empty one asks for everything.
        if is_news && flight.may_repeat(self.now, ACK_PAUSE) {
            self.write_flight()?;
        }
        Ok(())
    }

    fn flight_has_arrived(&mut self) -> Result<(), Fatal> {
        if self.is_updating {
            self.flight = None;
            return self.change_own_keys();
        }
        if self.step == Step::Connected {
            // The server has it all: nothing of the handshake comes or goes any more.
            self.flight = None;
            self.records.forget_reading_before(DATA);
            self.records.forget_writing_before(DATA);
        } else if let Some(flight) = &mut self.flight {
            // The peer is about to answer.
            flight.wait(self.now);
        }
        Ok(())
    }
}
