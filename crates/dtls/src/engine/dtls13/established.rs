//! What comes after the handshake (RFC 8446 §4.6, RFC 9147 §8).

use super::wire::{self, kind};
use super::{Dtls13, Message};
use crate::connection::DtlsRole;
use crate::engine::common::alert::Fatal;

impl Dtls13 {
    pub(super) fn read_when_connected(&mut self, message: &Message) -> Result<(), Fatal> {
        match message.kind {
            // There is no resumption. That it came is told, or the server repeats it.
            kind::NEW_SESSION_TICKET if self.role == DtlsRole::Client => {}
            kind::KEY_UPDATE => self.read_key_update(message)?,
            // Nobody has offered to be asked for a certificate again, and hellos would be a
            // renegotiation (RFC 8446 §4.1.2, §4.6.2).
            _ => return Err(Fatal::unexpected()),
        }
        // RFC 9147 §7.1: nothing else would tell the peer that it came.
        self.acks.soon = true;
        Ok(())
    }

    fn read_key_update(&mut self, message: &Message) -> Result<(), Fatal> {
        let wants_ours = wire::read_key_update(message.body())?;
        let epoch = self.records.reading_epoch();
        // RFC 9147 §8: it comes under the newest keys, since the ones after them need its
        // acknowledgement.
        if message.epoch != epoch {
            return Err(Fatal::unexpected());
        }
        let secret = self.records.reading_secret().ok_or(Fatal::internal(()))?.updated()?;
        self.records.install_reading(epoch + 1, secret)?;
        // If a change is under way already, it will do (RFC 8446 §4.6.3).
        self.updates_soon |= wants_ours && !self.is_updating;
        self.update_in_time()
    }

    /// Changes the keys before they have protected all that they may, and if the peer wants that.
    pub(super) fn update_in_time(&mut self) -> Result<(), Fatal> {
        let is_time = self.updates_soon || self.records.written() >= self.update_after;
        // A client's last flight comes first.
        if is_time && self.flight.is_none() {
            self.update_keys()?;
        }
        Ok(())
    }

    /// Says that the keys will change. They do when the peer knows (RFC 9147 §8).
    fn update_keys(&mut self) -> Result<(), Fatal> {
        let epoch = self.records.writing_epoch();
        // update_not_requested: whoever wants other keys of the peer can count its records.
        let message = self.message(kind::KEY_UPDATE, epoch, vec![0]);
        let acks = std::mem::take(&mut self.acks);
        self.is_updating = true;
        self.updates_soon = false;
        self.send_flight(vec![message])?;
        // A KeyUpdate answers nothing.
        self.acks = acks;
        Ok(())
    }

    pub(super) fn change_own_keys(&mut self) -> Result<(), Fatal> {
        self.is_updating = false;
        let epoch = self.records.writing_epoch() + 1;
        let secret = self.records.writing_secret().ok_or(Fatal::internal(()))?.updated()?;
        self.records.install_writing(epoch, secret)?;
        self.records.forget_writing_before(epoch);
        Ok(())
    }
}
