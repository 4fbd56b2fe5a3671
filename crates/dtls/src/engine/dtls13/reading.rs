//! What becomes of what comes (RFC 9147 §4.5, §5.4).

use tracing::trace;

use super::client::ClientStep;
use super::record::{Closed, DATA, HANDSHAKE, IN_THE_CLEAR, Protected, Record};
use super::server::ServerStep;
use super::{Dtls13, End, Queued, Step};
use crate::engine::Ended;
use crate::engine::common::alert::{self, Fatal};
use crate::engine::common::codec::Reader;
use crate::engine::common::content;
use crate::engine::common::reassembly::Fragment;

/// Octets and records that came before they could be read, and are kept.
pub(super) const MOST_HELD: usize = 24 * 1024;
pub(super) const MOST_HELD_RECORDS: usize = 32;

impl Dtls13 {
    pub(super) fn read_datagram(&mut self, datagram: &[u8]) -> Result<(), End> {
        let mut reader = Reader(datagram);
        while !matches!(self.step, Step::Ended | Step::Dtls12)
            && let Some(record) = Record::read(&mut reader)
        {
            match record {
                Record::Plain { kind, number, body } => self.read_plain(kind, number, body)?,
                Record::Protected(record) => self.read_protected(&record)?,
            }
        }
        if let Some((_, unread)) = &mut self.other {
            *unread = reader.0.len();
        }
        if self.acks.soon {
            self.write_acks()?;
        }
        Ok(())
    }

    /// Reads a record that anybody may have sent. Hellos count, and nothing else: RFC 9147 §4.1 and
    /// §7 leave the rest to the receiver.
    fn read_plain(&mut self, kind: u8, number: u64, body: &[u8]) -> Result<(), End> {
        match (kind, body) {
            (content::HANDSHAKE, body) => self.read_handshake(IN_THE_CLEAR, number, body),
            // A server that has nothing in common with our hello has no other way to say so.
            (content::ALERT, &[alert::FATAL, description])
                if self.step == Step::Client(ClientStep::ServerHello) =>
            {
                Err(End::Told(Ended::Alert(description)))
            }
            _ => Ok(()),
        }
    }

    fn read_protected(&mut self, record: &Protected<'_>) -> Result<(), End> {
        let start = self.output.opened.used();
        let opened = match self.records.open(record, &mut self.output.opened) {
            Ok(opened) => opened,
            Err(Closed::NoKey) => {
                self.hold(record.whole);
                return Ok(());
            }
            Err(Closed::Useless) => {
                trace!("dropping a record that is forged or came before");
                return Ok(());
            }
            Err(Closed::TooManyForgeries) => {
                // RFC 9147 §4.5.3
                let reason = "more records were forged than the cipher withstands";
                return Err(Fatal::new(alert::INTERNAL_ERROR, reason).into());
            }
        };
        if opened.kind == content::APPLICATION_DATA && opened.epoch >= DATA {
            self.output.push(Queued::Data(start..start + opened.length));
            return Ok(());
        }
        let content = self.output.opened.take_from(start);
        match opened.kind {
            content::HANDSHAKE => self.read_handshake(opened.epoch, opened.number, &content),
            content::ALERT => self.read_alert(&content),
            content::ACK => Ok(self.read_ack(&content)?),
            _ => {
                let reason = "a record of a type that does not belong there";
                Err(Fatal::new(alert::UNEXPECTED_MESSAGE, reason).into())
            }
        }
    }

    /// Keeps a record that there is no key for, or not yet.
    fn hold(&mut self, record: &[u8]) {
        let Some(handshake) = &mut self.handshake else { return };
        let size: usize = handshake.held.iter().map(Vec::len).sum();
        if handshake.held.len() < MOST_HELD_RECORDS && size + record.len() <= MOST_HELD {
            handshake.held.push(record.to_vec());
        }
    }

    /// Reads what was kept. What still cannot be read is kept again.
    pub(super) fn read_held(&mut self) -> Result<(), End> {
        let held = self.handshake.as_mut().map(|handshake| std::mem::take(&mut handshake.held));
        held.unwrap_or_default().iter().try_for_each(|record| self.read_datagram(record))
    }

    fn read_alert(&mut self, body: &[u8]) -> Result<(), End> {
        // RFC 8446 §6: whatever the level says.
        let &[_, description] = body else { return Ok(()) };
        match description {
            alert::CLOSE_NOTIFY if self.step == Step::Connected => {
                self.say_close();
                self.output.push(Queued::CloseNotify);
                Ok(())
            }
            alert::CLOSE_NOTIFY => Err(End::Told(Ended::Closed)),
            // A close_notify follows (RFC 8446 §6.1).
            alert::USER_CANCELED => Ok(()),
            _ => Err(End::Told(Ended::Alert(description))),
        }
    }

    fn read_handshake(&mut self, epoch: u64, number: u64, content: &[u8]) -> Result<(), End> {
        let mut reader = Reader(content);
        // RFC 9147 §7: a record that is not kept as a whole must not be acknowledged.
        let (mut is_kept, mut is_new) = (!content.is_empty(), false);
        while !reader.is_empty() {
            let Some(fragment) = Fragment::read(&mut reader) else {
                is_kept = false;
                break;
            };
            if self.reassembly.is_old(&fragment) {
                self.repeat_for(epoch, fragment.kind)?;
            } else {
                is_new = true;
                is_kept &= self.expects(epoch, &fragment) && self.reassembly.add(epoch, &fragment);
            }
        }
        if is_kept && (is_new || epoch != IN_THE_CLEAR) {
            self.acks.note((epoch, number), self.now);
        }
        self.read_messages()
    }

    /// Whether a message that has not been read may be in a record of the epoch. What anybody can
    /// write must not take the place of what only the peer can.
    fn expects(&self, epoch: u64, fragment: &Fragment<'_>) -> bool {
        match self.step {
            // In DTLS 1.2 more would follow the ServerHello in the clear.
            Step::Client(ClientStep::ServerHello) => epoch == IN_THE_CLEAR,
            Step::Server(ServerStep::ClientHello) => {
                epoch == IN_THE_CLEAR && fragment.sequence == self.reassembly.next()
            }
            Step::Client(_) | Step::Server(_) => epoch == HANDSHAKE,
            Step::Connected => epoch >= DATA,
            Step::Ended | Step::Dtls12 => false,
        }
    }

    fn read_messages(&mut self) -> Result<(), End> {
        while !matches!(self.step, Step::Ended | Step::Dtls12)
            && let Some(message) = self.reassembly.take()
        {
            match self.step {
                Step::Client(step) => self.read_as_client(step, message)?,
                Step::Server(step) => self.read_as_server(step, message)?,
                Step::Connected => self.read_when_connected(&message)?,
                Step::Ended | Step::Dtls12 => {}
            }
        }
        Ok(())
    }
}
